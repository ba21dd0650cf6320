# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the energy statistics of e-divisive, ecp and Otava."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import energy as loops

if TYPE_CHECKING:
    from stepmark.series import Vector

# The kernels square numbers of points and count in 32 bits.
LONGEST = 50_000
_WORD = 2**64


@dataclass(frozen=True, slots=True)
class Split:
    """The best place to divide a window: its statistic, and the first point of the right part."""

    place: int
    statistic: float


class Random:
    """The kernels' own stream of random numbers (splitmix64): the same on every machine."""

    def __init__(self, seed: int, kernel: Any = loops) -> None:
        self.kernel = kernel
        word = seed % _WORD
        self.state: Any = np.array([word], dtype=np.uint64) if kernel.COMPILED else [word]

    def below(self, bound: int, count: int) -> list[int]:
        """*count* numbers from 0 to *bound* - 1."""
        drawn: list[int] = self.kernel.draws(self.state, bound, count)
        return drawn


class Windows:
    """A signal divided into windows, each with its best further split.

    One of the two statistics is behind it: `WholeWindows` or `PairWindows`.
    """

    def __init__(self, values: Vector, kernel: Any) -> None:
        self.kernel = kernel
        self.make = Buffers(compiled=kernel.COMPILED)
        self.values = self.make.reals(values)
        self.bounds = [0, len(values)]
        self.statistic = self.make.reals(1)
        self._splits: dict[tuple[int, int], Split | None] = {}

    def best(self) -> Split | None:
        """The split with the largest statistic; of equal ones the first. None where none fits."""
        splits = [self._split(*window) for window in pairwise(self.bounds)]
        return max((s for s in splits if s), key=lambda s: s.statistic, default=None)

    def divide(self, place: int) -> None:
        """Make two windows of the one that *place* lies inside."""
        at = bisect_left(self.bounds, place)
        del self._splits[self.bounds[at - 1], self.bounds[at]]
        insort(self.bounds, place)

    def exceeded(self, threshold: float, permutations: int, allowed: int, random: Random) -> int:
        """How many of so many permutations inside the windows reach *threshold* with some split.

        Counting ends at *allowed* + 1.
        """
        raise NotImplementedError

    def _split(self, start: int, stop: int) -> Split | None:
        if (start, stop) not in self._splits:
            self._splits[start, stop] = self._find(start, stop)
        return self._splits[start, stop]

    def _find(self, start: int, stop: int) -> Split | None:
        raise NotImplementedError


class WholeWindows(Windows):
    """MongoDB's statistic: both parts together are the whole window.

    A split takes O(n^2) time, a permutation O(n log n); memory O(n).
    """

    def __init__(self, values: Vector, kernel: Any = loops) -> None:
        super().__init__(values, kernel)
        n = len(values)
        self._array = values
        self._rows, self._columns = self.make.reals(n), self.make.reals(n)
        # Taken from the middle, so that sums of values lose few digits.
        middle = float(np.median(values)) if n else 0.0
        self._centred = self.make.reals(values - middle)
        self._ranks, self._sums = self.make.integers(n), self.make.reals(n)
        self._totals: dict[tuple[int, int], float] = {}
        self._order = self.make.integers(range(n))
        self._tree = self.make.reals(2 * n + 2)

    def exceeded(self, threshold: float, permutations: int, allowed: int, random: Random) -> int:
        totals = [self._totals[window] for window in pairwise(self.bounds)]
        # Other roundings than the split's: what is equal must not count as less.
        threshold -= 1e-9 * abs(threshold)
        count: int = self.kernel.exceeded_whole(
            self._centred, self._ranks, self._sums, self.make.integers(self.bounds),
            self.make.reals(totals), threshold, permutations, allowed, self._order, self._tree,
            random.state,
        )  # fmt: skip
        return count

    def _find(self, start: int, stop: int) -> Split | None:
        place = self.kernel.whole_split(
            self.values, start, stop, self._rows, self._columns, self.statistic
        )
        self._prepare(start, stop)
        # A constant has no place that is better than its start.
        return Split(int(place), float(self.statistic[0])) if place > start else None

    def _prepare(self, start: int, stop: int) -> None:
        """What the permutations need of a new window."""
        values = self._array[start:stop]
        by_size = np.argsort(values, kind="stable")
        n = stop - start
        ranks = np.empty(n, dtype=np.int64)
        ranks[by_size] = np.arange(1, n + 1)
        rising = values[by_size]
        gaps = np.diff(rising)
        # Sums of distances to all: that of the smallest, then a gap farther from some and nearer
        # to the others.
        steps = gaps * (2 * np.arange(1, n) - n)
        sums = np.empty(n)
        sums[by_size] = np.cumsum(np.concatenate([[np.sum(rising - rising[0])], steps]))
        self._ranks[start:stop] = self.make.integers(ranks.tolist())
        self._sums[start:stop] = self.make.reals(sums)
        self._order[start:stop] = self.make.integers(range(start, stop))
        self._totals[start, stop] = float(np.sum(sums)) / 2


