# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a data set holds, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from stepmark.datasets.folder import digest
from stepmark.datasets.labelled import Dataset, LabelledSeries


@dataclass(frozen=True, slots=True)
class SeriesOverview:
    """One series.

    Attributes:
        name: its name.
        length: positions, missing points counted.
        missing: how many points are missing.
        gaps: in how many stretches they lie.
        changes: number of changes by annotator.
        first, last: times of the first and last point; None where it has no times.
    """

    name: str
    length: int
    missing: int
    gaps: int
    changes: Mapping[str, int]
    first: datetime | None
    last: datetime | None

    @property
    def mean_changes(self) -> float | None:
        """The mean number of changes of the annotators; None without an annotator."""
        return sum(self.changes.values()) / len(self.changes) if self.changes else None


@dataclass(frozen=True, slots=True)
class Overview:
    """A data set: its series, where it comes from, and the digest of its content."""

    name: str
    series: tuple[SeriesOverview, ...]
    provenance: Mapping[str, str]
    digest: str

    @property
    def points(self) -> int:
        """The number of points, missing ones left out."""
        return sum(item.length - item.missing for item in self.series)

    @property
    def missing(self) -> int:
        """The number of missing points."""
        return sum(item.missing for item in self.series)

    @property
    def annotators(self) -> tuple[str, ...]:
        """All annotators by name."""
        return tuple(sorted({who for item in self.series for who in item.changes}))

    @property
    def labels(self) -> int:
        """The number of changes, of all annotators together."""
        return sum(sum(item.changes.values()) for item in self.series)


def overview(dataset: Dataset) -> Overview:
    """The numbers of *dataset*."""
    series = tuple(_of_series(member) for member in dataset)
    return Overview(dataset.name, series, dataset.provenance, digest(dataset))


def _of_series(member: LabelledSeries) -> SeriesOverview:
    points = member.series.points
    edges = [-1, *(point.position for point in points), member.length]
    return SeriesOverview(
        name=member.name,
        length=member.length,
        missing=member.missing,
        gaps=sum(later - place > 1 for place, later in pairwise(edges)),
        changes={who: len(places) for who, places in member.annotations},
        first=points[0].landed if points else None,
        last=points[-1].landed if points else None,
    )
