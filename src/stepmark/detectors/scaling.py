# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a signal is divided by before a method with a fixed penalty sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from stepmark.errors import SignalError, SpecError
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

_LARGEST, _SMALLEST = 1e150, 1e-150  # whose squares are finite, and not 0
# A spec's word none is None.
Scale = Literal["std", "noise"] | None


def check_scale(detector: str, scale: str | None) -> None:
    """Raise `SpecError` where *scale* is none of "std", "noise" and None."""
    if scale not in ("std", "noise", None):
        raise SpecError(f"{detector}: scale is std, noise or none, not {scale!r}")


def point_values(signal: Signal | Iterable[Any], detector: str) -> Vector:
    """One finite number a point, shape (n,): of replicates their mean.

    Raises `SignalError` for NaN and infinities, and for a point without replicates.
    """
    # Not of the signal itself: where a point has replicates, that says nothing of their mean.
    means = Signal(Signal.of(signal).values)
    means.require_finite(detector)
    return means.values


def scaled(values: Vector, scale: Scale) -> Vector:
    """*values*, shape (n,), in units of their spread.

    ``std`` centres them and divides by the sample standard deviation (divisor n - 1), as the Turing
    benchmark does; ``noise`` divides by `noise_level`; None leaves them. A spread of 0 divides
    nothing.
    """
    if scale is None or values.size < 2:
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
    steps = np.diff(values)
    np.abs(steps, out=steps)
    if steps.size == 0:
        return 0.0
    level = median(steps) / (0.6744897501960817 * 2**0.5)
    return level if level > 0 else float(np.sqrt(np.mean(steps * steps) / 2))


def median(values: Vector) -> float:
    """The median of *values*, shape (n,) with n >= 1.

    np.median takes several times as long, and loads numpy.ma.
    """
    middle = values.size // 2
    ordered = np.partition(values, middle)
    above = float(ordered[middle])
    below = above if values.size % 2 else float(ordered[:middle].max())
    return (below + above) / 2


def moderate(values: Vector) -> Vector:
    """*values*, times a power of two where squares of them would overflow or vanish.

    Shape (n,) with n >= 1. For what does not depend on the unit of the values: no digit changes.
    """
    magnitude = _magnitude(values)
    if magnitude == 0 or _SMALLEST < magnitude < _LARGEST:
        return values
    return np.ldexp(values, -int(np.frexp(magnitude)[1]))


def require_squares(detector: str, values: Vector) -> None:
    """Raise `SignalError` where the squares of *values*, in units of their scale, are not finite.

    Shape (n,) with n >= 1.
    """
    if not _magnitude(values) < _LARGEST:
        raise SignalError(
            f"{detector}: values lie more than 1e150 units of scale apart, and squares cannot tell"
            " them: leave out the outliers"
        )


def _magnitude(values: Vector) -> float:
    return max(float(values.max()), -float(values.min()))
