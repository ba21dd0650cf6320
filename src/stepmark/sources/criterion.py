# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Rust benchmarks: Criterion.rs and cargo-criterion, and the built-in harness (libtest)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.tables import named_columns, records, to_number
from stepmark.sources.text import (
    decode_json,
    decoded,
    head,
    in_utf8,
    load_json,
    log_text,
    looks_like_json,
    shown,
    starts_as_json,
    without_stamps,
)
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    shortened,
    table_of,
    text_of,
)

METRIC = "time"
_BENCHMARK = "benchmark.json"
_FOLDER = "criterion"

# Times are written in whatever unit suits them, which changes from run to run.
_NANOSECONDS = {"ps": 1e-3, "ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
_NUMBER = r"[-+]?(?:\d[\d.]*(?:[eE][-+]?\d+)?|inf|NaN)"
_TIME = re.compile(
    rf"\btime:\s+\[(?P<low>{_NUMBER}) (?P<low_unit>\S+)"
    rf" (?P<middle>{_NUMBER}) (?P<unit>\S+) (?P<high>{_NUMBER}) (?P<high_unit>[^\s\]]+)\]\s*$"
)
_BENCH = re.compile(
    r"bench:\s+(?P<value>[\d,.]+) (?P<unit>\w+)/iter \(\+/- (?P<spread>[\d,.]+)\)"
    r"(?P<rate> = .+)?\s*"
)
_PHASE = re.compile(r": (?:Warming up for|Collecting|Analyzing|Profiling)")
_PANICKED = " panicked at "
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HEAD = re.compile(
    r"\btime:\s+\[[-+\d.]+ (?:ps|ns|us|µs|μs|ms|s) |^test .+ \.\.\. bench:\s+[\d,.]+ \w+/iter",
    re.MULTILINE,
)
_LATER = re.compile(
    rb"time: {3}\[\d[\d.]* (?:ps|ns|us|\xc2\xb5s|\xce\xbcs|ms|s) | \.\.\. bench: +[\d,.]+ \w+/iter"
)
# What _LATER needs; to look for it takes far less time.
_MARKS = (b"time:   [", b" ... bench:")
_STREAM = re.compile(rb'"reason": ?"benchmark-complete"|"type": ?"bench"')
_IN_LOG = re.compile(rb'\{ ?"reason": ?"benchmark-complete"|\{ ?"type": ?"bench"')


@dataclass(frozen=True, slots=True)
class Criterion:
    """Rust benchmarks, in each form in which their tools write results.

    - **cargo-criterion** ``--message-format=json``: the samples are each sample's total divided by
      its iterations.
    - **criterion's folder**: ``target/criterion/<benchmark>/new/sample.json`` with
      ``benchmark.json`` beside it: samples likewise; or ``estimates.json``, of which the sample is
      the slope, or else the mean; or ``raw.csv``. The parameter becomes the label ``param``. If
      there is no ``benchmark.json``, the folders give the name, the parameter as a part of it.
    - **criterion's text**, also with names that wrap: the sample is the middle of the three
      values. Lines of percentages (changes since the last run) and of throughput are left out.
    - **libtest** and ``--output-format bencher``: ``test x ... bench: 1,234 ns/iter (+/- 56)``, or
      the same with ``--format json``; the sample is the median.

    Times that GitHub, GitLab, Jenkins or Buildkite put before the lines of a log are passed over.

    The benchmark is the name as written, the metric ``time``, lower is better, in nanoseconds
    (or the unit that a measurement of one's own has). A benchmark that panics is a failure. There
    is no time and no revision in these files: they are in the order in which they are named.
    """

    name: ClassVar[str] = "criterion"
    title: ClassVar[str] = "Rust: criterion's text, JSON and sample.json, and libtest's bench lines"
    beside: ClassVar[tuple[str, ...]] = (_BENCHMARK,)

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON of cargo-criterion, criterion or libtest, or text with their lines."""
        if _is_stream(content) or _is_raw(content):
            return True
        if starts_as_json(content):
            return _is_sample(content) or _is_estimates(content)
        if _HEAD.search(_TERMINAL.sub("", without_stamps(head(content)))):
            return True
        return any(mark in content.data for mark in _MARKS) and bool(_LATER.search(content.data))

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all results; raises `InputError` if there are none."""
        collector = Collector(content)
        if _is_stream(content):
            _read_stream(collector, content)
        elif _is_raw(content):
            _read_raw(collector, content)
        elif starts_as_json(content):
            _read_folder(collector, content)
        else:
            _Text(collector, content.name).read(log_text(content))
        return collector.parsed(
            "no results of Rust benchmarks in it (time: [1 ns 2 ns 3 ns], or test x ... bench:)"
        )


def _add(
    collector: Collector,
    where: str,
    name: str,
    samples: Sequence[float],
    unit: str = "ns",
    *,
    parameter: str = "",
    attributes: Mapping[str, str] | None = None,
) -> None:
    labels = {"param": parameter} if parameter else {}
    collector.add(
        Measurement(
            make_key(where, benchmark=name, metric=METRIC, labels=labels),
            "",
            None,
            tuple(samples),
            checked_unit(where, unit),
            Direction.LOWER,
            "",
            attributes or {},
        )
    )


def _fail(collector: Collector, where: str, name: str, reason: str) -> None:
    key = make_key(where, benchmark=name, metric=METRIC)
    collector.failures.append(Failure(key, "", None, shortened(reason), where))


def _per_iteration(totals: Any, iterations: Any) -> list[float]:
    """Each sample's total divided by its number of iterations; none if one of them is unusable."""
    if not isinstance(totals, list) or not isinstance(iterations, list):
        return []
    if len(totals) != len(iterations):
        return []
    samples = []
    for total, count in zip(map(finite, totals), map(finite, iterations), strict=True):
        if total is None or count is None or count <= 0:
            return []
        samples.append(total / count)
    return samples


def _is_stream(content: Content) -> bool:
    messages = _STREAM if starts_as_json(content) else _IN_LOG
    return bool(messages.search(in_utf8(content)))


def _read_stream(collector: Collector, content: Content) -> None:
    """Lines of JSON, of cargo-criterion (one a benchmark) or of libtest."""
    for number, line in enumerate(log_text(content).split("\n"), start=1):
        if not line.lstrip().startswith("{"):
            continue
        try:
            message = decode_json(line.lstrip())[0]
        except ValueError as error:
            collector.skip(number, f"broken JSON: {error}")
            continue
        if not isinstance(message, dict):
            continue
        if message.get("reason") == "benchmark-complete":
            _read_complete(collector, content.name, number, message)
        elif message.get("type") == "bench" or message.get("event") == "failed":
            _read_event(collector, content.name, number, message)


def _read_complete(
    collector: Collector, where: str, number: int, message: Mapping[str, Any]
) -> None:
    name = text_of(message, "id")
    if not name:
        collector.skip(number, "a benchmark without an id")
        return
    samples = _per_iteration(message.get("measured_values"), message.get("iteration_count"))
    unit = text_of(message, "unit")
    if not samples:
        estimates = (table_of(message, name) for name in ("typical", "slope", "mean", "median"))
        estimate = next(filter(None, estimates), {})
        value = finite(estimate.get("estimate"))
        unit = text_of(estimate, "unit") or unit
        samples = [] if value is None else [value]
    if samples:
        sizes = message.get("throughput")
        attributes = attributes_of(
            throughput=", ".join(
                f"{text_of(size, 'per_iteration')} {text_of(size, 'unit')}"
                for size in (sizes if isinstance(sizes, list) else [])
                if isinstance(size, dict)
            )
        )
        _add(collector, where, name, samples, unit, attributes=attributes)
    else:
        _fail(collector, where, name, "no finite measurements")


def _read_event(collector: Collector, where: str, number: int, event: Mapping[str, Any]) -> None:
    name, value = text_of(event, "name"), finite(event.get("median"))
    if event.get("type") == "bench" and name:
        if value is None:
            collector.skip(number, f"{shown(name)}: no finite median")
        else:
            _add(collector, where, name, [value])
    elif event.get("type") == "test" and name:
        lines = text_of(event, "stdout").split("\n")
        panics = [place for place, line in enumerate(lines) if _PANICKED in line]
        reason = _panic(lines[panics[0] :]) if panics else lines[0] or "failed without a message"
        _fail(collector, where, name, reason)


def _panic(lines: Sequence[str]) -> str:
    """What the lines of a panic say: the message, which is on the second line, and the place."""
    place = lines[0].partition(_PANICKED)[2].strip().rstrip(":")
    # Before Rust 1.73 the message was on the first line, and a note follows.
    said = [line.strip() for line in lines[1:2] if not line.startswith("note: ")]
    message = said[0] if said else ""
    return f"{message} ({place})" if message else place or "panicked without a message"


def _is_raw(content: Content) -> bool:
    return {"group", "function", "value", "sample_measured_value", "iteration_count"} <= set(
        named_columns(content)
    )


def _read_raw(collector: Collector, content: Content) -> None:
    """The samples of raw.csv, a row each."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for line, cells in records(content.name, decoded(content)):
        names = [cells[name] for name in ("group", "function") if name in cells]
        identity = ("/".join(names), cells.get("value", ""), cells.get("unit", ""))
        try:
            total = to_number(cells.get("sample_measured_value", ""))
            count = to_number(cells.get("iteration_count", ""))
        except ValueError as error:
            collector.skip(line, str(error))
            continue
        if samples := _per_iteration([total], [count]):
            found.setdefault(identity, []).extend(samples)
        else:
            collector.skip(line, f"{shown(identity[0])}: no finite time of an iteration")
    for (name, parameter, unit), samples in found.items():
        _add(collector, content.name, name, samples, unit, parameter=parameter)


def _is_sample(content: Content) -> bool:
    return looks_like_json(content, b"iters", b"times")


def _is_estimates(content: Content) -> bool:
    return looks_like_json(content, b"median_abs_dev", b"confidence_interval", b"point_estimate")


def _read_folder(collector: Collector, content: Content) -> None:
    """sample.json or estimates.json of one benchmark in criterion's folder."""
    document = load_json(content)
    if not isinstance(document, dict) or not (_is_sample(content) or _is_estimates(content)):
        raise InputError(f"{content.name}: no result of criterion: neither samples nor estimates")
    identity = _beside(content) or _folders(content.path)
    if not identity:
        raise InputError(
            f"{content.name}: no benchmark.json beside it, which has the benchmark's name; name"
            " sample.json where it lies, in target/criterion/<benchmark>/new"
        )
    samples = _per_iteration(document.get("times"), document.get("iters"))
    if not samples:
        estimate = table_of(document, "slope") or table_of(document, "mean")
        value = finite(estimate.get("point_estimate"))
        samples = [] if value is None else [value]
    if not samples:
        collector.skip(None, "no finite samples")
        return
    names = [text_of(identity, name) for name in ("group_id", "function_id")]
    name = "/".join(part for part in names if part) or text_of(identity, "full_id")
    throughput = identity.get("throughput")
    _add(
        collector,
        content.name,
        name,
        samples,
        parameter=text_of(identity, "value_str"),
        attributes=attributes_of(throughput=json.dumps(throughput) if throughput else ""),
    )


def _folders(path: PurePath | None) -> Mapping[str, Any]:
    """The name by the folders ``criterion/<benchmark>/new`` that a file lies in, if it does."""
    *folders, last = path.parent.parts if path is not None else ("",)
    if last not in ("new", "base") or _FOLDER not in folders:
        return {}
    start = len(folders) - folders[::-1].index(_FOLDER)
    return {"full_id": "/".join(folders[start:])}


def _beside(content: Content) -> Mapping[str, Any]:
    """What benchmark.json beside *content* says, empty if there is none."""
    data = content.beside.get(_BENCHMARK)
    if data is None:
        return {}
    found = load_json(Content(f"{content.name}: {_BENCHMARK}", data, None, content.limits))
    return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class _Text:
    """Goes through the lines of a log of ``cargo bench``, and knows what went before."""

    collector: Collector
    where: str
    target: str = ""
    targets: dict[str, str] = field(default_factory=dict)
    before: str = ""
    running: str = ""
    panic: list[str] = field(default_factory=list)
    output_of: str = ""
    failed: dict[str, str] = field(default_factory=dict)

    def read(self, text: str) -> None:
        number = 0
        for number, line in enumerate(_plain(text), start=1):
            self._line(number, line)
            if line.strip():
                self.before = line.strip()
        self._end_of_panic(number)
        for name, reason in self.failed.items():
            _fail(self.collector, self.where, name, reason)

    def _line(self, number: int, line: str) -> None:
        if len(self.panic) == 1:
            self.panic.append(line)
            self._end_of_panic(number)
        elif "time:" in line and (match := _TIME.search(line)):
            self._time(number, line[: match.start()].strip(), match)
        elif line.startswith("test "):
            self._test(number, line.removeprefix("test "))
        elif line.startswith("Benchmarking "):
            self.running = _PHASE.split(line.removeprefix("Benchmarking "), maxsplit=1)[0].strip()
        elif line.lstrip().startswith("Running "):
            self.target = _target(line.strip().removeprefix("Running "))
        elif line.startswith("---- ") and line.rstrip().endswith(" stdout ----"):
            self.output_of = line.rstrip().removeprefix("---- ").removesuffix(" stdout ----")
        elif line.startswith("thread '") and _PANICKED in line:
            self.panic = [line]

    def _end_of_panic(self, number: int) -> None:
        name = self.output_of or self.running
        if self.panic and name:
            self.failed[name] = _panic(self.panic)
        elif self.panic:
            self.collector.skip(number, f"panicked outside of a benchmark: {_panic(self.panic)}")
        self.panic, self.output_of, self.running = [], "", ""

    def _time(self, number: int, name: str, match: re.Match[str]) -> None:
        factor = _NANOSECONDS.get(match["unit"])
        # A name longer than its column has the line before for itself.
        name = name or self.running or self.before
        self.running = ""
        if not name:
            self.collector.skip(number, "a time without a name")
            return
        value = _grouped(match["middle"])
        if value is None:
            self.collector.skip(number, f"{shown(name)}: no finite time")
            return
        interval = f"{match['low']} {match['low_unit']} to {match['high']} {match['high_unit']}"
        unit = match["unit"] if factor is None else "ns"
        self._add(number, name, value * (factor or 1.0), unit, {"interval": interval})

    def _add(
        self, number: int, name: str, value: float, unit: str, attributes: Mapping[str, str]
    ) -> None:
        """Keep a time, unless it is that of another target's benchmark of the same name."""
        target = self.targets.setdefault(name, self.target)
        if target != self.target:
            self.collector.skip(
                number, f"{shown(name)} is also in {shown(target)}: save each in its own file"
            )
            return
        of_target = attributes_of(target=target)
        attributes = {**attributes, **of_target}
        _add(self.collector, self.where, name, [value], unit, attributes=attributes)

    def _test(self, number: int, line: str) -> None:
        """A line of libtest, or of criterion in its form: a result, or that there is none."""
        name, _, result = line.rpartition(" ... ")
        name = name.strip()
        match = _BENCH.fullmatch(result)
        if result.strip() == "FAILED" and name:
            self.failed.setdefault(name, "failed without a message")
        if match is None or not name:
            return
        factor = _NANOSECONDS.get(match["unit"])
        value = _grouped(match["value"])
        if value is None:
            self.collector.skip(number, f"{shown(name)}: {shown(match['value'])} is not a number")
            return
        attributes = attributes_of(
            spread=f"{match['spread']} {match['unit']}",
            throughput=(match["rate"] or "").removeprefix(" = ").strip(),
        )
        unit = match["unit"] if factor is None else "ns"
        self._add(number, name, value * (factor or 1.0), unit, attributes)


def _target(text: str) -> str:
    """What ``benches/a.rs (target/release/deps/a-1f2e)`` names; the file where no source is."""
    source, _, file = text.removeprefix("unittests ").partition("(")
    return source.strip() or file.rstrip(" )").rpartition("-")[0]


def _grouped(text: str) -> float | None:
    """A number with commas between its thousands."""
    try:
        return finite(float(text.replace(",", "")))
    except ValueError:
        return None


def _plain(text: str) -> Iterator[str]:
    """The lines as a terminal would show them in the end: no colours, nothing overwritten."""
    for line in text.split("\n"):
        coloured = "\x1b" in line or "\r" in line
        yield _TERMINAL.sub("", line.rstrip("\r")).rpartition("\r")[2] if coloured else line


__all__ = ["Criterion"]
