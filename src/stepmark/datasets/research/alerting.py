# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Curation of alerts and bugs: one row each, what they say of each other, and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepmark.datasets.research.labels import (
    ACKNOWLEDGED,
    BUG_STATUS,
    DOWNSTREAM,
    INFRA,
    INVALID,
    INVESTIGATING,
    REASSIGNED,
    UNTRIAGED,
    with_labels,
)
from stepmark.datasets.research.material import Surroundings
from stepmark.datasets.research.rules import Ledger
from stepmark.extras import require

if TYPE_CHECKING:
    from polars import DataFrame, Series

MARKER_T = 1000
_BUGZILLA = 1
# Of alerts of one series and push the one that says most counts.
_SAYS_MOST = (ACKNOWLEDGED, DOWNSTREAM, REASSIGNED, INFRA, INVALID, UNTRIAGED)
_NEVER_NULL = (
    "single_alert_series_signature_suite",
    "single_alert_series_signature_test",
    "single_alert_series_signature_measurement_unit",
)
_SERIES = ("alert_summary_repository", "signature_id")


def curated_bugs(around: Surroundings, ledger: Ledger) -> DataFrame:
    """One row a bug, by number."""
    pl = require("polars")
    named = around.bugs.filter(pl.col("id").is_not_null())
    ordered = named.sort(["id", "last_change_time", *_settled(named)], nulls_last=False)
    bugs = ordered.unique("id", keep="last", maintain_order=True)
    if bugs.height < named.height:
        twice = named.filter(pl.col("id").is_duplicated())["id"].unique().sort()
        ledger.add("bug-twice", named.height - bugs.height, twice)
    return bugs


def _settled(frame: DataFrame) -> list[str]:
    """Columns of plain types that settle the order of rows that are otherwise alike."""
    pl = require("polars")
    plain = (pl.String(), pl.Int64(), pl.Float64(), pl.Boolean())
    return [name for name, kind in frame.schema.items() if kind in plain]


def curated_alerts(around: Surroundings, bugs: DataFrame, ledger: Ledger) -> DataFrame:
    """One row an alert, by id, labelled, with the columns ``target_*`` that tell where it belongs.

    ``target_push_id``, ``target_time``, ``target_prev_push_id`` and ``target_prev_time`` are the
    range of its own summary or, of a reassigned alert, of the summary it was moved to.
    """
    pl = require("polars")
    alerts = _once(around.alerts, ledger)
    _note_unread(around, ledger)
    alerts = alerts.with_columns(
        *(pl.col(name).fill_null("") for name in _NEVER_NULL),
        t_is_marker=pl.col("single_alert_t_value") == MARKER_T,
        range_edited=pl.col("alert_summary_revision") != pl.col("alert_summary_original_revision"),
        bug_resolution=_resolution(pl, bugs),
    )
    marked = alerts.filter("t_is_marker")["single_alert_id"]
    ledger.add("marker-t", marked.len(), marked)
    alerts = _with_duplicates(_timed(alerts, around.pushes), ledger)
    alerts = with_labels(_with_targets(alerts, _timed(around.summaries, around.pushes)))
    _note_reassigned(alerts, ledger)
    _note_bugs(alerts, bugs, ledger)
    open_summaries = open_of(alerts)
    ledger.add("summary-open", open_summaries.len(), open_summaries)
    return alerts


def open_of(alerts: DataFrame) -> Series:
    """The summaries that are untriaged or investigated, in order."""
    pl = require("polars")
    is_open = pl.col("alert_summary_status").is_in([UNTRIAGED, INVESTIGATING])
    found: Series = alerts.filter(is_open)["alert_summary_id"].unique().sort()
    return found


def counted_bugs(bugs: DataFrame, alerts: DataFrame, ledger: Ledger) -> DataFrame:
    """*bugs* with the number of alerts that name each."""
    pl = require("polars")
    counts = alerts.filter(_in_bugzilla(pl)).group_by(id="alert_summary_bug_number")
    joined = bugs.join(counts.agg(alerts=pl.len().cast(pl.Int64)), on="id", how="left")
    made: DataFrame = joined.with_columns(pl.col("alerts").fill_null(0)).sort("id")
    idle = made.filter(pl.col("alerts") == 0)["id"]
    ledger.add("bug-without-alert", idle.len(), idle)
    return made


def _once(alerts: DataFrame, ledger: Ledger) -> DataFrame:
    pl = require("polars")
    identity = ("single_alert_id", "signature_id", "alert_summary_id", "alert_summary_repository")
    whole = alerts.filter(pl.all_horizontal(pl.col(identity).is_not_null()))
    ledger.add("alert-without-identity", alerts.height - whole.height)
    order = ["single_alert_id", "alert_summary_creation_timestamp", *_settled(whole)]
    # Rows that are otherwise alike are ordered by all they say, whatever order they are read in.
    ordered = whole.sort(list(dict.fromkeys(order)), nulls_last=False)
    once: DataFrame = ordered.unique("single_alert_id", keep="last", maintain_order=True)
    if once.height < whole.height:
        twice = whole.filter(pl.col("single_alert_id").is_duplicated())["single_alert_id"]
        ledger.add("alert-twice", whole.height - once.height, twice.unique().sort())
    return once


