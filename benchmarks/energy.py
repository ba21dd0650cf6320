# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The detectors with energy statistics beside the programs that they come from."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cases import history
from measures import Beside, call
from peers import OTAVA, SPA, Peer
from programs import interleaved, median, ratio, run
from stepmark.detectors import Otava

LEAST_FASTER = {"edivisive": 20, "otava": 5}
BESIDE: dict[str, tuple[Peer, str]] = {
    "edivisive": (SPA, "edivisive"),
    "otava": (OTAVA, "otava(compat=true)"),
}
Case = tuple[list[float], int, float, float]


def energy_beside_peers(name: str, points: int, *, steps: bool) -> dict[str, Beside]:
    """A peer with its settings, and how many times as fast the detector is with the same, in turn.

    Raises `RuntimeError` where ``otava(compat=true)`` does not find Otava's own changes.
    """
    peer, spec = BESIDE[name]
    values = history(points, steps=steps)
    theirs: list[int] = []
    ours: list[int] = []
    actions = [
        partial(call, peer.python(), peer.name, values, theirs),
        partial(call, sys.executable, spec, values, ours),
    ]
    base, others = interleaved(actions, 3)
    if peer is OTAVA and ours != theirs:
        raise RuntimeError(f"other changes than Otava: {ours}, not {theirs}")
    return {str(peer): Beside(median(base)), spec: Beside(median(others), ratio(base, others))}


def otava_cases(count: int) -> Iterator[Case]:
    """Series of many kinds (noise, steps, whole numbers, heavy tails, drifts), with settings."""
    source = random.Random(count)
    for i in range(count):
        level, values = 100.0, []
        for _ in range(source.randrange(3, 260)):
            level += source.gauss(0, 4) * (source.random() < 0.03) + source.gauss(0, 1) * (
                i % 6 == 5
            )
            values.append(level + source.gauss(0, 1) / (source.random() + 0.1 if i % 6 == 4 else 1))
        if i % 6 in (1, 2, 3):
            values = [round(value, i % 6 - 1) for value in values]
        window = source.choice((50, 30, 10, 3, 100, 300))
        pvalue = source.choice((0.001, 0.01, 0.0001, 0.1, 0.6))
        yield values, window, pvalue, source.choice((0.0, 0.0, 0.05))


def differences_from_otava(cases: list[Case]) -> list[int]:
    """The numbers of the cases in which ``otava(compat=true)`` finds other changes than Otava."""
    script = str(Path(__file__).parent / "otava_places.py")
    _, output = run([OTAVA.python(), script], stdin=json.dumps(cases))
    return [
        number
        for number, ((values, *settings), theirs) in enumerate(
            zip(cases, json.loads(output), strict=True)
        )
        if list(Otava(*settings, compat=True).detect(values).indices) != theirs
    ]
