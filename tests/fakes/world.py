# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A made-up world: all that a Treeherder and a Bugzilla know at one moment."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from fakes import alerting, landing, measuring, sherlock, triage
from fakes.bugs import bugs
from fakes.catalogue import REPOSITORIES, suites
from fakes.landing import Cause, Plan
from fakes.measuring import Run, Variant
from fakes.model import Backfill, Bug, Job, Measurement, Push, Repository, Signature, Step, Summary

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """Frozen, and the same for the same plan.

    Attributes:
        plan: what it was generated from; `plan.now` is its present.
        repositories: all that Treeherder knows, also those without data.
        pushes, signatures, measurements, summaries, bugs: by id.
        steps: the planted changes, by series and time; no answer tells them.
    """

    plan: Plan
    repositories: tuple[Repository, ...]
    pushes: tuple[Push, ...]
    signatures: tuple[Signature, ...]
    measurements: tuple[Measurement, ...]
    summaries: tuple[Summary, ...]
    bugs: tuple[Bug, ...]
    steps: tuple[Step, ...]

    @classmethod
    def generate(
        cls,
        seed: int = 1,
        *,
        repositories: Sequence[str] = ("autoland", "mozilla-beta"),
        frameworks: Sequence[int] = (1, 2, 4, 13),
        series: int = 14,
        pushes: int = 300,
        subtests: int = 2,
        steps: float = 4.0,
        days: int = 60,
        now: datetime = NOW,
        job_days: int = 30,
    ) -> World:
        """The world of *seed*.

        Args:
            seed: of everything that is random.
            repositories: those with data; changes start in the first and reach the others.
            frameworks: ids of the frameworks with data.
            series: pairs of suite and platform in each repository. The last is born after *now*
                and the one before it is dead for long, where there are more than three.
            pushes: in the first repository, about.
            subtests: of each suite, at most.
            steps: changes of each suite in all the time, about; 0 for none.
            days: that the world is old.
            now: its present: look-backs and ages count from it.
            job_days: age at which jobs are deleted (120 at the real one).
        """
        started = now - timedelta(days=days)
        plan = Plan(
            seed,
            tuple(repositories),
            tuple(frameworks),
            series,
            pushes,
            subtests,
            steps,
            days,
            started,
            now,
            job_days,
        )
        return _generated(plan)

    @property
    def now(self) -> datetime:
        return self.plan.now

    def grown(self, days: float = 3.0) -> World:
        """The same world so many days later: more pushes, points, alerts, and triage gone on."""
        return _generated(replace(self.plan, now=self.plan.now + timedelta(days=days)))


@lru_cache(maxsize=32)
def _generated(plan: Plan) -> World:
    landed = landing.pushes(plan)
    pairs = suites(plan.frameworks, plan.series, plan.subtests)
    causes = landing.causes(plan, landed, list(dict.fromkeys(suite for suite, _ in pairs)))
    variants = measuring.variants(plan, pairs)
    changes = {
        v: [
            c
            for c in causes
            if c.repository == v.repository and c.suite == (v.suite.framework, v.suite.name)
        ]
        for v in variants
    }
    runs = {v: list(measuring.scheduled(plan, v, landed, changes[v])) for v in variants}
    groups = alerting.groups(
        plan, (a for v in variants for a in alerting.raised(plan, v, runs[v], changes[v]))
    )
    measured = {v: {run.push.id for run in runs[v]} for v in variants}
    asked = list(sherlock.asked(plan, groups, landed, changes, measured))
    all_runs = [run for v in variants for run in runs[v]] + [r for a in asked for r in a.runs]
    done = [run for run in all_runs if run.ingested <= plan.now]
    measurements = tuple(_measurements(plan, done))
    visible = tuple(push for push in landed if push.time <= plan.now)
    opened = triage.cases(plan, groups)
    backfills = _backfills(plan, asked, opened, measurements, visible)
    return World(
        plan,
        tuple(sorted(REPOSITORIES.values(), key=lambda r: r.id)),
        visible,
        tuple(_signatures(variants, measurements, visible)),
        measurements,
        tuple(triage.summaries(plan, opened, landed, backfills)),
        tuple(bugs(plan, opened)),
        tuple(_steps(plan, variants, changes)),
    )


def _measurements(plan: Plan, runs: Sequence[Run]) -> Iterator[Measurement]:
    number = 0
    kept = plan.now - timedelta(days=plan.job_days)
    for job_id, run in enumerate(sorted(runs, key=lambda r: r.key), start=1):
        rng = f"{plan.seed}|{run.variant.job_type}|{run.push.revision}|{run.number}"
        task = hashlib.sha1(rng.encode(), usedforsecurity=False).hexdigest()[:22]
        machine = f"t-{run.variant.platform.split('-')[0]}-{int(task, 16) % 40:03}"
        job = Job(
            job_id,
            run.push.id,
            run.variant.job_type,
            task,
            machine,
            run.submitted,
            run.ingested,
        )
        for signature, (value, replicates) in zip(run.variant.signatures, run.values, strict=True):
            number += 1
            expired = run.ingested < kept
            yield Measurement(number, signature, run.push.id, value, replicates, job, expired)


def _signatures(
    variants: Sequence[Variant], measurements: Sequence[Measurement], pushes: Sequence[Push]
) -> Iterator[Signature]:
    """Treeherder takes the newest push for when a series was updated, not the newest arrival."""
    times = {push.id: push.time for push in pushes}
    updated: dict[int, datetime] = {}
    for measurement in measurements:
        known, time = updated.get(measurement.signature_id), times[measurement.push_id]
        updated[measurement.signature_id] = time if known is None else max(known, time)
    for variant in variants:
        yield from measuring.signatures(variant, updated)


def _backfills(
    plan: Plan,
    asked: Sequence[sherlock.Asked],
    opened: Sequence[triage.Case],
    measurements: Sequence[Measurement],
    pushes: Sequence[Push],
) -> dict[int, Backfill]:
    known: dict[int, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        known[measurement.signature_id].append(measurement)
    by_id = {push.id: push for push in pushes}
    ids = {(a.signature_id, a.created): a.id for case in opened for a in case.alerts}
    return {
        ids[a.alert.signature_id, a.alert.created]: sherlock.record(
            plan, a, known[a.alert.signature_id], by_id
        )
        for a in asked
    }


def _steps(
    plan: Plan, variants: Sequence[Variant], changes: Mapping[Variant, Sequence[Cause]]
) -> Iterator[Step]:
    for variant in variants:
        for number, test in zip(variant.signatures, variant.tests, strict=True):
            for cause in changes[variant]:
                if cause.push.time <= plan.now and cause.reaches(plan.seed, variant.platform, test):
                    yield Step(cause.id, cause.kind, number, cause.push.id, cause.factor)
