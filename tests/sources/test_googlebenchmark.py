# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Google Benchmark, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.googlebenchmark import GoogleBenchmark
from stepmark.sources.reading import read_source, read_sources

CONTEXT = {"date": "2026-11-01T10:05:00+01:00", "host_name": "ci1", "executable": "./b"}
LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def row(name: str, **more):
    return {"name": name, "run_name": name, "run_type": "iteration", "time_unit": "ns"} | more


def times(name: str, real: float, **more):
    return row(name, real_time=real, cpu_time=real, **more)


def parse(*rows, **context):
    document = {"context": CONTEXT | context, "benchmarks": list(rows)}
    return GoogleBenchmark().parse(Content("x.json", json.dumps(document).encode()), Columns())


def by_key(parsed) -> dict[str, tuple]:
    return {str(m.key): (m.samples, m.unit, m.direction) for m in parsed.measurements}


def test_one_repetition_of_all_kinds(fixtures):
    parsed = read_source(fixtures / "googlebenchmark" / "once.json")
    assert list(by_key(parsed)) == [
        "BM_fill/real_time{arg0=8}",
        "BM_fill/cpu_time{arg0=8}",
        "BM_fill/bytes_per_second{arg0=8}",
        "BM_fill/items_per_second{arg0=8}",
        "BM_fill/real_time{arg0=64}",
        "BM_fill/cpu_time{arg0=64}",
        "BM_fill/bytes_per_second{arg0=64}",
        "BM_fill/items_per_second{arg0=64}",
        "BM_named/real_time{threads=2,x=2,y=3}",
        "BM_named/cpu_time{threads=2,x=2,y=3}",
        "BM_sort/real_time{arg0=16}",
        "BM_sort/cpu_time{arg0=16}",
        "BM_sort/real_time{arg0=64}",
        "BM_sort/cpu_time{arg0=64}",
        "BM_sort/real_time{arg0=256}",
        "BM_sort/cpu_time{arg0=256}",
        "BM_counters/real_time{time_type=real_time}",
        "BM_counters/cpu_time{time_type=real_time}",
        "BM_counters/cache misses{time_type=real_time}",
        "BM_counters/frames{time_type=real_time}",
        "BM_counters/inverse{time_type=real_time}",
        "BM_template<std::vector<int>>/real_time{iterations=1000,time_type=process_time}",
        "BM_template<std::vector<int>>/cpu_time{iterations=1000,time_type=process_time}",
        "BM_captured/short/text/real_time{min_time=0.010}",
        "BM_captured/short/text/cpu_time{min_time=0.010}",
        "BM_manual/real_time{iterations=5,time_type=manual_time}",
        "BM_manual/cpu_time{iterations=5,time_type=manual_time}",
    ]
    (failure,) = parsed.failures
    assert (str(failure.key), failure.reason) == ("BM_error/real_time", 'no "device" found')
    assert [s.reason for s in parsed.skipped] == [
        "benchmarks[8]: 'load' is not a finite number",
        "benchmarks[8]: 'missing' is not a finite number",
    ]
    manual = by_key(parsed)["BM_manual/real_time{iterations=5,time_type=manual_time}"]
    assert manual == ((0.001,), "s", LOWER)
    cache = by_key(parsed)["BM_counters/cache misses{time_type=real_time}"]
    assert cache == ((12.5,), "", None)


def test_two_commits_with_repetitions_are_a_history(fixtures):
    folder = fixtures / "googlebenchmark"
    parsed = read_sources([folder / "baseline.json", folder / "change.json"])
    series = {str(s.key): s for s in assemble(parsed.measurements)}
    fill = series["BM_fill/real_time{arg0=8}"]
    assert (fill.unit, fill.direction) == ("ns", LOWER)
    assert [p.revision for p in fill.points] == ["3f2a91c", "81c0de5"]
    assert fill.points[0].landed == datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert fill.points[0].samples == (4.066721511572423, 4.074158514037853, 4.210201396953262)
    speed = series["BM_fill/bytes_per_second{arg0=8}"]
    assert (speed.unit, speed.direction) == ("B/s", HIGHER)
    assert speed.points[0].samples[0] == 1965386500.9850674
    named = series["BM_named/cpu_time{threads=2,x=2,y=3}"]
    assert named.points[0].samples == (1.2335179217461265, 1.2039734739614207, 1.2776042091028037)
    assert named.points[0].attributes["label"] == "product of both"
    assert fill.points[0].attributes == {
        "machine": "vm",
        "executable": "./speed",
        "cpus": "2",
        "mhz_per_cpu": "2300",
        "build_type": "debug",
        "commit": "3f2a91c",
        "commit_time": "2026-10-01T10:00:00Z",
        "branch": "main",
    }
    # Three repetitions that failed are one failure a run.
    assert [(f.revision, f.reason) for f in parsed.failures] == [
        ("3f2a91c", 'no "device" found'),
        ("81c0de5", 'no "device" found'),
    ]


