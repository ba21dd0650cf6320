# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Outcomes and scores of a study in one Parquet file, with where they come from.

One row a run. The file's own metadata hold the provenance under ``stepmark`` as JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError, LimitError, OutputError
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.scores import Scored
from stepmark.extras import require
from stepmark.files import write_file
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content

SCHEMA = "stepmark.outcomes/1"
MAGIC = b"PAR1"
_KEY = "stepmark"
_TYPES = {
    "series": "String",
    "method": "String",
    "configuration": "String",
    "default": "Boolean",
    "status": "String",
    "places": "List(Int64)",
    "seconds": "Float64",
    "error": "String",
    "parameters": "String",
}


def write_outcomes(
    scored: Sequence[Scored], path: Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write *scored* to *path*, whole or not at all.

    Raises `OutputError` naming the file where that is impossible.
    """
    frame = _frame(scored)
    metadata = {_KEY: json.dumps({"schema": SCHEMA, **(provenance or {})}, sort_keys=True)}
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", metadata=metadata)
    try:
        write_file(path, content.getvalue())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


def _frame(scored: Sequence[Scored]) -> Any:
    pl = require("polars")
    outcomes = [one.outcome for one in scored]
    columns: dict[str, tuple[list[Any], Any]] = {
        "series": ([o.series for o in outcomes], pl.String),
        "method": ([o.method for o in outcomes], pl.String),
        "configuration": ([o.configuration for o in outcomes], pl.String),
        "default": ([o.default for o in outcomes], pl.Boolean),
        "status": ([o.status.value for o in outcomes], pl.String),
        "places": ([list(o.places) for o in outcomes], pl.List(pl.Int64)),
        "seconds": ([o.seconds for o in outcomes], pl.Float64),
        "error": ([o.error for o in outcomes], pl.String),
        "parameters": ([json.dumps(dict(o.parameters)) for o in outcomes], pl.String),
    }
    for name in METRICS:
        columns[name] = ([one.scores.get(name) for one in scored], pl.Float64)
    return pl.DataFrame({name: pl.Series(name, *column) for name, column in columns.items()})


def read_outcomes(
    path: Path,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> tuple[list[Outcome], Mapping[str, Any]]:
    """The outcomes in *path* and their provenance; the scores in it are left alone.

    Raises `InputError` for a file that is no such Parquet file, `LimitError` for more rows than
    *limits* allow.
    """
    pl = require("polars")
    data = read_content(path, limits).data
    try:
        provenance = json.loads(pl.read_parquet_metadata(io.BytesIO(data)).get(_KEY, "null"))
        if not isinstance(provenance, dict) or provenance.get("schema") != SCHEMA:
            raise InputError(f"{path}: holds no outcomes of a study ({SCHEMA})")
        rows = _rows(pl, path, data, limits)
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        ValueError,
        RecursionError,
    ) as error:
        problem = str(error).split("\n", 1)[0]
        raise InputError(f"{path}: no usable Parquet file: {problem:.200}") from None
    return [_outcome(path, place, row) for place, row in enumerate(rows)], provenance


def _rows(pl: Any, path: Path, data: bytes, limits: Limits) -> list[dict[str, Any]]:
    schema = pl.read_parquet_schema(io.BytesIO(data))
    for name, kind in _TYPES.items():
        if str(schema.get(name)) != kind:
            raise InputError(f"{path}: column {name} is {schema.get(name)}, not {kind}")
    # Asked of the file's footer: nothing is unpacked yet.
    table = pl.scan_parquet(io.BytesIO(data))
    count: int = table.select(pl.len()).collect().item()
    if count > limits.max_measurements:
        raise LimitError(f"{path}: {count:,} rows are more than {limits.max_measurements:,}")
    rows: list[dict[str, Any]] = table.select(list(_TYPES)).collect().to_dicts()
    return rows


def _outcome(path: Path, place: int, row: Mapping[str, Any]) -> Outcome:
    try:
        parameters = json.loads(row["parameters"] or "{}")
        return Outcome(
            series=str(row["series"]),
            method=str(row["method"]),
            configuration=str(row["configuration"]),
            status=Status(row["status"]),
            places=tuple(int(p) for p in row["places"] or ()),
            seconds=row["seconds"],
            error=str(row["error"] or ""),
            default=bool(row["default"]),
            parameters=parameters if isinstance(parameters, dict) else {},
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: row {place} is no outcome: {error}") from None
