# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labelled data as two tables that any spreadsheet opens: `series.csv` and `labels.csv`.

`series.csv` is any CSV that Stepmark reads; a column ``position`` says where points are missing.
`labels.csv` has the columns ``series`` and ``annotator`` and the place as ``position`` or as
``revision`` (of the first point of the new level); neither: the annotator saw no change.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from stepmark.config import Columns
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.errors import InputError
from stepmark.series import Point, Series, SeriesKey, Skipped, assemble
from stepmark.sources.base import Limits
from stepmark.sources.csv import CSV
from stepmark.sources.reading import read_content
from stepmark.sources.tables import normal
from stepmark.sources.text import decoded, shown

SERIES, LABELS = "series.csv", "labels.csv"
POSITION = "position"

_LONGEST_CELL = 4096
_Label = tuple[str, str, str]
"""Place in the file, position and revision, as they are written."""


def is_folder(folder: Path) -> bool:
    """Whether *folder* has the form."""
    return (folder / SERIES).is_file() and (folder / LABELS).is_file()


def name_of(key: SeriesKey) -> str:
    """What `labels.csv` calls a series: its key; of the metric ``value`` the benchmark alone."""
    return str(key).removesuffix("/value")


def read_folder(
    folder: Path,
    skipped: list[Skipped] | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Dataset:
    """The labelled series of *folder*, in order of their first rows.

    Series without labels, and labels that fit no series, are left out, and a line is added to
    *skipped* for each. Raises `InputError` if a table cannot be read, or nothing is left.
    """
    content = read_content(folder / SERIES, limits)
    parsed = CSV().parse(content, Columns())
    left_out = list(parsed.skipped)
    labels = _labels(folder / LABELS, limits)
    members = []
    for series in assemble(parsed.measurements, left_out):
        name = name_of(series.key)
        found = labels.pop(name, None)
        if found is None:
            left_out.append(Skipped(content.name, f"no labels of {shown(name)} in {LABELS}"))
            continue
        try:
            members.append(_member(name, series, found))
        except InputError as error:
            left_out.append(Skipped(str(folder / LABELS), str(error)))
    left_out += [
        Skipped(str(folder / LABELS), f"labels of {shown(name)}, but no such series in {SERIES}")
        for name in labels
    ]
    if not members:
        because = f": {left_out[0].reason}" if left_out else ""
        raise InputError(f"{folder}: no labelled series could be read{because}")
    if skipped is not None:
        skipped += left_out
    return Dataset(folder.resolve().name, tuple(members))


def _labels(path: Path, limits: Limits) -> dict[str, dict[str, list[_Label]]]:
    """The labels by annotator by series, as they are written."""
    labels: dict[str, dict[str, list[_Label]]] = {}
    for place, row in _rows(path, limits):
        name, who = row.get("series", ""), row.get("annotator", "")
        if not name or not who:
            raise InputError(f"{place}: a series or an annotator is missing")
        given = labels.setdefault(name, {}).setdefault(who, [])
        if row.get(POSITION) or row.get("revision"):
            given.append((place, row.get(POSITION, ""), row.get("revision", "")))
    return labels


def _rows(path: Path, limits: Limits) -> Iterator[tuple[str, dict[str, str]]]:
    """Place and cells by column of each row that is not empty."""
    text = decoded(read_content(path, limits))
    reader = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        header = [normal(cell) for cell in next(reader, [])]
        if not {"series", "annotator"} <= set(header) or not {POSITION, "revision"} & set(header):
            raise InputError(
                f"{path}:1: labels have the columns series, annotator, and position or revision"
            )
        for count, cells in enumerate(reader):
            place = f"{path}:{reader.line_num}"
            if count >= limits.max_measurements:
                raise InputError(f"{path}: more than {limits.max_measurements:,} labels")
            if len(cells) > len(header) or any(len(cell) > _LONGEST_CELL for cell in cells):
                raise InputError(f"{place}: more cells than columns, or a cell too long")
            row = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
            if any(row.values()):
                yield place, row
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not valid CSV: {error}") from None


def _member(name: str, series: Series, labels: dict[str, list[_Label]]) -> LabelledSeries:
    series = _placed(series)
    length = series.points[-1].position + 1
    annotations = {
        who: tuple(_place(series.points, *label) for label in given)
        for who, given in labels.items()
    }
    return LabelledSeries(name, series, length, tuple(annotations.items()))


def _placed(series: Series) -> Series:
    """*series* with the positions that its column says, else as its points stand."""
    told = [point.attributes.get(POSITION, "") for point in series.points]
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in told):
        places = list(range(len(told)))
    else:
        places = [int(text) for text in told]
        if sorted(set(places)) != places:
            raise InputError(f"{series.key}: the positions in {SERIES} do not rise")
    points = tuple(
        replace(
            point,
            position=place,
            attributes={k: v for k, v in point.attributes.items() if k != POSITION},
        )
        for point, place in zip(series.points, places, strict=True)
    )
    return replace(series, points=points)


def _place(points: tuple[Point, ...], where: str, position: str, revision: str) -> int:
    """The position that a label means."""
    if position:
        if not (position.isascii() and position.isdigit() and len(position) < 10):
            raise InputError(f"{where}: position {shown(position)} is no whole number")
        return int(position)
    found = [point.position for point in points if point.revision == revision]
    if len(found) != 1:
        raise InputError(f"{where}: revision {shown(revision)} is not that of one point")
    return found[0]
