# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How numbers, times, names and the headline are put."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.alerts.policy import Outcome
from stepmark.changes import Verdict
from stepmark.reports import words
from stepmark.series import Direction, Failure, SeriesKey, Skipped


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.00412, "s", "4.12 ms"),
        (4123.4, "us", "4.123 ms"),
        (1.5e-10, "s", "0.15 ns"),
        (999.96, "ms", "1 s"),
        (3600.0, "seconds", "3,600 s"),
        (12_345_678.0, "pps", "12.35 Mpps"),
        (999_999.9, "pps", "1 Mpps"),
        (0.5, "pps", "0.5 pps"),
        (2048.0, "bytes", "2.048 kB"),
        (12_345_678.0, "furlong", "12,345,678 furlong"),
        (0.0, "s", "0 s"),
        (-0.0, "", "0"),
        (-41.236, "ms", "-41.24 ms"),
        (1 / 3, "", "0.3333"),
        (1e-300, "", "1.000e-300"),
        (1e300, "x", "1.000e+300 x"),
        (math.inf, "s", "infinity s"),
        (-math.inf, "", "-infinity"),
        (math.nan, "", "NaN"),
        (None, "ms", "-"),
    ],
)
def test_number(value, unit, shown):
    assert words.number(value, unit) == shown


@pytest.mark.parametrize(
    ("before", "after", "unit", "shown"),
    [
        (4.1, 4.61, "ms", "4.10 -> 4.61 ms"),
        (0.0041, 0.0046, "s", "4.10 -> 4.60 ms"),
        (999.0, 1200.0, "ms", "1.00 -> 1.20 s"),
        (100.0, 100.001, "", "100.0000 -> 100.0010"),
        (1_234_567.0, 1_334_567.0, "", "1,234,567 -> 1,334,567"),
        (0.0, 5.0, "", "0.00 -> 5.00"),
        (5.0, 5.0, "s", "5.00 -> 5.00 s"),
        (1e300, 2e300, "", "1.000e+300 -> 2.000e+300"),
        (-3.0, 2.0, "C", "-3.00 -> 2.00 C"),
    ],
)
def test_step_has_one_unit_and_enough_decimals(before, after, unit, shown):
    assert words.step(before, after, unit) == shown


@given(
    st.floats(1e-5, 1e11), st.floats(1e-5, 1e11), st.sampled_from(["", "ms", "pps", "s", "widgets"])
)
def test_step_tells_the_sides_apart(before, after, unit):
    # Twelve decimals of the larger side's unit are as fine as it gets.
    if abs(before - after) <= 1e-9 * max(before, after):
        return
    left, right = words.step(before, after, unit).removesuffix(f" {unit}").split(" -> ")
    assert left != right.split(" ")[0]


@pytest.mark.parametrize(
    ("relative", "shown"),
    [
        (0.123, "+12.3 %"),
        (-0.05, "-5.00 %"),
        (0.01234, "+1.23 %"),
        (0.0001234, "+0.012 %"),
        (1.5, "+150 %"),
        (123.0, "+12,300 %"),
        (1e9, "+1.0e+11 %"),
        (1e-9, "+1.0e-07 %"),
        (0.0, "0 %"),
        (None, "-"),
        (math.inf, "-"),
        (math.nan, "-"),
    ],
)
def test_percent(relative, shown):
    assert words.percent(relative) == shown


@given(st.floats(), st.floats(), st.text(max_size=30))
def test_numbers_of_any_kind_are_one_safe_line(first, second, unit):
    for shown in (words.number(first, unit), words.percent(first), words.step(first, second, unit)):
        assert shown
        assert words.clean(shown, None) == shown


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC), "2026-03-14 15:09 UTC"),
        (datetime(2026, 3, 14, tzinfo=UTC), "2026-03-14"),
        (datetime(2026, 3, 14, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-13 23:00 UTC"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), "0001-01-01 00:00+02:00"),
        (datetime(7, 1, 2, 3, 4, tzinfo=UTC), "0007-01-02 03:04 UTC"),
        (None, "-"),
    ],
)
def test_moment(when, shown):
    assert words.moment(when) == shown


def test_moment_without_zone():
    assert words.moment(datetime(2026, 3, 14, 15, 9, tzinfo=UTC), zone=False) == "2026-03-14 15:09"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0123456789abcdef0123456789abcdef01234567", "0123456789"),
        ("ABCDEF012345", "ABCDEF0123"),
        ("26.02-rc0~612", "26.02-rc0~612"),
        ("abc1234", "abc1234"),
        ("x" * 30, "x" * 23 + "…"),
        ("", "-"),
        (" \n", "-"),
    ],
)
def test_short_revision(text, shown):
    assert words.short_revision(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  a\tb\r\nc\u2028d\u00a0e ", "a b c d e"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("\ufffe\U0001ffff", "\\ufffe\\U0001ffff"),
        ("\U000e0041", "\\U000e0041"),
        ("Grüße 東京 🚀", "Grüße 東京 🚀"),
    ],
)
def test_clean(text, shown):
    assert words.clean(text) == shown


