# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Extraction from a made-up Treeherder over real HTTP: whatever happens, all arrives, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from extraction.worlds import QUICK, assert_whole, bring, content, contents, small
from fakes.bugzilla import API_KEY, FakeBugzilla
from fakes.faults import KINDS
from fakes.treeherder import FakeTreeherder, Faults, World
from stepmark.errors import RemoteError, UsageError
from stepmark.extraction.bugs import extract_bugs
from stepmark.extraction.folder import Folder
from stepmark.remote import Remote


def test_everything_arrives(tmp_path):
    with FakeTreeherder(small()) as server:
        report = bring(tmp_path / "out", server)
    assert_whole(tmp_path / "out", small())
    assert report.left_out == []
    assert report.requests == len(server.requests)
    assert server.most_at_once <= 2
    assert all(r.user_agent.startswith("stepmark/") for r in server.requests)
    run = json.loads((tmp_path / "out/extraction.json").read_text())["runs"][0]
    assert run["finished"] is not None
    assert run["requests"] == report.requests


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_is_survived(tmp_path, kind):
    # A replicate that comes twice cannot be told from two that are equal.
    replicates = kind != "duplicates"
    with FakeTreeherder(small(), Faults(seed=5, rate=0.3, kinds=(kind,), delay=0.0)) as server:
        report = bring(tmp_path / "out", server, replicates=replicates)
    assert any(request.fault for request in server.requests)
    assert report.left_out == []
    assert_whole(tmp_path / "out", small(), replicates=replicates)


@pytest.mark.parametrize("seed", [1, 2])
def test_all_faults_at_once_are_survived(tmp_path, seed):
    faults = Faults(seed, 0.4, tuple(k for k in KINDS if k != "duplicates"), delay=0.0)
    with FakeTreeherder(small(seed), faults) as server:
        bring(tmp_path / "out", server)
    assert_whole(tmp_path / "out", small(seed))


def test_a_range_that_is_too_long_is_halved(tmp_path):
    with FakeTreeherder(small(), Faults(longest=9, delay=0.0)) as server:
        report = bring(tmp_path / "out", server)
    assert report.left_out == []
    assert_whole(tmp_path / "out", small())


def test_what_cannot_be_had_is_left_out_and_owed(tmp_path):
    out = tmp_path / "out"
    with FakeTreeherder(small(), Faults(permanent=(("signature=2&", "500"),))) as server:
        report = bring(out, server)
        assert_whole(out, small(), but=[("autoland", 2)])
        [left] = report.left_out
        assert left["count"] == 1
        assert "HTTP 500" in left["reason"]
        assert left["examples"][0].startswith("autoland 2, ")
        tried = [r for r in server.requests if "signature=2&" in r.query]
        assert len(tried) == 2 * QUICK.attempts_of_broken  # all that is owed is asked for twice
    with FakeTreeherder(small()) as server:
        document = json.loads((out / "extraction.json").read_text())
        (out / "extraction.json").write_text(json.dumps({**document, "server": server.url}))
        assert bring(out, server).left_out == []
    assert_whole(out, small())


def test_a_day_that_is_too_much_is_left_out_of_a_series(tmp_path):
    # Every range that holds this day is answered by 502.
    world, out = small(), tmp_path / "out"
    with FakeTreeherder(world, Faults(permanent=(("signature=2&.*all_data", "502"),))) as server:
        report = bring(out, server, since="3d")
    assert report.left_out[0]["count"] >= 3
    assert not (out / "series/autoland/2.parquet").exists()


def test_alerts_that_arrive_meanwhile_come_too(tmp_path):
    world = small()
    new = sum(s.created > world.now - timedelta(days=10) for s in world.summaries)
    assert new
    with FakeTreeherder(world, Faults(arriving=new)) as server:
        bring(tmp_path / "out", server)
        missing = len(world.summaries) - len(list(Folder(tmp_path / "out").summaries()))
        while server.state.withheld():
            pass
        assert bring(tmp_path / "out", server).brought.summaries >= min(missing, 1)
    assert_whole(tmp_path / "out", world)


def test_a_second_run_asks_little_and_changes_nothing(tmp_path):
    with FakeTreeherder(small()) as server:
        first = bring(tmp_path / "out", server)
        before = contents(tmp_path / "out")
        second = bring(tmp_path / "out", server)
    assert contents(tmp_path / "out") == before
    assert second.bytes < first.bytes / 4
    asked = [r for r in server.requests[first.requests :] if "all_data" in r.query]
    assert asked == []


@pytest.mark.parametrize("days", [0.5, 6, 30])
def test_a_later_run_brings_what_is_new(tmp_path, days):
    out, world = tmp_path / "out", small()
    with FakeTreeherder(world) as server:
        first = bring(out, server)
        server.world = grown = world.grown(days)
        second = bring(out, server)
    assert len(grown.measurements) > len(world.measurements)
    assert second.brought.measurements == len(grown.measurements) - len(world.measurements)
    assert second.bytes < first.bytes
    assert_whole(out, grown)


