# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a data set holds, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from stepmark.datasets.folder import digest
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.sources.values import table_of, text_of


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


@dataclass(frozen=True, slots=True)
class Applied:
    """How often a rule of curation applied: to how many of what, and the first of them."""

    rule: str
    about: str
    sentence: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResearchOverview:
    """A research data set, as its `research.json` describes it.

    Attributes:
        name: its name.
        rows: the number of rows by table.
        labels: the number of alerts by Stepmark's label.
        lab: the number of alert summaries by the lab's label; ``none``: it has none.
        rules: every rule of curation that applied.
        refresh: how many alert summaries may still change.
        provenance: where it comes from.
        digest: that of its content.
    """

    name: str
    rows: Mapping[str, int]
    labels: Mapping[str, int]
    lab: Mapping[str, int]
    rules: tuple[Applied, ...]
    refresh: int
    provenance: Mapping[str, str]
    digest: str


def research_overview(name: str, document: Mapping[str, Any]) -> ResearchOverview:
    """The numbers in *document*, a `research.json`; what is not of its form is left out."""
    labels = table_of(document, "labels")
    refresh = table_of(document, "refresh").get("summaries")
    rules = (
        Applied(
            text_of(rule, "rule"),
            text_of(rule, "about"),
            text_of(rule, "sentence"),
            _count(rule.get("count")),
            tuple(map(str, _list(rule.get("examples")))),
        )
        for rule in _objects(document.get("rules"))
    )
    return ResearchOverview(
        name=name,
        rows={text_of(t, "table"): _count(t.get("rows")) for t in _objects(document.get("tables"))},
        labels=_counts(table_of(labels, "stepmark")),
        lab=_counts(table_of(labels, "lab_summaries")),
        rules=tuple(rule for rule in rules if rule.count),
        refresh=len(_list(refresh)),
        provenance={k: str(v) for k, v in table_of(document, "provenance").items()},
        digest=text_of(document, "digest"),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _count(value: Any) -> int:
    return value if type(value) is int else 0


def _counts(table: Mapping[str, Any]) -> dict[str, int]:
    return {name: _count(value) for name, value in table.items()}
