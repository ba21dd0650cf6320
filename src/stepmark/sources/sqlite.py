# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Queries of SQLite databases that may be anything, with what they may do and take limited."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from stepmark.errors import InputError, LimitError
from stepmark.sources.base import Limits
from stepmark.sources.plan import cell_text
from stepmark.sources.text import shown

_LONGEST_ROW = 1 << 26
_MOST_COLUMNS = 2_000
_STEPS = 1_000_000
_READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


def limited(connection: sqlite3.Connection, limits: Limits) -> None:
    """Let *connection* only read, bound its values, and stop what a hostile view never ends."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_ROW)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, _MOST_COLUMNS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(_authorise)
    left = 1 + 200 * limits.max_measurements // _STEPS

    def is_over() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    connection.set_progress_handler(is_over, _STEPS)


def _authorise(action: int, _first: str | None, second: str | None, *_more: str | None) -> int:
    loads = action == sqlite3.SQLITE_FUNCTION and second == "load_extension"
    if loads or action not in _READING:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def run(connection: sqlite3.Connection, query: str, where: str, limits: Limits) -> list[bytes]:
    """The answer to *query* as `answer_lines` gives it; raises `InputError` naming *where*."""
    try:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return answer_lines(where, names, cursor, limits)
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
        problem = "it takes too long" if str(error) == "interrupted" else str(error)
        raise InputError(f"{where}: the query cannot be run: {problem:.200}") from None


def answer_lines(
    where: str, names: Sequence[str], rows: Iterable[Sequence[Any]], limits: Limits
) -> list[bytes]:
    """The names of the columns and the cells of each row, each a JSON list of texts.

    Raises `InputError` for binary data, `LimitError` for more rows or bytes than *limits* allow.
    """
    lines = [_line(list(names))]
    size = 0
    for row in rows:
        for name, value in zip(names, row, strict=True):
            if isinstance(value, (bytes, bytearray, memoryview)):
                raise InputError(
                    f"{where}: column {shown(str(name))} holds binary data; leave it out"
                )
        lines.append(_line([cell_text(value) for value in row]))
        size += len(lines[-1])
        if len(lines) > limits.max_measurements or size > limits.max_bytes:
            raise LimitError(f"{where}: more than {len(lines) - 1:,} rows; ask for fewer")
    return lines


def _line(cells: list[str]) -> bytes:
    return json.dumps(cells).encode()
