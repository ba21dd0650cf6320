# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables of a research data set as Parquet bytes, and the digest of their content."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stepmark.extras import require

if TYPE_CHECKING:
    from polars import DataFrame, Series

# Few enough rows that the points of one series are found without unpacking many others.
_ROW_GROUP = 50_000


def parquet_bytes(frame: DataFrame) -> bytes:
    """*frame* as a Parquet file, compressed by zstd."""
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP)
    return out.getvalue()


def digest_of(frame: DataFrame) -> str:
    """A hash of names, types and cells of *frame*, row by row order, whatever file it is kept in.

    SHA-256 over each column's name and type, the places of its nulls, the lengths of its lists and
    texts, and its values: eight bytes little-endian, or UTF-8.
    """
    made = hashlib.sha256()
    for name in frame.columns:
        made.update(f"{name}:{frame.schema[name]}:{frame.height}\n".encode())
        _add(made, frame[name])
    return f"sha256:{made.hexdigest()}"


def combined(digests: Mapping[str, str]) -> str:
    """The digest of several files by path."""
    lines = "".join(f"{path} {digest}\n" for path, digest in sorted(digests.items()))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _add(made: Any, column: Series) -> None:
    """Hash the cells of *column*."""
    pl = require("polars")
    if column.null_count():
        made.update(column.is_null().to_numpy().tobytes())
        if column.null_count() == column.len():
            return
        column = column.drop_nulls()
    if isinstance(column.dtype, pl.List):
        made.update(column.list.len().cast(pl.Int64).to_numpy().tobytes())
        _add(made, column.filter(column.list.len() > 0).explode())
    elif column.dtype == pl.String:
        made.update(column.str.len_bytes().cast(pl.Int64).to_numpy().tobytes())
        made.update("".join(column.str.join("").to_list()).encode())
    elif column.dtype == pl.Boolean:
        made.update(column.to_numpy().tobytes())
    else:
        made.update(
            column.to_physical()
            .to_numpy()
            .astype("<i8" if column.dtype != pl.Float64 else "<f8", copy=False)
            .tobytes()
        )
