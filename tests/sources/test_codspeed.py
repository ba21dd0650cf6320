# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Wall times of pytest-codspeed, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.codspeed import CodSpeed
from stepmark.sources.paths import short_paths
from stepmark.sources.reading import read_source, read_sources

OLD, NEW, OUTSIDE = (
    f"results_{stamp}.json" for stamp in (1795328739633, 1795328740310, 1795328740941)
)


@pytest.fixture
def folder(fixtures):
    return fixtures / "codspeed"


@pytest.fixture
def document(folder):
    return json.loads((folder / NEW).read_text(encoding="utf-8"))


def parse(document, path=None):
    return CodSpeed().parse(Content("x.json", json.dumps(document).encode(), path), Columns())


def test_a_run_in_a_repository(folder):
    parsed = read_source(folder / NEW)
    assert [(str(m.key), m.samples) for m in parsed.measurements] == [
        ("tests/test_tiny.py::test_tiny/time", (90.80582524271844,)),
        ("tests/test_tiny.py::test_text/time{param=abc}", (286.2938944463608,)),
        ("tests/test_tiny.py::test_text/time{param=a/b::c[d]}", (337.5285309591259,)),
    ]
    first = parsed.measurements[0]
    assert (first.unit, first.direction, first.revision) == ("ns", Direction.LOWER, "")
    assert first.landed == datetime(2026, 11, 22, 6, 25, 40, 310000, tzinfo=UTC)
    assert dict(first.attributes) == {
        "tool": "pytest-codspeed 5.0.4",
        "python": "3.11.7",
        "platform": "x86_64-pc-linux-gnu",
        "rounds": "499",
    }


def test_runs_are_a_history(folder):
    series = assemble(read_sources([folder / NEW, folder / OLD]).measurements)
    assert [len(s) for s in series] == [2, 2, 2]
    assert [p.samples for p in series[0].points] == [(275.0,), (90.80582524271844,)]


def test_outside_of_a_repository_the_folder_is_left_out(folder):
    parsed = read_source(folder / OUTSIDE)
    assert str(parsed.measurements[0].key) == "test_tiny.py::test_tiny/time"


def test_before_3_2_a_time_is_that_of_a_round(document):
    document["benchmarks"][0]["stats"] |= {"median_ns": 600.0, "iter_per_round": 4}
    for version, expected in [("3.1.2", 150.0), ("3.2.0", 600.0), ("4.0.0b1", 600.0), ("", 600.0)]:
        document["creator"]["version"] = version
        assert parse(document).measurements[0].samples == (expected,)
    document["creator"] = {"name": "codspeed-rust", "version": "2.7.0"}
    assert parse(document).measurements[0].samples == (600.0,)


def test_without_its_name_a_file_has_no_time(document):
    first = parse(document, PurePath("/ci/results/1234.json")).measurements[0]
    assert (first.landed, first.run) == (None, "")


def test_no_median_is_a_failure(document):
    document["benchmarks"] = document["benchmarks"][:1]
    document["benchmarks"][0]["stats"] = {"median_ns": None}
    parsed = parse(document)
    assert [(f.key.benchmark, f.reason) for f in parsed.failures] == [
        ("tests/test_tiny.py::test_tiny", "no finite median")
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmarks": None}, "x.json: no result of CodSpeed: no benchmarks list"),
        ({"instrument": {"type": "valgrind"}}, "x.json: instrument 'valgrind' is not known"),
        ({"benchmarks": []}, "x.json: no benchmarks in it"),
        ({"benchmarks": [{}]}, "x.json: nothing could be read: x.json: benchmarks[0]: no uri"),
    ],
)
def test_no_result(document, change, message):
    with pytest.raises(InputError) as caught:
        parse(document | change)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("paths", "short"),
    [
        (["/a/b/c.py"], ["c.py"]),
        (["/a/b/c.py", "/a/d/c.py", "/a/d/e.py"], ["b/c.py", "d/c.py", "e.py"]),
        (["/c.py", "/a/c.py"], ["c.py", "a/c.py"]),
        (["a/b.py", "a/c.py", ""], ["a/b.py", "a/c.py", ""]),
        (["C:\\a\\b.ts", "C:\\c\\b.ts"], ["a/b.ts", "c/b.ts"]),
        (["/a/b.py", "/a/b.py"], ["b.py", "b.py"]),
    ],
)
def test_short_paths(paths, short):
    found = short_paths(paths)
    assert [found[path] for path in paths] == short
