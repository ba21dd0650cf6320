# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A study: outcomes on a suite, scored, tabulated and ranked."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import stepmark
from stepmark.datasets.labelled import Dataset
from stepmark.datasets.outcomes import Outcome
from stepmark.errors import InputError, UsageError, suggest
from stepmark.evaluation.ensembles import EnsembleSearch, require_size, search
from stepmark.evaluation.journal import code_digest, signal_digest
from stepmark.evaluation.metrics import MARGIN, METRICS
from stepmark.evaluation.ranking import Ranking, rank, recommendation
from stepmark.evaluation.scores import Scored, score
from stepmark.evaluation.suites import Mode
from stepmark.evaluation.tables import Average, Table, tabulate

COLUMNS = ("f1", "covering", "precision", "recall", "f1_matched", "false_alarms_per_1000")
"""The metrics of a table where none are named; the first one ranks."""


@dataclass(frozen=True, slots=True)
class Study:
    """All that the reports of `stepmark bench` show.

    Attributes:
        dataset: the series, with their labels.
        scored: every run with its scores.
        table: methods by metrics.
        ranking: how the methods compare; None where there is nothing to compare.
        advice: what follows, in sentences.
        provenance: where the outcomes come from.
        ensembles: which methods are better together; None where that was not asked for.
    """

    dataset: Dataset
    scored: Sequence[Scored]
    table: Table
    ranking: Ranking | None
    advice: tuple[str, ...]
    provenance: Mapping[str, str]
    ensembles: EnsembleSearch | None = None


def study(
    outcomes: Iterable[Outcome],
    dataset: Dataset,
    *,
    mode: Mode = Mode.DEFAULT,
    metrics: Sequence[str] = COLUMNS,
    average: Average = Average.COMMON,
    margin: int = MARGIN,
    notes: Sequence[str] = (),
    provenance: Mapping[str, str] | None = None,
) -> Study:
    """Score *outcomes* on *dataset* and compare their methods by the first of *metrics*.

    Raises `UsageError` for an unknown metric, `InputError` for outcomes that are not of this suite.
    """
    require_metrics(metrics)
    scored = score(outcomes, dataset, margin=margin)
    table = tabulate(
        scored, dataset, mode=mode, metrics=metrics, average=average, margin=margin, notes=notes
    )
    ranking = rank(table)
    return Study(
        dataset, scored, table, ranking, recommendation(table, ranking), dict(provenance or {})
    )


def with_ensembles(made: Study, size: int) -> Study:
    """*made* with a search for ensembles of 2 to *size* of what takes part in it.

    Every configuration is a method of its own there. Where too few took part a note says so.
    Raises `UsageError` for another size than 2 to 5.
    """
    require_size(size)
    table = made.table
    outcomes = [one.outcome for one in made.scored]
    if table.mode is Mode.DEFAULT:
        outcomes = [entry.outcome for entry in table.entries.values()]
    metric = METRICS[table.metrics[0]]
    try:
        found = search(outcomes, made.dataset, metric, size=size, margin=table.margin)
    except InputError as error:
        return replace(made, table=replace(table, notes=(*table.notes, f"no ensembles: {error}")))
    return replace(made, ensembles=found)


def require_metrics(metrics: Iterable[str]) -> None:
    """Raise `UsageError`, naming the nearest known one, where *metrics* has an unknown name."""
    for name in metrics:
        if name not in METRICS:
            known = ", ".join(METRICS)
            raise UsageError(f"unknown metric {name!r}{suggest(name, METRICS)}; known: {known}")


def origin(dataset: Dataset, mode: Mode, margin: int) -> dict[str, str]:
    """Where outcomes that are computed here come from: program, machine, suite, settings."""
    import numpy as np

    return {
        "stepmark": stepmark.__version__,
        "code": code_digest(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "suite": dataset.name,
        "suite_digest": suite_digest(dataset),
        "mode": mode.value,
        "margin": str(margin),
    }


def suite_digest(dataset: Dataset) -> str:
    """A digest of the series and labels of *dataset*, whatever its name."""
    state = hashlib.blake2b(digest_size=16)
    for member in sorted(dataset, key=lambda member: member.name):
        facts = (member.name, member.length, [p.position for p in member.series.points])
        state.update(repr((facts, member.annotations)).encode("utf-8", "surrogatepass"))
        state.update(signal_digest(member.series.signal()))
    return state.hexdigest()
