# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark dataset`` on research data sets, and the recordings of the real API."""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

pl = pytest.importorskip("polars")

from extraction.worlds import bring, small  # noqa: E402
from fakes.treeherder import FakeTreeherder  # noqa: E402
from research_data import (  # noqa: E402
    alert,
    point,
    points,
    summary,
    write_extraction,
    write_json,
    write_series,
)
from stepmark.cli import run  # noqa: E402
from stepmark.datasets.opening import open_dataset  # noqa: E402
from stepmark.datasets.overview import research_overview  # noqa: E402
from stepmark.datasets.research import open_research  # noqa: E402
from stepmark.datasets.research.building import import_research  # noqa: E402
from stepmark.reports.research import render  # noqa: E402

EVIL = "a|b`\x1b[31m\n<x>"


@pytest.fixture
def call(capsys):
    """Run the program in this process: its exit code and what it said."""

    def called(*arguments):
        code = run(list(map(str, arguments)))
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


def made(folder, dice):
    """An extraction of two steps and an alert that nobody has judged; *dice* shuffles its rows."""
    rows = {}
    for number, size in ((7, 10.0), (8, 0.0), (9, 5.0)):
        noise = random.Random(number)
        values = [100 + noise.gauss(0, 1) + size * (i >= 30) for i in range(60)]
        rows[number] = points(values, first_id=number * 1000)
        rows[number].append(point(number * 1000 + 900, 31, 100.0))
        dice.shuffle(rows[number])
    summaries = [
        summary(1, 31, [alert(11, 7), alert(12, 9)], status=5),
        summary(2, 40, [alert(13, 8, 0), alert(14, 7, 3)], status=0),
    ]
    dice.shuffle(summaries)
    write_extraction(folder, rows, summaries, pushes=range(1, 61))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "extraction", random.Random(1))
    return tmp_path


@pytest.fixture
def research(folder):
    import_research("extraction", "set")
    return folder / "set"


class TestImport:
    def test_what_it_says(self, call):
        told = ("--name", "mine", "--origin", "there", "--licence", "MPL-2.0")
        code, out, err = call("dataset", "import", "extraction", "set", *told)
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[0] == "mine: 3 series, 183 measurements of 180 revisions, 4 alerts, 0 bugs"
        assert "  true            2  50.00%" in lines
        assert "  summary-open      2  summaries" in lines
        assert "2 alert summaries may still change: extract again, then import again." in lines
        assert "licence: MPL-2.0" in lines
        assert open_research("set").document["provenance"]["origin"] == "there"

    def test_nothing_is_replaced_unless_told(self, call, research):
        code, out, err = call("dataset", "import", "extraction", research)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "--force" in err
        assert call("dataset", "import", "extraction", research, "--force")[0] == 0

    def test_without_polars(self, call, monkeypatch):
        monkeypatch.setitem(sys.modules, "polars", None)
        code, out, err = call("dataset", "import", "extraction", "set")
        assert (code, out) == (2, "")
        assert err.endswith('this needs polars: pip install "stepmark[data]"\n')

    def test_what_is_refused(self, call):
        code, _, err = call("dataset", "import", "gone", "set")
        assert (code, err.count("\n")) == (2, 1)
        assert not Path("set").exists()


class TestInfo:
    def test_forms(self, call, research):
        text = call("dataset", "info", research)[1]
        assert text == call("dataset", "info", research)[1]
        assert text.startswith("extraction: 3 series")
        found = json.loads(call("dataset", "info", research, "--output", "json")[1])
        assert found == json.loads((research / "research.json").read_text())
        assert call("dataset", "info", research, "--output", "markdown", "--to", "a.md")[0] == 0
        assert "| `true` | 2 | 50.00% |" in Path("a.md").read_text()

    def test_documents_of_others_act_nowhere(self):
        document = {
            "provenance": {EVIL: EVIL}, "digest": EVIL, "refresh": {"summaries": "many"},
            "labels": {"stepmark": {EVIL: 1, "x": "y"}, "lab_summaries": []},
            "rules": [{"rule": EVIL, "about": EVIL, "count": 3, "examples": 7}, 5],
            "tables": [{"table": "series", "rows": -1.5}, None],
        }  # fmt: skip
        found = research_overview(EVIL, document)
        for output in ("text", "markdown"):
            shown = render(found, document, output)
            assert "\x1b" not in shown
            assert "b`\n" not in shown


class TestValidate:
    def test_sound_and_not(self, call, research):
        assert call("dataset", "validate", research) == (0, f"{research}: no problems\n", "")
        (research / "bugs.parquet").unlink()
        code, out, _ = call("dataset", "validate", research)
        assert code == 2
        assert out.count("\n") == 1
        assert "no file 'bugs.parquet'" in out


