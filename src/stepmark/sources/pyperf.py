# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of pyperf (``-o``, ``--append``) and of pyperformance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    read_time,
    table_of,
    text_of,
)

DEFAULT_UNIT = "second"
METRICS = {"second": "time", "byte": "memory"}

# Attributes, by the names that pyperf and pyperformance have for them.
_ATTRIBUTES = {
    "machine": "hostname",
    "cpu": "cpu_model_name",
    "python": "python_version",
    "platform": "platform",
    "pyperf": "perf_version",
    "pyperformance": "performance_version",
    "commit": "commit_id",
    "branch": "commit_branch",
    "command": "command",
    "statement": "timeit_stmt",
}


@dataclass(frozen=True, slots=True)
class Pyperf:
    """JSON of pyperf, formats 1.0, 6 and 5: the values of each benchmark's runs.

    The benchmark is its name. The metric is ``time`` (unit ``second``), ``memory`` (``byte``, of
    ``--track-memory``, ``--tracemalloc`` and ``pyperf convert --extract-metadata``) or ``value``
    (``integer``); lower is better, as ``pyperf compare_to`` has it. Samples are the values of all
    runs; warm-ups and runs that only calibrate are left out, and a benchmark that has no others is
    a failure.

    pyperformance adds the commit: it is the revision, and its date the time, unless a patch was
    applied. Otherwise the time is that of the first run, in UTC as pyperf writes no offset. Runs of
    different machines are different series (see `machines.separate_machines`).
    """

    name: ClassVar[str] = "pyperf"
    title: ClassVar[str] = "pyperf: JSON files of -o or --append, and of pyperformance"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with a version and benchmarks of runs."""
        return looks_like_json(content, b"version", b"benchmarks", b"runs")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all benchmarks; raises `InputError` if it is no file of pyperf."""
        document = load_json(content)
        benchmarks = document.get("benchmarks") if isinstance(document, dict) else None
        if not isinstance(benchmarks, list):
            raise InputError(f"{content.name}: no result of pyperf: no benchmarks list")
        if document.get("version") not in ("1.0", 6, 5):
            raise InputError(
                f"{content.name}: format {str(document.get('version'))[:20]!r} of pyperf is not"
                " known; 1.0, 6 and 5 are"
            )
        collector = Collector(content)
        common = table_of(document, "metadata")
        for place, entry in enumerate(benchmarks):
            where = f"benchmarks[{place}]"
            if isinstance(entry, dict) and isinstance(entry.get("runs"), list):
                _add(collector, content.name, where, common, entry)
            else:
                collector.skip(None, f"{where}: no runs")
        return collector.parsed("no benchmarks in it")


def _add(
    collector: Collector,
    file: str,
    where: str,
    common: Mapping[str, Any],
    entry: Mapping[str, Any],
) -> None:
    runs = [run for run in entry["runs"] if isinstance(run, dict)]
    # Format 5 calls them common_metadata.
    own = table_of(entry, "metadata") or table_of(entry, "common_metadata")
    # What is not the same in all runs stands with each run only; the first has it all.
    first = table_of(runs[0], "metadata") if runs else {}
    metadata = {**first, **common, **own}
    name = text_of(metadata, "name")
    if not name:
        collector.skip(None, f"{where}: no name")
        return
    unit = text_of(metadata, "unit") or DEFAULT_UNIT
    place = f"{file}: {where}"
    key = make_key(place, benchmark=name, metric=METRICS.get(unit, "value"))
    clean = not text_of(metadata, "patch_file")
    commit = text_of(metadata, "commit_id") if clean else ""
    started = _started(runs, metadata)
    committed = text_of(metadata, "commit_date") if commit else ""
    landed = read_time(place, committed or started)
    attributes = _attributes(metadata, clean=clean)
    values, reason = _values(runs)
    if reason:
        collector.failures.append(Failure(key, commit, landed, reason, file, attributes))
        return
    run = f"{text_of(metadata, 'hostname')}/{started}" if started else ""
    collector.add(
        Measurement(
            key,
            commit,
            landed,
            values,
            checked_unit(place, unit),
            Direction.LOWER,
            run,
            attributes,
        )
    )


def _values(runs: Sequence[Mapping[str, Any]]) -> tuple[tuple[float, ...], str]:
    """The values of all runs, or why there are none."""
    raw = list(_raw_values(runs))
    numbers = tuple(number for number in map(finite, raw) if number is not None)
    if not raw:
        return (), "no values, only runs that calibrate"
    if len(numbers) < len(raw):
        return (), "a value is not a finite number"
    return numbers, ""


def _raw_values(runs: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    for run in runs:
        found = run.get("values", run.get("samples"))
        if isinstance(found, list):
            yield from found


def _started(runs: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any]) -> str:
    """The date of the first run, as it is written; all have the same form."""
    dates = [text_of(table_of(run, "metadata"), "date") for run in runs]
    return min(filter(None, dates), default=text_of(metadata, "date"))


def _attributes(metadata: Mapping[str, Any], *, clean: bool) -> dict[str, str]:
    found = {name: text_of(metadata, own) for name, own in _ATTRIBUTES.items()}
    return attributes_of(**found, dirty="" if clean else "yes")
