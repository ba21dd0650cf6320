# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Exports of BenchmarkDotNet."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.benchmarkdotnet import BenchmarkDotNet
from stepmark.sources.reading import read_source, read_sources

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def parse(*entries, **more):
    document = {"HostEnvironmentInfo": {}, "Benchmarks": list(entries)} | more
    return BenchmarkDotNet().parse(Content("x.json", json.dumps(document).encode()), Columns())


def entry(**more):
    return {
        "Namespace": "N",
        "Type": "T",
        "Method": "M",
        "MethodTitle": "M",
        "FullName": "N.T.M",
        "DisplayInfo": "T.M: DefaultJob",
        "Statistics": {"Mean": 5.0},
    } | more


def found(parsed) -> dict[str, tuple]:
    return {str(m.key): (m.samples, m.unit, m.direction) for m in parsed.measurements}


def test_a_full_export(fixtures):
    parsed = read_source(fixtures / "benchmarkdotnet" / "full.json")
    join8 = "{N=10,Separator=a&b,job=Runtime=.NET 8.0}"
    join6 = "{N=10,Separator=a&b,job=Runtime=.NET 6.0}"
    method = "Speed.Benchmarks.Text.Join"
    assert found(parsed) == {
        f"{method}/time{join8}": ((101.5, 102.5, 103.0), "ns", LOWER),
        f"{method}/Allocated Memory{join8}": ((672.0,), "B", LOWER),
        f"{method}/Gen0Collects{join8}": ((0.8,), "Count", LOWER),
        f"{method}/Lock Contentions{join8}": ((0.25,), "Count", LOWER),
        f"{method}/Ops{join8}": ((9.8,), "op/s", HIGHER),
        f"{method}/time{join6}": ((121.5, 122.5), "ns", LOWER),
        f"{method}/Allocated Memory{join6}": ((680.0,), "B", LOWER),
        "Speed.Benchmarks.Outer+Generic<Int32>.Sum/time{job=Runtime=.NET 8.0}": (
            (5.25, 5.5),
            "ns",
            LOWER,
        ),
    }
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        (
            "Speed.Benchmarks.Text.Fails/time{job=Runtime=.NET 8.0}",
            "no statistics: it did not finish",
        )
    ]
    first, last = parsed.measurements[0], parsed.measurements[-1]
    assert first.landed == datetime(2026, 11, 1, 10, 15, tzinfo=UTC)
    assert last.attributes["title"] == "sum of all"
    assert first.attributes == {
        "machine": "Intel Xeon Platinum 8272CL CPU 2.60GHz, Ubuntu",
        "cpu": "Intel Xeon Platinum 8272CL CPU 2.60GHz",
        "os": "Ubuntu 22.04.4 LTS (Jammy Jellyfish)",
        "architecture": "X64",
        "runtime": ".NET 8.0.3 (8.0.324.11423)",
        "sdk": "8.0.203",
        "configuration": "RELEASE",
        "benchmarkdotnet": "0.13.12",
    }


def test_a_brief_export(fixtures):
    parsed = read_source(fixtures / "benchmarkdotnet" / "brief-compressed.json")
    job = "job=ShortRun(IterationCount=1, LaunchCount=1, WarmupCount=1)"
    find = "Speed.Benchmarks.Text.Find"
    labels = f"{{{job},text=aaaaaaaa(...)aaaaaaaa [50]}}"
    assert found(parsed) == {
        "Speed.Benchmarks.Text.Join/time{N=10}": ((101.5, 102.5, 103.0), "ns", LOWER),
        "Speed.Benchmarks.Text.Join/Allocated Memory{N=10}": ((672.0,), "B", LOWER),
        # Two texts that are cut to the same: only the full name tells them apart.
        f'{find}(text: "aaaaaaaab")/time{labels}': ((7.0,), "ns", LOWER),
        f'{find}(text: "aaaaaaaab")/Allocated Memory{labels}': ((0.0,), "B", LOWER),
        f'{find}(text: "aaaaaaaac")/time{labels}': ((8.0,), "ns", LOWER),
    }
    first = parsed.measurements[0]
    assert first.landed == datetime(2026, 11, 2, 10, 15, tzinfo=UTC)
    assert first.attributes["machine"] == "AMD Ryzen 7 5800X, Windows"


