# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The parts of an exploration on small data sets whose numbers are counted by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from explored import MONDAY, alert, known_truth, made, points, series
from stepmark.datasets.exploration import explore
from stepmark.datasets.exploration.canonical import tables
from stepmark.datasets.exploration.profiles import profiles, pushes_of
from stepmark.datasets.exploration.properties import PROPERTIES, SPREADS
from stepmark.datasets.exploration.times import durations


@pytest.fixture(scope="module")
def known():
    return explore(known_truth())


def rows(part, **wanted):
    """The rows of a part that have these values."""
    found = part.frame.iter_rows(named=True)
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


class TestCounts:
    def test_by_hand(self):
        data = made(
            alerts=[
                alert(1, summary=1),
                alert(2, summary=1, single_alert_series_signature_machine_platform="mac"),
                alert(3, summary=2, framework=13, created=MONDAY + timedelta(days=40)),
            ]
        )
        found = explore(data)
        assert found.alerts_by("framework").frame.select(
            "framework", "alerts", "summaries"
        ).rows() == [("talos", 2, 1), ("browsertime", 1, 1)]
        assert found.alerts_by("month").frame["month"].to_list() == ["2026-01", "2026-02"]
        assert [row["share"] for row in rows(found.alerts_by("platform"))] == [2 / 3, 1 / 3]
        (first, second) = rows(found.summaries_by("framework"))
        assert (first["summaries"], second["summaries"]) == (1, 1)
        assert {first["alerts"], second["alerts"]} == {1, 2}
        assert "talos: 2" in found.alerts_by("framework").reading

    def test_frameworks_that_nobody_knows_keep_their_number(self):
        found = explore(made(alerts=[alert(1, framework=99)]))
        assert found.alerts_by("framework").frame["framework"].to_list() == ["99"]

    def test_the_data_set_names_its_frameworks(self):
        own = series(framework_id=99)
        own["framework"] = "novel"
        found = explore(made(alerts=[alert(1, framework=99)], of=[own]))
        assert found.alerts_by("framework").frame["framework"].to_list() == ["novel"]

    def test_numbers_in_place_of_names_are_named(self):
        own = {**series(framework_id=13), "framework": "13"}
        found = explore(made(of=[own], values=points([1.0])))
        assert found.sampling().frame["framework"].to_list() == ["browsertime"]

    def test_labels_ours_and_the_labs(self):
        data = made(
            alerts=[
                alert(1, summary=1, label="true"),
                alert(2, summary=1, label="false"),
                alert(3, summary=2, label="false"),
                alert(4, summary=3, label="missed"),
                alert(5, summary=4, label="infra", alert_summary_status=9),
                alert(6, summary=5, label="uncertain", lab="TP"),
            ]
        )
        part = explore(data).labels()

        def counts(of, who):
            found = rows(part, of=of, labels=who)
            return {row["label"]: row["count"] for row in found if row["count"]}

        assert counts("alerts", "stepmark") == {
            "true": 1,
            "missed": 1,
            "false": 2,
            "uncertain": 1,
            "infra": 1,
        }
        # A summary is true if one of its alerts is.
        assert counts("summaries", "stepmark") == {
            "true": 1,
            "missed": 1,
            "false": 1,
            "uncertain": 1,
            "infra": 1,
        }
        assert counts("alerts", "lab") == {"true": 2, "missed": 1, "false": 2, "infra": 1}
        (false,) = rows(part, of="alerts", labels="stepmark", label="false")
        assert (false["total"], false["share"]) == (5, 0.4)
        (infra,) = rows(part, of="alerts", labels="stepmark", label="infra")
        assert infra["total"] == 6

    def test_shares_by_framework_add_up(self, known):
        frame = known.label_shares("framework").frame
        sums = frame.group_by("framework").agg(pl.col("share").sum())["share"]
        assert sums.to_list() == pytest.approx([1.0] * frame["framework"].n_unique())


