# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Apache Otava's change detection: energy statistics in sliding windows, then t tests.

Weak changes are sought in overlapping windows (split); then the weakest is dropped, and its
neighbours are tested anew, until all that are left are significant (merge).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import (
    check_count,
    check_flag,
    check_not_negative,
    check_positive,
)
from stepmark.detectors.permutations import finite_values
from stepmark.detectors.scaling import moderate
from stepmark.plugins import Specified, Tracker
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

_LONGEST = 1_000_000
_WIDEST = 10_000
_LEAST_P = 1e-300


@dataclass(frozen=True, slots=True)
class Otava(Specified):
    """Apache Otava's: energy statistics in sliding windows, then t tests.

    Attributes:
        window: points of a window; the next one begins half a window on, or at the last change.
        pvalue: a change has a p-value below it. Ten times as much makes a weak change; from 0.05 on
            twice as much, from 0.5 on no more.
        min_magnitude: a change has a relative size above it.
        compat: true for Otava 0.8.0 as it is, false for its faults corrected.

    Corrected (``compat=false``, the default): variances have the divisor n - 1 that the t test
    needs; one part of a window without a significant change does not end the search in the others;
    the p-value of a change counts all places between its neighbours at which it could have been
    found, so that noise alone seldom raises a change, however long the series; both neighbours of a
    dropped change are tested anew, not the two after it; a constant is never divided.

    A score is -log10 of the p-value, 300 at most.

    Time O(n w) for windows of w points, and O(n) for each weak change; memory O(n).

    Source: M. Fleming and others, *Hunter: Using Change Point Detection to Hunt for Performance
    Regressions*, ICPE 2023.
    """

    name: ClassVar[str] = "otava"
    complexity: ClassVar[str] = "O(n w), w points a window"
    paper: ClassVar[str] = "Fleming and others 2023"
    window: int = 50
    pvalue: float = 0.001
    min_magnitude: float = 0.0
    compat: bool = False

    def __post_init__(self) -> None:
        check_count("otava", "window", self.window, 2, _WIDEST)
        check_positive("otava", "pvalue", self.pvalue, below=1)
        check_not_negative("otava", "min_magnitude", self.min_magnitude)
        check_flag("otava", "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The changes, in order of place; raises `SignalError` for NaN and too long signals."""
        values = finite_values(Signal.of(signal), "otava", _LONGEST)
        weak = {place for _, _, found in _windows(self, values, 0) for place in found}
        return _merged(self, values, weak)

    def track(self) -> Tracker:
        """A tracker that has seen no point yet; windows that are full are not searched again."""
        return _Following(self)


class _Following(Tracker):
    """Windows that are full keep their weak changes; only the last ones are searched anew."""

    def __init__(self, detector: Otava) -> None:
        self._detector = detector
        self._values = np.zeros(0)
        self._weak: set[int] = set()
        self._start = 0

    def extend(self, values: Signal | Iterable[Any]) -> Detection:
        """Add *values* at the end; the changes in all points so far."""
        rules = self._detector
        longer = Signal.of(np.concatenate([self._values, Signal.of(values).values]))
        self._values = finite_values(longer, rules.name, _LONGEST)
        open_ended: set[int] = set()
        for start, following, found in _windows(rules, self._values, self._start):
            if start + rules.window <= self._values.size:
                self._weak.update(found)
                self._start = following
            else:
                open_ended.update(found)
        return _merged(rules, self._values, self._weak | open_ended)


def _windows(rules: Otava, values: Vector, start: int) -> Iterator[tuple[int, int, list[int]]]:
    """The windows from *start* on: each one's start, the next one's, and its weak changes."""
    from stepmark._kernels.energy import WindowSplitter

    n = values.size
    if n < 3:
        return
    critical = _critical(_first_level(rules.pvalue), min(rules.window, n))
    splitter = WindowSplitter(
        moderate(values), critical, stop_early=rules.compat, lost=0 if rules.compat else 1
    )
    while start < n:
        found = splitter.places(start, min(start + rules.window, n))
        following = max(found[-1] if found else 0, start + rules.window // 2)
        yield start, following, found
        start = following


def _merged(rules: Otava, values: Vector, weak: set[int]) -> Detection:
    """The detection that is left of the weak changes."""
    if not weak:
        return Detection(values.size)
    changes = _Changes(moderate(values), sorted(weak), rules)
    changes.merge()
    scores = (-math.log10(max(p, _LEAST_P)) for p in changes.p)
    return Detection(values.size, tuple(changes.places), tuple(scores))


def _first_level(pvalue: float) -> float:
    """The p-value of a weak change."""
    if pvalue < 0.05:
        return pvalue * 10
    return pvalue * 2 if pvalue < 0.5 else pvalue


@lru_cache(maxsize=16)
def _critical(level: float, size: int) -> tuple[float, ...]:
    """The absolute t that has the two-sided p-value *level*, by degrees of freedom below *size*."""
    from scipy.special import stdtrit

    freedom = np.arange(1.0, size)
    return (math.inf, *(-stdtrit(freedom, level / 2)).tolist())


class _Changes:
    """Changes of a signal, each tested between its neighbours."""

    def __init__(self, values: Vector, places: list[int], rules: Otava) -> None:
        self.values, self.places, self.rules = values, places, rules
        self.p: list[float] = []
        self.magnitudes: list[float] = []
        self.p, self.magnitudes = self._tested([0, *places, len(values)])

    def merge(self) -> None:
        """Drop the weakest change until all are significant and large enough.

        The weakest is the one with the largest p-value; where none is too large, the smallest.
        """
        while self.places:
            # Python's own order of comparisons: a p-value may be NaN, and ties go to the first.
            weakest = max(range(len(self.p)), key=self.p.__getitem__)
            if self.p[weakest] < self.rules.pvalue:
                weakest = min(range(len(self.p)), key=self.magnitudes.__getitem__)
                if self.magnitudes[weakest] > self.rules.min_magnitude:
                    return
            for column in (self.places, self.p, self.magnitudes):
                del column[weakest]
            # The neighbours on both sides; Otava takes the two after the gap for them.
            first = weakest if self.rules.compat else max(weakest - 1, 0)
            last = min(first + 2 if self.rules.compat else weakest + 1, len(self.places))
            bounds = [0, *self.places, len(self.values)][first : last + 2]
            self.p[first:last], self.magnitudes[first:last] = self._tested(bounds)

    def _tested(self, bounds: Sequence[int]) -> tuple[list[float], list[float]]:
        """p-values and magnitudes of the changes at all *bounds* but the first and last."""
        from stepmark._kernels.energy import moments

        compat = self.rules.compat
        means, deviations = moments(self.values, bounds, 0 if compat else 1)
        sizes = [b - a for a, b in pairwise(bounds)]
        parts = list(zip(sizes, means, deviations, strict=True))
        p = [_p_value(*pair) for pair in pairwise(parts)]
        if not compat:
            # By Bonferroni: the change was chosen among so many.
            chances = [sum(pair) - 1 for pair in pairwise(sizes)]
            p = [min(value * count, 1.0) for value, count in zip(p, chances, strict=True)]
        return p, [_magnitude(*pair) for pair in pairwise(means)]


def _p_value(one: tuple[int, float, float], other: tuple[int, float, float]) -> float:
    """Student's two-sided test of two means; each part is size, mean and standard deviation."""
    from scipy.special import stdtr

    (n, a, s), (m, b, r) = one, other
    freedom = n + m - 2.0
    if freedom <= 0:
        return 1.0
    spread = math.sqrt(((n - 1) * (s * s) + (m - 1) * (r * r)) / freedom * (1.0 / n + 1.0 / m))
    if spread == 0:
        return math.nan if a == b else 0.0
    return 2 * float(stdtr(freedom, -abs((a - b) / spread)))


def _magnitude(before: float, after: float) -> float:
    """The larger of the relative changes in both directions; 0 where it is of a zero mean."""
    forward = after / before - 1.0 if before else 0.0
    backward = before / after - 1.0 if after else 0.0
    return max(abs(forward), abs(backward))
