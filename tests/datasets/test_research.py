# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Research data sets of extraction folders: tables, rules of curation, places."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

pl = pytest.importorskip("polars")

from research_data import (  # noqa: E402
    FLAT,
    REPOSITORY,
    alert,
    counts,
    examples,
    importer,
    landed,
    point,
    points,
    revision,
    row,
    signature,
    summary,
    write_json,
)
from stepmark.datasets.research.labels import LABEL_RULES  # noqa: E402
from stepmark.datasets.research.rules import RULES  # noqa: E402
from stepmark.datasets.research.tables import TABLES  # noqa: E402


@pytest.fixture
def imported(tmp_path):
    return importer(tmp_path)


class TestTables:
    def test_a_step_its_alert_and_its_bug(self, imported):
        bug = {"id": 1900, "resolution": "FIXED", "status": "RESOLVED", "keywords": ["perf"]}
        research = imported(
            {7: points(FLAT)},
            [summary(1, 4, [alert(11, 7)], bug_number=1900, notes="Real.")],
            bugs=[bug],
            headers={7: {"name": "suite7 opt", "alert_threshold": 2.0, "from": "2025-01-01"}},
        )
        assert counts(research) == {}
        found = row(research.alerts, single_alert_id=11)
        assert found["signature_id"] == 7
        assert found["push_timestamp"] == landed(4)
        assert found["alert_summary_creation_timestamp"] == landed(4) + timedelta(days=2)
        assert (found["placement"], found["position"], found["place_push_id"]) == ("exact", 3, 4)
        assert (found["label"], found["label_reason"]) == ("true", "acknowledged")
        assert (found["label_lab"], found["label_lab_alert"]) == ("TP", "TP")
        assert found["bug_resolution"] == "FIXED"
        assert found["has_series"]
        assert found["is_marked"]
        assert found["prev_push_timestamp"] == landed(3)
        assert found["original_push_timestamp"] == landed(4)
        assert not found["range_edited"]
        assert found["single_alert_series_signature_tags"] == []
        series = row(research.series, signature_id=7)
        assert series["repository"] == REPOSITORY
        assert (series["framework"], series["options"]) == ("browsertime", ["opt"])
        assert (series["test"], series["unit"], series["name"]) == ("", "ms", "suite7 opt")
        assert series["lower_is_better"]
        assert (series["measurements"], series["revisions"]) == (6, 6)
        assert (series["least"], series["most"]) == (99.0, 111.0)
        assert (series["alerts"], series["changes"]) == (1, 1)
        assert series["complete_from"].isoformat() == "2025-01-01T00:00:00+00:00"
        assert row(research.bugs, id=1900)["alerts"] == 1
        assert research.bug_changes.to_dicts() == [
            {
                "bug_id": 1900,
                "time": research.bug_changes["time"][0],
                "field": "status",
                "removed": "NEW",
                "added": "RESOLVED",
            }
        ]
        revisions = research.revisions().collect()
        assert revisions["alert_id"].to_list() == [None, None, None, 11, None, None]
        assert revisions["label"].to_list()[3] == "true"
        assert revisions["scaled"].to_list()[3] == (110 - 99) / (111 - 99)
        measurements = research.measurements([7]).collect()
        assert measurements["alert_id"].to_list() == revisions["alert_id"].to_list()
        assert research.measurements([8]).collect().height == 0

    def test_every_table_has_its_columns(self, imported):
        research = imported({7: points(FLAT)}, [summary(1, 4, [alert(11, 7)])])
        for frame, table in (
            (research.alerts, "alerts"),
            (research.bugs, "bugs"),
            (research.bug_changes, "bug_changes"),
            (research.series, "series"),
            (research.measurements().collect(), "measurements"),
            (research.revisions().collect(), "revisions"),
        ):
            assert dict(frame.schema) == TABLES[table].schema()

    def test_the_dictionary_names_every_column_rule_and_label(self, imported, tmp_path):
        imported({7: points(FLAT)})
        text = (tmp_path / "research" / "dictionary.md").read_text()
        for table in TABLES.values():
            for column in table.columns:
                assert f"| `{column.name}` |" in text
        for rule in RULES:
            assert f"| `{rule.name}` |" in text
        for reason in LABEL_RULES:
            assert f"| `{reason.reason}` |" in text

    def test_retriggers_are_one_revision(self, imported):
        rows = [*points(FLAT), point(50, 4, 120.0), point(51, 4, 130.0, replicates=[1.0, 2.0])]
        research = imported({7: rows}, [summary(1, 4, [alert(11, 7)])])
        (found,) = research.revisions().filter(pl.col("push_id") == 4).collect().to_dicts()
        assert (found["n"], found["value"], found["median"]) == (3, 120.0, 120.0)
        assert (found["std"], found["min"], found["max"]) == (10.0, 110.0, 130.0)
        measured = research.measurements().filter(pl.col("push_id") == 4).collect()
        assert measured["alert_id"].to_list() == [11, 11, 11]
        assert measured["id"].to_list() == [4, 50, 51]
        assert measured["replicates"].to_list() == [None, None, [1.0, 2.0]]

    def test_a_constant_series_is_scaled_to_zero(self, imported):
        research = imported({7: points([0.1, 0.1, 0.1])})
        assert research.revisions().collect()["scaled"].to_list() == [0, 0, 0]

    def test_suspects_are_the_revisions_of_the_range(self, imported):
        research = imported({7: points(FLAT)}, [summary(1, 5, [alert(11, 7)], prev=2)])
        revisions = research.revisions().collect()
        assert revisions["suspect_of"].to_list() == [None, None, 11, 11, None, None]
        assert revisions["alert_id"].to_list() == [None, None, None, None, 11, None]
        measured = research.measurements().collect()
        assert measured["suspect_of"].to_list() == revisions["suspect_of"].to_list()

    def test_a_range_that_was_not_measured_begins_by_time(self, imported):
        rows = [r for r in points(FLAT) if r["push_id"] != 2]
        item = summary(1, 5, [alert(11, 7)], prev=2)
        research = imported({7: rows}, [item], pushes=[2])
        revisions = research.revisions().collect()
        assert revisions["suspect_of"].to_list() == [None, 11, 11, None, None]
        # Without the push nothing tells when the range began.
        assert imported({7: rows}, [item]).revisions().collect()["suspect_of"].null_count() == 5

    def test_an_edited_range_is_told(self, imported):
        item = summary(1, 5, [alert(11, 7)], original_revision=revision(4))
        found = row(imported({7: points(FLAT)}, [item]).alerts, single_alert_id=11)
        assert found["range_edited"]
        assert found["original_push_timestamp"] == landed(4)
        assert found["position"] == 4


