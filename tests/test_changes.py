# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Places put back on their series."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from histories import START, noise, series
from stepmark.changes import (
    Detection,
    Segment,
    Verdict,
    describe,
    difference_interval,
    segments_of,
    trend,
)
from stepmark.errors import SignalError
from stepmark.series import Aggregate


@st.composite
def divided(draw):
    """Values and a detection of their length."""
    values = draw(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30))
    places = draw(st.sets(st.integers(1, len(values) - 1))) if len(values) > 1 else ()
    return values, Detection(len(values), tuple(sorted(places)))


class TestDetection:
    @pytest.mark.parametrize("indices", [(0,), (5,), (6,), (-1,), (2, 2), (3, 2)])
    def test_places_rise_strictly_inside(self, indices):
        with pytest.raises(SignalError, match=r"inside \(0, 5\)"):
            Detection(5, indices)

    def test_one_score_a_change_or_none(self):
        assert Detection(5, (2, 3), (1.0, 2.0)).score(1) == 2.0
        assert Detection(5, (2, 3)).score(1) is None
        with pytest.raises(SignalError, match="one score a change"):
            Detection(5, (2, 3), (1.0,))

    def test_starts(self):
        assert Detection(0).starts == ()
        assert Detection(3).starts == (0,)
        assert Detection(5, (2, 3)).starts == (0, 2, 3)

    def test_numbers_of_any_kind_become_plain(self):
        np = pytest.importorskip("numpy")
        made = Detection(5, np.array([2, 3]), np.array([1, 2], dtype=np.float32))
        assert made == Detection(5, (2, 3), (1.0, 2.0))
        assert type(made.indices[0]) is int


class TestSegments:
    @given(divided())
    def test_tile_the_signal(self, case):
        values, detection = case
        segments = segments_of(values, detection)
        assert segments[0].start == 0
        assert segments[-1].stop == len(values)
        assert all(a.stop == b.start for a, b in pairwise(segments))
        for segment in segments:
            part = values[segment.start : segment.stop]
            assert segment.n == len(part) > 0
            assert segment.mean == pytest.approx(statistics.fmean(part), rel=1e-9, abs=1e-6)
            if segment.n == 1:
                assert segment.std is None
            else:
                assert segment.std == pytest.approx(statistics.stdev(part), rel=1e-6, abs=1e-6)

    @given(divided())
    def test_trend_has_the_segments_mean_at_every_point(self, case):
        values, detection = case
        segments = segments_of(values, detection)
        trends = trend(segments)
        assert len(trends) == len(values)
        assert all(trends[i] == s.mean for s in segments for i in range(s.start, s.stop))

    def test_equal_values_have_no_spread_and_make_no_difference(self):
        first, second = segments_of([0.7] * 60, Detection(60, (49,)))
        assert (first.mean, first.std, second.mean) == (0.7, 0.0, 0.7)

    def test_the_largest_numbers_do_not_overflow(self):
        (segment,) = segments_of([1e308, 1.2e308, 1e308], Detection(3))
        assert segment.mean == pytest.approx(1.0666666e308)
        assert math.isfinite(segment.std)

    def test_detection_is_of_that_length(self):
        with pytest.raises(SignalError, match="detection of 3 points on 2 values"):
            segments_of([1.0, 2.0], Detection(3))

    def test_nothing_has_no_segments(self):
        assert segments_of([], Detection(0)) == ()


class TestDescribe:
    def test_a_change_knows_its_revisions_time_size_and_score(self):
        made = series([10.0, 10.0, 12.0, 12.0])
        segments, (change,) = describe(made, Detection(4, (2,), (7.5,)))
        assert [s.mean for s in segments] == [10, 12]
        assert (change.index, change.previous_revision, change.revision) == (
            2,
            "rev0001",
            "rev0002",
        )
        assert change.time == made.points[2].landed > START
        assert (change.absolute, change.relative, change.score) == (2, 0.2, 7.5)
        assert (change.before, change.after) == segments
        assert change.verdict is Verdict.NEUTRAL

    def test_relative_is_over_the_magnitude_before(self):
        _, (change,) = describe(series([-10.0, -10.0, -8.0, -8.0]), Detection(4, (2,)))
        assert (change.absolute, change.relative) == (2, 0.2)

    def test_relative_to_zero_is_unknown(self):
        _, (change,) = describe(series([0.0, 0.0, 3.0, 3.0]), Detection(4, (2,)))
        assert (change.absolute, change.relative, change.relative_interval) == (3, None, None)

    def test_segments_are_of_the_aggregate(self):
        made = series([[1.0, 5.0], [1.0, 9.0]])
        segments, _ = describe(made, Detection(2), Aggregate.MIN)
        assert segments[0].mean == 1

    def test_without_times_and_revisions_they_are_unknown(self):
        made = series([1.0, 2.0], start=None, revisions=["", ""])
        _, (change,) = describe(made, Detection(2, (1,)))
        assert (change.time, change.revision, change.previous_revision) == (None, "", "")


class TestInterval:
    @pytest.mark.parametrize(("n", "m", "sigma"), [(5, 9, 3.0), (2, 2, 0.5), (40, 3, 0.01)])
    def test_is_welchs(self, n, m, sigma):
        a, b = noise(n, 10.0, 0.5, seed=1), noise(m, 12.0, sigma, seed=2)
        before, after = segments_of(a + b, Detection(n + m, (n,)))
        expected = scipy.stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
        assert difference_interval(before, after) == pytest.approx(tuple(expected), rel=1e-9)

    def test_relative_interval_is_over_the_magnitude_before(self):
        _, (change,) = describe(series([-10.0, -11.0, -8.0, -8.5]), Detection(4, (2,)))
        low, high = change.interval
        assert change.relative_interval == (low / 10.5, high / 10.5)
        assert low < change.absolute < high

    @pytest.mark.parametrize("place", [1, 4])
    def test_one_point_borrows_the_spread_of_the_other_side(self, place):
        values = [10.0, 20.0, 21.0, 19.5, 30.0]
        before, after = segments_of(values, Detection(5, (place,)))
        low, high = difference_interval(before, after)
        many = before if before.n > 1 else after
        half = scipy.stats.t.ppf(0.975, 3) * many.std * math.sqrt(1 / 4 + 1)
        assert (high - low) / 2 == pytest.approx(half)

    def test_two_points_say_nothing(self):
        assert difference_interval(Segment(0, 1, 1.0, None), Segment(1, 2, 2.0, None)) is None

    def test_without_spread_the_difference_is_sure(self):
        assert difference_interval(Segment(0, 3, 1.0, 0.0), Segment(3, 6, 2.0, 0.0)) == (1, 1)

    @pytest.mark.parametrize("scale", [1e-250, 1e250])
    def test_does_not_depend_on_magnitude(self, scale):
        def interval(by):
            return difference_interval(
                Segment(0, 4, 1.0 * by, 0.1 * by), Segment(4, 9, 2.0 * by, 0.2 * by)
            )

        assert interval(scale) == pytest.approx([v * scale for v in interval(1.0)], rel=1e-9)
