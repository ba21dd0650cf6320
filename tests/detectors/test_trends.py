# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Flat segments and lines: against the sum over all divisions, and evidence by linear algebra."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from kernels import interpreted
from stepmark._kernels.loops import trends as loops
from stepmark._kernels.trends import Prior, chances


def regression(values, columns, precisions, prior):
    """The density of *values* with the coefficients and the precision of their noise unknown.

    Given the precision the coefficients are normal; it is gamma: the values are Student's t.
    """
    shape = np.eye(len(values)) + sum(
        np.outer(column, column) / precision
        for column, precision in zip(columns, precisions, strict=True)
    )
    shape *= prior.rate / prior.power
    return float(multivariate_t(np.zeros(len(values)), shape, 2 * prior.power).pdf(values))


def segment(values, prior):
    """The density of *values* as one segment, flat or a line, which are as probable."""
    m = len(values)
    ones, index = np.ones(m), np.arange(m) - (m - 1) / 2
    flat = regression(values, [ones], [prior.weight], prior)
    if m < prior.leaning:
        return flat
    line = regression(values, [ones, index], [prior.weight, prior.slope * m**2], prior)
    return (flat + line) / 2


def all_divisions(values, prior, places):
    """The probability that a segment begins at each point, over all divisions at *places*."""
    n = len(values)
    total, begun = 0.0, np.zeros(n)
    for count in range(len(places) + 1):
        for chosen in itertools.combinations(places, count):
            parts = np.split(values, chosen)
            if min(map(len, parts)) < prior.least:
                continue
            weight = math.prod(segment(part, prior) for part in parts) ** prior.temper
            weight *= min(0.5, prior.changes / n) ** count
            total += weight
            begun[list(chosen)] += weight
    return begun / total


PRIORS = {
    "default": Prior(),
    "untempered": Prior(temper=1.0),
    "many-changes": Prior(changes=100.0, temper=0.5),
    "other": Prior(2.0, 0.7, 1.5, 0.8, 0.05, 3.0, 2, 4),
}


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
@pytest.mark.parametrize("n", [6, 8, 10])
def test_equals_the_sum_over_all_divisions(n, prior):
    rng = np.random.default_rng(n)
    for values in (rng.normal(0, 1, n), np.cumsum(rng.normal(0, 1, n)), np.arange(n) / 3.0):
        expected = all_divisions(values, prior, range(1, n))
        assert chances(values, prior, n) == pytest.approx(expected, rel=1e-9, abs=1e-15)
        assert expected.any()


def test_of_a_long_signal_so_many_places_are_looked_at():
    values = np.concatenate([np.zeros(8), np.arange(9) / 2]) + np.random.default_rng(1).normal(
        0, 0.2, 17
    )
    found = chances(values, Prior(), 6)
    assert found == pytest.approx(all_divisions(values, Prior(), [3, 6, 9, 12, 15]), rel=1e-9)
    assert found[15] == 0  # two points are no segment
    every = chances(values, Prior(), 17)
    assert np.count_nonzero(every) == 17 - 2 * Prior().least + 1


def test_finds_steps_and_bends():
    rng = np.random.default_rng(2)
    step = rng.normal(0, 0.05, 120) + 2.0 * (np.arange(120) >= 70) - 1
    bend = rng.normal(0, 0.02, 120) + np.maximum(np.arange(120) - 60, 0) / 30 - 0.5
    assert int(chances(step, Prior(), 200).argmax()) == 70
    found = chances(bend, Prior(), 200)
    assert abs(int(found.argmax()) - 60) <= 5
    assert found[50:71].sum() > 0.9


def test_one_line_is_no_change():
    line = np.linspace(-1.7, 1.7, 150) + np.random.default_rng(3).normal(0, 0.05, 150)
    within_five = np.convolve(chances(line, Prior(), 200), np.ones(11))
    assert within_five.max() < 0.45


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=6, max_size=40), st.sampled_from([3, 7, 100]))
def test_chances_are_probabilities(values, finest):
    found = chances(np.array(values), Prior(), finest)
    assert (found >= 0).all()
    assert (found <= 1 + 1e-9).all()
    assert not found[: Prior().least].any()
    assert not found[len(values) - Prior().least + 1 :].any()


@pytest.mark.parametrize("finest", [25, 1000])
def test_both_forms_of_the_kernel_agree(finest):
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    plain = interpreted("trends")
    for seed in range(4):
        rng = np.random.default_rng(seed)
        values = np.cumsum(rng.normal(0, 0.2, 70)) + 3.0 * (np.arange(70) >= 40)
        values = (values - values.mean()) / values.std()
        first, second = chances(values, Prior(), finest), chances(values, Prior(), finest, plain)
        assert first.any()
        assert np.array_equal(first, second)