def _note_unread(around: Surroundings, ledger: Ledger) -> None:
    examples = (f"{alert} of summary {summary}" for alert, summary in around.unread.items())
    ledger.add("alert-of-unread-summary", len(around.unread), examples)


def _in_bugzilla(pl: Any) -> Any:
    return pl.col("alert_summary_issue_tracker").fill_null(_BUGZILLA) == _BUGZILLA


def _resolution(pl: Any, bugs: DataFrame) -> Any:
    """The resolution of each alert's bug: that of Bugzilla, or what the summary mirrors of it."""
    known = dict(bugs.select("id", "resolution").drop_nulls().iter_rows())
    own = (
        pl.when(_in_bugzilla(pl))
        .then(pl.col("alert_summary_bug_number"))
        .replace_strict(known, default=None, return_dtype=pl.String)
    )
    mirrored = pl.col("alert_summary_bug_status").replace_strict(
        BUG_STATUS, default=None, return_dtype=pl.String
    )
    return pl.coalesce(pl.when(own != "").then(own), mirrored)


def _timed(frame: DataFrame, pushes: DataFrame) -> DataFrame:
    """*frame* with the times of its pushes, as far as they are known so far."""
    pl = require("polars")
    known = pushes.select("push_id", "push_timestamp", alert_summary_repository="repository")
    joined = frame
    for column, made in (("push_id", "_time"), ("prev_push_id", "_prev_time")):
        right = known.rename({"push_id": f"alert_summary_{column}", "push_timestamp": made})
        keys = ["alert_summary_repository", f"alert_summary_{column}"]
        joined = joined.join(right, on=keys, how="left", maintain_order="left")
    return joined.with_columns(push_timestamp=pl.coalesce("push_timestamp", "_time")).drop("_time")


def _with_duplicates(alerts: DataFrame, ledger: Ledger) -> DataFrame:
    """*alerts* with ``duplicate_of``: older data may have a series alerted twice at one push."""
    pl = require("polars")
    rank = {status: place for place, status in enumerate(_SAYS_MOST)}
    key = [*_SERIES, "alert_summary_push_id"]
    order = pl.col("single_alert_status").replace_strict(rank, default=len(rank))
    chosen = (
        alerts.filter(pl.col("alert_summary_push_id").is_not_null())
        .sort(order, "single_alert_id")
        .unique(key, keep="first", maintain_order=True)
        .select(*key, _chosen="single_alert_id")
    )
    joined = alerts.join(chosen, on=key, how="left", maintain_order="left")
    other = pl.col("_chosen") != pl.col("single_alert_id")
    made = joined.with_columns(duplicate_of=pl.when(other).then("_chosen")).drop("_chosen")
    twice = made.filter(pl.col("duplicate_of").is_not_null())["single_alert_id"]
    ledger.add("alert-duplicate", twice.len(), twice)
    return made


def _with_targets(alerts: DataFrame, summaries: DataFrame) -> DataFrame:
    """*alerts* with the range that their step belongs to, and the status of where they went."""
    pl = require("polars")
    there = summaries.filter(pl.col("alert_summary_id").is_not_null())
    # The same summary stands in the rows of all its alerts.
    ordered = there.sort("alert_summary_id", *_settled(there), "push_timestamp")
    where = ordered.unique("alert_summary_id", keep="last", maintain_order=True).select(
        single_alert_related_summary_id="alert_summary_id",
        related_status="alert_summary_status",
        _repository="alert_summary_repository",
        _push_id="alert_summary_push_id",
        _at="push_timestamp",
        _prev_push_id="alert_summary_prev_push_id",
        _prev_at="_prev_time",
    )
    joined = alerts.join(
        where, on="single_alert_related_summary_id", how="left", maintain_order="left"
    )
    moved = (
        (pl.col("single_alert_status") == REASSIGNED)
        & (pl.col("_repository") == pl.col("alert_summary_repository"))
        & pl.col("_push_id").is_not_null()
    ).fill_null(value=False)

    def of(own: str, other: str) -> Any:
        return pl.when(moved).then(other).otherwise(own)

    made = joined.with_columns(
        target_push_id=of("alert_summary_push_id", "_push_id"),
        target_time=of("push_timestamp", "_at"),
        target_prev_push_id=of("alert_summary_prev_push_id", "_prev_push_id"),
        target_prev_time=of("_prev_time", "_prev_at"),
        is_moved=moved,
    )
    return made.drop("_repository", "_push_id", "_at", "_prev_push_id", "_prev_at", "_prev_time")


def _note_reassigned(alerts: DataFrame, ledger: Ledger) -> None:
    moved = alerts.filter("is_moved")["single_alert_id"]
    ledger.add("reassigned-placed", moved.len(), moved)


def _note_bugs(alerts: DataFrame, bugs: DataFrame, ledger: Ledger) -> None:
    pl = require("polars")
    named = alerts.filter(_in_bugzilla(pl))["alert_summary_bug_number"].drop_nulls().unique()
    lacking = named.filter(~named.is_in(bugs["id"].to_list())).sort()
    ledger.add("bug-not-given", lacking.len(), lacking)
