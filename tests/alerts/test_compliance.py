# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The trend table, against the formulas of its definition worked out the plain way."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories import START, series
from stepmark.alerts.compliance import TrendRow, compliance, in_order
from stepmark.alerts.policy import judged
from stepmark.changes import Detection, Segment, describe
from stepmark.config import Compliance, Span, Thresholds
from stepmark.errors import ConfigError
from stepmark.series import Direction, Series, SeriesKey

DEFAULT = Compliance()
BY_RUNS = Compliance(short=Span(runs=14), long=Span(runs=180))


def row_of(made, places, windows=DEFAULT):
    segments, changes = describe(made, Detection(len(made), tuple(places)))
    return compliance(made, segments, judged(changes, made.direction, Thresholds()), windows)


def trends_of(values, places):
    """The mean of its segment for every point, the plain way."""
    bounds = [0, *places, len(values)]
    parts = [values[a:b] for a, b in pairwise(bounds)]
    return [sum(part) / len(part) for part in parts for _ in part]


def change_of(value, reference):
    return (value - reference) / abs(reference)


@st.composite
def histories(draw, longest=240):
    n = draw(st.integers(1, longest))
    source = random.Random(draw(st.integers(0, 10**6)))
    count = draw(st.integers(0, min(n - 1, 8)))
    places = sorted(source.sample(range(1, n), count)) if n > 1 else []
    direction = draw(st.sampled_from([None, Direction.LOWER, Direction.HIGHER]))
    return [source.uniform(50, 150) for _ in range(n)], places, direction


class TestByRuns:
    @given(histories(), st.booleans())
    def test_as_csit_counts(self, case, timed):
        values, places, direction = case
        made = series(values, direction=direction, start=START if timed else None)
        # Without times the default windows are these numbers of runs too.
        row = row_of(made, places, BY_RUNS if timed else DEFAULT)
        averages, n = trends_of(values, places), len(values)
        w = min(n, 14)
        quarter = averages[-min(n, 180) : -w]
        best = min if direction is Direction.LOWER else max
        assert row.trend == pytest.approx(averages[-1])
        assert row.runs == n - (places[-1] if places else 0)
        if n == 1:
            assert row.short is None
        else:
            assert row.short == pytest.approx(change_of(averages[-1], averages[-w]), abs=1e-12)
        if not quarter:
            assert row.long is None
        else:
            assert row.long == pytest.approx(change_of(averages[-1], best(quarter)), abs=1e-12)
        # The reference itself is at -w: what began after it are the changes of the last w - 1 runs.
        recent = [(averages[p] - averages[p - 1]) for p in places if p > n - w]
        sign = {None: 0, Direction.LOWER: 1, Direction.HIGHER: -1}[direction]
        assert row.regressions == sum(sign * size > 0 for size in recent)
        assert row.improvements == sum(sign * size < 0 for size in recent)

    def test_reference_numbers_of_the_earlier_tables(self, shared_data):
        # The formulas for the short- and long-term change are the same whatever the trend is made
        # of; the earlier tables put the moving median where the mean of the group stands now. The
        # counts are left out: they were of points beyond the trend and not of changes.
        cases = json.loads((shared_data / "trending" / "legacy_tmm_cases.json").read_text())[
            "cases"
        ]
        compared = 0
        for case in cases:
            if case.get("short_pct") is None:
                continue
            made = series(case["values"], direction=Direction.HIGHER, start=None)
            none = float("-inf")  # never the best of a window
            medians = [none if m is None else m for m in case["tmm"]]
            segments = [Segment(i, i + 1, m, None) for i, m in enumerate(medians)]
            row = compliance(made, segments, (), BY_RUNS)
            assert round(row.trend / 1e6, 2) == case["trend_mpps"]
            assert round(100 * row.short, 2) == case["short_pct"]
            assert round(100 * row.long, 2) == case["long_pct"]
            compared += 1
        assert compared >= 5

    def test_a_history_no_longer_than_the_short_window_has_no_long_term(self):
        row = row_of(series([10.0] * 7 + [12.0] * 7, start=None), [7])
        assert (row.short, row.long, row.regressions) == (0.2, None, 1)

    def test_other_numbers_of_runs(self):
        values = [1.0] * 3 + [2.0] * 3 + [4.0] * 3
        made = series(values, start=None)
        assert row_of(made, [3, 6], Compliance(short_runs=4, long_runs=6)).short == 1.0
        assert row_of(made, [3, 6], Compliance(short_runs=3, long_runs=9)).long == 3.0
        assert row_of(made, [3, 6], Compliance(short_runs=3, long_runs=6)).long == 1.0
        assert row_of(made, [3, 6], Compliance(short_runs=3, long_runs=3)).long is None

    @pytest.mark.parametrize("bad", [{"short_runs": 0}, {"long_runs": -1}])
    def test_windows_of_no_run_are_refused(self, bad):
        with pytest.raises(ConfigError, match="1 or more"):
            Compliance(**bad)


