# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a detector would have reported, and when, as the points of a series came in.

Scores of the whole series know only the last answer. Whoever is alerted lives through all of them:
a change is reported some points late, moves, vanishes, comes back. `replay` asks the detector
again and again while the series grows and joins its answers into reports; `judge` compares these
with what the annotators saw. A place is the first point of the new segment, 0-based.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from stepmark.changes import Detection
from stepmark.errors import InputError
from stepmark.evaluation.metrics import MARGIN, Annotations, Group, groups, match_windows
from stepmark.plugins import Detector, Online
from stepmark.series import Signal

Event = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Report:
    """One change as a detector reported it over time.

    Attributes:
        history: (points seen, place) at the first report and each time that the place was another
            from then on; the place is None where the report vanished. Points seen rise.
        duplicate: whether it was first reported within the margin of a place that another report
            held at the same time.
    """

    history: tuple[Event, ...]
    duplicate: bool = False

    @property
    def reported(self) -> int:
        """How many points had come in when it was first reported."""
        return self.history[0][0]

    @property
    def places(self) -> tuple[int, ...]:
        """The places it held, one after the other; a place it came back to is named again."""
        return tuple(place for _, place in self.history if place is not None)

    @property
    def moves(self) -> int:
        """How often it was at another place than before, coming back elsewhere included."""
        return sum(before != after for before, after in pairwise(self.places))

    @property
    def vanished(self) -> bool:
        """Whether it is absent from the last answer."""
        return self.history[-1][1] is None

    @property
    def returns(self) -> int:
        """How often it came back after it had vanished."""
        return sum(before is None for (_, before), _ in pairwise(self.history))


@dataclass(frozen=True, slots=True)
class Replay:
    """All reports on a series that grew.

    Attributes:
        steps: how many points had come in each time the detector was asked, rising.
        reports: in the order in which they were first made, then of their places.
        margin: how far from its last place a report may be found again and still be the same.
    """

    steps: tuple[int, ...]
    reports: tuple[Report, ...]
    margin: int = MARGIN

    @property
    def length(self) -> int:
        """Number of points of the whole series."""
        return self.steps[-1] if self.steps else 0


def replay(
    detector: Detector,
    values: Signal | Iterable[Any],
    *,
    start: int = 1,
    stride: int = 1,
    margin: int = MARGIN,
) -> Replay:
    """Ask *detector* while *values* come in: after *start* points, every *stride*, and after all.

    A detector that can follow a growing signal does so, except on replicates; any other is run on
    each prefix. Raises `InputError` where start or stride is below 1 or the margin below 0, and
    what the detector raises.
    """
    if start < 1 or stride < 1:
        raise InputError(f"a replay starts and strides by 1 or more points, not {start}, {stride}")
    signal = Signal.of(values)
    steps = [*range(start, len(signal), stride), len(signal)] if len(signal) else []
    return record(_answers(detector, signal, steps), margin=margin)


def _answers(detector: Detector, signal: Signal, steps: Sequence[int]) -> Iterator[Detection]:
    if isinstance(detector, Online) and signal.samples is None:
        tracker = detector.track()
        for seen, step in pairwise([0, *steps]):
            yield tracker.extend(signal.values[seen:step])
    else:
        for step in steps:
            yield detector.detect(signal.prefix(step))


def record(answers: Iterable[Detection], *, margin: int = MARGIN) -> Replay:
    """Join the answers that a detector gave on a growing series into reports.

    From one answer to the next a report goes on at the place found within *margin* of its own, the
    nearest pairs first (so that a place that stays is the same report). A report without such a
    place vanishes. A place without such a report brings back the nearest one that vanished within
    the margin before, or is a new report.
    Raises `InputError` where the lengths of the answers do not rise, or the margin is negative.
    """
    if margin < 0:
        raise InputError(f"a margin is 0 or more points, not {margin}")
    steps: list[int] = []
    log = _Log(margin)
    for answer in answers:
        if steps and answer.length <= steps[-1]:
            raise InputError(f"an answer on {answer.length} points after one on {steps[-1]}")
        steps.append(answer.length)
        log.add(answer)
    reports = tuple(map(Report, map(tuple, log.histories), log.duplicates))
    return Replay(tuple(steps), reports, margin)


class _Log:
    """Reports in the making, by number."""

    def __init__(self, margin: int) -> None:
        self.margin = margin
        self.histories: list[list[Event]] = []
        self.duplicates: list[bool] = []
        self._standing: dict[int, int] = {}
        self._gone: dict[int, int] = {}

    def add(self, answer: Detection) -> None:
        new = set(answer.indices)
        before = self._standing
        if new == set(before.values()):  # most points change nothing
            return
        self._standing = self._nearest(before, new)
        new.difference_update(self._standing.values())
        back = self._nearest(self._gone, new)
        new.difference_update(back.values())
        for number, place in before.items():
            if number not in self._standing:
                self._gone[number] = place
                self.histories[number].append((answer.length, None))
        for number, place in self._standing.items():
            if place != before[number]:
                self.histories[number].append((answer.length, place))
        for number, place in back.items():
            del self._gone[number]
            self._standing[number] = place
            self.histories[number].append((answer.length, place))
        for place in sorted(new):
            others = self._standing.values()
            self.duplicates.append(any(abs(place - other) <= self.margin for other in others))
            self._standing[len(self.histories)] = place
            self.histories.append([(answer.length, place)])

    def _nearest(self, reports: Mapping[int, int], places: set[int]) -> dict[int, int]:
        """The place that each report goes on at, for those that have one."""
        pairs = sorted(
            (abs(place - old), number, place)
            for number, old in reports.items()
            for place in places
            if abs(place - old) <= self.margin
        )
        chosen: dict[int, int] = {}
        taken: set[int] = set()
        for _, number, place in pairs:
            if number not in chosen and place not in taken:
                chosen[number] = place
                taken.add(place)
        return chosen


