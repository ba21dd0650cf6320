# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of Vitest and tinybench, made by running them; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.reading import read_source, read_sources
from stepmark.sources.vitest import Vitest


@pytest.fixture
def folder(fixtures):
    return fixtures / "vitest"


def parse(document, path=None):
    return Vitest().parse(Content("x.json", json.dumps(document).encode(), path), Columns())


def found(parsed) -> dict[str, tuple[float, ...]]:
    assert {m.key.metric for m in parsed.measurements} <= {"time"}
    return {m.key.benchmark: m.samples for m in parsed.measurements}


def failed(parsed) -> list[tuple[str, str]]:
    return [(f.key.benchmark, f.reason) for f in parsed.failures]


def test_the_median_of_each_benchmark(folder):
    parsed = read_source(folder / "4.1.12.json")
    assert found(parsed) == {
        "speed.bench.ts > top level": (0.0004799999999249849,),
        "speed.bench.ts > sort > numbers": (0.00035900000000310683,),
        'speed.bench.ts > sort > texts, "quoted" ü': (0.0003600000000005821,),
        "speed.bench.ts > sort > nested > reverse": (0.00010099999997237319,),
    }
    first = parsed.measurements[0]
    assert (first.unit, first.direction) == ("ms", Direction.LOWER)
    assert (first.landed, first.revision, first.run) == (None, "", "")


def test_the_mean_where_no_median_was_written(folder):
    parsed = read_source(folder / "1.6.0.json")
    assert found(parsed)["speed.bench.ts > top level"] == (0.000267585847504405,)


@pytest.mark.parametrize("name", ["1.6.0.json", "2.1.9.json", "4.1.12-failed.json"])
def test_what_failed_has_no_time(folder, name):
    parsed = read_source(folder / name)
    assert failed(parsed) == [("fails.bench.ts > broken > throws", "no time: it failed")]
    assert "fails.bench.ts > broken > fine" in found(parsed)


def test_versions_make_one_history(folder):
    names = ("1.6.0.json", "2.1.9.json", "4.1.12.json")
    parsed = read_sources([folder / name for name in names])
    lengths = {s.key.benchmark: len(s) for s in assemble(parsed.measurements)}
    assert lengths["speed.bench.ts > sort > numbers"] == 3


def test_version_5(folder):
    parsed = read_source(folder / "5.1.1.json")
    assert found(parsed) == {
        "v5.bench.ts > sort > texts > parse": (0.0004969999999957508,),
        "v5.bench.ts > sort > texts > b": (0.00033999999959632987,),
        "v5.bench.ts > sort > texts > a": (0.0004639999997380073,),
    }
    first = parsed.measurements[0]
    assert first.landed == datetime(2026, 11, 22, 6, 4, 43, 722000, tzinfo=UTC)
    assert first.run == "2026-11-22T06:04:43.722000+00:00"


def test_failures_and_samples_of_version_5(folder):
    parsed = read_source(folder / "5.1.1-failed.json")
    assert failed(parsed) == [
        ("bad.bench.ts > broken > throws", "Error: boom"),
        ("bad.bench.ts > broken > partly", "Error: boom"),
    ]
    numbers = found(parsed)
    assert list(numbers) == [
        "bad.bench.ts > broken > partly > good",
        "bad.bench.ts > broken > samples > kept",
        "bad.bench.ts > broken > each 1 > n=1",
        "bad.bench.ts > broken > each 10 > n=10",
    ]
    kept = numbers["bad.bench.ts > broken > samples > kept"]
    assert (len(kept), kept[0], kept[-1]) == (9, 0.5221529999998893, 0.6857230000000527)


def test_files_of_one_name_are_told_apart():
    def file(name):
        task = {"name": "t", "latency": {"p50": 1.0}}
        test = {"status": "passed", "benchmarks": [{"name": "g", "tasks": [task]}]}
        return {"name": name, "assertionResults": [test]}

    document = {"testResults": [file("/ci/a/x.bench.ts"), file("/ci/b/x.bench.ts")]}
    assert list(found(parse(document))) == ["a/x.bench.ts > g > t", "b/x.bench.ts > g > t"]


def test_the_reporter_before_version_1(folder):
    parsed = read_source(folder / "0.34.6.json")
    assert list(found(parsed)) == ["loop > n=10000", "loop > n=100000"]
    samples = found(parsed)["loop > n=10000"]
    assert (len(samples), samples[0]) == (6, 0.015503000000080647)


def test_one_result_is_called_like_its_file(folder):
    parsed = read_source(folder / "parse.json")
    ((name, samples),) = found(parsed).items()
    assert name == "parse"
    assert 0.0004 < samples[0] < 0.0006
    document = {"latency": {"mean": 2.0}, "throughput": {}}
    assert found(parse(document, PurePath("/a/b.json"))) == {"b": (2.0,)}


def test_tasks_of_tinybench(folder):
    parsed = read_source(folder / "tinybench-6.2.3.json")
    assert found(parsed) == {"sqrt": (0.00006099999998809835,)}
    assert failed(parsed) == [("throws", "no time: it failed")]
    older = [
        {"name": "a", "result": {"mean": 3.0, "hz": 333.3, "samples": []}},
        {"name": "b", "result": {"error": {"message": "boom"}}},
    ]
    assert found(parse(older)) == {"a": (3.0,)}
    assert failed(parse(older)) == [("b", "boom")]


def test_a_report_of_plain_tests_has_no_benchmarks():
    test = {"status": "failed", "title": "t", "failureMessages": []}
    with pytest.raises(InputError, match=r"^x.json: no benchmarks in it$"):
        parse({"testResults": [{"name": "/a/b.test.js", "assertionResults": [test]}]})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (5, "x.json: no result of Vitest: no JSON object"),
        ({}, "x.json: no result of Vitest: no files, testResults or latency"),
        ({"files": []}, "x.json: no benchmarks in it"),
        ({"files": [5]}, "x.json: nothing could be read: x.json: files: not a JSON object"),
        (
            {"files": [{"groups": [{"fullName": "g", "benchmarks": [{}]}]}]},
            "x.json: nothing could be read: x.json: 'g': a benchmark without a name",
        ),
        ([{}], "x.json: nothing could be read: x.json: [0]: no name"),
        ({"testResults": [], "startTime": "soon"}, "x.json: startTime: 'soon' is not a time"),
    ],
)
def test_no_result(document, message):
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value).startswith(message)
