# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Stepmark's own detector: what it finds, what it leaves alone, and what it withstands."""

from __future__ import annotations

import math
import tracemalloc
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import interpreted
from stepmark import detect
from stepmark._kernels import levels, trends
from stepmark.detectors import stepmark as module
from stepmark.detectors.stepmark import FEWEST, REACH, Stepmark
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import Demanding, Probable, parse_detector

compiled = pytest.mark.skipif(not levels.loops.COMPILED, reason="slow where kernels are not built")


def alike(rng, n, phi):
    """Autoregressive noise of standard deviation 1."""
    noise = rng.normal(0, math.sqrt(1 - phi**2), n)
    noise[0] /= math.sqrt(1 - phi**2)
    for t in range(1, n):
        noise[t] += phi * noise[t - 1]
    return noise


NOISES = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "log-normal": lambda rng, n: rng.lognormal(0, 0.7, n),
    "uniform": lambda rng, n: rng.random(n),
    "two-bands": lambda rng, n: rng.normal(0, 1, n) + 4 * (np.cumsum(rng.random(n) < 0.15) % 2),
    "alternating": lambda rng, n: rng.normal(0, 0.1, n) + np.arange(n) % 2,
    "alike-0.3": lambda rng, n: alike(rng, n, 0.3),
    "alike-0.6": lambda rng, n: alike(rng, n, 0.6),
    "wider": lambda rng, n: rng.normal(0, 1, n) * np.where(np.arange(n) < n // 2, 1, 3),
    "drift": lambda rng, n: rng.normal(0, 1, n) + 6 * np.arange(n) / n,
}


def stepping(rng, n, at=None, size=0.0):
    at = n // 2 if at is None else at
    return rng.normal(0, 1, n) + size * (np.arange(n) >= at)


