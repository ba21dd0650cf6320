# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Wall times of CodSpeed's integrations (``pytest --codspeed --codspeed-mode walltime``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.paths import short_paths
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import (
    attributes_of,
    finite,
    make_key,
    read_time,
    table_of,
    text_of,
)

METRIC = "time"
UNIT = "ns"
_STAMPED = re.compile(r"results_(\d{13})")
_RELEASE = re.compile(r"(\d+)\.(\d+)")
_FIRST_PER_ITERATION = (3, 2)


@dataclass(frozen=True, slots=True)
class CodSpeed:
    """JSON that pytest-codspeed, and CodSpeed's tools for other languages, write of wall times.

    The benchmark is its ``uri`` without the bracketed parameters, whose text is the label
    ``param``. Outside of a git repository the uri starts with the folder of the tests: of such a
    path as much is kept as tells the files of one run apart. The metric is ``time`` in ``ns``, its
    only sample the median of the rounds, as these are not saved; ``rounds`` is an attribute. Before
    pytest-codspeed 3.2 it is the time of a whole round, and is divided by the iterations of one.

    Nothing is said of the commit. The time is that in the name of the file
    (``results_<milliseconds>.json``) where it still has that name. Python and the integration's
    name and version are attributes. A benchmark that failed is not in the file.
    """

    name: ClassVar[str] = "codspeed"
    title: ClassVar[str] = "CodSpeed: wall times of pytest-codspeed and its like"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with a creator, an instrument and benchmarks."""
        return looks_like_json(content, b"creator", b"instrument", b"benchmarks", b"uri")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all benchmarks; raises `InputError` for instruments that measure no wall time."""
        document = load_json(content)
        if not isinstance(document, dict) or not isinstance(document.get("benchmarks"), list):
            raise InputError(f"{content.name}: no result of CodSpeed: no benchmarks list")
        instrument = text_of(table_of(document, "instrument"), "type")
        if instrument != "walltime":
            raise InputError(
                f"{content.name}: instrument {shown(instrument)} is not known; measure wall times"
                " (--codspeed-mode walltime)"
            )
        collector = Collector(content)
        run = _run(content, document)
        named = [
            (place, entry, text_of(entry, "uri") if isinstance(entry, dict) else "")
            for place, entry in enumerate(document["benchmarks"])
        ]
        files = short_paths(uri.partition("::")[0] for _, _, uri in named)
        for place, entry, uri in named:
            if uri:
                file, mark, rest = uri.partition("::")
                _add(collector, content.name, run, f"{files[file]}{mark}{rest}", entry)
            else:
                collector.skip(None, f"benchmarks[{place}]: no uri")
        return collector.parsed("no benchmarks in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all benchmarks of one file."""

    run: str
    landed: datetime | None
    per_round: bool
    attributes: dict[str, str]


def _run(content: Content, document: Mapping[str, Any]) -> _Run:
    creator = table_of(document, "creator")
    tool, version = text_of(creator, "name"), text_of(creator, "version")
    release = _RELEASE.match(version)
    stamp = _STAMPED.fullmatch(content.stem)
    system = table_of(table_of(document, "python"), "sysconfig")
    return _Run(
        f"{stamp[1]}/{text_of(creator, 'pid')}" if stamp else "",
        read_time(content.name, stamp[1]) if stamp else None,
        tool == "pytest-codspeed"
        and release is not None
        and (int(release[1]), int(release[2])) < _FIRST_PER_ITERATION,
        attributes_of(
            tool=f"{tool} {version}".strip(),
            python=text_of(system, "py_version"),
            platform=text_of(system, "HOST_GNU_TYPE"),
        ),
    )


def _add(collector: Collector, where: str, run: _Run, uri: str, entry: Mapping[str, Any]) -> None:
    benchmark, labels = uri, {}
    if uri.endswith("]") and "[" in uri:
        benchmark, _, param = uri[:-1].partition("[")
        labels = {"param": param}
    key = make_key(where, benchmark=benchmark, metric=METRIC, labels=labels)
    stats = table_of(entry, "stats")
    attributes = {**run.attributes, **attributes_of(rounds=text_of(stats, "rounds"))}
    median = finite(stats.get("median_ns"))
    iterations = finite(stats.get("iter_per_round")) if run.per_round else 1.0
    if median is None or not iterations or iterations < 1:
        failure = Failure(key, "", run.landed, "no finite median", where, attributes)
        collector.failures.append(failure)
        return
    samples = (median / iterations,)
    collector.add(
        Measurement(key, "", run.landed, samples, UNIT, Direction.LOWER, run.run, attributes)
    )
