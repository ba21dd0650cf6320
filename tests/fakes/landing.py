# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Pushes of a made-up world, and the changes of performance that some of them bring."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from fakes.catalogue import ACTIVITY, AUTHORS, MERGER, Suite, dice
from fakes.model import Commit, Person, Push

Kind = Literal["regression", "improvement", "infra", "noise"]
Outcome = Literal["fixed", "backedout", "wontfix", "open"]
KINDS: tuple[Kind, ...] = ("regression", "improvement", "noise", "infra")
OUTCOMES: tuple[Outcome, ...] = ("fixed", "backedout", "wontfix", "open")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a world is generated from. The same plan gives the same world."""

    seed: int
    repositories: tuple[str, ...]
    frameworks: tuple[int, ...]
    series: int
    pushes: int
    subtests: int
    steps: float
    days: int
    start: datetime
    now: datetime
    job_days: int

    @property
    def merged_since(self) -> datetime:
        """From then on, alerts on one push share a summary whatever push was measured before."""
        return self.start + timedelta(days=self.days / 2)


@dataclass(frozen=True, slots=True)
class Cause:
    """A change that a push brings to a suite, on some of its platforms and some of its tests.

    An `undone` cause takes another one back. `until` ends an excursion.
    """

    id: str
    kind: Kind
    suite: tuple[int, str]
    repository: str
    push: Push
    factor: float
    outcome: Outcome
    origin: str
    until: datetime | None = None
    undoes: str | None = None

    def reaches(self, seed: int, platform: str, test: str) -> bool:
        return (
            _chance(seed, self.origin, platform) < 0.8 and _chance(seed, self.origin, test) < 0.75
        )


@lru_cache(maxsize=4096)
def _chance(*key: object) -> float:
    return dice(*key).random()


def pushes(plan: Plan) -> list[Push]:
    """All pushes to the end of the plan's last day, in order; some are later than its now."""
    found = [push for name in plan.repositories for push in _of_repository(plan, name)]
    found.sort(key=lambda p: (p[0], p[1]))
    return [_push(plan, number, when, name) for number, (when, name) in enumerate(found, start=1)]


def _of_repository(plan: Plan, name: str) -> Iterator[tuple[datetime, str]]:
    daily = plan.pushes / plan.days * ACTIVITY.get(name, 0.3) * 7 / 5.5
    for offset in range((plan.now - plan.start).days + 2):
        day = datetime.combine(plan.start.date() + timedelta(days=offset), time(tzinfo=UTC))
        rng = dice(plan.seed, "pushes", name, day.date())
        if rng.random() < 0.03:  # the tree was closed
            continue
        expected = daily * (0.25 if day.weekday() >= 5 else 1.0)
        for _ in range(int(expected + rng.random())):
            yield day + timedelta(seconds=int(rng.triangular(0, 86_399, 57_600))), name


def _push(plan: Plan, number: int, when: datetime, name: str) -> Push:
    rng = dice(plan.seed, "push", name, when, number)
    author = MERGER if name not in {"autoland", "try"} else rng.choice(AUTHORS)
    bug = rng.randrange(1_700_000, 1_980_000)
    size = min(25, 1 + int(rng.expovariate(1.0))) if author is not MERGER else rng.randrange(3, 28)
    commits = tuple(_commit(rng.choice(AUTHORS), bug, k, (number, name, when)) for k in range(size))
    return Push(number, name, when, author.mail, commits[::-1], bug)


def _commit(author: Person, bug: int, part: int, key: tuple[object, ...]) -> Commit:
    revision = hashlib.sha1(repr((key, part)).encode(), usedforsecurity=False).hexdigest()
    text = f"Bug {bug} - Part {part + 1}: tidy the cache, with <b> & \u201cquotes\u201d. r=reviewer"
    return Commit(revision, f"{author.name} <{author.mail}>", text)


def causes(plan: Plan, landed: Sequence[Push], suites: Sequence[Suite]) -> list[Cause]:
    """What changes in all repositories, in order of time."""
    if not plan.steps:
        return []
    first = plan.repositories[0]
    chance = 1 / max(1.0, plan.days / plan.steps - 12)
    by_day: dict[object, list[Push]] = {}
    for push in landed:
        if push.repository == first:
            by_day.setdefault(push.time.date(), []).append(push)
    found = []
    for suite in suites:
        # Changes come far enough apart for the windows of the alerts' rules to fill.
        wait = plan.start + timedelta(days=4)
        for day in sorted(by_day, key=str):
            pushed = by_day[day]
            rng = dice(plan.seed, "cause", suite.framework, suite.name, day)
            if pushed[0].time < wait or rng.random() > chance:
                continue
            started = list(_started(plan, rng.choice(pushed), suite, landed))
            # By what was planned and not by what has landed, or a grown world would differ.
            wait = pushed[0].time + timedelta(days=17 if _is_undone(started[0]) else 9)
            found += started
    return sorted(found, key=lambda c: (c.push.time, c.id))


def _started(plan: Plan, push: Push, suite: Suite, landed: Sequence[Push]) -> Iterator[Cause]:
    rng = dice(plan.seed, "kind", suite.name, push.revision)
    kind = rng.choices(KINDS, (50, 22, 18, 10))[0]
    outcome = rng.choices(OUTCOMES, (35, 20, 25, 20))[0]
    size = rng.uniform(6 * suite.noise, 6 * suite.noise + 0.1 * min(1, suite.noise * 100))
    if not suite.relative and suite.threshold:
        size = max(size, 2 * suite.threshold / suite.level)
    worse = kind != "improvement" if kind in {"regression", "improvement"} else rng.random() < 0.6
    factor = 1 + size if worse == suite.lower_is_better else 1 / (1 + size)
    until = push.time + timedelta(days=rng.uniform(4, 6)) if kind in {"infra", "noise"} else None
    name = f"{suite.name}@{push.id}"
    key = (suite.framework, suite.name)
    cause = Cause(name, kind, key, push.repository, push, factor, outcome, name, until)
    yield cause
    if until is not None:
        return
    yield from _downstream(plan, cause, landed)
    if _is_undone(cause):
        back = push.time + timedelta(days=rng.uniform(7, 9))
        later = [p for p in landed if p.repository == push.repository and p.time >= back]
        if later:
            undoing = f"{name}-undone"
            yield Cause(
                undoing,
                "improvement",
                key,
                push.repository,
                later[0],
                1 / factor,
                outcome,
                name,
                undoes=name,
            )


def _is_undone(cause: Cause) -> bool:
    return cause.kind == "regression" and cause.outcome in {"fixed", "backedout"}


def _downstream(plan: Plan, cause: Cause, landed: Sequence[Push]) -> Iterator[Cause]:
    for name in plan.repositories[1:]:
        merged = cause.push.time + timedelta(days=2)
        later = [p for p in landed if p.repository == name and p.time >= merged]
        if later:
            yield Cause(
                f"{cause.id}>{name}",
                cause.kind,
                cause.suite,
                name,
                later[0],
                cause.factor,
                cause.outcome,
                cause.origin,
            )
