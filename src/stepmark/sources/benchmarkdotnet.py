# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JSON of BenchmarkDotNet (``JsonExporter``, ``--exporters json``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    parse_time,
    table_of,
    text_of,
)

_Labels: TypeAlias = tuple[tuple[str, str], ...]
_Identity: TypeAlias = tuple[str, _Labels]

METRIC = "time"
# The metric by which the full export repeats what every export tells of memory.
_ALLOCATED = "Allocated Memory"
_TITLE = re.compile(r".*-(\d{4})-?(\d\d)-?(\d\d)-(\d\d)-?(\d\d)-?(\d\d)", re.DOTALL)
_GENERATED = re.compile(r"Job-[A-Z]{6}\((.*)\)", re.DOTALL)
_PARAMETER = re.compile(r"[^\W\d]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class BenchmarkDotNet:
    """JSON of BenchmarkDotNet, brief or full: times, memory and other metrics of benchmarks.

    The benchmark is the full name without its parameters, which become labels, and so does the
    ``job`` unless it is the default one (without the name that is made up for it). Metrics are
    ``time`` in nanoseconds (lower is better), ``Allocated Memory`` in bytes per operation (lower),
    and of full exports those of diagnosers, by their identifiers, with the direction they state.
    Samples of the time are the results of its iterations, otherwise their mean.

    A benchmark without statistics is a failure. The time is the one in the title. The machine is
    the processor and the family of its operating system, as the name of the computer is not
    saved; runs of different machines are different series.
    """

    name: ClassVar[str] = "benchmarkdotnet"
    title: ClassVar[str] = "BenchmarkDotNet: JSON of JsonExporter (full, brief, compressed)"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with the host's environment and benchmarks."""
        return looks_like_json(content, b"HostEnvironmentInfo", b"Benchmarks")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all benchmarks; raises `InputError` if it is no export of BenchmarkDotNet."""
        document = load_json(content)
        benchmarks = document.get("Benchmarks") if isinstance(document, dict) else None
        if not isinstance(benchmarks, list):
            raise InputError(f"{content.name}: no export of BenchmarkDotNet: no Benchmarks list")
        collector = Collector(content)
        run = _run(content.name, document)
        named: dict[_Identity, set[str]] = {}
        for entry in benchmarks:
            if isinstance(entry, dict):
                named.setdefault(_identity(entry), set()).add(_full_name(entry))
        for place, entry in enumerate(benchmarks):
            if not isinstance(entry, dict) or not text_of(entry, "Method"):
                collector.skip(None, f"Benchmarks[{place}]: no Method")
                continue
            benchmark, labels = identity = _identity(entry)
            if len(named[identity]) > 1:
                # Long parameters are cut in all places but the full name.
                benchmark = _full_name(entry)
            _add(collector, run, f"Benchmarks[{place}]", _Benchmark(benchmark, labels, entry))
        return collector.parsed("no benchmarks in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all benchmarks of one file."""

    where: str
    title: str
    landed: datetime | None
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Benchmark:
    """One entry under the name and labels that it has."""

    name: str
    labels: _Labels
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Result:
    """One metric of one benchmark."""

    metric: str
    unit: str
    direction: Direction | None
    samples: tuple[float, ...]


def _run(where: str, document: Mapping[str, Any]) -> _Run:
    host = table_of(document, "HostEnvironmentInfo")
    title = text_of(document, "Title")
    match = _TITLE.fullmatch(title)
    landed = None
    if match:
        stamp = f"{match[1]}-{match[2]}-{match[3]} {match[4]}:{match[5]}:{match[6]}"
        try:
            landed = parse_time(stamp)
        except (ValueError, OverflowError):
            raise InputError(f"{where}: Title: {shown(stamp)} is not a time") from None
    # Before version 0.10 the processor's name was the value of an object.
    lazy = table_of(host, "ProcessorName")
    processor = text_of(lazy, "Value") or text_of(host, "ProcessorName")
    system = text_of(host, "OsVersion")
    family = re.split(r"[\d(]", system, maxsplit=1)[0].removeprefix("Microsoft ").strip()
    attributes = attributes_of(
        machine=", ".join(part for part in (processor, family.partition(" ")[0]) if part),
        cpu=processor,
        os=system,
        architecture=text_of(host, "Architecture"),
        runtime=text_of(host, "RuntimeVersion"),
        sdk=text_of(host, "DotNetCliVersion"),
        configuration=text_of(host, "Configuration"),
        benchmarkdotnet=text_of(host, "BenchmarkDotNetVersion"),
    )
    return _Run(where, title if landed else "", landed, attributes)


def _add(collector: Collector, run: _Run, place: str, benchmark: _Benchmark) -> None:
    entry = benchmark.entry
    title = text_of(entry, "MethodTitle").strip("'")
    described = attributes_of(title=title if title != text_of(entry, "Method") else "")
    attributes = {**run.attributes, **described}
    name = f"{_full_name(entry)}/{text_of(entry, 'DisplayInfo')}"
    for result in _results(collector, place, entry):
        key = make_key(
            run.where,
            benchmark=benchmark.name,
            metric=result.metric,
            labels=dict(benchmark.labels),
        )
        if not result.samples:
            reason = "no statistics: it did not finish"
            failure = Failure(key, "", run.landed, reason, run.where, attributes)
            collector.failures.append(failure)
            continue
        collector.add(
            Measurement(
                key,
                "",
                run.landed,
                result.samples,
                checked_unit(run.where, result.unit),
                result.direction,
                f"{run.title}/{name}" if run.title else "",
                attributes,
            )
        )


def _results(collector: Collector, place: str, entry: Mapping[str, Any]) -> Iterator[_Result]:
    statistics = table_of(entry, "Statistics")
    raw = statistics.get("OriginalValues")
    values = [finite(value) for value in raw] if isinstance(raw, list) else []
    samples = tuple(value for value in values if value is not None)
    mean = finite(statistics.get("Mean"))
    if len(samples) < len(values) or not samples:
        samples = () if mean is None else (mean,)
    yield _Result(METRIC, "ns", Direction.LOWER, samples)
    seen = {METRIC}
    allocated = finite(table_of(entry, "Memory").get("BytesAllocatedPerOperation"))
    if allocated is not None and samples:
        seen.add(_ALLOCATED)
        yield _Result(_ALLOCATED, "B", Direction.LOWER, (allocated,))
    metrics = entry.get("Metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        descriptor = table_of(metric, "Descriptor") if isinstance(metric, dict) else {}
        name = text_of(descriptor, "Id") or text_of(descriptor, "DisplayName")
        value = finite(metric["Value"]) if name and "Value" in metric else None
        if not name or value is None:
            collector.skip(None, f"{place}: a metric without a name or a finite value")
        elif name not in seen:
            seen.add(name)
            yield _Result(name, text_of(descriptor, "Unit"), _direction(descriptor), (value,))


def _direction(descriptor: Mapping[str, Any]) -> Direction | None:
    greater = descriptor.get("TheGreaterTheBetter")
    if not isinstance(greater, bool):
        return None
    return Direction.HIGHER if greater else Direction.LOWER


def _identity(entry: Mapping[str, Any]) -> _Identity:
    """The full name without its parameters, and those as labels; the job, if it is not default."""
    benchmark, written = _full_name(entry), text_of(entry, "Parameters")
    labels = _parameters(written)
    method = f".{text_of(entry, 'Method')}("
    if labels and benchmark.endswith(")") and method in benchmark:
        benchmark = benchmark[: benchmark.index(method) + len(method) - 1]
    job = _job(entry, parameters=bool(written))
    if job:
        labels["job" if "job" not in labels else "benchmarkdotnet.job"] = job
    return benchmark, tuple(labels.items())


def _full_name(entry: Mapping[str, Any]) -> str:
    parts = [text_of(entry, name) for name in ("Namespace", "Type", "Method")]
    return text_of(entry, "FullName") or ".".join(part for part in parts if part)


def _parameters(written: str) -> dict[str, str]:
    """The pairs in ``N=10&Text=a&b``; what follows an & without a name is the value's."""
    labels: dict[str, str] = {}
    last = ""
    for part in written.split("&") if written else []:
        name, equals, value = part.partition("=")
        if equals and _PARAMETER.fullmatch(name) and name not in labels:
            labels[name] = value
            last = name
        elif last:
            labels[last] += f"&{part}"
    return labels


def _job(entry: Mapping[str, Any], *, parameters: bool) -> str:
    """The job in ``Type.Method: Job [N=10]``."""
    shown_name = text_of(entry, "DisplayInfo")
    start = f"{text_of(entry, 'Type')}.{text_of(entry, 'MethodTitle')}: "
    job = shown_name.removeprefix(start)
    if job == shown_name:
        job = shown_name.partition(": ")[2]
    if parameters:
        job = job.partition(" [")[0]
    generated = _GENERATED.fullmatch(job)
    job = generated[1] if generated else job
    return "" if job == "DefaultJob" else job


__all__ = ["BenchmarkDotNet"]
