# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Perfherder and the window tests: against Treeherder's results, and SciPy's one by one."""

from __future__ import annotations

import json
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors import treeherder
from kernels import interpreted
from stepmark import detect
from stepmark._kernels import windows as kernels
from stepmark._kernels.loops import windows as loops
from stepmark.detectors import Perfherder, nulls
from stepmark.errors import SignalError, SpecError
from stepmark.plugins import parse_detector
from stepmark.series import Signal

P_TESTS = ("welch", "mwu", "ks", "cvm", "levene")
# Bound and least percentage, as Treeherder has them and as it first had them.
MAIN = {"student": (5.0, 1.0)} | dict.fromkeys(("cvm", "ks", "welch", "mwu"), (0.005, 3.0))
FIRST = {"student": (7.0, 2.0)} | dict.fromkeys(P_TESTS, (0.05, None))


def faithful(name, bound, percent):
    key = "threshold" if name == "student" else "alpha"
    return parse_detector(
        f"{name}({key}={bound}, min_relative={(percent or 0) / 100}, compat=true)"
    )


def golden(shared_data):
    """Name, samples by point, and Treeherder's results."""
    folder = shared_data / "perfherder"
    found = json.loads((folder / "golden_detectors.json").read_text())
    for name, expected in found["historical"].items():
        yield name, real(folder, name)[0], expected
    for name, expected in found["synthetic"].items():
        yield name, [row[2] for row in expected["series"]], expected


def real(folder, name):
    runs = sorted(
        json.loads((folder / f"{name}.json").read_text())["test_runs"], key=lambda r: r[2]
    )
    return [[run[3]] for run in runs], [run[2] for run in runs]


def close(found, expected):
    expected = [float(x) for x in expected]
    return found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "points", "times", "places", "t"),
    [
        ("runs1", 128, [1365019665], [111], [16.26646]),
        ("runs3", 150, [1335293827, 1338839958], [24, 98], [math.inf, math.inf]),
        ("runs5", 217, [], [], []),
        ("a11y", 948, [1366197637, 1367799757], [152, 882], [8.475246, 8.812235]),
    ],
)
def test_perfherder_on_real_series(shared_data, name, points, times, places, t):
    rows, stamps = real(shared_data / "perfherder", name)
    found = detect(rows, "perfherder")
    assert found.length == points
    assert list(found.indices) == places
    assert [stamps[i] for i in found.indices] == times
    assert list(found.scores) == pytest.approx(t, abs=1e-5)


def test_largest_t_of_a_quiet_series(shared_data):
    rows, _ = real(shared_data / "perfherder", "runs5")
    assert Perfherder().evidence(rows).max() == pytest.approx(5.652978, abs=1e-6)


def test_perfherder_against_its_results(shared_data):
    for name, rows, expected in golden(shared_data):
        changes = expected["perfalert_t7"]
        for detector in (Perfherder(), Perfherder(compat=True)):
            found = detector.detect(rows)
            assert list(found.indices) == [change["index"] for change in changes], name
            assert close(list(found.scores), [change["t"] for change in changes]), name
        if "perfalert_t_values" in expected:
            t = Perfherder(compat=True).evidence(rows)
            assert close(t.tolist(), expected["perfalert_t_values"]), name


@pytest.mark.parametrize(
    ("key", "parameters"), [("main_2026_08", MAIN), ("lab_branch_2026_03", FIRST)]
)
def test_treeherders_places(shared_data, key, parameters):
    compared = 0
    for name, rows, expected in golden(shared_data):
        for method, (bound, percent) in parameters.items():
            found = faithful(method, bound, percent).detect(rows)
            assert list(found.indices) == expected[key]["per_method"][method], (name, method)
            compared += 1
    assert compared == 9 * len(parameters)


def test_treeherders_confidences(shared_data):
    compared = 0
    for name, rows, expected in golden(shared_data):
        for method, theirs in expected["main_2026_08"].get("confidence", {}).items():
            ours = faithful(method, *MAIN[method]).evidence(rows).tolist()
            assert close(ours[1:], theirs[1:]), (name, method)
            compared += len(theirs) - 1
    assert compared > 3000


