# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Output of go test -bench, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.config import Columns
from stepmark.errors import InputError, StepmarkError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.go import Go
from stepmark.sources.reading import find_format, read_source, read_sources

COUNT = Path(__file__).parent / "fixtures" / "go" / "count.txt"


def parse(text: str):
    return Go().parse(Content("x.txt", text.encode()), Columns())


def samples(parsed) -> dict[str, tuple[float, ...]]:
    return {str(m.key): m.samples for m in parsed.measurements}


def failures(parsed) -> list[tuple[str, str]]:
    return [(str(f.key), f.reason) for f in parsed.failures]


def test_repetitions_failures_and_a_panic(fixtures):
    parsed = read_source(fixtures / "go" / "count.txt")
    found = {str(m.key): m for m in parsed.measurements}
    one = found["example.com/fast/BenchmarkJoin/ns/op{gomaxprocs=2,sep=,,size=1000}"]
    assert one.samples == (9680, 12063, 10721)
    assert (one.unit, one.direction, one.revision, one.landed) == (
        "ns/op",
        Direction.LOWER,
        "",
        None,
    )
    assert one.attributes == {
        "goos": "linux",
        "goarch": "amd64",
        "cpu": "Intel(R) Xeon(R) Processor",
        "machine": "linux/amd64, Intel(R) Xeon(R) Processor",
    }
    speed = found["example.com/fast/BenchmarkJoin/MB/s{gomaxprocs=2,sep=,,size=1000}"]
    assert (speed.samples, speed.unit) == ((103.3, 82.9, 93.28), "MB/s")
    assert speed.direction is Direction.HIGHER
    allocated = found["example.com/fast/BenchmarkJoin/B/op{gomaxprocs=2,sep=,_,size=1000}"]
    assert (allocated.samples, allocated.direction) == ((2211, 2211, 2211), Direction.LOWER)
    own = found["example.com/fast/BenchmarkPlain/widgets/s{gomaxprocs=2}"]
    assert (own.samples, own.direction) == ((12.5, 12.5, 12.5), None)
    # The benchmark's own output stands between its name and its numbers.
    printed = found["example.com/fast/BenchmarkPrints/ns/op{gomaxprocs=2}"]
    assert printed.samples == (228.8, 194.4, 191.3)
    assert "example.com/fast/BenchmarkSub/naïve_name-8/ns/op{gomaxprocs=2}" in found
    # The same name in another package is another benchmark.
    other = found["example.com/fast/text/BenchmarkPlain/ns/op{gomaxprocs=2}"]
    assert other.samples[:2] == (4.74, 4.06)
    assert failures(parsed) == [
        ("example.com/fast/BenchmarkFails/ns/op{gomaxprocs=2}", "fast_test.go:44: no device: 5"),
        (
            "example.com/fast/BenchmarkPartly/ns/op{gomaxprocs=2,kind=bad}",
            "fast_test.go:53: bad 3; second line",
        ),
        ("example.com/fast/text/BenchmarkPanics/ns/op{gomaxprocs=2}", "panic: boom"),
    ]


def test_verbose_text_has_the_log_before_the_outcome(fixtures):
    parsed = read_source(fixtures / "go" / "verbose.txt")
    assert failures(parsed) == [
        (
            "example.com/fast/BenchmarkPartly/ns/op{gomaxprocs=2,kind=bad}",
            "fast_test.go:53: bad 3; second line",
        )
    ]
    found = samples(parsed)
    assert found["example.com/fast/BenchmarkPrints/ns/op{gomaxprocs=2}"] == (417.4,)
    assert found["example.com/fast/BenchmarkLogs/ns/op{gomaxprocs=2}"] == (667.3,)
    (skipped,) = parsed.skipped
    assert skipped.reason == "'BenchmarkSkips' was skipped: 'fast_test.go:58: needs a GPU'"


def test_a_stream(fixtures):
    parsed = read_source(fixtures / "go" / "stream.json")
    found = {str(m.key): m for m in parsed.measurements}
    one, two = (
        found[f"example.com/fast/BenchmarkPlain/widgets/s{labels}"]
        for labels in ("", "{gomaxprocs=2}")
    )
    assert (one.samples, two.samples) == ((12.5,), (12.5,))
    assert one.landed == datetime(2026, 11, 22, 6, 23, 2, 654956, tzinfo=UTC)
    assert "example.com/fast/BenchmarkJoin/ns/op{gomaxprocs=2,sep=,,size=10}" in found
    assert failures(parsed) == [
        ("example.com/fast/BenchmarkFails/ns/op", "fast_test.go:44: no device: 5"),
        ("example.com/fast/text/BenchmarkPanics/ns/op", "panic: boom"),
    ]
    assert [s.reason for s in parsed.skipped] == [
        "'BenchmarkSkips' was skipped: 'fast_test.go:58: needs a GPU'"
    ]
    again = read_sources([fixtures / "go" / "stream.json"] * 2)
    assert assemble(again.measurements) == assemble(parsed.measurements)


