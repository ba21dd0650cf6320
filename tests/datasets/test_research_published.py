# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's artifact as its own scripts write it: pandas, lists as words, tuples of one, gaps."""

from __future__ import annotations

import csv
import io
import re

import pytest

pl = pytest.importorskip("polars")

from research_data import SERIES_HEAD, counts, landed, points, revision  # noqa: E402
from stepmark.datasets.research import open_research  # noqa: E402
from stepmark.datasets.research.artifact import Artifact  # noqa: E402
from stepmark.datasets.research.building import import_research  # noqa: E402
from stepmark.errors import InputError  # noqa: E402

VALUES = [100.0, 101.5, 99.25, 110.0, 111.0, 109.0]


def series_row(at, number=7, **told):
    """A row as extract-timeseries.py writes it: no job any more, lists spelled out."""
    return {
        **dict.fromkeys(SERIES_HEAD, ""), "repository_name": "autoland", "signature_id": number,
        "framework_id": 4, "signature_hash": f"{number:040x}", "machine_platform": "linux",
        "has_subtests": True, "tags": "|p|a|g|e|l|o|a|d| |w|a|r|m|", "suite": "Explicit Memory",
        "option_collection_hash": "102210fe594ee9b33d82058545b1ed14f4c8206e",
        "lower_is_better": True, "name": "Explicit Memory opt fission tp6", "repository_id": 77,
        "measurement_unit": "bytes", "entry_id": at["id"], "push_id": at["push_id"],
        "push_timestamp": at["push_timestamp"].strftime("%Y-%m-%dT%H:%M:%S"),
        "value": at["value"], "revision": at["revision"],
    } | told  # fmt: skip


def alert_row(number, push, **told):
    """A row as extract-alerts.py writes it."""
    return {
        "alert_summary_id": 1, "alert_summary_push_id": push,
        "alert_summary_prev_push_id": push - 1,
        "alert_summary_creation_timestamp": "2025-01-02T01:02:03.456789",
        "alert_summary_first_triaged": "2025-01-03T01:02:03",
        "alert_summary_triage_due_date": "2025-01-06T01:02:03.456789",
        "alert_summary_repository": "autoland", "alert_summary_framework": 4,
        "single_alert_id": number, "single_alert_status": 4, "signature_id": 7,
        "single_alert_series_signature_framework_id": 4,
        "single_alert_series_signature_suite": "Explicit Memory",
        "single_alert_series_signature_test": "",
        "single_alert_series_signature_lower_is_better": True,
        "single_alert_series_signature_tags": "pageload, warm",
        "single_alert_series_signature_extra_options": "e10s, fission, stylo, webrender",
        "single_alert_taskcluster_metadata_retry_id": "0.0", "single_alert_is_regression": True,
        "single_alert_prev_value": 100.0, "single_alert_new_value": 110.0,
        "single_alert_t_value": 12.5, "single_alert_amount_abs": 10.0,
        "single_alert_amount_pct": 10.0, "single_alert_summary_id": 1,
        "single_alert_related_summary_id": "", "single_alert_manually_created": False,
        "single_alert_starred": False,
        "single_alert_backfill_record_context": """('[{"value": 604.71, "push_id": 29}]',)""",
        "single_alert_backfill_record_status": "(3,)",
        "single_alert_backfill_record_total_actions_triggered": "(3,)",
        "single_alert_backfill_record_total_backfills_failed": "(None,)",
        "alert_summary_related_alerts": "|12|3|", "alert_summary_status": 7,
        "alert_summary_bug_number": "1845251.0", "alert_summary_notes": "",
        "alert_summary_revision": revision(push), "push_timestamp": landed(push).timestamp(),
        "alert_prev_push_revision": revision(push - 1),
        "alert_summary_performance_tags": "harness, infra",
    } | told  # fmt: skip


BUG = (
    "id,type,summary,status,resolution,is_confirmed,creation_time,last_change_time,cc,keywords,"
    "depends_on,blocks,duplicates,comment_count\n"
    '1845251,defect,"0.28 % regression, Windows",RESOLVED,WONTFIX,True,2023-07-25T08:41:05Z,'
    '2024-10-19T20:01:08Z,"a@b.org, c@d.org","perf, perf-alert, regression",1866105,'
    '"1855527, 1855534",,3\n'
)


