# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""From series to verdicts: what is found, what the gate says, and about which points."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import stepmark
from histories import START, measurements, noise, series, step
from stepmark.alerts.policy import Outcome
from stepmark.changes import Verdict
from stepmark.config import Compliance, Rule, Settings, Span, Thresholds
from stepmark.detectors import MDL
from stepmark.errors import InputError, SignalError, SpecError, UsageError
from stepmark.pipeline import (
    Loaded,
    Scope,
    analyse,
    check,
    detect,
    explained,
    load,
    parse_moment,
)
from stepmark.series import Aggregate, Direction, Failure, Series, SeriesKey, Skipped, assemble

# What the gate makes of a change is tested with a detector that sees one in its first point.
SETTINGS = Settings(detector="mdl")
DEFAULT = Settings()
STEP = step(40, 30, 10.0)


def loaded(*values, **options):
    return Loaded([series(v, benchmark=f"b{i}", **options) for i, v in enumerate(values)])


def checked(values, scope=None, settings=SETTINGS, base=None, **options):
    """The only series of a check."""
    given = values if isinstance(values, Loaded) else loaded(values, **options)
    (item,) = check(given, settings, scope or Scope(), base=base).series
    return item


def outcome(*arguments, **options):
    return checked(*arguments, **options).judgement.outcome


def limits(**thresholds):
    return replace(SETTINGS, thresholds=Thresholds(**thresholds))


class TestDetect:
    def test_takes_a_spec_or_an_object(self):
        assert stepmark.detect(STEP).indices == (30,)
        assert detect(STEP, "mdl(search=jumpavg)") == detect(STEP, MDL(search="jumpavg"))
        assert detect(STEP, "zero").indices == ()

    def test_takes_replicates(self):
        assert detect([[v, v + 0.1] for v in STEP]).indices == (30,)

    def test_refuses_what_it_cannot_judge(self):
        with pytest.raises(SpecError):
            detect(STEP, "nope")
        with pytest.raises(SignalError):
            detect([1.0, float("nan")])


