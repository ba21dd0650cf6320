# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The tests and intervals against worked examples in print, and against scipy."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stepmark.errors import InputError
from stepmark.evaluation.statistics import (
    Comparison,
    average_ranks,
    bootstrap_interval,
    cliques,
    friedman,
    nemenyi_cd,
    nemenyi_cliques,
    paired_difference,
    wilcoxon_cliques,
    wilcoxon_holm,
)

# Demsar (2006), table 6: ranks of four learners on 14 data sets.
DEMSAR = {
    "C4.5": [4, 1, 4, 4, 4, 1, 3, 2.5, 4, 2.5, 4, 3, 4, 3],
    "C4.5+m": [3, 2, 1, 1, 2, 2.5, 2, 2.5, 3, 2.5, 2.5, 2, 1, 1],
    "C4.5+cf": [2, 3, 2, 3, 3, 4, 4, 4, 2, 2.5, 1, 4, 2, 4],
    "C4.5+m+cf": [1, 4, 3, 2, 1, 2.5, 1, 1, 1, 2.5, 2.5, 1, 3, 2],
}
# The same, table 2: differences of area under the curve, C4.5+m less C4.5, in thousandths.
DIFFERENCES = [5, -8, 17, 33, 6, -5, 7, 0, 63, 0, 22, 47, 9, 21]

TABLES = st.integers(2, 5).flatmap(
    lambda k: st.integers(2, 8).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=k, max_size=k
        )
    )
)


def named(rows):
    return {f"m{i}": [v / 10 for v in row] for i, row in enumerate(rows)}


# Ranks, Friedman, Nemenyi


def test_average_ranks_of_the_worked_example():
    ranks = average_ranks(DEMSAR, higher_is_better=False)
    assert list(ranks) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert [round(rank, 3) for rank in ranks.values()] == [1.964, 2.0, 2.893, 3.143]


def test_higher_is_better_by_default():
    assert average_ranks({"a": [0.1, 0.2], "b": [0.9, 0.8]}) == {"b": 1.0, "a": 2.0}


def test_equal_scores_share_their_ranks():
    ranks = average_ranks({"a": [0.1 + 0.2, 1], "b": [0.3, 1], "c": [0.1, 1]})
    assert ranks == {"a": 1.75, "b": 1.75, "c": 2.5}


def test_friedman_of_the_worked_example():
    result = friedman(DEMSAR)
    assert (result.methods, result.series) == (4, 14)
    # In print without the correction for ties: two pairs three times, and four equal ones.
    ties = 1 - (3 * (2**3 - 2) + (4**3 - 4)) / (14 * 4 * (4**2 - 1))
    assert result.chi_square * ties == pytest.approx(9.28, abs=0.005)
    uncorrected = result.chi_square * ties
    assert 13 * uncorrected / (14 * 3 - uncorrected) == pytest.approx(3.69, abs=0.005)
    assert result.f == pytest.approx(13 * result.chi_square / (14 * 3 - result.chi_square))
    assert result.f_p_value == pytest.approx(stats.f.sf(result.f, 3, 39))


@settings(deadline=None)
@given(TABLES)
def test_friedman_is_that_of_scipy(rows):
    result = friedman(named(rows))
    if all(len(set(column)) == 1 for column in zip(*rows, strict=True)):
        assert (result.chi_square, result.p_value, result.f, result.f_p_value) == (0, 1, 0, 1)
    elif len(rows) > 2:
        expected = stats.friedmanchisquare(*rows)
        assert result.chi_square == pytest.approx(expected.statistic)
        assert result.p_value == pytest.approx(expected.pvalue)
        assert 0 <= result.f_p_value <= 1


def test_full_agreement_has_no_finite_f():
    result = friedman({"a": [1, 2, 3], "b": [2, 3, 4], "c": [3, 4, 5]})
    assert result.chi_square == pytest.approx(6)
    assert (result.f, result.f_p_value) == (math.inf, 0.0)


@pytest.mark.parametrize(
    ("alpha", "q"),
    [
        (0.05, [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]),
        (0.10, [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]),
    ],
)
def test_critical_values_are_those_in_print(alpha, q):
    for k, expected in enumerate(q, 2):
        unit = math.sqrt(k * (k + 1) / 6)
        assert nemenyi_cd(k, 1, alpha=alpha) / unit == pytest.approx(expected, abs=0.0015)


def test_critical_differences_of_the_worked_example():
    assert nemenyi_cd(4, 14) == pytest.approx(1.25, abs=0.005)
    assert nemenyi_cd(4, 14, alpha=0.10) == pytest.approx(1.12, abs=0.005)


def test_bars_of_the_worked_example():
    ranks = average_ranks(DEMSAR, higher_is_better=False)
    everything = tuple(ranks)
    assert nemenyi_cliques(ranks, nemenyi_cd(4, 14)) == (everything,)
    # At 0.10 the two best are told apart from the plain one.
    assert nemenyi_cliques(ranks, nemenyi_cd(4, 14, alpha=0.10)) == (
        everything[:3],
        everything[2:],
    )


