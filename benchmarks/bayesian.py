# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Bayesian online detection beside compiled packages."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from functools import partial

from cases import history
from measures import Beside, call
from peers import CHANGEPOINT, CHANGEPOINT_DOCTOR, FAST_BOCPD
from programs import interleaved, median, ratio

PACKAGES = (CHANGEPOINT, CHANGEPOINT_DOCTOR, FAST_BOCPD)
POINTS = 1_000


def bocpd_beside_peers(points: int, *, steps: bool, pairs: int = 5) -> dict[str, Beside]:
    """`bocpd`, and each package with the times that it takes of that, measured in turn.

    All with the same prior and hazard; a package keeps as many run lengths as it does by default.
    """
    values = history(points, steps=steps)
    middle, spread = statistics.fmean(values), statistics.stdev(values)
    values = [(value - middle) / spread for value in values]
    actions = [partial(call, sys.executable, "bocpd", values)]
    actions += [partial(call, peer.python(), f"bocpd.{peer.name}", values) for peer in PACKAGES]
    base, *others = interleaved(actions, pairs)
    found = {"bocpd": Beside(median(base))}
    for peer, costs in zip(PACKAGES, others, strict=True):
        found[str(peer)] = Beside(median(costs), ratio(costs, base))
    return found


def bocpd_table(seconds) -> Iterator[str]:
    """The figures as lines of Markdown; *seconds* writes a time."""
    names = " | ".join(f"{peer} | times as long" for peer in PACKAGES)
    yield f"| Series | `bocpd` | {names} |"
    yield f"| --- |{' ---: |' * (1 + 2 * len(PACKAGES))}"
    for steps in (False, True):
        kind = "a step every 100" if steps else "no step"
        ours, *others = bocpd_beside_peers(POINTS, steps=steps).values()
        cells = [f"{POINTS:,} points, {kind}", seconds(ours.cost.cpu)]
        for beside in others:
            cells += [seconds(beside.cost.cpu), f"{beside.ratio.cpu:.1f}"]
        yield f"| {' | '.join(cells)} |"
