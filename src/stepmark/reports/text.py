# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The summary for a terminal: the headline, a chart and a table a series, then what to know.

Colour is written by hand, because importing a library for it would take longer than the rest.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stepmark.alerts.compliance import TrendRow, in_order
from stepmark.alerts.policy import Outcome
from stepmark.changes import Change, Verdict
from stepmark.reports import words
from stepmark.reports.chart import ASCII_MARKS, MARKS, Frame, chart, sparkline
from stepmark.reports.summary import PROBABILITY, SCORE, SeriesSummary, Summary

_MANY_SERIES = 20
_CHARTS_OF_MANY = 5
_MOST_SERIES = 50
_MOST_ROWS = 20
_MOST_REMARKS = 5
_MOST_NAMES = 5
_MOST_NAME_LINES = 4  # beside the numbers; a longer name stands above them
_PLOT_HEIGHT = 6
_LEAST_WIDTH = 20

_CODES = {
    "bold": "1",
    "dim": "2",
    "axis": "2",
    "mean": "36",
    Verdict.REGRESSION.value: "31",
    Verdict.IMPROVEMENT.value: "32",
    Verdict.NEUTRAL.value: "33",
    Outcome.FAIL.value: "1;31",
    Outcome.PASS.value: "1;32",
    Outcome.UNJUDGED.value: "1;33",
}
_TO_ASCII = str.maketrans({"…": "...", "→": "->", "µ": "u", "μ": "u", "–": "-"})  # noqa: RUF001

Cell = tuple[str, str]
"""Text and what it is: a key of `_CODES`, or empty."""


def render(
    summary: Summary,
    *,
    width: int = 80,
    color: bool = False,
    charts: bool | None = None,
    ascii: bool = False,  # noqa: A002 - what it says
) -> str:
    """*summary* as lines of at most *width* columns (at least 20).

    With a gate only the new changes are told. Series stand in order of their gravest change.
    *color* adds ANSI colours, *charts* the history in braille (None: where there is colour),
    *ascii* keeps to ASCII whatever the names hold.
    """
    look = _Look(max(width, _LEAST_WIDTH), color, ascii)
    changed = sorted((item for item in summary.series if words.told(item)), key=_gravity)
    drawn = 0
    if color if charts is None else charts:
        drawn = len(changed) if len(changed) <= _MANY_SERIES else _CHARTS_OF_MANY
    lines = _headline(summary, look)
    if 0 < drawn < len(changed):
        text = f"Charts of the {drawn} series with the biggest changes only."
        lines += look.folded(text, "dim")
    for place, item in enumerate(changed[:_MOST_SERIES]):
        lines += ["", *_series(item, look, drawn, place)]
    if len(changed) > _MOST_SERIES:
        more = words.plural(len(changed) - _MOST_SERIES, "series")
        lines += ["", *look.folded(f"and {more} more with changes (use --output json)")]
    lines += [*_unchanged(summary, look), *_remarks(summary, look)]
    return finished(lines)


def render_trend(
    summary: Summary,
    *,
    width: int = 80,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - what it says
) -> str:
    """The trend table of all series, in CSIT's order, in lines of at most *width* columns.

    Names are folded where they are too long. Runs that failed and input that was skipped follow.
    """
    look = _Look(max(width, _LEAST_WIDTH), color, ascii)
    lines = look.folded(f"Trend of {words.plural(len(summary.series), 'series')}", "bold")
    if summary.series:
        lines += ["", *_trend_table(in_order(item.row for item in summary.series), look)]
    return finished([*lines, *_remarks(summary, look)])


