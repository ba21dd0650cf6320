# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Bringing the bugs that the alerts of an extraction folder name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stepmark.errors import UsageError
from stepmark.extraction.asked import chosen_server
from stepmark.extraction.bugzilla import BUGS_A_REQUEST, Bugzilla
from stepmark.extraction.folder import Folder
from stepmark.extraction.people import without_addresses
from stepmark.extraction.progress import LeftOut, Watch, alone, unwatched, watched
from stepmark.extraction.session import FAILURES, Brought, Report, with_run
from stepmark.extraction.workers import concurrently
from stepmark.remote import BrokenError, HeavyError, Remote

_BUGZILLA = 1  # of Treeherder's issue trackers
_MOST_FAILURES = 3


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    bug: dict[str, Any] | None


def extract_bugs(
    folder: Folder,
    remote: Remote,
    *,
    people: bool | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    watch: Watch = unwatched,
) -> Report:
    """Bring the bugs that the alerts in *folder* name, with their histories.

    Bugs that are there and have not changed since cost one request for fifty. A bug that Bugzilla
    refuses is kept as ``null`` with its ``error``, and comes once it may be seen. Raises
    `InputError` if there is no extraction, `UsageError` if it was asked for other *people*, and
    `RemoteError` if the server cannot be used: what came until then is kept.
    """
    document = folder.document()
    with alone(folder.path):
        chosen_server(folder, "bugzilla", remote.server)
        kept = document["asked"].get("people") is True
        if people is not None and people != kept:
            raise UsageError(f"{folder.path}: was extracted {'with' if kept else 'without'} people")
        folder.remove_remains()
        document["bugzilla"] = remote.server
        brought, left_out = Brought(), LeftOut()
        with with_run(folder, document, remote, left_out, now, people=kept):
            _bring(folder, Bugzilla(remote), brought, left_out, watch, people=kept)
    empty = not folder.bugs()
    return Report(brought, left_out.listed(), remote.requests, remote.bytes, empty)


def _bring(
    folder: Folder,
    server: Bugzilla,
    brought: Brought,
    left_out: LeftOut,
    watch: Watch,
    *,
    people: bool,
) -> None:
    there = folder.bugs()
    numbers = sorted(_named(folder))
    with watch("bugs") as tell:
        jobs = _changed(server, numbers, there, left_out)
        answers = concurrently(lambda job: _entry(server, job), jobs)
        for job, entry in watched(answers, len(numbers), tell):
            if isinstance(entry, str):
                left_out.add(f"bugs: {entry}", f"bug {job.number}")
                continue
            clean = entry if people else without_addresses(entry)
            merged = folder.merge_bugs({job.number: clean})
            brought.bugs += merged.new + merged.changed
    for number, entry in sorted(folder.bugs().items()):
        if number in numbers and entry.get("bug") is None:
            left_out.add(f"bugs: {entry.get('error')}", f"bug {number}")


def _named(folder: Folder) -> set[int]:
    """The bugs that the summaries in the folder name."""
    return {
        summary["bug_number"]
        for summary in folder.summaries()
        if isinstance(summary.get("bug_number"), int)
        and summary.get("issue_tracker") in (None, _BUGZILLA)
    }


def _changed(
    server: Bugzilla, numbers: list[int], there: Mapping[int, Any], left_out: LeftOut
) -> Iterator[_Job]:
    """The bugs that are not there yet or have changed; without the bug where it is not given."""
    failures = 0
    for first in range(0, len(numbers), BUGS_A_REQUEST):
        chunk = numbers[first : first + BUGS_A_REQUEST]
        try:
            found = server.bugs(chunk)
        except (HeavyError, BrokenError) as error:
            failures += 1
            if failures == _MOST_FAILURES:
                raise  # it is not these bugs, it is the server
            left_out.add(f"bugs: {error.reason}", f"bugs {chunk[0]} to {chunk[-1]}")
            continue
        for number in chunk:
            entry, bug = there.get(number), found.get(number)
            if entry is None or (bug is not None and _is_other(entry, bug)):
                yield _Job(number, bug)


def _is_other(entry: Mapping[str, Any], bug: Mapping[str, Any]) -> bool:
    known = entry.get("bug") or {}
    return bool(known.get("last_change_time") != bug.get("last_change_time"))


def _entry(server: Bugzilla, job: _Job) -> dict[str, Any] | str:
    """What is kept of a bug, or why nothing can be."""
    try:
        bug = server.bug(job.number) if job.bug is None else job.bug
        if isinstance(bug, str):
            return {"bug": None, "history": [], "error": bug}
        return {"bug": bug, "history": server.history(job.number)}
    except FAILURES as error:
        return error.reason
