# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What was reported when, with detectors that answer as they are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.changes import Detection
from stepmark.detectors import MDL
from stepmark.errors import InputError
from stepmark.evaluation.metrics import groups
from stepmark.evaluation.replay import OnlineScore, Replay, Report, judge, record, replay
from stepmark.plugins import Online
from stepmark.series import Signal


@dataclass(frozen=True)
class Scripted:
    """Answers by the number of points; between the ones given, as before."""

    name: ClassVar[str] = "scripted"
    answers: dict[int, tuple[int, ...]]
    asked: list[int] = field(default_factory=list)

    def detect(self, signal):
        length = len(Signal.of(signal))
        self.asked.append(length)
        last = max((n for n in self.answers if n <= length), default=None)
        return Detection(length, self.answers[last] if last is not None else ())


def played(answers, length=60, **options):
    return replay(Scripted(answers), np.zeros(length), **options)


def only(replayed):
    assert len(replayed.reports) == 1
    return replayed.reports[0]


# The life of a report


def test_a_report_that_stays():
    report = only(played({23: (20,)}))
    assert report == Report(((23, 20),))
    assert (report.reported, report.places, report.moves, report.returns) == (23, (20,), 0, 0)
    assert not report.vanished
    assert not report.duplicate


def test_a_report_that_moves_within_the_margin():
    report = only(played({23: (20,), 30: (25,), 40: (21,), 41: (21,)}))
    assert report.history == ((23, 20), (30, 25), (40, 21))
    assert report.moves == 2


def test_a_place_beyond_the_margin_is_another_report():
    first, second = played({23: (20,), 30: (26,)}).reports
    assert first.history == ((23, 20), (30, None))
    assert first.vanished
    assert second.history == ((30, 26),)
    assert not second.duplicate  # the first is gone


def test_a_report_that_vanishes_and_comes_back():
    report = only(played({23: (20,), 30: (), 40: (22,)}))
    assert report.history == ((23, 20), (30, None), (40, 22))
    assert (report.returns, report.moves, report.vanished) == (1, 1, False)
    report = only(played({23: (20,), 30: (), 40: (20,), 41: ()}))
    assert (report.returns, report.moves, report.vanished) == (1, 0, True)


def test_a_second_report_within_the_margin_is_a_duplicate():
    first, second = played({23: (20,), 30: (20, 25)}).reports
    assert not first.duplicate
    assert second.history == ((30, 25),)
    assert second.duplicate
    assert [r.duplicate for r in played({30: (20, 25)}).reports] == [False, True]
    assert [r.duplicate for r in played({30: (20, 26)}).reports] == [False, False]


def test_a_place_that_stays_is_the_same_report():
    # Both could move by 4; the new place on the left is the new report.
    old, new = played({30: (24,), 40: (20, 24)}).reports
    assert old.history == ((30, 24),)
    assert new.history == ((40, 20),)


def test_one_that_stands_is_preferred_to_one_that_is_gone():
    gone, standing = played({20: (10,), 25: (16,), 30: (13,)}).reports
    assert gone.history == ((20, 10), (25, None))
    assert standing.history == ((25, 16), (30, 13))


def test_points_are_fed_from_start_by_stride_and_all_at_the_end():
    detector = Scripted({})
    replayed = replay(detector, np.zeros(11), start=3, stride=4)
    assert replayed.steps == tuple(detector.asked) == (3, 7, 11)
    assert replay(Scripted({}), np.zeros(10), start=3, stride=4).steps == (3, 7, 10)
    assert replay(Scripted({}), np.zeros(2), start=5).steps == (2,)
    assert replay(Scripted({}), []) == Replay((), ())
    assert replay(Scripted({}), []).length == 0


@pytest.mark.parametrize("options", [{"start": 0}, {"stride": 0}, {"margin": -1}])
def test_senseless_options_are_refused(options):
    with pytest.raises(InputError, match=r"[01] or more points"):
        played({}, **options)


def test_answers_out_of_order_are_refused():
    with pytest.raises(InputError, match="an answer on 9 points after one on 9"):
        record([Detection(9), Detection(9)])


# Detectors that follow a growing signal


@dataclass(frozen=True)
class Following(Scripted):
    def track(self):
        return _Tracker(self)


@dataclass
class _Tracker:
    detector: Following
    seen: int = 0

    def extend(self, values):
        self.seen += len(values)
        return Detection(self.seen, self.detector.answers.get(self.seen, ()))


def test_a_detector_that_can_follow_is_asked_for_each_point_once():
    detector = Following({4: (2,), 5: (2,), 6: (3,)})
    assert isinstance(detector, Online)
    assert only(replay(detector, np.zeros(6))).history == ((4, 2), (6, 3))
    assert detector.asked == []
    assert only(replay(detector, np.zeros(6), stride=3)).history == ((4, 2), (6, 3))


def test_replicates_are_run_prefix_by_prefix():
    detector = Following({4: (2,)})
    replay(detector, [[1.0, 2.0]] * 5)
    assert detector.asked == [1, 2, 3, 4, 5]


def test_following_and_prefix_runs_agree():
    rng = np.random.default_rng(5)
    values = rng.normal(100, 1, 80) + np.repeat([0, 4, -3, 3], 20)
    detector = MDL(unit=0.1, maximum=120.0)
    answers = [detector.detect(values[:n]) for n in range(1, 81)]
    assert replay(detector, values) == record(answers)
    assert len(record(answers).reports) >= 3


# Any history

ANSWERS = st.lists(st.sets(st.integers(1, 19), max_size=4), min_size=1, max_size=12)


