# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Which methods are better together: ensembles made of places that are there already.

Places are combined by the rule of the detectors `vote` and `priority` themselves, so that what is
found here can be put to work as a detector. A union is a vote with a quorum of 1, an intersection
one with a quorum of all; in a weighted vote a member is named twice.

`search` looks at every set of methods where they are few. Where they are many it goes on with the
`_POOL` best methods, and from one size to the next with as many of the best sets as the work for
one size allows (a beam). Weights and priority are tried for the best sets of each size only. To
look at thousands of ensembles and report the best is a selection, and what it seems to gain is too
much: so the whole search is done again without each fold of the series, and its choice is
judged on those.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from math import comb
from statistics import fmean

from stepmark.datasets.labelled import Dataset, LabelledSeries, Places
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.detectors.tcpdbench import METHODS
from stepmark.detectors.voting import Ballot, Rule
from stepmark.errors import InputError, SpecError, UsageError
from stepmark.evaluation.grouping import Fold, Gain, divide, gain, groups
from stepmark.evaluation.metrics import MARGIN, Metric

LARGEST = 5
"""The most members that a search gives an ensemble."""

_POOL = 20
# Votes that are held (of a set of members on a series) for one size: about a second.
_WORK = 15_000
_VARIED = 3
_TOO_MANY = 0.2


@dataclass(frozen=True, slots=True)
class Recipe:
    """An ensemble: who votes, and by which rule.

    Attributes:
        members: who votes; one that is named twice has two votes.
        rule: how the votes become places.
    """

    members: tuple[str, ...]
    rule: Rule

    @property
    def kind(self) -> str:
        """What it is called: union, intersection, vote, weighted or priority."""
        if self.rule.trusting:
            return "priority"
        if len(set(self.members)) < len(self.members):
            return "weighted"
        if self.rule.quorum == 1:
            return "union"
        return "intersection" if self.rule.quorum == len(self.members) else "vote"

    def __str__(self) -> str:
        """The spec of the detector, if the members are specs."""
        standard = Rule()
        settings = [
            f"{name}={getattr(self.rule, name)}"
            for name in ("quorum", "tolerance", "apart")
            if getattr(self.rule, name) != getattr(standard, name)
        ]
        name = "priority" if self.rule.trusting else "vote"
        return f"{name}({', '.join([*self.members, *settings])})"


@dataclass(frozen=True, slots=True)
class EnsembleResult:
    """An ensemble and what it reached on the series that it was chosen by.

    Attributes:
        recipe: the ensemble.
        spec: the detector that gives it, or "" where a member's configuration is not known here.
        score: mean over the series.
        gain: over the best single method on the same series; it flatters, for both were chosen by
            these series.
        chosen: in how many folds the search chose it without the series that judge it there.
    """

    recipe: Recipe
    spec: str
    score: float
    gain: Gain
    chosen: int


@dataclass(frozen=True, slots=True)
class EnsembleSearch:
    """What a search found.

    Attributes:
        metric: name of the measure.
        margin: points that a place may be off.
        series: names of the series that were scored.
        single: the best single method, by its score on all series.
        single_score: its mean over the series.
        results: the best ensembles, each of other members, best first.
        held_out_score: mean over the series of the ensemble that was chosen without each.
        held_out_single: the same of the single method that was chosen without each.
        gain: the difference of these two, series by series: what an ensemble can be expected to
            gain.
        folds: the number of folds.
        tried: the number of ensembles that were scored.
        left_out: methods that could not take part, and why.
    """

    metric: str
    margin: int
    series: tuple[str, ...]
    single: str
    single_score: float
    results: tuple[EnsembleResult, ...]
    held_out_score: float
    held_out_single: float
    gain: Gain
    folds: int
    tried: int
    left_out: tuple[tuple[str, str], ...]


