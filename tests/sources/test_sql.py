# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables in databases."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError, UsageError
from stepmark.series import Direction, assemble
from stepmark.sources import database
from stepmark.sources.base import Content, Limits
from stepmark.sources.database import URL
from stepmark.sources.reading import find_format, read_source
from stepmark.sources.sql import ANSWER, SQL, database_named

QUERY = 'SELECT commit_hash AS "commit", ms AS value FROM results JOIN runs ON runs.id = run_id'
ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS v FROM n"
)


@pytest.fixture(autouse=True)
def no_database_around(monkeypatch):
    monkeypatch.delenv(URL, raising=False)


@pytest.fixture
def folder(fixtures, tmp_path) -> Path:
    return Path(shutil.copytree(fixtures / "sql", tmp_path / "sql"))


def made(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def asked(folder: Path, query: str, **more):
    (folder / "q.sql").write_text(query)
    return read_source(folder / "q.sql", **more)


def error(source, **more) -> str:
    with pytest.raises(InputError) as caught:
        read_source(source, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def problem(folder: Path, query: str, **more) -> str:
    (folder / "q.sql").write_text(query)
    return error(folder / "q.sql", **more).removeprefix(f"{folder / 'q.sql'}: ")


class TestAFile:
    def test_the_view_called_stepmark(self, fixtures):
        parse_, rendere = assemble(read_source(fixtures / "sql" / "history.db").measurements)
        assert (str(parse_.key), parse_.unit) == ("parse/value", "ms")
        assert parse_.direction is Direction.LOWER
        assert [point.samples for point in parse_.points] == [(1.5, 1.6), (1.7,), (2.5,)]
        assert [point.revision for point in rendere.points] == ["a1", "c3"]
        assert rendere.key.benchmark == "rendère"

    def test_the_only_table(self, fixtures):
        p50, p99 = assemble(read_source(fixtures / "sql" / "one_table.sqlite").measurements)
        assert str(p50.key) == "one_table/p50"
        assert [point.samples for point in p50.points] == [(1.5,), (1.6,)]
        assert [point.revision for point in p99.points] == ["a1", "b2", "c3"]

    def test_it_is_parsed_from_its_bytes_alone(self, fixtures):
        data = (fixtures / "sql" / "one_table.sqlite").read_bytes()
        assert len(SQL().parse(Content("x", data), Columns()).measurements) == 5

    def test_a_name_with_quotes(self, tmp_path):
        path = made(
            tmp_path / "q.db",
            'CREATE TABLE "a""; DROP" (v REAL); INSERT INTO "a""; DROP" VALUES (1);',
        )
        assert [m.samples for m in read_source(path).measurements] == [(1,)]

    def test_several_tables_are_not_guessed_from(self, tmp_path):
        path = made(tmp_path / "q.db", "CREATE TABLE a (v REAL); CREATE TABLE b (v REAL);")
        message = "several tables ('a, b'); make a view stepmark of what is to be read, or write a"
        assert error(path).startswith(f"{path}: {message}")

    def test_no_tables(self, tmp_path):
        path = made(tmp_path / "q.db", "CREATE TABLE a (v REAL); DROP TABLE a;")
        assert error(path) == f"{path}: an SQLite file without tables"

    def test_a_write_ahead_log(self, tmp_path):
        path = tmp_path / "q.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE a (v REAL)")
            connection.execute("INSERT INTO a VALUES (1)")
            connection.commit()
            assert "newer rows are in q.db-wal; end the program" in error(path)
            (tmp_path / "q.sql").write_text("-- database: sqlite:///q.db\nSELECT v FROM a")
            assert len(read_source(tmp_path / "q.sql").measurements) == 1
        assert len(read_source(path).measurements) == 1

    def test_a_file_that_is_cut_off(self, folder):
        path = folder / "history.db"
        path.write_bytes(path.read_bytes()[:3000])
        assert error(path).startswith(f"{path}: ")

    def test_binary_cells(self, tmp_path):
        path = made(
            tmp_path / "q.db", "CREATE TABLE a (v REAL, b BLOB); INSERT INTO a VALUES (1, x'00');"
        )
        assert error(path) == f"{path}: column 'b' holds binary data; leave it out"

    def test_a_view_that_never_ends(self, tmp_path):
        path = made(tmp_path / "q.db", f"CREATE VIEW stepmark AS {ENDLESS}")
        message = error(path, limits=Limits(max_measurements=10))
        assert message == f"{path}: the query cannot be run: it takes too long"

    def test_a_view_of_too_many_rows(self, tmp_path):
        view = ENDLESS.replace("max(i)", "i")
        path = made(tmp_path / "q.db", f"CREATE VIEW stepmark AS {view}")
        with pytest.raises(LimitError, match="more than 10 rows; ask for fewer"):
            read_source(path, limits=Limits(max_measurements=10))


class TestAQuery:
    def test_the_database_is_named_in_it(self, fixtures, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)  # the path is that of the query's folder
        one, other = assemble(read_source(fixtures / "sql" / "history.sql").measurements)
        assert str(one.key) == "parse/value{machine=m1}"
        assert [point.samples for point in one.points] == [(1.5, 1.6), (1.7,), (2.5,)]
        assert [point.samples for point in other.points] == [(0.1,), (0.125,)]

    def test_the_environment_goes_first(self, folder, monkeypatch, tmp_path):
        monkeypatch.setenv(URL, "sqlite:///sql/history.db")
        monkeypatch.chdir(tmp_path)
        assert len(asked(folder, f"-- database: sqlite:///nowhere.db\n{QUERY}").measurements) == 6

    def test_an_absolute_path(self, folder, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        query = f"-- Database: sqlite:///{folder / 'history.db'}\n{QUERY};\n"
        assert len(asked(tmp_path / "elsewhere", query).measurements) == 6

    def test_rows_count_from_one(self, folder):
        query = "SELECT '2026-03-01' AS time, 2 AS value UNION ALL SELECT 'soon', 3"
        (reason,) = asked(folder, f"-- database: sqlite:///history.db\n{query}").skipped
        assert reason.source.endswith("q.sql:2")
        assert reason.reason == "column time: 'soon' is not a time"

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("DELETE FROM runs", "no query; after comments it should start with SELECT, WITH or"),
            (
                "SELECT 1; DELETE FROM runs",
                "the query cannot be run: You can only execute one stat",
            ),
            ("WITH a AS (SELECT 1) DELETE FROM runs", "the query cannot be run: not authorized"),
            ("SELECT load_extension('x')", "the query cannot be run: not authorized"),
            ("SELECT absent FROM runs", "the query cannot be run: no such column: absent"),
            ("SELECT 1 AS a, 2 AS a", "two columns are named 'a'"),
            ("SELECT commit_hash FROM runs", "no column of numbers; its columns: commit_hash"),
            ("SELECT ms AS v FROM results WHERE 0", "a header but no values after it"),
        ],
    )
    def test_what_cannot_be_run(self, folder, query, message):
        before = (folder / "history.db").read_bytes()
        found = problem(folder, f"-- database: sqlite:///history.db\n{query}")
        assert found.startswith(message)
        assert (folder / "history.db").read_bytes() == before

    @pytest.mark.parametrize(
        ("first", "message"),
        [
            ("", f"no database; set {URL}, or begin the file with a line such as -- database:"),
            ("-- database: sqlite:///no.db\n", "no such database: "),
            ("-- database: sqlite://\n", "an SQLite database is sqlite:///FILE"),
            ("-- database: postgresql://me:secret@host/db\n", "a password in a file; put the"),
            ("-- database: mysql://host/db?passwd=secret\n", "a password in a file; put the"),
            ("-- database: sqlite:///q.sql\n", "the query cannot be run: file is not a database"),
        ],
    )
    def test_what_is_no_database(self, folder, first, message):
        found = problem(folder, f"{first}{QUERY}")
        assert found.startswith(message)
        assert "secret" not in found

    def test_the_parser_only_reads_the_answer(self):
        answer = b'["commit", "value"]\n["a1", "1.5"]\n["b2", "[2, 3]"]'
        content = Content("q.sql", b"SELECT 1", beside={ANSWER: answer})
        found = [(m.revision, m.samples) for m in SQL().parse(content, Columns()).measurements]
        assert found == [("a1", (1.5,)), ("b2", (2, 3))]

    def test_what_only_looks_like_a_query_is_not_run(self, folder, monkeypatch):
        monkeypatch.setenv(URL, f"sqlite:///{folder / 'history.db'}")
        (folder / "results.csv").write_text(QUERY)
        assert "is run only out of a file *.sql or with --format sql" in error(
            folder / "results.csv"
        )
        assert "is run only out of a file *.sql" in error(QUERY.encode())
        assert len(read_source(QUERY.encode(), format="sql").measurements) == 6


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SELECT 1", "sql"),
        ("/* why */ -- what\n with recursive a(b) as (select 1) select b from a", "sql"),
        ("\ufeff-- database: sqlite:///x.db\nVALUES (1)", "sql"),
        ("values\n1\n2\n", "csv"),
        ("select,v\na,1\nb,2\n", "csv"),
        ("with 5 rounds\n1\n2\n", None),
    ],
)
def test_what_is_a_query(text, name):
    content = Content("x", text.encode())
    if name is None:
        assert not SQL().recognises(content)
    else:
        assert find_format(content).name == name


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("-- database: sqlite:///a.db\nSELECT 1", "sqlite:///a.db"),
        ("\n\n--DATABASE:postgresql://h/d  \r\nSELECT 1", "postgresql://h/d"),
        ("SELECT 1 -- database: sqlite:///a.db", ""),
    ],
)
def test_the_first_line_names_the_database(text, url):
    assert database_named(text) == url


