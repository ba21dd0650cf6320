# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Which detector and settings suit a team's own labels, and what may be expected of the choice.

Nested cross-validation: each outer fold of the series is put aside, the choice is made by inner
folds of the others, and what was put aside judges it. The score of the best of many candidates on
the series that chose it flatters; the estimates here are of series that had no part in the choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from math import ceil, sqrt
from statistics import fmean, stdev

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError, UsageError
from stepmark.evaluation.grouping import Gain, divide, gain, groups, ratio
from stepmark.evaluation.metrics import MARGIN, Counts, Metric, counts
from stepmark.evaluation.metrics import groups as changes_of
from stepmark.evaluation.statistics import Interval

FEWEST = 3
"""Groups of labelled series without which nothing can be chosen."""

WIDE = 0.2
"""An interval wider than this says little: the choice rests on too few labels."""

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Expected:
    """What may be expected of a setting.

    Attributes:
        score: mean of the metric over series.
        precision: share of the reported changes that are labelled; None where none was reported.
        recall: share of the labelled changes that are reported; None where none is labelled.
        alarms: reported changes, good ones and improvements included: of all series together in a
            week, or per 1,000 points where the series have no times.
    """

    score: Interval
    precision: Interval | None
    recall: Interval | None
    alarms: Interval


@dataclass(frozen=True, slots=True)
class Labels:
    """How much there is to learn from.

    Attributes:
        series: labelled series.
        groups: of these, what is not of one benchmark.
        changes: labelled changes, of which several annotators may speak.
        points: in all labelled series.
    """

    series: int
    groups: int
    changes: int
    points: int


@dataclass(frozen=True, slots=True)
class Contestant:
    """A candidate on all series: good for its rank, but the best one's score flatters."""

    spec: str
    score: float
    alarms: float
    chosen: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """The choice, and what may be expected of it.

    Attributes:
        dataset, metric, margin, folds, seed: how it was made; as many outer folds as were possible.
        choice: spec of the chosen detector.
        expected: of a choice made in this way, by series that had no part in it.
        present: spec of the present setting, and `present_expected` of it on all series (None
            where it cannot judge them all).
        gain: score of the choice less that of the present setting, on series that had no part in
            the choice; the sign is such that more is better.
        kept: whether the present setting stays because nothing is surely better.
        nothing: mean score of a detector that finds nothing.
        weekly: whether alarms are per week, or else per 1,000 points.
        limit: the most alarms a week that were allowed.
        contestants: the candidates, best first.
        left_out: candidates that could not judge every series, and why.
        labels: how much there was to learn from.
        warnings: what to know before relying on it.
        notes: what of the data set took no part, one line each.
    """

    dataset: str
    metric: Metric
    margin: int
    folds: int
    seed: int
    choice: str
    expected: Expected
    present: str
    present_expected: Expected | None
    gain: Gain | None
    kept: bool
    nothing: float
    weekly: bool
    limit: float | None
    contestants: tuple[Contestant, ...]
    left_out: tuple[tuple[str, str], ...]
    labels: Labels
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def labelled(dataset: Dataset) -> Dataset:
    """The series of *dataset* that somebody looked at."""
    members = tuple(member for member in dataset if member.annotations and len(member.series))
    return Dataset(dataset.name, members, dataset.provenance)