class TestTimes:
    def one(self, number, hours, **more):
        created = MONDAY + timedelta(hours=number)
        triaged = created + timedelta(hours=hours) if hours is not None else None
        return alert(number, created=created, alert_summary_first_triaged=triaged, **more)

    def test_time_to_triage_by_hand(self):
        # After 1, 2 and 4 days, and one that has waited for three: S = 3/4, 1/2, 0.
        data = made(
            alerts=[
                self.one(0, 24),
                self.one(0, 48, summary=2),
                self.one(0, 96, summary=3),
                self.one(24, None, summary=4),
            ]
        )
        part = explore(data).times()
        (row,) = rows(part, step="time to triage", clock="all days")
        assert (row["items"], row["open"]) == (4, 1)
        assert (row["median"], row["p90"]) == (2.0, 4.0)
        (row,) = rows(part, step="detection delay", clock="all days")
        assert row["median"] == 1.0

    def test_working_days_leave_out_the_weekend(self):
        friday = MONDAY + timedelta(days=4)
        data = made(
            alerts=[
                alert(1, created=friday, alert_summary_first_triaged=friday + timedelta(days=3))
            ]
        )
        part = explore(data).times()
        assert rows(part, step="time to triage", clock="all days")[0]["median"] == 3.0
        assert rows(part, step="time to triage", clock="working days")[0]["median"] == 1.0

    def test_the_delay_is_of_the_push_that_was_blamed_first(self):
        data = made(
            alerts=[
                alert(1, original_push_timestamp=MONDAY - timedelta(days=5), range_edited=True),
                alert(2, range_edited=True),  # and of this one nothing is known
                alert(3, label="missed"),  # made by hand: no delay of the detector
            ]
        )
        (row,) = rows(explore(data).times(), step="detection delay", clock="all days")
        assert (row["items"], row["median"]) == (1, 5.0)

    def test_bugs_filed_linked_and_none(self):
        bug = {"creation_time": MONDAY + timedelta(days=2), "resolution": ""}
        old = {"creation_time": MONDAY - timedelta(days=90), "resolution": "FIXED"}
        updated = {"alert_summary_bug_updated": MONDAY + timedelta(days=3)}
        data = made(
            alerts=[
                alert(1, alert_summary_bug_number=11, **updated),
                alert(2, alert_summary_bug_number=12, **updated),
                alert(3, alert_summary_status=3, label="false"),  # closed: it never has one
                alert(4, alert_summary_status=5, label="uncertain"),  # it still may
            ],
            bugs=[
                {"id": 11, **bug},
                {"id": 12, "cf_last_resolved": MONDAY + timedelta(days=5), **old},
            ],
        )
        spans = explore(data).times_by("time to bug", "repository").frame.row(0, named=True)
        assert (spans["items"], spans["open"], spans["median"]) == (3, 1, 3.0)
        resolution = explore(data).times_by("time to resolution", "repository")
        (row,) = rows(resolution)
        assert (row["items"], row["open"], row["median"]) == (2, 1, 95.0)

    def test_resolution_from_the_history(self):
        day = timedelta(days=1)
        data = made(
            alerts=[alert(1, alert_summary_bug_number=7)],
            bugs=[{"id": 7, "creation_time": MONDAY, "resolution": "FIXED"}],
            changes=[
                {"bug_id": 7, "time": MONDAY + day, "field": "status", "added": "RESOLVED"},
                {"bug_id": 7, "time": MONDAY + 2 * day, "field": "status", "added": "REOPENED"},
                {"bug_id": 7, "time": MONDAY + 4 * day, "field": "status", "added": "RESOLVED"},
            ],
        )
        part = explore(data).times_by("time to resolution")
        assert rows(part)[0]["median"] == 4.0

    def test_bugs_asked_for_later_make_nothing_wait_longer_nor_end_a_series(self):
        later = MONDAY + timedelta(days=150)
        rows = [
            alert(1, alert_summary_status=0, label="uncertain", alert_summary_bug_number=5),
            alert(2, created=MONDAY + timedelta(days=3), alert_summary_bug_number=5,
                  alert_summary_first_triaged=MONDAY + timedelta(days=4)),
        ]  # fmt: skip
        bug = {"id": 5, "creation_time": MONDAY, "resolution": "", "last_change_time": later}
        values = points(np.arange(40) % 3 + 100.0)
        found = explore(
            made(
                alerts=rows,
                bugs=[bug],
                of=[series(last=values[-1]["push_timestamp"])],
                values=values,
            )
        )
        spans = durations(found.tables)
        (triage,) = spans.filter(pl.col("step") == "time to triage", ~pl.col("done"))["days"]
        assert triage == 4
        (resolved,) = spans.filter(pl.col("step") == "time to resolution")["days"]
        assert resolved == 150
        assert found.profiles["ended"].to_list() == [False]
        assert found.now == (MONDAY + timedelta(hours=6 * 39)).replace(tzinfo=None)

    def test_in_time(self):
        day = timedelta(days=1)
        due = {"alert_summary_triage_due_date": MONDAY + 2 * day}
        data = made(
            alerts=[
                alert(1, alert_summary_first_triaged=MONDAY + day, **due),
                alert(2, alert_summary_first_triaged=MONDAY + 3 * day, **due),
                alert(3, **due),  # still open, and late
                alert(4, alert_summary_triage_due_date=MONDAY + 99 * day),  # not yet due
            ]
        )
        (row,) = rows(explore(data).on_time())
        assert (row["what"], row["count"], row["total"]) == ("triage", 1, 3)


