# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Reading a list page by page while it changes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.extraction.paging import Page, newest_first
from stepmark.remote import BrokenError

SIZE = 3


class Shifting:
    """A list of which, before each page is read, some rows go and some come at the top."""

    def __init__(self, length, changes):
        self.rows = list(range(length, 0, -1))
        self.stayed = set(self.rows)
        self.changes = iter(changes)
        self.next = length + 1
        self.reads = 0

    def read(self, number):
        added, removed = next(self.changes, (0, []))
        for place in removed:
            if self.rows:
                self.stayed.discard(self.rows.pop(place % len(self.rows)))
        for _ in range(added):
            self.rows.insert(0, self.next)
            self.next += 1
        self.reads += 1
        first = (number - 1) * SIZE
        rows = tuple({"id": row} for row in self.rows[first : first + SIZE])
        if not rows and number > 1:
            return None
        return Page(len(self.rows), rows, first + SIZE >= len(self.rows))


CHANGES = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.integers(0, 1000), max_size=5)), max_size=15
)


@settings(deadline=None)
@given(st.integers(0, 25), CHANGES, st.sampled_from([SIZE, 100]))
def test_every_row_that_is_there_all_the_time_comes_once(length, changes, size):
    # A server may allow fewer rows a page than are asked for.
    shifting = Shifting(length, changes)
    pages = list(newest_first(shifting.read, lambda _: True, size))
    found = [row["id"] for page in pages for row in page]
    assert len(found) == len(set(found))
    assert shifting.stayed <= set(found)


@settings(deadline=None)
@given(st.integers(0, 25), CHANGES, st.integers(0, 30))
def test_reading_stops_at_the_first_row_that_is_not_wanted(length, changes, oldest):
    shifting = Shifting(length, changes)
    pages = list(newest_first(shifting.read, lambda row: row["id"] >= oldest, SIZE))
    found = {row["id"] for page in pages for row in page}
    assert {row for row in shifting.stayed if row >= oldest} <= found
    assert all(row >= oldest for row in found)


def test_a_list_at_rest_is_read_once_and_its_top_again():
    shifting = Shifting(10, [])
    assert len(list(newest_first(shifting.read, lambda _: True, SIZE))) == shifting.reads == 5
    shifting = Shifting(3, [])
    assert len(list(newest_first(shifting.read, lambda _: True, SIZE))) == shifting.reads == 1
    shifting = Shifting(30, [])
    list(newest_first(shifting.read, lambda row: row["id"] > 28, SIZE))
    assert shifting.reads == 1


def test_a_list_without_end_is_given_up():
    def read(_):
        return Page(10**9, ({"id": 7},), last=False)

    with pytest.raises(BrokenError, match="nothing that is new"):
        list(newest_first(read, lambda _: True, SIZE))


def test_a_list_that_never_rests_is_given_up():
    rng = random.Random(1)
    length = 100_000

    def read(number):
        nonlocal length
        length -= rng.randint(1, SIZE)
        return Page(length, ({"id": number},), last=False)

    with pytest.raises(BrokenError, match="removed faster"):
        for _ in newest_first(read, lambda _: True, SIZE):
            pass