def tune(
    outcomes: Iterable[Outcome],
    dataset: Dataset,
    metric: Metric,
    *,
    present: str,
    limit: float | None = None,
    folds: int = 5,
    margin: int = MARGIN,
    seed: int = 0,
) -> Tuning:
    """Choose among the configurations of *outcomes* by the labels of *dataset*.

    *present* is the spec of the setting in use; it takes part if it is among the outcomes. *limit*
    is the most alarms a week that all series together may give. Series without labels are left
    out. The result depends on the arguments only.
    Raises `InputError` for fewer than `FEWEST` groups of labelled series and where no candidate
    can judge them all; `UsageError` for a limit where the points have no times.
    """
    table = _table(outcomes, labelled(dataset), metric, margin)
    _require_enough(table, dataset.name, limit)
    chooser = _Chooser(table, present, limit, folds, seed)
    everything = range(len(table.series))
    held, stability = chooser.held_out()
    choice = chooser.choose(everything)
    known = present in table.rows
    result = Tuning(
        dataset=dataset.name,
        metric=metric,
        margin=margin,
        folds=stability.total(),
        seed=seed,
        choice=choice,
        expected=table.expected(held, seed),
        present=present,
        present_expected=table.expected([present] * len(held), seed) if known else None,
        gain=table.gain(held, present, seed) if known else None,
        kept=choice == present and chooser.best(everything) != present,
        nothing=fmean(table.nothing),
        weekly=table.weekly,
        limit=limit,
        contestants=_contestants(table, stability),
        left_out=table.left_out,
        labels=table.labels,
        warnings=(),
    )
    return replace(result, warnings=tuple(_warnings(result, table)))


