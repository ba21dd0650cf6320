# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The changepoint family: against R's answers, against brute force, and against its own faults."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import interpreted
from stepmark import detect
from stepmark._kernels import segmentation as kernels
from stepmark._kernels.loops import segmentation as loops
from stepmark.detectors import AMOC, CPNP, PELT, BinSeg, SegNeigh
from stepmark.detectors.costs import prefix_sums
from stepmark.detectors.penalties import penalty_value
from stepmark.detectors.tcpdbench import METHODS
from stepmark.errors import SignalError, SpecError, StepmarkError
from stepmark.plugins import parse_detector

FAMILY = ("amoc", "binseg", "pelt", "segneigh", "cpnp")


def dataset(shared_data, name):
    text = (shared_data / "tcpd" / "datasets" / f"{name}.json").read_text()
    raw = json.loads(text)["series"][0]["raw"]
    return [math.nan if value is None else float(value) for value in raw]


def reported(spec, values):
    """What is found: None for a failure."""
    try:
        return list(detect(values, spec).indices)
    except StepmarkError:
        return None


@pytest.mark.parametrize("method", FAMILY)
def test_default_configurations_equal_the_benchmark(shared_data, method):
    results = json.loads((shared_data / "tcpd" / "default_results.json").read_text())
    for name, by_method in results.items():
        expected = by_method[method]["cplocations"]
        assert reported(method, dataset(shared_data, name)) == expected, name
    assert len(results) > 20


def grid_cases(shared_data, method):
    """Series, spec and expected places of every configuration of the grid."""
    results = json.loads((shared_data / "tcpd" / "grid_results.json").read_text())[method]
    for name, entries in results["results"].items():
        for given_values, expected, *notes in entries:
            spec = METHODS[method].spec(
                dict(zip(results["param_names"], given_values, strict=True))
            )
            undefined = any("undefined" in str(note) for note in notes)
            yield name, spec, None if undefined else expected


def check_grid(shared_data, method, every):
    values = {}
    seen = 0
    for place, (name, spec, expected) in enumerate(grid_cases(shared_data, method)):
        if place % every:
            continue
        if name not in values:
            values[name] = dataset(shared_data, name)
        assert reported(spec, values[name]) == expected, f"{name}: {spec}"
        seen += 1
    assert seen > 50


@pytest.mark.parametrize("method", FAMILY)
def test_a_sample_of_the_grid_equals_the_benchmark(shared_data, method):
    check_grid(shared_data, method, every=31 if method == "segneigh" else 7)


@pytest.mark.slow
@pytest.mark.parametrize("method", FAMILY)
def test_the_whole_grid_equals_the_benchmark(shared_data, method):
    check_grid(shared_data, method, every=1)