# Bars


@settings(deadline=None)
@given(st.integers(1, 7), st.randoms(use_true_random=False))
def test_bars_are_the_longest_runs_of_pairs_alike(k, random):
    methods = [f"m{i}" for i in range(k)]
    ranks = {method: float(i) for i, method in enumerate(methods)}
    alike = {frozenset(pair): random.random() < 0.7 for pair in combinations(methods, 2)}
    runs = [
        (i, j)
        for i in range(k)
        for j in range(i + 2, k + 1)
        if all(alike[frozenset(pair)] for pair in combinations(methods[i:j], 2))
    ]
    longest = [
        (i, j) for i, j in runs if not any(a <= i and j <= b and (a, b) != (i, j) for a, b in runs)
    ]
    found = cliques(ranks, lambda a, b: alike[frozenset((a, b))])
    assert found == tuple(tuple(methods[i:j]) for i, j in longest)


def test_bars_of_corrected_comparisons():
    ranks = {"a": 1.2, "b": 2.0, "c": 2.8}
    comparisons = (
        Comparison("a", "c", 0.0, 0.001, 0.003),
        Comparison("b", "a", 4.0, 0.04, 0.08),
        Comparison("b", "c", 9.0, 0.5, 0.5),
    )
    assert wilcoxon_cliques(ranks, comparisons) == (("a", "b"), ("b", "c"))
    assert wilcoxon_cliques(ranks, comparisons, alpha=0.1) == (("b", "c"),)
    assert wilcoxon_cliques(ranks, comparisons, alpha=0.001) == (("a", "b", "c"),)


# Wilcoxon and Holm


def pair(differences):
    (comparison,) = wilcoxon_holm(
        {"a": [0.5 + d for d in differences], "b": [0.5] * len(differences)}
    )
    return comparison


def test_wilcoxon_of_the_worked_example():
    comparison = pair([d / 1000 for d in DIFFERENCES])
    assert comparison.statistic == 12.0
    # The critical value in print is 21 at 0.05 for 14 data sets.
    assert comparison.p_value < 0.05
    assert comparison.adjusted == comparison.p_value


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=9))
def test_wilcoxon_counts_all_signs(differences):
    ranks = stats.rankdata(np.abs(differences))
    moving = ranks[np.array(differences) != 0]
    middle = moving.sum() / 2
    observed = abs(ranks[np.array(differences) > 0].sum() - middle)
    sums = [
        sum(r for r, s in zip(moving, signs, strict=True) if s)
        for signs in product((0, 1), repeat=len(moving))
    ]
    expected = np.mean([abs(total - middle) >= observed - 1e-9 for total in sums])
    assert pair([d / 10 for d in differences]).p_value == pytest.approx(expected)


@pytest.mark.parametrize("n", [5, 20, 50])
def test_wilcoxon_is_that_of_scipy_without_ties(n):
    differences = np.random.default_rng(n).normal(0.3, 1, n)
    expected = stats.wilcoxon(differences, method="exact")
    comparison = pair(differences)
    assert comparison.statistic == expected.statistic
    assert comparison.p_value == pytest.approx(expected.pvalue)


def test_wilcoxon_of_many_series_is_normal():
    differences = np.random.default_rng(1).integers(-20, 25, 90)
    differences = differences[differences != 0] / 10
    assert len(differences) > 50
    ranks = stats.rankdata(np.abs(differences))
    mean, variance = ranks.sum() / 2, (ranks**2).sum() / 4
    least = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    comparison = pair(differences)
    assert comparison.statistic == least
    expected = 2 * stats.norm.cdf((least - mean) / math.sqrt(variance))
    assert comparison.p_value == pytest.approx(expected)


def test_exact_and_normal_agree_where_they_meet():
    differences = np.random.default_rng(2).normal(0.3, 1, 51)
    exact = stats.wilcoxon(differences, method="exact").pvalue
    assert pair(differences).p_value == pytest.approx(exact, rel=0.05)


def test_equal_methods_do_not_differ():
    comparison = pair([0.0] * 4)
    assert (comparison.statistic, comparison.p_value, comparison.adjusted) == (5.0, 1.0, 1.0)


def test_holm_corrects_step_by_step():
    rng = np.random.default_rng(7)
    base = rng.random(12)
    table = {"a": base, "b": base + rng.normal(0, 0.1, 12), "c": base + rng.normal(0.2, 0.1, 12)}
    found = wilcoxon_holm(table)
    assert {(c.first, c.second) for c in found} == {("a", "b"), ("a", "c"), ("b", "c")}
    p = [c.p_value for c in found]
    assert p == sorted(p)
    steps = [min(1.0, (3 - i) * value) for i, value in enumerate(p)]
    assert [c.adjusted for c in found] == [max(steps[: i + 1]) for i in range(3)]


# Bootstrap

SCORES = np.random.default_rng(11).beta(5, 2, 38)


