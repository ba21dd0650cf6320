# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The made-up world: whole, repeatable, and growing without a change of its past."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from statistics import fmean, median

import pytest

from fakes import rules, world
from fakes.catalogue import REPOSITORIES
from fakes.model import AlertStatus, SummaryStatus
from fakes.world import World


@pytest.fixture(scope="module")
def small():
    return World.generate(3, frameworks=(13,), series=3, pushes=80, days=21)


@pytest.fixture(scope="module")
def usual():
    return World.generate(1)


@pytest.fixture(scope="module")
def grown(usual):
    return usual.grown(5)


def alerts(made):
    return [alert for summary in made.summaries for alert in summary.alerts]


def test_the_same_seed_gives_the_same_world(small):
    again = world._generated.__wrapped__(small.plan)
    assert again == small
    assert again is not small


def test_another_seed_gives_another_world(small):
    other = World.generate(4, frameworks=(13,), series=3, pushes=80, days=21)
    assert other.pushes != small.pushes
    assert other.measurements != small.measurements


@pytest.mark.parametrize("steps", [0, 2])
def test_worlds_of_any_size(steps):
    made = World.generate(
        1, repositories=("mozilla-central",), frameworks=(99,), series=1, pushes=5, days=3,
        subtests=0, steps=steps,
    )  # fmt: skip
    assert {s.repository for s in made.signatures} == {"mozilla-central"}
    assert len(made.signatures) == 1
    assert made.summaries == ()


def test_asking_for_more_series_gives_more():
    counts = [
        len(World.generate(1, repositories=("autoland",), series=n, pushes=20, days=4).signatures)
        for n in (1, 5, 40)
    ]
    assert counts == sorted(set(counts))
    assert counts[-1] > 80


def test_ids_are_unique_and_refer_to_something(usual):
    for things in (usual.pushes, usual.signatures, usual.measurements, usual.summaries):
        assert [t.id for t in things] == sorted({t.id for t in things})
    assert len({a.id for a in alerts(usual)}) == len(alerts(usual))
    signatures = {s.id: s for s in usual.signatures}
    pushes = {p.id: p for p in usual.pushes}
    for m in usual.measurements:
        assert signatures[m.signature_id].repository == pushes[m.push_id].repository
        assert m.job.push_id == m.push_id
    for s in usual.summaries:
        assert pushes[s.push_id].time > pushes[s.prev_push_id].time
        assert {pushes[s.push_id].repository, pushes[s.prev_push_id].repository} == {s.repository}
        assert s.alerts
    numbers = {s.id for s in usual.summaries}
    assert {a.related_summary_id for a in alerts(usual)} <= {None, *numbers}


def test_nothing_comes_from_the_future(usual):
    times = [p.time for p in usual.pushes]
    times += [m.ingested for m in usual.measurements]
    times += [a.created for a in alerts(usual)]
    times += [t for s in usual.summaries for t in (s.first_triaged, s.bug_updated) if t]
    times += [event.when for bug in usual.bugs for event in bug.history]
    assert max(times) <= usual.now


def test_pushes_have_days_and_weekends_and_gaps(usual):
    days = Counter(p.time.date() for p in usual.pushes if p.repository == "autoland")
    work = [n for day, n in days.items() if day.weekday() < 5]
    rest = [n for day, n in days.items() if day.weekday() >= 5]
    assert fmean(work) > 2 * fmean(rest)
    assert len(days) < 61
    revisions = [c.revision for p in usual.pushes for c in p.commits]
    assert len(revisions) == len(set(revisions))
    assert all(re.fullmatch("[0-9a-f]{40}", revision) for revision in revisions)
    assert max(len(p.commits) for p in usual.pushes) > 20


def test_series_of_all_kinds(usual):
    series = usual.signatures
    by_id = {s.id: s for s in series}
    assert {s.framework for s in series} == {1, 2, 4, 13}
    assert {s.lower_is_better for s in series} == {True, False}
    assert {s.should_alert for s in series} == {True, False, None}
    assert {s.change_type for s in series} == {None, 1}
    assert {s.unit for s in series} >= {"ms", "bytes", "score", None}
    assert any(s.windows for s in series)
    assert any(s.monitor for s in series)
    assert any(s.test and s.parent is None for s in series)
    assert any(not s.application for s in series)
    for s in series:
        if s.parent is not None:
            parent = by_id[s.parent]
            assert (parent.hash, parent.suite, parent.test) == (s.parent_hash, s.suite, "")
            assert parent.has_subtests
    hashes = Counter(s.hash for s in series)
    assert max(hashes.values()) == len(usual.plan.repositories)