def test_only_what_was_asked_for_comes(tmp_path):
    out = tmp_path / "out"
    with FakeTreeherder(small()) as server:
        bring(out, server, repositories=("autoland",), frameworks=("talos",), subtests=False)
        series = content(out)
        assert series
        for request in server.requests:
            assert "mozilla-beta" not in request.path + request.query
        bring(tmp_path / "no", server, series="none")
        assert not Folder(tmp_path / "no").series_paths()
        bring(tmp_path / "alerted", server, series="alerted", platforms=("linux*",))
    assert all(rows.header["framework_id"] == 1 for rows in series.values())
    assert all(rows.header["parent_signature"] is None for rows in series.values())
    named = {
        alert["series_signature"]["id"]
        for summary in Folder(tmp_path / "alerted").summaries()
        for alert in (*summary["alerts"], *summary["related_alerts"])
    }
    assert {number for _, number in content(tmp_path / "alerted")} <= named
    for rows in content(tmp_path / "alerted").values():
        assert rows.header["platform"].startswith("linux")


def test_a_range_of_time_is_kept_to(tmp_path):
    world = small()
    since, until = "2026-10-10T00:00:00", "2026-10-20T00:00:00"
    with FakeTreeherder(world) as server:
        bring(tmp_path / "out", server, since=since, until=until)
    pushes = {p.id: p.time.replace(tzinfo=None).isoformat() for p in world.pushes}
    known = {r.name for r in world.repositories if r.alerts_enabled and r.active}
    signatures = {s.id for s in world.signatures if s.repository in known}
    expected = {
        m.id
        for m in world.measurements
        if since <= pushes[m.push_id] < until and m.signature_id in signatures
    }
    found = [i for rows in content(tmp_path / "out").values() for i in rows.by_id]
    assert sorted(found) == sorted(expected)
    created = [s["created"] for s in Folder(tmp_path / "out").summaries()]
    assert all(since <= time < until for time in created)


def test_addresses_stay_out_unless_asked_for(tmp_path):
    with FakeTreeherder(small()) as server:
        bring(tmp_path / "without", server)
        bring(tmp_path / "with", server, people=True)
    texts = b"".join(contents(tmp_path / "without").values())
    assert b"@example" not in texts
    assert b"@mozilla" not in texts
    assert any(b"@" in text for text in contents(tmp_path / "with").values())
    assert_whole(tmp_path / "with", small(), people=True)


def test_a_server_that_goes_away_stops_the_run_and_the_next_goes_on(tmp_path):
    out, world = tmp_path / "out", small()
    with FakeTreeherder(world, Faults(permanent=(("all_data", "503"),))) as server:
        with pytest.raises(RemoteError, match=r"HTTP 503"):
            bring(out, server)
        run = json.loads((out / "extraction.json").read_text())["runs"][0]
        assert run["finished"] is None
        before = len(server.requests)
        server.faults = replace(server.faults, permanent=())
        server.state.faults = server.faults
        bring(out, server)
        again = [r.path + r.query for r in server.requests[before:]]
    alerts = min(k for k, text in enumerate(again) if "alertsummary" in text)
    # The alerts were there: what is new of them since is asked for at the end.
    assert alerts > max(k for k, text in enumerate(again) if "all_data" in text)
    assert_whole(out, world)


