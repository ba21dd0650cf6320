# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Wild binary segmentation: against R's wbs on its own intervals, and against the definitions."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from kernels import interpreted
from stepmark._kernels import wbs as kernels
from stepmark._kernels.loops import wbs as loops
from stepmark.detectors import WBS
from stepmark.detectors.scaling import scaled
from stepmark.detectors.wbs import random_intervals, wbs_places
from stepmark.errors import SignalError, SpecError


def dataset(shared_data, name):
    series = json.loads((shared_data / "tcpd" / "datasets" / f"{name}.json").read_text())
    return np.array(series["series"][0]["raw"], dtype=float)


def steps(seed, n=150):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, n) + np.cumsum((rng.random(n) < 0.03) * rng.normal(0, 6, n))


def test_whole_grid_equals_r_on_its_own_intervals(shared_data):
    file = json.loads((shared_data / "tcpd" / "wbs_fixed_intervals.json").read_text())
    compared = 0
    for name, results in file.items():
        values = scaled(dataset(shared_data, name), "std")
        starts, stops = np.array(results.pop("s")) - 1, np.array(results.pop("e"))
        for configuration, expected in results.items():
            integrated, kmax, penalty = configuration.split("_")
            detector = WBS(
                penalty=penalty,
                kmax="max" if kmax == "n" else int(kmax),
                integrated=integrated == "TRUE",
            )
            found = wbs_places(values, starts, stops, detector).indices
            assert list(found) == expected, (name, configuration)
            compared += 1
    assert compared >= 96


def test_seeds_agree_with_r_in_distribution(shared_data):
    """R's answer for one seed is as near to ours as ours for other seeds are to each other."""
    file = json.loads((shared_data / "tcpd" / "default_results.json").read_text())
    theirs, ours = [], []
    for name, methods in file.items():
        if methods["wbs"]["cplocations"] is None:
            continue
        values = dataset(shared_data, name)
        runs = [set(WBS(seed=s).detect(values).indices) - {values.size - 1} for s in range(4)]
        expected = set(methods["wbs"]["cplocations"])
        theirs += [len(run & expected) / len(run | expected) for run in runs]
        ours += [len(a & b) / len(a | b) for a in runs for b in runs if a is not b]
    assert len(theirs) > 80
    assert np.mean(theirs) == pytest.approx(np.mean(ours), abs=0.05)


def cusum(values, start, k, stop):
    n = stop - start
    left, right = math.fsum(values[start:k]), math.fsum(values[k:stop])
    a, b = k - start, stop - k
    return abs(math.sqrt(b / (n * a)) * left - math.sqrt(a / (n * b)) * right)


def plain_splits(values, intervals, *, integrated):
    """The splits by the definition: {place: (size, limit)}."""

    def best(start, stop):
        return max((cusum(values, start, k, stop), k) for k in range(start + 1, stop))

    found = {}

    def divide(start, stop, limit):
        if stop - start < 2:
            return
        options = [best(a, b) for a, b in intervals if start <= a and b <= stop]
        if integrated:
            options.append(best(start, stop))
        if not options:
            return
        size, place = max(options)
        limit = min(size, limit) if integrated else size
        found[place] = size, limit
        divide(start, place, limit)
        divide(place, stop, limit)

    divide(0, len(values), math.inf)
    return found


