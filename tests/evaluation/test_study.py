# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""From outcomes to tables, ranks and advice; stored outcomes; what takes part."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from evaluation.labels import PUBLISHED
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.opening import open_dataset
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.datasets.results import read_results
from stepmark.detectors.tcpdbench import METHODS
from stepmark.errors import InputError, OutputError, SpecError, UsageError
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.ranking import fastest
from stepmark.evaluation.scores import score
from stepmark.evaluation.store import MAGIC, read_outcomes, write_outcomes
from stepmark.evaluation.study import origin, study, suite_digest
from stepmark.evaluation.suites import Mode, candidates, oracle, scorable
from stepmark.evaluation.tables import Average
from stepmark.evaluation.trials import run
from stepmark.plugins import parse_detector
from stepmark.series import Point, Series, SeriesKey

LENGTH = 100


def labelled(name, annotations, length=LENGTH, gap=False):
    points = tuple(
        Point("", None, (float(i >= 50),), i) for i in range(length) if not (gap and i == 3)
    )
    return LabelledSeries(name, Series(SeriesKey("", name, "v"), points), length, annotations)


SUITE = Dataset("suite", tuple(labelled(f"s{i}", {"a": (50,)}) for i in range(6)))


def outcome(series, method, places=None, **facts):
    status = Status.OK if places is not None else facts.pop("status", Status.FAILED)
    facts = {"configuration": method, "default": True} | facts
    return Outcome(series, method, status=status, places=tuple(places or ()), **facts)


def everywhere(method, places, **facts):
    return [outcome(member.name, method, places, **facts) for member in SUITE]


GOOD, BAD = everywhere("good", (50,)), everywhere("bad", (10, 20, 30))


def row(made, method):
    return next(row for row in made.table.rows if row.method == method)


class TestScores:
    def test_a_run_without_places_has_no_score(self):
        late = outcome("s0", "m", status=Status.TIMEOUT)
        assert [one.scores for one in score([outcome("s0", "m")], SUITE, margin=5)] == [{}]
        assert [one.scores for one in score([late], SUITE, margin=5)] == [{}]

    def test_every_metric_is_there(self):
        (one,) = score([GOOD[0]], SUITE, margin=5)
        assert set(one.scores) == set(METRICS)
        assert one.scores["f1"] == one.scores["covering"] == 1.0

    def test_the_margin_counts(self):
        near = [outcome("s0", "m", (57,))]
        values = [score(near, SUITE, margin=m)[0].scores["f1_matched"] for m in (5, 7)]
        assert values == [0.0, 1.0]

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            (outcome("s9", "m", ()), "series s9 is not in suite"),
            (outcome("s0", "m", (100,)), r"s0, m: a place is not inside 0\.\.99: 100"),
        ],
    )
    def test_outcomes_of_another_suite_are_refused(self, bad, said):
        with pytest.raises(InputError, match=said):
            score([bad], SUITE, margin=5)

    def test_two_outcomes_of_one_run_are_refused(self):
        with pytest.raises(InputError, match="two outcomes of good"):
            score([GOOD[0], GOOD[0]], SUITE, margin=5)


