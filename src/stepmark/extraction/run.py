# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""One run of an extraction from Treeherder: what is new comes into the folder.

The first run brings everything that was asked for. A later one brings what is new since the last
complete run began, less a margin (`session.OVERLAP`) for what servers learn late: jobs that are run
again for old pushes, and alerts whose status changes. A run that was stopped goes on where it was
when it is started again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stepmark.extraction import asked as asking
from stepmark.extraction.alerts import bring_summaries
from stepmark.extraction.asked import Asked, Scope
from stepmark.extraction.folder import Folder
from stepmark.extraction.measurements import bring_series
from stepmark.extraction.progress import Journal, Watch, alone, unwatched
from stepmark.extraction.pushes import bring_pushes
from stepmark.extraction.session import Report, Run, with_run
from stepmark.extraction.treeherder import (
    Framework,
    Repository,
    Treeherder,
    frameworks_in,
    repositories_in,
)
from stepmark.remote import Remote

_LISTS = {
    "frameworks": "/api/performance/framework/",
    "repositories": "/api/repository/",
    "options": "/api/optioncollectionhash/",
    "tags": "/api/performance/tag/",
}


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
        if folder.exists():
            asking.chosen_server(folder, "server", remote.server)
            scope = asking.kept_scope(folder.path, folder.document(), given)
        else:
            folder.require_free()
            scope = asking.scope_of(given, now())  # a mistake is told before anything is asked
        found = {name: server.list_of(path) for name, path in _LISTS.items()}
        # Its own clock says what is new at a server.
        started = remote.date or now()
        if not folder.exists():
            scope = asking.scope_of(given, started)
        there = repositories_in(found["repositories"])
        repositories = asking.chosen_repositories(scope.asked, there)
        frameworks = asking.chosen_frameworks(scope.asked, frameworks_in(found["frameworks"]))
        document = folder.document() if folder.exists() else _new_document(remote.server, scope)
        folder.write_document(document)
        folder.remove_remains()
        journal = Journal(folder.path / "state" / "journal", started)
        run = Run(folder, server, scope, journal, started, folder.state(), watch)
        with with_run(folder, document, remote, run.left_out, now), journal:
            for name, objects in found.items():
                folder.write_list(name, run.clean(objects))
            _bring(run, repositories, frameworks)
    return Report(
        run.brought,
        run.left_out.listed(),
        remote.requests,
        remote.bytes,
        empty=not folder.series_paths() and next(folder.summaries(), None) is None,
    )


def _new_document(server: str, scope: Scope) -> dict[str, Any]:
    return {"server": server, "bugzilla": None, "asked": scope.document(), "runs": []}


def _bring(run: Run, repositories: list[Repository], frameworks: list[Framework]) -> None:
    bring_summaries(run, repositories, frameworks)
    if run.asked.series != "none":
        bring_series(run, repositories, frameworks)
    bring_pushes(run, repositories)
    run.is_complete()