class TestByTime:
    @given(histories(60), st.integers(1, 20), st.data())
    def test_windows_are_lengths_of_time(self, case, gap, data):
        values, places, direction = case
        hours = st.integers(0, 24 * gap)
        days = [0.0]
        for _ in values[1:]:
            days.append(days[-1] + data.draw(hours) / 24)
        made = timed(values, days, direction)
        row = row_of(made, places)
        averages = trends_of(values, places)
        last = days[-1]
        week_ago = [i for i, day in enumerate(days) if day <= last - 7]
        reference = week_ago[-1] if week_ago else 0
        quarter = [averages[i] for i in week_ago if days[i] >= last - 90]
        best = min if direction is Direction.LOWER else max
        if len(values) > 1:
            expected = change_of(averages[-1], averages[reference])
            assert row.short == pytest.approx(expected, abs=1e-12)
        if quarter:
            assert row.long == pytest.approx(change_of(averages[-1], best(quarter)), abs=1e-12)
        else:
            assert row.long is None
        recent = sum(p > reference for p in places) if direction else 0
        assert row.regressions + row.improvements == recent

    def test_a_week_is_seven_days_however_many_runs(self):
        values = [10.0] * 10 + [20.0] * 30
        often = series(values, every=timedelta(hours=1), direction=Direction.HIGHER)
        seldom = series(values, every=timedelta(days=7), direction=Direction.HIGHER)
        assert row_of(often, [10]).short == 1.0, "the earliest there is"
        assert row_of(often, [10]).improvements == 1
        assert row_of(often, [10]).long is None
        assert row_of(seldom, [10]).short == 0.0
        assert row_of(seldom, [10]).improvements == 0
        assert row_of(seldom, [10]).long == 0.0, "the old level is more than a quarter ago"

    @pytest.mark.parametrize(
        ("direction", "long"),
        [(Direction.LOWER, 1.0), (Direction.HIGHER, -0.5), (None, -0.5)],
    )
    def test_the_best_of_the_quarter_depends_on_what_is_better(self, direction, long):
        values = [40.0] * 10 + [10.0] * 10 + [20.0] * 20
        made = series(values, every=timedelta(days=1), direction=direction)
        assert row_of(made, [10, 20]).long == long

    def test_bounds_of_the_windows_belong_to_them(self):
        values = [1.0, 2.0, 4.0, 8.0]
        exactly = timed(values, [0, 83, 90, 90], Direction.HIGHER)
        row = row_of(exactly, [1, 2, 3])
        assert row.short == 3.0, "a week ago to the hour is a week ago"
        assert row.long == 3.0
        assert row_of(timed(values[:1] * 2, [0, 90], Direction.HIGHER), []).long == 0.0


class TestRow:
    def test_an_empty_series_has_nothing_to_say(self):
        row = compliance(Series(SeriesKey(benchmark="b"), ()), (), (), DEFAULT)
        assert row == TrendRow("b/value", None, "", None, 0, None, None, 0, 0)

    def test_one_point(self):
        row = row_of(series([5.0]), [])
        assert (row.trend, row.runs, row.short, row.long) == (5.0, 1, None, None)

    def test_a_reference_of_zero_has_no_relative_change(self):
        row = row_of(series([0.0] * 20 + [1.0] * 5, start=None), [20])
        assert (row.short, row.long) == (None, None)

    def test_a_negative_reference(self):
        row = row_of(series([-10.0] * 5 + [-12.0] * 5, start=None), [5])
        assert row.short == pytest.approx(-0.2)

    def test_name_unit_and_direction_are_those_of_the_series(self):
        row = row_of(series([1.0, 1.0], unit="s", direction=Direction.HIGHER), [])
        assert (row.name, row.unit, row.direction) == ("bench/time", "s", Direction.HIGHER)


def named(name, regressions=0, improvements=0, short=0.0, direction=Direction.HIGHER):
    return TrendRow(name, 1.0, "", direction, 1, short, None, regressions, improvements)


class TestOrder:
    def test_most_regressions_then_improvements_then_worst_then_name(self):
        rows = [
            named("g", short=None),
            named("f", short=0.5),
            named("e"),
            named("d"),
            named("c", short=-0.5),
            named("b", improvements=1, short=0.9),
            named("a", regressions=1),
            named("z", regressions=2, short=0.9),
        ]
        assert "".join(row.name for row in in_order(rows)) == "zabcdefg"

    def test_what_is_worst_depends_on_what_is_better(self):
        rows = [
            named("less", short=-0.5, direction=Direction.LOWER),
            named("more", short=0.4, direction=Direction.LOWER),
            named("fewer", short=-0.3, direction=Direction.HIGHER),
        ]
        assert [row.name for row in in_order(rows)] == ["more", "fewer", "less"]


def timed(values, days, direction):
    """A series whose points landed so many days after the start."""
    from stepmark.series import Measurement, assemble

    return assemble(
        Measurement(
            SeriesKey(benchmark="b"), f"r{i}", START + timedelta(days=day), (value,), "", direction
        )
        for i, (value, day) in enumerate(zip(values, days, strict=True))
    )[0]
