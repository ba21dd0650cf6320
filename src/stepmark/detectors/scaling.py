# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a signal is divided by before a method with a fixed penalty sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from stepmark.errors import SpecError

if TYPE_CHECKING:
    from stepmark.series import Vector

Scale = Literal["std", "noise", "none"]


def check_scale(detector: str, scale: str) -> None:
    """Raise `SpecError` where *scale* is none of std, noise, none."""
    if scale not in get_args(Scale):
        raise SpecError(f"{detector}: scale is std, noise or none, not {scale!r}")


def scaled(values: Vector, scale: Scale) -> Vector:
    """*values*, shape (n,), in units of their spread.

    ``std`` centres them and divides by the sample standard deviation (divisor n - 1), as the Turing
    benchmark does; ``noise`` divides by `noise_level`; ``none`` leaves them. A spread of 0 divides
    nothing.
    """
    if scale == "none" or values.size < 2:
        return values
    if scale == "noise":
        level = noise_level(values)
        return values / level if level > 0 else values
    # R accumulates in 80 bits and rounds once; where long double has only 64 bits, the last digit
    # may differ from R's.
    centred = values - float(np.sum(values, dtype=np.longdouble) / values.size)
    squares = np.sum((centred * centred).astype(np.longdouble), dtype=np.longdouble)
    deviation = float(np.sqrt(float(squares) / (values.size - 1)))
    return centred / deviation if deviation > 0 else centred


def noise_level(values: Vector) -> float:
    """The standard deviation of the noise, from the differences of neighbours; 0 for a constant.

    The median absolute difference over 0.6745 sqrt(2): steps and slow drifts hardly touch it. Where
    more than half of the differences are 0 (quantised values) their root mean square serves.
    """
    steps = np.abs(np.diff(values))
    if steps.size == 0:
        return 0.0
    level = float(np.median(steps)) / (0.6744897501960817 * 2**0.5)
    return level if level > 0 else float(np.sqrt(np.mean(steps * steps) / 2))
