# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the divisions of least scatter in a kernel's feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import kcpa as loops

if TYPE_CHECKING:
    from stepmark.series import Vector


def median_square(values: Vector, kernel: Any = loops) -> float:
    """The median of all n^2 squared differences, those of a value with itself included.

    O(n log n) time and O(n) memory but for the bisection's steps, some 60.
    """
    n = len(values)
    rising = Buffers(compiled=kernel.COMPILED).reals(np.sort(values))
    middle = ((n * n - 1) // 2, n * n // 2)
    # n zeros come first, then each pair twice.
    gaps = [0.0 if r < n else kernel.gap_of_rank(rising, (r - n) // 2 + 1) for r in middle]
    return float(gaps[0] * gaps[0] + gaps[1] * gaps[1]) / 2


@dataclass(frozen=True, slots=True)
class Divisions:
    """The best divisions of a signal, one for each number of changes.

    Attributes:
        scatters: their scatter, for 0, 1, 2 ... changes.
        prefix_scatters: that of the first b values undivided, for b = 0 ... n.
        suffix_scatters: that of the values from a on undivided, for a = 0 ... n - 1.
    """

    scatters: tuple[float, ...]
    prefix_scatters: tuple[float, ...]
    suffix_scatters: tuple[float, ...]
    _origin: Any

    def places(self, changes: int) -> list[int]:
        """The first points of the new segments, in order, of the division with so many changes."""
        columns = len(self.scatters)
        found: list[int] = []
        end = len(self.suffix_scatters)
        for k in range(changes, 0, -1):
            end = int(self._origin[end * columns + k])
            found.append(end)
        return found[::-1]


def best_divisions(values: Vector, width: float, changes: int, kernel: Any = loops) -> Divisions:
    """The divisions of least scatter with 0 ... *changes* changes (fewer than values).

    The kernel is exp(-d^2 / *width*); for a width of 0 it tells equal from different. O(n^2 c) time
    and O(n c) memory for c changes.
    """
    n, columns = len(values), changes + 1
    make = Buffers(compiled=kernel.COMPILED)
    cells = (n + 1) * columns
    scatter, cost = make.reals(cells), make.reals(n)
    origin: Any = np.zeros(cells, dtype=np.int32) if kernel.COMPILED else [0] * cells
    kernel.best_divisions(make.reals(values), width, columns, make.reals(n), cost, scatter, origin)
    last = [float(x) for x in scatter[n * columns : (n + 1) * columns]]
    prefixes = [float(x) for x in scatter[::columns]]
    return Divisions(tuple(last), tuple(prefixes), tuple(float(x) for x in cost), origin)
