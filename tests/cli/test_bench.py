# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark bench`` as a researcher calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from histories import step
from stepmark.cli import run

FORMS = ("text", "markdown", "latex", "csv")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a suite of three series, and no one's cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    suite = tmp_path / "suite"
    (suite / "datasets").mkdir(parents=True)
    labels = {}
    for place, n in enumerate((40, 60, 50)):
        values = step(n, n // 2, 10.0 + place)
        name = f"s{place}"
        document = {
            "name": name,
            "n_obs": n,
            "n_dim": 1,
            "series": [{"label": "V1", "raw": values}],
        }
        if place == 2:
            document["series"][0]["raw"] = [None, *values[1:]]
        (suite / "datasets" / f"{name}.json").write_text(json.dumps(document))
        labels[name] = {"1": [n // 2], "2": []}
    (suite / "annotations.json").write_text(json.dumps(labels))
    return tmp_path


@pytest.fixture
def call(capsys):
    """Run it in this process: its exit code and what it said."""

    def called(*arguments):
        code = run(["bench", "--suite", "suite", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


PLAIN = ("--detector", "pelt", "--detector", "zero", "--workers", "1")


def test_a_table_a_recommendation_and_the_definitions(call):
    code, out, err = call(*PLAIN)
    assert (code, err) == (0, "")
    assert out.startswith("suite: 2 methods on 2 series, default configurations, margin 5\n")
    assert "pelt has the best mean F1" in out
    assert "left out, points are missing: s2" in out
    assert "F1: Harmonic mean of the TCPDBench precision" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_suite_may_stand_by_itself(capsys):
    assert run(["bench", "suite", *PLAIN]) == 0
    assert capsys.readouterr().out.startswith("suite: 2 methods on 2 series")


def test_what_cannot_be_read_is_told(call):
    Path("suite/datasets/s1.json").write_text("{")
    code, out, _ = call(*PLAIN)
    assert code == 0
    assert "Note: left out: suite/datasets/s1.json" in out
    document = json.loads(call(*PLAIN, "--output", "json")[1])
    assert any(n.startswith("left out: suite/datasets/s1.json") for n in document["notes"])


def test_ensembles_are_searched_in_what_was_run_or_stored(call):
    several = ("--detector", "pelt", "--detector", "mdl", "--detector", "binseg")
    code, out, _ = call(*several, "--ensembles", 3, "--workers", 1)
    assert code == 0
    assert "Ensembles by F1, margin 5, 2 series without missing results" in out
    assert 'stepmark detect --detector "vote(' in out
    entry = {"cplocations": [20], "params": {}, "runtime": 0.1}
    results = {name: {"theirs": entry, "ours": entry} for name in ("s0", "s1")}
    Path("results.json").write_text(json.dumps(results))
    _, out, _ = call("--results", "results.json", "--ensembles", 2, "--output", "json")
    assert json.loads(out)["ensembles"]["tried"] > 0
    code, out, err = call("--results", "results.json", "--ensembles", 2, "--output", "csv")
    assert (code, out.count("\n")) == (0, 3)
    assert "no place for ensembles" in err


def test_a_study_of_one_method_is_no_loss_where_ensembles_are_asked_for(call):
    code, out, _ = call("--detector", "pelt", "--workers", 1, "--ensembles", 2)
    assert code == 0
    assert "no ensembles: suite: 1 method(s)" in " ".join(out.split())


def test_missing_points_are_left_out_of_the_series_where_asked(call):
    _, out, _ = call(*PLAIN, "--missing", "present", "--output", "json")
    document = json.loads(out)
    assert [series["name"] for series in document["series"]] == ["s0", "s1", "s2"]
    assert document["series"][2]["results"][0]["places"] == [25]


@pytest.mark.parametrize("form", FORMS)
def test_every_run_says_the_same_byte_for_byte(call, form):
    several = ("--detector", "mdl", "--detector", "pelt", "--mode", "best", "--per-series")
    said = {call(*several, "--workers", n, "--output", form)[1] for n in (1, 2)}
    said.add(call(*several, "--journal", "journal", "--output", form)[1])
    said.add(call(*several, "--journal", "journal", "--output", form)[1])
    assert len(said) == 1
    assert Path("journal").exists()


@pytest.mark.parametrize("form", ["json", "html"])
def test_forms_with_times_differ_in_nothing_when_the_times_are_known(call, form):
    pytest.importorskip("polars")
    call(*PLAIN, "--store", "study.parquet")
    said = {call("--results", "study.parquet", "--output", form)[1] for _ in range(2)}
    assert len(said) == 1


def test_a_study_that_is_done_leaves_no_journal(call, folder):
    assert call(*PLAIN)[0] == 0
    assert list((folder / "cache" / "stepmark").iterdir()) == []


def test_without_a_place_for_a_journal_it_works_all_the_same(call, monkeypatch):
    Path("file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", "file")
    assert call(*PLAIN)[0] == 0


def test_stored_outcomes_give_the_table_of_the_run(call):
    pytest.importorskip("polars")
    _, first, _ = call(*PLAIN, "--store", "study.parquet")
    code, again, _ = call("--results", "study.parquet")
    assert (code, again) == (0, first)
    _, one, _ = call("--results", "study.parquet", "--detector", "pelt", "--output", "csv")
    assert [line.split(",")[0] for line in one.splitlines()] == ["method", "pelt"]


def test_results_of_tcpdbench_are_scored(call):
    entry = {"cplocations": [20], "params": {}, "runtime": 0.1}
    lost = {"cplocations": None, "params": {}, "runtime": 0.1}
    results = {"s0": {"theirs": entry, "zero": lost}, "s1": {"theirs": lost, "zero": lost}}
    Path("results.json").write_text(json.dumps(results | {"strange": {"theirs": entry}}))
    code, out, _ = call("--results", "results.json", "--average", "all", "--output", "json")
    document = json.loads(out)
    theirs = next(m for m in document["methods"] if m["method"] == "theirs")
    assert code == 0
    assert (theirs["scored"], theirs["failed"], theirs["means"]["f1"]) == (
        1,
        1,
        1.0,
    )
    assert any("not in the suite: strange" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--suite", "missing"), "missing: no such folder or file"),
        (("--detector", "pealt"), "unknown detector 'pealt' (did you mean pelt?)"),
        (("--detector", "pelt(q=3)"), "detector pelt has no parameter 'q'"),
        (("--metric", "recal"), "unknown metric 'recal' (did you mean recall?)"),
        (("--margin", "-1"), "--margin -1"),
        (("--to", "nowhere/study.html"), "nowhere/study.html: cannot be written: there is no"),
        (("--store", "suite"), "suite: cannot be written: it is a folder"),
        (("--ensembles", "1"), "an ensemble has 2 to 5 members, not 1"),
        (("--ensembles", "6"), "an ensemble has 2 to 5 members, not 6"),
        (("--timeout", "0"), "timeout is a number of seconds above 0"),
        (("--workers", "-2"), "workers is a number from 0"),
        (("--mode", "worst"), "worst"),
        (("--results", "nothing.json"), "nothing.json"),
        (("--results", "suite/annotations.json"), "annotations.json"),
        (("--journal", "suite/annotations.json"), "is no journal"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(capsys, arguments, said):
    suite = () if "--suite" in arguments else ("--suite", "suite")
    code = run(["bench", *suite, *arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_results_of_another_suite_are_refused(call):
    Path("results.json").write_text('{"other": {"pelt": {"cplocations": [], "runtime": 1}}}')
    code, out, err = call("--results", "results.json")
    assert (code, out) == (2, "")
    assert "none of its series is in suite: other" in err


def test_where_nothing_can_be_scored_the_code_is_3(call):
    labels = {f"s{i}": {} for i in range(3)}
    Path("suite/annotations.json").write_text(json.dumps(labels))
    code, out, _ = call(*PLAIN)
    assert (code, out) == (3, "")
    Path("suite/annotations.json").write_text('{"s0": {"1": []}, "s1": {"1": []}}')
    code, out, _ = call("--detector", "pelt(function=mean, statistic=gamma)")
    assert code in (2, 3)


def test_without_polars_it_is_told_before_the_work(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    code, _, err = call(*PLAIN, "--store", "study.parquet")
    assert (code, err) == (2, 'stepmark: this needs polars: pip install "stepmark[data]"\n')


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
def test_a_killed_command_goes_on_and_says_the_same(call, folder):
    arguments = ["--detector", "otava", "--detector", "segneigh", "--mode", "best"]
    command = [sys.executable, "-m", "stepmark", "bench", "--suite", "suite", *arguments]
    study = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    kept = folder / "cache" / "stepmark"
    try:
        while not any(len(p.read_bytes().splitlines()) > 9 for p in kept.glob("*.jsonl")):
            assert study.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
    finally:
        study.send_signal(signal.SIGKILL)
        study.wait()
    (journal,) = kept.iterdir()
    assert len(journal.read_bytes().splitlines()) > 9
    _, resumed, _ = call(*arguments)
    _, fresh, _ = call(*arguments)
    assert resumed == fresh
    assert not journal.exists()
