# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the columns of a table mean: by settings, by name, and by what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any

from stepmark.config import Columns
from stepmark.errors import InputError, suggest
from stepmark.sources.base import Collector, Content, too_long
from stepmark.sources.tables import (
    ABSENT,
    ATTRIBUTES,
    IGNORED,
    SYNONYMS,
    is_numeric,
    normal,
    read_samples,
)
from stepmark.sources.text import shown
from stepmark.sources.values import AmbiguousTimeError, parse_time

_HEAD = 50
_MOST_DISTINCT = 10_000
_KNOWN_BY_NAME = ("revision", "metric", "value", "unit", "direction", "run", "project")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts, whatever it was written in.

    Attributes:
        content: the file that it comes from.
        header: the names of its columns; empty for a bare column of numbers.
        rows: gives the number of each row (what messages call it) and its cells, from the start
            each time it is called.
        decimal_comma: whether ``1,5`` is a number.
    """

    content: Content
    header: tuple[str, ...]
    rows: Callable[[], Iterator[tuple[int, list[str]]]]
    decimal_comma: bool = False


def cell_text(value: Any) -> str:
    """*value* as a table of text has it; a list of numbers as JSON, what is missing as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return json.dumps(value, default=float)
    return repr(value) if isinstance(value, float) else str(value)


@dataclass(slots=True)
class Plan:
    """What each column of one table is.

    Attributes:
        width: how many columns there are.
        roles: role (a key of `tables.SYNONYMS`) -> place of its column.
        metrics: place and name of the columns that are a metric each (wide form).
        labels: place and name of the columns that are part of the identity.
        attributes: place and name of the columns that are shown with a point.
        time_name, time_format: of the time column; the format is empty for the usual ones.
        metric: the metric of a long table without a metric column.
    """

    width: int
    roles: dict[str, int] = field(default_factory=dict)
    metrics: list[tuple[int, str]] = field(default_factory=list)
    labels: list[tuple[int, str]] = field(default_factory=list)
    attributes: list[tuple[int, str]] = field(default_factory=list)
    time_name: str = ""
    time_format: str = ""
    metric: str = "value"

    @property
    def long(self) -> bool:
        """Whether one row is one value."""
        return "value" in self.roles


@dataclass(slots=True)
class _Profile:
    """What the cells of one column are like; *distinct* is None where nobody asks."""

    cells: int = 0
    numbers: int = 0
    head: list[str] = field(default_factory=list)
    distinct: set[str] | None = None

    @property
    def numeric(self) -> bool:
        return 2 * self.numbers >= self.cells > 0

    @property
    def varies(self) -> bool:
        """Whether it differs on more than half of the rows, as a message or an address does."""
        return len(self.distinct or ()) > min(max(1.0, self.cells / 2), _MOST_DISTINCT)

    @property
    def dated(self) -> bool:
        """Whether some of the first cells are times."""
        return any(_is_time(text) for text in self.head)

    @property
    def rising(self) -> bool:
        """Whether the first cells are numbers that rise strictly, as those of an index do."""
        try:
            numbers = [float(text) for text in self.head]
        except ValueError:
            return False
        return all(a < b for a, b in pairwise(numbers))


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except AmbiguousTimeError:
        return True
    except ValueError:
        return False
    return True


def make_plan(grid: Grid, columns: Columns, collector: Collector) -> Plan:
    """Find out what the columns are; reads the table once.

    Raises `InputError` where a column that *columns* names is not there, where a name is used
    twice, and where what a column is cannot be told.
    """
    if not grid.header:
        _survey(grid, (), distinct=False, bounded=True)
        return Plan(1, metrics=[(0, "value")])
    return _Planner(grid, columns, collector).plan


def _survey(
    grid: Grid, places: Iterable[int], *, distinct: bool, bounded: bool
) -> dict[int, _Profile]:
    """Profiles of the columns *places*; `LimitError` if *bounded* and there are too many rows."""
    profiles = {place: _Profile(distinct=set() if distinct else None) for place in places}
    content = grid.content
    comma, most = grid.decimal_comma, content.limits.max_points
    for row, (_, cells) in enumerate(grid.rows()):
        if bounded and row >= most:
            raise too_long(content.name, content.limits, content.stem)
        width = len(cells)
        for place, profile in profiles.items():
            if place < width:
                _note(profile, cells[place], comma=comma)
    return profiles


