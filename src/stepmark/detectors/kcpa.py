# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Kernel change point analysis as the R package ecp has it, in the Turing benchmark's form."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count_or_max, check_flag, check_not_negative
from stepmark.detectors.permutations import finite_values
from stepmark.detectors.scaling import Scale, check_scale, moderate, require_squares, scaled
from stepmark.detectors.tcpdbench import counted
from stepmark.errors import SignalError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.kcpa import Divisions
    from stepmark.series import Vector

_LONGEST = 50_000
_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class KCPA(Specified):
    """Segments of least scatter in the feature space of a Gaussian kernel.

    Attributes:
        cost: what a segment costs, as a factor of the penalty.
        maxcp: the most changes; ``max`` for as many as fit.
        scale: ``std`` | ``noise`` | ``none``; only the variance in the penalty depends on it.
        compat: true for the penalty of R's ecp, and the benchmark's leaving out a change at the
            last point. That penalty takes the variance of the values where the theory has that of
            their features, and weighs it against the sum of the scatter where the theory has the
            mean: it is so weak that ``cost=1`` makes a segment of nearly every point. False for the
            penalty of the theory.

    The kernel's width is the median of all squared differences. The R package takes that of 250
    points drawn at random where there are more; here the answer does not depend on chance.

    Time O(n^2 c) and memory O(n c) for c = maxcp: with ``max`` some 4,400 points at most.

    Source: S. Arlot, A. Celisse, Z. Harchaoui, *A Kernel Multiple Change-point Algorithm via Model
    Selection*, JMLR 20, 2019.
    """

    name: ClassVar[str] = "kcpa"
    complexity: ClassVar[str] = "O(n^2 c), c changes at most"
    paper: ClassVar[str] = "Arlot, Celisse and Harchaoui 2019"
    cost: float = 1.0
    maxcp: int | Literal["max"] = "max"
    scale: Scale = "std"
    compat: bool = True

    def __post_init__(self) -> None:
        check_not_negative("kcpa", "cost", self.cost)
        check_count_or_max("kcpa", "maxcp", self.maxcp)
        check_scale("kcpa", self.scale)
        check_flag("kcpa", "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The changes, without scores; raises `SignalError` for NaN and too long signals."""
        from stepmark._kernels.kcpa import best_divisions, median_square

        values = finite_values(Signal.of(signal), "kcpa", _LONGEST)
        n = values.size
        if n < 3 or values.min() == values.max():
            return Detection(n)
        changes = n - 1 if self.maxcp == "max" else min(self.maxcp, n - 1)
        if n * (changes + 1) > _MOST_CELLS:
            raise SignalError(
                f"kcpa keeps a number for each point and number of changes, {_MOST_CELLS:,} at"
                f" most, not {n:,} x {changes + 1:,}: judge a shorter history, or give maxcp"
            )
        if self.scale is None:
            require_squares("kcpa", values)
        shape = scaled(moderate(values), self.scale)
        divisions = best_divisions(shape, median_square(shape), changes)
        number = self._number(divisions, values if self.scale is None else shape)
        places = divisions.places(number)
        return counted(Detection(n, tuple(places)), compat=self.compat)

    def _number(self, divisions: Divisions, values: Vector) -> int:
        """The number of changes with the least scatter and penalty; of equal ones the first."""
        n = values.size
        # Weighed against a sum or against a mean.
        weight = self.cost * self._variance(divisions, values) / (n if self.compat else 1)
        penalised = [
            scatter + weight * k * (1 + math.log(n / k))
            for k, scatter in enumerate(divisions.scatters, 1)
        ]
        return min(range(len(penalised)), key=penalised.__getitem__)

    def _variance(self, divisions: Divisions, values: Vector) -> float:
        """The larger of the variances in the first and in the last twentieth."""
        n = values.size
        first, last = math.ceil(0.05 * n), math.floor(0.95 * n) - 1
        if self.compat:
            head = float(np.var(values[:first], ddof=1)) if first > 1 else 1.0
            return max(head, float(np.var(values[last:], ddof=1)))
        # One point has no scatter and says nothing.
        head = divisions.prefix_scatters[first] / max(first - 1, 1)
        return max(head, divisions.suffix_scatters[last] / (n - last - 1))
