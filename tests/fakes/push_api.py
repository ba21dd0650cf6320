# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Answers about pushes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from fakes.model import Push
from fakes.rules import epoch
from fakes.series_api import RefusedError, integers
from fakes.serving import SERVER_ERROR, Answer, Asked
from fakes.view import View

_MOST = 1000
_SHOWN = 20
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_ECHOED = ("startdate", "enddate", "revision", "fromchange", "tochange", "commit_revision")


def _known(view: View, project: str) -> None:
    if project not in view.repositories:
        raise RefusedError(Answer(404, {"detail": f"No project with name {project}"}))


def pushes(view: View, asked: Asked, project: str) -> Any:
    """Newest first."""
    _known(view, project)
    count = _count(asked)
    meta = {name: asked.last(name) for name in _ECHOED if asked.last(name)}
    filters = _filters(view, asked, project)
    found = view.world.pushes if asked.flag("all_repos") else view.of_repository[project]
    kept = [p for p in found if _fits(p, filters)]
    kept.sort(key=lambda p: (p.time, p.id), reverse=True)
    kept = kept[:count]
    return {
        "meta": {
            **meta,
            "count": len(kept),
            "repository": project,
            "filter_params": filters,
        },
        "results": [_push(view, p) for p in kept],
    }


def _count(asked: Asked) -> int:
    text = asked.last("count")
    if text is None:
        return 10
    count = integers([text], {"detail": "Valid count value required"})[0]
    if count > _MOST:
        raise RefusedError(Answer(400, {"detail": f"Specified count exceeds api limit: {_MOST}"}))
    if count < 1:
        raise RefusedError(Answer(400, {"detail": "count requires a positive integer"}))
    return count


def _filters(view: View, asked: Asked, project: str) -> dict[str, Any]:
    """The parameters as the server understands them, which it also tells."""
    filters: dict[str, Any] = {}
    for name, values in asked.parameters.items():
        if name in {"count", "id", "id__in", "author", "author_contains", "search"} or (
            name.startswith(("id__", "push_timestamp__")) and name.split("__")[1] in _COMPARISONS
        ):
            filters[name] = values[-1]
    if revision := asked.last("revision"):
        long = len(revision) == 40
        filters["revisions_long_revision" if long else "revisions_short_revision"] = revision
    if revision := asked.last("commit_revision"):
        filters["commits__revision"] = revision
    for name, key in (("fromchange", "gte"), ("tochange", "lte")):
        if revision := asked.last(name):
            filters[f"push_timestamp__{key}"] = epoch(_tip(view, project, revision).time)
    if day := asked.last("startdate"):
        filters["push_timestamp__gte"] = epoch(_day(day))
    if day := asked.last("enddate"):
        filters["push_timestamp__lt"] = epoch(_day(day) + timedelta(days=1))
    return filters


def _tip(view: View, project: str, revision: str) -> Push:
    for push in view.of_repository[project]:
        if push.revision.startswith(revision):
            return push
    raise RefusedError(SERVER_ERROR)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(SERVER_ERROR) from None


def _fits(push: Push, filters: dict[str, Any]) -> bool:
    author = str(filters.get("author", push.author))
    if (push.author == author.removeprefix("-")) == author.startswith("-"):
        return False
    revisions = [commit.revision for commit in push.commits]
    tests: dict[str, Callable[[Any], bool]] = {
        "revisions_long_revision": lambda v: push.revision == v,
        "revisions_short_revision": push.revision.startswith,
        "commits__revision": lambda v: v in revisions,
        "author_contains": lambda v: v.lower() in push.author.lower(),
        "search": lambda v: any(v.lower() in c.comments.lower() for c in push.commits),
        "id": lambda v: push.id == _number(v),
        "id__in": lambda v: push.id in [_number(x) for x in v.split(",")],
    }
    for name, value in filters.items():
        if name in tests and not tests[name](value):
            return False
        own, _, comparison = name.partition("__")
        if comparison in _COMPARISONS:
            mine = push.id if own == "id" else epoch(push.time)
            if not _COMPARISONS[comparison](mine, _number(value)):
                return False
    return True


def _number(value: Any) -> int:
    return integers([str(value)], SERVER_ERROR)[0]


def _push(view: View, push: Push) -> dict[str, Any]:
    repository = view.repositories[push.repository].id
    return {
        "id": push.id,
        "revision": push.revision,
        "author": push.author,
        "branch": None,
        "revisions": [
            {
                "result_set_id": push.id,
                "repository_id": repository,
                "revision": commit.revision,
                "author": commit.author,
                "comments": commit.comments,
            }
            for commit in push.commits[:_SHOWN]
        ],
        "revision_count": len(push.commits),
        "push_timestamp": epoch(push.time),
        "repository_id": repository,
    }


def _found(view: View, project: str, number: str) -> Push:
    _known(view, project)
    push = view.pushes.get(int(number)) if number.isdigit() else None
    if push is None or push.repository != project:
        raise RefusedError(Answer(404, f"No push with id: {number}"))
    return push


def one_push(view: View, asked: Asked, project: str, number: str) -> Any:
    del asked
    return _push(view, _found(view, project, number))


def push_status(view: View, asked: Asked, project: str, number: str) -> Any:
    del asked
    push = _found(view, project, number)
    jobs = {row.job.id for row in view.of_push[push.id] if not row.expired}
    done = {"success": len(jobs)} if jobs else {}
    return {"completed": len(jobs), "pending": 0, "running": 0, **done}