class TestAlertRules:
    def test_places(self, imported):
        rows = [r for r in points(FLAT) if r["push_id"] != 4]
        summaries = [
            summary(1, 4, [alert(11, 7)]),
            summary(2, 1, [alert(12, 7)]),
            summary(3, 9, [alert(13, 7)]),
            summary(4, 3, [alert(14, 8)]),
            summary(5, 99, [alert(15, 7)], push_timestamp=None),
        ]
        research = imported({7: rows}, summaries)
        assert counts(research) == {
            "alert-without-series": 1,
            "alert-without-push": 1,
            "alert-push-not-measured": 1,
            "alert-outside-series": 2,
        }
        assert examples(research, "alert-outside-series") == ["12", "13"]
        found = research.alerts.select("placement", "position", "has_series").rows()
        assert found == [
            ("next", 3, True),
            ("outside", None, True),
            ("outside", None, True),
            (None, None, False),
            (None, None, True),
        ]

    def test_the_time_of_an_alert_comes_from_its_push(self, imported):
        rows = [r for r in points(FLAT) if r["push_id"] != 4]
        item = summary(1, 4, [alert(11, 7)], push_timestamp=None)
        found = row(imported({7: rows}, [item], pushes=[4]).alerts, single_alert_id=11)
        assert (found["push_timestamp"], found["placement"]) == (landed(4), "next")

    def test_an_alert_in_two_summaries_is_one(self, imported):
        summaries = [
            summary(2, 5, [alert(11, 7, t_value=2.0)], created="2025-01-09T00:00:00"),
            summary(1, 4, [alert(11, 7)], created="2025-01-08T00:00:00"),
        ]
        research = imported({7: points(FLAT)}, summaries)
        assert counts(research) == {"alert-twice": 1}
        assert row(research.alerts, single_alert_id=11)["alert_summary_id"] == 2

    def test_alerts_without_identity(self, imported):
        research = imported({7: points(FLAT)}, [summary(1, 4, [alert(None, 7), alert(11, 7)])])
        assert counts(research) == {"alert-without-identity": 1}
        assert research.alerts.height == 1

    def test_related_alerts_of_summaries_that_were_not_read(self, imported):
        other = {**alert(99, 7, 2), "summary_id": 42, "related_summary_id": 1}
        known = {**alert(11, 7), "summary_id": 1}
        item = summary(1, 4, [alert(11, 7)], related_alerts=[other, known])
        research = imported({7: points(FLAT)}, [item])
        assert counts(research) == {"alert-of-unread-summary": 1}
        assert research.document["refresh"] == {"summaries": [42]}
        assert row(research.alerts, single_alert_id=11)["alert_summary_related_alerts"] == [99, 11]

    def test_open_summaries_are_listed_to_be_read_again(self, imported):
        summaries = [
            summary(3, 4, [alert(11, 7, 0)], status=0),
            summary(2, 5, [alert(12, 7)], status=5),
            summary(1, 6, [alert(13, 7)]),
        ]
        research = imported({7: points(FLAT)}, summaries)
        assert counts(research) == {"summary-open": 2}
        assert research.document["refresh"] == {"summaries": [2, 3]}

    def test_two_alerts_of_one_step(self, imported):
        # Older data has one push in several summaries.
        summaries = [summary(1, 4, [alert(11, 7, 3)], status=3), summary(2, 4, [alert(12, 7)])]
        research = imported({7: points(FLAT)}, summaries)
        assert counts(research) == {"alert-duplicate": 1}
        first = row(research.alerts, single_alert_id=11)
        assert (first["duplicate_of"], first["label"], first["is_marked"]) == (
            12, "duplicate", False,
        )  # fmt: skip
        assert row(research.alerts, single_alert_id=12)["is_marked"]
        assert research.series["changes"].to_list() == [1]

    def test_alerts_of_two_pushes_at_one_place(self, imported):
        rows = [r for r in points(FLAT) if r["push_id"] != 4]
        summaries = [
            summary(1, 4, [alert(11, 7, 0)], status=0),
            summary(2, 5, [alert(12, 7)]),
        ]
        research = imported({7: rows}, summaries)
        assert counts(research)["alerts-at-one-place"] == 1
        assert research.revisions().collect()["alert_id"].to_list() == [None, None, None, 12, None]

    def test_a_reassigned_alert_is_placed_at_the_other_push(self, imported):
        moved = alert(11, 7, 2, related_summary_id=2)
        summaries = [summary(1, 3, [moved], status=2), summary(2, 5, [], prev=3)]
        research = imported({7: points(FLAT)}, summaries)
        assert counts(research) == {"reassigned-placed": 1}
        found = row(research.alerts, single_alert_id=11)
        assert (found["label"], found["label_reason"]) == ("true", "reassigned")
        assert found["position"] == 4
        assert research.revisions().collect()["suspect_of"].to_list()[3] == 11

    def test_the_marker_of_t(self, imported):
        research = imported({7: points(FLAT)}, [summary(1, 4, [alert(11, 7, t_value=1000.0)])])
        assert counts(research) == {"marker-t": 1}
        assert research.alerts["t_is_marker"].to_list() == [True]

    def test_bugs_that_are_not_there_or_not_named(self, imported):
        summaries = [
            summary(1, 4, [alert(11, 7)], bug_number=5),
            summary(2, 5, [alert(12, 7)], bug_number=6, issue_tracker=2),
        ]
        research = imported({7: points(FLAT)}, summaries, bugs=[{"id": 9, "resolution": ""}])
        assert counts(research) == {"bug-not-given": 1, "bug-without-alert": 1}
        assert examples(research, "bug-not-given") == ["5"]

    def test_wrong_cells_and_objects(self, imported, tmp_path):
        item = summary(1, 4, [alert(11, 7, t_value="=1+1", notes=3)], bug_number=[1])
        write_json(tmp_path / "extraction" / "summaries" / "9.json", {"5": "text"})
        research = imported({7: points(FLAT)}, [item])
        assert counts(research) == {"cell-wrong": 2, "object-wrong": 1}
        assert examples(research, "object-wrong") == ["summaries/9.json 5"]
        assert row(research.alerts, single_alert_id=11)["single_alert_t_value"] is None

    def test_half_a_character_is_no_text(self, imported):
        item = summary(1, 4, [alert(11, 7)], notes="\ud800", assignee_username="a\0b")
        research = imported({7: points(FLAT)}, [item])
        assert counts(research) == {"cell-wrong": 1}
        assert research.alerts["alert_summary_assignee_username"].to_list() == ["ab"]


