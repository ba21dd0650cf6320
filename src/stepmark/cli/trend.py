# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark trend``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from cyclopts import Parameter

from stepmark.cli.options import Files, Reading, To, code_of, emit, present, progress, terminal
from stepmark.errors import ConfigError, UsageError


def trend_command(
    files: Files,
    /,
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    short: Annotated[str | None, Parameter(help="Short-term window: 7d, 1w or 14 runs.")] = None,
    long: Annotated[str | None, Parameter(help="Long-term window: 90d, 13w or 180 runs.")] = None,
    output: Annotated[Literal["text", "json"], Parameter(help="Form of the result.")] = "text",
    to: To = None,
) -> int:
    """Show how each series' trend stands against a week and a quarter ago.

    The trend is the mean of the segment that the last point lies in, as the detector divides the
    series. Windows are lengths of time, or numbers of runs; series without times use 14 and 180
    runs.
    """
    from stepmark.config import Span
    from stepmark.pipeline import analyse
    from stepmark.reports.text import render_trend

    settings = reading.settings()
    try:
        windows = replace(
            settings.compliance,
            short=Span.parse(short) if short is not None else settings.compliance.short,
            long=Span.parse(long) if long is not None else settings.compliance.long,
        )
    except ConfigError as error:
        raise UsageError(f"--short, --long: {error}") from None
    settings = replace(settings, compliance=windows)
    loaded = reading.load(files, settings)
    with progress("Detecting") as tell:
        summary = analyse(loaded, settings, progress=tell, title="Stepmark trend")
    if output == "text":
        shown = terminal() if to is None else {}
        shown.pop("charts", None)
        emit(render_trend(summary, **shown), to)
    else:
        present(summary, output, to)
    return code_of(summary)
