# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The summary as Markdown, for a comment on a pull request or the summary of a job.

Text from outside stands in code spans, in which nothing is a mention, a link or HTML; only text of
harmless characters stands free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from stepmark.alerts.compliance import TrendRow, in_order
from stepmark.changes import Change
from stepmark.reports import words
from stepmark.reports.chart import MARKS, sparkline
from stepmark.reports.summary import SeriesSummary, Summary

LIMIT = 65_536
"""The most characters that a comment on GitHub may have."""

_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,%/²µ]*")
# Words that GitHub makes links of, although they consist of harmless characters.
_LINKED = re.compile(r"www|\b[0-9a-f]{7,}\b", re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f]{7,40}")
_BEFORE_PIPE = re.compile(r"(\\*)\|")
_ESCAPED_PIPE = r"\1\1\\|"
_LONG_TREND = 10
_MOST_REMARKS = 10
_CHANGES_HEAD = (
    "|  | Series | Change | Before → after | At | History |",
    "|---|---|--:|--:|---|---|",
)
_TREND_HEAD = (
    "| Series | Trend | Runs | Short-term | Long-term | Regr. | Progr. |",
    "|---|--:|--:|--:|--:|--:|--:|",
)


def render(summary: Summary, *, limit: int = LIMIT) -> str:
    """Markdown in at most *limit* bytes of UTF-8: headline, changes, trend, remarks.

    Regressions come first, and the biggest of them; what does not fit is counted. A trend table of
    more than ten rows is folded.
    """
    head = [f"## {_heading(summary)}", "", _byline(summary), ""]
    remarks = _remarks(summary)
    room = limit - _size(head) - _size(remarks)
    pairs = words.by_importance(summary)
    # A quarter is kept for the trend.
    rows = [_change_row(item, change) for item, change in pairs]
    changes = _table(_CHANGES_HEAD, rows, room * 3 // 4, "change")
    trend = _trend(summary, room - _size(changes))
    return "\n".join([*head, *changes, *trend, *remarks]).rstrip() + "\n"


def _heading(summary: Summary) -> str:
    outcome = summary.outcome
    text = words.headline(summary) if outcome is not None else words.counts(summary)
    return f"{free(words.clean(summary.title, 80))}: {text}"


def _byline(summary: Summary) -> str:
    return f"Stepmark {free(summary.version)}, detector {code(words.clean(summary.detector, 80))}"


def _change_row(item: SeriesSummary, change: Change) -> str:
    sides = words.step(change.before.mean, change.after.mean, item.series.unit, "→")
    at = [_revision(change)] if change.revision else []
    if change.time is not None:
        at.append(words.moment(change.time))
    cells = (
        f"{MARKS[change.verdict]} {change.verdict.value}",
        code(words.name(item.name, 150)),
        words.percent(change.relative),
        sides if _harmless(words.clean(item.series.unit, 24) or "x") else code(sides),
        ", ".join(at) or f"point {change.index}",
        sparkline(item.values(), 20),
    )
    return table_row(cells)


def _revision(change: Change) -> str:
    short = words.short_revision(change.revision)
    # Bare, GitHub links it to the commit.
    return short if _HASH.fullmatch(short) else free(short)


def _trend_row(row: TrendRow) -> str:
    value = words.number(row.trend, row.unit)
    cells = (
        code(words.name(row.name, 150)),
        value if _harmless(words.clean(row.unit, 24) or "x") else code(value),
        f"{row.runs}",
        words.percent(row.short),
        words.percent(row.long),
        f"{row.regressions}",
        f"{row.improvements}",
    )
    return table_row(cells)


def _trend(summary: Summary, room: int) -> list[str]:
    rows = [_trend_row(row) for row in in_order(item.row for item in summary.series)]
    if len(rows) <= _LONG_TREND:
        table = _table(_TREND_HEAD, rows, room - 20, "series")
        return ["### Trend", "", *table] if table else []
    opening = ["<details>", f"<summary>Trend of {len(rows):,} series</summary>", ""]
    table = _table(_TREND_HEAD, rows, room - _size(opening) - 20, "series")
    return [*opening, *table, "</details>", ""] if table else []


def _table(head: Sequence[str], rows: Sequence[str], room: int, noun: str) -> list[str]:
    """A table of as many *rows* as fit, and how many do not; nothing where there are no rows."""
    if not rows:
        return []
    room -= _size(head) + 60  # for what follows the table
    shown: list[str] = []
    for row in rows:
        room -= _size([row])
        if room < 0:
            break
        shown.append(row)
    more = len(rows) - len(shown)
    rest = [f"and {words.plural(more, noun)} more", ""] if more else []
    return [*head, *shown, "", *rest]


def _remarks(summary: Summary) -> list[str]:
    notes = [
        f"{words.name(item.name)}: {words.clean(words.reason(item), 160)}"
        for item in summary.series
        if words.reason(item)
    ]
    return [
        *_section("Failed runs", [words.failure(failure) for failure in summary.failures]),
        *_section("Notes", notes),
        *_section("Skipped input", [words.skipped(part) for part in summary.skipped]),
        *_section("Warnings", [words.clean(warning, 300) for warning in summary.warnings]),
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    shown = words.bounded(lines, _MOST_REMARKS)
    return [f"### {title} ({len(lines):,})", "", *(f"- {free(line)}" for line in shown), ""]


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _harmless(text: str) -> bool:
    return _HARMLESS.fullmatch(text) is not None and _LINKED.search(text) is None


def free(text: str) -> str:
    """*text* as it is where nothing in it means anything to Markdown, else as code."""
    return text if _harmless(text) else code(text)


def code(text: str) -> str:
    """*text*, which is one line, as a code span."""
    if not text:
        return words.NONE
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def table_row(cells: Iterable[str]) -> str:
    """The row of a table; *cells* are Markdown, in which a pipe does not end the cell."""
    # Parsers differ in whether a backslash before an escaped pipe undoes the escape; with an even
    # number of them before it, no parser takes the pipe for the end of the cell.
    return f"| {' | '.join(_BEFORE_PIPE.sub(_ESCAPED_PIPE, cell) for cell in cells)} |"
