# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Ensembles: a change is what several detectors agree on."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from sys import maxsize
from typing import Any, ClassVar

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count, check_flag
from stepmark.errors import SpecError
from stepmark.plugins import Detector, Specified, parse_detector
from stepmark.series import Signal


@dataclass(frozen=True, slots=True)
class Ballot:
    """The places of one member, rising, and its number of votes."""

    indices: tuple[int, ...]
    votes: int = 1

    def near(self, place: int, tolerance: int) -> int | None:
        """The first place at most *tolerance* from *place*."""
        k = bisect_left(self.indices, place - tolerance)
        if k < len(self.indices) and self.indices[k] <= place + tolerance:
            return self.indices[k]
        return None

    def distance(self, place: int) -> int:
        """How far the nearest place is; without any, farther than all."""
        k = bisect_left(self.indices, place)
        after = self.indices[k] - place if k < len(self.indices) else maxsize
        return min(after, place - self.indices[k - 1]) if k else after


@dataclass(frozen=True, slots=True)
class Rule:
    """How the places of several become those of all; `Ensemble` says what the numbers mean.

    Attributes:
        trusting: the places of the first ballot count by themselves.
    """

    quorum: int = 2
    tolerance: int = 1
    apart: int = 6
    compat: bool = False
    trusting: bool = False

    def places(self, ballots: Sequence[Ballot], length: int) -> tuple[int, ...]:
        """The places, rising, that enough of *ballots* name in a signal of *length* points."""
        if self.compat:
            kept = _swept(ballots, length, self.quorum, self.tolerance, self._trusted(ballots))
        else:
            kept = [place for place, votes in self.standings(ballots) if votes >= self.quorum]
        return tuple(sorted(kept))

    def standings(self, ballots: Sequence[Ballot]) -> list[tuple[int, int]]:
        """Places and the largest quorum that each of them still has; *compat* has none.

        A higher quorum takes places away and brings up none, so that this holds for all of them. A
        trusted place has any quorum.
        """
        trusted = self._trusted(ballots)
        return [*((place, maxsize) for place in trusted), *self._agreed(ballots, trusted)]

    def _trusted(self, ballots: Sequence[Ballot]) -> list[int]:
        trusted: list[int] = []
        for place in ballots[0].indices if self.trusting else ():
            if not trusted or place - trusted[-1] > self.tolerance:
                trusted.append(place)
        return trusted

    def _agreed(self, ballots: Sequence[Ballot], taken: list[int]) -> Iterator[tuple[int, int]]:
        """Places and votes: most votes first, then nearest to those who voted, then earliest."""
        # A place of a member never speaks for two changes.
        reach = max(self.apart, 2 * self.tolerance + 1)
        ranked = []
        for place in {index for ballot in ballots for index in ballot.indices}:
            votes = off = 0
            for ballot in ballots:
                distance = ballot.distance(place)
                if distance <= self.tolerance:
                    votes += ballot.votes
                    off += ballot.votes * distance
            ranked.append((-votes, off, place))
        kept = list(taken)
        for against, _, place in sorted(ranked):
            k = bisect_left(kept, place)
            if all(abs(place - other) >= reach for other in kept[max(0, k - 1) : k + 1]):
                kept.insert(k, place)
                yield place, -against


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
    trusting: ClassVar[bool] = False
    members: tuple[Detector, ...] = ()
    quorum: int = 2
    tolerance: int = 1
    apart: int = 6
    compat: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.members, (str, Detector)) or not self.members:
            raise SpecError(f"{self.name} needs detectors to ask: {self.name}(a, b, ...)")
        object.__setattr__(self, "members", tuple(parse_detector(m) for m in self.members))
        check_count(self.name, "quorum", self.quorum, 1)
        check_count(self.name, "tolerance", self.tolerance, 0)
        check_count(self.name, "apart", self.apart, 1)
        if self.quorum > len(self.members):
            raise SpecError(
                f"{self.name}: quorum is {self.quorum}, and the members have {len(self.members)}"
                " in all: name more members or give a smaller quorum"
            )
        check_flag(self.name, "compat", self.compat)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The places that enough members agree on; the score is the number of votes.

        Raises `SignalError` where a member does.
        """
        signal = Signal.of(signal)
        ballots = [
            Ballot(member.detect(signal).indices, votes)
            for member, votes in Counter(self.members).items()
        ]
        rule = Rule(self.quorum, self.tolerance, self.apart, self.compat, self.trusting)
        places = rule.places(ballots, len(signal))
        votes = tuple(_votes(ballots, place, self.tolerance) for place in places)
        return Detection(len(signal), places, votes)


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
    trusting: ClassVar[bool] = True


def _votes(ballots: Sequence[Ballot], place: int, tolerance: int) -> int:
    return sum(ballot.votes for ballot in ballots if ballot.near(place, tolerance) is not None)


def _swept(
    ballots: Sequence[Ballot], length: int, quorum: int, tolerance: int, taken: list[int]
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


def _neighbourhoods(ballots: Sequence[Ballot], tolerance: int, length: int) -> list[int]:
    """All points at most *tolerance* from a place of a member, but the first."""
    near = {
        i
        for ballot in ballots
        for index in ballot.indices
        for i in range(max(1, index - tolerance), min(length, index + tolerance + 1))
    }
    return sorted(near)
