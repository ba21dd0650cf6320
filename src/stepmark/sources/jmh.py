# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JSON and CSV of the Java Microbenchmark Harness (``-rf json``, ``-rf csv``)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement, SeriesKey
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.tables import named_columns, records, to_number
from stepmark.sources.text import decoded, load_json, looks_like_json, shown, starts_as_json
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    table_of,
    text_of,
)

METRIC = "score"
_COLUMNS = ["Benchmark", "Mode", "Threads", "Samples", "Score"]
_PARAMETER = "Param: "
_MOST_CALLS = 1 << 63
_TIME_MODES = ("avgt", "sample", "ss")


@dataclass(frozen=True, slots=True)
class JMH:
    """JSON of JMH (also of kotlinx-benchmark): the scores of each benchmark's iterations.

    The benchmark is the method's full name. Parameters become labels, and so do ``mode`` and
    ``threads`` (as ``jmh.mode`` and ``jmh.threads`` where a parameter has that name). Metrics are
    ``score`` and the secondary ones by their names, without the dot or plus sign that older
    versions put before those of profilers. In units ``ops/...`` higher is better, in ``.../op``
    lower; of a score in another unit the mode tells, of other metrics the direction is unknown.

    Samples are the measured iterations of all forks, of the mode ``sample`` the mean of each;
    the score itself if no iterations were saved, as in CSV. Java version and virtual machine are
    attributes. There is no time and no revision in these files: they are in the order in which they
    are named.
    """

    name: ClassVar[str] = "jmh"
    title: ClassVar[str] = "JMH: JSON of -rf json (also of kotlinx-benchmark), CSV of -rf csv"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with benchmarks that have a primary metric, or the table of them."""
        if named_columns(content)[: len(_COLUMNS)] == _COLUMNS:
            return True
        return looks_like_json(content, b"benchmark", b"primaryMetric", b"score")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all benchmarks; raises `InputError` if it is no result of JMH."""
        collector = Collector(content)
        document = load_json(content) if starts_as_json(content) else _table(collector, content)
        if not isinstance(document, list):
            raise InputError(f"{content.name}: no result of JMH: not a list of benchmarks")
        found: dict[SeriesKey, _Found] = {}
        for place, entry in enumerate(document):
            if not isinstance(entry, dict) or not text_of(entry, "benchmark"):
                collector.skip(None, f"[{place}]: no benchmark")
            elif not table_of(entry, "primaryMetric"):
                collector.skip(None, f"[{place}]: {shown(text_of(entry, 'benchmark'))}: no score")
            else:
                _read(collector, content.name, found, entry)
        for key, results in found.items():
            if results.samples:
                collector.add(
                    Measurement(
                        key,
                        "",
                        None,
                        tuple(results.samples),
                        results.unit,
                        results.direction,
                        "",
                        results.attributes,
                    )
                )
        return collector.parsed("no benchmarks in it")


def _table(collector: Collector, content: Content) -> list[dict[str, Any]]:
    """What the CSV of ``-rf csv`` says, in the form of the JSON."""
    entries: dict[object, dict[str, Any]] = {}
    for line, cells in records(content.name, decoded(content)):
        benchmark, _, metric = cells.get("Benchmark", "").partition(":")
        params = {
            name.removeprefix(_PARAMETER): text
            for name, text in cells.items()
            if name.startswith(_PARAMETER)
        }
        try:
            score = to_number(cells.get("Score", ""))
        except ValueError as error:
            collector.skip(line, f"{shown(benchmark)}: {error}")
            continue
        result = {"score": score, "scoreUnit": cells.get("Unit", "")}
        mode, threads = cells.get("Mode", ""), cells.get("Threads", "")
        identity = (benchmark, mode, threads, *params.items())
        entry = entries.setdefault(
            identity,
            {"benchmark": benchmark, "mode": mode, "threads": threads, "params": params},
        )
        if metric:
            entry.setdefault("secondaryMetrics", {})[metric] = result
        else:
            entry["primaryMetric"] = result
    return list(entries.values())


