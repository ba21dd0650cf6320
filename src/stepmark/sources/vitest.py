# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of Vitest: ``--outputJson`` up to version 4, the JSON reporter from version 5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.paths import short_paths
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import finite, make_key, read_time, shortened, table_of, text_of

METRIC = "time"
UNIT = "ms"
_BETWEEN = " > "


@dataclass(frozen=True, slots=True)
class Vitest:
    """JSON of ``vitest bench``, or the result of one of its benchmarks or of tinybench.

    The benchmark is the file, the groups around it and its own name, with `` > `` between them; the
    metric is ``time`` in ``ms``. Samples are those that were kept (``includeSamples``,
    ``retainSamples``), otherwise the median, or the mean where Vitest (before 2) wrote no median.
    Operations a second are derived from the mean and left out. A benchmark or test that failed is a
    failure.

    Up to version 4 the file is that of ``--outputJson``, without a time. From version 5 it is that
    of ``--reporter=json --outputFile``: the time is the start of the run, and of the absolute paths
    as much is kept as tells its files apart. Also read are the JSON reporter's file before version
    1 (which names no files), a file of ``writeResult`` (the benchmark is the file's name) and a
    list of tinybench's tasks (``{"name": ..., "result": ...}``).
    """

    name: ClassVar[str] = "vitest"
    title: ClassVar[str] = "Vitest: vitest bench --outputJson, or --reporter=json from version 5"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with files of groups, tests of benchmarks, or statistics of one."""
        return any(
            looks_like_json(content, *keys)
            for keys in (
                (b"files", b"filepath", b"groups", b"benchmarks"),
                (b"testResults", b"assertionResults", b"benchmarks"),
                (b"testResults", b"hz", b"rme", b"rank"),
                (b"latency", b"throughput", b"period", b"totalTime"),
            )
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all benchmarks; raises `InputError` if there are none."""
        document = load_json(content)
        collector = Collector(content)
        for result in _results(content, document, collector):
            _add(collector, content.name, result)
        return collector.parsed("no benchmarks in it")


@dataclass(frozen=True, slots=True)
class _Result:
    """One benchmark: its full name, its statistics, and why it has none if it failed."""

    benchmark: str
    statistics: Mapping[str, Any]
    reason: str = ""
    landed: datetime | None = None


def _results(content: Content, document: Any, collector: Collector) -> Iterator[_Result]:
    if isinstance(document, list):
        yield from _tasks(document, collector)
    elif not isinstance(document, dict):
        raise InputError(f"{content.name}: no result of Vitest: no JSON object")
    elif isinstance(document.get("testResults"), dict):
        for around in document["testResults"]:
            yield from _entries(document["testResults"], around, around, collector)
    elif "testResults" in document:
        yield from _tests(content, document, collector)
    elif "files" in document:
        yield from _groups(document, collector)
    elif "latency" in document:
        yield _Result(content.stem, table_of(document, "latency"))
    else:
        raise InputError(f"{content.name}: no result of Vitest: no files, testResults or latency")


def _add(collector: Collector, where: str, result: _Result) -> None:
    key = make_key(where, benchmark=result.benchmark, metric=METRIC)
    samples = () if result.reason else _samples(result.statistics)
    if not samples:
        reason = result.reason or "no time: it failed"
        collector.failures.append(Failure(key, "", result.landed, reason, where))
        return
    run = result.landed.isoformat() if result.landed else ""
    collector.add(Measurement(key, "", result.landed, samples, UNIT, Direction.LOWER, run))


def _samples(statistics: Mapping[str, Any]) -> tuple[float, ...]:
    kept = statistics.get("samples")
    names = ("median", "p50", "mean")
    middle = next(
        (number for name in names if (number := finite(statistics.get(name))) is not None), None
    )
    if isinstance(kept, list) and kept:
        numbers = tuple(number for number in map(finite, kept) if number is not None)
        if len(numbers) == len(kept) and middle is not None:
            return numbers
    return () if middle is None else (middle,)


def _groups(document: Mapping[str, Any], collector: Collector) -> Iterator[_Result]:
    """The benchmarks of ``--outputJson``; what failed has a name but no statistics."""
    for file in _tables(document, "files", "files", collector):
        path = shown(text_of(file, "filepath"))
        for group in _tables(file, "groups", f"{path}: groups", collector):
            around = text_of(group, "fullName")
            yield from _entries(group, "benchmarks", around, collector)


def _entries(
    table: Mapping[str, Any], key: str, around: str, collector: Collector
) -> Iterator[_Result]:
    """The benchmarks of one group, each with its statistics beside its name."""
    for entry in _tables(table, key, shown(around), collector):
        name = text_of(entry, "name")
        if name:
            yield _Result(_joined(around, name), entry)
        else:
            collector.skip(None, f"{shown(around)}: a benchmark without a name")


def _tests(
    content: Content, document: Mapping[str, Any], collector: Collector
) -> Iterator[_Result]:
    """The benchmarks that version 5 lists with the tests that ran them."""
    landed = read_time(f"{content.name}: startTime", text_of(document, "startTime"))
    files = _tables(document, "testResults", "testResults", collector)
    names = short_paths(text_of(file, "name") for file in files)
    for file in files:
        path = names[text_of(file, "name")]
        for test in _tables(file, "assertionResults", path, collector):
            groups = _tables(test, "benchmarks", path, collector)
            for group in groups:
                around = _joined(path, text_of(group, "name"))
                for task in _tables(group, "tasks", around, collector):
                    benchmark = _joined(around, text_of(task, "name"))
                    yield _Result(benchmark, table_of(task, "latency"), landed=landed)
            if text_of(test, "status") == "failed" and "benchmarks" in test:
                titles = [*_texts(test.get("ancestorTitles")), text_of(test, "title")]
                messages = _texts(test.get("failureMessages"))
                reason = messages[0].partition("\n")[0] if messages else "the test failed"
                yield _Result(_joined(path, *titles), {}, shortened(reason) or "failed", landed)


def _tasks(document: list[Any], collector: Collector) -> Iterator[_Result]:
    """The tasks of tinybench: since version 3 the times are its latency."""
    for place, task in enumerate(document):
        if not isinstance(task, dict) or not text_of(task, "name"):
            collector.skip(None, f"[{place}]: no name")
            continue
        result = table_of(task, "result")
        failed = text_of(table_of(result, "error"), "message") or text_of(result, "error")
        statistics = table_of(result, "latency") or result
        yield _Result(text_of(task, "name"), statistics, shortened(failed))


def _tables(
    table: Mapping[str, Any], key: str, where: str, collector: Collector
) -> list[Mapping[str, Any]]:
    """The objects in the list under *key*; anything else is left out with a reason."""
    found = table.get(key)
    listed = found if isinstance(found, list) else []
    tables: list[Mapping[str, Any]] = [one for one in listed if isinstance(one, dict)]
    if len(tables) < len(listed):
        collector.skip(None, f"{where}: not a JSON object")
    return tables


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _joined(*names: str) -> str:
    return _BETWEEN.join(name for name in names if name)
