# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Output of ``go test -bench``: text, the Go benchmark data format, or ``go test -json``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.series import Direction, Failure, Measurement, SeriesKey
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.commits import revision_of
from stepmark.sources.text import (
    HEAD,
    decode_json,
    encoding,
    head,
    log_text,
    shown,
    starts_as_json,
    without_stamps,
)
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    make_key,
    parse_time,
    shortened,
    text_of,
)

_RESULT = re.compile(r"(Benchmark(?![a-z])\S*)(?:[ \t]+(.*))?", re.DOTALL)
_VALUES = re.compile(r"(\d+)[ \t]+(\S+[ \t]+[^ \t].*)", re.DOTALL)
_STREAM = re.compile(r'^[ \t]*\{[^\n]{0,2000}"Action": ?"output"', re.MULTILINE)
# A run without any result is one of Go too: it failed, or no benchmark matched.
_LINES = (
    re.compile(r"^Benchmark(?![a-z])\S*[ \t]+\d+[ \t]+[-+.\dNI]\S*[ \t]+\S", re.MULTILINE),
    re.compile(r"^ok  \t\S+\t", re.MULTILINE),
    re.compile(r"^FAIL\t\S+(?:\t| \[)", re.MULTILINE),
    re.compile(r"^--- FAIL: Benchmark(?![a-z])", re.MULTILINE),
    _STREAM,
)
# What these need, to look for which takes far less time.
_MARKS = (b"\nBenchmark", b"\nok  \t", b"\nFAIL\t", b"\n--- FAIL: Benchmark", b'\n{"')
_STAMPED_MARKS = (b"Benchmark", b"ok  \t", b"FAIL\t", b'{"')
_OUTCOME = re.compile(r"--- (FAIL|SKIP): (Benchmark(?![a-z])\S*)")
_FAILED = re.compile(r"FAIL\t(\S+)(?:[ \t]+(.*))?")
_TRACED = re.compile(r"\.(Benchmark(?![a-z])\w*)(?:\.func[\d.]+)?\(")
_KEY = re.compile(r"([^\W\d_A-Z][^\sA-Z:]*):(?:[ \t]+(.*))?")
_PROCS = re.compile(r"(.+)-(\d+)", re.DOTALL)
_UNIT = re.compile(r"Unit[ \t]+(\S+)((?:[ \t]+\S+)*)[ \t]*")

_METRIC = "ns/op"
_DIRECTIONS = {
    "ns/op": Direction.LOWER,
    "sec/op": Direction.LOWER,
    "B/op": Direction.LOWER,
    "allocs/op": Direction.LOWER,
    "MB/s": Direction.HIGHER,
    "B/s": Direction.HIGHER,
}
# A Unit line may name either, as the Go tools convert one to the other.
_SAME = {"ns/op": "sec/op", "sec/op": "ns/op", "MB/s": "B/s", "B/s": "MB/s"}
_BETTER = {"lower": Direction.LOWER, "higher": Direction.HIGHER}
_NOT_CONFIGURATION = ("panic", "fatal", "warning", "error")
_MOST_KEYS = 100
_MOST_REASON_LINES = 20


