# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to wild binary segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import wbs as loops

if TYPE_CHECKING:
    import numpy.typing as npt

    from stepmark.series import Vector

    Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Splits:
    """Places where a signal is divided, in the order in which they are found.

    Attributes:
        places: first points of the right parts; shape (k,).
        sizes: magnitudes of their CUSUM statistics.
        limits: the largest threshold with which each is still found.
    """

    places: Integers
    sizes: Vector
    limits: Vector


def wild_splits(
    values: Vector,
    starts: Integers,
    stops: Integers,
    *,
    integrated: bool,
    compat: bool,
    kernel: Any = loops,
) -> Splits:
    """Divide *values*, shape (n,), at the best splits of the intervals values[start:stop].

    Each interval has at least two points. Time O(n m) for m intervals, memory O(n + m).
    """
    n, m = values.size, starts.size
    make = Buffers(compiled=kernel.COMPILED)
    numbers = make.reals(values)
    first, last = make.integers(starts), make.integers(stops)
    places, sizes, work = make.integers(m), make.reals(m), make.reals(n)
    kernel.measure(numbers, first, last, compat, places, sizes, work)
    order = make.integers(np.argsort(-np.asarray(sizes), kind="stable"))
    found, found_sizes, found_limits = make.integers(n), make.reals(n), make.reals(n)
    count = kernel.divide(
        numbers, first, last, places, sizes, order, integrated, compat, work, make.integers(m),
        make.integers(4 * (n + 1)), make.reals(n + 1), found, found_sizes, found_limits,
    )  # fmt: skip
    return Splits(
        np.array(found[:count], dtype=np.int64),
        np.array(found_sizes[:count], dtype=np.float64),
        np.array(found_limits[:count], dtype=np.float64),
    )


def residual_squares(values: Vector, places: Integers, kernel: Any = loops) -> Vector:
    """Sums of squares about the segments' means with the first 0, 1, ... k of *places*.

    Shape (k + 1,); time O(n + k^2) beside the sums of the segments themselves.
    """
    n, make = values.size, Buffers(compiled=kernel.COMPILED)
    result = make.reals(places.size + 1)
    kernel.residuals(
        make.reals(values), make.integers(places), make.integers(n + 1), make.integers(n + 1),
        make.reals(n), result,
    )  # fmt: skip
    return np.array(result, dtype=np.float64)
