# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Speed of the description-length searches, alone and beside jumpavg."""

from __future__ import annotations

import pytest

from cases import history
from measures import LEAST_SPEED_UP, SEARCHES, searches_beside_jumpavg
from stepmark import Signal, detect
from stepmark._kernels.loops import mdl as loops

compiled = pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")


@compiled
@pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("points", [100, 1_000, 5_000])
def test_search(benchmark, points, search, steps):
    signal = Signal.of(history(points, steps=steps))
    benchmark.group = f"mdl, {points} points"
    detection = benchmark.pedantic(detect, (signal, SEARCHES[search]), rounds=7, warmup_rounds=1)
    assert bool(detection.indices) == (steps and points > 100)


@compiled
@pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])
def test_a_hundred_times_as_fast_as_jumpavg(steps):
    found = searches_beside_jumpavg(1_000, steps=steps)
    for search in SEARCHES:
        assert found[search].ratio.cpu >= LEAST_SPEED_UP, search
