# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Treeherder's documented formulas."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fakes import alerting, landing, measuring, rules
from fakes.catalogue import Suite
from fakes.model import AlertStatus as A
from fakes.model import Push
from fakes.model import SummaryStatus as S

MONDAY = datetime(2026, 11, 16, 9, 30, 0, 123456, tzinfo=UTC)


def body(folder, name):
    return json.loads((folder / "treeherder" / f"{name}.json").read_text())["response"]["body"]


def test_the_hashes_of_recorded_series(shared_data):
    series = body(shared_data, "signatures_all").values()
    assert len(series) == 10
    for s in series:
        hashed = rules.signature_hash(
            s["suite"],
            s["option_collection_hash"],
            s["machine_platform"],
            s.get("extra_options", ()),
            s.get("test"),
            s.get("parent_signature"),
        )
        assert hashed == s["signature_hash"]


def test_the_hash_of_a_set_of_options():
    opt = "102210fe594ee9b33d82058545b1ed14f4c8206e"
    assert rules.option_collection_hash(["opt"]) == opt
    pgo = rules.option_collection_hash
    assert pgo(["pgo", "debug"]) == pgo(["debug", "pgo"]) != opt


def test_the_due_dates_of_recorded_summaries(shared_data):
    found = body(shared_data, "alertsummary_list_after_triage")["results"]
    assert found
    for summary in found:
        created = datetime.fromisoformat(summary["created"]).replace(tzinfo=UTC)
        assert rules.naive(rules.due(created, 2)) == summary["triage_due_date"]
        assert rules.naive(rules.due(created, 4)) == summary["bug_due_date"]


@pytest.mark.parametrize(
    ("created", "triage", "bug"),
    # Days from the Monday: created, due for triage, due for a bug.
    [(0, 2, 4), (1, 3, 7), (2, 4, 8), (3, 7, 9), (4, 8, 10), (5, 9, 11), (6, 9, 11)],
)
def test_due_dates_keep_the_time_of_day_and_skip_weekends(created, triage, bug):
    when = MONDAY + timedelta(days=created)
    assert rules.due(when, 2) == MONDAY + timedelta(days=triage)
    assert rules.due(when, 4) == MONDAY + timedelta(days=bug)


def test_times_have_no_suffix_and_microseconds_only_where_there_are_some():
    assert rules.naive(MONDAY) == "2026-11-16T09:30:00.123456"
    assert rules.naive(MONDAY.replace(microsecond=0)) == "2026-11-16T09:30:00"
    assert rules.naive(None) is None


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], (0, 0, 0)),
        ([[3]], (3, 1, 0)),
        ([[1], [2], [3], [4]], (2, 4, 2)),
        ([[2, 3], [4, 4]], (3, 4, 1)),
    ],
)
def test_windows_are_weighted_linearly(groups, expected):
    assert rules.weighted(groups) == pytest.approx(expected)


def test_t_of_windows():
    assert rules.t_statistic([[0], [0]], [[0], [0]]) == 0
    assert rules.t_statistic([[0], [0]], [[1], [1]]) == math.inf
    assert rules.t_statistic([], [[1]]) == 0
    assert rules.t_statistic([[0], [1]], [[5], [6]]) == rules.t_statistic([[5], [6]], [[0], [1]])


def series_of(*levels, days_apart=0.2, start=MONDAY):
    """Pushes one after another, each with the values of its level."""
    made = []
    for k, values in enumerate(levels):
        when = start + timedelta(days=days_apart * k)
        push = Push(k + 1, "autoland", when, "", (), 0)
        made.append(alerting.Point(push, tuple(values), when + timedelta(hours=1)))
    return made


PLAN = landing.Plan(1, ("autoland",), (1,), 1, 1, 1, 1, 1, MONDAY, MONDAY, 30)


def variant_of(**suite):
    run = Suite(1, "suite", **suite)
    return measuring.Variant("autoland", run, "linux", (1,), ("",), MONDAY, MONDAY, 1.0)


def scanned(points, **suite):
    found = list(alerting._Scan(PLAN, variant_of(**suite), 1, points, ()).alerts())
    return [(a.push.id, a.prev_push.id, a.prev_value, a.new_value) for a in found]


def test_a_clean_step_raises_one_alert_at_the_first_push_of_the_new_level():
    step = [[0.5]] * 15 + [[1.0]] * 15
    assert scanned(series_of(*step)) == [(16, 15, 0.5, 1.0)]
    assert scanned(series_of(*step, *[[2.0]] * 15)) == [(16, 15, 0.5, 1.0), (31, 30, 1.0, 2.0)]


def test_twelve_values_have_to_follow():
    assert scanned(series_of(*[[0.5]] * 15, *[[1.0]] * 11)) == []
    assert len(scanned(series_of(*[[0.5]] * 15, *[[1.0]] * 12))) == 1


def test_windows_of_a_series_replace_the_usual_ones():
    step = series_of(*[[0.5]] * 6, *[[1.0]] * 4)
    assert scanned(step) == []
    assert scanned(step, windows=(5, 10, 4)) == [(7, 6, 0.5, 1.0)]


def test_points_older_than_a_fortnight_do_not_count():
    step = [[0.5]] * 15 + [[1.0]] * 15
    assert scanned(series_of(*step, days_apart=1.0)) == []


