# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Statistics of Locust: ``--csv``, its history, and ``--json``."""

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
from stepmark.sources.tables import Dialect, named_columns, rows, to_number
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import finite, make_key, read_time, text_of

TOTAL = "Aggregated"
_OLD_TOTAL = "Total"
HISTORY = "history"
_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER
_METRICS: dict[str, tuple[str, Direction | None]] = {
    "Median Response Time": ("ms", _LOWER),
    "Average Response Time": ("ms", _LOWER),
    "Min Response Time": ("ms", _LOWER),
    "Max Response Time": ("ms", _LOWER),
    "Average Content Size": ("bytes", None),
    "Requests/s": ("1/s", _HIGHER),
    "Failures/s": ("1/s", _LOWER),
}
_PERCENTILE = re.compile(r"\d{1,3}(\.\d+)?%")
_PERCENTILES = {
    "50%": 0.5,
    "66%": 0.66,
    "75%": 0.75,
    "80%": 0.8,
    "90%": 0.9,
    "95%": 0.95,
    "98%": 0.98,
    "99%": 0.99,
    "99.9%": 0.999,
    "99.99%": 0.9999,
    "100%": 1.0,
}
# What Locust before 1.0 called them.
_OLD = {
    "Method": "Type",
    "# requests": "Request Count",
    "# failures": "Failure Count",
    "Requests Failed/s": "Failures/s",
    "Median response time": "Median Response Time",
    "Average response time": "Average Response Time",
    "Min response time": "Min Response Time",
    "Max response time": "Max Response Time",
}


