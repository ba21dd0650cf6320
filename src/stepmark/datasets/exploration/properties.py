# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the noise of the series is like, and what that means for the choice of methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stepmark.datasets.exploration.intervals import corrected, quantile, summed, wilson, with_shares
from stepmark.datasets.exploration.noise import LEAST
from stepmark.datasets.exploration.phrases import counted, number, share, shares
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

By = Literal["framework", "platform", "suite", "repository"]
THRESHOLD = 2.0
"""The alert threshold in percent of series that have none of their own."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property that a series has or has not.

    Attributes:
        name: of the property.
        column: of the profiles, that is compared.
        limit: beyond which a series has it, either way.
        meaning: what it means for the choice of methods.
    """

    name: str
    column: str
    limit: float
    meaning: str


PROPERTIES = (
    Property(
        "autocorrelated",
        "autocorrelation",
        0.2,
        "methods that take points as independent (t and rank tests, PELT, e-divisive) alert too"
        " often there: raise their thresholds, or take one that models it",
    ),
    Property(
        "in two bands",
        "bands",
        0.8,
        "the mean is a value that never occurs and a t test is blind: compare distributions (cpnp,"
        " energy statistics, ks), or split the series",
    ),
    Property(
        "with heavy tails",
        "tails",
        1.5,
        "single points move a mean: take medians, ranks or a bounded cost (rfpop, cpnp, mwu)",
    ),
    Property(
        "with outliers",
        "outliers",
        0.01,
        "more than 1 % of the points lie beyond 4 standard deviations: ask for several points"
        " before an alert",
    ),
    Property(
        "with ties",
        "tied",
        0.25,
        "rank and distribution tests are off and a variance can be 0: t becomes infinite, so check"
        " the size of the change too",
    ),
    Property(
        "with values of 0 or less",
        "below",
        0.0,
        "a change in percent has no meaning and logarithms fail: use absolute thresholds",
    ),
    Property(
        "drifting",
        "drift",
        3.0,
        "steps are found where there is a slope: compare with a recent window only, or take a"
        " method for slopes",
    ),
    Property(
        "noisier than the threshold",
        "noise by threshold",
        1.0,
        "one standard deviation is more than the alert threshold: single points say nothing, and"
        " only many together do",
    ),
)


def with_thresholds(profiles: pl.DataFrame) -> pl.DataFrame:
    """*profiles* with the column ``noise by threshold``: relative noise by the alert threshold."""
    pl = require("polars")
    threshold = pl.col("threshold").fill_null(THRESHOLD) / 100
    return profiles.with_columns(
        pl.when(threshold > 0).then(pl.col("relative") / threshold).alias("noise by threshold")
    )


def properties(profiles: pl.DataFrame, by: By | None = None) -> Part:
    """The shares of series with each property, of all or of each *by*.

    The frame has the columns (*by*,) property, count, total, share, low, high and, for all series,
    limit and meaning. The total leaves out series too short to tell.
    """
    pl = require("polars")
    own = with_thresholds(profiles)
    keys = [by] if by else []
    parts = []
    for one in PROPERTIES:
        value = pl.col(one.column).abs()
        known = own.filter(value.is_not_null()).with_columns(has=value > one.limit)
        grouped = known.group_by(keys) if by else known.group_by(pl.lit(0).alias("all"))
        parts.append(
            grouped.agg(count=pl.col("has").sum().cast(pl.Int64), total=pl.len().cast(pl.Int64))
            .sort(["total", *keys], descending=[True, *(False for _ in keys)])
            .select(
                *keys,
                pl.lit(one.name).alias("property"),
                "count",
                "total",
                *([] if by else [pl.lit(one.limit).alias("limit")]),
                *([] if by else [pl.lit(one.meaning).alias("meaning")]),
            )
        )
    frame = with_shares(pl.concat(parts))
    told = frame.filter(pl.col("total") > 0)
    return Part(
        f"properties-by-{by}" if by else "properties",
        f"Properties of noise by {by}" if by else "Properties of noise",
        frame,
        _of_groups(told, by) if by else _of_all(told),
        f"Series of fewer than {LEAST} revisions are left out; two bands and drift need more."
        " Measured about a running median of 41 points, so that steps do not count as noise.",
        empty=not told.height,
    )


