# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Shares and survival against hand computed numbers and plain Python."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.datasets.exploration.intervals import kaplan_meier, quantile, wilson, with_shares
from stepmark.datasets.exploration.times import working_days

SPANS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40)


class TestWilson:
    def test_of_a_textbook(self):
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        found = wilson(81, 263)
        assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
        found = wilson(0, 20)
        assert (found.low, round(found.high, 4)) == (0.0, 0.1611)
        found = wilson(1, 29)
        assert (round(found.low, 4), round(found.high, 4)) == (0.0061, 0.1718)

    def test_of_nothing_everything_is_possible(self):
        found = wilson(0, 0)
        assert (found.value, found.low, found.high) == (None, 0.0, 1.0)

    @given(st.integers(1, 500), st.data())
    def test_it_holds_the_share(self, total, data):
        count = data.draw(st.integers(0, total))
        found = wilson(count, total)
        assert 0 <= found.low <= count / total <= found.high <= 1

    def test_columns(self):
        frame = with_shares(pl.DataFrame({"count": [81, 0], "total": [263, 0]}))
        assert frame["low"].to_list() == [wilson(81, 263).low, None]
        assert frame["share"].to_list() == [81 / 263, None]


class TestSurvival:
    def test_by_hand(self):
        # Freireich's 6-MP group, Kalbfleisch and Prentice: 21 patients, 9 events.
        done = [6, 6, 6, 7, 10, 13, 16, 22, 23]
        open_ones = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
        found = kaplan_meier(done + open_ones, [True] * 9 + [False] * 12)
        expected = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
        assert found.times == (6, 7, 10, 13, 16, 22, 23)
        assert [round(s, 3) for s in found.waiting] == expected
        assert (found.items, found.done) == (21, 9)
        assert found.quantile(0.5) == 23
        # R: survfit(Surv(t, d) ~ 1, conf.type = "log-log"): median limits 13 and none.
        assert found.quantile_low(0.5) == 13
        assert found.quantile_high(0.5) is None
        assert round(found.low[0], 3) == 0.620
        assert round(found.high[0], 3) == 0.952

    def test_without_censoring_it_is_the_share_that_is_left(self):
        found = kaplan_meier([1, 2, 3, 4], [True] * 4)
        assert found.waiting == pytest.approx((0.75, 0.5, 0.25, 0.0))
        assert [found.quantile(q) for q in (0.25, 0.5, 0.9, 1.0)] == [1, 2, 4, 4]
        assert found.low[-1] == 0.0
        assert found.high[-1] == found.high[-2]

    def test_of_nothing(self):
        found = kaplan_meier([], [])
        assert (found.items, found.times, found.quantile(0.5)) == (0, (), None)

    @given(SPANS)
    def test_like_plain_python(self, spans):
        found = kaplan_meier([s for s, _ in spans], [d for _, d in spans])
        waiting, curve = 1.0, {}
        for time in sorted({s for s, d in spans if d}):
            at_risk = sum(s >= time for s, _ in spans)
            waiting *= 1 - sum(s == time and d for s, d in spans) / at_risk
            curve[time] = waiting
        assert dict(zip(found.times, found.waiting, strict=True)) == pytest.approx(curve)
        for low, middle, high in zip(found.low, found.waiting, found.high, strict=True):
            assert 0 <= low <= middle + 1e-12
            assert middle - 1e-12 <= high <= 1

    @given(SPANS)
    def test_all_waits_are_finite(self, spans):
        found = kaplan_meier([s for s, _ in spans], [d for _, d in spans])
        assert all(map(math.isfinite, (*found.low, *found.high)))


def worked(start, end):
    """Working days between two times, minute by minute."""
    minutes = 0
    while start < end:
        minutes += start.weekday() < 5
        start += timedelta(minutes=1)
    return minutes / 1440


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("start", "end", "days"),
        [
            ("2026-01-05T00:00", "2026-01-06T12:00", 1.5),  # Monday to Tuesday
            ("2026-01-09T12:00", "2026-01-12T12:00", 1.0),  # Friday to Monday
            ("2026-01-10T09:00", "2026-01-11T18:00", 0.0),  # inside a weekend
            ("2026-01-10T09:00", "2026-01-12T06:00", 0.25),  # Saturday counts as Monday 0:00
            ("2026-01-05T00:00", "2026-01-19T00:00", 10.0),
            ("1969-12-29T00:00", "1970-01-05T00:00", 5.0),
        ],
    )
    def test_by_hand(self, start, end, days):
        times = [datetime.fromisoformat(start), datetime.fromisoformat(end)]
        assert self.of(*times) == pytest.approx(days)

    @given(st.integers(0, 60 * 24 * 20), st.integers(0, 60 * 24 * 9))
    def test_like_counting_minutes(self, first, length):
        start = datetime(2026, 1, 1) + timedelta(minutes=first)  # noqa: DTZ001 - as the tables
        end = start + timedelta(minutes=length)
        assert self.of(start, end) == pytest.approx(worked(start, end))

    def of(self, start, end):
        frame = pl.DataFrame({"a": [start], "b": [end]}, schema=dict.fromkeys("ab", pl.Datetime))
        return frame.select(working_days(pl.col("a"), pl.col("b"))).item()


def test_quantiles_interpolate():
    assert quantile(pl.Series([1, 2, 3, 4])) == 2.5
    assert quantile(pl.Series([], dtype=pl.Float64)) is None
