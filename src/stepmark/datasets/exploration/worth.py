# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a suite or test is worth: its alerts true and false, and what engineers did about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepmark.datasets.exploration.canonical import Tables
from stepmark.datasets.exploration.intervals import summed, with_shares
from stepmark.datasets.exploration.phrases import counted, share, shares
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

_TRACTION = 14  # days


def worth(tables: Tables, by: Sequence[str] = ("framework", "suite")) -> Part:
    """What alerts of each suite (or test, or platform) turned out to be, and what came of its bugs.

    The frame has the columns *by*, alerts, true, false, decided (true and false), share (of
    false ones) with low and high, missed, bugs, followed (bugs whose first two weeks are known),
    traction (share of these whose status or resolution changed within them) and fixed (share of
    resolved bugs that were fixed); the most false alerts first.
    """
    pl = require("polars")
    keys = list(by)
    counts = tables.alerts.group_by(keys).agg(
        alerts=pl.len().cast(pl.Int64),
        true=(pl.col("verdict") == "true").sum().cast(pl.Int64),
        false=(pl.col("verdict") == "false").sum().cast(pl.Int64),
        decided=pl.col("verdict").is_not_null().sum().cast(pl.Int64),
        missed=(pl.col("label") == "missed").sum().cast(pl.Int64),
    )
    frame = with_shares(
        counts.join(_bugs(tables, keys), on=keys, how="left").with_columns(
            pl.col("bugs", "followed").fill_null(0)
        ),
        "false",
        "decided",
    ).sort(["false", "decided", *keys], descending=[True, True, *(False for _ in keys)])
    columns = ("alerts", "true", "false", "decided", "share", "low", "high", "missed", "bugs")
    what = "suite" if keys[-1] == "suite" else keys[-1]
    return Part(
        f"worth-by-{what}",
        f"What the alerts of each {what} are worth",
        frame.select(*keys, *columns, "followed", "traction", "fixed"),
        _reading(frame, keys),
        "Traction: bugs whose status or resolution changed within two weeks of their filing, of"
        " those at least so old. Fixed: of resolved bugs. Shares of false ones are of decided"
        " alerts, with Wilson's intervals.",
        empty=not frame.height,
    )


def with_independent(frame: pl.DataFrame, tables: Tables, by: Sequence[str]) -> pl.DataFrame:
    """*frame* with summaries (that decided alerts are of) and independent (how many those count).

    The alerts of one summary mostly turn out alike. As if they always did, so many independent
    ones would tell as much: the square of their number by the sum of squares of each summary's
    (Kish, "Survey Sampling", 1965).
    """
    pl = require("polars")
    decided = tables.alerts.drop_nulls("verdict")
    sizes = decided.group_by(*by, "summary").agg(size=pl.len().cast(pl.Float64))
    counted = sizes.group_by(list(by)).agg(
        summaries=pl.len().cast(pl.Int64),
        independent=pl.col("size").sum() ** 2 / (pl.col("size") ** 2).sum(),
    )
    return frame.join(counted, on=list(by), how="left", maintain_order="left").with_columns(
        pl.col("summaries").fill_null(0), pl.col("independent").fill_null(0.0)
    )


def _bugs(tables: Tables, keys: list[str]) -> pl.DataFrame:
    """Bugs, traction and fixed of each of *keys*; a bug counts once for each."""
    pl = require("polars")
    now = pl.lit(tables.bugs_until, pl.Datetime("us"))
    limit = pl.duration(days=_TRACTION)
    linked = tables.alerts.select(*keys, "bug").drop_nulls("bug").unique()
    joined = linked.join(tables.bugs, on="bug").with_columns(
        judged=pl.col("followed") & (pl.col("created") + limit <= now),
        quick=(pl.col("moved") - pl.col("created") <= limit).fill_null(value=False),
    )
    resolved = pl.col("resolution") != ""
    return joined.group_by(keys).agg(
        bugs=pl.len().cast(pl.Int64),
        followed=pl.col("judged").sum().cast(pl.Int64),
        traction=pl.col("quick").filter("judged").mean(),
        fixed=(pl.col("resolution") == "FIXED").filter(resolved).mean(),
    )


def _reading(frame: pl.DataFrame, keys: list[str]) -> str:
    pl = require("polars")
    wrong = frame.filter(pl.col("false") > 0)
    what = keys[-1]
    if not wrong.height:
        return "No alert is known to be false."
    total = summed(wrong["false"])
    few = wrong.head(max(1, round(0.1 * frame.height)))
    part = summed(few["false"]) / total
    top = wrong.row(0, named=True)
    name = " ".join(str(top[key]) for key in keys if top[key])
    of = "tenth" if few.height > 1 else "one"
    said = (
        f"The worst {of} of {counted(frame.height, what)} has {share(part)} of"
        f" {counted(total, 'false alert')}"
    )
    return (
        f"{said}; {name} has the most: {top['false']:,} of {top['decided']:,} decided ones,"
        f" {share(top['share'])} ({shares(top['low'], top['high'])})."
    )
