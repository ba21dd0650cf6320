# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The change detection of Mozilla's Perfherder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_flag, check_positive
from stepmark.detectors.windows import WindowDetector, unbeaten
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.windows import Points, Scan
    from stepmark.detectors.windows import Flags, Integers
    from stepmark.series import Vector


@dataclass(frozen=True, slots=True)
class Perfherder(WindowDetector):
    """Student's t with linear weights, as Mozilla's Perfherder raises its alerts.

    Attributes:
        threshold: a change has a t above it, and no neighbour with a larger one.
        compat: true for Perfherder's rounding, by which the weighted mean of equal values may
            differ from them: t then has a meaningless value up to the root of their number.

    The weights belong to the means and fall with a point's distance from the place that is tested;
    the variances are plain sums of squares about these means. Where both windows are constant and
    different, t is infinite. A change is seen once `fore` samples have followed.

    Time O(n w) for windows of w samples, memory O(n). A new point costs what its windows cost.
    """

    name: ClassVar[str] = "perfherder"
    complexity: ClassVar[str] = "O(n w), w samples a window"
    paper: ClassVar[str] = "Mozilla, Treeherder"
    threshold: float = 7.0
    compat: bool = False

    def __post_init__(self) -> None:
        WindowDetector.__post_init__(self)
        check_positive(self.name, "threshold", self.threshold)
        check_flag(self.name, "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The first points of new levels, with their t as score; `SignalError` for NaN."""
        return self.track().extend(signal)

    def evidence(self, signal: Signal | Iterable[Any]) -> Vector:
        """The t of every point, shape (n,), full windows or not; 0 of the first."""
        return self._scan(self._points(signal)).statistic

    def track(self) -> PerfherderTracker:
        """A tracker that has seen no point yet."""
        return PerfherderTracker(self)

    def _scan(self, points: Points, first: int = 1, quiet: int = 0) -> Scan:
        from stepmark._kernels.windows import Rules, scan_means

        rules = Rules(rounded=self.compat)
        return scan_means(
            "student", points, self._windows, self.threshold, rules, first=first, quiet=quiet
        )


class PerfherderTracker:
    """Follows a growing signal. It keeps the changes found and the points of the last windows."""

    def __init__(self, detector: Perfherder) -> None:
        self._detector = detector
        self._tail = Signal.of([])  # the points from `_start` on
        self._start = 0
        self._open = 1  # the first point whose window of later points is still to fill
        self._quiet = 0  # points since the last significant one, before the open one
        # t of at most two points before the open one, and whether their windows are full.
        self._t: Vector = np.zeros(1)
        self._full: Flags = np.zeros(1, dtype=np.bool_)
        self._found: list[tuple[int, float]] = []  # changes that no new point can undo

    def extend(self, values: Any) -> Detection:
        """Add *values* at the end; the places in all points so far, as `detect` gives them."""
        detector = self._detector
        added = Signal.of(values)
        added.require_finite(detector.name)
        self._tail = _joined(self._tail, added)
        points = detector._points(self._tail)  # noqa: SLF001
        first = self._open - self._start
        scan = detector._scan(points, first, self._quiet)  # noqa: SLF001
        t = np.concatenate([self._t, scan.statistic[first:]])
        full = np.concatenate([self._full, detector._full(points, scan)[first:]])  # noqa: SLF001
        before = self._open - len(self._t)
        places = np.flatnonzero(unbeaten(t) & full & (t > detector.threshold))
        new = [(before + place, float(t[place])) for place in places.tolist()]
        changes = self._found + [change for change in new if change[0] >= self._open - 1]
        length = self._start + len(points)
        self._close(points.counted, scan.quiet, t, full)
        self._found = [change for change in changes if change[0] < self._open - 1]
        return Detection(length, tuple(c[0] for c in changes), tuple(c[1] for c in changes))

    def _close(self, counted: Integers, quiet: Integers, t: Vector, full: Flags) -> None:
        """Move on to the first point whose window of later points is not full."""
        fore, maxback = self._detector.fore, self._detector.maxback
        filled = int(np.searchsorted(counted, counted[-1] - fore, side="right"))
        opened = max(self._open, self._start + filled)
        passed = opened - self._open + len(self._t)
        kept = slice(max(0, passed - 2), passed)
        self._t, self._full = t[kept], full[kept]
        self._quiet = int(quiet[opened - self._start]) if opened > self._open else self._quiet
        self._open = opened
        start = max(self._start, opened - maxback)
        kept = slice(start - self._start, None)
        samples = self._tail.samples
        self._tail = Signal(self._tail.values[kept], samples and samples[kept])
        self._start = start


def _joined(a: Signal, b: Signal) -> Signal:
    values = np.concatenate([a.values, b.values])
    if a.samples is None and b.samples is None:
        return Signal(values)
    return Signal(values, (*_rows(a), *_rows(b)))


def _rows(signal: Signal) -> tuple[Vector, ...]:
    return signal.samples if signal.samples is not None else tuple(signal.values.reshape(-1, 1))
