# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Histories in the JSON that Apache Otava and Nyrkiö read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import (
    checked_unit,
    finite,
    make_key,
    parse_time,
    read_direction,
    repository_of,
    shortened,
    table_of,
    text_of,
)

_REVISIONS = ("git_commit", "commit", "version")
_REPOSITORY = "git_repo"


@dataclass(frozen=True, slots=True)
class Otava:
    """A list of runs, each with ``timestamp``, ``metrics`` and ``attributes`` (or a single run).

    The benchmark is the file's name, as neither tool writes a test's name into it
    (``--column default_benchmark=NAME`` gives another); the metric is a metric's ``name``, with
    its ``unit`` and ``direction`` if it has one. The revision is the attribute ``git_commit``,
    ``commit`` or ``version``, the project the repository ``git_repo``; other attributes and
    ``extra_info`` are attributes. A run with ``passed`` false, and a metric without a number, is
    a failure. What ``otava analyze --output json`` prints are changes and no history: it is not
    read.
    """

    name: ClassVar[str] = "otava"
    title: ClassVar[str] = "Apache Otava and Nyrkiö: JSON lists of runs"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON of runs with metrics and attributes."""
        return looks_like_json(content, b"timestamp", b"metrics", b"attributes")

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read all runs; raises `InputError` for one without a time."""
        document = load_json(content)
        collector = Collector(content)
        benchmark = columns.default_benchmark or content.stem
        for place, run in enumerate(document if isinstance(document, list) else [document]):
            metrics = run.get("metrics") if isinstance(run, dict) else None
            if not isinstance(metrics, list):
                collector.skip(None, f"[{place}]: no metrics list")
                continue
            where = f"{content.name}: [{place}]"
            common = _run(where, benchmark, run)
            for number, metric in enumerate(metrics):
                _add(collector, f"{where}.metrics[{number}]", common, metric)
        return collector.parsed("no runs in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all metrics of one run."""

    project: str
    benchmark: str
    revision: str
    landed: datetime
    name: str
    passed: bool
    attributes: Mapping[str, str]


def _run(where: str, benchmark: str, run: Mapping[str, Any]) -> _Run:
    stamp = text_of(run, "timestamp")
    try:
        landed = parse_time(stamp)
    except (ValueError, OverflowError):
        raise InputError(
            f"{where}: timestamp {shown(stamp)} is not a time; seconds since 1970 are"
        ) from None
    attributes = dict(_texts(table_of(run, "attributes")))
    named = next((name for name in _REVISIONS if attributes.get(name)), "")
    revision = attributes.pop(named, "")
    repository = attributes.pop(_REPOSITORY, "")
    shown_with = {**attributes, **dict(_texts(table_of(run, "extra_info")))}
    return _Run(
        repository_of(repository),
        benchmark,
        revision,
        landed,
        "/".join((attributes.get("branch", ""), revision, landed.isoformat())),
        run.get("passed") is not False,
        {name: shortened(text) for name, text in shown_with.items()},
    )


def _texts(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The entries that are texts or numbers; Nyrkiö also writes lists of a single text."""
    for name, value in table.items():
        only = value[0] if isinstance(value, list) and len(value) == 1 else value
        text = str(only).lower() if isinstance(only, bool) else text_of({name: only}, name)
        if text:
            yield name, text


def _add(collector: Collector, where: str, run: _Run, metric: Any) -> None:
    name = text_of(metric, "name") if isinstance(metric, dict) else ""
    if not name:
        collector.skip(None, f"{where.rpartition(': ')[2]}: no name")
        return
    key = make_key(where, project=run.project, benchmark=run.benchmark, metric=name)
    number = finite(metric.get("value"))
    if number is None or not run.passed:
        reason = "the run did not pass" if not run.passed else "no finite value"
        collector.failures.append(
            Failure(key, run.revision, run.landed, reason, where, run.attributes)
        )
        return
    collector.add(
        Measurement(
            key,
            run.revision,
            run.landed,
            (number,),
            checked_unit(where, text_of(metric, "unit")),
            read_direction(where, text_of(metric, "direction")),
            run.name,
            run.attributes,
        )
    )