class PairWindows(Windows):
    """The statistic of Matteson and James: the right part may end before the window does.

    A split takes O(n^2) time, and so does a permutation; memory O(n).

    Attributes:
        least: the fewest points of a part.
        power: exponent of the distances.
        whole_factor: whether the factor of the parts' sizes is rounded down, as in ecp 3.1.1.
    """

    def __init__(
        self, values: Vector, least: int, power: float, *, whole_factor: bool, kernel: Any = loops
    ) -> None:
        super().__init__(values, kernel)
        self.least, self.power, self.form = least, power, 2 if whole_factor else 1
        sizes = np.arange(len(values) + 1.0)
        single, paired = 1 / np.maximum(sizes, 1), 2 / np.maximum(sizes * (sizes - 1), 1)
        self._shares = self.make.reals(single), self.make.reals(paired)
        self._work = pair_buffers(self.make, len(values))

    def exceeded(self, threshold: float, permutations: int, allowed: int, random: Random) -> int:
        count: int = self.kernel.exceeded_pairs(
            self.make.reals(self.values), self.make.integers(self.bounds), self.least, self.power,
            self.form, threshold - 1e-9 * abs(threshold), permutations, allowed,
            random.state, *self._shares, *self._work[:5],
        )  # fmt: skip
        return count

    def _find(self, start: int, stop: int) -> Split | None:
        if stop - start < 2 * self.least:
            return None
        place = self.kernel.pair_split(
            self.values, start, stop, self.least, self.power, self.form, *self._work,
            self.statistic,
        )  # fmt: skip
        return Split(int(place), float(self.statistic[0]))


def pair_buffers(make: Buffers, length: int) -> list[Any]:
    """The work space of a pair split of *length* points."""
    return [make.reals(length + 1) for _ in range(6)]


def divisive_splits(
    windows: Windows, permutations: int, allowed: int, random: Random
) -> list[Split]:
    """Splits in order of discovery, until more than *allowed* permutations reach the statistic."""
    splits = []
    while allowed >= 0 and (split := windows.best()) is not None:
        if windows.exceeded(split.statistic, permutations, allowed, random) > allowed:
            break
        splits.append(split)
        windows.divide(split.place)
    return splits


def moments(
    values: Vector, bounds: Sequence[int], lost: int, kernel: Any = loops
) -> tuple[list[float], list[float]]:
    """Means and standard deviations (divisor n - *lost*) between neighbouring *bounds*."""
    make = Buffers(compiled=kernel.COMPILED)
    means, deviations = make.reals(len(bounds) - 1), make.reals(len(bounds) - 1)
    kernel.moments(make.reals(values), make.integers(bounds), lost, means, deviations)
    return list(map(float, means)), list(map(float, deviations))


class WindowSplitter:
    """Divides stretches of a signal by t tests, as Otava does in each of its windows.

    Attributes:
        stop_early: whether the first test that fails ends the search in the whole stretch.
        lost: what is taken from n for the divisor of a variance, 0 or 1.
        critical: the least absolute t for each number of degrees of freedom.
    """

    def __init__(
        self,
        values: Vector,
        critical: Sequence[float],
        *,
        stop_early: bool,
        lost: int,
        kernel: Any = loops,
    ) -> None:
        self.kernel, self.stop_early, self.lost = kernel, stop_early, lost
        make = Buffers(compiled=kernel.COMPILED)
        longest = len(critical)
        self._values, self._critical = make.reals(values), make.reals(critical)
        self._bounds, self._places = make.integers(longest + 1), make.integers(longest + 1)
        self._heights, self._statistic = make.reals(longest + 1), make.reals(1)
        self._work = pair_buffers(make, longest)

    def places(self, start: int, stop: int) -> list[int]:
        """The first points of the new parts of [start, stop), in order."""
        parts = self.kernel.window_splits(
            self._values, start, stop, self.stop_early, self.lost, self._critical, self._bounds,
            self._places, self._heights, *self._work, self._statistic,
        )  # fmt: skip
        return [int(place) for place in self._bounds[1:parts]]
