# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What every detector promises."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import EXTRAS, SPECS, TOLERANCE, exempt
from stepmark.changes import Detection
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import BUILTIN, Detector, load, names, parse_detector
from stepmark.series import Signal

detectors = pytest.mark.parametrize("spec", SPECS)


def noise(n, seed=0):
    return 100 + np.random.default_rng(seed).normal(0, 1, n)


def step(n, at, size, seed=0):
    values = noise(n, seed)
    values[at:] += size
    return values


def test_every_detector_is_in_the_registry():
    assert set(names("detectors")) == {spec.split("(")[0] for spec in SPECS} | set(EXTRAS)


@pytest.mark.parametrize("name", BUILTIN["detectors"])
def test_tells_its_cost_and_its_source(name):
    kind = load("detectors", name)
    assert kind.complexity
    assert kind.paper


@detectors
def test_answers_with_a_detection(spec):
    detector = parse_detector(spec)
    assert isinstance(detector, Detector)
    detection = detector.detect(step(60, 30, 15))
    assert isinstance(detection, Detection)
    assert detection.length == 60


@detectors
def test_is_deterministic_and_leaves_its_input_alone(spec):
    values = step(80, 40, 8)
    before = values.copy()
    assert parse_detector(spec).detect(values) == parse_detector(spec).detect(values)
    assert np.array_equal(values, before)


@detectors
def test_takes_lists_arrays_and_signals_alike(spec):
    values = step(60, 30, 15)
    detector = parse_detector(spec)
    expected = detector.detect(values)
    assert detector.detect(values.tolist()) == expected
    assert detector.detect(Signal.of(values)) == expected
    assert detector.detect([np.float32(v) for v in range(20)]).length == 20


@detectors
@pytest.mark.parametrize("n", [0, 1, 2])
def test_is_silent_on_next_to_nothing(spec, n):
    if n == 2 and exempt("silent_on_two", spec):
        pytest.skip("answers two runs")
    assert parse_detector(spec).detect([5.0, 7.0][:n]).indices == ()


@detectors
@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e9, 1e-9, 1e200, 5e-324])
def test_is_silent_on_constants(spec, value):
    if value not in (0.0, 1.0, -3.0) and exempt("silent_on_constants", spec):
        pytest.skip("excused in the registry")
    assert parse_detector(spec).detect([value] * 50).indices == ()


@detectors
@pytest.mark.parametrize("size", [15.0, -15.0])
@pytest.mark.parametrize("seed", range(3))
def test_finds_one_clean_step(spec, size, seed):
    if exempt("one_step", spec):
        pytest.skip("excused in the registry")
    (place,) = parse_detector(spec).detect(step(80, 50, size, seed)).indices
    assert abs(place - 50) <= TOLERANCE.get(spec, 0)


@detectors
def test_mirrored_input_gives_the_same_places(spec):
    if exempt("mirror", spec):
        pytest.skip("excused in the registry")
    values = step(80, 50, 10)
    mirrored = parse_detector(spec).detect(200 - values)
    assert mirrored.indices == parse_detector(spec).detect(values).indices


@detectors
def test_spec_round_trip(spec):
    detector = parse_detector(spec)
    again = parse_detector(str(detector))
    assert again == detector
    assert hash(again) == hash(detector)
    assert str(again) == spec
    assert pickle.loads(pickle.dumps(detector)) == detector


@detectors
def test_is_a_frozen_dataclass(spec):
    detector = parse_detector(spec)
    assert dataclasses.is_dataclass(detector)
    # With slots the class attributes of any dataclass are read-only: only a field can tell.
    for field in dataclasses.fields(detector):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(detector, field.name, getattr(detector, field.name))


@detectors
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_not_a_number_is_an_answer_or_a_clear_error(spec, bad):
    values = [1.0, 1.1, bad, 0.9, 1.0, 1.1, 1.0]
    if spec.startswith("mdl(search=jumpavg"):
        assert parse_detector(spec).detect(values).length == len(values)
    elif spec != "zero":
        with pytest.raises(SignalError, match="point 2 is not a finite number"):
            parse_detector(spec).detect(values)


@detectors
def test_unknown_parameters_are_refused(spec):
    with pytest.raises(SpecError, match="no parameter"):
        parse_detector(f"{spec.split('(')[0]}(nonsense=1)")


@detectors
@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12).map(lambda x: round(x, 9)), max_size=40))
def test_any_finite_signal_gives_a_valid_detection(spec, values):
    detection = parse_detector(spec).detect(values)
    assert detection.length == len(values)
    assert len(detection.scores) in (0, len(detection.indices))


@detectors
@pytest.mark.parametrize("exponent", [-1000, 1000])
def test_the_unit_of_the_values_decides_nothing(spec, exponent):
    if exempt("any_unit", spec):
        pytest.skip("excused in the registry")
    values = step(80, 50, 15)
    detector = parse_detector(spec)
    # A power of two changes no digit.
    assert detector.detect(np.ldexp(values, exponent)).indices == detector.detect(values).indices


@detectors
@pytest.mark.parametrize(
    "values",
    [
        np.where(np.arange(60) < 30, -1.7e308, 1.7e308),
        np.where(np.arange(60) == 30, 1e308, 1.0),
        np.where(np.arange(60) % 7 == 0, 1e300, 1e-300),
        [[1.2e308, 1.7e308]] * 20 + [[1.0, 2.0]] * 20,
    ],
    ids=["apart", "spike", "mixed", "replicates"],
)
def test_the_largest_numbers_are_an_answer_or_a_clear_error(spec, values):
    detector = parse_detector(spec)
    try:
        found = detector.detect(values)
    except SignalError as error:
        assert str(error).count("\n") == 0  # noqa: PT017 - either is right
    else:
        assert found.length == len(values)


@detectors
def test_a_point_without_replicates_is_not_taken_for_a_value(spec):
    rows = [[1.0, 2.0]] * 10 + [[]] + [[3.0, 4.0]] * 10
    detector = parse_detector(spec)
    if exempt("needs_a_value_a_point", spec):
        assert detector.detect(rows).length == 21
    else:
        with pytest.raises(SignalError, match="point 10 is not a finite number"):
            detector.detect(rows)


@detectors
def test_replicates_are_taken(spec):
    rng = np.random.default_rng(3)
    rows = [list(rng.normal(100 + 20 * (i >= 20), 1, 5)) for i in range(40)]
    detector = parse_detector(spec)
    found = detector.detect(rows)
    assert found.length == 40
    if not exempt("needs_a_value_a_point", spec):
        assert found == detector.detect([np.mean(row) for row in rows])
