# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Reports for LNT."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.lnt import LNT
from stepmark.sources.reading import read_source, read_sources

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER
FLOPS = "SingleSource/Benchmarks/Misc/flops"
ADIUM = "build/Adium-1.5.7(config='Debug',j=1)"


def parse(document, **columns):
    content = Content("x.json", json.dumps(document).encode())
    return LNT().parse(content, Columns(**columns))


def report(**more) -> dict:
    return {"machine": {"name": "m"}, "run": {}, "tests": [{"name": "t", "score": 1}], **more}


def found(parsed):
    return [(str(m.key), m.samples, m.unit, m.direction) for m in parsed.measurements]


def test_version_2(fixtures):
    parsed = read_source(fixtures / "lnt" / "report_v2.json")
    assert found(parsed) == [
        (f"{FLOPS}/code_size", (20480,), "bytes", LOWER),
        (f"{FLOPS}/compile_time", (13.12,), "s", LOWER),
        (f"{FLOPS}/execution_time", (0.1056, 0.1055, 0.1061), "s", LOWER),
        ("Bitcode/broken/compile_time", (2.5,), "s", LOWER),
        ("custom/éa/score", (42.42,), "", HIGHER),
        ("custom/éa/text_size", (402,), "", None),
    ]
    one = parsed.measurements[0]
    assert (one.revision, one.landed) == ("265649", datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert one.attributes == {
        "hardware": "HAL 9000",
        "os": "Linux 6.1",
        "compiler_version": "clang 19.1",
        "end_time": "2026-03-01 10:05:00",
        "machine": "arm64-bench",
        "hash": "49333a87d501b0aea2191830b66b5eec",
    }
    (failure,) = parsed.failures
    assert str(failure.key) == "Bitcode/broken/execution_time"
    assert failure.reason == "its status is a failure"


def test_version_1_joins_version_2(fixtures):
    names = ("report_v1.json", "report_v2.json", "report_v2_next.json")
    parsed = read_sources([fixtures / "lnt" / name for name in names])
    (time,) = [
        one for one in assemble(parsed.measurements) if str(one.key).endswith("s/execution_time")
    ]
    assert [point.revision for point in time.points] == ["42", "265649", "265700"]
    assert time.points[0].samples == (0.11, 0.12)
    assert time.points[0].landed == datetime(2026, 2, 28, 2, 12, 25, tzinfo=UTC)
    assert time.points[0].attributes["hostname"] == "bench-3"
    assert [str(f.key) for f in parsed.failures] == [
        "FailingTest/execution_time",
        "Bitcode/broken/execution_time",
    ]


def test_version_1_of_the_compile_suite(fixtures):
    parsed = read_source(fixtures / "lnt" / "report_v1_compile.json")
    assert found(parsed) == [
        (f"{ADIUM}/user_time", (14.601326, 14.411566, 14.490528), "s", LOWER),
        (f"{ADIUM}/wall_time", (20.398301,), "s", LOWER),
        (f"{ADIUM}/mem_bytes", (1000000,), "bytes", LOWER),
    ]


def test_importreport(fixtures):
    parsed = read_source(fixtures / "lnt" / "importreport.json")
    assert found(parsed) == [
        ("foo/execution_time", (123.5, 124.25), "s", LOWER),
        ("bar/code_size", (456,), "bytes", LOWER),
        ("foo/bar/baz/score", (789,), "", HIGHER),
    ]


def test_the_only_run_field_is_the_order(fixtures):
    parsed = read_source(fixtures / "lnt" / "minimal_custom.json")
    assert [m.revision for m in parsed.measurements] == ["0b2a5c9"] * 2
    assert parsed.measurements[0].landed is None


def test_of_several_run_fields_one_is_named():
    document = report(run={"version": "1.2", "flags": "-O3"})
    assert parse(document).measurements[0].revision == ""
    assert parse(document, revision="version").measurements[0].revision == "1.2"
    with pytest.raises(InputError, match="run has no field 'sha' for revision; it has 'version"):
        parse(document, revision="sha")


def test_machines_are_series_of_their_own(tmp_path):
    for name in ("a", "b"):
        document = report(machine={"name": name}, run={"llvm_project_revision": "1"})
        (tmp_path / name).write_text(json.dumps(document))
    parsed = read_sources([tmp_path / "a", tmp_path / "b"])
    assert [m.key.labels for m in parsed.measurements] == [(("node", "a"),), (("node", "b"),)]


@pytest.mark.parametrize(
    ("status", "fails"),
    [(0, False), (1, True), (2, True), ("PASS", False), ("FAIL", True), ([0, 1], True)],
)
def test_a_status_is_no_metric(status, fails):
    parsed = parse(report(tests=[{"name": "t", "execution_time": 1, "execution_status": status}]))
    assert [m.key.metric for m in parsed.measurements] == ([] if fails else ["execution_time"])
    assert [f.key.metric for f in parsed.failures] == (["execution_time"] if fails else [])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (report(tests=5), "x.json: no LNT report: no tests list"),
        (report(format_version="5"), "x.json: format_version 5 is not known; only versions 0 to 2"),
        (report(machine={}), "x.json: no LNT report: the machine has no name"),
        (report(run={"start_time": "soon"}), "x.json: start_time: 'soon' is not a time"),
        (report(tests=[]), "x.json: no metrics in it"),
        (report(tests=[{"score": 1}]), "x.json: nothing could be read: x.json: tests[0]: no name"),
        ({"Machine": {}, "Run": {}, "Tests": [{}]}, "x.json: Tests[0]: no Data list"),
    ],
)
def test_what_is_no_report(document, message):
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("value", [[1, None], [1, "x"], float("nan"), True])
def test_no_number_is_a_failure(value):
    assert len(parse(report(tests=[{"name": "t", "score": value}])).failures) == 1
