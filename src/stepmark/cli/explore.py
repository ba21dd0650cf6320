# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark dataset explore``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stepmark.cli import NO_DATA, OK
from stepmark.cli.options import To, emit, progress, require_writable, tell

if TYPE_CHECKING:
    from stepmark.datasets.research import Research

Output = Annotated[
    Literal["html", "json", "markdown", "text"] | None,
    Parameter(help="Form of the result; else that of the name after --to, else text."),
]
_FORMS = {".html": "html", ".htm": "html", ".json": "json", ".md": "markdown"}


def explore_command(
    source: Annotated[
        Path,
        Parameter(help="A research data set, or what one is made of: an extraction or artifact."),
    ],
    /,
    *,
    output: Output = None,
    to: To = None,
) -> int:
    """Say what a research data set tells: alerts, times, noise, and what to change.

    The page (`--to page.html`) works offline. Without alerts and measurements the exit code is 3.
    """
    from stepmark.datasets.exploration import explore
    from stepmark.reports.explore import render

    require_writable(to)
    form = output or _FORMS.get(to.suffix.lower() if to is not None else "", "text")
    with _opened(source) as research:
        with progress("Exploring") as told:
            found = explore(research, progress=told)
        emit(render(found, form), to)
    if found.tables.alerts.height or found.profiles.height:
        return OK
    tell(f"{source}: no alerts and no series")
    return NO_DATA


@contextmanager
def _opened(source: Path) -> Iterator[Research]:
    """The research data set in *source*; another source is imported into a folder of its own."""
    from stepmark.datasets.research import is_research, open_research
    from stepmark.datasets.research.building import import_research, open_material

    if is_research(source) or not source.is_dir():
        yield open_research(source)
        return
    open_material(source)  # what is neither is told before a folder is made
    with TemporaryDirectory(prefix="stepmark-") as folder:
        made = Path(folder) / "research"
        with progress("Importing") as told:
            known: Callable[[int, int], None] = told or (lambda *_: None)
            import_research(source, made, name=source.resolve().name, progress=known)
        yield open_research(made)
