# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a source of research data gives, in one form, before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stepmark.datasets.research.rules import Ledger
from stepmark.datasets.research.tables import ALERTS_READ, MEASUREMENTS, Column

if TYPE_CHECKING:
    from polars import DataFrame

POINTS: tuple[Column, ...] = tuple(
    column
    for column in MEASUREMENTS.columns
    if column.name
    not in {"repository", "signature_id", "alert_id", "suspect_of", "label_lab", "label"}
)
"""The columns of measurements that are read."""

PUSHES: tuple[Column, ...] = (
    Column("repository", "text", "name of the repository"),
    Column("push_id", "whole", "the push"),
    Column("revision", "text", "its revision"),
    Column("push_timestamp", "time", "when it landed"),
)


SUMMARIES: tuple[Column, ...] = tuple(
    column
    for column in ALERTS_READ
    if column.name
    in {
        "push_timestamp",
        "alert_summary_id",
        "alert_summary_status",
        "alert_summary_repository",
        "alert_summary_push_id",
        "alert_summary_prev_push_id",
    }
)
"""The columns that say where a summary belongs."""


@dataclass(frozen=True, slots=True, order=True)
class SeriesFiles:
    """The files that hold the measurements of one series."""

    repository: str
    signature_id: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All of a source but its measurements.

    Attributes:
        alerts: columns `tables.ALERTS_READ`, any order, an alert perhaps several times.
        summaries: columns `SUMMARIES`, a summary perhaps several times; also such without alerts.
        unread: ids of alerts that are only known as related, and the summaries they belong to.
        bugs: columns of `tables.BUGS` but ``alerts``.
        bug_changes: columns of `tables.BUG_CHANGES`.
        pushes: columns `PUSHES`; empty where the source has none.
        frameworks: their names by id.
        options: names of the build options by their hash.
        described: repository and signature id of every series that is described.
    """

    alerts: DataFrame
    summaries: DataFrame
    unread: Mapping[int, int]
    bugs: DataFrame
    bug_changes: DataFrame
    pushes: DataFrame
    frameworks: Mapping[int, str]
    options: Mapping[str, Sequence[str]]
    described: frozenset[tuple[str, int]]


class Material(Protocol):
    """A source of research data: an extraction folder, or the lab's artifact."""

    @property
    def provenance(self) -> Mapping[str, str]:
        """Where the data come from."""
        ...  # pragma: no cover

    def surroundings(self, ledger: Ledger) -> Surroundings:
        """All but the measurements."""
        ...  # pragma: no cover

    def files(self, ledger: Ledger) -> list[SeriesFiles]:
        """The files by series, sorted."""
        ...  # pragma: no cover

    def series(self, files: SeriesFiles, ledger: Ledger) -> tuple[dict[str, Any], DataFrame] | None:
        """What is said of a series (names as in `tables.SERIES_READ`) and what makes its points.

        None where its files cannot be read.
        """
        ...  # pragma: no cover

    def points(self, given: DataFrame) -> DataFrame:
        """The `POINTS` of what `series` gave of one series or several, row by row."""
        ...  # pragma: no cover
