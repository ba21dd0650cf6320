# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The tables of a research data set under short names, statuses and frameworks in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stepmark.datasets.exploration.values import Research
from stepmark.datasets.research.names import ALERT_STATUSES, FRAMEWORKS, SUMMARY_STATUSES
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl
    from polars import Expr

LABELS = ("true", "downstream", "missed", "false", "uncertain", "duplicate", "infra")
"""What an alert turned out to be; none is ``unlabelled``."""

JUDGED = ("true", "downstream", "missed", "false", "uncertain")
"""The labels that shares are of: infra and duplicates say nothing of the detector."""

OPEN = ("untriaged", "investigating")
"""The statuses of summaries that somebody has still to work on."""

_LAB = {"TP": "true", "FN": "missed", "FP": "false", "SP": "uncertain"}
_SIGNATURE = "single_alert_series_signature_"
_BACKFILL = "single_alert_backfill_record_total_"
_ALERT = {
    "alert": "single_alert_id",
    "summary": "alert_summary_id",
    "signature": "signature_id",
    "repository": "alert_summary_repository",
    "framework": "alert_summary_framework",
    "suite": f"{_SIGNATURE}suite",
    "test": f"{_SIGNATURE}test",
    "platform": f"{_SIGNATURE}machine_platform",
    "status": "single_alert_status",
    "summary_status": "alert_summary_status",
    "label": "label",
    "lab": "label_lab",
    "regression": "single_alert_is_regression",
    "manual": "single_alert_manually_created",
    "percent": "single_alert_amount_pct",
    "absolute": "single_alert_amount_abs",
    "t": "single_alert_t_value",
    "marker": "t_is_marker",
    "noise_profile": "single_alert_noise_profile",
    "pushed": "push_timestamp",
    "first_pushed": "original_push_timestamp",
    "created": "alert_summary_creation_timestamp",
    "first_triaged": "alert_summary_first_triaged",
    "triage_due": "alert_summary_triage_due_date",
    "bug": "alert_summary_bug_number",
    "bug_due": "alert_summary_bug_due_date",
    "bug_updated": "alert_summary_bug_updated",
    "push": "alert_summary_push_id",
    "previous_push": "alert_summary_prev_push_id",
    "edited": "range_edited",
    "backfills": f"{_BACKFILL}actions_triggered",
    "backfilled": f"{_BACKFILL}backfills_successful",
    "backfills_failed": f"{_BACKFILL}backfills_failed",
}
_BUG = {
    "bug": "id",
    "created": "creation_time",
    "changed": "last_change_time",
    "resolved": "cf_last_resolved",
    "resolution": "resolution",
}
_CHANGE = {"bug": "bug_id", "time": "time", "field": "field", "added": "added"}
_SERIES = {
    "repository": "repository",
    "signature": "signature_id",
    "framework_id": "framework_id",
    "framework": "framework",
    "suite": "suite",
    "test": "test",
    "platform": "platform",
    "unit": "unit",
    "should_alert": "should_alert",
    "threshold": "alert_threshold",
    "change_type": "alert_change_type",
    "revisions": "revisions",
    "last": "last",
}


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables of a research data set, their columns named as in this module, times in UTC.

    Attributes:
        alerts: one row an alert, with ``lab`` (the lab's label in our words), ``verdict`` (true or
            false; null where it is undecided or says nothing of the detector) and ``month``.
        summaries: one row an alert summary, with its labels and what all its alerts share.
        bugs: one row a bug; ``moved`` is the first change of its status or resolution.
        series: one row a series.
        now: the last time that alerts tell of, until which open summaries are known to have
            waited; None without any.
        bugs_until: the same of bugs, which may have been asked for at another time.
        series_until: when the last revision of any series landed.
    """

    alerts: pl.DataFrame
    summaries: pl.DataFrame
    bugs: pl.DataFrame
    series: pl.DataFrame
    now: datetime | None
    bugs_until: datetime | None
    series_until: datetime | None

    @property
    def until(self) -> datetime | None:
        """The last time that alerts or series tell of."""
        return max(filter(None, (self.now, self.series_until)), default=None)


def tables(research: Research) -> Tables:
    """The tables of *research* under short names; raises polars' error if a column is missing."""
    series = _renamed(research.series, _SERIES)
    told = series.select("framework_id", "framework").drop_nulls().unique()
    # A data set that does not know the name has the number in its place.
    names = {**FRAMEWORKS} | {i: name for i, name in told.iter_rows() if name != str(i)}
    series = series.with_columns(framework=_named_by(names, "framework_id", "framework"))
    alerts = _alerts(_renamed(research.alerts, _ALERT), names)
    bugs = _bugs(_renamed(research.bugs, _BUG), _renamed(research.bug_changes, _CHANGE))
    now = _latest(alerts.select("created", "first_triaged", "bug_updated", "pushed"))
    until = _latest(bugs.select("created", "changed", "resolved", "moved"))
    return Tables(
        alerts=alerts,
        summaries=_summaries(alerts),
        bugs=bugs,
        series=_named(series),
        now=now,
        bugs_until=max(filter(None, (until, now)), default=None),
        series_until=_latest(series.select("last")),
    )


