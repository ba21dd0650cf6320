# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Parquet tables."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError, UsageError
from stepmark.series import Direction, assemble
from stepmark.sources import parquet
from stepmark.sources.base import Content, Limits
from stepmark.sources.parquet import Parquet
from stepmark.sources.reading import read_source

pl = pytest.importorskip("polars")


def content(frame, limits=None) -> Content:
    out = io.BytesIO()
    frame.write_parquet(out)
    return Content("x.parquet", out.getvalue(), None, limits or Limits())


def parse(columns=None, limits=None, **data):
    return Parquet().parse(content(pl.DataFrame(data), limits), columns or Columns())


def error(**data) -> str:
    with pytest.raises(InputError) as caught:
        parse(**data)
    return str(caught.value)


def test_long_with_lists_of_replicates(fixtures):
    parsed = read_source(fixtures / "parquet" / "long_lists.parquet")
    one, other = assemble(parsed.measurements)
    assert str(one.key) == "parse/time{os=linux}"
    assert (one.unit, one.direction) == ("ms", Direction.LOWER)
    assert [point.samples for point in one.points] == [(1.5, 1.6), (1.7, 1.65)]
    assert [point.revision for point in one.points] == ["a1", "b2"]
    assert one.points[1].landed == datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
    assert [point.samples for point in other.points] == [(0.1,)]
    assert [s.reason for s in parsed.skipped] == [
        "column 'raw': values of type Binary are not read"
    ]


def test_wide_with_an_index_of_pandas(fixtures):
    latency, rate = assemble(
        read_source(fixtures / "parquet" / "pandas_index.parquet").measurements
    )
    assert str(latency.key) == "pandas_index/latency"
    assert [point.samples for point in latency.points] == [(2.0,), (2.5,), (2.25,)]
    assert [point.revision for point in rate.points] == ["a1", "b2", "c3", "d4"]
    assert latency.points[0].landed == datetime(2026, 3, 1, tzinfo=UTC)


def test_columns_can_be_named():
    parsed = parse(
        columns=Columns(value="took", benchmark="what", labels=("os",)),
        took=[1.0, 2.0],
        what=["a", "b"],
        os=["x", "x"],
    )
    assert [str(m.key) for m in parsed.measurements] == ["a/took{os=x}", "b/took{os=x}"]


def test_types_of_cells():
    parsed = parse(
        date=[date(2026, 3, 1), date(2026, 3, 2)],
        whole=[1, 2**62],
        exact=[Decimal("0.10"), Decimal("0.20")],
        single=pl.Series([0.5, float("nan")], dtype=pl.Float32),
        flag=[True, False],
        took=[timedelta(seconds=1), timedelta(seconds=2)],
        nested=[{"a": 1}, {"a": 2}],
        words=[["a"], ["b"]],
    )
    found = {m.key.metric: m.samples for m in parsed.measurements}
    assert found == {"whole": (float(2**62),), "exact": (0.2,), "single": (0.5,)}
    assert parsed.measurements[0].landed == datetime(2026, 3, 1, tzinfo=UTC)
    assert parsed.measurements[0].attributes == {"flag": "true"}
    reasons = [s.reason for s in parsed.skipped]
    assert [r.partition(":")[0] for r in reasons[:3]] == [
        "column 'took'", "column 'nested'", "column 'words'",
    ]  # fmt: skip
    assert reasons[3] == "column single: 'nan' is not a finite number"


def test_a_number_is_what_it_was():
    numbers = [0.1, 1e-300, 1 / 3, 1e22]
    parsed = parse(value=numbers)
    assert [m.samples for m in parsed.measurements] == [(number,) for number in numbers]


def test_rows_count_from_one():
    (reason,) = parse(time=["2026-03-01", "soon"], v=[1.0, 2.0]).skipped
    assert (reason.source, reason.reason) == ("x.parquet:2", "column time: 'soon' is not a time")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [{"b": 1}]}, "x.parquet: a Parquet table without a column that can be read"),
        ({"a": ["x"]}, "x.parquet: no column of numbers; its columns: a"),
        ({"time": [], "v": []}, "x.parquet: a header but no values after it"),
    ],
)
def test_what_cannot_be_read(data, message):
    assert error(**data) == message


def test_too_many_rows_or_cells():
    with pytest.raises(LimitError, match="3 rows of 1 columns are too many"):
        parse(v=[1, 2, 3], limits=Limits(max_measurements=2))
    with pytest.raises(LimitError, match="3 rows of 2 columns are too many"):
        parse(v=[1, 2, 3], w=[1, 2, 3], limits=Limits(max_bytes=40))
    with pytest.raises(LimitError, match="more than 2 points"):
        parse(v=[1, 2, 3], limits=Limits(max_points=2))


def test_a_file_that_is_cut_off():
    whole = content(pl.DataFrame({"v": [1.0]})).data
    for part in (whole[:-5], whole[:20], b"PAR1"):
        with pytest.raises(InputError, match=r"^x: no usable Parquet table: ") as caught:
            Parquet().parse(Content("x", part), Columns())
        assert "\n" not in str(caught.value)


def test_a_time_that_is_none():
    times = pl.Series([2**62], dtype=pl.Int64).cast(pl.Datetime("us"))
    assert error(time=times, v=[1.0]).startswith("x.parquet: no usable Parquet table: ")


def test_without_polars(monkeypatch):
    def absent(_name):
        raise UsageError("this needs polars")

    data = content(pl.DataFrame({"v": [1.0]}))
    monkeypatch.setattr(parquet, "require", absent)
    with pytest.raises(UsageError, match="this needs polars"):
        Parquet().parse(data, Columns())