@pytest.fixture
def alchemy():
    """SQLAlchemy with a driver that every Python has, under the name of another database."""
    alchemy = pytest.importorskip("sqlalchemy")
    name = "sqlalchemy.dialects.sqlite.pysqlite"
    alchemy.dialects.registry.register("elsewhere", name, "dialect")


@pytest.mark.usefixtures("alchemy")
class TestOtherDatabases:
    def test_they_are_asked_through_sqlalchemy(self, folder, monkeypatch):
        monkeypatch.setenv(URL, f"elsewhere:///{folder / 'history.db'}")
        parsed = asked(folder, f"{QUERY} WHERE commit_hash LIKE 'a%' AND test <> ':b'")
        assert [m.samples for m in parsed.measurements] == [(1.5,), (1.6,), (0.1,)]

    def test_nothing_stays_written(self, folder, monkeypatch):
        monkeypatch.setenv(URL, f"elsewhere:///{folder / 'history.db'}")
        assert "no query" in problem(folder, "INSERT INTO runs VALUES (9, 'z', 'z', 'z')")
        message = "the word INSERT in a query of a database that cannot be opened for reading only"
        query = "WITH a AS (SELECT 'insert', \"ms\" FROM results) INSERT INTO runs SELECT 9"
        assert problem(folder, query).startswith(message)
        monkeypatch.delenv(URL)
        query = "-- database: sqlite:///history.db\nSELECT count(*) AS v FROM runs"
        assert [m.samples for m in asked(folder, query).measurements] == [(3,)]

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("nonsense", "the database cannot be asked: Could not parse SQLAlchemy URL"),
            ("whatever://host/db", "the database cannot be asked: Can't load plugin"),
            ("postgresql+pg8000://h/db", "the database's driver is missing: No module named"),
        ],
    )
    def test_what_cannot_be_asked(self, folder, monkeypatch, url, message):
        monkeypatch.setenv(URL, url)
        assert problem(folder, QUERY).startswith(message)

    def test_an_error_of_the_database_is_one_line(self, folder, monkeypatch):
        monkeypatch.setenv(URL, f"elsewhere:///{folder / 'history.db'}")
        found = problem(folder, "SELECT absent FROM runs")
        assert found == "the database cannot be asked: no such column: absent"


