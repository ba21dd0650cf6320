# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ensembles: a change is what several detectors agree on."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_flag
from stepmark.errors import SpecError
from stepmark.plugins import Detector, Specified, parse_detector
from stepmark.series import Signal


@dataclass(frozen=True, slots=True)
class Ensemble(Specified):
    """Members, and how many of them must agree how closely.

    Attributes:
        members: detectors or specs; one that is named twice has two votes.
        quorum: votes that a change needs.
        tolerance: points that a member's place may be off.
        apart: two places are at least so many points apart, and farther than the tolerance on both
            sides of each; the one with more votes stays.
        compat: true for Treeherder's places, near-duplicates included.
    """

    page: ClassVar[str] = "voting"
    members: tuple[Detector, ...] = ()
    quorum: int = 2
    tolerance: int = 1
    apart: int = 6
    compat: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.members, (str, Detector)) or not self.members:
            raise SpecError(f"{self.name} needs detectors to ask: {self.name}(a, b, ...)")
        object.__setattr__(self, "members", tuple(parse_detector(m) for m in self.members))
        votes = len(self.members)
        for field, least in (("quorum", 1), ("tolerance", 0), ("apart", 1)):
            value = getattr(self, field)
            if not (type(value) is int and value >= least):
                raise SpecError(
                    f"{self.name}: {field} is a whole number from {least}, not {value!r}"
                )
        if self.quorum > votes:
            raise SpecError(f"{self.name}: a quorum of {self.quorum} of {votes} vote(s)")
        check_flag(self.name, "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The places that enough members agree on; the score is the number of votes.

        Raises `SignalError` where a member does.
        """
        signal = Signal.of(signal)
        ballots = [
            _Ballot(member.detect(signal).indices, votes)
            for member, votes in Counter(self.members).items()
        ]
        places = sorted(self._places(ballots, len(signal)))
        votes = tuple(_votes(ballots, place, self.tolerance) for place in places)
        return Detection(len(signal), tuple(places), votes)

    def _places(self, ballots: Sequence[_Ballot], length: int) -> list[int]:
        return self._agreed(ballots, length, [])

    def _agreed(self, ballots: Sequence[_Ballot], length: int, taken: list[int]) -> list[int]:
        """*taken* and the places with a quorum that are not too near to them."""
        if self.compat:
            return _swept(ballots, length, self.quorum, self.tolerance, taken)
        return _best(ballots, self.quorum, self.tolerance, self.apart, taken)


@dataclass(frozen=True, slots=True)
class Vote(Ensemble):
    """The changes that enough of several detectors find at about the same place."""

    name: ClassVar[str] = "vote"
    complexity: ClassVar[str] = "that of its members"
    paper: ClassVar[str] = "Mozilla, Treeherder"


@dataclass(frozen=True, slots=True)
class Priority(Ensemble):
    """The changes of the first detector, and those that enough of all others agree on."""

    name: ClassVar[str] = "priority"
    complexity: ClassVar[str] = "that of its members"
    paper: ClassVar[str] = "Mozilla, Treeherder"

    def _places(self, ballots: Sequence[_Ballot], length: int) -> list[int]:
        trusted: list[int] = []
        for place in ballots[0].indices:
            if not trusted or place - trusted[-1] > self.tolerance:
                trusted.append(place)
        return self._agreed(ballots, length, trusted)


@dataclass(frozen=True, slots=True)
class _Ballot:
    """The places of one member, rising, and its number of votes."""

    indices: tuple[int, ...]
    votes: int

    def near(self, place: int, tolerance: int) -> int | None:
        """The first place at most *tolerance* from *place*."""
        k = bisect_left(self.indices, place - tolerance)
        if k < len(self.indices) and self.indices[k] <= place + tolerance:
            return self.indices[k]
        return None

    def distance(self, place: int) -> int:
        """How far the nearest place is."""
        k = bisect_left(self.indices, place)
        return min(abs(index - place) for index in self.indices[max(0, k - 1) : k + 1])


def _votes(ballots: Sequence[_Ballot], place: int, tolerance: int) -> int:
    return sum(ballot.votes for ballot in ballots if ballot.near(place, tolerance) is not None)


def _best(
    ballots: Sequence[_Ballot], quorum: int, tolerance: int, apart: int, taken: list[int]
) -> list[int]:
    """Places with a quorum: most votes first, then nearest to those who voted, then earliest."""
    # A place of a member never speaks for two changes.
    reach = max(apart, 2 * tolerance + 1)
    ranked = []
    for place in sorted({index for ballot in ballots for index in ballot.indices}):
        agreeing = [b for b in ballots if b.near(place, tolerance) is not None]
        votes = sum(ballot.votes for ballot in agreeing)
        if votes >= quorum:
            off = sum(ballot.votes * ballot.distance(place) for ballot in agreeing)
            ranked.append((-votes, off, place))
    kept = sorted(taken)
    for _, _, place in sorted(ranked):
        k = bisect_left(kept, place)
        if all(abs(place - other) >= reach for other in kept[max(0, k - 1) : k + 1]):
            kept.insert(k, place)
    return kept


def _swept(
    ballots: Sequence[_Ballot], length: int, quorum: int, tolerance: int, taken: list[int]
) -> list[int]:
    """Treeherder's places: the first point with a quorum around it, and what follows it closely.

    A place is the mean of the agreeing ones; the next may follow it after *tolerance* points, and
    the same places of members count again there.
    """
    kept = sorted(taken)
    for i in _neighbourhoods(ballots, tolerance, length):
        k = bisect_left(kept, i - tolerance)
        if k < len(kept) and kept[k] <= i + tolerance:
            continue
        found = [(ballot.near(i, tolerance), ballot.votes) for ballot in ballots]
        agreeing = [(place, votes) for place, votes in found if place is not None]
        votes = sum(number for _, number in agreeing)
        if votes >= quorum:
            place = sum(place * number for place, number in agreeing) // votes
            kept.insert(bisect_left(kept, place), place)
    return kept


def _neighbourhoods(ballots: Sequence[_Ballot], tolerance: int, length: int) -> list[int]:
    """All points at most *tolerance* from a place of a member, but the first."""
    near = {
        i
        for ballot in ballots
        for index in ballot.indices
        for i in range(max(1, index - tolerance), min(length, index + tolerance + 1))
    }
    return sorted(near)