@pytest.mark.parametrize("integrated", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_splits_are_those_of_the_definition(seed, integrated):
    values = steps(seed, 70)
    starts, stops = random_intervals(70, 60, seed)
    found = kernels.wild_splits(values, starts, stops, integrated=integrated, compat=False)
    expected = plain_splits(values, list(zip(starts, stops, strict=True)), integrated=integrated)
    assert set(found.places) == set(expected)
    for place, size, limit in zip(found.places, found.sizes, found.limits, strict=True):
        assert (size, limit) == pytest.approx(expected[place])


def test_residual_squares_are_those_of_the_segments():
    values = steps(3)
    places = np.random.default_rng(5).permutation(np.arange(1, 150))[:40]
    found = kernels.residual_squares(values, places)
    for count, squares in enumerate(found):
        parts = np.split(values, np.sort(places[:count]))
        assert squares == pytest.approx(sum(((p - p.mean()) ** 2).sum() for p in parts))


def test_nothing_remains_of_equal_values():
    values = np.repeat([0.1, 0.7, 0.3], [7, 11, 5])
    assert kernels.residual_squares(values, np.array([7, 18]))[-1] == 0


def test_intervals_are_inside_and_cover_the_signal():
    starts, stops = random_intervals(10, 5000, 1)
    assert starts.min() == 0
    assert starts.max() == 8
    assert stops.max() == 10
    assert (stops - starts >= 2).all()
    # The start is uniform over 9 places, and so is the end behind it.
    assert np.bincount(starts) / 5000 == pytest.approx(1 / 9, abs=0.02)
    behind = stops[starts == 0]
    assert np.bincount(behind)[2:] / behind.size == pytest.approx(1 / 9, abs=0.05)


def test_a_seed_decides_and_only_a_seed():
    values = steps(11, 200)
    one = WBS(intervals=30, integrated=False)
    assert one.detect(values) == one.detect(values)
    found = {WBS(intervals=30, integrated=False, seed=s).detect(values).indices for s in range(8)}
    assert len(found) > 1


def test_many_intervals_see_a_short_bump_that_bisection_misses():
    hits = {0: 0, 2000: 0}
    for seed in range(20):
        values = np.random.default_rng(seed).normal(0, 1, 1000)
        values[500:510] += 2.5
        for intervals in hits:
            found = WBS(intervals=intervals, integrated=intervals == 0).detect(values).indices
            hits[intervals] += len(found) == 2 and abs(found[0] - 500) + abs(found[1] - 510) <= 4
    assert hits[2000] > hits[0]


def test_one_clean_step_of_a_longer_signal():
    hits = 0
    for seed in range(20):
        values = np.random.default_rng(seed).normal(0, 1, 200) + 6 * (np.arange(200) >= 90)
        hits += WBS(penalty="mbic", compat=False, seed=seed).detect(values).indices == (90,)
    assert hits >= 18


def test_corrected_form_does_not_cut_noise_to_pieces():
    noise = [np.random.default_rng(seed).normal(0, 1, 40) for seed in range(30)]
    alarms = sum(bool(WBS(penalty="mbic", compat=False).detect(v).indices) for v in noise)
    old = sum(bool(WBS(penalty="mbic").detect(v).indices) for v in noise)
    assert alarms <= 3
    assert old == 30


@pytest.mark.parametrize(
    "parameters",
    [
        {"penalty": "aic"},
        {"kmax": 0},
        {"kmax": "all"},
        {"integrated": "yes"},
        {"intervals": -1},
        {"intervals": 10**7},
        {"seed": -1},
        {"seed": 1.5},
        {"scale": "mad"},
        {"compat": None},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="wbs"):
        WBS(**parameters)


@pytest.mark.parametrize("compat", [True, False])
@pytest.mark.parametrize("integrated", [True, False])
def test_both_forms_of_the_kernel_agree(integrated, compat):
    plain_form = interpreted("wbs")
    for seed in range(3):
        values = np.round(steps(seed, 60))  # ties
        starts, stops = random_intervals(60, 40, seed)
        both = [
            kernels.wild_splits(
                values, starts, stops, integrated=integrated, compat=compat, kernel=kernel
            )
            for kernel in (loops, plain_form)
        ]
        for field in ("places", "sizes", "limits"):
            assert np.array_equal(getattr(both[0], field), getattr(both[1], field))
        places = both[0].places[:20]
        squares = [kernels.residual_squares(values, places, k) for k in (loops, plain_form)]
        assert np.array_equal(*squares)


def test_the_numbers_of_a_seed_never_change():
    starts, stops = random_intervals(1000, 4, seed=7)
    assert starts.tolist() == [374, 102, 224, 774]
    assert stops.tolist() == [813, 217, 996, 816]


@pytest.mark.parametrize("interval", [(-1, 5), (3, 4), (5, 5), (6, 3), (8, 11)])
def test_intervals_lie_in_the_signal(interval):
    starts, stops = np.array([[0, 2], interval]).T
    with pytest.raises(SignalError, match="an interval has two points or more"):
        wbs_places(np.arange(10.0), starts, stops, WBS())


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
@pytest.mark.parametrize("integrated", [True, False])
def test_values_without_squares_are_refused(value, integrated):
    values = np.where(np.arange(10) == 5, value, 1.0)
    starts, stops = random_intervals(10, 20, seed=1)
    with pytest.raises(SignalError, match="wbs"):
        wbs_places(values, starts, stops, WBS(integrated=integrated))


def test_unscaled_values_may_be_tiny():
    values = np.where(np.arange(60) < 30, 1.0, 2.0) + np.random.default_rng(3).normal(0, 0.01, 60)
    found = WBS(scale=None, compat=False).detect(values)
    assert found.indices == (30,)
    assert WBS(scale=None, compat=False).detect(np.ldexp(values, -1000)).indices == (30,)