def test_a_stream_of_an_older_version(fixtures):
    parsed = read_source(fixtures / "go" / "stream_1.19.json")
    found = samples(parsed)
    assert found["example.com/fast/BenchmarkPrints/ns/op{gomaxprocs=2}"] == (1436, 982.1)
    assert found["example.com/fast/text/BenchmarkPlain/ns/op{gomaxprocs=2}"][0] == 5.44
    assert [f.key.label_map["kind"] for f in parsed.failures] == ["bad"]


def test_two_commits_are_a_history(fixtures):
    folder = fixtures / "go"
    parsed = read_sources([folder / "change.txt", folder / "baseline.txt"])
    series = {str(s.key): s for s in assemble(parsed.measurements)}
    join = series["example.com/fast/BenchmarkJoin/ns/op{gomaxprocs=2,sep=,,size=10}"]
    assert [p.revision for p in join.points] == ["3f2a91c", "81c0de5"]
    assert [p.samples for p in join.points] == [(91.9, 91.95), (110.6, 129.3)]
    assert join.points[0].landed == datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert join.points[0].attributes["machine"] == "bench-1"
    assert join.points[0].attributes["commit"] == "3f2a91c"
    own = series["example.com/fast/BenchmarkPlain/widgets/s{gomaxprocs=2}"]
    assert own.direction is Direction.HIGHER


def test_a_file_with_the_runs_of_several_commits():
    parsed = parse(
        "commit: a\nBenchmarkX 1 5 ns/op\nBenchmarkX 1 6 ns/op\n"
        "commit: b\nBenchmarkX 1 7 ns/op\ncommit:\nBenchmarkX 1 8 ns/op\n"
    )
    assert [(m.revision, m.samples) for m in parsed.measurements] == [
        ("a", (5, 6)),
        ("b", (7,)),
        ("", (8,)),
    ]


@pytest.mark.parametrize(
    ("name", "base", "labels"),
    [
        ("Benchmark", "Benchmark", {}),
        ("BenchmarkX-16", "BenchmarkX", {"gomaxprocs": "16"}),
        ("BenchmarkX/a=1/s/b=x=y-4", "BenchmarkX/s", {"a": "1", "b": "x=y", "gomaxprocs": "4"}),
        ("BenchmarkX/a=1/a=2", "BenchmarkX/a=2", {"a": "1"}),
        ("BenchmarkX/=5/a=", "BenchmarkX/=5", {"a": ""}),
        ("BenchmarkÄ/n=10#01", "BenchmarkÄ", {"n": "10#01"}),
    ],
)
def test_names(name, base, labels):
    (measurement,) = parse(f"{name}  100  5.5 ns/op").measurements
    assert (measurement.key.benchmark, measurement.key.label_map) == (base, labels)


def test_directions_that_unit_lines_tell():
    parsed = parse(
        "Unit sec/op better=higher assume=nothing\nBenchmarkX 1 5 ns/op 6 q/s 7 r/s 8 B/s\n"
        "Unit q/s better=lower\nUnit q/s better=higher\nUnit r/s better=sideways\n"
    )
    directions = {m.key.metric: m.direction for m in parsed.measurements}
    assert directions == {
        "ns/op": Direction.HIGHER,
        "q/s": Direction.LOWER,
        "r/s": None,
        "B/s": Direction.HIGHER,
    }
    assert [s.reason for s in parsed.skipped] == [
        "Unit 'q/s': its better was told otherwise",
        "Unit 'r/s': better is lower or higher",
    ]


def test_lines_that_are_no_results():
    parsed = parse(
        "BenchmarkingX 1 5 ns/op\nBenchmarked 1 5 ns/op\nBenchmarkX\nBenchmarkX 1\n"
        "BenchmarkX 10 5 ns/op 6\nBenchmarkX 10 NaN ns/op 1_0 x\nBenchmarkX 10 +Inf ns/op 2 q\n"
    )
    assert samples(parsed) == {"BenchmarkX/q": (2,)}
    assert [(s.source, s.reason) for s in parsed.skipped] == [
        ("x.txt:5", "'BenchmarkX': no pairs of value and unit: '5 ns/op 6'"),
        ("x.txt:6", "'BenchmarkX': no pairs of value and unit: 'NaN ns/op 1_0 x'"),
        ("x.txt:7", "'BenchmarkX': 'ns/op' is not a finite number"),
    ]


def test_a_log_is_no_configuration_and_does_not_divide_samples():
    parsed = parse(
        "BenchmarkX 1 5 ns/op\nwarning: hot\ninfo: took 5 ms\nurl:http://x\nKey: x\n"
        "BenchmarkX 1 6 ns/op\nnote: 1\nBenchmarkY 1 7 ns/op\n"
    )
    assert samples(parsed) == {"BenchmarkX/ns/op": (5, 6), "BenchmarkY/ns/op": (7,)}
    assert parsed.measurements[1].attributes == {"info": "took 5 ms", "note": "1"}


