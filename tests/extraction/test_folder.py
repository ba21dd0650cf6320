# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The folder, the journal of a run, and what was asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.errors import InputError, OutputError, RemoteError, UsageError
from stepmark.extraction.asked import (
    Asked,
    chosen_frameworks,
    chosen_repositories,
    chosen_server,
    kept_scope,
    scope_of,
)
from stepmark.extraction.folder import Folder, Merged
from stepmark.extraction.progress import Journal, LeftOut, alone
from stepmark.extraction.treeherder import Framework, Repository
from stepmark.extraction.workers import concurrently

NOW = datetime(2026, 11, 22, 12, 30, 15, 99, tzinfo=UTC)


def test_objects_lie_in_files_by_their_number(tmp_path):
    folder = Folder(tmp_path / "out")
    assert folder.merge_summaries({99: {"id": 99}, 100: {"id": 100}}) == Merged(2, 0)
    assert folder.merge_summaries({99: {"id": 99, "status": 4}, 100: {"id": 100}}) == Merged(0, 1)
    assert json.loads((tmp_path / "out/summaries/0.json").read_text()) == {
        "99": {"id": 99, "status": 4}
    }
    assert [s["id"] for s in folder.summaries()] == [99, 100]
    folder.merge_pushes("autoland", {1000: {"id": 1000}, 7: {"id": 7}})
    assert (tmp_path / "out/pushes/autoland/1.json").is_file()
    assert [p["id"] for p in folder.pushes("autoland")] == [7, 1000]
    folder.merge_signatures("autoland", 13, {2: {"id": 2}})
    assert folder.signatures("autoland", 13) == {2: {"id": 2}}
    assert folder.signatures("autoland", 1) == {}
    folder.merge_bugs({1_900_030: {"bug": None}})
    assert (tmp_path / "out/bugs/1900.json").is_file()
    assert folder.bugs() == {1_900_030: {"bug": None}}