@dataclass(frozen=True, slots=True)
class _Look:
    """How wide and with which means text is laid out."""

    width: int
    color: bool
    ascii: bool

    def safe(self, text: str) -> str:
        """Clean text in characters that the terminal has."""
        if self.ascii and not text.isascii():
            return text.translate(_TO_ASCII).encode("ascii", "backslashreplace").decode("ascii")
        return text

    def paint(self, text: str, role: str) -> str:
        code = _CODES.get(role) if self.color and text and not text.isspace() else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def mark(self, verdict: Verdict) -> str:
        return (ASCII_MARKS if self.ascii else MARKS)[verdict]

    def fold(self, text: str, width: int, most: int, rest: int = 0) -> list[str]:
        return fold(self.safe(text), width, most, rest, self.safe("…"))

    def folded(self, text: str, role: str = "", lead: str = "", most: int = 3) -> list[str]:
        """*text* after *lead*, over at most *most* lines, all within the width."""
        indent = " " * cells(lead)
        parts = self.fold(text, self.width - len(indent), most)
        return [
            self.paint(lead, role) * (place == 0) + indent * (place > 0) + self.paint(part, role)
            for place, part in enumerate(parts)
        ]


def finished(lines: Iterable[str]) -> str:
    """*lines* as one text, without blanks at their ends and nothing that a runner would obey."""
    # GitHub's runner takes a line for a command whose first signs are "::", after any blanks.
    kept = (f".{line[1:]}" if line.lstrip().startswith("::") else line for line in lines)
    return "\n".join(line.rstrip() for line in kept) + "\n"


def _headline(summary: Summary, look: _Look) -> list[str]:
    outcome = summary.outcome
    lines = look.fold(words.headline(summary), look.width, 3)
    if outcome is None:
        return [look.paint(line, "bold") for line in lines]
    word = words.OUTCOMES[outcome]
    first = look.paint(word, outcome.value) + look.paint(lines[0][len(word) :], "bold")
    return [first, *(look.paint(line, "bold") for line in lines[1:])]


def _gravity(item: SeriesSummary) -> tuple[int, float, str]:
    return (*min(words.importance(change) for change in words.told(item)), item.name)


def _series(item: SeriesSummary, look: _Look, drawn: int, place: int) -> Iterator[str]:
    changes = words.told(item)
    worst = min(changes, key=words.importance).verdict
    head = look.folded(words.name(item.name, 300), "bold", "  ")
    yield look.paint(look.mark(worst), worst.value) + head[0][1:]
    yield from head[1:]
    facts = ", ".join(_facts(item))
    if drawn > place:
        yield from look.folded(facts, "dim", "  ")
        yield ""
        yield from _drawing(item, look)
    else:
        spark = sparkline(item.values(), 20, ascii=look.ascii) + "  " if drawn else ""
        yield from look.folded(spark + facts, "dim", "  ")
    yield ""
    yield from _change_table(item, changes, look)


def _facts(item: SeriesSummary) -> Iterator[str]:
    unit = item.series.unit
    yield words.direction(item.direction)
    yield words.plural(len(item.series), "point")
    if item.row.trend is not None:
        yield f"now {words.number(item.row.trend, unit)} over the last {item.row.runs:,}"
    if item.note:
        yield words.clean(item.note)


def _drawing(item: SeriesSummary, look: _Look) -> Iterator[str]:
    values = [value for value in item.values() if math.isfinite(value)]
    if not values:
        return
    top, bottom = _labels(max(values), min(values), look.safe(item.series.unit))
    start, end = _ends(item)
    frame = Frame(look.width - 2, _PLOT_HEIGHT, top, bottom, start, end, look.ascii)
    for line in chart(item.values(), item.segments, item.changes, frame):
        yield "  " + "".join(look.paint(text, role) for text, role in line)


def _labels(high: float, low: float, unit: str) -> tuple[str, str]:
    """Labels of the value axis, with as many digits as it takes to tell them apart."""
    for digits in range(4, 13):
        labels = words.number(high, unit, digits), words.number(low, unit, digits)
        if labels[0] != labels[1]:
            break
    if max(map(cells, labels)) > 16 or not "".join(labels).isascii():
        return words.number(high, "", digits), words.number(low, "", digits)
    return labels


def _ends(item: SeriesSummary) -> tuple[str, str]:
    first, last = item.series.points[0].landed, item.series.points[-1].landed
    if first is None or last is None:
        return "0", str(len(item.series) - 1)
    short = (last - first).days >= 2
    start, end = (words.moment(time, zone=False) for time in (first, last))
    return (start[:10], end[:10]) if short else (start, end)