class TestTable:
    def test_the_best_is_first(self):
        made = study([*BAD, *GOOD], SUITE)
        assert [row.method for row in made.table.rows] == ["good", "bad"]
        made = study([*BAD, *GOOD], SUITE, metrics=["false_alarms"])
        assert [row.method for row in made.table.rows] == ["good", "bad"]
        assert [row.means["false_alarms"] for row in made.table.rows] == [0, 3]

    def test_failures_are_counted_and_never_scored(self):
        some = [*GOOD[:4], outcome("s4", "good"), outcome("s5", "good", status=Status.TIMEOUT)]
        made = study([*some, *BAD], SUITE, average=Average.ALL)
        good = row(made, "good")
        assert (good.runs, good.failures, good.timeouts, good.scored) == (6, 1, 1, 4)
        assert (good.means["f1"], good.averaged) == (1.0, 4)
        assert made.table.value("good", "s4", "f1") is None
        assert made.table.common == ("s0", "s1", "s2", "s3")

    @pytest.mark.parametrize(
        ("average", "means", "counts"),
        [
            (Average.COMMON, (1.0, 1 / 3), (5, 5)),
            (Average.ALL, (1.0, 4 / 9), (5, 6)),
            (Average.ZERO, (5 / 6, 4 / 9), (6, 6)),
        ],
    )
    def test_means_by_the_three_rules(self, average, means, counts):
        some = [*GOOD[:5], outcome("s5", "good")]
        # On the last series alone, the other method is right.
        other = [*BAD[:5], outcome("s5", "bad", (50,))]
        made = study([*some, *other], SUITE, average=average)
        assert tuple(row(made, m).means["f1"] for m in ("good", "bad")) == pytest.approx(means)
        assert tuple(row(made, m).averaged for m in ("good", "bad")) == counts

    def test_where_lower_is_better_a_failure_has_no_zero(self):
        some = [*GOOD[:5], outcome("s5", "good")]
        made = study([*some, *BAD], SUITE, average=Average.ZERO, metrics=["f1", "hausdorff"])
        assert row(made, "good").means["hausdorff"] is None
        assert row(made, "bad").means["hausdorff"] > 0

    def test_a_method_that_always_fails_takes_nothing_from_the_others(self):
        failed = everywhere("broken", None)
        made = study([*GOOD, *BAD, *failed], SUITE)
        assert made.table.common == tuple(member.name for member in SUITE)
        assert row(made, "broken").means["f1"] is None
        assert made.table.rows[-1].method == "broken"
        assert made.table.notes == ("broken has no score at all: no reason is known",)

    def test_a_mean_over_few_series_is_said(self):
        some = [*GOOD[:2], *(outcome(f"s{i}", "good") for i in range(2, 6))]
        made = study([*some, *BAD], SUITE)
        assert "over the 2 of 6 series" in made.table.notes[0]
        assert "good has one on 2" in made.table.notes[0]

    def test_pooled_counts_add_up(self):
        made = study([*GOOD, *BAD], SUITE)
        pooled = row(made, "bad").pooled
        assert (pooled.hits, pooled.missed, pooled.false) == (0, 6, 18)
        assert row(made, "good").pooled.f1 == 1.0

    def test_seconds_are_the_median_of_runs_that_ended(self):
        timed = [replace(o, seconds=s) for o, s in zip(GOOD, (1, 2, 3, 4, 50, None), strict=True)]
        assert row(study([*timed, *BAD], SUITE), "good").seconds == 3
        assert row(study([*timed, *BAD], SUITE), "bad").seconds is None


GRID = [
    outcome(name, "m", places, configuration=spec, default=spec == "first")
    for name, found in {
        "s0": {"first": (50,), "second": (10,), "third": None},
        "s1": {"first": (10,), "second": (50,), "third": (10, 20, 50)},
    }.items()
    for spec, places in found.items()
]


class TestModes:
    suite = Dataset("two", SUITE.members[:2])

    def made(self, mode):
        other = [outcome(n, "other", (50, 90)) for n in ("s0", "s1")]
        return study([*GRID, *other], self.suite, mode=mode)

    def test_best_is_the_best_of_each_series(self):
        found = row(self.made(Mode.BEST), "m")
        assert found.means["f1"] == 1.0
        assert (found.configurations, found.runs, found.failures) == (3, 6, 1)
        assert found.configuration == ""
        assert found.pooled is None

    def test_for_each_metric_by_itself(self):
        made = self.made(Mode.BEST)
        entry = made.table.entries["m", "s1"]
        assert entry.scores["recall"] == 1.0
        assert entry.scores["false_alarms"] == 0.0
        assert entry.outcome.configuration == "second"

    def test_the_best_single_setting_has_a_score_everywhere(self):
        fixed = row(self.made(Mode.BEST), "m").fixed
        assert fixed.configuration == "first"
        assert fixed.mean == pytest.approx((1 + 0.5) / 2)

    def test_default_takes_the_default_only(self):
        found = row(self.made(Mode.DEFAULT), "m")
        assert (found.configurations, found.runs) == (1, 2)
        assert found.means["f1"] == pytest.approx((1 + 0.5) / 2)

    def test_without_a_default_nothing_is_guessed(self):
        unmarked = [replace(o, default=False) for o in GRID]
        with pytest.raises(InputError, match=r"s0: of 3 outcomes of m none is of its default"):
            study(unmarked, self.suite)
        marked = [replace(o, default=True) for o in GRID]
        with pytest.raises(InputError, match="several is of its default"):
            study(marked, self.suite)


