# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables of methods by metrics: what the scores of a study come to.

A run that failed or took too long has no score, and is counted. How means deal with that is the
choice of `Average`; TCPDBench has used two of its ways.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from stepmark.datasets.labelled import Dataset
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError
from stepmark.evaluation.metrics import METRICS, Counts, counts
from stepmark.evaluation.scores import Scored
from stepmark.evaluation.suites import Mode


class Average(StrEnum):
    """Over which series a method's mean is taken.

    - ``common``: those that every method has a score on (TCPDBench 2.0), methods without any score
      aside. Means of one table are then of the same series, so this is the default.
    - ``all``: those that the method itself has a score on.
    - ``zero``: all; where the method has no score, 0 counts (TCPDBench 3.0). Where lower is better
      nothing stands for a failure: a method that has one has no mean.
    """

    COMMON = "common"
    ALL = "all"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Entry:
    """A method on a series.

    Attributes:
        scores: by metric; of several configurations the best score, for each metric by itself.
        outcome: the run that is shown: the only one, or the one with the best score of the table's
            first metric, the first of several.
    """

    scores: Mapping[str, float]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Fixed:
    """The configuration with the best mean of the first metric, the same for all series.

    It was chosen with the labels it is judged by, so that its mean is too good to be expected.
    """

    configuration: str
    mean: float


@dataclass(frozen=True, slots=True)
class Row:
    """A method in the table.

    Attributes:
        method: its name.
        configuration: its spec; empty where it has several.
        configurations: how many it has.
        means: by metric; None where there is nothing to average.
        averaged: over how many series.
        scored: on how many series it has a score.
        runs, failures, timeouts: how many runs there were, and how many of them gave no places.
        seconds: median processor time of a run; None if unknown.
        pooled: hits, misses and false alarms of all averaged series together, of one configuration.
        fixed: of several configurations the best one for all series; None where each failed
            somewhere.
    """

    method: str
    configuration: str
    configurations: int
    means: Mapping[str, float | None]
    averaged: int
    scored: int
    runs: int
    failures: int
    timeouts: int
    seconds: float | None
    pooled: Counts | None
    fixed: Fixed | None


@dataclass(frozen=True, slots=True)
class Table:
    """Methods by metrics on one suite, the best by the first metric at the top.

    Attributes:
        suite: its name.
        mode: which configurations took part.
        average: over which series means are.
        margin: of the metrics that have one, in points.
        metrics: names, in the order of the columns.
        series: all that are scored.
        common: those on which every method has a score.
        rows: one a method.
        entries: by method and series; absent where there was no run.
        notes: what a reader has to know, one line each.
    """

    suite: str
    mode: Mode
    average: Average
    margin: int
    metrics: tuple[str, ...]
    series: tuple[str, ...]
    common: tuple[str, ...]
    rows: tuple[Row, ...]
    entries: Mapping[tuple[str, str], Entry]
    notes: tuple[str, ...] = ()

    def value(self, method: str, series: str, metric: str) -> float | None:
        """One score; None where there is none."""
        entry = self.entries.get((method, series))
        return entry.scores.get(metric) if entry is not None else None


@dataclass(slots=True)
class _Method:
    """The outcomes of one method, by series."""

    name: str
    runs: dict[str, list[Scored]] = field(default_factory=dict)

    @property
    def outcomes(self) -> list[Outcome]:
        return [one.outcome for runs in self.runs.values() for one in runs]


def tabulate(
    scored: Iterable[Scored],
    dataset: Dataset,
    *,
    mode: Mode,
    metrics: Sequence[str],
    average: Average = Average.COMMON,
    margin: int,
    notes: Sequence[str] = (),
) -> Table:
    """The table of *metrics* (the first one ranks) of all methods in *scored*.

    Raises `InputError` where the mode is ``default`` and a method has several configurations of
    which not exactly one is its default.
    """
    methods = _by_method(scored)
    if mode is Mode.DEFAULT:
        for method in methods:
            _keep_default(method)
    names = tuple(member.name for member in dataset)
    entries: dict[tuple[str, str], Entry] = {}
    for method in methods:
        for name, runs in method.runs.items():
            entries[method.name, name] = _entry(runs, metrics[0])
    with_scores = [m for m in methods if any(entries[m.name, n].scores for n in m.runs)]
    common = tuple(
        name
        for name in names
        if with_scores
        and all((m.name, name) in entries and entries[m.name, name].scores for m in with_scores)
    )
    rows = [_row(method, entries, dataset, metrics, average, common, margin) for method in methods]
    rows.sort(key=lambda row: _order(row, metrics[0]))
    return Table(
        suite=dataset.name,
        mode=mode,
        average=average,
        margin=margin,
        metrics=tuple(metrics),
        series=names,
        common=common,
        rows=tuple(rows),
        entries=entries,
        notes=(*notes, *_without_score(methods, rows), *_remarks(rows, average, names, common)),
    )