def _renamed(frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    pl = require("polars")
    times = pl.selectors.datetime("us", "UTC")
    return frame.select(
        pl.col(source).alias(name) for name, source in columns.items()
    ).with_columns(times.dt.replace_time_zone(None))


def _named_by(names: Mapping[int, str], number: str, otherwise: str) -> pl.Expr:
    """The names of frameworks by their numbers; another column where nobody knows them."""
    pl = require("polars")
    found: Expr = pl.col(number).replace_strict(
        dict(names), default=pl.col(otherwise).cast(pl.String), return_dtype=pl.String
    )
    return found


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    pl = require("polars")
    return frame.with_columns(
        pl.col("framework", "repository", "suite", "platform").fill_null("unknown"),
        pl.col("test").fill_null(""),
    )


def _alerts(frame: pl.DataFrame, frameworks: Mapping[int, str]) -> pl.DataFrame:
    pl = require("polars")
    frame = frame.with_columns(
        framework=_named_by(frameworks, "framework", "framework"),
        status=_in_words("status", ALERT_STATUSES),
        summary_status=_in_words("summary_status", SUMMARY_STATUSES),
    )
    infra = (pl.col("status") == "infra") | (pl.col("summary_status") == "infra")
    lab = pl.col("lab").replace_strict(_LAB, default=None, return_dtype=pl.String)
    return _named(frame).with_columns(
        label=pl.col("label").fill_null("unlabelled"),
        verdict=pl.when(pl.col("label").is_in(["true", "downstream"]))
        .then(pl.lit("true"))
        .when(pl.col("label") == "false")
        .then(pl.lit("false")),
        lab=pl.coalesce(lab, pl.when(infra).then(pl.lit("infra")), pl.lit("unlabelled")),
        month=pl.coalesce("created", "pushed").dt.strftime("%Y-%m"),
        noise_profile=pl.col("noise_profile").fill_null("unknown"),
        t=pl.when(~pl.col("marker").fill_null(value=False)).then(pl.col("t").abs()),
        percent=pl.col("percent").abs(),
        absolute=pl.col("absolute").abs(),
    )


def _in_words(column: str, names: tuple[str, ...]) -> pl.Expr:
    pl = require("polars")
    words: Expr = pl.col(column).replace_strict(
        dict(enumerate(names)), default="unknown", return_dtype=pl.String
    )
    return words


_SHARED = (
    "repository",
    "framework",
    "month",
    "pushed",
    "first_pushed",
    "created",
    "first_triaged",
    "triage_due",
    "bug",
    "bug_due",
    "bug_updated",
    "push",
    "previous_push",
    "edited",
    "lab",
)


def _summaries(alerts: pl.DataFrame) -> pl.DataFrame:
    """One row a summary, labelled by its alerts: one that is true makes it true."""
    pl = require("polars")
    # One that is open may yet turn out true; false ones beside infra make it false, as the lab's.
    order = ("true", "missed", "downstream", "uncertain", "false", "infra", "duplicate")
    ranks = {label: place for place, label in enumerate((*order, "unlabelled"))}
    back = {place: label for label, place in ranks.items()}
    ranked = pl.col("label").replace_strict(ranks, default=len(order), return_dtype=pl.Int64)
    return (
        alerts.filter(pl.col("summary").is_not_null())
        .with_columns(rank=ranked)
        .group_by("summary", maintain_order=True)
        .agg(
            pl.col(_SHARED).first(),
            pl.col("summary_status").first().alias("status"),
            pl.col("regression", "manual").any(),
            pl.len().cast(pl.Int64).alias("alerts"),
            pl.col("backfills", "backfilled", "backfills_failed").sum(),
            pl.col("rank").min(),
            missed=(pl.col("lab") == "missed").any(),
        )
        .with_columns(
            label=pl.col("rank").replace_strict(back, return_dtype=pl.String),
            lab=pl.when(pl.col("missed")).then(pl.lit("missed")).otherwise(pl.col("lab")),
        )
        .drop("rank", "missed")
    )


def _bugs(bugs: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Bugs with their times of resolution, from their history where they do not tell themselves."""
    pl = require("polars")
    moves = changes.filter(pl.col("field").is_in(["status", "bug_status", "resolution"]))
    first = moves.group_by("bug").agg(moved=pl.col("time").min())
    closing = moves.filter(pl.col("added").is_in(["RESOLVED", "VERIFIED", "CLOSED"]))
    closed = closing.group_by("bug").agg(closed=pl.col("time").max())
    resolution = pl.col("resolution").fill_null("")
    return (
        bugs.unique("bug", keep="first", maintain_order=True)
        .join(first, on="bug", how="left")
        .join(closed, on="bug", how="left")
        .with_columns(
            resolution=resolution,
            resolved=pl.when(resolution != "").then(pl.coalesce("resolved", "closed", "changed")),
            # Bugs without any history may not have been asked for it.
            followed=pl.lit(value=bool(changes.height)),
        )
        .drop("closed")
    )


def _latest(frame: pl.DataFrame) -> datetime | None:
    found = [column.max() for column in frame.get_columns()]
    return max((time for time in found if isinstance(time, datetime)), default=None)
