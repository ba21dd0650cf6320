# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Exports of hyperfine, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.hyperfine import Hyperfine
from stepmark.sources.reading import read_source, read_sources


def parse(*results, **more):
    data = json.dumps({"results": list(results)} | more).encode()
    return Hyperfine().parse(Content("x.json", data), Columns())


def found(parsed) -> dict[str, tuple]:
    return {str(m.key): (m.samples, m.unit) for m in parsed.measurements}


def test_runs_are_samples(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "two.json")
    assert list(found(parsed)) == [
        "sleep 0.01/time",
        "sleep 0.01/user",
        "sleep 0.01/system",
        "true/time",
        "true/user",
        "true/system",
    ]
    times = (0.01428774, 0.011593567, 0.015660084, 0.013339191)
    assert found(parsed)["sleep 0.01/time"] == (times, "s")
    assert found(parsed)["sleep 0.01/user"] == ((0.001011,), "s")
    assert all(m.direction is Direction.LOWER for m in parsed.measurements)
    first = parsed.measurements[0]
    assert (first.revision, first.landed, first.run) == ("", None, "")


def test_parameters_are_labels(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "parameters.json")
    times = [m for m in parsed.measurements if m.key.metric == "time"]
    assert [m.key.label_map for m in times] == [
        {"f": "a b", "n": "1"},
        {"f": "a b", "n": "2"},
        {"f": "ü", "n": "1"},
        {"f": "ü", "n": "2"},
    ]
    assert times[0].key.benchmark == 'printf "%s" 1 a b; sleep 0.001'
    scan = read_source(fixtures / "hyperfine" / "scan.json")
    assert [str(m.key) for m in scan.measurements[::3]] == [
        "short 1/time{delay=1}",
        "short 2/time{delay=2}",
    ]


def test_failures(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "failures.json")
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        ("false/time", "every run failed: exit code 1"),
        ('sh -c "kill -9 $$"/time', "every run failed: exit code 137"),
    ]
    # Of a command that failed in some runs, the others are kept, and no mean over all of them.
    assert list(found(parsed)) == ["./flaky.sh/time", "true/time", "true/user", "true/system"]
    assert found(parsed)["./flaky.sh/time"][0] == (0.007825592000000001, 0.005542603)
    assert [s.reason for s in parsed.skipped] == ["results[1]: './flaky.sh': 2 of 4 runs failed"]


def test_one_run(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "one_run.json")
    assert found(parsed)["one run/time"] == ((0.0009480490000000001,), "s")


def test_version_2(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "v2.json")
    assert [m.key.metric for m in parsed.measurements[:5]] == [
        "time",
        "time_cpu",
        "user",
        "system",
        "memory",
    ]
    assert found(parsed)["sleep 0.01/time"] == ((0.016051748, 0.01163927, 0.011508126), "s")
    assert found(parsed)["true/memory"] == ((3284992, 3284992, 3284992), "B")
    first = parsed.measurements[0]
    assert first.landed == datetime(2026, 11, 22, 6, 23, 5, tzinfo=UTC)
    assert first.attributes == {"hyperfine": "2.0.0", "os": "Linux", "architecture": "x86_64"}
    again = read_sources([fixtures / "hyperfine" / "v2.json"] * 2)
    assert assemble(again.measurements) == assemble(parsed.measurements)


def test_version_2_with_parameters_and_environment(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "v2_parameters.json")
    times = [m for m in parsed.measurements if m.key.metric == "time"]
    assert [str(m.key) for m in times] == [
        "LEVEL=1 sleep 0.001/time{env.LEVEL=1,n=1}",
        "LEVEL=1 echo 1/time{env.LEVEL=1,n=1}",
        "LEVEL=2 sleep 0.002/time{env.LEVEL=2,n=2}",
        "LEVEL=2 echo 2/time{env.LEVEL=2,n=2}",
    ]
    assert times[1].samples == (0.0015854830000000002, 0.002057972)
    assert times[1].attributes["command"] == "echo 1"


def test_version_2_failures(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "v2_failures.json")
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        ("fails/time", "every run failed: exit code 1")
    ]
    assert found(parsed)["flaky/time"][0] == (0.0022966090000000002, 0.0021622010000000003)
    assert found(parsed)["flaky/memory"][0] == (3317760, 3317760)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"mean": 2.0, "user": 1.0, "parameter": "5"}, {"c/time{parameter=5}": ((2.0,), "s")}),
        ({"mean": 2.0, "times": [], "exit_codes": []}, {"c/time": ((2.0,), "s")}),
        ({"times": [1.0, 2.0], "exit_codes": [None, 0]}, {"c/time": ((1.0, 2.0), "s")}),
        (
            {"times": [1.0, 2.0], "memory_usage_byte": [10, 20], "exit_codes": [0, 3]},
            {"c/time": ((1.0,), "s"), "c/memory": ((10.0,), "B")},
        ),
    ],
)
def test_other_versions(result, expected):
    assert expected.items() <= found(parse({"command": "c"} | result)).items()


def test_counters_have_no_direction():
    one = {"time_wall_clock": {"value": 1, "unit": "second"}, "exit_code": 0}
    two = {"instructions": {"value": 5e9, "unit": "count"}, "odd": {"value": None}}
    parsed = parse({"command": "c", "measurements": [two | one]})
    directions = {m.key.metric: (m.direction, m.unit) for m in parsed.measurements}
    assert directions == {"time": (Direction.LOWER, "s"), "instructions": (None, "count")}
    assert [s.reason for s in parsed.skipped] == ["results[0]: 'odd' is not a finite number"]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"times": [1.0, None]}, "no finite time"),
        ({"mean": float("nan")}, "no finite time"),
        ({"times": [1.0], "exit_codes": [2]}, "every run failed: exit code 2"),
    ],
)
def test_no_time_is_a_failure(result, reason):
    parsed = parse({"command": "c"} | result)
    assert [f.reason for f in parsed.failures] == [reason]
    assert parsed.measurements == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x.json: no export of hyperfine: no results list"),
        ({"results": []}, "x.json: no results in it"),
        ({"results": [{}]}, "x.json: nothing could be read: x.json: results[0]: no command"),
        (
            {"results": [], "metadata": {"start_time": "soon"}},
            "x.json: metadata.start_time: 'soon' is not a time",
        ),
    ],
)
def test_no_results(document, message):
    with pytest.raises(InputError) as caught:
        Hyperfine().parse(Content("x.json", json.dumps(document).encode()), Columns())
    assert str(caught.value) == message


def test_a_table(fixtures):
    parsed = read_source(fixtures / "hyperfine" / "export.csv")
    assert found(parsed) == {
        'printf "%s, ü" 1/time{n=1}': ((0.0021098026666666668,), "s"),
        'printf "%s, ü" 1/user{n=1}': ((0.0016109999999999998,), "s"),
        'printf "%s, ü" 1/system{n=1}': ((0,), "s"),
        'printf "%s, ü" 2/time{n=2}': ((0.0014009733333333336,), "s"),
        'printf "%s, ü" 2/user{n=2}': ((0.000813,), "s"),
        'printf "%s, ü" 2/system{n=2}': ((0.00047333333333333336,), "s"),
    }
    assert {m.direction for m in parsed.measurements} == {Direction.LOWER}


def test_a_table_with_a_broken_number():
    table = "command,mean,stddev,median,user,system\ntrue,much,0,0,0,0\n"
    with pytest.raises(InputError, match=r"x\.csv:2: mean: 'much' is not a number"):
        Hyperfine().parse(Content("x.csv", table.encode()), Columns())