@pytest.mark.parametrize(
    ("rows", "linear", "mean", "variance"),
    [
        ([[3]], True, 3.0, 0.0),
        ([[1], [2], [3], [4]], True, 2.0, 2.0),
        ([[2, 3], [4, 4]], True, 3.0, 1.0),
        ([[1], [2], [3], [4]], False, 2.5, 5 / 3),
        ([[1, 3], [4, 4]], False, 3.0, 2.0),
        ([], True, 0.0, 0.0),
    ],
)
def test_mean_and_variance_of_a_window(rows, linear, mean, variance):
    assert treeherder.mean_and_variance(rows, linear=linear)[::2] == pytest.approx((mean, variance))
    if linear:
        points = kernels.Points.of(Signal.of(rows))
        values = points.values * 2.0**points.exponent
        found = loops.weighted_mean(values, points.offset, 0, 1, len(rows), False)
        assert found == pytest.approx(mean)


@pytest.mark.parametrize(
    ("back", "ahead", "t"),
    [([0, 0], [1, 2], 3.0), ([0, 0], [0, 0], 0.0), ([0, 0], [1, 1], math.inf)],
)
def test_t_of_two_windows(back, ahead, t):
    # The weights are equal where both samples belong to one point.
    rows = [back, ahead]
    detector = Perfherder(minback=2, maxback=2, fore=2)
    assert detector.evidence(rows)[1] == pytest.approx(t)


def test_only_the_best_of_neighbours_is_a_change():
    values = [0.0] * 8 + [1.0] * 8
    found = detect(values, "perfherder(minback=5, maxback=5, fore=5, threshold=2)")
    assert found.indices == (8,)


def test_many_samples_a_point():
    rows = [[0.0] * 50 + [1.0] * 30, [0.0] * 10 + [1.0] * 30, [0.0] * 10 + [1.0] * 30]
    found = detect(rows, "perfherder(minback=5, maxback=10, fore=5, threshold=2)")
    assert found.indices == (1,)


@pytest.mark.parametrize("spec", ["perfherder", *(n for n in MAIN)])
def test_flat_step_of_treeherders_tests(spec):
    assert detect([0.5] * 15 + [1.0] * 15, spec).indices == (15,)


def histories():
    """Signals of many kinds: steps, ties, constants, several samples a point, points without."""
    rng = np.random.default_rng(11)
    for k in range(12):
        n = int(rng.integers(30, 90))
        values = rng.normal(100, 1, n) + 6 * np.cumsum(rng.random(n) < 0.05)
        if k % 4 == 1:
            values = np.round(values)
        elif k % 4 == 2:
            values = np.round(values / 8) * 8
        sizes = rng.integers(0, 5, n) if k % 3 == 2 else np.ones(n, dtype=int)
        yield [[float(v + 0.25 * j) for j in range(s)] for v, s in zip(values, sizes, strict=True)]


REACHES = (
    {},
    {"minback": 5, "maxback": 8, "fore": 4},
    {"minback": 3, "maxback": 30, "fore": 25},
)


@pytest.mark.parametrize("count", ["samples", "points"])
@pytest.mark.parametrize("reach", REACHES, ids=str)
def test_perfherder_against_a_plain_loop(reach, count):
    size = len if count == "samples" else (lambda _: 1)
    detector = Perfherder(**reach, count=count, threshold=4.0, compat=True)
    for rows in histories():
        t, *_ = treeherder.scan("student", rows, lambda t: abs(t) > 4, size=size, **reach)
        assert close(detector.evidence(rows).tolist(), [abs(x) for x in t])
        # Beside a point without samples t is the same but for rounding, which then decides.
        if all(rows):
            expected = treeherder.perfherder(rows, 4.0, size=size, **reach)
            assert list(detector.detect(rows).indices) == expected


@pytest.mark.parametrize("name", ["student", *P_TESTS])
@pytest.mark.parametrize("reach", REACHES, ids=str)
def test_window_tests_against_a_plain_loop(name, reach):
    bound, key = (7.0, "threshold") if name == "student" else (0.05, "alpha")
    given = ", ".join(f"{k}={v}" for k, v in {**reach, key: bound, "compat": "true"}.items())
    detector = parse_detector(f"{name}({given})")
    series = list(histories())
    # SciPy counts the exact distribution anew for every point.
    for rows in series[1:3] if name == "cvm" else series:
        theirs, _, _ = treeherder.scan(
            name, rows, lambda x: x > bound if name == "student" else x < bound, **reach
        )
        ours = detector.evidence(rows)
        # SciPy gives rounding noise for constant windows.
        kept = [i for i in range(1, len(rows)) if not may_be_flat(rows, i, reach)]
        assert close([float(ours[i]) for i in kept], [theirs[i] for i in kept])


