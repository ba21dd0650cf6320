# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Saved runs of pytest-benchmark (``--benchmark-save``, ``--benchmark-json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json
from stepmark.sources.values import (
    attributes_of,
    finite,
    make_key,
    read_time,
    table_of,
    text_of,
)

METRIC = "time"
UNIT = "s"


@dataclass(frozen=True, slots=True)
class PytestBenchmark:
    """JSON of pytest-benchmark: the times of each benchmark's rounds, in seconds.

    The benchmark is its full name without the bracketed parameters, which become labels (``param``
    if only their text is known). Samples are the rounds if they were saved, otherwise their mean.
    The revision is the commit unless the working tree was dirty; then the time is that of the run.

    Runs of different machines are different series: where several files name more than one node,
    the node becomes a label (see `machines.separate_machines`).
    """

    name: ClassVar[str] = "pytest-benchmark"
    title: ClassVar[str] = "pytest-benchmark: JSON files of --benchmark-save or --benchmark-json"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with the sections that pytest-benchmark writes."""
        return looks_like_json(content, b"machine_info", b"benchmarks")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all benchmarks of a run; raises `InputError` if it is no saved run."""
        document = load_json(content)
        if not isinstance(document, dict) or not isinstance(document.get("benchmarks"), list):
            raise InputError(
                f"{content.name}: no saved run of pytest-benchmark: no benchmarks list"
            )
        collector = Collector(content)
        run = _run(content.name, document)
        for place, entry in enumerate(document["benchmarks"]):
            if isinstance(entry, dict) and text_of(entry, "fullname"):
                _add(collector, content.name, run, entry)
            else:
                collector.skip(None, f"benchmarks[{place}]: no fullname")
        return collector.parsed("no benchmarks in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all benchmarks of one file."""

    name: str
    revision: str
    landed: datetime | None
    attributes: Mapping[str, str]


def _run(where: str, document: Mapping[str, Any]) -> _Run:
    commit, machine = table_of(document, "commit_info"), table_of(document, "machine_info")
    cpu = table_of(machine, "cpu")
    identity = text_of(commit, "id")
    known = identity not in ("", "unversioned")
    dirty = commit.get("dirty") is True
    started = text_of(document, "datetime")
    branch = text_of(commit, "branch")
    attributes = attributes_of(
        machine=text_of(machine, "node"),
        cpu=text_of(cpu, "brand_raw") or text_of(cpu, "brand"),
        python=text_of(machine, "python_version"),
        branch="" if branch.startswith("(") else branch,
        commit=identity if known else "",
        dirty="yes" if known and dirty else "",
    )
    clean = known and not dirty
    landed = (text_of(commit, "time") if clean else "") or started
    node = text_of(machine, "node")
    return _Run(
        f"{node}/{started}" if started else "",
        identity if clean else "",
        read_time(where, landed),
        attributes,
    )


def _add(collector: Collector, where: str, run: _Run, entry: Mapping[str, Any]) -> None:
    fullname = text_of(entry, "fullname")
    benchmark, labels = _identity(fullname, entry)
    key = make_key(where, benchmark=benchmark, metric=METRIC, labels=labels)
    group = attributes_of(group=text_of(entry, "group"))
    attributes = {**run.attributes, **group} if group else run.attributes
    stats = table_of(entry, "stats")
    data = stats.get("data")
    raw = data if isinstance(data, list) and data else [stats.get("mean")]
    samples = [number for number in map(finite, raw) if number is not None]
    if len(samples) < len(raw):
        reason = "no finite time" if "mean" in stats or data else "no stats: it did not finish"
        failure = Failure(key, run.revision, run.landed, reason, where, attributes)
        collector.failures.append(failure)
        return
    collector.add(
        Measurement(
            key,
            run.revision,
            run.landed,
            tuple(samples),
            UNIT,
            Direction.LOWER,
            f"{run.name}/{fullname}" if run.name else "",
            attributes,
        )
    )


def _identity(fullname: str, entry: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The name without parameters, and the parameters."""
    param = text_of(entry, "param")
    if param and fullname.endswith(f"[{param}]"):
        benchmark = fullname.removesuffix(f"[{param}]")
    elif fullname.endswith("]") and "[" in fullname:
        benchmark, _, param = fullname[:-1].partition("[")
    else:
        return fullname, {}
    params = entry.get("params")
    if isinstance(params, dict) and params:
        labels = {str(name): _written(value) for name, value in params.items()}
        # What pytest-benchmark cannot save it writes with its address, new in each run.
        if not any(value.startswith("UNSERIALIZABLE[") for value in labels.values()):
            return benchmark, labels
    return benchmark, {"param": param}


def _written(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
