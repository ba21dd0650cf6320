# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Servers, clocks and disks that are other than one would wish."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from extraction.worlds import Truth, assert_whole, bring, content, small
from fakes import serving, treeherder
from fakes.treeherder import FakeTreeherder, Faults, World
from stepmark.errors import OutputError, RemoteError, UsageError
from stepmark.extraction import folder as module
from stepmark.extraction.folder import Folder
from stepmark.extraction.split import Range
from stepmark.extraction.treeherder import Treeherder


@pytest.mark.parametrize("away", [timedelta(days=-800), timedelta(days=800), None])
def test_the_clock_of_a_server_may_be_years_off_or_not_told(tmp_path, away):
    out, world = tmp_path / "out", small()
    with FakeTreeherder(world) as server:
        server.offset = away
        for server.world in (world, world.grown(3), world.grown(40)):
            bring(out, server, since="2026-09-01")
            assert_whole(out, server.world)


def test_a_folder_is_up_to_date_after_a_run_that_was_stopped_long_ago(tmp_path):
    out, world = tmp_path / "out", small()
    fault = Faults(permanent=(("autoland.*all_data", "503"),), delay=0.0)
    with FakeTreeherder(world, fault) as server:
        with pytest.raises(RemoteError):
            bring(out, server)
        assert Folder(out).series_paths()
        server.state.faults = server.faults = Faults()
        server.world = world.grown(9)
        bring(out, server)
    assert_whole(out, world.grown(9))


def test_what_fails_by_chance_is_asked_for_once_more(tmp_path):
    # Each request meets its fault with a chance of its own, so some fail as often as is borne.
    faults = Faults(seed=3, rate=0.4, kinds=("500",), most=1000, delay=0.0)
    with FakeTreeherder(small(), faults) as server:
        assert bring(tmp_path / "out", server).left_out == []
    assert_whole(tmp_path / "out", small())


def test_a_second_run_of_few_days_asks_little_too(tmp_path):
    with FakeTreeherder(small()) as server:
        first = bring(tmp_path / "out", server, since="10d")
        bring(tmp_path / "out", server)
    assert not [r for r in server.requests[first.requests :] if "all_data" in r.query]


@pytest.mark.parametrize("kind", ["500", "html"])
def test_lists_that_are_not_needed_may_be_missing(tmp_path, kind):
    missing = (("/api/performance/tag/", kind), ("/api/optioncollectionhash/", kind))
    with FakeTreeherder(small(), Faults(permanent=missing)) as server:
        report = bring(tmp_path / "out", server)
        assert len([r for r in server.requests if "all_data" in r.query]) == 2 * len(
            Folder(tmp_path / "out").series_paths()
        )
    assert {part["reason"].partition(":")[0] for part in report.left_out} == {"options", "tags"}
    assert Folder(tmp_path / "out").list_of("tags") == []
    assert_whole(tmp_path / "out", small())


def test_many_open_alerts_are_read_again_in_pages(tmp_path):
    world = World.generate(1, series=10, pushes=200, subtests=0)
    with FakeTreeherder(world) as server:
        bring(tmp_path / "out", server, series="none")
        waiting = [s for s in Folder(tmp_path / "out").summaries() if s["status"] in (0, 5)]
        assert len(waiting) > 2
        server.world = grown = world.grown(30)
        before = len(server.requests)
        bring(tmp_path / "out", server)
    asked = [r.path for r in server.requests[before:] if "alertsummary" in r.path]
    assert len(asked) <= 4
    truth = Truth(grown).summaries()
    there = {s["id"]: s for s in Folder(tmp_path / "out").summaries()}
    assert there.keys() == truth.keys()
    assert all(there[s["id"]] == truth[s["id"]] for s in waiting)


def test_a_retired_framework_that_alerts_name_comes_too(tmp_path, monkeypatch):
    [named] = {summary.framework for summary in small().summaries} & {1, 13}
    listed = {number: name for number, name in treeherder.FRAMEWORKS.items() if number != named}
    with FakeTreeherder(small()) as server:
        monkeypatch.setattr(treeherder, "FRAMEWORKS", listed)
        bring(tmp_path / "all", server)
        bring(tmp_path / "one", server, frameworks=(str(named),))
        monkeypatch.undo()
    assert_whole(tmp_path / "all", small())
    assert {r.header["framework_id"] for r in content(tmp_path / "one").values()} == {named}


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(tmp_path, monkeypatch):
    out, write, left = tmp_path / "out", module.write_file, 20

    def full(path, data):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(module, "write_file", full)
    with FakeTreeherder(small()) as server:
        with pytest.raises(OutputError, match="cannot be written: No space left on device"):
            bring(out, server)
        left = 1_000_000
        bring(out, server)
    assert_whole(out, small())


def test_no_address_comes_with_a_servers_reason(tmp_path, monkeypatch):
    page = serving.page(500, "Ask ann@example.org")
    monkeypatch.setattr(serving, "SERVER_ERROR", page)
    with FakeTreeherder(small(), Faults(permanent=(("signature=2&", "500"),))) as server:
        bring(tmp_path / "out", server)
    text = (tmp_path / "out/extraction.json").read_text()
    assert "Ask" in text
    assert "ann@" not in text


@pytest.mark.parametrize("most", [2, 7, 1000])
def test_all_pushes_come_from_a_server_that_gives_few_at_a_time(most):
    world = small()
    there = Truth(world)

    def get(path, params, **_):
        query = "&".join(f"{name}={value}" for name, value in params)
        answer = there.get(f"{path}?{query}")
        return {**answer, "results": answer["results"][:most]}

    server = Treeherder(SimpleNamespace(get=get))
    pushed = Range(world.plan.start, world.now)
    found = server.pushes("autoland", pushed, halving=False)
    assert set(found) == {push.id for push in world.pushes if push.repository == "autoland"}
    newest = max(push.time for push in world.pushes if push.repository == "autoland")
    assert server.newest_push("autoland") == newest.replace(microsecond=0)


def test_a_server_that_makes_no_alerts_asks_for_a_repository(tmp_path):
    repositories = tuple(r for r in small().repositories if not r.alerts_enabled)
    with (
        FakeTreeherder(replace(small(), repositories=repositories)) as server,
        pytest.raises(UsageError, match="makes alerts for no repository: name one with --repos"),
    ):
        bring(tmp_path / "out", server)
    assert not (tmp_path / "out").exists()