class TestAnalyse:
    def test_every_series_is_judged_in_order(self):
        summary = analyse(loaded(STEP, noise(40), step(40, 20, -10.0)), SETTINGS)
        assert [s.name for s in summary.series] == ["b0/time", "b1/time", "b2/time"]
        assert [[c.index for c in s.changes] for s in summary.series] == [[30], [], [20]]
        verdicts = [c.verdict for _, c in summary.changes()]
        assert verdicts == [Verdict.REGRESSION, Verdict.IMPROVEMENT]
        assert [i.name for i, _ in summary.changes(Verdict.REGRESSION)] == ["b0/time"]
        assert (summary.version, summary.detector) == (stepmark.__version__, "mdl")
        assert (summary.outcome, summary.series[0].judgement) == (None, None)

    def test_tells_progress(self):
        told = []
        analyse(loaded(STEP, STEP), SETTINGS, progress=lambda *counts: told.append(counts))
        assert told == [(1, 2), (2, 2)]

    def test_unknown_direction_is_neutral_with_one_warning(self):
        summary = analyse(loaded(STEP, noise(40), STEP, direction=None), SETTINGS)
        assert [c.verdict for _, c in summary.changes()] == [Verdict.NEUTRAL] * 2
        (warning,) = summary.warnings
        assert "which way is better is unknown for b0/time and 1 more" in warning
        assert "--direction lower|higher" in warning

    def test_no_warning_where_nothing_changed(self):
        assert analyse(loaded(noise(40), direction=None), SETTINGS).warnings == ()

    def test_failures_and_what_was_skipped_are_passed_on(self):
        failure = Failure(SeriesKey(), "r", None, "timed out", "file:3")
        given = Loaded([], [failure], [Skipped("file:4", "not a number")])
        summary = analyse(given, SETTINGS, title="A title")
        assert (summary.failures, summary.skipped) == ((failure,), tuple(given.skipped))
        assert (summary.title, summary.series) == ("A title", ())

    def test_too_few_points_are_a_note_and_no_change(self):
        (item,) = analyse(loaded([1.0, 9.0]), SETTINGS).series
        assert item.changes == ()
        assert item.note == "2 point(s), at least 3 are needed"
        (item,) = analyse(loaded([1.0, 9.0]), limits(min_points=2)).series
        assert [c.index for c in item.changes] == [1]
        assert item.note == ""

    def test_thresholds_make_changes_neutral(self):
        (item,) = analyse(loaded(STEP), limits(min_relative=0.2)).series
        assert [c.verdict for c in item.changes] == [Verdict.NEUTRAL]

    def test_an_error_names_the_series(self):
        made = series([1.0, 2.0, 3.0])
        bad = replace(made, points=(replace(made.points[0], samples=(float("nan"),)),))
        with pytest.raises(SignalError, match="bench/time: point 0 is not a finite number"):
            analyse(Loaded([bad]), SETTINGS)

    def test_a_bad_spec_is_told_even_without_series(self):
        with pytest.raises(SpecError, match="did you mean mdl"):
            analyse(Loaded([]), Settings(detector="mld"))

    def test_a_rule_sets_the_detector_of_its_series(self):
        settings = replace(SETTINGS, rules=(Rule("b1/*", detector="zero"),))
        summary = analyse(loaded(STEP, STEP), settings)
        assert [(s.detector, len(s.changes)) for s in summary.series] == [("mdl", 1), ("zero", 0)]

    def test_a_frozen_unit_keeps_history_as_it_was(self):
        settings = Settings(rules=(Rule("*", detector="mdl(unit=0.0125, maximum=200)"),))
        values = step(60, 30, 2.5)
        (before,) = analyse(loaded(values), settings).series
        (after,) = analyse(loaded([*values, 1e6]), settings).series
        assert [c.index for c in after.changes] == [*(c.index for c in before.changes), 60]
        assert before.detector == "mdl(unit=0.0125, maximum=200)"

    def test_samples_are_judged_whole_and_shown_by_their_mean(self):
        settings = replace(SETTINGS, aggregate=Aggregate.SAMPLES)
        (item,) = analyse(loaded([[v - 1, v + 1] for v in STEP]), settings).series
        assert item.aggregate is Aggregate.MEAN
        assert item.values() == pytest.approx(STEP)
        assert [c.index for c in item.changes] == [30]
        assert item.changes[0].score != analyse(loaded(STEP), SETTINGS).series[0].changes[0].score

    def test_the_trend_table_has_a_row_of_each(self):
        settings = Settings(compliance=Compliance(short=Span(runs=14)))
        (item,) = analyse(loaded(STEP), settings).series
        assert (item.row.name, item.row.runs, item.row.regressions) == ("b0/time", 10, 1)
        assert item.row.short == pytest.approx(0.1, abs=0.01)

    def test_an_empty_series_is_judged_for_nothing(self):
        empty = Series(SeriesKey(benchmark="b"), ())
        summary = check(Loaded([empty]), SETTINGS, Scope())
        assert summary.outcome is Outcome.UNJUDGED


