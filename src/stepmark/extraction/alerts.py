# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The part of a run that brings alert summaries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stepmark.extraction import paging
from stepmark.extraction.checks import a_time
from stepmark.extraction.folder import alerts_of
from stepmark.extraction.progress import watched
from stepmark.extraction.session import FAILURES, OVERLAP, Run
from stepmark.extraction.treeherder import SUMMARIES_A_PAGE, Framework, Repository
from stepmark.extraction.workers import concurrently
from stepmark.files import file_name

# Untriaged and investigating: people still work on them.
_OPEN = frozenset({0, 5})


def bring_summaries(run: Run, repositories: list[Repository], frameworks: list[Framework]) -> None:
    """Bring the summaries that are new, and what became of those that were open."""
    everything: list[int | None] = [None]
    chosen = everything if run.asked.frameworks is None else [f.id for f in frameworks]
    streams = [(r, f) for r in repositories for f in chosen]
    with run.watch("alerts") as tell:
        for repository, framework in watched(streams, len(streams), tell):
            part = _part(repository.name, framework)
            if part not in run.journal:
                try:
                    _sweep(run, repository, framework)
                except FAILURES as error:
                    run.left_out.add(f"alerts: {error.reason}", part)
                    continue
                run.journal.done(part)
            run.whole.add(part)
    _reread_open(run)
    for summary in run.folder.summaries():
        for name in ("push_id", "prev_push_id"):
            run.saw_push(summary.get("repository"), summary.get(name))


def _part(repository: str, framework: int | None) -> str:
    return f"summaries {file_name(repository)} {'all' if framework is None else framework}"


def _oldest(run: Run, part: str) -> datetime:
    """The creation time down to which summaries are read in this run."""
    last = run.last(part)
    return run.scope.start if last is None else max(run.scope.start, last - OVERLAP)


def _sweep(run: Run, repository: Repository, framework: int | None) -> None:
    """Bring the summaries of a repository, the newest first."""
    oldest = _oldest(run, _part(repository.name, framework))

    def read(page: int) -> paging.Page | None:
        return run.server.summaries(page, repository.id, framework)

    def wanted(summary: Mapping[str, Any]) -> bool:
        return a_time(summary["created"], "created") >= oldest

    for rows in paging.newest_first(read, wanted, SUMMARIES_A_PAGE):
        _keep_summaries(run, rows)


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


def _reread_open(run: Run) -> None:
    """Read the older summaries again that people had not finished with."""
    numbers = [
        summary["id"]
        for summary in run.folder.summaries()
        if _is_open(summary)
        and a_time(summary["created"], "created") < _oldest(run, _part_of(run, summary))
        and f"summary {summary['id']}" not in run.journal
    ]

    def read(number: int) -> dict[str, Any] | str:
        try:
            return run.server.summary(number)
        except FAILURES as error:
            return error.reason

    for number, answer in concurrently(read, numbers):
        if isinstance(answer, str):
            run.left_out.add(f"changes of alerts: {answer}", f"summary {number}")
        else:
            _keep_summaries(run, [answer])
            run.journal.done(f"summary {number}")


def _part_of(run: Run, summary: Mapping[str, Any]) -> str:
    framework = None if run.asked.frameworks is None else summary.get("framework")
    return _part(str(summary.get("repository")), framework)


def _is_open(summary: Mapping[str, Any]) -> bool:
    return summary.get("status") in _OPEN or any(a.get("status") == 0 for a in alerts_of(summary))
