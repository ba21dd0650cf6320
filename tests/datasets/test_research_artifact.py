# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's artifact: read in its forms, written, and read again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

pl = pytest.importorskip("polars")

from research_data import (  # noqa: E402
    alert,
    artifact_alert,
    artifact_series,
    counts,
    landed,
    point,
    points,
    summary,
    write_artifact,
    write_extraction,
    write_table,
)
from stepmark.datasets.research import open_research  # noqa: E402
from stepmark.datasets.research.artifact_writing import losses  # noqa: E402
from stepmark.datasets.research.artifact_writing import write_artifact as export  # noqa: E402
from stepmark.datasets.research.building import import_research  # noqa: E402
from stepmark.errors import InputError, OutputError  # noqa: E402

VALUES = [100.0, 101.5, 99.25, 110.0, 1e-7, 109.0]


@pytest.fixture
def imported(tmp_path):
    def made(folder="artifact", out="research"):
        import_research(tmp_path / folder, tmp_path / out, name="set", force=True)
        return open_research(tmp_path / out)

    return made


def tables(research):
    """All tables, row by row."""
    return {
        "alerts": research.alerts.to_dicts(),
        "bugs": research.bugs.to_dicts(),
        "bug_changes": research.bug_changes.to_dicts(),
        "series": research.series.to_dicts(),
        "measurements": research.measurements().collect().to_dicts(),
        "revisions": research.revisions().collect().to_dicts(),
    }


BUGS = [
    {
        "id": 5, "summary": '"12 %" regression, amazon\nsecond line', "resolution": "FIXED",
        "creation_time": "2025-03-01T00:00:00Z", "keywords": ["perf", "perf-alert"],
        "depends_on": [], "blocks": [1, 2], "is_open": False, "version": "100.0",
        "creator_name": "=cmd()", "url": "'=1", "whiteboard": "",
    }
]  # fmt: skip


