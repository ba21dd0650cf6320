# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Speed of Perfherder's method and of the window tests, alone and beside SciPy in a loop."""

from __future__ import annotations

import pytest

from cases import history
from measures import LEAST_SPEED_UP, WINDOW_TESTS, windows_beside_scipy
from stepmark import Signal, detect
from stepmark._kernels.loops import windows as loops

compiled = pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")


@compiled
@pytest.mark.parametrize("spec", ["perfherder", "student", *WINDOW_TESTS])
@pytest.mark.parametrize("points", [1_000, 100_000])
def test_windows(benchmark, points, spec):
    signal = Signal.of(history(points, steps=True))
    benchmark.group = f"windows, {points} points"
    detection = benchmark.pedantic(detect, (signal, spec), rounds=5, warmup_rounds=1)
    assert detection.indices


@compiled
@pytest.mark.parametrize("name", WINDOW_TESTS)
def test_a_hundred_times_as_fast_as_a_loop_over_scipy(name):
    found = windows_beside_scipy(name, 1_000)
    assert found[name].ratio.cpu >= LEAST_SPEED_UP
