# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Saved runs of pytest-benchmark, made by running it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.pytest_benchmark import PytestBenchmark
from stepmark.sources.reading import read_source, read_sources

MACHINE = "Linux-CPython-3.11-64bit"


@pytest.fixture
def storage(fixtures) -> Path:
    return fixtures / "pytest-benchmark" / "storage"


@pytest.fixture
def document(storage):
    return json.loads((storage / MACHINE / "0002_data.json").read_text())


def parse(document):
    data = json.dumps(document).encode()
    return PytestBenchmark().parse(Content("x.json", data), Columns())


def names(parsed) -> list[str]:
    return [str(m.key) for m in parsed.measurements]


EXPECTED = [
    "test_speed.py::test_sum/time{n=10}",
    "test_speed.py::test_sum/time{n=1000}",
    "test_speed.py::test_join/time{sep=,}",
    "test_speed.py::test_join/time{sep=::}",
    "test_speed.py::test_plain/time",
    "test_speed.py::test_object/time{param=f0}",
]


@pytest.mark.parametrize("folder", [".", MACHINE])
def test_a_storage_is_a_history(storage, folder):
    series = assemble(read_source(storage / folder).measurements)
    assert [str(s.key) for s in series] == EXPECTED
    one = series[0]
    assert (one.unit, one.direction, len(one)) == ("s", Direction.LOWER, 3)
    assert [len(p.samples) for p in one.points] == [1, 5, 1]
    assert one.points[0].landed == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_dirty_tree_is_not_its_commit(storage):
    clean, data, dirty = assemble(read_source(storage).measurements)[0].points
    assert len(clean.revision) == 40
    assert dirty.revision == ""
    assert dirty.attributes["commit"] == data.revision
    assert dirty.attributes["dirty"] == "yes"
    assert dirty.landed.year == 2026
    assert dirty.landed > data.landed


def test_attributes(storage):
    measurement = read_source(storage / MACHINE / "0001_nodata.json").measurements[2]
    attributes = dict(measurement.attributes)
    assert len(attributes.pop("commit")) == 40
    assert attributes == {
        "machine": "vm",
        "cpu": "Intel(R) Xeon(R) Processor",
        "python": "3.11.7",
        "branch": "master",
        "group": "text",
    }


def test_outside_of_a_repository(fixtures):
    parsed = read_source(fixtures / "pytest-benchmark" / "unversioned.json")
    assert names(parsed) == EXPECTED
    first = parsed.measurements[0]
    assert first.revision == ""
    assert first.landed is not None
    assert "branch" not in first.attributes


def test_a_second_import_changes_nothing(storage):
    assert assemble(read_sources([storage, storage]).measurements) == assemble(
        read_source(storage).measurements
    )


def test_a_plain_folder_of_saved_runs(storage, tmp_path):
    for file in (storage / MACHINE).iterdir():
        shutil.copy(file, tmp_path / file.name.partition("_")[2])
    (tmp_path / "README").write_text("by hand")
    assert len(read_source(tmp_path).measurements) == 18
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match="a folder of no known layout"):
        read_source(tmp_path)


def write(folder: Path, document, nodes: list[str]) -> None:
    for place, node in enumerate(nodes):
        document["machine_info"]["node"] = node
        document["datetime"] = f"2026-05-0{place + 1}T00:00:00+00:00"
        document["commit_info"]["id"] = f"{place:040}"
        (folder / f"000{place}_x.json").write_text(json.dumps(document))


def test_machines_are_separate_series(document, tmp_path):
    write(tmp_path, document, ["a", "b", "a", "b"])
    parsed = read_source(tmp_path)
    series = assemble(parsed.measurements)
    assert len(series) == 12
    assert {(s.key.label_map["node"], len(s)) for s in series} == {("a", 2), ("b", 2)}
    assert parsed.skipped == []


def test_machines_named_anew_for_each_run_can_be_joined(document, tmp_path):
    write(tmp_path, document, ["a", "b", "c"])
    (hint,) = read_source(tmp_path).skipped
    assert "--column ignore=node" in hint.reason
    joined = read_source(tmp_path, columns=Columns(ignore=("node",)))
    assert [len(s) for s in assemble(joined.measurements)] == [3] * 6
    assert joined.skipped == []


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        ({"mean": float("nan"), "data": []}, "no finite time"),
        ({"mean": 1.0, "data": [1.0, None]}, "no finite time"),
        ({"mean": 10**400}, "no finite time"),
        ({}, "no stats: it did not finish"),
        (None, "no stats: it did not finish"),
    ],
)
def test_no_time_is_a_failure(document, stats, reason):
    document["benchmarks"] = [{**document["benchmarks"][0], "stats": stats}]
    parsed = parse(document)
    assert parsed.measurements == []
    assert [(str(f.key), f.reason) for f in parsed.failures] == [(EXPECTED[0], reason)]


def test_brackets_without_params_are_kept(document):
    entry = {**document["benchmarks"][0], "params": None, "param": None}
    document["benchmarks"] = [entry]
    assert names(parse(document)) == ["test_speed.py::test_sum/time{param=10}"]


def test_parameters_that_are_no_text(document):
    entry = {**document["benchmarks"][0], "params": {"a": [1, 2], "b": True, "c": None}}
    document["benchmarks"] = [entry]
    assert names(parse(document)) == ["test_speed.py::test_sum/time{a=[1, 2],b=true,c=null}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmarks": 5}, "x.json: no saved run of pytest-benchmark: no benchmarks list"),
        ({"benchmarks": []}, "x.json: no benchmarks in it"),
        ({"benchmarks": [5]}, "x.json: nothing could be read: x.json: benchmarks[0]: no fullname"),
        ({"datetime": "soon", "commit_info": {}}, "x.json: 'soon' is not a time"),
    ],
)
def test_no_saved_run(document, change, message):
    with pytest.raises(InputError) as caught:
        parse({**document, **change})
    assert str(caught.value).startswith(message)
