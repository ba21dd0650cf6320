# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Pruned exact linear time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark._kernels.segmentation import Pelt
from stepmark.changes import Detection
from stepmark.detectors.costs import SETTLING, Segmentation, penalised
from stepmark.detectors.penalties import of_length
from stepmark.detectors.tcpdbench import counted
from stepmark.detectors.tracking import Repeated
from stepmark.errors import SignalError
from stepmark.plugins import Tracker
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector


@dataclass(frozen=True, slots=True)
class PELT(Segmentation):
    """Pruned exact linear time: the least penalised cost of all divisions.

    Attributes:
        function, penalty, shape, scale: as for `amoc`.
        statistic: normal, or gamma, exponential, poisson for meanvar on unscaled data.
        minseglen: fewest points of a segment; None for 1 (mean) or 2.
        compat: true (the default) for the answers of R's changepoint 2.2.2.

    ``compat=true`` keeps its faults: with mbic (the default) the term for the lengths breaks the
    condition under which a candidate may be pruned, with segments of two points or more one is
    pruned too early, and a variance of 0 counts as 1e-11 while a smaller one does not; so the
    answer is not always the least cost. ``compat=false`` prunes what can never be best, takes 1e-11
    for the least variance, and is exact.

    The score is the cost that joining the segments beside a change would add, the penalty not
    counted. Time O(n c) for c candidates kept, which is about linear where changes are many and
    O(n^2) at worst; memory O(n). Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107, 2012.
    """

    name: ClassVar[str] = "pelt"
    complexity: ClassVar[str] = "O(n) with many changes, O(n^2) with none"
    paper: ClassVar[str] = "Killick, Fearnhead and Eckley 2012"
    cost_unit: ClassVar[str] = "deviance"
    statistics: ClassVar[tuple[str, ...]] = ("normal", "gamma", "exponential", "poisson")

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The best division, penalised; raises `SignalError` for numbers it cannot judge."""
        values = self.points(signal)
        n = values.size
        if n < max(3, 2 * self.minimum):
            return Detection(n)
        costs = self.costs(values)
        places = Pelt(self.penalty_for(n), self.minimum).extend(costs, exact=not self.compat)
        return counted(Detection(n, places, tuple(costs.saved(places))), compat=self.compat)

    def cost(self, signal: Signal | Iterable[Any], indices: Sequence[int]) -> float:
        """The penalised cost of *signal* divided at *indices*: twice the negative log-likelihood.

        Infinite where a segment has fewer points than `minseglen`; 0 for an empty signal.
        """
        values = self.points(signal)
        penalty = self.penalty_for(values.size) if values.size >= 3 else math.inf
        return penalised(self.costs(values), indices, self.minimum, penalty)

    def track(self) -> Tracker:
        """A tracker that extends the search where its past stays as it was.

        This needs ``scale=none``, a penalty that does not depend on the length (a number, none or
        aic), and not ``function=var``, whose mean is that of all points. Otherwise each point
        changes every cost, and the whole search runs again.
        """
        if self.scale is not None or of_length(self.penalty) or self.function == "var":
            return Repeated(self)
        return _Growing(self)


class _Growing(Tracker):
    """Sums and search of a signal that grows."""

    def __init__(self, detector: PELT) -> None:
        self._detector = detector
        self._first = np.empty(0)  # the values that settle the origin
        self._origin = 0.0
        self._begin()

    def extend(self, values: Signal | Iterable[Any]) -> Detection:
        """Add *values* at the end; the places in all points so far."""
        detector = self._detector
        added = Signal.of(values).values
        if self._length < SETTLING:
            # The origin may move yet, and all sums with it: from the beginning.
            added = np.concatenate([self._first, added])
            points = detector.points(added)
            self._first, self._origin = added[:SETTLING], detector.origin(added)
            self._begin()
        else:
            points = self._points(added)
        self._add(points)
        n = self._length
        costs = detector.costs_of(self._sums[0, : n + 1], self._sums[1, : n + 1])
        places = self._search.extend(costs, exact=not detector.compat)
        if n < max(3, 2 * detector.minimum):
            return Detection(n)
        found = Detection(n, places, tuple(costs.saved(places)))
        return counted(found, compat=detector.compat)

    def _begin(self) -> None:
        detector = self._detector
        # No penalty that comes here depends on the number of points.
        self._search = Pelt(detector.penalty_for(_ANY), detector.minimum)
        self._sums = np.zeros((2, 64))
        self._wide = np.zeros((2, 1), dtype=np.longdouble)  # the last sums, not rounded
        self._length = 0

    def _points(self, added: Vector) -> Vector:
        detector, origin = self._detector, self._origin
        try:
            Signal(added).require_finite(detector.name)
            return detector.counted_from(origin, added)
        except SignalError:
            # Once more, so that the message counts from the first point of all.
            detector.points(np.concatenate([np.full(self._length, origin + 1), added]))
            raise

    def _add(self, x: Vector) -> None:
        n, more = self._length, x.size
        if self._sums.shape[1] < n + more + 1:
            grown = np.zeros((2, 2 * (n + more + 1)))
            grown[:, : n + 1] = self._sums[:, : n + 1]
            self._sums = grown
        wide = np.cumsum(np.hstack([self._wide, np.stack([x, x * x])]), axis=1)
        self._sums[:, n + 1 : n + more + 1] = wide[:, 1:]
        self._wide = wide[:, -1:]
        self._length = n + more


_ANY = 3
