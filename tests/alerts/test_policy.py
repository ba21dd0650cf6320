# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Good, bad or beside the point; and whether the gate opens."""

from __future__ import annotations

import pytest

from stepmark.alerts.policy import (
    SAME_PLACE,
    Judgement,
    Outcome,
    counts,
    gate,
    judge,
    judged,
    new_changes,
)
from stepmark.changes import Change, Segment, Verdict
from stepmark.config import Thresholds
from stepmark.errors import ConfigError
from stepmark.series import Direction

DEFAULT = Thresholds()


def change(before=100.0, after=110.0, index=10, n=5, verdict=Verdict.NEUTRAL):
    return Change(
        index=index,
        before=Segment(0, index, before, 1.0),
        after=Segment(index, index + n, after, 1.0),
        previous_revision="a",
        revision="b",
        time=None,
        absolute=after - before,
        relative=(after - before) / abs(before) if before else None,
        score=None,
        verdict=verdict,
    )


@pytest.mark.parametrize(
    ("before", "after", "direction", "verdict"),
    [
        (100.0, 110.0, Direction.LOWER, Verdict.REGRESSION),
        (100.0, 90.0, Direction.LOWER, Verdict.IMPROVEMENT),
        (100.0, 110.0, Direction.HIGHER, Verdict.IMPROVEMENT),
        (100.0, 90.0, Direction.HIGHER, Verdict.REGRESSION),
        (100.0, 110.0, None, Verdict.NEUTRAL),
        (100.0, 100.0, Direction.LOWER, Verdict.NEUTRAL),
        (-10.0, -8.0, Direction.LOWER, Verdict.REGRESSION),
        (-10.0, -8.0, Direction.HIGHER, Verdict.IMPROVEMENT),
        (0.0, 1.0, Direction.LOWER, Verdict.REGRESSION),
    ],
)
def test_verdict(before, after, direction, verdict):
    assert judge(change(before, after), direction, DEFAULT) is verdict
    (one,) = judged([change(before, after)], direction, DEFAULT)
    assert one.verdict is verdict


@pytest.mark.parametrize(
    ("thresholds", "enough"),
    [
        (Thresholds(min_relative=0.1), True),
        (Thresholds(min_relative=0.1001), False),
        (Thresholds(min_absolute=10.0), True),
        (Thresholds(min_absolute=10.1), False),
        (Thresholds(min_segment=5), True),
        (Thresholds(min_segment=6), False),
        (Thresholds(min_relative=0.05, min_absolute=50.0), False),
    ],
)
@pytest.mark.parametrize("after", [110.0, 90.0])
def test_a_change_reaches_every_threshold_or_does_not_count(thresholds, enough, after):
    assert counts(change(after=after), thresholds) is enough
    worse = judge(change(), Direction.LOWER, thresholds)
    assert worse is (Verdict.REGRESSION if enough else Verdict.NEUTRAL)


def test_from_zero_any_relative_threshold_is_reached():
    assert counts(change(0.0, 0.001), Thresholds(min_relative=5.0))
    assert not counts(change(0.0, 0.001), Thresholds(min_absolute=0.01))


@pytest.mark.parametrize(
    "bad", [{"min_relative": -0.1}, {"min_absolute": float("nan")}, {"min_points": 0}]
)
def test_impossible_thresholds_are_refused(bad):
    with pytest.raises(ConfigError):
        Thresholds(**bad)


class TestNewChanges:
    def test_those_that_begin_at_or_after_the_first_new_point(self):
        old, at, later = change(index=5), change(index=20), change(index=25)
        assert new_changes([old, at, later], [old], 20, None) == [at, later]

    def test_a_last_one_that_was_not_known_before_is_new(self):
        late = change(index=12)
        assert new_changes([late], [], 20, None) == [late]

    def test_one_that_was_known_is_not(self):
        assert new_changes([change(index=12)], [change(index=12)], 20, None) == []

    @pytest.mark.parametrize("moved", range(-SAME_PLACE, SAME_PLACE + 1))
    def test_one_that_moved_a_little_is_the_same(self, moved):
        assert new_changes([change(index=12)], [change(index=12 + moved)], 20, None) == []

    def test_one_that_moved_further_or_turned_round_is_another(self):
        late = change(index=12)
        assert new_changes([late], [change(index=13 + SAME_PLACE)], 20, None) == [late]
        assert new_changes([late], [change(after=90.0, index=12)], 20, None) == [late]

    def test_only_the_last_segment_is_the_new_points_doing(self):
        early, last = change(index=6), change(index=15)
        assert new_changes([early, last], [last], 20, None) == []

    def test_reach_bounds_how_far_before_the_new_points_it_may_begin(self):
        assert new_changes([change(index=17)], [], 20, 3) == [change(index=17)]
        assert new_changes([change(index=16)], [], 20, 3) == []
        assert new_changes([change(index=19)], [], 20, 0) == []

    def test_nothing_is_nothing_new(self):
        assert new_changes([], [change()], 20, None) == []


@pytest.mark.parametrize(
    ("verdicts", "outcome", "reason"),
    [
        ([], Outcome.PASS, "the existing group goes on"),
        ([Verdict.REGRESSION], Outcome.FAIL, "a new group is worse"),
        ([Verdict.IMPROVEMENT], Outcome.PASS, "a new group is better"),
        ([Verdict.NEUTRAL], Outcome.PASS, "a new group, neither better nor worse"),
        ([Verdict.IMPROVEMENT, Verdict.NEUTRAL], Outcome.PASS, "a new group is better"),
        ([Verdict.REGRESSION, Verdict.IMPROVEMENT], Outcome.FAIL, "a new group is worse"),
    ],
)
def test_gate(verdicts, outcome, reason):
    changes = [change(verdict=v) for v in verdicts]
    assert gate(changes) == Judgement(outcome, tuple(changes), reason)
