# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to segment costs and the searches over them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import segmentation as loops

if TYPE_CHECKING:
    from stepmark.series import Vector


class Kind(IntEnum):
    """What a segment costs, or how a split of it is rated, by the kernel's numbers."""

    MEAN = 0
    VARIANCE = 1
    MEAN_VARIANCE = 2
    GAMMA = 3
    POISSON = 4
    EMPIRICAL = 5
    CUSUM = 6
    CSS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What segments cost: sums over prefixes, and how a cost follows from them.

    Attributes:
        kind: the form of the cost, up to EMPIRICAL.
        first, second: sums of the first 0..n points and of their squares, shape (n + 1,). For
            EMPIRICAL *first* has *levels* numbers for each prefix, shape ((n + 1) * levels,), and
            *second* is empty, or with *bounded* the table `entropies`.
        floor: the variance that stands for none.
        shape: of the gamma distribution; for EMPIRICAL the factor of the cost.
        bounded: whether *floor* is the least variance a segment can have; for EMPIRICAL whether
            logarithms come from a table.
        lengths: whether the logarithm of a segment's length is part of its cost.
    """

    kind: Kind
    first: Vector
    second: Vector
    floor: float = 1e-11
    shape: float = 1.0
    levels: int = 1
    bounded: bool = False
    lengths: bool = False

    def __len__(self) -> int:
        return len(self.first) // self.levels - 1

    def of(self, start: int, stop: int, kernel: Any = loops) -> float:
        """The cost of the points *start* to *stop* (excluded)."""
        make = Buffers(compiled=kernel.COMPILED)
        cost: float = kernel.segment_cost(
            int(self.kind), _given(make, self.first), _given(make, self.second), start, stop,
            self.floor, self.shape, self.levels, self.bounded, self.lengths,
        )  # fmt: skip
        return cost

    def saved(self, places: Sequence[int], kernel: Any = loops) -> list[float]:
        """For each of *places* what joining the segments beside it would cost more."""
        make = Buffers(compiled=kernel.COMPILED)
        saved = make.reals(len(places))
        kernel.saved_costs(
            int(self.kind), _given(make, self.first), _given(make, self.second), self.floor,
            self.shape, self.levels, self.bounded, self.lengths,
            make.integers([0, *places, len(self)]), saved,
        )  # fmt: skip
        return [float(value) for value in saved]


@dataclass(frozen=True, slots=True)
class Margins:
    """Where a segment may be split: so far from its ends, and so far from the signal's."""

    left: int
    right: int
    first: int
    last: int


def entropies(n: int) -> Vector:
    """The values x log(x) for x = 0, 1/2, 1, ..., n; shape (2 n + 1,)."""
    halves = np.arange(2 * n + 1) / 2
    halves[1:] *= np.log(halves[1:])
    return halves


def _given(make: Buffers, values: Vector) -> Any:
    """*values* as the kernel takes them, not copied for a compiled one."""
    return values if make.compiled else values.tolist()


def single_change(
    costs: Costs, floor: float, low: int, high: int, kernel: Any = loops
) -> tuple[int, float]:
    """The place from *low* to *high* where one change costs least, and that cost; O(n).

    Costs are those of `Costs` less the constants, with *floor* for no variance.
    """
    make = Buffers(compiled=kernel.COMPILED)
    cost = make.reals(1)
    place = kernel.single_change(
        int(costs.kind), _given(make, costs.first), _given(make, costs.second),
        floor, costs.shape, low, high, cost,
    )  # fmt: skip
    return int(place), float(cost[0])


def greedy_splits(
    costs: Costs, margins: Margins, kernel: Any = loops
) -> Iterator[tuple[int, float]]:
    """Binary segmentation: place and saving of each split, best first; the first on ties.

    Half of the cost saved is given. Ends where no split saves anything. O(n) a split at worst.
    """
    make = Buffers(compiled=kernel.COMPILED)
    gain = make.reals(1)
    first, second = _given(make, costs.first), _given(make, costs.second)

    def best(a: int, b: int, low: int, high: int) -> tuple[int, float]:
        place = kernel.best_split(
            int(costs.kind), first, second, costs.floor, costs.shape, costs.bounded, costs.lengths,
            a, b, low, high, gain,
        )  # fmt: skip
        return int(place), float(gain[0])

    return _greedy(best, len(costs), margins)


def greedy_statistics(
    kind: Kind, sums: Vector, margins: Margins, kernel: Any = loops
) -> Iterator[tuple[int, float]]:
    """As `greedy_splits`, by a statistic (CUSUM or CSS) of *sums*, shape (n + 1,)."""
    make = Buffers(compiled=kernel.COMPILED)
    gain = make.reals(1)
    given = _given(make, sums)

    def best(a: int, b: int, low: int, high: int) -> tuple[int, float]:
        place = kernel.best_statistic(int(kind), given, a, b, low, high, gain)
        return int(place), float(gain[0])

    return _greedy(best, len(sums) - 1, margins)


