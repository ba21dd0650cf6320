# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of FD.io CSIT in its unified test interface (UTI), one file a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    parse_time,
    table_of,
    text_of,
)

_SUFFIXES = (".info.json", ".info.json.gz")
_NO_RESULTS = ("suite.info.json", "setup.info.json", "teardown.info.json")

# Paths of the metrics by type of result, the one that a failed test is counted under first. An
# upper bound of a search is no result, and of the latencies only averages are trended.
PATHS: dict[str, tuple[str, ...]] = {
    "mrr": ("receive_rate.rate", "receive_rate.bandwidth"),
    "ndrpdr": (
        "ndr.lower.rate",
        "ndr.lower.bandwidth",
        "pdr.lower.rate",
        "pdr.lower.bandwidth",
        *(
            f"latency_{way}.pdr_{load}.avg"
            for way in ("forward", "reverse")
            for load in (0, 10, 50, 90)
        ),
    ),
    "soak": ("critical_rate.lower.rate", "critical_rate.lower.bandwidth"),
    "reconf": ("loss.time", "loss.packet", "aggregate_rate.rate", "aggregate_rate.bandwidth"),
    "hoststack": (
        "bandwidth",
        "rate",
        "latency",
        "failed_requests",
        "completed_requests",
        "retransmits",
        "duration",
    ),
}
_NO_DEVICE = "none"
_LOWER_IS_BETTER = ("latency", "loss", "failed_requests", "retransmits", "duration")


def is_result_name(name: str) -> bool:
    """Whether a file of this name holds the result of a test, not of a suite around it."""
    return name.endswith(_SUFFIXES) and name.removesuffix(".gz") not in _NO_RESULTS


@dataclass(frozen=True, slots=True)
class UTI:
    """One test of CSIT (schema 1.5.1): all its numbers, named by their path in the result.

    The benchmark is the test's id, the project the device under test, the revision its version
    (none where the traffic generator is tested alone, with ``none`` for a device).
    Of ``.../<job>/<build>/...`` in the file's path (the nearest folder that is a number is the
    build) the job becomes a label. A test that failed, or has a result of type ``unknown``, is a
    failure and never a number. Of a latency direction nothing is taken if one of its maxima is not
    positive, for then its histograms are known to be wrong.
    """

    name: ClassVar[str] = "uti"
    title: ClassVar[str] = "FD.io CSIT UTI: a *.info.json file, or a tree of them"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with the fields of a test result."""
        return looks_like_json(content, b"test_id", b"dut_type", b"result")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read one test; raises `InputError` if it is no test result or lacks a field."""
        document = load_json(content)
        if not isinstance(document, dict) or not text_of(document, "test_id"):
            raise InputError(
                f"{content.name}: no UTI test result: no test_id (suite, setup and teardown files"
                " have none; leave them out)"
            )
        collector = Collector(content)
        job, build = _job_and_build(content.path)
        add_test(collector, content.name, document, job, build)
        return collector.parsed(
            f"no numbers in a result of type {text_of(table_of(document, 'result'), 'type')}"
        )


def add_test(
    collector: Collector,
    where: str,
    document: Mapping[str, Any],
    job: str,
    build: str,
    row: int | None = None,
) -> None:
    """Add the numbers, or the failure, of one test's *document*, from the line *row* of a table.

    Raises `InputError` naming *where* if it lacks a field.
    """
    test = _test(where, document, job, build)
    if document.get("passed") is not True or test.type not in PATHS:
        reason = text_of(document, "message") or f"no result (type {test.type})"
        collector.failures.append(test.failure(reason, where))
        return
    for path, numbers, unit in _numbers(test, collector, row):
        collector.add(test.measurement(where, path, numbers, unit))


