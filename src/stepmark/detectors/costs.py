# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What `amoc`, `binseg`, `pelt` and `segneigh` have in common: their parameters and segment costs.

The same costs and penalties, four searches. Sums over prefixes follow R's rules (80 bits inside,
each result rounded to 64), for ties are decided by the last digit; where long double has no more
than 64 bits, another of two equal solutions may be found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from stepmark._kernels.segmentation import Costs, Kind
from stepmark.detectors.parameters import is_number
from stepmark.detectors.penalties import Penalty, check_penalty, penalty_value
from stepmark.detectors.scaling import Scale, check_scale, moderate, require_squares, scaled
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

Function = Literal["mean", "var", "meanvar"]
Statistic = Literal["normal", "cusum", "css", "gamma", "exponential", "poisson"]

_STATISTICS = {
    "mean": ("normal", "cusum"),
    "var": ("normal", "css"),
    "meanvar": ("normal", "gamma", "exponential", "poisson"),
}
_KINDS = {
    ("mean", "normal"): Kind.MEAN,
    ("var", "normal"): Kind.VARIANCE,
    ("meanvar", "normal"): Kind.MEAN_VARIANCE,
    ("meanvar", "gamma"): Kind.GAMMA,
    ("meanvar", "exponential"): Kind.GAMMA,
    ("meanvar", "poisson"): Kind.POISSON,
    ("mean", "cusum"): Kind.CUSUM,
    ("var", "css"): Kind.CSS,
}
_OF_COUNTS = ("gamma", "exponential", "poisson")
RATED = (Kind.CUSUM, Kind.CSS)  # by a statistic, not by a cost
SETTLING = 9  # points that have a say in where points are counted from


