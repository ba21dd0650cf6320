# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Series with labels: what people, or the generator of a series, say are its changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stepmark.changes import Detection
from stepmark.errors import InputError
from stepmark.series import Series

Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelledSeries:
    """A series and the places where each annotator saw a change.

    Places are positions in the original series, missing points counted: the first point of the new
    level, 0-based.

    Attributes:
        name: unique in its data set.
        series: the points that are there; `Point.position` counts the missing ones.
        length: number of positions, missing points counted.
        annotations: the places by annotator, sorted by annotator's name, places rising. May be
            given as a map. An annotator without places saw no change; no annotator at all: the
            series is not labelled.
        facts: what is known about the series (generator and its parameters, source, licence).

    Raises `InputError` for a place that is not inside the series, or points beyond its length.
    """

    name: str
    series: Series
    length: int
    annotations: tuple[tuple[str, Places], ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given: Any = self.annotations
        pairs: Iterable[tuple[str, Iterable[int]]]
        pairs = given.items() if isinstance(given, Mapping) else given
        kept = tuple(sorted((str(who), tuple(sorted(set(places)))) for who, places in pairs))
        object.__setattr__(self, "annotations", kept)
        if self.series.points and self.series.points[-1].position >= self.length:
            raise InputError(f"{self.name}: points lie beyond its length {self.length}")
        for who, places in kept:
            for place in places:
                if not 0 <= place < self.length:
                    raise InputError(
                        f"{self.name}: annotator {who} marks {place}, which is not inside"
                        f" 0..{self.length - 1}"
                    )

    @property
    def missing(self) -> int:
        """How many points are missing."""
        return self.length - len(self.series)

    @property
    def annotators(self) -> dict[str, Places]:
        """The places by annotator, as a map."""
        return dict(self.annotations)

    def positions(self, found: Detection | Iterable[int]) -> Places:
        """The places of *found*, which counts present points only, as positions."""
        indices = found.indices if isinstance(found, Detection) else found
        return tuple(self.series.points[i].position for i in indices)


@dataclass(frozen=True)
class Dataset:
    """Labelled series under one name, and where they come from.

    Raises `InputError` where two series have one name.
    """

    name: str
    members: tuple[LabelledSeries, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for member in self.members:
            if member.name in seen:
                raise InputError(f"{self.name}: two series are called {member.name}")
            seen.add(member.name)

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[LabelledSeries]:
        return iter(self.members)

    @cached_property
    def by_name(self) -> dict[str, LabelledSeries]:
        """The series by name."""
        return {member.name: member for member in self.members}
