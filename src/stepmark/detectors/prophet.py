# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Changes of slope as Prophet's trend has them, the way the Turing benchmark uses it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count_or_max, check_flag, check_not_negative
from stepmark.detectors.scaling import point_values
from stepmark.errors import UsageError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector

# A signal has no times: the benchmark gives these to data sets that have none.
_FIRST_DAY = "2019-01-01"
_LOGGERS = ("prophet", "prophet.models", "prophet.plot", "cmdstanpy")


@dataclass(frozen=True, slots=True)
class Prophet(Specified):
    """Changes of slope of a piecewise linear trend, fitted by Prophet (an extra).

    Attributes:
        changepoints: number of candidate places, evenly spread over all points, or ``max`` for all.
        threshold: least change of slope that counts, in units of the largest magnitude over the
            length of the signal.
        seasonality: whether Prophet may add seasons of the lengths that it finds fit (points count
            as days).

    The answer is Prophet's own and depends on its version: the optimiser stops where it likes, and
    so does the number of candidates that are left above the threshold. A step is not in the model;
    it comes out as two or more changes of slope. A score is the change of slope.

    Needs ``pip install 'stepmark[prophet]'``; without it `detect` raises `UsageError`. Some tenths
    of a second a signal, most of it for a process of its own.

    Source: S. J. Taylor, B. Letham, *Forecasting at scale*, The American Statistician 72, 2018.
    """

    name: ClassVar[str] = "prophet"
    complexity: ClassVar[str] = "that of a fit"
    paper: ClassVar[str] = "Taylor and Letham 2018"
    changepoints: int | Literal["max"] = 25
    threshold: float = 0.01
    seasonality: bool = False

    def __post_init__(self) -> None:
        check_count_or_max("prophet", "changepoints", self.changepoints)
        check_not_negative("prophet", "threshold", self.threshold)
        check_flag("prophet", "seasonality", self.seasonality)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The places after which the slope differs, each with the change of slope.

        Raises `SignalError` for NaN or infinite values, `UsageError` where Prophet is missing.
        """
        values = point_values(signal, "prophet")
        n = values.size
        if n <= 2 or values.min() == values.max():
            return Detection(n)
        count = n - 1 if self.changepoints == "max" else min(self.changepoints, n - 1)
        slopes = np.abs(_slopes(values, count, self.seasonality))
        # The slope changes at a candidate; the point after it is the first that shows it.
        places = np.linspace(0, n - 1, count + 1).round().astype(int)[1:] + 1
        chosen = (slopes >= self.threshold) & (places < n)
        return Detection(n, tuple(places[chosen]), tuple(slopes[chosen]))


def _slopes(values: Vector, count: int, seasonality: bool) -> Vector:
    """The change of slope at each of *count* candidates, as Prophet fits them; shape (count,)."""
    with _quiet():
        try:
            from pandas import DataFrame, date_range
            from prophet import Prophet as Model
        except ImportError as error:
            raise UsageError(
                f"detector prophet needs more packages ({error}): pip install 'stepmark[prophet]'"
            ) from error
        seasons = "auto" if seasonality else False
        model = Model(
            n_changepoints=count,
            changepoint_range=1,
            yearly_seasonality=seasons,
            weekly_seasonality=seasons,
            daily_seasonality=seasons,
        )
        days = date_range(_FIRST_DAY, periods=values.size, unit="s")
        model.fit(DataFrame({"ds": days, "y": values / np.abs(values).max()}))
    slopes: Vector = np.mean(np.asarray(model.params["delta"], dtype=np.float64), axis=0)
    return slopes


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Prophet and Stan say of themselves, which is nothing that a user asked for."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
