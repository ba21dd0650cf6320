# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Outcomes with their scores: what a study knows, from which all of its tables are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stepmark.datasets.labelled import Dataset, LabelledSeries, Places
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError
from stepmark.evaluation.metrics import METRICS


@dataclass(frozen=True, slots=True)
class Scored:
    """An outcome and its scores by metric; none where the run failed or took too long."""

    outcome: Outcome
    scores: Mapping[str, float] = field(default_factory=dict)


def score(outcomes: Iterable[Outcome], dataset: Dataset, *, margin: int) -> list[Scored]:
    """Score every outcome by every metric.

    Raises `InputError` for an outcome of a series that is not in *dataset*, for a place that is
    not inside its series, and where one configuration has two outcomes on one series.
    """
    known: dict[tuple[str, Places], Mapping[str, float]] = {}
    seen: set[tuple[str, str, str]] = set()
    scored = []
    for outcome in outcomes:
        member = dataset.by_name.get(outcome.series)
        run = (outcome.series, outcome.method, outcome.configuration)
        if member is None:
            raise InputError(f"{outcome.method}: series {outcome.series} is not in {dataset.name}")
        if run in seen:
            raise InputError(f"{outcome.series}: two outcomes of {outcome.configuration}")
        seen.add(run)
        if outcome.status is not Status.OK:
            scored.append(Scored(outcome))
            continue
        if outcome.places and not 0 <= outcome.places[0] <= outcome.places[-1] < member.length:
            raise InputError(
                f"{outcome.series}, {outcome.method}: a place is not inside"
                f" 0..{member.length - 1}: {outcome.places[-1]}; are these results of this suite?"
            )
        key = (outcome.series, outcome.places)  # many configurations say the same
        if key not in known:
            known[key] = _scores(member, outcome.places, margin)
        scored.append(Scored(outcome, known[key]))
    return scored


def _scores(member: LabelledSeries, places: Sequence[int], margin: int) -> Mapping[str, float]:
    annotations = member.annotators
    return {
        name: float(metric.score(annotations, places, member.length, margin))
        for name, metric in METRICS.items()
    }