class TestAdvice:
    def test_names_the_leader_its_lead_and_what_is_alike(self):
        near = everywhere("near", (50, 90))
        made = study([*GOOD, *near, *everywhere("zero", ())], SUITE)
        said = " ".join(made.advice)
        assert "good has the best mean F1, 1.000 (95 % interval" in said
        assert "It leads near, the next, by 0.200" in said
        assert "Finding nothing at all (zero) gives 0.667" in said
        assert made.ranking.leader.method == "good"
        assert made.ranking.ranks == {"good": 1.0, "near": 2.0, "zero": 3.0} or len(
            made.ranking.ranks
        )

    def test_a_measure_by_which_silence_is_best_is_named_as_such(self):
        said = study([*BAD, *everywhere("zero", ())], SUITE).advice
        assert any("choose another one; f1_matched does not reward silence" in s for s in said)

    def test_the_best_of_a_grid_is_said_to_be_an_upper_bound(self):
        made = study([*GOOD, *BAD], SUITE, mode=Mode.BEST)
        assert "which nobody can do on new data" in made.advice[0]

    def test_behind_is_positive_whichever_way_is_better(self):
        for metric in ("f1", "hausdorff"):
            ranking = study([*GOOD, *BAD], SUITE, metrics=[metric]).ranking
            assert [s.method for s in ranking.standings] == ["good", "bad"]
            assert ranking.standings[1].behind.estimate > 0
            assert ranking.standings[0].behind is None
            assert ranking.standings[1].ranks == (2.0,) * 6

    def test_one_method_or_one_series_is_not_compared(self):
        assert study(GOOD, SUITE).ranking is None
        single = Dataset("one", SUITE.members[:1])
        made = study([GOOD[0], BAD[0]], single)
        assert made.ranking is None
        assert made.advice[0].startswith("Nothing to compare")

    def test_the_fastest_of_those_alike_is_named_where_it_matters(self):
        slow = [replace(o, seconds=10.0) for o in GOOD]
        near = [*everywhere("fast", (51,))[:5], outcome("s5", "fast", (70,))]
        fast = [replace(o, seconds=1.0) for o in near]
        made = study([*slow, *fast, *everywhere("zero", ())], SUITE)
        (said,) = fastest(made.table, made.ranking)
        assert said.endswith("fast is the fastest, 10 times as fast as good.")
        assert not any("fastest" in sentence for sentence in made.advice)
        made = study([*GOOD, *fast], SUITE)
        assert fastest(made.table, made.ranking) == ()

    def test_an_unknown_metric_is_refused(self):
        with pytest.raises(UsageError, match=r"unknown metric 'cover' \(did you mean covering\?\)"):
            study(GOOD, SUITE, metrics=["cover"])


