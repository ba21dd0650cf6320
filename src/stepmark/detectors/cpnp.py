# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""PELT with a nonparametric cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark._kernels.segmentation import Costs, Kind, Pelt, entropies
from stepmark.changes import Detection
from stepmark.detectors.costs import in_units, penalised
from stepmark.detectors.parameters import check_count, check_flag
from stepmark.detectors.penalties import Penalty, check_penalty, penalty_value
from stepmark.detectors.scaling import Scale, check_scale, point_values
from stepmark.detectors.tcpdbench import counted
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

_LEVELS = 10
_LARGEST_TABLE = 50_000_000


@dataclass(frozen=True, slots=True)
class CPNP(Specified):
    """Changes of the whole distribution: PELT on the empirical one at some quantiles.

    Attributes:
        penalty: what a change must save: none, sic, bic, mbic, aic, hannan-quinn, or a number.
            mbic is 3 ln n here; lengths of segments do not enter.
        quantiles: at how many quantiles distributions are compared, more of them in the tails;
            None for 10, or as many as there are points.
        minseglen: fewest points of a segment.
        scale: std, noise or none; only the order of the points counts, so it changes nothing
            but what is equal after rounding.
        compat: true (the default) for the answers of R's changepoint.np 0.0.2.

    The original prunes too early where `minseglen` is 2 or more, and reads beyond its table where
    there are more quantiles than points: with ``compat=true`` the first is kept, the second is an
    error. ``compat=false`` prunes what can never be best, and takes any number of quantiles.

    The score is the cost that joining the segments beside a change would add. Time O(n c k) for c
    candidates kept and k quantiles, memory O(n k). Haynes, Fearnhead and Eckley, Stat. Comput. 27,
    2017; Zou et al., Ann. Stat. 42, 2014.
    """

    name: ClassVar[str] = "cpnp"
    complexity: ClassVar[str] = "O(n c k), c candidates, k quantiles"
    paper: ClassVar[str] = "Haynes, Fearnhead and Eckley 2017"
    cost_unit: ClassVar[str] = "deviance"
    penalty: Penalty = "mbic"
    quantiles: int | None = None
    minseglen: int = 1
    scale: Scale = "std"
    compat: bool = True

    def __post_init__(self) -> None:
        check_penalty(self.name, self.penalty)
        check_scale(self.name, self.scale)
        if self.penalty == "asymptotic":
            raise SpecError(f"{self.name}: penalty=asymptotic is not defined for this method")
        if self.quantiles is not None:
            check_count(self.name, "quantiles", self.quantiles, 1)
        check_count(self.name, "minseglen", self.minseglen, 1)
        check_flag(self.name, "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The best division, penalised; raises `SignalError` for numbers it cannot judge."""
        values = self._points(signal)
        n = values.size
        if n < max(3, 2 * self.minseglen):
            return Detection(n)
        costs = self._costs(values)
        search = Pelt(penalty_value(self.penalty, n, 1, ""), self.minseglen)
        places = search.extend(costs, exact=not self.compat)
        return counted(Detection(n, places, tuple(costs.saved(places))), compat=self.compat)

    def cost(self, signal: Signal | Iterable[Any], indices: Sequence[int]) -> float:
        """The penalised cost of *signal* divided at *indices*.

        Infinite where a segment has fewer points than `minseglen`; 0 for an empty signal.
        """
        values = self._points(signal)
        n = values.size
        if not n:
            return 0.0
        penalty = penalty_value(self.penalty, n, 1, "") if n >= 3 else math.inf
        return penalised(self._costs(values), indices, self.minseglen, penalty)

    def _points(self, signal: Signal | Iterable[Any]) -> Vector:
        return in_units(point_values(signal, self.name), self.scale)

    def _costs(self, values: Vector) -> Costs:
        n = values.size
        levels = self.quantiles or min(_LEVELS, n)
        if self.compat and levels > n:
            raise SignalError(
                f"{self.name}: {levels} quantiles of {n} points, where the original reads beyond"
                " its table: use fewer quantiles or compat=false"
            )
        if (n + 1) * levels > _LARGEST_TABLE:
            raise SignalError(
                f"{self.name}: {n} points at {levels} quantiles need too large a table: use fewer"
            )
        spread = math.log(2 * n - 1)
        ordered = np.sort(values)
        counts = np.zeros((n + 1, levels))
        for k in range(levels):
            share = 1 / (1 + math.exp(-spread * (-1 + (2 * k + 1) / levels)))
            quantile = ordered[int((n - 1) * share + 1) - 1]
            np.cumsum((values < quantile) + 0.5 * (values == quantile), out=counts[1:, k])
        factor = -2 * spread
        table = np.zeros(0) if self.compat else entropies(n)
        return Costs(
            Kind.EMPIRICAL, counts.ravel(), table, shape=factor, levels=levels,
            bounded=not self.compat,
        )  # fmt: skip