class TestConvert:
    @pytest.mark.parametrize("form", ["stepmark", "tcpd", "csv"])
    def test_to_every_form(self, call, research, form):
        code, out, err = call("dataset", "convert", research, "out", "--to-format", form)
        assert (code, out) == (0, "Wrote 2 series to out\n")
        assert "left out:" in err
        assert "1 series without an alert that somebody has judged" in err
        found = {m.name: m.annotators for m in open_dataset("out")}
        assert len(found) == 2
        assert list(found.values()) == [{"stepmark": (30,)}] * 2

    def test_labels_of_the_lab_by_measurement(self, call, research):
        told = ("--labels", "lab", "--form", "measurements", "--to-format", "tcpd")
        code, _, err = call("dataset", "convert", research, "out", *told)
        assert code == 2
        assert "no series with an alert that somebody has judged" in err
        made_of = summary(1, 31, [alert(11, 7), alert(12, 9)], status=7)
        write_json(Path("extraction/summaries/0.json"), {"1": made_of})
        import_research("extraction", "set", force=True)
        assert call("dataset", "convert", research, "out", *told)[0] == 0
        (one, _) = open_dataset("out")
        assert (one.annotators, one.length) == ({"lab": (30,)}, 61)

    def test_tcpd_is_the_same_whatever_the_order_of_the_input(self, call, folder):
        folders = []
        for seed in (1, 2):
            made(folder / f"in{seed}", random.Random(seed))
            name = ("--name", "set")
            assert call("dataset", "import", f"in{seed}", f"set{seed}", *name)[0] == 0
            out = folder / f"tcpd{seed}"
            assert call("dataset", "convert", f"set{seed}", out, "--to-format", "tcpd")[0] == 0
            folders.append({p.relative_to(out): p.read_bytes() for p in out.rglob("*.json")})
        assert folders[0] == folders[1]
        assert len(folders[0]) == 3

    def test_to_the_artifact_and_back(self, call, research):
        code, out, err = call("dataset", "convert", research, "lab", "--to-format", "artifact")
        assert (code, out) == (0, "Wrote 3 series to lab\n")
        assert "the form artifact has no place for: first revisions" in err
        assert call("dataset", "import", "lab", "again")[0] == 0
        again, first = open_research("again"), open_research(research)
        marks = pl.col("position", "value", "label", "label_lab", "alert_id")
        assert (
            again.revisions()
            .select(marks)
            .collect()
            .equals(first.revisions().select(marks).collect())
        )

    def test_options_of_research_are_for_research(self, call):
        generator = "synthetic(gauss, n=20, count=1)"
        for option in (("--labels", "lab"), ("--form", "revisions"), ("--to-format", "artifact")):
            code, _, err = call("dataset", "convert", generator, "out", *option)
            assert code == 2
            assert (
                f"{' '.join(option) if 'artifact' in option else option[0]} is for research" in err
            )
        assert not Path("out").exists()


def test_bench_runs_on_it(call, research):
    code, out, _ = call("bench", research, "--detector", "mdl", "--detector", "zero")
    assert code == 0
    assert "mdl" in out


def body(shared_data, name):
    return json.loads((shared_data / "treeherder" / f"{name}.json").read_text())["response"]["body"]


def test_recordings_of_the_real_api(shared_data, folder):
    place = folder / "real"
    write_extraction(place, {})
    write_json(place / "options.json", body(shared_data, "optioncollectionhash"))
    write_json(place / "frameworks.json", body(shared_data, "performance_framework_list"))
    listed = body(shared_data, "alertsummary_list_after_triage")["results"]
    write_json(place / "summaries" / "0.json", {str(s["id"]): s for s in listed})
    signatures = body(shared_data, "signatures_all")
    write_json(place / "signatures" / "autoland" / "13.json", signatures)
    (header,) = body(shared_data, "summary_signature_all_data")
    rows = [
        {
            **row,
            "push_timestamp": datetime.fromisoformat(row["push_timestamp"]).replace(tzinfo=UTC),
            "submit_time": datetime.fromisoformat(row["submit_time"]).replace(tzinfo=UTC),
            "replicates": None,
        }
        for row in header.pop("data")
    ]
    write_series(place, 2, rows, header)
    import_research(place, "real-set")
    research = open_research("real-set")
    (series,) = research.series.to_dicts()
    assert (series["suite"], series["test"], series["framework"]) == (
        "amazon",
        "fcp",
        "browsertime",
    )
    assert (series["tags"], series["options"]) == (["pageload", "warm"], ["opt"])
    assert (series["parent_signature"], series["measurements"]) == ("1", len(rows))
    assert series["alert_threshold"] == 2.0
    found = {r["single_alert_id"]: r for r in research.alerts.to_dicts()}
    by_hand = found[8]
    assert (by_hand["label"], by_hand["label_lab"]) == ("missed", "FN")
    assert by_hand["t_is_marker"]
    own = [r for r in found.values() if r["has_series"]]
    assert own
    assert {r["placement"] for r in own} == {"exact"}
    counts = {r["rule"]: r["count"] for r in research.document["rules"]}
    assert counts["cell-wrong"] == counts["object-wrong"] == 0
    assert research.document["refresh"]["summaries"]


def test_an_extraction_of_a_made_up_server(folder):
    with FakeTreeherder(small()) as server:
        bring(folder / "fetched", server)
    document = import_research("fetched", "made")
    research = open_research("made")
    counts = {r["rule"]: r["count"] for r in document["rules"]}
    assert counts["cell-wrong"] == counts["object-wrong"] == counts["series-unreadable"] == 0
    assert counts["point-twice"] == counts["point-conflict"] == counts["point-without-push"] == 0
    assert research.series["framework"].unique().sort().to_list() == ["browsertime", "talos"]
    alerts = research.alerts
    assert alerts.height > 0
    assert alerts["has_series"].all()
    assert alerts.filter(~pl.col("range_edited"))["original_push_timestamp"].null_count() == 0
    placed = alerts.filter(pl.col("placement") == "exact")
    revisions = research.revisions().collect()
    joined = placed.join(
        revisions,
        left_on=["alert_summary_repository", "signature_id", "position"],
        right_on=["repository", "signature_id", "position"],
    )
    assert joined.height == placed.height
    assert (joined["push_id"] == joined["place_push_id"]).all()
    assert research.measurements().select(pl.col("replicates").is_not_null().any()).collect().item()
