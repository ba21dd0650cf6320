# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Runs asked for after an alert, and what the alert tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fakes.alerting import Group, Raised
from fakes.catalogue import SHERLOCK, dice
from fakes.landing import Cause, Plan
from fakes.measuring import Run, Variant, run
from fakes.model import Backfill, Measurement, Push
from fakes.rules import naive

MATURE = timedelta(hours=4)
_BACKFILLED = 5  # the number of an asked run; scheduled ones are 0 and 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The runs that were asked for after one alert; some have not come in yet."""

    alert: Raised
    runs: tuple[Run, ...]


def asked(
    plan: Plan,
    groups: Iterable[Group],
    landed: Sequence[Push],
    changes: Mapping[Variant, Sequence[Cause]],
    measured: Mapping[Variant, set[int]],
) -> Iterator[Asked]:
    """For each alert that was picked, the pushes that had been skipped, and both ends again.

    *measured* are the pushes that have been measured anyhow.
    """
    done: set[tuple[Variant, int]] = set()
    for group in groups:
        first = group.first
        if first.variant.suite.framework not in SHERLOCK or first.variant.suite.monitor:
            continue
        for alert in _picked(group):
            variant = alert.variant
            between = [
                p
                for p in landed
                if p.repository == variant.repository
                and alert.prev_push.time <= p.time <= alert.push.time
            ]
            skipped = [p for p in between if p.id not in measured[variant]][-4:]
            wanted = [*skipped, alert.prev_push, alert.push]
            runs = []
            for push in wanted:
                if (variant, push.id) not in done:
                    done.add((variant, push.id))
                    runs.append(_run(plan, alert, push, changes[variant]))
            yield Asked(alert, tuple(runs))


def _picked(group: Group) -> list[Raised]:
    """At most five alerts, the first that were raised, one a job; manual ones are not seen."""
    found: dict[Variant, Raised] = {}
    for alert in group.raised:
        if not alert.manual:
            found.setdefault(alert.variant, alert)
    return list(found.values())[:5]


def _run(plan: Plan, alert: Raised, push: Push, changes: Sequence[Cause]) -> Run:
    rng = dice(plan.seed, "backfill", alert.signature_id, push.revision)
    submitted = alert.created.replace(microsecond=0) + MATURE
    ingested = submitted + timedelta(hours=rng.uniform(1, 6))
    return run(plan, alert.variant, push, _BACKFILLED, submitted, ingested, changes)


def record(
    plan: Plan, asked_for: Asked, known: Sequence[Measurement], pushes: Mapping[int, Push]
) -> Backfill:
    """What the API tells of it; *known* are the measurements of the alert's series."""
    alert = asked_for.alert
    mature = alert.created + MATURE
    done = sum(run.ingested <= plan.now for run in asked_for.runs)
    failed = dice(plan.seed, "failed", alert.signature_id, alert.push.id).random() < 0.1
    if plan.now < mature:
        status = 0
    elif plan.now < mature + timedelta(hours=1):
        status = 1
    elif done < len(asked_for.runs):
        status = 2
    else:
        status = 4 if failed else 3
    triggered = len(asked_for.runs) if status >= 2 else 0
    lost = 1 if status == 4 and triggered else 0
    return Backfill(
        json.dumps(_context(alert, known, pushes, mature)),
        status,
        triggered,
        lost,
        done - lost if triggered else 0,
        triggered - done if triggered else 0,
    )


def _context(
    alert: Raised, known: Sequence[Measurement], pushes: Mapping[int, Push], until: datetime
) -> list[dict[str, object]]:
    """The points about the alert, one a push, within a day of it."""
    by_push: dict[int, Measurement] = {}
    for measurement in known:
        push = pushes[measurement.push_id]
        near = abs(push.time - alert.push.time) <= timedelta(days=1)
        if near and measurement.ingested <= until:
            by_push.setdefault(push.id, measurement)
    ordered = sorted(by_push, key=lambda number: pushes[number].time)
    place = ordered.index(alert.push.id)
    return [
        {
            "value": round(by_push[number].value, 2),
            "job_id": by_push[number].job.id,
            "perf_datum_id": by_push[number].id,
            "push_id": number,
            "push_timestamp": naive(pushes[number].time),
            "push__revision": pushes[number].revision,
        }
        for number in ordered[max(0, place - 2) : place + 3]
    ]