def may_be_flat(rows, i, reach):
    """Whether a window of point *i* can hold equal values only."""
    fore, maxback = reach.get("fore", 12), reach.get("maxback", 24)
    back = {v for row in rows[max(0, i - maxback) : i] for v in row}
    ahead = {v for row in rows[i : i + fore] for v in row}
    return min(len(back), len(ahead)) <= 1


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(1, 1e5))
def test_tail_of_t(square, freedom):
    # Nearer to 0 SciPy says 1, where 1 - 1e-9 is right.
    expected = 2 * stats.t.sf(math.sqrt(square), freedom)
    assert loops.two_sided(square, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("name", ["mwu", "ks", "cvm"])
@pytest.mark.parametrize(("m", "n"), [(2, 2), (3, 7), (5, 5), (8, 12), (12, 12), (6, 30)])
@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.005, 1e-9])
def test_least_significant_statistic(name, m, n, alpha):
    """The bound that the loop uses is where the p-value falls below alpha."""
    if (name == "cvm" and max(m, n) > 20) or (name == "mwu" and min(m, n) > 8):
        pytest.skip("the limiting distribution serves")
    unit = {"mwu": 1, "ks": math.gcd(m, n), "cvm": math.gcd(m, n) ** 2}[name]
    least = getattr(nulls, f"least_{name}")(alpha, m, n)
    p = getattr(nulls, name)(scan_of(m, n, [least - unit, least]))
    top = m * n
    assert p[0] >= alpha
    assert p[1] < alpha or (least > top and name != "cvm")


def scan_of(m, n, statistics):
    sizes = [np.full(len(statistics), size) for size in (m, n)]
    zeros = np.zeros(len(statistics))
    return kernels.Scan(zeros, zeros, zeros, *sizes, np.array(statistics, float), *([zeros] * 3))


def test_limits_are_where_p_values_fall_below_alpha():
    assert 2 * stats.norm.sf(nulls.limit_mwu(0.005)) == pytest.approx(0.005)
    limit = nulls.limit_cvm(0.005)
    p = nulls._limiting_cvm(np.array([limit, np.nextafter(limit, 9)]))
    assert p[0] >= 0.005 > p[1]


def test_many_values_a_side():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, 12_000), rng.normal(0.03, 1, 11_000)
    rows = [a.tolist(), b.tolist()]
    for name in ("ks", "mwu", "welch", "levene", "cvm"):
        detector = parse_detector(f"{name}(compat=true)")
        assert detector.evidence(rows)[1] == pytest.approx(
            treeherder.p_value(name, [rows[0]], [rows[1]]), rel=1e-6
        )


@pytest.mark.parametrize("name", ["student", *P_TESTS])
@pytest.mark.parametrize("compat", ["true", "false"])
def test_both_forms_of_the_kernel_agree(name, compat):
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    plain, compiled = interpreted("windows"), parse_detector(f"{name}(compat={compat})")
    for rows in list(histories())[:4]:
        points = compiled._points(rows)
        if name in ("student", "welch"):
            everywhere = compat == "true"
            rules = kernels.Rules(everywhere, everywhere, everywhere)
            bound = 5.0 if name == "student" else 0.005
            forms = [
                kernels.scan_means(name, points, compiled._windows, bound, rules, kernel=kernel)
                for kernel in (loops, plain)
            ]
        else:
            limit = getattr(nulls, f"limit_{name}", lambda _: math.inf)(0.005)
            exact = getattr(nulls, f"least_{name}", None)
            forms = [
                kernels.scan_ranks(
                    name, points, compiled._windows, 0.005, limit,
                    exact and partial(exact, 0.005),
                    everywhere=compat == "true", kernel=kernel,
                )
                for kernel in (loops, plain)
            ]  # fmt: skip
        for field in kernels.Scan.__dataclass_fields__:
            a, b = (getattr(form, field) for form in forms)
            assert np.array_equal(a, b, equal_nan=True), field


def test_both_forms_of_the_path_counts_agree():
    gaps = np.array([12.0, 60.0, 120.0])
    expected = kernels.outside(24, 12, gaps)
    assert np.array_equal(kernels.outside(24, 12, gaps, interpreted("windows")), expected)


