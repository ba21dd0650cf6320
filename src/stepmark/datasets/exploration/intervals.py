# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How sure shares and times are: Wilson's interval, and survival as Kaplan and Meier estimate it.

Sources: Wilson, JASA 22 (1927); Kaplan and Meier, JASA 53 (1958); Greenwood's variance with limits
on the scale of log(-log) as in Kalbfleisch and Prentice, "The Statistical Analysis of Failure Time
Data"; limits of quantiles by Brookmeyer and Crowley, Biometrics 38 (1982).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

Z = 1.959963984540054
"""The quantile of the normal distribution for intervals that hold 95 %."""

_EQUAL = 1e-12


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the 95 % interval of the share; all of 0 to 1 where there are none.

    Attributes:
        count, total: how many have it, of how many.
        low, high: ends of Wilson's interval.
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.count / self.total if self.total else None


def wilson(count: float, total: float, z: float = Z) -> Share:
    """The share of *count* in *total* with Wilson's interval; *z* says how much that holds."""
    if not total:
        return Share(int(count), int(total), 0.0, 1.0)
    p, z2 = count / total, z * z
    middle = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = z / (1 + z2 / total) * math.sqrt(p * (1 - p) / total + z2 / (4 * total * total))
    # At the ends rounding must not leave out the share itself.
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == total else min(1.0, middle + half)
    return Share(int(count), int(total), low, high)


def independent(found: Share, items: float, z: float = Z) -> Share:
    """*found* with the interval that it has if its items tell no more than so many *items*."""
    total = min(float(found.total), items)
    if not total or found.value is None:
        return wilson(0, 0)
    wide = wilson(found.value * total, total, z)
    return Share(found.count, found.total, wide.low, wide.high)


def corrected(questions: int) -> float:
    """The quantile for intervals that all hold, of so many, with 95 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / max(questions, 1))


def with_shares(frame: pl.DataFrame, count: str = "count", total: str = "total") -> pl.DataFrame:
    """*frame* with the columns share, low and high of *count* in *total*; null of nothing."""
    pl = require("polars")
    found = [wilson(int(k), int(n)) for k, n in frame.select(count, total).iter_rows()]
    return frame.with_columns(
        pl.Series("share", [one.value for one in found], dtype=pl.Float64),
        pl.Series("low", [one.low if one.total else None for one in found], dtype=pl.Float64),
        pl.Series("high", [one.high if one.total else None for one in found], dtype=pl.Float64),
    )


@dataclass(frozen=True, slots=True)
class Survival:
    """The share of items still waiting after each time at which one was done.

    Attributes:
        items: how many.
        done: how many of them are done; the others are censored.
        times: rising, those at which items were done.
        waiting: the share still waiting after each of them.
        low, high: the 95 % limits of that share.
    """

    items: int
    done: int
    times: tuple[float, ...]
    waiting: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def quantile(self, share: float) -> float | None:
        """The time by which *share* of the items are done; None if it is not reached."""
        return self._first(self.waiting, share)

    def quantile_low(self, share: float) -> float | None:
        """The lower 95 % limit of that time."""
        return self._first(self.low, share)

    def quantile_high(self, share: float) -> float | None:
        """The upper 95 % limit of that time; None if it is not reached."""
        return self._first(self.high, share)

    def _first(self, curve: Sequence[float], share: float) -> float | None:
        reached = (t for t, s in zip(self.times, curve, strict=True) if s <= 1 - share + _EQUAL)
        return next(reached, None)


def kaplan_meier(spans: Sequence[float], done: Sequence[bool]) -> Survival:
    """Survival of items that took, or have waited, so long; *done* tells which.

    An item that is censored at the time at which others are done was still waiting then.
    """
    import numpy as np

    lengths = np.asarray(spans, dtype=np.float64)
    events = np.asarray(done, dtype=bool)
    times, counts = np.unique(lengths[events], return_counts=True)
    at_risk = lengths.size - np.searchsorted(np.sort(lengths), times, side="left")
    waiting = np.cumprod(1 - counts / at_risk)
    left = at_risk - counts
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(counts / (at_risk * left.astype(np.float64)))
        spread = Z * np.sqrt(variance) / np.log(waiting)
        low, high = waiting ** np.exp(-spread), waiting ** np.exp(spread)
    if waiting.size and left[-1] == 0:
        # Nothing is waiting: the variance is not defined, the upper limit stays where it was.
        low[-1], high[-1] = 0.0, high[-2] if high.size > 1 else 1.0
    return Survival(
        items=int(lengths.size),
        done=int(events.sum()),
        times=tuple(map(float, times)),
        waiting=tuple(map(float, waiting)),
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
    )


def quantile(column: pl.Series, share: float = 0.5) -> float | None:
    """The value below which *share* of a column of numbers lies, interpolated; None of nothing."""
    found = column.quantile(share, "linear")
    return None if found is None else float(found)


def summed(column: pl.Series) -> int:
    """The sum of a column of counts."""
    return int(column.sum())
