# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""MongoDB's e-divisive: the order of its divisions, its test, and its random numbers."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import interpreted
from stepmark import detect
from stepmark._kernels import energy
from stepmark.detectors import EDivisive
from stepmark.detectors.permutations import most_reached
from stepmark.errors import SignalError, SpecError


def divisions(windows, most):
    """The first divisions, untested, and their statistics."""
    places, statistics = [], []
    while len(places) < most and (split := windows.best()) is not None:
        places.append(split.place)
        statistics.append(split.statistic)
        windows.divide(split.place)
    return places, statistics


def datasets(shared_data):
    """The complete series of the Turing Change Point Dataset, by name."""
    for file in sorted((shared_data / "tcpd" / "datasets").glob("*.json")):
        document = json.loads(file.read_text())
        values = document["series"][0]["raw"]
        if None not in values:
            yield document["name"], np.array(values, dtype=float)


def by_definition(values):
    """The statistic of every division of *values*, from its definition."""
    statistics = []
    for n in range(1, len(values)):
        left, right = values[:n], values[n:]
        apart = [np.abs(a[:, None] - b).mean() for a, b in ((left, right), (left, left))]
        within = np.abs(right[:, None] - right).mean()
        m = len(right)
        statistics.append(n * m / (n + m) * (2 * apart[0] - apart[1] - within))
    return np.array(statistics)


def test_order_of_divisions_is_that_of_mongodb(shared_data):
    document = json.loads((shared_data / "tcpd" / "mongodb_split_sequences.json").read_text())
    series = dict(datasets(shared_data))
    for name, expected in document.items():
        places, statistics = divisions(energy.WholeWindows(series[name]), len(expected["locs"]))
        assert places == expected["locs"], name
        assert statistics == pytest.approx(expected["stat"], rel=1e-12), name
    assert len(document) == 23


def test_default_stops_where_mongodb_may(shared_data):
    sequences = json.loads((shared_data / "tcpd" / "mongodb_split_sequences.json").read_text())
    results = json.loads((shared_data / "tcpd" / "default_results.json").read_text())
    same = 0
    for name, values in datasets(shared_data):
        found = EDivisive().detect(values).indices
        assert sorted(sequences[name]["locs"][: len(found)]) == list(found), name
        kept = [place for place in found if place < len(values) - 1]
        same += kept == results[name]["mongodb"]["cplocations"]
    # One seed each: they differ where the last test is a close one.
    assert same >= 15


def test_number_of_changes_is_distributed_as_mongodbs(shared_data):
    # Of 100 runs of signal-processing-algorithms 2.1.6, seeds 0 to 99: at most so many changes.
    theirs = {
        "usd_isk": {9: 49, 11: 60, 15: 70, 17: 75},
        "co2_canada": {5: 33, 6: 62, 7: 85},
        "ozone": {2: 9, 3: 21, 5: 69},
        "centralia": {0: 1},
        "rail_lines": {1: 0, 2: 100},
    }
    series = dict(datasets(shared_data))
    for name, counts in theirs.items():
        found = [len(EDivisive(seed=s).detect(series[name]).indices) for s in range(100)]
        for most, expected in counts.items():
            ours = sum(number <= most for number in found)
            # Four standard deviations of the difference of two such counts.
            share = (ours + expected) / 200
            assert abs(ours - expected) <= 4 * np.sqrt(200 * share * (1 - share)), (name, most)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(0, 2**32))
def test_statistic_is_that_of_the_definition(values, seed):
    values = np.array(values) + np.random.default_rng(seed).normal(0, 1, len(values))
    expected = by_definition(values)
    split = energy.WholeWindows(values).best()
    assert split.statistic == pytest.approx(expected.max(), rel=1e-7)
    assert expected[split.place - 1] == pytest.approx(expected.max(), rel=1e-7)