def combine(places: Sequence[Sequence[int]], series: LabelledSeries, rule: Rule) -> Places:
    """The positions in *series* that *rule* makes of the *places* (positions) of its members.

    These are the places that the detector of that rule and members finds: points are counted as a
    detector counts them, without the missing ones. A member whose places come twice has two votes.
    """
    present = [point.position for point in series.series.points]
    votes = Counter(_indices(found, present) for found in map(tuple, places))
    ballots = [Ballot(indices, number) for indices, number in votes.items()]
    return tuple(present[k] for k in rule.places(ballots, len(present)))


def _indices(places: Iterable[int], present: Sequence[int]) -> tuple[int, ...]:
    """*places* counted without missing points; one that is missing stands for the next there is."""
    found = {bisect_left(present, place) for place in places}
    return tuple(sorted(found - {0, len(present)}))


def search(
    outcomes: Iterable[Outcome],
    dataset: Dataset,
    metric: Metric,
    *,
    size: int = LARGEST,
    margin: int = MARGIN,
    tolerances: Sequence[int] = (1, 3),
    folds: int = 5,
    seed: int = 0,
) -> EnsembleSearch:
    """Search ensembles of 2 to *size* of the methods in *outcomes*; nothing is run again.

    Methods without a result for one of the series that were run are left out. *tolerances* are
    those that are tried; *folds* and *seed* divide the series, twins together.
    Raises `UsageError` for a size that is not 2 to 5, `InputError` where fewer than two methods or
    labelled series are left.
    """
    require_size(size)
    panel = _panel(outcomes, dataset, metric, margin)
    searcher = _Searcher(panel, size, tuple(tolerances))
    divided = divide(groups(panel.series), folds, seed)
    picks = [
        (searcher.explore(fold.training)[0], panel.best_single(fold.training)) for fold in divided
    ]
    everything = range(len(panel.series))
    single = panel.best_single(everything)
    alone = panel.scores(single)
    results = tuple(
        EnsembleResult(
            recipe,
            panel.spec(recipe),
            panel.mean(recipe, everything),
            panel.gain(panel.scores(recipe), alone),
            sum(recipe == chosen for chosen, _ in picks),
        )
        for recipe in searcher.explore(everything)[:_KEPT]
    )
    ours, theirs = (
        [panel.scores(picks[k][which])[i] for i, k in _judges(divided)] for which in (0, 1)
    )
    return EnsembleSearch(
        metric=metric.name,
        margin=margin,
        series=tuple(member.name for member in panel.series),
        single=single.members[0],
        single_score=fmean(alone),
        results=results,
        held_out_score=fmean(ours),
        held_out_single=fmean(theirs),
        gain=panel.gain(ours, theirs),
        folds=len(divided),
        tried=sum(len(recipe.members) > 1 for recipe in panel.known),
        left_out=panel.left_out,
    )


def require_size(size: int) -> None:
    """Raise `UsageError` for a number of members that no search gives an ensemble."""
    if not 2 <= size <= LARGEST:
        raise UsageError(f"an ensemble has 2 to {LARGEST} members, not {size}")


def _judges(folds: Sequence[Fold]) -> list[tuple[int, int]]:
    """Each series in order, and the fold that holds it out."""
    return sorted((i, k) for k, fold in enumerate(folds) for i in fold.held_out)


_KEPT = 10
_ALONE = Rule(quorum=1, tolerance=0, apart=1)


