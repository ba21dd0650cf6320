# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The tables of a research data set: every column once, with its type and meaning.

Schemas, the data dictionary, and what is read from an extraction or the lab's artifact and written
back to it all come from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from stepmark.extras import require

if TYPE_CHECKING:
    from polars import DataType

Kind = Literal["text", "whole", "number", "flag", "time", "texts", "wholes", "numbers"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: its name in the table.
        kind: the type of its cells.
        meaning: what it says, for people.
        path: where the API has it, for tables that are read from JSON: the keys joined by dots;
            empty where Stepmark works it out.
        lab: whether the lab's artifact has it, under this name.
    """

    name: str
    kind: Kind
    meaning: str
    path: str = ""
    lab: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its name, what one row is, and its columns.

    *parts*: it is a folder of files with whole series each, not one file.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    parts: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def schema(self) -> dict[str, DataType]:
        """The columns' types by name, as polars has them; needs the extra ``data``."""
        return schema_of(self.columns)


def schema_of(columns: Iterable[Column]) -> dict[str, DataType]:
    """The types of *columns* by name, as polars has them; needs the extra ``data``."""
    types = _types()
    return {column.name: types[column.kind] for column in columns}


def _types() -> Mapping[str, Any]:
    pl = require("polars")
    return {
        "text": pl.String(),
        "whole": pl.Int64(),
        "number": pl.Float64(),
        "flag": pl.Boolean(),
        "time": pl.Datetime("us", "UTC"),
        "texts": pl.List(pl.String()),
        "wholes": pl.List(pl.Int64()),
        "numbers": pl.List(pl.Float64()),
    }


def _summary(name: str, kind: Kind, meaning: str, path: str = "", *, lab: bool = True) -> Column:
    return Column(f"alert_summary_{name}", kind, meaning, f"summary.{path or name}", lab)


def _alert(name: str, kind: Kind, meaning: str, path: str = "", *, lab: bool = True) -> Column:
    return Column(f"single_alert_{name}", kind, meaning, f"alert.{path or name}", lab)


def _signature(name: str, kind: Kind, meaning: str) -> Column:
    return _alert(f"series_signature_{name}", kind, meaning, f"series_signature.{name}")


def _backfill(name: str, kind: Kind, meaning: str) -> Column:
    return _alert(f"backfill_record_{name}", kind, meaning, f"backfill_record.{name}")


_SUMMARY_STATUS = (
    "0 untriaged, 1 downstream, 2 reassigned, 3 invalid, 4 improvement, 5 investigating, 6 wontfix,"
    " 7 fixed, 8 backedout, 9 infra (since 2026)"
)
_ALERT_STATUS = (
    "0 untriaged, 1 downstream, 2 reassigned, 3 invalid, 4 acknowledged, 5 infra (since 2026)"
)
_BUG_STATUS = (
    "0 NEW, 1 FIXED, 2 INVALID, 3 INACTIVE, 4 DUPLICATE, 5 WONTFIX, 6 WORKSFORME, 7 INCOMPLETE,"
    " 8 MOVED; only since 2026"
)

_TASK: tuple[tuple[str, Kind, str], ...] = (
    ("task_id", "text", "the task that measured"),
    ("retry_id", "whole", "the run of the task"),
)

_SUMMARY_COLUMNS = (
    _summary("id", "whole", "the summary: the group of alerts of one push"),
    _summary("push_id", "whole", "the push that the summary blames, as edited by sheriffs"),
    _summary("prev_push_id", "whole", "the last push that was measured before it"),
    _summary(
        "creation_timestamp",
        "time",
        "when the summary was made; not when the push landed: the difference is the delay of"
        " detection",
        "created",
    ),
    _summary("first_triaged", "time", "when a person first changed it; null: not yet"),
    _summary("triage_due_date", "time", "two working days after it was made"),
    _summary("repository", "text", "name of the repository"),
    _summary("framework", "whole", "id of the framework"),
    _summary("related_alerts", "wholes", "ids of alerts that were moved into this summary"),
    _summary("status", "whole", _SUMMARY_STATUS),
    _summary("bug_number", "whole", "the bug, in the tracker of issue_tracker"),
    _summary("bug_due_date", "time", "four working days after it was made"),
    _summary("bug_updated", "time", "when a bug number was last set"),
    _summary("issue_tracker", "whole", "1 Bugzilla, 2 GitHub (Servo)"),
    _summary("notes", "text", "notes of the sheriffs"),
    _summary("revision", "text", "the revision that is blamed, as edited by sheriffs"),
    _summary("prev_push_revision", "text", "the revision of prev_push_id"),
    _summary("assignee_username", "text", "the sheriff; may be left out for privacy"),
    _summary("assignee_email", "text", "address of the sheriff; may be left out for privacy"),
    _summary("performance_tags", "texts", "tags that sheriffs gave"),
)
_SUMMARY_OWN = (
    _summary("original_revision", "text", "the revision that was blamed first", lab=False),
    _summary(
        "original_prev_push_revision", "text", "the revision before, as found first", lab=False
    ),
    _summary("bug_status", "whole", _BUG_STATUS, lab=False),
    _summary(
        "duplicated_summaries",
        "wholes",
        "ids of summaries of the same push and framework",
        lab=False,
    ),
)
_ALERT_COLUMNS = (
    _alert("id", "whole", "the alert: one series in one summary"),
    _alert("status", "whole", _ALERT_STATUS),
    _alert("profile_url", "text", "profile after the change"),
    _alert("prev_profile_url", "text", "profile before the change"),
    _alert("is_regression", "flag", "whether the change is for the worse: the sign of the change"),
    _alert("prev_value", "number", "mean before, rounded to 2 decimals"),
    _alert("new_value", "number", "mean after, rounded to 2 decimals"),
    _alert("t_value", "number", "the t statistic; 1000 is a marker: infinite, or created by hand"),
    _alert("amount_abs", "number", "new_value - prev_value, signed"),
    _alert("amount_pct", "number", "size of the change in percent of prev_value, never negative"),
    _alert("summary_id", "whole", "the summary that the alert was made in"),
    _alert("related_summary_id", "whole", "the summary that it was moved to"),
    _alert("manually_created", "flag", "made by a person: the system had missed it"),
    _alert("classifier", "text", "who triaged it; null: the system"),
    _alert("starred", "flag", "marked with a star"),
    _alert("classifier_email", "text", "address of the classifier; may be left out for privacy"),
    _alert("noise_profile", "text", "OK, SKEWED, OUTLIERS, MODAL or N/A, before the change"),
    _signature("framework_id", "whole", "id of the framework"),
    _signature("signature_hash", "text", "hash of the series' properties; not unique"),
    _signature("machine_platform", "text", "platform"),
    _signature("suite", "text", "suite"),
    _signature("test", "text", "test; empty for the summary value of a suite"),
    _signature("lower_is_better", "flag", "whether lower values are better"),
    _signature("has_subtests", "flag", "whether other series are parts of it"),
    _signature("option_collection_hash", "text", "hash of the build options"),
    _signature("tags", "texts", "tags of the test"),
    _signature("extra_options", "texts", "options of the test"),
    _signature("measurement_unit", "text", "unit"),
    _signature("suite_public_name", "text", "name of the suite for outsiders"),
    _signature("test_public_name", "text", "name of the test for outsiders"),
    *(
        _alert(f"{prev}taskcluster_metadata_{name}", kind, meaning + where, f"{prev}{path}.{name}")
        for prev, where in (("", " at the change"), ("prev_", " before the change"))
        for path in ("taskcluster_metadata",)
        for name, kind, meaning in _TASK
    ),
    _backfill("context", "text", "points about the alert, as JSON"),
    _backfill("status", "whole", "0 preliminary to 5 verification failed"),
    _backfill("total_actions_triggered", "whole", "backfills asked for"),
    _backfill("total_backfills_failed", "whole", "backfills that failed"),
    _backfill("total_backfills_successful", "whole", "backfills that gave a result"),
    _backfill("total_backfills_in_progress", "whole", "backfills that still ran"),
)

ALERTS_READ: tuple[Column, ...] = (
    Column("push_timestamp", "time", "when the blamed push landed", "summary.push_timestamp", True),
    Column("signature_id", "whole", "the series", "alert.series_signature.id", True),
    *_SUMMARY_COLUMNS,
    *_ALERT_COLUMNS,
    *_SUMMARY_OWN,
)
"""The columns of `ALERTS` that are read; the others are worked out."""

LABEL_COLUMNS = (
    Column("label_lab", "text", "TP, FP, SP or FN by the lab's rules for the summary; null: infra"),
    Column("label", "text", "true, missed, downstream, duplicate, infra, false or uncertain"),
)

ALERTS = Table(
    "alerts",
    "an alert",
    (
        *ALERTS_READ,
        Column("prev_push_timestamp", "time", "when prev_push_id landed; null: not known"),
        Column(
            "original_push_timestamp",
            "time",
            "when original_revision landed: what a delay is measured from; null: not known",
        ),
        Column("range_edited", "flag", "whether sheriffs blamed another push; null: not known"),
        Column("t_is_marker", "flag", "whether t_value is the marker 1000"),
        Column("bug_resolution", "text", "resolution of the bug, of bugs or else bug_status"),
        Column("has_series", "flag", "whether the series is in the data set"),
        Column(
            "placement",
            "text",
            "exact: the push was measured; next: placed at the next measured revision; outside:"
            " before the second or after the last revision; null: no series",
        ),
        Column("position", "whole", "the change's place: position of its revision in revisions"),
        Column("place_push_id", "whole", "the push at that place"),
        Column(
            "is_marked", "flag", "whether the rows at the place name this alert, not another there"
        ),
        Column("duplicate_of", "whole", "the alert of the same series and push that counts"),
        Column("label_lab_alert", "text", "TP, FP, SP or FN by the lab's rules for the alert"),
        *LABEL_COLUMNS,
        Column("label_reason", "text", "the rule that gave the label; see the label rules"),
    ),
)

BUGS = Table(
    "bugs",
    "a bug",
    (
        Column("id", "whole", "number of the bug", "id", True),
        Column("type", "text", "defect, enhancement or task", "type", True),
        Column("summary", "text", "title", "summary", True),
        Column("status", "text", "status", "status", True),
        Column("resolution", "text", "resolution; empty while open", "resolution", True),
        Column("is_open", "flag", "whether it is open", "is_open", True),
        Column("is_confirmed", "flag", "whether it is confirmed", "is_confirmed", True),
        Column("priority", "text", "priority", "priority", True),
        Column("severity", "text", "severity", "severity", True),
        Column("classification", "text", "classification", "classification", True),
        Column("product", "text", "product", "product", True),
        Column("component", "text", "component", "component", True),
        Column("version", "text", "version", "version", True),
        Column("platform", "text", "hardware", "platform", True),
        Column("op_sys", "text", "operating system", "op_sys", True),
        Column("creation_time", "time", "when it was filed", "creation_time", True),
        Column("last_change_time", "time", "when it last changed", "last_change_time", True),
        Column("cf_last_resolved", "time", "when it was last resolved", "cf_last_resolved", True),
        Column("keywords", "texts", "keywords", "keywords", True),
        Column("whiteboard", "text", "whiteboard", "whiteboard", True),
        Column("url", "text", "address that the bug names", "url", True),
        Column("votes", "whole", "votes", "votes", True),
        Column("comment_count", "whole", "number of comments", "comment_count", True),
        Column("depends_on", "wholes", "bugs that it depends on", "depends_on", True),
        Column("blocks", "wholes", "bugs that depend on it", "blocks", True),
        Column("duplicates", "wholes", "bugs closed as duplicates of it", "duplicates", True),
        Column("regressed_by", "wholes", "bugs whose change caused it", "regressed_by", True),
        Column("regressions", "wholes", "bugs that its change caused", "regressions", True),
        Column(
            "cf_performance_impact", "text", "impact on performance", "cf_performance_impact", True
        ),
        Column("creator", "text", "who filed it; may be left out", "creator", True),
        Column("creator_name", "text", "their name", "creator_detail.real_name", True),
        Column("creator_email", "text", "their address", "creator_detail.email", True),
        Column("assigned_to", "text", "who works on it; may be left out", "assigned_to", True),
        Column("assigned_to_name", "text", "their name", "assigned_to_detail.real_name", True),
        Column("assigned_to_email", "text", "their address", "assigned_to_detail.email", True),
        Column("triage_owner", "text", "who triages it; may be left out", "triage_owner", True),
        Column("cc", "text", "who is told, as JSON; may be left out", "cc", True),
        Column("cc_detail", "text", "the same with names, as JSON", "cc_detail", True),
        Column("flags", "text", "requests, as JSON", "flags", True),
        Column("alerts", "whole", "number of alerts whose summary names it"),
    ),
)

BUG_CHANGES = Table(
    "bug_changes",
    "a change of one field of a bug",
    (
        Column("bug_id", "whole", "number of the bug"),
        Column("time", "time", "when it was changed"),
        Column("field", "text", "the field"),
        Column("removed", "text", "what was taken away"),
        Column("added", "text", "what was put there"),
    ),
)

SERIES_READ: tuple[Column, ...] = (
    Column("repository", "text", "name of the repository", "repository_name", True),
    Column(
        "signature_id", "whole", "the series; with repository its identity", "signature_id", True
    ),
    Column("repository_id", "whole", "id of the repository", "repository_id", True),
    Column("signature_hash", "text", "hash of its properties; not unique", "signature_hash", True),
    Column("framework_id", "whole", "id of the framework", "framework_id", True),
    Column("suite", "text", "suite", "suite", True),
    Column("test", "text", "test; empty for the summary value of a suite", "test", True),
    Column("platform", "text", "platform", "machine_platform", True),
    Column("application", "text", "application; empty: not said", "application", True),
    Column("option_collection_hash", "text", "hash of the options", "option_collection_hash", True),
    Column("extra_options", "texts", "options of the test", "extra_options", True),
    Column("tags", "texts", "tags of the test", "tags", True),
    Column("unit", "text", "unit; empty: not said", "measurement_unit", True),
    Column("lower_is_better", "flag", "whether lower values are better", "lower_is_better", True),
    Column("should_alert", "flag", "whether alerts are made; null: by rule", "should_alert", True),
    Column("has_subtests", "flag", "whether other series are parts of it", "has_subtests", True),
    Column(
        "parent_signature",
        "text",
        "the series that it is a part of: its hash or its id, as the source gives it",
        "parent_signature",
        True,
    ),
    Column("name", "text", "name as Perfherder shows it", "name", True),
    Column("alert_threshold", "number", "least size of an alert; null: 2", "alert_threshold"),
    Column(
        "alert_change_type", "whole", "0 percent, 1 absolute; null: percent", "alert_change_type"
    ),
)
"""The columns of `SERIES` that are read; the others are worked out."""

SERIES = Table(
    "series",
    "a series",
    (
        *SERIES_READ,
        Column("framework", "text", "name of the framework; its id where that is not known"),
        Column("options", "texts", "build options; null where they are not known"),
        Column("complete_from", "time", "from when on its points are complete; null: not known"),
        Column("complete_to", "time", "until when they are complete; null: not known"),
        Column("measurements", "whole", "number of measurements"),
        Column("revisions", "whole", "number of revisions"),
        Column("first", "time", "when its first revision landed"),
        Column("last", "time", "when its last revision landed"),
        Column("least", "number", "the smallest mean of a revision: scaled 0"),
        Column("most", "number", "the greatest mean of a revision: scaled 1"),
        Column("alerts", "whole", "number of alerts"),
        Column("changes", "whole", "places labelled true, missed or downstream"),
    ),
)

_IDENTITY = (
    Column("repository", "text", "name of the repository"),
    Column("signature_id", "whole", "the series"),
)
_ROW_LABELS = (
    Column("alert_id", "whole", "the alert whose place this is; null: none"),
    Column(
        "suspect_of",
        "whole",
        "the alert whose range holds this revision: after its prev_push, before its place",
    ),
    *LABEL_COLUMNS,
)

MEASUREMENTS = Table(
    "measurements",
    "a measurement; sorted by series, then push_timestamp, push_id, id",
    (
        *_IDENTITY,
        Column("id", "whole", "the measurement"),
        Column("push_id", "whole", "the push that was measured"),
        Column("job_id", "whole", "the job that measured; null: not known, or deleted"),
        Column("push_timestamp", "time", "when the push landed"),
        Column("revision", "text", "revision of the push"),
        Column("value", "number", "the value"),
        Column("replicates", "numbers", "what the value was made of; null: not known"),
        Column("submit_time", "time", "when the job was submitted; null: not known"),
        Column("machine_name", "text", "the machine that measured; null: not known"),
        *_ROW_LABELS,
    ),
    parts=True,
)

REVISIONS = Table(
    "revisions",
    "a revision of a series; sorted by series, then position",
    (
        *_IDENTITY,
        Column("position", "whole", "place in its series, from 0"),
        Column("push_id", "whole", "the push"),
        Column("push_timestamp", "time", "when the push landed"),
        Column("revision", "text", "revision of the push"),
        Column("value", "number", "mean of its measurements"),
        Column("median", "number", "median of its measurements"),
        Column("n", "whole", "number of its measurements"),
        Column("std", "number", "their standard deviation (n - 1); null for one"),
        Column("min", "number", "the smallest"),
        Column("max", "number", "the greatest"),
        Column("scaled", "number", "value scaled to 0..1 over its series; 0 if all are equal"),
        *_ROW_LABELS,
    ),
    parts=True,
)

TABLES = {
    table.name: table for table in (ALERTS, BUGS, BUG_CHANGES, SERIES, MEASUREMENTS, REVISIONS)
}

KIND_NAMES = {
    "text": "text",
    "whole": "whole number",
    "number": "number",
    "flag": "true or false",
    "time": "time, UTC",
    "texts": "list of texts",
    "wholes": "list of whole numbers",
    "numbers": "list of numbers",
}
