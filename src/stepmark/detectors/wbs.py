# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Wild binary segmentation (Fryzlewicz), as the R package wbs 1.4 and TCPDBench run it."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count, check_count_or_max, check_flag
from stepmark.detectors.scaling import (
    Scale,
    check_scale,
    moderate,
    point_values,
    require_squares,
    scaled,
)
from stepmark.detectors.tcpdbench import counted
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    import numpy.typing as npt

    from stepmark.series import Vector

    Integers = npt.NDArray[np.int64]

_MOST_INTERVALS = 1_000_000
# With more changes the mean squares fall so fast that no penalty here keeps up.
_POINTS_A_CHANGE = 10


@dataclass(frozen=True, slots=True)
class WBS(Specified):
    """Binary segmentation over random intervals.

    Attributes:
        penalty: what a change must save: ``ssic`` | ``bic`` | ``mbic``.
        kmax: most changes considered, or ``max``.
        integrated: whether each part is also judged as a whole, beside the intervals inside it.
        intervals: number of random intervals.
        seed: of the random generator; the same seed gives the same places.
        scale: ``std`` | ``noise`` | ``none``.
        compat: true for the rules of the R package: of several equally good places of an interval
            the middle one, candidates by a threshold that rounding can move, and the sample
            variance (divisor n - 1) for no change but the mean square (n) for others. False for
            the first of equally good places, mean squares throughout, and at most one change for
            ten points.

    A score is the magnitude of the CUSUM statistic that found the change, in units of the scaled
    signal. The package draws other numbers for a seed: its answers are met in distribution only,
    or with its own intervals (`wbs_places`).

    Time O(n m) for m intervals, memory O(n + m).

    Source: P. Fryzlewicz, *Wild binary segmentation for multiple change-point detection*, Annals of
    Statistics 42, 2014.
    """

    name: ClassVar[str] = "wbs"
    complexity: ClassVar[str] = "O(n m), m intervals"
    paper: ClassVar[str] = "Fryzlewicz 2014"
    penalty: Literal["ssic", "bic", "mbic"] = "ssic"
    kmax: int | Literal["max"] = 50
    integrated: bool = True
    intervals: int = 5000
    seed: int = 1
    scale: Scale = "std"
    compat: bool = True

    def __post_init__(self) -> None:
        if self.penalty not in ("ssic", "bic", "mbic"):
            raise SpecError(f"wbs: penalty is ssic, bic or mbic, not {self.penalty!r}")
        check_count_or_max("wbs", "kmax", self.kmax)
        check_flag("wbs", "integrated", self.integrated)
        check_count("wbs", "intervals", self.intervals, 0, _MOST_INTERVALS)
        check_count("wbs", "seed", self.seed, 0)
        check_scale("wbs", self.scale)
        check_flag("wbs", "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The changes, each with its statistic.

        Raises `SignalError` for NaN or infinite values, and for a signal whose squares are not
        finite.
        """
        values = point_values(signal, "wbs")
        if values.size <= 2:
            return Detection(values.size)
        if self.scale is not None:
            with np.errstate(over="ignore"):
                values = scaled(moderate(values), self.scale)
        starts, stops = random_intervals(values.size, self.intervals, self.seed)
        return counted(wbs_places(values, starts, stops, self), compat=self.compat)


def random_intervals(n: int, count: int, seed: int) -> tuple[Integers, Integers]:
    """First points of *count* random intervals of a signal of *n* points, and those after the last.

    Each has at least two points. As in the R package the start is uniform and the end is uniform
    behind it, so that short intervals near the end are frequent; all starts are drawn first.
    """
    # The bits of a generator are the same in all versions of numpy, its floats may not be.
    bits = np.random.PCG64(seed).random_raw((2, count))
    # 1 - u, so that 0 is never drawn and 1 may be: rounding up then gives each place its share.
    first, second = 1 - (bits >> np.uint64(11)) * 2.0**-53
    starts = np.ceil(first * (n - 1)).astype(np.int64)
    stops = starts + np.ceil(second * (n - starts)).astype(np.int64)
    return starts - 1, stops


def wbs_places(values: Vector, starts: Integers, stops: Integers, detector: WBS) -> Detection:
    """The changes of *values*, scaled as they are, by given intervals values[start:stop].

    The seed, number of intervals and scale of *detector* are not used. Raises `SignalError` for
    NaN, for values whose squares are not finite, and for intervals of fewer than two points or
    beyond the signal.
    """
    from stepmark._kernels.wbs import residual_squares, wild_splits

    n, compat = values.size, detector.compat
    require_squares("wbs", values)
    # The kernel does not look where it reads.
    if not ((starts >= 0) & (stops - starts >= 2) & (stops <= n)).all():
        raise SignalError("wbs: an interval has two points or more, all of them in the signal")
    most = n - 2 if compat else n // _POINTS_A_CHANGE
    splits = wild_splits(values, starts, stops, integrated=detector.integrated, compat=compat)
    kmax = n if detector.kmax == "max" else detector.kmax
    kept = _candidates(splits.limits, kmax, compat=compat)
    kept = kept[np.argsort(-splits.sizes[kept], kind="stable")][: min(kmax, most)]
    if kept.size == 0:
        return Detection(n)
    places = splits.places[kept]
    costs = _costs(detector, residual_squares(moderate(values), places), places, n)
    chosen = kept[: int(np.argmin(costs))]
    chosen = chosen[np.argsort(splits.places[chosen])]
    return Detection(n, tuple(splits.places[chosen]), tuple(splits.sizes[chosen]))


def _candidates(limits: Vector, kmax: int, *, compat: bool) -> Integers:
    """Which splits can be chosen: those with a positive limit that is among the *kmax* largest.

    With *compat* the limit must exceed the one of rank *kmax* less half the smallest gap between
    two different ones. Where that gap is no more than the last digit, taking it away changes
    nothing, and the candidate of that rank is lost: the package's way.
    """
    if kmax >= limits.size:
        return np.flatnonzero(limits > 0)
    ordered = np.sort(limits)
    least = ordered[-kmax]
    if not compat:
        return np.flatnonzero((limits > 0) & (limits >= least))
    gaps = np.diff(ordered)
    return np.flatnonzero(limits > least - min(gaps[gaps > 0], default=0.0) / 2)


def _costs(detector: WBS, squares: Vector, places: Integers, n: int) -> Vector:
    """The information criterion with the first 0, 1, ... k of *places*; shape (k + 1,)."""
    mean_squares = squares / n
    if detector.compat:
        mean_squares[0] = squares[0] / (n - 1)
    with np.errstate(divide="ignore"):  # nothing is left of squares: the best there is
        fits = n / 2 * np.log(mean_squares)
    counts = np.arange(squares.size)
    if detector.penalty == "ssic":
        return np.asarray(fits + counts * math.log(n) ** 1.01)
    if detector.penalty == "bic":
        return np.asarray(fits + counts * math.log(n))
    return np.asarray(fits + 1.5 * counts * math.log(n) + _log_lengths(places, n) / 2)


def _log_lengths(places: Integers, n: int) -> Vector:
    """The sums of the logarithms of the segments' shares of *n*, for the first 0, 1, ... places."""
    bounds, sums, total = [0, n], [0.0], 0.0
    for place in places.tolist():
        at = bisect(bounds, place)
        before, after = bounds[at - 1], bounds[at]
        total += math.log((place - before) / n) + math.log((after - place) / n)
        total -= math.log((after - before) / n)
        bounds.insert(at, place)
        sums.append(total)
    return np.array(sums)
