# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Reading a list in pages while rows come and go."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from stepmark.remote import BrokenError

Row = dict[str, Any]
_MOST_STEPS_BACK = 100
_MOST_IN_VAIN = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, newest row first.

    Attributes:
        count: Rows of the whole list when the page was read.
        rows: The rows of this page, each with an ``id``.
        last: Whether no page follows.
    """

    count: int
    rows: tuple[Row, ...]
    last: bool


def newest_first(
    read: Callable[[int], Page | None], wanted: Callable[[Row], bool], size: int
) -> Iterator[list[Row]]:
    """The rows of a list, page by page and each once, until a page ends with one not *wanted*.

    *read* gives a page by its number from 1, None past the end. Rows may be added at the top and
    removed anywhere meanwhile: every row that is there all the time comes. What is added pushes
    rows to later pages, where they are seen again. What is removed pulls rows to pages already
    read, at most as many as the count is less than before: so many pages are read once more. In
    the end the top is read again for what was added.
    """
    seen: set[int] = set()

    def fresh(page: Page) -> list[Row]:
        rows = [row for row in page.rows if row["id"] not in seen and wanted(row)]
        seen.update(row["id"] for row in rows)
        return rows

    number = yield from _downwards(read, wanted, size, fresh)
    if number > 1:
        yield from _top(read, fresh)


def _downwards(
    read: Callable[[int], Page | None],
    wanted: Callable[[Row], bool],
    size: int,
    fresh: Callable[[Page], list[Row]],
) -> Generator[list[Row], None, int]:
    number, count, steps_back, in_vain = 1, 0, 0, 0
    most = 0
    while True:
        page = read(number)
        if page is None and number == 1:
            return number
        if page is not None:
            rows = fresh(page)
            yield rows
            in_vain = 0 if rows else in_vain + 1
            if in_vain > _MOST_IN_VAIN:
                raise BrokenError("alerts", "page after page holds nothing that is new")
        most = max(most, 0 if page is None else len(page.rows))
        # A server may allow fewer rows a page than were asked for.
        size = most or size
        lost = size if page is None else count - page.count
        if number > 1 and lost > 0:
            steps_back += 1
            if steps_back > _MOST_STEPS_BACK:
                raise BrokenError("alerts", "rows are removed faster than they can be read")
            number = max(1, number + lost // -size)
        elif page is None or page.last or not page.rows or not wanted(page.rows[-1]):
            return number
        else:
            number += 1
        count = count if page is None else page.count


def _top(
    read: Callable[[int], Page | None], fresh: Callable[[Page], list[Row]]
) -> Iterator[list[Row]]:
    number = 1
    while (page := read(number)) is not None:
        rows = fresh(page)
        yield rows
        if not rows or page.last:
            return
        number += 1
