# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Histories of github-action-benchmark."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.github_action_benchmark import GitHubActionBenchmark
from stepmark.sources.reading import find_format, read_source

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER
ALLOC = "BenchmarkAlloc (example.com/fast/json)"


def history(*runs, suite="s") -> bytes:
    entries = {
        suite: [
            {"commit": {"id": f"c{i}"}, "date": 1772358000000 + i, "tool": tool, "benches": benches}
            for i, (tool, *benches) in enumerate(runs)
        ]
    }
    document = {"lastUpdate": 1, "repoUrl": "https://github.com/a/b", "entries": entries}
    return b"window.BENCHMARK_DATA = " + json.dumps(document).encode()


def bench(value, unit="ns", name="b", **more) -> dict:
    return {"name": name, "value": value, "unit": unit, **more}


def parse(data: bytes):
    return GitHubActionBenchmark().parse(Content("data.js", data), Columns())


def series(data: bytes):
    return {
        str(one.key): (one.unit, one.direction, [point.samples for point in one.points])
        for one in assemble(parse(data).measurements)
    }


class TestTheHistory:
    @pytest.fixture
    def found(self, fixtures):
        parsed = read_source(fixtures / "github-action-benchmark" / "data.js")
        assert parsed.skipped == []
        return {str(one.key): one for one in assemble(parsed.measurements)}

    def test_every_suite_is_there(self, found):
        assert list(found) == [
            "example/fast/bench_fib_10/value{suite=Rust}",
            "example/fast/BenchmarkFib20/ns/op{suite=Go}",
            *(
                f"example/fast/{ALLOC}/{u}{{suite=Go}}"
                for u in ("ns/op", "B/op", "allocs/op", "MB/s")
            ),
            "example/fast/tests/test_sum.py::test_sum/value{param=10,suite=pytest}",
            "example/fast/p.B.run/value{impl=A,n=10,suite=JMH}",
            "example/fast/p.B.latency/value{suite=JMH}",
            "example/fast/BM_s/8/value{suite=C++}",
            "example/fast/Fibonacci 20/value{suite=Catch2}",
        ]

    def test_commits_are_points_and_a_repeated_run_replicates(self, found):
        one = found["example/fast/bench_fib_10/value{suite=Rust}"]
        assert (one.unit, one.direction) == ("ns/iter", LOWER)
        assert [point.samples for point in one.points] == [(135,), (137,), (180, 182)]
        first = one.points[0]
        assert first.revision == "1" * 40
        assert first.landed == datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1)))
        assert first.attributes == {
            "message": "Change 1",
            "author": "Dev Eloper",
            "url": "https://github.com/example/fast/commit/1",
            "tool": "cargo",
            "range": "± 24",
        }

    def test_go_s_numbers_before_and_after_it_wrote_them_one_by_one(self, found):
        for unit, direction, samples in (
            ("ns/op", LOWER, [(10413.25,), (10425,)]),
            ("B/op", LOWER, [(512,), (480,)]),
            ("allocs/op", LOWER, [(8,), (8,)]),
            ("MB/s", HIGHER, [(46.3,), (46.3,)]),
        ):
            one = found[f"example/fast/{ALLOC}/{unit}{{suite=Go}}"]
            assert (one.unit, one.direction) == (unit, direction)
            assert [point.samples for point in one.points] == samples

    def test_amounts_per_time_are_better_higher(self, found):
        run = found["example/fast/p.B.run/value{impl=A,n=10,suite=JMH}"]
        latency = found["example/fast/p.B.latency/value{suite=JMH}"]
        pytest_ops = found["example/fast/tests/test_sum.py::test_sum/value{param=10,suite=pytest}"]
        assert (run.unit, run.direction) == ("ops/ms", HIGHER)
        assert (latency.unit, latency.direction) == ("us/op", LOWER)
        assert (pytest_ops.unit, pytest_ops.direction) == ("iter/sec", HIGHER)

    def test_repetitions_without_their_summaries(self, found):
        (point,) = found["example/fast/BM_s/8/value{suite=C++}"].points
        assert point.samples == (460, 462)

    def test_one_unit_a_series(self, found):
        one = found["example/fast/Fibonacci 20/value{suite=Catch2}"]
        assert (one.unit, [point.samples for point in one.points]) == ("ns", [(980,), (1125,)])