class TestStore:
    def test_what_was_written_is_read(self, tmp_path):
        pytest.importorskip("polars")
        outcomes = [
            replace(GOOD[0], seconds=0.5, parameters={"q": 5}),
            outcome("s1", "m", None, error="too <short>", default=False),
            outcome("s2", "m", None, status=Status.TIMEOUT),
            outcome("s3", "m", (1, 2)),
        ]
        path = tmp_path / "study.parquet"
        write_outcomes(score(outcomes, SUITE, margin=5), path, origin(SUITE, Mode.DEFAULT, 5))
        assert path.read_bytes().startswith(MAGIC)
        found, provenance = read_outcomes(path)
        assert found == outcomes
        assert provenance["suite_digest"] == suite_digest(SUITE)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["study.parquet"]

    def test_scores_are_columns(self, tmp_path):
        pl = pytest.importorskip("polars")
        path = tmp_path / "study.parquet"
        write_outcomes(score([GOOD[0], outcome("s1", "m")], SUITE, margin=5), path)
        assert pl.read_parquet(path)["f1"].to_list() == [1.0, None]

    def test_another_file_is_refused(self, tmp_path):
        pl = pytest.importorskip("polars")
        path = tmp_path / "other.parquet"
        pl.DataFrame({"a": [1]}).write_parquet(path)
        with pytest.raises(InputError, match="holds no outcomes of a study"):
            read_outcomes(path)
        path.write_bytes(MAGIC + b"nonsense" * 20)
        with pytest.raises(InputError, match=r"other\.parquet: no usable Parquet file"):
            read_outcomes(path)
        metadata = {"stepmark": json.dumps({"schema": "stepmark.outcomes/1"})}
        pl.DataFrame({"series": [1]}).write_parquet(path, metadata=metadata)
        with pytest.raises(InputError, match="column series is Int64, not String"):
            read_outcomes(path)

    def test_a_row_that_is_no_outcome_is_named(self, tmp_path):
        pl = pytest.importorskip("polars")
        path = tmp_path / "study.parquet"
        write_outcomes(score([GOOD[0]], SUITE, margin=5), path)
        metadata = {"stepmark": json.dumps({"schema": "stepmark.outcomes/1"})}
        bad = pl.read_parquet(path).with_columns(pl.lit("perhaps").alias("status"))
        bad.write_parquet(path, metadata=metadata)
        with pytest.raises(InputError, match="row 0 is no outcome"):
            read_outcomes(path)

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path):
        pytest.importorskip("polars")
        with pytest.raises(OutputError, match="cannot be written"):
            write_outcomes([], tmp_path / "missing" / "study.parquet")

    def test_the_digest_is_of_series_and_labels(self):
        other = Dataset("renamed", SUITE.members)
        assert suite_digest(other) == suite_digest(SUITE)
        relabelled = Dataset("suite", (labelled("s0", {"a": (51,)}), *SUITE.members[1:]))
        assert suite_digest(relabelled) != suite_digest(SUITE)


