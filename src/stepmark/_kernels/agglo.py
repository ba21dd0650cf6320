# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to agglomeration by energy distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import agglo as loops

if TYPE_CHECKING:
    from stepmark.series import Vector


def merged_starts(values: Vector, power: float, *, circle: bool, kernel: Any = loops) -> list[int]:
    """The first points of the clusters with the best fit, in order; none for a constant.

    Needs three points. On a *circle* the last cluster may go on at the first point, which then is
    no start. O(n^2) time and memory: one matrix of n x n numbers.
    """
    n = len(values)
    make = Buffers(compiled=kernel.COMPILED)
    merged = make.integers(n)
    steps = kernel.merge_neighbours(
        make.reals(values), power, circle, make.reals(n * n), make.reals(n), make.integers(n),
        make.integers(n), merged,
    )  # fmt: skip
    if steps < 0:
        return []
    gone = {int(start) for start in merged[:steps]}
    return [start for start in range(n) if start not in gone]
