# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Workflow commands of GitHub Actions."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stepmark.config import Thresholds
from stepmark.reports.github import render
from stepmark.series import SeriesKey

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,]*)::(.*)")


def unescaped(text):
    for code, sign in (("3A", ":"), ("2C", ","), ("0D", "\r"), ("0A", "\n"), ("25", "%")):
        text = text.replace(f"%{code}", sign)
    return text


def commands(text):
    """The annotations as the runner reads them; every line but the first is one."""
    found = []
    for line in text.splitlines()[1:]:
        match = COMMAND.fullmatch(line)
        assert match, line
        found.append((match[1], unescaped(match[2]), unescaped(match[3])))
    return found


def test_typical(samples, golden):
    text = render(samples.typical())
    assert text == golden("typical.github.txt", text)


def test_levels_follow_verdicts(samples):
    found = [(level, title) for level, title, _ in commands(render(samples.typical()))]
    assert found[:2] == [
        ("error", "Regression of demo/parse/large/time"),
        ("error", "Regression of csit/2n-icx/l2xc/64b-2t1c/mrr{nic=e810cq}"),
    ]
    assert ("warning", "Change of demo/cache/entries/time") in found
    assert ("notice", "Improvement of demo/render/home/time") in found
    assert ("notice", "Not judged") in found


def test_a_change_below_the_thresholds_is_left_out(samples):
    item = samples.series(samples.steps([(20, 1.0), (20, 1.1)]))
    small = samples.summarised(item, [20], thresholds=Thresholds(min_relative=0.5))
    assert commands(render(samples.single(small))) == []


def test_the_gate_tells_new_changes_only(samples):
    titles = [title for level, title, _ in commands(render(samples.typical(gated=True)))]
    assert "Improvement of csit/2n-icx/l2xc/64b-2t1c/mrr{nic=e810cq}" not in titles
    assert "Regression of csit/2n-icx/l2xc/64b-2t1c/mrr{nic=e810cq}" in titles


def test_ten_annotations_a_level_are_enough(samples):
    found = commands(render(samples.many(60, 30)))
    for level in ("error", "notice"):
        same = [message for one, _, message in found if one == level]
        assert len(same) == 10
        assert same[-1].startswith("and 11 more")


def test_the_message_says_how_big_where_and_which_way(samples):
    text = render(samples.single(samples.stepped([(20, 4.1), (20, 4.61)], noise=0.0)))
    ((level, _, message),) = commands(text)
    assert level == "error"
    assert message.startswith("+12.4 % (4.10 -> 4.61 ms) at ")
    assert message.endswith("2026-03-22 04:30 UTC; lower is better")


def test_hostile(samples):
    text = render(samples.hostile())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", text)
    commands(text)


@given(st.text(max_size=60))
def test_any_name_stays_in_its_command(samples, name):
    item = samples.stepped([(3, 1.0), (3, 2.0)], SeriesKey("p", name, "m", {name: name}), unit=name)
    summary = replace(samples.single(item), warnings=(name,))
    assert [level for level, _, _ in commands(render(summary))] == ["error", "warning"]