def histories(count, longest=40):
    rng = np.random.default_rng(3)
    for i in range(count):
        n = int(rng.integers(3, longest))
        values = rng.normal(0, 1, n)
        values[int(rng.integers(0, n)) :] += rng.choice([0, 2, 8])
        if i % 4 == 1:
            values[n // 2 :] *= 5
        elif i % 4 == 2:
            values = np.round(values)
        elif i % 4 == 3:
            values[n // 3 :] = values[n // 3]
        yield values


def cheapest(detector, values):
    """The least cost of all divisions, by the recursion without any pruning."""
    n = len(values)
    costs = detector.costs(detector.points(values))
    penalty, m = detector.penalty_for(n), detector.minimum
    best = [-penalty] + [math.inf] * n
    for t in range(m, n + 1):
        best[t] = min(best[s] + costs.of(s, t) + penalty for s in range(t - m + 1))
    return best[n]


EXACT = [
    PELT(compat=False),
    PELT(compat=False, penalty=1.0),
    PELT(compat=False, minseglen=4, penalty=0.5),
    PELT(compat=False, function="var"),
    PELT(compat=False, function="var", penalty="aic", minseglen=3),
    PELT(compat=False, function="meanvar"),
    PELT(compat=False, function="meanvar", penalty=1.0),
    PELT(compat=False, function="meanvar", penalty="aic", minseglen=5),
    PELT(compat=False, scale="noise"),
]


@pytest.mark.parametrize("detector", EXACT, ids=str)
def test_pelt_is_exact(detector):
    for values in histories(80):
        if len(values) < 2 * detector.minimum:
            continue
        found = detector.cost(values, detector.detect(values).indices)
        assert found == pytest.approx(cheapest(detector, values), rel=1e-9, abs=1e-8)


def test_pelt_as_in_r_is_not_exact_on_a_drift():
    values = np.arange(150.0) ** 1.5
    ours, theirs = PELT(compat=False), PELT()
    missed = ours.cost(values, theirs.detect(values).indices)
    assert ours.cost(values, ours.detect(values).indices) < missed - 0.01


@pytest.mark.parametrize("function", ["mean", "var", "meanvar"])
def test_segneigh_with_all_segments_equals_pelt(function):
    for values in histories(60):
        ours = SegNeigh(compat=False, function=function, q="max").detect(values).indices
        judge = PELT(compat=False, function=function, penalty="bic")
        if len(ours) < len(values) // 4:
            assert judge.cost(values, ours) == pytest.approx(cheapest(judge, values), abs=1e-8)


@pytest.mark.parametrize("parameters", [{}, {"quantiles": 5, "minseglen": 4}, {"penalty": 2.0}])
def test_cpnp_is_exact(parameters):
    detector = CPNP(compat=False, **parameters)
    for values in histories(60, longest=30):
        n, m = len(values), detector.minseglen
        if n < 2 * m:
            continue
        costs = detector._costs(detector._points(values))
        penalty = penalty_value(detector.penalty, n, 1, "")
        best = [-penalty] + [math.inf] * n
        for t in range(m, n + 1):
            best[t] = min(best[s] + costs.of(s, t) + penalty for s in range(t - m + 1))
        found = detector.cost(values, detector.detect(values).indices)
        assert found == pytest.approx(best[n], abs=1e-8)


def test_cpnp_costs_with_and_without_a_table_are_the_same():
    for values in histories(40):
        plain, table = CPNP(), CPNP(compat=False)
        for indices in [(), (1,), (len(values) - 1,)]:
            assert plain.cost(values, indices) == pytest.approx(table.cost(values, indices))


STEP = [0.0, 0.1, -0.1, 0.05, -0.05] * 10 + [9.0, 9.1, 8.9, 9.05, 8.95] * 10


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("amoc(statistic=cusum, penalty=0.1)", 51),
        ("amoc(statistic=cusum, penalty=0.1, compat=false)", 50),
        ("binseg(statistic=cusum, penalty=0.3)", 50),
        ("segneigh(statistic=cusum, penalty=0.3)", 50),
        ("amoc", 50),
        ("amoc(compat=false)", 50),
        ("pelt", 50),
        ("cpnp", 50),
        ("amoc(function=meanvar)", 50),
    ],
)
def test_a_step(spec, place):
    assert detect(STEP, spec).indices == (place,)


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("amoc(function=var, statistic=css, penalty=1.4)", 49),
        ("amoc(function=var, statistic=css, penalty=1.4, compat=false)", 50),
        ("binseg(function=var, statistic=css, penalty=asymptotic)", 50),
        ("segneigh(function=var, statistic=css, penalty=asymptotic)", 50),
        ("amoc(function=var, penalty=asymptotic)", 50),
        ("pelt(function=var, compat=false)", 50),
    ],
)
def test_a_change_of_spread(spec, place):
    assert detect([1.0, -1.0] * 25 + [6.0, -6.0] * 25, spec).indices == (place,)


def test_binseg_takes_a_placeholder_for_a_split_only_as_in_r():
    spec = {"statistic": "cusum", "penalty": None, "q": "max"}
    flat = [3.0] * 8
    assert BinSeg(**spec).detect(flat).indices == (1,)
    assert BinSeg(**spec, compat=False).detect(flat).indices == ()


