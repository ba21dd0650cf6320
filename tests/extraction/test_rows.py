# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Series from answers, joined by the id of each measurement, and kept in Parquet files."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.errors import InputError
from stepmark.extraction.folder import Folder
from stepmark.extraction.rows import (
    NOTHING,
    Row,
    Rows,
    parsed,
    parsed_replicates,
    read_parquet,
    rows_of,
    with_replicates,
)
from stepmark.remote import BrokenError

START = datetime(2026, 11, 1, tzinfo=UTC)
DATUM = {
    "job_id": 4,
    "id": 9,
    "value": 398.693,
    "push_timestamp": "2026-11-09T20:55:43",
    "push_id": 1,
    "revision": "c6596190",
    "submit_time": "2026-11-09T21:00:43.25",
    "machine_name": "worker-1",
}


def answer(*data, **fields):
    """An answer of `/performance/summary/`."""
    return [{"signature_id": 2, "values": [], "job_ids": [], "data": list(data), **fields}]


def test_an_answer_becomes_rows():
    rows = parsed(answer(DATUM, suite="amazon"))
    assert rows.header == {"signature_id": 2, "suite": "amazon"}
    assert rows.by_id == {
        9: Row(
            9,
            1,
            4,
            datetime(2026, 11, 9, 20, 55, 43, tzinfo=UTC),
            "c6596190",
            398.693,
            None,
            datetime(2026, 11, 9, 21, 0, 43, 250_000, tzinfo=UTC),
            "worker-1",
        )
    }
    assert parsed([]) is NOTHING


def test_what_may_be_unknown_is_none():
    unknown = {"job_id": None, "submit_time": None, "machine_name": None}
    row = parsed(answer({**DATUM, **unknown})).by_id[9]
    assert (row.job_id, row.submit_time, row.machine_name) == (None, None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "9"},
        {"id": True},
        {"id": 2**70},
        {"value": None},
        {"value": "1.5"},
        {"value": math.inf},
        {"value": 10**400},
        {"push_timestamp": 1794257743},
        {"push_timestamp": "yesterday"},
        {"revision": None},
        {"revision": "\ud800"},
        {"submit_time": "0001-01-01T00:00:00+14:00"},
        {"job_id": 1.5},
    ],
)
def test_another_form_is_refused_by_name(fields):
    [name] = fields
    with pytest.raises(BrokenError, match=f"{name}: .* due, not"):
        parsed(answer({**DATUM, **fields}))


@pytest.mark.parametrize("found", [{}, None, "x", [1], answer(1), answer() * 2, [{}]])
def test_other_answers_are_refused(found):
    with pytest.raises(BrokenError, match="is due"):
        parsed(found)


def test_replicates_are_grouped_by_measurement():
    found = answer({**DATUM, "value": 3.0}, {**DATUM, "id": 10}, {**DATUM, "value": 1.0})
    assert parsed_replicates(found) == {9: (3.0, 1.0), 10: (398.693,)}
    rows = with_replicates(parsed(answer(DATUM)), parsed_replicates(found))
    assert rows.by_id[9].value == 398.693
    assert rows.by_id[9].replicates == (3.0, 1.0)
    with pytest.raises(KeyError):
        with_replicates(rows, {})


TIMES = st.integers(0, 10**6).map(lambda s: START + timedelta(seconds=s))
ROWS = st.builds(
    Row,
    st.integers(1, 30),
    st.integers(1, 2**62),
    st.none() | st.integers(0, 2**62),
    TIMES,
    st.text(max_size=40).filter(lambda t: t.isprintable()),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.lists(st.floats(-1e300, 1e300), max_size=4).map(tuple),
    st.none() | TIMES,
    st.none() | st.sampled_from(["worker-1", ""]),
)
SERIES = st.lists(ROWS, max_size=20).map(lambda rows: Rows({"suite": "s"}, {r.id: r for r in rows}))


@settings(deadline=None)
@given(SERIES, SERIES)
def test_joining_keeps_each_measurement_once_and_the_later_answer(one, other):
    both = one.joined(other)
    assert set(both.by_id) == {*one.by_id, *other.by_id}
    assert both.joined(other).by_id == both.by_id
    for number, row in both.by_id.items():
        assert row.id == number
        source = other.by_id.get(number) or one.by_id[number]
        assert row.value == source.value
        assert row.push_timestamp == source.push_timestamp
        if source.job_id is None and number in one.by_id:
            assert row.job_id == one.by_id[number].job_id


@settings(deadline=None)
@given(SERIES, st.integers(0, 10**6))
def test_pieces_of_a_range_join_to_the_whole(rows, seconds):
    middle, end = START + timedelta(seconds=seconds), START + timedelta(seconds=10**6 + 1)
    early, late = rows.within(START, middle), rows.within(middle, end)
    assert not set(early.by_id) & set(late.by_id)
    assert early.joined(late).by_id == rows.by_id


@settings(deadline=None)
@given(SERIES)
def test_a_file_gives_back_what_was_written(tmp_path_factory, rows):
    folder = Folder(tmp_path_factory.mktemp("series"))
    folder.write_series("autoland", 2, rows, {**rows.header, "from": "x", "to": "y"})
    [path] = folder.series_paths()
    frame, metadata = folder.series(path)
    assert metadata == {"suite": "s", "from": "x", "to": "y"}
    assert rows_of(frame, metadata) == rows
    assert frame["id"].to_list() == [row.id for row in rows.sorted()]
    assert frame.schema["push_timestamp"] == pl.Datetime("us", "UTC")


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    for data in (b"", b"PAR1", None):
        if data is None:
            pl.DataFrame({"x": [1]}).write_parquet(path)
        else:
            path.write_bytes(data)
        with pytest.raises(InputError, match=f"{path}: no series"):
            read_parquet(path)
    pl.DataFrame({"x": [1]}).write_parquet(path, metadata={"stepmark.series": "{}"})
    with pytest.raises(InputError, match="other columns"):
        read_parquet(path)
    with pytest.raises(InputError, match="no series"):
        read_parquet(tmp_path / "missing.parquet")
