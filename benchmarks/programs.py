# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Runs programs in turn and compares what they took.

Two programs that are compared run alternately, and their ratio is taken pair by pair: what else
the machine does in the meantime then slows both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".benchmarks-peers"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time over all cores, and seconds by the clock (or ratios of them)."""

    cpu: float
    wall: float


def run(
    command: Sequence[str], *, stdin: str = "", codes: Sequence[int] = (0,)
) -> tuple[Cost, str]:
    """What *command* took, start and end of the process included, and its standard output.

    Raises `RuntimeError` where its exit code is none of *codes*.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
        source.write(stdin.encode())
        source.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=sink, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        sink.seek(0)
        output = sink.read().decode()
    if process.returncode not in codes:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall), output


def _environment() -> dict[str, str]:
    """Bytecode is kept, as it is for an installed package."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(CACHE / "bytecode")}


def interleaved(actions: Sequence[Callable[[], Cost]], rounds: int) -> list[list[Cost]]:
    """The costs of each action, done in turn (A B A B ...) after one round that is not kept."""
    kept: list[list[Cost]] = [[] for _ in actions]
    for action in actions:
        action()
    for _ in range(rounds):
        for costs, action in zip(kept, actions, strict=True):
            costs.append(action())
    return kept


def median(costs: Sequence[Cost]) -> Cost:
    """The medians of both times."""
    return Cost(statistics.median(c.cpu for c in costs), statistics.median(c.wall for c in costs))


def ratio(over: Sequence[Cost], under: Sequence[Cost]) -> Cost:
    """The medians of the ratios of costs that were measured side by side."""
    pairs = zip(over, under, strict=True)
    return median([Cost(a.cpu / b.cpu, a.wall / b.wall) for a, b in pairs])
