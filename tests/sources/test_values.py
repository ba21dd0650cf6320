# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Times and numbers as they are written in files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.sources.tables import to_number
from stepmark.sources.values import AmbiguousTimeError, finite, parse_time, shortened

MOMENT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:30:15Z",
        "2026-03-01T12:30:15",
        "2026-03-01 12:30:15",
        "2026-03-01 12:30:15 UTC",
        "2026-03-01T12:30:15.000000+00:00",
        "2026/03/01 12:30:15",
        "2026-3-1 12:30:15",
        "2026.03.01 12:30:15",
        "20260301T123015",
        "20260301123015",
        "2026-03-01 13:30:15 +0100",
        "Sun, 01 Mar 2026 12:30:15 GMT",
        "Sun, 1 Mar 2026 13:30:15 +0100",
        "Sun Mar  1 12:30:15 2026",
        "1772368215",
        "1772368215.0",
        "1.772368215e9",
        "1772368215000",
        "1772368215000000",
        "1772368215000000000",
        " 1772368215 ",
    ],
)
def test_ways_to_write_one_moment(text):
    assert parse_time(text) == MOMENT
    assert parse_time(text).tzinfo is not None


@pytest.mark.parametrize(
    ("text", "landed"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("20260301", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026030112", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("202603011230", datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026/03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("1600-01-15", datetime(1600, 1, 15, tzinfo=UTC)),
    ],
)
def test_less_than_seconds(text, landed):
    assert parse_time(text) == landed


def test_an_offset_is_kept():
    assert parse_time("2026-03-01T13:30:15+01:00").utcoffset() == timedelta(hours=1)
    assert parse_time("01.03.26 13:30:15", "%d.%m.%y %H:%M:%S") == MOMENT.replace(hour=13)


@pytest.mark.parametrize("text", ["03/04/2026", "3-4-26", "13.04.2026 10:00", "12/25/2026"])
def test_year_last_is_ambiguous(text):
    with pytest.raises(AmbiguousTimeError):
        parse_time(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "12", "0.5", "-1700000000", "2026-13-01", "20261301", "1e400", "nan",
             "May", "99999999999999999999999", "2026-02-30"],
)  # fmt: skip
def test_no_times(text):
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_time_or_no_time(text):
    try:
        landed = parse_time(text)
    except ValueError:
        return
    assert landed.tzinfo is not None


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_iso_times_are_read_back(landed):
    assert parse_time(landed.isoformat()) == landed.replace(tzinfo=UTC)
    assert parse_time(landed.replace(tzinfo=PARIS).isoformat(" ")) == landed.replace(tzinfo=PARIS)


@settings(deadline=None)
@given(st.integers(100_000_000, 99_999_999_999))
def test_epoch_by_magnitude(seconds):
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert parse_time(f"{seconds}.0") == expected
    assert parse_time(f"{seconds}000000") == expected


def test_json_numbers():
    assert finite(3) == 3
    assert [finite(x) for x in (True, None, "3", float("nan"), float("inf"), 10**400, [])] == [
        None
    ] * 7


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_back(number):
    assert to_number(repr(number)) == number
    if "e" not in repr(number):
        assert to_number(repr(number).replace(".", ","), decimal_comma=True) == number


def test_long_attributes_are_shortened():
    assert shortened("x" * 1000) == "x" * 1000
    assert shortened("x" * 1001) == "x" * 997 + "..."
