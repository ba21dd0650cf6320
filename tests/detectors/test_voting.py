# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ensembles: against Treeherder's votes, and by members that say what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.test_windows import MAIN, faithful, golden
from stepmark import detect
from stepmark.changes import Detection
from stepmark.detectors import Priority, Vote
from stepmark.errors import SpecError
from stepmark.plugins import parse_detector

METHODS = ("student", "cvm", "ks", "welch", "mwu", "levene")


@dataclass(frozen=True, slots=True)
class Told:
    """Finds what it was told."""

    name: ClassVar[str] = "told"
    indices: tuple[int, ...] = ()
    who: str = ""

    def detect(self, signal):
        return Detection(len(signal), self.indices)


def told(*places):
    return tuple(Told(tuple(p), str(k)) for k, p in enumerate(places))


def places(kind, members, **settings):
    return kind(members, **settings).detect([0.0] * 100).indices


@pytest.mark.parametrize(("kind", "key"), [(Vote, "equal_3_1"), (Priority, "priority_3_1")])
def test_treeherders_votes(shared_data, kind, key):
    members = tuple(faithful(name, *bounds) for name, bounds in MAIN.items())
    compared = 0
    for name, rows, expected in golden(shared_data):
        found = kind(members, quorum=3, compat=True).detect(rows)
        assert list(found.indices) == [vote[0] for vote in expected["main_2026_08"][key]], name
        compared += 1
    assert compared == 9


@pytest.mark.parametrize("compat", ["true", "false"])
def test_cases_of_treeherders_tests(compat):
    members = ", ".join(f"{name}(compat=true)" for name in METHODS)

    def found(kind, high, **settings):
        given = ", ".join(f"{key}={value}" for key, value in settings.items())
        spec = f"{kind}({members}, {given}, compat={compat})"
        return detect([0.5] * 15 + [high] * 15, spec).indices

    assert found("vote", 1.0, quorum=3) == (15,)
    assert found("vote", 0.6, quorum=6, tolerance=0) == ()
    assert found("priority", 0.6, quorum=6, tolerance=0) == (15,)
    counts = [len(found("vote", 0.6, quorum=k)) for k in (1, 2, 3, 4)]
    assert counts[0] >= 1
    assert counts == sorted(counts, reverse=True)
    assert len(found("vote", 0.6, quorum=3, tolerance=5)) == 1


def test_corrected_members_agree_on_a_flat_step():
    members = ", ".join(METHODS[:5])
    found = detect([0.5] * 15 + [0.6] * 15, f"vote({members}, quorum=5, tolerance=0)")
    assert found.indices == (15,)


def test_a_quorum_within_the_tolerance():
    members = told([20, 50], [21, 70], [19, 71])
    assert places(Vote, members) == (20, 70)
    assert places(Vote, members, quorum=3) == (20,)
    assert places(Vote, members, tolerance=0) == ()
    assert places(Vote, members, quorum=1) == (20, 50, 70)


def test_scores_are_votes():
    found = Vote(told([20, 50], [21, 70], [20, 71])).detect([0.0] * 100)
    assert found.indices == (20, 70)
    assert found.scores == (3.0, 2.0)


def test_near_duplicates_are_one_change():
    members = told([40, 44], [40, 44], [40])
    assert places(Vote, members) == (40,)
    assert places(Vote, members, apart=4) == (40, 44)
    # A member's place never speaks for two changes.
    assert places(Vote, told([40, 42], [41, 43]), apart=1) == (40, 43)
    assert places(Vote, told([40], [41], [42]), apart=1) == (41,)


def test_a_member_named_twice_has_two_votes():
    first, second = told([30], [60])
    assert places(Vote, (first, second)) == ()
    assert places(Vote, (first, first, second)) == (30,)
    assert str(parse_detector("vote(mdl, mdl, tmm, quorum=3)")) == "vote(mdl, mdl, tmm, quorum=3)"


def test_priority_takes_the_first_at_its_word():
    members = told([10, 11, 30], [31, 60], [60, 90])
    assert places(Priority, members) == (10, 30, 60)
    assert places(Priority, members, tolerance=0) == (10, 11, 30, 60)
    assert places(Priority, members, quorum=3) == (10, 30)


def test_treeherders_near_duplicates():
    members = told([20, 23], [21, 23], [22, 24])
    assert places(Vote, members, quorum=3, compat=True) == (21, 22, 23)
    assert places(Vote, members, quorum=3) == (23,)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sets(st.integers(1, 59), max_size=12), min_size=1, max_size=5),
    st.integers(1, 5), st.integers(0, 4), st.integers(1, 8), st.booleans(),
)  # fmt: skip
def test_any_members(found, quorum, tolerance, apart, compat):
    members = told(*(sorted(f) for f in found))
    quorum = min(quorum, len(members))
    vote = Vote(members, quorum=quorum, tolerance=tolerance, apart=apart, compat=compat)
    detection = vote.detect([0.0] * 60)
    assert detection.length == 60
    if not compat:
        gaps = np.diff(detection.indices)
        assert (gaps >= max(apart, 2 * tolerance + 1)).all()
        assert all(score >= quorum for score in detection.scores)
        assert set(detection.indices) <= set().union(*found)


def test_members_are_specs_words_or_detectors():
    vote = Vote(("perfherder", parse_detector("mwu(alpha=0.01)"), "vote(ks, cvm)"))
    assert str(vote) == "vote(perfherder, mwu(alpha=0.01), vote(ks, cvm))"
    assert parse_detector(str(vote)) == vote


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("vote", "needs detectors"),
        ("priority(quorum=2)", "needs detectors"),
        ("vote(mdl)", "quorum is 2, and the members have 1 in all"),
        ("vote(mdl, tmm, quorum=3)", "quorum is 3, and the members have 2 in all"),
        ("vote(mdl, tmm, quorum=0)", "quorum is a whole number from 1"),
        ("vote(mdl, tmm, tolerance=-1)", "tolerance is a whole number from 0"),
        ("vote(mdl, tmm, apart=1.5)", "apart is a whole number from 1"),
        ("vote(mdl, 3)", "not a detector or spec: 3"),
        ("vote(mdl, nothing)", "unknown detector 'nothing'"),
        ("vote(mdl, tmm, compat=2)", "compat is true or false"),
    ],
)
def test_bad_ensembles_are_refused(spec, problem):
    with pytest.raises(SpecError, match=problem):
        parse_detector(spec)
