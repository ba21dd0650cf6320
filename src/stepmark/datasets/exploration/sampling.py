# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How often series are measured, how often again, with what gaps, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stepmark.datasets.exploration.intervals import quantile, summed, wilson, with_shares
from stepmark.datasets.exploration.phrases import counted, days, number, share, shares
from stepmark.datasets.exploration.profiles import ENDED
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

By = Literal["framework", "platform", "suite", "repository"]

BACK, FORE, LOOK_BACK = 12, 12, 14
"""Points that Perfherder's detector needs before and after a change, and the days it looks back."""


def sampling(profiles: pl.DataFrame, by: By = "framework") -> Part:
    """How series of each *by* are sampled, medians over the series.

    The frame has the columns *by*, series, alive (share), revisions, runs (measurements a
    revision), repeated (share of revisions measured again), interval, interval p90, longest gap,
    lifetime (days) and skipped (pushes between two measured ones).
    """
    pl = require("polars")
    known = profiles.filter(pl.col("points") > 0)
    frame = (
        known.group_by(by)
        .agg(
            pl.len().cast(pl.Int64).alias("series"),
            (~pl.col("ended")).mean().alias("alive"),
            pl.col("points").median().alias("revisions"),
            pl.col("runs").median().alias("runs"),
            pl.col("repeated").median().alias("repeated"),
            pl.col("interval").median().alias("interval"),
            pl.col("interval_p90").median().alias("interval p90"),
            pl.col("longest_gap").median().alias("longest gap"),
            pl.col("lifetime").median().alias("lifetime"),
            pl.col("skipped").median().alias("skipped"),
        )
        .sort(["series", by], descending=[True, False])
    )
    reading = "No measurements."
    if known.height:
        alive = wilson(int((~known["ended"]).sum()), known.height)
        reading = (
            f"{share(alive.value)} of {counted(known.height, 'series')} are alive; the middle one"
            f" has {number(quantile(known['points']))} revisions, one every"
            f" {days(quantile(known['interval']))} with {number(quantile(known['skipped']))} pushes"
            f" between two, and its longest gap is {days(quantile(known['longest_gap']))}: what"
            " takes points as evenly spaced is wrong by that much."
        )
    return Part(
        f"sampling-by-{by}",
        f"Sampling by {by}",
        frame,
        reading,
        f"A series is alive if it was measured in the last {ENDED} days of the data. Skipped pushes"
        " are those that another series of the repository was measured on.",
        empty=not known.height,
    )


def repeats(profiles: pl.DataFrame, by: By = "framework") -> Part:
    """How many measurements there are of a revision: shares of series by their mean.

    The frame has the columns *by*, runs (of a revision: 1, up to 1.5 ...), count, total, share, low
    and high.
    """
    pl = require("polars")
    known = profiles.filter(pl.col("runs").is_not_null())
    names = ("1", "up to 1.5", "up to 3", "more than 3")
    runs = pl.col("runs")
    kind = (
        pl.when(runs <= 1)
        .then(pl.lit(names[0]))
        .when(runs <= 1.5)
        .then(pl.lit(names[1]))
        .when(runs <= 3)
        .then(pl.lit(names[2]))
        .otherwise(pl.lit(names[3]))
    )
    counts = known.with_columns(kind=kind).group_by(by, "kind").agg(count=pl.len().cast(pl.Int64))
    counts = counts.with_columns(total=pl.col("count").sum().over(by))
    order = pl.col("kind").replace_strict({name: i for i, name in enumerate(names)}, default=9)
    frame = with_shares(counts.sort(-pl.col("total"), by, order).rename({"kind": "runs"}))
    reading = "No measurements."
    if known.height:
        single = wilson(int((known["runs"] <= 1).sum()), known.height)
        reading = (
            f"{share(single.value)} ({shares(single.low, single.high)}) of"
            f" {counted(known.height, 'series')} have one measurement a revision: of these nothing"
            " tells how much two runs of the same revision differ."
        )
    return Part(
        f"repeats-by-{by}",
        f"Measurements of one revision, by {by}",
        frame,
        reading,
        "Mean of each series: what the harness repeats and what people retrigger.",
        empty=not known.height,
    )


def reach(profiles: pl.DataFrame, by: By = "framework") -> Part:
    """The share of series that are measured too seldom for the detector ever to alert on them.

    The frame has the columns *by*, count, total, share, low, high and wait (median days from a
    change to its twelfth point).
    """
    pl = require("polars")
    known = with_reach(profiles)
    frame = (
        known.group_by(by)
        .agg(
            count=pl.col("blind").sum().cast(pl.Int64),
            total=pl.len().cast(pl.Int64),
            wait=pl.col("wait").median(),
        )
        .sort(["total", by], descending=[True, False])
    )
    made = with_shares(frame)
    reading = "The times between the points of no series are known."
    if known.height:
        found = wilson(summed(known["blind"]), known.height)
        reading = (
            f"{share(found.value)} ({shares(found.low, found.high)}) of"
            f" {counted(known.height, 'series')} have fewer than {BACK + FORE} measurements in"
            f" {LOOK_BACK} days at their usual pace: Perfherder's detector cannot alert on them."
            f" The others wait {days(quantile(known.filter(~pl.col('blind'))['wait']))} for"
            f" {FORE} points after a change."
        )
    return Part(
        f"reach-by-{by}",
        f"Series measured too seldom to alert, by {by}",
        made,
        reading,
        f"The detector needs {BACK} values before and {FORE} after a change, all of the last"
        f" {LOOK_BACK} days. Pace is the median interval by the mean number of measurements.",
        empty=not known.height,
    )


def with_reach(profiles: pl.DataFrame) -> pl.DataFrame:
    """Series whose pace is known, with wait (days for `FORE` values) and blind (never alerts)."""
    pl = require("polars")
    known = profiles.filter(pl.col("interval") > 0)
    pace = pl.col("interval") / pl.max_horizontal("runs", pl.lit(1.0))
    return known.with_columns(wait=FORE * pace, blind=(BACK + FORE) * pace > LOOK_BACK)
