# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How large true and false alerts are, and how far size and t tell them apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from stepmark.datasets.exploration.canonical import JUDGED, Tables
from stepmark.datasets.exploration.intervals import quantile, with_shares
from stepmark.datasets.exploration.phrases import counted, listed, number, share, shares
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl
    from polars import Expr

Measure = Literal["percent", "absolute", "t"]
_TITLES = {
    "percent": "Size of the change in percent",
    "absolute": "Size of the change in units of the test",
    "t": "t values",
}
_BINS = {"percent": 5, "absolute": 2, "t": 8}  # a decade


def magnitudes(tables: Tables, measure: Measure = "percent") -> Part:
    """A histogram of *measure* for each label, in bins that are alike on a logarithmic scale.

    The frame has the columns label, start, end, count and share (of the label's alerts).
    """
    pl = require("polars")
    own = _measured(tables, measure)
    each = _BINS[measure]
    binned = own.with_columns(place=(pl.col(measure).log10() * each + 1e-9).floor().cast(pl.Int64))
    frame = (
        binned.group_by("label", "place")
        .agg(count=pl.len().cast(pl.Int64))
        .with_columns(
            start=10.0 ** (pl.col("place") / each),
            end=10.0 ** ((pl.col("place") + 1) / each),
            share=pl.col("count") / pl.col("count").sum().over("label"),
            order=_order("label"),
        )
        .sort("order", "place")
        .select("label", "start", "end", "count", "share")
    )
    return Part(
        f"magnitudes-{measure}",
        _TITLES[measure],
        frame,
        _reading(own, measure),
        _note(measure),
        empty=not frame.height,
    )


def _note(measure: Measure) -> str:
    if measure == "t":
        return "Alerts made by hand, and those whose t is infinite, have no t and are left out."
    return "Sizes without their sign; alerts of size 0 are left out."


def _measured(tables: Tables, measure: str) -> pl.DataFrame:
    pl = require("polars")
    return tables.alerts.filter(
        pl.col("label").is_in(JUDGED) & pl.col(measure).is_finite() & (pl.col(measure) > 0)
    )


def _order(column: str) -> pl.Expr:
    pl = require("polars")
    order: Expr = pl.col(column).replace_strict(
        {label: place for place, label in enumerate(JUDGED)}, default=9
    )
    return order


def profile(tables: Tables, measure: Measure = "percent") -> Part:
    """Quantiles of *measure* for each framework and label, and how well it separates.

    The frame has the columns framework, label, alerts, p10, median, p90 and separation: the chance
    that a true alert of that framework is larger than a false one (0.5 tells nothing).
    """
    pl = require("polars")
    own = _measured(tables, measure)
    frame = (
        own.group_by("framework", "label")
        .agg(
            alerts=pl.len().cast(pl.Int64),
            p10=pl.col(measure).quantile(0.1, "nearest"),
            median=pl.col(measure).median(),
            p90=pl.col(measure).quantile(0.9, "nearest"),
        )
        .with_columns(order=_order("label"))
        .sort("framework", "order")
        .drop("order")
    )
    chances = {name: separation(part, measure) for (name,), part in own.group_by("framework")}
    frame = frame.with_columns(
        separation=pl.col("framework").replace_strict(
            {name: found for name, found in chances.items() if found is not None},
            default=None,
            return_dtype=pl.Float64,
        )
    )
    told = {name: found for name, found in chances.items() if found is not None}
    reading = "No framework has ten true and ten false alerts with a size."
    if told:
        best, worst = max(told, key=lambda n: told[n]), min(told, key=lambda n: told[n])
        reading = (
            f"By {_word(measure)} alone a true alert is larger than a false one with a chance of"
            f" {told[best]:.2f} in {best}"
            + (f" and {told[worst]:.2f} in {worst}" if worst != best else "")
            + f": {_meaning(told[best])}."
        )
    return Part(
        f"profile-{measure}",
        f"{_TITLES[measure]}, by framework",
        frame,
        reading,
        "Separation is the area under the ROC curve; it needs ten alerts of either kind.",
        empty=not frame.height,
    )


def _word(measure: str) -> str:
    return "the t value" if measure == "t" else "size"


def _meaning(chance: float) -> str:
    if chance < 0.6:
        return "a threshold on it cannot sort them"
    return "a threshold on it sorts some of them" if chance < 0.8 else "a threshold on it pays"


def separation(frame: pl.DataFrame, measure: str, least: int = 10) -> float | None:
    """The chance that a true alert is larger than a false one, ties half; None of too few."""
    from scipy.stats import rankdata

    pl = require("polars")
    true = frame.filter(pl.col("verdict") == "true")[measure].to_numpy()
    false = frame.filter(pl.col("verdict") == "false")[measure].to_numpy()
    if min(true.size, false.size) < least:
        return None
    import numpy as np

    ranks = rankdata(np.concatenate([true, false]))
    won = float(ranks[: true.size].sum()) - true.size * (true.size + 1) / 2
    return won / (true.size * false.size)


def _reading(own: pl.DataFrame, measure: Measure) -> str:
    pl = require("polars")
    medians = {
        label: quantile(part[measure])
        for (label,), part in own.group_by("label")
        if part.height >= 5 and label in ("true", "false", "missed")
    }
    unit = " %" if measure == "percent" else ""
    said = [
        f"{number(medians[label])}{unit} for {label} alerts" for label in JUDGED if label in medians
    ]
    if not said:
        return "Too few alerts have a size."
    text = f"The median is {listed(said)}"
    if measure == "absolute":
        return text + "; tests have different units, so only sizes of one test compare."
    chance = separation(own, measure)
    if chance is None:
        return text + f" ({counted(own.height, 'alert')})."
    true = own.filter(pl.col("verdict") == "true")
    near = true.filter(pl.col(measure) <= medians.get("false", math.inf))
    return (
        f"{text}. A true alert is larger than a false one with a chance of {chance:.2f};"
        f" {share(near.height / true.height)} of the true ones are no larger than half of the"
        f" false ones: {_meaning(chance)}."
    )


def noise_labels(tables: Tables) -> Part:
    """Shares of false alerts for each noise profile that Perfherder gave the series.

    The frame has the columns noise profile, count (false), total (true and false), share, low,
    high.
    """
    pl = require("polars")
    own = tables.alerts.filter(
        pl.col("verdict").is_not_null() & (pl.col("noise_profile") != "unknown")
    )
    frame = own.group_by("noise_profile").agg(
        count=(pl.col("verdict") == "false").sum().cast(pl.Int64), total=pl.len().cast(pl.Int64)
    )
    frame = frame.sort(["total", "noise_profile"], descending=[True, False])
    made = with_shares(frame.rename({"noise_profile": "noise profile"}))
    reading = "No alert has a noise profile."
    if made.height:
        known = made.filter(pl.col("total") >= 5)
        top = (known if known.height else made).sort("share", descending=True).row(0, named=True)
        reading = (
            f"Series that Perfherder calls {top['noise profile']} give false alerts most often:"
            f" {share(top['share'])} ({shares(top['low'], top['high'])}) of {top['total']:,}."
        )
        if made.height == 1:
            reading = f"All decided alerts have the noise profile {top['noise profile']}."
    return Part(
        "noise-labels",
        "False alerts by Perfherder's noise profile",
        made,
        reading,
        "Of decided alerts, true or false. Wilson's intervals, 95 %.",
        empty=not made.height,
    )
