# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Optimal partitioning with losses that outliers do not spoil, as the Turing benchmark runs it.

Fearnhead and Rigaill, "Changepoint Detection in the Presence of Outliers", Journal of the American
Statistical Association 114, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from stepmark.changes import Detection
from stepmark.detectors.parameters import is_number
from stepmark.detectors.scaling import moderate, point_values, require_squares, scaled
from stepmark.detectors.tcpdbench import counted
from stepmark.errors import SpecError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

LossName = Literal["outlier", "huber", "l1", "l2"]
# Of each loss: the width where none is given, and what the logarithm of n is multiplied by.
_WIDTHS = {"outlier": 3.0, "huber": 1.345, "l1": 0.0, "l2": math.inf}
_FACTORS = {"outlier": 2.0, "huber": 1.4, "l1": 1.0, "l2": 1.0}
_LEAST_THRESHOLD = 1e-6


@dataclass(frozen=True, slots=True)
class RFPOP(Specified):
    """The least sum of robust losses around the segments' levels.

    Distances are measured in standard deviations of the noise, which is estimated from the median
    of the differences of neighbours.

    Attributes:
        loss: what a distance costs: ``outlier`` (biweight: its square, at most the square of the
            threshold), ``huber`` (its square up to the threshold, then growing in proportion),
            ``l1`` (itself), ``l2`` (its square).
        penalty: what a change must save; None takes 2, 1.4, 1 or 1 times ln n by loss.
        threshold: the distance at which ``outlier`` and ``huber`` turn, in noise units; None takes
            3 and 1.345.

    The defaults are those of the Turing benchmark, whose changes these are. Where the median
    difference is 0 the benchmark fails; here the root mean square of the differences serves. There
    is no score, and fewer than three points have no change. Replicates count by their mean.

    Time O(n h), memory O(n + h), h being some tens to (``l1``) a thousand. Fearnhead and Rigaill,
    Journal of the American Statistical Association 114, 2019.
    """

    name: ClassVar[str] = "rfpop"
    complexity: ClassVar[str] = "O(n h), h pieces"
    paper: ClassVar[str] = "Fearnhead and Rigaill 2019"
    loss: LossName = "outlier"
    penalty: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.loss not in get_args(LossName):
            raise SpecError(f"rfpop: loss is outlier, huber, l1 or l2, not {self.loss!r}")
        if self.penalty is not None and not (is_number(self.penalty) and self.penalty >= 0):
            raise SpecError(f"rfpop: penalty is a number from 0 or none, not {self.penalty!r}")
        if self.threshold is not None:
            if self.loss not in ("outlier", "huber"):
                raise SpecError(f"rfpop: threshold is for outlier and huber, not for {self.loss}")
            if not (is_number(self.threshold) and self.threshold >= _LEAST_THRESHOLD):
                raise SpecError(
                    f"rfpop: threshold is a number of noise units from {_LEAST_THRESHOLD:g} or"
                    f" none, not {self.threshold!r}"
                )

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The changes of the cheapest division, without scores.

        Raises `SignalError` for NaN or infinite values, and for a signal whose squares are not
        finite.
        """
        from stepmark._kernels.rfpop import Loss, robust_partition

        values = point_values(signal, self.name)
        n = len(values)
        if n < 3:
            return Detection(n)
        values = _in_noise_units(values)
        require_squares(self.name, values)
        if values.min() == values.max():
            return Detection(n)
        kind = {"l1": Loss.L1, "huber": Loss.HUBER}.get(self.loss, Loss.CONSTANT)
        width = _WIDTHS[self.loss] if self.threshold is None else float(self.threshold)
        penalty = _FACTORS[self.loss] * math.log(n) if self.penalty is None else self.penalty
        places = robust_partition(values, kind, width, float(penalty))
        return counted(Detection(n, tuple(places)))


def _in_noise_units(values: Vector) -> Vector:
    """*values*, standardised and then divided by the deviation of their noise."""
    import numpy as np

    # The benchmark standardises for all its methods: it decides the last digits.
    values = scaled(moderate(values), "std")
    steps = np.diff(values) / np.sqrt(2.0)
    deviation = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    if deviation == 0:
        deviation = float(np.sqrt(np.mean(steps * steps)))
    with np.errstate(over="ignore"):
        return values / deviation if deviation > 0 else values
