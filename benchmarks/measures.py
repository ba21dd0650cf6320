# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What is measured, once for the tests and for the table."""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cases import history, write_csv
from peers import JUMPAVG, RUPTURES, RUSTURES, SKCHANGE
from programs import Cost, interleaved, median, ratio, run

TIMED_CALL = str(Path(__file__).parent / "timed_call.py")
SEARCHES = {"exact": "mdl", "jumpavg": "mdl(search=jumpavg)"}
STEPMARK = (sys.executable, "-m", "stepmark")
LEAST_SPEED_UP = 100
LEAST_OVER_PELT = 1_000
# Other libraries' exact optimum for the mean: the name in timed_call.py, and whose it is.
OPTIMA = {
    "skchange": ("FPOP", SKCHANGE),
    "rustures": ("Pelt", RUSTURES),
    "kernel": ("KernelCPD", RUPTURES),
    "pelt": ("Pelt", RUPTURES),
}
LINEAR_OPTIMA = ("skchange",)  # those that take linear time where nothing changes
WINDOW_TESTS = ("welch", "mwu", "ks", "cvm", "levene")
MOST_HELP, MOST_CHECK = 2.5, 5.0
REPORT_SERIES, REPORT_POINTS, CHECK_POINTS = 500, 100, 60


@dataclass(frozen=True, slots=True)
class Beside:
    """One program's median cost, and the ratio to the one it ran beside (None: it ran alone)."""

    cost: Cost
    ratio: Cost | None = None


def call(
    python: str,
    side: str,
    values: list[float],
    places: list[int] | None = None,
    form: str = "list",
) -> Cost:
    """The cost of one call of *side*, imports excluded; its places go into *places*."""
    _, output = run([python, TIMED_CALL, side, form], stdin=json.dumps(values))
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


def optima(points: int, names: Sequence[str], *, steps: bool, rounds: int = 5) -> dict[str, Beside]:
    """`fpop` and other libraries' exact optima by name, and how many times as long those take.

    All are given NumPy arrays, and the penalty 3 ln n in units of the noise, which is 1; "scaled"
    is `fpop` when it estimates the noise itself. Raises `RuntimeError` where places differ.
    """
    values, penalty = history(points, steps=steps), 3 * math.log(points)
    sides = {
        "fpop": (sys.executable, f"fpop(penalty={penalty!r}, scale=none)"),
        "scaled": (sys.executable, f"fpop(penalty={penalty!r})"),
        **{name: (OPTIMA[name][1].python(), f"optimum.{name}:{penalty!r}") for name in names},
    }
    places: dict[str, list[int]] = {name: [] for name in sides}
    ours, *others = interleaved(
        [partial(call, *side, values, places[name], "array") for name, side in sides.items()],
        rounds,
    )
    for name in names:
        if places[name] != places["fpop"]:
            raise RuntimeError(f"other places than {name}: {places['fpop']}, not {places[name]}")
    found = {n: Beside(median(o), ratio(o, ours)) for n, o in zip(names, others[1:], strict=True)}
    return {"fpop": Beside(median(ours)), "scaled": Beside(median(others[0])), **found}


def windows_beside_scipy(name: str, points: int, pairs: int = 5) -> dict[str, Beside]:
    """A loop over SciPy's test, and how many times as fast the detector *name* is, in turn."""
    values = history(points, steps=True)
    sides = (f"scipy.{name}", name)
    base, ours = interleaved([partial(call, sys.executable, side, values) for side in sides], pairs)
    return {sides[0]: Beside(median(base)), name: Beside(median(ours), ratio(base, ours))}


def detectors_alone(specs: Sequence[str], points: int, rounds: int = 3) -> dict[str, Beside]:
    """Each detector on a long history with steps."""
    values = history(points, steps=True)
    costs = interleaved([partial(call, sys.executable, spec, values) for spec in specs], rounds)
    return {spec: Beside(median(c)) for spec, c in zip(specs, costs, strict=True)}


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
