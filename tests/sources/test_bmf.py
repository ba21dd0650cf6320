# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Bencher Metric Format."""

from __future__ import annotations

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction
from stepmark.sources.base import Content
from stepmark.sources.bmf import BMF
from stepmark.sources.reading import read_source, read_sources

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def found(parsed):
    return [(str(m.key), m.samples, m.unit, m.direction) for m in parsed.measurements]


def test_measures_are_metrics(fixtures):
    parsed = read_source(fixtures / "bmf" / "example.json")
    assert found(parsed) == [
        ("benchmark_name/latency", (88.0,), "ns", LOWER),
        ("benchmark_name/throughput", (5.55,), "ops/s", HIGHER),
        ("/bin/sh -c ./my_build_script.sh/build-time", (87.0,), "s", LOWER),
        ("my_binary/file-size", (42.0,), "B", LOWER),
    ]
    assert parsed.measurements[0].attributes == {"lower_value": "87.42", "upper_value": "88.88"}


def test_what_bencher_ignores_has_the_same_name(fixtures):
    parsed = read_source(fixtures / "bmf" / "ignored.json")
    assert found(parsed) == [
        ('tests::fib "20"/latency', (41653.0,), "ns", LOWER),
        ('tests::fib "20"/cache-misses', (12,), "", None),
    ]
    assert parsed.measurements[1].attributes == {"upper_value": "20", "bencher_ignore": "yes"}


def test_files_are_points_in_their_order(fixtures):
    file = fixtures / "bmf" / "example.json"
    assert len(read_sources([file, file]).measurements) == 8


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ('{"a":{"b":{"value":1}}}', True),
        (' {\n "a\\"b" : {"b": {"upper_value": 1, "value": 2}}}', True),
        ('{"a":{"b":{"avg":1}}}', False),
        ('{"a":{"value":1}}', False),
        ('[{"a":{"b":{"value":1}}}]', False),
        ('{"' + "\\" * 100_000, False),
    ],
)
def test_recognised_by_its_first_value(text, is_it):
    assert BMF().recognises(Content("x", text.encode())) is is_it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "x: no Bencher Metric Format: not an object"),
        ("{}", "x: no measures in it"),
        ('{"a": 5}', "x: nothing could be read: x: 'a': not an object of measures"),
    ],
)
def test_nothing_in_it(text, message):
    with pytest.raises(InputError) as caught:
        BMF().parse(Content("x", text.encode()), Columns())
    assert str(caught.value) == message


@pytest.mark.parametrize("metric", ["5", '{"value": null}', '{"value": NaN}', '{"upper_value": 1}'])
def test_no_number_is_a_failure(metric):
    text = f'{{"a": {{"b": {metric}}}}}'
    (failure,) = BMF().parse(Content("x", text.encode()), Columns()).failures
    assert (str(failure.key), failure.reason) == ("a/b", "no finite value")


def test_measures_by_name_after_an_empty_benchmark():
    data = b'{"empty": {}, "x": {"Build Time": {"value": 88}}}'
    content = Content("x.json", data)
    assert BMF().recognises(content)
    (only,) = BMF().parse(content, Columns()).measurements
    assert (only.key.metric, only.unit, only.direction) == ("Build Time", "s", Direction.LOWER)