class TestCheck:
    def test_an_existing_group_prolonged_passes(self):
        item = checked(STEP)
        assert item.judgement.outcome is Outcome.PASS
        assert item.judgement.reason == "the existing group goes on"
        assert [c.index for c in item.changes] == [30], "the change is old, and still shown"

    @pytest.mark.parametrize(
        ("direction", "expected"),
        [(Direction.LOWER, Outcome.FAIL), (Direction.HIGHER, Outcome.PASS)],
    )
    @pytest.mark.parametrize("n", [31, 32, 33])
    def test_a_new_group_fails_if_worse_and_passes_if_better(self, direction, expected, n):
        item = checked(STEP[:n], Scope(last=n - 30), direction=direction)
        assert item.judgement.outcome is expected
        assert [c.index for c in item.judgement.changes] == [30]

    def test_once_told_it_is_not_told_again(self):
        assert [outcome(STEP[:n]) for n in range(30, 35)] == [
            Outcome.PASS, Outcome.FAIL, Outcome.PASS, Outcome.PASS, Outcome.PASS,
        ]  # fmt: skip

    @pytest.mark.parametrize("seed", range(4))
    def test_a_small_regression_fails_once_when_it_is_recognised(self, seed):
        values = step(60, 30, 1.8, seed=seed)
        told = [n for n in range(31, 61) if outcome(values[:n]) is Outcome.FAIL]
        assert len(told) == 1
        assert told[0] > 31, "one run is too little to see it"
        assert abs(checked(values[: told[0]]).judgement.changes[0].index - 30) <= 2

    def test_too_little_data_is_unjudged(self):
        item = checked([1.0, 9.0])
        assert item.judgement.outcome is Outcome.UNJUDGED
        assert item.judgement.reason == "2 point(s), at least 3 are needed"

    def test_the_whole_fails_if_one_does_and_passes_if_one_is_judged(self):
        new, old, short = STEP[:31], noise(40), [1.0]

        def whole(*values):
            return check(loaded(*values), SETTINGS, Scope()).outcome

        assert whole(short, old, new) is Outcome.FAIL
        assert whole(short, old) is Outcome.PASS
        assert whole(short) is Outcome.UNJUDGED
        assert check(Loaded([]), SETTINGS, Scope()).outcome is None

    def test_an_unknown_direction_never_fails(self):
        given = loaded(STEP[:31], direction=None)
        summary = check(given, SETTINGS, Scope())
        assert summary.outcome is Outcome.PASS
        assert summary.series[0].judgement.reason == "a new group, neither better nor worse"
        assert summary.warnings

    def test_a_change_below_the_thresholds_passes(self):
        assert outcome(STEP[:31], settings=limits(min_relative=0.2)) is Outcome.PASS
        assert outcome(STEP[:31], settings=limits(min_relative=0.05)) is Outcome.FAIL

    def test_min_segment_delays_the_verdict_and_does_not_lose_it(self):
        told = [outcome(STEP[:n], settings=limits(min_segment=3)) for n in range(31, 36)]
        assert told == [Outcome.PASS, Outcome.PASS, Outcome.FAIL, Outcome.PASS, Outcome.PASS]

    def test_min_segment_and_min_relative_both_apply(self):
        both = limits(min_segment=3, min_relative=0.2)
        assert {outcome(STEP[:n], settings=both) for n in range(31, 36)} == {Outcome.PASS}

    def test_last_takes_in_more_points(self):
        assert outcome(STEP, Scope(last=9)) is Outcome.PASS
        assert outcome(STEP, Scope(last=10)) is Outcome.FAIL
        assert outcome(STEP, Scope(last=1000)) is Outcome.FAIL


