# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the parts of a run share: where they write, whom they ask, what they know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stepmark.extraction.asked import Asked, Scope
from stepmark.extraction.folder import Folder
from stepmark.extraction.people import without_addresses
from stepmark.extraction.progress import Journal, LeftOut, Watch, unwatched
from stepmark.extraction.split import Range
from stepmark.extraction.treeherder import Treeherder
from stepmark.remote import BrokenError, HeavyError, RefusedError, Remote

OVERLAP = timedelta(days=14)
"""How long after a push measurements of it, and triage of its alerts, are looked for."""

LEAST_SPAN = timedelta(days=1)
"""The shortest range of time that is asked for when a server cannot cope with longer ones."""

AHEAD = timedelta(days=1)
"""How far the clock of a server may be ahead of ours."""

FAILURES = (HeavyError, BrokenError, RefusedError)
"""What is wrong with one question, while the server answers others."""


@dataclass(slots=True)
class Brought:
    """What a run brought: objects that are new or different, and measurements that are new."""

    summaries: int = 0
    signatures: int = 0
    series: int = 0
    measurements: int = 0
    pushes: int = 0
    bugs: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A run that came to its end.

    Attributes:
        brought: What it brought.
        left_out: What did not come: reason, count and examples.
        requests: Requests made.
        bytes: Bytes received.
        empty: Whether the folder holds nothing of what was asked for.
        note: What may explain that.
    """

    brought: Brought
    left_out: list[dict[str, Any]]
    requests: int
    bytes: int
    empty: bool
    note: str = ""


@dataclass(slots=True)
class Run:
    """A run under way: where it writes, whom it asks, what it knows.

    Attributes:
        started: The time by the server's clock.
        state: What is kept from run to run.
        pushes: The pushes of each repository that something names.
        newest: The newest push, by framework and repository, or alert of what came in this run.
        whole: The lists that came without anything left out: the next run asks for what is newer.
    """

    folder: Folder
    server: Treeherder
    scope: Scope
    journal: Journal
    started: datetime
    state: dict[str, Any]
    watch: Watch = unwatched
    left_out: LeftOut = field(default_factory=LeftOut)
    brought: Brought = field(default_factory=Brought)
    pushes: dict[str, set[int]] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    @property
    def asked(self) -> Asked:
        """What the folder is asked for."""
        return self.scope.asked

    def last(self, part: str) -> datetime | None:
        """When the last complete run began that brought the whole of *part*."""
        text = self.state.get("last", {}).get(part)
        return None if text is None else datetime.fromisoformat(text)

    def seen(self, part: str, newest: datetime) -> None:
        """Note the time of the *newest* thing in a part that is being brought."""
        self.newest[part] = max(newest, self.newest.get(part, newest))

    def since(self, part: str) -> datetime | None:
        """The time up to which a part is whole but for what servers learn late; None if it is not.

        Things are dated by a clock of their own, which may be far from the server's: their newest
        counts if it is older. It only counts from runs that came to their end.
        """
        last, newest = self.last(part), self.state.get("newest", {}).get(part)
        if last is None or newest is None:
            return None
        return max(self.scope.start, min(last, datetime.fromisoformat(newest)) - OVERLAP)

    def is_complete(self) -> None:
        """Keep that this run came to its end, with all parts that are `whole`."""
        last = self.state.setdefault("last", {})
        last.update(dict.fromkeys(sorted(self.whole), self.journal.began.isoformat()))
        newest = self.state.setdefault("newest", {})
        for name, time in sorted(self.newest.items()):
            if name not in newest or datetime.fromisoformat(newest[name]) < time:
                newest[name] = time.isoformat()
        self.folder.write_state(self.state)

    @property
    def pushed(self) -> Range:
        """The push times to ask for."""
        return Range(self.scope.start, self.scope.stop or self.ahead)

    @property
    def ahead(self) -> datetime:
        """A time that is surely later than anything the server has, whatever its clock says."""
        return self.started + AHEAD

    def clean(self, value: Any) -> Any:
        """*value* as it may be kept."""
        return value if self.asked.people else without_addresses(value)

    def saw_push(self, repository: object, push: object) -> None:
        """Note that a push is named by something in the folder."""
        if isinstance(repository, str) and isinstance(push, int):
            self.pushes.setdefault(repository, set()).add(push)


@contextmanager
def with_run(
    folder: Folder,
    document: dict[str, Any],
    remote: Remote,
    left_out: LeftOut,
    now: Callable[[], datetime],
    *,
    people: bool,
) -> Iterator[None]:
    """Put a run into ``extraction.json`` at its end; one that was stopped is not ``finished``."""
    started, finished = now(), None
    try:
        yield
        finished = now().isoformat()
    finally:
        entry = {
            "started": started.isoformat(),
            "finished": finished,
            "requests": remote.requests,
            "bytes": remote.bytes,
            # What a server gives as its reason may hold an address.
            "left_out": left_out.listed() if people else without_addresses(left_out.listed()),
        }
        folder.write_document({**document, "runs": [*document["runs"], entry]})
