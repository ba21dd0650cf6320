# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Histories that github-action-benchmark keeps, and the lists that are given to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.tables import to_number
from stepmark.sources.text import HEAD, encoding, head, load_json, looks_like_json
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    parse_time,
    repository_of,
    table_of,
    text_of,
)

_SCRIPT = re.compile(rb"\s*window\.BENCHMARK_DATA\s*=")
_LIST = re.compile(r'\s*+\[\s*+\{\s*+"(?:name|unit|value|range|extra)"\s*+:')
_TOOLS = {
    "cargo": Direction.LOWER,
    "go": Direction.LOWER,
    "benchmarkjs": Direction.HIGHER,
    "benchmarkluau": Direction.LOWER,
    "pytest": Direction.HIGHER,
    "googlecpp": Direction.LOWER,
    "catch2": Direction.LOWER,
    "julia": Direction.LOWER,
    "jmh": Direction.LOWER,
    "benchmarkdotnet": Direction.LOWER,
    "customBiggerIsBetter": Direction.HIGHER,
    "customSmallerIsBetter": Direction.LOWER,
}
# Of these the action has one direction a tool, though they also measure amounts per time.
_MIXED = frozenset({"cargo", "go", "jmh"})
_RATE = re.compile(r".+/(s|sec|ms|us|ns|min|hr|day)")
_METRIC = re.compile(r"(.+) - (\S+)")
_PARAMETERS = re.compile(r"(.+?) \( (\{.*\}) \)")
_AGGREGATE = re.compile(r"(.+)_(mean|median|stddev|cv)")
# Kind and size of the units that are converted into each other: whole numbers, so that it is exact.
_SCALES = {
    kind.format(part): (kind, 10 ** (power if kind == "ops/{}" else 9 - power))
    for part, power in (("s", 0), ("ms", 3), ("us", 6), ("ns", 9))
    for kind in ("{}", "{}/iter", "{}/op", "ops/{}")
}


