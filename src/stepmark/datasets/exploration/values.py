# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What an exploration is made of: parts with a table and a reading, and proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from stepmark.datasets.exploration.intervals import Share

if TYPE_CHECKING:
    import polars as pl


class Research(Protocol):
    """What is asked of a research data set: `stepmark.datasets.research` opens them."""

    @property
    def document(self) -> Mapping[str, Any]:
        """What ``research.json`` holds."""

    @property
    def alerts(self) -> pl.DataFrame:
        """One row an alert."""

    @property
    def bugs(self) -> pl.DataFrame:
        """One row a bug."""

    @property
    def bug_changes(self) -> pl.DataFrame:
        """One row a change of a field of a bug."""

    @property
    def series(self) -> pl.DataFrame:
        """One row a series."""

    def revisions(self, signatures: Any = None) -> pl.LazyFrame:
        """One row a revision of a series, of these signatures or all."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One finding.

    Attributes:
        name: of the finding, unique, in lower case with hyphens.
        title: what it is.
        frame: its data, as a table.
        reading: what the data say, in a sentence or two with their numbers.
        note: how the numbers are made.
        empty: whether there are too few data to show.
    """

    name: str
    title: str
    frame: pl.DataFrame
    reading: str
    note: str = ""
    empty: bool = False


TOUCHED = 0.01
"""What a proposal that avoids no alert is worth for each alert or series it touches."""

Sureness = Literal["well supported", "tentative"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of the workflow that the data speak for.

    Attributes:
        kind: threshold, t-threshold, window, suite, test, traction, platform, bands or retrigger.
        subject: what would be changed: a framework, suite, platform ...
        action: what to do.
        reason: the numbers it rests on, in sentences.
        saves: false alerts avoided, of those that were decided; None for what saves none.
        costs: true alerts lost (of the kind platform: that come later), of those that were decided;
            None for what loses none.
        sure: how well the data support it.
        worth: what it is ranked by, in alerts: the fewest that it surely avoids less the most that
            it may lose. One that avoids none has `TOUCHED` of the alerts or series it touches.
        evidence: the counts behind it, by name.
    """

    kind: str
    subject: str
    action: str
    reason: str
    saves: Share | None
    costs: Share | None
    sure: Sureness
    worth: float
    evidence: Mapping[str, float | int | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TooLittle:
    """A question that the data cannot answer.

    Attributes:
        kind, subject: as of a proposal.
        reason: what there is and what it would take.
    """

    kind: str
    subject: str
    reason: str
