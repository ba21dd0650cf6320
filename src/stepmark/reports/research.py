# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Research data sets for people: what they hold, and what was done to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from stepmark.datasets.overview import ResearchOverview
from stepmark.reports import words
from stepmark.reports.markdown import code, free
from stepmark.reports.sheets import Sheet, markdown_lines, text_lines
from stepmark.reports.text import finished

_WIDTH = 78
_MOST_PROVENANCE = 20


def render(found: ResearchOverview, document: Mapping[str, Any], output: str) -> str:
    """*found* as ``text`` or ``markdown``, or the *document* it was made of as ``json``."""
    if output == "json":
        return json.dumps(document, indent=1) + "\n"
    return _markdown(found) if output == "markdown" else _text(found)


def headline(found: ResearchOverview) -> str:
    """The data set in one line."""
    rows = found.rows
    return (
        f"{words.plural(rows.get('series', 0), 'series')},"
        f" {words.plural(rows.get('measurements', 0), 'measurement')} of"
        f" {words.plural(rows.get('revisions', 0), 'revision')},"
        f" {words.plural(rows.get('alerts', 0), 'alert')},"
        f" {words.plural(rows.get('bugs', 0), 'bug')}"
    )


def _text(found: ResearchOverview) -> str:
    lines = [f"{words.name(found.name)}: {headline(found)}", ""]
    for sheet in _sheets(found):
        lines += [*(f"  {line}" for line in text_lines(sheet, _WIDTH)), ""]
    lines += [*_refresh(found)]
    lines += [f"{what}: {words.clean(value)}" for what, value in _provenance(found)]
    return finished(lines)


def _markdown(found: ResearchOverview) -> str:
    lines = [f"## {free(words.name(found.name))}: {headline(found)}", ""]
    for sheet in _sheets(found):
        lines += [*markdown_lines(sheet, code), ""]
    lines += [*_refresh(found)]
    lines += [f"- {what}: {free(words.clean(value))}" for what, value in _provenance(found)]
    return "\n".join(lines).rstrip() + "\n"


def _sheets(found: ResearchOverview) -> Iterator[Sheet]:
    yield Sheet.plain(("label", "alerts", "share"), _shares(found.labels))
    yield Sheet.plain(("label of the lab", "summaries", "share"), _shares(found.lab))
    if found.rules:
        rows = (
            (words.name(rule.rule, 40), f"{rule.count:,}", words.clean(rule.about, 20))
            for rule in found.rules
        )
        yield Sheet.plain(("rule of curation", "count", "of"), rows)


def _shares(counts: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    total = sum(counts.values())
    for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count:
            yield words.name(label, 40), f"{count:,}", f"{count / total:.2%}"


def _refresh(found: ResearchOverview) -> Iterator[str]:
    if found.refresh:
        subject = words.plural(found.refresh, "alert summary", "alert summaries")
        yield f"{subject} may still change: extract again, then import again."
        yield ""


def _provenance(found: ResearchOverview) -> Iterator[tuple[str, str]]:
    for what, value in sorted(found.provenance.items())[:_MOST_PROVENANCE]:
        yield free(words.clean(what, 40)), value
    yield "digest", found.digest
