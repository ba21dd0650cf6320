# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Hidden levels: against the sum over all paths, walked one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from kernels import interpreted
from stepmark._kernels.levels import Noise, Prior, evidence, posterior
from stepmark._kernels.loops import levels as loops

LEAST = 3  # points of a segment
HAZARD, RENEWAL, DRIFT = 0.2, 0.3, 0.1


def prior(levels, scales, *noises, steps=(HAZARD, RENEWAL, DRIFT)):
    return Prior(np.array(levels, float), np.array(scales, float), *steps, noises or (Noise(),))


def emissions(values, known, noise):
    """How probable each point is in each state: as the first of its segment, and as a later one.

    Noise between neighbours alike is autoregressive: its first point has the scale of all of them.
    """
    shifts = [-noise.gap / 2, noise.gap / 2] if noise.gap else [0.0]
    first, later = {}, {}
    for t, value in enumerate(values):
        for g, level in enumerate(known.levels):
            for k, scale in enumerate(known.scales):
                for c, shift in enumerate(shifts):
                    wide = scale / math.sqrt(1 - noise.phi**2)
                    state = (t, g, k, c)
                    first[state] = student.pdf(value, 9, level + shift, wide)
                    if t:
                        middle = level + shift + noise.phi * (values[t - 1] - level - shift)
                        later[state] = student.pdf(value, 9, middle, scale)
    return first, later


def moves(age, level, scale, band, known, noise):
    """Whether the next point begins a segment, its state, and how probable that is.

    A segment has its first three points of one scale, and ends only after them.
    """
    bands, kinds, depth = 2 if noise.gap else 1, len(known.scales), len(known.levels)
    for c in range(bands):
        switched = 1.0 if bands == 1 else noise.switch if c != band else 1 - noise.switch
        if age < LEAST:
            yield False, (level, scale, c), switched
            continue
        for k in range(kinds):
            drawn = known.drift / kinds + (1 - known.drift) * (k == scale)
            yield False, (level, k, c), switched * (1 - known.hazard) * drawn
            drawn = known.renewal / kinds + (1 - known.renewal) * (k == scale)
            for g in range(depth):
                yield True, (g, k, c), known.hazard * drawn / (depth * bands)


def paths(values, known, noise):
    """Every path's changes, and how probable it and the values are; finished segments only."""
    first, later = emissions(values, known, noise)

    def walk(t, age, state, probability, places):
        if t == len(values):
            if age >= LEAST:
                yield places, probability
            return
        for begins, after, chance in moves(age, *state, known, noise):
            weight = probability * chance * (first if begins else later)[(t, *after)]
            if begins:
                yield from walk(t + 1, 1, after, weight, (*places, t))
            else:
                yield from walk(t + 1, age + 1, after, weight, places)

    states = [state[1:] for state in first if state[0] == 0]
    for state in states:
        yield from walk(1, 1, state, first[(0, *state)] / len(states), ())


def all_paths(values, known, noise):
    """The evidence, and the chance of a change at each point, shape (n,)."""
    total, begun = 0.0, np.zeros(len(values))
    for places, probability in paths(values, known, noise):
        total += probability
        begun[list(places)] += probability
    return math.log(total), begun / total