class TestDefaultDetector:
    """The gate with the detector that is used where none is named."""

    def test_is_told_with_its_probabilities(self):
        summary = analyse(loaded(STEP), DEFAULT)
        (item,) = summary.series
        assert (summary.detector, item.detector, item.evidence) == ("stepmark",) * 2 + (
            "probability",
        )
        assert [c.index for c in item.changes] == [30]
        assert 0.9 < item.changes[0].score <= 1.0

    def test_samples_count_by_their_mean(self):
        rows = loaded([[v - 9, v, v + 9] for v in STEP])
        (mean,) = analyse(rows, DEFAULT).series
        (samples,) = analyse(rows, replace(DEFAULT, aggregate=Aggregate.SAMPLES)).series
        assert mean == samples
        assert [c.index for c in mean.changes] == [30]

    def test_a_regression_fails_once_when_three_points_show_it(self):
        told = [outcome(STEP[:n], settings=DEFAULT) for n in range(30, 37)]
        assert told.count(Outcome.FAIL) == 1
        assert 2 <= told.index(Outcome.FAIL) <= 4

    def test_one_outlier_never_fails(self):
        values = [*noise(30), 130.0, *noise(9, seed=1)]
        assert {outcome(values[:n], settings=DEFAULT) for n in range(30, 40)} == {Outcome.PASS}

    def test_fewer_points_than_it_needs_are_unjudged(self):
        item = checked([1.0, 1.0, 1.0, 9.0, 9.0], settings=DEFAULT)
        assert item.judgement.outcome is Outcome.UNJUDGED
        assert item.judgement.reason == item.note == "5 point(s), at least 6 are needed"
        assert not checked([1.0, 1.0, 1.0, 9.0, 9.0]).note

    @pytest.mark.parametrize("n", [1, 2])
    def test_a_head_too_short_to_show_a_change_is_no_pass(self, n):
        head = [f"head{i}" for i in range(n)]
        given = loaded(noise(n, 104.0, seed=9), revisions=head, start=START + timedelta(days=20))
        item = checked(given, base=loaded(noise(30)), settings=DEFAULT)
        assert item.judgement.outcome is Outcome.UNJUDGED
        assert item.judgement.reason == (f"{n} new point(s), stepmark needs 3 to see a change")
        assert outcome(given, base=loaded(noise(30))) is Outcome.FAIL

    def test_nor_are_too_few_points_after_a_revision(self):
        assert outcome(STEP, Scope(since="rev0037"), settings=DEFAULT) is Outcome.UNJUDGED
        assert outcome(STEP, Scope(since="rev0036"), settings=DEFAULT) is Outcome.PASS
        assert outcome(STEP, Scope(since="rev0039"), settings=DEFAULT) is Outcome.PASS


class TestSince:
    @pytest.mark.parametrize("since", ["rev0029", "rev0000", "2026-01-15", "2026-01-15T12:00:00"])
    def test_a_change_after_it_is_judged(self, since):
        assert outcome(STEP, Scope(since=since)) is Outcome.FAIL

    @pytest.mark.parametrize(
        "since", ["rev0030", "rev0038", "2026-01-16", "2026-01-16T00:00+00:00"]
    )
    def test_a_change_up_to_it_is_not(self, since):
        assert outcome(STEP, Scope(since=since)) is Outcome.PASS

    def test_an_offset_counts(self):
        assert outcome(STEP, Scope(since="2026-01-16T01:00+02:00")) is Outcome.FAIL

    def test_a_prefix_of_one_revision(self):
        names = [f"{i:02}{'abcdef' * 3}" for i in range(40)]
        assert outcome(STEP, Scope(since="29abcd"), revisions=names) is Outcome.FAIL
        assert outcome(STEP, Scope(since="30abcd"), revisions=names) is Outcome.PASS

    def test_a_prefix_of_several_is_refused(self):
        with pytest.raises(UsageError, match="rev00: begins 40 revisions; give more of it"):
            checked(STEP, Scope(since="rev00"))

    def test_a_whole_revision_goes_before_longer_ones(self):
        names = [f"v{'1' * (i + 4)}" for i in range(40)]
        assert outcome(STEP, Scope(since="v11111"), revisions=names) is Outcome.FAIL

    def test_a_very_short_prefix_is_no_revision(self):
        with pytest.raises(UsageError, match="--since rev: no such revision or date"):
            checked(STEP, Scope(since="rev"))

    @pytest.mark.parametrize("since", ["nonesuch", "2026-13-45", "12"])
    def test_what_is_in_no_series_is_refused(self, since):
        with pytest.raises(UsageError, match="such as 2026-01-31"):
            checked(STEP, Scope(since=since))

    def test_a_date_needs_times(self):
        with pytest.raises(UsageError, match="no such revision or date"):
            checked(STEP, Scope(since="2026-01-15"), start=None)

    def test_a_series_without_it_is_unjudged(self):
        other = [f"other{i}" for i in range(40)]
        both = Loaded([series(STEP), series(STEP, benchmark="x", revisions=other)])
        first, second = check(both, SETTINGS, Scope(since="rev0029")).series
        assert first.judgement.outcome is Outcome.FAIL
        assert second.judgement.outcome is Outcome.UNJUDGED
        assert second.judgement.reason == "rev0029 is not in it"

    def test_old_changes_are_not_raked_up(self):
        # Late recognition is for the newest points only: all later ones are judged here anyway.
        assert outcome(step(60, 30, 1.8), Scope(since="rev0050")) is Outcome.PASS


