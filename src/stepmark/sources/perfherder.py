# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""PERFHERDER_DATA, as Mozilla's harnesses write it to logs and artifacts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.series import Direction, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import (
    decode_json,
    in_utf8,
    load_json,
    log_text,
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
    table_of,
    text_of,
)

SUMMARY = "value"
_MARK = "PERFHERDER_DATA:"
_ALERTING = (
    "publicName",
    "alertThreshold",
    "alertChangeType",
    "alertSeverity",
    "minBackWindow",
    "maxBackWindow",
    "foreWindow",
    "shouldAlert",
)
# What Perfherder takes of a suite for its subtests as well.
_OF_SUITES = ("alertSeverity", "monitor")
_LINE = re.compile(rb"PERFHERDER_DATA:\s*\{")


@dataclass(frozen=True, slots=True)
class Perfherder:
    """``PERFHERDER_DATA: {...}`` lines in a log, or the artifact with the same JSON.

    The benchmark is the suite, the metric a subtest, or ``value`` for the suite's own value; the
    project is the framework, and extra options and the application are labels. Samples are the
    replicates where there are some, otherwise the value. Lower is better unless the data say else.
    What a suite or subtest says of its alerts is kept as attributes under the names that it has
    there: ``alertThreshold``, ``alertChangeType``, ``alertSeverity`` (a subtest without one has its
    suite's), ``minBackWindow``, ``maxBackWindow``, ``foreWindow``, ``shouldAlert``, ``monitor``
    (of suites) and ``publicName``.
    """

    name: ClassVar[str] = "perfherder"
    title: ClassVar[str] = "PERFHERDER_DATA: log lines or JSON artifacts of Mozilla's harnesses"

    def recognises(self, content: Content) -> bool:
        """Whether a line has the mark, or it is JSON with a framework and suites."""
        return looks_like_json(content, b"framework", b"suites") or bool(
            _LINE.search(in_utf8(content))
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all suites; broken lines are left out with a reason; raises `InputError`."""
        collector = Collector(content)
        for line, document in _documents(content, collector):
            if not isinstance(document, dict) or not isinstance(document.get("suites"), list):
                collector.skip(line, "no suites in it")
                continue
            try:
                _add_all(collector, content.name, line, document)
            except _UnusableError as error:
                collector.skip(line, str(error))
        return collector.parsed(f"no {_MARK} in it")


class _UnusableError(Exception):
    """A document that cannot be used; the message is the reason."""


def _documents(content: Content, collector: Collector) -> Iterator[tuple[int | None, Any]]:
    """The documents of an artifact or a log, with their lines in a log."""
    if starts_as_json(content) and not _LINE.search(in_utf8(content)):
        document = load_json(content)
        for item in document if isinstance(document, list) else [document]:
            yield None, item
        return
    for line, text in enumerate(log_text(content).split("\n"), start=1):
        _, mark, data = text.partition(_MARK)
        if not mark:
            continue
        if len(data) > content.limits.max_json_bytes:
            collector.skip(line, f"more than {content.limits.max_json_bytes:,} characters of JSON")
            continue
        try:
            yield line, decode_json(data.lstrip())[0]
        except ValueError as error:
            collector.skip(line, f"broken JSON: {error}")


@dataclass(frozen=True, slots=True)
class _Suite:
    """What holds for all numbers of one suite."""

    project: str
    benchmark: str
    labels: dict[str, str]
    landed: datetime | None
    attributes: dict[str, str]


def _add_all(
    collector: Collector, name: str, line: int | None, document: Mapping[str, Any]
) -> None:
    where = name if line is None else f"{name}:{line}"
    application, system = table_of(document, "application"), table_of(document, "os")
    landed = _landed(document)
    attributes = attributes_of(
        application_version=text_of(application, "version"),
        os=text_of(system, "name"),
        os_version=text_of(system, "platform_version"),
    )
    for place, suite in enumerate(document["suites"]):
        benchmark = text_of(suite, "name") if isinstance(suite, dict) else ""
        if not benchmark:
            collector.skip(line, f"suites[{place}]: no name")
            continue
        labels = {
            "application": text_of(application, "name"),
            "options": " ".join(sorted(_texts(suite.get("extraOptions")))),
        }
        common = _Suite(
            text_of(table_of(document, "framework"), "name"),
            benchmark,
            {label: text for label, text in labels.items() if text},
            landed,
            {
                **attributes,
                **attributes_of(tags=" ".join(_texts(suite.get("tags")))),
                **_settings(suite, _OF_SUITES),
            },
        )
        _add_suite(collector, where, line, common, suite)


def _add_suite(
    collector: Collector, where: str, line: int | None, common: _Suite, suite: Mapping[str, Any]
) -> None:
    summarised = suite.get("value") is not None or bool(suite.get("replicates"))
    if summarised:
        _add(collector, where, line, common, suite, SUMMARY, {})
    subtests = suite.get("subtests")
    for place, subtest in enumerate(subtests if isinstance(subtests, list) else []):
        metric = text_of(subtest, "name") if isinstance(subtest, dict) else ""
        if not metric:
            collector.skip(line, f"{shown(common.benchmark)}: subtests[{place}]: no name")
            continue
        # A subtest of that name must not be taken for the suite's own value.
        labels = {"subtest": metric} if summarised and metric == SUMMARY else {}
        _add(collector, where, line, common, subtest, metric, labels)


def _add(
    collector: Collector,
    where: str,
    line: int | None,
    common: _Suite,
    result: Mapping[str, Any],
    metric: str,
    labels: Mapping[str, str],
) -> None:
    value = finite(result.get("value"))
    replicates = result.get("replicates")
    samples = [finite(number) for number in replicates] if isinstance(replicates, list) else []
    numbers = tuple(number for number in samples if number is not None)
    if not numbers or len(numbers) < len(samples):
        if value is None:
            collector.skip(
                line, f"{shown(common.benchmark)} {shown(metric)}: no finite value or replicates"
            )
            return
        numbers = (value,)
    attributes = {**common.attributes, **_settings(result, _ALERTING)}
    if value is not None and numbers != (value,):
        attributes = {**attributes, "value": repr(value)}
    key = make_key(
        where,
        project=common.project,
        benchmark=common.benchmark,
        metric=metric,
        labels={**common.labels, **labels},
    )
    lower = result.get("lowerIsBetter") is not False
    collector.add(
        Measurement(
            key,
            "",
            common.landed,
            numbers,
            checked_unit(where, text_of(result, "unit")),
            Direction.LOWER if lower else Direction.HIGHER,
            "",
            attributes,
        )
    )


def _landed(document: Mapping[str, Any]) -> datetime | None:
    stamp = text_of(document, "pushTimestamp")
    try:
        return parse_time(stamp) if stamp else None
    except (ValueError, OverflowError):
        raise _UnusableError(f"pushTimestamp {shown(stamp)} is not a time") from None


def _settings(table: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """What a suite or subtest says under *names*, as text."""
    found = {}
    for name in names:
        value = table.get(name)
        found[name] = str(value).lower() if isinstance(value, bool) else text_of(table, name)
    return attributes_of(**found)


def _texts(value: Any) -> Sequence[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
