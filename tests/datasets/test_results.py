# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Stored detections of the Turing benchmark, in all forms, and back."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelled import NAMES, TEXTS, write_json
from stepmark.datasets import results
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError, LimitError, OutputError
from stepmark.sources.base import Limits

RUN = {
    "error": None,
    "command": "Rscript --no-save /x/cpdbench_x.R -i /x/bank.json -p MBIC -f mean -m PELT",
    "script": "/x/cpdbench_changepoint.R",
    "script_md5": "0",
    "hostname": "somewhere",
    "dataset": "bank",
    "dataset_md5": "0",
    "status": "SUCCESS",
    "parameters": {"pen.value": 6.1, "method": "PELT"},
    "result": {"cplocations": [20, 5], "runtime": 0.5},
}
GRID = {
    "_meta": {},
    "pelt": {
        "param_names": ["func", "statistic", "penalty"],
        "results": {
            "bank": [
                [["mean", "Normal", "MBIC"], [20]],
                [["mean", "Normal", "AIC"], []],
                [["mean", "CSS", "AIC"], None, 0],
                [["mean", "CSS", "BIC"], None, 1],
                [["mean", "CSS", "SIC"], [3], "a note, and no failure"],
            ]
        },
        "errors": ["Invalid test statistic", "TIMEOUT"],
    },
}


def by_names(outcomes):
    return sorted(outcomes, key=lambda o: (o.series, o.method, not o.default, o.configuration))


def read(path, document):
    return results.read_results(write_json(path, document))


class TestRuns:
    @pytest.mark.parametrize(
        ("folder", "default"), [("default_pelt", True), ("best_pelt", False), ("pelt", False)]
    )
    def test_a_folder_names_method_and_experiment(self, tmp_path, folder, default):
        write_json(tmp_path / "bank" / folder / "1.json", RUN)
        (outcome,) = results.read_results(tmp_path)
        assert outcome == Outcome(
            "bank",
            "pelt",
            "pelt(f=mean, m=PELT, p=MBIC)",
            places=(5, 20),
            seconds=0.5,
            default=default,
            parameters=RUN["parameters"],
        )
        assert results.read_results(tmp_path / "bank" / folder / "1.json") == [outcome]

    @pytest.mark.parametrize(
        ("status", "expected"),
        [("FAIL", "failed"), ("SKIP", "failed"), ("TIMEOUT", "timeout")],
    )
    def test_a_failure_is_no_result(self, tmp_path, status, expected):
        run = {**RUN, "status": status, "error": "x\n" * 300, "result": {"cplocations": None}}
        (outcome,) = read(tmp_path / "bank" / "pelt" / "1.json", run)
        assert (outcome.status, outcome.places, outcome.seconds) == (expected, (), None)
        assert outcome.error.startswith("x x x")
        assert len(outcome.error) == 200

    def test_a_lone_place_as_r_writes_it(self, tmp_path):
        run = {**RUN, "result": {"cplocations": 7.0}}
        assert read(tmp_path / "bank" / "pelt" / "1.json", run)[0].places == (7,)

    def test_a_negative_place_is_left_out(self, tmp_path):
        run = {**RUN, "result": {"cplocations": [-1, 7]}}
        assert read(tmp_path / "bank" / "pelt" / "1.json", run)[0].places == (7,)

    def test_without_a_command_the_parameters_tell_configurations_apart(self, tmp_path):
        run = {**RUN, "command": ""}
        (outcome,) = read(tmp_path / "bank" / "pelt" / "1.json", run)
        assert outcome.configuration == "pelt(method=PELT, pen.value=6.1)"

    def test_a_lone_file_that_does_not_tell_its_method(self, tmp_path):
        with pytest.raises(InputError, match=r"run\.json: the method is not told; put the file"):
            read(tmp_path / "run.json", RUN)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"status": "DONE"}, "status 'DONE'; known are SUCCESS, FAIL, SKIP, TIMEOUT"),
            ({"dataset": None}, "no field dataset"),
            ({"result": None}, "status SUCCESS, but no cplocations"),
            ({"result": {"cplocations": ["5"]}}, "cplocations: '5' is no index"),
            ({"result": {"cplocations": [1.5]}}, "cplocations: '1.5' is no index"),
            ({"result": {"cplocations": [True]}}, "cplocations: 'True' is no index"),
            ({"result": {"cplocations": [1e300]}}, "is no index"),
            ({"result": {"cplocations": [10**400]}}, "is no index"),
            ({"result": {"cplocations": [{}]}}, "is no index"),
        ],
    )
    def test_what_does_not_fit(self, tmp_path, change, message):
        write_json(tmp_path / "bank" / "pelt" / "1.json", {**RUN, **change})
        with pytest.raises(InputError) as caught:
            results.read_results(tmp_path)
        assert message in str(caught.value)
        assert "1.json: " in str(caught.value)

    def test_a_folder_of_something_else(self, tmp_path):
        with pytest.raises(InputError, match="no results: no <data set>/<method>/"):
            results.read_results(tmp_path)
        write_json(tmp_path / "a" / "b" / "c.json", {"x": 1})
        with pytest.raises(InputError, match=r"c\.json: not the result of a run"):
            results.read_results(tmp_path)
        with pytest.raises(LimitError, match="more than 0 files"):
            results.read_results(tmp_path, Limits(max_files=0))


