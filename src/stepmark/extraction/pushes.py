# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The part of a run that brings pushes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stepmark.extraction.progress import watched
from stepmark.extraction.session import AHEAD, FAILURES, LEAST_SPAN, Run
from stepmark.extraction.split import Range, in_pieces
from stepmark.extraction.treeherder import IDS_A_REQUEST, Repository
from stepmark.files import file_name


def bring_pushes(run: Run, repositories: list[Repository]) -> None:
    """Bring the pushes that are not there yet, and those that something in the folder names."""
    with run.watch("pushes") as tell:
        for repository in watched(repositories, len(repositories), tell):
            part = f"pushes {file_name(repository.name)}"
            if part not in run.journal and _bring_newer(run, repository.name):
                run.journal.done(part)
            _bring_missing(run, repository.name)


def _bring_newer(run: Run, name: str) -> bool:
    """Bring the pushes since the newest that is there; whether all came."""
    newest: dict[str, str] = run.state.setdefault("pushes", {})
    start = run.scope.start
    if name in newest:
        start = max(start, datetime.fromisoformat(newest[name]) - AHEAD)

    def ask(pushed: Range, halving: bool) -> dict[int, Any]:
        return run.server.pushes(name, pushed, halving=halving)

    whole, latest = True, start
    for piece in in_pieces(Range(start, run.pushed.stop), ask, LEAST_SPAN):
        if piece.answer is None:
            run.left_out.add(f"pushes: {piece.reason}", f"{name} {piece.range}")
            whole = False
            continue
        _keep(run, name, piece.answer)
        last = max((push["push_timestamp"] for push in piece.answer.values()), default=0)
        latest = max(latest, datetime.fromtimestamp(last, UTC))
    if whole:
        newest[name] = latest.isoformat()
        run.folder.write_state(run.state)
    return whole


def _bring_missing(run: Run, name: str) -> None:
    """Bring the pushes that something in the folder names and that are not there yet."""
    there = {push["id"] for push in run.folder.pushes(name)}
    missing = sorted(run.pushes.get(name, set()) - there)
    for first in range(0, len(missing), IDS_A_REQUEST):
        ids = missing[first : first + IDS_A_REQUEST]
        try:
            found = run.server.pushes_by_id(name, ids)
        except FAILURES as error:
            run.left_out.add(f"pushes: {error.reason}", f"{name} {ids[0]} to {ids[-1]}")
            continue
        _keep(run, name, found)
        for number in ids:
            if number not in found:
                run.left_out.add(
                    "pushes: the server does not know them", f"{name} {number}", lasting=True
                )


def _keep(run: Run, repository: str, found: Mapping[int, Any]) -> None:
    merged = run.folder.merge_pushes(repository, {n: run.clean(p) for n, p in found.items()})
    run.brought.pushes += merged.new