class TestBase:
    BASE = noise(30)

    def head(self, values, **options):
        options.setdefault("revisions", [f"head{i}" for i in range(len(values))])
        options.setdefault("start", START + timedelta(days=20))
        return loaded(values, **options)

    @pytest.mark.parametrize(
        ("level", "expected"), [(110.0, Outcome.FAIL), (100.0, Outcome.PASS), (90.0, Outcome.PASS)]
    )
    def test_the_head_goes_on_from_its_base(self, level, expected):
        item = checked(self.head(noise(3, level, seed=9)), base=loaded(self.BASE))
        assert item.judgement.outcome is expected
        assert len(item.series) == 33

    def test_changes_within_the_base_are_not_the_heads(self):
        assert outcome(self.head(noise(2, 110.0, seed=9)), base=loaded(STEP)) is Outcome.PASS

    def test_revisions_that_both_have_are_taken_once(self):
        history = [*self.BASE, *noise(3, 110.0, seed=9)]
        item = checked(loaded(history), base=loaded(self.BASE))
        assert item.judgement.outcome is Outcome.FAIL
        assert item.series.points == series(history).points
        assert item.series.timed

    def test_a_head_of_older_times_comes_after_its_base_all_the_same(self):
        head = self.head(noise(3, 110.0, seed=9), start=START - timedelta(days=9))
        item = checked(head, base=loaded(self.BASE))
        assert item.judgement.outcome is Outcome.FAIL
        assert not item.series.timed
        assert item.series.points[-1].revision == "head2"

    @pytest.mark.parametrize("untimed", ["head", "base"])
    def test_times_on_one_side_only(self, untimed):
        head = self.head(noise(3, 110.0, seed=9), start=None if untimed == "head" else START)
        base = loaded(self.BASE, start=None if untimed == "base" else START)
        assert outcome(head, base=base) is Outcome.FAIL

    def test_a_step_may_be_placed_a_little_before_the_head(self):
        base = [*self.BASE, 103.0]
        item = checked(self.head(noise(4, 110.0, seed=9)), base=loaded(base))
        assert item.judgement.outcome is Outcome.FAIL

    def test_what_the_base_does_not_have_is_unjudged(self):
        item = checked(self.head(noise(5)), base=Loaded([series(noise(30), benchmark="other")]))
        assert item.judgement.outcome is Outcome.UNJUDGED
        assert item.judgement.reason == "the baseline does not have it"

    def test_nothing_new_is_unjudged(self):
        item = checked(loaded(self.BASE), base=loaded(self.BASE))
        assert (item.judgement.outcome, item.judgement.reason) == (
            Outcome.UNJUDGED,
            "no new points",
        )

    def test_what_only_the_base_has_is_not_judged_at_all(self):
        base = Loaded([*loaded(self.BASE).series, series(noise(5), benchmark="gone")])
        assert len(check(self.head(noise(3)), SETTINGS, Scope(), base=base).series) == 1

    def test_a_missing_unit_or_direction_is_that_of_the_other(self):
        head = self.head(noise(3, 110.0), unit="", direction=None)
        item = checked(head, base=loaded(self.BASE))
        assert (item.series.unit, item.direction) == ("ms", Direction.LOWER)

    @pytest.mark.parametrize(
        ("option", "problem"),
        [
            ({"unit": "s"}, "b0/time: its unit is s, but ms in the baseline"),
            ({"direction": Direction.HIGHER}, "its direction is higher, but lower in the baseline"),
        ],
    )
    def test_another_unit_or_direction_is_refused(self, option, problem):
        with pytest.raises(InputError, match=problem):
            checked(self.head(noise(3), **option), base=loaded(self.BASE))


