# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables in databases: a query whose answer lies beside it, or an SQLite file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.csv import read_grid
from stepmark.sources.plan import Grid
from stepmark.sources.text import decoded, head, shown

MAGIC = b"SQLite format 3\x00"
ANSWER = "answer"
"""The name under which the answer to a query is in `Content.beside`."""

VIEW = "stepmark"
_DATABASE = re.compile(r"--\s*database\s*:\s*(\S.*?)\s*", re.IGNORECASE)
_QUERY = re.compile(
    r"(?:\s++|--[^\n]*+(?:\n|\Z)|/\*.*?\*/)*+"
    r'(?:select\s|values\s*\(|with\s+(?:recursive\s+)?[\w"`.\[\]]+\s*(?:\([^)]*\)\s*)?as\b)',
    re.IGNORECASE | re.DOTALL,
)
# The two bytes that say that later changes may be in another file.
_LEGACY, _VERSIONS = b"\x01\x01", slice(18, 20)


@dataclass(frozen=True, slots=True)
class SQL:
    """A table in a database, whose columns mean what they mean in `CSV`.

    An SQLite file is read as it is: its view or table ``stepmark``, or the only one there is. It is
    opened in memory, so that the file is never written.

    A ``.sql`` file holds one query (``SELECT``, ``WITH`` or ``VALUES``), which may name everything
    with ``AS``. The database is the URL in the environment variable ``STEPMARK_SQL_URL``, or in a
    first line ``-- database: sqlite:///history.db`` (there relative to the file's folder, and
    without a password). SQLite is part of Python; others need SQLAlchemy 2 and a driver. All are
    opened for reading only. What only looks like a query, and comes under another name or through a
    pipe, is run if the format is named (``--format sql``).

    A list of numbers in a cell, such as ``json_group_array(value)`` gives, holds replicates.
    Numbers of rows in messages count from 1.
    """

    name: ClassVar[str] = "sql"
    title: ClassVar[str] = "SQL: an SQLite file, or a query of a database"
    binary: ClassVar[bool | None] = None
    asks: ClassVar[bool] = True
    vague: ClassVar[int] = 1

    def recognises(self, content: Content) -> bool:
        """Whether it is an SQLite file, names a database, is a query, or is called *.sql."""
        if content.data.startswith(MAGIC) or is_called_query(content):
            return True
        text = head(content).lstrip("\ufeff").lstrip()
        return _DATABASE.match(text) is not None or _QUERY.match(text) is not None

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read the table; raises `InputError` and `LimitError` as `CSV` does."""
        if content.data.startswith(MAGIC):
            lines = _table_of_file(content)
        elif ANSWER in content.beside:
            lines = content.beside[ANSWER].split(b"\n")
        else:
            raise InputError(
                f"{content.name}: a query, which is run only out of a file *.sql or with"
                " --format sql"
            )
        header = tuple(json.loads(lines[0]))

        def rows() -> Iterator[tuple[int, list[str]]]:
            for number, line in enumerate(lines[1:], start=1):
                yield number, json.loads(line)

        return read_grid(Grid(content, header, rows), columns, Collector(content))


def is_called_query(content: Content) -> bool:
    """Whether the name of a file says that it is a query."""
    return content.name.lower().removesuffix(".gz").endswith(".sql")


def database_named(query: str) -> str:
    """The database that a query's first line names; empty if it names none."""
    match = _DATABASE.fullmatch(query.lstrip("\ufeff").lstrip().partition("\n")[0].rstrip())
    return match[1] if match else ""


def query_of(content: Content) -> str:
    """The one statement in *content*; raises `InputError` if it is no query."""
    text = decoded(content).lstrip("\ufeff").strip().rstrip(";")
    if _QUERY.match(text) is None:
        raise InputError(
            f"{content.name}: no query; after comments it should start with SELECT, WITH or VALUES"
        )
    return text


def _table_of_file(content: Content) -> list[bytes]:
    """The rows of the table in an SQLite file, as `sqlite.run` gives them."""
    import sqlite3

    from stepmark.sources.sqlite import limited, run

    data = bytearray(content.data)
    # A database in memory cannot have another file; what would be in it is in this one already.
    data[_VERSIONS] = _LEGACY
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(bytes(data))
            listed = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise InputError(f"{content.name}: no usable SQLite file: {error}") from None
        table = _chosen(content.name, [name for (name,) in listed])
        limited(connection, content.limits)
        quoted = table.replace('"', '""')
        query = f'SELECT * FROM "{quoted}"'  # noqa: S608 - the name is quoted
        return run(connection, query, content.name, content.limits)


def _chosen(where: str, tables: list[str]) -> str:
    if VIEW in tables:
        return VIEW
    if len(tables) == 1:
        return tables[0]
    remedy = f"make a view {VIEW} of what is to be read, or write a query into a .sql file"
    if not tables:
        raise InputError(f"{where}: an SQLite file without tables")
    raise InputError(f"{where}: several tables ({shown(', '.join(tables), 200)}); {remedy}")