def walk(rng, n):
    """A random walk with one jump in its middle."""
    return np.cumsum(rng.normal(0, 1, n)) + 25.0 * (np.arange(n) >= n // 2)


def assert_valid(found, n, sure):
    assert found.length == n
    # A segment has at least three points.
    assert all(b - a >= 3 for a, b in pairwise((0, *found.indices, n)) if found.indices)
    assert len(found.scores) == len(found.indices)
    assert all(sure <= score <= 1 for score in found.scores)


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("n", [60, 150])
def test_no_change_in_noise(name, n):
    for seed in range(10):
        assert detect(NOISES[name](np.random.default_rng([seed, n]), n), "stepmark").indices == ()


@compiled
def test_few_changes_in_much_noise():
    false = dict.fromkeys(NOISES, 0)
    for name, make in NOISES.items():
        for seed in range(40):
            values = make(np.random.default_rng([seed, 4]), 400)
            false[name] += len(Stepmark().detect(values).indices)
    assert max(false.values()) <= 6, false


@pytest.mark.parametrize("name", ["normal", "t3", "two-bands", "alike-0.3", "alike-0.6"])
@pytest.mark.parametrize("sign", [1, -1])
def test_finds_a_step_of_three_deviations(name, sign):
    right = alone = 0
    for seed in range(10):
        values = NOISES[name](np.random.default_rng([seed, 9]), 120)
        values[70:] += sign * 3 * values[:70].std()
        found = Stepmark().detect(values)
        right += any(abs(place - 70) <= REACH for place in found.indices)
        alone += len(found.indices) == 1
    assert right >= 9
    assert alone >= 8


@pytest.mark.parametrize("seed", range(10))
def test_finds_a_step_of_three_deviations_alone(seed):
    (place,) = Stepmark().detect(stepping(np.random.default_rng(seed), 100, 60, 3.0)).indices
    assert abs(place - 60) <= REACH


@pytest.mark.parametrize("at", [3, 4, 97, 96])
def test_finds_a_step_close_to_an_end(at):
    values = stepping(np.random.default_rng(1), 100, at, 20.0)
    assert Stepmark().detect(values).indices == (at,)


@pytest.mark.parametrize("at", [1, 99])
def test_one_point_at_an_end_is_an_outlier(at):
    for seed in range(10):
        values = stepping(np.random.default_rng(seed), 100, at, 20.0)
        assert Stepmark().detect(values).indices == ()


def test_finds_several_steps_and_the_way_back():
    rng = np.random.default_rng(5)
    values = rng.normal(0, 1, 200)
    values[50:90] += 5
    values[140:] -= 4
    assert Stepmark().detect(values).indices == pytest.approx((50, 90, 140), abs=1)


@pytest.mark.parametrize("at", [0, 1, 75, 98, 99])
@pytest.mark.parametrize("size", [50.0, -300.0, 1e6, 1e30, -1e200, 1e300])
def test_an_outlier_anywhere_hides_no_step(at, size):
    values = stepping(np.random.default_rng(2), 100, 50, 4.0)
    values[at] = size
    assert Stepmark().detect(values).indices == pytest.approx((50,), abs=2)


@pytest.mark.parametrize("size", [1e3, 1e31, 1e60, 1e200, 1e300])
def test_outliers_of_any_size_are_no_step(size):
    values = np.random.default_rng(3).normal(0, 1, 80)
    values[[20, 21, 50]] = size, -size, size
    assert Stepmark().detect(values).indices == ()


@pytest.mark.parametrize("size", [1e5, 1e15, 1e40, 1e200, 1e300])
def test_a_step_of_any_size_is_a_step(size):
    assert Stepmark().detect(stepping(np.random.default_rng(3), 80, 40, size)).indices == (40,)


@pytest.mark.parametrize("n", range(FEWEST))
def test_fewer_than_six_points_are_silent(n):
    assert Stepmark().detect([0.0, 0.0, 9.0, 9.0, 9.0][:n]) == detect([1.0] * n, "stepmark")


@pytest.mark.parametrize("n", [6, 7, 8, 9])
def test_the_shortest_signals_are_answered(n):
    assert_valid(Stepmark().detect([0.0, 0.1] * 4 + [9.0] * n), n + 8, Stepmark().sure)
    assert_valid(Stepmark().detect(([0.0, 0.1, 0.2] + [9.0] * 9)[:n]), n, Stepmark().sure)


@pytest.mark.parametrize("value", [0.0, -0.0, 3.5, 1e300, 1e-300, -5e-324])
@pytest.mark.parametrize("n", [6, 7, 100])
def test_constants_are_silent(value, n):
    assert Stepmark().detect([value] * n).indices == ()


def test_a_clean_step_without_noise():
    assert Stepmark().detect([2.0] * 30 + [3.0] * 30).indices == (30,)


def test_values_that_hardly_ever_differ():
    rng = np.random.default_rng(6)
    rare = (rng.random(200) < 0.05).astype(float)
    assert Stepmark().detect(rare).indices == ()
    assert Stepmark().detect(rare + 3 * (np.arange(200) >= 120)).indices == (120,)


def test_rounded_values_keep_their_step():
    values = np.round(stepping(np.random.default_rng(7), 120, 60, 4.0))
    assert Stepmark().detect(values).indices == pytest.approx((60,), abs=2)


@pytest.mark.parametrize("unit", [1e300, 1e-300, 1e-320])
def test_the_largest_and_smallest_units(unit):
    rng = np.random.default_rng(8)
    assert Stepmark().detect(rng.normal(0, 1, 60) * unit).indices == ()
    assert Stepmark().detect(stepping(rng, 60, 30, 8.0) * unit).indices == (30,)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_a_number_is_refused(bad):
    with pytest.raises(SignalError, match="point 7 is not a finite number; stepmark needs"):
        Stepmark().detect([0.0] * 7 + [bad] + [0.0] * 7)


def test_of_replicates_it_sees_the_mean():
    rng = np.random.default_rng(9)
    rows = [list(rng.normal(10 + 6 * (i >= 25), 1, 1 + i % 4)) for i in range(50)]
    found = Stepmark().detect(rows)
    assert found == Stepmark().detect([np.mean(row) for row in rows])
    assert found.indices == (25,)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-900, 900), st.integers(-(2**20), 2**20))
def test_neither_unit_nor_origin_matters(seed, exponent, origin):
    rng = np.random.default_rng(seed)
    # Few digits, so that adding a whole number rounds nothing.
    values = np.round(stepping(rng, 60, 25, rng.normal(0, 4)) * 1024) / 1024
    found = Stepmark().detect(values)
    assert Stepmark().detect(np.ldexp(values, exponent)) == found
    assert Stepmark().detect(values + origin) == found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_mirror_image_changes_at_the_same_places(seed):
    rng = np.random.default_rng(seed)
    values = walk(rng, 80) if seed % 2 else stepping(rng, 80, 25, rng.normal(0, 4))
    found, mirrored = Stepmark().detect(values), Stepmark().detect(-values)
    assert mirrored.indices == found.indices
    assert mirrored.scores == pytest.approx(found.scores, rel=1e-6)


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_clearer_steps_score_higher(seed):
    scores = []
    for size in (0.0, 1.0, 1.3, 2.0):
        values = stepping(np.random.default_rng(seed), 80, 40, size)
        scores.append(max(Stepmark(sure=0.01).detect(values).scores, default=0.0))
    assert scores == sorted(scores)
    assert scores[0] < 0.1
    assert 0.9 < scores[-1] <= 1


