# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""End-of-test summaries of Grafana k6, in the three shapes that it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import head, load_json, looks_like_json, shown
from stepmark.sources.values import attributes_of, finite, make_key, read_time, table_of, text_of

_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER
_TAGGED = re.compile(r"([^{}]+)\{(.*)\}", re.DOTALL)
_PERCENTILE = re.compile(r"p\(\d+(\.\d+)?\)")
_TREND = ("avg", "min", "med", "max")

# One of these is in every summary.
_MARKS = (
    b"iteration_duration",
    b"http_req_duration",
    b"testRunDurationMs",
    b"k6Version",
    b"k6_version",
)

# What --out json writes: every single request.
_REQUESTS = re.compile(r'\s*\{(?=[^\n]{0,500}"type":"(?:Metric|Point)")[^\n]{0,500}"metric":')

# Settings of the load, not results of it.
_LOAD = ("vus", "vus_max")
_BETTER = {
    "http_reqs": _HIGHER,
    "iterations": _HIGHER,
    "checks": _HIGHER,
    "checks_succeeded": _HIGHER,
    "checks_failed": _LOWER,
    "http_req_failed": _LOWER,
    "browser_http_req_failed": _LOWER,
    "dropped_iterations": _LOWER,
    "browser_web_vital_cls": _LOWER,
}
# The oldest shape does not say what a metric contains; these are the times of k6 itself.
_TIMES = re.compile(
    r"(http_req|grpc_req|ws|iteration|group|browser)_(\w+_)?"
    r"(duration|waiting|blocked|connecting|sending|receiving|tls_handshaking|ping"
    r"|vital_(lcp|fcp|inp|fid|ttfb))"
)
_DATA = re.compile(r"(browser_)?data_(sent|received)")


@dataclass(frozen=True, slots=True)
class K6:
    """JSON summaries of k6: of ``--summary-export``, of ``handleSummary`` and the newer one.

    The benchmark is k6's metric, such as ``http_req_duration``; tags of a sub-metric are labels,
    and so is the script where it is named. The metric is k6's statistic: ``avg``, ``min``, ``med``,
    ``max`` and percentiles of a trend, ``rate`` of a rate or counter (a second), ``count`` of a
    counter, ``value`` of a gauge. Times are in ``ms``.

    Lower is better for times, failed requests and dropped iterations; higher for the rates of
    requests and iterations, and for checks. For any other nobody but its author knows. ``vus`` and
    ``vus_max`` are attributes, as is a threshold that failed (in files of ``--summary-export``
    true means that it did). Only the newer summary tells its time; none tells of a commit.
    """

    name: ClassVar[str] = "k6"
    title: ClassVar[str] = "k6: end-of-test summaries (--summary-export, handleSummary)"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with metrics, and with a name that only k6 gives."""
        if _REQUESTS.match(head(content)):
            return True
        return any(looks_like_json(content, b"metrics", mark) for mark in _MARKS)

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all metrics; raises `InputError` if it is no summary."""
        if _REQUESTS.match(head(content)):
            raise InputError(
                f"{content.name}: the single requests of k6 (--out json), where its summary is"
                " expected; write one with --summary-export or handleSummary"
            )
        document = load_json(content)
        if not isinstance(document, dict):
            raise InputError(f"{content.name}: no summary of k6: no JSON object")
        metrics = list(_metrics(document))
        if not metrics:
            raise InputError(f"{content.name}: no summary of k6: no metrics")
        collector = Collector(content)
        run = _run(content.name, document, metrics)
        for name, metric in metrics:
            if name and name not in _LOAD:
                _add(collector, content.name, run, name, metric)
        return collector.parsed("no numbers in its metrics")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all metrics of one file."""

    run: str
    landed: datetime | None
    seconds: float | None
    labels: dict[str, str]
    attributes: dict[str, str]


def _metrics(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and table of each metric, in whatever shape."""
    results = table_of(document, "results")
    checks = results.get("checks")
    groups = [document.get("metrics"), results.get("metrics")]
    groups.append(checks.get("metrics") if isinstance(checks, dict) else None)
    for group in groups:
        if isinstance(group, dict):
            named = [(text_of(m, "name") or n, m) for n, m in group.items() if isinstance(m, dict)]
        else:
            listed = group if isinstance(group, list) else []
            named = [(text_of(m, "name"), m) for m in listed if isinstance(m, dict)]
        yield from named


