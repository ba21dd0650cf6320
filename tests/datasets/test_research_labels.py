# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labels of alerts, and research data sets as labelled series."""

from __future__ import annotations

import pytest

pl = pytest.importorskip("polars")

from research_data import (  # noqa: E402
    FLAT,
    alert,
    importer,
    landed,
    point,
    points,
    revision,
    row,
    summary,
)
from stepmark.datasets.opening import form_of, open_dataset  # noqa: E402
from stepmark.datasets.research.labels import LABEL_RULES  # noqa: E402
from stepmark.errors import InputError, UsageError  # noqa: E402
from stepmark.series import Direction  # noqa: E402


@pytest.fixture
def imported(tmp_path):
    return importer(tmp_path)


LABELS = [
    # alert status, summary status, more of the alert, more of the summary -> label, reason, lab
    (4, 7, {}, {}, "true", "acknowledged", "TP"),
    (4, 4, {}, {}, "true", "acknowledged", "TP"),
    (4, 5, {}, {}, "true", "acknowledged-open", "SP"),
    (4, 0, {}, {}, "true", "acknowledged-open", "SP"),
    (4, 3, {}, {}, "uncertain", "acknowledged-in-invalid", "FP"),
    (4, 9, {}, {}, "uncertain", "acknowledged-in-invalid", None),
    (4, 7, {}, {"bug_number": 2}, "uncertain", "bug-invalid", "TP"),
    (4, 7, {}, {"bug_status": 2}, "uncertain", "bug-invalid", "TP"),
    (4, 7, {"manually_created": True}, {}, "missed", "acknowledged", "FN"),
    (3, 3, {}, {}, "false", "invalid", "FP"),
    (3, 7, {}, {}, "false", "invalid", "TP"),
    (3, 3, {"manually_created": True}, {}, "false", "invalid", "FN"),
    (5, 9, {}, {}, "infra", "infra", None),
    (0, 9, {}, {}, "infra", "infra", None),
    (0, 0, {}, {}, "uncertain", "untriaged", "SP"),
    (0, 7, {}, {}, "uncertain", "untriaged", "TP"),
    (0, 5, {}, {"bug_number": 1}, "true", "bug-fixed", "SP"),
    (0, 0, {"manually_created": True}, {}, "missed", "created-by-hand", "FN"),
    (1, 1, {"related_summary_id": 77}, {}, "downstream", "downstream", "TP"),
    (1, 1, {"related_summary_id": 90}, {}, "uncertain", "moved-to-invalid", "TP"),
    (1, 1, {"related_summary_id": 91}, {}, "uncertain", "moved-to-open", "TP"),
    (2, 2, {"related_summary_id": 92}, {}, "infra", "moved-to-infra", "TP"),
    (2, 2, {"related_summary_id": 93}, {}, "true", "reassigned", "TP"),
    (2, 2, {"related_summary_id": 77}, {}, "uncertain", "reassigned-unknown", "TP"),
    (8, 7, {}, {}, "uncertain", "unknown-status", "TP"),
    (None, None, {}, {}, "uncertain", "unknown-status", None),
]


class TestLabels:
    @pytest.mark.parametrize("case", LABELS, ids=lambda c: f"{c[0]}-{c[1]}-{c[5]}")
    def test_every_rule(self, imported, case):
        status, of_summary, more, of_it, label, reason, lab = case
        targets = [summary(90 + i, 5, [], status=s) for i, s in enumerate((3, 0, 9, 7))]
        item = summary(1, 4, [alert(11, 7, status, **more)], of_summary, **of_it)
        bugs = [{"id": 1, "resolution": "FIXED"}, {"id": 2, "resolution": "INVALID"}]
        research = imported({7: points(FLAT)}, [item, *targets], bugs=bugs)
        found = row(research.alerts, single_alert_id=11)
        assert (found["label"], found["label_reason"]) == (label, reason)
        assert found["label_lab"] == lab
        told = research.document["labels"]
        assert told["stepmark"] == {label: 1}
        assert [r["reason"] for r in told["reasons"] if r["count"]] == [reason]
        assert told["lab_summaries"][lab or "none"] == 1

    def test_every_reason_is_tried_here(self):
        assert {case[5] for case in LABELS} | {"duplicate"} == {r.reason for r in LABEL_RULES}


class TestLabelled:
    @pytest.fixture
    def research(self, imported):
        series = {
            7: [*points(FLAT), point(50, 4, 120.0)],
            8: points(FLAT, first_id=100),
            9: points(FLAT, first_id=200),
        }
        summaries = [
            summary(1, 4, [alert(11, 7)], status=5),
            summary(2, 6, [alert(12, 7, 0), alert(22, 8, 0)], status=0),
            summary(3, 2, [alert(13, 7, 3)], status=3),
        ]
        return imported(series, summaries)

    def test_by_revision(self, research):
        skipped = []
        dataset = research.labelled(skipped=skipped)
        (one,) = dataset
        assert one.name == "autoland-7"
        assert one.annotators == {"stepmark": (3,)}
        assert one.facts["places uncertain"] == "[5]"
        assert one.facts["places false"] == "[1]"
        assert [p.samples for p in one.series.points][3] == (110.0, 120.0)
        assert one.series.points[3].landed == landed(4)
        assert one.series.points[3].revision == revision(4)
        assert (one.series.unit, one.series.direction) == ("ms", Direction.LOWER)
        assert str(one.series.key) == (
            "autoland/suite7/value{options=opt,platform=linux,signature=7}"
        )
        assert [s.reason for s in skipped] == ["2 series without an alert that somebody has judged"]
        assert dataset.provenance["labels"] == "stepmark"
        assert dataset.provenance["research"] == research.document["digest"]

    def test_by_measurement(self, research):
        (one,) = research.labelled(form="measurements")
        assert one.annotators == {"stepmark": (3,)}
        assert one.facts["places uncertain"] == "[6]"
        assert one.series.values() == [100.0, 101.0, 99.0, 110.0, 120.0, 111.0, 109.0]

    def test_by_the_lab(self, research):
        (one,) = research.labelled("lab")
        # The lab takes a summary that is still investigated for undecided.
        assert one.annotators == {"lab": ()}
        assert one.facts["places SP"] == "[3, 5]"
        assert one.facts["places FP"] == "[1]"

    def test_some_series(self, research):
        assert len(research.labelled(signatures=[7])) == 1
        with pytest.raises(InputError, match="no series with an alert"):
            research.labelled(signatures=[9])
        with pytest.raises(UsageError, match="labels are stepmark or lab"):
            research.labelled("mine")

    def test_opened_as_any_data_set(self, research):
        skipped = []
        assert form_of(research.folder) == "research"
        dataset = open_dataset(research.folder, skipped)
        assert dataset == research.labelled()
        assert len(skipped) == 1
