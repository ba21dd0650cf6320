# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""One run of an extraction from Treeherder: what is new comes into the folder.

The first run brings everything that was asked for. A later one brings what is new since the last
complete run began, less a margin (`session.OVERLAP`) for what servers learn late: jobs that are run
again for old pushes, and alerts whose status changes. A run that was stopped goes on where it was
when it is started again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stepmark.extraction import asked as asking
from stepmark.extraction.alerts import bring_summaries, frameworks_of
from stepmark.extraction.asked import Asked, Scope
from stepmark.extraction.folder import Folder
from stepmark.extraction.measurements import bring_series
from stepmark.extraction.people import without_addresses
from stepmark.extraction.progress import Journal, LeftOut, Watch, alone, unwatched
from stepmark.extraction.pushes import bring_pushes
from stepmark.extraction.session import FAILURES, Brought, Report, Run, with_run
from stepmark.extraction.treeherder import (
    Framework,
    Repository,
    Treeherder,
    frameworks_in,
    repositories_in,
)
from stepmark.remote import Remote

_NEEDED = {"frameworks": "/api/performance/framework/", "repositories": "/api/repository/"}
_MORE = {"options": "/api/optioncollectionhash/", "tags": "/api/performance/tag/"}
_MOST_PASSES = 4
_LAST_YEAR = 2999


def extract(
    folder: Folder,
    remote: Remote,
    given: Asked,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    watch: Watch = unwatched,
) -> Report:
    """Bring what is asked for into *folder*, which need not exist.

    An existing folder's own request holds; raises `UsageError` if *given* says something else, and
    `RemoteError` if the server cannot be used: what came until then is kept, and the next call goes
    on from there.
    """
    server = Treeherder(remote)
    with alone(folder.path):
        scope = _scope(folder, remote, given, now())  # a mistake is told before anything is asked
        lists = {name: server.list_of(path) for name, path in _NEEDED.items()}
        # Its own clock says what is new at a server.
        told = remote.date if remote.date and remote.date.year <= _LAST_YEAR else None
        repositories = asking.chosen_repositories(
            scope.asked, repositories_in(lists["repositories"])
        )
        frameworks = asking.chosen_frameworks(scope.asked, frameworks_in(lists["frameworks"]))
        newest = _newest_push(server, repositories)
        started = max(time for time in (told or now(), newest) if time)
        if not folder.exists():
            scope = asking.scope_of(given, started)
        document = folder.document() if folder.exists() else _new_document(remote.server, scope)
        folder.write_document(document)
        folder.remove_remains()
        brought, left_out = Brought(), LeftOut()

        def begin() -> Run:
            journal = Journal(folder.path / "state" / "journal", started)
            state = folder.state()
            return Run(folder, server, scope, journal, started, state, watch, left_out, brought)

        people = scope.asked.people is True
        with with_run(folder, document, remote, left_out, now, people=people):
            for name, objects in lists.items():
                folder.write_list(name, objects if people else without_addresses(objects))
            _bring_in_passes(begin, repositories, frameworks)
    empty = not folder.series_paths() and next(folder.summaries(), None) is None
    note = _explained(scope, started, newest) if empty else ""
    return Report(brought, left_out.listed(), remote.requests, remote.bytes, empty, note)


def _scope(folder: Folder, remote: Remote, given: Asked, now: datetime) -> Scope:
    if folder.exists():
        asking.chosen_server(folder, "server", remote.server)
        return asking.kept_scope(folder.path, folder.document(), given)
    folder.require_free()
    return asking.scope_of(given, now)


def _newest_push(server: Treeherder, repositories: list[Repository]) -> datetime | None:
    """The newest push of all, which may be later than the server's clock says it is."""
    found = []
    for repository in repositories:
        with contextlib.suppress(*FAILURES):
            found.append(server.newest_push(repository.name))
    times = [time for time in found if time is not None and time.year <= _LAST_YEAR]
    return max(times, default=None)


def _new_document(server: str, scope: Scope) -> dict[str, Any]:
    return {"server": server, "bugzilla": None, "asked": scope.document(), "runs": []}


def _bring_lists(run: Run) -> None:
    """Bring the lists that can be done without."""
    for name, path in _MORE.items():
        try:
            objects = run.server.list_of(path)
        except FAILURES as error:
            run.left_out.add(f"{name}: {error.reason}", path, lasting=True)
            objects = run.folder.list_of(name) if run.folder.has_list(name) else []
        run.folder.write_list(name, run.clean(objects))


def _bring_in_passes(
    begin: Callable[[], Run], repositories: list[Repository], frameworks: list[Framework]
) -> None:
    """Bring all; then what is new since a stopped run began, and what did not come.

    It ends when the same does not come again.
    """
    named: dict[str, set[int]] = {}
    owed: frozenset[str] = frozenset()
    for _ in range(_MOST_PASSES):
        run = begin()
        run.left_out.clear()
        run.pushes = named
        with run.journal:
            _bring(run, repositories, frameworks)
        before, owed = owed, run.left_out.owed()
        if owed == before and not run.journal.is_resumed:
            return


def _bring(run: Run, repositories: list[Repository], frameworks: list[Framework]) -> None:
    _bring_lists(run)
    bring_summaries(run, repositories, frameworks)
    if run.asked.series != "none":
        bring_series(run, repositories, _with_retired(run, frameworks))
    bring_pushes(run, repositories)
    run.is_complete()


def _with_retired(run: Run, frameworks: list[Framework]) -> list[Framework]:
    """The *frameworks*, and if all are asked for those that alerts name and nobody lists."""
    if run.asked.frameworks is not None:
        return frameworks
    retired = frameworks_of(run) - {framework.id for framework in frameworks}
    return [*frameworks, *(Framework(number, str(number)) for number in sorted(retired))]


def _explained(scope: Scope, started: datetime, newest: datetime | None) -> str:
    until = scope.stop or started
    pushed = f"its newest push is of {newest:%Y-%m-%d}" if newest else "it has no pushes"
    return f"asked for {scope.start:%Y-%m-%d} to {until:%Y-%m-%d}; {pushed}"