@dataclass(frozen=True, slots=True)
class Go:
    """Go benchmarks: text of ``go test -bench``, benchfmt files, and ``go test -json`` streams.

    The benchmark is the name without its ``k=v`` parts, which become labels, and without the
    number of threads at its end, which is the label ``gomaxprocs``; other parts of a sub-benchmark
    stay in the name. The project is the package (``pkg:``). Each unit is a metric of its own:
    ``ns/op``, ``B/op`` and ``allocs/op`` (lower is better), ``MB/s`` (higher), and those of
    ``ReportMetric``, whose direction only a line ``Unit widgets/s better=higher`` can tell. Lines
    of one name are the samples of one measurement (``-count``).

    Lines ``key: value`` are attributes of what follows; ``commit`` is the revision and
    ``commit-time`` its time. A stream of ``go test -json`` has the time at which a package's
    tests began. The machine is the key ``machine`` or ``host``, or else system and processor, and
    runs of different machines are different series.

    A benchmark that failed or panicked is a failure with its log; a skipped one is left out. Times
    that GitHub, GitLab, Jenkins or Buildkite put before the lines of a log are passed over.
    """

    name: ClassVar[str] = "go"
    title: ClassVar[str] = "Go: text of go test -bench (also with -json), and benchfmt files"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is a test2json stream, or a line is a result or the end of a package."""
        start = head(content)
        plain = without_stamps(start)
        if starts_as_json(content):
            return _STREAM.search(plain) is not None
        if any(line.search(plain) for line in _LINES):
            return True
        marks = _MARKS if plain == start else _STAMPED_MARKS
        if len(content.data) <= HEAD or not any(mark in content.data for mark in marks):
            return False
        text = without_stamps(content.data.decode(encoding(content.data), errors="replace"))
        return any(line.search(text) for line in _LINES)

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all results; lines that are broken are left out; raises `InputError` if none."""
        collector = Collector(content)
        text = log_text(content)
        directions: dict[str, Direction] = {}
        found: dict[_Identity, _Found] = {}
        for stream in _streams(collector, text, stream=bool(_STREAM.search(text))):
            _Reader(collector, content.name, directions, found, stream).read()
        for identity, results in found.items():
            _add(collector, content.name, identity, results, directions)
        return collector.parsed("no benchmark results in it (lines such as BenchmarkX 100 5 ns/op)")


@dataclass(frozen=True, slots=True)
class _Stream:
    """The output of one package, or a whole file of text: its lines with their numbers."""

    lines: list[tuple[int, str]]
    package: str = ""
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Identity:
    """What the lines of one measurement have in common."""

    key: SeriesKey
    revision: str
    landed: datetime | None
    machine: str
    run: str


@dataclass(slots=True)
class _Found:
    samples: list[float]
    attributes: Mapping[str, str]


def _add(
    collector: Collector,
    where: str,
    identity: _Identity,
    found: _Found,
    directions: dict[str, Direction],
) -> None:
    unit = identity.key.metric
    told = unit if unit in directions else _SAME.get(unit, unit)
    collector.add(
        Measurement(
            identity.key,
            identity.revision,
            identity.landed,
            tuple(found.samples),
            checked_unit(where, unit),
            directions[told] if told in directions else _DIRECTIONS.get(unit),
            identity.run,
            found.attributes,
        )
    )


def _streams(collector: Collector, text: str, *, stream: bool) -> Iterator[_Stream]:
    """The text itself, or the output of each package of a test2json stream."""
    if not stream:
        yield _Stream(list(enumerate(text.split("\n"), start=1)))
        return
    output: dict[str, list[tuple[int, str]]] = {}
    times: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        event = _event(collector, number, line)
        if event is None:
            continue
        package = text_of(event, "Package")
        times.setdefault(package, text_of(event, "Time"))
        words = event.get("Output")
        if event.get("Action") == "output" and isinstance(words, str):
            output.setdefault(package, []).append((number, words))
    for package, pieces in output.items():
        yield _Stream(_lines(pieces), package, _time(collector, times[package]))


def _event(collector: Collector, number: int, line: str) -> dict[str, Any] | None:
    try:
        event = decode_json(line.lstrip())[0] if line.lstrip().startswith("{") else None
    except ValueError as error:
        collector.skip(number, f"broken JSON: {error}")
        return None
    return event if isinstance(event, dict) else None


