# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Speed of Bayesian online detection, alone and beside compiled packages."""

from __future__ import annotations

import pytest

from bayesian import PACKAGES, POINTS, bocpd_beside_peers
from cases import history
from stepmark import Signal, detect
from stepmark._kernels.loops import bocpd as loops
from stepmark.plugins import parse_detector

compiled = pytest.mark.skipif(not loops.COMPILED, reason="the kernels run interpreted")


@compiled
@pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])
@pytest.mark.parametrize("points", [1_000, 10_000])
def test_bocpd(benchmark, points, steps):
    signal = Signal.of(history(points, steps=steps))
    benchmark.group = f"bocpd, {points} points"
    detection = benchmark.pedantic(detect, (signal, "bocpd"), rounds=5, warmup_rounds=1)
    assert bool(detection.indices) == steps


@compiled
@pytest.mark.parametrize("spec", ["bocpd(m=100, scale=none)", "mdl(unit=0.02, maximum=200)"])
def test_one_more_point(benchmark, spec):
    values = history(3_000, steps=True)
    tracker = parse_detector(spec).track()
    tracker.extend(values[:2_000])
    rest = iter(values[2_000:])
    benchmark.group = "one point more than 2,000"
    benchmark.pedantic(lambda: tracker.extend([next(rest)]), rounds=500, warmup_rounds=1)


@compiled
@pytest.mark.parametrize("steps", [False, True], ids=["no-step", "steps"])
def test_no_slower_than_compiled_packages(steps):
    found = bocpd_beside_peers(POINTS, steps=steps)
    for peer in PACKAGES:
        assert found[str(peer)].ratio.cpu >= 1, peer
