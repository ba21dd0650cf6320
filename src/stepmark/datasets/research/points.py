# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Curation of measurements, and their aggregation by revision, many series at a time.

Frames here have a column ``series`` (a number of the chunk) and the columns of `material.POINTS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepmark.datasets.research.rules import MOST_EXAMPLES, Ledger
from stepmark.extras import require

if TYPE_CHECKING:
    from polars import DataFrame

BIGGEST = 1e150
"""Beyond this size squares are no numbers any more: such a value is taken for damaged."""

LONGEST_NAME = 4096
"""Bytes of a revision or of the name of a machine."""

_TOLD = ("push_timestamp", "push_id", "value", "job_id", "revision")


def curated(points: DataFrame, names: Sequence[str], ledger: Ledger) -> DataFrame:
    """The *points* that can be used, each once, by series, push time, push and id.

    *names* are what examples call the series, by their number.
    """
    pl = require("polars")
    usable = pl.col("value").is_finite() & (pl.col("value").abs() <= BIGGEST)
    placed = pl.all_horizontal(pl.col("id", "push_id", "push_timestamp").is_not_null())
    texts = pl.col("revision", "machine_name").str.len_bytes().fill_null(0)
    kept = points
    for rule, condition in (
        ("point-not-finite", usable.fill_null(value=False)),
        ("point-without-push", placed),
        ("point-of-long-text", pl.all_horizontal(texts <= LONGEST_NAME)),
    ):
        told = kept.filter(condition)
        if told.height < kept.height:
            left_out = kept.filter(~condition)
            ledger.add(rule, left_out.height, _examples(left_out, names))
        kept = told
    kept = kept.with_columns(pl.col("revision").fill_null(""))
    once = _once(kept, names, ledger)
    return once.sort("series", "push_timestamp", "push_id", "id")


def _once(points: DataFrame, names: Sequence[str], ledger: Ledger) -> DataFrame:
    """*points* with every id once in its series."""
    pl = require("polars")
    again = points.select(pl.struct("series", "id").is_duplicated()).to_series()
    if not again.any():
        return points
    doubtful = points.filter(again).sort("series", "id", *_TOLD, "machine_name")
    different = doubtful.unique(["series", "id", *_TOLD], keep="first", maintain_order=True)
    first = different.unique(["series", "id"], keep="first", maintain_order=True)
    twice = doubtful.height - different.height
    ledger.add("point-twice", twice, _examples(doubtful, names) if twice else ())
    conflicts = different.filter(pl.struct("series", "id").is_duplicated())
    ledger.add("point-conflict", different.height - first.height, _examples(conflicts, names))
    made: DataFrame = pl.concat([points.filter(~again), first])
    return made


def _examples(points: DataFrame, names: Sequence[str]) -> list[str]:
    """The first of *points*, as words."""
    first = points.select("series", "id").sort("series", "id").unique(maintain_order=True)
    rows = first.head(MOST_EXAMPLES).iter_rows()
    return [f"{names[series]} id {number}" for series, number in rows]


def revisions_of(points: DataFrame, names: Sequence[str], ledger: Ledger) -> DataFrame:
    """One row a push of a series, in order, with what its curated *points* say together.

    The columns are ``series`` and those of `tables.REVISIONS` from ``position`` to ``scaled``.
    """
    pl = require("polars")
    value = pl.col("value")
    made = points.group_by("series", "push_id", maintain_order=True).agg(
        pl.col("push_timestamp").min(),
        pl.col("push_timestamp").max().alias("_latest"),
        pl.col("revision").first(),
        value.mean(),
        value.median().alias("median"),
        pl.len().cast(pl.Int64).alias("n"),
        value.std().alias("std"),
        value.min().alias("min"),
        value.max().alias("max"),
    )
    torn = made.filter(pl.col("_latest") != pl.col("push_timestamp"))
    if torn.height:
        rows = torn.select("series", "push_id").head(MOST_EXAMPLES).iter_rows()
        examples = [f"{names[series]} push {push}" for series, push in rows]
        ledger.add("push-of-two-times", torn.height, examples)
    ordered = made.drop("_latest").sort("series", "push_timestamp", "push_id")
    exact = ordered.with_columns(
        # The mean of equal numbers is that number, which rounding must not hide.
        value=pl.col("value").clip(pl.col("min"), pl.col("max")),
        std=pl.when(pl.col("min") == pl.col("max")).then(pl.col("std") * 0).otherwise("std"),
        position=pl.int_range(pl.len()).over("series"),
    )
    least, most = (f("value").over("series") for f in (pl.min, pl.max))
    share = (pl.col("value") - least) / (most - least)
    return exact.select(
        "series",
        "position",
        "push_id",
        "push_timestamp",
        "revision",
        "value",
        "median",
        "n",
        "std",
        "min",
        "max",
        scaled=pl.when(most > least).then(share).otherwise(0.0),
    )
