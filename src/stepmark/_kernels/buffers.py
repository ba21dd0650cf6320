# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the loops index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from stepmark.series import Vector

    Integers = npt.NDArray[np.int64]


class Buffers:
    """Makes what a kernel indexes: arrays for a compiled one, lists for an interpreted one."""

    def __init__(self, *, compiled: bool) -> None:
        self.compiled = compiled

    def reals(self, values: Sequence[float] | Vector | int) -> Any:
        """A float64 buffer of *values*, or of so many zeros."""
        if isinstance(values, int):
            return np.zeros(values) if self.compiled else [0.0] * values
        return np.array(values, dtype=np.float64) if self.compiled else [float(v) for v in values]

    def integers(self, values: Sequence[int] | Integers | int) -> Any:
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
