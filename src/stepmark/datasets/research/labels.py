# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What an alert says of its series: the lab's labels, and Stepmark's own, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepmark.extras import require

if TYPE_CHECKING:
    from polars import DataFrame

# Statuses of an alert.
UNTRIAGED, DOWNSTREAM, REASSIGNED, INVALID, ACKNOWLEDGED, INFRA = range(6)
# Those of a summary begin with the same four.
INVESTIGATING, SUMMARY_INFRA = 5, 9

BUG_STATUS = {
    1: "FIXED",
    2: "INVALID",
    3: "INACTIVE",
    4: "DUPLICATE",
    5: "WONTFIX",
    6: "WORKSFORME",
    7: "INCOMPLETE",
    8: "MOVED",
}

CHANGES = {"stepmark": ("true", "missed", "downstream"), "lab": ("TP", "FN")}
"""The labels that say that the series does change there."""

OPEN = {"stepmark": ("uncertain",), "lab": ("SP",)}
"""The labels that say that nobody knows yet."""

RANK = ("true", "missed", "downstream", "infra", "false", "uncertain", "duplicate")
"""Which alert the rows of a place name where there are several: the first of these."""

LAB_SUMMARY = {
    "TP": "downstream, reassigned, improvement, wontfix, fixed, backedout",
    "FP": "invalid",
    "SP": "still processing: untriaged, investigating",
    "FN": "an alert created by hand, whatever its status",
}
_LAB_SUMMARY = {"TP": (1, 2, 4, 6, 7, 8), "FP": (3,), "SP": (0, 5)}
_LAB_ALERT = {"TP": (1, 2, 4), "FP": (3,), "SP": (0,)}


@dataclass(frozen=True, slots=True)
class LabelRule:
    """A rule that gives a label: the first one that fits counts.

    Attributes:
        reason: its name, as ``label_reason`` has it.
        label: what it gives; of an alert created by hand, ``missed`` in place of ``true`` and
            ``downstream``.
        sentence: when it fits, and why it is so.
    """

    reason: str
    label: str
    sentence: str


LABEL_RULES = (
    LabelRule(
        "duplicate",
        "duplicate",
        "Another alert of the same series and push counts: one step is not two.",
    ),
    LabelRule(
        "infra",
        "infra",
        "Marked as infrastructure (or untriaged in such a summary): the step is in the data, but no"
        " change of the product caused it.",
    ),
    LabelRule("invalid", "false", "Marked as invalid by a person: noise."),
    LabelRule(
        "acknowledged-in-invalid",
        "uncertain",
        "The alert is acknowledged, its summary invalid or infra: two judgements that contradict"
        " each other.",
    ),
    LabelRule(
        "bug-invalid",
        "uncertain",
        "Acknowledged, but the bug that was filed for it was closed as INVALID: sheriff and"
        " developers disagree.",
    ),
    LabelRule(
        "acknowledged",
        "true",
        "Acknowledged by a person; whether the change was then fixed, backed out or accepted is"
        " another question.",
    ),
    LabelRule(
        "acknowledged-open",
        "true",
        "Acknowledged, in a summary that is still untriaged or investigated: the change is"
        " confirmed, only what becomes of it is open (the lab calls it still processing).",
    ),
    LabelRule(
        "moved-to-invalid",
        "uncertain",
        "Moved to a summary that was then found invalid: whether this series changes was not said.",
    ),
    LabelRule("moved-to-infra", "infra", "Moved to a summary that was caused by infrastructure."),
    LabelRule(
        "moved-to-open",
        "uncertain",
        "Moved to a summary that nobody has triaged yet.",
    ),
    LabelRule(
        "downstream",
        "downstream",
        "The step is in this series, but its cause is counted in another summary, as after a merge"
        " from another repository: a change of the series, not one more regression.",
    ),
    LabelRule(
        "reassigned",
        "true",
        "The step is true and another push of the repository caused it: it is placed at that push.",
    ),
    LabelRule(
        "reassigned-unknown",
        "uncertain",
        "Reassigned to a summary that is not in the data: the step is true, but its place is not"
        " known.",
    ),
    LabelRule(
        "created-by-hand",
        "true",
        "Not triaged, but created by a person, who saw a change that the system had missed.",
    ),
    LabelRule(
        "bug-fixed",
        "true",
        "The alert itself is not triaged, but the bug of its summary was closed as FIXED.",
    ),
    LabelRule("untriaged", "uncertain", "Nobody has judged the alert yet."),
    LabelRule("unknown-status", "uncertain", "The alert has no status that is known."),
)