def test_binseg_sees_the_ends_only_when_corrected():
    values = [0.0, 0.1] * 15 + [50.0, 50.0]
    assert BinSeg().detect(values).indices != (30,)
    assert BinSeg(compat=False).detect(values).indices == (30,)


@pytest.mark.parametrize("q", [1, 2, 3, "max"])
def test_q_limits_the_number_of_changes(q):
    values = np.repeat([0.0, 10.0, 3.0, 20.0, 5.0, 12.0], 10) + np.tile([0.1, -0.1], 30)
    most = 31 if q == "max" else q
    assert len(BinSeg(q=q, penalty=2.0).detect(values).indices) == min(most, 5)
    assert len(SegNeigh(q=q, penalty=2.0).detect(values).indices) == min(most - 1, 5)


@pytest.mark.parametrize("name", ["amoc", "binseg", "pelt", "segneigh"])
@pytest.mark.parametrize("statistic", ["gamma", "exponential", "poisson"])
@pytest.mark.parametrize("compat", ["true", "false"])
def test_positive_numbers_and_counts_as_they_are(name, statistic, compat):
    rng = np.random.default_rng(8)
    draw = rng.poisson if statistic == "poisson" else rng.exponential
    values = np.concatenate([1 + draw(2.0, 60), 1 + draw(60.0, 60)])
    spec = (
        f"{name}(function=meanvar, statistic={statistic}, penalty=30, scale=none, compat={compat})"
    )
    (place,) = detect(values, spec).indices
    assert abs(place - 60) <= 2
    with pytest.raises(SignalError, match=rf"{name}: statistic={statistic} needs .*scale=none"):
        detect(values, spec.replace("scale=none", "scale=std"))


def test_the_shape_of_the_gamma_distribution_matters():
    values = np.random.default_rng(1).gamma(9.0, 1.0, 80)
    one = PELT(function="meanvar", statistic="gamma", scale=None)
    nine = PELT(function="meanvar", statistic="gamma", scale=None, shape=9)
    assert nine.cost(values, [40]) != one.cost(values, [40])


def test_poisson_refuses_fractions():
    with pytest.raises(SignalError, match=r"whole numbers from 0, and point 1 is 1\.5"):
        detect([1, 1.5, 2, 3], "pelt(function=meanvar, statistic=poisson, scale=none)")


@pytest.mark.parametrize(
    ("penalty", "parameters", "model", "expected"),
    [
        (None, 1, "mean", 0.0),
        ("sic", 1, "mean", 2 * math.log(100)),
        ("bic", 2, "meanvar", 3 * math.log(100)),
        ("mbic", 1, "mean", 3 * math.log(100)),
        ("aic", 2, "meanvar", 6.0),
        ("hannan-quinn", 1, "mean", 4 * math.log(math.log(100))),
        ("asymptotic", 1, "css", 1.358),
        (7, 1, "mean", 7.0),
    ],
)
def test_penalties(penalty, parameters, model, expected):
    assert penalty_value(penalty, 100, parameters, model) == pytest.approx(expected)


@pytest.mark.parametrize("model", ["mean", "var", "meanvar"])
def test_asymptotic_penalties_are_moderate_and_forbid_changes_in_next_to_nothing(model):
    values = [penalty_value("asymptotic", n, 1, model) for n in (50, 500, 5000, 500_000)]
    assert all(5 < value < 40 for value in values)
    assert penalty_value("asymptotic", 3, 1, model) == math.inf


@pytest.mark.parametrize(
    "spec",
    [
        "amoc(function=median)",
        "amoc(statistic=css)",
        "amoc(function=var, statistic=cusum)",
        "amoc(statistic=cusum, penalty=mbic)",
        "amoc(statistic=cusum, penalty=asymptotic)",
        "amoc(penalty=bayes)",
        "amoc(penalty=-1)",
        "amoc(penalty=true)",
        "amoc(minseglen=0)",
        "amoc(function=var, minseglen=1)",
        "amoc(compat=yes)",
        "amoc(scale=mad)",
        "amoc(shape=0)",
        "binseg(q=0)",
        "binseg(q=2.5)",
        "binseg(q=all)",
        "pelt(statistic=cusum, penalty=bic)",
        "pelt(function=var, statistic=css, penalty=bic)",
        "segneigh(penalty=mbic)",
        "segneigh(minseglen=3)",
        "cpnp(penalty=asymptotic)",
        "cpnp(quantiles=0)",
        "cpnp(minseglen=none)",
        "cpnp(compat=1)",
        "cpnp(scale=1)",
    ],
)
def test_bad_parameters_are_refused(spec):
    with pytest.raises(SpecError, match=spec.split("(", maxsplit=1)[0]):
        parse_detector(spec)


