# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Measurements and the series they make: the values that cross every boundary."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from numbers import Complex, Real
from typing import TYPE_CHECKING, Any, TypeVar

from stepmark.errors import InputError, SignalError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float64]


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


class Aggregate(StrEnum):
    """How the samples of one revision become the number that a detector sees."""

    MEAN = "mean"
    MEDIAN = "median"
    MIN = "min"
    SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Identity of a series.

    *labels* (parameters, platform) may be given as a map; they are kept as pairs sorted by name,
    so that a key is hashable, and `label_map` reads them back.
    """

    project: str = ""
    benchmark: str = ""
    metric: str = "value"
    labels: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        labels: Any = self.labels
        pairs = labels.items() if isinstance(labels, Mapping) else labels
        object.__setattr__(self, "labels", tuple(sorted((str(k), str(v)) for k, v in pairs)))

    @property
    def label_map(self) -> dict[str, str]:
        """The labels as a map from name to value."""
        return dict(self.labels)

    def __str__(self) -> str:
        name = "/".join(part for part in (self.project, self.benchmark, self.metric) if part)
        labels = ",".join(f"{k}={v}" for k, v in self.labels)
        return f"{name}{{{labels}}}" if labels else name


@dataclass(frozen=True, slots=True)
class Measurement:
    """One result of one run.

    Attributes:
        key: the series it belongs to.
        revision: what was measured (commit, version, build); empty if unknown.
        landed: when that revision landed (aware), which gives the order; None if unknown.
        samples: the replicates, at least one finite number.
        unit: unit of the samples; empty if unknown.
        direction: which way is better, None if the data do not say.
        run: identity of the run that measured it; a second measurement of one key by one run is
            the same measurement. Empty if unknown.
        attributes: facts shown with the point (build, version tested, job link, machine).
        position: place in the original series, missing points counted; None where it has none.
    """

    key: SeriesKey
    revision: str
    landed: datetime | None
    samples: tuple[float, ...]
    unit: str = ""
    direction: Direction | None = None
    run: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that was tried and gave no number: shown and counted, never a zero."""

    key: SeriesKey
    revision: str
    landed: datetime | None
    reason: str
    source: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of the input that was left out: where (file and line) and why."""

    source: str
    reason: str


def mean(values: Sequence[float]) -> float:
    """The mean of at least one finite number, whatever their magnitude; that of equals is exact."""
    n = len(values)
    halves = math.fsum([v / n / 2 for v in values])  # whose sum cannot overflow
    return min(max(2 * halves, min(values)), max(values))


def deviation(values: Sequence[float]) -> float:
    """The standard deviation (divisor n - 1) of at least two finite numbers; 0 for equals."""
    # hypot neither overflows nor underflows, as squares do.
    middle = mean(values)
    return math.hypot(*(v - middle for v in values)) / math.sqrt(len(values) - 1)


@dataclass(frozen=True, slots=True)
class Point:
    """All that was measured of one revision of a series.

    *position* is the place of its first measurement in the original series, or else among all that
    were read for the series (0-based, before sorting and joining).
    """

    revision: str
    landed: datetime | None
    samples: tuple[float, ...]
    position: int
    attributes: Mapping[str, str] = field(default_factory=dict)

    def value(self, aggregate: Aggregate = Aggregate.MEAN) -> float:
        """The samples as one number; `samples` gives their mean."""
        if len(self.samples) == 1:
            return self.samples[0]
        if aggregate is Aggregate.MIN:
            return min(self.samples)
        if aggregate is Aggregate.MEDIAN:
            ordered = sorted(self.samples)
            middle = len(ordered) // 2
            if len(ordered) % 2:
                return ordered[middle]
            return ordered[middle - 1] / 2 + ordered[middle] / 2
        return mean(self.samples)


@dataclass(frozen=True, slots=True)
class Series:
    """The measurements of one thing, oldest first, one point a revision.

    Raises `InputError` where points with times are not in order of time.
    """

    key: SeriesKey
    points: tuple[Point, ...]
    unit: str = ""
    direction: Direction | None = None

    def __post_init__(self) -> None:
        times = [p.landed for p in self.points if p.landed is not None]
        if times and len(times) != len(self.points):
            raise InputError(f"{self.key}: some points have a time and some have none")
        if sorted(times) != times:
            raise InputError(f"{self.key}: points are not in order of time")

    def __len__(self) -> int:
        return len(self.points)

    @property
    def timed(self) -> bool:
        """Whether the points have times."""
        return bool(self.points) and self.points[0].landed is not None

    def values(self, aggregate: Aggregate = Aggregate.MEAN) -> list[float]:
        """One number a point; `samples` gives the mean of each."""
        return [p.samples[0] if len(p.samples) == 1 else p.value(aggregate) for p in self.points]

    def signal(self, aggregate: Aggregate = Aggregate.MEAN) -> Signal:
        """The numbers of the series, as a detector takes them."""
        if aggregate is Aggregate.SAMPLES:
            return Signal.of([p.samples for p in self.points])
        return Signal(_frozen(self.values(aggregate)))


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """The numbers of a series.

    Attributes:
        values: one number a point, float64, shape (n,), read-only; of replicates their mean (NaN
            where there are none).
        samples: the replicates of each point, or None where there is one number a point.
    """

    values: Vector
    samples: tuple[Vector, ...] | None = field(default=None)

    @classmethod
    def of(cls, values: Signal | Iterable[Any]) -> Signal:
        """Make a signal of numbers, or of sequences of numbers (the replicates of each point).

        NaN and infinities are kept: whether they can be judged is for the detector to say.
        Raises `SignalError` for anything else than numbers.
        """
        import numpy as np

        if isinstance(values, Signal):
            return values
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "fiub":
            return cls(_frozen(values))
        if isinstance(values, (str, bytes)):
            raise SignalError("a signal is a sequence of numbers, not text")
        try:
            rows = list(values)
        except TypeError:
            raise SignalError(f"a signal is a sequence of numbers, not {values!r}") from None
        if set(map(type, rows)) <= {float}:
            # The common case: nothing to look at one by one.
            return cls(_frozen(rows))
        if any(_is_nested(row) for row in rows):
            samples = tuple(_frozen(_numbers(row, i)) for i, row in enumerate(rows))
            with np.errstate(all="ignore"):
                means = [float(s.mean()) if s.size else math.nan for s in samples]
            return cls(_frozen(means), samples)
        return cls(_frozen([_number(row, i) for i, row in enumerate(rows)]))

    def __len__(self) -> int:
        return int(self.values.size)

    def prefix(self, length: int) -> Signal:
        """The signal as it was when it had *length* points."""
        return Signal(self.values[:length], self.samples and self.samples[:length])

    def require_finite(self, detector: str) -> None:
        """Raise `SignalError` if a value is NaN or infinite, naming the first place."""
        import numpy as np

        parts = self.samples if self.samples is not None else (self.values,)
        if all(bool(np.isfinite(part).all()) for part in parts):
            return
        rows = self.samples if self.samples is not None else self.values.reshape(-1, 1)
        place = next(i for i, row in enumerate(rows) if not np.isfinite(row).all())
        raise SignalError(
            f"point {place} is not a finite number; {detector} needs finite numbers: leave out"
            " missing points"
        )


def _frozen(values: Any) -> Vector:
    import numpy as np

    array: Vector = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _is_nested(row: Any) -> bool:
    return hasattr(row, "__iter__") and not isinstance(row, (str, bytes)) and _dimensions(row) != 0


def _dimensions(row: Any) -> int | None:
    # A numpy scalar array has __iter__ but is a number.
    dimensions = getattr(row, "ndim", None)
    return dimensions if isinstance(dimensions, int) else None


def _number(item: Any, place: int) -> float:
    if type(item) is float:
        return item
    if isinstance(item, (str, bytes)):
        raise SignalError(f"point {place} is text, not a number: {item[:40]!r}")
    if isinstance(item, Complex) and not isinstance(item, Real):
        raise SignalError(f"point {place} is a complex number: {str(item)[:40]!r}")
    try:
        return float(item)
    except (TypeError, ValueError, OverflowError):
        raise SignalError(f"point {place} is not a number: {str(item)[:40]!r}") from None


def _numbers(row: Any, place: int) -> list[float]:
    if not _is_nested(row):
        return [_number(row, place)]
    return [_number(item, place) for item in row]


def assemble(
    measurements: Iterable[Measurement], skipped: list[Skipped] | None = None
) -> list[Series]:
    """Make series of measurements, in the order in which their keys first appear.

    A second measurement of one key by one run is dropped; measurements of one revision become one
    point; points are put in order of time. Without times the order is that of the input. Where
    only some measurements of a series have a time, those without cannot be placed: they are left
    out, and a line is added to *skipped* for each series concerned.
    Raises `InputError` where one series has several units or directions.
    """
    groups: dict[SeriesKey, list[Measurement]] = {}
    key, group = None, []
    for measurement in measurements:
        if measurement.key is not key:  # a hash is dear, and a table gives column after column
            key = measurement.key
            group = groups.setdefault(key, [])
        group.append(measurement)
    return [_series(key, group, skipped) for key, group in groups.items()]


def _series(key: SeriesKey, group: list[Measurement], skipped: list[Skipped] | None) -> Series:
    unit = _only(key, "unit", {m.unit for m in group if m.unit}) or ""
    direction = _only(key, "direction", {m.direction for m in group if m.direction})
    placed = [(i, m) for i, m in enumerate(group) if m.landed is not None]
    if placed and len(placed) < len(group):
        if skipped is not None:
            missing = len(group) - len(placed)
            skipped.append(Skipped(str(key), f"{missing} measurement(s) without a time"))
    elif not placed:
        placed = list(enumerate(group))
    return Series(key, tuple(_points(_unique_runs(_in_order(placed)))), unit, direction)


_T = TypeVar("_T")
_Placed = tuple[int, Measurement]


def _only(key: SeriesKey, what: str, found: set[_T]) -> _T | None:
    if len(found) > 1:
        listed = " and ".join(sorted(str(f) for f in found))
        raise InputError(
            f"{key}: one series has more than one {what}: {listed}; correct them, or tell the"
            " series apart by benchmark, metric or a label"
        )
    return next(iter(found), None)


def _in_order(placed: list[_Placed]) -> list[_Placed]:
    times = [m.landed for _, m in placed if m.landed is not None]
    rising = sorted(times)
    if rising == times:
        return placed
    if rising[::-1] == times:
        # Newest first: rows of equal time are reversed too, and a stable sort would keep them so.
        return placed[::-1]
    return [placed[i] for i in sorted(range(len(times)), key=times.__getitem__)]


def _unique_runs(placed: list[_Placed]) -> list[_Placed]:
    runs = [m.run for _, m in placed if m.run]
    if len(set(runs)) == len(runs):
        return placed
    seen: set[str] = set()
    kept = []
    for position, measurement in placed:
        if measurement.run not in seen:
            kept.append((position, measurement))
        if measurement.run:
            seen.add(measurement.run)
    return kept


def _points(placed: list[_Placed]) -> Iterator[Point]:
    named = [m.revision for _, m in placed if m.revision]
    if len(set(named)) == len(named):
        # The common case, and millions of points: nothing to join.
        for place, m in placed:
            position = place if m.position is None else m.position
            yield Point(m.revision, m.landed, m.samples, position, m.attributes)
        return
    by_revision: dict[object, list[_Placed]] = {}
    for place, m in placed:
        by_revision.setdefault(m.revision or (place,), []).append((place, m))
    for items in by_revision.values():
        first = items[0][1]
        yield Point(
            revision=first.revision,
            landed=first.landed,
            samples=tuple(sample for _, m in items for sample in m.samples),
            position=min(place if m.position is None else m.position for place, m in items),
            attributes=_joined_attributes([m.attributes for _, m in items]),
        )


def _joined_attributes(maps: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    joined: dict[str, list[str]] = {}
    for attributes in maps:
        for name, value in attributes.items():
            values = joined.setdefault(name, [])
            if value not in values:
                values.append(value)
    return {name: ", ".join(values) for name, values in joined.items()}


def parse_direction(text: str | None) -> Direction | None:
    """`lower`, `higher` or None; raises `UsageError` for anything else."""
    if text is None or text == "":
        return None
    try:
        return Direction(text)
    except ValueError:
        raise UsageError(f"direction is lower or higher (is better), not {text!r}") from None


__all__ = [
    "Aggregate",
    "Direction",
    "Failure",
    "Measurement",
    "Point",
    "Series",
    "SeriesKey",
    "Signal",
    "Skipped",
    "assemble",
    "deviation",
    "mean",
    "parse_direction",
]
