# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JSON and CSV of hyperfine (``--export-json``, ``--export-csv``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.tables import named_columns, records, to_number
from stepmark.sources.text import decoded, load_json, looks_like_json, shown, starts_as_json
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    parse_time,
    table_of,
    text_of,
)

METRIC = "time"
# Version 2 has other names for what version 1 measured.
_SINCE_2 = {
    "time_wall_clock": METRIC,
    "time_user": "user",
    "time_system": "system",
    "memory_peak_resident": "memory",
}
_UNITS = {"second": "s", "byte": "B"}
_COLUMNS = ["command", "mean", "stddev", "median", "user", "system"]
_PARAMETER = "parameter_"
_LOWER = (METRIC, "user", "system", "time_cpu", "memory")


@dataclass(frozen=True, slots=True)
class Hyperfine:
    """JSON of hyperfine, of version 1 and of version 2: times and memory of commands.

    The benchmark is the command, or the name it was given; parameters become labels, and so do
    environment variables set for it, as ``env.NAME``. Metrics are ``time`` (wall clock), ``user``
    and ``system`` in seconds and ``memory`` (peak) in bytes, all lower is better; version 2 adds
    ``time_cpu`` and, where they were counted, events of the processor, whose direction is unknown.
    Samples are the runs; version 1 tells of ``user`` and ``system`` only the mean, and a file of
    ``--export-csv`` of all metrics.

    A run with an exit code other than 0 (``--ignore-failure``) is left out; a command of which
    every run ended so is a failure. Version 2 tells when it started, which is the time; version 1
    does not, so that its files are in the order in which they are named.
    """

    name: ClassVar[str] = "hyperfine"
    title: ClassVar[str] = (
        "hyperfine: JSON of --export-json (versions 1 and 2), CSV of --export-csv"
    )

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with results of commands, or the table of them."""
        if named_columns(content)[: len(_COLUMNS)] == _COLUMNS:
            return True
        return looks_like_json(content, b"results", b"command") and (
            looks_like_json(content, b"median", b"user")
            or looks_like_json(content, b"hyperfine_version")
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all commands; raises `InputError` if it is no export of hyperfine."""
        document = load_json(content) if starts_as_json(content) else _table(content)
        results = document.get("results") if isinstance(document, dict) else None
        if not isinstance(results, list):
            raise InputError(f"{content.name}: no export of hyperfine: no results list")
        collector = Collector(content)
        run = _run(content.name, document)
        for place, result in enumerate(results):
            if isinstance(result, dict) and text_of(result, "command"):
                _add(collector, run, f"results[{place}]", result)
            else:
                collector.skip(None, f"results[{place}]: no command")
        return collector.parsed("no results in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all commands of one file."""

    where: str
    started: str
    landed: datetime | None
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Metric:
    """All that was measured of one kind for one command; None is a run without a number."""

    name: str
    unit: str
    values: Sequence[float | None]


def _table(content: Content) -> dict[str, Any]:
    """What the CSV of ``--export-csv`` says, in the form of the JSON."""
    results = []
    for line, cells in records(content.name, decoded(content)):
        result: dict[str, Any] = {"command": cells.get("command", "")}
        result["parameters"] = {
            name.removeprefix(_PARAMETER): text
            for name, text in cells.items()
            if name.startswith(_PARAMETER)
        }
        for name in cells.keys() & {"mean", "user", "system"}:
            try:
                result[name] = to_number(cells[name])
            except ValueError as error:
                raise InputError(f"{content.name}:{line}: {name}: {error}") from None
        results.append(result)
    return {"results": results}


def _run(where: str, document: Mapping[str, Any]) -> _Run:
    metadata = table_of(document, "metadata")
    platform = table_of(metadata, "platform")
    started = text_of(metadata, "start_time")
    try:
        landed = parse_time(started) if started else None
    except (ValueError, OverflowError):
        raise InputError(f"{where}: metadata.start_time: {shown(started)} is not a time") from None
    attributes = attributes_of(
        hyperfine=text_of(metadata, "hyperfine_version"),
        os=text_of(platform, "os"),
        architecture=text_of(platform, "architecture"),
    )
    return _Run(where, started, landed, attributes)


def _add(collector: Collector, run: _Run, place: str, result: Mapping[str, Any]) -> None:
    command = text_of(result, "command")
    benchmark, labels = text_of(result, "name") or command, _labels(result)
    attributes = {
        **run.attributes,
        **attributes_of(command=command if benchmark != command else ""),
    }
    codes = _exit_codes(result)
    bad = [code for code in codes if code not in (0, None)]
    if codes and len(bad) == len(codes):
        endings = ", ".join(dict.fromkeys(map(str, bad)))
        _fail(collector, run, benchmark, labels, f"every run failed: exit code {endings}")
        return
    if bad:
        collector.skip(None, f"{place}: {shown(command)}: {len(bad)} of {len(codes)} runs failed")
    good = [code in (0, None) for code in codes]
    for metric in _metrics(result, of_all=not bad):
        kept = metric.values
        if good and len(good) == len(kept):
            kept = [value for value, right in zip(kept, good, strict=True) if right]
        samples = tuple(value for value in kept if value is not None)
        if len(samples) < len(kept) or not samples:
            if metric.name == METRIC:
                _fail(collector, run, benchmark, labels, "no finite time")
            else:
                collector.skip(None, f"{place}: {shown(metric.name)} is not a finite number")
            continue
        key = make_key(run.where, benchmark=benchmark, metric=metric.name, labels=labels)
        unit = checked_unit(run.where, metric.unit)
        direction = Direction.LOWER if metric.name in _LOWER else None
        name = f"{run.started}/{benchmark}/{place}" if run.started else ""
        collector.add(Measurement(key, "", run.landed, samples, unit, direction, name, attributes))


def _fail(
    collector: Collector, run: _Run, benchmark: str, labels: Mapping[str, str], reason: str
) -> None:
    key = make_key(run.where, benchmark=benchmark, metric=METRIC, labels=labels)
    collector.failures.append(Failure(key, "", run.landed, reason, run.where, run.attributes))


def _labels(result: Mapping[str, Any]) -> dict[str, str]:
    """Parameters (before 1.11 the value of only one, without its name) and environment."""
    parameters = table_of(result, "parameters")
    labels = {}
    for name in parameters:
        value = parameters[name]
        labels[name] = text_of(value if isinstance(value, dict) else {"value": value}, "value")
    if "parameter" in result and not parameters:
        labels["parameter"] = text_of(result, "parameter")
    environment = table_of(result, "environment")
    return {**labels, **{f"env.{name}": text_of(environment, name) for name in environment}}


def _exit_codes(result: Mapping[str, Any]) -> list[Any]:
    codes = result.get("exit_codes")
    if isinstance(codes, list):
        return codes
    return [one.get("exit_code") for one in _measurements(result)]


def _measurements(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = result.get("measurements")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _metrics(result: Mapping[str, Any], *, of_all: bool) -> Iterator[_Metric]:
    """What was measured, the time first; means over all runs only if *of_all* of them count."""
    measurements = _measurements(result)
    if measurements:
        names = dict.fromkeys(name for one in measurements for name in one)
        for name in sorted(names, key=lambda name: name != "time_wall_clock"):
            tables = [table_of(one, name) for one in measurements]
            if any("value" in table for table in tables):
                unit = next(filter(None, (text_of(table, "unit") for table in tables)), "")
                values = [finite(table.get("value")) for table in tables]
                yield _Metric(_SINCE_2.get(name, name), _UNITS.get(unit, unit), values)
        return
    times = result.get("times")
    if isinstance(times, list) and times:
        yield _Metric(METRIC, "s", [finite(value) for value in times])
    elif of_all:
        yield _Metric(METRIC, "s", [finite(result.get("mean"))])
    if of_all:
        for name in ("user", "system"):
            if name in result:
                yield _Metric(name, "s", [finite(result[name])])
    memory = result.get("memory_usage_byte")
    if isinstance(memory, list) and memory:
        yield _Metric("memory", "B", [finite(value) for value in memory])


__all__ = ["Hyperfine"]
