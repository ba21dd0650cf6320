# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The made-up Bugzilla over HTTP."""

from __future__ import annotations

import re

import pytest

from fakes.bugzilla import API_KEY, FakeBugzilla, Faults, World
from fakes.client import ask

DOCUMENTED = {
    "id type summary status priority severity creator assigned_to creation_time last_change_time",
    "component product resolution is_confirmed platform op_sys cc cc_detail flags classification",
    "triage_owner comment_count keywords depends_on blocks duplicates url votes is_open version",
    "cf_last_resolved cf_performance_impact whiteboard regressed_by regressions",
}


@pytest.fixture(scope="module")
def world():
    return World.generate(1)


@pytest.fixture
def fake(world):
    with FakeBugzilla(world) as server:
        yield server


def bugs(world, *, restricted):
    return [b for b in world.bugs if b.restricted == restricted]


def test_bugs_by_id_without_those_that_may_not_be_seen(world, fake):
    seen = sorted(b.id for b in bugs(world, restricted=False))
    ids = ",".join(str(b.id) for b in world.bugs)
    assert [b["id"] for b in ask(f"{fake.url}/rest/bug?id={ids},7").json["bugs"]] == seen
    again = "&".join(f"id={b.id}" for b in world.bugs)
    assert [b["id"] for b in ask(f"{fake.url}/rest/bug?{again}").json["bugs"]] == seen


def test_all_documented_fields(world, fake):
    (bug,) = ask(f"{fake.url}/rest/bug?id={world.bugs[0].id}").json["bugs"]
    assert {name for line in DOCUMENTED for name in line.split()} <= set(bug)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bug["creation_time"])


def test_fields_are_those_that_were_asked_for(world, fake):
    url = f"{fake.url}/rest/bug?id={world.bugs[0].id}"
    (bug,) = ask(f"{url}&include_fields=id,resolution,status,nosuch").json["bugs"]
    assert list(bug) == ["id", "status", "resolution"]
    (bug,) = ask(f"{url}&exclude_fields=cc").json["bugs"]
    assert "cc" not in bug
    assert "summary" in bug
    (bug,) = ask(f"{url}&include_fields=_all").json["bugs"]
    assert "cc" in bug


def test_a_key_shows_what_is_restricted(world, fake):
    number = bugs(world, restricted=True)[0].id
    url = f"{fake.url}/rest/bug?id={number}"
    assert ask(url).json == {"bugs": []}
    assert ask(url, x_bugzilla_api_key=API_KEY).json["bugs"][0]["id"] == number
    assert ask(f"{url}&api_key={API_KEY}").json["bugs"][0]["id"] == number
    refused = ask(url, x_bugzilla_api_key="wrong")
    assert (refused.status, refused.json["code"]) == (400, 306)


@pytest.mark.parametrize("part", ["", "/history", "/comment"])
def test_refusals_of_one_bug(world, fake, part):
    for number, status, code in (
        (bugs(world, restricted=True)[0].id, 401, 102),
        (7, 404, 101),
        ("x", 404, 100),
    ):
        answer = ask(f"{fake.url}/rest/bug/{number}{part}")
        assert (answer.status, answer.json["code"], answer.json["error"]) == (status, code, True)


def test_history(world, fake):
    bug = next(b for b in bugs(world, restricted=False) if b.resolution)
    (answer,) = ask(f"{fake.url}/rest/bug/{bug.id}/history").json["bugs"]
    assert answer["id"] == bug.id
    assert [event["when"] for event in answer["history"]] == [
        f"{event.when:%Y-%m-%dT%H:%M:%SZ}" for event in bug.history
    ]
    last = answer["history"][-1]
    changes = {c["field_name"]: (c["removed"], c["added"]) for c in last["changes"]}
    assert changes["resolution"] == ("", bug.resolution)
    assert "@" in last["who"]


def test_comments(world, fake):
    bug = bugs(world, restricted=False)[0]
    answer = ask(f"{fake.url}/rest/bug/{bug.id}/comment").json
    comments = answer["bugs"][str(bug.id)]["comments"]
    assert [c["count"] for c in comments] == list(range(len(bug.comments)))
    assert comments[0]["text"].startswith("Perfherder has detected a ")


def test_no_search_without_terms(fake):
    answer = ask(f"{fake.url}/rest/bug")
    assert (answer.status, answer.json["error"]) == (400, True)


def test_a_closed_one_shows_nothing_without_the_key(world):
    with FakeBugzilla(world, closed=True) as fake:
        url = f"{fake.url}/rest/bug?id={world.bugs[0].id}"
        assert ask(url).status == 401
        assert len(ask(url, x_bugzilla_api_key=API_KEY).json["bugs"]) == 1


def test_the_faults_are_those_of_the_other_server(world):
    with FakeBugzilla(world, Faults(rate=1.0, kinds=("503",), most=1)) as fake:
        url = f"{fake.url}/rest/bug?id={world.bugs[0].id}"
        assert [ask(url).status for _ in range(3)] == [503, 200, 503]