def test_permutations_are_judged_by_the_same_statistic():
    rng = np.random.default_rng(8)
    for n in (2, 3, 7, 40, 120):
        values = np.round(rng.normal(5, 2, n), 1)
        windows = energy.WholeWindows(values)
        windows.best()
        random, again = energy.Random(n), energy.Random(n)
        order = list(range(n))
        for _ in range(30):
            for place in range(n - 1, 0, -1):
                other = again.below(place + 1, 1)[0]
                order[place], order[other] = order[other], order[place]
            highest = by_definition(values[order]).max()
            assert windows.exceeded(highest * (1 - 1e-7), 1, 1, random) == 1
            assert [int(word) for word in random.state] == [int(word) for word in again.state]


def test_windows_are_permuted_apart():
    values = np.concatenate([np.arange(30.0) % 3, 100 + np.arange(30.0) % 4])
    windows = energy.WholeWindows(values)
    assert windows.best().place == 30
    windows.divide(30)
    split = windows.best()
    windows.exceeded(1e9, 50, 50, energy.Random(1))
    for start, stop in pairwise(windows.bounds):
        assert sorted(windows._order[start:stop]) == list(range(start, stop))
    assert split.statistic < 30


def test_counting_stops_once_the_test_is_lost():
    values = np.random.default_rng(4).normal(0, 1, 50)
    windows = energy.WholeWindows(values)
    windows.best()
    assert windows.exceeded(0.0, 1000, 7, energy.Random(0)) == 8


@pytest.mark.parametrize(
    ("level", "permutations", "own", "most"),
    [(0.01, 100, 0, 1), (0.05, 199, 1, 9), (0.01, 50, 1, -1), (0.01, 99, 1, 0), (0.5, 1, 0, 1)],
)
def test_most_permutations_that_may_do_as_well(level, permutations, own, most):
    assert most_reached(level, permutations, own) == most


def test_noise_seldom_has_a_change():
    rng = np.random.default_rng(6)
    raised = sum(bool(EDivisive(seed=s).detect(rng.normal(0, 1, 60)).indices) for s in range(200))
    assert raised <= 12  # 2 of 101 permutations are too many: 2 % of 200 are 4


def test_a_step_is_found_and_scored_in_the_unit_of_the_signal():
    values = np.random.default_rng(1).normal(100, 1, 80)
    values[50:] += 15
    plain = EDivisive().detect(values)
    assert 50 in plain.indices
    for factor in (2.0**10, 2.0**900, 2.0**-900):
        other = EDivisive().detect(values * factor)
        assert other.indices == plain.indices
        assert other.scores == pytest.approx([score * factor for score in plain.scores])


def test_seed_decides_and_nothing_else():
    values = np.random.default_rng(0).normal(100, 1, 80) + np.repeat([0, 15], [50, 30])
    found = {EDivisive(seed=s).detect(values).indices for s in range(60)}
    assert len(found) > 1
    assert all(detect(values, f"edivisive(seed={s})") == EDivisive(seed=s).detect(values)
               for s in range(5))  # fmt: skip


def test_random_numbers_are_those_of_splitmix64():
    # From the reference implementation in C, seed 1234567.
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert energy.Random(1234567).below(0, 3) == words
    counts = np.bincount(energy.Random(5).below(7, 7000), minlength=7)
    assert np.all(np.abs(counts - 1000) < 120)


def test_both_forms_of_the_kernel_agree():
    kernel = interpreted("energy")
    rng = np.random.default_rng(2)
    for n in (1, 2, 5, 30):
        values = np.round(rng.normal(0, 3, n), 1) + (np.arange(n) > n // 2) * 4
        found = []
        for form in (energy.loops, kernel):
            random, windows = energy.Random(9, form), energy.WholeWindows(values, form)
            found.append(energy.divisive_splits(windows, 20, 1, random))
            found[-1].append(random.below(1000, 5))
        assert found[0] == found[1]


@pytest.mark.parametrize(
    "parameters",
    [{"pvalue": 0}, {"pvalue": 1}, {"pvalue": True}, {"permutations": 0}, {"permutations": 1.5},
     {"seed": -1}, {"seed": 2**64}],
)  # fmt: skip
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="edivisive"):
        EDivisive(**parameters)


def test_too_long_a_signal_is_refused_at_once():
    with pytest.raises(SignalError, match="at most"):
        EDivisive().detect(np.ones(50_001))
