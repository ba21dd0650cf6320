# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Each measure against its definition, spelled out slowly, and against the published scores."""

from __future__ import annotations

import json
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import directed_hausdorff

from evaluation.labels import PUBLISHED
from stepmark.errors import InputError
from stepmark.evaluation.metrics import (
    METRICS,
    Counts,
    adjusted_rand_index,
    counts,
    covering,
    groups,
    hausdorff,
    matches,
    one_to_one_f1,
    rand_index,
    tcpdbench_f1,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
LENGTH = 24
PLACES = st.sets(st.integers(1, LENGTH - 1), max_size=5)
ANNOTATIONS = st.dictionaries(st.sampled_from(["6", "7", "10"]), PLACES, min_size=1)
MARGINS = st.integers(0, 6)
unhurried = settings(deadline=None)


def most_pairs(true, found, margin):
    """The size of a maximum matching, by trying every assignment."""
    if len(true) > len(found):
        true, found = found, true
    padded = [*found, *[None] * len(true)]
    return max(
        sum(x is not None and abs(t - x) <= margin for t, x in zip(true, chosen, strict=True))
        for chosen in permutations(padded, len(true))
    )


def labels(places, length):
    """The number of the segment that each point lies in."""
    return [sum(place <= point for place in places) for point in range(length)]


# TCPDBench's F1, as published


@pytest.fixture(scope="module")
def turing(shared_data):
    def read(name):
        return json.loads((shared_data / "tcpd" / name).read_text(encoding="utf-8"))

    return read("annotations.json"), read("default_results.json")


@pytest.mark.parametrize("alphabetical", [False, True])
@pytest.mark.parametrize("method", PUBLISHED)
def test_means_over_the_complete_turing_series(turing, method, alphabetical):
    annotations, results = turing
    names = [name for name in results if name != "uk_coal_employ"]  # which has missing values
    assert len(names) == 23
    scores = []
    for name in names:
        marks = annotations[name]
        if alphabetical:  # an order of annotators that is not that of their numbers
            marks = dict(sorted(marks.items()))
        scores.append(tcpdbench_f1(marks, results[name][method]["cplocations"]).f1)
    assert sum(scores) / len(scores) == pytest.approx(PUBLISHED[method], abs=5e-5)


def test_zero_on_the_turing_series_scores_above_many_methods(turing):
    annotations, results = turing
    published, matched = [], []
    for name in results:
        published.append(tcpdbench_f1(annotations[name], ()).f1)
        matched.append(one_to_one_f1(annotations[name], ()).f1)
    # Place 0 is a hit given away: the reason for a second definition.
    assert np.mean(published) > 0.6
    assert np.mean(matched) < 0.35


def test_the_published_rule_adds_place_zero_to_everybody():
    agreement = tcpdbench_f1({"a": [50]}, [])
    assert (agreement.precision, agreement.recall) == (1.0, 0.5)
    assert agreement.f1 == pytest.approx(2 / 3)
    # A prediction near 0 is one too many, since 0 itself is used up first.
    assert tcpdbench_f1({"a": []}, [3]).precision == 0.5


def test_the_published_rule_takes_the_nearest_unused_prediction():
    assert tcpdbench_f1({"a": [60, 66]}, [60, 65]).f1 == 1.0
    assert tcpdbench_f1({"a": [60]}, [55, 61, 66]).precision == 2 / 4
    assert tcpdbench_f1({"a": [60, 62]}, [61]).recall == pytest.approx(2 / 3)


def test_the_published_rule_depends_on_the_order_of_a_set():
    # 32 comes before 28, being 0 in a table of 8.
    assert list({28, 32}) == [32, 28]
    # 32 takes 31 though it could have 37, and 28 goes without.
    assert tcpdbench_f1({"a": [28, 32]}, [31, 37]).recall == pytest.approx(2 / 3)
    assert one_to_one_f1({"a": [28, 32]}, [31, 37]).recall == 1.0
    # Of two that are as near 32 takes the smaller, 30, and 28 goes without.
    assert tcpdbench_f1({"a": [28, 32]}, [30, 34]).recall == pytest.approx(2 / 3)


def test_the_published_precision_is_of_the_union_and_recall_of_each():
    agreement = tcpdbench_f1({"a": [20], "b": [60], "c": []}, [21, 40, 61])
    assert agreement.precision == 3 / 4
    assert agreement.recall == 1.0
    agreement = tcpdbench_f1({"a": [20], "b": [60], "c": []}, [21])
    assert agreement.recall == pytest.approx((1 + 1 / 2 + 1) / 3)


@unhurried
@given(ANNOTATIONS, PLACES, MARGINS)
def test_the_order_of_annotators_never_counts(annotations, found, margin):
    reverse = dict(reversed(annotations.items()))
    for metric in METRICS.values():
        score = metric.score(annotations, found, LENGTH, margin)
        assert score == metric.score(reverse, sorted(found, reverse=True), LENGTH, margin)


# One-to-one matching


@unhurried
@given(PLACES, PLACES, MARGINS)
def test_matching_is_maximum_one_to_one_and_within_the_margin(true, found, margin):
    pairs = matches(true, found, margin=margin)
    assert len(pairs) == most_pairs(sorted(true), sorted(found), margin)
    assert all(t in true and x in found and abs(t - x) <= margin for t, x in pairs)
    assert len({t for t, _ in pairs}) == len({x for _, x in pairs}) == len(pairs)
    assert sorted(pairs) == list(pairs)


@unhurried
@given(PLACES, PLACES, MARGINS)
def test_one_annotator_gives_the_usual_f1(true, found, margin):
    hits = most_pairs(sorted(true), sorted(found), margin)
    agreement = one_to_one_f1({"a": true}, found, margin=margin)
    assert agreement.precision == (hits / len(found) if found else 1.0)
    assert agreement.recall == (hits / len(true) if true else 1.0)
    usual = 2 * hits / (len(true) + len(found)) if true or found else 1.0
    assert agreement.f1 == pytest.approx(usual)
    assert counts({"a": true}, found, margin=margin) == Counts(
        hits, len(true) - hits, len(found) - hits
    )


@pytest.mark.parametrize(
    ("true", "found", "f1"),
    [([], [], 1.0), ([50], [], 0.0), ([], [50], 0.0), ([0], [], 1.0), ([0], [0], 1.0)],
)
def test_conventions_for_empty_sets(true, found, f1):
    assert one_to_one_f1({"a": true}, found).f1 == f1


def test_half_of_two_annotators_is_right_about_nothing():
    agreement = one_to_one_f1({"a": [50], "b": []}, [])
    assert (agreement.precision, agreement.recall) == (1.0, 0.5)


def test_a_cluster_of_marks_is_one_change():
    marks = {"a": [48], "b": [50], "c": [52]}
    assert groups(marks) == ((48, 50, 52),)
    assert one_to_one_f1(marks, [50]).f1 == 1.0
    # A second report of it is wrong, though two annotators could be played against each other.
    assert one_to_one_f1(marks, [48, 52]).precision == 0.5


def test_a_group_is_no_chain():
    assert groups({"a": [10], "b": [14], "c": [18], "d": [22]}) == ((10, 14), (18, 22))


def test_two_places_of_one_annotator_are_two_changes():
    marks = {"a": [48, 51], "b": [50]}
    assert groups(marks) == ((48, 50), (51,))
    assert one_to_one_f1(marks, [48, 52]).precision == 1.0


def test_a_place_several_annotators_share_is_in_one_group():
    assert groups({"a": [10, 13], "b": [12], "c": [13]}) == ((10, 12), (13,))


@unhurried
@given(ANNOTATIONS, PLACES, MARGINS)
def test_groups_lie_between_every_annotator_and_the_union(annotations, found, margin):
    divided = groups(annotations, margin=margin)
    union = sorted(set().union(*annotations.values()))
    assert [place for group in divided for place in group] == union
    for group in divided:
        assert group[-1] - group[0] <= margin
        for places in annotations.values():
            assert len(places & set(group)) <= 1
    hits = counts(annotations, found, margin=margin).hits
    alone = [most_pairs(sorted(p), sorted(found), margin) for p in annotations.values()]
    assert max(alone) <= hits <= most_pairs(union, sorted(found), margin)


@unhurried
@given(ANNOTATIONS, PLACES, MARGINS)
def test_hits_are_a_maximum_matching_with_the_groups(annotations, found, margin):
    divided = groups(annotations, margin=margin)
    near = [
        {x for x in found if any(abs(x - place) <= margin for place in group)} for group in divided
    ]

    def most(i, used):
        if i == len(near):
            return 0
        options = (1 + most(i + 1, used | {x}) for x in near[i] - used)
        return max([most(i + 1, used), *options])

    assert counts(annotations, found, margin=margin).hits == most(0, frozenset())


def test_counts_pool():
    pooled = Counts(1, 0, 3) + Counts(2, 3, 0)
    assert pooled == Counts(3, 3, 3)
    assert (pooled.precision, pooled.recall, pooled.f1) == (0.5, 0.5, 0.5)
    assert (Counts().precision, Counts().recall, Counts().f1) == (1.0, 1.0, 1.0)
    assert Counts(0, 2, 2).f1 == 0.0


# Measures of the division


@unhurried
@given(ANNOTATIONS, PLACES)
def test_covering_is_its_definition(annotations, found):
    def parts(places):
        numbers = labels(places, LENGTH)
        return [{i for i, v in enumerate(numbers) if v == number} for number in set(numbers)]

    def cover(places):
        best = [max(len(a & b) / len(a | b) for b in parts(found)) for a in parts(places)]
        return sum(len(a) * b for a, b in zip(parts(places), best, strict=True)) / LENGTH

    expected = np.mean([cover(places) for places in annotations.values()])
    assert covering(annotations, found, length=LENGTH) == pytest.approx(expected)


@unhurried
@given(PLACES, PLACES)
def test_rand_index_is_its_definition(true, found):
    a, b = labels(true, LENGTH), labels(found, LENGTH)
    agree = [(a[i] == a[j]) == (b[i] == b[j]) for i, j in combinations(range(LENGTH), 2)]
    score = rand_index({"a": true}, found, length=LENGTH)
    assert score == pytest.approx(np.mean(agree))


@unhurried
@given(PLACES, PLACES)
def test_adjusted_rand_index_is_its_definition(true, found):
    a, b = labels(true, LENGTH), labels(found, LENGTH)
    pairs = list(combinations(range(LENGTH), 2))
    in_a = sum(a[i] == a[j] for i, j in pairs)
    in_b = sum(b[i] == b[j] for i, j in pairs)
    both = sum(a[i] == a[j] and b[i] == b[j] for i, j in pairs)
    chance = in_a * in_b / len(pairs)
    expected = 1.0 if true == found else (both - chance) / ((in_a + in_b) / 2 - chance)
    score = adjusted_rand_index({"a": true}, found, length=LENGTH)
    assert score == pytest.approx(expected)


def test_adjusted_rand_index_of_a_shuffled_division_is_zero_on_average():
    # By the same counts on labels in any order: what the adjustment promises.
    rng = np.random.default_rng(3)
    a = np.array(labels([8, 16], LENGTH))
    first, second = np.triu_indices(LENGTH, 1)
    together = a[first] == a[second]
    scores = []
    for _ in range(2000):
        b = rng.permutation(a)
        both = np.sum(together & (b[first] == b[second]))
        chance = together.sum() ** 2 / together.size
        scores.append((both - chance) / (together.sum() - chance))
    assert np.mean(scores) == pytest.approx(0, abs=0.01)
    assert adjusted_rand_index({"a": [8, 16]}, [8, 16], length=LENGTH) == 1.0
    assert adjusted_rand_index({"a": [8, 16]}, [], length=LENGTH) == 0.0


@unhurried
@given(PLACES, PLACES)
def test_hausdorff_is_the_published_distance(true, found):
    score = hausdorff({"a": true}, found, length=LENGTH)
    if true and found:
        u, v = (np.array(sorted(places), dtype=float).reshape(-1, 1) for places in (true, found))
        assert score == max(directed_hausdorff(u, v)[0], directed_hausdorff(v, u)[0])
        assert score < LENGTH
    else:
        assert score == (LENGTH if true or found else 0)


def test_measures_are_means_over_annotators():
    marks = {"a": [10], "b": [], "c": [4, 20]}
    for measure in (covering, rand_index, adjusted_rand_index, hausdorff):
        alone = [measure({who: places}, [11], length=LENGTH) for who, places in marks.items()]
        assert measure(marks, [11], length=LENGTH) == pytest.approx(np.mean(alone))


def test_one_point_is_a_series_too():
    for name, metric in METRICS.items():
        score = metric.score({"a": []}, [], 1, 5)
        assert score == (1.0 if metric.higher_is_better else 0.0), name


# All of them


@unhurried
@given(ANNOTATIONS, PLACES, MARGINS)
def test_every_metric_stays_in_its_range(annotations, found, margin):
    for name, metric in METRICS.items():
        score = metric.score(annotations, found, LENGTH, margin)
        assert isinstance(score, float), name
        least = -0.5 if name == "rand_adjusted" else 0.0
        most = {"hausdorff": LENGTH, "false_alarms": 5, "false_alarms_per_1000": 5000 / LENGTH}
        assert least <= score <= most.get(name, 1.0) + 1e-12, name


@unhurried
@given(PLACES, MARGINS)
def test_the_truth_is_the_best_prediction(true, margin):
    for name, metric in METRICS.items():
        score = metric.score({"a": true, "b": true}, true, LENGTH, margin)
        assert score == pytest.approx(1.0 if metric.higher_is_better else 0.0), name


def test_false_alarms_are_counted_and_scaled():
    score = METRICS["false_alarms"].score({"a": [100]}, [99, 102, 300], 500, 5)
    assert score == 2.0
    assert METRICS["false_alarms_per_1000"].score({"a": [100]}, [99, 102, 300], 500, 5) == 4.0


@pytest.mark.parametrize("name", METRICS)
def test_the_reference_page_has_every_definition(name):
    metric = METRICS[name]
    better = "higher" if metric.higher_is_better else "lower"
    row = f"| `{metric.name}` | {metric.title} | {metric.definition} | {better} |"
    assert row in PAGE.read_text(encoding="utf-8").splitlines()
    assert metric.name == name


@pytest.mark.parametrize("name", METRICS)
def test_bad_input_is_refused(name):
    score = METRICS[name].score
    with pytest.raises(InputError, match="no annotator"):
        score({}, [3], LENGTH, 5)
    with pytest.raises(InputError, match="place -1 is not inside"):
        score({"a": [3]}, [-1], LENGTH, 5)
    with pytest.raises(InputError, match="place -2 is not inside"):
        score({"a": [-2]}, [3], LENGTH, 5)


@pytest.mark.parametrize("name", METRICS)
def test_places_outside_and_empty_series_are_refused(name):
    score = METRICS[name].score
    with pytest.raises(InputError, match="place 24 is not inside the series of 24 points"):
        score({"a": [3]}, [24], LENGTH, 5)
    with pytest.raises(InputError, match="a series of 0 points"):
        score({"a": []}, [], 0, 5)


def test_labels_outside_the_series_are_refused():
    for measure in (covering, rand_index, adjusted_rand_index, hausdorff):
        with pytest.raises(InputError, match="place 24 is not inside the series of 24 points"):
            measure({"a": [24]}, [3], length=LENGTH)


@pytest.mark.parametrize("name", ["f1", "f1_matched", "false_alarms", "false_alarms_per_1000"])
def test_a_negative_margin_is_refused(name):
    with pytest.raises(InputError, match="a margin is 0 or more points, not -1"):
        METRICS[name].score({"a": [3]}, [3], LENGTH, -1)


def test_numpy_places_are_plain_places():
    found = np.array([5, 12])
    assert tcpdbench_f1({"a": found}, found).f1 == 1.0
    assert one_to_one_f1({"a": found}, found).f1 == 1.0
    with pytest.raises(TypeError):
        one_to_one_f1({"a": [5]}, [5.5])
