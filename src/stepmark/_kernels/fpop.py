# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to optimal partitions by functional pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import fpop as loops

if TYPE_CHECKING:
    import numpy.typing as npt

    from stepmark.series import Vector

    Integers = npt.NDArray[np.int64]

_INTERVALS = 64


class Partition:
    """The division of a growing signal with the least sum of squares and penalties.

    Each point costs its squared distance from the mean of its segment, each change *penalty*, a
    positive number. *expected* is the number of points for which room is made at first.
    Time O(n h), h being the number of starts of the last segment that can still become the best
    (some ten); memory O(n).
    """

    def __init__(self, penalty: float, expected: int = 0, kernel: Any = loops) -> None:
        self._penalty = penalty
        self._kernel = kernel
        self._make = Buffers(compiled=kernel.COMPILED)
        self._intervals = [self._make.reals(_INTERVALS) for _ in range(5)]
        self._origins = self._make.integers(_INTERVALS)
        # No segment, and the first one pays no penalty.
        self._state = self._make.reals([0.0, -penalty, 0.0])
        self._last = self._make.integers(expected)
        self._level = self._make.reals(expected)
        self.points = 0

    def extend(self, values: Vector) -> None:
        """Add *values*, finite numbers whose squares are finite, at the end."""
        wanted = self.points + len(values)
        if wanted > len(self._last):
            room = max(wanted, 2 * len(self._last))
            self._last = self._make.longer(self._last, room)
            self._level = self._make.longer(self._level, room)
        compiled = self._kernel.COMPILED
        left = np.require(values, np.float64, ["C", "W"]) if compiled else values.tolist()
        while len(left):
            taken = self._kernel.extend(
                left, self.points, self._penalty, *self._intervals, self._origins, self._state,
                self._last, self._level,
            )  # fmt: skip
            self.points += taken
            left = left[taken:]
            if len(left):
                room = 2 * len(self._origins)
                self._intervals = [self._make.longer(b, room) for b in self._intervals]
                self._origins = self._make.longer(self._origins, room)

    def solution(self) -> tuple[Integers, Vector]:
        """The first points of all segments but the first, and the means of all segments."""
        places = self._make.integers(self._kernel.count_changes(self._last, self.points))
        self._kernel.trace(self._last, self.points, places)
        changes = np.asarray(places, dtype=np.int64)
        if not self.points:
            return changes, np.empty(0)
        ends = np.append(changes, self.points) - 1
        return changes, np.asarray(self._level, dtype=np.float64)[ends]
