# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Speed of the optimal partitions: beside other libraries that find the same, and robust ones."""

from __future__ import annotations

import numpy as np
import pytest

from cases import history
from measures import LEAST_OVER_PELT, LINEAR_OPTIMA, optima
from stepmark import detect
from stepmark._kernels.loops import fpop as loops

compiled = pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")
both = pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])


@compiled
@both
@pytest.mark.parametrize("points", [1_000, 10_000, 100_000])
def test_no_slower_than_the_fastest_exact_peer(points, steps):
    quick = steps or points <= 1_000
    names = (*LINEAR_OPTIMA, "rustures", "kernel") if quick else LINEAR_OPTIMA
    found = optima(points, names, steps=steps)
    for name in names:
        assert found[name].ratio.cpu >= 1, name


@compiled
def test_a_thousand_times_as_fast_as_pelt_of_ruptures():
    found = optima(10_000, ["pelt"], steps=True, rounds=1)
    assert found["pelt"].ratio.cpu >= LEAST_OVER_PELT


@compiled
@both
@pytest.mark.parametrize("loss", ["outlier", "huber", "l1", "l2"])
@pytest.mark.parametrize("points", [1_000, 100_000])
def test_robust(benchmark, points, loss, steps):
    values = np.array(history(points, steps=steps))
    benchmark.group = f"rfpop, {points} points"
    given = (values, f"rfpop(loss={loss})")
    detection = benchmark.pedantic(detect, given, rounds=3, warmup_rounds=1)
    assert detection.length == points