def test_contradictions_name_the_file_and_a_remedy(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("value,unit\n1,ms\n2,s\n")
    with pytest.raises(InputError) as caught:
        load([file], "auto", SETTINGS)
    problem = f"{file}: runs/value: one series has more than one unit: ms and s; correct them"
    assert str(caught.value).startswith(problem)
    with pytest.raises(InputError, match="the input: stdin/value"):
        load([b"value,direction\n1,lower\n", b"value,direction\n1,higher\n"], "auto", SETTINGS)


class TestExplained:
    def ask(self, name="b0", at=None, values=STEP, **options):
        return explained(loaded(values, **options), name, at, SETTINGS)

    def test_all_changes_where_no_place_is_named(self):
        assert [e.index for e in self.ask(values=[*STEP, *noise(20, 80.0)])] == [30, 40]
        assert self.ask(values=noise(30)) == []

    @pytest.mark.parametrize("name", ["b0/time", "b0", "b0/*", "*ime"])
    def test_a_name_a_glob_or_a_part(self, name):
        assert self.ask(name)[0].series.key.benchmark == "b0"

    @pytest.mark.parametrize(
        "at", ["rev0030", "30", "2026-01-15T18:00", "2026-01-16", "2026-01-16T01:00:00+01:00"]
    )
    def test_a_revision_a_number_or_a_date(self, at):
        assert [e.index for e in self.ask(at=at)] == [30]

    def test_a_revision_that_reads_as_a_date_is_a_revision(self):
        names = [f"202601{i + 1:02}.1" for i in range(40)]
        assert [e.index for e in self.ask(at="20260105.1", revisions=names)] == [4]
        assert [e.index for e in self.ask(at="20260105", revisions=names)] == [4]

    @pytest.mark.parametrize(
        ("at", "problem"),
        [
            ("nope", "--at nope: no such revision, date or point in b0/time"),
            ("0", "a change has points on both sides"),
            ("40", "0 < point < 40"),
            ("rev0000", "a change has points on both sides"),
            ("2030-01-01", "a change has points on both sides"),
            ("-3", "no such revision"),
            ("9" * 30, "no such revision"),
            ("rev00", "revision rev00: begins 40 revisions"),
        ],
    )
    def test_places_that_are_none(self, at, problem):
        with pytest.raises(UsageError) as caught:
            self.ask(at=at)
        assert problem in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("b0/tine", r"did you mean b0/time\?"),
            ("b", "fits 2 series: b0/time, b1/time; give one name"),
            ("*", "fits 2 series"),
        ],
    )
    def test_names_that_are_none_or_several(self, name, problem):
        with pytest.raises(UsageError, match=problem):
            explained(loaded(STEP, STEP), name, None, SETTINGS)

    def test_without_series_there_is_none(self):
        with pytest.raises(UsageError, match="there are: none"):
            explained(Loaded([]), "x", None, SETTINGS)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T10:00:00+02:00", "2026-01-31T10:00:00+02:00"),
        ("2026-01-31 10:00", "2026-01-31T10:00:00+00:00"),
    ],
)
def test_parse_moment(text, iso):
    assert parse_moment(text).isoformat() == iso


@pytest.mark.parametrize("text", ["", "yesterday", "2026", "31.01.2026"])
def test_what_is_no_moment(text):
    assert parse_moment(text) is None


def test_many_series_are_judged_alike_by_threads(monkeypatch):
    rows = [m for i in range(6) for m in measurements(STEP, benchmark=f"b{i}")]
    given = Loaded(assemble(rows))
    serial = analyse(given, SETTINGS)
    monkeypatch.setattr("stepmark.execution._WORTH_THREADS", 0)
    assert analyse(given, SETTINGS) == serial
