# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Energy statistics as the R package ecp has them, in the Turing benchmark's configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count, check_flag, check_positive
from stepmark.detectors.permutations import check_test, detection_of, finite_values, most_reached
from stepmark.detectors.scaling import moderate, scaled
from stepmark.errors import SpecError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

# The clusters' distances are a matrix of n x n numbers.
_LONGEST_AGGLO = 5_000


@dataclass(frozen=True, slots=True)
class ECP(Specified):
    """Divisions (e.divisive) or mergers (e.agglo) by energy distances, as in R's ecp.

    Attributes:
        algorithm: ``divisive`` for splits confirmed by permutations, ``agglo`` for mergers of
            neighbours.
        alpha: exponent of the distances, inside (0, 2].
        minsize: with ``divisive``, the fewest points of a segment.
        siglvl: with ``divisive``, the largest p-value of a split: 1 + the number of permutations
            that do as well, over permutations + 1. Less than 1 / (permutations + 1) is refused.
        permutations: with ``divisive``, how often the points are shuffled for one test.
        seed: of the random numbers; the same seed gives the same answer, everywhere.
        compat: true for ecp 3.1.1, which the Turing benchmark has: with ``divisive`` it rounds the
            factor n m / (n + m) down; with ``agglo`` the signal is a circle, and the benchmark
            leaves out a change at the last point. False for the exact factor, as ecp has it since
            3.1.2, and for a signal with two ends.

    The statistic does not depend on the signal's scale; it is taken of standardised values. A score
    is the statistic of the split when it was found; ``agglo`` has none.

    Time with ``divisive`` O(n^2) for each new segment and for each permutation, memory O(n), at
    most 50,000 points; with ``agglo`` time and memory O(n^2), at most 5,000 points.

    Source: D. S. Matteson, N. A. James, *A Nonparametric Approach for Multiple Change Point
    Analysis of Multivariate Data*, JASA 109, 2014.
    """

    name: ClassVar[str] = "ecp"
    complexity: ClassVar[str] = "O(n^2) a segment and permutation"
    paper: ClassVar[str] = "Matteson and James 2014"
    algorithm: Literal["divisive", "agglo"] = "divisive"
    alpha: float = 1.0
    minsize: int = 30
    siglvl: float = 0.05
    permutations: int = 199
    seed: int = 0
    compat: bool = True

    def __post_init__(self) -> None:
        if self.algorithm not in ("divisive", "agglo"):
            raise SpecError(f"ecp: algorithm is divisive or agglo, not {self.algorithm!r}")
        check_positive("ecp", "alpha", self.alpha)
        if self.alpha > 2:
            raise SpecError(f"ecp: alpha is a number above 0, up to 2, not {self.alpha!r}")
        check_count("ecp", "minsize", self.minsize, 2, 1_000_000)
        check_test("ecp", ("siglvl", self.siglvl), self.permutations, self.seed, own=1)
        check_flag("ecp", "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The changes, in order of place; raises `SignalError` for NaN and too long signals."""
        from stepmark._kernels.energy import LONGEST

        divisive = self.algorithm == "divisive"
        longest = LONGEST if divisive else _LONGEST_AGGLO
        values = finite_values(Signal.of(signal), "ecp", longest)
        if values.size < 3:
            return Detection(values.size)
        values = scaled(moderate(values), "std")
        return self._divide(values) if divisive else self._merge(values)

    def _divide(self, values: Vector) -> Detection:
        from stepmark._kernels.energy import PairWindows, Random, divisive_splits

        windows = PairWindows(values, self.minsize, float(self.alpha), whole_factor=self.compat)
        allowed = most_reached(self.siglvl, self.permutations, own=1)
        splits = divisive_splits(windows, self.permutations, allowed, Random(self.seed))
        return detection_of(values.size, splits)

    def _merge(self, values: Vector) -> Detection:
        from stepmark._kernels.agglo import merged_starts

        starts = merged_starts(values, float(self.alpha), circle=self.compat)
        last = values.size - self.compat
        return Detection(values.size, tuple(start for start in starts if 0 < start < last))
