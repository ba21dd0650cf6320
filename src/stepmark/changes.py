# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Where a signal changes, and what such a place means on its series.

A detector returns a `Detection`: places only. `describe` puts the places back on the series, in
one way for all detectors: segments, size, revisions, interval. Whether a change is good or bad is
the policy's judgement (`stepmark.alerts.policy`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from operator import lt
from typing import Any

from stepmark.errors import SignalError
from stepmark.series import Aggregate, Series, deviation, mean


@dataclass(frozen=True, slots=True)
class Detection:
    """The places where a signal of *length* points changes.

    Attributes:
        length: number of points judged.
        indices: for each change the first point of the new segment, 0-based, strictly rising,
            inside (0, length).
        scores: the evidence for each change, in the detector's own terms (more is surer), or
            empty where the method has none.

    Raises `SignalError` where the indices or scores are not of this form.
    """

    length: int
    indices: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        indices = tuple(map(int, self.indices))
        object.__setattr__(self, "indices", indices)
        object.__setattr__(self, "scores", tuple(map(float, self.scores)))
        if indices and not all(map(lt, (0, *indices), (*indices, self.length))):
            raise SignalError(f"change places must rise strictly inside (0, {self.length})")
        if self.scores and len(self.scores) != len(self.indices):
            raise SignalError("a detection has one score a change, or none")

    @property
    def starts(self) -> tuple[int, ...]:
        """The first point of every segment, the first one included; empty for an empty signal."""
        return (0, *self.indices) if self.length else ()

    def score(self, place: int) -> float | None:
        """The score of the change number *place*, or None where the method has none."""
        return self.scores[place] if self.scores else None


class Verdict(StrEnum):
    """What a change means for those who depend on the measured thing."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of points between two changes.

    Attributes:
        start, stop: first point and the one after the last (0-based).
        mean: mean of the points' values, in the series' unit.
        std: standard deviation of the points' values (divisor n - 1); None for one point.
    """

    start: int
    stop: int
    mean: float
    std: float | None

    @property
    def n(self) -> int:
        """Number of points."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Change:
    """A place of change put back on its series.

    Attributes:
        index: first point of the new segment (0-based).
        before, after: the segments on both sides.
        previous_revision, revision: last good and first bad; empty if unknown.
        time: when the first point of the new segment landed, None if unknown.
        absolute: mean after less mean before, in the series' unit.
        relative: absolute over the magnitude of the mean before; None if that is 0.
        score: the detector's evidence, None if it has none.
        verdict: as judged by the policy.
        attributes: those of the first point of the new segment.
    """

    index: int
    before: Segment
    after: Segment
    previous_revision: str
    revision: str
    time: datetime | None
    absolute: float
    relative: float | None
    score: float | None
    verdict: Verdict = Verdict.NEUTRAL
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % confidence interval of `absolute`, in the series' unit; None if unknown."""
        return difference_interval(self.before, self.after)

    @property
    def relative_interval(self) -> tuple[float, float] | None:
        """`interval` over the magnitude of the mean before; None where either is unknown."""
        interval = self.interval
        if interval is None or self.before.mean == 0:
            return None
        scale = abs(self.before.mean)
        return interval[0] / scale, interval[1] / scale


def segments_of(values: Sequence[float] | Any, detection: Detection) -> tuple[Segment, ...]:
    """The segments into which *detection* divides *values*, shape (detection.length,)."""
    numbers = [float(v) for v in values]
    if len(numbers) != detection.length:
        raise SignalError(f"detection of {detection.length} points on {len(numbers)} values")
    bounds = (*detection.starts, detection.length)
    return tuple(_segment(numbers, start, stop) for start, stop in pairwise(bounds))


def _segment(numbers: list[float], start: int, stop: int) -> Segment:
    part = numbers[start:stop]
    return Segment(start, stop, mean(part), deviation(part) if len(part) > 1 else None)


def describe(
    series: Series, detection: Detection, aggregate: Aggregate = Aggregate.MEAN
) -> tuple[tuple[Segment, ...], tuple[Change, ...]]:
    """Put *detection* back on *series*: its segments, and its changes (verdict still neutral)."""
    segments = segments_of(series.values(aggregate), detection)
    changes = []
    for place, (before, after) in enumerate(pairwise(segments)):
        first, last_good = series.points[after.start], series.points[after.start - 1]
        absolute = after.mean - before.mean
        changes.append(
            Change(
                index=after.start,
                before=before,
                after=after,
                previous_revision=last_good.revision,
                revision=first.revision,
                time=first.landed,
                absolute=absolute,
                relative=absolute / abs(before.mean) if before.mean else None,
                score=detection.score(place),
                attributes=first.attributes,
            )
        )
    return segments, tuple(changes)


def trend(segments: Sequence[Segment]) -> list[float]:
    """For every point the mean of the segment it lies in."""
    return [segment.mean for segment in segments for _ in range(segment.n)]


@lru_cache(maxsize=4096)  # a report asks several times for each change
def difference_interval(before: Segment, after: Segment) -> tuple[float, float] | None:
    """95 % confidence interval of the difference of two segments' means, None if unknown.

    Welch's (Biometrika 34, 1947); where one side is a single point, the other side's spread serves
    for both. It takes the place of the change as given: the search for it is not accounted for.
    """
    if before.std is not None and after.std is not None:
        a, b = before.std / math.sqrt(before.n), after.std / math.sqrt(after.n)
        error = math.hypot(a, b)
        if not 0 < error < math.inf:
            freedom = math.inf
        else:
            freedom = 1 / ((a / error) ** 4 / (before.n - 1) + (b / error) ** 4 / (after.n - 1))
    else:
        known = before if before.std is not None else after
        if known.std is None:
            return None
        error = known.std * math.sqrt(1 / before.n + 1 / after.n)
        freedom = known.n - 1
    from scipy.special import stdtrit  # at use: it takes longer to load than a whole `check`

    half = float(stdtrit(freedom, 0.975)) * error
    difference = after.mean - before.mean
    return difference - half, difference + half