def test_other_machines_in_one_file_are_other_measurements():
    parsed = parse("host: a\nBenchmarkX 1 5 ns/op\nhost: b\nBenchmarkX 1 6 ns/op\n")
    assert [(m.attributes["machine"], m.samples) for m in parsed.measurements] == [
        ("a", (5,)),
        ("b", (6,)),
    ]


def test_a_time_that_is_none():
    parsed = parse("commit-time: soon\nBenchmarkX 1 5 ns/op\n")
    assert parsed.measurements[0].landed is None
    assert [s.reason for s in parsed.skipped] == ["'soon' is not a time: what follows it has none"]


def test_a_panic_at_the_end_of_a_file_that_is_cut():
    text = "pkg: p\nBenchmarkX-2 1 5 ns/op\npanic: out of memory\n\ngoroutine 9 [running]:\n"
    parsed = parse(f"{text}p.BenchmarkY.func1(0xc0)\n\tp_test.go:11\n")
    assert failures(parsed) == [("p/BenchmarkY/ns/op{gomaxprocs=2}", "panic: out of memory")]
    unknown = parse(f"{text}main.main()\n")
    assert "package 'p' failed: 'panic: out of memory'" in unknown.skipped[0].reason


def test_windows_line_ends_and_utf_16(fixtures):
    text = (fixtures / "go" / "baseline.txt").read_text()
    expected = samples(parse(text))
    assert samples(parse(text.replace("\n", "\r\n"))) == expected
    content = Content("x.txt", text.encode("utf-16"))
    assert Go().recognises(content)
    assert samples(Go().parse(content, Columns())) == expected


def test_events_that_are_broken_are_left_out():
    def event(output, **more):
        return json.dumps({"Action": "output", "Package": "p", "Output": output} | more)

    lines = [
        "# p",
        "[1]",
        '{"Action":',
        event("BenchmarkX \t"),
        event("other\n", Package="q"),
        event("  100\t 5 ns/op\nBenchmarkY 1 6 ns/op"),
        event(5),
    ]
    parsed = parse("\n".join(lines))
    assert samples(parsed) == {"p/BenchmarkX/ns/op": (5,), "p/BenchmarkY/ns/op": (6,)}
    assert [s.source for s in parsed.skipped] == ["x.txt:3"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty_no_match.txt", "no benchmark results in it (lines such as BenchmarkX 100 5 ns/op)"),
        (
            "empty_build_failed.txt",
            "nothing could be read: {0}:5: package 'example.com/text' failed: '[build failed]'",
        ),
        (
            "empty_build_failed.json",
            "nothing could be read: {0}:7: package 'example.com/text' failed: '[build failed]'",
        ),
    ],
)
def test_runs_without_results(fixtures, name, message):
    path = fixtures / "go" / name
    with pytest.raises(InputError) as caught:
        read_source(path)
    expected = message.format(path).replace("example.com/text", "example.com/fast/text")
    assert str(caught.value) == f"{path}: {expected}"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(COUNT.read_text().split("\n")), max_size=60))
def test_lines_in_any_order(lines):
    message = ""
    try:
        assemble(parse("\n".join(lines)).measurements)
    except StepmarkError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize("file", ["count.txt", "verbose.txt", "stream.json"])
@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-01T10:00:00.1234567Z ",  # GitHub
        "bench (1.22)\tRun go test\t2026-11-01T10:00:00.1234567Z ",  # gh run view --log
        "2026-11-01T10:00:00.123456Z 00O ",  # GitLab
        "[2026-11-01T10:00:00.123Z] ",  # Jenkins
        "\x1b_bk;t=1793527200000\x07",  # Buildkite
    ],
)
def test_a_log_of_ci_says_the_same(fixtures, file, stamp):
    lines = (fixtures / "go" / file).read_text(encoding="utf-8").split("\n")
    log = "\n".join(f"{stamp}{line}" for line in ["go: downloading x v1.2.3", *lines])
    content = Content("x.log", f"\ufeff{log}".encode() + b"\ncaf\xe9")
    assert find_format(content).name == "go"
    plain = read_source(fixtures / "go" / file)
    parsed = Go().parse(content, Columns())
    assert samples(parsed) == samples(plain)
    assert failures(parsed) == failures(plain)


def test_results_after_much_else():
    noise = "2026-11-01T10:00:00.1234567Z building\n" * 3000
    content = Content("x.log", f"{noise}2026-11-01T10:00:00Z BenchmarkA 100 5 ns/op\n".encode())
    assert find_format(content).name == "go"
    assert samples(Go().parse(content, Columns())) == {"BenchmarkA/ns/op": (5.0,)}


def test_values_of_many_digits_after_what_the_benchmark_printed():
    parsed = parse("BenchmarkA-8 \thello\n1000000000\t 0.3125 ns/op\t 0 B/op\n")
    assert samples(parsed) == {
        "BenchmarkA/ns/op{gomaxprocs=8}": (0.3125,),
        "BenchmarkA/B/op{gomaxprocs=8}": (0.0,),
    }