@pytest.mark.parametrize(
    ("threshold", "mode", "after", "alerts"),
    [
        (None, None, 1.0, 1),
        (200.0, None, 1.0, 0),
        (0.3, 1, 1.0, 1),
        (0.3, 1, 0.25, 0),
        (None, None, 0.505, 0),
        (0.5, None, 0.505, 1),
    ],
)
def test_small_changes_raise_no_alert(threshold, mode, after, alerts):
    points = series_of(*[[0.5]] * 15, *[[after]] * 15)
    assert len(scanned(points, threshold=threshold, change_type=mode)) == alerts


def test_a_change_from_nothing_has_no_percentage():
    assert scanned(series_of(*[[0.0]] * 15, *[[1.0]] * 15)) == []


def test_a_step_in_noise_is_placed_where_it_is():
    rng = random.Random(5)
    levels = [[rng.gauss(100, 1)] for _ in range(20)] + [[rng.gauss(105, 1)] for _ in range(20)]
    ((push, prev, before, after),) = scanned(series_of(*levels, days_apart=0.1))
    assert (push, prev) == (21, 20)
    assert before == pytest.approx(100, abs=1)
    assert after == pytest.approx(105, abs=1)


def grouped(*alerts, rule=-10):
    """Summaries of alerts (push, previous push, monitored, by hand), a day after one another.

    The rule changed so many days after the first.
    """
    pushes = [point.push for point in series_of(*[[1.0]] * 9)]
    plan = replace(PLAN, start=MONDAY + timedelta(days=rule), days=0)
    made = [
        alerting.Raised(
            variant_of(monitor=monitored),
            k,
            pushes[push],
            pushes[prev],
            MONDAY + timedelta(days=k),
            1.0,
            2.0,
            9.0,
            "OK",
            None,
            manual,
        )
        for k, (push, prev, monitored, manual) in enumerate(alerts)
    ]
    found = alerting.groups(plan, made[::-1])
    assert [g.id for g in found] == list(range(1, len(found) + 1))
    return [(g.push.id - 1, g.prev_push.id - 1, len(g.raised)) for g in found]


def test_alerts_on_one_push_share_a_summary_whose_range_widens_and_never_narrows():
    assert grouped((5, 4, False, False), (5, 2, False, False)) == [(5, 2, 2)]
    assert grouped((5, 2, False, False), (5, 4, False, False)) == [(5, 2, 2)]
    assert grouped((5, 4, False, True), (5, 2, False, False)) == [(5, 4, 2)]
    assert grouped((5, 4, False, False), (6, 4, False, False)) == [(5, 4, 1), (6, 4, 1)]


def test_monitored_alerts_have_summaries_of_their_own():
    assert grouped((5, 4, False, False), (5, 4, True, False)) == [(5, 4, 1), (5, 4, 1)]


def test_before_the_rule_changed_each_range_had_its_summary():
    assert grouped((5, 4, False, False), (5, 2, False, False), rule=9) == [(5, 4, 1), (5, 2, 1)]


def test_noise_profiles():
    rng = random.Random(1)
    even = [[math.exp(rng.uniform(-1, 1))] for _ in range(60)]
    two = [[math.exp(rng.choice((-1, 1)) + rng.gauss(0, 0.01))] for _ in range(60)]
    tail = [[math.exp(rng.expovariate(1.0) ** 2)] for _ in range(60)]
    wide = [[math.exp(s * rng.expovariate(1.0) ** 3)] for s in (-1, 1) * 30]
    assert rules.noise_profile(even[:5]) == "N/A"
    assert rules.noise_profile([[1.0]] * 20) == "N/A"
    profiles = [rules.noise_profile(x) for x in (even, two, tail, wide)]
    assert profiles == ["OK", "MODAL", "SKEWED", "OUTLIERS"]


BAD, GOOD = True, False


@pytest.mark.parametrize(
    ("current", "own", "related", "expected"),
    [
        (S.FIXED, [], [], S.UNTRIAGED),
        (S.FIXED, [(A.ACKNOWLEDGED, BAD), (A.UNTRIAGED, GOOD)], [], S.UNTRIAGED),
        (S.UNTRIAGED, [(A.INVALID, BAD)], [], S.INVALID),
        (S.UNTRIAGED, [(A.INFRA, BAD)], [], S.INFRA),
        (S.UNTRIAGED, [(A.INFRA, BAD), (A.INVALID, BAD)], [], S.INVALID),
        (S.UNTRIAGED, [(A.ACKNOWLEDGED, GOOD), (A.INVALID, BAD)], [], S.IMPROVEMENT),
        (S.UNTRIAGED, [(A.ACKNOWLEDGED, BAD)], [], S.INVESTIGATING),
        (S.WONTFIX, [(A.ACKNOWLEDGED, BAD)], [], S.WONTFIX),
        (S.UNTRIAGED, [(A.ACKNOWLEDGED, GOOD)], [(A.REASSIGNED, BAD)], S.INVESTIGATING),
        (S.UNTRIAGED, [(A.REASSIGNED, BAD), (A.DOWNSTREAM, BAD)], [], S.REASSIGNED),
        (S.UNTRIAGED, [(A.DOWNSTREAM, BAD), (A.INFRA, BAD)], [], S.DOWNSTREAM),
    ],
)
def test_what_alerts_make_of_their_summary(current, own, related, expected):
    assert rules.summary_status(current, own, related) == expected


def test_rounding_as_recorded(shared_data):
    full = {d["id"]: d["value"] for d in body(shared_data, "summary_signature_all_data")[0]["data"]}
    (rounded,) = body(shared_data, "data_by_signature_id").values()
    assert {d["id"]: d["value"] for d in rounded} == {k: round(v, 2) for k, v in full.items()}
