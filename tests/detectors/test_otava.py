# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Apache Otava's detection: against recorded answers, against its definition, and corrected."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kernels import interpreted
from stepmark._kernels import energy
from stepmark.detectors import Otava
from stepmark.errors import SpecError

# What apache-otava 0.8.0 finds in history(0), history(1) ... with the settings of rules(seed).
RECORDED = (
    (37, 50, 114, 121, 146, 184),
    (23, 25, 30, 36, 47, 92, 109, 116, 144),
    (2, 3, 5, 25, 26, 29, 41, 56, 64, 67, 71, 76, 77, 90, 101, 124, 130, 167, 169, 188, 189, 196),
    (14, 47, 69, 95, 108, 116, 169),
    (134, 183),
    (23, 58, 66, 114, 129, 134, 173, 174),
    (3, 103, 111),
    (1, 190),
    (6, 8, 36, 44, 53, 61, 72, 142, 148, 152, 173, 174),
    (107, 125),
    (5, 8, 23, 82, 126, 135, 149, 150, 192, 195),
    (),
)


def history(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 240))
    values = rng.normal(100, 1, n) + np.cumsum(rng.random(n) < 0.03) * rng.normal(0, 4)
    return np.round(values, (0, 1, 9)[seed % 3])


def rules(seed):
    return {
        "window": (50, 30, 10, 100)[seed % 4],
        "pvalue": (0.001, 0.01, 0.1)[seed % 3],
        "min_magnitude": (0, 0.02)[seed % 2],
    }


def p_of(values, a, t, b):
    """The p-value that Otava takes: its deviations have the divisor n."""
    left, right = values[a:t], values[t:b]
    if b - a <= 2:
        return 1.0
    return stats.ttest_ind_from_stats(
        left.mean(), left.std(), len(left), right.mean(), right.std(), len(right)
    ).pvalue


def fair_p(values, a, t, b):
    """The p-value with unbiased variances, times the number of places between the neighbours."""
    means, deviations = energy.moments(values, [a, t, b], 1)
    return (b - a - 1) * stats.ttest_ind_from_stats(
        means[0], deviations[0], t - a, means[1], deviations[1], b - t
    ).pvalue


def candidate(values, a, b):
    """The largest statistic inside [a, b) and its place, every pair summed anew."""
    found = (-1.0, -1)
    for t in range(a + 1, b):
        for k in range(t + 1, b + 1):
            left, right = values[a:t], values[t:k]
            n, m = len(left), len(right)
            apart = [np.abs(x[:, None] - y).sum() for x, y in
                     ((left, right), (left, left), (right, right))]  # fmt: skip
            statistic = 2 * apart[0] / (n * m) - apart[1] / (n * (n - 1) or 1)
            statistic = n * m / (n + m) * (statistic - apart[2] / (m * (m - 1) or 1))
            found = max(found, (statistic, t), key=lambda f: f[0])
    return found


def by_definition(values, window, pvalue):
    """Otava's changes, from the description of its steps."""
    first, n, start, weak = pvalue * 10, len(values), 0, set()
    while start < n:
        stop, inside = min(start + window, n), []
        while True:
            bounds = [start, *sorted(inside), stop]
            parts = [(a, b) for a, b in pairwise(bounds) if b - a > 1]
            best = max(((*candidate(values, a, b), a, b) for a, b in parts),
                       key=lambda c: c[0], default=None)  # fmt: skip
            if best is None or not p_of(values, best[2], best[1], best[3]) <= first:
                break
            inside.append(best[1])
        weak.update(inside)
        start = max(max(inside, default=0), start + window // 2)
    places = sorted(weak)
    p = [p_of(values, a, t, b) for a, t, b in triples(places, n)]
    while places and max(p) >= pvalue:
        gone = p.index(max(p))
        del places[gone], p[gone]
        for i in (gone, gone + 1):
            if i < len(places):
                p[i] = p_of(values, *triples(places, n)[i])
    return tuple(places)


def triples(places, n):
    bounds = [0, *places, n]
    return list(zip(bounds, bounds[1:], bounds[2:], strict=False))


@pytest.mark.parametrize("seed", range(len(RECORDED)))
def test_recorded_answers_of_otava(seed):
    assert Otava(**rules(seed), compat=True).detect(history(seed)).indices == RECORDED[seed]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 45), st.sampled_from([4, 9, 16]))
