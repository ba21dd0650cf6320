# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Parquet tables in and out, by polars, which comes with the extra ``data``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepmark.errors import InputError, LimitError
from stepmark.extras import require
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content

if TYPE_CHECKING:
    import polars as pl

LONGEST_TEXT = 1 << 20

Columns = Mapping[str, str]
"""The type of each column by name: ``text``, ``whole``, ``number`` or ``time``."""


def table_bytes(columns: Columns, rows: Mapping[str, Sequence[Any]]) -> bytes:
    """A Parquet table of *rows* (a list a column); times are microseconds since 1970 in UTC.

    Raises `InputError` for text that is not Unicode.
    """
    pl = require("polars")
    types = _types(pl)
    try:
        made = [
            pl.Series(name, list(rows[name]), dtype=pl.Int64 if kind == "time" else types[kind])
            for name, kind in columns.items()
        ]
    except UnicodeEncodeError as error:
        raise InputError(f"text that is not Unicode: {error.object!a:.60}; rename it") from None
    frame = pl.DataFrame(made).with_columns(
        pl.col(name).cast(types[kind]) for name, kind in columns.items() if kind == "time"
    )
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd")
    return out.getvalue()


def read_table(path: Path, columns: Columns, limits: Limits) -> dict[str, list[Any]]:
    """The *columns* of the Parquet table in *path*, a list each; times as `table_bytes` takes them.

    Other columns are not read. Raises `InputError` if it is no such table, `LimitError` for more
    rows than *limits* allow or texts of more than a mebibyte.
    """
    pl = require("polars")
    data = read_content(path, limits).data
    try:
        return _read(pl, path, data, columns, limits)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        problem = str(error).split("\n", 1)[0]
        raise InputError(f"{path}: no usable Parquet table: {problem:.200}") from None


def _read(
    pl: Any, path: Path, data: bytes, columns: Columns, limits: Limits
) -> dict[str, list[Any]]:
    types = _types(pl)
    schema: Mapping[str, pl.DataType] = pl.read_parquet_schema(io.BytesIO(data))
    for name, kind in columns.items():
        if schema.get(name) != types[kind]:
            found = f"is {schema[name]}, not {types[kind]}" if name in schema else "is missing"
            raise InputError(f"{path}: column {name} {found}")
    # Asked of the file's footer: nothing is unpacked yet.
    table = pl.scan_parquet(io.BytesIO(data))
    rows: int = table.select(pl.len()).collect().item()
    if rows > limits.max_measurements:
        raise LimitError(
            f"{path}: {rows:,} rows are more than {limits.max_measurements:,}; split the data set"
        )
    texts = [name for name, kind in columns.items() if kind == "text"]
    longest = table.select(pl.col(texts).str.len_bytes().max()).collect().row(0)
    for name, length in zip(texts, longest, strict=True):
        if (length or 0) > LONGEST_TEXT:
            raise LimitError(f"{path}: column {name}: a text of {length:,} bytes")
    frame = table.select(
        pl.col(name).cast(pl.Int64) if kind == "time" else pl.col(name)
        for name, kind in columns.items()
    ).collect()
    return {name: frame[name].to_list() for name in columns}


def _types(pl: Any) -> dict[str, Any]:
    return {
        "text": pl.String(),
        "whole": pl.Int64(),
        "number": pl.Float64(),
        "time": pl.Datetime("us", "UTC"),
    }
