# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Choices that never see what judges them, and what is said of them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.labels import member, said, suite
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError, SpecError, UsageError
from stepmark.evaluation import tuning as module
from stepmark.evaluation.candidates import CANDIDATES, candidates
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.tuning import tune
from stepmark.plugins import names, parse_detector

F1 = METRICS["f1_matched"]
NAMES = [f"s{i:02}" for i in range(20)]
PLACES = {"good": [30, 60], "poor": [30, 10, 45], "many": [30, 60, *range(63, 99, 6)]}


def data(timed=False, count=20, **more):
    return suite(*(member(name, [30, 60], timed=timed, **more) for name in NAMES[:count]))


def outcomes(found=None):
    found = PLACES if found is None else found
    return [o for who, places in found.items() for o in said(who, dict.fromkeys(NAMES, places))]


def test_the_best_is_chosen():
    found = tune(outcomes(), data(), F1, present="poor")
    assert found.choice == "good"
    assert not found.kept
    assert (found.expected.score.estimate, found.expected.score.low) == (1, 1)
    assert (found.expected.precision.estimate, found.expected.recall.estimate) == (1, 1)
    assert found.expected.alarms.estimate == pytest.approx(20)
    assert not found.weekly
    assert found.gain.difference.estimate == pytest.approx(1 - 0.4)
    assert found.nothing == 0
    assert [c.spec for c in found.contestants] == ["good", "poor", "many"]
    assert [c.chosen for c in found.contestants] == [5, 0, 0]
    assert dataclasses.astuple(found.labels) == (20, 20, 40, 2000)
    assert found.warnings == ()


def test_alarms_a_week_are_of_all_series_together():
    found = tune(outcomes(), data(timed=True), F1, present="poor")
    assert found.weekly
    assert found.expected.alarms.estimate == pytest.approx(20 * 2 / (99 / 7))


def test_a_limit_of_alarms():
    found = tune(outcomes({**PLACES, "quiet": [30]}), data(timed=True), F1, present="poor", limit=2)
    assert found.choice == "quiet"
    assert found.warnings == ()
    none = tune(outcomes(), data(timed=True), F1, present="poor", limit=1)
    assert none.choice == "good"
    assert "stays within 1 alarms a week; good has the fewest, 2.8" in none.warnings[-1]
    with pytest.raises(UsageError, match="not all points have times"):
        tune(outcomes(), data(), F1, present="poor", limit=1)


def test_the_present_setting_stays_unless_something_is_surely_better():
    # Better on one series of all, which is less than chance gives.
    other = said("other", {key: [30] for key in NAMES} | {NAMES[0]: [30, 60]})
    given = [*outcomes({"present": [30]}), *other]
    found = tune(given, data(), F1, present="present")
    assert (found.choice, found.kept) == ("present", True)
    assert tune(given, data(), F1, present="elsewhere").choice == "other"


def test_a_choice_that_gains_nothing_where_it_is_judged_is_told():
    lucky = [
        o
        for k, who in enumerate("abcdefghij")
        for o in said(who, {n: [30, 60] if i % 10 == k else [9] for i, n in enumerate(NAMES)})
    ]
    found = tune([*lucky, *said("none", {n: [9] for n in NAMES})], data(), F1, present="none")
    assert found.choice == "a"
    assert any("no hurry to leave none" in w for w in found.warnings)
    steady = tune(outcomes(), data(), F1, present="poor")
    assert not any("no hurry" in w for w in steady.warnings)


def test_lower_can_be_better():
    found = tune(outcomes(), data(), METRICS["false_alarms"], present="many")
    assert found.choice == "good"
    assert found.gain.difference.estimate == 6


def test_the_choice_never_sees_what_judges_it(monkeypatch):
    seen = []
    choose = module._Chooser.choose

    class Blind:
        """Numbers by series, of which only some may be read."""

        def __init__(self, numbers, allowed):
            self.numbers, self.allowed = numbers, set(allowed)

        def __getitem__(self, i):
            assert i in self.allowed
            return self.numbers[i]

    def spied(self, training):
        rows = {
            spec: dataclasses.replace(
                row, scores=Blind(row.scores, training), alarms=Blind(row.alarms, training)
            )
            for spec, row in self.table.rows.items()
        }
        seen.append(tuple(training))
        table = dataclasses.replace(self.table, rows=rows)
        return choose(dataclasses.replace(self, table=table), training)

    monkeypatch.setattr(module._Chooser, "choose", spied)
    tune(outcomes(), data(timed=True), F1, present="poor", limit=9)
    assert len(seen) == 6
    assert [len(training) for training in seen] == [16] * 5 + [20]
    held = [set(range(20)) - set(training) for training in seen[:5]]
    assert set().union(*held) == set(range(20))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 19), st.sets(st.integers(1, 99), max_size=4))
