# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ingestion files of Skia Perf."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.reading import read_source
from stepmark.sources.skia import Skia

HASH = "fe4a4029a080bc955e9588d05a6cd9eb490845d4"


def parse(document, path=None):
    where = PurePath(path) if path else None
    return Skia().parse(Content("x.json", json.dumps(document).encode(), where), Columns())


def error(document) -> str:
    with pytest.raises(InputError) as caught:
        parse(document)
    return str(caught.value)


def result(**more) -> dict:
    return {"version": 1, "git_hash": "a1", "results": [{"key": {"test": "t"}, **more}]}


def test_statistics_are_metrics_and_keys_are_labels(fixtures):
    parsed = read_source(fixtures / "skia" / "statistics.json")
    single, least, most, median, hz, spread = assemble(parsed.measurements)
    assert str(single.key) == "a_test_with_just_a_single_measurement/value{arch=x86,config=8888}"
    assert (single.unit, single.direction, single.points[0].samples) == ("s", None, (123.4,))
    assert [str(one.key) for one in (least, most, median)] == [
        f"draw_a_circle/stat.{name}{{arch=x86,config=8888}}" for name in ("min", "max", "median")
    ]
    assert [one.points[0].samples for one in (least, most, median)] == [(1.2,), (2.4,), (1.5,)]
    assert (least.unit, hz.unit, hz.direction) == ("ms", "Hz", Direction.HIGHER)
    assert (spread.key.metric, spread.direction) == ("stat.stddev", None)
    point = single.points[0]
    assert (point.revision, point.landed) == ("cd5c2d4d5d5a1b7e3f2a9c8b7a6f5e4d3c2b1a09", None)
    assert point.attributes == {
        "link details": "https://example.com/a-link-to-details-about-this-test-run"
    }


def test_the_storage_s_folder_is_the_time(fixtures):
    parsed = read_source(fixtures / "skia" / "2026" / "03" / "01" / "12" / "nanobench.json")
    least, median = assemble(parsed.measurements)
    assert least.key.metric == "ms.min"
    assert (least.unit, least.points[0].samples) == ("ms", (2.223606,))
    assert least.points[0].landed == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert least.points[0].attributes == {"link trace": "https://example.com/trace/1"}
    assert median.points[0].samples == (2.5,)
    (failure,) = parsed.failures
    assert (failure.key.benchmark, failure.reason) == ("left_out_zero", "no finite measurement")


def test_a_try_job_is_not_its_base_commit(fixtures):
    parsed = read_source(fixtures / "skia" / "tryjob.json")
    score, error_bar, ttfb = parsed.measurements
    assert score.revision == ""
    assert score.attributes == {"commit": HASH, "issue": "327697", "patchset": "2"}
    assert (score.direction, score.unit) == (Direction.HIGHER, "score")
    assert (error_bar.direction, ttfb.direction) == (None, Direction.LOWER)
    assert score.key.label_map == {
        "benchmark": "speedometer3",
        "bot": "linux-perf",
        "master": "ChromiumPerf",
        "stat": "value",
    }


def test_a_second_import_changes_nothing(fixtures):
    once = read_source(fixtures / "skia" / "statistics.json").measurements
    assert assemble([*once, *once]) == assemble(once)


@pytest.mark.parametrize("path", ["/gs/2026/13/40/12/x.json", "/gs/2026/03/x.json", "x.json"])
def test_other_folders_are_no_time(path):
    assert parse(result(measurement=1), path).measurements[0].landed is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"version": 2, "git_hash": "a", "results": []}, "x.json: Skia Perf version 2, where 1 is"),
        ({"version": 1, "results": []}, "x.json: no git_hash"),
        ({"version": 1, "git_hash": "a"}, "x.json: no Skia Perf file: no results list"),
        ([], "x.json: no Skia Perf file: no results list"),
        ({"version": 1, "git_hash": "a", "results": []}, "x.json: no results in it"),
        (
            {"version": 1, "git_hash": "a", "results": [5]},
            "x.json: nothing could be read: x.json: results[0]: not an object",
        ),
    ],
)
def test_what_is_no_ingestion_file(document, message):
    assert error(document).startswith(message)


@pytest.mark.parametrize("number", [None, True, float("nan"), "5"])
def test_no_number_is_a_failure(number):
    assert [f.key.metric for f in parse(result(measurement=number)).failures] == ["value"]


def test_the_format_before_version_1(fixtures):
    parsed = read_source(fixtures / "skia" / "nanobench_old.json")
    chunk, copy = parsed.measurements
    assert (chunk.key.benchmark, chunk.key.metric) == ("ChunkAlloc_PushPop_640_480", "min_ms")
    assert chunk.key.label_map == {
        "arch": "x86",
        "gpu": "GTX660",
        "system": "UNIX",
        "config": "nonrendering",
        "source_type": "bench",
    }
    assert (chunk.samples, chunk.unit) == ((0.01485466666666667,), "ms")
    assert (chunk.revision, copy.samples) == (HASH, (2.2,))
    assert [(f.key.metric, f.key.label_map["config"]) for f in parsed.failures] == [
        ("bytes", "565"),
        ("min_ms", "gpu"),
    ]