def test_clean_bounds_the_length():
    assert words.clean("a" * 500, 10) == "aaaaaaaaa…"
    assert len(words.clean("\x00" * 10**6, 50)) == 50
    assert words.clean("a" * 500, None) == "a" * 500


@given(st.text(st.characters(codec=None)), st.integers(1, 40))
def test_clean_leaves_nothing_that_acts_unseen(text, limit):
    for shown in (words.clean(text, limit), words.clean(text, None)):
        hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not any(unicodedata.category(c) in hidden for c in shown)
        assert len(shown.splitlines()) <= 1
        assert words.clean(shown, None) == shown
    assert len(words.clean(text, limit)) <= limit


def test_a_long_name_keeps_both_ends():
    shown = words.name("suite/" + "x" * 300 + "{nic=e810}", 40)
    assert len(shown) == 40
    assert shown.startswith("suite/xx")
    assert shown.endswith("x{nic=e810}")
    assert words.name("short") == "short"


def test_plural_and_list():
    assert words.plural(1, "regression") == "1 regression"
    assert words.plural(2, "regression") == "2 regressions"
    assert words.plural(1234, "series") == "1,234 series"
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"


def test_bounded_counts_what_it_leaves_out():
    lines = [str(i) for i in range(10)]
    assert words.bounded(lines, 10) == lines
    assert words.bounded(lines, 4) == ["0", "1", "2", "and 7 more"]


def test_failure_and_skipped():
    key = SeriesKey("p", "b", "m")
    when = datetime(2026, 3, 14, 15, 9, tzinfo=UTC)
    shown = words.failure(Failure(key, "", when, "Timed\nout", "x.json"))
    assert shown == "p/b/m at 2026-03-14 15:09 UTC: Timed out"
    assert words.failure(Failure(key, "abc", when, "", "")) == "p/b/m at abc: no reason given"
    assert words.failure(Failure(key, "", None, "no", "")) == "p/b/m: no"
    assert words.skipped(Skipped("a.csv:3", "not a\x07number")) == "a.csv:3: not a\\x07number"


def test_headline_counts_all_changes(samples):
    expected = "2 regressions, 2 improvements and 1 neutral change in 6 series (1 not judged)"
    assert words.headline(samples.typical()) == expected
    assert words.headline(samples.empty()) == "No series"
    quiet = samples.single(samples.stepped([(30, 5.0)]))
    assert words.headline(quiet) == "No changes in 1 series"


def test_headline_of_a_gate_counts_new_changes(samples):
    gated = samples.typical(gated=True)
    assert words.headline(gated).startswith("FAIL: 2 new regressions, 1 new improvement and 1 new")
    quiet = samples.single(samples.stepped([(30, 5.0)], gated=True))
    assert words.headline(quiet) == "PASS: no new changes in 1 series"
    short = samples.summarised(samples.series([1.0]), gated=True, note="too short")
    unjudged = samples.single(short)
    assert unjudged.outcome is Outcome.UNJUDGED
    assert words.headline(unjudged) == "TOO LITTLE DATA: 1 series, none with enough data to judge"
    assert words.unjudged(short)
    assert words.reason(short) == "too short"


def test_importance_puts_big_regressions_first(samples):
    pairs = words.by_importance(samples.typical())
    assert [change.verdict for _, change in pairs] == [
        *[Verdict.REGRESSION] * 2,
        *[Verdict.IMPROVEMENT] * 2,
        Verdict.NEUTRAL,
    ]
    sizes = [abs(change.relative) for _, change in pairs]
    assert sizes[0] > sizes[1]
    assert sizes[2] > sizes[3]


def test_a_change_from_zero_comes_first_and_shows_no_percent(samples):
    item = samples.summarised(samples.series([0.0, 0.0, 5.0, 5.0]), [2])
    small = samples.stepped([(20, 1.0), (20, 3.0)], "other")
    summary = replace(samples.single(small), series=(small, item))
    first, change = words.by_importance(summary)[0]
    assert first is item
    assert words.size(change, "ms") == "0.00 -> 5.00 ms"


def test_place_is_the_best_that_is_known(samples):
    change = samples.stepped([(20, 1.0), (20, 3.0)]).changes[0]
    assert words.place(replace(change, revision="abc")) == "abc"
    assert words.place(replace(change, revision="")) == "2026-03-22 04:30 UTC"
    assert words.place(replace(change, revision="", time=None)) == "point 20"


def test_direction():
    assert words.direction(Direction.LOWER) == "lower is better"
    assert words.direction(None) == "better direction unknown"
