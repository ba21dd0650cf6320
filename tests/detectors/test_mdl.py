# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Description lengths: against brute force, and against numbers from jumpavg 0.4.2."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark import detect
from stepmark._kernels import mdl as kernels
from stepmark._kernels.loops import mdl as loops
from stepmark.detectors import MDL
from stepmark.errors import SignalError, SpecError
from stepmark.series import Signal


@pytest.fixture(scope="module")
def interpreted():
    """The same source, run by Python itself."""
    source = Path(loops.__file__).parent / "mdl.py"
    spec = importlib.util.spec_from_file_location("interpreted_mdl", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not module.COMPILED
    return module


def numbers(item):
    """Values of the reference file, where NaN and infinities are text."""
    if isinstance(item, list):
        return [numbers(i) for i in item]
    return float(item) if isinstance(item, str) else item


def reference(shared_data):
    return json.loads((shared_data / "mdl" / "jumpavg_cases.json").read_text())


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def histories():
    """Short series of many kinds: steps, noise, ties, zeros, one sign or both."""
    rng = np.random.default_rng(7)
    for i in range(300):
        n = int(rng.integers(1, 13))
        kind = i % 6
        values = rng.normal(100, rng.choice([0.1, 1, 5]), n)
        if kind == 1:
            values[n // 2 :] *= 1.1
        elif kind == 2:
            values = rng.integers(0, 4, n).astype(float)
        elif kind == 3:
            values = rng.normal(0, 10, n)
        elif kind == 4:
            values = np.round(values)
        elif kind == 5:
            values = rng.choice([100.0, 103.0], n) + rng.normal(0, 0.2, n)
        yield values.tolist()


def cheapest(detector, values):
    """The least cost over all 2^(n-1) partitions."""
    places = range(1, len(values))
    return min(
        detector.cost(values, chosen)
        for count in range(len(values))
        for chosen in itertools.combinations(places, count)
    )


@pytest.mark.parametrize("spec", [{}, {"unit": 0.5}, {"sbps": 6}, {"unit": 1, "maximum": 500}])
def test_exact_search_equals_brute_force(spec):
    detector = MDL(**spec)
    # All partitions of 12 runs take long: the longer ones with the default only.
    for values in histories():
        if spec and len(values) > 8:
            continue
        found = detector.cost(values, detector.detect(values).indices)
        assert found == pytest.approx(cheapest(detector, values), rel=1e-11, abs=1e-9), values


def test_exact_search_equals_brute_force_with_several_samples_a_run():
    rng = np.random.default_rng(11)
    for _ in range(60):
        rows = [
            rng.normal(100 + rng.choice([0, 4]), 1, rng.integers(1, 5)).tolist()
            for _ in range(rng.integers(2, 8))
        ]
        found = MDL().cost(rows, MDL().detect(rows).indices)
        assert found == pytest.approx(cheapest(MDL(), rows), rel=1e-11)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=60))
def test_exact_search_never_needs_more_bits_than_jumpavg(values):
    exact, heuristic = MDL(), MDL(search="jumpavg")
    mine = exact.cost(values, exact.detect(values).indices)
    theirs = exact.cost(values, heuristic.detect(values).indices)
    assert mine <= theirs + 1e-9 * abs(theirs)


def test_jumpavg_groups_comments_and_bits(shared_data):
    seen = 0
    for case in reference(shared_data)["cases"]:
        values, detector = numbers(case["values"]), MDL(search="jumpavg", **case["params"])
        if "expected" not in case:
            assert detector.detect(values).indices == (), "jumpavg fails here, ours answers"
            continue
        groups, expected = detector.groups(values), case["expected"]
        for ours, theirs in zip(groups, expected["groups"], strict=True):
            assert ours.start == theirs["start"], case["name"]
            assert (ours.runs, ours.size) == (theirs["runs"], theirs["size"]), case["name"]
            assert ours.comment == theirs["comment"], case["name"]
            assert same(ours.average, numbers(theirs["avg"])), case["name"]
            assert same(ours.bits, numbers(theirs["bits"])), case["name"]
        assert same(sum(g.bits for g in groups), numbers(expected["total_bits"])), case["name"]
        assert detector.detect(values).indices == tuple(g["start"] for g in expected["groups"][1:])
        seen += 1
    assert seen > 60