@dataclass(frozen=True, slots=True)
class GitHubActionBenchmark:
    """The ``data.js`` of github-action-benchmark with its whole history, or a list of results.

    Of ``data.js`` (or the same as plain JSON) the project is the repository, the benchmark a
    result's ``name``, the suite a label and the metric ``value``; the revision is the commit, its
    time the commit's, and message, author, address, tool, ``range`` and ``extra`` are attributes.
    Results of one name in one run are its repetitions. Parameters in a name as pytest and JMH
    write them are labels, and of Go's several numbers each is a metric. Deviations that Google
    Benchmark writes as if they were results are left out, its means too where the results are
    there.

    The direction is that of the run's tool, as the action has it, except where a unit of cargo,
    Go or JMH says amounts per time (``ops/s``), which the action takes for times. Where a time's
    unit changes within a history (``ns``, then ``us``), values are converted to the first; a
    change to any other unit or direction begins another series, with the label ``unit`` or
    ``tool``.

    A list ``[{name, unit, value, range, extra}]``, as it is given to the action, has neither
    commit, time nor direction.
    """

    name: ClassVar[str] = "github-action-benchmark"
    title: ClassVar[str] = "github-action-benchmark: data.js, or its list of results"

    def recognises(self, content: Content) -> bool:
        """Whether it assigns BENCHMARK_DATA, is the same as JSON, or a list of results."""
        if _SCRIPT.match(content.data[:HEAD].removeprefix(b"\xef\xbb\xbf")):
            return True
        if looks_like_json(content, b"lastUpdate", b"repoUrl", b"entries"):
            return True
        return bool(_LIST.match(head(content))) and looks_like_json(
            content, b"name", b"unit", b"value"
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all runs; raises `InputError` if it is neither a history nor a list of results."""
        document = load_json(_without_script(content))
        collector = Collector(content)
        if isinstance(document, list):
            run = _Run("", None, "", None, "", "", {})
            _add_all(collector, _Variants(), content.name, run, document)
            return collector.parsed("no results in it")
        entries = document.get("entries") if isinstance(document, dict) else None
        if not isinstance(entries, dict):
            raise InputError(f"{content.name}: no history of github-action-benchmark: no entries")
        project = repository_of(text_of(document, "repoUrl"))
        for suite, runs in entries.items():
            variants = _Variants()
            for place, entry in enumerate(runs if isinstance(runs, list) else []):
                where = f"{content.name}: entries[{suite[:60]!r}][{place}]"
                if not isinstance(entry, dict) or not isinstance(entry.get("benches"), list):
                    collector.skip(None, f"{where.partition(': ')[2]}: no benches")
                    continue
                run = _run(project, suite, entry)
                _add_all(collector, variants, where, run, entry["benches"])
        return collector.parsed("no runs in it")


def _without_script(content: Content) -> Content:
    """The JSON in a data.js; what is around it becomes blank, so that lines stay what they are."""
    data = content.data
    if encoding(data) == "utf-16":
        return content
    data = data.removeprefix(b"\xef\xbb\xbf")
    match = _SCRIPT.match(data)
    if match is None:
        return content
    lines = match[0].count(b"\n")
    return replace(content, data=b"\n" * lines + data[match.end() :].rstrip().removesuffix(b";"))


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all results of one run; the tool is empty in a bare list."""

    project: str
    suite: str | None
    revision: str
    landed: datetime | None
    name: str
    tool: str
    attributes: Mapping[str, str]


def _run(project: str, suite: str, entry: Mapping[str, Any]) -> _Run:
    commit = table_of(entry, "commit")
    revision, date, tool = text_of(commit, "id"), text_of(entry, "date"), text_of(entry, "tool")
    return _Run(
        project,
        suite,
        revision,
        _time(text_of(commit, "timestamp")) or _time(date),
        f"{revision}@{date}" if date else "",
        tool,
        attributes_of(
            message=text_of(commit, "message").partition("\n")[0],
            author=text_of(table_of(commit, "author"), "name"),
            url=text_of(commit, "url"),
            branch=text_of(commit, "branch"),
            tool=tool,
        ),
    )


def _time(text: str) -> datetime | None:
    """The time; None where what the event said of the commit is none."""
    try:
        return parse_time(text) if text else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class _Result:
    """One number of one run."""

    benchmark: str
    metric: str
    unit: str
    value: float | None
    labels: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


def _add_all(
    collector: Collector, variants: _Variants, where: str, run: _Run, benches: Sequence[Any]
) -> None:
    named = [bench for bench in benches if isinstance(bench, dict) and text_of(bench, "name")]
    if len(named) < len(benches):
        place = where.partition(": ")[2]
        reason = f"{len(benches) - len(named)} result(s) without a name"
        collector.skip(None, f"{place}: {reason}" if place else reason)
    repeated: dict[object, Measurement] = {}
    for result in _results(run.tool, named):
        made = variants.measurement(where, run, result)
        if isinstance(made, Failure):
            collector.failures.append(made)
            continue
        earlier = repeated.get(made.key)
        samples = earlier.samples if earlier is not None else ()
        repeated[made.key] = replace(made, samples=(*samples, *made.samples))
    for made in repeated.values():
        collector.add(made)


def _results(tool: str, benches: Iterable[Mapping[str, Any]]) -> Iterator[_Result]:
    """The results of a run, without those that only summarise or repeat others."""
    names = {text_of(bench, "name") for bench in benches}
    for bench in benches:
        name, unit = text_of(bench, "name"), text_of(bench, "unit")
        made = _Result(
            name,
            "value",
            unit,
            _value(bench.get("value")),
            attributes=attributes_of(
                range=text_of(bench, "range"), extra=text_of(bench, "extra").replace("\n", ", ")
            ),
        )
        if tool == "go":
            yield from _of_go(made, names)
        elif tool == "googlecpp" and _is_summary(name, names):
            continue
        elif tool == "jmh" and (match := _PARAMETERS.fullmatch(name)):
            yield replace(made, benchmark=match[1], labels=_parameters(match[2]))
        elif tool == "pytest" and name.endswith("]") and "[" in name:
            benchmark, _, parameter = name[:-1].partition("[")
            yield replace(made, benchmark=benchmark, labels={"param": parameter})
        else:
            yield made


def _value(value: Any) -> float | None:
    """A number, also as a text, which custom lists hold as well."""
    if not isinstance(value, str):
        return finite(value)
    try:
        return to_number(value)
    except ValueError:
        return None


def _of_go(made: _Result, names: set[str]) -> Iterator[_Result]:
    """One result a unit: of a line with three numbers, the unit holds the other two as well."""
    match = _METRIC.fullmatch(made.benchmark)
    if match is not None and match[2] == made.unit:
        yield replace(made, benchmark=match[1], metric=made.unit)
        return
    first, *others = (part.strip() for part in made.unit.split("\t"))
    if f"{made.benchmark} - {first}" in names:
        return  # the same numbers follow one by one
    yield replace(made, metric=first or "value", unit=first)
    for other in others:
        number, _, unit = other.partition(" ")
        if unit:
            yield replace(made, metric=unit.strip(), unit=unit.strip(), value=_value(number))


def _is_summary(name: str, names: set[str]) -> bool:
    match = _AGGREGATE.fullmatch(name)
    if match is None or not {f"{match[1]}_mean", f"{match[1]}_stddev"} <= names:
        return False
    return match[2] in ("stddev", "cv") or match[1] in names


def _parameters(text: str) -> dict[str, str]:
    import json

    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError):
        return {"params": text}
    return {name: text_of(parameters, name) for name in parameters}


