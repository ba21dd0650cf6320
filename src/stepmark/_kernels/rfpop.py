# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to optimal partitions under a robust loss."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import rfpop as loops

if TYPE_CHECKING:
    from stepmark.series import Vector

_PIECES = 128
_NUMBERS = 5  # of a piece


class Loss(IntEnum):
    """What a distance costs beyond the width, by the kernel's numbers; its square up to there."""

    L1 = 0
    HUBER = 1
    CONSTANT = 2


def robust_partition(
    values: Vector, loss: Loss, width: float, penalty: float, kernel: Any = loops
) -> list[int]:
    """The first points of all segments but the first, where losses and penalties are least.

    *values*, shape (n,), one or more finite numbers. A distance costs its square up to *width*,
    which is 0 for `Loss.L1` and may be infinite; each change costs *penalty*. The level of a
    segment is between the least and the largest value. Of equal optima the lowest level is taken.
    Time O(n h) and memory O(n + h), h being the number of pieces of the cost as a function of the
    level of the last segment.
    """
    make = Buffers(compiled=kernel.COMPILED)
    n = len(values)
    given, last = make.reals(values), make.integers(n)
    pieces, spare = make.reals(_NUMBERS * _PIECES), make.reals(_NUMBERS * _PIECES)
    least, state = make.reals(1), make.integers(2)
    # The cost of no point is 0 at any level.
    pieces[0] = float(values.max())
    done, count = 0, 1
    while done < n:
        kernel.extend(
            given, done, int(loss), width, penalty, float(values.min()), count, pieces, spare,
            least, last, state,
        )  # fmt: skip
        done, count = int(state[0]), int(state[1])
        if done < n:
            spare = make.reals(2 * len(pieces))
            pieces = make.longer(pieces, 2 * len(pieces))
    starts = []
    end = n
    while (end := int(last[end - 1])) > 0:
        starts.append(end)
    return starts[::-1]