@dataclass
class _Panel:
    """The methods with their places on each series, and the scores of what they say together."""

    series: tuple[LabelledSeries, ...]
    places: Mapping[str, Sequence[Places]]
    specs: Mapping[str, str]
    left_out: tuple[tuple[str, str], ...]
    metric: Metric
    margin: int
    known: dict[Recipe, tuple[float, ...]] = field(default_factory=dict)
    _scored: dict[tuple[int, Places], float] = field(default_factory=dict)
    _voted: dict[tuple[tuple[str, ...], Rule], list[list[tuple[int, int]]]] = field(
        default_factory=dict
    )

    @cached_property
    def _present(self) -> list[list[int]]:
        return [[point.position for point in member.series.points] for member in self.series]

    @cached_property
    def _indexed(self) -> dict[str, list[tuple[int, ...]]]:
        return {
            name: [
                _indices(found, present)
                for found, present in zip(places, self._present, strict=True)
            ]
            for name, places in self.places.items()
        }

    def scores(self, recipe: Recipe) -> tuple[float, ...]:
        """The score on each series."""
        if recipe not in self.known:
            scored = enumerate(self._places(recipe))
            self.known[recipe] = tuple(self._score(i, found) for i, found in scored)
        return self.known[recipe]

    def _score(self, i: int, found: Places) -> float:
        if (i, found) not in self._scored:
            member = self.series[i]
            self._scored[i, found] = self.metric.score(
                member.annotators, found, member.length, self.margin
            )
        return self._scored[i, found]

    def _places(self, recipe: Recipe) -> Sequence[Places]:
        """The positions on each series."""
        if len(recipe.members) == 1:
            return self.places[recipe.members[0]]
        least = recipe.rule.quorum
        return [
            tuple(sorted(place for place, quorum in standings if quorum >= least))
            for standings in self._standings(recipe)
        ]

    def _standings(self, recipe: Recipe) -> list[list[tuple[int, int]]]:
        """On each series the positions and the quorum that each has, whatever the recipe's is."""
        rule = replace(recipe.rule, quorum=1)
        if (recipe.members, rule) not in self._voted:
            votes = Counter(recipe.members).items()
            self._voted[recipe.members, rule] = [
                [
                    (present[k], quorum)
                    for k, quorum in rule.standings(
                        [Ballot(self._indexed[who][i], number) for who, number in votes]
                    )
                ]
                for i, present in enumerate(self._present)
            ]
        return self._voted[recipe.members, rule]

    def mean(self, recipe: Recipe, chosen: Sequence[int]) -> float:
        """The mean score over the series *chosen*."""
        scores = self.scores(recipe)
        return fmean(scores[i] for i in chosen)

    def rank(self, recipe: Recipe, chosen: Sequence[int]) -> tuple[float, int]:
        """What to sort by, the best first; of equals the one of fewer members and votes."""
        mean = self.mean(recipe, chosen)
        return (-mean if self.metric.higher_is_better else mean, len(recipe.members))

    def best_single(self, chosen: Sequence[int]) -> Recipe:
        """The best method alone."""
        return min(self.singles(), key=lambda recipe: self.rank(recipe, chosen))

    def singles(self) -> list[Recipe]:
        """Each method alone."""
        return [Recipe((name,), _ALONE) for name in self.places]

    def gain(self, ours: Sequence[float], theirs: Sequence[float]) -> Gain:
        """How much better *ours* are, whichever way is better."""
        better = self.metric.higher_is_better
        return gain(ours, theirs, groups(self.series), higher_is_better=better)

    def spec(self, recipe: Recipe) -> str:
        """The canonical spec of the detector, or "" where there is none."""
        specs = [self.specs[name] for name in recipe.members]
        return str(Recipe(tuple(specs), recipe.rule)) if all(specs) else ""


@dataclass(frozen=True)
class _Searcher:
    """The search over the ensembles of a panel, by the scores of some of its series."""

    panel: _Panel
    size: int
    tolerances: tuple[int, ...]

    def explore(self, training: Sequence[int]) -> list[Recipe]:
        """The best ensemble of each set of members that was looked at, best first."""

        def rank(recipe: Recipe) -> tuple[float, int]:
            return self.panel.rank(recipe, training)

        singles = sorted(self.panel.singles(), key=rank)[:_POOL]
        pool = [recipe.members[0] for recipe in singles]
        best: list[Recipe] = []
        beam: list[tuple[str, ...]] = [(name,) for name in pool]
        for size in range(2, min(self.size, len(pool)) + 1):
            room = max(2 * len(pool), _WORK // (len(self.panel.series) * len(self.tolerances)))
            level = [
                min(self._equal(members), key=rank) for members in _sets(beam, pool, size, room)
            ]
            level.sort(key=rank)
            for k, recipe in enumerate(level[:_VARIED]):
                level[k] = min([recipe, *self._varied(recipe.members)], key=rank)
            best += level
            beam = [_in_order(recipe.members, pool) for recipe in level]
        return sorted(best, key=rank)

    def _equal(self, members: tuple[str, ...]) -> Iterator[Recipe]:
        for tolerance in self.tolerances:
            for quorum in range(1, len(members) + 1):
                yield Recipe(members, Rule(quorum, tolerance))

    def _varied(self, members: tuple[str, ...]) -> Iterator[Recipe]:
        """One member with two votes, or at its word; of two members neither says anything new."""
        if len(members) < 3:
            return
        for first in members:
            others = tuple(name for name in members if name != first)
            for tolerance in self.tolerances:
                for quorum in range(2, len(members) + 1):
                    yield Recipe((first, first, *others), Rule(quorum, tolerance))
                    yield Recipe((first, *others), Rule(quorum, tolerance, trusting=True))


def _in_order(members: Iterable[str], pool: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(members), key=pool.index))


