# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The measurements of one Treeherder series: from answers, joined, and as a Parquet file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stepmark.errors import InputError
from stepmark.extraction import checks
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

METADATA = "stepmark.series"
_CONTENT = frozenset({"data", "values", "job_ids", "submit_times"})


class Row(NamedTuple):
    """One measurement, as Treeherder gives it; the fields are the columns of the file."""

    id: int
    push_id: int
    job_id: int | None
    push_timestamp: datetime
    revision: str
    value: float
    replicates: tuple[float, ...] | None
    submit_time: datetime | None
    machine_name: str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A series: what the server says of it, and its measurements by id.

    Attributes:
        header: The fields of the answer that are no content; empty where there was no answer.
        by_id: The measurements.
    """

    header: Mapping[str, Any]
    by_id: Mapping[int, Row]

    def __len__(self) -> int:
        return len(self.by_id)

    def sorted(self) -> list[Row]:
        """The measurements by push time, push and id."""
        return sorted(self.by_id.values(), key=lambda r: (r.push_timestamp, r.push_id, r.id))

    def newest(self) -> datetime | None:
        """The time of the newest push; None without measurements."""
        return max((row.push_timestamp for row in self.by_id.values()), default=None)

    def joined(self, later: Rows) -> Rows:
        """These and the *later* answer's, which wins; what a server forgot since then is kept.

        Treeherder deletes jobs after 120 days, and with them job, machine and submit time.
        """
        by_id = dict(self.by_id)
        for row in later.by_id.values():
            known = by_id.get(row.id)
            by_id[row.id] = row if known is None else _completed(row, known)
        return Rows(later.header or self.header, by_id)

    def within(self, start: datetime, stop: datetime) -> Rows:
        """Those with push times from *start* up to and without *stop*."""
        inside = {i: r for i, r in self.by_id.items() if start <= r.push_timestamp < stop}
        return replace(self, by_id=inside)


def _completed(row: Row, known: Row) -> Row:
    return row._replace(
        job_id=known.job_id if row.job_id is None else row.job_id,
        submit_time=known.submit_time if row.submit_time is None else row.submit_time,
        machine_name=known.machine_name if row.machine_name is None else row.machine_name,
        replicates=known.replicates if row.replicates is None else row.replicates,
    )


NOTHING = Rows({}, {})


def parsed(answer: Any) -> Rows:
    """The series in an answer of ``/performance/summary/`` for one signature, without replicates.

    Raises `BrokenError` for another form.
    """
    element = _element(answer)
    if element is None:
        return NOTHING
    header = {name: value for name, value in element.items() if name not in _CONTENT}
    rows = (_row(item) for item in checks.objects(element.get("data"), "data"))
    return Rows(header, {row.id: row for row in rows})


def parsed_replicates(answer: Any) -> dict[int, tuple[float, ...]]:
    """The replicates of each measurement in the answer for ``replicates=true``, by id."""
    element = _element(answer)
    found: dict[int, list[float]] = {}
    for item in checks.objects(element.get("data"), "data") if element else ():
        number = checks.a_whole(item.get("id"), "id")
        found.setdefault(number, []).append(checks.a_number(item.get("value"), "value"))
    return {number: tuple(values) for number, values in found.items()}


def with_replicates(rows: Rows, replicates: Mapping[int, tuple[float, ...]]) -> Rows:
    """*rows* with their *replicates*; raises `KeyError` for a measurement that has none."""
    by_id = {i: row._replace(replicates=replicates[i]) for i, row in rows.by_id.items()}
    return replace(rows, by_id=by_id)


def _element(answer: Any) -> dict[str, Any] | None:
    elements = checks.objects(answer, "series")
    if len(elements) > 1:
        raise checks.FormError("series", "one", len(elements))
    return elements[0] if elements else None


def _row(item: Mapping[str, Any]) -> Row:
    job, submitted, machine = (item.get(n) for n in ("job_id", "submit_time", "machine_name"))
    return Row(
        checks.a_whole(item.get("id"), "id"),
        checks.a_whole(item.get("push_id"), "push_id"),
        None if job is None else checks.a_whole(job, "job_id"),
        checks.a_time(item.get("push_timestamp"), "push_timestamp"),
        checks.a_text(item.get("revision"), "revision"),
        checks.a_number(item.get("value"), "value"),
        None,
        None if submitted is None else checks.a_time(submitted, "submit_time"),
        None if machine is None else checks.a_text(machine, "machine_name"),
    )


def parquet_bytes(rows: Iterable[Row], metadata: Mapping[str, Any]) -> bytes:
    """The Parquet file of *rows*, in their order, with *metadata* beside them."""
    pl = require("polars")
    columns = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
    frame = pl.DataFrame(
        [
            pl.Series(name, values, dtype=dtype)
            for (name, dtype), values in zip(_schema(pl).items(), columns, strict=True)
        ]
    )
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd", metadata={METADATA: json.dumps(metadata)})
    return out.getvalue()


def read_parquet(path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The table in *path* and the metadata beside it; raises `InputError` if it is no such file."""
    pl = require("polars")
    try:
        metadata = json.loads(pl.read_parquet_metadata(path)[METADATA])
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError) as error:
        raise _no_series(path, error) from None
    frame = _read(pl, path)
    if frame.schema != _schema(pl) or not isinstance(metadata, dict):
        raise InputError(f"{path}: no series of an extraction: other columns")
    return frame, metadata


def newest_in(path: Path) -> datetime | None:
    """The time of the newest push of a series' file."""
    pl = require("polars")
    newest: datetime | None = _read(pl, path, ["push_timestamp"])["push_timestamp"].max()
    return newest


def jobs_in(path: Path, start: datetime, stop: datetime) -> list[int | None]:
    """The job of each measurement in a series' file, of pushes from *start* and before *stop*."""
    pl = require("polars")
    frame = _read(pl, path, ["push_timestamp", "job_id"])
    times = frame["push_timestamp"]
    return list(frame.filter((times >= start) & (times < stop))["job_id"])


def _read(pl: Any, path: Path, columns: list[str] | None = None) -> Any:
    try:
        return pl.read_parquet(path, columns=columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _no_series(path, error) from None


def _no_series(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: no series of an extraction: {str(error)[:200]}; remove it and extract again"
    )


def rows_of(frame: pl.DataFrame, metadata: Mapping[str, Any]) -> Rows:
    """What `read_parquet` gave, as rows."""
    read = (Row._make(values) for values in frame.iter_rows())
    made = (row if row.replicates is None else _frozen(row) for row in read)
    header = {n: v for n, v in metadata.items() if n not in ("from", "to", "left_out")}
    return Rows(header, {row.id: row for row in made})


def _frozen(row: Row) -> Row:
    return row._replace(replicates=tuple(row.replicates or ()))


def _schema(pl: Any) -> Any:
    time = pl.Datetime("us", "UTC")
    return pl.Schema(
        {
            "id": pl.Int64(),
            "push_id": pl.Int64(),
            "job_id": pl.Int64(),
            "push_timestamp": time,
            "revision": pl.String(),
            "value": pl.Float64(),
            "replicates": pl.List(pl.Float64()),
            "submit_time": time,
            "machine_name": pl.String(),
        }
    )
