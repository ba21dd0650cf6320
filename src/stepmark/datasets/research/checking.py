# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a research data set on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stepmark.datasets.research.opened import DOCUMENT, Research, files_of, open_research
from stepmark.datasets.research.parquet import digest_of
from stepmark.datasets.research.tables import TABLES, Table
from stepmark.errors import InputError
from stepmark.extras import require
from stepmark.series import Skipped
from stepmark.sources.base import Limits
from stepmark.sources.text import shown
from stepmark.sources.values import table_of, text_of

_DEFAULT_LIMITS = Limits()


def problems_of_research(
    folder: str | os.PathLike[str], *, limits: Limits = _DEFAULT_LIMITS
) -> Iterator[Skipped]:
    """Every file of the data set that is missing, not listed, damaged or changed; none if sound."""
    research = open_research(folder, limits=limits)
    listed = table_of(research.document, "files")
    for table in TABLES.values():
        yield from _of_table(research, table, listed)
    there = {_inside(research, path) for path in research.folder.glob("*/*.parquet")}
    there |= {_inside(research, path) for path in research.folder.glob("*.parquet")}
    for name in sorted(set(listed) - there):
        yield Skipped(str(research.folder), f"no file {shown(name)}, which {DOCUMENT} lists")


def _inside(research: Research, path: Path) -> str:
    return path.relative_to(research.folder).as_posix()


def _of_table(research: Research, table: Table, listed: Mapping[str, Any]) -> Iterator[Skipped]:
    pl = require("polars")
    try:
        paths = files_of(research.folder, table)
    except InputError:
        return  # it is listed and not there
    for path in paths:
        said = listed.get(_inside(research, path))
        if not isinstance(said, dict):
            yield Skipped(str(path), f"{DOCUMENT} does not list it")
            continue
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            problem = str(error).split("\n", 1)[0]
            yield Skipped(str(path), f"no usable Parquet table: {problem:.200}")
            continue
        wanted = table.schema()
        if dict(frame.schema) != wanted:
            yield Skipped(
                str(path), "its columns are not those of the table; import the data again"
            )
        elif digest_of(frame) != text_of(said, "digest"):
            yield Skipped(str(path), f"its content is not what the digest in {DOCUMENT} says")