def test_measurements_have_gaps_retriggers_and_replicates(usual):
    rows = defaultdict(list)
    for m in usual.measurements:
        rows[m.signature_id].append(m)
    pushes = Counter(p.repository for p in usual.pushes)
    with_replicates = [s.id for s in usual.signatures if any(m.replicates for m in rows[s.id])]
    assert with_replicates
    for s in usual.signatures:
        measured = Counter(m.push_id for m in rows[s.id])
        assert len(measured) < pushes[s.repository]
        assert max(measured.values()) > 1
    some = rows[with_replicates[0]]
    assert any(not m.replicates for m in some)
    assert all(m.value == median(m.replicates) for m in some if m.replicates)
    assert any(m.value != round(m.value, 2) for m in usual.measurements)


def test_some_measurements_came_late_for_their_push(usual):
    by_id = {p.id: p for p in usual.pushes}
    late = [m for m in usual.measurements if m.ingested - by_id[m.push_id].time > timedelta(days=2)]
    assert late


def test_old_jobs_are_forgotten(usual):
    kept = timedelta(days=usual.plan.job_days)
    assert {m.expired for m in usual.measurements} == {True, False}
    assert all(m.expired == (usual.now - m.ingested > kept) for m in usual.measurements)


def test_one_series_is_dead_and_one_is_still_to_come(usual, grown):
    dead = [s for s in usual.signatures if usual.now - s.last_updated > timedelta(days=20)]
    assert dead
    assert {s.id for s in usual.signatures} < {s.id for s in grown.signatures}


def test_planted_steps_are_in_the_values(usual):
    order = {
        name: [p.id for p in usual.pushes if p.repository == name]
        for name in usual.plan.repositories
    }
    series = {s.id: s for s in usual.signatures}
    rows = defaultdict(list)
    for m in usual.measurements:
        rows[m.signature_id].append((m.push_id, m.value))
    right = wrong = 0
    for step in usual.steps:
        s = series.get(step.signature_id)
        if s is None or not s.test or step.kind not in {"regression", "improvement"}:
            continue
        ids = order[s.repository]
        place = bisect_left(ids, step.push_id)
        before = [v for push, v in rows[s.id] if push in ids[max(0, place - 15) : place]]
        after = [v for push, v in rows[s.id] if push in ids[place : place + 15]]
        if before and after:
            near = fmean(after) / fmean(before) == pytest.approx(step.factor, rel=0.03)
            right, wrong = right + near, wrong + (not near)
    assert right > 30
    assert wrong < 0.1 * right


def test_alerts_follow_the_rules(usual):
    series = {s.id: s for s in usual.signatures}
    seen = alerts(usual)
    assert len(seen) > 50
    for a in seen:
        s = series[a.signature_id]
        assert REPOSITORIES[s.repository].alerts_enabled
        assert a.amount_abs == a.new_value - a.prev_value
        assert a.amount_pct == pytest.approx(100 * abs(a.amount_abs) / a.prev_value)
        assert a.is_regression == ((a.amount_abs > 0) == s.lower_is_better)
        if a.manually_created:
            assert (a.t_value, a.noise_profile) == (rules.INFINITE_T, "N/A")
            continue
        assert a.t_value > 7
        change = abs(a.amount_abs) if s.change_type == 1 else a.amount_pct
        assert change >= (rules.DEFAULT_THRESHOLD if s.threshold is None else s.threshold)
        assert s.monitor or s.should_alert is not False


def test_summaries_of_all_kinds(usual):
    made = usual.summaries
    assert {s.status for s in made} == set(SummaryStatus)
    assert {a.status for a in alerts(usual)} == set(AlertStatus)
    assert {s.sheriffed for s in made} == {True, False}
    assert any(a.manually_created for a in alerts(usual))
    assert any(a.starred for a in alerts(usual))
    assert any(s.push_id != s.original_push_id for s in made)
    assert {s.issue_tracker for s in made} == {1, 2}
    assert {s.bug_status for s in made} >= {None, 0, 1}
    assert any(s.notes and "@" in s.notes for s in made)
    assert {tag for s in made for tag in s.tags} >= {"bisection", "improvement", "infra"}
    groups = Counter((s.repository, s.framework, s.push_id) for s in made)
    assert max(groups.values()) > 1
    assert len({s.assignee for s in made}) > 2