def test_custom_tools(fixtures):
    parsed = read_source(fixtures / "github-action-benchmark" / "custom.js")
    throughput, size, gigabytes, leaks = assemble(parsed.measurements)
    assert throughput.direction is HIGHER
    assert [point.samples for point in throughput.points] == [(70,), (71.5,)]
    assert size.key.benchmark == "Größe 𝛑"
    assert (size.unit, size.direction) == ("Megabytes", LOWER)
    assert gigabytes.key.labels == (("suite", "Memory"), ("unit", "GB"))
    assert gigabytes.points[0].landed == datetime(2026, 3, 3, 9, 40, tzinfo=UTC)
    assert (leaks.direction, leaks.points[0].samples) == (None, (0,))
    (failure,) = parsed.failures
    assert (failure.key.benchmark, failure.reason) == ("CPU", "no finite value")


def test_the_same_as_plain_json(fixtures):
    (one,) = assemble(
        read_source(fixtures / "github-action-benchmark" / "external.json").measurements
    )
    assert [point.samples for point in one.points] == [(135,), (137,)]


def test_a_list_of_results(fixtures):
    parsed = read_source(fixtures / "github-action-benchmark" / "custom-list.json")
    assert [(str(m.key), m.samples, m.unit, m.direction) for m in parsed.measurements] == [
        (
            "My Custom Smaller Is Better Benchmark - CPU Load/value", (50,), "Percent", None,
        ),
        (
            "My Custom Smaller Is Better Benchmark - Memory Used/value", (100,), "Megabytes", None,
        ),
        ("No instrumentation/value", (90.9439,), "ns", None),
    ]  # fmt: skip
    assert parsed.measurements[0].revision == ""


def test_a_second_import_changes_nothing(fixtures):
    once = read_source(fixtures / "github-action-benchmark" / "data.js").measurements
    assert assemble([*once, *once]) == assemble(once)


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("ms", "s", 12_000),
        ("us", "s", 12_000_000),
        ("s", "ms", 0.012),
        ("ns/iter", "µs/iter", 12_000),
        ("ops/ms", "ops/s", 0.012),
        ("ops/s", "ops/us", 12_000_000),
    ],
)
def test_times_are_converted_to_the_first_unit(first, second, value):
    ((unit, _, samples),) = series(
        history(
            ("customSmallerIsBetter", bench(1, first)), ("customSmallerIsBetter", bench(12, second))
        )
    ).values()
    assert (unit, samples) == (first, [(1,), (value,)])


def test_a_tool_of_another_direction_begins_another_series():
    found = series(history(("customSmallerIsBetter", bench(1)), ("customBiggerIsBetter", bench(2))))
    assert found == {
        "a/b/b/value{suite=s}": ("ns", LOWER, [(1,)]),
        "a/b/b/value{suite=s,tool=customBiggerIsBetter}": ("ns", HIGHER, [(2,)]),
    }


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["x", "x_mean", "x_median", "x_stddev", "x_cv"], ["x"]),
        (["x_mean", "x_median", "x_stddev", "x_cv"], ["x_mean", "x_median"]),
        (["x_mean"], ["x_mean"]),
    ],
)
def test_summaries_of_google_benchmark(names, kept):
    data = history(("googlecpp", *(bench(1, "ns/iter", name) for name in names)))
    assert [m.key.benchmark for m in parse(data).measurements] == kept


@pytest.mark.parametrize("end", [b"", b";", b";\n", b"\n"])
def test_the_end_of_the_script(end):
    assert len(parse(history(("cargo", bench(1))) + end).measurements) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"window.BENCHMARK_DATA = {", "data.js:1: not valid JSON: "),
        (
            b"window.BENCHMARK_DATA =\n{\n  lastUpdate: 1}",
            "data.js:3: not valid JSON: Expecting prop",
        ),
        (
            b"window.BENCHMARK_DATA = {}",
            "data.js: no history of github-action-benchmark: no entries",
        ),
        (b'window.BENCHMARK_DATA = {"entries": {}}', "data.js: no runs in it"),
        (
            b'window.BENCHMARK_DATA = {"entries": {"s": [{}]}}',
            "data.js: nothing could be read: data.js: entries['s'][0]: no benches",
        ),
        (b"[5]", "data.js: nothing could be read: data.js: 1 result(s) without a name"),
    ],
)
def test_what_cannot_be_read(data, message):
    with pytest.raises(InputError) as caught:
        parse(data)
    assert str(caught.value).startswith(message)


def test_a_list_of_something_else_is_not_taken():
    with pytest.raises(InputError, match="JSON of no format"):
        find_format(Content("x.json", b'[{"name": "a", "size": 5}]'))
