# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""R's ecp: the order of e.divisive's splits in both versions, its test, and e.agglo."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.test_edivisive import datasets, divisions
from kernels import interpreted
from stepmark._kernels import agglo, energy
from stepmark.detectors import ECP
from stepmark.detectors.scaling import scaled
from stepmark.detectors.tcpdbench import METHODS
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import parse_detector

# The places 44 and 46 divide [42, 48) equally well but for the last digit.
TIED = {("3.1.1", "ozone", "alpha0.5_min2")}


def reference(shared_data, name):
    return json.loads((shared_data / "tcpd" / f"{name}.json").read_text())


def by_definition(values, least, alpha, *, whole):
    """The largest statistic of two neighbouring stretches, the first from the start, and its place.

    Every pair is summed anew.
    """
    apart = np.abs(values[:, None] - values) ** alpha
    found = (-np.inf, -1)
    for n in range(least, len(values) + 1 - least):
        for m in range(least, len(values) + 1 - n):
            across = apart[:n, n : n + m].mean()
            left = apart[:n, :n].sum() / (n * (n - 1))
            right = apart[n : n + m, n : n + m].sum() / (m * (m - 1))
            factor = n * m // (n + m) if whole else n * m / (n + m)
            found = max(found, (factor * (2 * across - left - right), n), key=lambda f: f[0])
    return found


@pytest.mark.parametrize("version", ["3.1.1", "3.1.6"])
def test_order_of_splits_is_that_of_r(shared_data, version):
    sequences, compared = reference(shared_data, "ecp_split_sequences")[version], 0
    for name, values in datasets(shared_data):
        for case, expected in sequences[name].items():
            alpha, least = case.removeprefix("alpha").split("_min")
            windows = energy.PairWindows(
                scaled(values, "std"), int(least), float(alpha), whole_factor=version == "3.1.1"
            )
            places, statistics = divisions(windows, len(expected["locs"]))
            if (version, name, case) in TIED:
                assert sorted(places) == sorted(expected["locs"])
            else:
                assert places == expected["locs"], (name, case)
                assert statistics == pytest.approx(expected["stat"], rel=1e-9), (name, case)
            compared += 1
    assert compared == 138


def test_default_is_the_benchmarks(shared_data):
    results = reference(shared_data, "default_results")
    sequences = reference(shared_data, "ecp_split_sequences")["3.1.1"]
    same = 0
    for name, values in datasets(shared_data):
        found = ECP().detect(values).indices
        assert sorted(sequences[name]["alpha1_min30"]["locs"][: len(found)]) == list(found), name
        same += list(found) == results[name]["ecp"]["cplocations"]
    # Only the last test is random; with R's one seed and ours all but a few agree.
    assert same >= 20


def test_agglomeration_is_that_of_r(shared_data):
    compared = 0
    for name, values in datasets(shared_data):
        for alpha, expected in reference(shared_data, "ecp_agglo").get(name, {}).items():
            found = ECP(algorithm="agglo", alpha=float(alpha)).detect(values)
            assert list(found.indices) == expected["cp"], (name, alpha)
            compared += 1
    assert compared == 57


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(4, 22), st.integers(2, 4),
    st.sampled_from([0.3, 0.5, 1.0, 1.5, 2.0]), st.booleans(),
)  # fmt: skip
def test_statistic_is_that_of_the_definition(seed, n, least, alpha, whole):
    if n < 2 * least:
        return
    values = np.random.default_rng(seed).normal(0, 1, n)
    statistic, place = by_definition(values, least, alpha, whole=whole)
    windows = energy.PairWindows(values, least, alpha, whole_factor=whole)
    split = windows.best()
    assert split.statistic == pytest.approx(statistic, rel=1e-9, abs=1e-12)
    assert split.place == place
    # Permutations have a faster formula: it must draw the line at the same height.
    order, random, again = values.copy(), energy.Random(seed), energy.Random(seed)
    for last in range(n - 1, 0, -1):
        other = again.below(last + 1, 1)[0]
        order[last], order[other] = order[other], order[last]
    highest, _ = by_definition(order, least, alpha, whole=whole)
    margin = 1e-7 * abs(highest)
    assert windows.exceeded(highest - margin, 1, 1, random) == 1
    assert windows.exceeded(highest + margin, 1, 1, energy.Random(seed)) == 0


def test_segments_have_their_least_size():
    values = np.random.default_rng(1).normal(0, 1, 120)
    values[3:] += 20
    assert ECP(minsize=3).detect(values).indices == (3,)
    assert min(ECP(minsize=10).detect(values).indices, default=10) >= 10
    assert ECP(minsize=61).detect(values).indices == ()


def test_a_level_that_no_number_of_permutations_reaches_is_refused():
    values = np.repeat([0.0, 100.0], 50) + np.random.default_rng(2).normal(0, 1, 100)
    with pytest.raises(SpecError, match=r"least p-value of 98 permutations is 0\.010101, above"):
        ECP(siglvl=0.01, permutations=98)
    assert ECP(siglvl=0.01, permutations=99).detect(values).indices == (50,)


def test_a_circle_has_no_ends():
    values = np.random.default_rng(4).normal(0, 0.1, 90)
    values[30:60] += 5
    ends = ECP(algorithm="agglo", compat=False).detect(values).indices
    assert {30, 60} <= set(ends)
    assert set(ECP(algorithm="agglo").detect(values).indices) >= {30, 60}
    starts = agglo.merged_starts(values, 1.0, circle=True)
    assert 0 not in starts
    assert agglo.merged_starts(values, 1.0, circle=False)[0] == 0


def test_both_forms_of_the_kernels_agree():
    values = scaled(np.round(np.random.default_rng(2).normal(0, 3, 36), 1), "std")
    values[20:] += 2
    kernel = interpreted("energy")
    for alpha in (0.5, 0.8, 1.0, 1.5, 2.0):
        found = []
        for form in (energy.loops, kernel):
            windows = energy.PairWindows(values, 5, alpha, whole_factor=alpha != 1, kernel=form)
            found.append(energy.divisive_splits(windows, 9, 3, energy.Random(7, form)))
        assert found[0] == found[1]
        for circle in (True, False):
            starts = agglo.merged_starts(values, alpha, circle=circle)
            other = agglo.merged_starts(values, alpha, circle=circle, kernel=interpreted("agglo"))
            assert other == starts


@pytest.mark.slow
def test_whole_grid_gives_prefixes_of_the_splits(shared_data):
    sequences = reference(shared_data, "ecp_split_sequences")["3.1.1"]
    for name, values in datasets(shared_data):
        for spec in METHODS["ecp"].grid():
            detector = parse_detector(spec)
            if detector.algorithm == "agglo":
                continue
            case = f"alpha{detector.alpha:g}_min{detector.minsize}"
            if ("3.1.1", name, case) in TIED:
                continue
            found, order = detector.detect(values).indices, sequences[name][case]["locs"]
            assert set(found) >= set(order[: len(found)]), (name, spec)


@pytest.mark.parametrize(
    "parameters",
    [{"algorithm": "e.agglo"}, {"alpha": 0}, {"alpha": 2.5}, {"alpha": "one"}, {"minsize": 1},
     {"siglvl": 0.0}, {"permutations": 0}, {"seed": 1.0}, {"compat": 1}],
)  # fmt: skip
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="ecp"):
        ECP(**parameters)


def test_too_long_a_signal_is_refused_at_once():
    with pytest.raises(SignalError, match="at most 50000"):
        ECP().detect(np.ones(50_001))
    with pytest.raises(SignalError, match="at most 5000"):
        ECP(algorithm="agglo").detect(np.ones(5_001))