@dataclass(frozen=True, slots=True)
class OnlineScore:
    """How prompt and how steady the reports on a series were.

    Scores of several series add up: ``sum(scores, OnlineScore())``.

    Every report is one of three: the one that first told of a change, a duplicate, or a false
    alarm.

    Attributes:
        length: number of points.
        delays: for each change how many points of the new level had come in when it was first
            reported (1 is the soonest), or None where it never was.
        reports: number of reports.
        duplicates: reports of a change that another report had told of.
        false_alarms: reports that never, while they stood, were of a change that had happened.
        vanished: reports absent from the last answer.
        returned: reports that vanished and came back, whatever became of them then.
        moved: reports that were at more than one place.
    """

    length: int = 0
    delays: tuple[int | None, ...] = ()
    reports: int = 0
    duplicates: int = 0
    false_alarms: int = 0
    vanished: int = 0
    returned: int = 0
    moved: int = 0

    def __add__(self, other: OnlineScore) -> OnlineScore:
        return OnlineScore(
            self.length + other.length,
            self.delays + other.delays,
            self.reports + other.reports,
            self.duplicates + other.duplicates,
            self.false_alarms + other.false_alarms,
            self.vanished + other.vanished,
            self.returned + other.returned,
            self.moved + other.moved,
        )

    @property
    def missed(self) -> int:
        """How many changes were never reported."""
        return self.delays.count(None)

    @property
    def median_delay(self) -> float | None:
        """Points until reported, median over all changes: one never reported is later than any.

        None if there is no change, or half of them or more were never reported.
        """
        if not self.delays:
            return None
        late = sorted(math.inf if delay is None else delay for delay in self.delays)
        middle = len(late) // 2
        median = late[middle] if len(late) % 2 else (late[middle - 1] + late[middle]) / 2
        return float(median) if math.isfinite(median) else None

    @property
    def vanished_share(self) -> float:
        """Share of the reports that are absent from the last answer; 0 without reports."""
        return self.vanished / self.reports if self.reports else 0.0

    @property
    def false_alarms_per_1000(self) -> float:
        """False alarms per 1,000 points; 0 without points."""
        return 1000 * self.false_alarms / self.length if self.length else 0.0


def judge(played: Replay, annotations: Annotations) -> OnlineScore:
    """Compare reports with the changes of which the annotators speak (`metrics.groups`).

    A change has happened once its first place has come in. From then on it is told of by the first
    report that lies within the replay's margin of any of its places, each report telling of one
    change and each change told of by one report, as many as can be at a time. A report that was
    there before counts from the first point of the change. Delays count from the first place.

    Points that were never asked after make a delay longer, as they would in use; and what was
    reported late in the series had less time to vanish.
    Raises `InputError` where there is no annotator or a place is not inside the series.
    """
    changes = groups(annotations, margin=played.margin)
    if changes and changes[-1][-1] >= played.length:
        place = changes[-1][-1]
        raise InputError(f"place {place} is not inside the series of {played.length} points")
    reports = played.reports
    delays, tellers, right = _told(played, changes)
    return OnlineScore(
        length=played.length,
        delays=tuple(delays),
        reports=len(reports),
        duplicates=len(right - tellers),
        false_alarms=len(reports) - len(right),
        vanished=sum(report.vanished for report in reports),
        returned=sum(report.returns > 0 for report in reports),
        moved=sum(report.moves > 0 for report in reports),
    )


def _told(played: Replay, changes: Sequence[Group]) -> tuple[list[int | None], set[int], set[int]]:
    """Delays by change; the reports that told of one first; those that ever were of one."""
    delays: list[int | None] = [None] * len(changes)
    tellers: set[int] = set()
    right: set[int] = set()
    standing: dict[int, int] = {}
    windows = [(group[0] - played.margin, group[-1] + played.margin) for group in changes]
    for step, events in _by_step(played):
        for number, place in events:
            if place is None:
                del standing[number]
            else:
                standing[number] = place
        happened = [i for i, group in enumerate(changes) if group[0] < step]
        right.update(
            number
            for number, place in standing.items()
            if any(windows[i][0] <= place <= windows[i][1] for i in happened)
        )
        waiting = [i for i in happened if delays[i] is None]
        free = sorted(
            (place, number) for number, place in standing.items() if number not in tellers
        )
        for i, j in match_windows([windows[i] for i in waiting], [place for place, _ in free]):
            delays[waiting[i]] = step - changes[waiting[i]][0]
            tellers.add(free[j][1])
    return delays, tellers, right


def _by_step(played: Replay) -> Iterator[tuple[int, list[Event]]]:
    """For every step the reports that changed at it, by number, and their new places."""
    changed: dict[int, list[Event]] = {}
    for number, report in enumerate(played.reports):
        for step, place in report.history:
            changed.setdefault(step, []).append((number, place))
    for step in played.steps:
        yield step, changed.get(step, [])
