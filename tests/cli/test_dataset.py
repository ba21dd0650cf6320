# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark dataset``: what it prints, writes and refuses, and its exit codes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from labelled import START, member, tcpd_document, write_json
from stepmark.cli import run
from stepmark.datasets import tcpd
from stepmark.datasets.labelled import Dataset
from stepmark.datasets.opening import open_dataset
from stepmark.datasets.overview import overview
from stepmark.datasets.synthetic import KINDS, suite
from stepmark.reports.dataset import csv_losses, headline, render

EVIL = "a|b`\x1b[31m\n<x>"


@pytest.fixture
def call(capsys):
    """Run the program in this process: its exit code and what it said."""

    def called(*arguments):
        code = run(["dataset", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a TCPD folder in it, of which one series has no labels."""
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "set" / "annotations.json", {"one": {"a": [2], "b": []}})
    for name in ("one", "two"):
        document = tcpd_document([1.0, None, 5.0, 5.5], name)
        write_json(tmp_path / "set" / "datasets" / f"{name}.json", document)
    return tmp_path


class TestInfo:
    def test_text(self, call):
        code, out, err = call("info", "set")
        assert code == 0
        assert out.splitlines()[:4] == [
            "set: 1 series, 3 points, 1 missing, 2 annotators, 1 label",
            "",
            "  series  points  missing  gaps  annotators  changes",
            "  one          3        1     1           2   0 to 1",
        ]
        assert "digest: sha256:" in out
        assert err == "stepmark: note: left out: set/datasets/two.json: no labels of 'two'\n"

    def test_json(self, call):
        found = json.loads(call("info", "set", "--output", "json")[1])
        assert found["schema"] == "stepmark.dataset-info/1"
        assert found["series"] == [
            {
                "name": "one",
                "length": 4,
                "points": 3,
                "missing": 1,
                "gaps": 1,
                "changes": {"a": 1, "b": 0},
                "first": None,
                "last": None,
            }
        ]

    def test_markdown_to_a_file(self, call):
        assert call("info", "set", "--output", "markdown", "--to", "info.md")[:2] == (0, "")
        assert "| `one` | 3 | 1 | 1 | 2 | 0 to 1 |" in Path("info.md").read_text()

    def test_of_a_generator(self, call):
        assert (
            "synthetic(gauss, n=20, count=2): 2 series"
            in call("info", "synthetic(gauss, n=20, count=2)")[1]
        )

    def test_names_act_nowhere(self):
        found = overview(Dataset(EVIL, (member([1.0, 2.0], {"a": [1]}, name=EVIL),), {EVIL: EVIL}))
        for output in ("text", "markdown"):
            shown = render(found, output)
            assert "\x1b" not in shown
            assert "b`\n" not in shown
        assert json.loads(render(found, "json"))["name"] == EVIL

    def test_times_and_long_lists(self):
        one = member([1.0, 2.0], times=[START, START])
        found = overview(Dataset("set", tuple(replace(one, name=f"s{i}") for i in range(205))))
        assert "and 5 series more (--output json shows all)" in render(found, "text")
        assert json.loads(render(found, "json"))["series"][204]["first"] == START.isoformat()
        assert headline(found).startswith("205 series, 410 points, 0 annotators")

    def test_many_that_are_left_out_are_counted(self, call, folder):
        for i in range(30):
            write_json(folder / "set" / "datasets" / f"x{i}.json", tcpd_document([1.0], f"x{i}"))
        err = call("info", "set")[2]
        assert err.count("\n") == 21
        assert err.endswith("left out: 11 more; stepmark dataset validate names all\n")


class TestConvert:
    @pytest.mark.parametrize("form", ["stepmark", "tcpd", "csv"])
    def test_to_every_form_and_back(self, call, form):
        if form == "stepmark":
            pytest.importorskip("polars")
        code, out, _ = call("convert", "set", "copy", "--to-format", form)
        assert (code, out) == (0, "Wrote 1 series to copy\n")
        (one,) = open_dataset("copy")
        assert (one.annotators, one.series.values()) == ({"a": (2,), "b": ()}, [1.0, 5.0, 5.5])
        assert call("convert", "copy", "again", "--to-format", "tcpd")[0] == 0
        assert open_dataset("again").members[0].annotators == one.annotators

    def test_provenance_is_kept(self, call):
        pytest.importorskip("polars")
        told = ("--origin", "a paper", "--licence", "MIT", "--created", "2026-01-01")
        assert call("convert", "set", "own", "--name", "mine", *told)[0] == 0
        dataset = open_dataset("own")
        assert dataset.name == "mine"
        assert dataset.provenance == {
            "origin": "a paper", "licence": "MIT", "created": "2026-01-01",
        }  # fmt: skip

    def test_what_is_lost_is_told(self, call):
        err = call("convert", "synthetic(gauss, n=20, count=1)", "out", "--to-format", "tcpd")[2]
        assert err == "stepmark: note: the form tcpd has no place for: provenance\n"
        err = call("convert", "synthetic(gauss, n=20, count=1)", "csv", "--to-format", "csv")[2]
        assert err == "stepmark: note: the form csv has no place for: facts, provenance\n"
        assert csv_losses(Dataset("", (member([1.0, None]),))) == [
            "projects, metrics and labels of keys",
            "missing points at the end",
        ]

    def test_nothing_is_replaced_unless_told(self, call):
        assert call("convert", "set", "out", "--to-format", "tcpd")[0] == 0
        code, out, err = call("convert", "set", "out", "--to-format", "csv")
        assert (code, out) == (2, "")
        assert "out: is not empty; name another folder, or replace it with --force" in err
        assert call("convert", "set", "out", "--to-format", "csv", "--force")[0] == 0
        assert sorted(p.name for p in Path("out").iterdir()) == ["labels.csv", "series.csv"]

    def test_without_polars(self, call, monkeypatch):
        monkeypatch.setitem(sys.modules, "polars", None)
        code, out, err = call("convert", "set", "out")
        assert (code, out) == (2, "")
        assert err.endswith('stepmark: this needs polars: pip install "stepmark[data]"\n')
        assert not Path("out").exists()

    def test_with_labels_of_elsewhere(self, call, folder):
        write_json(folder / "mine.json", {"two": {"me": [3]}})
        options = ("--annotations", "mine.json", "--to-format", "tcpd")
        assert call("convert", "set", "out", *options)[0] == 0
        assert open_dataset("out").by_name["two"].annotators == {"me": (3,)}


class TestValidate:
    def test_names_every_problem_on_a_line_of_its_own(self, call, folder):
        write_json(folder / "set" / "annotations.json", {"one": {"a": [0]}, EVIL: {}})
        code, out, err = call("validate", "set")
        assert (code, err) == (2, "")
        lines = out.splitlines()
        assert lines[0] == "set/datasets/two.json: no labels of 'two'"
        assert lines[1].startswith("set/annotations.json: labels of 'a|b`")
        assert lines[2] == "one: annotator 'a' marks 0: the first point begins no new level"
        assert len(lines) == 3

    def test_of_a_sound_one(self, call):
        write_json(Path("set/annotations.json"), {"one": {"a": [2]}, "two": {"a": []}})
        assert call("validate", "set") == (0, "set: no problems\n", "")

    def test_of_nothing(self, call):
        code, out, _ = call("validate", "gone")
        assert code == 2
        assert out.startswith("gone: no such folder or file")
        assert out.count("\n") == 1


class TestGenerate:
    def test_kinds_by_name(self, call):
        options = ("--points", 20, "--count", 5, "--seed", 3, "--to-format", "tcpd")
        assert call("generate", "gauss", "ar1", "out", *options)[0] == 0
        made = suite(("gauss", "ar1"), n=20, count=5, seed=3)
        assert {m.name: m.series.values() for m in open_dataset("out")} == {
            m.name: m.series.values() for m in made
        }

    @pytest.mark.parametrize("what", ["suite", "all", "walk"])
    def test_one_word(self, call, what):
        code, out, _ = call("generate", what, "out", "--points", 20, "--to-format", "tcpd")
        assert (code, out) == (0, "Wrote 56 series to out\n")

    def test_the_same_again(self, call):
        for out in ("a/set", "b/set"):
            Path(out).parent.mkdir()
            spec = "synthetic(mixed, n=50, count=2, missing=0.1)"
            assert call("generate", spec, out, "--to-format", "tcpd")[0] == 0
        a, b = ([p.read_bytes() for p in sorted(Path(d).rglob("*.json"))] for d in "ab")
        assert a == b
        assert len(a) == 3

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["gaus", "out"], "did you mean gauss"),
            (["out"], "name the kinds and then the folder"),
            (["gauss", "out", "--points", "3"], "n is a whole number from 8"),
            (["synthetic(gauss)", "out", "--seed", "3"], "a spec stands alone"),
            (["synthetic(gauss)", "heavy", "out"], "a spec stands alone"),
        ],
    )
    def test_what_is_refused(self, call, arguments, message):
        code, out, err = call("generate", *arguments, "--to-format", "tcpd")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
        assert not Path("out").exists()


def test_list_names_every_kind(call):
    code, out, _ = call("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["synthetic", *KINDS]
    assert run(["list", "datasets"]) == 0


def test_the_benchmark(call, shared_data):
    for name, series in (("tcpd", 24), ("mozilla", 4)):
        code, out, err = call("info", shared_data / name)
        assert (code, err) == (0, "")
        assert out.startswith(f"{name}: {series} series, ")
        assert call("validate", shared_data / name)[0] == 0
    assert tcpd.losses(open_dataset(shared_data / "tcpd")) == []
