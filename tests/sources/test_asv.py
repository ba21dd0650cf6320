# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of asv, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.asv import ASV
from stepmark.sources.base import Content
from stepmark.sources.reading import read_source

COMMITS = {
    "36ad39e55110585b4de20fd1fdcad9be2bbac2a7": datetime(2026, 10, 1, 10, tzinfo=UTC),
    "aadddbcba851594c66f063ffff8a0f3b05f4b831": datetime(2026, 10, 5, 12, 30, tzinfo=UTC),
    "7c51fb7ca649a939e7863dc62d7f746ef276431f": datetime(2026, 10, 9, 8, tzinfo=UTC),
    "d3e85fdf1d42eb48b5dcff0e1ab17f6fdfc4a4a8": datetime(2026, 10, 12, 6, tzinfo=UTC),
}


@pytest.fixture
def results(fixtures) -> Path:
    return fixtures / "asv" / "results"


@pytest.fixture
def first(results) -> Path:
    (path,) = (results / "bench1").glob("36ad39e5-*.json")
    return path


def parse(document, **beside):
    data = json.dumps(document).encode()
    files = {f"{name}.json": json.dumps(table).encode() for name, table in beside.items()}
    if "benchmarks.json" in files:
        files["../benchmarks.json"] = files.pop("benchmarks.json")
    return ASV().parse(Content("x.json", data, beside=files), Columns())


def minimal(result, params=(), **more):
    columns = ["result", "params", *more]
    return {
        "version": 2,
        "commit_hash": "c0ffee",
        "date": 1790848800000,
        "result_columns": columns,
        "results": {"b.time_x": [result, list(params), *more.values()]},
    }


def by_name(parsed, name):
    return [m for m in parsed.measurements if m.key.benchmark == name]


def test_a_machine_is_a_history(results):
    parsed = read_source(results / "bench1")
    series = {(s.key.benchmark, s.key.metric): s for s in assemble(parsed.measurements)}
    track = series["suite.track_answer", "value"]
    assert {p.revision: p.landed for p in track.points} == COMMITS
    assert (track.unit, track.direction) == ("", None)
    raw = series["suite.timeraw_import", "time"]
    assert (raw.unit, raw.direction, len(raw)) == ("seconds", Direction.LOWER, 3)


def test_parameters_are_labels_with_their_names(results):
    parsed = read_source(results / "bench1")
    sums = by_name(parsed, "suite.Sums.time_sum")[:3]
    common = {"python": "3.11", "env-MODE": "fast", "version": "0c289812"}
    assert [m.key.label_map for m in sums] == [
        {"n": "10", "kind": "'list'"} | common,
        {"n": "10", "kind": "'tuple'"} | common,
        {"n": "1000", "kind": "'list'"} | common,
    ]
    assert sums[2].samples == (7.936085075925803e-06,)
    assert {m.unit for m in by_name(parsed, "suite.Sums.track_length")} == {"items"}
    memory = by_name(parsed, "suite.Sums.mem_copy")[0]
    assert (memory.key.metric, memory.unit, memory.samples) == ("memory", "bytes", (136.0,))
    assert memory.direction is Direction.LOWER
    peak = by_name(parsed, "suite.Sums.peakmem_copy")[0]
    assert (peak.key.metric, peak.unit, peak.samples) == ("peak memory", "bytes", (27373568.0,))


def test_recorded_samples(results):
    parsed = read_source(results / "bench1")
    plain = {m.revision[:8]: m for m in by_name(parsed, "suite.time_plain")}
    assert plain["36ad39e5"].samples == (1.3800030028505716e-06,)
    assert len(plain["7c51fb7c"].samples) == 8
    assert plain["7c51fb7c"].samples[0] == 2.1363299965742042e-06


def test_a_benchmark_whose_code_changed_is_another_series(results):
    parsed = read_source(results / "bench1")
    series = [s for s in assemble(parsed.measurements) if s.key.benchmark == "suite.time_plain"]
    assert [(s.key.label_map["version"], len(s)) for s in series] == [
        ("183dd4bc", 3),
        ("eb49be11", 1),
    ]


def test_null_failed_and_nan_was_skipped(results):
    parsed = read_source(results / "bench1")
    failed = [f for f in parsed.failures if f.revision.startswith("36ad39e5")]
    assert [(f.key.benchmark, f.key.label_map.get("param1")) for f in failed[:2]] == [
        ("suite.time_always_fails", None),
        ("suite.time_fails", "2"),
    ]
    assert [f.key.label_map["param4"] for f in failed[2:]] == ["0.5", "inf"]
    assert {f.reason for f in failed} == {"it failed"}
    assert len(failed) == 4
    reasons = {s.reason for s in parsed.skipped}
    assert any(
        "mem_copy" in r and r.endswith("skipped by its setup, or not selected") for r in reasons
    )
    assert not any(
        m.key.label_map.get("n") == "1000"
        for m in parsed.measurements
        if m.key.label_map.get("kind") == "'tuple'"
    )


