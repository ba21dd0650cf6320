# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Rows of measures beside what is to be reached, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as measured, and what stands behind it in brackets."""

    value: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of several detectors, with what the first of them is to reach.

    Attributes:
        title: what is measured.
        floor, goal: the bounds; None where there is none.
        figures: by detector; one that is not there was not measured.
        written: how a number is written.
        most: whether the bounds say the most, not the least.
    """

    title: str
    floor: float | None
    goal: float | None
    figures: Mapping[str, Figure]
    written: Callable[[float], str]
    most: bool = False

    def reached(self, name: str) -> str:
        """Which bound the detector *name* reaches, of those that there are."""
        bounds = {"goal": self.goal, "floor": self.floor}
        given = {what: bound for what, bound in bounds.items() if bound is not None}
        if name not in self.figures or not given:
            return ""
        value = self.figures[name].value
        met = (w for w, b in given.items() if (value <= b if self.most else value >= b))
        return next(met, "**missed**")


def share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def number(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else "never"


def whole_seconds(value: float) -> str:
    return f"{value:.0f} s"


def judged(rows: Iterable[Row], heads: Mapping[str, str]) -> Iterator[str]:
    """A line a row, a column a detector of *heads*; the first one is judged."""
    first, *others = heads
    yield line(["Measure", "floor", "goal", heads[first], "reached", *(heads[o] for o in others)])
    yield line(["---", "---:", "---:", "---:", "---", *["---:"] * len(others)])
    for row in rows:
        bounds = ["-" if b is None else row.written(b) for b in (row.floor, row.goal)]
        ours, *theirs = (_cell(row, name) for name in heads)
        yield line([row.title, *bounds, ours, row.reached(first), *theirs])


def plain(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table whose first column is words and the others are numbers."""
    yield line(heads)
    yield line(["---", *["---:"] * (len(heads) - 1)])
    yield from map(line, rows)


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: Row, name: str) -> str:
    if name not in row.figures:
        return "-" if row.figures else "not measured"
    figure = row.figures[name]
    return row.written(figure.value) + (f" ({figure.note})" if figure.note else "")