@pytest.mark.parametrize("name", ["student", "welch", "mwu", "ks", "cvm"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_step_is_found_once_and_in_place(name, sign):
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = 100 + rng.normal(0, 1, 120)
        values[60:] += sign * 6
        (place,) = detect(values, name).indices
        assert abs(place - 60) <= 1
        found += place == 60
    assert found >= 18


def test_levene_finds_a_change_of_spread():
    rng = np.random.default_rng(4)
    values = 100 + rng.normal(0, 1, 80) * np.where(np.arange(80) < 40, 0.2, 4.0)
    (place,) = detect(values, "levene").indices
    assert abs(place - 40) <= 5


@pytest.mark.parametrize("name", P_TESTS)
def test_no_evidence_where_nothing_differs(name):
    detector = parse_detector(f"{name}(min_relative=0.0)")
    values = [3.0] * 60
    assert (detector.evidence(values) == 1).all()
    alternating = [1.0, 2.0] * 40
    assert detector.detect(alternating).indices == ()


def test_least_sizes():
    values = np.r_[np.full(30, 100.0), np.full(30, 102.0)]
    assert detect(values, "welch").indices == ()
    assert detect(values, "welch(min_relative=0.02)").indices == (30,)
    assert detect(values, "welch(min_relative=0.02, min_absolute=2)").indices == (30,)
    assert detect(values, "welch(min_relative=0.02, min_absolute=2.5)").indices == ()
    # Against 0 every change is large, and below it as above it.
    assert detect(values - 100, "welch").indices == (30,)
    assert detect(-values, "welch(min_relative=0.02)").indices == (30,)
    assert detect(-values, "welch(min_relative=0.02, compat=true)").indices == ()


@pytest.mark.parametrize("spec", ["perfherder", "student", "welch", "mwu", "ks", "cvm", "levene"])
@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**-400, 2.0**400, 2.0**1000])
def test_the_unit_does_not_matter(spec, factor):
    rng = np.random.default_rng(6)
    values = np.abs(10 + rng.normal(0, 1, 90) + 9 * (np.arange(90) > 40))
    assert detect(values * factor, spec) == detect(values, spec)


@pytest.mark.parametrize("spec", ["perfherder", "student", "welch", "mwu", "ks", "cvm"])
def test_the_largest_numbers(spec):
    assert detect([-1.7e308] * 20 + [1.7e308] * 20, spec).indices == (20,)


def test_a_refused_portion_leaves_no_trace():
    tracker = Perfherder().track()
    tracker.extend([1.0] * 20)
    with pytest.raises(SignalError, match="point 1 is not a finite number"):
        tracker.extend([2.0, math.nan])
    assert tracker.extend([2.0] * 20).indices == (20,)


def test_rounding_raises_no_alarm():
    rows = [[0.1] * 300] * 60
    assert Perfherder(count="points").detect(rows).indices == ()


def test_points_count_as_one_with_all_their_samples():
    rows = [[100.0, 101.0, 99.0]] * 20 + [[120.0, 121.0, 119.0]] * 20
    assert detect(rows, "perfherder").indices == (20,)
    assert detect(rows[10:30], "perfherder").indices == (10,)
    assert detect(rows[10:30], "perfherder(count=points)").indices == ()
    assert detect(rows, "perfherder(count=points)").indices == (20,)


def test_tracking_samples_equals_a_full_run():
    for rows in histories():
        for spec in ("perfherder(threshold=3)", "perfherder(count=points, fore=3, threshold=3)"):
            detector = parse_detector(spec)
            tracker = detector.track()
            for n, row in enumerate(rows, 1):
                assert tracker.extend([row]) == detector.detect(rows[:n])


def test_tracking_keeps_the_last_windows_only():
    tracker = Perfherder().track()
    for value in np.random.default_rng(0).normal(100, 1, 300):
        tracker.extend([value])
    assert len(tracker._tail) <= 24 + 12


@pytest.mark.parametrize(
    "spec",
    [
        "perfherder(minback=0)",
        "perfherder(fore=1.5)",
        "perfherder(maxback=11)",
        "perfherder(threshold=0)",
        "perfherder(count=runs)",
        "perfherder(compat=1)",
        "student(threshold=none)",
        "student(min_relative=-1)",
        "welch(alpha=0)",
        "welch(alpha=1)",
        "mwu(alpha=true)",
        "ks(compat=yes)",
        "cvm(min_absolute=big)",
    ],
)
def test_bad_parameters_are_refused(spec):
    with pytest.raises(SpecError, match=spec.split("(")[0]):
        parse_detector(spec)
