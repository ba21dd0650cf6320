# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How well found places agree with those of the annotators, each measure exactly defined.

*annotations* maps each annotator to the places where they saw a change, *predicted* are the places
that were found; a place is the first point of the new segment, 0-based. Order and repetitions do
not matter. Nobody's place 0 counts as a change (the first point starts the series), except in
`tcpdbench_f1`, whose rule it is that everybody marks 0. All raise `InputError` where there is no
annotator, a place is not inside the series (as far as its length is given), or the margin is
negative.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from operator import attrgetter, index
from types import MappingProxyType

from stepmark.errors import InputError

Annotations = Mapping[str, Collection[int]]
Group = tuple[int, ...]

MARGIN = 5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision and recall over all annotators of one series, and their harmonic mean."""

    f1: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Changes found, missed and wrongly reported.

    Counts of several series add up: ``sum(many, Counts())``.

    Attributes:
        hits: changes that a prediction was matched to.
        missed: changes that none was matched to.
        false: predictions that were matched to no change.
    """

    hits: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hits + other.hits, self.missed + other.missed, self.false + other.false)

    @property
    def precision(self) -> float:
        """Share of the predictions that are hits; 1 where nothing was predicted."""
        return _share(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Share of the changes that were found; 1 where there is none."""
        return _share(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _harmonic(self.precision, self.recall)


def tcpdbench_f1(
    annotations: Annotations, predicted: Collection[int], *, margin: int = MARGIN
) -> Agreement:
    """F1, precision and recall exactly as the Turing Change Point Detection Benchmark counts them.

    0 is added to every annotator's set and to the predictions. A place counts as found if an
    unused prediction lies within *margin*; the nearest one (of two the smaller) is used up.
    Precision is the number of found places of the union of all annotators over the number of
    predictions; recall the mean over annotators of the share of their places that are found.

    Places are taken in the order in which CPython iterates over the set, as published: not always
    the rising one, and an earlier place can use up the prediction that a later one needed. In rare
    cases it depends on whose places enter the union first: as published, those of the annotator
    with the smallest number.

    Source: van den Burg and Williams, "An Evaluation of Change Point Detection Algorithms",
    arXiv:2003.06222, and the program published with it.
    """
    _require_margin(margin)
    truth = _truth(annotations)
    found = _plain(predicted)
    found.add(0)
    union: set[int] = set()
    for places in truth:
        places.add(0)
        # One by one: an update by another set would lay out the table in another order.
        for place in places:
            union.add(place)
    precision = _greedy_hits(union, found, margin) / len(found)
    recall = sum(_greedy_hits(places, found, margin) / len(places) for places in truth) / len(truth)
    return Agreement(_harmonic(precision, recall), precision, recall)


def _greedy_hits(places: set[int], found: set[int], margin: int) -> int:
    unused = set(found)
    hits = 0
    for place in places:
        near = [(abs(place - x), x) for x in unused if abs(place - x) <= margin]
        if near:
            unused.remove(min(near)[1])
            hits += 1
    return hits


def one_to_one_f1(
    annotations: Annotations, predicted: Collection[int], *, margin: int = MARGIN
) -> Agreement:
    """F1, precision and recall by maximum one-to-one matching within *margin*, without index 0.

    Precision is the share of the predictions that can be matched, one to one, to the `groups` of
    the annotators' places: places of several annotators for one change are one thing to find, so
    that a second prediction beside it is wrong. Recall is the mean over annotators of the share of
    their own places that can be matched. A side without anything to match has nothing wrong:
    precision is 1 without predictions, recall 1 for an annotator without places. Hence nothing
    true and nothing found gives 1; only one of both empty gives 0 (with one annotator).

    Of one annotator this is the usual F1. Of several, no prediction is wrong that would be right
    by the places of any one of them.
    """
    matched = counts(annotations, predicted, margin=margin)
    truth, found = [_changes(places) for places in _truth(annotations)], _changes(predicted)
    shares = [_share(len(matches(places, found, margin=margin)), len(places)) for places in truth]
    recall = sum(shares) / len(shares)
    return Agreement(_harmonic(matched.precision, recall), matched.precision, recall)


def counts(annotations: Annotations, predicted: Collection[int], *, margin: int = MARGIN) -> Counts:
    """Hits, misses and false alarms of one series, by the matching of `one_to_one_f1`.

    A change is one of the `groups` of the annotators' places: with several annotators, one that
    only one of them saw counts like one that all saw.
    """
    changes = groups(annotations, margin=margin)
    found = _changes(predicted)
    windows = [(group[0] - margin, group[-1] + margin) for group in changes]
    hits = len(match_windows(windows, found))
    return Counts(hits, len(changes) - hits, len(found) - hits)


def groups(annotations: Annotations, *, margin: int = MARGIN) -> tuple[Group, ...]:
    """The changes that the annotators together speak of: their distinct places, in groups.

    From left to right, a place joins the group before it if it lies within *margin* of that
    group's first place, and none of those who marked it has a place in that group already: who
    marks two places says that there are two changes, however near.
    """
    _require_margin(margin)
    marked: dict[int, set[int]] = {}
    for annotator, places in enumerate(_truth(annotations)):
        for place in places - {0}:
            marked.setdefault(place, set()).add(annotator)
    found: list[list[int]] = []
    voices: set[int] = set()
    for place, annotators in sorted(marked.items()):
        if found and place - found[-1][0] <= margin and not voices & annotators:
            found[-1].append(place)
            voices |= annotators
        else:
            found.append([place])
            voices = set(annotators)
    return tuple(map(tuple, found))


def matches(
    true: Collection[int], found: Collection[int], *, margin: int = MARGIN
) -> tuple[tuple[int, int], ...]:
    """As many disjoint pairs (true, found) as there can be with both within *margin*, rising."""
    _require_margin(margin)
    left, right = sorted(set(true)), sorted(set(found))
    pairs = match_windows([(place - margin, place + margin) for place in left], right)
    return tuple((left[i], right[j]) for i, j in pairs)


def match_windows(
    windows: Sequence[tuple[int, int]], places: Sequence[int]
) -> list[tuple[int, int]]:
    """A maximum matching of windows (first and last place) with the places inside them.

    Returns pairs of indices into both. The places rise, and so do both ends of the windows.
    """
    # Let x be the first place and w the first window left. If x lies before w it lies before all
    # windows, and if it lies behind w so do all places: neither can be matched. Else some maximum
    # matching has the pair w-x. One that uses neither could be enlarged; in one that uses only
    # one of them, their pair may take its place; and for w-y and v-x with y > x and v behind w,
    # start(v) <= x < y <= end(w) <= end(v), so w-x and v-y do as well.
    pairs = []
    i = j = 0
    while i < len(windows) and j < len(places):
        first, last = windows[i]
        if places[j] < first:
            j += 1
        elif places[j] > last:
            i += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    return pairs


def covering(annotations: Annotations, predicted: Collection[int], *, length: int) -> float:
    """How well the predicted segments cover the annotators', 0 (never reached) to 1 (equal).

    For each segment of an annotator the largest Jaccard index (points shared over points in
    either) with a predicted segment, averaged with the segment's length as weight; then the mean
    over annotators. Source: Arbelaez et al., IEEE TPAMI 33 (2011), as in the Turing benchmark.
    """
    bounds = _bounds(predicted, length)
    covers = [_cover(_bounds(places, length), bounds) for places in _truth(annotations)]
    return sum(covers) / len(covers)


def _cover(true: Sequence[int], found: Sequence[int]) -> float:
    best = dict.fromkeys(pairwise(true), 0.0)
    for whole, part, shared in _cells(true, found):
        either = (whole[1] - whole[0]) + (part[1] - part[0]) - shared
        best[whole] = max(best[whole], shared / either)
    return sum((stop - start) * cover for (start, stop), cover in best.items()) / true[-1]


def rand_index(annotations: Annotations, predicted: Collection[int], *, length: int) -> float:
    """Share of the pairs of points on which annotator and prediction agree; mean over annotators.

    Both put the pair into one segment, or both into two. 1 for a single point, which has no pair.
    Source: Rand, Journal of the American Statistical Association 66 (1971).
    """
    bounds = _bounds(predicted, length)
    scores = []
    for places in _truth(annotations):
        both, true, found, pairs = _pairs(_bounds(places, length), bounds)
        scores.append(_share(pairs - true - found + 2 * both, pairs))
    return sum(scores) / len(scores)


def adjusted_rand_index(
    annotations: Annotations, predicted: Collection[int], *, length: int
) -> float:
    """The Rand index less what chance would give, over the most that it could exceed that.

    1 if the segments are equal, 0 on average for random divisions with as large parts (which need
    not be segments), and down to -0.5; mean over annotators.
    Source: Hubert and Arabie, Journal of Classification 2 (1985).
    """
    bounds = _bounds(predicted, length)
    scores = []
    for places in _truth(annotations):
        both, true, found, pairs = _pairs(_bounds(places, length), bounds)
        # The usual fraction times the number of all pairs, to stay with whole numbers. It is 0/0
        # only where both are one segment or both are single points: equal.
        chance = true * found
        scores.append(_share(2 * (both * pairs - chance), (true + found) * pairs - 2 * chance))
    return sum(scores) / len(scores)


def _pairs(true: Sequence[int], found: Sequence[int]) -> tuple[int, int, int, int]:
    """Pairs of points in one segment: of both, of the truth, of the prediction; and all pairs."""
    both = sum(_choose(shared) for _, _, shared in _cells(true, found))
    inside = [sum(_choose(b - a) for a, b in pairwise(bounds)) for bounds in (true, found)]
    return both, inside[0], inside[1], _choose(true[-1])


def _choose(n: int) -> int:
    return n * (n - 1) // 2


def hausdorff(annotations: Annotations, predicted: Collection[int], *, length: int) -> float:
    """The farthest that a change of either side lies from the nearest of the other, in points.

    Mean over annotators. 0 where neither side has a change; *length*, which is more than any
    distance, where only one has. Source: Boysen et al., Annals of Statistics 37 (2009).
    """
    found = _bounds(predicted, length)[1:-1]
    distances = []
    for places in _truth(annotations):
        true = _bounds(places, length)[1:-1]
        if true and found:
            distances.append(max(_farthest(true, found), _farthest(found, true)))
        else:
            distances.append(length if true or found else 0)
    return sum(distances) / len(distances)


def _farthest(places: Sequence[int], others: Sequence[int]) -> int:
    return max(min(abs(place - other) for other in others) for place in places)


def _cells(
    true: Sequence[int], found: Sequence[int]
) -> Iterable[tuple[tuple[int, int], tuple[int, int], int]]:
    """The pairs of segments of two divisions that share points, and how many they share."""
    i = j = 0
    while i < len(true) - 1 and j < len(found) - 1:
        start, stop = max(true[i], found[j]), min(true[i + 1], found[j + 1])
        yield (true[i], true[i + 1]), (found[j], found[j + 1]), stop - start
        i, j = i + (true[i + 1] == stop), j + (found[j + 1] == stop)


def _truth(annotations: Annotations) -> list[set[int]]:
    if not annotations:
        raise InputError("no annotator: a series without labels cannot be scored")
    # Numbers by their size, as in the benchmark's file; names by length, then alphabet.
    order = sorted(annotations, key=lambda who: (len(who), who))
    return [_plain(annotations[who]) for who in order]


def _plain(places: Iterable[int]) -> set[int]:
    plain = set(map(index, places))
    if plain and min(plain) < 0:
        raise InputError(f"place {min(plain)} is not inside the series: places count from 0")
    return plain


def _changes(places: Iterable[int]) -> list[int]:
    return sorted(_plain(places) - {0})


def _bounds(places: Iterable[int], length: int) -> list[int]:
    """Where segments start, and the end of the last one."""
    if length < 1:
        raise InputError(f"a series of {length} points cannot be scored")
    changes = _changes(places)
    if changes and changes[-1] >= length:
        raise InputError(f"place {changes[-1]} is not inside the series of {length} points")
    return [0, *changes, length]


def _require_margin(margin: int) -> None:
    if margin < 0:
        raise InputError(f"a margin is 0 or more points, not {margin}")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


Score = Callable[[Annotations, Collection[int], int, int], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of one series by name.

    Attributes:
        name: as in options and result files.
        title: as in the head of a table.
        definition: what it is, in one sentence.
        higher_is_better: which way is better.
        score: of (annotations, predicted, length, margin) the number; measures that need no
            margin ignore it.
    """

    name: str
    title: str
    definition: str
    higher_is_better: bool
    score: Score


def _of_agreement(measure: Callable[..., Agreement], part: str) -> Score:
    read: Callable[[Agreement], float] = attrgetter(part)

    def score(
        annotations: Annotations, predicted: Collection[int], length: int, margin: int
    ) -> float:
        _bounds(predicted, length)  # refuses a place outside, which the measure cannot know
        return read(measure(annotations, predicted, margin=margin))

    return score


def _of_division(measure: Callable[..., float]) -> Score:
    def score(annotations: Annotations, predicted: Collection[int], length: int, _: int) -> float:
        return measure(annotations, predicted, length=length)

    return score


def _false_alarms(
    annotations: Annotations,
    predicted: Collection[int],
    length: int,
    margin: int,
    *,
    per: int | None = None,
) -> float:
    _bounds(predicted, length)  # as above
    false = counts(annotations, predicted, margin=margin).false
    return float(false) if per is None else per * false / length


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(
                "f1",
                "F1",
                "Harmonic mean of the TCPDBench precision and recall, with 0 among everybody's"
                " places.",
                True,
                _of_agreement(tcpdbench_f1, "f1"),
            ),
            Metric(
                "precision",
                "Precision",
                "Places of the union of all annotators found by the greedy TCPDBench search, per"
                " prediction, with 0 among both.",
                True,
                _of_agreement(tcpdbench_f1, "precision"),
            ),
            Metric(
                "recall",
                "Recall",
                "Share of an annotator's places found by the greedy TCPDBench search, with 0"
                " among them; mean over annotators.",
                True,
                _of_agreement(tcpdbench_f1, "recall"),
            ),
            Metric(
                "covering",
                "Covering",
                "Largest Jaccard index of each annotated segment with a predicted one, weighted by"
                " the segment's length; mean over annotators.",
                True,
                _of_division(covering),
            ),
            Metric(
                "f1_matched",
                "F1 (one-to-one)",
                "Harmonic mean of the one-to-one precision and recall, without place 0; 1 where"
                " nothing is true and nothing found.",
                True,
                _of_agreement(one_to_one_f1, "f1"),
            ),
            Metric(
                "precision_matched",
                "Precision (one-to-one)",
                "Share of the predictions in a maximum one-to-one matching, within the margin,"
                " with the changes of which any annotator speaks; 1 without predictions.",
                True,
                _of_agreement(one_to_one_f1, "precision"),
            ),
            Metric(
                "recall_matched",
                "Recall (one-to-one)",
                "Share of an annotator's places in a maximum one-to-one matching, within the"
                " margin, with the predictions, 1 if they have none; mean over annotators.",
                True,
                _of_agreement(one_to_one_f1, "recall"),
            ),
            Metric(
                "rand",
                "Rand index",
                "Share of the pairs of points that annotator and prediction both put into one"
                " segment or both into two; mean over annotators.",
                True,
                _of_division(rand_index),
            ),
            Metric(
                "rand_adjusted",
                "Adjusted Rand index",
                "Rand index less its expectation for random divisions into parts of the same"
                " sizes, over the most it could exceed that; mean over annotators.",
                True,
                _of_division(adjusted_rand_index),
            ),
            Metric(
                "hausdorff",
                "Hausdorff distance",
                "Farthest that a change of either side lies from the nearest of the other, in"
                " points, the length of the series if only one side has any; mean over"
                " annotators.",
                False,
                _of_division(hausdorff),
            ),
            Metric(
                "false_alarms",
                "False alarms",
                "Predictions of the series that the one-to-one matching leaves over.",
                False,
                _false_alarms,
            ),
            Metric(
                "false_alarms_per_1000",
                "False alarms per 1,000 points",
                "Predictions that the one-to-one matching leaves over, per 1,000 points.",
                False,
                partial(_false_alarms, per=1000),
            ),
        )
    }
)
