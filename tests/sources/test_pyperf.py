# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of pyperf, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.pyperf import Pyperf
from stepmark.sources.reading import read_source, read_sources


@pytest.fixture
def folder(fixtures):
    return fixtures / "pyperf"


def parse(document):
    return Pyperf().parse(Content("x.json", json.dumps(document).encode()), Columns())


def one(*runs, version="1.0", **metadata):
    benchmark = {"metadata": {"name": "b"} | metadata, "runs": list(runs)}
    return {"version": version, "benchmarks": [benchmark]}


def test_values_of_all_processes_are_samples(folder):
    parsed = read_source(folder / "fast.json")
    assert [str(m.key) for m in parsed.measurements] == [
        "sum of 10/time",
        "überlauf → sort/time",
        "str(int)/time",
    ]
    first = parsed.measurements[0]
    assert len(first.samples) == 6
    assert first.samples[:2] == (1.2665200119954534e-07, 1.3304300046002027e-07)
    assert (first.unit, first.direction, first.revision) == ("second", Direction.LOWER, "")
    assert first.landed == datetime(2026, 11, 22, 5, 52, 34, 728228, tzinfo=UTC)
    assert first.run == "vm/2026-11-22 05:52:34.728228"
    assert dict(first.attributes) == {
        "machine": "vm",
        "cpu": "Intel(R) Xeon(R) Processor",
        "python": "3.11.7 (64-bit)",
        "platform": "Linux-6.1.0-x86_64-with-glibc2.36",
        "pyperf": "2.10.0",
        "statement": "'sum(x)'",
    }


def test_the_commit_of_pyperformance(folder):
    parsed = read_source(folder / "commit.json")
    first = parsed.measurements[0]
    assert first.revision == "3f2a91c4d5e6f708192a3b4c5d6e7f8091a2b3c4"
    assert first.landed == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert first.attributes["branch"] == "main"
    document = json.loads((folder / "commit.json").read_text(encoding="utf-8"))
    document["metadata"]["patch_file"] = "fix.patch"
    patched = parse(document).measurements[0]
    assert patched.revision == ""
    assert patched.landed == datetime(2026, 11, 22, 5, 52, 34, 728228, tzinfo=UTC)
    assert patched.attributes["dirty"] == "yes"
    assert patched.attributes["commit"] == first.revision


def test_runs_of_several_calls_in_one_file_are_one_measurement(folder):
    parsed = read_source(folder / "append.json")
    assert [len(m.samples) for m in parsed.measurements] == [8, 8, 8]


@pytest.mark.parametrize(
    ("name", "key", "samples"),
    [
        ("memory.json", "mem/memory", (12492800.0, 12476416.0)),
        ("traced.json", "traced/memory", (208196.0, 208210.0)),
        ("rss.json", "command/memory", (12820480.0, 12742656.0, 12738560.0)),
    ],
)
def test_memory_is_another_metric(folder, name, key, samples):
    (measurement,) = read_source(folder / name).measurements
    assert (str(measurement.key), measurement.samples) == (key, samples)
    assert (measurement.unit, measurement.direction) == ("byte", Direction.LOWER)


def test_time_and_memory_of_one_command_do_not_mix(folder):
    parsed = read_sources([folder / "command.json", folder / "rss.json"])
    assert [str(s.key) for s in assemble(parsed.measurements)] == [
        "command/time",
        "command/memory",
    ]


def test_runs_that_only_calibrate_are_a_failure(folder):
    parsed = read_source(folder / "calibration.json")
    assert parsed.measurements == []
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        ("slow/time", "no values, only runs that calibrate")
    ]


@pytest.mark.parametrize(("version", "name"), [(6, "values"), (5, "samples")])
def test_older_formats(version, name):
    runs = [{"warmups": [[1, 5.0]]}, {name: [1.0, 2.0]}, {name: [3.0]}]
    (measurement,) = parse(one(*runs, version=version)).measurements
    assert measurement.samples == (1.0, 2.0, 3.0)
    assert (measurement.landed, measurement.run) == (None, "")


def test_metadata_of_all_benchmarks_and_of_runs():
    document = one({"values": [4], "metadata": {"unit": "integer", "hostname": "a"}})
    document["metadata"] = {"cpu_model_name": "X"}
    (measurement,) = parse(document).measurements
    assert (str(measurement.key), measurement.unit) == ("b/value", "integer")
    assert dict(measurement.attributes) == {"machine": "a", "cpu": "X"}


def test_machines_are_separate_series(folder, tmp_path):
    text = (folder / "memory.json").read_text(encoding="utf-8")
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    (tmp_path / "b.json").write_text(text.replace('"vm"', '"other"'), encoding="utf-8")
    parsed = read_sources([tmp_path / "a.json", tmp_path / "b.json"])
    assert [m.key.label_map for m in parsed.measurements] == [{"node": "vm"}, {"node": "other"}]


def test_a_value_that_is_no_number_is_a_failure():
    parsed = parse(one({"values": [1.0, float("nan")]}))
    assert [f.reason for f in parsed.failures] == ["a value is not a finite number"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "x.json: no result of pyperf: no benchmarks list"),
        ([], "x.json: no result of pyperf: no benchmarks list"),
        ({"version": 4, "benchmarks": []}, "x.json: format '4' of pyperf is not known; 1.0, 6"),
        ({"version": "1.0", "benchmarks": []}, "x.json: no benchmarks in it"),
        (
            {"version": "1.0", "benchmarks": [{}]},
            "x.json: nothing could be read: x.json: benchmarks[0]: no runs",
        ),
        (
            {"version": "1.0", "benchmarks": [{"runs": []}]},
            "x.json: nothing could be read: x.json: benchmarks[0]: no name",
        ),
        (one({"values": [1]}, date="soon"), "x.json: benchmarks[0]: 'soon' is not a time"),
        (one({"values": [1]}, unit="u" * 101), "x.json: benchmarks[0]: the unit 'uuu"),
    ],
)
def test_no_result(document, message):
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value).startswith(message)
