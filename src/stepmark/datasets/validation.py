# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a data set: all of it, not the first only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.opening import open_dataset
from stepmark.datasets.research import is_research
from stepmark.errors import InputError
from stepmark.series import Skipped
from stepmark.sources.base import Limits
from stepmark.sources.text import shown

_DEFAULT_LIMITS = Limits()


def problems(
    source: str | os.PathLike[str],
    *,
    annotations: str | os.PathLike[str] | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> list[Skipped]:
    """Every problem of the data set that *source* names, with its place; empty if it is sound.

    Counted are what cannot be read or is left out when it is opened, labels at the first point or
    at a missing one, annotators without a name, and series of fewer than two points; of a research
    data set files that are missing, damaged or changed.
    """
    found: list[Skipped] = []
    try:
        if annotations is None and is_research(Path(source)):
            from stepmark.datasets.research.checking import problems_of_research

            return list(problems_of_research(source, limits=limits))
        dataset = open_dataset(source, found, annotations=annotations, limits=limits)
    except InputError as error:
        return [*found, Skipped(os.fspath(source), str(error))]
    return [*found, *problems_of(dataset)]


def problems_of(dataset: Dataset) -> Iterator[Skipped]:
    """The problems of an open data set, series by series."""
    for member in dataset:
        for reason in _reasons(member):
            yield Skipped(member.name, reason)


def _reasons(member: LabelledSeries) -> Iterator[str]:
    if len(member.series) < 2:
        yield f"{len(member.series)} point(s), where no change can be"
    if not member.annotations:
        yield "no annotator"
    there = {point.position for point in member.series.points}
    for who, places in member.annotations:
        if not who.strip():
            yield "an annotator without a name"
        if 0 in places:
            yield f"annotator {shown(who)} marks 0: the first point begins no new level"
        missing = [place for place in places if place not in there]
        if missing:
            yield (
                f"annotator {shown(who)} marks {_listed(missing)}, where the point is missing: mark"
                " the first point of the new level that is there"
            )


def _listed(places: list[int]) -> str:
    more = len(places) - 5
    return ", ".join(map(str, places[:5])) + (f" and {more} more" if more > 0 else "")