def text_of(rows):
    out = io.StringIO(newline="")
    heads = list(rows[0])
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([row[head] for head in heads] for row in rows)
    return out.getvalue()


@pytest.fixture
def published(tmp_path):
    """What writes the artifact, imports it, and opens what was made."""

    def made(alerts, series=None, bugs=BUG):
        folder = tmp_path / "artifact"
        (folder / "timeseries_data" / "autoland1").mkdir(parents=True)
        (folder / "alerts_data.csv").write_text(alerts)
        (folder / "bugs_data.csv").write_text(bugs)
        rows = [series_row(at) for at in points(VALUES)]
        for name, text in (series or {"autoland1/7": text_of(rows)}).items():
            path = folder / "timeseries_data" / f"{name}_timeseries_data.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        import_research(folder, tmp_path / "research", name="set")
        return open_research(tmp_path / "research")

    return made


class TestCells:
    def test_of_alerts(self, published):
        research = published(text_of([alert_row(11, 4)]))
        assert counts(research) == {}
        (found,) = research.alerts.to_dicts()
        assert found["push_timestamp"] == landed(4)
        assert found["alert_summary_prev_push_revision"] == revision(3)
        assert found["alert_summary_related_alerts"] == [12, 3]
        assert found["alert_summary_performance_tags"] == ["harness", "infra"]
        assert found["alert_summary_bug_number"] == 1845251
        assert found["single_alert_series_signature_tags"] == ["pageload", "warm"]
        assert found["single_alert_series_signature_extra_options"] == [
            "e10s", "fission", "stylo", "webrender",
        ]  # fmt: skip
        context = found["single_alert_backfill_record_context"]
        assert context == '[{"value": 604.71, "push_id": 29}]'
        assert found["single_alert_backfill_record_status"] == 3
        assert found["single_alert_backfill_record_total_backfills_failed"] is None
        assert (found["position"], found["label"], found["bug_resolution"]) == (
            3,
            "true",
            "WONTFIX",
        )

    def test_of_series(self, published):
        (found,) = published(text_of([alert_row(11, 4)])).series.to_dicts()
        assert (found["framework"], found["tags"]) == ("awsy", ["pageload", "warm"])
        assert (found["test"], found["should_alert"], found["parent_signature"]) == ("", None, "")

    def test_of_bugs(self, published):
        (found,) = published(text_of([alert_row(11, 4)])).bugs.to_dicts()
        assert found["keywords"] == ["perf", "perf-alert", "regression"]
        assert (found["depends_on"], found["blocks"]) == ([1866105], [1855527, 1855534])
        assert found["duplicates"] is None

    def test_statuses_and_frameworks_in_words(self, published):
        words = {"alert_summary_status": "Wontfix", "single_alert_status": "Acknowledged"}
        row = alert_row(11, 4, alert_summary_framework="awsy", **words)
        research = published(text_of([row]))
        assert counts(research) == {}
        (found,) = research.alerts.to_dicts()
        assert (found["alert_summary_status"], found["single_alert_status"]) == (6, 4)
        assert (found["alert_summary_framework"], found["label_lab"]) == (4, "TP")

    @pytest.mark.parametrize("odd", ["(3,", "(3, 4)", "(" * 5000, "(__import__('os'),)"])
    def test_what_is_no_tuple_of_one_is_a_wrong_cell(self, published, odd):
        row = alert_row(11, 4, single_alert_backfill_record_status=odd)
        research = published(text_of([row]))
        assert counts(research) == {"cell-wrong": 1}


class TestHeads:
    def test_names_of_the_older_scripts(self, published):
        row = alert_row(11, 4)
        renamed = {"push_timestamp": "alert_push_timestamp"}
        renamed |= {"signature_id": "test_series_signature_id"}
        renamed |= {"alert_prev_push_revision": "alert_prev_push_revision"}
        old = {
            renamed.get(name)
            or re.sub("^single_alert_", "test_", re.sub("^alert_summary_", "alert_", name)): value
            for name, value in row.items()
        }
        assert {"test_id", "alert_id", "alert_status"} <= set(old)
        (found,) = published(text_of([old])).alerts.to_dicts()
        assert (found["single_alert_id"], found["alert_summary_id"]) == (11, 1)
        assert (found["alert_summary_status"], found["single_alert_status"]) == (7, 4)
        assert found["push_timestamp"] == landed(4)
        assert found["single_alert_backfill_record_total_actions_triggered"] == 3

    def test_an_index_and_a_head_given_twice(self, published):
        rows = [{"": 0, **alert_row(11, 4), "alert_summary_id.1": 1}]
        text = text_of(rows).replace("alert_summary_id.1", "alert_summary_id")
        (found,) = published(text).alerts.to_dicts()
        assert found["alert_summary_id"] == 1


