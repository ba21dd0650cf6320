# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""E-divisive means as MongoDB has it: energy statistics, division by division, by permutations.

The statistic and the test are those of the PyPI package signal-processing-algorithms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.permutations import (
    check_test,
    detection_of,
    finite_values,
    most_reached,
)
from stepmark.detectors.scaling import moderate
from stepmark.plugins import Specified
from stepmark.series import Signal


@dataclass(frozen=True, slots=True)
class EDivisive(Specified):
    """E-divisive as MongoDB uses it: energy statistics and a permutation test.

    Attributes:
        pvalue: a division counts where at most this share of permutations does as well:
            their number over permutations + 1.
        permutations: how often the points are shuffled for one test.
        seed: of the random numbers; the same seed gives the same answer, everywhere.

    The divisions and their order are those of MongoDB's package; only the last test, which ends the
    search, is random. Multiplying all values, or adding to them, changes nothing, so there is no
    scale to choose.

    A score is the statistic of the division when it was found, in the signal's unit.

    Time O(n^2) for each new segment and O(p n log n) for each test of p permutations, which ends as
    soon as it is decided; memory O(n). At most 50,000 points.

    Source: D. S. Matteson, N. A. James, *A Nonparametric Approach for Multiple Change Point
    Analysis of Multivariate Data*, JASA 109, 2014; D. Daly and others, *The Use of Change Point
    Detection to Identify Software Performance Regressions in a Continuous Integration System*,
    ICPE 2020.
    """

    name: ClassVar[str] = "edivisive"
    complexity: ClassVar[str] = "O(n^2) a segment, O(n log n) a permutation"
    paper: ClassVar[str] = "Matteson and James 2014; Daly and others 2020"
    pvalue: float = 0.01
    permutations: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        check_test("edivisive", ("pvalue", self.pvalue), self.permutations, self.seed, own=0)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The divisions, in order of place; raises `SignalError` for NaN and too long signals."""
        from stepmark._kernels.energy import LONGEST, Random, WholeWindows, divisive_splits

        values = finite_values(Signal.of(signal), "edivisive", LONGEST)
        if values.size < 2:
            return Detection(values.size)
        values, raw = moderate(values), values
        # Of Python's floats, which may be infinite: the scores are cut off at the largest one.
        unit = 1.0 if values is raw else float(np.abs(raw).max()) / float(np.abs(values).max())
        allowed = most_reached(self.pvalue, self.permutations, own=0)
        windows = WholeWindows(values)
        splits = divisive_splits(windows, self.permutations, allowed, Random(self.seed))
        return detection_of(len(values), splits, unit)
