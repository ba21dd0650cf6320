# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Every output says of a score what it is: a probability as such, never in another's words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from histories import series, step
from stepmark.config import Thresholds
from stepmark.detectors import MDL, Stepmark, Zero
from stepmark.explanation import explain
from stepmark.reports import render, words
from stepmark.reports.explain import render as rendered
from stepmark.reports.summary import PROBABILITY

VALUES = step(40, 20, 8.0)


@pytest.fixture
def probable(samples):
    """A series whose changes have a probability, of 0.975 and of nearly 1."""
    item = samples.stepped([(20, 1.0), (20, 2.0), (20, 3.0)])
    changes = [replace(c, score=s) for c, s in zip(item.changes, (0.975, 0.9999), strict=True)]
    return replace(item, detector="stepmark", evidence=PROBABILITY, changes=tuple(changes))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"), (0.0, "< 0.01"), (0.0049, "< 0.01"), (0.005, "0.01"), (0.5, "0.50"),
        (0.9949, "0.99"), (0.995, "> 0.99"), (1.0, "> 0.99"),
    ],
)  # fmt: skip
def test_probability(value, shown):
    assert words.probability(value) == shown


def test_text_has_a_column_of_probabilities(samples, probable):
    lines = render(samples.single(probable), "text").splitlines()
    (head,) = (line for line in lines if line.rstrip().endswith("prob."))
    rows = lines[lines.index(head) + 1 :][:2]
    assert [row.split("regression")[1].strip() for row in rows] == ["0.97", "> 0.99"]
    assert "score" not in head


def test_a_narrow_terminal_leaves_it_out_first(samples, probable):
    from stepmark.reports.text import render as text

    assert "prob." not in text(samples.single(probable), width=60)
    assert "revision" in text(samples.single(probable), width=60)


def test_a_page_heads_its_column_with_it(samples, probable):
    page = render(samples.single(probable), "html")
    assert ">Probability</th>" in page
    assert "&gt; 0.99</td>" in page
    assert ">Score</th>" not in page
    mixed = samples.Summary("1", "mdl", (probable, samples.stepped([(9, 1.0), (9, 2.0)], "b")))
    assert ">Score</th>" in render(mixed, "html")


def test_junit_names_it(samples, probable):
    found = render(samples.single(probable), "junit")
    assert "probability 0.97" in found
    assert "score" not in found


def test_json_tells_which_it_is(samples, probable):
    (first,) = json.loads(render(samples.single(probable), "json"))["series"]
    assert first["evidence"] == "probability"
    assert [c["score"] for c in first["changes"]] == [0.975, 0.9999]
    (other,) = json.loads(render(samples.single(samples.stepped([(9, 1.0)])), "json"))["series"]
    assert other["evidence"] == "score"


def explained(index, detector, values=VALUES):
    return rendered(explain(series(values), detector, index, Thresholds()))


def test_explain_tells_the_probability_of_a_change():
    text = explained(20, Stepmark())
    assert "is a change" in text
    assert "  score   probability of a change within 5 points: > 0.99" in text
    assert "  most probable places:\n    point 20 (rev0020): " in text
    assert "bits" not in text


def test_explain_tells_it_where_there_is_none():
    text = explained(8, Stepmark())
    assert "is NOT a change" in text
    assert "probability of a change within 5 points: 0.0" in text.replace("< 0.01", "0.01")
    assert "the nearest change found is at point 20 (rev0020): probability > 0.99" in text


def test_explain_names_the_changes_on_both_sides():
    text = explained(33, MDL(), [*VALUES, *step(40, 20, 8.0, seed=1)])
    assert "  the nearest change found is at point 40 (rev0040)\n" in text
    assert "  the next nearest change found is at point 20 (rev0020)\n" in text


def test_explain_says_how_many_points_are_needed():
    text = explained(2, Stepmark(), [1.0, 1.1, 5.0, 5.1])
    assert "  at least 6 points are needed to judge it\n" in text
    assert "probability" not in text


def test_explain_of_a_detector_that_can_say_nothing_more():
    text = explained(20, Zero())
    assert "score" not in text
    assert "nearest" not in text
