# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Trend compliance: how the trend stands against a week and a quarter ago.

The trend of a point is the mean of the segment it lies in. FD.io CSIT (Continuous Performance
Trending, methodology of 2018) compares the last trend with that of a week before (short term) and
with the best of the quarter before that week (long term). Its code counts runs in place of days;
here the windows are lengths of time, and numbers of runs where asked for or where times are absent.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from stepmark.changes import Change, Segment, Verdict, trend
from stepmark.config import Compliance
from stepmark.series import Direction, Series


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One line of the trend table.

    Attributes:
        name: the series.
        trend: mean of the last segment, in the series' unit; None for an empty series.
        unit, direction: of the series.
        runs: number of points of the last segment.
        short, long: relative change of the trend against the short- and the long-term reference
            (-0.05 is 5 % less); None where there is no reference or it is 0.
        regressions, improvements: number of changes within the short-term window.
    """

    name: str
    trend: float | None
    unit: str
    direction: Direction | None
    runs: int
    short: float | None
    long: float | None
    regressions: int
    improvements: int


def compliance(
    series: Series, segments: Sequence[Segment], changes: Iterable[Change], windows: Compliance
) -> TrendRow:
    """The trend table's line for *series* with its judged *changes*."""
    name = str(series.key)
    if not segments:
        return TrendRow(name, None, series.unit, series.direction, 0, None, None, 0, 0)
    trends = trend(segments)
    last = trends[-1]
    reference, long_stop = _week(series, windows)
    best = min if series.direction is Direction.LOWER else max
    earlier = trends[_quarter(series, windows) : long_stop]
    recent = [change for change in changes if change.index > reference]
    return TrendRow(
        name=name,
        trend=last,
        unit=series.unit,
        direction=series.direction,
        runs=segments[-1].n,
        short=_relative(last, trends[reference]) if len(trends) > 1 else None,
        long=_relative(last, best(earlier)) if earlier else None,
        regressions=sum(change.verdict is Verdict.REGRESSION for change in recent),
        improvements=sum(change.verdict is Verdict.IMPROVEMENT for change in recent),
    )


def _times(series: Series) -> list[datetime]:
    return [point.landed for point in series.points if point.landed is not None]


def _week(series: Series, windows: Compliance) -> tuple[int, int]:
    """Place of the short-term reference, and where the long-term window stops (exclusive)."""
    times = _times(series)
    if times and windows.short.time is not None:
        stop = bisect_right(times, times[-1] - windows.short.time)
        return max(stop - 1, 0), stop
    # As CSIT counts: the first of the last w runs is the reference, and not of the long window.
    place = len(series) - min(len(series), windows.short.runs or windows.short_runs)
    return place, place


def _quarter(series: Series, windows: Compliance) -> int:
    """First place of the long-term window."""
    times = _times(series)
    if times and windows.long.time is not None:
        return bisect_left(times, times[-1] - windows.long.time)
    return len(series) - min(len(series), windows.long.runs or windows.long_runs)


def _relative(value: float, reference: float) -> float | None:
    return (value - reference) / abs(reference) if reference else None


def in_order(rows: Iterable[TrendRow]) -> list[TrendRow]:
    """The rows as CSIT sorts them: most regressions, most improvements, worst short-term, name."""
    return sorted(rows, key=_rank)


def _rank(row: TrendRow) -> tuple[int, int, bool, float, str]:
    gain = row.short or 0.0
    if row.direction is Direction.LOWER:
        gain = -gain
    return -row.regressions, -row.improvements, row.short is None, gain, row.name
