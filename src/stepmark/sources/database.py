# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Asks databases what the queries in files want to know; only `reading` calls it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePath
from urllib.parse import parse_qs, quote, unquote, urlsplit

from stepmark.errors import InputError
from stepmark.extras import require
from stepmark.sources.base import Content
from stepmark.sources.sql import ANSWER, MAGIC, database_named, is_called_query, query_of
from stepmark.sources.sqlite import answer_lines, limited, run

URL = "STEPMARK_SQL_URL"
_SQLITE = ("sqlite", "sqlite+pysqlite")
_SECRETS = ("password", "passwd", "pwd", "passphrase", "token", "secret")
# How a session of each kind of database is told that it only reads.
_READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}

# Of the others nobody knows, so that words are looked for that a query does without.
_WRITING = re.compile(
    r"\b(insert|update|delete|merge|into|create|drop|alter|truncate)\b", re.IGNORECASE
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def with_answer(
    content: Content, *, named: bool = False, environment: Mapping[str, str] = os.environ
) -> Content:
    """*content* with the answer to its query beside it; an SQLite file stays as it is.

    A query that was only found out to be one, in a file that is not called so, is not run: results
    that somebody else wrote must not ask this user's database.
    Raises `InputError` where no database is named, where it cannot be asked, and where changes to
    an SQLite file are still in its log; `UsageError` where SQLAlchemy is missing.
    """
    if content.data.startswith(MAGIC):
        _require_whole(content)
        return content
    if not (named or is_called_query(content)):
        return content
    query = query_of(content)
    lines = _asked(content, query, environment)
    return replace(content, beside={ANSWER: b"\n".join(lines)})


def _asked(content: Content, query: str, environment: Mapping[str, str]) -> list[bytes]:
    url, folder = environment.get(URL, "").strip(), Path.cwd()
    if not url:
        url = database_named(query)
        folder = Path(content.path.parent) if content.path is not None else folder
        if _has_secret(url):
            raise InputError(
                f"{content.name}: a password in a file; put the database's URL into {URL}"
            )
    if not url:
        raise InputError(
            f"{content.name}: no database; set {URL}, or begin the file with a line such as"
            " -- database: sqlite:///history.db"
        )
    if url.partition(":")[0].lower() in _SQLITE:
        return _ask_sqlite(content, query, _path(content.name, url, folder))
    return _ask_other(content, query, url)


def _has_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    return bool(parts.password) or any(
        word in name.lower() for name in parse_qs(parts.query) for word in _SECRETS
    )


def _path(where: str, url: str, folder: PurePath) -> Path:
    """The file that an SQLite URL names."""
    _, mark, path = url.partition(":///")
    if not mark or not path:
        raise InputError(f"{where}: an SQLite database is sqlite:///FILE, three slashes before it")
    return Path(folder, unquote(path.partition("?")[0]))


def _ask_sqlite(content: Content, query: str, path: Path) -> list[bytes]:
    if not path.is_file():
        raise InputError(f"{content.name}: no such database: {path}")
    address = f"file:{quote(str(path))}?mode=ro"
    try:
        connection = sqlite3.connect(address, uri=True)
        with closing(connection):
            limited(connection, content.limits)
            return run(connection, query, content.name, content.limits)
    except sqlite3.Error as error:
        raise InputError(f"{content.name}: {path} cannot be read: {error}") from None


def _ask_other(content: Content, query: str, url: str) -> list[bytes]:
    alchemy = require("sqlalchemy")
    try:
        engine = alchemy.create_engine(_with_driver(url), poolclass=alchemy.pool.NullPool)
        options = {"stream_results": True, "no_parameters": True}
        if engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        elif engine.dialect.name not in _READ_ONLY:
            _require_reading(content.name, query)
        with engine.connect().execution_options(**options) as connection:
            if engine.dialect.name in _READ_ONLY:
                connection.exec_driver_sql(_READ_ONLY[engine.dialect.name])
            result = connection.exec_driver_sql(query)
            lines = answer_lines(content.name, list(result.keys()), result, content.limits)
            connection.rollback()
    except ImportError as error:
        raise InputError(f"{content.name}: the database's driver is missing: {error}") from None
    except alchemy.exc.SQLAlchemyError as error:
        # The first line is the driver's; the rest repeats the query and addresses of manuals.
        problem = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
        raise InputError(f"{content.name}: the database cannot be asked: {problem:.200}") from None
    return lines


def _with_driver(url: str) -> str:
    """*url* with the driver that comes with the extra ``postgres``, where it names none."""
    kind, mark, rest = url.partition("://")
    plain = mark and kind in ("postgresql", "postgres")
    return f"postgresql+psycopg://{rest}" if plain else url


def _require_reading(where: str, query: str) -> None:
    """Raise `InputError` for a query that might write."""
    match = _WRITING.search(_QUOTED.sub(" ", query))
    if match is not None:
        raise InputError(
            f"{where}: the word {match[0].upper()} in a query of a database that cannot be opened"
            " for reading only; quote it if it is a name"
        )


def _require_whole(content: Content) -> None:
    """Raise `InputError` if a program that writes the file has its last changes in a log."""
    if content.path is None:
        return
    log = Path(f"{content.path}-wal")
    if log.is_file() and log.stat().st_size > 0:
        raise InputError(
            f"{content.name}: newer rows are in {log.name}; end the program that writes them, or"
            " read the file with a query in a .sql file"
        )