class TestCulprits:
    def test_corrections_and_backfills(self, known):
        both = known.corrections().frame
        assert (both["count"].sum(), both["total"].sum()) == (26, 261)
        found = known.backfills().frame
        assert (found["started"].sum(), found["succeeded"].sum()) == (783, 522)
        assert found["share"].to_list() == pytest.approx([2 / 3] * 2)

    def test_ranges_count_measured_pushes(self):
        data = made(
            alerts=[
                alert(1, alert_summary_push_id=5, alert_summary_prev_push_id=4),
                alert(2, alert_summary_push_id=9, alert_summary_prev_push_id=5),
                alert(3, alert_summary_push_id=999, alert_summary_prev_push_id=5),
            ],
            of=[series()],
            values=points(range(10)),
        )
        (row,) = rows(explore(data).ranges())
        assert (row["total"], row["count"], row["median"]) == (2, 1, 2.5)


class TestSizes:
    def test_histograms_hold_every_alert_once(self, known):
        for measure in ("percent", "absolute", "t"):
            frame = known.magnitudes(measure).frame
            judged = known.tables.alerts.filter(pl.col("label") != "infra")
            assert frame["count"].sum() == judged.height
            assert frame.group_by("label").agg(pl.col("share").sum())[
                "share"
            ].to_list() == pytest.approx([1.0] * 4)
            assert (frame["start"] < frame["end"]).all()

    def test_markers_have_no_t(self):
        data = made(alerts=[alert(1, t=1000.0, t_is_marker=True), alert(2, t=9.0)])
        assert explore(data).magnitudes("t").frame["count"].sum() == 1

    def test_separation_by_hand(self):
        data = made(
            alerts=[
                *(alert(i, percent=5.0 + i) for i in range(10)),
                *(alert(50 + i, percent=5.0, label="false") for i in range(10)),
            ]
        )
        # Nine of ten true ones win against every false one, one ties with all.
        (first, _) = rows(explore(data).magnitude_profile())
        assert first["separation"] == pytest.approx(0.95)

    def test_noise_labels(self, known):
        (ok, modal) = rows(known.noise_labels())
        assert (modal["noise profile"], modal["count"], modal["total"]) == ("MODAL", 40, 40)
        assert ok["total"] == 186