class TestFiles:
    def test_annotated_series_with_an_index_and_the_cells_of_alerts(self, published):
        given = points(VALUES)
        rows = [
            {"": place, **series_row(at, push_timestamp=str(at["push_timestamp"])[:19]),
             "single_alert_id": 11.0 if place == 3 else "", "alert_summary_status_general": "TN"}
            for place, at in enumerate(given)
        ]  # fmt: skip
        rows.insert(4, rows[3] | {"single_alert_id": 12.0})  # two alerts of one revision
        research = published(text_of([alert_row(11, 4)]), {"autoland1/7": text_of(rows)})
        assert counts(research) == {"point-twice": 1}
        assert research.measurements().collect()["value"].to_list() == VALUES

    def test_the_folders_of_the_labs_repository(self, published, tmp_path):
        published(text_of([alert_row(11, 4)]))
        expected = open_research(tmp_path / "research").document["digest"]
        folder = tmp_path / "artifact"
        (folder / "data").mkdir()
        for old, new in (
            ("alerts_data.csv", "curated_alerts_data.csv"),
            ("bugs_data.csv", "bugs_data_from_api.csv"),
            ("timeseries_data", "all-datasets-annotated"),
        ):
            (folder / old).rename(folder / "data" / new)
        import_research(folder, tmp_path / "again", name="set")
        assert open_research(tmp_path / "again").document["digest"] == expected

    @pytest.mark.parametrize(
        "broken",
        [
            ",".join(SERIES_HEAD) + "\r1,2\r",  # the ends of lines of old Macs
            "x" * 200_000 + ",value\n1,2\n",
            '"' + "y" * 200_000 + "\n1,2\n",
            ",".join(SERIES_HEAD) + '\nautoland,7,"\n',
        ],
    )
    def test_a_broken_file_is_left_out_and_told(self, published, broken):
        rows = text_of([series_row(at) for at in points(VALUES)])
        series = {"autoland1/7": rows, "autoland2/8": broken}
        research = published(text_of([alert_row(11, 4)]), series)
        found = counts(research)
        assert found.get("series-unreadable", 0) + found.get("series-without-points", 0) == 1
        assert research.series["signature_id"].to_list() == [7]

    def test_no_file_is_passed_over_in_silence(self, published):
        rows = text_of([series_row(at) for at in points(VALUES)])
        series = {"autoland1/7": rows, "autoland1/._7": "\0mac", "autoland1/notes": "a\n"}
        research = published(text_of([alert_row(11, 4)]), series)
        assert counts(research) == {"series-unreadable": 2}

    def test_a_series_in_no_folder_of_a_repository(self, published):
        rows = text_of([series_row(at) for at in points(VALUES)])
        research = published(text_of([alert_row(11, 4)]), {"7": rows})
        assert research.series.select("repository", "signature_id").rows() == [("autoland", 7)]


def test_numbers_that_pandas_floated(published):
    rows = [
        series_row(at, signature_id="7.0", push_id=f"{at['push_id']}.0", job_id="1.0")
        for at in points(VALUES)
    ]
    rows[2] |= {"push_id": "nan"}
    rows[3] |= {"push_timestamp": landed(4).timestamp()}
    rows[4] |= {"push_id": "5.5"}
    research = published(text_of([alert_row(11, 4)]), {"autoland1/7": text_of(rows)})
    assert counts(research) == {"point-without-push": 2}
    found = research.measurements().collect()
    assert found["push_id"].to_list() == [1, 2, 4, 6]
    assert found["push_timestamp"].to_list() == [landed(push) for push in (1, 2, 4, 6)]


def test_an_artifact_that_lost_its_alerts(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        Artifact(tmp_path)
