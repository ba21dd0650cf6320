# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JSON and CSV of Google Benchmark (``--benchmark_out``, ``--benchmark_format=json``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.commits import revision_of
from stepmark.sources.tables import records
from stepmark.sources.text import (
    decoded,
    head,
    load_json,
    looks_like_json,
    shown,
    starts_as_json,
)
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    parse_time,
    shortened,
    table_of,
    text_of,
)

_Row: TypeAlias = Mapping[str, Any]
_Placed: TypeAlias = tuple[int, _Row]

_TIMES = ("real_time", "cpu_time")
# What a row holds besides its times and counters.
_FIELDS = frozenset(
    {
        "name",
        "family_index",
        "per_family_instance_index",
        "run_name",
        "run_type",
        "repetitions",
        "repetition_index",
        "threads",
        "iterations",
        "time_unit",
        "label",
        "error_occurred",
        "error_message",
        "skipped",
        "skip_message",
        "aggregate_name",
        "aggregate_unit",
        "big_o",
        "rms",
        "cpu_coefficient",
        "real_coefficient",
    }
)
_UNITS = {
    "bytes_per_second": "B/s",
    "items_per_second": "items/s",
    "max_bytes_used": "B",
    "total_allocated_bytes": "B",
    "net_heap_growth": "B",
}
# Written for a memory manager; all other counters are the user's.
_MEMORY = ("allocs_per_iter", "max_bytes_used", "total_allocated_bytes", "net_heap_growth")
# The mean first: it is what the rows of the repetitions would have given.
_AGGREGATES = ("mean", "median")
# What the library adds to a name, after the arguments.
_OPTIONS = re.compile(r"(min_time|min_warmup_time|iterations|repeats|threads):([^/]+)")
_CLOCKS = ("process_time", "manual_time", "real_time")
_ARGUMENT = re.compile(r"(?:([^/:]+):)?(-?\d+)")
_AGGREGATE_NAME = re.compile(r"(.+)_(mean|median|stddev|cv|BigO|RMS)", re.DOTALL)
_FIRST_DATE = re.compile(r"(\d{4}/\d\d/\d\d)-(\d\d:\d\d:\d\d)")  # of version 1.0
_KNOWN_CONTEXT = frozenset(
    {
        "date",
        "host_name",
        "executable",
        "num_cpus",
        "mhz_per_cpu",
        "cpu_scaling_enabled",
        "caches",
        "load_avg",
        "library_version",
        "library_build_type",
        "json_schema_version",
        "aslr_enabled",
    }
)
_MOST_FACTS = 100
_TABLE = re.compile(r"^name,iterations,real_time,cpu_time,time_unit\b", re.MULTILINE)
_FACT = re.compile(r"([^\s:]+): (.*)|(Running) (.*)|(?P<date>\d{4}-\d\d-\d\d[T ]\S+)")
_TEXTS = ("name", "time_unit", "label", "error_message")


