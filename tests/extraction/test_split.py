# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ranges of time that a server cannot answer for are halved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.extraction.split import Range, in_pieces, iso
from stepmark.remote import BrokenError, HeavyError, RefusedError

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@settings(deadline=None)
@given(
    st.integers(1, 10_000),
    st.integers(2, 300),
    st.integers(100, 10_000),
)
def test_the_pieces_are_the_whole(seconds, least, most):
    whole = Range(START, START + timedelta(seconds=seconds))
    least, most = timedelta(seconds=least), timedelta(seconds=most)
    asked = []

    def ask(part, halving):
        asked.append(part)
        assert halving == (part.span > least)
        if part.span > most:
            raise HeavyError("here", "no answer")
        return part

    pieces = list(in_pieces(whole, ask, least))
    assert pieces[0].range.start == whole.start
    assert pieces[-1].range.stop == whole.stop
    for one, next_one in pairwise(pieces):
        assert one.range.stop == next_one.range.start
    for piece in pieces:
        assert (piece.answer is None) == (piece.range.span > most)
        assert piece.answer is None or piece.answer == piece.range
        assert piece.answer is not None or piece.range.span <= least
    assert len(asked) == len(set(asked))


def test_a_fault_is_not_halved():
    for kind in (BrokenError("here", "HTTP 500"), RefusedError("here", "HTTP 404", 404)):

        def ask(*_, kind=kind):
            raise kind

        [piece] = in_pieces(Range(START, START + 90 * DAY), ask, DAY)
        assert (piece.answer, piece.reason) == (None, kind.reason)


def test_times_are_written_as_apis_take_them():
    zone = datetime.fromisoformat("2026-01-01T01:02:03.5+02:00")
    assert iso(zone) == "2025-12-31T23:02:03"
    assert str(Range(START, START + DAY)) == "2026-01-01T00:00:00 to 2026-01-02T00:00:00"