def test_more_quantiles_than_points():
    values = [1.0, 1.1, 0.9, 1.0, 5.0, 5.1, 4.9, 5.0]
    with pytest.raises(SignalError, match="cpnp: 20 quantiles of 8 points"):
        CPNP(quantiles=20).detect(values)
    assert CPNP(quantiles=20, compat=False, penalty=8).detect(values).indices == (4,)
    assert CPNP().detect(values).length == 8


@pytest.mark.parametrize("detector", [SegNeigh(q="max"), CPNP(quantiles=10_000)], ids=str)
def test_too_large_a_table_is_refused_at_once(detector):
    with pytest.raises(SignalError, match="too large a table"):
        detector.detect(np.arange(20_000.0))


@pytest.mark.parametrize("factor", [1e-300, 1e300])
@pytest.mark.parametrize("spec", FAMILY)
def test_magnitude_does_not_matter(spec, factor):
    assert detect(np.array(STEP) * factor, spec).indices == (50,)


@pytest.mark.parametrize("spec", ["pelt(penalty=10, scale=none)", "amoc(penalty=10, scale=none)"])
def test_an_offset_costs_no_precision(spec):
    assert detect(1e9 + np.array(STEP), spec).indices == (50,)


@pytest.mark.parametrize("spec", ["pelt(scale=none)", "binseg(scale=none)"])
def test_numbers_whose_squares_overflow_are_refused(spec):
    with pytest.raises(SignalError, match="squares"):
        detect([0.0, 1e200, 0.0, 1.0], spec)


@pytest.mark.parametrize("spec", FAMILY)
def test_scores_are_what_a_change_saves(spec):
    detection = detect(STEP, spec)
    assert detection.scores[0] > 10
    if spec in ("pelt", "cpnp"):
        detector = parse_detector(spec)
        n = len(STEP)
        saved = detector.cost(STEP, []) - detector.cost(STEP, [50])
        assert detection.scores[0] == pytest.approx(saved + 3 * math.log(n))


def test_costs_of_what_cannot_be_divided():
    assert PELT().cost([], []) == 0
    assert CPNP().cost([], []) == 0
    assert PELT(function="meanvar").cost(STEP, [1]) == math.inf
    assert PELT().cost([1.0, 2.0], [1]) == math.inf


TRACKED = [
    PELT(scale=None, penalty=12.0),
    PELT(scale=None, penalty=12.0, compat=False),
    PELT(scale=None, penalty=None, minseglen=3),
    PELT(scale=None, penalty="aic", function="meanvar", compat=False, minseglen=4),
    PELT(scale=None, penalty=9.0, function="meanvar", statistic="exponential", shape=2),
]


@pytest.mark.parametrize("detector", TRACKED, ids=str)
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 90), min_size=1, max_size=8))
def test_a_growing_signal_is_extended_not_searched_again(detector, seed, portions):
    rng = np.random.default_rng(seed)
    n = sum(portions)
    values = 30 + rng.normal(0, 1, n) + np.cumsum(rng.random(n) < 0.05) * rng.random() * 4
    tracker, seen = detector.track(), 0
    assert type(tracker).__name__ == "_Growing"
    for portion in portions:
        found = tracker.extend(values[seen : seen + portion])
        seen += portion
        expected = detector.detect(values[:seen])
        assert found.indices == expected.indices
        assert found.scores == pytest.approx(expected.scores, rel=1e-9, abs=1e-9)