@dataclass(frozen=True, slots=True)
class Segmentation(Specified):
    """The parameters that the four searches share; see there."""

    name: ClassVar[str]
    statistics: ClassVar[tuple[str, ...]] = (
        "normal", "cusum", "css", "gamma", "exponential", "poisson",
    )  # fmt: skip
    function: Function = "mean"
    statistic: Statistic = "normal"
    penalty: Penalty = "mbic"
    minseglen: int | None = None
    shape: float = 1.0
    scale: Scale = "std"
    compat: bool = True

    def __post_init__(self) -> None:
        if self.function not in _STATISTICS:
            raise SpecError(f"{self.name}: function is mean, var or meanvar, not {self.function!r}")
        allowed = [s for s in _STATISTICS[self.function] if s in self.statistics]
        if self.statistic not in allowed:
            raise SpecError(
                f"{self.name}: statistic is {' or '.join(allowed)} with function={self.function},"
                f" not {self.statistic!r}"
            )
        check_penalty(self.name, self.penalty)
        check_scale(self.name, self.scale)
        least = self.shortest
        if self.minseglen is not None and not (
            type(self.minseglen) is int and self.minseglen >= least
        ):
            raise SpecError(
                f"{self.name}: minseglen is a whole number from {least} with"
                f" function={self.function}, not {self.minseglen!r}"
            )
        if not (is_number(self.shape) and 0 < self.shape < math.inf):
            raise SpecError(f"{self.name}: shape is a positive number, not {self.shape!r}")
        if type(self.compat) is not bool:
            raise SpecError(f"{self.name}: compat is true or false, not {self.compat!r}")
        self.check_combination()

    def check_combination(self) -> None:
        """Raise `SpecError` where the penalty is not defined for the statistic."""
        if self.penalty == "mbic" and self.kind in RATED:
            raise SpecError(
                f"{self.name}: penalty=mbic is defined for likelihoods, not for"
                f" statistic={self.statistic}"
            )
        if self.penalty == "asymptotic" and self.statistic not in ("normal", "css"):
            raise SpecError(
                f"{self.name}: penalty=asymptotic is defined for statistic=normal and css, not for"
                f" {self.statistic}"
            )

    @property
    def kind(self) -> Kind:
        """The cost, or the statistic, in the kernel's terms."""
        return _KINDS[self.function, self.statistic]

    @property
    def shortest(self) -> int:
        """Fewest points of a segment where `minseglen` does not say: 1 for a mean, else 2."""
        return 1 if self.function == "mean" else 2

    @property
    def minimum(self) -> int:
        """Fewest points of a segment."""
        return self.minseglen or self.shortest

    def points(self, signal: Signal | Iterable[Any]) -> Vector:
        """The values as the costs take them, shape (n,): scaled, and checked.

        Raises `SignalError` for numbers that the statistic cannot judge.
        """
        signal = Signal(Signal.of(signal).values)
        signal.require_finite(self.name)
        values = in_units(signal.values, self.scale)
        return self.counted_from(self.origin(values), values)

    def counted_from(self, origin: float, values: Vector) -> Vector:
        """Scaled *values* less *origin*; `SignalError` where the statistic cannot judge them."""
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
            values = values - origin
        if values.size:
            require_squares(self.name, values)
            self._check_range(values)
        return values

    def origin(self, values: Vector) -> float:
        """Where finite *values*, shape (n,), are counted from so that their sums keep their digits.

        The middle one of the first `SETTLING`: later ones do not move it, and a first run unlike
        the rest is not taken. 0 where values are standardised, which is near enough, and where the
        statistic counts from 0 (css as the original has it, and those of positive numbers).
        """
        free = self.statistic in ("normal", "cusum") or (
            self.statistic == "css" and not self.compat
        )
        if self.scale == "std" or not free or not values.size:
            return 0.0
        first = np.sort(values[:SETTLING])
        return float(first[(first.size - 1) // 2])

    def _check_range(self, values: Vector) -> None:
        if self.statistic not in _OF_COUNTS:
            return
        remedy = "" if self.scale is None else f" (after scale={self.scale}; use scale=none)"
        if self.statistic == "poisson":
            wrong = (values < 0) | (values != np.floor(values))
            needs = "whole numbers from 0"
        else:
            wrong, needs = values <= 0, "positive numbers"
        if wrong.any():
            place = int(np.argmax(wrong))
            raise SignalError(
                f"{self.name}: statistic={self.statistic} needs {needs}, and point {place} is"
                f" {float(values[place]):g}{remedy}"
            )

    def costs(self, values: Vector) -> Costs:
        """The costs of segments of *values* (see `points`)."""
        return self.costs_of(prefix_sums(values), prefix_sums(self.squares(values, values)))

    def costs_of(self, first: Vector, second: Vector) -> Costs:
        """The costs of segments with these sums of points and of their squares, shape (n + 1,)."""
        return Costs(
            self.kind,
            first,
            second,
            shape=self.shape if self.statistic == "gamma" else 1.0,
            bounded=not self.compat,
            lengths=self.penalty == "mbic",
        )

    def squares(self, values: Vector, whole: Vector) -> Vector:
        """The squares that the costs of *values* sum up: of a variance, about the mean of *whole*.

        The mean counts as known, as in the original.
        """
        centred = values - mean80(whole) if self.function == "var" else values
        return centred * centred

    def rated_sums(self, values: Vector) -> Vector:
        """Sums over prefixes of what CUSUM or CSS looks at, shape (n + 1,)."""
        return prefix_sums(values if self.kind is Kind.CUSUM else values * values)

    def penalty_for(self, n: int) -> float:
        """What a change must save in *n* points."""
        model = "css" if self.statistic == "css" else self.function
        return penalty_value(self.penalty, n, self.segment_parameters(), model)

    def segment_parameters(self) -> int:
        """How many parameters a further segment adds, beside its place."""
        return 2 if (self.function, self.statistic) == ("meanvar", "normal") else 1


def in_units(values: Vector, scale: Scale) -> Vector:
    """*values* in units of their spread, whatever their magnitude; shape (n,)."""
    return scaled(moderate(values) if scale and values.size else values, scale)


def penalised(costs: Costs, indices: Sequence[int], minimum: int, penalty: float) -> float:
    """What a division at *indices* costs, *penalty* included; infinite for too short segments."""
    if not len(costs):
        return 0.0
    bounds = list(pairwise((0, *indices, len(costs))))
    if not indices:
        return costs.of(*bounds[0])
    if any(stop - start < minimum for start, stop in bounds):
        return math.inf
    return sum(costs.of(*bound) for bound in bounds) + len(indices) * penalty


def check_q(detector: str, q: int | str) -> None:
    """Raise `SpecError` where *q* is neither a whole number from 1 nor ``max``."""
    if q != "max" and not (type(q) is int and q >= 1):
        raise SpecError(f"{detector}: q is a whole number from 1, or max, not {q!r}")


def most(q: int | Literal["max"], n: int) -> int:
    """The number that *q* stands for in *n* points: never more than half of them, and one."""
    limit = n // 2 + 1
    return limit if q == "max" else min(q, limit)


def prefix_sums(values: Vector) -> Vector:
    """Sums of the first 0, 1, ..., n of *values*, shape (n + 1,), made in long double."""
    sums = np.zeros(values.size + 1)
    sums[1:] = np.cumsum(values, dtype=np.longdouble)
    return sums


def mean80(values: Vector) -> float:
    """The mean as R takes it: in long double, and corrected by the mean of what is left."""
    wide = values.astype(np.longdouble)
    first = wide.sum() / values.size
    return float(first + (wide - first).sum() / values.size)