class TestWhatTakesPart:
    def test_without_names_all_that_is_installed(self):
        chosen = {c.method: c for c in candidates((), Mode.DEFAULT)}
        assert set(METHODS) - {"prophet"} <= set(chosen)
        assert {"mdl", "otava", "perfherder"} <= set(chosen)
        assert all(c.default for c in chosen.values())
        assert chosen["mongodb"].spec == "edivisive"

    @pytest.mark.parametrize(
        ("method", "best", "larger"),
        [
            ("amoc", 126, 864),
            ("pelt", 126, 864),
            ("binseg", 252, 1728),
            ("segneigh", 252, 1728),
            ("cpnp", 28, 432),
            ("kcpa", 14, 202),
            ("rfpop", 4, 2424),
            ("bocpd", 81, 500),
            ("ecp", 24, 24),
            ("zero", 1, 1),
        ],
    )
    def test_grids_have_the_published_sizes(self, method, best, larger):
        assert len(candidates([method], Mode.BEST)) == best
        assert len(candidates([method], Mode.ORACLE)) == larger
        assert len(set(oracle(METHODS[method]))) == larger

    @pytest.mark.parametrize("method", ["amoc", "segneigh", "cpnp", "kcpa", "rfpop", "bocpd"])
    def test_larger_grids_are_specs_that_can_be_read(self, method):
        for spec in oracle(METHODS[method]):
            try:
                assert parse_detector(spec).name == method
            except SpecError as error:
                # The benchmark counts combinations that there are not as failures.
                assert "has no parameter" not in str(error)  # noqa: PT017

    def test_manual_penalties_go_from_a_thousandth_to_a_thousand(self):
        specs = oracle(METHODS["kcpa"])
        costs = sorted({parse_detector(spec).cost for spec in specs})
        assert len(costs) == 101
        assert (costs[0], costs[50]) == (pytest.approx(1e-3), 1.0)
        assert costs[-1] == pytest.approx(1e3)
        assert math.log10(costs[1] / costs[0]) == pytest.approx(0.06)

    def test_a_full_spec_is_a_method_of_its_own(self):
        chosen = candidates(["pelt", "pelt( penalty = 10 )", "otava"], Mode.DEFAULT)
        assert [(c.method, c.spec) for c in chosen] == [
            ("pelt", "pelt"),
            ("pelt(penalty=10)", "pelt(penalty=10)"),
            ("otava", "otava"),
        ]
        assert len(candidates(["pelt(penalty=10)"], Mode.BEST)) == 1
        assert len(candidates(["edivisive"], Mode.BEST)) == 12

    def test_the_default_is_marked_in_a_grid(self):
        marked = [c.spec for c in candidates(["pelt"], Mode.BEST) if c.default]
        assert [str(parse_detector(spec)) for spec in marked] == ["pelt"]

    @pytest.mark.parametrize("method", METHODS)
    def test_every_grid_has_the_default(self, method):
        if method == "prophet":
            pytest.importorskip("prophet")
        assert sum(c.default for c in candidates([method], Mode.BEST)) == 1

    @pytest.mark.parametrize(
        ("specs", "said"),
        [
            (["pelt", "pelt"], "given twice"),
            (["pealt"], "did you mean"),
            (["mdl", " mdl"], "twice"),
        ],
    )
    def test_mistakes_are_named(self, specs, said):
        with pytest.raises(UsageError, match=said):
            candidates(specs, Mode.DEFAULT)

    def test_series_with_gaps_or_without_labels_are_left_out(self):
        members = (labelled("gap", {"a": (50,)}, gap=True), labelled("bare", {}))
        whole = Dataset("suite", (*SUITE.members, *members))
        kept, notes = scorable(whole, missing=False)
        assert [member.name for member in kept] == [member.name for member in SUITE]
        assert notes[0].startswith("left out, points are missing: gap")
        assert notes[1] == "left out, without labels: bare"
        kept, notes = scorable(whole, missing=True)
        assert "gap" in kept.by_name
        assert len(notes) == 1


@pytest.fixture(scope="module")
def turing(shared_data):
    dataset, notes = scorable(open_dataset(str(shared_data / "tcpd")), missing=False)
    assert len(dataset) == 23
    assert "uk_coal_employ" in notes[0]
    return dataset


class TestTuringData:
    def test_our_detectors_give_the_published_means(self, turing):
        outcomes = run(candidates(list(PUBLISHED), Mode.DEFAULT), turing, workers=2)
        made = study(outcomes, turing)
        assert {r.method: round(r.means["f1"], 4) for r in made.table.rows} == PUBLISHED

    def test_the_stored_results_give_the_same(self, turing, shared_data):
        stored = read_results(shared_data / "tcpd" / "default_results.json")
        outcomes = [o for o in stored if o.series in turing.by_name]
        made = study(outcomes, turing)
        found = {r.method: round(r.means["f1"], 4) for r in made.table.rows}
        assert found | PUBLISHED == found

    @pytest.mark.parametrize(
        "method",
        [
            "amoc",
            "bocpd",
            "cpnp",
            "rfpop",
            "pelt",
            "binseg",
            pytest.param("segneigh", marks=pytest.mark.slow),
        ],
    )
    def test_best_is_what_the_stored_grid_implies(self, turing, shared_data, method):
        stored = read_results(shared_data / "tcpd" / "grid_results.json")
        theirs = [o for o in stored if o.method == method and o.series in turing.by_name]
        ours = run(candidates([method], Mode.BEST), turing, workers=2)
        tables = [study(found, turing, mode=Mode.BEST).table for found in (ours, theirs)]
        for metric in ("f1", "covering"):
            # With more quantiles than points R's cpnp reads beyond its table.
            names = [m.name for m in turing if method != "cpnp" or m.length >= 40]
            values = [
                {name: table.value(method, name, metric) for name in names} for table in tables
            ]
            assert values[0] == pytest.approx(values[1], abs=1e-12)
