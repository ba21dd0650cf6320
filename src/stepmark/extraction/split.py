# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ranges of time, halved where a server cannot answer for all of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from stepmark.remote import BrokenError, HeavyError, RefusedError

_T = TypeVar("_T")

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The times from *start* up to and without *stop*, both aware."""

    start: datetime
    stop: datetime

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return self.stop - self.start

    def widened(self) -> Range:
        """It and a second more at either end, for servers that leave the bounds out."""
        return Range(self.start - SECOND, self.stop + SECOND)

    def halves(self) -> tuple[Range, Range]:
        """Its two halves, the earlier first, that meet at a whole second."""
        middle = (self.start + self.span / 2).replace(microsecond=0)
        return Range(self.start, middle), Range(middle, self.stop)

    def __str__(self) -> str:
        return f"{iso(self.start)} to {iso(self.stop)}"


@dataclass(frozen=True, slots=True)
class Piece(Generic[_T]):
    """What came for *range*, or None and the *reason* why nothing did."""

    range: Range
    answer: _T | None
    reason: str = ""


def iso(time: datetime) -> str:
    """*time* as APIs take it: UTC to the second, without suffix."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def in_pieces(
    whole: Range, ask: Callable[[Range, bool], _T], least: timedelta
) -> Iterator[Piece[_T]]:
    """What *ask* answers for the parts of *whole*, in order of time; none overlap.

    *ask* is told a range and whether it will be halved if the server cannot cope (`HeavyError`).
    A range of *least* or shorter is left out where even that fails, and so is one for which the
    server has a fault that does not depend on its length (`BrokenError`, `RefusedError`).
    """
    todo = [whole]
    while todo:
        part = todo.pop()
        halving = part.span > least
        try:
            answer = ask(part, halving)
        except HeavyError as error:
            if halving:
                todo += reversed(part.halves())
            else:
                yield Piece(part, None, error.reason)
        except (BrokenError, RefusedError) as error:
            yield Piece(part, None, error.reason)
        else:
            yield Piece(part, answer)
