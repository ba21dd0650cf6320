# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Rust benchmarks, made by running the tools; numbers are read off the files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.config import Columns
from stepmark.errors import InputError, StepmarkError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.criterion import Criterion
from stepmark.sources.reading import find_format, read_source, read_sources

AGAIN = Path(__file__).parent / "fixtures" / "criterion" / "again.txt"
LONG = "compare fib/a rather long name, naïve: with all sorts of/things"
NAMES = [
    "fib 5/time",
    "compare fib/recursive/2/time",
    "compare fib/2/time",
    "compare fib/recursive/7/time",
    "compare fib/7/time",
    f"{LONG}/time",
]


def parse(text: str):
    return Criterion().parse(Content("x.txt", text.encode()), Columns())


def found(parsed) -> dict[str, tuple]:
    return {str(m.key): (m.samples, m.unit) for m in parsed.measurements}


def failures(parsed) -> list[tuple[str, str]]:
    return [(str(f.key), f.reason) for f in parsed.failures]


def test_text(fixtures):
    parsed = read_source(fixtures / "criterion" / "first.txt")
    values = [38.524, 10.252, 5.8574, 48.85, 83.666, 968.58]
    assert found(parsed) == {
        name: ((value,), "ns") for name, value in zip(NAMES, values, strict=True)
    }
    assert all(m.direction is Direction.LOWER for m in parsed.measurements)
    assert parsed.measurements[-1].attributes == {"interval": "545.11 ns to 1.5489 µs"}


def test_text_with_changes_and_another_unit(fixtures):
    folder = fixtures / "criterion"
    values = [17.47, 10.832, 7.8035, 67.797, 76.217, 1376.9]
    parsed = read_source(folder / "again.txt")
    assert list(found(parsed)) == NAMES
    assert [m.samples[0] for m in parsed.measurements] == pytest.approx(values)
    both = read_sources([folder / "first.txt", folder / "again.txt"])
    history = assemble(both.measurements)[-1]
    assert (history.unit, history.values()) == ("ns", pytest.approx([968.58, 1376.9]))


def test_long_names_without_the_lines_of_progress(fixtures):
    text = (fixtures / "criterion" / "again.txt").read_text()
    plain = "\n".join(line for line in text.split("\n") if not line.startswith("Benchmarking"))
    assert found(parse(plain)) == found(parse(text))


def test_a_panic(fixtures):
    parsed = read_source(fixtures / "criterion" / "failures.txt")
    assert found(parsed) == {"ok first/time": ((8.8488,), "ns")}
    assert failures(parsed) == [("panics: here/time", "boom: 5 (benches/fails.rs:5:77)")]


def test_bencher_form(fixtures):
    parsed = read_source(fixtures / "criterion" / "bencher.txt")
    values = [16, 3, 3, 49, 38, 530]
    assert found(parsed) == {
        name: ((value,), "ns") for name, value in zip(NAMES, values, strict=True)
    }


def test_libtest(fixtures):
    parsed = read_source(fixtures / "criterion" / "libtest.txt")
    assert found(parsed) == {
        "bench_slow/time": ((143120.18,), "ns"),
        "deep::inner::bench_copy/time": ((44.9,), "ns"),
        "deep::inner::bench_sum/time": ((168.14,), "ns"),
    }
    assert parsed.measurements[1].attributes == {"spread": "2.56 ns", "throughput": "93090 MB/s"}
    assert failures(parsed) == [("bench_panics/time", "no device (b.rs:10:46)")]


def test_libtest_json(fixtures):
    path = fixtures / "criterion" / "libtest.json"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    medians = {e["name"]: e["median"] for e in events if e["type"] == "bench"}
    parsed = read_source(path)
    assert found(parsed) == {f"{name}/time": ((value,), "ns") for name, value in medians.items()}
    assert len(medians) == 3
    assert failures(parsed) == [("bench_panics/time", "no device (b.rs:10:46)")]


def test_cargo_criterion(fixtures):
    parsed = read_source(fixtures / "criterion" / "cargo-criterion.json")
    assert found(parsed) == {
        "fib 5/time": ((21.0, 21.5, 21.0), "ns"),
        "compare fib/recursive/7/time": ((54.0, 55.0), "ns"),
        "cycles/hash/time": ((1200.0, 1220.0), "cycles"),
    }
    assert parsed.measurements[1].attributes == {"throughput": "7 elements"}


