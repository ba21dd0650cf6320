# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A Bugzilla for tests: bugs, their histories and comments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from fakes.faults import Faults
from fakes.model import Bug, BugEvent, Comment, Person
from fakes.serving import Answer, Asked, FakeServer
from fakes.world import World

__all__ = ["API_KEY", "FakeBugzilla", "Faults", "World"]

API_KEY = "a-key-that-may-see-all"
_DOCUMENTATION = "https://bmo.readthedocs.io/en/latest/api/"


class FakeBugzilla(FakeServer):
    """Serves a world's bugs as Bugzilla would; restricted ones only to `API_KEY`.

    A search by ids leaves out what does not exist and what may not be seen; asked for alone, the
    first is error 101 and the second 102. With *closed* nobody sees anything without the key.
    """

    def __init__(self, world: World, faults: Faults | None = None, *, closed: bool = False) -> None:
        super().__init__(world, faults)
        self._closed = closed

    def answer(self, asked: Asked) -> Answer:
        key = asked.headers.get("x-bugzilla-api-key") or asked.last("api_key")
        if key is not None and key != API_KEY:
            return _error(400, 306, "The API key you specified is invalid.")
        if self._closed and key is None:
            return _error(401, 410, "You must log in before using this part of Bugzilla.")
        bugs = {bug.id: bug for bug in self.world.bugs}
        if asked.path in {"/rest/bug", "/rest/bug/"}:
            return _search(asked, bugs, seen=key is not None)
        found = re.fullmatch(r"/rest/bug/([^/]+)(/history|/comment)?/?", asked.path)
        if not found:
            return _error(404, 100301, "The requested method was not found.")
        if not found[1].isdigit():
            return _error(404, 100, f"'{found[1]}' is not a valid bug number nor an alias.")
        bug = bugs.get(int(found[1]))
        if bug is None:
            return _error(404, 101, f"Bug #{found[1]} does not exist.")
        if bug.restricted and key is None:
            return _error(401, 102, f"You are not authorized to access bug #{bug.id}.")
        if found[2] == "/history":
            history = [_event(event) for event in bug.history]
            return Answer(200, {"bugs": [{"id": bug.id, "alias": None, "history": history}]})
        if found[2] == "/comment":
            comments = [_comment(bug, k, c) for k, c in enumerate(bug.comments)]
            return Answer(200, {"bugs": {str(bug.id): {"comments": comments}}, "comments": {}})
        return Answer(200, {"bugs": [_fields(asked, bug)], "faults": []})


def _search(asked: Asked, bugs: dict[int, Bug], *, seen: bool) -> Answer:
    ids = [part for text in asked.all("id") for part in text.split(",") if part]
    if not ids:
        return _error(400, 1000, "You may not search, or create saved searches, without any terms.")
    wanted = dict.fromkeys(int(part) for part in ids if part.isdigit())
    found = [bugs[number] for number in sorted(wanted) if number in bugs]
    return Answer(200, {"bugs": [_fields(asked, b) for b in found if seen or not b.restricted]})


def _error(status: int, code: int, message: str) -> Answer:
    body = {"error": True, "code": code, "message": message, "documentation": _DOCUMENTATION}
    return Answer(status, body)


def _time(when: datetime | None) -> str | None:
    return None if when is None else f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _person(person: Person | None) -> dict[str, Any]:
    name, mail = (person.name, person.mail) if person else ("Nobody; OK to take it", NOBODY)
    return {
        "id": sum(map(ord, mail)),
        "name": mail,
        "email": mail,
        "nick": mail.split("@")[0],
        "real_name": name,
    }


NOBODY = "nobody@mozilla.org"


def _fields(asked: Asked, bug: Bug) -> dict[str, Any]:
    """*bug* with the fields that were asked for."""
    fields = _bug(bug)
    if include := asked.last("include_fields"):
        names = set(include.split(","))
        if not names & {"_all", "_default"}:
            fields = {k: v for k, v in fields.items() if k in names}
    if exclude := asked.last("exclude_fields"):
        fields = {k: v for k, v in fields.items() if k not in exclude.split(",")}
    return fields


def _bug(bug: Bug) -> dict[str, Any]:
    return {
        "id": bug.id,
        "type": "defect",
        "summary": bug.summary,
        "status": bug.status,
        "resolution": bug.resolution,
        "is_open": bug.resolution == "",
        "is_confirmed": True,
        "priority": bug.priority,
        "severity": bug.severity,
        "creator": bug.creator.mail,
        "creator_detail": _person(bug.creator),
        "assigned_to": bug.assignee.mail if bug.assignee else NOBODY,
        "assigned_to_detail": _person(bug.assignee),
        "qa_contact": "",
        "creation_time": _time(bug.created),
        "last_change_time": _time(bug.changed),
        "cf_last_resolved": _time(bug.resolved),
        "product": bug.product,
        "component": bug.component,
        "classification": "Components",
        "version": "unspecified",
        "target_milestone": "---",
        "platform": bug.platform,
        "op_sys": "Unspecified",
        "keywords": list(bug.keywords),
        "whiteboard": bug.whiteboard,
        "url": "",
        "alias": None,
        "cc": [person.mail for person in bug.cc],
        "cc_detail": [_person(person) for person in bug.cc],
        "flags": [],
        "groups": ["core-security"] if bug.restricted else [],
        "depends_on": [],
        "blocks": [],
        "regressed_by": list(bug.regressed_by),
        "regressions": [],
        "see_also": [],
        "duplicates": [],
        "dupe_of": bug.duplicate_of,
        "triage_owner": bug.cc[0].mail,
        "comment_count": len(bug.comments),
        "votes": 0,
        "cf_performance_impact": "---",
    }


def _event(event: BugEvent) -> dict[str, Any]:
    return {
        "when": _time(event.when),
        "who": event.who.mail,
        "changes": [
            {"field_name": c.field, "removed": c.removed, "added": c.added} for c in event.changes
        ],
    }


def _comment(bug: Bug, count: int, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "bug_id": bug.id,
        "count": count,
        "text": comment.text,
        "raw_text": comment.text,
        "creator": comment.who.mail,
        "author": comment.who.mail,
        "time": _time(comment.when),
        "creation_time": _time(comment.when),
        "is_private": False,
        "attachment_id": None,
        "tags": [],
    }
