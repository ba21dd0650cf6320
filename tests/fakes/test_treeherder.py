# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The made-up Treeherder over HTTP: parameters, limits and quirks."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes import alerts_api
from fakes.client import ask, pages
from fakes.model import AlertStatus
from fakes.rules import due, epoch, naive
from fakes.serving import Asked
from fakes.treeherder import FakeTreeherder, World

SIGNATURES = "/api/project/autoland/performance/signatures/"
SUMMARY = "/api/performance/summary/?repository=autoland"
DATA = "/api/project/autoland/performance/data/"
ALERTS = "/api/performance/alertsummary/"
PUSHES = "/api/project/autoland/push/"
ALL = "&interval=99999999"


@pytest.fixture(scope="module")
def world():
    return World.generate(1)


@pytest.fixture(scope="module")
def fake(world):
    with FakeTreeherder(world) as server:
        yield server


@pytest.fixture
def get(fake):
    def asked(path):
        reply = ask(fake.url + path)
        assert reply.status == 200, reply.text
        return reply.json

    return asked


def test_requests_are_logged(world):
    with FakeTreeherder(world) as fake:
        ask(f"{fake.url}/api/performance/tag/?a=1&a=2", agent="someone/1")
        ask(f"{fake.url}/api/nosuch")
    one, two = fake.requests
    assert (one.method, one.path, one.query) == ("GET", "/api/performance/tag/", "a=1&a=2")
    assert (one.status, one.user_agent, one.fault) == (200, "someone/1", None)
    assert one.parameters == {"a": ["1", "2"]}
    assert two.path == "/api/nosuch"


def test_default_agents_of_libraries_are_refused(fake):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{fake.url}/api/performance/tag/")
    assert refused.value.code == 403
    assert refused.value.headers["Content-Type"].startswith("text/html")
    refused.value.close()
    for agent in ("Go-http-client/2.0", "Go 1.1 package http", "libcurl/8", "python-requests/2.32"):
        assert ask(f"{fake.url}/api/performance/tag/", agent=agent).status == 403
    for agent in ("curl/8.0", "stepmark/1.0 (mail)", "treeherder-pyclient/5.0.0", None):
        assert ask(f"{fake.url}/api/performance/tag/", agent=agent).status == 200


def test_a_missing_slash_gives_the_web_page(fake, world):
    reply = ask(f"{fake.url}/api/performance/tag")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    with FakeTreeherder(world, built_ui=False) as other:
        assert ask(f"{other.url}/api/performance/tag").status == 500


def test_answers_are_packed_when_asked_for(fake):
    plain = ask(f"{fake.url}{SIGNATURES}")
    packed = ask(f"{fake.url}{SIGNATURES}", accept_encoding="gzip, deflate")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert len(packed.body) < len(plain.body) / 3
    assert packed.json == plain.json


def test_writing_needs_a_session(fake):
    reply = ask(f"{fake.url}{ALERTS}1/", method="PUT")
    assert reply.status == 403
    assert reply.json == {"detail": "Authentication credentials were not provided."}


