# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Proposals on data sets with known answers, and sweeps against plain Python."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explored import MONDAY, alert, known_truth, made, points, series
from stepmark.datasets.exploration import explore
from stepmark.datasets.exploration.canonical import tables
from stepmark.datasets.exploration.remedies import with_power
from stepmark.datasets.exploration.sweeps import GRID, MOST_LOST, choose, sweep

SIZES = st.sampled_from([0.3, 1.7, 2.2, 3.1, 4.4, 6.0, 11.0, 30.0])
ALERTS = st.lists(st.tuples(SIZES, st.sampled_from(["true", "false"])), max_size=40)


@pytest.fixture(scope="module")
def known():
    return explore(known_truth())


def of(found, kind):
    return [one for one in found.proposals if one.kind == kind]


class TestKnownAnswers:
    def test_a_suite_of_false_alerts_is_the_first_to_drop(self, known):
        (first, *others) = of(known, "suite")
        assert first.subject == "talos broken"
        assert not others
        assert (first.saves.count, first.saves.total) == (40, 46)
        assert first.costs.count == 0
        assert first.sure == "well supported"
        assert "40 of 40" in first.reason

    def test_a_suite_of_false_alerts_is_first_where_nothing_else_helps(self):
        rng = np.random.default_rng(5)
        rows = []
        for suite, label, count in (("bad", "false", 30), ("good", "true", 60)):
            rows += [
                alert(
                    len(rows) + i,
                    label=label,
                    percent=float(rng.uniform(2, 10)),
                    t=float(rng.uniform(8, 20)),
                    single_alert_series_signature_suite=suite,
                )
                for i in range(count)
            ]
        first = explore(made(alerts=rows)).proposals[0]
        assert (first.kind, first.subject) == ("suite", "talos bad")

    def test_the_threshold_that_separates_is_found(self, known):
        (one,) = of(known, "threshold")
        assert one.subject == "browsertime"
        assert one.evidence["threshold"] == 4
        assert (one.saves.count, one.saves.total) == (60, 60)
        assert (one.costs.count, one.costs.total) == (0, 60)
        assert one.sure == "well supported"

    def test_what_is_not_there_is_not_proposed(self, known):
        assert not [one for one in of(known, "threshold") if one.subject == "talos"]
        assert not [one for one in of(known, "suite") if "tp5o" in one.subject]

    def test_two_bands_on_one_platform(self, known):
        (one,) = of(known, "bands")
        assert one.subject == "awsy bimodal on windows"
        assert one.evidence["in two bands"] == 3
        assert one.evidence["in two bands on other platforms"] == 0

    def test_more_runs_where_runs_differ(self, known):
        (one,) = of(known, "retrigger")
        assert one.subject == "awsy noisy"
        assert one.evidence["gain low"] > 0.5

    def test_series_that_are_measured_too_seldom(self, known):
        (one,) = [one for one in of(known, "window") if "seldom" in one.subject]
        assert (one.evidence["too seldom"], one.evidence["series"]) == (5, 5)

    def test_a_platform_with_more_false_alerts(self, known):
        (one,) = of(known, "platform")
        assert one.subject == "browsertime on windows"

    def test_they_are_ranked_and_every_one_has_numbers(self, known):
        worth = [one.worth for one in known.proposals]
        assert worth == sorted(worth, reverse=True)
        for one in known.proposals:
            assert one.evidence
            assert any(sign.isdigit() for sign in one.reason)

    def test_bugs_that_nobody_touches(self):
        rows, bugs, changes = [], [], []
        for i in range(24):
            suite = "left" if i % 2 else "served"
            rows.append(
                alert(
                    i,
                    alert_summary_bug_number=100 + i,
                    single_alert_series_signature_suite=suite,
                )
            )
            bugs.append({"id": 100 + i, "creation_time": MONDAY, "resolution": ""})
            wait = timedelta(days=60 if suite == "left" else 3)
            change = {"time": MONDAY + wait, "field": "status", "added": "ASSIGNED"}
            changes.append({"bug_id": 100 + i, **change})
        bugs[0]["last_change_time"] = MONDAY + timedelta(days=90)
        found = explore(made(alerts=rows, bugs=bugs, changes=changes))
        (one,) = of(found, "traction")
        assert one.subject == "talos left"
        assert one.evidence["touched within two weeks"] == 0
        frame = found.worth().frame
        assert dict(frame.select("suite", "traction").rows()) == {"left": 0.0, "served": 1.0}

    def test_bugs_that_are_left_alone_everywhere_are_no_property_of_a_suite(self):
        rows = [
            alert(
                i,
                alert_summary_bug_number=100 + i,
                single_alert_series_signature_suite=f"s{i % 3}",
            )
            for i in range(60)
        ]
        bugs = [
            {"id": 100 + i, "creation_time": MONDAY, "resolution": "",
             "last_change_time": MONDAY + timedelta(days=90)}
            for i in range(60)
        ]  # fmt: skip
        late = {"time": MONDAY + timedelta(days=60), "field": "status", "added": "ASSIGNED"}
        found = explore(made(alerts=rows, bugs=bugs, changes=[{"bug_id": 100, **late}]))
        assert not of(found, "traction")

    @pytest.mark.parametrize(("summaries", "expected"), [(30, 1), (2, 0)])
    def test_many_false_alerts_of_two_pushes_are_no_bad_suite(self, summaries, expected):
        rows = [
            alert(
                i,
                summary=i % summaries if label == "false" else i,
                label=label,
                single_alert_series_signature_suite="bad" if label == "false" else "good",
            )
            for i, label in enumerate(["false"] * 30 + ["true"] * 30)
        ]
        found = of(explore(made(alerts=rows)), "suite")
        assert len(found) == expected
        for one in found:
            assert one.evidence["summaries"] == summaries

    @pytest.mark.parametrize(("summaries", "expected"), [(60, 1), (3, 0)])
    def test_nor_is_their_platform(self, summaries, expected):
        rows = [
            alert(
                i,
                summary=i % summaries if (label, platform) == ("false", "windows") else i + 100,
                label=label,
                single_alert_series_signature_machine_platform=platform,
            )
            for i, (label, platform) in enumerate(
                [("false", "windows")] * 60 + [("true", "windows")] * 20
                + [("false", "linux")] * 24 + [("true", "linux")] * 56
            )
        ]  # fmt: skip
        assert len(of(explore(made(alerts=rows)), "platform")) == expected

    def test_a_threshold_that_loses_more_than_it_avoids_is_none(self):
        true = [(2.2, 12), (9.0, 388)]
        false = [(2.2, 8), (9.0, 22)]
        rows = [
            (label, size)
            for label, sizes in (("true", true), ("false", false))
            for size, count in sizes
            for _ in range(count)
        ]
        alerts = [alert(i, label=label, percent=size) for i, (label, size) in enumerate(rows)]
        assert not of(explore(made(alerts=alerts)), "threshold")

    def test_more_runs_that_would_still_find_nothing_are_not_proposed(self):
        rng = np.random.default_rng(0)
        values, of_all = [], []
        for number in range(1, 6):
            of_all.append(series(number, last=MONDAY + timedelta(days=75)))
            noise = 100 + rng.normal(0, 1.7, 300)
            values += points(noise, number, runs=2, within=1.7 * 2**0.5)
        found = explore(made(of=of_all, values=values))
        power = with_power(found.profiles)
        assert (power["power_more"] - power["power"]).mean() > 0.05
        assert power["power_more"].mean() < 0.5
        assert not of(found, "retrigger")

    @pytest.mark.parametrize(("strong", "expected"), [(30.0, 1), (8.0, 0)])
    def test_a_shorter_window_must_not_lose_more_than_it_avoids(self, strong, expected):
        rows = [alert(i, t=strong, created=MONDAY + timedelta(hours=i)) for i in range(30)]
        values = points(100 + np.random.default_rng(1).normal(0, 1, 120), hours=4)
        of_all = [series(last=values[-1]["push_timestamp"])]
        found = explore(made(alerts=rows, of=of_all, values=values))
        assert len([o for o in of(found, "window") if o.subject == "talos"]) == expected


