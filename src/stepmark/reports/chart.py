# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Charts made of characters: a history in braille dots or plain ASCII, and a one-line sparkline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from stepmark.changes import Change, Segment, Verdict

Run = tuple[str, str]
"""A piece of text and what it is: "axis", "point", "mean", a verdict's value, or "" for blank."""

MARKS = {Verdict.REGRESSION: "✗", Verdict.IMPROVEMENT: "✓", Verdict.NEUTRAL: "○"}
ASCII_MARKS = {Verdict.REGRESSION: "x", Verdict.IMPROVEMENT: "+", Verdict.NEUTRAL: "o"}
"""One shape a verdict, so that charts and tables read without colour."""

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = "_.-=*#"
_WEIGHT = {"": 0, "point": 1, "mean": 2}


@dataclass(frozen=True, slots=True)
class Frame:
    """The size and the wording of a chart.

    Attributes:
        width: characters of a whole line, labels included.
        height: lines of the plot, to which the axis and its labels add two.
        top, bottom: labels of the greatest and the least value.
        start, end: labels of the first and the last point.
        ascii: whether to do without braille and box-drawing characters.
    """

    width: int = 72
    height: int = 5
    top: str = ""
    bottom: str = ""
    start: str = ""
    end: str = ""
    ascii: bool = False


def chart(
    values: Sequence[float],
    segments: Sequence[Segment],
    changes: Iterable[Change],
    frame: Frame,
) -> list[list[Run]]:
    """A chart of *values*: dots for the points, a line for the mean of each segment.

    Where the mean changes, the line rises or falls in the verdict's colour, and the verdict's mark
    stands on the axis below. Of a series longer than the chart is wide every column shows the
    least and the greatest value, so that no outlier is lost. The labels must be one line each.
    Returns lines of runs, top first; nothing for a series without finite values.
    """
    finite = [v for v in values if math.isfinite(v)]
    label_width = max(len(frame.top), len(frame.bottom))
    columns = frame.width - label_width - 2
    if not finite or columns < 4 or frame.height < 1:
        return []
    grid = _Grid(columns, frame.height, frame.ascii)
    scale = _Scale(min(finite), max(finite), grid.dot_rows)
    marks = sorted(changes, key=lambda c: c.index)
    _draw_points(grid, scale, values)
    _draw_means(grid, scale, values, segments, {c.index: c.verdict for c in marks})
    lines = [_labelled(grid, row, frame, label_width, scale.flat) for row in range(frame.height)]
    lines.append(_axis(grid, len(values), marks, label_width))
    lines.append(_ends(frame, columns, label_width))
    return lines


