# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Measures everything and writes the figures as Markdown.

``python benchmarks/table.py`` prints them; ``python benchmarks/table.py PAGE.md`` puts them into a
page, between the lines that mark their beginning and end.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bayesian import bocpd_table
from energy import BESIDE, LEAST_FASTER, energy_beside_peers
from measures import (
    CHECK_POINTS,
    LEAST_OVER_PELT,
    LEAST_SPEED_UP,
    LINEAR_OPTIMA,
    MOST_CHECK,
    MOST_HELP,
    OPTIMA,
    REPORT_POINTS,
    REPORT_SERIES,
    WINDOW_TESTS,
    Beside,
    detectors_alone,
    optima,
    report,
    searches_alone,
    searches_beside_jumpavg,
    startup,
    windows_beside_scipy,
)
from page import machine, put
from peers import JUMPAVG

LONG = 100_000
PELT_POINTS = 10_000
PARTITIONS = (
    "The optimum for the mean, exact in all of these, at one penalty and of NumPy arrays; `fpop` is"
    f" no slower than any, and at least {LEAST_OVER_PELT:,} times as fast as ruptures' Pelt at"
    f" {PELT_POINTS:,} points:"
)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.9995 else f"{value * 1e3:.3g} ms"


def searches() -> Iterator[str]:
    yield f"| Series | {JUMPAVG} | `mdl` | times as fast | `mdl(search=jumpavg)` | times as fast |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for points in (1_000, 5_000):
        for steps in (False, True):
            kind = "a step every 100" if steps else "no step"
            if points == 1_000:
                found = searches_beside_jumpavg(points, steps=steps)
            else:
                found = searches_alone(points, steps=steps)
            base = found.get(str(JUMPAVG))
            cells = [f"{points:,} points, {kind}", seconds(base.cost.cpu) if base else "-"]
            for name in ("exact", "jumpavg"):
                cells += [seconds(found[name].cost.cpu), _times(found[name])]
            yield f"| {' | '.join(cells)} |"


def partitions() -> Iterator[str]:
    """The optimum for the mean: a column for each library, as long as it takes no minutes."""
    titles = [f"{kind} of {peer}" for kind, peer in OPTIMA.values()]
    yield f"| Series | `fpop` | noise estimated | {' | '.join(titles)} |"
    yield f"| --- | ---: | ---: | {' | '.join('---:' for _ in titles)} |"
    for points in (1_000, 10_000, LONG):
        for steps in (False, True):
            names = [n for n in OPTIMA if _is_quick(n, points, steps=steps)]
            found = optima(points, names, steps=steps)
            if points == PELT_POINTS and steps:
                found |= {"pelt": optima(points, ["pelt"], steps=steps, rounds=1)["pelt"]}
            cells = [f"{points:,} points, {'a step every 100' if steps else 'no step'}"]
            cells += [seconds(found[name].cost.cpu) for name in ("fpop", "scaled")]
            for name in OPTIMA:
                beside = found.get(name)
                times = beside.ratio.cpu if beside and beside.ratio else 0.0
                written = f"{times:.1f}" if times < 100 else f"{times:,.0f}"
                cells.append(f"{seconds(beside.cost.cpu)} ({written} x)" if beside else "-")
            yield f"| {' | '.join(cells)} |"


def _is_quick(name: str, points: int, *, steps: bool) -> bool:
    if name == "pelt":
        return points <= 1_000
    return name in LINEAR_OPTIMA or steps or points <= 10_000


def robust() -> Iterator[str]:
    losses = ("rfpop", *(f"rfpop(loss={name})" for name in ("huber", "l1", "l2")))
    found = detectors_alone(losses, LONG)
    yield f"| {' | '.join(f'`{name}`' for name in found)} |"
    yield f"| {' | '.join('---:' for _ in found)} |"
    yield f"| {' | '.join(seconds(beside.cost.cpu) for beside in found.values())} |"


def windows() -> Iterator[str]:
    yield "| Detector | SciPy's test in a loop, 1,000 points | 1,000 points | times as fast |"
    yield "| --- | ---: | ---: | ---: |"
    for name in WINDOW_TESTS:
        base, ours = windows_beside_scipy(name, 1_000).values()
        costs = f"{seconds(base.cost.cpu)} | {seconds(ours.cost.cpu)} | {_times(ours)}"
        yield f"| `{name}` | {costs} |"


def long_windows() -> Iterator[str]:
    found = detectors_alone(("perfherder", "student", *WINDOW_TESTS), LONG)
    yield f"| {' | '.join(f'`{name}`' for name in found)} |"
    yield f"| {' | '.join('---:' for _ in found)} |"
    yield f"| {' | '.join(seconds(beside.cost.cpu) for beside in found.values())} |"


def energies() -> Iterator[str]:
    yield "| Series of 1,000 points | from | there | here | times as fast | at least |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for name in BESIDE:
        for steps in (False, True):
            found = energy_beside_peers(name, 1_000, steps=steps)
            (peer, base), (spec, ours) = found.items()
            kind = f"`{spec}`, {'a step every 100' if steps else 'no step'}"
            costs = f"{seconds(base.cost.cpu)} | {seconds(ours.cost.cpu)} | {_times(ours)}"
            yield f"| {kind} | {peer} | {costs} | {LEAST_FASTER[name]} |"


def _times(beside: Beside) -> str:
    return f"{beside.ratio.cpu:.0f}" if beside.ratio else "-"


def starts(folder: Path) -> Iterator[str]:
    yield "| Command | processor | clock | times `import numpy` (processor, clock) | at most |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for limit, (name, found) in zip(
        ("", MOST_HELP, MOST_CHECK, ""), startup(folder).items(), strict=True
    ):
        times = f"{found.ratio.cpu:.2f}, {found.ratio.wall:.2f}" if found.ratio else "1"
        cost = f"{seconds(found.cost.cpu)} | {seconds(found.cost.wall)}"
        yield f"| `{name}` | {cost} | {times} | {limit} |"


def pages(folder: Path) -> Iterator[str]:
    page = report(folder)
    yield "| Report | processor | clock | size | gzipped |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    what = f"{REPORT_SERIES} series of {REPORT_POINTS} points, from CSV to page"
    times = f"{seconds(page.cost.cpu)} | {seconds(page.cost.wall)}"
    yield f"| {what} | {times} | {page.size / 1e6:.2f} MB | {page.packed / 1e6:.2f} MB |"


def figures() -> str:
    """All figures, as Markdown."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return "\n".join(
            [
                machine(),
                "",
                f"One call, imports excluded; at least {LEAST_SPEED_UP} times as fast as jumpavg:",
                "",
                *searches(),
                "",
                PARTITIONS,
                "",
                *partitions(),
                "",
                f"Robust losses on {LONG:,} points with a step every 100:",
                "",
                *robust(),
                "",
                f"Window tests; at least {LEAST_SPEED_UP} times as fast as SciPy point by point:",
                "",
                *windows(),
                "",
                f"The same on {LONG:,} points with a step every 100:",
                "",
                *long_windows(),
                "",
                "Energy statistics, with the settings of the program they come from:",
                "",
                *energies(),
                "",
                "Bayesian online detection beside compiled packages:",
                "",
                *bocpd_table(seconds),
                "",
                f"A cold start; the CSV file has a series of {CHECK_POINTS} points with a step:",
                "",
                *starts(folder),
                "",
                "The page of many series:",
                "",
                *pages(folder),
            ]
        )


def main(arguments: list[str]) -> None:
    found = figures()
    if not arguments:
        print(found)
        return
    put(Path(arguments[0]), found)


main(sys.argv[1:])
