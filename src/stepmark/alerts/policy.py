# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Which changes are good, bad or beside the point, and whether the gate opens.

Pure: no clock, no network, no database.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from stepmark.changes import Change, Verdict
from stepmark.config import Thresholds
from stepmark.series import Direction


def judge(change: Change, direction: Direction | None, thresholds: Thresholds) -> Verdict:
    """The verdict on *change*; neutral where the direction is unknown or the change too small."""
    if direction is None or not counts(change, thresholds):
        return Verdict.NEUTRAL
    worse = change.absolute > 0 if direction is Direction.LOWER else change.absolute < 0
    return Verdict.REGRESSION if worse else Verdict.IMPROVEMENT


def judged(
    changes: Iterable[Change], direction: Direction | None, thresholds: Thresholds
) -> tuple[Change, ...]:
    """*changes* with their verdicts."""
    return tuple(replace(c, verdict=judge(c, direction, thresholds)) for c in changes)


def counts(change: Change, thresholds: Thresholds) -> bool:
    """Whether *change* reaches the thresholds."""
    relative = abs(change.relative) if change.relative is not None else math.inf
    return (
        change.absolute != 0
        and relative >= thresholds.min_relative
        and abs(change.absolute) >= thresholds.min_absolute
        and change.after.n >= thresholds.min_segment
    )


class Outcome(StrEnum):
    """What the gate says of one series."""

    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    FAIL = "fail"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's word on one series.

    Attributes:
        outcome: pass, fail, or unjudged for lack of data.
        changes: the new changes that were judged, oldest first.
        reason: why, in a few words.
    """

    outcome: Outcome
    changes: tuple[Change, ...] = ()
    reason: str = ""


# A boundary that moves by this many points as data arrive is still the same change.
SAME_PLACE = 3


def new_changes(
    changes: Sequence[Change], earlier: Sequence[Change], first_new: int, reach: int | None
) -> list[Change]:
    """Those of *changes* that the points from *first_new* on brought.

    A change that begins at or after *first_new* is new. So is the one that begins the last
    segment, if the analysis without the new points did not know it (*earlier* are its changes) and
    it begins at most *reach* points before them (None: anywhere): a small regression is recognised
    only some runs after it began, and must be told then. Both lists hold changes that count.
    """
    fresh = [c for c in changes if c.index >= first_new]
    if fresh or not changes:
        return fresh
    last = changes[-1]
    if reach is not None and last.index < first_new - reach:
        return []
    known = any(
        abs(last.index - c.index) <= SAME_PLACE and (last.absolute > 0) == (c.absolute > 0)
        for c in earlier
    )
    return [] if known else [last]


def gate(changes: Sequence[Change]) -> Judgement:
    """The judgement on a series with these new changes: fails on any regression."""
    if any(c.verdict is Verdict.REGRESSION for c in changes):
        return Judgement(Outcome.FAIL, tuple(changes), "a new group is worse")
    if any(c.verdict is Verdict.IMPROVEMENT for c in changes):
        return Judgement(Outcome.PASS, tuple(changes), "a new group is better")
    if changes:
        return Judgement(Outcome.PASS, tuple(changes), "a new group, neither better nor worse")
    return Judgement(Outcome.PASS, (), "the existing group goes on")
