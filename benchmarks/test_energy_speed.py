# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Speed of e-divisive and Otava's detection beside the programs they come from, and equality."""

from __future__ import annotations

import pytest

from cases import history
from energy import BESIDE, LEAST_FASTER, differences_from_otava, energy_beside_peers, otava_cases
from stepmark import Signal, detect
from stepmark._kernels.loops import energy as loops

compiled = pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")


@compiled
@pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])
@pytest.mark.parametrize("spec", ["edivisive", "otava", "ecp", "kcpa(maxcp=20)"])
def test_alone(benchmark, spec, steps):
    signal = Signal.of(history(1_000, steps=steps))
    benchmark.group = "energy statistics, 1,000 points"
    benchmark.pedantic(detect, (signal, spec), rounds=3, warmup_rounds=1)


@compiled
@pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])
@pytest.mark.parametrize("name", BESIDE)
def test_faster_than_the_peer(name, steps):
    _, ours = energy_beside_peers(name, 1_000, steps=steps).values()
    assert ours.ratio.cpu >= LEAST_FASTER[name]


def test_equal_to_otava():
    assert differences_from_otava(list(otava_cases(600))) == []
