# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Functional pruning for the mean: against the plain recursion over all pairs."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import interpreted
from stepmark import detect
from stepmark._kernels import fpop as kernels
from stepmark._kernels.loops import fpop as loops
from stepmark.detectors import FPOP
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Costed, Online


def plain_recursion(values, penalty):
    """The least cost, O(n^2), in 80 bits where there are so many; and whether one division has it.

    The sums are of values around their mean.
    """
    x = (np.asarray(values) - np.mean(values)).astype(np.longdouble)
    n = len(x)
    first = np.concatenate([[0], np.cumsum(x)])
    second = np.concatenate([[0], np.cumsum(x * x)])
    best, start = np.full(n + 1, -np.longdouble(penalty)), np.zeros(n + 1, int)
    gap = math.inf
    for t in range(1, n + 1):
        s = np.arange(t)
        costs = best[:t] + penalty + second[t] - second[:t] - (first[t] - first[:t]) ** 2 / (t - s)
        start[t] = np.argmin(costs)
        best[t] = costs[start[t]]
        others = np.delete(costs, start[t])
        gap = min(gap, float(others.min() - best[t])) if t > 1 else gap
    places, t = [], n
    while start[t] > 0:
        t = int(start[t])
        places.append(t)
    return float(best[n]), tuple(places[::-1]), gap > 1e-9 * max(1.0, penalty)


def series(rng, kind, n):
    """Noise; steps; a walk; few levels; heavy tails; far from 0; coarse steps; a wave; one sign."""
    x = rng.normal(0, 1, n)
    steps = rng.random(n) < 0.1
    return (
        lambda: x,
        lambda: x + np.cumsum(steps * rng.normal(0, 5, n)),
        lambda: np.cumsum(x),
        lambda: rng.integers(0, 4, n).astype(float),
        lambda: rng.standard_t(1.2, n),
        lambda: 1e6 + x,
        lambda: np.round(x * 2) / 2 + np.cumsum(steps * rng.integers(-9, 9, n)),
        lambda: np.sin(np.arange(n) / 5) * rng.choice([1, 10]) + x * 0.1,
    )[kind]()


@pytest.mark.parametrize("kind", range(8))
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_plain_recursion(kind, seed):
    rng = np.random.default_rng([seed, kind])
    unique = 0
    for _ in range(100):
        n = int(rng.integers(3, 90))
        values = series(rng, kind, n)
        penalty = float(rng.choice([0.05, 0.5, 2, 2 * np.log(n), 3 * np.log(n), 30]))
        detector = FPOP(penalty=penalty, scale=None)
        found = detector.detect(values)
        least, places, alone = plain_recursion(values, penalty)
        cost = detector.cost(values, found.indices)
        assert cost == pytest.approx(least, rel=1e-9, abs=1e-9 * penalty)
        if alone:
            unique += 1
            assert found.indices == places
    assert unique > 20 or kind in (3, 6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(8))
def test_equals_the_plain_recursion_at_length(kind):
    rng = np.random.default_rng([99, kind])
    for n in (1000, 3000):
        values = series(rng, kind, n)
        detector = FPOP(penalty=3 * math.log(n), scale=None)
        least, _, _ = plain_recursion(values, 3 * math.log(n))
        cost = detector.cost(values, detector.detect(values).indices)
        assert cost == pytest.approx(least, rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=3, max_size=9), st.integers(1, 60))
def test_no_division_is_cheaper(values, penalty):
    detector = FPOP(penalty=penalty, scale=None)

    def exact(places):
        bounds = [0, *places, len(values)]
        parts = [values[a:b] for a, b in pairwise(bounds)]
        squares = sum(sum(v * v for v in p) - Fraction(sum(p)) ** 2 / len(p) for p in parts)
        return squares + penalty * len(places)

    def divisions(place=1):
        if place == len(values):
            yield ()
            return
        for rest in divisions(place + 1):
            yield rest
            yield (place, *rest)

    found = exact(detector.detect(values).indices)
    assert found == pytest.approx(float(min(map(exact, divisions()))), rel=1e-9, abs=1e-9)


def test_score_is_what_the_change_saves():
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(m, 1, 25) for m in (100, 110, 104)])
    for detector in (FPOP(), FPOP(penalty="bic", scale="std"), FPOP(penalty=9.5, scale=None)):
        found = detector.detect(values)
        assert {25, 50} <= set(found.indices)
        for place, score in zip(found.indices, found.scores, strict=True):
            others = [i for i in found.indices if i != place]
            saved = detector.cost(values, others) - detector.cost(values, found.indices)
            assert score == pytest.approx(saved, rel=1e-9, abs=1e-9)
            assert score >= 0


def test_penalties_by_name():
    values = np.random.default_rng(3).normal(0, 1, 200)
    for name, value in {
        "bic": 2 * math.log(200),
        "sic": 2 * math.log(200),
        "mbic": 3 * math.log(200),
        "aic": 4.0,
    }.items():
        named = FPOP(penalty=name, scale=None)
        assert named.cost(values, [100]) == FPOP(penalty=value, scale=None).cost(values, [100])
        assert named.detect(values) == FPOP(penalty=value, scale=None).detect(values)
    counts = [len(FPOP(penalty=p).detect(values).indices) for p in ("aic", "bic", "mbic", 30)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] == 0


