# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results as they are posted to codespeed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.series import Direction, Failure, Measurement, SeriesKey
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.tables import to_number
from stepmark.sources.text import load_json, looks_like_json
from stepmark.sources.values import (
    attributes_of,
    checked_unit,
    finite,
    make_key,
    read_time,
    text_of,
)

_NEEDED = ("commitid", "project", "executable", "benchmark", "environment")
_SHOWN = ("branch", "std_dev", "min", "max", "q1", "q3", "result_date", "description")
_DIRECTIONS = {
    "true": Direction.LOWER,
    "1": Direction.LOWER,
    "false": Direction.HIGHER,
    "0": Direction.HIGHER,
}


@dataclass(frozen=True, slots=True)
class Codespeed:
    """The JSON of codespeed's ``result/add/json/``: a list of results, or a single one.

    Project and benchmark are what they are called there, executable and environment are labels,
    and the metric is ``value``. The revision is ``commitid``, its time ``revision_date`` (else
    ``result_date``); branch, deviation, extremes and quartiles are attributes. Results of one
    commit, benchmark, executable and environment with one date are replicates. Unit and direction
    are those of ``units`` and ``lessisbetter``; where a result leaves them to the server, they are
    unknown.
    """

    name: ClassVar[str] = "codespeed"
    title: ClassVar[str] = "codespeed: JSON posted to result/add/json"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with the fields that codespeed requires."""
        return looks_like_json(content, b"commitid", b"executable", b"result_value")

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all results; raises `InputError` if none has what codespeed requires."""
        document = load_json(content)
        collector = Collector(content)
        found: dict[tuple[SeriesKey, str], Measurement] = {}
        for place, entry in enumerate(document if isinstance(document, list) else [document]):
            where = f"results[{place}]"
            if not isinstance(entry, dict):
                collector.skip(None, f"{where}: not an object")
                continue
            missing = [name for name in _NEEDED if not text_of(entry, name)]
            if missing:
                collector.skip(None, f"{where}: no {', '.join(missing)}")
                continue
            made = _result(f"{content.name}: {where}", entry)
            if isinstance(made, Failure):
                collector.failures.append(made)
                continue
            earlier = found.get((made.key, made.run))
            samples = earlier.samples if earlier is not None else ()
            found[made.key, made.run] = replace(made, samples=(*samples, *made.samples))
        for made in found.values():
            collector.add(made)
        return collector.parsed("no results in it")


def _result(where: str, entry: Mapping[str, Any]) -> Measurement | Failure:
    key = make_key(
        where,
        project=text_of(entry, "project"),
        benchmark=text_of(entry, "benchmark"),
        labels={name: text_of(entry, name) for name in ("executable", "environment")},
    )
    revision = text_of(entry, "commitid")
    landed = _time(where, entry, "revision_date") or _time(where, entry, "result_date")
    attributes = attributes_of(**{name: text_of(entry, name) for name in _SHOWN})
    number = _number(entry.get("result_value"))
    if number is None:
        return Failure(key, revision, landed, "no finite result_value", where, attributes)
    less = entry.get("lessisbetter")
    return Measurement(
        key,
        revision,
        landed,
        (number,),
        checked_unit(where, text_of(entry, "units")),
        _DIRECTIONS.get(str(less).strip().casefold()),
        f"{text_of(entry, 'branch')}/{revision}/{text_of(entry, 'result_date')}",
        attributes,
    )


def _number(value: Any) -> float | None:
    """A number, also as the text that a form sends."""
    if not isinstance(value, str):
        return finite(value)
    try:
        return to_number(value)
    except ValueError:
        return None


def _time(where: str, entry: Mapping[str, Any], name: str) -> datetime | None:
    text = text_of(entry, name)
    if text in ("", "None"):  # what a client sends that has no date
        return None
    return read_time(f"{where}: {name}", text)
