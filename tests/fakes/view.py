# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A world with the look-ups that answers need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from fakes.model import Alert, Job, Measurement, Push, Signature, Summary
from fakes.world import World


class View:
    """Look-ups of one world, made once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.now
        self.repositories = {r.name: r for r in world.repositories}
        self.names = {r.id: r.name for r in world.repositories}
        self.pushes = {p.id: p for p in world.pushes}
        self.by_revision = {(p.repository, p.revision): p for p in world.pushes}
        self.signatures = {s.id: s for s in world.signatures}
        self.of_repository: dict[str, list[Push]] = defaultdict(list)
        self.of_series: dict[int, list[Measurement]] = defaultdict(list)
        self.of_push: dict[int, list[Measurement]] = defaultdict(list)
        self.of_job: dict[int, list[Measurement]] = defaultdict(list)
        for push in world.pushes:
            self.of_repository[push.repository].append(push)
        for measurement in world.measurements:
            self.of_series[measurement.signature_id].append(measurement)
            self.of_push[measurement.push_id].append(measurement)
            self.of_job[measurement.job.id].append(measurement)
        self.summaries = {s.id: s for s in world.summaries}
        self.alerts = {a.id: a for s in world.summaries for a in s.alerts}
        self.related: dict[int, list[Alert]] = defaultdict(list)
        self.duplicates: dict[tuple[str, int, int], list[Summary]] = defaultdict(list)
        for summary in world.summaries:
            key = (summary.repository, summary.framework, summary.push_id)
            self.duplicates[key].append(summary)
            for alert in summary.alerts:
                if alert.related_summary_id is not None:
                    self.related[alert.related_summary_id].append(alert)

    def recent(self, when: datetime, seconds: int) -> bool:
        return when > self.now - timedelta(seconds=seconds)

    def series(self, repository: str) -> Iterable[Signature]:
        return (s for s in self.signatures.values() if s.repository == repository)

    def job_of(self, signature: int, push: int) -> Job | None:
        """The first job that measured a series on a push, if it is still known."""
        for measurement in self.of_push[push]:
            if measurement.signature_id == signature and not measurement.expired:
                return measurement.job
        return None