def _require_enough(table: _Table, name: str, limit: float | None) -> None:
    if limit is not None and not table.weekly:
        raise UsageError(
            f"{name}: alarms a week cannot be limited, for not all points have times; leave the"
            " limit out, or add times to the series"
        )
    if table.labels.groups < FEWEST:
        raise InputError(
            f"{name}: {table.labels.groups} labelled series (or groups of one benchmark); at"
            f" least {FEWEST} are needed to choose: label more"
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """What one candidate did on each series."""

    scores: tuple[float, ...]
    counts: tuple[Counts, ...]
    alarms: tuple[int, ...]


@dataclass(frozen=True)
class _Table:
    """The labelled series, and what each candidate that can judge them all did on them."""

    series: tuple[LabelledSeries, ...]
    rows: Mapping[str, _Row]
    left_out: tuple[tuple[str, str], ...]
    metric: Metric
    margin: int

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The group of each series."""
        return groups(self.series)

    @cached_property
    def weeks(self) -> tuple[float, ...]:
        """The time that each series spans, in weeks; 0 where it has no times."""
        return tuple(map(_weeks, self.series))

    @property
    def weekly(self) -> bool:
        """Whether all series have times, and so alarms per week."""
        return all(member.series.timed for member in self.series) and any(self.weeks)

    @cached_property
    def exposure(self) -> tuple[float, ...]:
        """What alarms are counted against: a series' share of a week of all, or thousand points."""
        if self.weekly:
            return tuple(weeks / len(self.series) for weeks in self.weeks)
        return tuple(len(member.series) / 1000 for member in self.series)

    @cached_property
    def labels(self) -> Labels:
        """How much there is to learn from."""
        return Labels(
            series=len(self.series),
            groups=len(set(self.groups)),
            changes=sum(
                len(changes_of(member.annotators, margin=self.margin)) for member in self.series
            ),
            points=sum(len(member.series) for member in self.series),
        )

    @cached_property
    def nothing(self) -> tuple[float, ...]:
        """The score of finding nothing, on each series."""
        return tuple(
            self.metric.score(member.annotators, (), member.length, self.margin)
            for member in self.series
        )

    def mean(self, spec: str, chosen: Sequence[int]) -> float:
        """The mean score of a candidate over the series *chosen*; more is better."""
        mean = fmean(self.rows[spec].scores[i] for i in chosen)
        return mean if self.metric.higher_is_better else -mean

    def rate(self, spec: str, chosen: Sequence[int]) -> float:
        """Alarms of a candidate over the series *chosen*, as in `Expected`."""
        return sum(self.rows[spec].alarms[i] for i in chosen) / sum(
            self.exposure[i] for i in chosen
        )

    def expected(self, specs: Sequence[str], seed: int) -> Expected:
        """What the series say, each of its own candidate of *specs*."""
        rows = [self.rows[spec] for spec in specs]
        counted = [row.counts[i] for i, row in enumerate(rows)]
        hits = [c.hits for c in counted]

        def estimate(numerators: Sequence[float], denominators: Sequence[float]) -> Interval:
            return ratio(numerators, denominators, self.groups, seed)

        reported = [c.hits + c.false for c in counted]
        true = [c.hits + c.missed for c in counted]
        return Expected(
            score=estimate([row.scores[i] for i, row in enumerate(rows)], [1.0] * len(rows)),
            precision=estimate(hits, reported) if sum(reported) else None,
            recall=estimate(hits, true) if sum(true) else None,
            alarms=estimate([row.alarms[i] for i, row in enumerate(rows)], self.exposure),
        )

    def gain(self, specs: Sequence[str], present: str, seed: int) -> Gain:
        """How much better each series' own candidate is than *present*, whichever way is better."""
        ours = [self.rows[spec].scores[i] for i, spec in enumerate(specs)]
        better = self.metric.higher_is_better
        theirs = self.rows[present].scores
        return gain(ours, theirs, self.groups, higher_is_better=better, seed=seed)


def _weeks(member: LabelledSeries) -> float:
    points = member.series.points
    if points[0].landed is None or points[-1].landed is None:
        return 0.0
    return (points[-1].landed - points[0].landed) / _WEEK


@dataclass(frozen=True)
class _Chooser:
    """The rule of choice, which sees nothing but the series that it is given."""

    table: _Table
    present: str
    limit: float | None
    folds: int
    seed: int

    def held_out(self) -> tuple[list[str], Counter[str]]:
        """The choice made without each series, and how many outer folds chose what."""
        chosen: dict[int, str] = {}
        stability: Counter[str] = Counter()
        for fold in divide(self.table.groups, self.folds, self.seed):
            spec = self.choose(fold.training)
            stability[spec] += 1
            chosen |= dict.fromkeys(fold.held_out, spec)
        return [chosen[i] for i in sorted(chosen)], stability

    def choose(self, training: Sequence[int]) -> str:
        """The candidate with the best mean over inner folds of *training*.

        The present setting stays unless it falls short of that by more than one standard error of
        the difference over the folds: a change of settings has a price, and noise does not pay it.
        """
        best = self.best(training)
        if self.present not in self._eligible(training):
            return best
        folds = self._inner(training)
        short = [self.table.mean(best, f) - self.table.mean(self.present, f) for f in folds]
        error = stdev(short) / sqrt(len(short)) if len(short) > 1 else 0.0
        return best if fmean(short) > error else self.present

    def best(self, training: Sequence[int]) -> str:
        """The candidate with the best mean over inner folds; the first of equals."""
        folds = self._inner(training)
        return max(
            self._eligible(training),
            key=lambda spec: fmean(self.table.mean(spec, fold) for fold in folds),
        )

    def _inner(self, training: Sequence[int]) -> list[list[int]]:
        """The series of *training* by inner fold."""
        group = [self.table.groups[i] for i in training]
        if len(set(group)) < 2:
            return [list(training)]
        divided = divide(group, self.folds, self.seed)
        return [[training[i] for i in fold.held_out] for fold in divided]

    def _eligible(self, training: Sequence[int]) -> list[str]:
        """Candidates within the limit of alarms, or else those with the fewest."""
        specs = list(self.table.rows)
        if self.limit is None:
            return specs
        rates = {spec: self.table.rate(spec, training) for spec in specs}
        least = max(self.limit, min(rates.values()))
        return [spec for spec in specs if rates[spec] <= least]


def _table(outcomes: Iterable[Outcome], dataset: Dataset, metric: Metric, margin: int) -> _Table:
    found: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        if outcome.series in dataset.by_name:
            found.setdefault(outcome.configuration, {})[outcome.series] = outcome
    rows: dict[str, _Row] = {}
    left_out: list[tuple[str, str]] = []
    for spec, results in found.items():
        wrong = _why_left_out(results, dataset)
        if wrong:
            left_out.append((spec, wrong))
        else:
            rows[spec] = _row([results[member.name] for member in dataset], dataset, metric, margin)
    if not rows:
        reason = f": {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise InputError(
            f"{dataset.name}: no detector can judge all {len(dataset)} labelled series{reason}"
        )
    return _Table(dataset.members, rows, tuple(left_out), metric, margin)


