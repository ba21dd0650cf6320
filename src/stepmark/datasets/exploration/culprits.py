# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How exactly alerts point to their culprits, and what backfilling takes to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepmark.datasets.exploration.canonical import Tables
from stepmark.datasets.exploration.intervals import quantile, summed, wilson, with_shares
from stepmark.datasets.exploration.phrases import counted, number, share, shares
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl


def corrections(tables: Tables) -> Part:
    """The share of summaries whose culprit revision was moved by hand, of each framework.

    The frame has the columns framework, count, total, share, low and high.
    """
    pl = require("polars")
    known = tables.summaries.filter(pl.col("edited").is_not_null())
    frame = known.group_by("framework").agg(
        count=pl.col("edited").sum().cast(pl.Int64),
        total=pl.len().cast(pl.Int64),
    )
    frame = with_shares(frame.sort(["total", "framework"], descending=[True, False]))
    found = wilson(summed(frame["count"]), summed(frame["total"]))
    reading = "The data do not tell which revision an alert named first."
    if found.total:
        reading = (
            f"Sheriffs moved the culprit of {share(found.value)}"
            f" ({shares(found.low, found.high)}) of {found.total:,} summaries: so often the"
            " detector named another push, which scores of its places should allow for."
        )
    return Part(
        "corrections",
        "Culprits moved by hand",
        frame,
        reading,
        "A summary whose revision is another than its first one.",
        empty=not found.total,
    )


def ranges(tables: Tables, pushes: pl.DataFrame) -> Part:
    """How many pushes stand between the last good push of a summary and its culprit.

    *pushes* has repository, push and rank, as `profiles.pushes_of` gives. The frame has the columns
    framework, median and p90 (pushes), count (of ranges of one push), total, share, low and high.
    """
    pl = require("polars")
    ranks = pushes.select("repository", "push", "rank")
    own = (
        tables.summaries.join(ranks, on=["repository", "push"])
        .join(
            ranks.rename({"push": "previous_push", "rank": "before"}),
            on=["repository", "previous_push"],
        )
        .with_columns(width=pl.col("rank") - pl.col("before"))
        .filter(pl.col("width") > 0)
    )
    frame = (
        own.group_by("framework")
        .agg(
            count=(pl.col("width") == 1).sum().cast(pl.Int64),
            total=pl.len().cast(pl.Int64),
            median=pl.col("width").median(),
            p90=pl.col("width").quantile(0.9, "nearest"),
        )
        .sort(["total", "framework"], descending=[True, False])
    )
    reading = "The pushes of no alert summary are among the measurements."
    if own.height:
        exact = wilson(int((own["width"] == 1).sum()), own.height)
        reading = (
            f"{share(exact.value)} ({shares(exact.low, exact.high)}) of {own.height:,} summaries"
            f" name one push; the median range has {number(quantile(own['width']))} and one in ten"
            f" has {number(quantile(own['width'], 0.9))} pushes or more."
        )
    return Part(
        "ranges",
        "Summaries that name one push",
        with_shares(frame),
        reading,
        "Pushes of the repository that any series was measured on, from the one after the last good"
        " push up to the culprit: fewer than were pushed, if some were never measured.",
        empty=not own.height,
    )


def backfills(tables: Tables) -> Part:
    """Backfills that were started for alerts, and how many of them succeeded.

    The frame has the columns framework, summaries (with a backfill), started, succeeded, failed,
    and the share of success with low and high.
    """
    pl = require("polars")
    frame = (
        tables.summaries.filter(pl.col("backfills") > 0)
        .group_by("framework")
        .agg(
            summaries=pl.len().cast(pl.Int64),
            started=pl.col("backfills").sum(),
            succeeded=pl.col("backfilled").sum(),
            failed=pl.col("backfills_failed").sum(),
        )
        .sort(["started", "framework"], descending=[True, False])
        .with_columns(ended=pl.col("succeeded") + pl.col("failed"))
    )
    made = with_shares(frame, "succeeded", "ended")
    found = wilson(summed(made["succeeded"]), summed(made["ended"]))
    reading = "No backfills are recorded."
    if made.height:
        started, of = summed(made["started"]), summed(made["summaries"])
        reading = (
            f"{counted(started, 'backfill')} for {counted(of, 'summary', 'summaries')},"
            f" {started / of:.1f} each; of {counted(found.total, 'result')} {share(found.value)}"
            f" ({shares(found.low, found.high)}) are a success."
        )
    return Part(
        "backfills",
        "Backfills",
        made,
        reading,
        "Actions that Sherlock triggered, and pushes whose job then ran or failed.",
        empty=not made.height,
    )
