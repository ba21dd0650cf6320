# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Which method to take, and how sure that is: a table's methods compared on the same series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.statistics import (
    Friedman,
    Interval,
    average_ranks,
    bootstrap_interval,
    friedman,
    nemenyi_cd,
    nemenyi_cliques,
    paired_difference,
    wilcoxon_cliques,
    wilcoxon_holm,
)
from stepmark.evaluation.suites import Mode
from stepmark.evaluation.tables import Row, Table

ALPHA = 0.05
NOTHING = "zero"
"""The method that finds nothing: a measure for the others, not a choice."""

Cliques = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A method among the others.

    Attributes:
        method: its name.
        mean: of its scores, with a bootstrap interval over the series.
        rank: its mean rank; 1 is the best.
        ranks: its rank on each series.
        behind: by how much the leader is better, mean over series, with a paired bootstrap
            interval; None for the leader.
        p_value: Wilcoxon's, of it and the leader, corrected as Holm does for all pairs; 1 for the
            leader.
    """

    method: str
    mean: Interval
    rank: float
    ranks: tuple[float, ...]
    behind: Interval | None
    p_value: float

    @property
    def apart(self) -> bool:
        """Whether the series tell it apart from the leader."""
        return self.p_value <= ALPHA


@dataclass(frozen=True, slots=True)
class Ranking:
    """The methods of a table compared on the series that all of them have a score on.

    Attributes:
        metric: what they are compared by.
        series: names of the series.
        standings: the best mean first; the first one leads.
        friedman: whether they differ at all.
        critical_difference: Nemenyi's, of mean ranks.
        nemenyi, wilcoxon: groups that the test cannot tell apart, by mean rank.
    """

    metric: str
    series: tuple[str, ...]
    standings: tuple[Standing, ...]
    friedman: Friedman
    critical_difference: float
    nemenyi: Cliques
    wilcoxon: Cliques

    @property
    def leader(self) -> Standing:
        """The method with the best mean."""
        return self.standings[0]

    @property
    def ranks(self) -> dict[str, float]:
        """Mean ranks by method, the best first."""
        return dict(sorted(((s.method, s.rank) for s in self.standings), key=lambda item: item[1]))


def rank(table: Table) -> Ranking | None:
    """Compare the methods of *table* by its first metric.

    Methods without any score are left out. None for fewer than two methods or series.
    """
    metric = table.metrics[0]
    scores = {
        row.method: [_present(table.value(row.method, name, metric)) for name in table.common]
        for row in table.rows
        if row.scored
    }
    if len(scores) < 2 or len(table.common) < 2:
        return None
    higher = METRICS[metric].higher_is_better
    means = average_ranks(scores, higher_is_better=higher)
    comparisons = wilcoxon_holm(scores)
    difference = nemenyi_cd(len(scores), len(table.common), alpha=ALPHA)
    return Ranking(
        metric=metric,
        series=table.common,
        standings=_standings(
            scores, means, {frozenset((c.first, c.second)): c.adjusted for c in comparisons}, higher
        ),
        friedman=friedman(scores),
        critical_difference=difference,
        nemenyi=nemenyi_cliques(means, difference),
        wilcoxon=wilcoxon_cliques(means, comparisons, alpha=ALPHA),
    )


def _present(value: float | None) -> float:
    if value is None:
        raise AssertionError("the common series are those that every method has a score on")
    return value


def _standings(
    scores: Mapping[str, Sequence[float]],
    means: Mapping[str, float],
    p_values: Mapping[frozenset[str], float],
    higher: bool,
) -> tuple[Standing, ...]:
    intervals = {method: bootstrap_interval(values) for method, values in scores.items()}
    order = sorted(
        scores,
        key=lambda m: (-intervals[m].estimate if higher else intervals[m].estimate, means[m], m),
    )
    leader = order[0]
    by_series = _ranks_by_series(scores, higher)
    standings = []
    for method in order:
        behind = None
        if method != leader:
            sides = (scores[leader], scores[method])
            behind = paired_difference(*(sides if higher else sides[::-1]))
        standings.append(
            Standing(
                method=method,
                mean=intervals[method],
                rank=means[method],
                ranks=by_series[method],
                behind=behind,
                p_value=p_values.get(frozenset((leader, method)), 1.0),
            )
        )
    return tuple(standings)


def _ranks_by_series(
    scores: Mapping[str, Sequence[float]], higher: bool
) -> dict[str, tuple[float, ...]]:
    count = len(next(iter(scores.values())))
    # The mean rank over a series and the same once more is the rank on that series.
    ranks = [
        average_ranks({m: (v[i], v[i]) for m, v in scores.items()}, higher_is_better=higher)
        for i in range(count)
    ]
    return {method: tuple(one[method] for one in ranks) for method in scores}


def recommendation(table: Table, ranking: Ranking | None) -> tuple[str, ...]:
    """What follows for somebody who has to choose, in sentences, its uncertainty included.

    Times have no part in it, so that every run of a study says the same; see `fastest`.
    """
    if ranking is None:
        return ("Nothing to compare: that takes two methods with scores on the same two series.",)
    title = METRICS[ranking.metric].title
    leader = ranking.leader
    count = len(ranking.series)
    first = (
        f"{leader.method} has the best mean {title}, {_interval(leader.mean)}, over {count} series"
    )
    said = [f"{first}{_caveat(table)}.", _runner_up(ranking)]
    alike = [s.method for s in ranking.standings[1:] if not s.apart]
    others = len(ranking.standings) - 1
    if not alike:
        said.append("It is told apart from every other method (Wilcoxon-Holm, 5 %).")
    elif len(alike) == others:
        said.append(
            "No method is told apart from it (Wilcoxon-Holm, 5 %): more series are needed, or"
            " another reason to choose."
        )
    else:
        said.append(
            f"{len(alike)} of {others} other methods cannot be told apart from it (Wilcoxon-Holm,"
            f" 5 %): {', '.join(alike)}."
        )
    nothing = next((s for s in ranking.standings if s.method == NOTHING), None)
    if nothing is leader:
        other = "; f1_matched does not reward silence" if ranking.metric == "f1" else ""
        said.append(
            f"To find nothing at all is the best by this measure: choose another one{other}."
        )
    elif nothing is not None:
        sure = "" if nothing.apart else ", which is not told apart from it either"
        said.append(f"Finding nothing at all (zero) gives {nothing.mean.estimate:.3f}{sure}.")
    if table.mode is not Mode.DEFAULT:
        said += _settings(table.rows, ranking.metric)
    return tuple(said)


def _caveat(table: Table) -> str:
    if table.mode is Mode.DEFAULT:
        return ""
    return (
        " when the best of its settings is picked for each series by the labels, which nobody can"
        " do on new data"
    )


def _runner_up(ranking: Ranking) -> str:
    second = ranking.standings[1]
    behind = second.behind
    if behind is None:
        raise AssertionError("only the leader is behind nobody")
    sure = (
        "more than the choice of series explains"
        if behind.low > 0
        else "no more than the choice of series explains"
    )
    return f"It leads {second.method}, the next, by {_interval(behind, signed=True)}: {sure}."


def fastest(table: Table, ranking: Ranking | None) -> tuple[str, ...]:
    """Which of the methods that are not told apart from the leader is the fastest, if it matters.

    It does from twice as fast on; the times of a run are not known more exactly.
    """
    if ranking is None:
        return ()
    leader = ranking.leader.method
    alike = {s.method for s in ranking.standings if not s.apart and s.method != NOTHING}
    times = {r.method: r.seconds for r in table.rows if r.method in alike and r.seconds is not None}
    if len(times) < 2 or leader not in times:
        return ()
    quickest = min(times, key=lambda method: times[method])
    if times[leader] < 2 * times[quickest] or not times[quickest]:
        return ()
    factor = times[leader] / times[quickest]
    found = f"Of the methods that are not told apart {quickest} is the fastest"
    return (f"{found}, {factor:,.0f} times as fast as {leader}.",)


def _settings(rows: Sequence[Row], metric: str) -> list[str]:
    fixed = [row.fixed for row in rows if row.fixed is not None]
    if not fixed:
        return []
    higher = METRICS[metric].higher_is_better
    best = (max if higher else min)(fixed, key=lambda one: one.mean)
    found = f"The best single setting for all series is {best.configuration}, {best.mean:.3f}"
    return [f"{found}; it too was chosen by these labels, so expect less."]


def _interval(value: Interval, *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    return (
        f"{value.estimate:.3f} ({100 * value.confidence:.0f} % interval {value.low:{form}} to"
        f" {value.high:{form}})"
    )
