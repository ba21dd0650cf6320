# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of JMH."""

from __future__ import annotations

import json

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction
from stepmark.sources.base import Content
from stepmark.sources.jmh import JMH
from stepmark.sources.reading import read_source

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def parse(*entries):
    return JMH().parse(Content("x.json", json.dumps(entries).encode()), Columns())


def entry(score=1.0, unit="ns/op", mode="avgt", **more):
    metric = {"score": score, "scoreUnit": unit, **more.pop("primary", {})}
    return {"benchmark": "p.B.run", "mode": mode, "threads": 1, "primaryMetric": metric} | more


def found(parsed) -> dict[str, tuple]:
    return {str(m.key): (m.samples, m.unit, m.direction) for m in parsed.measurements}


def test_modes(fixtures):
    parsed = read_source(fixtures / "jmh" / "modes.json")
    array = "{impl=array,mode=thrpt,size=64,threads=1}"
    assert found(parsed) == {
        f"org.example.Copy.run/score{array}": ((1518.9, 1520.1, 1522.1, 1520.3), "ops/ms", HIGHER),
        f"org.example.Copy.run/gc.alloc.rate{array}": ((34.7, 34.8, 34.9, 34.8), "MB/sec", None),
        f"org.example.Copy.run/gc.alloc.rate.norm{array}": ((24.0,) * 4, "B/op", LOWER),
        f"org.example.Copy.run/gc.count{array}": ((0.0,) * 4, "counts", None),
        "org.example.Copy.run/score{impl=list,mode=sample,size=64,threads=4}": (
            (0.625, 0.8),
            "us/op",
            LOWER,
        ),
        "org.example.Cold.start/score{mode=ss,threads=1}": ((1.25,), "ms/op", LOWER),
    }
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        ("org.example.Empty.run/score{mode=avgt,threads=1}", "no finite score")
    ]
    assert parsed.measurements[0].attributes == {
        "jmh": "1.37",
        "jdk": "17.0.15",
        "vm": "OpenJDK 64-Bit Server VM 17.0.15+6-Debian-1deb12u1",
        "jvm_args": "-Xmx512m",
        "forks": "2",
    }


def test_an_old_version(fixtures):
    parsed = read_source(fixtures / "jmh" / "old.json")
    labels = "{größe=8,jmh.mode=avgt,mode=fast,threads=1}"
    assert found(parsed) == {
        f"org.example.Copy.run/score{labels}": ((20.5, 21.5, 22.5), "ns/op", LOWER),
        f"org.example.Copy.run/gc.alloc.rate.norm{labels}": ((16.0, 16.0, 16.0), "B/op", LOWER),
    }


def test_kotlinx(fixtures):
    parsed = read_source(fixtures / "jmh" / "kotlinx.json")
    assert found(parsed) == {
        "org.example.Copy.run/score{mode=thrpt,size=8}": (
            (21888216.0, 21868022.9, 22164352.3),
            "ops/sec",
            HIGHER,
        )
    }


@pytest.mark.parametrize(
    ("unit", "mode", "direction"),
    [
        ("ops/s", "thrpt", HIGHER),
        ("B/entity", "ss", LOWER),
        ("things", "thrpt", HIGHER),
        ("things", "", None),
        ("#/op", "", LOWER),
    ],
)
def test_directions(unit, mode, direction):
    assert parse(entry(unit=unit, mode=mode)).measurements[0].direction is direction


@pytest.mark.parametrize(
    ("primary", "samples"),
    [
        ({}, (1.0,)),
        ({"rawData": []}, (1.0,)),
        ({"rawData": [[2.0, "NaN"], [3.0]]}, (2.0, 3.0)),
        ({"rawData": 5}, (1.0,)),
        ({"rawDataHistogram": [[[[2.0, 10**6]], [[1.0, 1], [4.0, 2]]]]}, (2.0, 3.0)),
        ({"rawDataHistogram": [[[[1e308, 1], [1e308, 9]]]]}, (1e308,)),
        ({"rawDataHistogram": [[[[1.0, 0]], [[1.0]], [["NaN", 1]], []]]}, (1.0,)),
    ],
)
def test_samples(primary, samples):
    assert parse(entry(primary=primary)).measurements[0].samples == pytest.approx(samples)


def test_a_group_s_metric_called_score_is_not_the_score():
    secondary = {"score": {"score": 5.0, "scoreUnit": "q"}, "+cpi": {"score": 2, "scoreUnit": ""}}
    metrics = [m.key.metric for m in parse(entry(secondaryMetrics=secondary)).measurements]
    assert metrics == ["score", "secondary score", "cpi"]


def test_one_benchmark_twice_is_one_measurement():
    parsed = parse(entry(1.0), entry(2.0))
    assert [m.samples for m in parsed.measurements] == [(1.0, 2.0)]
    with pytest.raises(InputError, match=r"is there in ns/op and in us/op: results of different"):
        parse(entry(1.0), entry(2.0, "us/op"))


def test_secondary_metrics_without_a_number_are_left_out():
    parsed = parse(entry(secondaryMetrics={"gc": {"score": "NaN"}, "other": 5}))
    assert [s.reason for s in parsed.skipped] == ["'p.B.run': 'gc' has no finite number"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "x.json: no result of JMH: not a list of benchmarks"),
        ([], "x.json: no benchmarks in it"),
        ([{}], "x.json: nothing could be read: x.json: [0]: no benchmark"),
        ([{"benchmark": "b"}], "x.json: nothing could be read: x.json: [0]: 'b': no score"),
    ],
)
def test_no_results(document, message):
    with pytest.raises(InputError) as caught:
        JMH().parse(Content("x.json", json.dumps(document).encode()), Columns())
    assert str(caught.value) == message


def test_a_table(fixtures):
    parsed = read_source(fixtures / "jmh" / "table.csv")
    assert found(parsed) == {
        "org.x.B.run/score{mode=thrpt,n=10,threads=1}": ((1234.5,), "ops/ms", HIGHER),
        "org.x.B.run/score{mode=thrpt,n=20,threads=1}": ((134.5,), "ops/ms", HIGHER),
        "org.x.B.run/gc.alloc.rate.norm{mode=thrpt,n=20,threads=1}": ((24.0,), "B/op", LOWER),
    }


def test_a_score_in_a_table_that_is_no_number_is_left_out():
    header = "Benchmark,Mode,Threads,Samples,Score,Unit"
    table = f"{header}\na.B.c,avgt,1,1,slow,s/op\na.B.d,avgt,1,1,2,s/op\n"
    parsed = JMH().parse(Content("x.csv", table.encode()), Columns())
    assert list(found(parsed)) == ["a.B.d/score{mode=avgt,threads=1}"]
    assert [s.source for s in parsed.skipped] == ["x.csv:2"]