@dataclass(frozen=True, slots=True)
class Locust:
    """``*_stats.csv`` and ``*_stats_history.csv`` of ``--csv``, or the output of ``--json``.

    The benchmark is a request's name, its type (``GET``) the label ``method``. Metrics are the
    columns: median, average, least and greatest response time and its percentiles (``95%``) in
    ``ms`` and the failures a second, of which lower is better, the requests a second, of which
    higher is, and the average size of the content. The row ``Aggregated`` of a run is left out
    where the requests are there. A request without any response time has rates only, and one that
    was never sent is left out.

    In a history every row is a point with its time, and the label ``view`` is ``history``; the
    columns ``Total ...``, which only grow, are left out. From ``--json`` the same metrics are
    worked out as Locust does, from its histogram and over the time from the first to the last
    request, and the time is that of the first one. Other files have no time, and none names a
    commit.
    """

    name: ClassVar[str] = "locust"
    title: ClassVar[str] = "Locust: *_stats.csv, *_stats_history.csv and the output of --json"

    def recognises(self, content: Content) -> bool:
        """Whether the first line is Locust's, or it is JSON with its statistics."""
        if looks_like_json(content, b"num_requests", b"response_times", b"method"):
            return True
        columns = set(_header(content))
        return {"Type", "Name", "Requests/s"} <= columns and bool(
            columns & {"Request Count", "User Count"}
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all requests; raises `InputError` if it is no statistics of Locust."""
        collector = Collector(content)
        header = _header(content)
        if {"Type", "Name"} <= set(header):
            results = list(_table(content, header, collector))
        else:
            results = list(_document(content, load_json(content), collector))
        own = [result for result in results if not result.is_total]
        for result in own or results:
            _add(collector, content.name, result)
        return collector.parsed("no requests in it")


@dataclass(frozen=True, slots=True)
class _Result:
    """What was measured of one kind of request, by metric."""

    name: str
    method: str
    numbers: Mapping[str, float]
    landed: datetime | None = None
    history: bool = False

    @property
    def is_total(self) -> bool:
        """Whether it stands for all requests; one of them may have the same name, but no type."""
        # Before 1.0 the type was written as None, and in still older ones the name was Total.
        return (self.name == TOTAL and self.method in ("", "None")) or (
            self.name == _OLD_TOTAL and self.method == "None"
        )


def _header(content: Content) -> list[str]:
    """The columns in the first line, by their present names."""
    return [_OLD.get(cell.strip(), cell.strip()) for cell in named_columns(content)]


def _add(collector: Collector, where: str, result: _Result) -> None:
    labels = {"method": result.method} if result.method else {}
    if result.history:
        labels["view"] = HISTORY
    run = result.landed.isoformat() if result.landed else ""
    for metric, number in result.numbers.items():
        key = make_key(where, benchmark=result.name, metric=metric, labels=labels)
        unit, direction = _METRICS.get(metric, ("ms", _LOWER))
        collector.add(Measurement(key, "", result.landed, (number,), unit, direction, run))


def _table(content: Content, header: list[str], collector: Collector) -> Iterator[_Result]:
    history = "Timestamp" in header
    for line, cells in rows(content, Dialect(",", tuple(header))):
        if len(cells) != len(header):
            collector.skip(line, f"{len(cells)} cells in a table of {len(header)} columns")
            continue
        row = dict(zip(header, cells, strict=True))
        try:
            found = {name: to_number(row[name]) for name in header if _is_number(name)}
        except ValueError as error:
            collector.skip(line, str(error))
            continue
        numbers = {name: number for name, number in found.items() if number is not None}
        if history:
            landed = read_time(f"{content.name}:{line}", row["Timestamp"])
            numbers = _present(numbers, sent=numbers.get("Total Request Count", 1.0))
            yield _Result(row["Name"], row["Type"], numbers, landed, history=True)
        else:
            sent = numbers.get("Request Count", 1.0)
            yield _Result(row["Name"], row["Type"], _present(numbers, sent=sent))


def _is_number(column: str) -> bool:
    return column in _METRICS or column.endswith(" Count") or bool(_PERCENTILE.fullmatch(column))


def _present(numbers: Mapping[str, float], *, sent: float) -> dict[str, float]:
    """The metrics among *numbers* that say something.

    Locust writes 0 for the response times of requests that have none.
    """
    found = {n: v for n, v in numbers.items() if n in _METRICS or _PERCENTILE.fullmatch(n)}
    if not sent:
        return {}
    times = [n for n in found if _METRICS.get(n, ("ms", None))[0] == "ms"]
    if not any(found[name] for name in times):
        for name in times:
            del found[name]
    return found


def _document(content: Content, document: Any, collector: Collector) -> Iterator[_Result]:
    if not isinstance(document, list):
        raise InputError(f"{content.name}: no statistics of Locust: no JSON list")
    entries = []
    for place, entry in enumerate(document):
        if isinstance(entry, dict) and text_of(entry, "name"):
            entries.append((place, entry))
        else:
            collector.skip(None, f"[{place}]: no name")
    starts = [s for _, e in entries if (s := finite(e.get("start_time"))) is not None]
    ends = [s for _, e in entries if (s := finite(e.get("last_request_timestamp"))) is not None]
    start, end = min(starts, default=0.0), max(ends, default=0.0)
    landed = read_time(content.name, repr(start)) if starts else None
    for place, entry in entries:
        numbers = _worked_out(entry, end - start)
        if not numbers:
            collector.skip(None, f"[{place}]: {shown(text_of(entry, 'name'))}: no requests")
        yield _Result(text_of(entry, "name"), text_of(entry, "method"), numbers, landed)


def _worked_out(entry: Mapping[str, Any], seconds: float) -> dict[str, float]:
    """The metrics of one kind of request, from the sums and the histogram that were kept."""

    def number(name: str) -> float:
        return finite(entry.get(name)) or 0.0

    sent = number("num_requests")
    timed = sent - number("num_none_requests")
    if sent <= 0:
        return {}
    found = {"Average Content Size": number("total_content_length") / sent}
    if seconds > 0:
        found["Requests/s"] = sent / seconds
        found["Failures/s"] = number("num_failures") / seconds
    histogram = _histogram(entry)
    if timed > 0 and histogram:
        least, most = number("min_response_time"), number("max_response_time")
        times = {name: _percentile(histogram, timed, part) for name, part in _PERCENTILES.items()}
        found |= {
            # The histogram is rounded, the extremes are not.
            "Median Response Time": max(min(times["50%"], most), least),
            "Average Response Time": number("total_response_time") / timed,
            "Min Response Time": least,
            "Max Response Time": most,
            **times,
        }
    return found


def _histogram(entry: Mapping[str, Any]) -> list[tuple[float, float]]:
    """How often each response time was seen, the longest first."""
    found = entry.get("response_times")
    pairs = []
    for text, count in found.items() if isinstance(found, dict) else ():
        try:
            time = to_number(text)
        except ValueError:
            return []
        times = finite(count)
        if time is None or times is None:
            return []
        pairs.append((time, times))
    return sorted(pairs, reverse=True)


def _percentile(histogram: list[tuple[float, float]], timed: float, part: float) -> float:
    """As Locust's `calculate_response_time_percentile` has it."""
    rank = int(timed * part)
    passed = 0.0
    for time, count in histogram:
        passed += count
        if timed - passed <= rank:
            return time
    return histogram[-1][0]
