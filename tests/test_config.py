# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Settings from TOML: what is written is obeyed, and what is not understood is an error."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.config import (
    Columns,
    Compliance,
    Rule,
    Settings,
    Span,
    Thresholds,
    load,
    settings_from,
)
from stepmark.errors import ConfigError
from stepmark.series import Aggregate, Direction, SeriesKey

FULL = """
detector = "mdl(search=jumpavg)"
aggregate = "median"

[thresholds]
min_relative = 0.02
min_absolute = 1
min_points = 5
min_segment = 2

[compliance]
short = "14 runs"
long = "13w"
short_runs = 10
long_runs = 100

[columns]
time = "when"
labels = ["os", "arch"]

[[series]]
match = "lib/*"
direction = "higher"
unit = "ops/s"

[[series]]
match = "lib/slow/*"
detector = "tmm"
min_relative = 0.1
"""

KEYS = [
    "detector", "aggregate", "thresholds", "compliance", "columns", "series", "match",
    "min_relative", "min_points", "short", "labels", "direction", "x",
]  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(text, name="stepmark.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestDefaults:
    def test_are_the_documented_ones(self):
        settings = Settings()
        assert settings.detector == "stepmark"
        assert settings.aggregate is Aggregate.MEAN
        assert settings.thresholds == Thresholds(0.0, 0.0, 3, 1)
        assert settings.compliance == Compliance(
            Span(time=timedelta(days=7)), Span(time=timedelta(days=90)), 14, 180
        )
        assert settings.columns == Columns()
        assert settings.rules == ()

    def test_nothing_written_is_the_defaults(self, tmp_path, written):
        assert settings_from({}) == Settings()
        assert load(written("")) == Settings()
        assert load(start=tmp_path / "no" / "such" / "folder") == Settings()


class TestReading:
    def test_all_keys(self, written):
        settings = load(written(FULL))
        assert settings.detector == "mdl(search=jumpavg)"
        assert settings.aggregate is Aggregate.MEDIAN
        assert settings.thresholds == Thresholds(0.02, 1.0, 5, 2)
        assert type(settings.thresholds.min_absolute) is float
        assert settings.compliance == Compliance(
            Span(runs=14), Span(time=timedelta(weeks=13)), 10, 100
        )
        assert settings.columns == Columns(time="when", labels=("os", "arch"))
        assert settings.rules == (
            Rule("lib/*", Direction.HIGHER, "ops/s"),
            Rule("lib/slow/*", detector="tmm", min_relative=0.1),
        )

    def test_a_later_rule_wins_key_by_key(self, written):
        settings = load(written(FULL))
        fast = settings.for_series(SeriesKey("lib", "fast", "rate"))
        assert (fast.detector, fast.direction, fast.unit) == (
            "mdl(search=jumpavg)", Direction.HIGHER, "ops/s",
        )  # fmt: skip
        assert fast.thresholds == settings.thresholds
        slow = settings.for_series(SeriesKey("lib", "slow", "rate"))
        assert (slow.detector, slow.direction) == ("tmm", Direction.HIGHER)
        assert slow.thresholds == dataclasses.replace(settings.thresholds, min_relative=0.1)
        other = settings.for_series(SeriesKey("app", "slow", "rate"))
        assert (other.direction, other.unit) == (None, None)

    def test_a_name_with_brackets_matches_itself(self):
        key = SeriesKey(benchmark="test_sort[10]", metric="time")
        settings = Settings(rules=(Rule(str(key), unit="s"), Rule("*[[]10]/*", min_points=9)))
        assert settings.for_series(key).unit == "s"
        assert settings.for_series(key).thresholds.min_points == 9

    def test_case_counts_in_names(self):
        settings = Settings(rules=(Rule("Lib*", unit="s"),))
        assert settings.for_series(SeriesKey(benchmark="lib")).unit is None


class TestFinding:
    def test_the_nearest_file_upwards(self, tmp_path):
        deep = tmp_path / "a" / "b"
        deep.mkdir(parents=True)
        (tmp_path / "stepmark.toml").write_text('detector = "tmm"')
        assert load(start=deep).detector == "tmm"
        (tmp_path / "a" / "pyproject.toml").write_text('[tool.stepmark]\ndetector = "zero"')
        assert load(start=deep).detector == "zero"
        (tmp_path / "a" / "stepmark.toml").write_text('detector = "mdl(sbps=16)"')
        assert load(start=deep).detector == "mdl(sbps=16)"

    def test_the_working_directory_is_where_it_starts(self, tmp_path, monkeypatch, written):
        written('detector = "tmm"')
        monkeypatch.chdir(tmp_path)
        assert load().detector == "tmm"

    @pytest.mark.parametrize(
        "text",
        [
            "[tool.other]\nx = 1",
            "tool = 3",
            'tool = "stepmark"',
            "broken [",
            "[tool]\nx = " + "[" * 5000,
            "",
        ],
        ids=["other", "number", "text", "broken", "deep", "empty"],
    )
    def test_a_pyproject_without_the_table_is_passed_by(self, tmp_path, text):
        (tmp_path / "stepmark.toml").write_text('detector = "tmm"')
        inner = tmp_path / "inner"
        inner.mkdir()
        (inner / "pyproject.toml").write_text(text)
        assert load(start=inner).detector == "tmm"

    @pytest.mark.skipif(sys.platform == "win32", reason="the folder cannot be removed while in use")
    def test_a_removed_working_directory_has_no_configuration(self, tmp_path):
        gone = tmp_path / "gone"
        gone.mkdir()
        before = Path.cwd()
        os.chdir(gone)
        try:
            gone.rmdir()
            assert load() == Settings()
        finally:
            os.chdir(before)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("detektor = 'mdl'", "unknown key detektor (did you mean detector?)"),
            ("[threshold]\nx = 1", "unknown key threshold (did you mean thresholds?)"),
            ("[thresholds]\nmin_relativ = 1", "thresholds.min_relativ (did you mean"),
            ("[thresholds]\nmin_relative = true", "thresholds.min_relative must be a number"),
            ("[thresholds]\nmin_relative = '2 %'", "thresholds.min_relative must be a number"),
            ("[thresholds]\nmin_relative = -1", "thresholds: min_relative"),
            ("[thresholds]\nmin_relative = nan", "thresholds: min_relative"),
            (f"[thresholds]\nmin_relative = 1{'0' * 400}", "min_relative must be a number"),
            ("[thresholds]\nmin_points = 2.5", "thresholds.min_points must be a whole number"),
            ("[thresholds]\nmin_points = 0", "thresholds: min_points"),
            ("[thresholds]\nmin_segment = 0", "thresholds: min_points and min_segment"),
            ("thresholds = 3", "thresholds must be a table"),
            ("aggregate = 'max'", "aggregate is one of mean, median, min, samples"),
            ("aggregate = 3", "aggregate must be"),
            ("detector = 3", "detector must be a string"),
            ("[compliance]\nshort = '7'", "compliance.short: a span is like 7d"),
            ("[compliance]\nshort = 7", "compliance.short must be"),
            ("[compliance]\nlong_runs = 0", "compliance: short_runs and long_runs"),
            ("[columns]\nlabels = 'os'", "columns.labels must be an array of strings"),
            ("[columns]\nlabels = [1]", "columns.labels must be an array of strings"),
            ("[series]\nmatch = '*'", "series must be an array of tables"),
            ("series = [3]", 'series[0]: match = "..." is missing'),
            ("[[series]]\nunit = 's'", 'series[0]: match = "..." is missing'),
            ("[[series]]\nmatch = 3", "series[0].match must be a string"),
            ("[[series]]\nmatch = '*'\nunits = 's'", "series[0].units (did you mean unit?)"),
            ("[[series]]\nmatch = '*'\ndirection = 'up'", "direction is one of lower, higher"),
            ("[[series]]\nmatch = '*'\nmin_points = 0", "series[0]: min_points"),
            ("a = ", "not valid TOML"),
            (f"a = {'9' * 5000}", "not valid TOML"),
            ("a = " + "[" * 5000, "not valid TOML"),
        ],
        ids=lambda v: v[:40],
    )
    def test_name_the_file_and_the_key(self, written, text, problem):
        path = written(text)
        with pytest.raises(ConfigError) as caught:
            load(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert problem in str(caught.value)

    @pytest.mark.parametrize("text", ["tool.stepmark = 3", "[tool]\nstepmark = []"])
    def test_the_pyproject_table_must_be_a_table(self, written, text):
        with pytest.raises(ConfigError, match="must be a table"):
            load(written(text, "pyproject.toml"))

    def test_not_text(self, tmp_path):
        path = tmp_path / "stepmark.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigError, match="not valid TOML"):
            load(path)

    def test_not_there_or_a_folder(self, tmp_path):
        for path in (tmp_path / "none.toml", tmp_path):
            with pytest.raises(ConfigError, match="cannot be read"):
                load(path)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(KEYS),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_any_table_gives_settings_or_a_clear_error(self, table):
        with contextlib.suppress(ConfigError):
            assert isinstance(settings_from(table), Settings)


class TestSpan:
    @pytest.mark.parametrize(
        ("text", "span", "shown"),
        [
            ("7d", Span(time=timedelta(days=7)), "7d"),
            (" 1 day ", Span(time=timedelta(days=1)), "1d"),
            ("2w", Span(time=timedelta(days=14)), "14d"),
            ("13 weeks", Span(time=timedelta(days=91)), "91d"),
            ("14 runs", Span(runs=14), "14 runs"),
            ("1 run", Span(runs=1), "1 runs"),
        ],
    )
    def test_parse(self, text, span, shown):
        assert Span.parse(text) == span
        assert str(span) == shown
        assert Span.parse(shown) == span

    @pytest.mark.parametrize(
        "text", ["", "7", "d", "0d", "0 runs", "-7d", "1.5d", "7 months", "999999999d", "9" * 5000]
    )
    def test_refuses(self, text):
        with pytest.raises(ConfigError, match="a span is like 7d"):
            Span.parse(text)
