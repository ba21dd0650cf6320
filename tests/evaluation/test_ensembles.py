# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ensembles of stored places: as the detectors would find them, and judged honestly."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.labels import member, said, suite
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.detectors.voting import Rule
from stepmark.errors import InputError, UsageError
from stepmark.evaluation.ensembles import Recipe, combine, search
from stepmark.evaluation.metrics import METRICS
from stepmark.plugins import parse_detector

F1 = METRICS["f1_matched"]
NAMES = [f"s{i}" for i in range(12)]
DATA = suite(*(member(name, [30, 60]) for name in NAMES))
# Each of the three finds both changes and a false one of its own: two of three are never wrong.
THREE = {
    "mdl": [30, 60, 10],
    "tmm": [30, 60, 45],
    "fpop": [30, 60, 85],
}


def outcomes(**more):
    found = {**THREE, **more}
    return [o for who, places in found.items() for o in said(who, dict.fromkeys(NAMES, places))]


def test_places_are_those_of_the_detector():
    specs = ("mdl", "pelt(penalty=10)", "binseg")
    true = member("s", [20, 50, 70], missing=(3, 4, 49, 50))
    signal = true.series.signal()
    places = [true.positions(parse_detector(spec).detect(signal)) for spec in specs]
    assert any(places)
    for kind, trusting in (("vote", False), ("priority", True)):
        for quorum in (1, 2, 3):
            detector = parse_detector(f"{kind}({', '.join(specs)}, quorum={quorum})")
            rule = Rule(quorum, trusting=trusting)
            assert combine(places, true, rule) == true.positions(detector.detect(signal))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sets(st.integers(1, 59), max_size=9), min_size=1, max_size=5),
    st.integers(0, 4),
    st.booleans(),
)
def test_a_higher_quorum_only_takes_away(found, tolerance, trusting):
    true = member("s", [20], 60)
    places = [sorted(f) for f in found]
    rules = [Rule(q, tolerance, trusting=trusting) for q in range(1, len(found) + 1)]
    kept = [set(combine(places, true, rule)) for rule in rules]
    assert all(b <= a for a, b in itertools.pairwise(kept))


def test_unions_and_intersections():
    true = member("s", [30])
    places = [[10, 30], [31, 60]]
    assert combine(places, true, Rule(quorum=1)) == (10, 30, 60)
    assert combine(places, true, Rule(quorum=2)) == (30,)


def test_what_recipes_are_called():
    def kind(members, *rule, **more):
        return Recipe(tuple(members), Rule(*rule, **more)).kind

    assert kind("abc", 1) == "union"
    assert kind("abc", 2) == "vote"
    assert kind("abc", 3) == "intersection"
    assert kind("aabc", 2) == "weighted"
    assert kind("abc", 2, trusting=True) == "priority"


def test_the_vote_that_is_never_wrong_is_found():
    found = search(outcomes(), DATA, F1)
    best = found.results[0]
    assert best.score == 1
    assert best.spec == "vote(mdl, tmm)"
    assert parse_detector(best.spec).quorum == 2
    assert found.single == "mdl"
    assert found.single_score == pytest.approx(0.8)
    assert found.held_out_score == 1
    assert found.gain.difference.estimate == pytest.approx(0.2)
    assert found.gain.p_value < 0.01
    assert sum(result.chosen for result in found.results) == found.folds == 5


def test_every_result_has_other_members_and_a_canonical_spec():
    found = search(outcomes(binseg=[30], welch=[60]), DATA, F1)
    members = [frozenset(result.recipe.members) for result in found.results]
    assert len(set(members)) == len(members)
    assert max(map(len, members)) <= 5
    for result in found.results:
        assert str(parse_detector(result.spec)) == result.spec
    scores = [result.score for result in found.results]
    assert scores == sorted(scores, reverse=True)


def test_lower_can_be_better():
    found = search(outcomes(), DATA, METRICS["false_alarms"])
    assert found.results[0].score == 0
    assert found.gain.difference.estimate == 1


def test_it_is_the_same_again_whatever_the_order():
    given = outcomes(binseg=[30, 70])
    assert search(given, DATA, F1) == search(given, DATA, F1)


def test_a_fold_is_judged_by_a_choice_that_has_not_seen_it():
    # On each series another one of many methods is right, by chance: no choice carries over.
    names = ("mdl", "tmm", "fpop", "binseg", "pelt", "amoc", "cpnp", "rfpop", "mwu", "ks", "cvm")
    given = []
    for k, who in enumerate(names):
        places = {name: [30, 60] if i % len(names) == k else [] for i, name in enumerate(NAMES)}
        given += said(who, places)
    found = search(given, DATA, F1, size=2)
    assert found.results[0].score > found.held_out_score


def test_methods_that_cannot_take_part_are_named():
    given = [
        *outcomes(zero=[], wbs=range(1, 90)),
        *said("pelt", {key: [30] for key in NAMES[1:]}),
        Outcome(NAMES[0], "pelt", "pelt", Status.TIMEOUT),
        *said("tmm", {}),
        *(dataclasses.replace(o, method="again") for o in outcomes()[: len(NAMES)]),
    ]
    left_out = dict(search(given, DATA, F1, size=2).left_out)
    assert set(left_out) == {"zero", "wbs", "pelt", "mdl"}
    assert left_out["pelt"] == "no result for 1 of 12 series"


def test_results_of_other_programs_have_no_spec_unless_it_is_known():
    given = [dataclasses.replace(o, configuration="as R has it") for o in outcomes()]
    found = search(given, DATA, F1, size=2)
    assert found.results[0].spec == ""
    assert "as R has it" in str(found.results[0].recipe)
    known = [
        *said("mongodb", {key: [30, 60, 10] for key in NAMES}, default=True),
        *said("pelt", {key: [30, 60, 80] for key in NAMES}, default=True),
    ]
    assert search(known, DATA, F1, size=2).results[0].spec == "vote(edivisive, pelt)"


def test_unlabelled_series_are_left_out():
    blank = dataclasses.replace(member("blank", [30]), annotations=())
    given = [*outcomes(), *said("mdl", {"blank": [3]})]
    assert search(given, suite(*DATA, blank), F1, size=2).series == tuple(NAMES)


def test_what_cannot_be_searched():
    with pytest.raises(UsageError, match="2 to 5 members, not 6"):
        search(outcomes(), DATA, F1, size=6)
    with pytest.raises(InputError, match="an ensemble needs two"):
        search(said("mdl", {key: [30] for key in NAMES}), DATA, F1)
    with pytest.raises(InputError, match="two results"):
        search([*outcomes(), *outcomes()], DATA, F1)
