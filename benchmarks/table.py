# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Measures everything and writes the figures as Markdown.

``python benchmarks/table.py`` prints them; ``python benchmarks/table.py PAGE.md`` puts them into a
page, between the lines that mark their beginning and end.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import stepmark
from measures import (
    CHECK_POINTS,
    LEAST_SPEED_UP,
    MOST_CHECK,
    MOST_HELP,
    REPORT_POINTS,
    REPORT_SERIES,
    Beside,
    report,
    searches_alone,
    searches_beside_jumpavg,
    startup,
)
from peers import JUMPAVG
from stepmark._kernels.loops import mdl as loops

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.9995 else f"{value * 1e3:.3g} ms"


def machine() -> str:
    model = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = facts.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
        model = " ".join(names[0].split()) if names else model
    form = "compiled" if loops.COMPILED else "interpreted"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {model}, {os.cpu_count()} cores, {platform.system()},"
        f" Python {platform.python_version()}, NumPy {version('numpy')},"
        f" Stepmark {stepmark.__version__} with {form} kernels."
    )


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
    page = Path(arguments[0])
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{page}: has no lines {BEGIN} and {END} to put the figures between")
    page.write_text(f"{before}{BEGIN}\n\n{found}\n\n{END}{after}", encoding="utf-8")


main(sys.argv[1:])