class TestProfiles:
    def test_sampling_by_hand(self):
        gap = [*points(range(8)), *points(range(4), first=21)]
        for place, point in enumerate(gap):
            point["position"] = place
            if place >= 8:
                point["push_timestamp"] += timedelta(days=30)
        gap[3]["n"], gap[3]["std"] = 3, 2.0
        gap[4]["n"], gap[4]["std"] = 2, 4.0
        # Another series of the repository was measured on all pushes.
        data = made(
            of=[series(), series(2)], values=[*gap, *points(np.zeros(24), 2, hours=6, first=1)]
        )
        known = tables(data)
        one = profiles(data, known, pushes_of(data)).row(0, named=True)
        assert one["points"] == 12
        assert one["runs"] == pytest.approx(15 / 12)
        assert one["repeated"] == pytest.approx(2 / 12)
        assert one["within"] == pytest.approx(((2 * 4 + 16) / 3) ** 0.5)
        assert one["within_freedom"] == 3
        assert one["interval"] == 0.25
        assert one["longest_gap"] == pytest.approx(30 - 7 * 0.25)
        assert one["lifetime"] == pytest.approx(30.75)
        assert one["skipped"] == 0
        assert one["sigma"] is None  # too short for noise

    def test_portions_give_the_same(self, monkeypatch):
        data = known_truth()
        known, pushes = tables(data), pushes_of(data)
        whole = profiles(data, known, pushes)
        monkeypatch.setattr("stepmark.datasets.exploration.profiles.PORTION", 700)
        told = []
        parts = profiles(data, known, pushes, lambda done, of: told.append((done, of)))
        assert parts.equals(whole)
        assert told[-1][0] < told[-1][1] == whole.height
        assert len(told) > 3

    def test_one_signature_in_two_repositories(self):
        mine = points(np.arange(40.0))
        theirs = points(np.full(40, 7.0))
        for point in theirs:
            point["repository"] = "mozilla-beta"
        other = series()
        other["repository"] = "mozilla-beta"
        data = made(of=[series(), other], values=[*mine, *theirs])
        found = explore(data).profiles
        assert found["level"].to_list() == [19.5, 7.0]

    def test_properties_of_known_series(self, known):
        (row,) = rows(known.properties(), property="in two bands")
        assert row["count"] == 3
        (row,) = rows(known.properties("platform"), property="in two bands", platform="windows")
        assert row["count"] == 3
        assert "means" in known.properties().reading

    def test_every_property_and_spread_has_numbers(self, known):
        assert known.properties().frame["property"].to_list() == [one.name for one in PROPERTIES]
        for column in SPREADS:
            part = known.spread(column)
            assert part.frame["count"].sum() > 0
            assert any(sign.isdigit() for sign in part.reading)

    def test_false_alerts_by_property(self, known):
        found = rows(known.false_by_property(), property="noisier than the threshold")
        assert {row["series"]: row["count"] for row in found} == {"with": 40, "without": 66}

    def test_too_seldom(self, known):
        (row,) = rows(known.reach(), framework="awsy")
        assert (row["count"], row["total"]) == (5, 17)


class TestReadings:
    def test_every_part_has_a_unique_name_and_numbers(self, known):
        parts = [part for chapter in known.chapters() for part in chapter.parts]
        assert len({part.name for part in parts}) == len(parts)
        for part in parts:
            assert part.reading.endswith("."), part.name
            assert not part.empty, part.name
            if "stands out" not in part.reading:
                assert any(sign.isdigit() for sign in part.reading), part.name

    @pytest.mark.parametrize(
        "data",
        [
            made(),
            made(of=[series()]),
            made(of=[series()], values=points([1.0])),
            made(alerts=[alert(1)]),
            made(alerts=[alert(1, label="false", percent=None, t=None)], of=[series()]),
            made(alerts=[alert(1, label=None, lab=None, alert_summary_creation_timestamp=None)]),
        ],
        ids=["nothing", "a series", "a point", "an alert", "no sizes", "nothing known"],
    )
    def test_little_data_say_so(self, data):
        found = explore(data)
        assert found.proposals == ()
        for chapter in found.chapters():
            for part in chapter.parts:
                assert part.reading.endswith(".")
                assert "nan" not in part.reading
                assert "None" not in part.reading
