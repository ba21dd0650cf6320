# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results for codespeed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.codespeed import Codespeed
from stepmark.sources.reading import read_source

LABELS = "{environment=Dual Core,executable=myexe O3 64bits}"
RESULT = {
    "commitid": "8",
    "project": "p",
    "branch": "default",
    "executable": "e",
    "benchmark": "b",
    "environment": "v",
    "result_value": 2.5,
}


def parse(document):
    return Codespeed().parse(Content("x.json", json.dumps(document).encode()), Columns())


def test_the_least_that_is_posted(fixtures):
    one, other = assemble(read_source(fixtures / "codespeed" / "several.json").measurements)
    assert str(one.key) == f"MyProject/float/value{LABELS}"
    assert str(other.key) == f"MyProject/int/value{LABELS}"
    assert (one.unit, one.direction, one.points[0].samples) == ("", None, (2500.0,))
    assert (one.points[0].revision, one.points[0].landed) == ("8", None)
    assert one.points[0].attributes == {"branch": "default"}


def test_a_history(fixtures):
    parsed = read_source(fixtures / "codespeed" / "history.json")
    times, requests = assemble(parsed.measurements)
    assert (times.unit, times.direction) == ("seconds", Direction.LOWER)
    assert [point.samples for point in times.points] == [(4000.0,), (4050.5,), (5120.25, 5130.75)]
    assert [point.landed for point in times.points] == [
        datetime(2026, 3, day, 12, 30, tzinfo=UTC) for day in (1, 2, 3)
    ]
    assert times.points[0].attributes == {
        "branch": "default",
        "std_dev": "1.11111",
        "min": "3995.0",
        "max": "4005.0",
        "result_date": "2026-03-01 13:00:05",
    }
    assert (requests.unit, requests.direction) == ("1/s", Direction.HIGHER)
    assert requests.points[0].samples == (812.5,)
    assert requests.points[0].landed == datetime(2026, 3, 1, 13, 0, 5, tzinfo=UTC)
    (failure,) = parsed.failures
    assert (failure.reason, failure.revision) == ("no finite result_value", f"{15:040x}")


def test_a_single_result(fixtures):
    (one,) = read_source(fixtures / "codespeed" / "single.json").measurements
    assert one.samples == (4000.0,)


def test_a_second_import_changes_nothing(fixtures):
    once = read_source(fixtures / "codespeed" / "history.json").measurements
    assert assemble([*once, *once]) == assemble(once)


@pytest.mark.parametrize("missing", ["commitid", "project", "executable", "benchmark"])
def test_what_codespeed_requires(missing):
    with pytest.raises(InputError) as caught:
        parse([{**RESULT, missing: ""}])
    assert str(caught.value) == f"x.json: nothing could be read: x.json: results[0]: no {missing}"


def test_a_date_that_is_none():
    with pytest.raises(InputError) as caught:
        parse({**RESULT, "revision_date": "soon"})
    assert str(caught.value) == "x.json: results[0]: revision_date: 'soon' is not a time"


@pytest.mark.parametrize("value", ["many", None, True, float("inf")])
def test_no_number_is_a_failure(value):
    assert len(parse({**RESULT, "result_value": value}).failures) == 1