HISTORY = """
CREATE SEQUENCE IF NOT EXISTS runs;
CREATE TABLE results (landed timestamptz, commit text, test text, ms numeric, runs float8[]);
INSERT INTO results VALUES
    ('2026-01-02 10:00+02', 'a1', 'parse', 12.25, '{12.0,12.5}'),
    ('2026-01-03 10:00+02', 'b2', 'parse', NULL, '{}'),
    ('2026-01-04 10:00+02', 'c3', 'parse', 14.5, '{14.5}')
"""


class TestPostgreSQL:
    @pytest.fixture(autouse=True)
    def history(self, postgresql, monkeypatch):
        import sqlalchemy

        engine = sqlalchemy.create_engine(postgresql, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS results")
            connection.exec_driver_sql(HISTORY)
        monkeypatch.setenv(URL, postgresql)

    def test_types_of_its_own_become_numbers_and_times(self, folder):
        query = "SELECT landed AS time, commit, test, ms AS value FROM results ORDER BY landed"
        parsed = asked(folder, query)
        assert [(m.key.benchmark, m.revision, m.samples) for m in parsed.measurements] == [
            ("parse", "a1", (12.25,)),
            ("parse", "c3", (14.5,)),
        ]
        assert parsed.measurements[0].landed == datetime(2026, 1, 2, 8, tzinfo=UTC)

    def test_an_array_is_the_replicates(self, folder):
        parsed = asked(folder, "SELECT commit, test, runs AS value FROM results")
        assert [m.samples for m in parsed.measurements] == [(12.0, 12.5), (14.5,)]

    @pytest.mark.parametrize("driver", ["postgresql", "postgres"])
    def test_an_address_without_a_driver_will_do(self, folder, postgresql, monkeypatch, driver):
        monkeypatch.setenv(URL, postgresql.replace("postgresql+psycopg", driver))
        assert len(asked(folder, "SELECT commit, ms AS value FROM results").measurements) == 2

    def test_nothing_is_written(self, folder):
        found = "the database cannot be asked: cannot execute nextval() in a read-only transaction"
        assert problem(folder, "SELECT nextval('runs') AS value") == found
        query = "WITH gone AS (DELETE FROM results RETURNING ms) SELECT ms AS value FROM gone"
        assert "data-modifying statements" in problem(folder, query)
        assert len(asked(folder, "SELECT commit, ms AS value FROM results").measurements) == 2


def test_without_sqlalchemy(folder, monkeypatch):
    def absent(_name):
        raise UsageError("this needs sqlalchemy")

    monkeypatch.setattr(database, "require", absent)
    monkeypatch.setenv(URL, "postgresql://host/db")
    with pytest.raises(UsageError, match="this needs sqlalchemy"):
        asked(folder, QUERY)


def test_a_broken_text_in_an_sqlite_file(fixtures):
    data = bytearray((fixtures / "sql" / "history.db").read_bytes())
    data[3726] = 248  # in the middle of a definition
    with pytest.raises(InputError, match="no usable SQLite file: 'utf-8' codec"):
        SQL().parse(Content("x.db", bytes(data)), Columns())