def _change_table(item: SeriesSummary, changes: Sequence[Change], look: _Look) -> Iterator[str]:
    shown = changes[-_MOST_ROWS:]
    if len(changes) > len(shown):
        text = f"{len(changes) - len(shown):,} earlier changes left out (use --output json)"
        yield from look.folded(text, "dim", "  ")
    room = look.width - 2
    for dates, left_out in _VARIANTS:
        columns = [c for c in _change_columns(item, shown, look, dates) if c.title not in left_out]
        if _table_width(columns) <= room:
            break
    for line in _table_lines(columns, look, room):
        yield "  " + line


def _change_columns(
    item: SeriesSummary, changes: Sequence[Change], look: _Look, dates: bool
) -> list[_Column]:
    unit = item.series.unit
    times = [words.moment(c.time, zone=False)[: 10 if dates else None] for c in changes]
    verdicts = [(f"{look.mark(c.verdict)} {c.verdict.value}", c.verdict.value) for c in changes]
    columns = (
        _Column("at", [(str(c.index), "") for c in changes], right=True),
        _Column("revision", [(words.short_revision(c.revision), "") for c in changes]),
        _Column("time (UTC)", [(time, "") for time in times]),
        _Column("before -> after", [(_sides(c, unit), "") for c in changes], right=True),
        _Column("change", [(words.percent(c.relative), c.verdict.value) for c in changes], True),
        _Column("verdict", verdicts),
        _Column(_TITLES[item.evidence], [(words.evidence(item, c), "dim") for c in changes], True),
    )
    safe = (
        _Column(c.title, [(look.safe(text), role) for text, role in c.cells], c.right)
        for c in columns
    )
    return [c for c in safe if any(text != words.NONE for text, _ in c.cells)]


def _sides(change: Change, unit: str) -> str:
    return words.step(change.before.mean, change.after.mean, unit)