def test_jumpavg_is_followed_to_the_last_digit():
    # With so small a unit the roundings of the mean count for bits: these numbers are jumpavg's.
    levels = (9.164318868679972e-09, 22), (9.402511502451588e-09, 14), (7.53970378115812e-09, 3)
    values = [level for level, runs in levels for _ in range(runs)]
    groups = MDL(search="jumpavg", sbps=26).groups(values)
    assert [(g.start, g.comment) for g in groups] == [
        (0, "normal"),
        (22, "progression"),
        (36, "regression"),
    ]
    bits = [79.8059482388523, 66.35353211107845, 36.36450722524987]
    assert [g.bits for g in groups] == pytest.approx(bits, rel=1e-12)


def test_jumpavg_groups_runs_without_samples():
    groups = MDL(search="jumpavg").groups([[], []])
    assert [(g.start, g.runs, g.size, g.bits, g.comment) for g in groups] == [
        (0, 1, 0, 0.0, "normal"),
        (1, 1, 0, 0.0, "normal"),
    ]


def test_global_optimum(shared_data):
    seen = 0
    for case in reference(shared_data)["cases"]:
        optimum = case.get("global_optimum")
        if not optimum or optimum["bits"] is None:
            continue
        groups = MDL(**case["params"]).groups(numbers(case["values"]))
        assert [g.start for g in groups] == optimum["starts"], case["name"]
        assert same(sum(g.bits for g in groups), optimum["bits"]), case["name"]
        seen += 1
    assert seen > 45


def test_bits_of_one_group(shared_data):
    for case in reference(shared_data)["formula_cases"]:
        bits = kernels.group_bits(
            case["size"],
            case["avg"],
            case["stdev"],
            case["max_value"],
            case["unit"],
            case["prev_avg"],
        )
        assert same(bits, case["bits"])


def test_analysis_time_history(shared_data):
    for case in reference(shared_data)["prefix_cases"]:
        for n, starts in enumerate(case["starts_by_prefix_length"], 1):
            found = detect(case["values"][:n], "mdl(search=jumpavg)").indices
            assert [0, *found] == starts


def test_score_is_the_bits_that_the_split_saves():
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(m, 1, 25) for m in (100, 110, 104)])
    detection = MDL().detect(values)
    assert detection.indices == (25, 50)
    for place, score in zip(detection.indices, detection.scores, strict=True):
        others = [i for i in detection.indices if i != place]
        saved = MDL().cost(values, others) - MDL().cost(values, detection.indices)
        assert score == pytest.approx(saved)
        assert score > 0


@pytest.mark.parametrize("factor", [2.0**40, 2.0**-40, 2.0**800, 2.0**-900])
@pytest.mark.parametrize("search", ["exact", "jumpavg"])
def test_default_does_not_depend_on_scale(factor, search):
    values = np.concatenate([np.linspace(100, 101, 20), np.linspace(120, 121, 20)])
    plain = MDL(search=search).detect(values)
    assert plain.indices
    assert MDL(search=search).detect(values * factor).indices == plain.indices


def test_a_frozen_unit_keeps_history_as_it_was():
    values = [100.0, 101.0, 99.5, 100.2, 100.4, 99.8, 101.0, 100.1] * 4
    frozen = MDL(unit=0.0125, maximum=102.4)
    groups = frozen.groups([*values, 1e6])
    assert groups[:-1] == frozen.groups(values)
    moving = MDL().groups([*values, 1e6])
    assert moving[0].bits != MDL().groups(values)[0].bits


def test_empty_runs_cost_nothing():
    rows = [[1.0, 1.1], [], [1.0, 1.05], [], [9.0, 9.1], [9.05]]
    assert detect(rows, "mdl").indices == (4,)
    assert detect([[], []], "mdl").indices == ()
    assert len(MDL(search="jumpavg").groups([[], [1.0], [1.0]])) == 2


@pytest.mark.parametrize("values", [[], [0.0] * 5, [-1.0] * 5, [-5.0, -5.1, -5.0, -5.1]])
def test_answers_where_jumpavg_fails(values):
    for search in ("exact", "jumpavg"):
        assert detect(values, f"mdl(search={search})").indices == ()