def _why_left_out(results: Mapping[str, Outcome], dataset: Dataset) -> str:
    for member in dataset:
        outcome = results.get(member.name)
        if outcome is None:
            return f"no result for {member.name}"
        if outcome.status is not Status.OK:
            return f"{outcome.status} on {member.name}: {outcome.error}".rstrip(": ")
    return ""


def _row(outcomes: Sequence[Outcome], dataset: Dataset, metric: Metric, margin: int) -> _Row:
    pairs = list(zip(outcomes, dataset, strict=True))
    return _Row(
        scores=tuple(metric.score(m.annotators, o.places, m.length, margin) for o, m in pairs),
        counts=tuple(counts(m.annotators, o.places, margin=margin) for o, m in pairs),
        alarms=tuple(len(o.places) for o in outcomes),
    )


def _contestants(table: _Table, stability: Counter[str]) -> tuple[Contestant, ...]:
    everything = range(len(table.series))
    ranked = sorted(table.rows, key=lambda spec: -table.mean(spec, everything))
    return tuple(
        Contestant(
            spec,
            fmean(table.rows[spec].scores),
            table.rate(spec, everything),
            stability[spec],
        )
        for spec in ranked
    )


def _warnings(tuning: Tuning, table: _Table) -> Iterator[str]:
    yield from _of_labels(tuning)
    if (
        len(set(table.groups))
        == len(table.series)
        > len({member.series.key.benchmark or member.name for member in table.series})
    ):
        yield (
            "all series are of one benchmark, and were divided one by one: series that change"
            " together are on both sides of a division, which makes the estimates too good"
        )
    chosen = {c.spec: c.chosen for c in tuning.contestants}[tuning.choice]
    if 2 * chosen < tuning.folds:
        yield (
            f"the choice is not stable: {tuning.choice} was chosen in {chosen} of {tuning.folds}"
            " folds; what is expected holds for the way of choosing, less for this choice"
        )
    if tuning.choice != tuning.present and tuning.gain and tuning.gain.difference.low <= 0:
        yield (
            f"on series that had no part in the choice it is not surely better than the present"
            f" setting: there is no hurry to leave {tuning.present}"
        )
    score, nothing = tuning.expected.score.estimate, tuning.nothing
    if (score <= nothing) if tuning.metric.higher_is_better else (score >= nothing):
        yield (
            f"a detector that finds nothing would do as well ({tuning.metric.title}"
            f" {nothing:.2f}): these labels give no reason to use any that was tried"
        )
    rate = table.rate(tuning.choice, range(len(table.series)))
    if tuning.limit is not None and rate > tuning.limit:
        yield (
            f"nothing that was tried stays within {tuning.limit:g} alarms a week;"
            f" {tuning.choice} has the fewest, {rate:.2g}"
        )


def _of_labels(tuning: Tuning) -> Iterator[str]:
    labels, expected = tuning.labels, tuning.expected
    counted = f"{labels.series} labelled series ({labels.groups} groups) with {labels.changes}"
    if not labels.changes:
        yield f"too few labels: {counted} changes: whether a change is found cannot be judged"
        return
    intervals = {"precision": expected.precision, "recall": expected.recall}
    known = {name: interval for name, interval in intervals.items() if interval is not None}
    name, widest = max(known.items(), key=lambda item: item[1].high - item[1].low)
    width = widest.high - widest.low
    if width > WIDE:
        # An interval shrinks with the square root of what it rests on.
        enough = ceil(labels.groups * (width / WIDE) ** 2)
        yield (
            f"too few labels: of {counted} changes, {name} is known to lie between"
            f" {widest.low:.2f} and {widest.high:.2f} only; about {enough} groups of labelled"
            f" series would narrow that to {WIDE:g}"
        )