def stepmark(*arguments):
    environment = {**os.environ, "STEPMARK_CONTACT": "test"}
    command = [sys.executable, "-m", "stepmark", "extract", *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_run_killed_at_any_time_goes_on(tmp_path):
    out, rng, kills = tmp_path / "out", random.Random(4), 0
    faults = Faults(seed=2, rate=0.5, kinds=("slow",), delay=0.1)
    with FakeTreeherder(small(), faults) as server:
        while kills < 4:
            process = stepmark("treeherder", out, "--server", server.url)
            before = len(server.requests)
            while len(server.requests) < before + 5 and process.poll() is None:
                time.sleep(0.01)
            time.sleep(rng.uniform(0.0, 1.2))
            process.kill()
            process.communicate()
            if process.returncode == 0:
                break
            kills += 1
        assert kills >= 2
        process = stepmark("treeherder", out, "--server", server.url)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert_whole(out, small())


class Death(BaseException):
    """What ends a run at once."""


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_ends_at_any_write_goes_on(tmp_path, monkeypatch, seed):
    out, rng, world = tmp_path / "out", random.Random(seed), small()
    write, left = Folder._write, 0

    def dying(self, name, data):
        nonlocal left
        left -= 1
        if left == 0 and rng.random() < 0.5:
            raise Death  # before it is written, or after
        write(self, name, data)
        if left == 0:
            raise Death

    monkeypatch.setattr(Folder, "_write", dying)
    deaths = 0
    with FakeTreeherder(world) as server:
        for server.world in (world, world.grown(6)):
            done = False
            while not done:
                left = rng.randint(1, 20)
                try:
                    bring(out, server)
                    done = True
                except Death:
                    deaths += 1
            assert_whole(out, server.world)
    assert deaths >= 3


def test_ctrl_c_leaves_a_folder_to_go_on_from(tmp_path):
    out = tmp_path / "out"
    with FakeTreeherder(small(), Faults(permanent=(("all_data", "slow"),), delay=0.3)) as server:
        process = stepmark("treeherder", out, "--server", server.url)
        while not Folder(out).series_paths() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert (output, errors) == ("", "")
        assert json.loads((out / "extraction.json").read_text())["runs"][0]["finished"] is None
        done = len(Folder(out).series_paths())
        server.faults = Faults()
        server.state.faults = server.faults
        before = len(server.requests)
        bring(out, server)
    asked = {r.query for r in server.requests[before:] if "all_data" in r.query}
    assert len(asked) <= 2 * (len(Folder(out).series_paths()) - done)
    assert_whole(out, small())


def test_two_extractions_do_not_write_to_one_folder(tmp_path):
    from stepmark.extraction.progress import alone

    with (
        FakeTreeherder(small()) as server,
        alone(tmp_path / "out"),
        pytest.raises(UsageError, match="another extraction writes"),
    ):
        bring(tmp_path / "out", server)


def bugs_of(folder, server, key=None, people=None):
    headers = {"x-bugzilla-api-key": key} if key else {}
    with Remote(server.url, headers=headers, patience=QUICK) as remote:
        return extract_bugs(Folder(folder), remote, people=people)


@pytest.fixture
def alerts(tmp_path):
    """A folder with the alerts of a world that has many bugs."""
    world = World.generate(1, series=10, pushes=200, subtests=0)
    with FakeTreeherder(world) as server:
        bring(tmp_path / "out", server, series="none")
    return tmp_path / "out", world


def test_bugs_arrive_with_their_histories(alerts):
    out, world = alerts
    summaries = [s for s in Folder(out).summaries() if s["issue_tracker"] in (None, 1)]
    named = {s["bug_number"] for s in summaries} - {None}
    faults = Faults(seed=1, rate=0.3, kinds=tuple(k for k in KINDS if k != "duplicates"), delay=0.0)
    with FakeBugzilla(world, faults) as server:
        report = bugs_of(out, server)
        first = len(server.requests)
        before = contents(out)
        bugs_of(out, server)
        assert len(server.requests) - first <= 3 * (len(named) // 50 + 1)
    assert contents(out) == before
    found, bugs = Folder(out).bugs(), {bug.id: bug for bug in world.bugs}
    assert set(found) == named
    assert len([e for e in found.values() if e["bug"]]) > 3
    for number, entry in found.items():
        bug = bugs.get(number)
        if bug is None or bug.restricted:
            assert entry["bug"] is None
            assert entry["error"] == ("not public" if bug else "not known")
        else:
            assert entry["bug"]["summary"] == bug.summary
            assert len(entry["history"]) == len(bug.history)
    assert all("@" not in t.decode() for name, t in contents(out).items() if "bugs" in name)
    refused = sum(entry["bug"] is None for entry in found.values())
    assert sum(part["count"] for part in report.left_out) == refused
    document = json.loads((out / "extraction.json").read_text())
    assert document["bugzilla"] == server.url


def test_bugs_that_changed_are_read_again(alerts):
    out, world = alerts
    with FakeBugzilla(world) as server:
        bugs_of(out, server)
        server.world = grown = world.grown(20)
        bugs_of(out, server)
    found = Folder(out).bugs()
    for bug in grown.bugs:
        if bug.id in found and found[bug.id]["bug"]:
            assert len(found[bug.id]["history"]) == len(bug.history)


def test_a_key_opens_bugs_and_is_told_to_nobody_else(alerts):
    out, world = alerts
    with FakeBugzilla(world) as server:
        bugs_of(out, server, key=API_KEY)
        assert all(API_KEY not in r.path + r.query for r in server.requests)
        with pytest.raises(RemoteError, match="API key you specified is invalid") as caught:
            bugs_of(out, server, key="wrong-and-secret")
    assert "wrong-and-secret" not in str(caught.value)
    restricted = {bug.id for bug in world.bugs if bug.restricted}
    entries = Folder(out).bugs()
    assert restricted & set(entries)
    assert all(entries[number]["bug"] for number in restricted & set(entries))
    assert API_KEY.encode() not in b"".join(contents(out).values())


def test_an_unusable_server_is_one_line_and_leaves_no_folder(tmp_path):
    with FakeTreeherder(small()) as server:
        process = stepmark("treeherder", tmp_path / "out", "--server", server.url, "--since", "x")
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, output, server.requests) == (2, "", [])
        assert errors.count("\n") == 1
        with pytest.raises(UsageError, match=r"--repository autolan: .* mean autoland"):
            bring(tmp_path / "out", server, repositories=("autolan",))
    with pytest.raises(RemoteError, match="cannot be reached"):
        bring(tmp_path / "out", server)
    assert not (tmp_path / "out").exists()


def test_bugs_that_are_refused_are_told_by_every_run(alerts):
    out, world = alerts
    with FakeBugzilla(world) as server:
        first = bugs_of(out, server).left_out
        assert first
        assert bugs_of(out, server).left_out == first