class TestReading:
    def test_everything_once(self, imported, tmp_path):
        item = summary(
            1,
            4,
            [alert(11, 7)],
            bug_number=5,
            notes="-3 %\r\nnot real",
            performance_tags=["harness"],
        )
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))}, [item], BUGS)
        research = imported()
        assert counts(research) == {}
        (found,) = research.alerts.to_dicts()
        assert found["push_timestamp"] == landed(4)
        assert found["alert_summary_notes"] == "-3 %\r\nnot real"
        assert found["alert_summary_performance_tags"] == ["harness"]
        assert found["alert_summary_related_alerts"] == []
        assert found["single_alert_series_signature_extra_options"] == ["fission", "webrender"]
        assert found["single_alert_series_signature_tags"] == []
        assert found["alert_summary_original_revision"] is None
        assert found["range_edited"] is None
        assert (found["label"], found["bug_resolution"], found["position"]) == ("true", "FIXED", 3)
        assert found["prev_push_timestamp"] == landed(3)
        (series,) = research.series.to_dicts()
        assert (series["repository"], series["repository_id"]) == ("autoland", 77)
        assert (series["platform"], series["unit"], series["tags"]) == ("linux", "ms", [])
        assert (series["parent_signature"], series["framework"]) == ("7", "browsertime")
        assert series["options"] is None
        (bug,) = research.bugs.to_dicts()
        assert (bug["version"], bug["blocks"], bug["depends_on"]) == ("100.0", [1, 2], [])
        assert (bug["alerts"], bug["is_open"]) == (1, False)
        assert research.measurements().collect()["value"].to_list() == VALUES

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("alert_summary_prev_push_revision", "alert_prev_push_revision"),
            ("alert_summary_creation_timestamp", "created"),
            ("single_alert_status", "alert_status"),
            ("single_alert_id", "alert.id"),
            ("signature_id", "single_alert_series_signature_id"),
            ("alert_summary_push_id", "Summary.Push Id"),
            ("single_alert_series_signature_suite", "suite"),
        ],
    )
    def test_other_names_of_columns(self, imported, tmp_path, old, new):
        item = summary(1, 4, [alert(11, 7)])
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))}, [item])
        expected = tables(imported())["alerts"]
        path = tmp_path / "artifact" / "alerts_data.csv"
        head, rest = path.read_text().split("\n", 1)
        names = [new if name == old else name for name in head.strip().split(",")]
        path.write_text(",".join(["unknown", *names]) + "\n0," + rest)
        assert tables(imported())["alerts"] == expected

    def test_missing_columns_are_null(self, imported, tmp_path):
        row = artifact_alert(summary(1, 4, []), alert(11, 7))
        kept = ("single_alert_id", "alert_summary_id", "signature_id", "alert_summary_repository",
                "alert_summary_push_id", "push_timestamp", "single_alert_status")  # fmt: skip
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))})
        write_table(tmp_path / "artifact" / "alerts_data.csv", [{k: row[k] for k in kept}])
        (found,) = imported().alerts.to_dicts()
        assert (found["position"], found["label"], found["label_lab"]) == (3, "true", None)

    @pytest.mark.parametrize(
        "name", ["single_alert_id", "alert_summary_id", "alert_summary_repository"]
    )
    def test_missing_identity_is_refused(self, imported, tmp_path, name):
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))})
        path = tmp_path / "artifact" / "alerts_data.csv"
        path.write_text(path.read_text().replace(name, "gone", 1))
        with pytest.raises(InputError, match=rf"alerts_data\.csv:1: no column {name}"):
            imported()

    def test_several_folders_of_a_repository(self, imported, tmp_path):
        rows = points(VALUES)
        write_artifact(
            tmp_path / "artifact",
            {7: artifact_series(7, rows[:4]), 8: artifact_series(8, rows, repository_name="")},
            places={8: "firefox-android"},
        )
        second = tmp_path / "artifact" / "timeseries_data" / "autoland4"
        write_table(second / "7_timeseries_data.csv", artifact_series(7, rows[2:]))
        research = imported()
        assert counts(research) == {
            "alert-without-identity": 1,
            "series-in-several-files": 1,
            "point-twice": 2,
        }
        keys = research.series.select("repository", "signature_id").rows()
        assert keys == [("autoland", 7), ("firefox-android", 8)]
        assert research.measurements([7]).collect()["value"].to_list() == VALUES

    def test_data_in_a_folder_of_its_own(self, imported, tmp_path):
        write_artifact(tmp_path / "artifact" / "data", {7: artifact_series(7, points(VALUES))})
        assert imported().series.height == 1

    def test_rows_of_other_series_are_left_out(self, imported, tmp_path):
        rows = artifact_series(7, points(VALUES))
        rows[1]["signature_id"] = "8"
        rows[2]["repository_name"] = "try"
        rows[3]["signature_id"] = "7.0"
        write_artifact(tmp_path / "artifact", {7: rows})
        research = imported()
        assert counts(research)["point-of-another-series"] == 2
        assert research.measurements().collect()["id"].to_list() == [1, 4, 5, 6]

    def test_times_and_numbers_in_other_forms(self, imported, tmp_path):
        rows = artifact_series(7, points(VALUES))
        seconds = int(landed(1).timestamp())
        forms = [seconds, "2025-01-01 02:00:00", "2025-01-01T03:00:00.5", "2025-01-01T04:00:00Z",
                 "2025-01-01T06:00:00+01:00", "yesterday"]  # fmt: skip
        for row, form in zip(rows, forms, strict=True):
            row |= {"push_timestamp": form, "push_id": f"{row['push_id']}.0", "job_id": ""}
        write_artifact(tmp_path / "artifact", {7: rows})
        research = imported()
        assert counts(research)["point-without-push"] == 1
        times = [t.isoformat() for t in research.measurements().collect()["push_timestamp"]]
        assert times == [
            "2025-01-01T01:00:00+00:00", "2025-01-01T02:00:00+00:00",
            "2025-01-01T03:00:00.500000+00:00", "2025-01-01T04:00:00+00:00",
            "2025-01-01T05:00:00+00:00",
        ]  # fmt: skip

    def test_files_that_are_no_series(self, imported, tmp_path):
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES)), 8: []})
        place = tmp_path / "artifact" / "timeseries_data" / "autoland1"
        (place / "notes.csv").write_text("a,b\n1,2\n")
        (place / "9_timeseries_data.csv").write_bytes(b"")
        (place / "10_timeseries_data.csv").write_bytes(b"\xff\xfe\x00value\n")
        (place / "11_timeseries_data.csv").write_text("entry_id,value\n1,2\n")
        research = imported()
        found = counts(research)
        assert found["series-unreadable"] == 4
        assert found["series-without-points"] == 1
        assert research.series["signature_id"].to_list() == [7]

    def test_an_artifact_without_series(self, tmp_path):
        write_table(tmp_path / "a" / "alerts_data.csv", [artifact_alert(summary(1, 1, []), {})])
        with pytest.raises(InputError, match="no folder timeseries_data"):
            import_research(tmp_path / "a", tmp_path / "out")

    def test_a_cell_that_never_ends(self, imported, tmp_path):
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))})
        path = tmp_path / "artifact" / "alerts_data.csv"
        path.write_text(path.read_text() + '"' + "x" * 200_000)
        with pytest.raises(InputError, match="not valid CSV"):
            imported()

    def test_cells_that_are_wrong(self, imported, tmp_path):
        evil = {
            "single_alert_t_value": "__import__('os')", "alert_summary_status": "7e400",
            "alert_summary_performance_tags": "[" * 5000, "single_alert_starred": "maybe",
            "alert_summary_triage_due_date": "99999-99-99T00:00:00",
            "single_alert_retry": "1", "alert_summary_bug_number": "9" * 30,
        }  # fmt: skip
        row = artifact_alert(summary(1, 4, []), alert(11, 7)) | evil
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))})
        write_table(tmp_path / "artifact" / "alerts_data.csv", [row])
        research = imported()
        assert counts(research)["cell-wrong"] == 6
        (found,) = research.alerts.to_dicts()
        assert [found[name] for name in evil if name in found] == [None] * 6


