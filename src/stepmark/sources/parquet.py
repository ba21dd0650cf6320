# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Parquet tables of results, read by polars, which comes with the extra ``data``."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.extras import require
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.csv import read_grid
from stepmark.sources.pages import check_pages
from stepmark.sources.plan import Grid, cell_text
from stepmark.sources.text import shown

if TYPE_CHECKING:
    import polars as pl

_MAGIC = b"PAR1"
_LONGEST_TEXT = 65_536
_SLICE = 1_000
_PLAIN = ("String", "Boolean", "Categorical", "Enum", "Date", "Datetime", "Time", "Null")
# pandas keeps an index without a name under this one.
_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, slots=True)
class Parquet:
    """A Parquet table, wide or long, whose columns mean what they mean in `CSV`.

    Roles of columns are found by name and content, and `Columns` overrides them, in the same way.
    A column of lists of numbers holds replicates: one cell is one measurement. An index that pandas
    keeps without a name counts as the first column without a name. Columns of other types (binary
    data, durations, structures, lists of texts) are left out with a reason. Numbers of rows in
    messages count from 1. Needs the extra ``data``.
    """

    name: ClassVar[str] = "parquet"
    title: ClassVar[str] = "Parquet: a table whose columns mean the same as in CSV"
    binary: ClassVar[bool] = True
    vague: ClassVar[int] = 5

    def recognises(self, content: Content) -> bool:
        """Whether it starts as a Parquet file does."""
        return content.data.startswith(_MAGIC)

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read the table; raises `InputError` and `LimitError` as `CSV` does."""
        collector = Collector(content)
        frame = read_frame(content, lambda name, kind: _is_read(collector, name, kind))
        index = [name for name in frame.columns if _INDEX.fullmatch(name)]
        names = [*index[:1], *(name for name in frame.columns if name not in index)]
        if not names:
            raise InputError(f"{content.name}: a Parquet table without a column that can be read")
        header = tuple("" if name in index else name for name in names)
        return read_grid(
            Grid(content, header, lambda: _rows(content, frame, names)), columns, collector
        )


def footer(content: Content) -> bytes:
    """The end of a Parquet file, which names its columns; empty if it is cut off."""
    data = content.data
    if not (data.startswith(_MAGIC) and data.endswith(_MAGIC)) or len(data) < 12:
        return b""
    length = int.from_bytes(data[-8:-4], "little")
    return data[-8 - length : -8] if length <= len(data) - 12 else b""


def read_frame(content: Content, wanted: Callable[[str, pl.DataType], bool]) -> pl.DataFrame:
    """The columns of a Parquet table that *wanted* takes by name and type.

    Texts are cut after 65,536 characters. Raises `InputError` if it is no usable table,
    `LimitError` if it has more rows or cells than the limits allow.
    """
    polars = require("polars")
    limits = content.limits
    with _explained(content):
        table = polars.scan_parquet(io.BytesIO(content.data))
        schema = table.collect_schema()
        chosen = {column: kind for column, kind in schema.items() if wanted(column, kind)}
        # Asked of the file's footer: nothing is unpacked yet.
        rows: int = table.select(polars.len()).collect().item()
        if rows > limits.max_measurements or rows * len(chosen) > limits.max_bytes // 8:
            raise LimitError(
                f"{content.name}: {rows:,} rows of {len(chosen):,} columns are too many; split the"
                " table, or leave columns out"
            )
        check_pages(content)
        frame: pl.DataFrame = table.select(
            polars.col(column).str.head(_LONGEST_TEXT)
            if kind == polars.String
            else polars.col(column)
            for column, kind in chosen.items()
        ).collect()
    return frame


def frame_rows(content: Content, frame: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The rows of a table as Python values; raises `InputError` for a value that is none."""
    for part in frame.iter_slices(_SLICE):
        with _explained(content):
            rows = part.rows()
        yield from rows


@contextmanager
def _explained(content: Content) -> Iterator[None]:
    """Errors of polars as one line; it panics at what it did not expect of a file."""
    exceptions = require("polars").exceptions
    try:
        yield
    except (exceptions.PolarsError, exceptions.PanicException, OSError, ValueError) as error:
        problem = str(error).split("\n", 1)[0]
        raise InputError(f"{content.name}: no usable Parquet table: {problem:.200}") from None


def _is_read(collector: Collector, name: str, kind: pl.DataType) -> bool:
    """Whether a column of this type is read; a reason is noted where not."""
    inner = getattr(kind, "inner", None)
    if inner is not None:
        usable = inner.is_numeric()
    else:
        usable = kind.is_numeric() or str(kind.base_type()) in _PLAIN
    if usable:
        return True
    collector.skip(None, f"column {shown(name)}: values of type {kind!s:.60} are not read")
    return False


def _rows(
    content: Content, frame: pl.DataFrame, names: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row."""
    for number, row in enumerate(frame_rows(content, frame.select(names)), start=1):
        yield number, [cell_text(value) for value in row]