def _of_all(frame: pl.DataFrame) -> str:
    rows = [row for row in frame.iter_rows(named=True) if row["count"]]
    most = max(frame["total"].to_list(), default=0)
    if not frame.height:
        return "No series is long enough to tell anything of its noise."
    if not rows:
        return f"None of {counted(most, 'series')} has any of them."
    rows.sort(key=lambda row: -row["share"])
    said = ", ".join(f"{row['property']} {share(row['share'])}" for row in rows)
    top = rows[0]
    return (
        f"Shares of series: {said}. What is most frequent ({top['property']}) means:"
        f" {top['meaning']}."
    )


def _of_groups(frame: pl.DataFrame, by: str) -> str:
    pl = require("polars")
    said = []
    z = corrected(frame.height)
    for (name,), own in frame.group_by("property", maintain_order=True):
        for row in own.filter((pl.col("total") >= 5) & (pl.col("count") > 0)).iter_rows(named=True):
            here = wilson(row["count"], row["total"], z)
            rest = wilson(
                summed(own["count"]) - row["count"], summed(own["total"]) - row["total"], z
            )
            if here.low > rest.high:
                text = f"{row[by]} for series {name} ({share(here.value)}, {share(rest.value)}"
                said.append((here.low - rest.high, f"{text} elsewhere)"))
    if not said:
        return f"No {by} stands out by more than chance explains."
    said.sort(reverse=True)
    return f"What stands out most: {'; '.join(text for _, text in said[:3])}."


@dataclass(frozen=True, slots=True)
class Spread:
    """A histogram of one number of the profiles.

    Attributes:
        title: of the histogram.
        unit: what the numbers are in.
        scale: what they are multiplied by.
        each: bins a decade; of a linear scale, 0.
        width: of the bins of a linear scale.
        note: how the number is made.
    """

    title: str
    unit: str
    scale: float
    each: int
    width: float
    note: str


SPREADS = {
    "relative": Spread(
        "Noise of a series by its level", "%", 100, 4, 0, "Robust standard deviation by median."
    ),
    "autocorrelation": Spread(
        "Correlation of neighbouring points",
        "",
        1,
        0,
        0.1,
        "About a running median of 41 points, which takes a little of it: 0.4 shows as 0.38.",
    ),
    "bands": Spread(
        "Two bands",
        "",
        1,
        0,
        0.05,
        "Share of the variance that two groups explain, 0.64 if normal.",
    ),
    "tails": Spread(
        "Weight of the tails", "", 1, 0, 0.25, "Middle 95 % by middle half; 1 is normal."
    ),
    "interval": Spread(
        "Time between two revisions of a series", "hours", 24, 4, 0, "Median of each series."
    ),
    "points": Spread("Length of the series", "revisions", 1, 4, 0, "Revisions of each series."),
}


def spread(profiles: pl.DataFrame, column: str) -> Part:
    """A histogram of the series by one number of their profiles, a key of `SPREADS`.

    The frame has the columns start, end, count and share.
    """
    pl = require("polars")
    what = SPREADS[column]
    own = profiles.select(value=pl.col(column) * what.scale).drop_nulls()
    if what.each:
        own = own.filter(pl.col("value") > 0)
        place = (pl.col("value").log10() * what.each + 1e-9).floor()
        start, end = (
            10.0 ** (pl.col("place") / what.each),
            10.0 ** ((pl.col("place") + 1) / what.each),
        )
    else:
        place = (pl.col("value") / what.width + 1e-9).floor()
        start, end = pl.col("place") * what.width, (pl.col("place") + 1) * what.width
    frame = (
        own.with_columns(place=place)
        .group_by("place")
        .agg(count=pl.len().cast(pl.Int64))
        .sort("place")
        .select(start=start, end=end, count="count", share=pl.col("count") / max(own.height, 1))
    )
    reading = "Not known of any series."
    if own.height:
        low, middle, high = (quantile(own["value"], q) for q in (0.1, 0.5, 0.9))
        unit = f" {what.unit}" if what.unit else ""
        reading = (
            f"Half of {counted(own.height, 'series')} have {number(middle)}{unit} or less; the"
            f" middle 80 % lie between {number(low)} and {number(high)}{unit}."
            f" {_choice(column, own)}"
        )
    return Part(f"spread-{column}", what.title, frame, reading.strip(), what.note, not own.height)


