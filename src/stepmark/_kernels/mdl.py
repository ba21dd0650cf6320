# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the Minimum Description Length searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from stepmark._kernels.loops import mdl as loops


@dataclass(frozen=True, slots=True)
class Runs:
    """What a search needs of its input.

    Attributes:
        sizes, averages, deviations: number of samples, mean and population standard deviation of
            each run, in order; shape (n,).
        maximum: the largest value an average is coded for.
        unit: the resolution, in the values' own unit; positive.
    """

    sizes: Sequence[int]
    averages: Sequence[float]
    deviations: Sequence[float]
    maximum: float
    unit: float


class Buffers:
    """Makes what a kernel indexes: arrays for a compiled one, lists for an interpreted one."""

    def __init__(self, *, compiled: bool) -> None:
        self.compiled = compiled

    def reals(self, values: Sequence[float] | int) -> Any:
        """A float64 buffer of *values*, or of so many zeros."""
        if isinstance(values, int):
            return np.zeros(values) if self.compiled else [0.0] * values
        return np.array(values, dtype=np.float64) if self.compiled else [float(v) for v in values]

    def integers(self, values: Sequence[int] | int) -> Any:
        """An int64 buffer of *values*, or of so many zeros."""
        if isinstance(values, int):
            return np.zeros(values, dtype=np.int64) if self.compiled else [0] * values
        return np.array(values, dtype=np.int64) if self.compiled else list(values)

    def longer(self, buffer: Any, length: int) -> Any:
        """*buffer* with zeros up to *length*."""
        more = length - len(buffer)
        if self.compiled:
            return np.concatenate([buffer, np.zeros(more, dtype=buffer.dtype)])
        return buffer + [0] * more


def group_bits(
    n: int, average: float, deviation: float, maximum: float, unit: float, previous: float | None
) -> float:
    """Bits of one group of *n* samples after a group of mean *previous* (None for the first)."""
    bits: float = loops.group_bits(
        n, average, deviation, maximum, unit, previous is None, previous or 0.0
    )
    return bits


def record_search(runs: Runs, kernel: Any = loops) -> list[int]:
    """Starts of jumpavg 0.4.2's groups; O(n^2) time, O(n) memory."""
    n = len(runs.sizes)
    make = Buffers(compiled=kernel.COMPILED)
    samples = list(accumulate(runs.sizes, initial=0))
    parent = make.integers(n)
    last = kernel.record_search(
        make.integers(samples),
        make.reals(samples),
        make.reals(runs.averages),
        make.reals(runs.deviations),
        runs.maximum,
        runs.unit,
        _table(runs, make, kernel),
        make.reals(n),
        make.reals(n),
        make.reals(n),
        make.reals(n),
        make.reals(n),
        parent,
    )
    starts = [int(last)]
    while parent[starts[-1]] >= 0:
        starts.append(int(parent[starts[-1]]))
    return starts[::-1]


def exact_search(runs: Runs, kernel: Any = loops) -> list[int]:
    """Starts of the groups with the fewest bits of all partitions.

    O(n^2 h) time and O(n h) memory, h being the number of predecessors that can matter to a group
    (seldom above 3). All runs have samples. Ties go to the longest last group.
    """
    n = len(runs.sizes)
    make = Buffers(compiled=kernel.COMPILED)
    counted = list(accumulate(runs.sizes, initial=0))
    samples, below = make.integers(counted), make.reals(counted)
    averages = make.reals(runs.averages)
    deviations = make.reals(runs.deviations)
    table = _table(runs, make, kernel)
    mean, squares = make.reals(n), make.reals(n)
    best, base, offset = make.reals(n), make.reals(n), make.integers(n + 1)
    work_cost, work_place, work_origin = make.reals(n), make.reals(n), make.integers(n)
    capacity = 6 * n + 16
    envelope = [make.reals(capacity), make.reals(capacity), make.integers(capacity)]
    reach, norms = _bounds(runs)
    done = 0
    while True:
        done = kernel.exact_search(
            done, capacity, reach, norms, samples, below, averages, deviations, runs.maximum,
            runs.unit, table, mean, squares, best, base, offset, *envelope,
            work_cost, work_place, work_origin,
        )  # fmt: skip
        if done == n:
            break
        capacity = 2 * capacity + n
        envelope = [make.longer(buffer, capacity) for buffer in envelope]
    return _follow(best, offset, envelope, mean, runs.unit)


def _follow(best: Any, offset: Any, envelope: list[Any], mean: Any, unit: float) -> list[int]:
    weight, place, origin = envelope
    start = min(range(len(best)), key=best.__getitem__)
    x = mean[start] / unit
    starts = [start]
    while start > 0:
        parts = range(offset[start], offset[start + 1])
        part = max(parts, key=lambda k: weight[k] * (abs(x - place[k]) + 1.0))
        start, x = int(origin[part]), place[part]
        starts.append(start)
    return starts[::-1]


def _table(runs: Runs, make: Buffers, kernel: Any) -> Any:
    table = make.reals(sum(runs.sizes) + 1)
    kernel.fill_table(table, runs.maximum / runs.unit)
    return table


def _bounds(runs: Runs) -> tuple[float, float]:
    """Largest difference of two averages in units, and of two norms in bits."""
    low, high = min(runs.averages) / runs.unit, max(runs.averages) / runs.unit
    top = runs.maximum / runs.unit
    # The norm p^2 - (p - 1) top + top^2 / 2 is a parabola in p with its least value at top / 2.
    turning = min(max(top / 2, low), high)
    norms = [p * p - (p - 1.0) * top + top * top / 2 for p in (low, high, turning)]
    return high - low, math.log2(max(norms) / min(norms)) + 1e-6
