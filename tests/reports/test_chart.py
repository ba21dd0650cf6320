# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Charts made of characters."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.changes import Detection, Verdict, describe
from stepmark.reports.chart import ASCII_MARKS, MARKS, Frame, chart, plain, sparkline
from stepmark.series import Point, Series, SeriesKey

FRAME = Frame(60, 5, "9.5 ms", "1 ms", "first", "last")


def drawn(values, indices=(), verdicts=(), frame=FRAME):
    points = tuple(Point("", None, (float(v),), i) for i, v in enumerate(values))
    detection = Detection(len(values), tuple(indices))
    segments, changes = describe(Series(SeriesKey(), points), detection)
    changes = [replace(c, verdict=v) for c, v in zip(changes, verdicts, strict=True)]
    return chart(values, segments, changes, frame)


def dots(line):
    return [ord(c) - 0x2800 for c in line if 0x2800 <= ord(c) < 0x2900]


def test_a_step_is_two_lines_a_riser_and_a_mark():
    lines = drawn([1.0] * 30 + [2.0] * 30, [30], [Verdict.REGRESSION])
    text = plain(lines)
    assert len(text) == FRAME.height + 2
    assert text[0].startswith("9.5 ms ┤")
    assert text[4].startswith("  1 ms ┤")
    assert text[1].startswith("       │")
    assert text[5].count("✗") == 1
    column = text[5].index("✗")
    assert all(dots(line[column]) for line in text[: FRAME.height])  # the riser
    assert not dots(text[4][column + 1 :])
    assert not dots(text[0][: column - 1])
    roles = {role for line in lines for _, role in line}
    assert {"axis", "mean", "regression"} <= roles
    assert text[6].endswith("last")
    assert "first" in text[6]


def test_every_verdict_has_a_shape_of_its_own():
    verdicts = [Verdict.REGRESSION, Verdict.IMPROVEMENT, Verdict.NEUTRAL]
    values = [1.0] * 20 + [2.0] * 20 + [1.0] * 20 + [2.0] * 20
    axis = plain(drawn(values, [20, 40, 60], verdicts))[5]
    assert [c for c in axis if c in MARKS.values()] == [MARKS[v] for v in verdicts]
    axis = plain(drawn(values, [20, 40, 60], verdicts, replace(FRAME, ascii=True)))[5]
    found = [c for c in axis.lstrip(" +") if c in ASCII_MARKS.values()]
    assert found == [ASCII_MARKS[v] for v in verdicts]


def test_of_two_marks_in_a_column_the_graver_is_seen():
    values = [1.0] * 1000 + [2.0] + [0.5] * 1000
    for verdicts in (
        [Verdict.REGRESSION, Verdict.IMPROVEMENT],
        [Verdict.IMPROVEMENT, Verdict.REGRESSION],
    ):
        axis = plain(drawn(values, [1000, 1001], verdicts))[5]
        assert axis.count("✗") == 1
        assert "✓" not in axis


def test_no_outlier_of_a_long_series_is_lost():
    values = [1.0] * 20_000
    values[12_345] = 100.0
    top = plain(drawn(values))[0]
    assert len(dots(top)) == 1
    width = FRAME.width - 8
    place = next(i for i, c in enumerate(top) if dots(c)) - 8
    assert abs(place / width - 12_345 / 20_000) < 2 / width


def test_a_constant_series_is_a_line_in_the_middle_with_one_label():
    text = plain(drawn([3.0] * 10))
    assert [bool(dots(line)) for line in text[:5]] == [False, False, True, False, False]
    assert text[2].startswith("9.5 ms ┤")
    assert "1 ms" not in "".join(text)


def test_one_point_is_drawn():
    assert any(dots(line) for line in plain(drawn([3.0])))


@pytest.mark.parametrize(
    "values",
    [[1e308, -1e308, 0.0], [5e-324, 0.0, 5e-324], [1e-300, 2e-300], [1e16, 1e16 + 2], [-1, -2]],
)
def test_extremes_reach_top_and_bottom(values):
    text = plain(drawn(values))
    assert dots(text[0])
    assert dots(text[4])


def test_what_is_not_finite_is_left_out():
    assert drawn([]) == []
    assert chart([math.nan, math.inf], (), (), FRAME) == []
    assert chart([1.0, math.nan, 2.0], (), (), FRAME)


def test_no_room_no_chart():
    assert drawn([1.0, 2.0], frame=replace(FRAME, width=10)) == []
    assert drawn([1.0, 2.0], frame=replace(FRAME, height=0)) == []


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=200),
    st.data(),
    st.integers(12, 200),
    st.integers(1, 9),
    st.booleans(),
)
def test_any_series_fits_its_frame(values, data, width, height, ascii_only):
    places = st.lists(st.integers(1, max(len(values) - 1, 1)), unique=True, max_size=10)
    indices = sorted(data.draw(places)) if len(values) > 1 else []
    verdicts = [data.draw(st.sampled_from(list(Verdict))) for _ in indices]
    frame = Frame(width, height, "top", "low", "start", "end", ascii_only)
    text = plain(drawn(values, indices, verdicts, frame))
    assert len(text) == height + 2
    assert max(map(len, text)) <= width
    shapes = (ASCII_MARKS if ascii_only else MARKS).values()
    assert any(c in shapes for c in text[height][5:]) == bool(indices)
    if ascii_only:
        assert "".join(text).isascii()


def test_ascii_tells_points_lines_and_risers_apart():
    values = [1, 1.4, 1, 1.4] * 4 + [2, 2.4, 2, 2.4] * 4
    text = "\n".join(plain(drawn(values, [16], [Verdict.IMPROVEMENT], replace(FRAME, ascii=True))))
    assert text.isascii()
    assert "|" in text
    assert set("-_") & set(text)
    assert set("'.:") & set(text)


def test_sparkline():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 5], ascii=True) == "_#"
    assert sparkline([3.0] * 4) == "▄▄▄▄"
    assert sparkline([]) == ""
    assert sparkline([math.nan, 1.0, 2.0]) == "▁█"
    assert sparkline([sys.float_info.max] * 21 + [0.0] * 7, 4) == "███▁"
    assert sparkline([0] * 50 + [1] * 50, 10) == "▁" * 5 + "█" * 5


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.integers(0, 40))
def test_sparkline_is_as_long_as_it_may(values, width):
    assert len(sparkline(values, width)) == min(len(values), width)
