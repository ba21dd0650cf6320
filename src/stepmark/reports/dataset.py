# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Data sets for people: what they hold, and their tables as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.overview import Overview, SeriesOverview
from stepmark.datasets.spreadsheet import LABELS, POSITION, SERIES
from stepmark.errors import InputError
from stepmark.reports import words
from stepmark.reports.csv import text_cell
from stepmark.reports.markdown import code, free
from stepmark.reports.sheets import Sheet, markdown_lines, text_lines
from stepmark.reports.text import finished

SCHEMA = "stepmark.dataset-info/1"

_MOST_ROWS = 200
_MOST_PROVENANCE = 20
_NAME_WIDTH = 32  # in a terminal
_WIDTH = 78
_HEAD = ("series", "points", "missing", "gaps", "annotators", "changes")


def render(found: Overview, output: str) -> str:
    """*found* as ``text``, ``markdown`` or ``json`` (schema ``stepmark.dataset-info/1``)."""
    if output == "json":
        return json.dumps(_json(found), indent=1) + "\n"
    return _markdown(found) if output == "markdown" else _text(found)


def headline(found: Overview) -> str:
    """The data set in one line."""
    missing = f", {found.missing:,} missing" if found.missing else ""
    return (
        f"{words.plural(len(found.series), 'series')}, {words.plural(found.points, 'point')}"
        f"{missing}, {words.plural(len(found.annotators), 'annotator')},"
        f" {words.plural(found.labels, 'label')}"
    )


def _text(found: Overview) -> str:
    lines = [f"{words.name(found.name)}: {headline(found)}", ""]
    lines += [f"  {line}" for line in text_lines(_sheet(found, _NAME_WIDTH), _WIDTH)]
    lines += [f"  {line}" for line in _more(found)]
    lines += ["", *(f"{what}: {words.clean(value)}" for what, value in _provenance(found))]
    return finished(lines)


def _markdown(found: Overview) -> str:
    lines = [f"## {free(words.name(found.name))}: {headline(found)}", ""]
    lines += [*markdown_lines(_sheet(found), code), "", *_more(found), ""]
    lines += [f"- {what}: {free(words.clean(value))}" for what, value in _provenance(found)]
    return "\n".join(lines).rstrip() + "\n"


def _sheet(found: Overview, longest: int = 120) -> Sheet:
    """A row a series, names of at most *longest* characters."""
    return Sheet.plain(_HEAD, (_cells(item, longest) for item in found.series[:_MOST_ROWS]))


def _cells(item: SeriesOverview, longest: int) -> tuple[str, ...]:
    """Name and numbers of a series; changes as least to most where the annotators differ."""
    counts = sorted(item.changes.values())
    changes = words.NONE
    if counts:
        least, most = counts[0], counts[-1]
        changes = str(least) if least == most else f"{least} to {most}"
    present = item.length - item.missing
    numbers = (present, item.missing, item.gaps, len(item.changes))
    return (words.name(item.name, longest), *(f"{number:,}" for number in numbers), changes)


def _more(found: Overview) -> list[str]:
    more = len(found.series) - _MOST_ROWS
    return [f"and {words.plural(more, 'series')} more (--output json shows all)"] * (more > 0)


def _provenance(found: Overview) -> Iterator[tuple[str, str]]:
    for what, value in sorted(found.provenance.items())[:_MOST_PROVENANCE]:
        yield free(words.clean(what, 40)), value
    yield "digest", found.digest


def _json(found: Overview) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": found.name,
        "points": found.points,
        "missing": found.missing,
        "annotators": list(found.annotators),
        "labels": found.labels,
        "provenance": dict(found.provenance),
        "digest": found.digest,
        "series": [
            {
                "name": item.name,
                "length": item.length,
                "points": item.length - item.missing,
                "missing": item.missing,
                "gaps": item.gaps,
                "changes": dict(item.changes),
                "first": item.first.isoformat() if item.first is not None else None,
                "last": item.last.isoformat() if item.last is not None else None,
            }
            for item in found.series
        ],
    }


def csv_files(dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    """`series.csv` and `labels.csv`, as `datasets.spreadsheet` reads them.

    A name that a spreadsheet would run as a formula starts with an apostrophe. Raises `InputError`
    where two names would be the same.
    """
    names = {member.name: text_cell(member.name) for member in dataset}
    if len(set(names.values())) < len(names):
        raise InputError(f"{dataset.name}: names that differ only unseen; rename the series")
    head = ("benchmark", POSITION, "time", "revision", "value", "unit", "direction")
    rows = (row for member in dataset for row in _points(names[member.name], member))
    yield SERIES, _table(head, rows)
    labels = (
        (names[member.name], text_cell(who), place)
        for member in dataset
        for who, places in member.annotations
        for place in (places or ("",))
    )
    yield LABELS, _table(("series", "annotator", POSITION), labels)


def csv_losses(dataset: Dataset) -> list[str]:
    """What of *dataset* has no place in the tables, as words; empty if they keep it whole."""
    points = [point for member in dataset for point in member.series.points]
    lost = {
        "replicates (their mean is kept)": any(len(p.samples) > 1 for p in points),
        "attributes of points": any(p.attributes for p in points),
        "projects, metrics and labels of keys": any(
            m.series.key.project or m.series.key.labels or m.series.key.metric != "value"
            for m in dataset
        ),
        "missing points at the end": any(
            not m.series.points or m.series.points[-1].position < m.length - 1 for m in dataset
        ),
        "facts": any(m.facts for m in dataset),
        "provenance": bool(dataset.provenance),
    }
    return [what for what, is_lost in lost.items() if is_lost]


def _points(name: str, member: LabelledSeries) -> Iterator[tuple[Any, ...]]:
    series = member.series
    unit = text_cell(series.unit)
    direction = series.direction.value if series.direction else ""
    for point in series.points:
        time = point.landed.isoformat() if point.landed is not None else ""
        revision = text_cell(point.revision)
        yield name, point.position, time, revision, repr(point.value()), unit, direction


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "backslashreplace")