class TestWriting:
    def test_there_and_back(self, imported, tmp_path):
        summaries = [
            summary(1, 4, [alert(11, 7), alert(12, 8, 3, manually_created=True)], bug_number=5,
                    notes="=HYPERLINK(1)", related_alerts=[{"id": 3, "summary_id": 9}]),
            summary(2, 5, [alert(13, 7, 0, t_value=1000.0, prev_value=0.1)], status=0,
                    notes="'quoted", performance_tags=["infra"]),
        ]  # fmt: skip
        rows = [*points(VALUES), point(40, 4, 111.125, revision="=evil()"), point(41, 5, -0.0)]
        write_artifact(
            tmp_path / "artifact",
            {7: artifact_series(7, rows), 8: artifact_series(8, points(VALUES, 1, 100))},
            summaries,
            BUGS,
        )
        first = imported()
        assert losses(first) == []
        export(first, tmp_path / "written")
        second = imported("written", "again")
        assert tables(second) == tables(first)
        assert second.document["digest"] == first.document["digest"]
        export(second, tmp_path / "written-again")
        names = [p.relative_to(tmp_path / "written") for p in (tmp_path / "written").rglob("*.csv")]
        assert sorted(map(str, names)) == [
            "alerts_data.csv",
            "bugs_data.csv",
            "timeseries_data/autoland/7_timeseries_data.csv",
            "timeseries_data/autoland/8_timeseries_data.csv",
        ]
        for name in names:
            written = (tmp_path / "written" / name).read_bytes()
            assert written == (tmp_path / "written-again" / name).read_bytes()

    def test_no_cell_is_run_by_a_spreadsheet(self, imported, tmp_path):
        evil = "=cmd|' /C calc'!A0"
        item = summary(1, 4, [alert(11, 7, classifier=evil)], notes=evil)
        rows = [point(i + 1, i + 1, v, revision=f"@{i}") for i, v in enumerate(VALUES)]
        write_artifact(
            tmp_path / "artifact", {7: artifact_series(7, rows, suite=evil)}, [item], BUGS
        )
        export(imported(), tmp_path / "written")
        for path in (tmp_path / "written").rglob("*.csv"):
            with path.open(newline="") as file:
                for row in csv.reader(file):
                    assert not [c for c in row if c[:1] in "=@+" and c]

    def test_names_of_repositories_lead_nowhere(self, imported, tmp_path):
        rows = artifact_series(7, points(VALUES), repository_name="../../evil")
        write_artifact(tmp_path / "artifact", {7: rows})
        (tmp_path / "deep").mkdir()
        export(imported(), tmp_path / "deep" / "written")
        assert {p.parent.parent.name for p in (tmp_path / "deep").rglob("7_*.csv")} == {
            "timeseries_data"
        }
        assert [p.name for p in (tmp_path / "deep").iterdir()] == ["written"]

    def test_what_is_lost_is_told(self, tmp_path):
        item = summary(1, 4, [alert(11, 7)])
        rows = [point(1, 1, 1.0, machine_name="m"), *points(VALUES, 2, 2)]
        write_extraction(tmp_path / "in", {7: rows}, [item], bugs=[{"id": 1}])
        import_research(tmp_path / "in", tmp_path / "out")
        assert losses(open_research(tmp_path / "out")) == [
            "first revisions, bug statuses and duplicates of summaries",
            "histories of bugs",
            "pushes",
            "replicates, submit times and machines",
        ]

    def test_nothing_else_is_replaced(self, imported, tmp_path):
        write_artifact(tmp_path / "artifact", {7: artifact_series(7, points(VALUES))})
        research = imported()
        export(research, tmp_path / "out")
        with pytest.raises(OutputError, match="not empty"):
            export(research, tmp_path / "out")
        Path(tmp_path / "out" / "mine").write_text("")
        with pytest.raises(OutputError, match="mine"):
            export(research, tmp_path / "out", force=True)
