# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stepmark.cli.options import Files, Reading, code_of, emit, progress


def report_command(
    files: Files,
    /,
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    title: Annotated[str, Parameter(help="Heading of the page.")] = "Performance report",
    to: Annotated[Path, Parameter(help="The page to write.")] = Path("stepmark-report.html"),
) -> int:
    """Write one HTML page that works offline: charts, changes, trend table, failures."""
    from stepmark.pipeline import analyse
    from stepmark.reports import render

    settings = reading.settings()
    loaded = reading.load(files, settings)
    with progress("Detecting") as tell:
        summary = analyse(loaded, settings, progress=tell, title=title)
    emit(render(summary, "html"), to)
    emit(f"Wrote {to}\n", None)
    return code_of(summary)
