# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Minimum Description Length groups, as FD.io CSIT's trending defines them.

A series is modelled as groups of normally distributed samples; the partition into groups is the one
that takes the fewest bits to describe. The cost of a group is that of the PyPI package jumpavg
0.4.2 (CSIT's ``PyPI/jumpavg``): size, average given the previous average, standard deviation,
samples. jumpavg searches heuristically; here the optimum is exact by default, and
``search=jumpavg`` gives jumpavg's own groups.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count, check_not_negative
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Specified, Tracker
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.mdl import ExactSearch, RecordSearch, Runs

    Merged = tuple[int, float, float]

DEFAULT_SBPS = 12
_MOST_BITS = 500
_NO_RUNS = (0, 0.0, 0.0)
_LONGEST = 50_000
# Beyond these magnitudes squares overflow or underflow, and the signal is scaled.
_LARGEST, _SMALLEST = 1e150, 1e-120
_MOST_UNITS = 1e153  # the square must be finite


@dataclass(frozen=True, slots=True)
class Group:
    """A group of runs that share one normal distribution.

    Attributes:
        start: first run (0-based).
        runs: number of runs.
        size: number of samples.
        average, deviation: mean and population standard deviation (divisor n) of the samples.
        comment: "normal", or "regression" / "progression" where the average is below / above the
            previous group's (jumpavg's words; they take higher for better).
        bits: description length given the previous group.
    """

    start: int
    runs: int
    size: int
    average: float
    deviation: float
    comment: str
    bits: float


@dataclass(frozen=True, slots=True)
class MDL(Specified):
    """Groups of the least description length.

    Attributes:
        search: ``exact`` for the optimum over all partitions, ``jumpavg`` for the groups that
            jumpavg 0.4.2 finds.
        unit: resolution of the values, in their own unit; None or 0 derives it from the maximum.
        sbps: significant bits per sample from which the unit is derived (12 when None or 0), as
            unit = maximum / (2^(sbps + 1) - 1).
        maximum: the largest value to provide for; None or 0 takes the signal's largest. With
            `unit` and `maximum` given, later values do not change how earlier ones are coded.

    Differs from jumpavg where that fails: an empty signal has no change; where no value is
    positive the largest magnitude serves as maximum (all zeros: no change); numpy scalars and
    fractions are numbers; values near the limits of floating point are scaled; a negative unit is
    an error. With ``search=jumpavg`` NaN and infinities give singletons from there on, as there;
    the exact search refuses them.

    Time O(n^2), memory O(n), for at most 50,000 runs; `track` keeps both in step with new points.
    """

    name: ClassVar[str] = "mdl"
    complexity: ClassVar[str] = "O(n^2)"
    paper: ClassVar[str] = "FD.io CSIT 2018, jumpavg 0.4.2; Grünwald 2007"
    cost_unit: ClassVar[str] = "bits"
    search: Literal["exact", "jumpavg"] = "exact"
    unit: float | None = None
    sbps: int | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if self.search not in ("exact", "jumpavg"):
            raise SpecError(f"mdl: search is exact or jumpavg, not {self.search!r}")
        for field in ("unit", "maximum"):
            if getattr(self, field) is not None:
                check_not_negative("mdl", field, getattr(self, field))
        if self.sbps is not None:
            check_count("mdl", "sbps", self.sbps, 0, _MOST_BITS)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The starts of all groups but the first; a score is the bits that the split saves.

        A score compares with the same partition where the two groups beside the split are one.
        Raises `SignalError` for NaN or infinite values (exact search) and for too long signals.
        """
        signal = Signal.of(signal)
        found = self._solve(signal)
        if found is None:
            return Detection(len(signal))
        starts, runs, kept = found
        scores = _saved_bits(starts, runs)
        places = [kept[start] for start in starts[1:]]
        return Detection(len(signal), tuple(places), tuple(scores))

    def track(self) -> Tracker:
        """A tracker that has seen no point yet.

        One more point costs O(n h) where a full run costs O(n^2 h). A point above all before it
        changes the unit, and a full run follows, unless `unit` and `maximum` are given; where
        levels come and go around a mean that happens some ln n times in n points.
        """
        return _Following(self)

    def groups(self, signal: Signal | Iterable[Any]) -> tuple[Group, ...]:
        """The groups themselves, in order; none for a signal that is empty or all zeros."""
        signal = Signal.of(signal)
        found = self._solve(signal)
        if found is None:
            return ()
        starts, runs, kept = found
        bounds = [0, *(kept[s] for s in starts[1:]), len(signal)]
        groups: list[Group] = []
        for (start, stop), (first, last) in zip(
            pairwise((*starts, len(runs.sizes))), pairwise(bounds), strict=True
        ):
            size, average, deviation = _merged(runs, start, stop)
            previous = groups[-1].average if groups else None
            if stop < len(runs.sizes) and size:
                average = average * size / size  # jumpavg copies all groups but the last
            bits = _bits(runs, (size, average, deviation), previous)
            comment = _comment(average, previous)
            groups.append(Group(first, last - first, size, average, deviation, comment, bits))
        return tuple(groups)

    def cost(self, signal: Signal | Iterable[Any], indices: Sequence[int]) -> float:
        """Bits of *signal* when it is divided at *indices*, however the search would divide it.

        0 for a signal that is empty or all zeros. Raises `SignalError` for NaN or infinite values.
        """
        signal = Signal.of(signal)
        signal.require_finite("mdl")
        runs, kept = self._runs(signal)
        if runs is None:
            return 0.0
        starts = [bisect_left(kept, index) for index in (0, *indices)]
        groups = [_merged(runs, a, b) for a, b in pairwise((*starts, len(kept)))]
        previous = [None, *(group[1] for group in groups)]
        return sum(_bits(runs, group, p) for group, p in zip(groups, previous, strict=False))

    def _solve(self, signal: Signal) -> tuple[list[int], Runs, list[int]] | None:
        """Starts, runs, and the place in the signal of each run; None where there is nothing."""
        from stepmark._kernels.mdl import exact_search, record_search

        _require_length(len(signal))
        if self.search == "exact":
            signal.require_finite("mdl")
        runs, kept = self._runs(signal)
        if runs is None:
            return None
        starts = exact_search(runs) if self.search == "exact" else record_search(runs)
        return starts, runs, kept

    def _runs(self, signal: Signal) -> tuple[Runs | None, list[int]]:
        from stepmark._kernels.mdl import Runs

        rows = _rows(signal)
        # A run without samples costs nothing and says nothing; jumpavg keeps it as a group.
        kept = [i for i, row in enumerate(rows) if len(row) or self.search == "jumpavg"]
        rows = [rows[i] for i in kept]
        code = _coded(self, *_extremes(rows)) if any(rows) else _Code(1.0, 1.0, 1.0)
        if not rows or code is None:
            return None, kept
        if code.scale != 1:
            rows = [[value * code.scale for value in row] for row in rows]
        stats = [_statistics(row) for row in rows]
        sizes, averages, deviations = zip(*stats, strict=True)
        return Runs(sizes, averages, deviations, code.maximum, code.unit), kept


@dataclass(frozen=True, slots=True)
class _Code:
    """What values are multiplied by, and the largest of them and the unit after that."""

    scale: float
    maximum: float
    unit: float


def _coded(detector: MDL, largest: float, widest: float) -> _Code | None:
    """How values are coded whose largest and whose largest magnitude are given; None: all zeros."""
    maximum = float(detector.maximum or 0) or largest or widest
    if maximum == 0:
        return None
    scale = 1.0
    if math.isfinite(maximum) and not _SMALLEST < maximum < _LARGEST:
        scale = 2.0 ** -math.frexp(maximum)[1] if maximum > 1 else 2.0**600
        maximum, widest = maximum * scale, widest * scale
    units = 2 ** ((detector.sbps or DEFAULT_SBPS) + 1) - 1
    unit = detector.unit * scale if detector.unit else maximum / units
    if math.isfinite(widest) and max(widest, maximum) > unit * _MOST_UNITS:
        raise SignalError("mdl: the unit is too small for these values: give a larger unit")
    return _Code(scale, maximum, unit)


def _extremes(rows: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The largest positive value, or 0, and the largest magnitude of all values."""
    rows = list(rows)
    largest = max((value for row in rows for value in row if value > 0), default=0.0)
    return largest, max((abs(value) for row in rows for value in row), default=0.0)


def _rows(signal: Signal) -> list[Sequence[float]]:
    if signal.samples is None:
        return [(value,) for value in signal.values.tolist()]
    return [row.tolist() for row in signal.samples]


def _require_length(length: int) -> None:
    if length > _LONGEST:
        raise SignalError(
            f"mdl compares every pair of runs and takes at most {_LONGEST} points, not"
            f" {length}: judge a shorter history"
        )


def _statistics(samples: Sequence[float]) -> tuple[int, float, float]:
    """Number, mean and population standard deviation, in jumpavg's order of operations."""
    n, mean, squares = 0, 0.0, 0.0
    for sample in samples:
        gap = sample - mean
        old, n = n, n + 1
        mean += gap / n
        squares += gap * gap * old / n
    return n, mean, math.sqrt(squares / n) if n else 0.0


def _merged(runs: Runs, start: int, stop: int, before: Merged = _NO_RUNS) -> Merged:
    """Number, mean and population standard deviation of several runs, as jumpavg joins them.

    *before* is that of the runs that they follow in their group.

    It keeps mean and deviation, not their sums, and rounds both with each run. That is repeated:
    it decides which of two equal means is called higher, and the bits where the unit is tiny.
    """
    n, mean, deviation = before
    for i in range(start, stop):
        size = runs.sizes[i]
        old, n = n, n + size
        if n == 0:
            continue
        mean = mean * old / (old or 1)
        squares = deviation * deviation * old
        if size:
            gap = runs.averages[i] - mean
            mean += gap * size / n
            squares += runs.deviations[i] * runs.deviations[i] * size
            squares += gap * gap * old * size / n
        deviation = math.sqrt(squares / n)
    return n, mean, deviation


def _bits(runs: Runs, group: tuple[int, float, float], previous: float | None) -> float:
    from stepmark._kernels.mdl import group_bits

    return group_bits(*group, runs.maximum, runs.unit, previous)


def _comment(average: float, previous: float | None) -> str:
    if previous is not None and average < previous:
        return "regression"
    if previous is not None and average > previous:
        return "progression"
    return "normal"


def _saved_bits(
    starts: list[int], runs: Runs, merged: Callable[[Runs, int, int], Merged] = _merged
) -> list[float]:
    """For each start but the first, the bits that joining the groups beside it would add."""
    bounds = [*starts, len(runs.sizes)]
    groups = [merged(runs, a, b) for a, b in pairwise(bounds)]
    saved = []
    for g in range(1, len(groups)):
        previous = groups[g - 2][1] if g > 1 else None
        joined = merged(runs, bounds[g - 1], bounds[g + 1])
        apart = _bits(runs, groups[g - 1], previous) + _bits(runs, groups[g], groups[g - 1][1])
        together = _bits(runs, joined, previous)
        if g + 1 < len(groups):
            apart += _bits(runs, groups[g + 1], groups[g][1])
            together += _bits(runs, groups[g + 1], joined[1])
        saved.append(together - apart)
    return saved


class _Merges:
    """Merged runs, remembered so that those with one run more take one step."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Merged] = {}
        self._used: dict[tuple[int, int], Merged] = {}

    def __call__(self, runs: Runs, start: int, stop: int) -> Merged:
        found = self._known.get((start, stop))
        if found is None:
            before = self._known.get((start, stop - 1))
            found = _merged(runs, start if before is None else stop - 1, stop, before or _NO_RUNS)
        self._used[start, stop] = found
        return found

    def forget(self) -> None:
        """Keep what was used since the last call only."""
        self._known, self._used = self._used, {}


class _Following(Tracker):
    """The state of a search, for as long as the code of values stays."""

    def __init__(self, detector: MDL) -> None:
        self._detector = detector
        self._rows: list[Sequence[float]] = []
        self._kept: list[int] = []
        self._sizes: list[int] = []
        self._averages: list[float] = []
        self._deviations: list[float] = []
        self._extremes = (0.0, 0.0)
        self._sampled = False
        self._code: _Code | None = None
        self._search: ExactSearch | RecordSearch | None = None
        self._merges = _Merges()

    def extend(self, values: Signal | Iterable[Any]) -> Detection:
        signal = Signal.of(values)
        _require_length(len(self._rows) + len(signal))
        if self._detector.search == "exact":
            signal.require_finite("mdl")
        rows = _rows(signal)
        extremes = _extremes([self._extremes, *rows])
        code = _coded(self._detector, *extremes)
        for row in rows:
            if row or self._detector.search == "jumpavg":
                self._kept.append(len(self._rows))
                size, average, deviation = _statistics(row)
                self._sizes.append(size)
                self._averages.append(average)
                self._deviations.append(deviation)
            self._rows.append(row)
        self._extremes = extremes
        self._sampled = self._sampled or any(rows)
        usual = code is not None and code.scale == 1 and math.isfinite(extremes[1])
        if code is None or not (usual and self._sampled):
            return self._detector.detect(self._rows)
        return self._found(code)

    def _found(self, code: _Code) -> Detection:
        from stepmark._kernels.mdl import ExactSearch, RecordSearch, Runs

        if self._search is None or code != self._code:
            kind = ExactSearch if self._detector.search == "exact" else RecordSearch
            self._search, self._code = kind(code.maximum, code.unit), code
        runs = Runs(self._sizes, self._averages, self._deviations, code.maximum, code.unit)
        starts = self._search.extend(runs)
        scores = _saved_bits(starts, runs, self._merges)
        self._merges.forget()
        places = [self._kept[start] for start in starts[1:]]
        return Detection(len(self._rows), tuple(places), tuple(scores))
