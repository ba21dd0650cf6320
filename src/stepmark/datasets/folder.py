# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labelled data in Stepmark's own form: a folder of Parquet tables and one JSON document.

========================  ==================================================================
``dataset.json``          schema ``stepmark.dataset/1``, name, series, provenance, digest
``series.parquet``        one row a point: series, position, value, time, revision, attributes
``samples.parquet``       one row a replicate: series, position, value; only if there are any
``labels.parquet``        one row a label: series, annotator, position (null: saw no change)
========================  ==================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import stepmark
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.parquet import Columns, read_table, table_bytes
from stepmark.datasets.writing import write_dataset
from stepmark.errors import InputError, LimitError, UsageError
from stepmark.extras import require
from stepmark.files import File, json_bytes
from stepmark.series import Point, Series, SeriesKey, Skipped, parse_direction
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content
from stepmark.sources.text import load_json, shown
from stepmark.sources.values import finite, make_key, table_of, text_of

SCHEMA = "stepmark.dataset/1"
DOCUMENT = "dataset.json"
POINTS: Columns = {
    "series": "text",
    "position": "whole",
    "value": "number",
    "time": "time",
    "revision": "text",
    "attributes": "text",
}
SAMPLES: Columns = {"series": "text", "position": "whole", "value": "number"}
LABELS: Columns = {"series": "text", "annotator": "text", "position": "whole"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def is_folder(folder: Path) -> bool:
    """Whether *folder* has the form."""
    return (folder / DOCUMENT).is_file()


def digest(dataset: Dataset) -> str:
    """A hash of all that *dataset* says of its series, whatever form it is kept in.

    Of each series, in order: name, length, key, unit, direction, facts, labels, and of each point
    position, revision, time in UTC, samples (as `repr` writes them) and attributes; as JSON with
    sorted keys, one line a series, hashed with SHA-256.
    """
    made = hashlib.sha256()
    for member in dataset:
        described = {
            **_description(member),
            "labels": [[who, list(places)] for who, places in member.annotations],
            "points": [
                [p.position, p.revision, _micros(p), list(p.samples), dict(p.attributes)]
                for p in member.series.points
            ],
        }
        line = json.dumps(described, sort_keys=True, separators=(",", ":")) + "\n"
        made.update(line.encode())
    return f"sha256:{made.hexdigest()}"


def write_folder_of(dataset: Dataset, folder: Path, *, force: bool = False) -> None:
    """Write *dataset* so that `read_folder` gives it back whole.

    Raises `OutputError` if *folder* holds something else, or a data set and not *force*;
    `UsageError` where polars is not installed.
    """
    require("polars")
    write_dataset(folder, _written(dataset), force=force)


def read_folder(
    folder: Path,
    skipped: list[Skipped] | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Dataset:
    """The data set in *folder*.

    Series whose rows or labels do not fit are left out, and a line is added to *skipped* for each.
    Raises `InputError` if a file cannot be read, the content is not what its digest says (without
    a digest it is not compared), or nothing is left.
    """
    path = folder / DOCUMENT
    document = _document(path, limits)
    points = _points(folder, limits)
    labels = _labels(folder, limits)
    members, left_out = [], []
    for place, entry in enumerate(document["series"]):
        try:
            members.append(_member(f"{path}: series[{place}]", entry, points, labels, limits))
        except InputError as error:
            left_out.append(Skipped(str(folder), str(error)))
    for kind, others in (("points", points), ("labels", labels)):
        left_out += [
            Skipped(str(folder), f"{kind} of {shown(name)}, which {DOCUMENT} does not list")
            for name in others
        ]
    if not members:
        raise InputError(f"{folder}: no series{f': {left_out[0].reason}' if left_out else ''}")
    provenance = {k: str(v) for k, v in table_of(document, "provenance").items()}
    name = _word(document, "name") or folder.resolve().name
    dataset = Dataset(name, tuple(members), provenance)
    expected = text_of(document, "digest")
    if expected and not left_out and digest(dataset) != expected:
        raise InputError(
            f"{folder}: its content is not what the digest in {DOCUMENT} says: a table was changed;"
            f' restore it, or remove "digest" from {DOCUMENT} to accept the change'
        )
    if skipped is not None:
        skipped += left_out
    return dataset


def _description(member: LabelledSeries) -> dict[str, Any]:
    """What `dataset.json` says of a series."""
    series, key = member.series, member.series.key
    return {
        "name": member.name,
        "length": member.length,
        "key": {
            "project": key.project,
            "benchmark": key.benchmark,
            "metric": key.metric,
            "labels": key.label_map,
        },
        "unit": series.unit,
        "direction": series.direction.value if series.direction else None,
        "facts": dict(member.facts),
    }


def _micros(point: Point) -> int | None:
    return None if point.landed is None else (point.landed - _EPOCH) // _MICROSECOND


def _written(dataset: Dataset) -> Iterator[File]:
    document = {
        "schema": SCHEMA,
        "name": dataset.name,
        "written_by": f"stepmark {stepmark.__version__}",
        "provenance": dict(dataset.provenance),
        "digest": digest(dataset),
        "series": [_description(member) for member in dataset],
    }
    yield DOCUMENT, json_bytes(document)
    points = [
        (m.name, p.position, p.value(), _micros(p), p.revision, _text_of(p.attributes))
        for m in dataset
        for p in m.series.points
    ]
    yield "series.parquet", _table(POINTS, points)
    samples = [
        (m.name, p.position, sample)
        for m in dataset
        for p in m.series.points
        if len(p.samples) > 1
        for sample in p.samples
    ]
    if samples:
        yield "samples.parquet", _table(SAMPLES, samples)
    labels = [
        (m.name, who, place)
        for m in dataset
        for who, places in m.annotations
        for place in (places or (None,))
    ]
    yield "labels.parquet", _table(LABELS, labels)


def _table(columns: Columns, rows: list[tuple[Any, ...]]) -> bytes:
    by_column = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return table_bytes(columns, dict(zip(columns, by_column, strict=True)))


def _text_of(attributes: Mapping[str, str]) -> str | None:
    return json.dumps(dict(attributes), sort_keys=True) if attributes else None


def _document(path: Path, limits: Limits) -> dict[str, Any]:
    document = load_json(read_content(path, limits))
    if not isinstance(document, dict) or not isinstance(document.get("series"), list):
        raise InputError(f"{path}: no data set: no list series")
    if document.get("schema") != SCHEMA:
        raise InputError(
            f"{path}: schema is {shown(text_of(document, 'schema'))}, where {SCHEMA} can be read;"
            " upgrade Stepmark, or convert the data set with the version that wrote it"
        )
    return document


_Points = dict[str, list[Point]]
_Labels = dict[str, dict[str, list[int]]]


def _points(folder: Path, limits: Limits) -> _Points:
    """The points by series, in order of the rows."""
    path = folder / "series.parquet"
    samples = _samples(folder / "samples.parquet", limits)
    points: _Points = {}
    attributes: dict[str, dict[str, str]] = {}
    for row, cells in enumerate(_rows(path, POINTS, limits)):
        name, position, value, micros, revision, text = cells
        if name is None or position is None or position < 0 or finite(value) is None:
            raise InputError(f"{path}: row {row}: a series, position or value is missing or wrong")
        if text is not None and text not in attributes:
            attributes[text] = _attributes(f"{path}: row {row}", text)
        found = points.setdefault(name, [])
        if found and position <= found[-1].position:
            raise InputError(f"{path}: row {row}: positions of {shown(name)} do not rise")
        if len(found) >= limits.max_points:
            raise LimitError(f"{path}: {shown(name)} has more than {limits.max_points:,} points")
        found.append(
            Point(
                revision or "",
                _time(f"{path}: row {row}", micros),
                tuple(samples.pop((name, position), (value,))),
                position,
                attributes[text] if text is not None else {},
            )
        )
    if samples:
        name, position = next(iter(samples))
        raise InputError(
            f"{folder}: samples of {shown(str(name))} at {position}, where no point is"
        )
    return points


def _samples(path: Path, limits: Limits) -> dict[tuple[str, int], list[float]]:
    samples: dict[tuple[str, int], list[float]] = {}
    if path.exists():
        for row, (name, position, value) in enumerate(_rows(path, SAMPLES, limits)):
            if finite(value) is None:
                raise InputError(f"{path}: row {row}: value is missing or no number")
            samples.setdefault((name, position), []).append(value)
    return samples


def _labels(folder: Path, limits: Limits) -> _Labels:
    """The places by annotator by series."""
    path = folder / "labels.parquet"
    labels: _Labels = {}
    for row, (name, who, place) in enumerate(_rows(path, LABELS, limits)):
        if name is None or who is None:
            raise InputError(f"{path}: row {row}: series or annotator is missing")
        places = labels.setdefault(name, {}).setdefault(who, [])
        if place is not None:
            places.append(place)
    return labels


def _rows(path: Path, columns: Columns, limits: Limits) -> Iterable[tuple[Any, ...]]:
    return zip(*read_table(path, columns, limits).values(), strict=True)


def _time(where: str, micros: int | None) -> datetime | None:
    try:
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise InputError(f"{where}: time is out of range") from None


def _attributes(where: str, text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{where}: attributes are no JSON object")
    return {name: str(value) for name, value in found.items()}


def _member(
    where: str, entry: Any, points: _Points, labels: _Labels, limits: Limits
) -> LabelledSeries:
    """The series that *entry* describes; its rows are taken out of *points* and *labels*."""
    if not isinstance(entry, dict):
        raise InputError(f"{where}: no object")
    name, length = _word(entry, "name"), entry.get("length")
    if not name or type(length) is not int or not 0 <= length <= limits.max_points:
        raise InputError(f"{where}: name or length is missing or wrong")
    found, places = tuple(points.pop(name, ())), labels.pop(name, {})
    try:
        direction = parse_direction(entry.get("direction"))
    except UsageError as error:
        raise InputError(f"{where}: {error}") from None
    annotations = tuple((who, tuple(listed)) for who, listed in places.items())
    facts = {k: str(v) for k, v in table_of(entry, "facts").items()}
    series = Series(_key(where, table_of(entry, "key")), found, _word(entry, "unit"), direction)
    return LabelledSeries(name, series, length, annotations, facts)


def _word(table: Mapping[str, Any], key: str) -> str:
    """The text under *key* as it is, blanks included, so that it is written and read alike."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _key(where: str, table: Mapping[str, Any]) -> SeriesKey:
    labels = {name: str(value) for name, value in table_of(table, "labels").items()}
    return make_key(
        where,
        project=_word(table, "project"),
        benchmark=_word(table, "benchmark"),
        metric=_word(table, "metric"),
        labels=labels,
    )