def test_a_tracker_refuses_bad_points_by_their_place_and_goes_on():
    tracker = PELT(scale=None, penalty=10).track()
    for first in ([math.nan], [math.inf, 1.0]):
        with pytest.raises(SignalError, match="point 0"):
            tracker.extend(first)
    tracker.extend(STEP[:60])
    with pytest.raises(SignalError, match="point 61 is not a finite number"):
        tracker.extend([9.0, math.nan])
    assert tracker.extend(STEP[60:]).indices == (50,)


@pytest.mark.parametrize("spec", ["pelt", "pelt(penalty=9, scale=none, function=var)"])
def test_where_each_point_changes_every_cost_the_search_runs_again(spec):
    tracker = parse_detector(spec).track()
    tracker.extend(STEP[:70])
    assert tracker.extend(STEP[70:]) == detect(STEP, spec)


PLAIN = interpreted("segmentation")


@pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")
@pytest.mark.parametrize(
    "detector",
    [
        PELT(),
        PELT(compat=False, minseglen=3),
        PELT(function="var"),
        PELT(function="meanvar", compat=False),
        PELT(function="meanvar", statistic="gamma", scale=None, shape=2),
        PELT(function="meanvar", statistic="poisson", scale=None),
    ],
    ids=str,
)
def test_both_forms_of_the_kernels_agree(detector):
    rng = np.random.default_rng(4)
    for _ in range(12):
        values = 1.0 + rng.poisson(rng.choice([3, 30]), 40) + np.repeat([0, 40], 20)
        points = detector.points(values)
        costs, penalty, n = detector.costs(points), 6.0, len(values)
        exact = not detector.compat
        searches = [
            kernels.Pelt(penalty, detector.minimum, k).extend(costs, exact=exact)
            for k in (loops, PLAIN)
        ]
        assert searches[0] == searches[1]
        rules = kernels.Neighbourhood(6, shortest=2, unit=2, offset=2, gap=2)
        margins = kernels.Margins(2, 2, 2, n - 2)
        for ours, theirs in zip(
            *[
                (
                    costs.of(3, 17, k),
                    costs.saved(searches[0], k),
                    kernels.single_change(costs, 1e-10, 2, n - 2, k),
                    list(kernels.greedy_splits(costs, margins, k)),
                    kernels.neighbourhood(costs, points, points * points, rules, k).best,
                )
                for k in (loops, PLAIN)
            ],
            strict=True,
        ):
            assert ours == theirs


@pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")
def test_both_forms_of_the_other_kernels_agree():
    rng = np.random.default_rng(5)
    for i in range(10):
        values = rng.normal(0, 1, 50) + np.repeat([0, i], 25)
        for detector in (CPNP(), CPNP(compat=False, quantiles=4)):
            costs = detector._costs(detector._points(values))
            compiled, plain = (
                kernels.Pelt(9.0, 2, k).extend(costs, exact=not detector.compat)
                for k in (loops, PLAIN)
            )
            assert compiled == plain
            assert costs.saved(plain) == costs.saved(plain, PLAIN)
        for kind in (kernels.Kind.CUSUM, kernels.Kind.CSS):
            sums = prefix_sums(values * values)
            margins = kernels.Margins(2, 2, 1, 49)
            split = [
                list(kernels.greedy_statistics(kind, sums, margins, k)) for k in (loops, PLAIN)
            ]
            assert split[0] == split[1]
            tables = [kernels.statistic_neighbourhood(kind, sums, 5, 2, k) for k in (loops, PLAIN)]
            assert tables[0].best == tables[1].best
            assert tables[0].places(5) == tables[1].places(5)


def test_amoc_is_the_first_split_when_corrected():
    for values in histories(40):
        first = BinSeg(q=1, compat=False).detect(values)
        assert AMOC(compat=False).detect(values) == first


def test_css_of_zeros():
    values = [0.0] * 30
    assert detect(values, "segneigh(function=var, statistic=css, penalty=bic, q=3, compat=false)")
    with pytest.raises(SignalError, match="segment of zeros"):
        detect(values, "segneigh(function=var, statistic=css, penalty=bic, q=3)")
