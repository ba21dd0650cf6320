# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What noise of known kinds is measured as, and what does not spoil it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.datasets.exploration.noise import LEAST, Noise, drift, noise, two_bands


def white(n=2000, seed=0):
    return np.random.default_rng(seed).normal(100, 1, n)


def steps(n=2000, seed=0):
    return white(n, seed) + np.repeat([0, 8, -5, 20, 3], n // 5)


def ar1(phi, n=2000, seed=0):
    rng = np.random.default_rng(seed)
    values = np.zeros(n)
    for i in range(1, n):
        values[i] = phi * values[i - 1] + rng.normal()
    return values + 100


class TestNoise:
    def test_of_the_normal_distribution(self):
        found = noise(white())
        assert found.level == pytest.approx(100, abs=0.1)
        assert found.sigma == pytest.approx(1, abs=0.06)
        assert found.relative == pytest.approx(0.01, abs=0.001)
        assert found.autocorrelation == pytest.approx(-0.03, abs=0.06)
        assert found.tails == pytest.approx(1, abs=0.1)
        assert found.outliers < 0.002
        assert 0.6 < found.bands < 0.75
        assert found.tied == 0
        assert found.below == 0
        assert abs(found.drift) < 3

    def test_steps_are_no_noise(self):
        found, plain = noise(steps()), noise(white())
        assert found.sigma == pytest.approx(plain.sigma, rel=0.1)
        assert abs(found.autocorrelation) < 0.1
        assert found.tails < 1.5
        assert found.bands < 0.8
        assert abs(found.drift) < 3

    @pytest.mark.parametrize(("phi", "least"), [(0.4, 0.25), (0.7, 0.5), (-0.5, -0.6)])
    def test_autocorrelation(self, phi, least):
        found = noise(ar1(phi)).autocorrelation
        assert (found > least) if phi > 0 else (found < -0.4)

    def test_heavy_tails(self):
        values = 100 + np.random.default_rng(1).standard_t(1.5, 2000)
        found = noise(values)
        assert found.tails > 1.5
        assert found.outliers > 0.01

    def test_ties_zero_and_constant(self):
        found = noise(np.round(white() / 4) * 4)
        assert found.tied > 0.25
        assert noise(white() - 100).below == pytest.approx(0.5, abs=0.05)
        flat = noise(np.zeros(100))
        assert (flat.sigma, flat.relative, flat.autocorrelation, flat.tails) == (
            0,
            None,
            None,
            None,
        )
        assert (flat.tied, flat.bands, flat.drift) == (1, 0, None)

    def test_averages_hide_ties_that_single_measurements_show(self):
        assert noise(white(), np.ones(2000)).tied == 1

    def test_too_short(self):
        assert noise(white(LEAST - 1)) == Noise()
        assert noise(white(LEAST)).sigma is not None

    @given(st.lists(st.floats(-1e6, 1e6), min_size=LEAST, max_size=120))
    def test_numbers_are_finite(self, values):
        found = noise(np.array(values))
        numbers = [v for v in (found.sigma, found.bands, found.tied, found.drift) if v is not None]
        assert np.isfinite(numbers).all()
        assert found.bands is None or 0 <= found.bands <= 1 + 1e-9


class TestBands:
    def test_two_levels_back_and_forth(self):
        rng = np.random.default_rng(0)
        values = white() + 12 * rng.integers(0, 2, 2000)
        assert two_bands(values) > 0.9

    def test_a_rare_second_level(self):
        rng = np.random.default_rng(0)
        assert two_bands(white() + 15 * (rng.random(2000) < 0.25)) > 0.8

    def test_steps_and_slopes_are_no_bands(self):
        assert two_bands(white() + 12 * (np.arange(2000) // 25 % 2)) < 0.8
        assert two_bands(np.arange(500.0)) == 0

    def test_the_best_cut_is_found(self):
        # In plain Python: all cuts of one block.
        block = white(50, 3)
        ordered = np.sort(block)
        total = block.var() * 50
        best = max(
            (total - k * ordered[:k].var() - (50 - k) * ordered[k:].var()) / total
            for k in range(5, 46)
        )
        assert two_bands(block) == pytest.approx(best)

    def test_too_short(self):
        assert two_bands(white(49)) is None


class TestDrift:
    def test_a_slope_either_way(self):
        slope = np.linspace(0, 150, 2000)
        assert drift(white() + slope) > 3
        assert drift(white() - slope) < -3

    def test_by_hand(self):
        # Eleven medians, nine moves up and one down: 8 / sqrt(10).
        values = np.repeat([1, 2, 3, 4, 5, 4, 6, 7, 8, 9, 10], 20).astype(float)
        assert drift(values) == pytest.approx(8 / 10**0.5)

    def test_nothing_moves_or_too_few(self):
        assert drift(np.ones(400)) == 0
        assert drift(np.ones(199)) is None
