# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What tables, rules and labels mean, as Markdown, and how often each label was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepmark.datasets.research.labels import LAB_SUMMARY, LABEL_RULES
from stepmark.datasets.research.rules import RULES
from stepmark.datasets.research.tables import KIND_NAMES, TABLES, Table
from stepmark.extras import require

if TYPE_CHECKING:
    from polars import DataFrame


def dictionary() -> str:
    """The data dictionary: every table and column, the rules of curation, the labels."""
    parts = [
        "# Data dictionary\n",
        "Times are in UTC with microseconds. Null means that it is not known.\n",
        *(line for table in TABLES.values() for line in _of_table(table, "##")),
        "## Rules of curation\n",
        *rules_table(),
        "\n## Labels\n",
        *labels_tables(),
    ]
    return "\n".join(parts) + "\n"


def tables_text(level: str = "###") -> str:
    """All tables with their columns, under headings of *level*."""
    return "\n".join(line for table in TABLES.values() for line in _of_table(table, level))


def _of_table(table: Table, level: str) -> Iterator[str]:
    place = f"`{table.name}/`" if table.parts else f"`{table.name}.parquet`"
    yield f"{level} {place}\n"
    yield f"One row is {table.row}.\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in table.columns:
        yield f"| `{column.name}` | {KIND_NAMES[column.kind]} | {_cell(column.meaning)} |"
    yield ""


def rules_table() -> Iterator[str]:
    """The rules of curation as the lines of a table."""
    yield "| rule | counted | what is done |"
    yield "|---|---|---|"
    for rule in RULES:
        yield f"| `{rule.name}` | {rule.about} | {_cell(rule.sentence)} |"


def labels_tables() -> Iterator[str]:
    """The labels of the lab and of Stepmark as the lines of two tables."""
    yield "`label_lab`, by the status of the summary (`label_lab_alert`: by that of the alert):\n"
    yield "| label | status |"
    yield "|---|---|"
    for label, statuses in LAB_SUMMARY.items():
        yield f"| `{label}` | {statuses} |"
    yield ""
    yield (
        "`label` and `label_reason`: the first rule that fits. An alert created by hand is `missed`"
        " where the rule gives `true` or `downstream`.\n"
    )
    yield "| `label_reason` | `label` | when, and why |"
    yield "|---|---|---|"
    for rule in LABEL_RULES:
        yield f"| `{rule.reason}` | `{rule.label}` | {_cell(rule.sentence)} |"


def label_counts(alerts: DataFrame) -> dict[str, Any]:
    """How many alerts each label and reason was given; of the lab's also how many summaries."""
    pl = require("polars")
    by_reason = dict(alerts.group_by("label_reason").len().iter_rows())
    by_hand_first = alerts.sort(pl.col("label_lab") != "FN", "alert_summary_id", nulls_last=True)
    summaries = by_hand_first.unique("alert_summary_id", keep="first", maintain_order=True)
    return {
        "stepmark": dict(sorted(alerts.group_by("label").len().iter_rows())),
        "reasons": [
            {
                "reason": rule.reason,
                "label": rule.label,
                "sentence": rule.sentence,
                "count": by_reason.get(rule.reason, 0),
            }
            for rule in LABEL_RULES
        ],
        "lab": _lab_counts(alerts),
        "lab_summaries": _lab_counts(summaries),
    }


def _lab_counts(alerts: DataFrame) -> dict[str, int]:
    counts = dict(alerts.group_by("label_lab").len().iter_rows())
    return {
        label: counts.get(key, 0)
        for label, key in (*((label, label) for label in LAB_SUMMARY), ("none", None))
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