def test_criterion_s_folder(fixtures):
    folder = fixtures / "criterion" / "target" / "criterion"
    (plain,) = read_source(folder / "fib 5" / "new" / "sample.json").measurements
    assert str(plain.key) == "fib 5/time"
    assert len(plain.samples) == 10
    assert plain.samples[:2] == (180286 / 10770, 366293 / 21540)
    inside = folder / "compare fib" / "recursive" / "7" / "new"
    (sample,) = read_source(inside / "sample.json").measurements
    assert str(sample.key) == "compare fib/recursive/time{param=7}"
    assert sample.attributes == {"throughput": '{"Elements": 7}'}
    (estimate,) = read_source(inside / "estimates.json").measurements
    assert (estimate.key, estimate.samples) == (sample.key, (120.31730881564523,))


@pytest.mark.parametrize(
    ("document", "beside", "problem"),
    [
        ({"iters": [1], "times": [2]}, None, "no benchmark.json beside it"),
        ({"iters": [1], "times": [2]}, "[]", "no benchmark.json beside it"),
        ({"iters": [1], "times": [2]}, "{", "benchmark.json:1: not valid JSON"),
        ({"iters": [0], "times": [2]}, '{"group_id":"g"}', "no finite samples"),
        ({"iters": [1], "times": [2, 3]}, '{"group_id":"g"}', "no finite samples"),
        ({"iters": 1, "times": [2, 3]}, '{"group_id":"g"}', "no finite samples"),
        ({"other": 1}, '{"group_id":"g"}', "neither samples nor estimates"),
        ([], '{"group_id":"g"}', "neither samples nor estimates"),
    ],
)
def test_a_folder_that_is_not_whole(document, beside, problem):
    files = {} if beside is None else {"benchmark.json": beside.encode()}
    content = Content("x.json", json.dumps(document).encode(), beside=files)
    with pytest.raises(InputError) as caught:
        Criterion().parse(content, Columns())
    assert str(caught.value).startswith("x.json: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  time:   [1.0 ps 2.0 ps 3.0 ps]", {"a/time": ((0.002,), "ns")}),
        ("a  time:   [1.0 us 2.0 us 3.0 us]", {"a/time": ((2000.0,), "ns")}),
        ("a  time:   [1.0 ms 2.0 ms 1.0 s]", {"a/time": ((2e6,), "ns")}),
        ("a  time:   [1.0 s 2.0 s 3.0 s]", {"a/time": ((2e9,), "ns")}),
        ("a  time:   [1e9 cycles 2e9 cycles 3e9 cycles]", {"a/time": ((2e9,), "cycles")}),
        ("\x1b[32ma\x1b[0m  time: [1 ns \x1b[1m2 ns\x1b[0m 3 ns]\r", {"a/time": ((2.0,), "ns")}),
        ("Benchmarking a: Analyzing\r\x1b[2Ka  time: [1 ns 2 ns 3 ns]", {"a/time": ((2.0,), "ns")}),
        ("test a ... bench:   1,234 ns/iter (+/- 5)", {"a/time": ((1234.0,), "ns")}),
        ("test a b ... c ... bench: 5 ns/iter (+/- 0)", {"a b ... c/time": ((5.0,), "ns")}),
    ],
)
def test_forms_of_lines(text, expected):
    assert found(parse(text)) == expected
    assert Criterion().recognises(Content("x", text.encode())) is ("cycles" not in text)


def test_what_cannot_be_read_is_left_out():
    parsed = parse(
        "test ok ... bench: 5 ns/iter (+/- 0)\n"
        "test bad ... bench: 1.2.3 ns/iter (+/- 0)\n"
        "test bad ... bench: soon\n"
        "a  time: [1 ns NaN ns 3 ns]\n"
        "thread 'main' panicked at 'explicit', src/lib.rs:4:5\nnote: run with\n"
    )
    assert list(found(parsed)) == ["ok/time"]
    assert [(s.source, s.reason) for s in parsed.skipped] == [
        ("x.txt:2", "'bad': '1.2.3' is not a number"),
        ("x.txt:4", "'a': no finite time"),
        ("x.txt:6", "panicked outside of a benchmark: 'explicit', src/lib.rs:4:5"),
    ]
    (skipped,) = parse("time: [1 ns 2 ns 3 ns]\na  time: [1 ns 2 ns 3 ns]").skipped
    assert skipped.reason == "a time without a name"


def test_one_name_in_two_targets():
    line = "test a ... bench: 5 ns/iter (+/- 0)\n"
    parsed = parse(
        f"     Running unittests src/lib.rs (target/release/deps/speed-8e5e7f9bfc99334f)\n{line}"
        f"     Running benches/b.rs (target/release/deps/b-8e5e7f9bfc99334f)\n{line}"
        f"     Running unittests (target/release/deps/old-8e5e7f9bfc99334f)\n"
        f"{line.replace('a', 'c', 1)}"
    )
    assert [(m.key.benchmark, m.attributes["target"]) for m in parsed.measurements] == [
        ("a", "src/lib.rs"),
        ("c", "target/release/deps/old"),
    ]
    assert [s.reason for s in parsed.skipped] == [
        "'a' is also in 'src/lib.rs': save each in its own file"
    ]


