# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The comparison of shapes, on which the likeness of the fakes rests."""

from __future__ import annotations

import pytest

from fakes.shape import differences, joined, shape_of


def told(fake, *real, allowed=None):
    return list(differences(shape_of(fake), joined(map(shape_of, real)), allowed or {}))


@pytest.mark.parametrize(
    ("fake", "real"),
    [
        ({"a": 1}, {"a": 2}),
        ([], [1]),
        ([1], []),
        ({"1": {"a": 1}}, {"2": {"a": 5}, "3": {"a": 6}}),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00.123456"),
    ],
)
def test_like_things_do_not_differ(fake, real):
    assert told(fake, real) == []


@pytest.mark.parametrize(
    ("fake", "real", "said"),
    [
        ({"a": 1}, {"a": 1.0}, "$.a: ['int'], not ['float']"),
        ({"a": None}, {"a": 1}, "$.a: ['null'], not ['int']"),
        ({}, {"a": 1}, "$.a: missing"),
        ({"a": 1, "b": 1}, {"a": 1}, "$.b: unknown"),
        ([{"a": 1}, {}], [{"a": 1}], "$.a: missing"),
        ({"1": {"a": ""}}, {"2": {"a": 5}}, "$.a: ['text'], not ['int']"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "$: ['text'], not ['time']"),
        ({"a": [["x"]]}, {"a": [[{"b": 1}]]}, "$.a: ['text'], not ['object']"),
        (True, 1, "$: ['bool'], not ['int']"),
    ],
)
def test_each_difference_is_told(fake, real, said):
    assert told(fake, real) == [said]


def test_several_real_ones_allow_what_any_of_them_shows():
    assert told({"a": None}, {"a": 1}, {"a": None, "b": 2}) == []


def test_what_is_documented_is_allowed_at_its_place_only():
    fake, real = {"a": None, "b": None}, {"a": 1, "b": 1}
    assert told(fake, real, allowed={"$.a": "null"}) == ["$.b: ['null'], not ['int']"]
    assert told({"b": 1}, real, allowed={"$.a": "missing"}) == []