@pytest.mark.parametrize("scales", [[0.7], [0.5, 1.6]], ids=["one-scale", "two-scales"])
@pytest.mark.parametrize("phi", [0.0, 0.6])
@pytest.mark.parametrize(
    ("n", "levels"), [(6, [-1, 2]), (7, [0, 1, 3]), (9, [-1, 2]), (9, [-2, 0, 2])]
)
def test_equals_the_sum_over_all_paths(n, levels, phi, scales):
    values = np.random.default_rng([n, len(levels)]).normal(0, 1.5, n)
    known, noise = prior(levels, scales, Noise(phi)), Noise(phi)
    total, begun = all_paths(values, known, noise)
    assert evidence(values, known) == pytest.approx([total], rel=1e-12)
    assert posterior(values, known).chances[0] == pytest.approx(begun, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("scales", [[0.7], [0.5, 1.6]], ids=["one-scale", "two-scales"])
@pytest.mark.parametrize("switch", [0.05, 0.5])
@pytest.mark.parametrize(("n", "levels"), [(6, [-1, 0, 2]), (8, [-1, 2])])
def test_equals_the_sum_over_all_paths_between_two_bands(n, levels, switch, scales):
    values = np.random.default_rng([n, 5]).normal(0, 2.5, n)
    noise = Noise(0.0, 3.0, switch)
    known = prior(levels, scales, noise)
    total, begun = all_paths(values, known, noise)
    assert evidence(values, known) == pytest.approx([total], rel=1e-12)
    assert posterior(values, known).chances[0] == pytest.approx(begun, rel=1e-10, abs=1e-15)


def test_the_paths_of_the_comparison_are_all_there_are():
    """Before any value is seen, the paths and what they leave out make one."""
    known = prior([0, 1], [1, 2], Noise(0.0, 2.0, 0.2))
    total, finished = 1.0, 0.0
    states = {(LEAST, (0, 0, 0)): 1.0}
    for _ in range(4):
        after = {}
        for (age, state), probability in states.items():
            for begins, new, chance in moves(age, *state, known, known.noises[0]):
                key = (1 if begins else min(age + 1, LEAST), new)
                after[key] = after.get(key, 0.0) + probability * chance
        states = after
        total = sum(states.values())
        finished = sum(p for (age, _), p in states.items() if age == LEAST)
    assert total == pytest.approx(1.0, rel=1e-12)
    assert 0.5 < finished < 1.0


def test_kinds_of_noise_are_weighed_by_evidence_and_prior():
    values = np.random.default_rng(1).normal(0, 1, 8)
    noises = (Noise(), Noise(0.6, prior=0.2), Noise(0.0, 2.0, 0.3, 0.5))
    known = prior([-1, 1], [0.5, 1.0], *noises)
    single = [all_paths(values, known, noise) for noise in noises]
    odds = np.exp([total for total, _ in single]) * [noise.prior for noise in noises]
    found = posterior(values, known)
    assert found.weights == pytest.approx(odds / odds.sum(), rel=1e-10)
    assert found.chances == pytest.approx(np.array([begun for _, begun in single]), rel=1e-9)


def test_an_improbable_kind_of_noise_does_not_count():
    values = np.random.default_rng(2).normal(0, 1, 30)
    noises = (Noise(), Noise(0.99, prior=1e-9))
    found = posterior(values, prior([-1, 0, 1], [0.5, 1.0], *noises))
    assert found.weights.tolist() == [1.0, 0.0]
    assert not found.chances[1].any()
    alone = posterior(values, prior([-1, 0, 1], [0.5, 1.0], noises[0]))
    assert np.array_equal(found.chances[0], alone.chances[0])
    both = posterior(values, prior([-1, 0, 1], [0.5, 1.0], *noises), least=0.0)
    assert both.weights[1] > 0
    assert both.chances[1].any()


def test_without_hazard_nothing_changes():
    values = np.repeat([0.0, 9.0], 20)
    assert not posterior(values, prior([0, 9], [1.0], steps=(0.0, 0.0, 0.0))).chances.any()


@pytest.mark.parametrize("n", [3, 4, 5])
def test_too_short_for_two_segments(n):
    known = prior([0, 9], [1.0, 2.0])
    values = np.where(np.arange(n) < n // 2, 0.0, 9.0)
    total, begun = all_paths(values, known, Noise())
    assert not begun.any()
    assert evidence(values, known) == pytest.approx([total], rel=1e-12)
    assert not posterior(values, known).chances.any()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e25, 1e25) | st.floats(-5, 5), min_size=6, max_size=60),
    st.sampled_from([Noise(), Noise(0.6), Noise(0.99), Noise(0.0, 3.0, 0.2)]),
)
def test_chances_are_probabilities_and_segments_have_three_points(values, noise):
    values = np.array(values)
    levels = np.linspace(-3, 3, 9)
    found = posterior(values, prior(levels, [0.4, 1.0, 4.0], noise))
    chances = found.chances[0]
    assert np.isfinite(evidence(values, prior(levels, [0.4, 1.0, 4.0], noise))).all()
    assert (chances >= 0).all()
    assert (chances <= 1 + 1e-9).all()
    assert not chances[:3].any()
    assert not chances[-2:].any()
    # At most one segment begins in three points.
    assert (np.convolve(chances, np.ones(3)) <= 1 + 1e-9).all()


@pytest.mark.parametrize(
    "noise", [Noise(), Noise(0.3), Noise(0.99), Noise(0.0, 2.0, 0.05)], ids=str
)
def test_both_forms_of_the_kernel_agree(noise):
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    plain = interpreted("levels")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        n = 50
        values = rng.normal(0, 1, n) + np.cumsum((rng.random(n) < 0.1) * rng.normal(0, 5, n))
        levels = np.linspace(values.min(), values.max(), 13)  # not a multiple of four
        known = prior(levels, [0.4, 0.9, 2.0], noise, Noise(0.9), steps=(0.01, 0.02, 0.005))
        first, second = posterior(values, known), posterior(values, known, kernel=plain)
        assert np.array_equal(first.weights, second.weights)
        assert np.array_equal(first.chances, second.chances)
        assert first.chances.any()
        assert np.array_equal(evidence(values, known), evidence(values, known, plain))