@dataclass(frozen=True, slots=True)
class _Test:
    """One test result and what it says of itself."""

    id: str
    type: str
    kind: str
    project: str
    revision: str
    landed: datetime
    run: str
    labels: dict[str, str]
    attributes: dict[str, str]
    result: Mapping[str, Any]

    def failure(self, reason: str, where: str) -> Failure:
        """The failure of this test, under the metric that it should have measured."""
        metric = PATHS.get(self.type, PATHS.get(self.kind, ("result",)))[0]
        key = make_key(
            where, project=self.project, benchmark=self.id, metric=metric, labels=self.labels
        )
        return Failure(key, self.revision, self.landed, reason[:1000], where, self.attributes)

    def measurement(
        self, where: str, path: str, samples: tuple[float, ...], unit: str
    ) -> Measurement:
        """One of its numbers."""
        key = make_key(
            where, project=self.project, benchmark=self.id, metric=path, labels=self.labels
        )
        lower = path.startswith(_LOWER_IS_BETTER)
        return Measurement(
            key,
            self.revision,
            self.landed,
            samples,
            checked_unit(where, unit),
            Direction.LOWER if lower else Direction.HIGHER,
            self.run,
            self.attributes,
        )


def _test(where: str, document: Mapping[str, Any], job: str, build: str) -> _Test:
    result = table_of(document, "result")
    missing = [
        name for name in ("dut_type", "dut_version", "start_time") if not has_field(document, name)
    ]
    if not result or missing:
        absent = ", ".join(missing or ["result"])
        raise InputError(f"{where}: no complete UTI test result: {absent} missing")
    started = text_of(document, "start_time")
    try:
        landed = parse_time(started)
    except (ValueError, OverflowError):
        raise InputError(f"{where}: start_time: {started[:60]!r} is not a time") from None
    identity = text_of(document, "test_id")
    return _Test(
        identity,
        text_of(result, "type"),
        text_of(document, "test_type"),
        text_of(document, "dut_type"),
        text_of(document, "dut_version"),
        landed,
        f"{job}/{build}/{identity}/{landed.isoformat()}",
        {"job": job} if job else {},
        attributes_of(
            build=build,
            job=job,
            hosts=_listed(document, "hosts"),
            test_name_long=text_of(document, "test_name_long"),
            test_name_short=text_of(document, "test_name_short"),
            dut_version=text_of(document, "dut_version"),
            tg_type=text_of(document, "tg_type"),
            tg_version=text_of(document, "tg_version"),
            tags=_listed(document, "tags"),
        ),
        result,
    )


def has_field(document: Mapping[str, Any], name: str) -> bool:
    """Whether a test says what must be in this field; one of no device under test has no version.

    So are CSIT's tests of the traffic generator itself.
    """
    if name == "dut_version" and text_of(document, "dut_type").casefold() == _NO_DEVICE:
        return True
    return bool(text_of(document, name))


def _listed(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return ", ".join(map(str, value)) if isinstance(value, list) else ""


def _job_and_build(path: PurePath | None) -> tuple[str, str]:
    """The build is the nearest folder that is a number, the job the one above it."""
    folders = list(path.parent.parts) if path is not None else []
    while folders:
        build = folders.pop()
        if build.isascii() and build.isdigit():
            job = folders[-1] if folders else ""
            named = any(letter.isalpha() for letter in job)
            return (job if named else ""), build
    return "", ""


def _numbers(
    test: _Test, collector: Collector, row: int | None
) -> Iterator[tuple[str, tuple[float, ...], str]]:
    """Path, samples and unit of each number in the result."""
    broken = {way for way in ("latency_forward", "latency_reverse") if _is_broken(test.result, way)}
    for way in sorted(broken):
        collector.skip(row, f"{way} left out: a maximum that is not positive")
    for path in PATHS[test.type]:
        first, *others = path.removesuffix(".avg").split(".")
        if first in broken:
            continue
        found: Any = test.result.get(first)
        for part in others:
            found = found.get(part) if isinstance(found, dict) else None
        if found is None:
            continue
        samples = _samples(found, average=path.endswith(".avg"))
        if samples:
            yield path, samples, text_of(found, "unit")
        else:
            collector.skip(row, f"{path}: no finite number")


def _samples(found: Any, *, average: bool) -> tuple[float, ...]:
    if not isinstance(found, dict):
        return ()
    values = found.get("values")
    if isinstance(values, list) and values and not average:
        raw = values
    else:
        raw = [found.get("avg" if average or "value" not in found else "value")]
    samples = tuple(number for number in map(finite, raw) if number is not None)
    return samples if len(samples) == len(raw) else ()


def _is_broken(result: Mapping[str, Any], way: str) -> bool:
    maxima = [load.get("max") for load in table_of(result, way).values() if isinstance(load, dict)]
    return any((number := finite(value)) is not None and number <= 0 for value in maxima)
