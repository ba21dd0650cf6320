# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Kernel change points: against R's ecp, and against brute force."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.test_edivisive import datasets
from kernels import interpreted
from stepmark._kernels import kcpa
from stepmark.detectors import KCPA
from stepmark.detectors.scaling import scaled
from stepmark.errors import SignalError, SpecError


def reference(shared_data, name):
    return json.loads((shared_data / "tcpd" / f"{name}.json").read_text())


def scatter(values, width, bounds):
    """The scatter of *values* divided at *bounds*, from its definition."""
    total = 0.0
    for a, b in itertools.pairwise((0, *bounds, len(values))):
        part = values[a:b]
        total += (b - a) - np.exp(-((part[:, None] - part) ** 2) / width).sum() / (b - a)
    return total


def test_all_of_the_grid_with_the_full_median(shared_data):
    compared = 0
    for name, values in datasets(shared_data):
        expected = reference(shared_data, "kcpa_fullmedian")[name]
        width = kcpa.median_square(scaled(values, "std"))
        assert width == pytest.approx(expected.pop("h"), rel=1e-12), name
        expected.pop("v")
        for case, places in expected.items():
            limit, cost = case.removeprefix("L").split("_C")
            detector = KCPA(cost=float(cost), maxcp=5 if limit == "default" else "max")
            found = detector.detect(values).indices
            # The benchmark leaves out the last point.
            assert list(found) == places, (name, case)
            compared += 1
    assert compared == 322


def test_results_of_r_where_nothing_is_drawn(shared_data):
    grid = reference(shared_data, "grid_results")["kcpa"]["results"]
    default = reference(shared_data, "default_results")
    compared = 0
    for name, values in datasets(shared_data):
        if len(values) > 250:
            continue
        assert list(KCPA().detect(values).indices) == default[name]["kcpa"]["cplocations"], name
        for (limit, cost), places, *_ in grid[name]:
            detector = KCPA(cost=cost, maxcp=5 if limit == "default" else limit)
            assert list(detector.detect(values).indices) == places, (name, limit, cost)
            compared += 1
    assert compared == 168


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_median_is_that_of_all_squared_differences(values):
    values = np.array(values) / 8
    expected = np.median((values[:, None] - values) ** 2)
    assert kcpa.median_square(values) == pytest.approx(expected, rel=1e-15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 9))
def test_divisions_are_the_best_of_all(seed, n):
    values = np.random.default_rng(seed).normal(0, 1, n)
    found = kcpa.best_divisions(values, 0.7, n - 1)
    for changes in range(n):
        least = min(
            scatter(values, 0.7, bounds) for bounds in itertools.combinations(range(1, n), changes)
        )
        assert found.scatters[changes] == pytest.approx(least, abs=1e-9)
        assert scatter(values, 0.7, found.places(changes)) == pytest.approx(least, abs=1e-9)


def test_a_width_of_zero_tells_equal_from_different():
    values = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    assert kcpa.best_divisions(values, 0.0, 2).places(1) == [3]
    # More than half of all pairs are equal, and the median is 0.
    values = np.array([1.0] * 30 + [2.0] * 5)
    assert KCPA(cost=2, compat=False).detect(values).indices == (30,)


@pytest.mark.parametrize("scale", ["std", "noise", None])
@pytest.mark.parametrize("size", [0, 15, -15])
def test_penalty_of_the_theory_finds_the_step_and_no_noise(size, scale):
    for seed in range(5):
        values = np.random.default_rng(seed).normal(100, 1, 80)
        values[50:] += size
        expected = (50,) if size else ()
        assert KCPA(cost=2, scale=scale, compat=False).detect(values).indices == expected


def test_both_forms_of_the_kernel_agree():
    kernel = interpreted("kcpa")
    values = np.round(np.random.default_rng(3).normal(0, 2, 24), 1)
    width = kcpa.median_square(values)
    assert kcpa.median_square(values, kernel) == width
    ours, others = (kcpa.best_divisions(values, width, 8, form) for form in (kcpa.loops, kernel))
    assert ours.scatters == others.scatters
    assert [ours.places(k) for k in range(9)] == [others.places(k) for k in range(9)]


@pytest.mark.parametrize(
    "parameters",
    [{"cost": -1}, {"cost": "high"}, {"maxcp": 0}, {"maxcp": "all"}, {"scale": "log"},
     {"compat": None}],
)  # fmt: skip
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="kcpa"):
        KCPA(**parameters)


def test_too_long_a_signal_is_refused_at_once():
    with pytest.raises(SignalError, match="give maxcp"):
        KCPA().detect(np.arange(5_000.0))
    with pytest.raises(SignalError, match="at most"):
        KCPA(maxcp=1).detect(np.ones(50_001))