def test_aggregates_where_there_is_nothing_else(fixtures):
    parsed = read_source(fixtures / "googlebenchmark" / "aggregates_only.json")
    found = by_key(parsed)
    assert found["BM_sort/real_time{arg0=256}"] == ((1.694830600245683,), "us", LOWER)
    assert found["BM_sort/cpu_time{arg0=256}"] == ((1.667882303488861,), "us", LOWER)
    assert not any("BigO" in name or "RMS" in name for name in found)
    first = parsed.measurements[0]
    assert first.attributes["aggregate"] == "mean of 3 repetitions"
    assert first.landed == datetime(2026, 11, 22, 6, 22, 10, tzinfo=UTC)
    assert len(parsed.failures) == 1


def test_python_and_a_newer_version(fixtures):
    parsed = read_source(fixtures / "googlebenchmark" / "python.json")
    found = by_key(parsed)
    assert found["sum_million/real_time{size=8}"][0] == (538.8259887695312, 352.8594970703125)
    uni = found["naïve name ü/real_time{arg0=2}"]
    assert uni == ((1.5783309936523438, 1.5544891357421875), "us", LOWER)
    assert found["pause/foo"] == ((3.5, 3.5), "", None)
    assert parsed.measurements[0].attributes["library_version"] == "1.9.5"
    assert [f.reason for f in parsed.failures] == ["some error"]


def test_a_second_import_changes_nothing(fixtures):
    file = fixtures / "googlebenchmark" / "once.json"
    assert assemble(read_sources([file, file]).measurements) == assemble(
        read_source(file).measurements
    )


@pytest.mark.parametrize(
    ("name", "base", "labels"),
    [
        ("BM_s", "BM_s", {}),
        ("BM_s/8/-64", "BM_s", {"arg0": "8", "arg1": "-64"}),
        ("BM_s/x:8/64", "BM_s", {"x": "8", "arg1": "64"}),
        ("BM_s/size:8/threads:2", "BM_s", {"size": "8", "threads": "2"}),
        ("BM_s/threads:4/threads:2", "BM_s/threads:4", {"threads": "2"}),
        ("BM_s/8/repeats:3", "BM_s", {"arg0": "8", "repeats": "3"}),
        (
            "Fixture/Method/8/min_time:0.5/min_warmup_time:0.1/process_time/real_time",
            "Fixture/Method",
            {
                "arg0": "8",
                "min_time": "0.5",
                "min_warmup_time": "0.1",
                "time_type": "process_time/real_time",
            },
        ),
        ("a/b/c", "a/b/c", {}),
        ("8/9", "8", {"arg0": "9"}),
        ("BM_s/threads:8x", "BM_s", {"threads": "8x"}),
        ("std::map<int, long>/64", "std::map<int, long>", {"arg0": "64"}),
    ],
)
def test_names(name, base, labels):
    key = parse(times(name, 1.0)).measurements[0].key
    assert (key.benchmark, key.label_map) == (base, labels)


def test_an_aggregate_beside_repetitions_is_left_out():
    mean = times("b_mean", 9.0) | {
        "run_name": "b",
        "run_type": "aggregate",
        "aggregate_name": "mean",
    }
    assert by_key(parse(times("b", 1.0), times("b", 3.0), mean))["b/real_time"][0] == (1.0, 3.0)


def test_a_median_where_there_is_no_mean():
    def aggregate(kind, value):
        more = {"run_name": "b", "run_type": "aggregate", "aggregate_name": kind}
        return times(f"b_{kind}", value, repetitions=5) | more

    parsed = parse(aggregate("stddev", 0.1), aggregate("median", 2.0))
    assert by_key(parsed)["b/real_time"][0] == (2.0,)
    assert parsed.measurements[0].attributes["aggregate"] == "median of 5 repetitions"
    with pytest.raises(InputError, match="no benchmarks in it"):
        parse(aggregate("stddev", 0.1))


def test_versions_before_run_types():
    def old(name, real):
        return {"name": name, "iterations": 5, "real_time": real, "cpu_time": real}

    with_rows = parse(
        old("b/8", 1.0),
        old("b/8", 3.0),
        old("b/8_mean", 2.0),
        old("b/8_median", 2.0),
        old("b/8_stddev", 1.4),
        {"name": "b_BigO", "cpu_coefficient": 1.0, "real_coefficient": 1.0, "big_o": "N"},
        {"name": "b_RMS", "rms": 0.1},
        old("geometric_mean", 7.0),
    )
    assert by_key(with_rows) == {
        "b/real_time{arg0=8}": ((1.0, 3.0), "ns", LOWER),
        "b/cpu_time{arg0=8}": ((1.0, 3.0), "ns", LOWER),
        "geometric_mean/real_time": ((7.0,), "ns", LOWER),
        "geometric_mean/cpu_time": ((7.0,), "ns", LOWER),
    }
    aggregates = parse(old("b/8_mean", 2.0), old("b/8_median", 2.5), old("b/8_stddev", 1.4))
    assert by_key(aggregates)["b/real_time{arg0=8}"][0] == (2.0,)


