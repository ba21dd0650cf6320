# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark explain``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from stepmark.cli import NO_DATA, OK
from stepmark.cli.options import Reading, To, emit


def explain_command(
    file: str,
    series: Annotated[str, Parameter(help="Name, glob or a part of the name of one series.")],
    /,
    *,
    at: Annotated[
        str | None, Parameter(help="Revision, date or point number; else every change found.")
    ] = None,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    to: To = None,
) -> int:
    """Say why a place is, or is not, a change: segments, effect, score, nearest alternatives."""
    from stepmark.pipeline import explained
    from stepmark.reports.explain import render

    settings = reading.settings()
    loaded = reading.load([file], settings)
    items = explained(loaded, series, at, settings)
    if not items:
        emit("No change was found in this series; --at asks about one place.\n", to)
        return OK if any(len(s) > 1 for s in loaded.series) else NO_DATA
    emit("\n".join(render(item) for item in items), to)
    return OK
