# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Twins stay together, and count as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.labels import member
from stepmark.errors import UsageError
from stepmark.evaluation.grouping import divide, gain, groups, ratio


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=30).filter(lambda g: len({*g}) > 1),
    st.integers(2, 8),
    st.integers(0, 5),
)
def test_divisions(group, folds, seed):
    divided = divide(group, folds, seed)
    assert divided == divide(group, folds, seed)
    assert len(divided) == min(folds, len(set(group)))
    assert sorted(i for fold in divided for i in fold.held_out) == list(range(len(group)))
    for fold in divided:
        assert fold.training
        assert sorted([*fold.training, *fold.held_out]) == list(range(len(group)))
        assert not {group[i] for i in fold.training} & {group[i] for i in fold.held_out}


def test_the_seed_and_not_the_order_decides():
    group = [f"g{i}" for i in range(20)]

    def held(given, seed):
        return {frozenset(given[i] for i in fold.held_out) for fold in divide(given, 4, seed)}

    assert held(group, 0) == held(group[::-1], 0)
    assert held(group, 0) != held(group, 1)


@pytest.mark.parametrize(
    ("group", "folds", "problem"), [("ab", 1, "2 folds or more"), ("aaa", 3, "two series or more")]
)
def test_what_cannot_be_divided(group, folds, problem):
    with pytest.raises(UsageError, match=problem):
        divide(group, folds)


def test_twins_are_of_one_benchmark():
    twins = [member("a/x", [5], benchmark="a"), member("a/y", [5], benchmark="a")]
    assert groups([*twins, member("b", [5])]) == ("/a", "/a", "/b")
    assert groups(twins) == ("a/x", "a/y")


def test_a_ratio_and_its_interval():
    found = ratio([1, 0, 3, 2], [2, 1, 3, 4], "abcd")
    assert found.estimate == 0.6
    assert 0 <= found.low < 0.6 < found.high <= 1
    assert ratio([0, 0], [0, 0], "ab").estimate == 1


def test_twins_do_not_narrow_an_interval():
    values = [0.1, 0.9, 0.4, 0.7, 0.2]
    once = ratio(values, [1] * 5, "abcde")
    twice = ratio([*values, *values], [1] * 10, "abcde" * 2)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    apart = ratio([*values, *values], [1] * 10, "abcdefghij")
    assert apart.high - apart.low < once.high - once.low


def test_a_gain_is_better_whichever_way_is():
    ours, theirs, group = [3.0, 4.0, 5.0, 6.0, 7.0, 9.0], [1.0, 2.5, 3.0, 4.1, 5.2, 6.0], "abcdef"
    up = gain(ours, theirs, group)
    assert up.difference.low > 0
    assert up.p_value < 0.05
    down = gain(ours, theirs, group, higher_is_better=False)
    assert down.difference.estimate == -up.difference.estimate
    twins = gain(ours * 3, theirs * 3, group * 3)
    assert twins.p_value == up.p_value
