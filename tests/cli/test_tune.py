# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark tune``: from labelled series to a line in a configuration file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from stepmark.cli import run
from stepmark.config import load

SUITE = "synthetic(gauss, n=100, count=6)"
QUICK = ("--detectors", "fpop", "--detectors", "tmm", "--config", "present.toml")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("present.toml").write_text('detector = "zero"\n')
    return tmp_path


@pytest.fixture
def call(capsys):
    """Run the program in this process: its exit code and what it said."""

    def called(*arguments):
        code = run(list(map(str, arguments)))
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


def test_a_report_and_the_lines_to_copy(call):
    code, out, _ = call("tune", SUITE, *QUICK)
    assert code == 0
    assert out.startswith("synthetic(gauss, n=100, count=6): 6 candidates on 6 labelled series")
    assert max(map(len, out.partition("# stepmark tune:")[0].splitlines())) <= 80
    section = "".join(line for line in out.splitlines(keepends=True) if " = " in line[:12])
    assert tomllib.loads(section)["detector"].startswith("fpop")


def test_json_says_all(call):
    code, out, _ = call("tune", SUITE, *QUICK, "--output", "json")
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "stepmark.tune/1"
    assert document["choice"].startswith("fpop")
    assert document["present"] == "zero"
    assert document["folds"] == 5
    assert {c["spec"] for c in document["candidates"]} >= {"fpop", "zero", "tmm"}
    assert sum(c["chosen"] for c in document["candidates"]) == 5
    low, high = (document["expected"]["recall"][key] for key in ("low", "high"))
    assert 0 <= low <= document["expected"]["recall"]["estimate"] <= high <= 1


def test_what_took_no_part_is_told(call):
    write = Path("set/datasets")
    write.mkdir(parents=True)
    labels = {}
    for name in ("a", "b", "c", "d", "bare"):
        raw = [float(i % 3 + 10 * (i >= 20)) for i in range(40)]
        series = [{"label": "V1", "raw": raw}]
        document = {"name": name, "n_obs": 40, "n_dim": 1, "series": series}
        (write / f"{name}.json").write_text(json.dumps(document))
        labels[name] = {"1": [20]} if name != "bare" else {}
    (write / "lost.json").write_text("{")
    Path("set/annotations.json").write_text(json.dumps(labels))
    code, out, _ = call("tune", "set", *QUICK, "--output", "json")
    notes = json.loads(out)["notes"]
    assert code == 0
    assert any("lost.json" in note for note in notes)
    assert "left out, without labels: bare" in notes
    _, out, err = call("tune", "set", *QUICK, "--to", "-")
    assert "lost.json" in err
    assert "lost.json" not in out


def test_markdown(call):
    code, out, _ = call("tune", SUITE, *QUICK, "--output", "markdown")
    assert code == 0
    assert out.startswith("## ")
    assert "| `fpop` |" in out


def test_the_choice_is_put_into_a_file(call):
    Path("stepmark.toml").write_text(
        '# ours\n\naggregate = "min"\n\n[thresholds]\nmin_points = 5\n'
    )
    code, out, err = call("tune", SUITE, *QUICK, "--to", "stepmark.toml")
    assert code == 0
    assert "put into stepmark.toml: fpop" in err
    settings = load(Path("stepmark.toml"))
    assert settings.detector.startswith("fpop")
    assert (settings.aggregate, settings.thresholds.min_points) == ("min", 5)
    text = Path("stepmark.toml").read_text()
    assert text.startswith("# ours\n\n# stepmark tune: chosen of")
    assert settings.detector in out
    assert call("tune", SUITE, *QUICK, "--to", "stepmark.toml")[0] == 0
    assert text.count("\n") == Path("stepmark.toml").read_text().count("\n")
    assert sorted(p.name for p in Path().iterdir()) == ["present.toml", "stepmark.toml"]


def test_a_new_file_and_a_shared_one(call):
    assert call("tune", SUITE, *QUICK, "--to", "new.toml")[0] == 0
    assert load(Path("new.toml")).detector.startswith("fpop")
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert call("tune", SUITE, *QUICK, "--to", "pyproject.toml")[0] == 0
    assert load(Path("pyproject.toml")).detector.startswith("fpop")
    assert tomllib.loads(Path("pyproject.toml").read_text())["project"] == {"name": "x"}


def test_a_shared_file_without_a_table_has_the_default_as_present(call):
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n")
    code, out, _ = call("tune", SUITE, "--detectors", "fpop", "--to", "pyproject.toml")
    assert code == 0
    assert load(Path("pyproject.toml")).detector in out


def test_only_the_lines_for_the_file(call):
    code, out, err = call("tune", SUITE, *QUICK, "--to", "-")
    assert code == 0
    assert tomllib.loads(out)["detector"].startswith("fpop")
    assert all(line.startswith(("# stepmark tune: ", "detector = ")) for line in out.splitlines())
    assert "too few labels" in err


def test_the_present_setting_is_that_of_the_configuration(call):
    Path("stepmark.toml").write_text(
        'detector = "fpop(penalty=60)"\n[[series]]\nmatch = "*"\ndetector = "tmm"\n'
    )
    code, out, err = call("tune", SUITE, "--detectors", "zero", "--output", "json")
    assert code == 0
    assert json.loads(out)["choice"] == json.loads(out)["present"] == "fpop(penalty=60)"
    assert "1 table(s) [[series]] name a detector of their own" in err


def test_too_few_series_are_lack_of_data(call):
    code, out, err = call("tune", "synthetic(gauss, n=100, count=2)")
    assert (code, out) == (3, "")
    assert "too few to choose by: label 3 or more" in err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere"], "nowhere: no such folder or file"),
        ([SUITE, "--metric", "f2"], "--metric f2: unknown metric"),
        ([SUITE, "--folds", "1"], "--folds is 2 or more, not 1"),
        ([SUITE, "--margin", "-1"], "--margin and --seed are whole numbers from 0"),
        ([SUITE, "--alarms-per-week", "-1"], "--alarms-per-week is 0 or more"),
        ([SUITE, "--detectors", "mld"], "unknown detector 'mld'"),
        ([SUITE, "--to", "bad.toml"], "bad.toml: not valid TOML"),
        ([SUITE, "--to", "hard.toml"], "hard.toml: the detector cannot be put in safely; write"),
    ],
)  # fmt: skip
def test_what_is_refused_before_the_work(call, monkeypatch, arguments, problem):
    Path("bad.toml").write_text("[")
    Path("hard.toml").write_text('detector = """mdl"""\n')
    monkeypatch.setattr("stepmark.evaluation.trials.run", lambda *_, **__: pytest.fail("too late"))
    before = {p: p.read_text() for p in Path().iterdir()}
    code, out, err = call("tune", *arguments)
    assert (code, out) == (2, "")
    assert problem in err
    assert err.count("\n") == 1
    assert {p: p.read_text() for p in Path().iterdir()} == before


def test_labels_of_the_turing_data_set(call, shared_data):
    detectors = ("--detectors", "binseg", "--detectors", "bocpd", "--detectors", "zero")
    suite = shared_data / "tcpd"
    code, out, _ = call("tune", suite, *detectors, "--metric", "f1", "--output", "json")
    document = json.loads(out)
    assert code == 0
    assert document["labels"]["series"] == 24
    assert document["choice"] != "zero"
    scores = {c["spec"]: c["score"] for c in document["candidates"]}
    assert 0.6 < scores["zero"] < scores["binseg"] < 0.75