def plain(lines: Iterable[Iterable[Run]]) -> list[str]:
    """The lines of a chart as text, without trailing blanks."""
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def sparkline(values: Sequence[float], width: int = 20, *, ascii: bool = False) -> str:  # noqa: A002 - as everywhere in the reports
    """*values* as a row of at most *width* blocks of eight heights (six in ASCII).

    Of a longer series each block is the mean of its stretch; a constant one stays in the middle.
    What is not finite is left out.
    """
    finite = [v for v in values if math.isfinite(v)]
    blocks = _ASCII_BLOCKS if ascii else _BLOCKS
    if not finite or width < 1:
        return ""
    size = min(width, len(finite))
    bounds = [place * len(finite) // size for place in range(size + 1)]
    # Halved, because the sum for the mean of huge numbers may round to more than there is.
    means = [math.fsum(v / 2 / (b - a) for v in finite[a:b]) for a, b in pairwise(bounds)]
    scale = _Scale(min(means), max(means), len(blocks))
    return "".join(blocks[len(blocks) - 1 - scale.row(mean)] for mean in means)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to rows, 0 at the top."""

    low: float
    high: float
    rows: int

    @property
    def flat(self) -> bool:
        return self.low == self.high

    def row(self, value: float) -> int:
        if self.flat:
            return self.rows // 2
        share = (self.high - value) / (self.high - self.low)
        if not math.isfinite(self.high - self.low):  # of two huge numbers of opposite sign
            share = (self.high / 2 - value / 2) / (self.high / 2 - self.low / 2)
        return min(max(round(share * (self.rows - 1)), 0), self.rows - 1)


@dataclass(slots=True)
class _Grid:
    """Dots behind characters, and what each character shows."""

    columns: int
    rows: int
    ascii: bool
    dots: dict[tuple[int, int], int] = field(default_factory=dict)
    roles: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def dot_columns(self) -> int:
        return self.columns * (1 if self.ascii else 2)

    @property
    def dot_rows(self) -> int:
        return self.rows * (2 if self.ascii else 4)

    def column(self, index: int, length: int) -> int:
        """The dot column of point *index* of *length*."""
        if length == 1:
            return self.dot_columns // 2
        return round(index * (self.dot_columns - 1) / (length - 1))

    def put(self, x: int, y: int, role: str) -> None:
        wide, high = (1, 2) if self.ascii else (2, 4)
        place = (y // high, x // wide)
        bit = 1 << (y % high) if self.ascii else _DOTS[x % wide][y % high]
        old = self.roles.get(place, "")
        if _WEIGHT.get(role, 3) > _WEIGHT.get(old, 3):
            self.roles[place] = role
            if self.ascii:
                self.dots[place] = 0  # in ASCII a character is either a point or a line
        elif self.ascii and _WEIGHT.get(role, 3) < _WEIGHT.get(old, 3):
            return
        self.dots[place] = self.dots.get(place, 0) | bit

    def cell(self, row: int, column: int) -> Run:
        dots, role = self.dots.get((row, column), 0), self.roles.get((row, column), "")
        if not dots:
            return " ", ""
        if not self.ascii:
            return chr(_BRAILLE + dots), role
        shapes = {"point": ".':", "mean": "_-="}.get(role, "|||")
        return {1: shapes[1], 2: shapes[0], 3: shapes[2]}[dots], role


def _draw_points(grid: _Grid, scale: _Scale, values: Sequence[float]) -> None:
    columns: dict[int, tuple[float, float]] = {}
    for index, value in enumerate(values):
        if math.isfinite(value):
            x = grid.column(index, len(values))
            low, high = columns.get(x, (value, value))
            columns[x] = min(low, value), max(high, value)
    for x, extremes in columns.items():
        for value in extremes:
            grid.put(x, scale.row(value), "point")


def _draw_means(
    grid: _Grid,
    scale: _Scale,
    values: Sequence[float],
    segments: Sequence[Segment],
    verdicts: dict[int, Verdict],
) -> None:
    previous: int | None = None
    for segment in segments:
        if not math.isfinite(segment.mean):
            previous = None
            continue
        row = scale.row(segment.mean)
        start = grid.column(segment.start, len(values))
        last = segment.stop >= len(values)
        stop = grid.dot_columns if last else grid.column(segment.stop, len(values))
        for x in range(0 if segment.start == 0 else start, max(stop, start + 1)):
            grid.put(x, row, "mean")
        if previous is not None:
            role = verdicts.get(segment.start, Verdict.NEUTRAL).value
            for y in range(min(previous, row), max(previous, row) + 1):
                grid.put(start, y, role)
        previous = row


def _labelled(grid: _Grid, row: int, frame: Frame, label_width: int, flat: bool) -> list[Run]:
    middle = row == grid.rows // 2
    label = ""
    if flat:
        label = frame.top if middle else ""
    elif row == 0:
        label = frame.top
    elif row == grid.rows - 1:
        label = frame.bottom
    tick, bar = ("+", "|") if grid.ascii else ("┤", "│")
    axis = f"{label:>{label_width}} {tick if label else bar}"
    return [(axis, "axis"), *_joined(grid.cell(row, column) for column in range(grid.columns))]


def _joined(cells: Iterable[Run]) -> Iterator[Run]:
    for role, runs in groupby(cells, key=lambda cell: cell[1]):
        yield "".join(text for text, _ in runs), role


_RANK = {Verdict.NEUTRAL: 0, Verdict.IMPROVEMENT: 1, Verdict.REGRESSION: 2}


def _axis(grid: _Grid, length: int, marks: Sequence[Change], label_width: int) -> list[Run]:
    corner, line = ("+", "-") if grid.ascii else ("└", "─")
    shapes = ASCII_MARKS if grid.ascii else MARKS
    cells: list[Run] = [(line, "axis")] * grid.columns
    # Where two share a column the graver one is seen.
    for change in sorted(marks, key=lambda c: _RANK[c.verdict]):
        column = grid.column(change.index, length) // (1 if grid.ascii else 2)
        cells[column] = shapes[change.verdict], change.verdict.value
    return [(" " * (label_width + 1) + corner, "axis"), *_joined(cells)]


def _ends(frame: Frame, columns: int, label_width: int) -> list[Run]:
    gap = columns - len(frame.start) - len(frame.end)
    text = frame.start + " " * gap + frame.end if gap > 0 else frame.start[:columns]
    return [(" " * (label_width + 2) + text, "axis")]
