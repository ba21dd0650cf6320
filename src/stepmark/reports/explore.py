# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""An exploration of a research data set for people and programs: text, Markdown and JSON.

What proposals and readings say is laid out by the exploration; the forms differ in how they write
it. Names from outside are cleaned, and escaped as each form needs it.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date
from importlib import import_module
from typing import Any

from stepmark import __version__
from stepmark.datasets.exploration import Exploration, Part, Proposal
from stepmark.datasets.exploration.intervals import Share
from stepmark.reports import words
from stepmark.reports.explorefigures import percent, span
from stepmark.reports.sheets import Cell, Sheet, markdown_lines
from stepmark.reports.text import finished

SCHEMA = "stepmark.explore/1"
RENDERERS = {
    "text": "stepmark.reports.explore:render_text",
    "markdown": "stepmark.reports.explore:render_markdown",
    "json": "stepmark.reports.explore:render_json",
    "html": "stepmark.reports.explorepage:render",
}
HEADS = {
    "count": "Count",
    "total": "Of",
    "low": "Low",
    "high": "High",
    "p10": "1 of 10 below",
    "p90": "9 of 10 below",
    "of": "Counted",
}
"""Heads of columns; others are their names."""

_SHARES = frozenset(
    (
        *("share", "alive", "repeated", "traction", "fixed", "waiting"),
        *("avoided share", "lost share"),
    )
)
_SPANS = frozenset(("interval", "interval p90", "longest gap", "lifetime", "wait", "days"))
_TIMED = frozenset(("median", "low", "high", "p90"))
_WIDTH = 80
_MARKDOWN_ROWS = 20


def render(found: Exploration, output: str) -> str:
    """*found* in the form *output*, a key of `RENDERERS`."""
    module, _, function = RENDERERS[output].partition(":")
    rendered: str = getattr(import_module(module), function)(found)
    return rendered


def headline(found: Exploration) -> str:
    """What came of it, in a line."""
    sure = sum(one.sure == "well supported" for one in found.proposals)
    if not found.proposals:
        return "Nothing to propose: " + ("too few data" if found.too_little else "all is well")
    return f"{words.plural(len(found.proposals), 'proposal')}, {sure:,} of them well supported"


def facts(found: Exploration) -> str:
    """What was explored, in a line."""
    counted = found.profiles["points"].fill_null(0)
    parts = [
        words.plural(found.tables.alerts.height, "alert"),
        words.plural(found.tables.summaries.height, "summary", "summaries"),
        words.plural(found.tables.bugs.height, "bug"),
        words.plural(found.profiles.height, "series"),
        words.plural(int(counted.sum()), "revision of them", "revisions of them"),
    ]
    until = (
        f"; up to {words.moment(found.now.replace(tzinfo=UTC))}" if found.now is not None else ""
    )
    return f"{', '.join(parts)}{until}"


def kind_of(part: Part, column: str) -> str:
    """What the numbers of a column are: ``share``, ``span`` (days) or ``number``."""
    columns = part.frame.columns
    if column in _SHARES or (column in ("low", "high") and {"share", "waiting"} & set(columns)):
        return "share"
    if column in _SPANS or (column in _TIMED and "open" in columns):
        return "span"
    return "number"