def _by_method(scored: Iterable[Scored]) -> list[_Method]:
    methods: dict[str, _Method] = {}
    for one in scored:
        method = methods.setdefault(one.outcome.method, _Method(one.outcome.method))
        method.runs.setdefault(one.outcome.series, []).append(one)
    return list(methods.values())


def _keep_default(method: _Method) -> None:
    """Leave the default configuration only."""
    for name, runs in method.runs.items():
        kept = [one for one in runs if one.outcome.default] or runs
        if len(kept) != 1:
            marked = "several" if kept[0].outcome.default else "none"
            raise InputError(
                f"{name}: of {len(runs)} outcomes of {method.name} {marked} is of its default"
                " configuration; use --mode best"
            )
        method.runs[name] = kept


def _entry(runs: Sequence[Scored], first: str) -> Entry:
    successes = [one for one in runs if one.scores]
    if not successes:
        return Entry({}, runs[0].outcome)
    scores = {
        name: _best(metric.higher_is_better, [one.scores[name] for one in successes])
        for name, metric in METRICS.items()
        if name in successes[0].scores
    }
    shown = next(one for one in successes if one.scores[first] == scores[first])
    return Entry(scores, shown.outcome)


def _best(higher: bool, values: Iterable[float]) -> float:
    return max(values) if higher else min(values)


def _row(
    method: _Method,
    entries: Mapping[tuple[str, str], Entry],
    dataset: Dataset,
    metrics: Sequence[str],
    average: Average,
    common: Sequence[str],
    margin: int,
) -> Row:
    outcomes = method.outcomes
    specs = list(dict.fromkeys(outcome.configuration for outcome in outcomes))
    own = [m.name for m in dataset if (e := entries.get((method.name, m.name))) and e.scores]
    over = {
        Average.COMMON: [name for name in common if name in set(own)],
        Average.ALL: own,
        Average.ZERO: [member.name for member in dataset] if own else [],
    }[average]
    times = [o.seconds for o in outcomes if o.seconds is not None and o.status is Status.OK]
    pooled = None
    if len(specs) == 1:
        found = [(dataset.by_name[n], entries[method.name, n].outcome) for n in over if n in own]
        pooled = sum(
            (counts(member.annotators, o.places, margin=margin) for member, o in found), Counts()
        )
    return Row(
        method=method.name,
        configuration=specs[0] if len(specs) == 1 else "",
        configurations=len(specs),
        means={name: _mean(method.name, name, over, entries) for name in metrics},
        averaged=len(over),
        scored=len(own),
        runs=len(outcomes),
        failures=sum(outcome.status is Status.FAILED for outcome in outcomes),
        timeouts=sum(outcome.status is Status.TIMEOUT for outcome in outcomes),
        seconds=median(times) if times else None,
        pooled=pooled,
        fixed=_fixed(method, over, metrics[0]) if len(specs) > 1 else None,
    )


def _mean(
    method: str, metric: str, over: Sequence[str], entries: Mapping[tuple[str, str], Entry]
) -> float | None:
    values = []
    for name in over:
        entry = entries.get((method, name))
        if entry is not None and entry.scores:
            values.append(entry.scores[metric])
        elif METRICS[metric].higher_is_better:
            values.append(0.0)  # only `zero` averages over series without a score
        else:
            return None
    return math.fsum(values) / len(values) if values else None


def _fixed(method: _Method, over: Sequence[str], metric: str) -> Fixed | None:
    values: dict[str, list[float]] = {}
    for name in over:
        for one in method.runs.get(name, ()):
            if one.scores:
                values.setdefault(one.outcome.configuration, []).append(one.scores[metric])
    means = {s: math.fsum(v) / len(v) for s, v in values.items() if len(v) == len(over)}
    if not means:
        return None
    best = _best(METRICS[metric].higher_is_better, means.values())
    return Fixed(next(spec for spec, mean in means.items() if mean == best), best)


def _order(row: Row, metric: str) -> tuple[bool, float, str]:
    mean = row.means[metric]
    if mean is None:
        return True, 0.0, row.method
    return False, -mean if METRICS[metric].higher_is_better else mean, row.method


def _without_score(methods: Iterable[_Method], rows: Sequence[Row]) -> Iterator[str]:
    """The methods that no run of gave a score, each with the reason of its first failure."""
    without = {row.method for row in rows if not row.scored}
    for method in methods:
        if method.name in without:
            reason = next((o.error for o in method.outcomes if o.error), "no reason is known")
            yield f"{method.name} has no score at all: {reason}"


def _remarks(
    rows: Sequence[Row], average: Average, series: Sequence[str], common: Sequence[str]
) -> list[str]:
    """What would mislead if it were not said."""
    remarks = []
    judging = [row for row in rows if row.scored]
    if average is Average.COMMON and len(common) < len(series) and judging:
        fewest = min(judging, key=lambda row: row.scored)
        remarks.append(
            f"means are over the {len(common)} of {len(series)} series that every method has a"
            f" score on; {fewest.method} has one on {fewest.scored} (--average all or zero takes"
            " more)"
        )
    return remarks