def candidates(seed, n, sure):
    rng = np.random.default_rng([seed, n])
    jumps = np.cumsum((rng.random(n) < 0.05) * rng.normal(0, 3, n))
    values = rng.normal(0, 1, n) + jumps + (walk(rng, n) if seed % 3 == 0 else 0)
    steps, lines, _ = module._chances(values, module._clipped(values))
    before = steps.copy(), lines.copy()
    found = module._peaks(steps, lines, Stepmark(sure=sure))
    assert np.array_equal(before, (steps, lines))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_what_is_surer_is_among_what_is_less_sure(seed):
    """Of the candidates; which of them go beyond a line depends on their neighbours."""
    all_found = candidates(seed, 120, 0.001)
    assert all_found
    for sure in (0.2, 0.45, 0.8, 0.99):
        assert candidates(seed, 120, sure) == [f for f in all_found if f.probability >= sure]


def test_places_are_a_segment_apart_at_least():
    for steps, lines in [
        (np.full(40, 0.09), np.zeros(40)),
        (np.zeros(40), np.full(40, 0.09)),
        (np.eye(40)[20] + np.eye(40)[21], np.zeros(40)),
        (np.eye(40)[20] * 0.5, np.eye(40)[21] * 0.5),
    ]:
        found = module._peaks(steps, lines, Stepmark())
        assert found
        assert all(b.place - a.place >= 3 for a, b in pairwise(found))
        assert all(0.45 <= f.probability <= 1 for f in found)
        assert all((steps + lines)[f.place] > 0 for f in found)


def test_two_sure_steps_in_one_reach_are_both_told():
    found = module._peaks(np.eye(40)[20] + np.eye(40)[24], np.zeros(40), Stepmark())
    assert [f.place for f in found] == [20, 24]


@pytest.mark.parametrize("width", [3, 4, 6, 10])
def test_both_ends_of_a_short_excursion_are_found(width):
    signal = np.random.default_rng(width).normal(size=100)
    signal[50 : 50 + width] += 8
    assert Stepmark().detect(signal).indices == (50, 50 + width)


@pytest.mark.parametrize("unit", [1.0, 2.0, 3.0])
def test_rounding_is_no_change(unit):
    for seed in range(10):
        signal = np.random.default_rng(seed).normal(size=200)
        assert Stepmark().detect(np.round(signal / unit) * unit).indices == ()


def test_what_lies_beside_a_sure_step_does_not_move_it():
    steps = np.zeros(40)
    steps[20], steps[11:16] = 1.0, 0.02
    (found,) = module._peaks(steps, np.zeros(40), Stepmark())
    assert found.place == 20


def test_a_score_is_less_sure_than_the_chances_within_reach():
    steps, lines = np.zeros(60), np.zeros(60)
    steps[18:23] = [0.1, 0.2, 0.3, 0.2, 0.1]
    lines[40], lines[45] = 0.4, 0.2
    step, line = module._peaks(steps, lines, Stepmark())
    assert (step.place, step.step, line.place, line.step) == (20, True, 40, False)
    assert (step.probability, line.probability) == pytest.approx(
        (Stepmark().probability(0.9), Stepmark().probability(0.6))
    )
    assert 0.8 < step.probability < 0.9


def test_a_probability_rises_with_the_chances_from_0_to_1():
    masses = [-1e-17, 0.0, 1e-300, 0.1, 0.5, 0.9, 1 - 1e-16, 1.0, 1.7]
    told = [Stepmark().probability(mass) for mass in masses]
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_chances_within_reach_bear_out_what_is_reported(seed):
    rng = np.random.default_rng(seed)
    values = walk(rng, 150) if seed % 2 else stepping(rng, 150, 60, 4.0)
    found, chances = Stepmark().detect(values), Stepmark().chances(values)
    assert found.indices
    assert chances.shape == (150,)
    assert (chances >= 0).all()
    for place, score in zip(found.indices, found.scores, strict=True):
        windows = [
            chances[max(0, m - REACH) : m + REACH + 1]
            for m in range(place - REACH, place + REACH + 1)
        ]
        assert Stepmark().probability(max(map(np.sum, windows))) >= score - 1e-9


def test_chances_where_nothing_can_be_said():
    for values in ([], [1.0] * 4, [0.0, 0.0, 0.0, 9.0, 9.0], [3.0] * 20):
        assert Stepmark().chances(values).tolist() == [0.0] * len(values)
    with pytest.raises(SignalError, match="point 1 is not a finite number"):
        Stepmark().chances([1.0, math.nan] * 9)


def test_answers_its_protocols():
    assert isinstance(Stepmark(), Probable)
    assert isinstance(Stepmark(), Demanding)


def test_as_few_points_as_it_asks_for_are_enough():
    old = [0.0, 0.1, 0.2, 0.1, 0.0, 0.2, 0.1, 0.0, 0.1, 0.2]
    new = [9.0, 9.1, 9.2]
    assert len(new) == Stepmark.fewest_new
    assert Stepmark().detect(old + new).indices == (10,)
    assert Stepmark().detect(old + new[:1]).indices == ()