class TestTooLittle:
    def test_it_says_what_it_would_take(self):
        found = explore(made(alerts=[alert(1), alert(2, label="false")]))
        (one,) = [one for one in found.too_little if one.kind == "threshold"]
        assert one.subject == "talos"
        assert "1 true alert and 1 false one" in one.reason
        assert "20" in one.reason
        assert not found.proposals

    def test_chance_is_not_proposed(self):
        rng = np.random.default_rng(3)
        rows = [
            alert(
                i,
                label="true" if rng.random() < 0.5 else "false",
                percent=float(rng.lognormal(1.5)),
                t=float(7 + rng.exponential(9)),
                single_alert_series_signature_suite=f"s{i % 12}",
            )
            for i in range(600)
        ]
        assert explore(made(alerts=rows)).proposals == ()


class TestSweep:
    @given(ALERTS)
    def test_like_plain_python(self, alerts):
        rows = [alert(i, percent=size, label=label) for i, (size, label) in enumerate(alerts)]
        frame = sweep(tables(made(alerts=rows)), "percent").frame
        for row in frame.filter(pl.col("framework") == "talos").iter_rows(named=True):
            below = [label for size, label in alerts if size < row["threshold"]]
            assert row["avoided"] == below.count("false")
            assert row["lost"] == below.count("true")
            assert row["false"] == sum(label == "false" for _, label in alerts)
        assert frame.height == (2 * len(GRID["percent"]) if alerts else 0)

    @given(ALERTS)
    def test_the_choice_is_the_best_allowed(self, alerts):
        own = pl.DataFrame(
            {
                "summary": list(range(len(alerts))),
                "percent": [size for size, _ in alerts],
                "verdict": [label for _, label in alerts],
            },
            schema={"summary": pl.Int64, "percent": pl.Float64, "verdict": pl.String},
        )
        found = choose(own, "percent")
        true = [size for size, label in alerts if label == "true"]
        false = [size for size, label in alerts if label == "false"]
        allowed = {
            threshold: sum(size < threshold for size in false)
            for threshold in GRID["percent"]
            if true and sum(size < threshold for size in true) <= MOST_LOST * len(true)
        }
        best = max(allowed.values(), default=0)
        if not best:
            assert found is None
            return
        assert found.threshold == min(t for t, avoided in allowed.items() if avoided == best)
        assert found.told[0] == best
        assert found.avoided.total == len(false)
        assert found.least <= found.most

    def test_series_with_absolute_thresholds_have_no_percentage(self):
        rows = [alert(1), alert(2, signature_id=2)]
        of_both = [series(), {**series(2), "alert_change_type": 1}]
        frame = explore(made(alerts=rows, of=of_both)).sweep("percent").frame
        assert frame["true"].max() == 1


def test_power_by_hand():
    # Noise of runs alone, one run: three times as many make it a third of the variance.
    rng = np.random.default_rng(0)
    values = points(100 + rng.normal(0, 1, 400), runs=2, within=2**0.5)
    profiles = explore(made(of=[series()], values=values)).profiles
    row = with_power(profiles).row(0, named=True)
    sigma = row["sigma"]
    of_runs = min(1.0, sigma**2)

    def power(variance):
        from statistics import NormalDist

        shift = 0.02 * row["level"] / (variance * (1 / 24 + 1 / 12)) ** 0.5
        return NormalDist().cdf(shift - 7)

    assert row["power"] == pytest.approx(power(sigma**2))
    assert row["power_more"] == pytest.approx(power(sigma**2 - of_runs * 2 / 3))