def test_numpy_scalars_and_fractions_are_numbers():
    plain = [10.0] * 6 + [20.0] * 6
    for kind in (np.float32, np.int64, Decimal, Fraction, int):
        assert detect([kind(int(v)) for v in plain], "mdl").indices == (6,)


def test_not_a_number_makes_singletons_with_jumpavg_and_an_error_with_exact():
    values = [1.0, 1.0, math.nan, 1.0, 1.0]
    assert detect(values, "mdl(search=jumpavg)").indices == (2, 3, 4)
    with pytest.raises(SignalError, match="point 2 is not a finite number"):
        detect(values, "mdl")


@pytest.mark.parametrize(
    "parameters",
    [
        {"unit": -1},
        {"unit": math.nan},
        {"unit": "big"},
        {"sbps": -1},
        {"sbps": 2000},
        {"sbps": 1.5},
        {"maximum": math.inf},
        {"search": "best"},
        {"unit": True},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="mdl"):
        MDL(**parameters)


def test_a_unit_that_no_value_can_be_counted_in_is_refused():
    with pytest.raises(SignalError, match="unit is too small"):
        MDL().detect([1e-300, -1.0, 1e-300])
    with pytest.raises(SignalError, match="unit is too small"):
        MDL(unit=1e-200).detect([1.0, 2.0, 3.0])


def test_too_long_a_signal_is_refused_at_once():
    with pytest.raises(SignalError, match="at most"):
        MDL().detect(np.ones(50_001))


def test_compiled_kernel_is_of_this_source():
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    source = Path(loops.__file__).parent / "mdl.py"
    assert hashlib.sha256(source.read_bytes()).hexdigest()[:16] == loops.SOURCE


@pytest.mark.parametrize("search", ["record_search", "exact_search"])
def test_both_forms_of_the_kernel_agree(interpreted, search):
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    rng = np.random.default_rng(2)
    for i in range(30):
        values = rng.normal(100, 1, 60) + 5 * (np.arange(60) > 30 + i % 7) + (i % 3) * 40
        found = MDL()._runs(Signal.of(values))[0]
        compiled = getattr(kernels, search)(found)
        assert getattr(kernels, search)(found, interpreted) == compiled


def test_envelope_outgrows_its_buffers():
    # A slow random walk keeps many predecessors alive for every start.
    rng = np.random.default_rng(9)
    values = 1e4 + np.cumsum(rng.normal(0, 30, 1500))
    detection = MDL().detect(values)
    heuristic = MDL(search="jumpavg").detect(values)
    assert MDL().cost(values, detection.indices) <= MDL().cost(values, heuristic.indices)


@pytest.mark.parametrize("search", ["exact", "jumpavg"])
@pytest.mark.parametrize("kind", ["rising", "replicates", "empty", "huge", "zeros", "frozen"])
def test_tracking_equals_a_full_run_whatever_comes(search, kind):
    rng = np.random.default_rng(21)
    rows = [[value] for value in rng.normal(100, 1, 80) + 20 * (np.arange(80) > 50)]
    detector = MDL(search=search)
    if kind == "rising":
        rows = [[100.0 + i + rng.normal()] for i in range(80)]
    elif kind == "replicates":
        rows = [rng.normal(row[0], 1, rng.integers(1, 5)).tolist() for row in rows]
    elif kind == "empty":
        rows = [[] if i % 7 < 2 else row for i, row in enumerate(rows)]
        detector = MDL(search=search, maximum=200)
    elif kind == "huge":
        rows[60:] = [[row[0] * 1e160] for row in rows[60:]]
    elif kind == "zeros":
        rows[:20] = [[0.0]] * 20
    else:
        detector = MDL(search=search, unit=0.01, maximum=150)
        rows[70] = [-400.0]
    tracker = detector.track()
    for n in range(1, 81):
        found, expected = tracker.extend(rows[n - 1 : n]), detector.detect(rows[:n])
        assert found.indices == expected.indices
        assert found.scores == pytest.approx(expected.scores, rel=1e-12, abs=1e-12)


def test_an_error_leaves_the_tracker_as_it_was():
    tracker = MDL(unit=1e-100).track()
    tracker.extend([1.0, 2.0])
    for bad in ([math.nan], [1e80], ["x"]):
        with pytest.raises(SignalError):
            tracker.extend(bad)
    assert tracker.extend([3.0]) == MDL(unit=1e-100).detect([1.0, 2.0, 3.0])
