# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the Minimum Description Length searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import mdl as loops

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]


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


def group_bits(
    n: int, average: float, deviation: float, maximum: float, unit: float, previous: float | None
) -> float:
    """Bits of one group of *n* samples after a group of mean *previous* (None for the first)."""
    bits: float = loops.group_bits(
        n, average, deviation, maximum, unit, previous is None, previous or 0.0
    )
    return bits


class _Growing:
    """Runs that come one after the other, and room for what a search keeps of each."""

    def __init__(self, maximum: float, unit: float, kernel: Any) -> None:
        self._maximum, self._unit, self._kernel = maximum, unit, kernel
        self._make = Buffers(compiled=kernel.COMPILED)
        self._samples, self._below = self._make.integers(1), self._make.reals(1)
        self._averages, self._deviations = self._make.reals(0), self._make.reals(0)
        self.length = 0

    def _take(self, runs: Runs, first: int) -> None:
        """Keep the runs from *first* on."""
        length = len(runs.sizes)
        if length > len(self._averages):
            self._reserve(max(length, 2 * len(self._averages)))
        total = int(self._samples[first])
        for i in range(first, length):
            total += runs.sizes[i]
            self._samples[i + 1] = self._below[i + 1] = total
        self._averages[first:length] = self._make.reals(runs.averages[first:])
        self._deviations[first:length] = self._make.reals(runs.deviations[first:])
        self.length = length

    def _reserve(self, room: int) -> None:
        longer = self._make.longer
        self._samples, self._below = longer(self._samples, room + 1), longer(self._below, room + 1)
        self._averages = longer(self._averages, room)
        self._deviations = longer(self._deviations, room)


class RecordSearch(_Growing):
    """The groups of jumpavg 0.4.2, for runs that may grow in number.

    One more run takes O(n) time; O(n) memory.
    """

    def __init__(self, maximum: float, unit: float, kernel: Any = loops) -> None:
        super().__init__(maximum, unit, kernel)
        self._terms = [self._make.reals(0) for _ in range(3)]
        self._state = [self._make.reals(0) for _ in range(5)]
        self._parent = self._make.integers(0)

    def extend(self, runs: Runs) -> list[int]:
        """Take up those of *runs* that are new, at its end; the starts of all groups."""
        first = self.length
        self._take(runs, first)
        wanted = _power_above(int(self._samples[self.length]))
        if wanted > len(self._terms[0]):
            self._terms = [self._make.reals(terms) for terms in _terms(wanted)]
        self._kernel.record_search(
            first, self._samples, self._below, self._averages[: self.length], self._deviations,
            self._maximum, self._unit, *self._terms, *self._state, self._parent,
        )  # fmt: skip
        starts = [int(self._parent[self.length])]
        while self._parent[starts[-1]] >= 0:
            starts.append(int(self._parent[starts[-1]]))
        return starts[::-1]

    def _reserve(self, room: int) -> None:
        super()._reserve(room)
        self._state = [self._make.longer(buffer, room + 1) for buffer in self._state]
        self._parent = self._make.longer(self._parent, room + 1)


def record_search(runs: Runs, kernel: Any = loops) -> list[int]:
    """Starts of jumpavg 0.4.2's groups; O(n^2) time, O(n) memory."""
    return RecordSearch(runs.maximum, runs.unit, kernel).extend(runs)


def _power_above(size: int) -> int:
    return 1 << size.bit_length()


@lru_cache(maxsize=4)
def _terms(length: int) -> tuple[list[float], list[float], list[float]]:
    """Three terms of jumpavg's bits for each number of samples below *length*, by its operations.

    They are the bits of the size, and two parts of the logarithm of the sphere's area.
    """
    counted, area, tail = [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]
    for n in range(2, length):
        counted.append(math.log(n * (n + 1), 2))  # noqa: FURB163 - log2 rounds otherwise
        ln = math.log(2)
        ln += math.log(math.pi) * ((n - 1) / 2)
        ln -= math.lgamma((n - 1) / 2)
        area.append(ln)
        tail.append(math.log(n) * ((n - 2) / 2))
    return counted, area, tail


