# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The part of a run that brings alert summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stepmark.extraction import paging
from stepmark.extraction.checks import a_time
from stepmark.extraction.folder import alerts_of
from stepmark.extraction.progress import Share, watched
from stepmark.extraction.session import FAILURES, Run
from stepmark.extraction.treeherder import SUMMARIES_A_PAGE, Framework, Repository
from stepmark.extraction.workers import concurrently
from stepmark.files import file_name

# Untriaged and investigating: people still work on them.
_OPEN = frozenset({0, 5})


@dataclass(frozen=True, slots=True)
class Known:
    """What counts of a summary that is in the folder."""

    id: int
    part: str
    created: datetime
    is_open: bool


def bring_summaries(run: Run, repositories: list[Repository], frameworks: list[Framework]) -> None:
    """Bring the summaries that are new, and what became of those that were open."""
    everything: list[int | None] = [None]
    chosen = everything if run.asked.frameworks is None else [f.id for f in frameworks]
    streams = [(r, f) for r in repositories for f in chosen]
    known = _known(run)
    reread: list[Known] = []
    with run.watch("alerts") as tell:
        for place, (repository, framework) in enumerate(streams):
            part = _part(repository.name, framework)
            start = run.since(part) or run.scope.start
            there = [summary for summary in known if summary.part == part]
            older = [s for s in there if s.is_open and s.created < start]
            if older and len(older) > _pages_down_to(older, there):
                start = min(summary.created for summary in older)
            else:
                reread += older
            if part not in run.journal:
                share = Share(tell, place, len(streams))
                try:
                    _sweep(run, repository, framework, start, share)
                except FAILURES as error:
                    run.left_out.add(f"alerts: {error.reason}", part)
                    continue
                run.journal.done(part)
            run.whole.add(part)
    _reread(run, [summary.id for summary in reread])
    for summary in _known(run):
        run.seen(summary.part, summary.created)


def frameworks_of(run: Run) -> set[int]:
    """The frameworks that alerts in the folder are of: the server may have retired some."""
    numbers = (summary.get("framework") for summary in run.folder.summaries())
    return {number for number in numbers if isinstance(number, int)}


def _known(run: Run) -> list[Known]:
    """The summaries in the folder; what they name is noted."""
    found = []
    for summary in run.folder.summaries():
        for name in ("push_id", "prev_push_id"):
            run.saw_push(summary.get("repository"), summary.get(name))
        framework = None if run.asked.frameworks is None else summary.get("framework")
        part = _part(str(summary.get("repository")), framework)
        created = a_time(summary["created"], "created")
        found.append(Known(summary["id"], part, created, _is_open(summary)))
    return found


def _part(repository: str, framework: int | None) -> str:
    return f"summaries {file_name(repository)} {'all' if framework is None else framework}"


def _pages_down_to(older: list[Known], there: list[Known]) -> int:
    """The pages of the list that are read to see all of *older*, about."""
    oldest = min(summary.created for summary in older)
    return sum(summary.created >= oldest for summary in there) // SUMMARIES_A_PAGE + 1


def _sweep(
    run: Run, repository: Repository, framework: int | None, oldest: datetime, share: Share
) -> None:
    """Bring the summaries of a repository down to the *oldest*, the newest first."""
    newest: datetime | None = None

    def read(page: int) -> paging.Page | None:
        nonlocal newest
        found = run.server.summaries(page, repository.id, framework)
        if found is not None and found.rows:
            reached = a_time(found.rows[-1]["created"], "created")
            newest = newest or a_time(found.rows[0]["created"], "created")
            share.tell((newest - reached) / max(newest - oldest, timedelta(seconds=1)))
        return found

    def wanted(summary: Mapping[str, Any]) -> bool:
        return a_time(summary["created"], "created") >= oldest

    for rows in paging.newest_first(read, wanted, SUMMARIES_A_PAGE):
        _keep_summaries(run, rows)
    share.tell(1.0)


def _keep_summaries(run: Run, rows: list[dict[str, Any]]) -> None:
    kept = {row["id"]: run.clean(row) for row in rows if _is_asked(run, row)}
    merged = run.folder.merge_summaries(kept)
    run.brought.summaries += merged.new + merged.changed


def _is_asked(run: Run, summary: Mapping[str, Any]) -> bool:
    """Whether the folder is asked for *summary*: by its time and the series of its alerts."""
    if run.scope.stop and a_time(summary["created"], "created") >= run.scope.stop:
        return False
    if run.asked.platforms is None and run.asked.suites is None:
        return True
    signatures = [a.get("series_signature") for a in alerts_of(summary)]
    return any(
        run.asked.matches(s.get("machine_platform"), s.get("suite"))
        for s in signatures
        if isinstance(s, dict)
    )


def _reread(run: Run, numbers: list[int]) -> None:
    """Read single summaries again."""
    todo = [number for number in numbers if f"summary {number}" not in run.journal]

    def read(number: int) -> dict[str, Any] | str:
        try:
            return run.server.summary(number)
        except FAILURES as error:
            return error.reason

    with run.watch("open alerts") as tell:
        for number, answer in watched(concurrently(read, todo), len(todo), tell):
            if isinstance(answer, str):
                run.left_out.add(f"changes of alerts: {answer}", f"summary {number}")
            else:
                _keep_summaries(run, [answer])
                run.journal.done(f"summary {number}")


def _is_open(summary: Mapping[str, Any]) -> bool:
    return summary.get("status") in _OPEN or any(a.get("status") == 0 for a in alerts_of(summary))
