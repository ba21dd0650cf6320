# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark demo``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stepmark.cli import OK
from stepmark.cli.options import emit, present


def demo_command(
    *,
    to: Annotated[Path, Parameter(help="The page to write.")] = Path("stepmark-demo.html"),
) -> int:
    """Find the changes in a real history that ships with Stepmark, and write the report.

    The history holds times of pure-Python libraries over their releases, measured on one machine.
    """
    from stepmark.config import Settings
    from stepmark.pipeline import analyse, load
    from stepmark.reports import render
    from stepmark.series import Aggregate

    settings = Settings(aggregate=Aggregate.MEDIAN)
    history = files("stepmark") / "demo" / "history.csv"
    loaded = load([history.read_bytes()], "csv", settings)
    summary = analyse(loaded, settings, title="Stepmark demo: Python libraries over their releases")
    present(summary, "text", None)
    emit(render(summary, "html"), to)
    emit(f"\nThe report is at {to.absolute()}\n", None)
    return OK
