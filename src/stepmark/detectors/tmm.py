# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Trimmed moving median trending: FD.io CSIT's method before it took up description lengths.

A value below the quartile fence of the window before it is an outlier; the median and standard
deviation of what is left in the window are the trend; three of the latter make an anomaly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, quantiles
from typing import Any, ClassVar

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count, check_flag, check_positive
from stepmark.detectors.scaling import point_values
from stepmark.plugins import Specified
from stepmark.series import Signal, deviation


class PointClass(StrEnum):
    """What a point is against the trend."""

    NORMAL = "normal"
    OUTLIER = "outlier"
    REGRESSION = "regression"
    PROGRESSION = "progression"


@dataclass(frozen=True, slots=True)
class Trending:
    """All that the method says of a signal, one entry a point; shapes (n,).

    Attributes:
        classes: what each point is. Higher is taken for better, as CSIT does.
        trimmed: the value, or None for an outlier.
        medians, deviations: trend and sample standard deviation (divisor n - 1) of the window;
            None where the window holds fewer than two valid values.
    """

    classes: tuple[PointClass, ...]
    trimmed: tuple[float | None, ...]
    medians: tuple[float | None, ...]
    deviations: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class TMM(Specified):
    """Trimmed moving median with a quartile fence and three standard deviations.

    Attributes:
        window: runs in the trend window (CSIT: 14, a week of two runs a day).
        fence: an outlier lies more than so many quartile ranges beyond the quartiles.
        sigmas: an anomaly lies more than so many standard deviations from the trend.
        confirm: with ``compat=false``, so many runs in a row beyond the trend, on one side, are a
            new level; fewer are outliers.
        compat: true for the exact old rules.

    The old rules have four faults, which ``compat=true`` keeps: a value is part of its own window,
    so that it must stand out by more than about five sigma, and a second one hardly ever can; the
    fence has no upper side; a drop is first taken for an outlier, so that few real regressions are
    ever called so; the fence's quartiles are those of raw values, earlier outliers included.
    ``compat=false`` (the default) judges a value by the valid values before it, on both sides: it
    is an outlier beyond both the fence and the deviations, `confirm` of them in a row are a new
    level, and a new window starts there. Places are the first points of new levels, or with
    ``compat=true`` of stretches of regressions or progressions.
    """

    name: ClassVar[str] = "tmm"
    complexity: ClassVar[str] = "O(n w), w runs a window"
    paper: ClassVar[str] = "FD.io CSIT 2018"
    window: int = 14
    fence: float = 1.5
    sigmas: float = 3.0
    confirm: int = 3
    compat: bool = False

    def __post_init__(self) -> None:
        check_count("tmm", "window", self.window, 2)
        check_positive("tmm", "fence", self.fence)
        check_positive("tmm", "sigmas", self.sigmas)
        check_count("tmm", "confirm", self.confirm, 1)
        check_flag("tmm", "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The first points of new levels, without scores; raises `SignalError` for NaN."""
        classes = self.classify(signal).classes
        if not self.compat:
            places = [i for i, c in enumerate(classes) if c in _ANOMALIES]
        else:
            places = [
                i for i, c in enumerate(classes) if i and c in _ANOMALIES and c != classes[i - 1]
            ]
        return Detection(len(classes), tuple(places))

    def classify(self, signal: Signal | Iterable[Any]) -> Trending:
        """The class of every point, with the trend it was judged by.

        With ``compat=false`` a new level is marked at its first point. Fewer than three points are
        all normal.
        """
        values = point_values(signal, "tmm").tolist()
        return self._old_rules(values) if self.compat else self._rules(values)

    def _old_rules(self, values: Sequence[float]) -> Trending:
        n, width = len(values), min(len(values), self.window)
        trimmed: list[float | None] = []
        medians: list[float | None] = []
        deviations: list[float | None] = []
        for i, value in enumerate(values):
            low = -math.inf
            if i >= self.window:
                low, _ = self._fences(values[i - self.window : i])
            trimmed.append(None if value < low else value)
            valid = [v for v in trimmed[max(0, i - width + 1) :] if v is not None]
            medians.append(median(valid) if len(valid) >= 2 else None)
            deviations.append(deviation(valid) if len(valid) >= 2 else None)
        classes = [
            self._old_class(i, trimmed[i], medians[i], deviations[i]) if n >= 3 else _NORMAL
            for i in range(n)
        ]
        return Trending(tuple(classes), tuple(trimmed), tuple(medians), tuple(deviations))

    def _old_class(
        self, i: int, value: float | None, trend: float | None, spread: float | None
    ) -> PointClass:
        if i == 0:
            return _NORMAL
        if value is None or trend is None or spread is None:
            return PointClass.OUTLIER
        if value < trend - self.sigmas * spread:
            return PointClass.REGRESSION
        if value > trend + self.sigmas * spread:
            return PointClass.PROGRESSION
        return _NORMAL

    def _rules(self, values: Sequence[float]) -> Trending:
        classes = [_NORMAL] * len(values)
        trimmed: list[float | None] = list(values)
        medians: list[float | None] = []
        deviations: list[float | None] = []
        level: list[float] = []  # valid values since the last change
        streak: list[int] = []  # points in a row that lie beyond the trend on one side
        for i, value in enumerate(values):
            window = level[-self.window :]
            enough = len(window) >= 2
            medians.append(median(window) if enough else None)
            deviations.append(deviation(window) if enough else None)
            side = self._side(value, window)
            if side is None:
                level.append(value)
                streak = []
                continue
            if streak and self._side(values[streak[0]], window) is not side:
                streak = []
            streak.append(i)
            classes[i], trimmed[i] = PointClass.OUTLIER, None
            if len(streak) == self.confirm:
                level = [values[k] for k in streak]
                for k in streak:
                    classes[k], trimmed[k] = _NORMAL, values[k]
                classes[streak[0]] = side
                streak = []
        return Trending(tuple(classes), tuple(trimmed), tuple(medians), tuple(deviations))

    def _side(self, value: float, window: Sequence[float]) -> PointClass | None:
        """The side on which *value* lies beyond both fence and deviations; None if it does not."""
        if len(window) < min(self.window, _FEWEST):
            return None
        low, high = self._fences(window)
        reach = self.sigmas * deviation(window)
        trend = median(window)
        if value < min(low, trend - reach):
            return PointClass.REGRESSION
        if value > max(high, trend + reach):
            return PointClass.PROGRESSION
        return None

    def _fences(self, window: Sequence[float]) -> tuple[float, float]:
        lower, _, upper = quantiles(window, n=4, method="inclusive")
        reach = self.fence * (upper - lower)
        return lower - reach, upper + reach


_NORMAL = PointClass.NORMAL
_ANOMALIES = (PointClass.REGRESSION, PointClass.PROGRESSION)
# A standard deviation of fewer values is too rough to judge by.
_FEWEST = 6
