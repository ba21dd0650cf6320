# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Measurements, series and signals."""

from __future__ import annotations

import math
import pickle
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import START, measurements, series
from stepmark.errors import InputError, SignalError, UsageError
from stepmark.series import (
    Aggregate,
    Direction,
    Measurement,
    Point,
    Series,
    SeriesKey,
    Signal,
    assemble,
    deviation,
    mean,
    parse_direction,
)

KEY = SeriesKey(benchmark="bench", metric="time")
finite = st.floats(-1e300, 1e300, allow_subnormal=False)


def measured(value, revision="", at=None, **more):
    landed = None if at is None else START + timedelta(hours=at)
    return Measurement(KEY, revision, landed, (value,), **more)


def values_of(made):
    return [point.value() for point in made.points]


class TestKey:
    def test_labels_are_a_map_sorted_by_name_whatever_they_were_given_as(self):
        as_map = SeriesKey("p", "b", "m", {"os": "linux", "arch": "arm"})
        as_pairs = SeriesKey("p", "b", "m", (("arch", "arm"), ("os", "linux")))
        assert as_map == as_pairs
        assert hash(as_map) == hash(as_pairs)
        assert as_map.label_map == {"arch": "arm", "os": "linux"}
        assert pickle.loads(pickle.dumps(as_map)) == as_map

    def test_label_values_become_text(self):
        assert SeriesKey(labels={"threads": 4}).labels == (("threads", "4"),)

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            (SeriesKey(), "value"),
            (SeriesKey(benchmark="b"), "b/value"),
            (SeriesKey("p", "b", "m"), "p/b/m"),
            (SeriesKey("p", "", "m", {"z": "1", "a": "2"}), "p/m{a=2,z=1}"),
        ],
    )
    def test_name(self, key, name):
        assert str(key) == name


class TestAssemble:
    def test_points_are_in_order_of_time_and_know_where_they_stood(self):
        (made,) = assemble([measured(3, "c", 3), measured(1, "a", 1), measured(2, "b", 2)])
        assert [p.revision for p in made.points] == ["a", "b", "c"]
        assert [p.position for p in made.points] == [1, 2, 0]

    def test_newest_first_reverses_rows_of_equal_time_too(self):
        rows = [measured(i, f"r{i}", at) for i, at in enumerate([9, 9, 5, 5, 1])]
        assert values_of(assemble(rows)[0]) == [4, 3, 2, 1, 0]

    def test_oldest_first_keeps_rows_of_equal_time_as_they_are(self):
        rows = [measured(i, f"r{i}", at) for i, at in enumerate([1, 5, 5, 9, 9])]
        assert values_of(assemble(rows)[0]) == [0, 1, 2, 3, 4]

    def test_equal_times_are_no_reason_to_reverse(self):
        rows = [measured(i, f"r{i}", 1) for i in range(4)]
        assert values_of(assemble(rows)[0]) == [0, 1, 2, 3]

    def test_offsets_count_when_times_are_compared(self):
        east = timezone(timedelta(hours=9))
        rows = [
            Measurement(KEY, "late", datetime(2026, 1, 1, 12, tzinfo=UTC), (2.0,)),
            Measurement(KEY, "early", datetime(2026, 1, 1, 20, tzinfo=east), (1.0,)),
        ]
        assert values_of(assemble(rows)[0]) == [1, 2]

    def test_without_times_the_order_is_that_of_the_input(self):
        assert values_of(assemble([measured(v) for v in (3, 1, 2)])[0]) == [3, 1, 2]

    def test_measurements_of_one_revision_are_one_point(self):
        rows = [
            measured(1, "a", 1, attributes={"build": "1", "host": "x"}),
            measured(5, "b", 2),
            measured(3, "a", 3, attributes={"build": "2", "host": "x"}),
        ]
        (made,) = assemble(rows)
        assert [p.samples for p in made.points] == [(1, 3), (5,)]
        assert made.points[0].landed == rows[0].landed
        assert made.points[0].attributes == {"build": "1, 2", "host": "x"}

    def test_an_empty_revision_is_never_joined(self):
        (made,) = assemble([measured(1, "", 1), measured(2, "", 2), measured(3, "", 2)])
        assert len(made) == 3

    def test_a_second_measurement_by_one_run_is_dropped(self):
        rows = [measured(1, "a", 1, run="x"), measured(9, "a", 1, run="x")]
        rows += [measured(2, "b", 2, run="y"), measured(3, "b", 2)]
        assert [p.samples for p in assemble(rows)[0].points] == [(1,), (2, 3)]

    def test_one_run_may_measure_several_series(self):
        other = replace(measured(7, "a", 1, run="x"), key=SeriesKey(benchmark="other"))
        made = assemble([measured(1, "a", 1, run="x"), other])
        assert [len(s) for s in made] == [1, 1]

    @settings(deadline=None)
    @given(st.permutations(list(range(8))))
    def test_reading_again_in_any_order_changes_nothing(self, order):
        rows = [measured(float(i), f"r{i}", i, run=f"run{i}") for i in range(8)]
        expected = assemble(rows)[0]
        found = assemble([rows[i] for i in order] + rows)[0]
        assert values_of(found) == values_of(expected)
        assert [p.revision for p in found.points] == [p.revision for p in expected.points]

    def test_what_has_no_time_among_what_has_cannot_be_placed(self):
        skipped = []
        (made,) = assemble([measured(1, "a", 1), measured(2, "b"), measured(3, "c", 3)], skipped)
        assert values_of(made) == [1, 3]
        assert [(s.source, s.reason) for s in skipped] == [
            ("bench/time", "1 measurement(s) without a time")
        ]

    def test_series_come_in_the_order_of_their_first_appearance(self):
        rows = [*measurements([1.0], benchmark="z"), *measurements([1.0, 2.0], benchmark="a")]
        assert [s.key.benchmark for s in assemble([*rows, rows[0]])] == ["z", "a"]

    @pytest.mark.parametrize(
        ("field", "values"),
        [("unit", ("ms", "s")), ("direction", (Direction.LOWER, Direction.HIGHER))],
    )
    def test_one_series_has_one_unit_and_direction(self, field, values):
        rows = [measured(1, "a", 1, **{field: v}) for v in values]
        with pytest.raises(InputError, match=f"bench/time: .*more than one {field}"):
            assemble(rows)

    def test_a_missing_unit_is_not_another_unit(self):
        (made,) = assemble([measured(1, "a", 1), measured(1, "b", 2, unit="ms")])
        assert made.unit == "ms"

    def test_nothing_makes_nothing(self):
        assert assemble([]) == []