def _lines(pieces: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Whole lines of output that was cut into events anywhere, each with that of its start."""
    lines: list[tuple[int, str]] = []
    rest: list[str] = []
    begun = 0
    for number, piece in pieces:
        *ends, start = piece.split("\n")
        for end in ends:
            lines.append((begun or number, "".join([*rest, end])))
            rest, begun = [], 0
        if start:
            begun = begun or number
            rest.append(start)
    return [*lines, (begun, "".join(rest))] if rest else lines


def _time(collector: Collector, text: str) -> datetime | None:
    try:
        return parse_time(text) if text else None
    except (ValueError, OverflowError):
        collector.skip(None, f"{shown(text)} is not a time: what follows it has none")
        return None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the ``key: value`` lines so far say of the results that follow."""

    project: str = ""
    revision: str = ""
    landed: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Failed:
    """A benchmark that failed, and the lines that say why."""

    name: str
    reason: list[str]
    facts: _Facts


@dataclass(slots=True)
class _Reader:
    """Goes through the lines of one stream, and knows what went before."""

    collector: Collector
    where: str
    directions: dict[str, Direction]
    found: dict[_Identity, _Found]
    stream: _Stream
    configuration: dict[str, str] = field(default_factory=dict)
    facts: _Facts = field(default_factory=_Facts)
    pending: str = ""
    log: list[str] = field(default_factory=list)
    panic: str = ""
    failed: list[_Failed] = field(default_factory=list)
    procs: set[str] = field(default_factory=set)

    def read(self) -> None:
        self.facts = _Facts(landed=self.stream.started)
        if self.stream.package:
            self._configure("pkg", self.stream.package)
        for number, line in self.stream.lines:
            if written := line.rstrip():
                self._line(number, written)
        if self.panic:
            self._package_failed(self.stream.lines[-1][0], self.facts.project, "")
        for failed in self.failed:
            self._add_failure(failed)

    def _line(self, number: int, line: str) -> None:
        if line.startswith("Benchmark") and (match := _RESULT.fullmatch(line)):
            self._result(number, match[1], (match[2] or "").strip())
        elif line[:1] in (" ", "\t") or (self.pending and _VALUES.fullmatch(line)):
            values = _VALUES.fullmatch(line.strip()) if self.pending else None
            if values and self._values(number, self.pending, values[2]):
                self.pending = ""
            elif self.panic:
                self._trace(line)
            else:
                self._note(line.strip())
        elif line.startswith("Unit") and (match := _UNIT.fullmatch(line)):
            self._unit(number, match[1], match[2].split())
        elif match := _OUTCOME.match(line):
            self._outcome(number, match[1], match[2])
        elif line.startswith(("panic: ", "fatal error: ")) and not self.panic:
            self.panic = line
        elif match := _FAILED.fullmatch(line):
            self._package_failed(number, match[1], match[2] or "")
        elif self.panic:
            self._trace(line)
        elif (match := _KEY.fullmatch(line)) and match[1] not in _NOT_CONFIGURATION:
            self._configure(match[1], (match[2] or "").strip())

    def _note(self, line: str) -> None:
        if len(self.log) < _MOST_REASON_LINES:
            self.log.append(line)

    def _result(self, number: int, name: str, rest: str) -> None:
        """A line that starts with a benchmark's name: its values, if they are not yet to come."""
        self.log = []
        self.pending = name
        values = _VALUES.fullmatch(rest)
        if values and self._values(number, name, values[2]):
            self.pending = ""

    def _values(self, number: int, name: str, text: str) -> bool:
        """Keep the pairs of value and unit; whether they are some."""
        words = text.split()
        pairs = list(zip(words[::2], words[1::2], strict=False))
        numbers = [_number(value) for value, _ in pairs]
        if len(words) % 2 or None in numbers:
            if numbers[0] is None:
                return False
            self.collector.skip(number, f"{shown(name)}: no pairs of value and unit: {shown(text)}")
            return True
        for value, (_, unit) in zip(numbers, pairs, strict=True):
            if value is not None and math.isfinite(value):
                self._sample(name, unit, value)
            else:
                self.collector.skip(number, f"{shown(name)}: {shown(unit)} is not a finite number")
        return True

    def _sample(self, name: str, unit: str, value: float) -> None:
        benchmark, labels = _parts(name)
        self.procs.add(labels.get("gomaxprocs", ""))
        facts, began = self.facts, self.stream.started
        key = make_key(
            self.where, project=facts.project, benchmark=benchmark, metric=unit, labels=labels
        )
        run = f"{self.stream.package}/{began.isoformat()}/{name}" if began else ""
        machine = facts.attributes.get("machine", "")
        identity = _Identity(key, facts.revision, facts.landed, machine, run)
        found = self.found.setdefault(identity, _Found([], facts.attributes))
        found.samples.append(value)

    def _unit(self, number: int, unit: str, settings: list[str]) -> None:
        for setting in settings:
            name, _, value = setting.partition("=")
            if name != "better":
                continue
            if value not in _BETTER:
                self.collector.skip(number, f"Unit {shown(unit)}: better is lower or higher")
            elif self.directions.setdefault(unit, _BETTER[value]) is not _BETTER[value]:
                self.collector.skip(number, f"Unit {shown(unit)}: its better was told otherwise")

    def _outcome(self, number: int, outcome: str, name: str) -> None:
        # With -v the name and the log come first; otherwise the log follows.
        log = self.log if self.pending == name else []
        self.log, self.pending = log, ""
        if outcome == "SKIP":
            reason = f": {shown(log[0])}" if log else ""
            self.collector.skip(number, f"{shown(name)} was skipped{reason}")
        elif not any(f"{other.name}/".startswith(f"{name}/") for other in self.failed):
            self.failed.append(_Failed(name, log, self.facts))

    def _trace(self, line: str) -> None:
        """The rest of a panic: the first benchmark in it is the one that panicked."""
        match = _TRACED.search(line)
        if match and not self.pending:
            self.pending = match[1]

    def _package_failed(self, number: int, package: str, detail: str) -> None:
        if self.panic and self.pending:
            self.failed.append(_Failed(self.pending, [self.panic], self.facts))
        elif not self.failed or self.panic:
            reason = self.panic or detail or "no reason given"
            self.collector.skip(number, f"package {shown(package)} failed: {shown(reason)}")
        self.panic, self.pending, self.log = "", "", []

    def _configure(self, name: str, value: str) -> None:
        known = self.configuration
        if not value:
            known.pop(name, None)
        elif name in known or len(known) < _MOST_KEYS:
            known[name] = value
        revision, time = revision_of(known)
        landed = self.facts.landed
        if revision_of({name: value})[1]:
            landed = _time(self.collector, time) or landed
        self.facts = _Facts(known.get("pkg", ""), revision, landed, _attributes(known))

    def _add_failure(self, failed: _Failed) -> None:
        benchmark, labels = _parts(failed.name)
        if "gomaxprocs" not in labels and len(self.procs) == 1 and (procs := min(self.procs)):
            # A failure is written without the number that all results of its package have.
            labels["gomaxprocs"] = procs
        facts = failed.facts
        key = make_key(
            self.where, project=facts.project, benchmark=benchmark, metric=_METRIC, labels=labels
        )
        reason = shortened("; ".join(failed.reason) or "failed without a message")
        self.collector.failures.append(
            Failure(key, facts.revision, facts.landed, reason, self.where, facts.attributes)
        )


def _attributes(facts: Mapping[str, str]) -> dict[str, str]:
    machine = facts.get("machine") or facts.get("host") or facts.get("hostname") or ""
    system = "/".join(part for name in ("goos", "goarch") if (part := facts.get(name)))
    described = ", ".join(part for part in (system, facts.get("cpu", "")) if part)
    others = {
        name: shortened(value)
        for name, value in facts.items()
        if name not in ("pkg", "machine", "host", "hostname")
    }
    return {**others, **attributes_of(machine=machine or described)}


def _parts(name: str) -> tuple[str, dict[str, str]]:
    """The name without its parameters, and those as labels."""
    labels: dict[str, str] = {}
    match = _PROCS.fullmatch(name)
    if match:
        name = match[1]
        labels["gomaxprocs"] = match[2]
    first, *others = name.split("/")
    kept = [first]
    for part in others:
        parameter, equals, value = part.partition("=")
        if equals and parameter and parameter not in labels:
            labels[parameter] = value
        else:
            kept.append(part)
    return "/".join(kept), labels


def _number(text: str) -> float | None:
    # Not everything that float understands is a number to Go, such as 1_000.
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


__all__ = ["Go"]
