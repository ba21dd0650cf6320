# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labelled data in the form of the Turing Change Point Dataset: a folder of JSON in and out.

A folder holds `annotations.json` (``{series: {annotator: [place, ...]}}``) and the data sets as
``datasets/<name>.json``, ``datasets/<name>/<name>.json``, or beside the annotations.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stepmark.config import Columns
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.writing import write_dataset
from stepmark.errors import InputError
from stepmark.files import File, file_name, json_bytes
from stepmark.series import Point, Series, Skipped
from stepmark.sources.base import Content, Limits, too_long
from stepmark.sources.reading import place_and_problem, read_content
from stepmark.sources.tcpd import TCPD, Document, read_document
from stepmark.sources.text import load_json, shown
from stepmark.sources.values import make_key, parse_time

ANNOTATIONS = "annotations.json"
DATASETS = "datasets"

Labels = Mapping[str, Mapping[str, Sequence[int]]]
"""Places by annotator by series."""

_EXACT = 1 << 53  # from here on not every whole number is a float
# Facts that have a place of their own in the file.
_LONGNAME, _FORMAT, _TIMES = "longname", "time_format", "times_of_missing"
_PLACED = (_LONGNAME, _FORMAT, _TIMES)


def is_folder(folder: Path) -> bool:
    """Whether *folder* has the form: annotations, or a folder of data sets."""
    return (folder / ANNOTATIONS).is_file() or (folder / DATASETS).is_dir()


