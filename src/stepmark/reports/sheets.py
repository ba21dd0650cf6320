# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables of a name and numbers in every row, laid out once for all reports that have them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from stepmark.reports.markdown import free, table_row
from stepmark.reports.text import cells

_WIDEST_HEAD = 9
_INDENT = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, one clean line, and whether it is the best of its column (or row)."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it is shown: the heads, of which the first is that of the names, and the rows.

    The heads are Stepmark's own words, but for those of methods (*named*).
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    named: bool = False

    @classmethod
    def plain(cls, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Sheet:
        """A table none of whose cells is the best."""
        return cls(tuple(heads), tuple(tuple(map(Cell, row)) for row in rows))


def text_lines(sheet: Sheet, width: int, *, color: bool = False) -> Iterator[str]:
    """*sheet* in lines of *width* columns; columns that do not fit go on below, names repeated.

    Where names would leave too little room they stand above their rows. They are never cut.
    """
    widths = _widths(sheet)
    above = _total(widths) > width and widths[0] > width // 2
    for place, chosen in enumerate(_parts(widths, width, _INDENT if above else widths[0])):
        if place:
            yield ""
        part = _columns(sheet, chosen)
        yield from _names_above(part, color) if above else _rows(part, color)


def _rows(sheet: Sheet, color: bool) -> Iterator[str]:
    widths, heads = _widths(sheet), _heads(sheet)
    height = max(map(len, heads))
    for line in range(height):
        texts = [([""] * (height - len(head)) + head)[line] for head in heads]
        yield _aligned([Cell(text) for text in texts], widths, color).rstrip()
    for row in sheet.rows:
        yield _aligned(row, widths, color)


def _names_above(sheet: Sheet, color: bool) -> Iterator[str]:
    blank = Cell(" " * _INDENT)
    bare = replace(
        sheet, heads=(blank.text, *sheet.heads[1:]), rows=tuple((blank, *r[1:]) for r in sheet.rows)
    )
    lines = list(_rows(bare, color))
    yield sheet.heads[0]
    yield from lines[: len(lines) - len(sheet.rows)]
    for row, line in zip(sheet.rows, lines[len(lines) - len(sheet.rows) :], strict=True):
        yield row[0].text
        yield line


def _heads(sheet: Sheet) -> list[list[str]]:
    """Each head in as many lines as it takes to be no wider than its column."""
    return [
        textwrap.wrap(head, max(_WIDEST_HEAD, widest), break_long_words=False) or [head]
        for head, widest in zip(sheet.heads, _widest(sheet), strict=True)
    ]


def _widest(sheet: Sheet) -> list[int]:
    """The widest cell of each column, its head aside."""
    columns: Iterable[Sequence[Cell]] = zip(*sheet.rows, strict=True)
    widest = [max(cells(cell.text) for cell in column) for column in columns]
    return widest or [0] * len(sheet.heads)


def _widths(sheet: Sheet) -> list[int]:
    return [
        max(widest, *map(cells, head))
        for head, widest in zip(_heads(sheet), _widest(sheet), strict=True)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _parts(widths: Sequence[int], width: int, first: int) -> Iterator[list[int]]:
    """The columns in parts that fit, each with the first, which takes that much."""
    chosen, room = [0], width - first
    for column in range(1, len(widths)):
        if widths[column] + 2 > room and len(chosen) > 1:
            yield chosen
            chosen, room = [0], width - first
        chosen.append(column)
        room -= widths[column] + 2
    yield chosen


def _columns(sheet: Sheet, chosen: Sequence[int]) -> Sheet:
    heads = tuple(sheet.heads[i] for i in chosen)
    return Sheet(heads, tuple(tuple(row[i] for i in chosen) for row in sheet.rows))


def _aligned(row: Sequence[Cell], widths: Sequence[int], color: bool) -> str:
    parts = []
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        padding = " " * (width - cells(cell.text))
        text = f"\x1b[1m{cell.text}\x1b[0m" if cell.best and color else cell.text
        parts.append(text + padding if place == 0 else padding + text)
    return "  ".join(parts)


def markdown_lines(sheet: Sheet, quoted: Callable[[str], str] = free) -> Iterator[str]:
    """*sheet* as a table of Markdown; *quoted* makes names safe."""
    yield table_row(map(quoted, sheet.heads) if sheet.named else sheet.heads)
    yield "|---|" + "--:|" * (len(sheet.heads) - 1)
    for name, *rest in sheet.rows:
        values = [f"**{cell.text}**" if cell.best else cell.text for cell in rest]
        yield table_row([quoted(name.text), *values])
