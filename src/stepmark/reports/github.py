# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The summary as workflow commands of GitHub Actions, which annotate the run that prints them."""

from __future__ import annotations

from collections.abc import Iterator

from stepmark.changes import Change, Verdict
from stepmark.reports import words
from stepmark.reports.summary import SeriesSummary, Summary

_LEVELS = {
    Verdict.REGRESSION: ("error", "Regression"),
    Verdict.IMPROVEMENT: ("notice", "Improvement"),
    Verdict.NEUTRAL: ("warning", "Change"),
}
# GitHub keeps ten annotations of each level a step, and drops the others without a word.
_MOST = 10

Annotation = tuple[str, str, str]


def render(summary: Summary) -> str:
    """The headline, then an annotation a change, the gravest first.

    Regressions are errors, improvements notices, changes whose better direction is unknown
    warnings; other neutral changes are left out. Of each level there are at most ten annotations,
    the last of which counts what is left out.
    """
    lines = [words.headline(summary)]
    annotations = [*_changes(summary), *_remarks(summary)]
    for level in ("error", "warning", "notice"):
        lines += [_command(a) for a in _bounded([a for a in annotations if a[0] == level])]
    return "\n".join(lines) + "\n"


def _changes(summary: Summary) -> Iterator[Annotation]:
    for item, change in words.by_importance(summary):
        if change.verdict is Verdict.NEUTRAL and item.direction is not None:
            continue
        level, title = _LEVELS[change.verdict]
        yield level, f"{title} of {words.name(item.name)}", _message(item, change)


def _message(item: SeriesSummary, change: Change) -> str:
    parts = [f"{words.size(change, item.series.unit)} at {words.place(change)}"]
    if change.previous_revision:
        parts.append(f"last good {words.short_revision(change.previous_revision)}")
    if change.revision and change.time is not None:
        parts.append(words.moment(change.time))
    parts.append(words.direction(item.direction))
    return "; ".join(parts)


def _remarks(summary: Summary) -> Iterator[Annotation]:
    for warning in summary.warnings:
        yield "warning", "Stepmark", words.clean(warning)
    if summary.failures:
        text = f"{words.plural(len(summary.failures), 'run')} gave no number, the last one"
        yield "warning", "Failed runs", f"{text} {words.failure(summary.failures[-1])}"
    if summary.skipped:
        text = f"{words.plural(len(summary.skipped), 'part')} of the input left out, the first one"
        yield "warning", "Skipped input", f"{text} {words.skipped(summary.skipped[0])}"
    for item in summary.series:
        if words.unjudged(item):
            name, reason = words.name(item.name), words.clean(words.reason(item))
            yield "notice", "Not judged", f"{name}: {reason}"


def _bounded(annotations: list[Annotation]) -> list[Annotation]:
    if len(annotations) <= _MOST:
        return annotations
    level, more = annotations[0][0], len(annotations) - _MOST + 1
    text = f"and {more:,} more; the other outputs (json, html) list them all"
    return [*annotations[: _MOST - 1], (level, "Stepmark", text)]


def _command(annotation: Annotation) -> str:
    level, title, message = annotation
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
