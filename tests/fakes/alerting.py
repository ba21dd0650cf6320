# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Alerts of a made-up world, raised from its values by Treeherder's documented rules."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, groupby
from statistics import fmean

from fakes.catalogue import REPOSITORIES, Suite, dice
from fakes.landing import Cause, Plan
from fakes.measuring import Run, Variant
from fakes.model import Push
from fakes.rules import (
    DEFAULT_THRESHOLD,
    FORE,
    INFINITE_T,
    MAX_AGE,
    MAX_BACK,
    MIN_BACK,
    T_THRESHOLD,
    noise_profile,
    t_statistic,
)


@dataclass(frozen=True, slots=True)
class Point:
    """All values of one push. At `known` they had come in, and so had those of all before."""

    push: Push
    values: tuple[float, ...]
    known: datetime


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert before anybody has seen it."""

    variant: Variant
    signature_id: int
    push: Push
    prev_push: Push
    created: datetime
    prev_value: float
    new_value: float
    t_value: float
    noise_profile: str
    cause: Cause | None
    manual: bool = False

    @property
    def amount_pct(self) -> float:
        """The change in percent; 0 where there is nothing to compare with."""
        if not self.prev_value:
            return 0.0
        return abs(self.new_value - self.prev_value) / self.prev_value * 100

    @property
    def is_regression(self) -> bool:
        return (self.new_value > self.prev_value) == self.variant.suite.lower_is_better


@dataclass(slots=True)
class Group:
    """The alerts of one summary, in the order they were raised."""

    id: int
    push: Push
    prev_push: Push
    raised: list[Raised] = field(default_factory=list)

    @property
    def first(self) -> Raised:
        return self.raised[0]


def points(runs: Sequence[Run], index: int) -> list[Point]:
    """One series of a variant: the *index*-th value of each of its *runs*, by push."""
    found: list[Point] = []
    for push, group in groupby(runs, key=lambda r: r.push):
        mine = list(group)
        known = max(r.ingested for r in mine)
        if found:
            known = max(known, found[-1].known)
        found.append(Point(push, tuple(r.values[index][0] for r in mine), known))
    return found


def alerting(suite: Suite, test: str, repository: str) -> bool:
    """Whether the rules look at a series at all."""
    known = REPOSITORIES.get(repository)
    if known is None or not known.alerts_enabled:
        return False
    if suite.monitor:
        return True
    if not test:
        return suite.should_alert is not False
    return suite.tests_alert is True or (suite.tests_alert is None and not suite.has_value)


def raised(
    plan: Plan, variant: Variant, runs: Sequence[Run], changes: Sequence[Cause]
) -> Iterator[Raised]:
    """All alerts of a variant's series up to the plan's now.

    *runs* are all scheduled ones, later ones too: alerts are raised from what was known at their
    time, so that they stay as they are in a grown world.
    """
    for index, (number, test) in enumerate(zip(variant.signatures, variant.tests, strict=True)):
        if not alerting(variant.suite, test, variant.repository):
            continue
        series = [p for p in points(runs, index) if p.known <= plan.now]
        scan = _Scan(plan, variant, number, series, changes)
        found = [alert for alert in scan.alerts() if alert.created <= plan.now]
        yield from found
        yield from _by_hand(plan, variant, number, series, changes, found)


class _Scan:
    """Goes through one series as its points come in."""

    def __init__(
        self,
        plan: Plan,
        variant: Variant,
        number: int,
        series: Sequence[Point],
        changes: Sequence[Cause],
    ) -> None:
        self._plan, self._variant, self._number = plan, variant, number
        self._series, self._changes = series, changes
        self._windows = variant.suite.windows or (MIN_BACK, MAX_BACK, FORE)
        self._times = [p.push.time for p in series]
        self._counts = list(accumulate(len(p.values) for p in series))

    def alerts(self) -> Iterator[Raised]:
        start, i, quiet = 0, 1, 0
        before, last = 0.0, 0.0  # t of the two points before i
        while (end := self._filled(i)) is not None:
            t = self._t(i, end, start, quiet)
            if max(t, last) <= T_THRESHOLD:
                before, last, quiet, i = last, t, quiet + 1, i + 1
                continue
            ready = self._series[end].known
            found = None
            if i - 1 > start and last > T_THRESHOLD and before <= last and t <= last:
                found = self._alert(i - 1, start, ready, last)
            if found is None and t > T_THRESHOLD and last <= t >= self._t(i + 1, end, start, 0):
                found = self._alert(i, start, ready, t)
            if found is not None:
                yield found
                start = self._times.index(found.push.time) + 1
                i, quiet, before, last = start + 1, 0, 0.0, 0.0
                continue
            before, last = last, t
            quiet = 0 if t > T_THRESHOLD else quiet + 1
            i += 1

    def _filled(self, i: int) -> int | None:
        """The point with which the window from *i* on is full."""
        if i >= len(self._series):
            return None
        end = bisect_left(self._counts, self._counts[i - 1] + self._windows[2])
        return end if end < len(self._series) else None

    def _start(self, start: int, ready: datetime) -> int:
        return max(start, bisect_left(self._times, ready - MAX_AGE))

    def _sides(
        self, i: int, end: int, start: int, quiet: int
    ) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
        least, most, fore = self._windows
        first = self._start(start, self._series[end].known)
        back: list[tuple[float, ...]] = []
        j = i - 1
        while j >= first and sum(map(len, back)) < most and i - j <= min(max(quiet, least), most):
            back.append(self._series[j].values)
            j -= 1
        ahead: list[tuple[float, ...]] = []
        for point in self._series[i : end + 1]:
            if sum(map(len, ahead)) >= fore:
                break
            ahead.append(point.values)
        return back, ahead

    def _t(self, i: int, end: int, start: int, quiet: int) -> float:
        return t_statistic(*self._sides(i, end, start, quiet)) if i <= end else 0.0

    def _alert(self, i: int, start: int, ready: datetime, t: float) -> Raised | None:
        end = self._filled(i)
        assert end is not None
        least = self._windows[0]
        back, ahead = self._sides(i, end, start, MAX_BACK)
        if sum(map(len, back)) < least:
            return None
        before = fmean([x for values in back for x in values])
        after = fmean([x for values in ahead for x in values])
        push = self._series[i].push
        rng = dice(self._plan.seed, "alert", self._number, push.id)
        alert = Raised(
            self._variant,
            self._number,
            push,
            self._series[i - 1].push,
            ready + timedelta(seconds=20, microseconds=rng.randrange(1, 40_000_000)),
            before,
            after,
            INFINITE_T if math.isinf(t) else t,
            noise_profile([p.values for p in self._series[self._start(start, ready) : i]]),
            _cause(self._series, i, self._changes),
        )
        return alert if _counts(alert) else None


def _counts(alert: Raised) -> bool:
    suite = alert.variant.suite
    threshold = DEFAULT_THRESHOLD if suite.threshold is None else suite.threshold
    if suite.relative:
        return alert.amount_pct >= threshold
    return abs(alert.new_value - alert.prev_value) >= threshold


def _cause(series: Sequence[Point], i: int, changes: Sequence[Cause]) -> Cause | None:
    """What brought the change that was found at *i*, or nearest to it."""
    times = [p.push.time for p in series]

    def distance(cause: Cause) -> int:
        ends = [when for when in (cause.push.time, cause.until) if when]
        return min(abs(bisect_left(times, when) - i) for when in ends)

    near = [cause for cause in changes if distance(cause) <= 5]
    return min(near, key=distance, default=None)


def _by_hand(
    plan: Plan,
    variant: Variant,
    number: int,
    series: Sequence[Point],
    changes: Sequence[Cause],
    found: Iterable[Raised],
) -> Iterator[Raised]:
    """Alerts that a sheriff makes where a real regression raised none."""
    if variant.suite.monitor:
        return
    seen: dict[str, datetime] = {}
    for alert in found:
        if alert.cause is not None:
            seen.setdefault(alert.cause.id, alert.created)
    for cause in changes:
        rng = dice(plan.seed, "by hand", number, cause.id)
        created = cause.push.time + timedelta(days=rng.uniform(6, 8))
        if cause.kind != "regression" or rng.random() > 0.35 or created > plan.now:
            continue
        if seen.get(cause.id, plan.now) < created:
            continue
        known = [p for p in series if p.known <= created]
        i = bisect_left([p.push.time for p in known], cause.push.time)
        back = [x for p in known[:i] for x in p.values][-MAX_BACK:]
        ahead = [x for p in known[i:] for x in p.values][:FORE]
        if back and ahead:
            yield Raised(
                variant,
                number,
                known[i].push,
                known[i - 1].push,
                created,
                fmean(back),
                fmean(ahead),
                INFINITE_T,
                "N/A",
                cause,
                manual=True,
            )


def groups(plan: Plan, alerts: Iterable[Raised]) -> list[Group]:
    """Summaries in the order of their ids. One push may have several before the rule changed."""
    found: dict[tuple[object, ...], Group] = {}
    for alert in sorted(alerts, key=lambda a: (a.created, a.signature_id)):
        suite = alert.variant.suite
        key: tuple[object, ...] = (alert.variant.repository, suite.framework, suite.monitor)
        key = (*key, alert.push.id)
        if alert.created < plan.merged_since:
            key = (*key, alert.prev_push.id)
        group = found.get(key)
        if group is None:
            group = found[key] = Group(len(found) + 1, alert.push, alert.prev_push)
        group.raised.append(alert)
        if not group.first.manual and alert.prev_push.time < group.prev_push.time:
            group.prev_push = alert.prev_push
    return list(found.values())