class TestSeriesAndPointRules:
    def test_points(self, imported):
        rows = [
            *points(FLAT),
            point(20, 7, float("nan")),
            point(21, 7, float("inf")),
            point(22, 7, 1e200),
            point(23, 7, None),
            point(24, 7, 1.0, push_id=None),
            point(25, 7, 1.0, push_timestamp=None),
            point(None, 7, 1.0, job_id=None),
            point(26, 7, 1.0, machine_name="x" * 5000),
            point(3, 3, 99.0),
            point(4, 4, 200.0),
            point(30, 6, 5.0, push_timestamp=landed(6) + timedelta(minutes=1)),
        ]
        research = imported({7: rows})
        assert counts(research) == {
            "point-not-finite": 4,
            "point-without-push": 3,
            "point-of-long-text": 1,
            "point-twice": 1,
            "point-conflict": 1,
            "push-of-two-times": 1,
        }
        assert examples(research, "point-conflict") == ["autoland 7 id 4"]
        measured = research.measurements().collect()
        assert measured["id"].to_list() == [1, 2, 3, 4, 5, 6, 30]
        assert measured["value"].to_list()[3] == 110.0
        assert research.revisions().collect().height == 6

    def test_series_that_cannot_be_used(self, imported, tmp_path):
        place = tmp_path / "extraction" / "series" / REPOSITORY
        place.mkdir(parents=True)
        (place / "9.parquet").write_bytes(b"PAR1 no table PAR1")
        (place / "ten.parquet").write_bytes(b"")
        pl.DataFrame({"id": [1]}).write_parquet(place / "11.parquet")
        research = imported(
            {7: points(FLAT), 8: [], 12: points(FLAT, first_id=50), 13: points(FLAT, first_id=70)},
            signatures=[signature(7, signature_hash="same"), signature(8),
                        signature(13, signature_hash="same"), signature(14)],
            headers={8: {}, 12: {"signature_id": 99}},
        )  # fmt: skip
        assert counts(research) == {
            "series-without-points": 2,
            "series-not-extracted": 1,
            "series-unreadable": 3,
            "series-of-one-hash": 2,
            "point-of-another-series": 6,
        }
        assert research.series["signature_id"].to_list() == [7, 13]
        assert examples(research, "series-not-extracted") == ["autoland 14"]
        assert any(
            "column push_id is missing" in e for e in examples(research, "series-unreadable")
        )

    def test_a_series_that_nothing_describes(self, imported):
        research = imported({7: points(FLAT)}, signatures=[])
        assert counts(research) == {"series-not-described": 1}
        assert row(research.series, signature_id=7)["suite"] == ""

    def test_signatures_by_hash_are_read_too(self, imported, tmp_path):
        path = tmp_path / "extraction" / "signatures" / REPOSITORY / "1.json"
        write_json(path, {"abcdef": signature(7, suite="old")})
        research = imported({7: points(FLAT)}, signatures=[{**signature(8), "id": "x"}])
        assert row(research.series, signature_id=7)["suite"] == "old"
        assert counts(research)["object-wrong"] == 1

    def test_a_bug_given_twice(self, imported, tmp_path):
        older = {"id": 5, "resolution": "", "last_change_time": "2025-01-01T00:00:00Z"}
        newer = {"id": 5, "resolution": "FIXED", "last_change_time": "2025-02-01T00:00:00Z"}
        path = tmp_path / "extraction" / "bugs" / "1.json"
        write_json(path, {"5": {"bug": newer, "history": []}, "6": {"bug": None, "error": "no"}})
        research = imported({7: points(FLAT)}, bugs=[older])
        assert counts(research)["bug-twice"] == 1
        assert row(research.bugs, id=5)["resolution"] == "FIXED"


def test_every_rule_is_tried():
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_research*.py"))
    assert [rule.name for rule in RULES if f'"{rule.name}"' not in text] == []