def with_labels(alerts: DataFrame) -> DataFrame:
    """*alerts* with the columns ``label_lab``, ``label_lab_alert``, ``label``, ``label_reason``.

    Needed are the columns read, ``bug_resolution``, ``duplicate_of`` and ``related_status`` (that
    of the summary that an alert was moved to; null: not known).
    """
    pl = require("polars")
    by_hand = pl.col("single_alert_manually_created").fill_null(False)
    label = {rule.reason: rule.label for rule in LABEL_RULES}
    named = alerts.with_columns(label_reason=_reason(pl))
    given = pl.col("label_reason").replace_strict(label, return_dtype=pl.String)
    missed = by_hand & given.is_in(["true", "downstream"])
    return named.with_columns(
        label_lab=_lab(pl, "alert_summary_status", _LAB_SUMMARY, by_hand),
        label_lab_alert=_lab(pl, "single_alert_status", _LAB_ALERT, by_hand),
        label=pl.when(missed).then(pl.lit("missed")).otherwise(given),
    )


def _lab(pl: Any, status: str, labels: dict[str, tuple[int, ...]], by_hand: Any) -> Any:
    chain = pl.when(by_hand).then(pl.lit("FN"))
    for label, statuses in labels.items():
        chain = chain.when(pl.col(status).is_in(list(statuses))).then(pl.lit(label))
    return chain.otherwise(pl.lit(None, pl.String))


def _reason(pl: Any) -> Any:
    """The reason of the first rule that fits, as an expression."""
    status, summary = pl.col("single_alert_status"), pl.col("alert_summary_status")
    related, bug = pl.col("related_status"), pl.col("bug_resolution")
    by_hand = pl.col("single_alert_manually_created").fill_null(False)
    moved = status.is_in([DOWNSTREAM, REASSIGNED])
    conditions = {
        "duplicate": pl.col("duplicate_of").is_not_null(),
        "infra": (status == INFRA) | ((status == UNTRIAGED) & (summary == SUMMARY_INFRA)),
        "invalid": status == INVALID,
        "acknowledged-in-invalid": (status == ACKNOWLEDGED)
        & summary.is_in([INVALID, SUMMARY_INFRA]),
        "bug-invalid": (status == ACKNOWLEDGED) & (bug == "INVALID"),
        "acknowledged": (status == ACKNOWLEDGED) & ~summary.is_in([UNTRIAGED, INVESTIGATING]),
        "acknowledged-open": status == ACKNOWLEDGED,
        "moved-to-invalid": moved & (related == INVALID),
        "moved-to-infra": moved & (related == SUMMARY_INFRA),
        "moved-to-open": moved & (related == UNTRIAGED),
        "downstream": status == DOWNSTREAM,
        "reassigned": (status == REASSIGNED) & related.is_not_null(),
        "reassigned-unknown": status == REASSIGNED,
        "created-by-hand": (status == UNTRIAGED) & by_hand,
        "bug-fixed": (status == UNTRIAGED) & (bug == "FIXED"),
        "untriaged": status == UNTRIAGED,
    }
    rules = iter(conditions.items())
    reason, condition = next(rules)
    chain = pl.when(condition).then(pl.lit(reason))
    for reason, condition in rules:
        chain = chain.when(condition).then(pl.lit(reason))
    return chain.otherwise(pl.lit("unknown-status"))