def test_values_too_small_beside_a_spike_to_be_squared():
    values = [-183.0, -141.0, 2.5e191, 0.0, -309.0, -202.0, 1.5e216]
    assert_valid(Stepmark().detect(values), 7, Stepmark().sure)


@pytest.fixture
def lines_seen(monkeypatch):
    """The lengths and numbers of places of the signals that were taken for segments of lines."""
    seen = []
    chances = trends.chances

    def noting(values, prior, finest):
        found = chances(values, prior, finest)
        seen.append((len(values), finest, np.flatnonzero(found)))
        return found

    monkeypatch.setattr(trends, "chances", noting)
    return seen


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_a_signal_that_wanders_is_seen_as_lines(seed, lines_seen):
    found = Stepmark().detect(walk(np.random.default_rng(seed), 200))
    assert len(lines_seen) == 1
    assert any(abs(place - 100) <= REACH for place in found.indices)
    assert_valid(found, 200, Stepmark().sure)


def test_a_signal_about_levels_is_not_seen_as_lines(lines_seen):
    Stepmark().detect(stepping(np.random.default_rng(1), 200, 100, 3.0))
    assert lines_seen == []


def test_of_a_long_signal_that_wanders_few_places_are_lines_ends(lines_seen, monkeypatch):
    monkeypatch.setattr(module, "FINEST", 60)
    found = Stepmark().detect(walk(np.random.default_rng(2), 300))
    ((length, finest, places),) = lines_seen
    assert (length, finest) == (300, 60)
    assert set(places % 5) == {0}
    assert any(abs(place - 150) <= REACH for place in found.indices)
    assert_valid(found, 300, Stepmark().sure)


@compiled
@pytest.mark.parametrize("n", [1001, 2500])
def test_longer_than_the_finest_division(n, lines_seen):
    found = Stepmark().detect(walk(np.random.default_rng(n), n))
    assert [length for length, _, _ in lines_seen] == [n]
    assert 0 < len(lines_seen[0][2]) <= module.FINEST
    assert_valid(found, n, Stepmark().sure)


@compiled
def test_a_long_signal_takes_modest_memory():
    rng = np.random.default_rng(11)
    values = rng.normal(0, 1, 20_000) + 3 * (np.arange(20_000) >= 12_345)
    tracemalloc.start()
    found = Stepmark().detect(values)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.indices == pytest.approx((12_345,), abs=REACH)
    assert most < 1000 * len(values)


def test_both_forms_of_the_kernels_agree(monkeypatch):
    if not levels.loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    rng = np.random.default_rng(12)
    signals = [
        stepping(rng, 60, 30, 3.0),
        walk(rng, 60),
        NOISES["two-bands"](rng, 60) + 8.0 * (np.arange(60) >= 20),
        np.round(stepping(rng, 60, 40, 2.0)),
    ]
    fast = [Stepmark(sure=0.05).detect(values) for values in signals]
    assert all(found.indices for found in fast)
    hidden, lines = interpreted("levels"), interpreted("trends")
    monkeypatch.setattr(levels, "evidence", partial(levels.evidence, kernel=hidden))
    monkeypatch.setattr(levels, "posterior", partial(levels.posterior, kernel=hidden))
    monkeypatch.setattr(trends, "chances", partial(trends.chances, kernel=lines))
    assert [Stepmark(sure=0.05).detect(values) for values in signals] == fast


pieces = st.one_of(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    st.builds(
        lambda v, n: [v] * n, st.sampled_from([0.0, 1.0, -7.5, 1e300, 1e-300]), st.integers(1, 30)
    ),
    st.builds(lambda a, b, n: [a, b] * n, st.floats(-9, 9), st.floats(-9, 9), st.integers(1, 12)),
    st.builds(lambda a, n: [a * i for i in range(n)], st.floats(-1e6, 1e6), st.integers(1, 30)),
    st.builds(
        lambda s, n: list(np.random.default_rng(s).standard_cauchy(n)),
        st.integers(0, 999),
        st.integers(1, 30),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=6), st.sampled_from([1e-9, 0.2, 0.5, 0.999]))
def test_any_signal_is_answered(parts, sure):
    values = [value for part in parts for value in part]
    assert_valid(Stepmark(sure=sure).detect(values), len(values), sure)


@pytest.mark.parametrize("sure", [0, -0.1, 1.0, 1.5, math.nan, math.inf, True, "high", None])
def test_bad_parameters_are_refused(sure):
    with pytest.raises(SpecError, match="stepmark: sure"):
        Stepmark(sure=sure)


def test_spec_round_trip():
    assert str(Stepmark()) == "stepmark"
    assert str(Stepmark(sure=0.9)) == "stepmark(sure=0.9)"
    assert parse_detector(str(Stepmark(sure=0.123))) == Stepmark(sure=0.123)