def cell(part: Part, column: str, value: Any) -> str:
    """A cell as tables write it, on one clean line."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return words.NONE
    if isinstance(value, bool | str | date):
        return words.name(str(value), 120)
    kind = kind_of(part, column)
    if kind == "share":
        return percent(value)
    if kind == "span":
        return span(value)
    return f"{value:,}" if isinstance(value, int) else words.number(value, digits=3)


def head(column: str) -> str:
    """The head of a column."""
    shown = HEADS.get(column, column)
    return shown[:1].upper() + shown[1:]


def render_text(found: Exploration) -> str:
    """*found* in lines of 80 columns: proposals with their reasons, and what each part says."""
    lines = [f"{words.name(found.name, 60)}: {headline(found)}", facts(found), ""]
    for i, one in enumerate(found.proposals, 1):
        lines += _wrapped(f"{i}. {one.action} ({one.sure})")
        lines += [*_wrapped(one.reason, "   "), ""]
    if found.too_little:
        lines.append("Too little data:")
        for unknown in found.too_little:
            lines += _wrapped(f"- {unknown.kind} of {unknown.subject}: {unknown.reason}.")
        lines.append("")
    for chapter in found.chapters():
        lines += [chapter.title, "-" * len(chapter.title)]
        for part in chapter.parts:
            lines += _wrapped(f"{part.title}: {part.reading}")
        lines.append("")
    return finished(lines)


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    clean = words.clean(text, None)
    yield from textwrap.wrap(
        clean, _WIDTH, initial_indent=indent, subsequent_indent=indent or "   "
    )


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~@&$])")


def _prose(text: str) -> str:
    """A sentence in which names from outside may stand."""
    return _MARKUP.sub(r"\\\1", words.clean(text, None))


def render_markdown(found: Exploration) -> str:
    """*found* as Markdown: proposals, and each part with the first 20 rows of its table."""
    lines = [f"## {_prose(found.name)}: {headline(found)}", "", f"{_prose(facts(found))}.", ""]
    for one in found.proposals:
        lines += [f"1. **{_prose(one.action)}** ({one.sure}) {_prose(one.reason)}"]
    lines += [""] if found.proposals else []
    if found.too_little:
        lines += ["Too little data:", ""]
        lines += [
            f"- {_prose(f'{one.kind} of {one.subject}: {one.reason}')}." for one in found.too_little
        ]
        lines.append("")
    for chapter in found.chapters():
        lines += [f"### {chapter.title}", ""]
        for part in chapter.parts:
            lines += [f"**{part.title}.** {_prose(part.reading)}", ""]
            if not part.empty:
                lines += [*markdown_lines(_sheet(part), str), ""]
                more = part.frame.height - _MARKDOWN_ROWS
                lines += [f"and {words.plural(more, 'row')} more", ""] if more > 0 else []
    return "\n".join(lines).rstrip() + "\n"


def _sheet(part: Part) -> Sheet:
    columns = part.frame.columns
    rows = part.frame.head(_MARKDOWN_ROWS).iter_rows()
    return Sheet(
        tuple(map(head, columns)),
        tuple(
            tuple(
                Cell(_prose(cell(part, name, value)))
                for name, value in zip(columns, row, strict=True)
            )
            for row in rows
        ),
    )


def render_json(found: Exploration) -> str:
    """*found* as one object of the schema ``stepmark.explore/1``; what is not known is null."""
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "name": found.name,
        "provenance": dict(found.provenance),
        "until": found.now.isoformat() + "Z" if found.now is not None else None,
        "counts": {
            "alerts": found.tables.alerts.height,
            "summaries": found.tables.summaries.height,
            "bugs": found.tables.bugs.height,
            "series": found.profiles.height,
            "revisions": int(found.profiles["points"].fill_null(0).sum()),
        },
        "proposals": [_proposal(one) for one in found.proposals],
        "too_little": [asdict(one) for one in found.too_little],
        "chapters": [
            {"name": c.name, "title": c.title, "parts": [_part(part) for part in c.parts]}
            for c in found.chapters()
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _proposal(one: Proposal) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "subject": one.subject,
        "action": one.action,
        "reason": one.reason,
        "saves": _share(one.saves),
        "costs": _share(one.costs),
        "sure": one.sure,
        "worth": one.worth,
        "evidence": {name: _plain(value) for name, value in one.evidence.items()},
    }


def _share(found: Share | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "count": found.count,
        "total": found.total,
        "share": found.value,
        "low": found.low,
        "high": found.high,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "title": part.title,
        "reading": part.reading,
        "note": part.note,
        "empty": part.empty,
        "columns": [{"name": name, "of": kind_of(part, name)} for name in part.frame.columns],
        "rows": [[_plain(value) for value in row] for row in part.frame.iter_rows()],
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