def test_machines_and_second_imports(fixtures):
    files = [fixtures / "benchmarkdotnet" / name for name in ("full.json", "brief-compressed.json")]
    nodes = {s.key.label_map["node"] for s in assemble(read_sources(files).measurements)}
    assert nodes == {
        "Intel Xeon Platinum 8272CL CPU 2.60GHz, Ubuntu",
        "AMD Ryzen 7 5800X, Windows",
    }
    assert assemble(read_sources([files[0]] * 2).measurements) == assemble(
        read_source(files[0]).measurements
    )


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({}, "N.T.M/time"),
        ({"FullName": None, "Namespace": None}, "T.M/time"),
        ({"DisplayInfo": "T.M: Job-ABCDEF"}, "N.T.M/time{job=Job-ABCDEF}"),
        ({"MethodTitle": "'a: b'", "DisplayInfo": "T.'a: b': DefaultJob"}, "N.T.M/time"),
        ({"DisplayInfo": "other: X"}, "N.T.M/time{job=X}"),
        (
            {"Parameters": "job=1&=2&x", "FullName": "N.T.M(job: 1)"},
            "N.T.M/time{job=1&=2&x}",
        ),
        (
            {
                "Parameters": "job=1&n=2",
                "FullName": "N.T.M(job: 1, n: 2)",
                "DisplayInfo": "T.M: Dry [job=1, n=2]",
            },
            "N.T.M/time{benchmarkdotnet.job=Dry,job=1,n=2}",
        ),
        ({"Parameters": "n=2", "FullName": "Unusual"}, "Unusual/time{n=2}"),
    ],
)
def test_names(more, key):
    assert list(found(parse(entry(**more)))) == [key]


def test_metrics_without_a_name_or_value_are_left_out():
    def metric(value, **descriptor):
        return {"Value": value, "Descriptor": descriptor}

    metrics = [metric(1.0, Id="Odd"), metric("NaN", Id="Bad"), metric(1.0), 5, metric(2, Id="Odd")]
    parsed = parse(entry(Metrics=metrics))
    assert found(parsed)["N.T.M/Odd"] == ((1.0,), "", None)
    assert len(parsed.skipped) == 3


@pytest.mark.parametrize(
    ("statistics", "samples"),
    [
        ({"OriginalValues": [1.0, 2.0], "Mean": 9.0}, (1.0, 2.0)),
        ({"OriginalValues": [1.0, "NaN"], "Mean": 9.0}, (9.0,)),
        ({"OriginalValues": [], "Mean": 9.0}, (9.0,)),
    ],
)
def test_samples(statistics, samples):
    assert parse(entry(Statistics=statistics)).measurements[0].samples == samples


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x.json: no export of BenchmarkDotNet: no Benchmarks list"),
        ({"Benchmarks": []}, "x.json: no benchmarks in it"),
        ({"Benchmarks": [5]}, "x.json: nothing could be read: x.json: Benchmarks[0]: no Method"),
        (
            {"Benchmarks": [], "Title": "T-20261301-000000"},
            "x.json: Title: '2026-13-01 00:00:00' is not a time",
        ),
    ],
)
def test_no_results(document, message):
    with pytest.raises(InputError) as caught:
        BenchmarkDotNet().parse(Content("x.json", json.dumps(document).encode()), Columns())
    assert str(caught.value) == message


def test_before_0_10_the_processor_is_an_object():
    host = {
        "ProcessorName": {"IsValueCreated": True, "Value": "Intel"},
        "OsVersion": "Windows NT 6",
    }
    entry = {"Type": "B", "Method": "M", "Statistics": {"Mean": 1.5}}
    (only,) = parse(entry, HostEnvironmentInfo=host).measurements
    assert (only.key.benchmark, only.attributes["machine"]) == ("B.M", "Intel, Windows")
