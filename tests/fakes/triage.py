# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What sheriffs have done with the alerts by a world's now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fakes.alerting import Group, Raised
from fakes.catalogue import AUTHORS, SHERIFFS, dice
from fakes.landing import Cause, Plan
from fakes.model import Alert, AlertStatus, Backfill, Person, Push, Summary, SummaryStatus
from fakes.rules import off_weekend, summary_status

FIRST_BUG = 1_990_000
_OUTCOMES = {
    "fixed": SummaryStatus.FIXED,
    "backedout": SummaryStatus.BACKEDOUT,
    "wontfix": SummaryStatus.WONTFIX,
}


@dataclass(slots=True)
class Case:
    """One summary under triage. Times are those of events that have happened."""

    group: Group
    sheriff: Person
    triaged: datetime | None
    cause: Cause | None = None
    alerts: list[Alert] = field(default_factory=list)
    edited: datetime | None = None
    filing: Filing | None = None

    @property
    def is_regression(self) -> bool:
        return any(a.is_regression for a in self.alerts)


@dataclass(frozen=True, slots=True)
class Filing:
    """A bug filed for a summary; `number` is a pull request's where `tracker` is 2.

    `resolved` and `closed`, the summary's own end, are None until then.
    """

    number: int
    tracker: int
    case: Case
    filed: datetime
    resolved: datetime | None
    closed: datetime | None


def cases(plan: Plan, groups: Sequence[Group]) -> list[Case]:
    """One a summary, by id, decided as far as it goes; bugs are numbered in the order filed."""
    opened = [_opened(plan, group) for group in groups]
    main: dict[str, Case] = {}
    for case in opened:
        if case.group.first.variant.suite.monitor:
            continue
        for alert in case.group.raised:
            if alert.cause is not None:
                main.setdefault(alert.cause.id, case)
    for case in opened:
        mine = [name for name, found in main.items() if found is case]
        causes = {a.cause.id: a.cause for a in case.group.raised if a.cause is not None}
        case.cause = causes[mine[0]] if mine else None
    for case in opened:
        case.alerts += [_decided(plan, case, alert, main) for alert in case.group.raised]
    _renumber(opened)
    _file(plan, opened)
    for case in opened:
        _edit(plan, case)
    return opened


def _opened(plan: Plan, group: Group) -> Case:
    first = group.first
    key = (first.variant.repository, first.variant.suite.framework, group.push.id, group.id)
    rng = dice(plan.seed, "triage", *key)
    triaged = off_weekend(first.created + timedelta(hours=rng.expovariate(1 / 22)))
    forgotten = rng.random() < 0.07
    seen = None if forgotten or triaged > plan.now else triaged
    return Case(group, rng.choice(SHERIFFS), seen)


def _decided(plan: Plan, case: Case, alert: Raised, main: Mapping[str, Case]) -> Alert:
    """The alert of *alert*, whose id is still to come."""
    when = _decision_time(plan, case, alert)
    status, related = AlertStatus.UNTRIAGED, None
    if when is not None and when <= plan.now:
        status, related = _decision(case, alert, when, main)
    else:
        when = None
    return Alert(
        0,
        case.group.id,
        alert.signature_id,
        alert.created,
        status,
        related,
        alert.is_regression,
        alert.prev_value,
        alert.new_value,
        alert.t_value,
        alert.new_value - alert.prev_value,
        alert.amount_pct,
        alert.manual,
        case.sheriff if when else None,
        starred=when is not None and dice("star", alert.signature_id, when).random() < 0.1,
        backfill=None,
        noise_profile=alert.noise_profile,
    )


def _decision_time(plan: Plan, case: Case, alert: Raised) -> datetime | None:
    if case.triaged is None:
        return None
    rng = dice(plan.seed, "decision", alert.signature_id, alert.push.id, alert.created)
    return max(case.triaged, off_weekend(alert.created + timedelta(hours=rng.uniform(0.5, 20))))


def _decision(
    case: Case, alert: Raised, when: datetime, main: Mapping[str, Case]
) -> tuple[AlertStatus, int | None]:
    """What the sheriff says of *alert*, and the summary it is given to."""
    cause = alert.cause
    if cause is None or cause.kind == "noise":
        return AlertStatus.INVALID, None
    if cause.kind == "infra":
        return AlertStatus.INFRA, None
    if cause.id != cause.origin and cause.undoes is None:
        upstream = main.get(cause.origin)
        if upstream is not None and upstream is not case and upstream.group.first.created < when:
            return AlertStatus.DOWNSTREAM, upstream.group.id
    home = main.get(cause.id)
    if home is not None and home is not case and home.group.first.created < when:
        return AlertStatus.REASSIGNED, home.group.id
    return AlertStatus.ACKNOWLEDGED, None


def _renumber(opened: Iterable[Case]) -> None:
    """Give the alerts their ids, in the order they were made."""
    made = sorted(
        (alert.created, alert.signature_id, case.group.id, place)
        for case in opened
        for place, alert in enumerate(case.alerts)
    )
    by_id = {case.group.id: case for case in opened}
    for number, (_, _, summary, place) in enumerate(made, start=1):
        alerts = by_id[summary].alerts
        alerts[place] = replace(alerts[place], id=number)


