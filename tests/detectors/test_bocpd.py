# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Bayesian online detection: against R's ocp, a plain recursion, and all divisions."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import t as student

from kernels import interpreted
from stepmark._kernels import bocpd as kernels
from stepmark._kernels.loops import bocpd as loops
from stepmark.detectors import BOCPD
from stepmark.detectors.scaling import scaled
from stepmark.errors import SignalError, SpecError

LEAST = np.finfo(float).tiny


def dataset(shared_data, name):
    series = json.loads((shared_data / "tcpd" / "datasets" / f"{name}.json").read_text())
    return [math.nan if v is None else v for v in series["series"][0]["raw"]]


def reference(shared_data, file):
    return json.loads((shared_data / "tcpd" / file).read_text())


def steps(seed, n):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, n) + np.cumsum((rng.random(n) < 0.04) * rng.normal(0, 6, n))


def test_default_configuration_equals_ocp(shared_data):
    equal = []
    for name, methods in reference(shared_data, "default_results.json").items():
        values, expected = dataset(shared_data, name), methods["bocpd"]["cplocations"]
        if expected is None:
            with pytest.raises(SignalError, match="not a finite number"):
                BOCPD().detect(values)
            continue
        assert list(BOCPD().detect(values).indices) == expected, name
        equal.append(name)
    assert len(equal) >= 20


def test_grid_equals_ocp(shared_data):
    compared = 0
    for name, rows in reference(shared_data, "grid_results.json")["bocpd"]["results"].items():
        values = dataset(shared_data, name)
        if np.isnan(values).any():
            continue
        for (intensity, a, b, k), expected, *_ in rows:
            found = BOCPD(intensity=intensity, a=a, b=b, k=k).detect(values).indices
            assert list(found) == expected, (name, intensity, a, b, k)
            compared += 1
    assert compared >= 81 * 20


def plain(values, hazard, prior, tail, lag):
    """Run lengths as vectors of weights and parameters, and the divisions, as they are defined."""
    m0, k0, a0, b0 = prior
    weights, m, k, a, b = np.ones(1), *(np.array([float(p)]) for p in prior)
    best, division = {-1: 0.0, 0: 0.0}, {-1: (), 0: ()}
    for t, x in enumerate(values, 1):
        kept = np.cumsum(weights[::-1])[::-1] >= tail
        kept[0] = True
        weights, m, k, a, b = (part[kept] for part in (weights, m, k, a, b))
        density = student.logpdf(x, 2 * a, m, np.sqrt(b * (k + 1) / (a * k)))
        weights = np.maximum(weights * np.exp(density), LEAST)
        total = weights.sum()
        weights = np.maximum(np.array([hazard * total, *(weights * (1 - hazard))]) / total, LEAST)
        b = np.append(b0, b + k * (x - m) ** 2 / (2 * (k + 1)))
        m = np.append(m0, (k * m + x) / (k + 1))
        k, a = np.append(k0, k + 1), np.append(a0, a + 0.5)
        starts = range(t + 1 - len(weights), t + (lag == 2))
        options = [(math.log(weights[t - s]) + best[s + 1 - lag], s) for s in starts]
        best[t], s = max(options, key=lambda option: (option[0], -option[1]))
        best[t] -= math.log(1 - hazard) if lag == 1 else 0
        division[t] = (*division[s + 1 - lag], s)
    return tuple(s for s in division[len(values)] if 0 < s < len(values))