def test_heads_have_no_body(fake):
    reply = ask(f"{fake.url}{ALERTS}", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")


def test_the_clock_is_the_worlds(fake, world):
    sent = ask(f"{fake.url}/api/performance/tag/").headers["date"]
    assert datetime.strptime(sent, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) == world.now


def test_the_world_can_be_replaced(world):
    with FakeTreeherder(world) as fake:
        before = ask(f"{fake.url}{ALERTS}").json["count"]
        fake.world = world.grown(6)
        assert ask(f"{fake.url}{ALERTS}").json["count"] > before


def test_an_error_of_the_fake_itself_is_raised(world, monkeypatch):
    fake = FakeTreeherder(world)
    monkeypatch.setattr(fake, "answer", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError), fake:
        assert ask(f"{fake.url}/api/performance/tag/").status == 500


def test_repositories_on_hold_are_not_listed(get, world):
    names = {r["name"] for r in get("/api/repository/")}
    assert names == {r.name for r in world.repositories if r.active}
    assert len(names) < len(world.repositories)


def test_signatures_leave_defaults_out(get, world):
    answer = get(SIGNATURES)
    for s in world.signatures:
        if s.repository != "autoland":
            assert str(s.id) not in answer
            continue
        given = answer[str(s.id)]
        assert given.get("lower_is_better", True) == s.lower_is_better
        assert given.get("lower_is_better") is not True
        assert given.get("test", "") == s.test
        assert ("has_subtests" in given) == s.has_subtests
        assert given.get("tags", []) == list(s.tags)
        assert [] not in given.values()
        assert "" not in given.values()


def test_signatures_by_parameters(get, world):
    mine = [s for s in world.signatures if s.repository == "autoland"]

    def ids(query):
        return {int(key) for key in get(f"{SIGNATURES}?{query}")}

    assert ids("framework=1&framework=4") == {s.id for s in mine if s.framework in {1, 4}}
    assert ids("subtests=0") == {s.id for s in mine if s.parent is None}
    assert ids("subtests=1") == {s.id for s in mine}
    recent = {s.id for s in mine if s.last_updated > world.now - timedelta(days=7)}
    assert ids(f"interval={7 * 86400}") == recent < {s.id for s in mine}
    start = naive(world.now - timedelta(days=7))
    assert ids(f"start_date={start}") == recent
    assert ids(f"end_date={start}") == {s.id for s in mine} - recent
    child = next(s for s in mine if s.parent)
    assert child.id in ids(f"parent_signature={child.parent_hash}")
    assert ids(f"platform={child.platform}") == {s.id for s in mine if s.platform == child.platform}
    assert ids("id=1&id=2") == {1, 2}
    assert ids("platform=nosuch") == set()


def test_a_series_in_full(get, world):
    (element,) = get(f"{SUMMARY}&signature=2&all_data=true{ALL}")
    rows = [m for m in world.measurements if m.signature_id == 2]
    assert {d["id"]: d["value"] for d in element["data"]} == {m.id: m.value for m in rows}
    keys = [(d["push_timestamp"], d["push_id"]) for d in element["data"]]
    assert keys == sorted(keys)
    assert element["values"] == element["job_ids"] == element["submit_times"] == []
    old = {m.id for m in rows if m.expired}
    assert {d["id"] for d in element["data"] if d["job_id"] is None} == old != set()
    assert {d["id"] for d in element["data"] if d["submit_time"] is None} == old
    assert {d["id"] for d in element["data"] if d["machine_name"] is None} == old


def test_replicates_come_one_a_row(get, world):
    (element,) = get(f"{SUMMARY}&signature=2&all_data=true&replicates=true{ALL}")
    found = {}
    for d in element["data"]:
        found.setdefault(d["id"], []).append(d["value"])
    rows = {m.id: m for m in world.measurements if m.signature_id == 2}
    assert found == {k: list(m.replicates) or [m.value] for k, m in rows.items()}


def test_series_in_short_are_rounded(get, world):
    full = {m.id: m for m in world.measurements}
    elements = get(f"{SUMMARY}&framework=1{ALL}&no_subtests=true")
    assert {e["test"] for e in elements} == {""}
    for e in elements:
        own = [m for m in full.values() if m.signature_id == e["signature_id"]]
        assert sorted(e["values"]) == sorted(round(m.value, 2) for m in own)
        assert len(e["values"]) == len(e["job_ids"]) == len(e["submit_times"])
        assert e["data"] == []


def test_no_subtests_means_only_the_others(get):
    tests = get(f"{SUMMARY}&framework=13{ALL}")
    assert tests
    assert all(e["parent_signature"] is not None for e in tests)


def test_the_bounds_of_a_range_are_outside_of_it(get, world):
    rows = sorted(
        world.measurements[k].push_id
        for k, m in enumerate(world.measurements)
        if m.signature_id == 1
    )
    times = {p.id: p.time for p in world.pushes}
    first, last = times[rows[3]], times[rows[9]]
    query = f"&signature=1&all_data=true&startday={naive(first)}&endday={naive(last)}"
    (element,) = get(f"{SUMMARY}{query}")
    given = {d["push_id"] for d in element["data"]}
    assert given == {number for number in rows if first < times[number] < last}
    assert rows[3] not in given
    by_interval = f"&signature=1&all_data=true&interval={epoch(world.now) - epoch(first)}"
    (element,) = get(f"{SUMMARY}{by_interval}")
    assert min(d["push_id"] for d in element["data"]) > rows[3]


def test_a_revision_wins_over_times(get, world):
    row = next(m for m in world.measurements if m.signature_id == 1)
    revision = next(p.revision for p in world.pushes if p.id == row.push_id)
    elements = get(f"{SUMMARY}&signature=1&revision={revision}&interval=99999999")
    assert [e["values"] for e in elements] == [[round(row.value, 2)]]


def test_unknown_series_are_no_error(get):
    assert get(f"{SUMMARY}&signature=987654&all_data=true{ALL}") == []
    assert get(f"{DATA}?signature_id=987654") == {}


def test_parents_decide_whether_undecided_subtests_alert(get, world):
    given = {e["signature_id"]: e["should_alert"] for e in get(f"{SUMMARY}{ALL}")}
    undecided = [s for s in world.signatures if s.should_alert is None and s.id in given]
    assert undecided
    assert {given[s.id] for s in undecided} == {False}


def test_data_by_hash_with_epochs(get, world):
    answer = get(f"{DATA}?signature_id=2&signature_id=1")
    times = {p.id: p.time for p in world.pushes}
    values = {m.id: m.value for m in world.measurements}
    for rows in answer.values():
        assert [r["value"] for r in rows] == [round(values[r["id"]], 2) for r in rows]
        assert [r["push_timestamp"] for r in rows] == [epoch(times[r["push_id"]]) for r in rows]
    assert len(answer) == 2
    ids = [r["push_id"] for rows in answer.values() for r in rows]
    assert ids != sorted(ids)


def test_job_data_of_a_job_that_is_known(get, fake, world):
    job = world.measurements[-1].job
    name = next(p.repository for p in world.pushes if p.id == job.push_id)
    base = f"/api/project/{name}/performance/job-data/?job_id="
    answer = get(f"{base}{job.id}")
    own = {m.id for m in world.measurements if m.job.id == job.id}
    assert {d["id"] for d in answer["data"]} == own
    assert {d["signature_data"]["lower_is_better"] for d in answer["data"]} <= {True, False}
    assert ask(f"{fake.url}{base}").status == 400
    assert ask(f"{fake.url}{base}{world.measurements[0].job.id}").status == 400


def test_summaries_by_page(fake, get, world):
    sheriffed = [s for s in world.summaries if s.sheriffed]
    walked = pages(f"{fake.url}{ALERTS}?limit=7")
    assert [s["id"] for s in walked] == [s.id for s in sheriffed][::-1]
    assert len(get(ALERTS)["results"]) == 10
    first = get(f"{ALERTS}?limit=1000")
    assert first["count"] == len(sheriffed)
    assert len(first["results"]) == min(100, len(sheriffed))
    second = get(f"{ALERTS}?page=2&limit=7&framework=13")
    assert second["previous"] == f"{fake.url}{ALERTS}?framework=13&limit=7"
    assert second["next"] == f"{fake.url}{ALERTS}?framework=13&limit=7&page=3"
    capped = Asked("GET", "", ALERTS, {"limit": ["1000"], "page": ["2"]}, {})
    assert alerts_api._paged(capped, 250)[:2] == (100, 200)
    assert ask(f"{fake.url}{ALERTS}?page=0").json == {"detail": "Invalid page."}


def test_summaries_by_parameters(fake, world):
    sheriffed = [s for s in world.summaries if s.sheriffed]
    times = {p.id: p.time for p in world.pushes}

    def ids(query):
        return {s["id"] for s in pages(f"{fake.url}{ALERTS}?limit=100&{query}")}

    def those(test, of=sheriffed):
        found = {s.id for s in of if test(s)}
        assert found
        return found

    assert ids("status=7") == those(lambda s: s.status == 7)
    assert ids("framework=13&repository=77") == those(
        lambda s: (s.framework, s.repository) == (13, "autoland")
    )
    worse = those(lambda s: any(a.is_regression for a in s.alerts))
    assert ids("hide_improvements=true") == worse
    assert ids("hide_related_and_invalid=true") == those(lambda s: s.status not in {1, 2, 3})
    week = world.now - timedelta(days=7)
    assert ids(f"timerange={7 * 86400}") == those(lambda s: times[s.push_id] > week)
    assert ids("monitored_alerts=true") == those(lambda s: not s.sheriffed, world.summaries)
    assert ids("show_sheriffed_frameworks=true") == those(lambda _: True)
    assert ids("nosuchfilter=1") == those(lambda _: True)
    name = next(s.assignee.username for s in sheriffed if s.assignee)
    assert ids(f"with_assignee={name}") == those(
        lambda s: s.assignee and s.assignee.username == name
    )
    one = sheriffed[0].alerts[0]
    assert ids(f"alerts__series_signature={one.signature_id}") == those(
        lambda s: one.signature_id in {a.signature_id for a in s.alerts}
    )
    open_ = those(
        lambda s: any(a.status == AlertStatus.UNTRIAGED and a.is_regression for a in s.alerts)
    )
    assert open_ <= ids("untriaged_regressions=true")
    assert ids("filter_text=nosuchword") == set()
    assert ids(f"filter_text={sheriffed[0].bug_number}+autoland") == set()
    assert sheriffed[0].id in ids(f"filter_text={sheriffed[0].bug_number}")


def test_one_summary_is_found_whatever_its_kind_and_has_profiles(get, world):
    quiet = next(s for s in world.summaries if not s.sheriffed)
    assert get(f"{ALERTS}?id={quiet.id}")["count"] == 1
    urls = [
        alert["profile_url"]
        for s in world.summaries[-20:]
        for alert in get(f"{ALERTS}?id={s.id}")["results"][0]["alerts"]
    ]
    assert any(urls)
    assert not any(a["profile_url"] for a in get(f"{ALERTS}{world.summaries[-1].id}/")["alerts"])


def test_numbers_of_alerts_are_rounded(get, world):
    for s in pages_of(get):
        made = {a.id: a for a in world.summaries[s["id"] - 1].alerts}
        for a in s["alerts"]:
            for name in ("prev_value", "new_value", "t_value", "amount_abs", "amount_pct"):
                assert a[name] == round(getattr(made[a["id"]], name), 2)


def test_empty_lists_of_an_alerts_series_hold_an_empty_text(get, world):
    plain = {s.id: s for s in world.signatures if not s.tags}
    seen = [a["series_signature"] for s in pages_of(get) for a in s["alerts"]]
    assert {tuple(s["tags"]) for s in seen if s["id"] in plain} == {("",)}
    assert not any(s["tags"] == [] or s["extra_options"] == [] for s in seen)


def pages_of(get):
    return get(f"{ALERTS}?limit=100")["results"]


def test_due_dates_count_from_the_creation(get, world):
    created = {s.id: s.created for s in world.summaries}
    for s in pages_of(get):
        assert s["created"] == naive(created[s["id"]])
        assert s["triage_due_date"] == naive(due(created[s["id"]], 2))
        assert s["bug_due_date"] == naive(due(created[s["id"]], 4))


def test_alerts_given_away_are_seen_on_both_sides(get, world):
    away = next(a for s in world.summaries for a in s.alerts if a.related_summary_id)
    assert away.id in [a["id"] for a in get(f"{ALERTS}{away.summary_id}/")["alerts"]]
    other = get(f"{ALERTS}{away.related_summary_id}/")
    assert away.id in [a["id"] for a in other["related_alerts"]]


def test_edited_ranges_keep_the_original(get, world):
    edited = next(s for s in world.summaries if s.push_id != s.original_push_id)
    revisions = {p.id: p.revision for p in world.pushes}
    answer = get(f"{ALERTS}{edited.id}/")
    assert answer["revision"] == revisions[edited.push_id]
    assert answer["original_revision"] == revisions[edited.original_push_id]
    assert answer["original_prev_push_revision"] == revisions[edited.original_prev_push_id]


def test_alerts_by_cursor(fake, world):
    ids = [a["id"] for a in pages(f"{fake.url}/api/performance/alert/")]
    assert ids == sorted((a.id for s in world.summaries for a in s.alerts), reverse=True)
    second = ask(ask(f"{fake.url}/api/performance/alert/").json["next"]).json
    first = ask(second["previous"]).json
    assert [a["id"] for a in first["results"]] == ids[:10]
    assert ask(f"{fake.url}/api/performance/alert/?cursor=x").status == 404


def test_pushes_backwards_by_time(get, world):
    mine = [p for p in world.pushes if p.repository == "autoland"][::-1]
    found = get(f"{PUSHES}?count=100")["results"]
    while True:
        oldest = found[-1]["push_timestamp"]
        more = get(f"{PUSHES}?count=100&push_timestamp__lte={oldest}")["results"]
        more = [p for p in more if p["id"] not in {f["id"] for f in found}]
        if not more:
            break
        found += more
    assert [p["id"] for p in found] == [p.id for p in mine]
    assert len(get(PUSHES)["results"]) == 10


def test_pushes_by_parameters(fake, get, world):
    mine = [p for p in world.pushes if p.repository == "autoland"]
    one, two = mine[40], mine[44]

    def ids(query):
        return [p["id"] for p in get(f"{PUSHES}?count=1000&{query}")["results"]]

    between = [p.id for p in mine[40:45]][::-1]
    assert ids(f"fromchange={one.revision}&tochange={two.revision}") == between
    assert ids(f"revision={one.revision[:12]}") == [one.id]
    commit = next(c for p in mine for c in p.commits[1:])
    owner = next(p for p in mine if commit in p.commits)
    assert ids(f"commit_revision={commit.revision}") == [owner.id]
    assert ids(f"id__in={one.id},{two.id}") == [two.id, one.id]
    assert ids(f"id__gte={two.id}")[-1] == two.id
    assert set(ids(f"author={one.author}")) | set(ids(f"author=-{one.author}")) == {
        p.id for p in mine
    }
    day = one.time.date()
    assert set(ids(f"startdate={day}&enddate={day}")) == {
        p.id for p in mine if p.time.date() == day
    }
    assert ask(f"{fake.url}{PUSHES}?fromchange={'0' * 40}").status == 500
    assert ask(f"{fake.url}{PUSHES}?count=0").status == 400


def test_a_push_shows_twenty_commits_and_tells_how_many_there_are(get, world):
    big = next(p for p in world.pushes if len(p.commits) > 20)
    answer = get(f"/api/project/{big.repository}/push/{big.id}/")
    assert answer["revision_count"] == len(big.commits)
    assert [c["revision"] for c in answer["revisions"]] == [c.revision for c in big.commits[:20]]
    assert answer["revisions"][0]["revision"] == answer["revision"]


def test_a_trial_by_hand():
    tests = Path(__file__).parent.parent
    command = [sys.executable, "-m", "fakes", "--series", "2", "--pushes", "20", "--days", "5"]
    with subprocess.Popen(
        command, cwd=tests, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(tests)}
    ) as process:
        lines = [process.stdout.readline().split() for _ in range(3)]
        try:
            urls = {words[0]: words[1] for words in lines}
            assert ask(f"{urls['Treeherder']}/api/repository/").status == 200
            assert ask(f"{urls['Bugzilla']}/rest/bug/7").status == 404
            assert urls["now"].endswith("Z")
        finally:
            process.terminate()