def _greedy(best: Any, n: int, margins: Margins) -> Iterator[tuple[int, float]]:
    queue: list[tuple[float, int, int, int]] = []

    def offer(a: int, b: int) -> None:
        low, high = max(a + margins.left, margins.first), min(b - margins.right, margins.last)
        place, gain = best(a, b, low, high) if low <= high else (0, 0.0)
        if place:
            heapq.heappush(queue, (-gain, place, a, b))

    offer(0, n)
    while queue:
        negative, place, a, b = heapq.heappop(queue)
        yield place, -negative
        offer(a, place)
        offer(place, b)


def statistic(kind: Kind, sums: Vector, a: int, j: int, b: int) -> float:
    """The statistic (CUSUM or CSS) of a split of (a, b] at *j*; -1 where it is undefined."""
    value: float = loops.split_statistic(int(kind), sums, a, j, b)
    return value


class Pelt:
    """The least penalised cost of every prefix, extended as the signal grows."""

    __slots__ = ("_buffers", "_count", "_done", "_kernel", "_make", "_minimum", "_penalty")

    def __init__(self, penalty: float, minimum: int, kernel: Any = loops) -> None:
        self._kernel, self._make = kernel, Buffers(compiled=kernel.COMPILED)
        self._penalty, self._minimum = penalty, minimum
        self._done, self._count = 0, 0
        self._buffers: list[Any] = []

    def extend(self, costs: Costs, *, exact: bool) -> tuple[int, ...]:
        """The changes of all points that *costs* knows, the sums known before being the same."""
        n = len(costs)
        self._reserve(n + 2)
        make = self._make
        self._count = self._kernel.pelt(
            self._done + 1, n, int(costs.kind),
            _given(make, costs.first), _given(make, costs.second), costs.floor, costs.shape,
            costs.levels, costs.bounded, costs.lengths, self._penalty, self._minimum, exact,
            *self._buffers, self._count,
        )  # fmt: skip
        self._done = n
        last, places, place = self._buffers[1], [], n
        while place >= 2 * self._minimum and (place := int(last[place])) > 0:
            places.append(place)
        return tuple(places[::-1])

    def _reserve(self, length: int) -> None:
        make = self._make
        if not self._buffers:
            self._buffers = [
                make.reals(length), *(make.integers(length) for _ in range(3)),
                make.reals(length), make.reals(length),
            ]  # fmt: skip
            best, _, candidates, *_ = self._buffers
            best[0] = -self._penalty
            candidates[1] = self._minimum
            self._count = 2
        elif len(self._buffers[0]) < length:
            self._buffers = [make.longer(buffer, 2 * length) for buffer in self._buffers]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where the segments of a division into at most so many may lie.

    Attributes:
        segments: the most there may be.
        shortest: fewest points of the first one.
        unit, offset: the q-th one begins after at least q * unit - offset points.
        gap: fewest points of any but the first.
    """

    segments: int
    shortest: int
    unit: int
    offset: int
    gap: int


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The best of a whole signal in 1, 2, ... segments.

    Attributes:
        best: cost (or sum of statistics) for each number of segments, infinite where it cannot be.
    """

    best: tuple[float, ...]
    _last: Any
    _length: int

    def places(self, segments: int) -> tuple[int, ...]:
        """The changes of the best division into *segments* segments."""
        width, place = len(self.best), self._length
        found = []
        for q in range(segments - 1, 0, -1):
            place = int(self._last[place * width + q])
            found.append(place)
        return tuple(found[::-1])


def neighbourhood(
    costs: Costs, x: Vector, y: Vector, rules: Neighbourhood, kernel: Any = loops
) -> Table:
    """The least costs without penalty of *x*, *y* (points and squares, shape (n,)).

    O(segments n^2) time, O(segments n) memory. The costs' sums are made anew from each start.
    """
    n, width = x.size, rules.segments
    best, last = _tables(n, width, np.inf, kernel)
    make = Buffers(compiled=kernel.COMPILED)
    kernel.neighbourhood(
        int(costs.kind), _given(make, x), _given(make, y), costs.floor, costs.shape, costs.bounded,
        width, rules.shortest, rules.unit, rules.offset, rules.gap, best, last,
    )  # fmt: skip
    return Table(tuple(float(v) for v in best[n * width :]), last, n)


def statistic_neighbourhood(
    kind: Kind, sums: Vector, segments: int, minimum: int, kernel: Any = loops
) -> Table:
    """As `neighbourhood`, with the largest sum of statistics; segments of at least *minimum*."""
    n = sums.size - 1
    best, last = _tables(n, segments, -np.inf, kernel)
    for j in range(n + 1):
        best[j * segments] = 0.0
    make = Buffers(compiled=kernel.COMPILED)
    kernel.statistic_neighbourhood(int(kind), _given(make, sums), segments, minimum, best, last)
    return Table(tuple(float(v) for v in best[n * segments :]), last, n)


def _tables(n: int, width: int, fill: float, kernel: Any) -> tuple[Any, Any]:
    size = (n + 1) * width
    if not kernel.COMPILED:
        return [fill] * size, [0] * size
    return np.full(size, fill), np.zeros(size, dtype=np.int32)
