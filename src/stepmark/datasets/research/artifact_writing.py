# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A research data set in the layout of the lab's artifact, which `artifact` reads back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepmark.datasets.research.artifact import (
    ALERTS_FILE,
    BUGS_FILE,
    ENTRY,
    SERIES_FOLDER,
    SUFFIX,
    quoted,
)
from stepmark.datasets.research.opened import Research, files_of
from stepmark.datasets.research.tables import ALERTS_READ, BUGS, MEASUREMENTS, SERIES_READ, Column
from stepmark.extras import require
from stepmark.files import File, file_name, write_folder
from stepmark.sources.text import FORMULA

if TYPE_CHECKING:
    from polars import DataFrame

_OWN = re.compile(rf"alerts_data\.csv|bugs_data\.csv|{SERIES_FOLDER}/[^/]+/\d+{SUFFIX}")
_POINTS = ("job_id", ENTRY, "push_timestamp", "value", "revision", "push_id")
_TIME = "%Y-%m-%dT%H:%M:%S%.f"


def write_artifact(research: Research, folder: Path, *, force: bool = False) -> None:
    """Write *research* in the lab's layout, but for `losses`.

    Text that a spreadsheet would run as a formula starts with an apostrophe, which is taken away
    again when it is read. Raises `OutputError` if *folder* holds something else, or an artifact and
    not *force*.
    """
    owned = _OWN.fullmatch
    write_folder(folder, _files(research), owned=lambda name: bool(owned(name)), force=force)


def losses(research: Research) -> list[str]:
    """What of *research* has no place in the lab's layout, as words."""
    own = [column for column in ALERTS_READ if not column.lab]
    alerts = research.alerts
    lost = {
        "first revisions, bug statuses and duplicates of summaries": any(
            alerts[column.name].null_count() < alerts.height for column in own
        ),
        "histories of bugs": research.bug_changes.height > 0,
        "pushes": research.document.get("provenance", {}).get("form") == "extraction",
        "replicates, submit times and machines": any(
            _has_more(path) for path in files_of(research.folder, MEASUREMENTS)
        ),
    }
    return [what for what, is_lost in lost.items() if is_lost]


def _has_more(path: Path) -> bool:
    pl = require("polars")
    more = pl.col("replicates", "submit_time", "machine_name").is_not_null().any()
    return any(pl.scan_parquet(path).select(more).collect().row(0))


def _files(research: Research) -> Iterator[File]:
    columns = [column for column in ALERTS_READ if column.lab]
    yield ALERTS_FILE, _table(research.alerts, columns, "|{}|")
    yield BUGS_FILE, _table(research.bugs, [c for c in BUGS.columns if c.lab], "[{}]")
    yield from _series(research)


def _table(frame: DataFrame, columns: Sequence[Column], wholes: str) -> bytes:
    """*columns* of *frame* as CSV; lists of numbers in the form *wholes*."""
    out = io.StringIO()
    # A return inside a cell must not end its row: it is quoted as a part of the line's end.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(column.name for column in columns)
    rows = frame.select(column.name for column in columns).iter_rows()
    writer.writerows([_cell(cell, wholes) for cell in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any, wholes: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value) and (value or wholes != "[{}]"):
            between = "|" if wholes == "|{}|" else ", "
            return wholes.format(between.join(map(str, value)))
        return json.dumps(value)
    return repr(value)


def _series(research: Research) -> Iterator[File]:
    """The measurements of each series, its description in every row."""
    pl = require("polars")
    described = {
        (row["repository"], row["signature_id"]): row
        for row in research.series.iter_rows(named=True)
    }
    for path in files_of(research.folder, MEASUREMENTS):
        parts = pl.read_parquet(path).partition_by(
            "repository", "signature_id", maintain_order=True, as_dict=True
        )
        for key, points in parts.items():
            repository, signature = key
            name = f"{SERIES_FOLDER}/{file_name(repository)}/{signature}{SUFFIX}"
            yield name, _series_bytes(described[key], points)


def _series_bytes(row: dict[str, Any], points: DataFrame) -> bytes:
    pl = require("polars")
    told = [
        pl.lit(_cell(row[column.name], "[{}]") or None, pl.String).alias(column.path)
        for column in SERIES_READ
        if column.lab
    ]
    revision = pl.col("revision")
    made = points.rename({"id": ENTRY}).select(
        *told,
        *(pl.col(name) for name in _POINTS if name not in {"push_timestamp", "revision"}),
        pl.col("push_timestamp").dt.strftime(_TIME),
        pl.when(revision.str.contains(f"^{FORMULA.pattern}"))
        .then("'" + revision)
        .otherwise(revision)
        .alias("revision"),
    )
    text: str = made.write_csv()
    return text.encode()
