# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Noise and sampling of every series, read in portions that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from stepmark.datasets.exploration.canonical import Tables
from stepmark.datasets.exploration.noise import Noise, noise
from stepmark.datasets.exploration.values import Research
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl
    from polars import DataFrame

PORTION = 1_000_000
"""Revisions that are read at a time."""

ENDED = 14
"""Days without a measurement after which a series counts as ended; the detector looks no
farther back."""

_NEEDED = ("repository", "push_id", "push_timestamp", "value", "n", "std", "min")
_KEY = ["repository", "signature"]
_DAY = 86_400_000_000


def pushes_of(research: Research) -> pl.DataFrame:
    """All pushes that any series was measured on: repository, push, time and rank in it."""
    pl = require("polars")
    wanted = ("repository", "push_id", "push_timestamp")
    frame = research.revisions().select(wanted).drop_nulls().unique()
    times = frame.collect(engine="streaming")
    return (
        times.sort("repository", "push_timestamp", "push_id")
        .rename({"push_id": "push", "push_timestamp": "time"})
        .unique(["repository", "push"], keep="first", maintain_order=True)
        .with_columns(rank=pl.int_range(pl.len()).over("repository").cast(pl.Int64))
    )


def profiles(
    research: Research,
    tables: Tables,
    pushes: pl.DataFrame,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """One row a series: what `Tables.series` tells, its noise and its sampling.

    Sampling: points (revisions), runs (measurements a revision), repeated (share of revisions with
    more than one), within (standard deviation of measurements of one revision) and within_freedom,
    interval, interval_p90 and longest_gap (days), skipped (pushes between two measured ones,
    median), skipped_p90, lifetime (days), ended.
    """
    pl = require("polars")
    made = [_portion(research, ids, pushes) for ids in _portions(tables.series, progress)]
    found = pl.concat(made) if made else pl.DataFrame(schema=_schema())
    now = pl.lit(tables.series_until, pl.Datetime("us"))
    age = (now - pl.coalesce("end", "last")).dt.total_microseconds() / _DAY
    joined = tables.series.join(found, on=_KEY, how="left")
    return joined.with_columns(ended=age > ENDED).drop("end")


def _schema() -> dict[str, Any]:
    pl = require("polars")
    numbers = (
        *("runs", "repeated", "within", "interval", "interval_p90", "longest_gap"),
        *("skipped", "skipped_p90", "lifetime"),
    )
    return (
        {"repository": pl.String, "signature": pl.Int64}
        | dict.fromkeys(("points", "within_freedom"), pl.Int64)
        | dict.fromkeys(numbers, pl.Float64)
        | {"end": pl.Datetime("us")}
        | {field.name: pl.Float64 for field in fields(Noise)}
    )


def _portions(
    series: pl.DataFrame, progress: Callable[[int, int], None] | None
) -> Iterator[list[int]]:
    """Signatures in the order of the data set, about `PORTION` revisions at a time."""
    sizes = series.select("signature", "revisions").drop_nulls()
    sizes = sizes.group_by("signature", maintain_order=True).sum()
    ids: list[int] = []
    held = done = 0
    for signature, size in sizes.iter_rows():
        if ids and held + size > PORTION:
            yield ids
            done += len(ids)
            if progress is not None:
                progress(done, sizes.height)
            ids, held = [], 0
        ids.append(signature)
        held += size
    if ids:
        yield ids


def _portion(research: Research, ids: list[int], pushes: pl.DataFrame) -> pl.DataFrame:
    pl = require("polars")
    frame = (
        research.revisions(signatures=ids)
        .select("signature_id", *_NEEDED)
        .filter(pl.col("value").is_finite())
        .collect()
        .rename({"signature_id": "signature", "push_id": "push", "push_timestamp": "time"})
        .with_columns(pl.col("time").dt.replace_time_zone(None))
        .sort(*_KEY, "time", "push", maintain_order=True)
    )
    ranks = pushes.select("repository", "push", "rank")
    frame = frame.join(ranks, on=["repository", "push"], how="left", maintain_order="left")
    return _sampling(frame).join(_noises(frame), on=_KEY).select(list(_schema()))


def _sampling(frame: pl.DataFrame) -> pl.DataFrame:
    pl = require("polars")
    steps = (pl.col("time").diff().dt.total_microseconds() / _DAY).drop_nulls()
    jumps = (pl.col("rank").diff() - 1).drop_nulls()
    freedom = pl.when(pl.col("std").is_finite()).then(pl.col("n") - 1).otherwise(0)
    spread = (pl.col("std").fill_nan(None) ** 2 * freedom).sum()
    made = frame.group_by(_KEY, maintain_order=True).agg(
        points=pl.len().cast(pl.Int64),
        runs=pl.col("n").mean(),
        repeated=(pl.col("n") > 1).mean(),
        within_freedom=freedom.sum().cast(pl.Int64),
        within=spread,
        interval=steps.median(),
        interval_p90=steps.quantile(0.9, "nearest"),
        longest_gap=steps.max(),
        skipped=jumps.median(),
        skipped_p90=jumps.quantile(0.9, "nearest").cast(pl.Float64),
        lifetime=(pl.col("time").max() - pl.col("time").min()).dt.total_microseconds() / _DAY,
        end=pl.col("time").max(),
    )
    known = pl.col("within_freedom") > 0
    return made.with_columns(
        within=pl.when(known).then((pl.col("within") / pl.col("within_freedom")).sqrt())
    )


def _noises(frame: pl.DataFrame) -> pl.DataFrame:
    pl = require("polars")
    own = {*_KEY, *(field.name for field in fields(Noise))}
    values = frame["value"].to_numpy()
    raw = frame["min"].to_numpy()
    keys = frame.select(_KEY, stop=pl.struct(_KEY).rle_id()).with_row_index("start")
    keys = keys.unique("stop", keep="first", maintain_order=True)
    starts = [*keys["start"], frame.height]
    rows = [
        {"repository": repository, "signature": signature}
        | asdict(noise(values[start:stop], raw[start:stop]))
        for (repository, signature), start, stop in zip(
            keys.select(_KEY).iter_rows(), starts, starts[1:], strict=False
        )
    ]
    schema = {name: kind for name, kind in _schema().items() if name in own}
    made: DataFrame = pl.DataFrame(rows, schema=schema)
    return made
