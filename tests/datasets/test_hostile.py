# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Whatever JSON or text the files hold, what comes is data or one clear error."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelled import member, tcpd_document, write_json
from stepmark.datasets import results, spreadsheet, tcpd
from stepmark.datasets.labelled import Dataset
from stepmark.datasets.opening import open_dataset
from stepmark.datasets.overview import overview
from stepmark.errors import StepmarkError
from stepmark.reports.dataset import csv_files, render

WORDS = st.one_of(
    st.sampled_from(
        [
            "status",
            "dataset",
            "result",
            "cplocations",
            "params",
            "param_names",
            "results",
            "errors",
            "_signature",
            "method",
            "parameters",
            "SUCCESS",
            "FAIL",
            "one",
            "a",
            "b",
            "name",
            "n_obs",
            "n_dim",
            "series",
            "raw",
            "label",
            "time",
            "format",
            "index",
            "facts",
            "length",
            "key",
            "labels",
            "direction",
            "provenance",
            "schema",
            "digest",
        ]
    ),
    st.text(max_size=5),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.integers(),
    st.floats(),
    WORDS,
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=15,
)
FUZZ = settings(max_examples=150, deadline=None)


def changed(document, path, value):
    """*document* with *value* at one place of it, chosen by numbers."""
    copy = json.loads(json.dumps(document))
    spot = copy
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        step = keys[path.pop() % len(keys)] if path and keys else None
        if step is None:
            return copy
        if not path or not isinstance(spot[step], (dict, list)) or not spot[step]:
            spot[step] = value
            return copy
        spot = spot[step]


PATHS = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@FUZZ
@given(JSON)
def test_results(document):
    with tempfile.TemporaryDirectory() as place, suppress(StepmarkError):
        results.read_results(write_json(Path(place, "x.json"), document))


@FUZZ
@given(PATHS, JSON)
def test_results_that_are_nearly_right(path, value):
    run = {"status": "SUCCESS", "cplocations": [1, 2], "args": {"a": 1}, "runtime": 0.1}
    grid = {"param_names": ["a"], "results": {"one": [[[1], [2]], [[2], None, 0]]}, "errors": ["x"]}
    forms = [
        {"_signature": "one", "best_a": run},
        {"one": {"pelt": {"cplocations": [1], "params": {}, "runtime": 1}}},
        {"pelt": grid},
        {"status": "SUCCESS", "dataset": "one", "method": "a", "result": run, "parameters": {}},
    ]
    for document in forms:
        test_results.hypothesis.inner_test(changed(document, list(path), value))


@FUZZ
@given(PATHS, JSON)
def test_a_document_of_tcpd(path, value):
    right = tcpd_document([1.0, None, 2.0], facts={"a": "b"})
    right["time"] |= {"raw": ["2020", None, "2022"], "format": "%Y"}
    with tempfile.TemporaryDirectory() as place:
        write_json(Path(place, "set", "annotations.json"), {"one": {"a": [2]}})
        write_json(Path(place, "set", "datasets", "one.json"), changed(right, path, value))
        with suppress(StepmarkError):
            whole = tcpd.read_folder(Path(place, "set"))
            for output in ("text", "json", "markdown"):
                assert render(overview(whole), output)
            list(csv_files(whole))
            tcpd.write_folder_of(whole, Path(place, "copy"))


@FUZZ
@given(JSON)
def test_annotations(document):
    with tempfile.TemporaryDirectory() as place, suppress(StepmarkError):
        write_json(Path(place, "datasets", "one.json"), tcpd_document([1.0, 2.0]))
        write_json(Path(place, "annotations.json"), document)
        open_dataset(place)


@FUZZ
@given(PATHS, JSON)
def test_the_document_of_a_folder(own, path, value):
    right = json.loads((own / "dataset.json").read_text())
    with tempfile.TemporaryDirectory() as place, suppress(StepmarkError):
        for table in own.glob("*.parquet"):
            Path(place, table.name).write_bytes(table.read_bytes())
        write_json(Path(place, "dataset.json"), changed({**right, "digest": None}, path, value))
        render(overview(open_dataset(place)), "text")


@FUZZ
@given(st.text(), st.text())
def test_tables(series, labels):
    with tempfile.TemporaryDirectory() as place, suppress(StepmarkError):
        head = "benchmark,position,value\na,1,2\na,2,3\n"
        Path(place, "series.csv").write_text(head + series, "utf-8", "replace")
        head = "series,annotator,position\na,x,2\n"
        Path(place, "labels.csv").write_text(head + labels, "utf-8", "replace")
        spreadsheet.read_folder(Path(place))


@FUZZ
@given(st.one_of(st.text(max_size=60), st.text("synthetic(gaus,n=1.)-e ", max_size=60)))
def test_names_of_data_sets(text):
    with suppress(StepmarkError):
        if len(text) < 30:  # longer ones may ask for much
            open_dataset(text)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder of Stepmark's own form."""
    pytest.importorskip("polars")
    from stepmark.datasets import folder

    place = tmp_path_factory.mktemp("own") / "set"
    folder.write_folder_of(Dataset("set", (member([1.0, None, 3.0], {"a": [2]}),)), place)
    return place