class TestSeries:
    def test_times_are_for_all_points_or_none(self):
        points = (Point("a", START, (1.0,), 0), Point("b", None, (1.0,), 1))
        with pytest.raises(InputError, match="some have none"):
            Series(KEY, points)

    def test_points_are_in_order_of_time(self):
        points = (Point("a", START, (1.0,), 0), Point("b", START - timedelta(1), (1.0,), 1))
        with pytest.raises(InputError, match="order of time"):
            Series(KEY, points)

    def test_timed(self):
        assert series([1.0]).timed
        assert not series([1.0], start=None).timed
        assert not Series(KEY, ()).timed

    def test_signal_is_one_number_a_point_unless_samples_are_asked_for(self):
        made = series([[1.0, 2.0, 6.0], [4.0]])
        assert made.signal().values.tolist() == [3, 4]
        assert made.signal().samples is None
        assert made.signal(Aggregate.MEDIAN).values.tolist() == [2, 4]
        assert made.signal(Aggregate.MIN).values.tolist() == [1, 4]
        nested = made.signal(Aggregate.SAMPLES)
        assert [s.tolist() for s in nested.samples] == [[1, 2, 6], [4]]
        assert nested.values.tolist() == [3, 4]


class TestValue:
    @pytest.mark.parametrize(
        ("aggregate", "value"),
        [("mean", 4.0), ("samples", 4.0), ("median", 3.0), ("min", 1.0)],
    )
    def test_aggregates(self, aggregate, value):
        point = Point("", None, (9.0, 1.0, 4.0, 2.0), 0)
        assert point.value(Aggregate(aggregate)) == value

    @given(st.lists(finite, min_size=1, max_size=20), st.sampled_from(list(Aggregate)))
    def test_lies_within_its_samples(self, samples, aggregate):
        value = Point("", None, tuple(samples), 0).value(aggregate)
        assert min(samples) <= value <= max(samples)

    def test_the_largest_numbers_do_not_overflow(self):
        huge = Point("", None, (1.7e308, 1.7e308), 0)
        assert [huge.value(a) for a in Aggregate] == [1.7e308] * 4

    @given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 60))
    def test_mean_and_deviation_of_equals_are_exact(self, value, n):
        assert mean([value] * n) == value
        assert deviation([value] * n) == 0

    @given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
    def test_mean_and_deviation_agree_with_the_standard_library(self, values):
        assert mean(values) == pytest.approx(statistics.fmean(values), rel=1e-12, abs=1e-9)
        assert deviation(values) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-9)