def test_compat_follows_the_definition(seed, n, window):
    rng = np.random.default_rng(seed)
    values = rng.normal(100, 1, n) + np.cumsum(rng.random(n) < 0.08) * rng.normal(0, 5)
    found = Otava(window=window, pvalue=0.01, compat=True).detect(values)
    assert found.indices == by_definition(values, window, 0.01)


def test_scores_are_logarithms_of_p():
    values = np.random.default_rng(2).normal(100, 1, 90) + np.repeat([0, 4, 9], 30)
    found = Otava(compat=True).detect(values)
    assert found.indices
    for (a, t, b), score in zip(triples(found.indices, len(values)), found.scores, strict=True):
        assert 10**-score == pytest.approx(p_of(values, a, t, b), rel=1e-9)
    sure = Otava(compat=True).detect([1.0] * 20 + [2.0] * 20)
    assert (sure.indices, sure.scores) == ((20,), (300.0,))


def test_corrected_scores_count_the_places_tried():
    values = np.random.default_rng(1).normal(100, 1, 60)
    values[40:] += 5
    (score,) = Otava().detect(values).scores
    p = stats.ttest_ind(values[:40], values[40:]).pvalue
    assert score == pytest.approx(-math.log10(p * 59))


def test_noise_raises_less_than_it_did():
    raised = {True: 0, False: 0}
    for seed in range(200):
        values = np.random.default_rng(seed).normal(100, 1, 150)
        for compat in raised:
            raised[compat] += bool(Otava(compat=compat).detect(values).indices)
    assert raised[True] > 10
    assert raised[False] <= 2


def test_a_part_without_a_change_does_not_end_the_search_in_the_others():
    more = 0
    for seed in range(60):
        values = history(seed)[:60]
        critical = [math.inf, *np.full(60, 3.0)]
        early, thorough = (
            set(energy.WindowSplitter(values, critical, stop_early=e, lost=1).places(0, 60))
            for e in (True, False)
        )
        assert early <= thorough
        more += early < thorough
    assert more


def test_both_neighbours_of_a_dropped_change_are_tested_anew():
    # All that is left must be significant as it stands; Otava leaves p-values of before.
    stale = 0
    for seed in range(60):
        values = history(seed)
        for compat in (True, False):
            found = Otava(window=10, pvalue=0.01, compat=compat).detect(values)
            places = triples(found.indices, len(values))
            if compat:
                stale += any(p_of(values, *place) >= 0.01 for place in places)
            else:
                assert all(fair_p(values, *place) < 0.01 for place in places)
    assert stale


def test_changes_below_the_least_magnitude_are_dropped():
    values = np.random.default_rng(5).normal(100, 0.1, 120)
    values[40:] += 2
    values[80:] += 20
    assert Otava().detect(values).indices == (40, 80)
    assert Otava(min_magnitude=0.05).detect(values).indices == (80,)


def test_both_forms_of_the_kernel_agree():
    kernel = interpreted("energy")
    for seed in range(6):
        values = history(seed)
        critical = [math.inf, *np.linspace(6, 3, 39)]
        for stop_early, lost in ((True, 0), (False, 1)):
            found = [
                energy.WindowSplitter(
                    values, critical, stop_early=stop_early, lost=lost, kernel=form
                ).places(5, 45)
                for form in (energy.loops, kernel)
            ]
            assert found[0] == found[1]
            bounds = [0, 3, 12, 30, len(values)]
            assert energy.moments(values, bounds, lost) == energy.moments(
                values, bounds, lost, kernel
            )


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 63, 128, 129, 200, 1000])
def test_sums_are_those_of_numpy(n):
    values = np.random.default_rng(n).normal(3, 1, n)
    means, deviations = energy.moments(values, [0, n], 0)
    assert means == [values.mean()]
    assert deviations == [values.std()]


@pytest.mark.parametrize(
    "parameters",
    [{"window": 1}, {"window": 30.0}, {"pvalue": 0}, {"pvalue": 1.0}, {"min_magnitude": -0.1},
     {"compat": "yes"}],
)  # fmt: skip
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="otava"):
        Otava(**parameters)
