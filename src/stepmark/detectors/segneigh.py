# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Segment neighbourhood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from stepmark._kernels.segmentation import (
    Neighbourhood,
    neighbourhood,
    statistic,
    statistic_neighbourhood,
)
from stepmark.changes import Detection
from stepmark.detectors.costs import RATED, Segmentation, check_q, most
from stepmark.detectors.penalties import Penalty
from stepmark.detectors.tcpdbench import counted
from stepmark.errors import SignalError, SpecError
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

_LARGEST_TABLE = 50_000_000


@dataclass(frozen=True, slots=True)
class SegNeigh(Segmentation):
    """Segment neighbourhood: the best division into each number of segments up to q.

    Attributes:
        function, statistic, shape, scale: as for `amoc`.
        penalty: what a change must save: none, sic, bic (the default), aic, hannan-quinn,
            asymptotic, or a number.
        minseglen: fewest points of a segment, with ``compat=false`` only; None for 1 (mean) or 2.
        q: the most segments, so that there is one change less; a number or ``max``, never more
            than n/2 + 1.
        compat: true (the default) for the answers of R's changepoint 2.2.2.

    ``compat=true`` keeps its faults: normal data are rounded to 15 digits; for var and meanvar the
    last segment has two points at least, but the first may have one, whose variance of 0 is taken
    for 1e-11, and the k-th begins after k points or more; where numbers of segments tie, all their
    changes are given (as under R 3; under R 4.2 it stops); a segment of zeros is an error for css.
    ``compat=false`` takes any division whose segments have `minseglen` points, and on ties the
    fewest.

    Exact for the likelihoods. For cusum and css the sum of the statistics is made largest, and
    segments are added until one statistic is below the penalty. The score is the cost that joining
    the segments beside a change would add (the statistic for cusum and css). Time O(q n^2), memory
    O(q n). Auger and Lawrence, Bull. Math. Biol. 51, 1989.
    """

    name: ClassVar[str] = "segneigh"
    complexity: ClassVar[str] = "O(q n^2)"
    paper: ClassVar[str] = "Auger and Lawrence 1989"
    penalty: Penalty = "bic"
    q: int | Literal["max"] = 5

    def __post_init__(self) -> None:
        Segmentation.__post_init__(self)
        check_q(self.name, self.q)
        if self.compat and self.minseglen is not None:
            raise SpecError(
                f"{self.name}: minseglen needs compat=false: the original has no such limit"
            )

    def check_combination(self) -> None:
        """Raise `SpecError` where the penalty is not defined for the search or the statistic."""
        if self.penalty == "mbic":
            raise SpecError(f"{self.name}: penalty=mbic is not defined for this search: use bic")
        Segmentation.check_combination(self)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The best division, penalised; raises `SignalError` for numbers it cannot judge."""
        values = self.points(signal)
        n = values.size
        if n < max(3, 2 * self.minimum):
            return Detection(n)
        segments = most(self.q, n)
        if not self.compat:
            segments = min(segments, n // self.minimum)
        if (n + 1) * segments > _LARGEST_TABLE:
            raise SignalError(
                f"{self.name}: {n} points in up to {segments} segments need too large a table:"
                " give a smaller q"
            )
        divide = self._rated if self.kind in RATED else self._likeliest
        return counted(divide(values, segments), compat=self.compat)

    def _likeliest(self, values: Vector, segments: int) -> Detection:
        n, penalty, costs = values.size, self.penalty_for(values.size), self.costs(values)
        x = values
        if self.compat and self.statistic == "normal":
            # The original writes the numbers into the text of a program; their mean it keeps.
            x = np.char.mod("%.15g", values).astype(np.float64)
        table = neighbourhood(costs, x, self.squares(x, values), self._rules(segments))
        totals = [cost + k * penalty for k, cost in enumerate(table.best)]
        least = min(totals)
        best = [k for k, total in enumerate(totals, 1) if total == least]
        places = sorted(
            {place for k in best[: None if self.compat else 1] for place in table.places(k)}
        )
        return Detection(n, tuple(places), tuple(costs.saved(places)))

    def _rules(self, segments: int) -> Neighbourhood:
        if not self.compat:
            m = self.minimum
            return Neighbourhood(segments, shortest=m, unit=m, offset=m, gap=m)
        if self.function == "mean":
            return Neighbourhood(segments, shortest=1, unit=1, offset=1, gap=1)
        return Neighbourhood(segments, shortest=1, unit=1, offset=0, gap=2)

    def _rated(self, values: Vector, segments: int) -> Detection:
        n, sums, penalty = values.size, self.rated_sums(values), self.penalty_for(values.size)
        shortest = 1 if self.compat else self.minimum
        table = statistic_neighbourhood(self.kind, sums, segments, shortest)
        found = Detection(n)
        for q in range(2, segments + 1):
            places = table.places(q) if table.best[q - 1] >= 0 else ()
            rated = self._statistics(sums, places)
            if self.compat and (not rated or min(rated) < 0):
                raise SignalError(
                    f"{self.name}: statistic={self.statistic} is not defined for a segment of"
                    " zeros: use compat=false"
                )
            if not rated or min(rated) < penalty:
                break
            found = Detection(n, places, tuple(rated))
        return found

    def _statistics(self, sums: Vector, places: tuple[int, ...]) -> list[float]:
        bounds = (0, *places, sums.size - 1)
        return [statistic(self.kind, sums, *bounds[i : i + 3]) for i in range(len(places))]