def _choice(column: str, own: pl.DataFrame) -> str:
    """What the numbers mean for the choice of methods."""
    pl = require("polars")

    def beyond(limit: float) -> str:
        return share(own.filter(pl.col("value") > limit).height / own.height)

    return {
        "relative": lambda: (
            f"{beyond(THRESHOLD)} are noisier than the usual threshold of {THRESHOLD:g} %: there"
            " one point says nothing."
        ),
        "autocorrelation": lambda: (
            f"{beyond(0.2)} are above 0.2, where tests that take points as independent alert too"
            " often."
        ),
        "bands": lambda: (
            f"{beyond(0.8)} are above 0.8: two bands, where means and t tests mislead."
        ),
        "tails": lambda: f"{beyond(1.5)} are above 1.5, where medians or ranks serve better.",
        "interval": lambda: (
            f"Twelve points after a change take {number(12 * (quantile(own['value']) or 0.0) / 24)}"
            " days in the middle series: so long a detector of that fore window waits."
        ),
        "points": lambda: (
            f"{beyond(2 * 24)} have more than 48 revisions, enough for two full windows of 24."
        ),
    }[column]()


def by_label(profiles: pl.DataFrame, alerts: pl.DataFrame) -> Part:
    """The share of false alerts on series with and without each property.

    The frame has the columns property, series (with, without), count, total, share, low and high;
    of decided alerts, true or false.
    """
    pl = require("polars")
    own = with_thresholds(profiles)
    decided = alerts.drop_nulls("verdict").select("repository", "signature", "verdict")
    joined = decided.join(own, on=["repository", "signature"])
    parts = []
    for one in PROPERTIES:
        value = pl.col(one.column).abs()
        parts.append(
            joined.filter(value.is_not_null())
            .with_columns(
                series=pl.when(value > one.limit).then(pl.lit("with")).otherwise(pl.lit("without"))
            )
            .group_by("series")
            .agg(
                count=(pl.col("verdict") == "false").sum().cast(pl.Int64),
                total=pl.len().cast(pl.Int64),
            )
            .sort("series")
            .select(pl.lit(one.name).alias("property"), "series", "count", "total")
        )
    # Without series to compare with, a share says nothing of the property.
    whole = pl.concat(parts)
    frame = with_shares(whole.filter(pl.len().over("property") == 2))
    return Part(
        "false-by-property",
        "False alerts on series with each property",
        frame,
        _contrast(frame),
        "Of decided alerts, true or false; Wilson's intervals, 95 %.",
        empty=not frame.height,
    )


def _contrast(frame: pl.DataFrame) -> str:
    if not frame.height:
        return "Decided alerts are on series with each property, or without it, alone."
    found = []
    for (name,), own in frame.group_by("property", maintain_order=True):
        rows = {row["series"]: row for row in own.iter_rows(named=True)}
        if len(rows) == 2 and rows["with"]["low"] > rows["without"]["high"]:
            found.append((rows["with"]["low"] - rows["without"]["high"], name, rows))
    if not found:
        return "No property goes with more false alerts by more than chance explains."
    _, name, rows = max(found, key=lambda one: one[0])
    has, lacks = rows["with"], rows["without"]
    return (
        f"Series {name} give the most false alerts: {share(has['share'])}"
        f" ({shares(has['low'], has['high'])}) of theirs are, {share(lacks['share'])} of the"
        " others'."
    )
