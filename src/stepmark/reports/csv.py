# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The changes as a table of comma-separated values, one row a change."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from stepmark.changes import Change
from stepmark.reports.summary import SeriesSummary, Summary
from stepmark.reports.words import clean, finite
from stepmark.sources.text import FORMULA

COLUMNS = (
    "project",
    "benchmark",
    "metric",
    "labels",
    "unit",
    "direction",
    "index",
    "time",
    "previous_revision",
    "revision",
    "before",
    "after",
    "absolute",
    "relative",
    "interval_low",
    "interval_high",
    "score",
    "verdict",
    "new",
)


def render(summary: Summary) -> str:
    """One row a change, in input order, with numbers in full precision.

    An unknown value is an empty cell. ``new`` says whether the gate counted the change as new; it
    is empty where no gate was asked for. Text that a spreadsheet would run as a formula starts
    with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(item, change) for item, change in summary.changes())
    return out.getvalue()


def _row(item: SeriesSummary, change: Change) -> Iterator[str]:
    key, interval = item.series.key, change.interval or (None, None)
    labels = ",".join(f"{name}={value}" for name, value in key.labels)
    for text in (key.project, key.benchmark, key.metric, labels, item.series.unit):
        yield text_cell(text)
    yield item.direction.value if item.direction is not None else ""
    yield str(change.index)
    yield change.time.isoformat() if change.time is not None else ""
    yield text_cell(change.previous_revision)
    yield text_cell(change.revision)
    for number in (change.before.mean, change.after.mean, change.absolute, change.relative):
        yield _number(number)
    for number in (*interval, change.score):
        yield _number(number)
    yield change.verdict.value
    yield _new(item, change)


def _new(item: SeriesSummary, change: Change) -> str:
    if item.judgement is None:
        return ""
    return str(any(change.index == new.index for new in item.judgement.changes)).lower()


def text_cell(text: str) -> str:
    """*text* on one line; what a spreadsheet would run as a formula starts with an apostrophe."""
    shown = clean(text, None)
    risky = FORMULA.match(text) or FORMULA.match(shown)
    return f"'{shown}" if risky else shown


def _number(value: float | None) -> str:
    return "" if finite(value) is None else repr(value)
