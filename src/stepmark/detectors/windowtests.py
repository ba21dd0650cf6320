# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The tests that Treeherder votes with: t, ranks, distributions, spread, before and after a point.

``compat=true`` gives Treeherder's places. Four of its rules are faults, which the default leaves
out: a t without its absolute value sees rises only; p-values that agree to six decimals count as
equal and only the last of them is kept, which loses or moves the clearest steps; each step is
reported several times; and 0 / 0, and Cramer and von Mises' p-value of tied values, come out as
significant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_flag, check_not_negative, check_positive
from stepmark.detectors.windows import WindowDetector, strongest, unbeaten
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.windows import Points, Ranks, Scan
    from stepmark.detectors.windows import Flags
    from stepmark.series import Vector

_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class WindowTest(WindowDetector, ABC):
    """A test of two windows, with a least size of the change.

    Attributes:
        min_relative: a change of the mean by a smaller fraction does not count.
        min_absolute: nor does one by less than this, in the unit of the values.
        compat: true for Treeherder's places, faults included.
    """

    page: ClassVar[str] = "window-tests"
    min_relative: float = 0.03
    min_absolute: float = 0.0
    compat: bool = False

    def __post_init__(self) -> None:
        WindowDetector.__post_init__(self)
        for field in ("min_relative", "min_absolute"):
            check_not_negative(self.name, field, getattr(self, field))
        check_flag(self.name, "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The first points of new levels; the score is t, or minus the logarithm (10) of p.

        It is infinite where t is, or where p is too small to be told from 0. Raises `SignalError`
        for NaN.
        """
        points = self._points(signal)
        scan = self._scan(points)
        order, bound, size = self._judge(scan)
        # Not the same as below the bound: Treeherder takes NaN for significant.
        candidates = ~(order >= bound) & self._full(points, scan)
        candidates &= self._large_enough(points, scan)
        if self.compat:
            places = _treeherder(candidates, order, self._full(points, scan))
        else:
            found = np.flatnonzero(candidates)
            change = np.abs(scan.after - scan.before)[found]
            strength = np.lexsort((found, -change, -size[found]))
            apart = max(self.minback, self.fore)
            places = strongest(found, strength, points.counted, apart)
        with np.errstate(divide="ignore"):
            scores = self._score(order[places])
        # NaN is no evidence; Treeherder's places of that kind have the least.
        return Detection(len(points), tuple(places), tuple(np.nan_to_num(scores, posinf=np.inf)))

    def evidence(self, signal: Signal | Iterable[Any]) -> Vector:
        """The p of every point (t for `student`), shape (n,).

        1 (0) where there is no test: of the first point, and unless ``compat`` of points whose
        windows are not full.
        """
        order, _, _ = self._judge(self._scan(self._points(signal)))
        return order

    @abstractmethod
    def _scan(self, points: Points) -> Scan:
        """The statistic of every point."""

    @abstractmethod
    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        """What is significant where it is below a bound; the bound; the strength of a place.

        Strengths hardly depend on the sizes of windows. A p-value does: a window is long until the
        first significant place, which is before the step itself.
        """

    def _score(self, order: Vector) -> Vector:
        scores: Vector = -np.log10(order)
        return scores

    def _large_enough(self, points: Points, scan: Scan) -> Flags:
        change = np.abs(scan.after - scan.before)
        with np.errstate(over="ignore"):
            large: Flags = np.ldexp(change, points.exponent) >= self.min_absolute
        if not self.min_relative:
            return large
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.compat:
                percent = np.where(scan.before != 0, 100 * change / scan.before, 0.0)
            else:
                percent = np.where(change != 0, 100 * change / np.abs(scan.before), 0.0)
        return large & (percent >= 100 * self.min_relative)


def _treeherder(candidates: Flags, order: Vector, full: Flags) -> list[int]:
    """Treeherder's places: no neighbour is better, nor the next one equal to six decimals."""
    chosen = candidates & unbeaten(-order)
    places = []
    for place in np.flatnonzero(chosen).tolist():
        following = place + 1
        equal = (
            following < len(order)
            and full[following]
            and round(float(order[following]), _DECIMALS) == round(float(order[place]), _DECIMALS)
        )
        if not equal:
            places.append(place)
    return places


@dataclass(frozen=True, slots=True)
class Student(WindowTest):
    """Student's t with linear weights, as one of Treeherder's voters.

    Attributes:
        threshold: a change has a t beyond it.
        min_relative: a change of the mean by a smaller fraction does not count.

    Unlike `perfherder` it finds each step once and asks for a least size.
    ``compat=true`` looks for rises of t only, as Treeherder does. Time O(n w) for windows of w
    samples, memory O(n).
    """

    name: ClassVar[str] = "student"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Mozilla, Treeherder"
    threshold: float = 5.0
    min_relative: float = 0.01

    def __post_init__(self) -> None:
        WindowTest.__post_init__(self)
        check_positive(self.name, "threshold", self.threshold)

    def _scan(self, points: Points) -> Scan:
        from stepmark._kernels.windows import Rules, scan_means

        rules = Rules(signed=self.compat, everywhere=self.compat, rounded=self.compat)
        return scan_means("student", points, self._windows, self.threshold, rules)

    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        return -scan.statistic, -self.threshold, scan.statistic

    def evidence(self, signal: Signal | Iterable[Any]) -> Vector:
        """The t of every point, shape (n,); its magnitude unless ``compat``.

        0 of the first point, and unless ``compat`` of points whose windows are not full.
        """
        return self._scan(self._points(signal)).statistic

    def _score(self, order: Vector) -> Vector:
        return -order


@dataclass(frozen=True, slots=True)
class SignificanceTest(WindowTest):
    """A window test that gives a p-value.

    Attributes:
        alpha: a change has a p-value below it.
    """

    alpha: float = 0.005

    def __post_init__(self) -> None:
        WindowTest.__post_init__(self)
        check_positive(self.name, "alpha", self.alpha, below=1)


@dataclass(frozen=True, slots=True)
class Welch(SignificanceTest):
    """Welch's t-test: the means before and after, whose variances may differ.

    Time O(n w) for windows of w samples, memory O(n). Welch, Biometrika 34, 1947.
    """

    name: ClassVar[str] = "welch"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Welch 1947"

    def _scan(self, points: Points) -> Scan:
        from stepmark._kernels.windows import Rules, scan_means

        rules = Rules(everywhere=self.compat)
        return scan_means("welch", points, self._windows, self.alpha, rules)

    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        from stepmark.detectors import nulls

        return nulls.welch(scan), self.alpha, np.abs(scan.statistic)


@dataclass(frozen=True, slots=True)
class RankTest(SignificanceTest):
    """A window test of sorted windows."""

    def _sorted(
        self,
        kind: Ranks,
        points: Points,
        limit: float = np.inf,
        least: Callable[[float, int, int], float] | None = None,
    ) -> Scan:
        from stepmark._kernels.windows import scan_ranks

        return scan_ranks(
            kind, points, self._windows, self.alpha, limit,
            least and partial(least, self.alpha), everywhere=self.compat,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MannWhitney(RankTest):
    """Mann and Whitney's rank test: one side tends to larger values.

    Time O(n w) for windows of w samples, memory O(n).
    Mann and Whitney, Annals of Mathematical Statistics 18, 1947.
    """

    name: ClassVar[str] = "mwu"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Mann and Whitney 1947"

    def _scan(self, points: Points) -> Scan:
        from stepmark.detectors import nulls

        return self._sorted("mwu", points, nulls.limit_mwu(self.alpha), nulls.least_mwu)

    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        from stepmark.detectors import nulls

        return nulls.mwu(scan), self.alpha, scan.statistic / _pairs(scan)


@dataclass(frozen=True, slots=True)
class KolmogorovSmirnov(RankTest):
    """Kolmogorov and Smirnov's test: the widest gap between both distributions.

    Time O(n w) for windows of w samples, memory O(n).
    Hodges, Arkiv for Matematik 3, 1958.
    """

    name: ClassVar[str] = "ks"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Hodges 1958"

    def _scan(self, points: Points) -> Scan:
        from stepmark.detectors import nulls

        return self._sorted("ks", points, least=nulls.least_ks)

    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        from stepmark.detectors import nulls

        return nulls.ks(scan), self.alpha, scan.statistic / _pairs(scan)


@dataclass(frozen=True, slots=True)
class CramerVonMises(RankTest):
    """Cramer and von Mises' test: the squared gaps between both distributions.

    Time O(n w) for windows of w samples, memory O(n).
    Anderson, Annals of Mathematical Statistics 33, 1962.
    """

    name: ClassVar[str] = "cvm"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Anderson 1962"

    def _scan(self, points: Points) -> Scan:
        from stepmark.detectors import nulls

        return self._sorted("cvm", points, nulls.limit_cvm(self.alpha), nulls.least_cvm)

    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        from stepmark.detectors import nulls

        mean_square = scan.statistic / (_pairs(scan) ** 2 * np.maximum(scan.m + scan.n, 1))
        return nulls.cvm(scan), self.alpha, mean_square


@dataclass(frozen=True, slots=True)
class Levene(RankTest):
    """Levene's test about the medians: a change of spread, whatever the level does.

    Attributes:
        min_relative: a change of the mean by a smaller fraction does not count.

    Treeherder tried it and left it out. Time O(n w) for windows of w samples, memory O(n).
    Brown and Forsythe, JASA 69, 1974.
    """

    name: ClassVar[str] = "levene"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Brown and Forsythe 1974"
    min_relative: float = 0.0

    def _scan(self, points: Points) -> Scan:
        return self._sorted("levene", points)

    def _judge(self, scan: Scan) -> tuple[Vector, float, Vector]:
        from stepmark.detectors import nulls

        return nulls.levene(scan), self.alpha, scan.statistic


def _pairs(scan: Scan) -> Vector:
    """The number of pairs of a value before and one after; at least 1."""
    pairs: Vector = np.maximum(scan.m * scan.n, 1).astype(np.float64)
    return pairs
