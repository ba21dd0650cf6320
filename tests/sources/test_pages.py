# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Sizes in Parquet files that would end the program, were they believed."""

from __future__ import annotations

import io

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.sources.base import Content, Limits
from stepmark.sources.pages import check_pages
from stepmark.sources.parquet import Parquet

pl = pytest.importorskip("polars")


def written(values, **options) -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"v": values}).write_parquet(out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([1.0, None, 3.0], {}),
        (["a", "b", "a"] * 100, {"compression": "snappy"}),
        ([[1.0, 2.0], None, []], {"compression": "uncompressed"}),
        (list(range(1000)), {"row_group_size": 10}),
        ([float(n) for n in range(1000)], {"data_page_size": 100}),
        ([True, False, None], {}),
        ([], {}),
    ],
)
def test_what_polars_writes_can_be(values, options):
    check_pages(Content("x.parquet", written(values, **options)))


@pytest.mark.parametrize(
    ("fixture", "place", "byte", "problem"),
    [
        # A page of -60 values, for which polars would take 2 EB.
        ("csit-parquet/mrr.parquet", 579, 119, "a size that cannot be"),
        ("parquet/pandas_index.parquet", 46, 5, "a size that cannot be"),
    ],
)
def test_pages_that_cannot_be(fixtures, fixture, place, byte, problem):
    data = bytearray((fixtures / fixture).read_bytes())
    data[place] = byte
    with pytest.raises(InputError, match=rf"no usable Parquet table: {problem}"):
        Parquet().parse(Content("x.parquet", bytes(data)), Columns())


def test_no_more_is_unpacked_than_the_limits_allow():
    data = written([n / 7 for n in range(100_000)], compression="zstd")
    with pytest.raises(LimitError, match=r"x\.parquet: unpacks to .* bytes; split the table"):
        check_pages(Content("x.parquet", data, None, Limits(max_bytes=800_000)))
    with pytest.raises(LimitError, match=r"x\.parquet: a column of 100,000 values"):
        check_pages(Content("x.parquet", data, None, Limits(max_bytes=1_000)))


@pytest.mark.parametrize(
    "footer",
    [
        b"",
        b"\x19",  # a list that does not follow
        b"\x19\xfc\xff\xff\xff\xff\x0f",  # a list longer than the file
        b"\x15" + b"\xff" * 20,  # a number without an end
        b"\x1c" * 40,  # structs in structs
        b"\x1d",  # a type that is none
    ],
)
def test_footers_that_are_none(footer):
    data = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    with pytest.raises(ValueError, match=r"cut off|longer|too many|deeply|compact"):
        check_pages(Content("x.parquet", data[: 4 + len(footer)] + data[-8:]))