@pytest.mark.parametrize("compat", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_equals_the_plain_recursion(seed, compat):
    values = steps(seed, 120)
    detector = BOCPD(intensity=30, m=0.3, k=0.5, a=2, b=0.7, scale=None, compat=compat)
    expected = plain(values, 1 / 30, (0.3, 0.5, 2, 0.7), 1e-4, 2 if compat else 1)
    found = detector.detect(values).indices
    assert found == tuple(s for s in expected if not compat or s < len(values) - 1)


def marginal(values, m, k, a, b):
    """Logarithm of the probability density of *values* as one segment."""
    n, mean = len(values), float(np.mean(values))
    rate = b + np.sum((values - mean) ** 2) / 2 + k * n * (mean - m) ** 2 / (2 * (k + n))
    gammas = gammaln(a + n / 2) - gammaln(a)
    powers = a * math.log(b) - (a + n / 2) * math.log(rate)
    return gammas + powers + math.log(k / (k + n)) / 2 - n / 2 * math.log(2 * math.pi)


@pytest.mark.parametrize("seed", range(12))
def test_corrected_division_is_the_most_probable_of_all(seed):
    values, prior, hazard = steps(seed, 9) * 1.5, (0, 0.2, 1, 0.5), 0.2
    odds = {}
    for count in range(9):
        for chosen in itertools.combinations(range(1, 9), count):
            parts = np.split(values, chosen)
            odds[chosen] = sum(marginal(part, *prior) for part in parts) + count * math.log(
                hazard / (1 - hazard)
            )
    detector = BOCPD(intensity=5, k=0.2, b=0.5, tail=0, scale=None, compat=False)
    assert detector.detect(values).indices == max(odds, key=odds.get)


def test_score_is_the_probability_of_the_segments_start():
    values = np.concatenate([np.full(40, 0.0), np.full(40, 9.0)]) + steps(3, 80) / 10
    detection = BOCPD(compat=False).detect(values)
    assert detection.indices == (40,)
    assert 0.9 < detection.scores[0] <= 1
    noisy = BOCPD(compat=False).detect(steps(1, 300))
    assert noisy.indices
    assert all(0 < score <= 1 for score in noisy.scores)


def test_looking_back_too_far_loses_short_segments():
    values = np.random.default_rng(1).normal(0, 1, 61)
    values[30] = 50
    assert BOCPD(compat=False).detect(values).indices == (30, 31)
    assert BOCPD().detect(values).indices != (30, 31)


def test_a_change_at_the_last_point_is_reported_by_the_corrected_form_only():
    values = np.append(np.random.default_rng(4).normal(0, 0.01, 80), 100.0)
    assert BOCPD(compat=False).detect(values).indices == (80,)
    assert 80 not in BOCPD().detect(values).indices


@pytest.mark.parametrize("compat", [True, False])
def test_tracking_point_by_point_is_a_full_run(compat):
    values = steps(8, 300)
    detector = BOCPD(scale=None, compat=compat)
    tracker = detector.track()
    for n, value in enumerate(values, 1):
        found = tracker.extend([value])
        if n % 25 == 0:
            assert found == detector.detect(values[:n])


def test_a_point_that_cannot_be_read_leaves_the_tracker_as_it_was():
    values = steps(2, 60)
    for detector in (BOCPD(), BOCPD(scale=None)):
        tracker = detector.track()
        tracker.extend(values[:40])
        with pytest.raises(SignalError, match="is not a finite number"):
            tracker.extend([1.0, math.nan])
        assert tracker.extend(values[40:]) == detector.detect(values)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-6, 1.0, 1e6]),
    st.sampled_from(["std", "noise"]),
)
def test_the_unit_of_the_values_does_not_matter(seed, factor, scale):
    values = steps(seed, 60)
    detector = BOCPD(scale=scale, compat=False)
    assert detector.detect(values * factor + 7 * factor).indices == detector.detect(values).indices


def test_outliers_of_any_size_are_survived():
    values = steps(5, 100)
    values[50] = 1e90
    for compat in (True, False):
        assert BOCPD(scale=None, compat=compat).detect(values).length == 100
    with pytest.raises(SignalError, match=r"bocpd: point 50 is larger than .*: give a scale"):
        BOCPD(scale=None).detect(values * 1e20)


@pytest.mark.parametrize(
    "parameters",
    [
        {"intensity": 1},
        {"intensity": math.inf},
        {"intensity": True},
        {"m": math.nan},
        {"m": "x"},
        {"k": 0},
        {"a": -1},
        {"b": 1e12},
        {"tail": 1},
        {"tail": -0.1},
        {"scale": "mad"},
        {"compat": 1},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="bocpd"):
        BOCPD(**parameters)


@pytest.mark.parametrize("lag", [1, 2])
def test_both_forms_of_the_kernel_agree(lag):
    plain_form = interpreted("bocpd")
    model = kernels.Model(0.01, 0.0, 1.0, 1.0, 1.0, 1e-4, 40, lag)
    for seed in range(5):
        values = scaled(steps(seed, 150), "std")
        divisions = []
        for kernel in (loops, plain_form):
            runs = kernels.Runs(model, kernel)
            for part in np.split(values, [1, 50, 51]):
                runs.extend(part.tolist() if kernel is plain_form else part)
            divisions.append(runs.division())
        assert divisions[0][0] == divisions[1][0]
        assert divisions[0][1] == pytest.approx(divisions[1][1], rel=1e-9)