def test_what_is_the_same_is_not_written_again(tmp_path):
    folder = Folder(tmp_path)
    folder.merge_summaries({1: {"id": 1}})
    (tmp_path / "summaries/0.json").chmod(0o444)
    before = (tmp_path / "summaries/0.json").stat().st_ino
    folder.merge_summaries({1: {"id": 1}})
    assert (tmp_path / "summaries/0.json").stat().st_ino == before


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 500), st.integers(0, 3))))
def test_merging_is_a_map_that_is_updated(tmp_path_factory, parts):
    folder, expected = Folder(tmp_path_factory.mktemp("merge")), {}
    for part in parts:
        merged = folder.merge_summaries({n: {"id": n, "v": v} for n, v in part.items()})
        assert merged.new == len(set(part) - set(expected))
        expected |= part
    assert {s["id"]: s["v"] for s in folder.summaries()} == expected


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "x" * 300, "nul", "Ünï"])
def test_a_repository_cannot_name_another_place(tmp_path, name):
    folder = Folder(tmp_path / "out")
    folder.merge_pushes(name, {1: {"id": 1}})
    [made] = (tmp_path / "out/pushes").iterdir()
    assert [p["id"] for p in folder.pushes(name)] == [1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    assert made.parent == tmp_path / "out/pushes"


def test_no_or_another_or_a_damaged_extraction_is_one_line(tmp_path):
    folder = Folder(tmp_path)
    with pytest.raises(InputError, match=r"no extraction: there is no extraction.json"):
        folder.document()
    (tmp_path / "extraction.json").write_text('{"schema": "other"}')
    with pytest.raises(InputError, match=r"schema other is not stepmark.extraction/1"):
        folder.document()
    damaged = '{"schema": "stepmark.extraction/1", "asked": 7, "runs": []}'
    for text in ("", "[]", "{", "[" * 100_000, damaged):
        (tmp_path / "extraction.json").write_text(text)
        with pytest.raises(InputError, match=r"extraction.json: damaged"):
            folder.document()
    (tmp_path / "summaries").mkdir()
    (tmp_path / "summaries/0.json").write_text('{"x": {}}')
    with pytest.raises(InputError, match=r"summaries/0.json: damaged: a key is no number"):
        list(folder.summaries())


def test_other_files_are_not_written_among(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OutputError, match="is not empty and no extraction"):
        Folder(tmp_path).require_free()


def test_remains_of_a_killed_process_go(tmp_path):
    (tmp_path / "series/autoland").mkdir(parents=True)
    (tmp_path / "series/autoland/.stepmark-x7").touch()
    (tmp_path / "series/autoland/2.parquet").touch()
    Folder(tmp_path).remove_remains()
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["2.parquet"]


def test_a_journal_survives_and_forgets_a_line_that_was_cut(tmp_path):
    path = tmp_path / "state/journal"
    journal = Journal(path, NOW)
    journal.done("series autoland 1")
    journal.done("series autoland 2")
    path.write_text(path.read_text() + "series autol")  # killed while it was written
    again = Journal(path, datetime(2027, 1, 1, tzinfo=UTC))
    assert again.began == NOW
    assert "series autoland 2" in again
    assert "series autol" not in again
    with again:
        again.done("series autoland 3")
    assert not path.exists()


def test_a_stopped_run_keeps_its_journal(tmp_path):
    journal = Journal(tmp_path / "journal", NOW)
    journal.done("part")
    with pytest.raises(KeyboardInterrupt), journal:
        raise KeyboardInterrupt
    assert "part" in Journal(tmp_path / "journal", NOW)


@settings(deadline=None)
@given(st.text("0123456789-T:+", max_size=40))
def test_a_journal_cut_in_its_first_line_begins_anew(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("journal") / "journal"
    path.write_text(data)
    assert Journal(path, NOW).began == NOW


def test_only_one_extraction_at_a_time(tmp_path):
    with alone(tmp_path / "out"):
        (tmp_path / "out/x").touch()
        with pytest.raises(UsageError, match="another extraction"), alone(tmp_path / "out"):
            pass
    with alone(tmp_path / "out"):
        pass


def test_a_folder_that_stays_empty_goes(tmp_path):
    with alone(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_is_counted_by_reason():
    left_out = LeftOut()
    for number in range(7):
        left_out.add("HTTP 500", f"series {number}")
    left_out.add("HTTP 404", "push 1")
    assert left_out.listed() == [
        {"reason": "HTTP 500", "count": 7, "examples": [f"series {n}" for n in range(5)]},
        {"reason": "HTTP 404", "count": 1, "examples": ["push 1"]},
    ]


def test_a_scope_has_defaults_and_times():
    scope = scope_of(Asked(), NOW)
    assert scope.asked == Asked(None, None, None, None, "90d", None, True, True, "all", False)
    assert scope.start == datetime(2026, 8, 24, 12, 30, 15, tzinfo=UTC)
    assert scope.stop is None
    scope = scope_of(Asked(since="2026-01-01", until="2026-02-01T02:00+02:00"), NOW)
    assert scope.document()["from"] == "2026-01-01T00:00:00+00:00"
    assert scope.document()["to"] == "2026-02-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        ("soon", None, "--since soon: is a date, or days back, as 90d"),
        ("99999d", None, "--since 99999d: is a date"),
        ("2026-13-01", None, "--since 2026-13-01: is a date"),
        ("90d", "90", "--until 90: is a date"),
        ("2027-01-01", None, "is not before the end"),
        ("10d", "2026-11-01", "is not before the end"),
    ],
)
def test_times_that_mean_nothing(since, until, problem):
    with pytest.raises(UsageError, match=problem):
        scope_of(Asked(since=since, until=until), NOW)


def test_a_folder_goes_on_with_what_it_was_asked():
    given_first = Asked(("autoland",), since="30d", replicates=False)
    scope = scope_of(given_first, NOW)
    document = json.loads(json.dumps({"asked": scope.document()}))
    assert kept_scope(Path("out"), document, Asked()) == scope
    assert kept_scope(Path("out"), document, given_first) == scope
    with pytest.raises(
        UsageError, match="out: was asked with --repository autoland, not try; leave"
    ):
        kept_scope(Path("out"), document, Asked(("try",)))
    with pytest.raises(UsageError, match="was asked with --platform all, not linux"):
        kept_scope(Path("out"), document, Asked(platforms=("linux*",)))
    for damaged in ({}, {"asked": 7}, {"asked": {**document["asked"], "from": 7}}):
        with pytest.raises(InputError, match="damaged"):
            kept_scope(Path("out"), damaged, Asked())


def test_names_are_looked_up_and_near_ones_suggested():
    there = [Repository(77, "autoland", True), Repository(4, "try", False)]
    assert chosen_repositories(Asked(), there) == there[:1]
    assert chosen_repositories(Asked(("try", "try")), there) == there[1:]
    with pytest.raises(UsageError, match=r"--repository autolnd: .*did you mean autoland"):
        chosen_repositories(Asked(("autolnd",)), there)
    frameworks = [Framework(1, "talos"), Framework(13, "browsertime")]
    assert chosen_frameworks(Asked(), frameworks) == frameworks
    assert chosen_frameworks(Asked(frameworks=("13", "browsertime")), frameworks) == frameworks[1:]
    with pytest.raises(
        UsageError, match=r"--framework telos.*did you mean talos.*it has talos, bro"
    ):
        chosen_frameworks(Asked(frameworks=("telos",)), frameworks)


def test_series_are_matched_by_globs():
    asked = Asked(platforms=("linux*", "windows11*"), suites=("amazon",))
    assert asked.matches("linux1804-64-shippable-qr", "amazon")
    assert not asked.matches("macosx", "amazon")
    assert not asked.matches("linux1804", "amazon-search")
    assert not asked.matches(None, "amazon")
    assert Asked().matches(None, None)


def test_the_server_of_a_folder_is_kept(tmp_path):
    folder = Folder(tmp_path)
    assert chosen_server(folder, "server", None) is None
    assert chosen_server(folder, "server", "https://a") == "https://a"
    folder.write_document({"server": "https://a", "bugzilla": None, "asked": {}, "runs": []})
    assert chosen_server(folder, "server", None) == "https://a"
    assert chosen_server(folder, "server", "https://a/") == "https://a"
    assert chosen_server(folder, "bugzilla", None) is None
    with pytest.raises(UsageError, match="comes from https://a, not https://b"):
        chosen_server(folder, "server", "https://b")


def test_work_is_done_once_for_each_item_and_its_error_raised():
    assert sorted(concurrently(lambda n: n * n, range(50))) == [(n, n * n) for n in range(50)]
    assert list(concurrently(str, [])) == []

    def fail(number):
        if number == 3:
            raise RemoteError("no answer")
        return number

    with pytest.raises(RemoteError, match="no answer"):
        list(concurrently(fail, range(1000)))
