# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""At most one change."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark._kernels.segmentation import (
    Kind,
    Margins,
    greedy_splits,
    greedy_statistics,
    single_change,
)
from stepmark.changes import Detection
from stepmark.detectors.costs import RATED, Segmentation, mean80, prefix_sums
from stepmark.detectors.tcpdbench import counted
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

_LEAST_VARIANCE = 1e-10


@dataclass(frozen=True, slots=True)
class AMOC(Segmentation):
    """At most one change: the likelihood ratio (or CUSUM) test at the best place.

    Attributes:
        function: what changes: ``mean``, ``var`` or ``meanvar``.
        statistic: ``normal`` likelihood; ``cusum`` for a mean; ``css`` (cumulative sums of squares)
            for a variance; ``gamma``, ``exponential``, ``poisson`` for meanvar, on unscaled data.
        penalty: what a change must save: none, sic, bic, mbic, aic, hannan-quinn, asymptotic, or a
            number. For cusum and css it is compared with the statistic itself.
        minseglen: fewest points of a segment; None for 1 (mean) or 2.
        shape: of the gamma distribution.
        scale: std, noise or none: what the signal is divided by.
        compat: true (the default) for the answers of R's changepoint 2.2.2.

    ``compat=true`` keeps its faults: cusum reports one point late and css one early; the mbic terms
    for the lengths are added after the minimisation, one length too long by one; the right segment
    may be one point shorter than `minseglen`; meanvar counts one parameter where the other searches
    count two. ``compat=false`` is the first split of ``binseg(compat=false)``.

    The score is what the change saves (the statistic for cusum and css). Time and memory O(n).
    Hinkley, Biometrika 57, 1970; Killick and Eckley, J. Stat. Softw. 58(3), 2014.
    """

    name: ClassVar[str] = "amoc"
    complexity: ClassVar[str] = "O(n)"
    paper: ClassVar[str] = "Hinkley 1970"

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The change, if there is one; raises `SignalError` for numbers it cannot judge."""
        values = self.points(signal)
        n = values.size
        if n < max(3, 2 * self.minimum):
            return Detection(n)
        place, score = self._best(values) if self.compat else self._first_split(values)
        if 0 < place < n and score >= self.penalty_for(n):
            return counted(Detection(n, (place,), (score,)), compat=self.compat)
        return Detection(n)

    def _best(self, values: Vector) -> tuple[int, float]:
        if self.kind is Kind.CUSUM:
            return _best_cusum(values)
        if self.kind is Kind.CSS:
            return _best_css(values)
        n, costs = values.size, self.costs(values)
        last = min(n - self.minimum + 1, n - 1)
        place, cost = single_change(costs, _LEAST_VARIANCE, self.minimum, last)
        if self.penalty == "mbic":
            cost += math.log(place) + math.log(n - place + 1)
        x, y = float(costs.first[n]), float(costs.second[n])
        if self.kind not in (Kind.VARIANCE, Kind.MEAN_VARIANCE):
            return place, costs.of(0, n) - (math.log(n) if costs.lengths else 0.0) - cost
        variance = (y - x * x / n if self.kind is Kind.MEAN_VARIANCE else y) / n
        return place, n * math.log(variance) - cost if variance > 0 else -math.inf

    def _first_split(self, values: Vector) -> tuple[int, float]:
        m, n = self.minimum, values.size
        margins = Margins(m, m, m, n - m)
        if self.kind in RATED:
            return next(greedy_statistics(self.kind, self.rated_sums(values), margins), (0, 0.0))
        place, gain = next(greedy_splits(self.costs(values), margins), (0, 0.0))
        return place, 2 * gain

    def segment_parameters(self) -> int:
        """How many parameters a change adds, beside its place."""
        # A zero-argument super() does not know a class that slots=True has made anew.
        return 1 if self.compat else Segmentation.segment_parameters(self)


def _best_cusum(values: Vector) -> tuple[int, float]:
    n = values.size
    off = np.abs(prefix_sums(values - mean80(values))[:n]) / n
    place = int(np.argmax(off))
    return place + 1, float(off[place])


def _best_css(values: Vector) -> tuple[int, float]:
    n, sums = values.size, prefix_sums(values * values)
    if sums[n] <= 0:
        return 0, 0.0
    k = np.arange(2, n)
    off = np.abs(sums[2:n] / sums[n] - k / n)
    place = int(np.argmax(off))
    return int(k[place]) - 1, float(math.sqrt(n / 2) * off[place])