SKEWED = np.random.default_rng(4).lognormal(0, 1.5, 40)


def spread(rows):
    return np.std(rows, axis=-1)  # biased: resamples spread less than the sample


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize(
    ("sample", "statistic"), [(SCORES, None), (SKEWED, None), (SCORES, spread)]
)
def test_intervals_are_those_of_scipy(sample, statistic, method):
    interval = bootstrap_interval(sample, statistic=statistic, method=method, resamples=50_000)
    measure = statistic or np.mean
    expected = stats.bootstrap(
        (sample,),
        measure,
        method=method,
        n_resamples=50_000,
        batch=5_000,
        random_state=np.random.default_rng(12),
    ).confidence_interval
    assert interval.estimate == pytest.approx(measure(sample))
    tolerance = 0.03 * (expected.high - expected.low)
    assert interval.low == pytest.approx(expected.low, abs=tolerance)
    assert interval.high == pytest.approx(expected.high, abs=tolerance)


def test_bca_corrects_skewness_and_bias():
    plain = bootstrap_interval(SKEWED, method="percentile")
    corrected = bootstrap_interval(SKEWED)
    assert corrected.low > plain.low + 0.1
    assert corrected.high > plain.high + 0.1
    plain = bootstrap_interval(SCORES, statistic=spread, method="percentile")
    corrected = bootstrap_interval(SCORES, statistic=spread)
    assert corrected.low > plain.low
    assert corrected.high > plain.high


def test_the_seed_decides():
    assert bootstrap_interval(SCORES) == bootstrap_interval(SCORES)
    assert bootstrap_interval(SCORES) != bootstrap_interval(SCORES, seed=1)


def test_more_confidence_is_wider():
    narrow = bootstrap_interval(SCORES, confidence=0.5)
    wide = bootstrap_interval(SCORES, confidence=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.confidence == 0.99


def test_any_statistic():
    def median(rows):
        return np.median(rows, axis=-1)

    interval = bootstrap_interval(SCORES, statistic=median)
    assert interval.estimate == np.median(SCORES)
    assert interval.low <= interval.estimate <= interval.high


def test_resamples_beyond_one_block():
    values = np.random.default_rng(3).normal(0, 1, 3000)
    interval = bootstrap_interval(values, resamples=1000)
    assert interval.low < values.mean() < interval.high


def test_a_constant_has_no_width():
    interval = bootstrap_interval([0.5] * 6)
    assert (interval.low, interval.estimate, interval.high) == (0.5, 0.5, 0.5)


def test_an_estimate_beyond_all_resamples():
    def distinct(rows):
        return 1 + (np.diff(np.sort(rows), axis=-1) > 0).sum(axis=-1)

    interval = bootstrap_interval(np.arange(20), statistic=distinct)
    assert interval.estimate == 20
    assert 10 < interval.low <= interval.high < 20


def test_intervals_hold_the_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(8)
    held = 0
    for trial in range(300):
        interval = bootstrap_interval(rng.normal(0, 1, 30), resamples=500, seed=trial)
        held += interval.low <= 0 <= interval.high
    assert 0.90 <= held / 300 <= 0.98


def test_pairs_are_drawn_together():
    noise = np.random.default_rng(9).normal(0, 1, 38)
    better = noise + 0.1 + np.random.default_rng(10).normal(0, 0.05, 38)
    difference = paired_difference(better, noise)
    assert 0 < difference.low < 0.1 < difference.high < 0.2
    assert difference == bootstrap_interval(better - noise)


# Bad input


@pytest.mark.parametrize("test", [average_ranks, friedman, wilcoxon_holm])
def test_tables_that_cannot_be_compared(test):
    for table in ({}, {"a": [1, 2]}, {"a": [1], "b": [2]}, {"a": [], "b": []}):
        with pytest.raises(InputError, match="two or more methods on two or more series"):
            test(table)
    with pytest.raises(InputError, match="scores on different series"):
        test({"a": [1, 2, 3], "b": [1, 2]})
    with pytest.raises(InputError, match="b has no score on series number 2: leave out"):
        test({"a": [1, 2, 3], "b": [1, math.nan, 2]})


def test_bad_numbers_are_refused():
    with pytest.raises(InputError, match=r"no critical difference of 1 method\(s\) on 5 series"):
        nemenyi_cd(1, 5)
    with pytest.raises(InputError, match="alpha lies between 0 and 1, not 5"):
        nemenyi_cd(3, 5, alpha=5)
    for values in ([], [1.0], [1.0, math.inf]):
        with pytest.raises(InputError, match="two or more finite numbers"):
            bootstrap_interval(values)
    with pytest.raises(InputError, match="confidence lies between 0 and 1"):
        bootstrap_interval([1, 2], confidence=95)
    with pytest.raises(InputError, match="1 or more resamples, not 0"):
        bootstrap_interval([1, 2], resamples=0)
    with pytest.raises(InputError, match="scores on 2 and on 3 series are not pairs"):
        paired_difference([1, 2], [1, 2, 3])
