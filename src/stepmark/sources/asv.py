# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of airspeed velocity (asv): one file a commit, machine and environment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    read_time,
    table_of,
    text_of,
)

MACHINE = "machine.json"
BENCHMARKS = "benchmarks.json"
_ABOVE = f"../{BENCHMARKS}"

# By the first word of a benchmark's own name: metric, unit and direction. What a track_* benchmark
# returns is its author's choice.
_KINDS: dict[str, tuple[str, str, Direction | None]] = {
    "time": ("time", "seconds", Direction.LOWER),
    "timeraw": ("time", "seconds", Direction.LOWER),
    "mem": ("memory", "bytes", Direction.LOWER),
    "peakmem": ("peak memory", "bytes", Direction.LOWER),
    "track": ("value", "", None),
}
_BY_TYPE = {"time": "time", "memory": "mem", "peakmemory": "peakmem", "track": "track"}
_NO_UNIT = "unit"  # what asv writes where a track_* benchmark names none
_VERSION_LENGTH = 8
_MOST_PARAMETERS = 100_000


@dataclass(frozen=True, slots=True)
class ASV:
    """Results of asv, format 2 (and 1): a file, the folder of a machine, or the results folder.

    The benchmark is its name; the metric is ``time``, ``memory``, ``peak memory`` or ``value`` (of
    ``track_*``, whose direction nobody can know: lower is better for all others). Parameters are
    labels, named by ``benchmarks.json`` in the results folder (``param1``, ``param2``, ... without
    it), which also gives the unit. Labels as well are what asv takes for another series: the
    version of Python, pinned requirements, environment variables (``env-NAME``) and the benchmark's
    ``version`` (its first 8 characters), which changes with its code.

    Samples are those of ``--record-samples``, otherwise asv's result, which is their median. A
    result that is null failed; one that is NaN was skipped, and is no failure. Revision and time
    are those of the commit. Machine, processor, system and environment are attributes, the former
    completed from ``machine.json``; machines are different series (see
    `machines.separate_machines`).
    """

    name: ClassVar[str] = "asv"
    title: ClassVar[str] = "asv: a result file, the folder of a machine, or the results folder"
    by_machine: ClassVar[bool] = True
    beside: ClassVar[tuple[str, ...]] = (_ABOVE, MACHINE)

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with the fields of a result file."""
        return looks_like_json(
            content, b"commit_hash", b"requirements", b"python", b"params", b"results"
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read one result file; raises `InputError` if it is none, or names no commit."""
        document = load_json(content)
        if not isinstance(document, dict) or not isinstance(document.get("results"), dict):
            raise InputError(f"{content.name}: no result file of asv: no results")
        if not text_of(document, "commit_hash"):
            raise InputError(f"{content.name}: no result file of asv: no commit_hash")
        known = _companion(content, _ABOVE)
        run = _run(content, document)
        collector = Collector(content)
        for name, row in _rows(content.name, document):
            benchmark = _benchmark(name, row, run, table_of(known, name))
            for found in _found(content.name, benchmark, row, collector):
                if isinstance(found, Failure):
                    collector.failures.append(found)
                else:
                    collector.add(found)
        return collector.parsed("no results in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all results of one file."""

    run: str
    revision: str
    landed: datetime | None
    labels: dict[str, str]
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Benchmark:
    """One benchmark of a file: what it is called, what it measures, and its parameters' names."""

    run: _Run
    name: str
    metric: str
    unit: str
    direction: Direction | None
    version: str
    parameters: list[str]


def _run(content: Content, document: Mapping[str, Any]) -> _Run:
    params = {**_companion(content, MACHINE), **table_of(document, "params")}
    environment = text_of(document, "env_name")
    commit, machine = text_of(document, "commit_hash"), text_of(params, "machine")
    labels = {"python": text_of(document, "python")}
    requirements = table_of(document, "requirements")
    labels |= {name: text_of(requirements, name) for name in requirements}
    variables = table_of(document, "env_vars")
    labels |= {f"env-{name}": text_of(variables, name) for name in variables}
    return _Run(
        f"{machine}/{environment}/{commit}",
        commit,
        read_time(f"{content.name}: date", text_of(document, "date")),
        {label: text for label, text in labels.items() if text},
        attributes_of(
            machine=machine,
            cpu=text_of(params, "cpu"),
            num_cpu=text_of(params, "num_cpu"),
            arch=text_of(params, "arch"),
            os=text_of(params, "os"),
            ram=text_of(params, "ram"),
            environment=environment,
        ),
    )


def _benchmark(
    name: str, row: Mapping[str, Any], run: _Run, known: Mapping[str, Any]
) -> _Benchmark:
    own = name.rpartition(".")[2]
    word = _BY_TYPE.get(text_of(known, "type")) or own.partition("_")[0].casefold()
    metric, unit, direction = _KINDS.get(word, ("value", "", None))
    names = known.get("param_names")
    started = text_of(row, "started_at")
    return _Benchmark(
        # Measured anew, a commit's result is another measurement.
        replace(run, run=f"{run.run}/{started}") if started else run,
        name,
        metric,
        unit if text_of(known, "unit") in ("", _NO_UNIT) else text_of(known, "unit"),
        direction,
        text_of(row, "version")[:_VERSION_LENGTH],
        [str(one) for one in names] if isinstance(names, list) else [],
    )


def _rows(where: str, document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and columns of each result; trailing columns that are null are cut off."""
    columns = document.get("result_columns")
    versions = table_of(document, "benchmark_version")
    for name, row in document["results"].items():
        if isinstance(columns, list) and isinstance(row, list):
            yield name, dict(zip(map(str, columns), row, strict=False))
        elif columns is None:
            # Format 1: a bare number, or a table of its own.
            table = row if isinstance(row, dict) else {"result": row}
            yield name, {"version": versions.get(name), **table}
        else:
            raise InputError(f"{where}: results[{shown(name)}] does not fit result_columns")


def _found(
    where: str, benchmark: _Benchmark, row: Mapping[str, Any], collector: Collector
) -> Iterator[Measurement | Failure]:
    """What was measured with each combination of parameters."""
    run, place = benchmark.run, f"{where}: {shown(benchmark.name)}"
    values, samples = row.get("result"), row.get("samples")
    combinations = _combinations(place, row.get("params"))
    if values is None:
        values = [None] * len(combinations)
    elif not isinstance(values, list):
        values = [values]
    if len(values) != len(combinations):
        raise InputError(
            f"{place}: {len(values):,} results for {len(combinations):,} combinations of parameters"
        )
    checked_unit(place, benchmark.unit)
    recorded = samples if isinstance(samples, list) and len(samples) == len(values) else []
    for index, (value, combination) in enumerate(zip(values, combinations, strict=True)):
        labels = _labels(benchmark, combination)
        key = make_key(place, benchmark=benchmark.name, metric=benchmark.metric, labels=labels)
        numbers = _samples(value, recorded[index] if recorded else None)
        if numbers:
            yield Measurement(
                key,
                run.revision,
                run.landed,
                numbers,
                benchmark.unit,
                benchmark.direction,
                run.run,
                run.attributes,
            )
        elif isinstance(value, float) and math.isnan(value):
            collector.skip(None, f"{key}: skipped by its setup, or not selected")
        else:
            reason = "it failed" if value is None else f"{shown(str(value))} is no finite number"
            yield Failure(key, run.revision, run.landed, reason, where, run.attributes)


def _combinations(place: str, params: Any) -> list[tuple[str, ...]]:
    """All combinations of parameters, the last changing fastest; one empty one if none has any."""
    axes = params if isinstance(params, list) else []
    if not all(isinstance(axis, list) for axis in axes):
        raise InputError(f"{place}: params is not a list of lists")
    if math.prod(len(axis) for axis in axes) > _MOST_PARAMETERS:
        raise InputError(f"{place}: more than {_MOST_PARAMETERS:,} combinations of parameters")
    return list(product(*([str(value) for value in axis] for axis in axes)))


def _labels(benchmark: _Benchmark, combination: Sequence[str]) -> dict[str, str]:
    names = benchmark.parameters
    if len(names) != len(combination) or len(set(names)) != len(names):
        names = [f"param{place}" for place, _ in enumerate(combination, start=1)]
    labels = dict(zip(names, combination, strict=True))
    version = {"version": benchmark.version} if benchmark.version else {}
    for label, text in {**benchmark.run.labels, **version}.items():
        # A parameter may have the name of a requirement.
        labels[f"asv-{label}" if label in labels else label] = text
    return labels


def _samples(value: Any, recorded: Any) -> tuple[float, ...]:
    """The finite samples of one result, or else the result itself; none if it is no number."""
    number = finite(value)
    if number is None:
        return ()
    listed = recorded if isinstance(recorded, list) else []
    found = tuple(sample for sample in map(finite, listed) if sample is not None)
    return found if found and len(found) == len(listed) else (number,)


def _companion(content: Content, name: str) -> Mapping[str, Any]:
    """The object in the file of this name beside a result; empty if it is not there."""
    data = content.beside.get(name)
    if data is None:
        return {}
    try:
        found = _read(name, data)
    except InputError as error:
        raise InputError(f"{content.name}: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"{content.name}: {name} is no JSON object")
    return found


# One benchmarks.json lies beside thousands of results.
@lru_cache(maxsize=2)
def _read(name: str, data: bytes) -> Any:
    return load_json(Content(name, data))
