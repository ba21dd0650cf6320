# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a made-up world holds. All times are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class SummaryStatus(IntEnum):
    """Of an alert summary, by Treeherder's numbers."""

    UNTRIAGED = 0
    DOWNSTREAM = 1
    REASSIGNED = 2
    INVALID = 3
    IMPROVEMENT = 4
    INVESTIGATING = 5
    WONTFIX = 6
    FIXED = 7
    BACKEDOUT = 8
    INFRA = 9


class AlertStatus(IntEnum):
    """Of one alert, by Treeherder's numbers."""

    UNTRIAGED = 0
    DOWNSTREAM = 1
    REASSIGNED = 2
    INVALID = 3
    ACKNOWLEDGED = 4
    INFRA = 5


@dataclass(frozen=True, slots=True)
class Repository:
    id: int
    name: str
    url: str
    group: str = "development"
    dvcs: str = "hg"
    codebase: str = "gecko"
    description: str = ""
    life_cycle_order: int | None = None
    alerts_enabled: bool = False
    expires: bool = False
    is_try: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    mail: str
    username: str


@dataclass(frozen=True, slots=True)
class Commit:
    revision: str
    author: str
    comments: str


@dataclass(frozen=True, slots=True)
class Push:
    """`commits` newest first; the newest carries the push's revision."""

    id: int
    repository: str
    time: datetime
    author: str
    commits: tuple[Commit, ...]
    bug: int

    @property
    def revision(self) -> str:
        return self.commits[0].revision


@dataclass(frozen=True, slots=True)
class Signature:
    """One series. `test` is empty for a suite; `parent` is the id of the suite's series."""

    id: int
    hash: str
    repository: str
    framework: int
    suite: str
    test: str
    platform: str
    option_hash: str
    extra_options: tuple[str, ...]
    tags: tuple[str, ...]
    application: str
    unit: str | None
    lower_is_better: bool
    should_alert: bool | None
    has_subtests: bool
    parent: int | None
    parent_hash: str | None
    threshold: float | None
    change_type: int | None
    windows: tuple[int, int, int] | None
    monitor: bool
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a suite on one push; `ingested` is when its measurements came in."""

    id: int
    push_id: int
    type_name: str
    task_id: str
    machine: str
    submitted: datetime
    ingested: datetime


@dataclass(frozen=True, slots=True)
class Measurement:
    """`job` is known for ever here; the API forgets it when the job is `expired`."""

    id: int
    signature_id: int
    push_id: int
    value: float
    replicates: tuple[float, ...]
    job: Job
    expired: bool

    @property
    def ingested(self) -> datetime:
        return self.job.ingested


@dataclass(frozen=True, slots=True)
class Step:
    """A planted change: the truth, which no answer of the API tells.

    `push_id` is the culprit, which need not have been measured; `cause` is the id that the steps
    of one cause share; `kind` is regression, improvement, infra or noise.
    """

    cause: str
    kind: str
    signature_id: int
    push_id: int
    factor: float


@dataclass(frozen=True, slots=True)
class Backfill:
    context: str
    status: int
    triggered: int
    failed: int
    successful: int
    in_progress: int


@dataclass(frozen=True, slots=True)
class Alert:
    id: int
    summary_id: int
    signature_id: int
    created: datetime
    status: AlertStatus
    related_summary_id: int | None
    is_regression: bool
    prev_value: float
    new_value: float
    t_value: float
    amount_abs: float
    amount_pct: float
    manually_created: bool
    classifier: Person | None
    starred: bool
    backfill: Backfill | None
    noise_profile: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A group of alerts on one push. `alerts` are its own, by id."""

    id: int
    repository: str
    framework: int
    sheriffed: bool
    push_id: int
    prev_push_id: int
    original_push_id: int
    original_prev_push_id: int
    created: datetime
    first_triaged: datetime | None
    status: SummaryStatus
    alerts: tuple[Alert, ...]
    bug_number: int | None
    bug_status: int | None
    bug_updated: datetime | None
    issue_tracker: int
    notes: str | None
    assignee: Person | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BugChange:
    field: str
    removed: str
    added: str


@dataclass(frozen=True, slots=True)
class BugEvent:
    when: datetime
    who: Person
    changes: tuple[BugChange, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    id: int
    when: datetime
    who: Person
    text: str


@dataclass(frozen=True, slots=True)
class Bug:
    """`restricted` bugs are shown to nobody without a key."""

    id: int
    summary: str
    creator: Person
    assignee: Person | None
    created: datetime
    changed: datetime
    status: str
    resolution: str
    resolved: datetime | None
    priority: str
    severity: str
    product: str
    component: str
    platform: str
    keywords: tuple[str, ...]
    whiteboard: str
    cc: tuple[Person, ...]
    regressed_by: tuple[int, ...]
    duplicate_of: int | None
    history: tuple[BugEvent, ...]
    comments: tuple[Comment, ...]
    restricted: bool
