# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""An exploration as one HTML page that works offline: what to change, and the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stepmark import __version__
from stepmark.datasets.exploration import Exploration, Part
from stepmark.reports import page, words
from stepmark.reports.explore import cell, facts, head, headline
from stepmark.reports.explorefigures import figure, percent

MOST_ROWS = 300
"""Rows of a table on the page; the JSON has all."""

_FOLDED = 20
_SHARES = frozenset(
    (
        *("traction", "fixed", "gain", "gain low", "gain high"),
        *("power", "power with more runs"),
    )
)


@dataclass(frozen=True, slots=True)
class Data:
    """A cell: its text, what it is sorted by, and whether it is a number."""

    text: str
    value: float | None
    number: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A part as the page shows it."""

    part: Part
    chart: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Data, ...], ...]
    more: int


def render(found: Exploration) -> str:
    """*found* as a complete HTML document."""
    scripts = {"first": page.FIRST_SCRIPT, "page": page.asset("page.js")}
    sheets = ("page.css", "bench.css", "explore.css")
    document: str = _template().render(
        found=found,
        title=f"{words.name(found.name, 80)}: exploration",
        headline=headline(found),
        facts=facts(found),
        chapters=[(c, [_shown(part) for part in c.parts]) for c in found.chapters()],
        version=__version__,
        folded=_FOLDED,
        css="".join(page.asset(name) for name in sheets),
        scripts=scripts,
        policy=page.policy(scripts.values()),
    )
    return document


def _shown(part: Part) -> Shown:
    frame = part.frame
    numeric = {name: kind.is_numeric() for name, kind in frame.schema.items()}
    rows = tuple(
        tuple(
            Data(
                cell(part, name, value),
                value if numeric[name] else None,
                numeric[name],
            )
            for name, value in zip(frame.columns, row, strict=True)
        )
        for row in frame.head(MOST_ROWS).iter_rows()
    )
    return Shown(
        part=part,
        chart=figure(part),
        heads=tuple((head(name), numeric[name]) for name in frame.columns),
        rows=rows,
        more=max(0, frame.height - MOST_ROWS),
    )


def _evidence(name: str, value: float | str) -> str:
    if isinstance(value, str):
        return words.clean(value)
    return percent(value) if name in _SHARES else words.number(value)


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = page.environment()
    environment.globals |= {"percent": percent, "evidence": _evidence}
    return environment.from_string(page.asset("explore.html"))