def test_statuses_agree_with_those_of_the_alerts(usual):
    given = defaultdict(list)
    for a in alerts(usual):
        given[a.related_summary_id].append((a.status, a.is_regression))
    for s in usual.summaries:
        own = [(a.status, a.is_regression) for a in s.alerts]
        assert rules.summary_status(s.status, own, given[s.id]) == s.status
        moved = {AlertStatus.DOWNSTREAM, AlertStatus.REASSIGNED}
        for a in s.alerts:
            assert (a.related_summary_id is not None) == (a.status in moved)
            assert (a.classifier is None) == (a.status == AlertStatus.UNTRIAGED)


def test_alerts_are_given_away_within_their_framework(usual):
    by_id = {s.id: s for s in usual.summaries}
    for s in usual.summaries:
        for a in s.alerts:
            if a.related_summary_id is None:
                continue
            other = by_id[a.related_summary_id]
            assert other.framework == s.framework
            assert (other.repository == s.repository) == (a.status == AlertStatus.REASSIGNED)


def test_backfills_tell_of_the_points_about_their_alert(usual):
    seen = [(s, a) for s in usual.summaries for a in s.alerts if a.backfill]
    values = {m.id: m for m in usual.measurements}
    assert {a.backfill.status for _, a in seen} >= {3, 4}
    for s, a in seen:
        context = json.loads(a.backfill.context)
        assert s.original_push_id in [point["push_id"] for point in context]
        for point in context:
            m = values[point["perf_datum_id"]]
            assert (m.push_id, m.job.id) == (point["push_id"], point["job_id"])
            assert m.signature_id == a.signature_id
        counted = a.backfill.failed + a.backfill.successful + a.backfill.in_progress
        assert counted == a.backfill.triggered


def test_bugs_of_all_kinds(usual):
    numbers = {s.bug_number for s in usual.summaries if s.bug_number and s.issue_tracker == 1}
    found = {b.id: b for b in usual.bugs}
    assert set(found) < numbers  # one at least does not exist
    assert {b.restricted for b in usual.bugs} == {True, False}
    assert {b.status for b in usual.bugs} >= {"RESOLVED", "ASSIGNED"}
    assert {b.resolution for b in usual.bugs} >= {"FIXED", "WONTFIX", ""}
    for b in usual.bugs:
        changed = {c.field: c.added for event in b.history for c in event.changes}
        assert changed.get("resolution", "") == b.resolution
        assert [e.when for e in b.history] == sorted(e.when for e in b.history)
        assert b.comments[0].text.startswith("Perfherder has detected a ")


@pytest.mark.parametrize(("seed", "days"), [(1, 5), (6, 3), (9, 0.3)])
def test_growing_adds_and_changes_no_past(seed, days):
    young = World.generate(seed, series=9 if seed == 9 else 14)
    old = young.grown(days)
    assert old.now - young.now == timedelta(days=days)
    assert old.pushes[: len(young.pushes)] == young.pushes
    assert set(young.steps) <= set(old.steps)
    points = {m.id: m for m in old.measurements}
    assert len(points) > len(young.measurements)
    assert all(replace(points[m.id], expired=m.expired) == m for m in young.measurements)

    def raised(a):
        return (a.id, a.summary_id, a.signature_id, a.created, a.t_value, a.new_value)

    assert set(map(raised, alerts(young))) <= set(map(raised, alerts(old)))
    bugs = {b.id: b for b in old.bugs}
    for b in young.bugs:
        assert (bugs[b.id].created, bugs[b.id].summary) == (b.created, b.summary)
        assert bugs[b.id].history[: len(b.history)] == b.history


def test_growing_brings_alerts_and_triages_further(usual, grown):
    assert len(alerts(grown)) > len(alerts(usual))
    before = {s.id: s.status for s in usual.summaries}
    after = {s.id: s.status for s in grown.summaries}
    assert any(after[number] != status for number, status in before.items())
    forgotten = {m.id for m in grown.measurements if m.expired}
    assert forgotten > {m.id for m in usual.measurements if m.expired}


def test_growing_in_two_steps_is_growing_in_one(small):
    assert small.grown(1).grown(2) == small.grown(3)
