# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Bayesian online change point detection (Adams and MacKay), as the Turing benchmark runs it.

The benchmark uses the R package ocp: a normal model with unknown mean and variance, a constant
hazard, and the most probable division into segments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_flag, is_number
from stepmark.detectors.scaling import Scale, check_scale, moderate, point_values, scaled
from stepmark.detectors.tcpdbench import counted
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Specified, Tracker
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.bocpd import Runs
    from stepmark.series import Vector

# Beyond these the squares of values, or their quotients by b, overflow.
_LARGEST = 1e100
_LONGEST = 10_000
_SMALLEST_PRIOR, _LARGEST_PRIOR = 1e-9, 1e9


@dataclass(frozen=True, slots=True)
class BOCPD(Specified):
    """The most probable segments under a Bayesian model of run lengths.

    Attributes:
        intensity: points expected from one change to the next; before each point a change has the
            probability 1 / intensity.
        m, k, a, b: prior of a segment's mean and variance, in units of the scaled signal: the mean
            m counts as much as k points; the precision has the gamma prior of shape a and rate b.
        tail: run lengths are forgotten, longest first, while less probability than this is lost.
        scale: ``std`` | ``noise`` | ``none``; with ``noise`` the median becomes 0.
        compat: true for the division that the R package ocp reports: its recursion looks back one
            point too far, it forgets runs of more than 10,000 points, and the benchmark leaves out
            a change at the last point. False for the most probable division.

    A score is the probability, given the points up to the end of the segment, that the segment
    began where it does.

    Time O(n r), memory O(n), r being the run lengths that are alive: those since the last clear
    change, or all.

    Source: R. P. Adams, D. J. C. MacKay, *Bayesian Online Changepoint Detection*, arXiv:0710.3742.
    """

    name: ClassVar[str] = "bocpd"
    complexity: ClassVar[str] = "O(n r), r run lengths alive"
    paper: ClassVar[str] = "Adams and MacKay 2007"
    intensity: float = 100
    m: float = 0
    k: float = 1
    a: float = 1
    b: float = 1
    tail: float = 1e-4
    scale: Scale = "std"
    compat: bool = True

    def __post_init__(self) -> None:
        if not (is_number(self.intensity) and self.intensity > 1):
            raise SpecError(f"bocpd: intensity is a number above 1, not {self.intensity!r}")
        if not (is_number(self.m) and abs(self.m) <= _LARGEST):
            limits = f"from {-_LARGEST:g} to {_LARGEST:g}"
            raise SpecError(f"bocpd: m is a number {limits}, not {self.m!r}")
        for field in ("k", "a", "b"):
            value = getattr(self, field)
            if not (is_number(value) and _SMALLEST_PRIOR <= value <= _LARGEST_PRIOR):
                limits = f"from {_SMALLEST_PRIOR:g} to {_LARGEST_PRIOR:g}"
                raise SpecError(f"bocpd: {field} is a number {limits}, not {value!r}")
        if not (is_number(self.tail) and 0 <= self.tail < 1):
            raise SpecError(f"bocpd: tail is a number from 0, below 1, not {self.tail!r}")
        check_scale("bocpd", self.scale)
        check_flag("bocpd", "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The most probable changes, each with the probability of its segment's start.

        Raises `SignalError` for NaN or infinite values, and for values above 1e100 units of scale.
        """
        values = _in_units(self, signal)
        runs = _runs(self)
        if values.size > 2:
            runs.extend(values)
        return _detection(self, runs, values.size)

    def track(self) -> Tracker:
        """A tracker that has seen no point yet.

        With ``scale=none`` a point costs as much as a step of `detect`. A scale taken from the
        signal changes with each point, and all points with it: then each extension is a full run.
        """
        if self.scale is None:
            return _Following(self)
        from stepmark.detectors.tracking import Repeated

        return Repeated(self)


class _Following(Tracker):
    """Run lengths that grow with the signal."""

    def __init__(self, detector: BOCPD) -> None:
        self._detector = detector
        self._kept = _runs(detector)

    def extend(self, values: Signal | Iterable[Any]) -> Detection:
        self._kept.extend(_in_units(self._detector, values))
        return _detection(self._detector, self._kept, self._kept.length)


def _in_units(detector: BOCPD, signal: Signal | Iterable[Any]) -> Vector:
    """The values in units of scale, shape (n,)."""
    values = point_values(signal, "bocpd")
    if not values.size:
        return values
    if detector.scale is not None:
        values = moderate(values)
    with np.errstate(over="ignore"):
        if detector.scale == "noise":
            values = values - np.median(values)
        values = scaled(values, detector.scale)
    place = int(np.argmax(np.abs(values)))
    if abs(values[place]) > _LARGEST:
        unscaled = detector.scale is None
        unit, remedy = ("", "give a scale") if unscaled else (" units of scale", "leave it out")
        raise SignalError(f"bocpd: point {place} is larger than {_LARGEST:g}{unit}: {remedy}")
    return values


def _runs(detector: BOCPD) -> Runs:
    from stepmark._kernels.bocpd import Model, Runs

    return Runs(
        Model(
            hazard=1 / detector.intensity,
            m=detector.m,
            k=detector.k,
            a=detector.a,
            b=detector.b,
            tail=detector.tail,
            longest=_LONGEST if detector.compat else None,
            lag=2 if detector.compat else 1,
        )
    )


def _detection(detector: BOCPD, runs: Runs, length: int) -> Detection:
    places, probabilities = runs.division()
    if length <= 2:
        places = []
    found = Detection(length, tuple(places), tuple(probabilities[: len(places)]))
    return counted(found, compat=detector.compat)
