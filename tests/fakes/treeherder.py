# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A Treeherder for tests: the read endpoints, with the quirks of the real one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fakes import alerts_api, push_api, series_api
from fakes.catalogue import FRAMEWORKS, GROUPS, ISSUE_TRACKERS, TAGS, TEMPLATED
from fakes.faults import Faults
from fakes.measuring import OPTION_HASH, OPTIONS
from fakes.model import Repository
from fakes.series_api import RefusedError
from fakes.serving import SERVER_ERROR, Answer, Asked, FakeServer, Request, page
from fakes.view import View
from fakes.world import World

__all__ = ["FakeTreeherder", "Faults", "Request", "World"]

_UNWELCOME = re.compile(
    "^Go-http-client/|^Go 1.1 package http|^libcurl/|^Python-urllib/|^python-requests/"
)
Endpoint = Callable[..., Any]


class FakeTreeherder(FakeServer):
    """Serves a world as Treeherder would.

    Times count from the world's now. Where *built_ui* is false, a path that is none is answered
    by 500, as by a server whose web pages were never built; else by the web page and 200.
    """

    def __init__(
        self, world: World, faults: Faults | None = None, *, built_ui: bool = True
    ) -> None:
        super().__init__(world, faults)
        self._built_ui = built_ui
        self._view = View(world)

    @property
    def view(self) -> View:
        world = self.world
        if self._view.world is not world:
            self._view = View(world)
        return self._view

    def answer(self, asked: Asked) -> Answer:
        if _UNWELCOME.match(asked.headers.get("user-agent", "")):
            return page(403, "403 Forbidden")
        for pattern, endpoint in _ENDPOINTS:
            if found := pattern.fullmatch(asked.path):
                return self._called(asked, endpoint, found.groups())
        return page(200, "Treeherder") if self._built_ui else SERVER_ERROR

    def _called(self, asked: Asked, endpoint: Endpoint, parts: tuple[str, ...]) -> Answer:
        version = re.search(r"version=([^;,\s]+)", asked.headers.get("accept", ""))
        if version and version[1] not in {"1.0", "1.1"}:
            return Answer(406, {"detail": 'Invalid version in "Accept" header.'})
        if asked.method not in {"GET", "HEAD"}:
            detail = "Authentication credentials were not provided."
            return Answer(403, {"detail": detail})
        view = self.view
        try:
            if endpoint in _HEAVY and self._too_long(view, asked):
                return page(502, "502 Server Error")
            if endpoint is alerts_api.summaries:
                withheld = 0 if asked.last("id") else self.state.withheld()
                return Answer(200, endpoint(view, asked, withheld))
            return Answer(200, endpoint(view, asked, *parts))
        except RefusedError as refused:
            return refused.answer

    def _too_long(self, view: View, asked: Asked) -> bool:
        longest = self.faults.longest
        return longest is not None and series_api.days_asked(view, asked) > longest


def _repositories(view: View, asked: Asked) -> Any:
    del asked
    return [_repository(r) for r in view.world.repositories if r.active]


def _one_repository(view: View, asked: Asked, number: str) -> Any:
    del asked
    for repository in view.world.repositories:
        if str(repository.id) == number:
            return _repository(repository)
    raise _missing("Repository")


def _repository(r: Repository) -> dict[str, Any]:
    return {
        "id": r.id,
        "repository_group": {"name": r.group, "description": GROUPS[r.group]},
        "name": r.name,
        "dvcs_type": r.dvcs,
        "url": r.url,
        "codebase": r.codebase,
        "description": r.description,
        "active_status": "active" if r.active else "onhold",
        "life_cycle_order": r.life_cycle_order,
        "performance_alerts_enabled": r.alerts_enabled,
        "expire_performance_data": r.expires,
        "is_try_repo": r.is_try,
        "tc_root_url": "https://firefox-ci-tc.services.mozilla.com",
        "accepts_pull_requests": False,
    }


def _options(view: View, asked: Asked) -> Any:
    del view, asked
    options = [{"name": name} for name in OPTIONS]
    return [{"option_collection_hash": OPTION_HASH, "options": options}]


def _platforms(view: View, asked: Asked) -> Any:
    del asked
    names = dict.fromkeys(s.platform for s in view.world.signatures)
    return [{"id": k, "platform": name} for k, name in enumerate(names, start=1)]


def _frameworks(view: View, asked: Asked) -> Any:
    del view, asked
    return [{"id": number, "name": name} for number, name in FRAMEWORKS.items()]


def _one_framework(view: View, asked: Asked, number: str) -> Any:
    for framework in _frameworks(view, asked):
        if str(framework["id"]) == number:
            return framework
    raise _missing("PerformanceFramework")


def _missing(model: str) -> RefusedError:
    return RefusedError(Answer(404, {"detail": f"No {model} matches the given query."}))


def _tags(view: View, asked: Asked) -> Any:
    del view, asked
    return [{"id": k, "name": name} for k, name in enumerate(TAGS, start=1)]


def _trackers(view: View, asked: Asked) -> Any:
    del view, asked
    return [
        {"id": k, "text": text, "issue_tracker_url": url}
        for k, (text, url) in enumerate(ISSUE_TRACKERS, start=1)
    ]


def _templates(view: View, asked: Asked) -> Any:
    del view
    wanted = asked.all("framework")
    text = "Perfherder saw {{ framework }} change with [{{ revision }}]({{ revisionHref }})."
    return [
        {
            "framework": number,
            "keywords": "perf, perf-alert, regression",
            "status_whiteboard": "",
            "default_component": "Performance",
            "default_product": "Testing",
            "cc_list": "",
            "text": text,
            "critical_text": f"{text} It will be backed out.",
            "no_action_required_text": f"{text} Nothing is asked of you.",
        }
        for number in TEMPLATED
        if not wanted or str(number) in wanted
    ]


_NAME = r"([^/]+)"
_PROJECT = f"/api/project/{_NAME}"
_HEAVY = (series_api.summary, series_api.data)
_ENDPOINTS: list[tuple[re.Pattern[str], Endpoint]] = [
    (re.compile(pattern), endpoint)
    for pattern, endpoint in (
        ("/api/repository/", _repositories),
        (f"/api/repository/{_NAME}/", _one_repository),
        ("/api/optioncollectionhash/", _options),
        ("/api/machineplatforms/", _platforms),
        ("/api/performance/framework/", _frameworks),
        (f"/api/performance/framework/{_NAME}/", _one_framework),
        ("/api/performance/tag/", _tags),
        ("/api/performance/issue-tracker/", _trackers),
        ("/api/performance/bug-template/", _templates),
        ("/api/performance/summary/", series_api.summary),
        ("/api/performance/alertsummary/", alerts_api.summaries),
        (f"/api/performance/alertsummary/{_NAME}/", alerts_api.one_summary),
        ("/api/performance/alertsummary-tasks/", alerts_api.tasks),
        ("/api/performance/alert/", alerts_api.alerts),
        (f"/api/performance/alert/{_NAME}/", alerts_api.one_alert),
        (f"{_PROJECT}/performance/signatures/", series_api.signatures),
        (f"{_PROJECT}/performance/platforms/", series_api.platforms),
        (f"{_PROJECT}/performance/data/", series_api.data),
        (f"{_PROJECT}/performance/job-data/", series_api.job_data),
        (f"{_PROJECT}/push/", push_api.pushes),
        (f"{_PROJECT}/push/{_NAME}/", push_api.one_push),
        (f"{_PROJECT}/push/{_NAME}/status/", push_api.push_status),
    )
]