class TestCollected:
    def test_the_runs_of_one_series(self, tmp_path):
        document = {
            "_signature": "7",
            "best_cpnp": {"status": "SUCCESS", "args": {"nquantiles": 40}, "cplocations": [86]},
            "default_cpnp": {"status": "TIMEOUT", "parameters": {"nquantiles": 10}},
        }
        best, default = read(tmp_path / "7.json", document)
        assert best == Outcome(
            "7", "cpnp", "cpnp(nquantiles=40)", places=(86,), parameters={"nquantiles": 40}
        )
        assert (default.status, default.default, default.error) == ("timeout", True, "TIMEOUT")
        with pytest.raises(InputError, match="'x': not the result of a run"):
            read(tmp_path / "7.json", {**document, "x": 5})

    def test_defaults(self, tmp_path):
        document = {
            "bank": {
                "mongodb": {"cplocations": [20], "params": {"pvalue": 0.01}, "runtime": 1.5},
                "own": {"cplocations": None, "params": {"b": True, "a": "x"}, "runtime": 0},
            }
        }
        first, second = read(tmp_path / "d.json", document)
        assert first == Outcome(
            "bank",
            "mongodb",
            "edivisive",
            places=(20,),
            seconds=1.5,
            default=True,
            parameters={"pvalue": 0.01},
        )
        assert (second.configuration, second.status) == ("own(a=x, b=true)", Status.FAILED)

    def test_a_grid(self, tmp_path):
        outcomes = read(tmp_path / "g.json", GRID)
        assert [o.configuration for o in outcomes[:2]] == [
            "pelt(function=mean, statistic=normal, penalty=mbic)",
            "pelt(function=mean, statistic=normal, penalty=aic)",
        ]
        assert [o.default for o in outcomes] == [True, False, False, False, False]
        assert [o.status for o in outcomes] == ["ok", "ok", "failed", "timeout", "ok"]
        assert [o.error for o in outcomes] == ["", "", "Invalid test statistic", "TIMEOUT", ""]
        assert outcomes[0].parameters == {"func": "mean", "statistic": "Normal", "penalty": "MBIC"}

    def test_a_grid_of_an_unknown_method_or_value(self, tmp_path):
        values = {"results": {"bank": [[["huge"], [1]]]}}
        document = {
            "own": {"param_names": ["size"], **values},
            "rfpop": {"param_names": ["loss"], **values},
        }
        told = [(o.configuration, o.default) for o in read(tmp_path / "g.json", document)]
        assert told == [("own(size=huge)", False), ("rfpop(loss=huge)", False)]

    @pytest.mark.parametrize(
        ("runs", "message"),
        [
            (5, r"pelt: bank\[0\]: not \[\[func, statistic, penalty\], places or null, error\]"),
            ([[["mean"], [1]]], r"pelt: bank\[0\]: not"),
            ([[[[], "Normal", "AIC"], [1]]], r"pelt: bank\[0\]: not"),
            ([[["mean", "Normal", "AIC"], "x"]], r"pelt: bank\[0\]: cplocations: 'x'"),
            ([[["mean", "Normal", "AIC"], None, 7]], r"pelt: bank\[0\]: error 7 is not one of 2"),
        ],
    )
    def test_a_grid_that_does_not_fit(self, tmp_path, runs, message):
        document = {"pelt": {**GRID["pelt"], "results": {"bank": runs}}}
        with pytest.raises(InputError, match=message):
            read(tmp_path / "g.json", document)

    @pytest.mark.parametrize("document", [[], {}, {"a": 5}, {"a": {"b": 5}}, {"_meta": {}}])
    def test_json_of_something_else(self, tmp_path, document):
        with pytest.raises(InputError, match=r"x\.json: "):
            read(tmp_path / "x.json", document)


STATUSES = st.sampled_from(list(Status))
PLACES = st.sets(st.integers(0, 1000), max_size=4).map(lambda s: tuple(sorted(s)))
VALUES = st.one_of(st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), TEXTS)