@dataclass(frozen=True, slots=True)
class GoogleBenchmark:
    """JSON of Google Benchmark, or its CSV: times, rates and counters of each benchmark.

    The benchmark is the function's part of the run name. Its arguments become labels, by their
    names or as ``arg0``, ``arg1``, ..., and so do the options that the library adds to the name:
    ``threads``, ``iterations``, ``repeats``, ``min_time``, and as ``time_type`` what kind of time
    is measured. Metrics are ``real_time`` and ``cpu_time`` in the row's time unit (lower is
    better), ``bytes_per_second`` and ``items_per_second`` (higher is better), results of a memory
    manager (lower), and the user's counters, of which neither unit nor direction are known unless
    the name ends in ``_per_second`` (higher).

    Samples are the repetitions. Aggregates are read only where there are no repetitions: the
    mean, or else the median. ``BigO`` and ``RMS`` rows are left out. A benchmark with an error is
    a failure, a skipped one is left out with its message.

    The time is the context's date, the machine its host name. What ``--benchmark_context`` adds
    becomes attributes; ``commit`` (or ``revision``, ``git_sha`` and the like) is the revision, and
    ``commit_time`` goes before the date. Runs of different machines are different series.
    """

    name: ClassVar[str] = "googlebenchmark"
    title: ClassVar[str] = "Google Benchmark: JSON (or CSV) of --benchmark_out or _format"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with a context and benchmarks of a CPU time, or such a table."""
        if not starts_as_json(content):
            return _TABLE.search(head(content)) is not None
        return looks_like_json(content, b"context", b"benchmarks", b"name") and (
            looks_like_json(content, b"cpu_time") or looks_like_json(content, b"run_type")
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all rows of a run; raises `InputError` if it is no output of Google Benchmark."""
        document = load_json(content) if starts_as_json(content) else _table(content)
        rows = document.get("benchmarks") if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise InputError(f"{content.name}: no output of Google Benchmark: no benchmarks list")
        collector = Collector(content)
        run = _run(collector, content.name, table_of(document, "context"))
        for name, group in _groups(collector, rows).items():
            _add_group(collector, run, name, group)
        return collector.parsed("no benchmarks in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all rows of one file."""

    where: str
    name: str
    revision: str
    landed: datetime | None
    attributes: Mapping[str, str]


def _table(content: Content) -> dict[str, Any]:
    """What the CSV of ``--benchmark_format=csv`` says, in the form of the JSON.

    In a file of ``--benchmark_out`` lines on the context come before the table.
    """
    text = decoded(content)
    match = _TABLE.search(text)
    if match is None:
        raise InputError(f"{content.name}: no output of Google Benchmark: no JSON and no table")
    context: dict[str, str] = {}
    for line in text[: match.start()].splitlines():
        fact = _FACT.fullmatch(line)
        if fact and fact["date"]:
            context["date"] = line
        elif fact:
            context["executable" if fact[3] else fact[1]] = fact[4] or fact[2]
    table = records(content.name, text[match.start() :])
    return {"context": context, "benchmarks": [_row(cells) for _, cells in table]}


def _row(cells: Mapping[str, str]) -> _Row:
    """A row of the table as it is in the JSON; what is fitted has no iterations."""
    if cells.get("error_occurred") == "true":
        return {"name": cells.get("name"), **cells, "error_occurred": True}
    row: dict[str, Any] = {name: cells[name] for name in _TEXTS if name in cells}
    if "iterations" not in cells:
        return {**row, "run_type": "aggregate"}
    for name in cells.keys() - row.keys():
        try:
            row[name] = float(cells[name])
        except ValueError:
            row[name] = cells[name]
    return {name: row[name] for name in cells}


def _run(collector: Collector, where: str, context: _Row) -> _Run:
    own = {
        name: text_of(context, name)
        for name in [key for key in context if key not in _KNOWN_CONTEXT][:_MOST_FACTS]
    }
    revision, landed = revision_of(own)
    host, date = text_of(context, "host_name"), text_of(context, "date")
    executable = text_of(context, "executable")
    attributes = attributes_of(
        machine=host,
        executable=executable,
        cpus=text_of(context, "num_cpus"),
        mhz_per_cpu=text_of(context, "mhz_per_cpu"),
        build_type=text_of(context, "library_build_type"),
        library_version=text_of(context, "library_version"),
        cpu_scaling="enabled" if context.get("cpu_scaling_enabled") is True else "",
    )
    facts = {name: shortened(text) for name, text in own.items() if text}
    return _Run(
        where,
        f"{host}/{executable}/{date}/{revision}" if date else "",
        revision,
        _time(collector, landed or date),
        {**facts, **attributes},
    )


def _time(collector: Collector, text: str) -> datetime | None:
    try:
        return parse_time(_FIRST_DATE.sub(r"\1 \2", text)) if text else None
    except (ValueError, OverflowError):
        collector.skip(None, f"context: {shown(text)} is not a time: the run has none")
        return None


def _groups(collector: Collector, rows: Sequence[Any]) -> dict[str, list[_Placed]]:
    """The rows of each run name, in the order of the file."""
    names = {text_of(row, "name") for row in rows if isinstance(row, dict)}
    groups: dict[str, list[_Placed]] = {}
    for place, row in enumerate(rows):
        if not isinstance(row, dict) or not text_of(row, "name"):
            collector.skip(None, f"benchmarks[{place}]: no name")
            continue
        run_name, told = _named(row, names)
        groups.setdefault(run_name, []).append((place, told))
    return groups


def _named(row: _Row, names: set[str]) -> tuple[str, _Row]:
    """Run name and row; before version 1.5 only their names tell aggregates."""
    name = text_of(row, "name")
    if "run_type" in row:
        return text_of(row, "run_name") or name, row
    match = _AGGREGATE_NAME.fullmatch(name)
    if match is None:
        return name, row
    siblings = {f"{match[1]}_mean", f"{match[1]}_stddev"}
    if match[1] in names or siblings <= names or "real_time" not in row:
        return match[1], {**row, "run_type": "aggregate", "aggregate_name": match[2]}
    return name, row


def _add_group(collector: Collector, run: _Run, name: str, group: list[_Placed]) -> None:
    repetitions = [(p, row) for p, row in group if row.get("run_type") != "aggregate"]
    chosen: list[_Placed] = []
    errors: list[str] = []
    for place, row in repetitions:
        if row.get("error_occurred") is True:
            errors.append(text_of(row, "error_message") or "an error without a message")
        elif row.get("skipped") is True:
            message = text_of(row, "skip_message")
            collector.skip(
                None, f"benchmarks[{place}]: {shown(name)} was skipped: {shown(message)}"
            )
        else:
            chosen.append((place, row))
    note = ""
    if not repetitions:
        chosen, note = _aggregate(group)
    if chosen:
        _add_rows(collector, run, name, chosen, note)
        if errors:
            collector.skip(
                None, f"{shown(name)}: {len(errors)} repetition(s) failed: {shown(errors[0])}"
            )
    elif errors:
        benchmark, labels = _identity(name)
        key = make_key(run.where, benchmark=benchmark, metric=_TIMES[0], labels=labels)
        reason = shortened(errors[0])
        failure = Failure(key, run.revision, run.landed, reason, run.where, run.attributes)
        collector.failures.append(failure)


def _aggregate(group: list[_Placed]) -> tuple[list[_Placed], str]:
    """The one aggregate that stands for all repetitions, and what it is."""
    for wanted in _AGGREGATES:
        for place, row in group:
            if row.get("aggregate_name") == wanted and "real_time" in row:
                repetitions = text_of(row, "repetitions") or text_of(row, "iterations")
                return [(place, row)], f"{wanted} of {repetitions} repetitions"
    return [], ""


def _add_rows(collector: Collector, run: _Run, name: str, rows: list[_Placed], note: str) -> None:
    benchmark, labels = _identity(name)
    attributes = {
        **run.attributes,
        **attributes_of(label=text_of(rows[0][1], "label"), aggregate=note),
    }
    metrics = [*_TIMES, *dict.fromkeys(key for _, row in rows for key in _counters(row))]
    for metric in metrics:
        key = make_key(run.where, benchmark=benchmark, metric=metric, labels=labels)
        samples = _samples(collector, rows, metric)
        if samples:
            unit, direction = _unit_and_direction(metric, rows[0][1])
            collector.add(
                Measurement(
                    key,
                    run.revision,
                    run.landed,
                    samples,
                    checked_unit(run.where, unit),
                    direction,
                    f"{run.name}/{name}" if run.name else "",
                    attributes,
                )
            )
        elif metric == _TIMES[0]:
            reason = "no finite real_time"
            failure = Failure(key, run.revision, run.landed, reason, run.where, attributes)
            collector.failures.append(failure)


def _samples(collector: Collector, rows: list[_Placed], metric: str) -> tuple[float, ...]:
    samples = []
    for place, row in rows:
        number = finite(row.get(metric))
        if number is not None:
            samples.append(number)
        elif metric in row:
            collector.skip(None, f"benchmarks[{place}]: {shown(metric)} is not a finite number")
    return tuple(samples)


def _counters(row: _Row) -> list[str]:
    return [
        key
        for key, value in row.items()
        if key not in _FIELDS
        and key not in _TIMES
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    ]


def _unit_and_direction(metric: str, row: _Row) -> tuple[str, Direction | None]:
    if metric in _TIMES:
        return text_of(row, "time_unit") or "ns", Direction.LOWER
    unit = _UNITS.get(metric, "")
    if metric.endswith("_per_second"):
        return unit, Direction.HIGHER
    return unit, Direction.LOWER if metric in _MEMORY else None


def _identity(name: str) -> tuple[str, dict[str, str]]:
    """The function's part of a run name, and arguments and options as labels.

    A name is ``function/arguments/options``; function names may hold slashes, so that it is read
    from its end.
    """
    parts = name.split("/")
    labels: dict[str, str] = {}
    clocks: list[str] = []
    while len(parts) > 1:
        option = _OPTIONS.fullmatch(parts[-1])
        if parts[-1] in _CLOCKS and parts[-1] not in clocks:
            clocks.insert(0, parts[-1])
        elif option and option[1] not in labels:
            labels[option[1]] = option[2]
        else:
            break
        parts.pop()
    if clocks:
        labels["time_type"] = "/".join(clocks)
    arguments: list[tuple[str, str]] = []
    while len(parts) > 1 and (match := _ARGUMENT.fullmatch(parts[-1])):
        if match[1] and (match[1] in labels or match[1] in dict(arguments)):
            break
        arguments.insert(0, (match[1] or "", match[2]))
        parts.pop()
    for place, (argument, value) in enumerate(arguments):
        labels[argument or f"arg{place}"] = value
    return "/".join(parts), labels


__all__ = ["GoogleBenchmark"]