_TITLES = {SCORE: "score", PROBABILITY: "prob."}
_EVIDENCE = tuple(_TITLES.values())
# Whether times are dates, and the columns left out, for ever narrower terminals.
_VARIANTS: tuple[tuple[bool, tuple[str, ...]], ...] = (
    (False, ()),
    (True, ()),
    (True, _EVIDENCE),
    (True, (*_EVIDENCE, "time (UTC)")),
    (True, (*_EVIDENCE, "time (UTC)", "revision")),
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table: its heading, its cells, and the side on which they are aligned."""

    title: str
    cells: Sequence[Cell]
    right: bool = False

    @property
    def width(self) -> int:
        return max(cells(text) for text, _ in ((self.title, ""), *self.cells))

    def padded(self, text: str) -> str:
        blank = " " * (self.width - cells(text))
        return blank + text if self.right else text + blank


def _table_width(columns: Sequence[_Column]) -> int:
    return sum(column.width for column in columns) + 2 * (len(columns) - 1)


def _table_lines(columns: Sequence[_Column], look: _Look, room: int) -> Iterator[str]:
    """Heading and rows, each within *room* columns."""
    rows = zip(*(column.cells for column in columns), strict=True)
    for row in ([(column.title, "dim") for column in columns], *rows):
        left, line = room, []
        for place, (column, (text, role)) in enumerate(zip(columns, row, strict=True)):
            shown = fit("  " * (place > 0) + column.padded(text), left)
            left -= cells(shown)
            word = shown.strip(" ")
            head, _, tail = shown.partition(word) if word else (shown, "", "")
            line += [head, look.paint(word, role), tail]
        yield "".join(line)


def _trend_table(rows: Sequence[TrendRow], look: _Look) -> Iterator[str]:
    columns = [
        _Column(
            "Trend", [(look.safe(words.number(row.trend, row.unit)), "") for row in rows], True
        ),
        _Column("Runs", [(f"{row.runs:,}", "") for row in rows], True),
        _Column("Short-term", [(words.percent(row.short), "") for row in rows], True),
        _Column("Long-term", [(words.percent(row.long), "") for row in rows], True),
        _Column("Regr.", [_count(row.regressions, Verdict.REGRESSION) for row in rows], True),
        _Column("Progr.", [_count(row.improvements, Verdict.IMPROVEMENT) for row in rows], True),
    ]
    widest = max(cells(look.safe(words.name(row.name, 200))) for row in rows)
    room = min(max(look.width - _table_width(columns) - 2, _LEAST_WIDTH - 2), max(widest, 6))
    values = _table_lines(columns, look, look.width - room - 2)
    yield f"{look.paint('Series', 'dim')}{' ' * (room - 6)}  {next(values)}"
    for row, value in zip(rows, values, strict=True):
        name = words.name(row.name, 200)
        first, *more = look.fold(name, room, len(name), room - 2)
        if len(more) < _MOST_NAME_LINES:
            first = f"{first}{' ' * (room - cells(first))}  {value}"
        else:
            first, *more = look.fold(name, look.width, len(name), look.width - 2)
            more.append(f"{' ' * room}{value}")
        yield first
        # An indent shows that these are not names of their own.
        yield from (f"  {part}" for part in more)


def _count(number: int, verdict: Verdict) -> Cell:
    return f"{number:,}", verdict.value if number else "dim"


def _unchanged(summary: Summary, look: _Look) -> list[str]:
    names = [
        words.name(item.name)
        for item in summary.series
        if not words.told(item) and not words.unjudged(item)
    ]
    if not names:
        return []
    what = "No changes" if summary.outcome is None else "No new changes"
    if len(names) > _MOST_NAMES:
        return ["", *look.folded(f"{what} in {words.plural(len(names), 'series')}.")]
    return ["", *look.folded(f"{what} in {', '.join(names)}", most=2 * _MOST_NAMES)]


def _remarks(summary: Summary, look: _Look) -> Iterator[str]:
    unjudged = [item for item in summary.series if words.unjudged(item)]
    notes = [f"{words.name(item.name)}: {words.clean(words.reason(item))}" for item in unjudged]
    failures = [words.failure(failure) for failure in summary.failures]
    yield from _section("Not judged", notes, look)
    yield from _section("Failed runs", failures, look)
    yield from _section("Skipped input", [words.skipped(s) for s in summary.skipped], look)
    yield from _section("Warnings", [words.clean(text, 300) for text in summary.warnings], look)


def _section(title: str, entries: Sequence[str], look: _Look) -> Iterator[str]:
    if not entries:
        return
    yield ""
    yield look.paint(f"{title} ({len(entries):,})", "bold")
    for entry in words.bounded(entries, _MOST_REMARKS):
        yield from look.folded(entry, lead="  - ")


def cells(text: str) -> int:
    """The columns that *text*, which is clean, takes on a terminal (at most)."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    # A mark that joins the character before takes none, unless it asks for an emoji (VS16).
    combining = unicodedata.category(character) in ("Mn", "Me")
    return 0 if combining and character != "\ufe0f" else 1


def fit(text: str, width: int) -> str:
    """*text* cut to *width* columns."""
    if cells(text) <= width:
        return text
    taken, used = [], 0
    for character in text:
        used += _cell(character)
        if used > width:
            break
        taken.append(character)
    return "".join(taken)


def fold(text: str, width: int, most: int, rest: int = 0, ellipsis: str = "…") -> list[str]:
    """*text* over at most *most* lines of *width* columns, broken where it reads best.

    That is at a blank, or after one of ``/,-_:{``, in the second half of a line; anywhere else if
    there is none. Lines after the first have *rest* columns, if that is not 0. What is left after
    the last line is cut off, which an *ellipsis* shows.
    """
    lines: list[str] = []
    while len(lines) < most - 1 and cells(text) > width:
        line = fit(text, width)
        best = max(line.rfind(sign) for sign in " /,-_:{") + 1
        if best > len(line) // 2 and text[len(line) : len(line) + 1] != " ":
            line = line[:best]
        lines.append(line.rstrip())
        text = text[len(line) :].lstrip()
        width = rest or width
    if cells(text) > width:
        text = fit(text, max(width - len(ellipsis), 0)) + ellipsis[:width]
    return [*lines, text]