@st.composite
def outcomes(draw, names=("a", "b")):
    """Outcomes of a grid: every method has parameters of the same names."""
    made = {}
    for _ in range(draw(st.integers(1, 6))):
        status = draw(STATUSES)
        parameters = {name: draw(VALUES) for name in names}
        method = f"m{draw(NAMES)}"
        outcome = Outcome(
            draw(NAMES),
            method,
            results._configuration(method, parameters),
            status,
            draw(PLACES) if status is Status.OK else (),
            draw(st.one_of(st.none(), st.floats(0, 100))),
            {Status.OK: "", Status.FAILED: "a reason", Status.TIMEOUT: "TIMEOUT"}[status],
            draw(st.booleans()),
            parameters,
        )
        made[outcome.series, outcome.method, outcome.configuration] = outcome
    return list(made.values())


class TestBack:
    @settings(max_examples=50, deadline=None)
    @given(outcomes())
    def test_a_tree_keeps_all(self, made):
        with tempfile.TemporaryDirectory() as place:
            results.write_tree(made, Path(place, "tree"))
            assert results.read_results(Path(place, "tree")) == by_names(made)

    @settings(max_examples=50, deadline=None)
    @given(outcomes())
    def test_a_grid_keeps_all_but_times_and_defaults(self, made):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, "grid.json")
            path.write_bytes(results.grid_bytes(made))
            expected = [replace(o, seconds=None, default=False) for o in made]
            assert by_names(results.read_results(path)) == by_names(expected)

    def test_defaults_keep_places_times_and_parameters(self, tmp_path):
        made = [
            Outcome("a", "pelt", "pelt", places=(3,), seconds=0.5, default=True),
            Outcome("b", "pelt", "pelt", Status.FAILED, default=True, parameters={"x": 1}),
        ]
        (tmp_path / "d.json").write_bytes(results.defaults_bytes(made))
        again = results.read_results(tmp_path / "d.json")
        assert [replace(o, error="") for o in again] == made

    def test_what_the_form_has_no_place_for_is_refused(self):
        two = [Outcome("a", "m", spec) for spec in ("m(x=1)", "m(x=2)")]
        with pytest.raises(InputError, match="a: two configurations of m"):
            results.defaults_bytes(two)
        mixed = [Outcome("a", "m", "m"), Outcome("b", "m", "m", parameters={"x": 1})]
        with pytest.raises(InputError, match="m: its configurations have different parameters"):
            results.grid_bytes(mixed)

    def test_one_run_twice_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="a: two outcomes of m"):
            results.write_tree([Outcome("a", "m", "m")] * 2, tmp_path / "tree")
        assert not list(tmp_path.iterdir())

    def test_a_tree_is_replaced_by_force_and_nothing_else_is(self, tmp_path):
        one = [Outcome("a", "m", "m", places=(1,))]
        results.write_tree(one, tmp_path / "tree")
        with pytest.raises(OutputError, match="--force"):
            results.write_tree(one, tmp_path / "tree")
        results.write_tree(one, tmp_path / "tree", force=True)
        (tmp_path / "tree" / "notes.txt").write_text("mine")
        with pytest.raises(OutputError, match=r"notes\.txt"):
            results.write_tree(one, tmp_path / "tree", force=True)

    def test_the_fields_are_those_of_the_benchmark(self, tmp_path):
        results.write_tree([Outcome("bank", "pelt", "pelt", places=(1,))], tmp_path / "tree")
        (path,) = (tmp_path / "tree" / "bank" / "best_pelt").iterdir()
        written = json.loads(path.read_text())
        assert set(RUN) <= set(written)
        assert (written["status"], written["result"]) == (
            "SUCCESS",
            {"cplocations": [1], "runtime": None},
        )


def test_places_that_the_benchmark_does_not_count():
    found = [Outcome("a", "m", "m", places=(0, 1, 8, 9)), Outcome("b", "m", "m", places=(0,))]
    assert [o.places for o in results.cleaned(found, {"a": 10})] == [(1, 8), (0,)]


class TestRealData:
    @pytest.mark.parametrize(
        ("name", "methods", "counts"),
        [
            ("tcpd/default_results.json", 13, {"ok": 304, "failed": 8}),
            ("tcpd/grid_results.json", 8, {"ok": 6868, "failed": 14324}),
            ("mozilla/results_4407680.json", 9, {"ok": 15}),
            ("mozilla/results_5042134.json", 9, {"ok": 18}),
        ],
    )
    def test_is_read_whole(self, shared_data, name, methods, counts):
        found = results.read_results(shared_data / name)
        assert len({o.method for o in found}) == methods
        assert Counter(o.status.value for o in found) == counts

    def test_the_default_of_a_grid_gives_the_default_results(self, shared_data):
        default = results.read_results(shared_data / "tcpd" / "default_results.json")
        known = {(o.series, o.method): o.places for o in default}
        grid = results.read_results(shared_data / "tcpd" / "grid_results.json")
        chosen = [o for o in grid if o.default and o.method != "kcpa"]
        assert {o.method for o in chosen} >= {"amoc", "binseg", "pelt", "segneigh", "bocpd"}
        assert all(known[o.series, o.method] == o.places for o in chosen)
