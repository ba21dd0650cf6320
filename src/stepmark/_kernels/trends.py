# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to segments that are flat or lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import trends as loops

if TYPE_CHECKING:
    from stepmark.series import Vector


@dataclass(frozen=True, slots=True)
class Prior:
    """What is taken for granted before the first point.

    Attributes:
        changes: changes expected in the signal.
        temper: how much of a point counts; below 1 where neighbours are alike.
        power, rate: shape and rate of the gamma distribution of a segment's precision.
        weight: how many points the mean level, which is 0, counts in a segment.
        slope: the same for the rise over a segment, in lengths of the segment.
        least: fewest points of a segment.
        leaning: fewest points of a segment that can be a line.
    """

    changes: float = 1.0
    temper: float = 0.2
    power: float = 0.5
    rate: float = 0.1
    weight: float = 0.3
    slope: float = 1.0
    least: int = 3
    leaning: int = 6


def chances(values: Vector, prior: Prior, finest: int, kernel: Any = loops) -> Vector:
    """The probability that a segment begins at each point, shape (n,).

    Of a signal longer than *finest*, only so many places are looked at, evenly spaced. Time
    O(min(n, finest)^2), memory O(n).
    """
    make = Buffers(compiled=kernel.COMPILED)
    n = len(values)
    places = [*range(0, n, -(-n // finest)), n]
    index = np.arange(n, dtype=np.float64)
    sums = [
        make.reals(np.concatenate([[0.0], np.cumsum(part)]))
        for part in (values, values * values, index * values)
    ]
    tables = [make.reals(table) for table in _tables(n, prior)]
    before, after, term = (make.reals(len(places)) for _ in range(3))
    change = math.log(min(0.5, prior.changes / n))
    kernel.divide(
        make.integers(places), prior.least, change, prior.temper, prior.rate, prior.weight,
        prior.slope, prior.power, *sums, *tables, before, after, term,
    )  # fmt: skip
    found = np.zeros(n)
    weights = np.asarray(before[1:-1]) + np.asarray(after[1:-1]) + change - before[-1]
    found[places[1:-1]] = np.exp(weights)
    return found


def _tables(n: int, prior: Prior) -> tuple[Vector, Vector]:
    """What the evidence of a flat segment, and of a line, owes to its length alone."""
    length = np.arange(n + 1, dtype=np.float64)
    gamma = np.array([math.lgamma(prior.power + m / 2) for m in range(n + 1)])
    both = gamma - math.lgamma(prior.power) + prior.power * math.log(prior.rate)
    both += 0.5 * np.log(prior.weight / (length + prior.weight)) + math.log(0.5)
    both -= length / 2 * math.log(2 * math.pi)
    flat, line = both.copy(), np.full(n + 1, -1e300)
    flat[: prior.leaning] += math.log(2.0)
    long = length[prior.leaning :]
    spread = prior.slope * long**2
    line[prior.leaning :] = both[prior.leaning :] + 0.5 * np.log(
        spread / (long * (long**2 - 1) / 12 + spread)
    )
    return flat, line
