# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What is measured, once for the tests and for the table."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cases import history, write_csv
from peers import JUMPAVG
from programs import Cost, interleaved, median, ratio, run

TIMED_CALL = str(Path(__file__).parent / "timed_call.py")
SEARCHES = {"exact": "mdl", "jumpavg": "mdl(search=jumpavg)"}
STEPMARK = (sys.executable, "-m", "stepmark")
LEAST_SPEED_UP = 100
MOST_HELP, MOST_CHECK = 2.5, 5.0
REPORT_SERIES, REPORT_POINTS, CHECK_POINTS = 500, 100, 60


@dataclass(frozen=True, slots=True)
class Beside:
    """One program's median cost, and the ratio to the one it ran beside (None: it ran alone)."""

    cost: Cost
    ratio: Cost | None = None


def call(python: str, side: str, values: list[float], places: list[int] | None = None) -> Cost:
    """The cost of one call of *side*, imports excluded; its places go into *places*."""
    _, output = run([python, TIMED_CALL, side], stdin=json.dumps(values))
    found = json.loads(output)
    if places is not None:
        places[:] = found["places"]
    return Cost(found["cpu"], found["wall"])


def searches_beside_jumpavg(points: int, *, steps: bool, pairs: int = 5) -> dict[str, Beside]:
    """jumpavg, and how many times as fast each search of `mdl` is, measured in turn.

    Raises `RuntimeError` where ``mdl(search=jumpavg)`` does not find jumpavg's own groups.
    """
    values = history(points, steps=steps)
    theirs: list[int] = []
    ours: dict[str, list[int]] = {name: [] for name in SEARCHES}
    actions: list[Callable[[], Cost]] = [partial(call, JUMPAVG.python(), "jumpavg", values, theirs)]
    actions += [
        partial(call, sys.executable, SEARCHES[name], values, ours[name]) for name in SEARCHES
    ]
    base, *others = interleaved(actions, pairs)
    if ours["jumpavg"] != theirs:
        raise RuntimeError(f"other groups than jumpavg: {ours['jumpavg']}, not {theirs}")
    found = {name: Beside(median(o), ratio(base, o)) for name, o in zip(ours, others, strict=True)}
    return {str(JUMPAVG): Beside(median(base)), **found}


def searches_alone(points: int, *, steps: bool, rounds: int = 5) -> dict[str, Beside]:
    """Each search of `mdl` where jumpavg would take minutes."""
    values = history(points, steps=steps)
    actions = [partial(call, sys.executable, spec, values) for spec in SEARCHES.values()]
    costs = interleaved(actions, rounds)
    return {name: Beside(median(c)) for name, c in zip(SEARCHES, costs, strict=True)}


def startup(folder: Path, pairs: int = 9) -> dict[str, Beside]:
    """``import numpy``, and the ratios of ``--help`` and a cold ``check`` of a CSV file to it."""
    file = folder / "results.csv"
    write_csv(file, series=1, points=CHECK_POINTS)
    check = [*STEPMARK, "check", str(file), "--direction=lower"]
    commands = {
        "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
        "stepmark --help": [*STEPMARK, "--help"],
        "stepmark check results.csv": check,
        "stepmark check --output=json results.csv": [*check, "--output=json"],
    }
    base, *others = interleaved([partial(_cost, c) for c in commands.values()], pairs)
    first, *names = commands
    found = {name: Beside(median(o), ratio(o, base)) for name, o in zip(names, others, strict=True)}
    return {first: Beside(median(base)), **found}


def _cost(command: list[str]) -> Cost:
    cost, output = run(command)
    if "import numpy" not in command and not output:
        raise RuntimeError(f"{command} printed nothing")
    return cost


@dataclass(frozen=True, slots=True)
class Page:
    """A written report: what it took from CSV to page, its size, and gzipped, in bytes."""

    cost: Cost
    size: int
    packed: int


def report(folder: Path, rounds: int = 5) -> Page:
    """``stepmark report`` of many series."""
    file, page = folder / "many.csv", folder / "report.html"
    write_csv(file, REPORT_SERIES, REPORT_POINTS)
    command = [*STEPMARK, "report", str(file), "--direction=lower", "--to", str(page)]
    (costs,) = interleaved([partial(_cost, command)], rounds)
    content = page.read_bytes()
    return Page(median(costs), len(content), len(gzip.compress(content)))