class ExactSearch(_Growing):
    """The groups with the fewest bits of all partitions, for runs that may grow in number.

    O(n h) time for one more run and O(n h) memory, h being the number of predecessors that can
    matter to a group (seldom above 3). All runs have samples. Ties go to the longest last group.
    """

    def __init__(self, maximum: float, unit: float, kernel: Any = loops) -> None:
        super().__init__(maximum, unit, kernel)
        self._table = self._make.reals(0)
        self._mean, self._squares = self._make.reals(0), self._make.reals(0)
        self._best, self._base, self._offset = (
            self._make.reals(0), self._make.reals(0), self._make.integers(1),
        )  # fmt: skip
        self._work = [self._make.reals(0), self._make.reals(0), self._make.integers(0)]
        self._envelope = [self._make.reals(16), self._make.reals(16), self._make.integers(16)]
        self._low, self._high = math.inf, -math.inf

    def extend(self, runs: Runs) -> list[int]:
        """Take up those of *runs* that are new, at its end; the starts of all groups."""
        done = self.length
        self._take(runs, done)
        if self._widen(runs.averages[done:]):
            done = 0
        wanted = int(self._samples[self.length]) + 1
        if wanted > len(self._table):
            self._table = self._make.reals(max(wanted, 2 * len(self._table)))
            self._kernel.fill_table(self._table, self._maximum / self._unit)
        while True:
            done = self._kernel.exact_search(
                done, len(self._envelope[0]), *self._bounds(), self._samples, self._below,
                self._averages[: self.length], self._deviations, self._maximum, self._unit,
                self._table, self._mean, self._squares, self._best, self._base, self._offset,
                *self._envelope, *self._work,
            )  # fmt: skip
            if done == self.length:
                break
            capacity = 2 * len(self._envelope[0]) + self.length
            self._envelope = [self._make.longer(buffer, capacity) for buffer in self._envelope]
        best = self._best[: self.length]
        return _follow(best, self._offset, self._envelope, self._mean, self._unit)

    def _reserve(self, room: int) -> None:
        super()._reserve(room)
        longer = self._make.longer
        self._mean, self._squares = longer(self._mean, room), longer(self._squares, room)
        self._best, self._base = longer(self._best, room), longer(self._base, room)
        self._offset = longer(self._offset, room + 1)
        self._work = [longer(buffer, room) for buffer in self._work]
        capacity = max(6 * room + 16, len(self._envelope[0]))
        self._envelope = [longer(buffer, capacity) for buffer in self._envelope]

    def _widen(self, averages: Sequence[float]) -> bool:
        """Take in new averages; whether those before were pruned by bounds that are now too narrow.

        A range that had to grow is doubled, so that it seldom has to.
        """
        if not averages:
            return False
        low, high = min(self._low, *averages), max(self._high, *averages)
        if (low, high) == (self._low, self._high):
            return False
        known = self._low <= self._high
        spread = high - low if known else 0.0
        self._low = low - spread if low < self._low else self._low
        self._high = high + spread if high > self._high else self._high
        return known

    def _bounds(self) -> tuple[float, float]:
        """Largest difference of two averages in units, and of two norms in bits."""
        low, high = self._low / self._unit, self._high / self._unit
        top = self._maximum / self._unit
        # The norm is a parabola of the average, least at top / 2.
        turning = min(max(top / 2, low), high)
        norms = [self._kernel.norm_after(p, top) for p in (low, high, turning)]
        return high - low, math.log2(max(norms) / min(norms)) + 1e-6


def exact_search(runs: Runs, kernel: Any = loops) -> list[int]:
    """Starts of the groups with the fewest bits of all partitions; O(n^2 h) time."""
    return ExactSearch(runs.maximum, runs.unit, kernel).extend(runs)


def _follow(best: Any, offset: Any, envelope: list[Any], mean: Any, unit: float) -> list[int]:
    weight, place, origin = envelope
    start = int(np.argmin(best))
    x = mean[start] / unit
    starts = [start]
    while start > 0:
        parts = range(offset[start], offset[start + 1])
        part = max(parts, key=lambda k: weight[k] * (abs(x - place[k]) + 1.0))
        start, x = int(origin[part]), place[part]
        starts.append(start)
    return starts[::-1]