def test_other_labels_of_a_series_do_not_change_the_choice_it_judges(place, labels):
    def held_out(dataset):
        table = module._table(outcomes(), dataset, F1, 5)
        return module._Chooser(table, "poor", None, 5, 0).held_out()[0][place]

    members = list(data())
    members[place] = dataclasses.replace(members[place], annotations={"me": tuple(labels)})
    assert held_out(suite(*members)) == held_out(data())


def test_twins_are_held_out_together():
    members = [member(n, [30, 60], benchmark=f"b{i // 4}") for i, n in enumerate(NAMES)]
    table = module._table(outcomes(), suite(*members), F1, 5)
    assert table.labels.groups == 5
    found = tune(outcomes(), suite(*members), F1, present="poor")
    assert (found.labels.groups, found.folds) == (5, 5)


def test_it_is_the_same_again():
    given = outcomes()
    assert tune(given, data(), F1, present="poor") == tune(given, data(), F1, present="poor")


def test_too_few_labels_are_told_and_why():
    members = [member(name, [30 + i, 60]) for i, name in enumerate(NAMES[:5])]
    found = tune(outcomes({"half": [30, 60], "poor": [3]}), suite(*members), F1, present="poor")
    assert found.warnings == ()
    unsure = [
        o for i, n in enumerate(NAMES[:6]) for o in said("odd", {n: [30, 60] if i % 2 else [9]})
    ]
    found = tune(unsure, data(count=6), F1, present="odd")
    (warning, *_) = found.warnings
    assert warning.startswith("too few labels: of 6 labelled series (6 groups) with 12 changes,")
    assert "groups of labelled series would narrow that to 0.2" in warning


def test_labels_without_a_change():
    flat = suite(*(member(name, []) for name in NAMES))
    found = tune(outcomes(), flat, F1, present="poor")
    assert found.expected.recall is None
    assert any("whether a change is found cannot be judged" in w for w in found.warnings)
    assert any("finds nothing would do as well" in w for w in found.warnings)


def test_one_benchmark_and_an_unstable_choice_are_told():
    members = [member(name, [30, 60], benchmark="one") for name in NAMES]
    found = tune(outcomes(), suite(*members), F1, present="poor")
    assert any("all series are of one benchmark" in w for w in found.warnings)
    by_chance = [
        o
        for k, who in enumerate("abcdefghij")
        for o in said(who, {n: [30, 60] if i % 10 == k else [9] for i, n in enumerate(NAMES)})
    ]
    found = tune(by_chance, data(), F1, present="none")
    assert any("the choice is not stable" in w for w in found.warnings)


def test_candidates_that_cannot_judge_all_are_left_out():
    failed = Outcome(NAMES[3], "bad", "bad", Status.FAILED, error="no such value")
    given = [*outcomes(), *said("bad", {key: [30] for key in NAMES[:3]}), failed]
    found = tune(given, data(), F1, present="bad")
    assert found.left_out == (("bad", "failed on s03: no such value"),)
    assert found.present_expected is None
    assert found.gain is None


def test_what_cannot_be_chosen_by():
    with pytest.raises(InputError, match="2 labelled series"):
        tune(outcomes(), data(count=2), F1, present="poor")
    with pytest.raises(InputError, match="no detector can judge all 20"):
        tune([], data(), F1, present="poor")


def test_the_candidates_are_detectors_under_canonical_specs():
    known = [name for name in CANDIDATES if name in names("detectors")]
    chosen = candidates()
    assert {c.method for c in chosen} == set(known)
    assert all(str(parse_detector(c.spec)) == c.spec for c in chosen)
    assert [c.spec for c in candidates(["tmm", "fpop(penalty=7.0)"])] == [
        "tmm",
        "fpop(penalty=7.0)",
    ]
    assert len(candidates(["mdl", "mdl"])) == len(CANDIDATES["mdl"])
    with pytest.raises(SpecError, match="unknown detector 'mld'"):
        candidates(["mld"])


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name in names("detectors")])
def test_every_candidate_finds_a_plain_step(name):
    signal = member("s", [60], 120).series.signal()
    for candidate in candidates([name]):
        found = parse_detector(candidate.spec).detect(signal).indices
        assert any(abs(place - 60) <= 5 for place in found), candidate.spec
