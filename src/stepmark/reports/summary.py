# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The one view of an analysis from which every report is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stepmark.alerts.compliance import TrendRow
from stepmark.alerts.policy import Judgement, Outcome
from stepmark.changes import Change, Segment, Verdict
from stepmark.series import Aggregate, Direction, Failure, Series, Skipped

SCORE, PROBABILITY = "score", "probability"


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """One series with all that was found about it.

    Attributes:
        series: the points; `series.direction` and `series.unit` are as settled by data, rules and
            options.
        detector: spec of the detector that judged it.
        evidence: what its scores are: `PROBABILITY`, or `SCORE` for any other kind.
        aggregate: how the samples of a point became its value.
        segments, changes: what was found; the changes carry their verdicts.
        row: its line of the trend table.
        judgement: the gate's word, None where no gate was asked for.
        note: why it was not judged, or what to know about it; empty if nothing.
    """

    series: Series
    detector: str
    aggregate: Aggregate
    segments: tuple[Segment, ...]
    changes: tuple[Change, ...]
    row: TrendRow
    judgement: Judgement | None = None
    note: str = ""
    evidence: str = SCORE

    @property
    def name(self) -> str:
        """The series' name."""
        return str(self.series.key)

    @property
    def direction(self) -> Direction | None:
        """Which way is better, None if unknown."""
        return self.series.direction

    def values(self) -> list[float]:
        """The value of each point, in the series' unit."""
        return [point.value(self.aggregate) for point in self.series.points]


@dataclass(frozen=True, slots=True)
class Summary:
    """All that one run of Stepmark found; every report renders this and nothing else.

    Attributes:
        version: of Stepmark.
        detector: spec of the default detector of the run.
        series: in input order.
        failures: runs that gave no number.
        skipped: parts of the input that were left out, with reasons.
        warnings: what the user should know, one line each.
        title: heading of pages.
    """

    version: str
    detector: str
    series: tuple[SeriesSummary, ...]
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    title: str = "Stepmark report"

    def changes(self, verdict: Verdict | None = None) -> Iterator[tuple[SeriesSummary, Change]]:
        """All changes of all series, or those with *verdict*."""
        for item in self.series:
            for change in item.changes:
                if verdict is None or change.verdict is verdict:
                    yield item, change

    @property
    def outcome(self) -> Outcome | None:
        """The gate's word on the whole: fail, pass, unjudged; None where no gate was asked for."""
        outcomes = [s.judgement.outcome for s in self.series if s.judgement is not None]
        if not outcomes and not self.series:
            return None
        for outcome in (Outcome.FAIL, Outcome.PASS, Outcome.UNJUDGED):
            if outcome in outcomes:
                return outcome
        return None
