# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The Parquet tables in which FD.io CSIT keeps its trending data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.parquet import footer, frame_rows, read_frame
from stepmark.sources.uti import PATHS, add_test, has_field
from stepmark.sources.values import text_of

_NEEDED = ("test_id", "dut_type", "dut_version", "start_time")
_FIELDS = (
    *_NEEDED,
    "job",
    "build",
    "passed",
    "message",
    "test_type",
    "test_name_long",
    "test_name_short",
    "hosts",
    "tg_type",
    "tg_version",
    "tags",
)
# CSIT's tables call a field so that its results name otherwise.
_RENAMED = {"loss.packet": "loss.packets"}
_LEAVES = ("value", "values", "avg", "unit")


def _columns() -> dict[str, tuple[str, ...]]:
    """Where in a result each column of a table belongs: its path, the last part a leaf."""
    paths = {path.removesuffix(".avg") for listed in PATHS.values() for path in listed}
    found = {
        f"result_{_RENAMED.get(path, path).replace('.', '_')}_{leaf}": (*path.split("."), leaf)
        for path in paths
        for leaf in (*_LEAVES, *(["max"] if path.startswith("latency_") else []))
    }
    return {**found, "result_type": ("type",)}


_RESULT = _columns()


@dataclass(frozen=True, slots=True)
class CSITParquet:
    """A Parquet file of CSIT's trending, iterative or coverage data: one row a test.

    Its columns are the fields of a UTI result, flattened; series, units, directions and runs are
    those of `UTI` for the same test, so that both can be read together. Job and build are columns.
    Rows without a test, device, version or time are left out, as CSIT does. Needs the extra
    ``data``.
    """

    name: ClassVar[str] = "csit-parquet"
    title: ClassVar[str] = "FD.io CSIT: Parquet tables of trending, iterative or coverage data"
    binary: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is Parquet with the columns of CSIT's tests."""
        names = footer(content)
        return all(name in names for name in (b"test_id", b"dut_type", b"result_"))

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all tests; raises `InputError` if it is no such table."""
        collector = Collector(content)
        frame = read_frame(content, lambda name, _: name in _FIELDS or name in _RESULT)
        names = frame.columns
        for row, values in enumerate(frame_rows(content, frame), start=1):
            document = _document(dict(zip(names, values, strict=True)))
            missing = [name for name in _NEEDED if not has_field(document, name)]
            if missing:
                collector.skip(row, f"no {', '.join(missing)}")
                continue
            where = f"{content.name}:{row}"
            job, build = text_of(document, "job"), text_of(document, "build")
            add_test(collector, where, document, job, build, row)
        return collector.parsed("no tests in it")


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    """The UTI result that a row was made of, as far as it is needed."""
    result: dict[str, Any] = {"type": row.get("result_type") or row.get("test_type")}
    for name, path in _RESULT.items():
        value = row.get(name)
        if value is None or name == "result_type":
            continue
        place = result
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    document = {name: row.get(name) for name in _FIELDS}
    started = row.get("start_time")
    document["start_time"] = started.isoformat() if isinstance(started, datetime) else started
    return {**document, "result": result}
