# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark check``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stepmark.cli import NO_DATA, OK, REGRESSION
from stepmark.cli.options import Files, Output, Reading, To, present, progress
from stepmark.errors import UsageError

if TYPE_CHECKING:
    from stepmark.config import Settings


def check_command(
    files: Files,
    /,
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    last: Annotated[int, Parameter(help="Judge so many last points of each series.")] = 1,
    since: Annotated[
        str | None, Parameter(help="Judge every change after this revision or date.")
    ] = None,
    base: Annotated[
        list[str] | None,
        Parameter(help="History of the base branch that FILES continue.", negative=()),
    ] = None,
    output: Output = "text",
    to: To = None,
) -> int:
    """Judge the newest points: exit 1 if one brought a regression.

    A point that prolongs the existing group passes; one that starts a worse group, or makes it
    sure, fails, and a better group passes. Exit 3 where no series could be judged for lack of data.
    """
    from stepmark.alerts.policy import Outcome
    from stepmark.pipeline import Scope, check

    if last < 1:
        raise UsageError(f"--last is 1 or more, not {last}")
    if since == "":
        raise UsageError("--since is empty; give a revision or a date, or leave it out")
    if since is not None and base:
        raise UsageError("--since and --base exclude each other: give one of them")
    settings = reading.settings()
    loaded = reading.load(files, settings)
    baseline = reading.load(base, _named_as(files, settings)) if base else None
    scope = Scope(last=last, since=since or "")
    with progress("Checking") as tell:
        summary = check(loaded, settings, scope, base=baseline, progress=tell)
    present(summary, output, to)
    codes: dict[Outcome | None, int] = {Outcome.FAIL: REGRESSION, Outcome.PASS: OK}
    return codes.get(summary.outcome, NO_DATA)


def _named_as(files: list[str], settings: Settings) -> Settings:
    """*settings* by which a baseline's CSV columns are the same series as those of *files*."""
    if settings.columns.default_benchmark or len(files) != 1:
        return settings
    from pathlib import PurePath

    from stepmark.sources.base import Content

    named = Content(files[0], b"", None if files[0] == "-" else PurePath(files[0]))
    return replace(settings, columns=replace(settings.columns, default_benchmark=named.stem))