def test_errors_and_skips():
    parsed = parse(
        times("some", 0.0, error_occurred=True, error_message="boom"),
        times("some", 5.0),
        times("none", 0.0, error_occurred=True, error_message=""),
        times("skipped", 0.0, skipped=True, skip_message="needs a GPU"),
        row("nan", real_time=float("nan"), cpu_time=1.0),
    )
    assert by_key(parsed)["some/real_time"][0] == (5.0,)
    assert [(f.key.benchmark, f.reason) for f in parsed.failures] == [
        ("none", "an error without a message"),
        ("nan", "no finite real_time"),
    ]
    assert [s.reason for s in parsed.skipped] == [
        "'some': 1 repetition(s) failed: 'boom'",
        "benchmarks[3]: 'skipped' was skipped: 'needs a GPU'",
        "benchmarks[4]: 'real_time' is not a finite number",
    ]


def test_memory_and_rates():
    more = {"allocs_per_iter": 2, "max_bytes_used": 64, "rows_per_second": 5.0, "flag": True}
    found = by_key(parse(times("b", 1.0, **more)))
    assert found["b/allocs_per_iter"] == ((2.0,), "", LOWER)
    assert found["b/max_bytes_used"] == ((64.0,), "B", LOWER)
    assert found["b/rows_per_second"] == ((5.0,), "", HIGHER)
    assert "b/flag" not in found


def test_context_without_a_commit_or_a_time_that_can_be_read():
    assert parse(times("b", 1.0)).measurements[0].landed == datetime(2026, 11, 1, 9, 5, tzinfo=UTC)
    parsed = parse(times("b", 1.0), date="09/15/17 17:44:14", **{"git-sha": "abc"})
    assert (parsed.measurements[0].landed, parsed.measurements[0].revision) == (None, "abc")
    assert "'09/15/17 17:44:14' is not a time" in parsed.skipped[0].reason


def test_machines_are_separate_series(fixtures, tmp_path):
    text = (fixtures / "googlebenchmark" / "once.json").read_text()
    for host in ("a", "b"):
        (tmp_path / host).write_text(text.replace('"vm"', f'"{host}"'))
    found = assemble(read_sources([tmp_path / "a", tmp_path / "b"]).measurements)
    assert {s.key.label_map["node"] for s in found} == {"a", "b"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x.json: no output of Google Benchmark: no benchmarks list"),
        ({"benchmarks": {}}, "x.json: no output of Google Benchmark: no benchmarks list"),
        ({"benchmarks": []}, "x.json: no benchmarks in it"),
        ({"benchmarks": [5]}, "x.json: nothing could be read: x.json: benchmarks[0]: no name"),
    ],
)
def test_no_results(document, message):
    with pytest.raises(InputError) as caught:
        GoogleBenchmark().parse(Content("x.json", json.dumps(document).encode()), Columns())
    assert str(caught.value) == message


def test_a_table_with_the_context_before_it(fixtures):
    parsed = read_source(fixtures / "googlebenchmark" / "table.csv")
    found = {str(m.key): (m.samples, m.unit, m.direction) for m in parsed.measurements}
    pair = "BM_t<std::pair<int,int>>/real_time{min_time=0.010,repeats=2,time_type=process_time}"
    assert found["BM_copy/real_time{arg0=8}"] == ((0.00335225,), "us", LOWER)
    assert found["BM_copy/bytes_per_second{arg0=64}"] == ((2.50625e10,), "B/s", HIGHER)
    assert found["BM_copy/Foo{arg0=8}"] == ((3,), "", None)
    assert found["BM_t<int>/real_time{iterations=10,repeats=2}"] == ((53.3,), "ns", LOWER)
    assert found[pair] == ((0.723646, 0.602958), "ns", LOWER)
    assert not any("BigO" in name or "RMS" in name for name in found)
    assert [(str(f.key), f.reason) for f in parsed.failures] == [("BM_skip/real_time", 'boom "x"')]
    first = parsed.measurements[0]
    assert (first.revision, first.attributes["executable"]) == ("3f2a91c", "./b")
    assert first.landed == datetime(2026, 11, 22, 7, 14, 46, tzinfo=UTC)


def test_the_date_of_the_first_version():
    context = {"date": "2015/03/17-18:40:25", "num_cpus": 40}
    document = {"context": context, "benchmarks": [times("BM_a", 1.0)]}
    content = Content("x.json", json.dumps(document).encode())
    first = GoogleBenchmark().parse(content, Columns()).measurements[0]
    assert first.landed == datetime(2015, 3, 17, 18, 40, 25, tzinfo=UTC)
