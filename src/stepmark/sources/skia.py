# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ingestion files of Skia Perf, version 1 and the format before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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
    shortened,
    table_of,
    text_of,
)

_DIRECTIONS = {"up": Direction.HIGHER, "down": Direction.LOWER}
_UNITS = frozenset({"s", "ms", "us", "ns", "bytes", "kb", "mb", "gb", "fps", "Hz"})
# What is better of a value is not better of how much it varies, nor of how often it was taken.
_UNDIRECTED = frozenset({"error", "std", "stddev", "count", "cv", "ci_095"})
# What the format before version 1 calls the name of a number; its end may be the unit.
_SUB_RESULT = "sub_result"
_HOUR = re.compile(r"(?:^|/)(\d{4}/\d{2}/\d{2}/\d{2})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Skia:
    """JSON that Skia Perf takes in: ``version`` 1, ``git_hash``, ``key`` and ``results``.

    The benchmark is the key ``test``, the metric the axis and value of a measurement (``stat.min``;
    ``value`` for a single ``measurement``), and all other keys, common and own, are labels, but for
    ``units`` and ``improvement_direction`` (up or down), which say what they say; without
    ``units`` an axis that is called as a unit is it. The revision is ``git_hash``, except for a
    try job (``issue``), which measured something else; then it is the attribute ``commit``. The
    files have no time: where one lies in a folder ``YYYY/MM/DD/HH``, as Perf stores them, that
    is it, otherwise the order is that of the files. A result without a measurement is a failure.

    The format before it (``gitHash``, of nanobench and Flutter) is read as well: there the metric
    is the name of the number (``min_ms``), and the configuration is the label ``config``.
    """

    name: ClassVar[str] = "skia"
    title: ClassVar[str] = "Skia Perf: ingestion files of version 1, and of nanobench"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with a git_hash, or an older one's gitHash, and results."""
        return looks_like_json(content, b"version", b"git_hash", b"results") or looks_like_json(
            content, b"gitHash", b"results"
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all results; raises `InputError` if it is no ingestion file of version 1."""
        document = load_json(content)
        if isinstance(document, dict) and "gitHash" in document:
            document = _upgraded(document)
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise InputError(f"{content.name}: no Skia Perf file: no results list")
        version = document.get("version")
        if version != 1:
            raise InputError(f"{content.name}: Skia Perf version {version!s:.20}, where 1 is known")
        if not text_of(document, "git_hash"):
            raise InputError(f"{content.name}: no git_hash, so that nobody knows what was measured")
        collector = Collector(content)
        run = _run(content, document)
        for place, result in enumerate(document["results"]):
            if isinstance(result, dict):
                _add(collector, f"{content.name}: results[{place}]", run, result)
            else:
                collector.skip(None, f"results[{place}]: not an object")
        return collector.parsed("no results in it")


def _upgraded(old: Mapping[str, Any]) -> dict[str, Any]:
    """A file of the format before version 1, as nanobench writes it, as one of version 1."""
    results = []
    for test, configs in table_of(old, "results").items():
        for config in configs if isinstance(configs, dict) else ():
            found = table_of(configs, config)
            key = {"test": test, "config": config, **_pairs(found, "options")}
            listed = [
                {"value": name, "measurement": value}
                for name, value in found.items()
                if name != "options" and not isinstance(value, (dict, list, str))
            ]
            results.append({"key": key, "measurements": {_SUB_RESULT: listed}})
    return {
        **{name: old.get(name) for name in ("issue", "patchset", "links")},
        "version": 1,
        "git_hash": text_of(old, "gitHash"),
        "key": {**_pairs(old, "options"), **_pairs(old, "key")},
        "results": results,
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all results of one file."""

    revision: str
    landed: datetime | None
    name: str
    key: Mapping[str, str]
    attributes: Mapping[str, str]


def _run(content: Content, document: Mapping[str, Any]) -> _Run:
    commit, issue = text_of(document, "git_hash"), text_of(document, "issue")
    patchset = text_of(document, "patchset")
    landed = _landed(content.path)
    parts = (commit, issue, patchset, landed.isoformat() if landed else "")
    return _Run(
        "" if issue else commit,
        landed,
        "/".join(part for part in parts if part),
        _pairs(document, "key"),
        {
            **attributes_of(commit=commit if issue else "", issue=issue, patchset=patchset),
            **_links(document),
        },
    )


def _landed(path: PurePath | None) -> datetime | None:
    """The hour that the folders of Perf's storage name."""
    match = _HOUR.search(path.parent.as_posix()) if path is not None else None
    try:
        return datetime.strptime(match[1], "%Y/%m/%d/%H").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def _pairs(table: Mapping[str, Any], name: str) -> dict[str, str]:
    part = table_of(table, name)
    return {key: text for key in part if (text := text_of(part, key))}


def _links(table: Mapping[str, Any]) -> dict[str, str]:
    return {f"link {name}": shortened(url) for name, url in _pairs(table, "links").items()}


def _add(collector: Collector, where: str, run: _Run, result: Mapping[str, Any]) -> None:
    labels = {**run.key, **_pairs(result, "key")}
    unit = labels.pop("units", "") or labels.pop("unit", "")
    direction = _DIRECTIONS.get(labels.pop("improvement_direction", "").casefold())
    statistic = labels.get("stat", "")
    benchmark = labels.pop("test", "")
    for axis, value, number, more in _measurements(result):
        named = value if axis == _SUB_RESULT else f"{axis}.{value}"
        key = make_key(where, benchmark=benchmark, metric=named if axis else "value", labels=labels)
        told = value.rpartition("_")[2] if axis == _SUB_RESULT else axis
        attributes = {**run.attributes, **more}
        if number is None:
            reason = "no finite measurement"
            collector.failures.append(
                Failure(key, run.revision, run.landed, reason, where, attributes)
            )
            continue
        collector.add(
            Measurement(
                key,
                run.revision,
                run.landed,
                (number,),
                checked_unit(where, unit or (told if told in _UNITS else "")),
                None if {statistic, value} & _UNDIRECTED else direction,
                run.name,
                attributes,
            )
        )


def _measurements(
    result: Mapping[str, Any],
) -> Iterator[tuple[str, str, float | None, Mapping[str, str]]]:
    """Axis, value, number and links of each measurement of a result."""
    axes = table_of(result, "measurements")
    if not axes:
        yield "", "", finite(result.get("measurement")), {}
    for axis, listed in axes.items():
        for single in listed if isinstance(listed, list) else []:
            if isinstance(single, dict) and text_of(single, "value"):
                number = finite(single.get("measurement"))
                yield axis, text_of(single, "value"), number, _links(single)