def read_folder(
    folder: Path,
    skipped: list[Skipped] | None = None,
    *,
    annotations: Path | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Dataset:
    """The labelled series of *folder*, in order of their files' names.

    What cannot be used is left out, and a line is added to *skipped* for each: files that cannot
    be read, data sets of several dimensions or without annotations, annotations without a data
    set or that do not fit. Raises `InputError` if the annotations cannot be read, or nothing is
    left.
    """
    left_out: list[Skipped] = []
    path = annotations or folder / ANNOTATIONS
    if not path.is_file():
        raise InputError(f"{path}: no such file; the labels of a TCPD folder stand there")
    labels = read_annotations(path, limits)
    members: dict[str, LabelledSeries] = {}
    met: set[str] = set()
    for file in _files(folder, left_out, limits):
        member = _usable(file, labels, left_out, met, limits)
        if member is not None and member.name in members:
            left_out.append(Skipped(str(file), f"a second data set called {shown(member.name)}"))
        elif member is not None:
            members[member.name] = member
    left_out += [
        Skipped(str(path), f"labels of {shown(name)}, but no such data set")
        for name in labels
        if name not in met
    ]
    if not members:
        because = f": {left_out[0].source}: {left_out[0].reason}" if left_out else ""
        raise InputError(f"{folder}: no labelled series could be read{because}")
    if skipped is not None:
        skipped += left_out
    return Dataset(folder.resolve().name, tuple(members.values()))


def read_file(
    file: Path,
    annotations: Path,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Dataset:
    """The one data set in *file* with its labels from *annotations*.

    Raises `InputError` if either cannot be read, does not fit or has several dimensions.
    """
    content = read_content(file, limits)
    document = _document(content)
    labels = read_annotations(annotations, limits).get(document.name)
    if labels is None:
        raise InputError(f"{annotations}: no labels of {shown(document.name)}, which is in {file}")
    return Dataset(document.name, (_member(content, document, labels),))


def read_annotations(path: Path, limits: Limits = Limits()) -> Labels:  # noqa: B008 - frozen
    """The places by annotator by series; raises `InputError` naming what is not of that form."""
    content = read_content(path, limits)
    document = load_json(content)
    if not isinstance(document, dict):
        raise InputError(f"{path}: not annotations: {{series: {{annotator: [place, ...]}}}}")
    for name, annotators in document.items():
        if not isinstance(annotators, dict):
            raise InputError(f"{path}: {shown(name)}: not a map {{annotator: [place, ...]}}")
        for who, places in annotators.items():
            if not isinstance(places, list) or not all(type(place) is int for place in places):
                raise InputError(
                    f"{path}: {shown(name)}: annotator {shown(who)}: not a list of whole numbers"
                )
    return document


def write_folder_of(dataset: Dataset, folder: Path, *, force: bool = False) -> None:
    """Write *dataset* so that `read_folder` gives it back, but for `losses`.

    The same content gives the same bytes: keys are sorted, floats written so that they are read
    back exactly, whole numbers as such, missing values as null at their places. Raises
    `OutputError` if *folder* holds something else, or a data set and not *force*; `InputError` for
    names that are empty or begin or end with a blank, which are not read back.
    """
    for member in dataset:
        if not member.name or member.name != member.name.strip():
            raise InputError(f"series {shown(member.name)}: rename it: blanks around it get lost")
    write_dataset(folder, _written(dataset), force=force)


def losses(dataset: Dataset) -> list[str]:
    """What of *dataset* has no place in this form, as words; empty if it is kept whole."""
    lost: dict[str, Callable[[Series], bool]] = {
        "revisions": lambda s: any(p.revision for p in s.points),
        "replicates (their mean is kept)": lambda s: any(len(p.samples) > 1 for p in s.points),
        "attributes of points": lambda s: any(p.attributes for p in s.points),
        "units and directions": lambda s: bool(s.unit or s.direction),
        "projects and labels of keys": lambda s: bool(s.key.project or s.key.labels),
    }
    found = [what for what, has in lost.items() if any(has(m.series) for m in dataset)]
    return [*found, *(["provenance"] if dataset.provenance else [])]


def _files(folder: Path, left_out: list[Skipped], limits: Limits) -> Iterator[Path]:
    """The files of data sets, by name; of those beside the annotations only what looks like one."""
    inside = folder / DATASETS
    if not inside.is_dir():
        for file in _listed(folder, limits):
            if file.suffix == ".json" and file.is_file() and _looks_right(file, limits):
                yield file
        return
    for entry in _listed(inside, limits):
        nested = entry / f"{entry.name}.json"
        if entry.suffix == ".json" and entry.is_file():
            yield entry
        elif nested.is_file():
            yield nested
        elif entry.is_dir():
            left_out.append(Skipped(str(entry), f"no {entry.name}.json in it"))


def _listed(folder: Path, limits: Limits) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from None
    if len(entries) > limits.max_files:
        raise InputError(f"{folder}: more than {limits.max_files:,} files; split the folder")
    return entries


def _looks_right(file: Path, limits: Limits) -> bool:
    try:
        return TCPD().recognises(read_content(file, limits))
    except InputError:
        return False


def _usable(
    file: Path, labels: Labels, left_out: list[Skipped], met: set[str], limits: Limits
) -> LabelledSeries | None:
    """The labelled series in *file*, or None and why there is none; its name has been *met*."""
    try:
        content = read_content(file, limits)
        document = _document(content)
        met.add(document.name)
        if document.name not in labels:
            left_out.append(Skipped(str(file), f"no labels of {shown(document.name)}"))
            return None
        return _member(content, document, labels[document.name])
    except InputError as error:
        met.add(file.stem)
        left_out.append(Skipped(*place_and_problem(str(file), str(error))))
        return None


def _document(content: Content) -> Document:
    return read_document(content, Columns())


def _member(
    content: Content, document: Document, labels: Mapping[str, Sequence[int]]
) -> LabelledSeries:
    if len(document.dimensions) != 1:
        named = ", ".join(shown(d.label, 30) for d in document.dimensions[:5])
        raise InputError(
            f"{content.name}: {len(document.dimensions)} dimensions ({named}), where one is judged"
            " at a time; keep one of them in series and set n_dim to 1"
        )
    if document.length > content.limits.max_points:
        raise too_long(content.name, content.limits, document.name)
    dimension = document.dimensions[0]
    key = make_key(content.name, benchmark=document.name, metric=dimension.label)
    try:
        points = tuple(Point("", document.times[i], (v,), i) for i, v in dimension.present)
        series = Series(key, points)
        annotations = tuple((who, tuple(places)) for who, places in labels.items())
        return LabelledSeries(document.name, series, document.length, annotations, _facts(document))
    except InputError as error:
        raise InputError(f"{content.name}: {error}") from None


def _facts(document: Document) -> dict[str, str]:
    facts = dict(document.facts)
    if document.longname and document.longname != document.name:
        facts[_LONGNAME] = document.longname
    if document.time_format:
        facts[_FORMAT] = document.time_format
    there = {i for i, _ in document.dimensions[0].present}
    others = [text for i, text in enumerate(document.written) if i not in there]
    if any(others):
        facts[_TIMES] = json.dumps(others)
    return facts


def _written(dataset: Dataset) -> Iterator[File]:
    labels = {m.name: {who: list(places) for who, places in m.annotations} for m in dataset}
    yield ANNOTATIONS, json_bytes(labels)
    # Some file systems do not tell capitals from small letters.
    folded = Counter(member.name.casefold() for member in dataset)
    for member in dataset:
        name = file_name(member.name, shared=folded[member.name.casefold()] > 1)
        yield f"{DATASETS}/{name}.json", json_bytes(_json_of(member))


def _json_of(member: LabelledSeries) -> dict[str, Any]:
    values: list[float | None] = [None] * member.length
    for point in member.series.points:
        values[point.position] = point.value()
    numbers = [value for value in values if value is not None]
    whole = all(_is_whole(value) for value in numbers)
    document: dict[str, Any] = {
        "name": member.name,
        "longname": member.facts.get(_LONGNAME, member.name),
        "n_obs": member.length,
        "n_dim": 1,
        "time": {"index": list(range(member.length)), **_time_of(member)},
        "series": [
            {
                "label": member.series.key.metric,
                "type": "int" if whole else "float",
                "raw": [int(v) if whole and v is not None else v for v in values],
            }
        ],
    }
    facts = {name: value for name, value in member.facts.items() if name not in _PLACED}
    if facts:
        document["facts"] = facts
    return document


def _is_whole(value: float) -> bool:
    return value.is_integer() and abs(value) < _EXACT and str(value) != "-0.0"


def _time_of(member: LabelledSeries) -> dict[str, Any]:
    """The times in the form they were read in if that is exact, else in ISO 8601."""
    points = member.series.points
    times = [point.landed for point in points if point.landed is not None]
    if not times:
        return {}
    own = member.facts.get(_FORMAT, "")
    form = own if own and _is_exact(times, own) else ""
    raw: list[str | None] = [None] * member.length
    for point, time in zip(points, times, strict=True):
        raw[point.position] = time.strftime(form) if form else time.isoformat()
    if form == own:
        _restore_missing(raw, member)
    return {"raw": raw, "format": form} if form else {"raw": raw}


def _restore_missing(raw: list[str | None], member: LabelledSeries) -> None:
    there = {point.position for point in member.series.points}
    try:
        kept = iter(json.loads(member.facts.get(_TIMES, "[]")))
    except (ValueError, TypeError):
        return
    for place in range(member.length):
        if place not in there:
            text = next(kept, None)
            raw[place] = text if isinstance(text, str) else None


def _is_exact(times: Sequence[datetime], form: str) -> bool:
    try:
        return all(parse_time(time.strftime(form), form) == time for time in times)
    except (ValueError, OverflowError):
        return False