class _Variants:
    """Units and directions of one suite's results: those that a name had first, and others."""

    def __init__(self) -> None:
        self._first: dict[object, tuple[str, Direction | None]] = {}

    def measurement(self, where: str, run: _Run, result: _Result) -> Measurement | Failure:
        """A measurement in the unit that its name had first, with labels if that cannot be."""
        unit = checked_unit(where, result.unit.replace("µ", "u").replace("μ", "u"))
        direction = _direction(run.tool, unit)
        identity = (result.benchmark, result.metric, tuple(sorted(result.labels.items())))
        first_unit, first_direction = self._first.setdefault(identity, (unit, direction))
        labels = dict(result.labels)
        if run.suite is not None:
            labels["suite"] = run.suite
        value, scales = result.value, _scales(unit, first_unit)
        if scales is None:
            labels["unit"] = unit
        else:
            value = None if value is None else value * scales[0] / scales[1]
            unit = first_unit
            if {direction, first_direction} == {Direction.LOWER, Direction.HIGHER}:
                labels["tool"] = run.tool
        key = make_key(
            where,
            project=run.project,
            benchmark=result.benchmark,
            metric=result.metric,
            labels=labels,
        )
        attributes = {**run.attributes, **result.attributes}
        if value is None:
            reason = "no finite value"
            return Failure(key, run.revision, run.landed, reason, where, attributes)
        return Measurement(
            key, run.revision, run.landed, (value,), unit, direction, run.name, attributes
        )


def _direction(tool: str, unit: str) -> Direction | None:
    if tool in _MIXED and _RATE.fullmatch(unit):
        return Direction.HIGHER
    return _TOOLS.get(tool)


def _scales(unit: str, first: str) -> tuple[int, int] | None:
    """What a value in *unit* is to be multiplied with and divided by to be one in *first*."""
    if unit == first:
        return 1, 1
    kind, scale = _SCALES.get(unit.lower(), ("", 1))
    first_kind, first_scale = _SCALES.get(first.lower(), ("", 1))
    return (scale, first_scale) if kind and kind == first_kind else None