def _note(profile: _Profile, text: str, *, comma: bool) -> None:
    try:
        float(text)
    except ValueError:
        if text.strip().casefold() in ABSENT:
            return
        profile.numbers += is_numeric(text, decimal_comma=comma) or bool(read_samples(text))
    else:
        profile.numbers += "_" not in text
    profile.cells += 1
    if profile.cells <= _HEAD:
        profile.head.append(text.strip())
    if profile.distinct is not None and len(profile.distinct) <= _MOST_DISTINCT:
        profile.distinct.add(text)


class _Planner:
    """Settles the columns of one table, one question after the other; `free` are the open ones."""

    def __init__(self, grid: Grid, columns: Columns, collector: Collector) -> None:
        self._file = grid.content.name
        self._names = grid.header
        self._normal = [normal(name) for name in self._names]
        self._columns = columns
        self._collector = collector
        self._free: list[int] = []
        self.plan = Plan(len(self._names), time_format=columns.time_format)
        self._take_what_is_told()
        long = self.plan.long or "value" in self._normal
        # A wide table whose rows are all of one benchmark has one point a row.
        bounded = not (long or self.plan.labels or self._candidates("benchmark"))
        named = {word for role in _KNOWN_BY_NAME for word in SYNONYMS[role]} if long else ()
        self._profiles = _survey(
            grid,
            [place for place in self._free if self._normal[place] not in named],
            distinct=not bounded,
            bounded=bounded,
        )
        self._settle_unnamed()
        self._settle_time(long=long)
        if long:
            self._settle_long()
        else:
            self._settle_wide()

    def _place(self, name: str, role: str) -> int:
        if name in self._names:
            return self._names.index(name)
        if normal(name) in self._normal:
            return self._normal.index(normal(name))
        raise InputError(
            f"{self._file}: no column {shown(name)} for {role}{suggest(name, self._names)};"
            f" its columns: {self._listed()}"
        )

    def _listed(self) -> str:
        return shown(", ".join(self._names), 500)[1:-1]

    def _take_what_is_told(self) -> None:
        plan, columns = self.plan, self._columns
        named = [name for name in self._names if name]
        if len(set(named)) < len(named):
            twice = next(name for name in named if named.count(name) > 1)
            raise InputError(f"{self._file}: two columns are named {shown(twice)}")
        for role in SYNONYMS:
            if name := getattr(columns, role):
                plan.roles[role] = self._place(name, role)
        if "value" in plan.roles:
            plan.metric = self._names[plan.roles["value"]]
        if "time" in plan.roles:
            plan.time_name = self._names[plan.roles["time"]]
        plan.labels += [(self._place(name, "labels"), name) for name in columns.labels]
        plan.attributes += [(self._place(name, "attributes"), name) for name in columns.attributes]
        taken = {*plan.roles.values(), *(place for place, _ in plan.labels + plan.attributes)}
        ignored = {normal(name) for name in columns.ignore} | IGNORED
        self._free = [
            place
            for place, name in enumerate(self._normal)
            if place not in taken and name not in ignored
        ]

    def _candidates(self, role: str) -> list[int]:
        """Open columns whose name says *role*, the likeliest first."""
        words = SYNONYMS[role]
        found = [place for place in self._free if self._normal[place] in words]
        return sorted(found, key=lambda place: words.index(self._normal[place]))

    def _give(self, role: str, place: int) -> None:
        self._free.remove(place)
        self.plan.roles[role] = place

    def _show(self, place: int) -> None:
        self._free.remove(place)
        self.plan.attributes.append((place, self._names[place]))

    def _settle(self, role: str) -> None:
        """The likeliest column has *role*; others that could have it are shown only."""
        found = self._candidates(role)
        if found and role not in self.plan.roles:
            self._give(role, found.pop(0))
        for place in found:
            self._show(place)

    def _settle_unnamed(self) -> None:
        """Name pandas' index, a first column without a name, by what is in it."""
        if self._names[0] or 0 not in self._free:
            return
        profile = self._profiles[0]
        if profile.dated and "time" not in self.plan.roles:
            self._take_time(0)
        elif profile.numeric and profile.rising:
            self._free.remove(0)

    def _take_time(self, place: int) -> None:
        self._give("time", place)
        self.plan.time_name = self._names[place] or "1"
        if self._normal[place] == "year" and not self.plan.time_format:
            self.plan.time_format = "%Y"

    def _settle_time(self, *, long: bool) -> None:
        found = [place for place in self._candidates("time") if self._profiles[place].cells]
        if "time" not in self.plan.roles:
            dated = [place for place in found if self._is_dated(place)]
            if dated:
                self._take_time(dated[0])
            elif found:
                self._settle_undated(found[0], long=long)
        for place in found:
            profile = self._profiles[place]
            if place in self._free and (long or profile.dated or not profile.numeric):
                self._show(place)

    def _is_dated(self, place: int) -> bool:
        profile = self._profiles[place]
        if self.plan.time_format or not profile.numeric:
            return True
        if self._normal[place] == "year":
            return all(re.fullmatch(r"\d{4}", text) for text in profile.head)
        return profile.dated

    def _settle_undated(self, place: int, *, long: bool) -> None:
        """Numbers under the name of a time: the only metric, an index, or not to be told."""
        if not long and not any(self._profiles[p].numeric for p in self._free if p != place):
            return
        if not self._profiles[place].rising:
            raise InputError(
                f"{self._file}: column {self._names[place]}: numbers such as"
                f" {shown(self._profiles[place].head[0])} are no times; say what it is, such as"
                f" --column value={self._names[place]} or --column ignore={self._names[place]}"
            )
        self._free.remove(place)

    def _settle_long(self) -> None:
        plan = self.plan
        for role in _KNOWN_BY_NAME:
            self._settle(role)
        named = self._candidates("benchmark")
        if named and "benchmark" not in plan.roles:
            self._give("benchmark", named[0])
        for place in self._free:
            name, profile = self._names[place], self._profiles[place]
            if not name or not profile.cells:
                self._skip_unnamed(place)
                continue
            shown_only = normal(name) in ATTRIBUTES or profile.numeric or profile.varies
            (plan.attributes if shown_only else plan.labels).append((place, name))

    def _settle_wide(self) -> None:
        plan, profiles = self.plan, self._profiles
        self._settle("revision")
        if any(not profiles[place].numeric for place in self._candidates("metric")):
            raise InputError(
                f"{self._file}: a metric column but no value column; name the column of numbers"
                " with --column value=NAME"
            )
        for place in self._candidates("benchmark"):
            profile = profiles[place]
            if profile.cells and not profile.numeric and not profile.varies:
                self._give("benchmark", place)
                break
        for place in self._candidates("run"):
            self._show(place)
        for place in self._free:
            self._settle_open(place)
        if not plan.metrics and any(profile.cells for profile in profiles.values()):
            raise InputError(f"{self._file}: no column of numbers; its columns: {self._listed()}")

    def _skip_unnamed(self, place: int) -> None:
        if self._profiles[place].cells and not self._names[place]:
            self._collector.skip(None, f"column {place + 1} has no name")

    def _settle_open(self, place: int) -> None:
        name, profile = self._names[place], self._profiles[place]
        if not name or not profile.cells:
            self._skip_unnamed(place)
        elif normal(name) in ATTRIBUTES:
            self.plan.attributes.append((place, name))
        elif profile.numeric:
            self.plan.metrics.append((place, name))
        else:
            self.plan.attributes.append((place, name))
            if profile.numbers:
                self._collector.skip(
                    None,
                    f"column {name}: only {profile.numbers} of {profile.cells} cells are numbers,"
                    " too few for a metric",
                )