def _file(plan: Plan, opened: Sequence[Case]) -> None:
    found = []
    for case in opened:
        cause = case.cause
        if cause is None or cause.kind != "regression":
            continue
        confirmed = [
            when
            for raised, alert in zip(case.group.raised, case.alerts, strict=True)
            if alert.is_regression
            and alert.status == AlertStatus.ACKNOWLEDGED
            and (when := _decision_time(plan, case, raised))
        ]
        if not confirmed:
            continue
        rng = dice(plan.seed, "bug", cause.id)
        filed = min(confirmed) + timedelta(
            hours=rng.uniform(1, 40), microseconds=rng.randrange(10**6)
        )
        resolved = filed + timedelta(days=rng.uniform(3, 14))
        closed = resolved + timedelta(hours=rng.uniform(1, 48))
        if filed <= plan.now:
            found.append((filed, case, resolved, closed))
    for index, (filed, case, resolved, closed) in enumerate(sorted(found, key=lambda f: f[0])):
        on_github = index % 5 == 4
        number = 40_000 + index if on_github else FIRST_BUG + 3 * index
        goes_on = case.cause is None or case.cause.outcome == "open"
        case.filing = Filing(
            number,
            2 if on_github else 1,
            case,
            filed,
            None if goes_on or resolved > plan.now else resolved,
            None if goes_on or closed > plan.now else closed,
        )


def _edit(plan: Plan, case: Case) -> None:
    if case.triaged is None or case.cause is None or case.cause.undoes:
        return
    if not any(a.status == AlertStatus.ACKNOWLEDGED for a in case.alerts):
        return
    when = case.triaged + timedelta(hours=8)
    if case.cause.push.time < case.group.push.time and when <= plan.now:
        case.edited = when


def summaries(
    plan: Plan, opened: Sequence[Case], landed: Sequence[Push], backfills: Mapping[int, Backfill]
) -> list[Summary]:
    """As the API knows them; *backfills* by alert."""
    given: dict[int, list[tuple[AlertStatus, bool]]] = {}
    for case in opened:
        for alert in case.alerts:
            if alert.related_summary_id is not None:
                pair = (alert.status, alert.is_regression)
                given.setdefault(alert.related_summary_id, []).append(pair)
    bugs = {case.cause.id: case.filing for case in opened if case.cause}
    return [
        _summary(plan, case, given.get(case.group.id, []), landed, bugs, backfills)
        for case in opened
    ]


def _summary(
    plan: Plan,
    case: Case,
    given: Sequence[tuple[AlertStatus, bool]],
    landed: Sequence[Push],
    bugs: Mapping[str, Filing | None],
    backfills: Mapping[int, Backfill],
) -> Summary:
    group, filing = case.group, case.filing
    current = SummaryStatus.UNTRIAGED
    if filing is not None and filing.closed is not None and case.cause is not None:
        current = _OUTCOMES[case.cause.outcome]
    own = [(a.status, a.is_regression) for a in case.alerts]
    status = summary_status(current, own, given)
    if filing is None and case.cause is not None and case.cause.undoes and case.triaged:
        filing = bugs.get(case.cause.undoes)
    push, prev = group.push, group.prev_push
    if case.edited is not None and case.cause is not None:
        push = case.cause.push
        prev = [p for p in landed if p.repository == push.repository and p.time < push.time][-1]
    rng = dice(plan.seed, "words", group.id)
    taken = case.triaged is not None and rng.random() < 0.8
    return Summary(
        group.id,
        group.first.variant.repository,
        group.first.variant.suite.framework,
        not group.first.variant.suite.monitor,
        push.id,
        prev.id,
        group.push.id,
        group.prev_push.id,
        group.first.created,
        case.triaged,
        status,
        tuple(replace(a, backfill=backfills.get(a.id)) for a in case.alerts),
        filing.number if filing else None,
        _bug_status(plan, filing),
        filing.filed if filing else None,
        2 if filing and filing.tracker == 2 else 1,
        _note(case, status, rng.random()),
        case.sheriff if taken else None,
        _tags(case, status),
    )


def _bug_status(plan: Plan, filing: Filing | None) -> int | None:
    """The mirror of the bug's resolution: none in the first hours, then 0 NEW, 1 FIXED, ..."""
    if filing is None or filing.tracker == 2 or plan.now - filing.filed < timedelta(hours=12):
        return None
    if filing.resolved is None or filing.case.cause is None:
        return 0
    return 5 if filing.case.cause.outcome == "wontfix" else 1


def _note(case: Case, status: SummaryStatus, chance: float) -> str | None:
    if case.triaged is None or chance < 0.4:
        return None
    if status == SummaryStatus.INVALID:
        return "Noise; bimodal since the last week."
    author = AUTHORS[case.group.id % len(AUTHORS)]
    return f"Asked {author.name} <{author.mail}>; {case.sheriff.mail} will look at Windows."


def _tags(case: Case, status: SummaryStatus) -> tuple[str, ...]:
    tags = []
    if case.edited is not None:
        tags.append("bisection")
    if status == SummaryStatus.BACKEDOUT:
        tags.append("regression-backedout")
    if status == SummaryStatus.INFRA:
        tags.append("infra")
    if status == SummaryStatus.IMPROVEMENT:
        undone = case.cause is not None and case.cause.undoes
        tags.append("regression-fix" if undone else "improvement")
    return tuple(tags)
