# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables of numbers: one column, one column a metric, or one row a value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Measurement, SeriesKey
from stepmark.sources.base import Collector, Content, Parsed, too_long, too_many
from stepmark.sources.plan import Grid, Plan, make_plan
from stepmark.sources.tables import (
    ABSENT,
    looks_like_table,
    read_dialect,
    read_samples,
    rows,
    to_number,
)
from stepmark.sources.text import is_binary, shown
from stepmark.sources.values import (
    AmbiguousTimeError,
    checked_unit,
    make_key,
    parse_time,
    read_direction,
    shortened,
)


@dataclass(frozen=True, slots=True)
class CSV:
    """Delimited text (comma, semicolon, tab, bar or blanks), in one of three forms.

    A bare column of numbers; *wide*: a time and/or revision column and one column a metric; or
    *long*, told by its ``value`` column, which is then the only metric: ``benchmark``, ``metric``,
    ``unit``, ``direction``, ``revision``, ``time``, ``run`` and ``project`` say what a row is.
    `tables.SYNONYMS` lists the names that columns are known by; `Columns` overrides them. Without
    a benchmark column the benchmark is the file's name without suffixes.

    In the long form rows of one key and revision are replicates. A further column of text with few
    values is a label, part of the identity; one that differs on more than half of the rows, a
    column of numbers, and those named in `tables.ATTRIBUTES` are shown with the points only.
    In the wide form a column is a metric if at least half of its cells are numbers. A cell with a
    list of numbers (``[1.5, 1.6]``) holds the replicates of one measurement.
    """

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV: one column of numbers, one column a metric, or one row a value"
    vague: ClassVar[int] = 9

    def recognises(self, content: Content) -> bool:
        """Whether the first lines are a table with numbers."""
        return not is_binary(content.data) and looks_like_table(content)

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read the table; cells and rows that cannot be read are left out with a reason each.

        Raises `InputError` for a table without names, numbers or rows, for a column of `Columns`
        that is not there, for dates that can be read in two ways, and for unknown directions.
        """
        dialect = read_dialect(content, columns)
        grid = Grid(content, dialect.header, lambda: rows(content, dialect), dialect.decimal_comma)
        return read_grid(grid, columns, Collector(content))


def read_grid(grid: Grid, columns: Columns, collector: Collector) -> Parsed:
    """All measurements of a table; raises as `CSV.parse` does."""
    plan = make_plan(grid, columns, collector)
    table = _Table(grid, plan, collector, columns.default_benchmark or grid.content.stem)
    if plan.long:
        _read_long(table)
    else:
        _read_wide(table)
    return collector.parsed("a header but no values after it")


@dataclass(frozen=True, slots=True)
class _Row:
    """What one row says of all its values."""

    line: int
    cells: list[str]
    project: str
    benchmark: str
    labels: tuple[tuple[str, str], ...]
    revision: str
    landed: datetime | None
    run: str
    attributes: dict[str, str]

    def measurement(
        self, key: SeriesKey, samples: tuple[float, ...], unit: str, direction: Direction | None
    ) -> Measurement:
        """A measurement of this row."""
        return Measurement(
            key, self.revision, self.landed, samples, unit, direction, self.run, self.attributes
        )


class _Table:
    """The rows of one file, with what is shared between them."""

    def __init__(self, grid: Grid, plan: Plan, collector: Collector, benchmark: str) -> None:
        self.grid = grid
        self.content = grid.content
        self.plan = plan
        self.collector = collector
        self.benchmark = benchmark
        self._times: dict[str, datetime | str] = {}

    def __iter__(self) -> Iterator[_Row]:
        """The rows that can be used; reasons for the others are noted."""
        plan, width = self.plan, self.plan.width
        for line, cells in self.grid.rows():
            cells.extend([""] * (width - len(cells)))
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                self.collector.skip(line, f"{len(cells)} cells in a table of {width} columns")
                continue
            landed = self._landed(line, cells)
            if isinstance(landed, str):
                self.collector.skip(line, landed)
                continue
            revision = self.cell(cells, "revision")
            run = self.cell(cells, "run")
            yield _Row(
                line,
                cells,
                self.cell(cells, "project"),
                self.cell(cells, "benchmark") or self.benchmark,
                tuple((n, cells[p].strip()) for p, n in plan.labels if cells[p].strip()),
                revision,
                landed,
                # A run is often just a number that starts anew with each revision.
                f"{run}@{revision}@{landed.isoformat() if landed else ''}" if run else "",
                {n: shortened(cells[p].strip()) for p, n in plan.attributes if cells[p].strip()},
            )

    def cell(self, cells: list[str], role: str) -> str:
        """The text of the column that has *role*; empty where it is absent."""
        place = self.plan.roles.get(role)
        if place is None:
            return ""
        text = cells[place].strip()
        return "" if text.casefold() in ABSENT else text

    def _landed(self, line: int, cells: list[str]) -> datetime | str | None:
        """The time of a row, None if it has none, or the reason why it cannot be used."""
        text = self.cell(cells, "time")
        if not text:
            return None
        found = self._times.get(text)
        if found is None:
            column = f"column {self.plan.time_name}"
            try:
                found = parse_time(text, self.plan.time_format)
            except AmbiguousTimeError:
                raise InputError(
                    f"{self.content.name}:{line}: {column}: {shown(text)} can be read in two ways;"
                    " say how, such as --column time_format=%d/%m/%Y"
                ) from None
            except (ValueError, OverflowError):
                found = f"{column}: {shown(text)} is not a time"
            self._times[text] = found
        return found

    def samples(self, line: int, text: str, column: str) -> tuple[float, ...]:
        """The numbers in a cell; none with a reason if the cell is not just empty."""
        listed = read_samples(text)
        if listed is not None:
            return listed
        try:
            number = to_number(text, decimal_comma=self.grid.decimal_comma)
        except ValueError as error:
            self.collector.skip(line, f"column {column}: {error}")
            return ()
        return () if number is None else (number,)

    def key(self, row: _Row, metric: str) -> SeriesKey:
        """The key of a metric in a row."""
        return make_key(
            f"{self.content.name}:{row.line}",
            project=row.project,
            benchmark=row.benchmark,
            metric=metric,
            labels=dict(row.labels),
        )

    def unit(self, row: _Row) -> str:
        """The unit that a row names."""
        return checked_unit(f"{self.content.name}:{row.line}", self.cell(row.cells, "unit"))

    def direction(self, row: _Row) -> Direction | None:
        """The direction that a row names; raises `InputError` for an unknown word."""
        return read_direction(f"{self.content.name}:{row.line}", self.cell(row.cells, "direction"))


def _read_long(table: _Table) -> None:
    plan, value = table.plan, table.plan.roles["value"]
    keys: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], SeriesKey] = {}
    runs: dict[tuple[SeriesKey, str], Measurement] = {}
    for row in table:
        numbers = table.samples(row.line, row.cells[value], plan.metric)
        if not numbers:
            continue
        metric = table.cell(row.cells, "metric") or plan.metric
        parts = (row.project, row.benchmark, metric, row.labels)
        key = keys.get(parts)
        if key is None:
            key = keys[parts] = table.key(row, metric)
        made = row.measurement(key, numbers, table.unit(row), table.direction(row))
        if not row.run:
            table.collector.add(made)
            continue
        # Rows of one run are its replicates; two measurements of one run would count as one.
        earlier = runs.get((key, row.run))
        samples = earlier.samples if earlier is not None else ()
        runs[key, row.run] = replace(made, samples=(*samples, *numbers))
    for made in runs.values():
        table.collector.add(made)


@dataclass(slots=True)
class _Block:
    """The rows of one benchmark in a wide table: place, name, key and values of each metric."""

    columns: list[tuple[int, str, SeriesKey, list[Measurement]]]
    rows: int = 0


def _read_wide(table: _Table) -> None:
    limits, name = table.content.limits, table.content.name
    blocks: dict[object, _Block] = {}
    cells_seen = 0
    for row in table:
        identity = (row.project, row.benchmark, row.labels)
        block = blocks.get(identity)
        if block is None:
            block = blocks[identity] = _Block(
                [
                    (place, metric, table.key(row, metric), [])
                    for place, metric in table.plan.metrics
                ]
            )
        _measure(table, row, block)
        block.rows += 1
        cells_seen += len(block.columns)
        if block.rows > limits.max_points:
            for _, _, key, measured in block.columns:
                if len(measured) > limits.max_points:
                    raise too_long(name, limits, str(key))
        if cells_seen > limits.max_measurements and limits.max_measurements < sum(
            len(measured) for block in blocks.values() for _, _, _, measured in block.columns
        ):
            raise too_many(name, limits)
    for block in blocks.values():
        for _, _, _, measured in block.columns:
            table.collector.measurements += measured


def _measure(table: _Table, row: _Row, block: _Block) -> None:
    # This runs once a cell, millions of times in a large table: what a row shares is looked up
    # before, and only a cell that is no plain number costs more.
    unit, direction = table.unit(row), table.direction(row)
    revision, landed, run, attributes = row.revision, row.landed, row.run, row.attributes
    cells = row.cells
    for place, metric, key, measured in block.columns:
        text = cells[place]
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        samples: tuple[float, ...] = (number,)
        if not math.isfinite(number) or "_" in text:
            samples = table.samples(row.line, text, metric)
            if not samples:
                continue
        measured.append(
            Measurement(key, revision, landed, samples, unit, direction, run, attributes)
        )
