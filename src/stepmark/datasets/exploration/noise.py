# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the noise of one series is like, in numbers that steps of its level do not spoil."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

LEAST = 30
"""Points that a series must have, for anything to be said of its noise."""

_WINDOW = 41  # of the running level
_BLOCK = 50  # in which two bands are looked for
_FEWEST = 0.1  # of a block on either side, or it is outliers and no band
_ALTERNATING = 0.25  # of the switches of independent points: below, it is a step
_STRETCH = 20  # whose median is a level, for drift
_NORMAL_SD = 1.482602218505602  # standard deviations in a median absolute deviation
_NORMAL_TAIL = 1.959963984540054 / 0.6744897501960817


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of a series; None is what its points do not tell.

    Attributes:
        level: the median.
        sigma: a robust standard deviation about the running level, in units of the series.
        relative: *sigma* by the level; None for a level of 0.
        autocorrelation: of neighbours, about the running level, outliers drawn in.
        tails: the width of the middle 95 % by that of the middle half, as a multiple of the normal
            distribution's.
        outliers: the share of points farther than 4 *sigma* from the running level.
        bands: how far the points lie in two bands between which they go back and forth: the share
            of the variance that two groups explain, 0.64 for normal noise and 1 for two values.
        tied: the share of points equal to the one before.
        below: the share of points that are not above 0.
        drift: by how many standard errors more moves of the level go one way than the other.
    """

    level: float | None = None
    sigma: float | None = None
    relative: float | None = None
    autocorrelation: float | None = None
    tails: float | None = None
    outliers: float | None = None
    bands: float | None = None
    tied: float | None = None
    below: float | None = None
    drift: float | None = None


def noise(values: Array, raw: Array | None = None) -> Noise:
    """The noise of a series of one value a revision, in the order of time, all finite.

    *raw* has one measurement of each revision, for what averaging hides. All None for fewer than
    `LEAST` points.
    """
    import numpy as np
    from scipy.ndimage import median_filter

    if values.size < LEAST:
        return Noise()
    raw = values if raw is None else raw
    level = float(np.median(values))
    window = min(_WINDOW, (values.size // 2) | 1)
    residuals = values - median_filter(values, size=window, mode="nearest")
    sigma = _NORMAL_SD * float(np.median(np.abs(residuals)))
    if not sigma:
        sigma = float(residuals.std())
    far = np.abs(residuals) > 4 * sigma
    return Noise(
        level=level,
        sigma=sigma,
        relative=sigma / abs(level) if level else None,
        autocorrelation=_autocorrelation(np.clip(residuals, -4 * sigma, 4 * sigma)),
        tails=_tails(residuals),
        outliers=float(far.mean()) if sigma else 0.0,
        bands=two_bands(values),
        tied=float((raw[1:] == raw[:-1]).mean()),
        below=float((raw <= 0).mean()),
        drift=drift(values),
    )


def _autocorrelation(residuals: Array) -> float | None:
    centred = residuals - residuals.mean()
    power = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / power if power else None


def _tails(residuals: Array) -> float | None:
    import numpy as np

    low, first, third, high = np.quantile(residuals, (0.025, 0.25, 0.75, 0.975))
    return float((high - low) / (third - first) / _NORMAL_TAIL) if third > first else None


def two_bands(values: Array) -> float | None:
    """The median over blocks of 50 points of how far they lie in two bands; None below 50.

    In each block the cut that leaves the least variance inside both sides is taken, with a tenth of
    the points or more on either side. A block whose points do not go back and forth counts 0: that
    is a step.
    """
    import numpy as np

    blocks = values[: values.size // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    if not len(blocks):
        return None
    blocks = blocks - blocks.mean(axis=1, keepdims=True)
    total = (blocks**2).sum(axis=1)
    ordered = np.sort(blocks, axis=1)
    sums = np.cumsum(ordered, axis=1)
    fewest = math.ceil(_FEWEST * _BLOCK)
    cuts = np.arange(fewest, _BLOCK - fewest + 1)
    # About its mean a block sums to 0: both sides differ by their sum times n / (k (n - k)).
    between = sums[:, cuts - 1] ** 2 * _BLOCK / (cuts * (_BLOCK - cuts))
    best = between.argmax(axis=1)
    rows = np.arange(len(blocks))
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where(total > 0, between[rows, best] / total, 0.0)
    low = cuts[best]
    above = blocks > ordered[rows, low - 1][:, None]
    switches = (above[:, 1:] != above[:, :-1]).sum(axis=1)
    expected = 2 * low * (_BLOCK - low) / _BLOCK**2 * (_BLOCK - 1)
    return float(np.median(np.where(switches >= _ALTERNATING * expected, explained, 0.0)))


def drift(values: Array) -> float | None:
    """How surely the level creeps: signs of the moves between medians of 20 points, as a z score.

    A step is one move and counts as one. None for fewer than ten such medians.
    """
    import numpy as np

    stretches = values[: values.size // _STRETCH * _STRETCH].reshape(-1, _STRETCH)
    if len(stretches) < 10:
        return None
    moves = np.diff(np.median(stretches, axis=1))
    up, down = int((moves > 0).sum()), int((moves < 0).sum())
    return (up - down) / math.sqrt(up + down) if up + down else 0.0
