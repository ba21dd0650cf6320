# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""`stepmark extract`: what it says and how it ends."""

from __future__ import annotations

import json

import pytest

from extraction.worlds import QUICK, small
from fakes.bugzilla import FakeBugzilla
from fakes.treeherder import FakeTreeherder, Faults
from stepmark.cli import run
from stepmark.remote import Remote


@pytest.fixture
def call(capsys, monkeypatch):
    """Run the command in this process, without waits: its exit code and what it said."""
    monkeypatch.setenv("STEPMARK_CONTACT", "test")
    monkeypatch.setitem(Remote.__init__.__kwdefaults__, "patience", QUICK)

    def called(*arguments):
        code = run(["extract", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture
def server():
    with FakeTreeherder(small()) as running:
        yield running


def test_the_summary_says_what_came(call, server, tmp_path):
    out = tmp_path / "out"
    code, said, errors = call("treeherder", out, "--server", server.url, "--since", "120d")
    assert (code, errors) == (0, "")
    first, last = said.splitlines()
    assert first.startswith(f"{out}: ")
    assert "alert summaries, " in first
    assert "pushes new or changed" in first
    assert last.startswith(f"{len(server.requests)} requests, ")
    code, said, _ = call("treeherder", out)
    assert code == 0
    assert said.startswith(f"{out}: nothing new or changed\n")


def test_json_says_the_same(call, server, tmp_path):
    code, said, _ = call("treeherder", tmp_path / "out", "--server", server.url, "--output", "json")
    document = json.loads(said)
    assert code == 0
    assert document["schema"] == "stepmark.extract/1"
    assert document["brought"]["measurements"] > 0
    assert document["left_out"] == []
    assert document["requests"] == len(server.requests)
    assert not document["empty"]


def test_what_is_left_out_is_told_and_no_error(call, tmp_path):
    faults = Faults(permanent=(("signature=2&", "500"),))
    with FakeTreeherder(small(), faults) as server:
        code, said, _ = call("treeherder", tmp_path / "out", "--server", server.url)
    assert code == 0
    assert "left out: 1: series: HTTP 500: HTML page 'Server Error (500)' (6 attempts)" in said
    assert "\n  autoland 2, 2026-" in said


def test_nothing_at_all_is_told_by_the_exit_code(call, server, tmp_path):
    code, said, _ = call(
        "treeherder", tmp_path / "out", "--server", server.url, "--suite", "nosuch"
    )
    assert code == 3
    told = "the folder holds nothing of what was asked for: asked for 2026-08-22 to 2026-11-20; its"
    assert said.endswith(f"{told} newest push is of 2026-11-20\n")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--since", "30d"], "was asked with --since 90d, not 30d"),
        (["--no-replicates"], "was asked with --replicates yes, not no"),
        (["--server", "https://other.example"], "comes from http://127.0.0.1"),
        (["--with-people"], "was asked with --with-people no, not yes"),
    ],
)
def test_another_request_for_the_same_folder_is_refused(call, server, tmp_path, options, problem):
    out = tmp_path / "out"
    assert call("treeherder", out, "--server", server.url, "--no-series")[0] == 0
    before = len(server.requests)
    code, said, errors = call("treeherder", out, *options)
    assert (code, said) == (2, "")
    assert problem in errors
    assert errors.count("\n") == 1
    assert len(server.requests) == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["treeherder", "out", "--server", "http://perf.example"], "only https is used"),
        (["treeherder", "out", "--contact", "Jörg"], "plain ASCII"),
        (["treeherder", "out", "--alerted-only", "--no-series"], "choose one"),
        (["treeherder", "out", "--until", "soon"], "--until soon: is a date"),
        (["bugzilla", "out"], "out: no extraction"),
    ],
)
def test_bad_usage_is_one_line_and_leaves_nothing(call, tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    code, said, errors = call(*arguments)
    assert (code, said, errors.count("\n")) == (2, "", 1)
    assert problem in errors
    assert list(tmp_path.iterdir()) == []


def test_who_asks_is_told_to_the_server(call, server, tmp_path, monkeypatch):
    call("treeherder", tmp_path / "a", "--server", server.url, "--no-series")
    call("treeherder", tmp_path / "b", "--server", server.url, "--no-series", "--contact", "ann")
    agents = {request.user_agent.partition(" ")[2] for request in server.requests}
    assert agents == {"(test)", "(ann)"}
    monkeypatch.delenv("STEPMARK_CONTACT")
    _, _, errors = call("treeherder", tmp_path / "a")
    assert "give --contact or set STEPMARK_CONTACT" in errors


def test_bugs(call, tmp_path, monkeypatch):
    from fakes.treeherder import World

    world, out = World.generate(1, series=10, pushes=200, subtests=0), tmp_path / "out"
    with FakeTreeherder(world) as server:
        call("treeherder", out, "--server", server.url, "--no-series")
    with FakeBugzilla(world) as server:
        code, said, _ = call("bugzilla", out, "--server", server.url)
        assert code == 0
        assert "bugs: not public" in said
        assert call("bugzilla", out)[0] == 0
        code, _, errors = call("bugzilla", out, "--with-people")
        assert code == 2
        assert "was extracted without people" in errors
        monkeypatch.setenv("STEPMARK_BUGZILLA_API_KEY", "wrong-and-secret")
        code, said, errors = call("bugzilla", out)
        assert code == 2
        assert "API key you specified is invalid" in errors
        assert "wrong-and-secret" not in said + errors