@dataclass(slots=True)
class _Found:
    unit: str
    direction: Direction | None
    attributes: Mapping[str, str]
    samples: list[float] = field(default_factory=list)


def _read(
    collector: Collector, where: str, found: dict[SeriesKey, _Found], entry: Mapping[str, Any]
) -> None:
    benchmark, labels, attributes = text_of(entry, "benchmark"), _labels(entry), _attributes(entry)
    for metric, result in _results(entry):
        key = make_key(where, benchmark=benchmark, metric=metric, labels=labels)
        samples = _samples(result)
        if not samples:
            if metric == METRIC:
                reason = "no finite score"
                collector.failures.append(Failure(key, "", None, reason, where, attributes))
            else:
                collector.skip(None, f"{shown(benchmark)}: {shown(metric)} has no finite number")
            continue
        unit = checked_unit(where, text_of(result, "scoreUnit"))
        mode = text_of(entry, "mode") if metric == METRIC else ""
        here = found.setdefault(key, _Found(unit, _direction(unit, mode), attributes))
        if here.unit != unit:
            raise InputError(
                f"{where}: {shown(benchmark)} {shown(metric)} is there in {here.unit} and in"
                f" {unit}: results of different runs; save each in its own file"
            )
        here.samples += samples


def _results(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield METRIC, table_of(entry, "primaryMetric")
    secondary = table_of(entry, "secondaryMetrics")
    for name in secondary:
        if isinstance(secondary[name], dict):
            plain = name.lstrip("·+") or name
            yield (f"secondary {plain}" if plain == METRIC else plain), secondary[name]


def _labels(entry: Mapping[str, Any]) -> dict[str, str]:
    parameters = table_of(entry, "params")
    labels = {name: text_of(parameters, name) for name in parameters}
    for name in ("mode", "threads"):
        text = text_of(entry, name)
        if text:
            labels[f"jmh.{name}" if name in parameters else name] = text
    return labels


def _attributes(entry: Mapping[str, Any]) -> dict[str, str]:
    arguments = entry.get("jvmArgs")
    return attributes_of(
        jmh=text_of(entry, "jmhVersion"),
        jdk=text_of(entry, "jdkVersion"),
        vm=" ".join(text for name in ("vmName", "vmVersion") if (text := text_of(entry, name))),
        jvm_args=" ".join(map(str, arguments)) if isinstance(arguments, list) else "",
        forks=text_of(entry, "forks"),
    )


def _direction(unit: str, mode: str) -> Direction | None:
    if unit.startswith("ops/") or mode == "thrpt":
        return Direction.HIGHER
    if unit.endswith("/op") or mode in _TIME_MODES:
        return Direction.LOWER
    return None


def _samples(result: Mapping[str, Any]) -> list[float]:
    """The iterations of all forks that are numbers, or the score if none were saved."""
    histogram = "rawDataHistogram" in result
    forks = result.get("rawDataHistogram" if histogram else "rawData")
    iterations = [
        iteration
        for fork in (forks if isinstance(forks, list) else [])
        for iteration in (fork if isinstance(fork, list) else [])
    ]
    found = [_mean_of(one) if histogram else finite(one) for one in iterations]
    samples = [number for number in found if number is not None]
    score = finite(result.get("score"))
    return samples or ([score] if score is not None else [])


def _mean_of(histogram: Any) -> float | None:
    """The mean of one iteration's pairs of value and count."""
    pairs: Sequence[Any] = histogram if isinstance(histogram, list) else []
    values, counts = [], []
    for pair in pairs:
        value, count = map(finite, pair) if _is_pair(pair) else (None, None)
        if value is None or count is None or not 1 <= count <= _MOST_CALLS:
            return None
        values.append(value)
        counts.append(count)
    if not values:
        return None
    total = math.fsum(counts)
    halves = [value / 2 * (count / total) for value, count in zip(values, counts, strict=True)]
    # Of halves, whose sum cannot overflow.
    return min(max(2 * math.fsum(halves), min(values)), max(values))


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2


__all__ = ["JMH"]