def _sets(
    beam: Sequence[tuple[str, ...]], pool: Sequence[str], size: int, room: int
) -> list[tuple[str, ...]]:
    """All sets of *size* where there is *room* for them, else those that extend the best ones."""
    if comb(len(pool), size) <= room:
        return list(combinations(pool, size))
    extended: dict[tuple[str, ...], None] = {}
    for members in beam:
        extended |= dict.fromkeys(
            _in_order((*members, name), pool) for name in pool if name not in members
        )
        if len(extended) >= room:
            break
    return list(extended)


def _panel(outcomes: Iterable[Outcome], dataset: Dataset, metric: Metric, margin: int) -> _Panel:
    """The methods that have a result for each labelled series that was run."""
    found = _by_method(outcomes)
    run = {name for results in found.values() for name in results}
    series = tuple(member for member in dataset if member.annotations and member.name in run)
    places: dict[str, list[Places]] = {}
    specs: dict[str, str] = {}
    left_out: list[tuple[str, str]] = []
    for (method, configuration), results in found.items():
        spec = _spec(next(iter(results.values())))
        named = configuration.startswith(method)
        name = spec or (configuration if named else f"{method} {configuration}".strip())
        there = [results.get(member.name) for member in series]
        ended = [outcome.places for outcome in there if outcome and outcome.status is Status.OK]
        if len(ended) < len(series):
            missing = len(series) - len(ended)
            left_out.append((name, f"no result for {missing} of {len(series)} series"))
        elif name in places:
            left_out.append((name, "is there under another name already"))
        elif not any(ended):
            left_out.append((name, "finds nothing anywhere, and so has no vote"))
        elif sum(map(len, ended)) > _TOO_MANY * sum(len(member.series) for member in series):
            left_out.append((name, "marks so many points that it would confirm anything"))
        else:
            places[name], specs[name] = ended, spec
    if len(places) < 2 or len(series) < 2:
        raise InputError(
            f"{dataset.name}: {len(places)} method(s) with a result for all of {len(series)}"
            " labelled series; an ensemble needs two of each: run more methods or label more series"
        )
    return _Panel(series, places, specs, tuple(left_out), metric, margin)


def _by_method(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], dict[str, Outcome]]:
    found: dict[tuple[str, str], dict[str, Outcome]] = {}
    for outcome in outcomes:
        results = found.setdefault((outcome.method, outcome.configuration), {})
        if outcome.series in results:
            raise InputError(
                f"{outcome.series}: {outcome.method} {outcome.configuration} has two results;"
                " leave one out"
            )
        results[outcome.series] = outcome
    return found


def _spec(outcome: Outcome) -> str:
    """The canonical spec of what was run, or "" where it is not known."""
    from stepmark.plugins import parse_detector

    known = METHODS.get(outcome.method)
    tried = [outcome.configuration]
    if outcome.default and known is not None:
        tried.append(known.default_spec)
    for text in tried:
        try:
            return str(parse_detector(text))
        except SpecError:
            continue
    return ""