def _run(where: str, document: Mapping[str, Any], metrics: list[tuple[str, Any]]) -> _Run:
    about, config = table_of(document, "metadata"), table_of(document, "config")
    state = table_of(document, "state")
    # k6 1.5 to 1.7 wrote these in snake case, against its own schema.
    generated = text_of(about, "generatedAt") or text_of(about, "generated_at")
    script = text_of(config, "script")
    milliseconds = finite(state.get("testRunDurationMs"))
    seconds = milliseconds / 1000 if milliseconds is not None else finite(config.get("duration"))
    load = {name: _values(metric) for name, metric in metrics if name in _LOAD}
    return _Run(
        f"{script}/{generated}" if generated else "",
        read_time(where, generated),
        seconds,
        {"script": script} if script else {},
        attributes_of(
            k6=text_of(about, "k6Version") or text_of(about, "k6_version"),
            duration="" if seconds is None else f"{seconds:g} s",
            **{name: text_of(values, "value") for name, values in load.items()},
        ),
    )


def _values(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    """The statistics of a metric, which the oldest shape has beside everything else."""
    return table_of(metric, "values") or metric


def _add(collector: Collector, where: str, run: _Run, name: str, metric: Mapping[str, Any]) -> None:
    base, tags = _tags(name)
    values = _values(metric)
    kind = text_of(metric, "type") or _kind(values)
    contains = text_of(metric, "contains") or _contains(base)
    failed = _failed_thresholds(metric)
    attributes = {**run.attributes, **attributes_of(failed_thresholds=", ".join(failed))}
    found = 0
    for statistic, number in _statistics(kind, values, run.seconds):
        key = make_key(
            f"{where}: {shown(name)}",
            benchmark=base,
            metric=statistic,
            labels={**run.labels, **tags},
        )
        unit = {"time": "ms", "data": "bytes"}.get(contains, "")
        if kind == "counter" and statistic == "rate":
            unit = f"{unit}/s" if unit else "1/s"
        direction = _direction(base, kind, contains, statistic)
        found += 1
        collector.add(
            Measurement(key, "", run.landed, (number,), unit, direction, run.run, attributes)
        )
    if not found:
        collector.skip(None, f"{shown(name)}: no numbers that are known")


def _tags(name: str) -> tuple[str, dict[str, str]]:
    """A metric's own name, and the tags of a sub-metric such as ``m{status:200,group:::a}``."""
    match = _TAGGED.fullmatch(name)
    if match is None:
        return name, {}
    pairs = (part.partition(":") for part in match[2].split(",") if part.strip())
    return match[1].strip(), {tag.strip(): value.strip(" \"'") for tag, _, value in pairs}


def _kind(values: Mapping[str, Any]) -> str:
    if "med" in values or "avg" in values or any(map(_PERCENTILE.fullmatch, values)):
        return "trend"
    if "passes" in values and "fails" in values:
        return "rate"
    return "counter" if "count" in values else "gauge"


def _contains(base: str) -> str:
    if _TIMES.fullmatch(base):
        return "time"
    return "data" if _DATA.fullmatch(base) else "default"


def _statistics(
    kind: str, values: Mapping[str, Any], seconds: float | None
) -> Iterator[tuple[str, float]]:
    """Name and number of each statistic that is a result."""
    if kind == "trend":
        chosen = {n: values.get(n) for n in values if n in _TREND or _PERCENTILE.fullmatch(n)}
    elif kind == "rate":
        # The oldest shape calls it value.
        chosen = {"rate": values.get("rate", values.get("value"))}
    elif kind == "counter":
        count = finite(values.get("count"))
        derived = count / seconds if count is not None and seconds else None
        chosen = {"rate": values.get("rate", derived), "count": count}
    else:
        chosen = {"value": values.get("value")}
    for name, value in chosen.items():
        number = finite(value)
        if number is not None:
            yield name, number


def _direction(base: str, kind: str, contains: str, statistic: str) -> Direction | None:
    if kind == "counter" and statistic == "count" and base != "dropped_iterations":
        # How many there were says how long the test was.
        return None
    if kind == "trend" and contains == "time":
        return _LOWER
    return _BETTER.get(base)


def _failed_thresholds(metric: Mapping[str, Any]) -> list[str]:
    thresholds = table_of(metric, "thresholds")
    # A bare truth value says that it failed, a table whether it is well.
    return [
        text
        for text, found in thresholds.items()
        if found is True or (isinstance(found, dict) and found.get("ok") is False)
    ]