@st.composite
def histories(draw):
    answers = draw(ANSWERS)
    margin = draw(st.integers(0, 6))
    detections = [
        Detection(n, tuple(sorted(p for p in places if p < n)))
        for n, places in enumerate(answers, 20 - len(answers))
    ]
    return detections, margin


@settings(deadline=None)
@given(histories())
def test_reports_tell_the_answers_again(history):
    detections, margin = history
    replayed = record(detections, margin=margin)
    assert replayed.steps == tuple(d.length for d in detections)
    for detection in detections:
        standing = []
        for report in replayed.reports:
            so_far = [place for step, place in report.history if step <= detection.length]
            if so_far and so_far[-1] is not None:
                standing.append(so_far[-1])
        assert sorted(standing) == list(detection.indices)


@settings(deadline=None)
@given(histories())
def test_histories_are_consistent(history):
    detections, margin = history
    replayed = record(detections, margin=margin)
    first = [(r.reported, r.places[0]) for r in replayed.reports]
    assert first == sorted(first)
    for report in replayed.reports:
        steps = [step for step, _ in report.history]
        assert steps == sorted(set(steps))
        assert report.history[0][1] is not None
        for (_, before), (_, after) in zip(report.history, report.history[1:], strict=False):
            assert before != after
        for before, after in zip(report.places, report.places[1:], strict=False):
            assert abs(before - after) <= margin
        if not report.vanished:
            assert report.places[-1] in detections[-1].indices


@settings(deadline=None)
@given(histories(), st.dictionaries(st.sampled_from("ab"), st.sets(st.integers(1, 18)), min_size=1))
def test_scores_account_for_every_report_and_change(history, annotations):
    detections, margin = history
    replayed = record(detections, margin=margin)
    score = judge(replayed, annotations)
    changes = groups(annotations, margin=margin)
    told = len(changes) - score.missed
    assert len(score.delays) == len(changes)
    assert told + score.duplicates + score.false_alarms == score.reports == len(replayed.reports)
    for group, delay in zip(changes, score.delays, strict=True):
        if delay is None:
            continue
        assert delay >= 1
        seen = group[0] + delay
        answer = next(d for d in detections if d.length == seen)
        assert any(abs(i - place) <= margin for i in answer.indices for place in group)


@settings(deadline=None)
@given(st.sets(st.integers(1, 39), max_size=5), st.integers(1, 8))
def test_a_detector_that_knows_the_truth_after_some_points(truth, wait):
    answers = [Detection(n, tuple(sorted(t for t in truth if t + wait <= n))) for n in range(1, 50)]
    replayed = record(answers, margin=0)
    score = judge(replayed, {"a": truth})
    assert score == OnlineScore(49, (wait,) * len(truth), reports=len(truth))
    assert score.median_delay == (wait if truth else None)


# Scores


def test_delay_counts_points_of_the_new_level():
    assert judge(played({21: (20,)}), {"a": [20]}).delays == (1,)
    assert judge(played({24: (23,)}), {"a": [20]}).delays == (4,)
    assert judge(played({24: (20,)}, start=1, stride=10), {"a": [20]}).delays == (11,)
    assert judge(played({}), {"a": [20]}).delays == (None,)


def test_a_report_ahead_of_its_change_counts_when_it_happens():
    score = judge(played({15: (14,)}), {"a": [17]})
    assert score.delays == (1,)
    assert score.false_alarms == 0
    score = judge(played({15: (14,), 17: ()}), {"a": [17]})
    assert score == OnlineScore(60, (None,), reports=1, false_alarms=1, vanished=1)


def test_reports_are_first_news_duplicates_or_false_alarms():
    replayed = played({25: (20,), 30: (18, 22), 40: (20, 35), 41: (20,), 42: (20, 36)})
    score = judge(replayed, {"a": [20]})
    assert score.delays == (5,)
    assert score.reports == 3
    assert score.duplicates == 1
    assert score.false_alarms == 1
    assert score.vanished == 1
    assert score.returned == 1
    assert score.moved == 2
    assert score.vanished_share == pytest.approx(1 / 3)
    assert score.false_alarms_per_1000 == pytest.approx(1000 / 60)


def test_one_report_does_not_tell_of_two_changes():
    score = judge(played({30: (22,)}), {"a": [20, 24]})
    assert score.delays == (10, None)
    score = judge(played({30: (18, 22)}), {"a": [20, 24]})
    assert score.delays == (10, 6)


def test_the_place_of_one_annotator_is_enough():
    marks = {"a": [20], "b": [23], "c": []}
    assert judge(played({30: (28,)}), marks).delays == (10,)
    assert judge(played({30: (29,)}), marks).delays == (None,)


def test_scores_add_up():
    one = judge(played({25: (20,)}), {"a": [20]})
    two = judge(played({15: (10,), 18: ()}), {"a": [40]})
    both = sum([one, two], OnlineScore())
    assert both == OnlineScore(120, (5, None), reports=2, false_alarms=1, vanished=1)
    assert both.missed == 1
    assert both.vanished_share == 0.5


@pytest.mark.parametrize(
    ("delays", "median"),
    [
        ((), None),
        ((3,), 3.0),
        ((None,), None),
        ((2, 4), 3.0),
        ((2, None), None),
        ((2, None, 9), 9.0),
        ((None, None, 9), None),
    ],
)
def test_a_missed_change_is_later_than_any(delays, median):
    assert OnlineScore(delays=delays).median_delay == median


def test_nothing_divides_by_nothing():
    assert OnlineScore().vanished_share == 0.0
    assert OnlineScore().false_alarms_per_1000 == 0.0


def test_labels_outside_the_series_are_refused():
    with pytest.raises(InputError, match="place 60 is not inside the series of 60 points"):
        judge(played({}), {"a": [60]})
    with pytest.raises(InputError, match="no annotator"):
        judge(played({}), {})