def test_all_machines(results):
    parsed = read_source(results)
    assert {m.key.label_map["node"] for m in parsed.measurements} == {"bench1", "bench2"}
    (answer,) = [
        m for m in by_name(parsed, "suite.track_answer") if m.key.label_map["node"] == "bench2"
    ]
    assert answer.key.label_map["env-MODE"] == "safe"
    assert dict(answer.attributes) == {
        "machine": "bench2",
        "cpu": "Intel Xeon",
        "os": "Linux 6.1",
        "ram": "8165036",
        "environment": "virtualenv-py3.11-setuptools-wheel-MODEsafe",
    }


def test_one_file_and_its_companions(first):
    parsed = read_source(first)
    assert len(parsed.measurements) == 19
    assert len(parsed.failures) == 4
    one = by_name(parsed, "suite.Sums.time_sum")[0]
    assert "n" in one.key.label_map
    assert one.run.endswith("MODEfast/36ad39e55110585b4de20fd1fdcad9be2bbac2a7/1795326889340")


def test_without_companions(first):
    parsed = read_source(first.read_bytes())
    assert len(parsed.measurements) == 19
    labels = by_name(parsed, "suite.Sums.time_sum")[0].key.label_map
    assert (labels["param1"], labels["param2"]) == ("10", "'list'")
    units = {m.key.metric: m.unit for m in parsed.measurements}
    assert units == {"time": "seconds", "memory": "bytes", "peak memory": "bytes", "value": ""}


def test_facts_of_the_machine_from_beside(first):
    table = {"machine": "named", "cpu": "C", "num_cpu": "8", "arch": "x86_64"}
    parsed = parse(json.loads(first.read_text()), machine=table)
    attributes = parsed.measurements[0].attributes
    # The result's own word comes first.
    assert (attributes["machine"], attributes["cpu"]) == ("bench1", "C")
    assert (attributes["num_cpu"], attributes["arch"]) == ("8", "x86_64")


def test_pinned_requirements_are_labels():
    document = minimal([1.0], [["1"]]) | {"requirements": {"numpy": "1.26", "scipy": ""}}
    known = {"b.time_x": {"param_names": ["numpy"], "unit": "s", "type": "time"}}
    (measurement,) = parse(document, benchmarks=known).measurements
    assert measurement.key.label_map == {"numpy": "1", "asv-numpy": "1.26"}
    assert measurement.unit == "s"


def test_format_1():
    # As asv's own upgrade of such files reads them.
    document = {
        "version": 1,
        "commit_hash": "c0ffee",
        "date": 1500000000000,
        "python": "3.6",
        "requirements": {},
        "params": {"machine": "old"},
        "results": {
            "time_a": 1.5,
            "time_b": {"params": [["1", "2"]], "result": [2.5, None]},
            "time_c": None,
            "time_d": {"params": [], "result": [3.0], "samples": [[3.0, 4.0]]},
        },
        "benchmark_version": {"time_a": "abc"},
    }
    parsed = parse(document)
    assert [(str(m.key), m.samples) for m in parsed.measurements] == [
        ("time_a/time{python=3.6,version=abc}", (1.5,)),
        ("time_b/time{param1=1,python=3.6}", (2.5,)),
        ("time_d/time{python=3.6}", (3.0, 4.0)),
    ]
    assert [str(f.key) for f in parsed.failures] == [
        "time_b/time{param1=2,python=3.6}",
        "time_c/time{python=3.6}",
    ]
    assert ASV().recognises(Content("x", json.dumps(document).encode()))


def test_a_folder_of_results_only(results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    assert len(read_source(tmp_path / "results").measurements) == 67
    (tmp_path / "results" / "bench1" / "broken.json").write_text("{")
    (tmp_path / "results" / "bench1" / "link.json").symlink_to("machine.json")
    parsed = read_source(tmp_path / "results")
    assert len(parsed.measurements) == 67
    sources = [Path(s.source.partition(":")[0]).name for s in parsed.skipped]
    assert sources[0] == "link.json"
    assert "broken.json" in sources
    for file in (tmp_path / "results").glob("*/machine.json"):
        file.unlink()
    with pytest.raises(InputError, match=r"a folder of no known layout.*asv \(machine.json\)"):
        read_source(tmp_path / "results")


def test_a_broken_companion_is_named(first):
    content = Content("x.json", first.read_bytes(), beside={"../benchmarks.json": b"{"})
    with pytest.raises(InputError, match=r"^x.json: ../benchmarks.json:1: not valid JSON"):
        ASV().parse(content, Columns())
    content = Content("x.json", first.read_bytes(), beside={"machine.json": b"[]"})
    with pytest.raises(InputError, match=r"^x.json: machine.json is no JSON object"):
        ASV().parse(content, Columns())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x.json: no result file of asv: no results"),
        ({"results": {}}, "x.json: no result file of asv: no commit_hash"),
        (minimal(1.0) | {"results": {}}, "x.json: no results in it"),
        (minimal([1.0, 2.0]), "x.json: 'b.time_x': 2 results for 1 combinations of parameters"),
        (minimal([1.0], [1]), "x.json: 'b.time_x': params is not a list of lists"),
        (
            minimal(None, [["a"] * 1000] * 10),
            "x.json: 'b.time_x': more than 100,000 combinations of parameters",
        ),
        (minimal([1.0]) | {"date": "soon"}, "x.json: date: 'soon' is not a time"),
        (minimal(1) | {"results": {"a": 5}}, "x.json: results['a'] does not fit result_columns"),
    ],
)
def test_no_result(document, message):
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value).startswith(message)
