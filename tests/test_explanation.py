# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Why a place is, or is not, a change."""

from __future__ import annotations

import pytest

from histories import series, step
from stepmark.changes import Verdict
from stepmark.config import Thresholds
from stepmark.detectors import MDL, TMM, Stepmark, Zero
from stepmark.errors import SignalError
from stepmark.explanation import explain
from stepmark.series import Aggregate, Direction

VALUES = step(40, 20, 8.0)


def explained(index, values=VALUES, detector=None, thresholds=None, **options):
    made = series(values, **options)
    return explain(made, detector or MDL(), index, thresholds or Thresholds())


class TestAChange:
    def test_is_described_and_judged(self):
        item = explained(20)
        assert item.found
        assert item.counts
        assert (item.change.index, item.change.revision) == (20, "rev0020")
        assert item.change.verdict is Verdict.REGRESSION
        assert (item.detector, item.nearest, item.least_effect) == ("mdl", (), None)

    def test_saves_what_dividing_there_saves(self):
        item = explained(20)
        detector, signal = MDL(), series(VALUES).signal()
        assert item.saved == pytest.approx(detector.cost(signal, ()) - detector.cost(signal, (20,)))
        assert item.saved > 0
        assert item.cost_unit == "bits"

    def test_alternatives_cost_more_the_cheapest_first(self):
        item = explained(20)
        assert sorted(a.index for a in item.alternatives) == [17, 18, 19, 21, 22, 23]
        extras = [a.extra for a in item.alternatives]
        assert extras == sorted(extras)
        assert extras[0] > 0
        assert {a.revision for a in item.alternatives} >= {"rev0019", "rev0021"}

    def test_alternatives_stay_inside_and_off_other_changes(self):
        values = [10.0, 10.0, 50.0, 50.0, 50.0, 50.0, 90.0, 90.0]
        item = explained(2, values)
        assert item.found
        assert sorted(a.index for a in item.alternatives) == [1, 3, 4, 5]

    def test_below_the_thresholds_it_is_neutral(self):
        item = explained(20, thresholds=Thresholds(min_relative=0.5))
        assert (item.found, item.counts) == (True, False)
        assert item.change.verdict is Verdict.NEUTRAL

    @pytest.mark.parametrize(
        ("direction", "verdict"),
        [(Direction.HIGHER, Verdict.IMPROVEMENT), (None, Verdict.NEUTRAL)],
    )
    def test_verdict_follows_the_direction(self, direction, verdict):
        assert explained(20, direction=direction).change.verdict is verdict


class TestNoChange:
    def test_costs_more_and_names_the_nearest(self):
        item = explained(10)
        assert not item.found
        assert item.saved < 0
        assert [(p.index, p.revision) for p in item.nearest] == [(20, "rev0020")]
        assert (item.change.before.start, item.change.before.stop) == (0, 10)
        assert (item.change.after.start, item.change.after.stop) == (10, 20)

    @pytest.mark.parametrize("index", [5, 10, 30, 35])
    def test_a_step_of_the_least_effect_would_be_seen(self, index):
        item = explained(index)
        segment, base = item.change.after, item.change.before.mean

        def found(effect):
            shift = effect * base - item.change.absolute
            moved = [v + shift * (segment.start <= i < segment.stop) for i, v in enumerate(VALUES)]
            signal = series(moved).signal()
            others = (20,)
            return MDL().cost(signal, sorted((*others, index))) < MDL().cost(signal, others)

        assert item.least_effect is not None
        assert found(item.least_effect)
        assert not found(item.least_effect * 0.97)

    def test_least_effect_sees_the_samples(self):
        rows = [[v - 2, v, v + 2] for v in VALUES]
        made = series(rows)
        wide = explain(made, MDL(), 10, Thresholds(), Aggregate.SAMPLES)
        narrow = explain(made, MDL(), 10, Thresholds(), Aggregate.MEAN)
        assert abs(wide.least_effect) > abs(narrow.least_effect)

    def test_from_zero_no_relative_effect_is_known(self):
        item = explained(3, [0.0] * 6 + [5.0] * 6)
        assert item.least_effect is None

    def test_without_any_change_there_is_no_nearest(self):
        assert explained(10, [100.0, 101.0] * 10).nearest == ()


@pytest.mark.parametrize("detector", [Zero(), TMM()])
def test_a_detector_without_costs_says_what_it_can(detector):
    item = explained(20, detector=detector)
    assert (item.saved, item.alternatives, item.least_effect, item.cost_unit) == (
        None,
        (),
        None,
        "",
    )
    assert (item.likelihood, item.needed) == (None, 0)
    assert item.change.index == 20


class TestProbability:
    """Of a detector that can say how probable a change is."""

    def test_of_a_change_and_of_the_points_about_it(self):
        item = explained(20, detector=Stepmark())
        likely = item.likelihood
        assert item.found
        assert (likely.reach, likely.sure, item.saved) == (5, Stepmark().sure, None)
        assert likely.probability > 0.95
        assert (likely.places[0].index, likely.places[0].revision) == (20, "rev0020")
        assert sorted(p.index for p in likely.places) == list(range(15, 26))
        scores = [p.score for p in likely.places]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(likely.probability, abs=1e-3)

    def test_of_a_place_far_from_any_change(self):
        item = explained(8, detector=Stepmark())
        assert not item.found
        assert item.likelihood.probability < 0.1
        assert [p.index for p in item.nearest] == [20]
        assert item.nearest[0].score > 0.95

    def test_of_a_place_at_the_end(self):
        item = explained(39, detector=Stepmark())
        assert sorted(p.index for p in item.likelihood.places) == list(range(34, 40))

    def test_too_short_a_series_has_none(self):
        item = explained(2, [1.0, 1.1, 9.0, 9.1, 9.0], detector=Stepmark())
        assert (item.likelihood, item.needed) == (None, 6)


def test_the_nearest_changes_are_those_on_both_sides():
    item = explained(33, [*VALUES, *step(40, 20, 8.0, seed=1)])
    assert not item.found
    assert [p.index for p in item.nearest] == [40, 20]
    assert all(p.score > 0 for p in item.nearest)


@pytest.mark.parametrize("index", [-1, 0, 40, 41])
def test_a_place_has_points_on_both_sides(index):
    with pytest.raises(SignalError, match="bench/time: a change is between two points"):
        explained(index)


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0, 0.0, 0.0], [-1.0, -1.0, -5.0, -5.0]])
def test_short_and_odd_series_are_explained(values):
    assert explained(1, values).change.index == 1