def test_streams():
    def complete(**more):
        return json.dumps({"reason": "benchmark-complete"} | more)

    lines = [
        "   Compiling speed",
        '{"reason":"compiler-artifact"}',
        complete(id="a", median={"estimate": 5.0, "unit": "ns"}),
        complete(id="b", measured_values=[1.0], iteration_count=[0], unit="ns"),
        complete(),
        '{"reason":',
        "{}",
        '{"type": "bench", "name": "c", "median": null}',
        '{"type": "test", "name": "d", "event": "failed"}',
    ]
    parsed = Criterion().parse(Content("x", "\n".join(lines[1:]).encode()), Columns())
    assert found(parsed) == {"a/time": ((5.0,), "ns")}
    assert failures(parsed) == [
        ("b/time", "no finite measurements"),
        ("d/time", "failed without a message"),
    ]
    assert [s.source for s in parsed.skipped] == ["x:4", "x:5", "x:7"]


@pytest.mark.parametrize("text", ["nothing", "test a ... ok", "running 0 tests\n"])
def test_no_results(text):
    with pytest.raises(InputError, match=r"x\.txt: no results of Rust benchmarks in it"):
        parse(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(AGAIN.read_text().split("\n")), max_size=60))
def test_lines_in_any_order(lines):
    message = ""
    try:
        assemble(parse("\n".join(lines)).measurements)
    except StepmarkError as error:
        message = str(error)
    assert "\n" not in message


def test_the_whole_folder_at_once(fixtures, tmp_path):
    folder = Path(shutil.copytree(fixtures / "criterion" / "target", tmp_path / "target"))
    older = folder / "criterion" / "fib 5" / "base"
    shutil.copytree(older.parent / "new", older)
    parsed = read_source(folder)
    assert sorted(str(m.key) for m in parsed.measurements) == [
        "compare fib/recursive/time{param=7}",
        "fib 5/time",
    ]


def test_raw_csv(fixtures):
    parsed = read_source(fixtures / "criterion" / "raw" / "raw.csv")
    assert found(parsed) == {"compare fib/recursive/time{param=7}": ((50.0, 52.5), "ns")}


def test_rows_of_raw_csv_that_are_broken_are_left_out():
    parsed = parse(
        "group,function,value,throughput_num,throughput_type,sample_measured_value,unit,"
        "iteration_count\na,,,,,10,ns,2\na,,,,,x,ns,2\na,,,,,10,ns,0\n"
    )
    assert found(parsed) == {"a/time": ((5.0,), "ns")}
    assert [s.source for s in parsed.skipped] == ["x.txt:3", "x.txt:4"]


@pytest.mark.parametrize("stamp", ["2026-11-01T10:00:00.1234567Z", "[2026-11-01T10:00:00.123Z]"])
@pytest.mark.parametrize("file", ["first.txt", "libtest.txt", "cargo-criterion.json"])
def test_a_log_of_ci_says_the_same(fixtures, file, stamp):
    text = (fixtures / "criterion" / file).read_text(encoding="utf-8")
    lines = ["   Compiling x v0.1.0", *text.split("\n")]
    log = "\n".join(f"{stamp} {line}" for line in lines).encode()
    content = Content("x.log", log + b"\ncaf\xe9")
    assert find_format(content).name == "criterion"
    assert found(Criterion().parse(content, Columns())) == found(
        read_source(fixtures / "criterion" / file)
    )


def test_text_in_colours_is_recognised():
    line = "fib 20   time:   [\x1b[2m1.2 µs\x1b[0m \x1b[1m1.3 µs\x1b[0m \x1b[2m1.4 µs\x1b[0m]\n"
    content = Content("x.log", line.encode())
    assert find_format(content).name == "criterion"
    assert found(Criterion().parse(content, Columns())) == {"fib 20/time": ((1300.0,), "ns")}


def test_without_benchmark_json_the_folders_give_the_name(tmp_path):
    for name in ("new", "change"):
        folder = tmp_path / "target" / "criterion" / "fib" / "rec" / "7" / name
        folder.mkdir(parents=True)
        estimates = {
            name: {"confidence_interval": {}, "point_estimate": 12.5, "standard_error": 0.1}
            for name in ("mean", "median", "median_abs_dev", "slope", "std_dev")
        }
        (folder / "estimates.json").write_text(json.dumps(estimates), encoding="utf-8")
    read = tmp_path / "target" / "criterion" / "fib" / "rec" / "7"
    parsed = read_source(read / "new" / "estimates.json")
    assert found(parsed) == {"fib/rec/7/time": ((12.5,), "ns")}
    with pytest.raises(InputError, match=r"no benchmark\.json beside it"):
        read_source(read / "change" / "estimates.json")