def test_without_a_penalty_every_other_value_is_a_change():
    assert detect([1.0, 1.0, 2.0, 2.0, 5.0, 1.0], "fpop(penalty=none)").indices == (2, 4, 5)
    assert detect([1.0, 1.0, 2.0, 2.0], "fpop(penalty=0, scale=none)").scores == (1.0,)
    assert detect([3.0] * 9, "fpop(penalty=none)").indices == ()


@pytest.mark.parametrize("factor", [2.0**40, 2.0**-40, 2.0**900, 2.0**-1000])
@pytest.mark.parametrize("scale", ["noise", "std"])
def test_does_not_depend_on_the_unit(factor, scale):
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, 60) + 12 * (np.arange(60) > 40)
    plain = FPOP(scale=scale).detect(values)
    moved = FPOP(scale=scale).detect(values * factor)
    assert plain.indices
    assert moved.indices == plain.indices
    assert moved.scores == pytest.approx(plain.scores)


def test_does_not_depend_on_the_level():
    rng = np.random.default_rng(4)
    values = np.round(rng.normal(0, 1, 300) + 5 * (np.arange(300) > 120), 4)
    assert FPOP().detect(values).indices == FPOP().detect(values + 2.0**33).indices == (121,)


def test_values_whose_squares_are_infinite_are_refused():
    values = [0.0, 1e200, 0.0, 1e200]
    with pytest.raises(SignalError, match="units of scale apart"):
        FPOP(scale=None).detect(values)
    with pytest.raises(SignalError, match="units of scale apart"):
        FPOP(scale=None, penalty=3).track().extend(values)
    with pytest.raises(SignalError, match="units of scale apart"):
        FPOP(scale=None).detect([-1e308, 1e308, 0.0])
    assert FPOP().detect(values).length == 4


@pytest.mark.parametrize(
    "parameters",
    [{"penalty": -1}, {"penalty": math.nan}, {"penalty": "big"}, {"penalty": True}, {"scale": "x"}],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="fpop"):
        FPOP(**parameters)


def test_answers_its_protocols():
    assert isinstance(FPOP(), Costed)
    assert isinstance(FPOP(), Online)


@pytest.mark.parametrize("spec", [{"penalty": 6}, {"penalty": "aic"}, {"penalty": "bic"}])
def test_tracking_keeps_what_it_has_seen(spec):
    rng = np.random.default_rng(8)
    values = 50 + rng.normal(0, 1, 400) + 4 * (np.arange(400) > 200)
    detector = FPOP(scale=None, **spec)
    tracker = detector.track()
    for stop in range(40, 401, 40):
        found = tracker.extend(values[stop - 40 : stop])
        expected = detector.detect(values[:stop])
        assert found.indices == expected.indices
        assert found.scores == pytest.approx(expected.scores, rel=1e-9)


def test_a_tracker_in_fixed_units_takes_each_point_once(monkeypatch):
    taken = []
    extend = kernels.Partition.extend
    monkeypatch.setattr(
        kernels.Partition, "extend", lambda self, v: (taken.append(len(v)), extend(self, v))[1]
    )
    tracker = FPOP(penalty=20, scale=None).track()
    for _ in range(5):
        tracker.extend([1.0, 2.0])
    assert taken == [2] * 5


def test_a_tracker_refuses_what_detect_refuses_and_goes_on():
    tracker = FPOP(penalty=5, scale=None).track()
    tracker.extend([1.0] * 5)
    with pytest.raises(SignalError, match="point 1 is not a finite number"):
        tracker.extend([1.0, math.nan])
    assert tracker.extend([9.0] * 5).indices == (5,)
    assert tracker.extend([]).length == 10


def test_both_forms_of_the_kernel_agree():
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    rng = np.random.default_rng(2)
    for kind in range(8):
        values = series(rng, kind, 150)
        values = values - values[0]
        for penalty in (0.5, 12.0):
            solutions = []
            for kernel in (loops, interpreted("fpop")):
                partition = kernels.Partition(penalty, kernel=kernel)
                for stop in range(0, 150, 50):
                    partition.extend(values[stop : stop + 50])
                solutions.append(partition.solution())
            assert np.array_equal(solutions[0][0], solutions[1][0])
            assert np.array_equal(solutions[0][1], solutions[1][1])


def test_intervals_outgrow_their_buffers(monkeypatch):
    values = np.cumsum(np.random.default_rng(1).normal(0, 1, 1500))
    detector = FPOP(penalty=400.0, scale=None)
    expected = detector.detect(values)
    assert expected.indices
    monkeypatch.setattr(kernels, "_INTERVALS", 2)
    assert detector.detect(values) == expected


@pytest.mark.parametrize("scale", [None, "noise", "std"])
def test_dividing_fewer_than_three_points_never_pays(scale):
    detector = FPOP(scale=scale)
    assert detector.cost([], []) == 0.0
    assert detector.cost([1.0, 500.0], [1]) == math.inf
    assert detector.cost([1.0, 500.0], []) < math.inf
    assert detector.cost([1.0, 500.0, 500.0], [1]) < math.inf