class TestSignal:
    @pytest.mark.parametrize(
        "values",
        [
            [1, 2.0, True],
            (1, 2, 1),
            iter([1, 2, 1]),
            range(1, 4),
            np.array([1, 2, 1], dtype=np.int8),
            np.array([1, 2, 1], dtype=object),
            [Decimal(1), Fraction(2), np.float32(1)],
            [np.array(1.0), np.array(2.0), np.array(1.0)],
        ],
        ids=lambda v: type(v).__name__,
    )
    def test_takes_all_kinds_of_numbers(self, values):
        signal = Signal.of(values)
        assert signal.samples is None
        assert signal.values.dtype == np.float64
        assert len(signal) == 3

    def test_takes_replicates(self):
        for rows in ([[1, 3], [5]], [np.array([1, 3]), (5,)], [[1.0, 3.0], 5.0]):
            signal = Signal.of(rows)
            assert signal.values.tolist() == [2, 5]
            assert [s.tolist() for s in signal.samples] == [[1, 3], [5]]
        assert len(Signal.of(np.ones((4, 3))).samples) == 4

    def test_a_signal_is_taken_as_it_is(self):
        signal = Signal.of([1.0])
        assert Signal.of(signal) is signal

    def test_is_a_read_only_copy(self):
        source = np.array([1.0, 2.0])
        signal = Signal.of(source)
        source[0] = 9
        assert signal.values[0] == 1
        with pytest.raises(ValueError, match="read-only"):
            signal.values[0] = 5

    def test_a_point_without_replicates_is_no_zero(self):
        assert math.isnan(Signal.of([[1.0], []]).values[1])

    def test_means_that_overflow_are_infinite_and_not_an_error(self):
        assert Signal.of([[1.7e308, 1.7e308]]).values[0] == math.inf

    def test_prefix(self):
        signal = Signal.of([[1.0, 2.0], [3.0], [4.0]]).prefix(2)
        assert signal.values.tolist() == [1.5, 3]
        assert len(signal.samples) == 2
        assert Signal.of([1.0, 2.0]).prefix(1).samples is None

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ("12", "not text"),
            (b"12", "not text"),
            (5, "sequence of numbers"),
            (None, "sequence of numbers"),
            (np.array(1.0), "sequence of numbers"),
            ([1, "2"], "point 1 is text"),
            ([1, [2, "3"]], "point 1 is text"),
            ([None], "point 0 is not a number"),
            ([[1], [[2]]], "point 1 is not a number"),
            (np.ones((2, 2, 2)), "point 0 is not a number"),
            ([1, 10**400], "point 1 is not a number"),
            ([1j], "point 0 is a complex number"),
            (np.array([1j]), "point 0 is a complex number"),
            (np.array(["2026-01-01"], dtype="M8[D]"), "point 0 is not a number"),
        ],
        ids=repr,
    )
    def test_anything_else_is_refused(self, values, problem):
        with pytest.raises(SignalError, match=problem) as caught:
            Signal.of(values)
        assert isinstance(caught.value, ValueError)
        assert len(str(caught.value)) < 120

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_require_finite_names_the_first_place(self, bad):
        with pytest.raises(SignalError, match=r"point 1 .* xyz needs finite numbers"):
            Signal.of([1.0, bad, bad]).require_finite("xyz")
        with pytest.raises(SignalError, match="point 2 "):
            Signal.of([[1.0], [2.0, 3.0], [4.0, bad]]).require_finite("xyz")
        Signal.of([1.0, 2.0]).require_finite("xyz")


@pytest.mark.parametrize(
    ("text", "direction"),
    [("lower", Direction.LOWER), ("higher", Direction.HIGHER), ("", None), (None, None)],
)
def test_parse_direction(text, direction):
    assert parse_direction(text) is direction


def test_an_unknown_direction_is_refused():
    with pytest.raises(UsageError, match="lower or higher"):
        parse_direction("up")
