# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Robust losses: against a plain search, and against robust-fpop as the Turing benchmark ran it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from kernels import interpreted
from stepmark._kernels import rfpop as kernels
from stepmark._kernels.loops import rfpop as loops
from stepmark._kernels.rfpop import Loss, robust_partition
from stepmark.detectors import FPOP, RFPOP
from stepmark.errors import SignalError, SpecError

LOSSES = ("outlier", "huber", "l1", "l2")


def tcpd(shared_data):
    """Name and values of each series of the Turing Change Point Dataset that is at hand."""
    for file in sorted((shared_data / "tcpd" / "datasets").glob("*.json")):
        raw = json.loads(file.read_text())["series"][0]["raw"]
        yield file.stem, np.array([math.nan if v is None else v for v in raw], dtype=float)


def places(loss, values):
    """What the benchmark keeps of our changes; None where the signal is refused."""
    try:
        found = RFPOP(loss=loss).detect(values)
    except SignalError:
        return None
    return list(found.indices)


def test_equals_the_benchmark_by_default(shared_data):
    expected = json.loads((shared_data / "tcpd" / "default_results.json").read_text())
    seen = 0
    for name, values in tcpd(shared_data):
        assert places("outlier", values) == expected[name]["rfpop"]["cplocations"], name
        seen += 1
    assert seen == len(expected)


def test_equals_the_benchmark_for_every_loss(shared_data):
    expected = json.loads((shared_data / "tcpd" / "grid_results.json").read_text())
    seen = 0
    for name, values in tcpd(shared_data):
        for (loss,), changes, *_ in expected["rfpop"]["results"][name]:
            assert places(loss.lower(), values) == changes, (name, loss)
            seen += 1
    assert seen == 4 * len(expected["rfpop"]["results"])


def loss_of(kind, width, distances):
    d = np.abs(distances)
    if kind is Loss.L1:
        return d
    if kind is Loss.CONSTANT:
        return np.minimum(d, width) ** 2
    return np.where(d <= width, d * d, 2 * width * d - width * width)


def segment_cost(kind, width, values):
    """The least loss around one level.

    It is at a value, or at the mean of those values that lie within the width of the level; these
    are neighbours in order of size. Huber's is convex, so that halving finds it.
    """
    if kind is Loss.HUBER:
        low, high = float(values.min()), float(values.max())
        for _ in range(80):
            middle = (low + high) / 2
            slope = np.clip(middle - values, -width, width).sum()
            low, high = (low, middle) if slope > 0 else (middle, high)
        levels = np.array([low])
    elif kind is Loss.L1:
        levels = np.array([np.median(values)])
    else:
        ordered = np.sort(values)
        n = len(ordered)
        levels = np.array([ordered[a:b].mean() for a in range(n) for b in range(a + 1, n + 1)])
    return min(loss_of(kind, width, values - level).sum() for level in levels)


def plain_recursion(kind, width, penalty, values):
    n = len(values)
    best = [-penalty]
    for t in range(1, n + 1):
        best.append(
            min(best[s] + penalty + segment_cost(kind, width, values[s:t]) for s in range(t))
        )
    return best[n]


@pytest.mark.parametrize(
    ("kind", "width"),
    [(Loss.L1, 0.0), (Loss.HUBER, 1.345), (Loss.CONSTANT, 3.0), (Loss.CONSTANT, math.inf)],
)
def test_is_the_optimum(kind, width):
    rng = np.random.default_rng(int(10 * min(width, 5)))
    for i in range(25):
        n = int(rng.integers(1, 15))
        values = rng.standard_t(2, n) + 4 * (np.arange(n) > n // 2)
        if i % 3 == 0:
            values = np.round(values)
        penalty = float(rng.choice([0.5, 2.0, 6.0]))
        starts = robust_partition(values, kind, width, penalty)
        parts = np.split(values, starts)
        cost = sum(segment_cost(kind, width, p) for p in parts) + penalty * len(starts)
        assert cost == pytest.approx(plain_recursion(kind, width, penalty, values), abs=1e-9)


def test_squares_give_the_optimum_for_the_mean():
    rng = np.random.default_rng(6)
    for n in (10, 100, 1500):
        values = rng.normal(0, 1, n) + np.cumsum((rng.random(n) < 0.02) * 5)
        starts = robust_partition(values, Loss.CONSTANT, math.inf, 9.0)
        assert tuple(starts) == FPOP(penalty=9.0, scale=None).detect(values).indices


def test_outliers_are_no_changes():
    rng = np.random.default_rng(1)
    values = 100 + rng.normal(0, 1, 200) + 6 * (np.arange(200) >= 120)
    values[[20, 21, 77, 150]] += (40, 35, -60, 50)
    assert RFPOP().detect(values).indices == (120,)
    assert len(FPOP().detect(values).indices) > 1


def test_where_half_the_differences_are_equal():
    assert RFPOP().detect([1.0] * 30 + [9.0] * 30).indices == (30,)
    assert RFPOP(loss="l1").detect([1.0] * 30 + [9.0] * 30).indices == (30,)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**900])
def test_does_not_depend_on_the_unit(loss, factor):
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, 80) + 9 * (np.arange(80) > 50)
    assert RFPOP(loss=loss).detect(values * factor) == RFPOP(loss=loss).detect(values)


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "l3"},
        {"penalty": -1},
        {"penalty": "bic"},
        {"penalty": math.inf},
        {"threshold": 0},
        {"threshold": math.nan},
        {"loss": "l1", "threshold": 2.0},
        {"loss": "l2", "threshold": 2.0},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="rfpop"):
        RFPOP(**parameters)


@pytest.mark.parametrize("loss", LOSSES)
def test_both_forms_of_the_kernel_agree(loss, monkeypatch):
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    rng = np.random.default_rng(2)
    samples = [rng.standard_t(2, 150) + 3 * (np.arange(150) > 60) for _ in range(3)]
    compiled = [RFPOP(loss=loss).detect(values) for values in samples]
    other = interpreted("rfpop")
    monkeypatch.setattr(
        kernels, "robust_partition", lambda *given: robust_partition(*given, kernel=other)
    )
    assert [RFPOP(loss=loss).detect(values) for values in samples] == compiled


def test_pieces_outgrow_their_buffers(monkeypatch):
    values = np.random.default_rng(7).normal(0, 1, 2000)
    expected = robust_partition(values, Loss.L1, 0.0, 8.0)
    monkeypatch.setattr(kernels, "_PIECES", 4)
    assert robust_partition(values, Loss.L1, 0.0, 8.0) == expected
