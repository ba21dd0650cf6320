# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JSON of the published form ``stepmark.detect/1``."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from datetime import datetime
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from stepmark.changes import Segment
from stepmark.reports.json import render

SCHEMA = json.loads((files("stepmark.reports") / "schema" / "detect-1.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
SUMMARIES = {
    "typical": lambda samples: samples.typical(),
    "gated": lambda samples: samples.typical(gated=True),
    "empty": lambda samples: samples.empty(),
    "untimed": lambda samples: samples.untimed(),
    "hostile": lambda samples: samples.hostile(),
    "many": lambda samples: samples.many(12, 30),
}


def strict(text):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_summary_is_valid(samples, name):
    text = render(SUMMARIES[name](samples))
    VALIDATOR.validate(strict(text))
    assert text.endswith("}\n")
    assert text.isascii()
    assert text.replace("\n", "").isprintable()


def nearly(found, expected):
    """Equal, but for the last digits that differ between versions of scipy."""
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)  # the order of keys is stable too
        for key, value in expected.items():
            nearly(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            nearly(one, other)
    else:
        assert found == expected


def test_typical(samples, golden):
    text = render(samples.typical())
    nearly(strict(text), strict(golden("typical.json", text)))


def test_one_line_a_series(samples):
    summary = samples.many(12, 30)
    lines = render(summary).splitlines()
    assert sum(line.startswith('  {"key":') for line in lines) == 12


def test_the_contract(samples):
    summary = samples.typical()
    document = strict(render(summary))
    assert document["schema"] == "stepmark.detect/1"
    assert document["detector"] == "mdl"
    assert document["outcome"] is None
    assert document["skipped"] == [{"source": "results.csv:14", "reason": "not a number: 'n/a'"}]
    second = document["series"][1]
    item = summary.series[1]
    assert second["key"] == {
        "project": "csit",
        "benchmark": "2n-icx/l2xc/64b-2t1c",
        "metric": "mrr",
        "labels": {"nic": "e810cq"},
    }
    assert (second["unit"], second["direction"], second["n"]) == ("pps", "higher", 120)
    assert [(s["start"], s["stop"], s["n"]) for s in second["segments"]] == [
        (0, 40, 40),
        (40, 75, 35),
        (75, 120, 45),
    ]
    change, expected = second["changes"][0], item.changes[0]
    assert change["index"] == 40
    assert change["position"] == 40
    assert datetime.fromisoformat(change["time"]) == expected.time
    assert change["time"].endswith("+00:00")
    assert change["previous_revision"] == item.series.points[39].revision
    assert change["revision"] == item.series.points[40].revision
    assert change["before"] == second["segments"][0]["mean"] == expected.before.mean
    assert change["after"] == second["segments"][1]["mean"] == expected.after.mean
    assert change["absolute"] == expected.absolute
    assert change["relative"] == expected.relative
    assert change["interval"] == list(expected.interval)
    assert change["relative_interval"] == list(expected.relative_interval)
    assert change["verdict"] == "improvement"
    assert change["score"] == 40.5
    assert change["attributes"] == {"build": "140", "dut_version": "26.02-rc0~40"}


def test_unknown_is_null(samples):
    series = strict(render(samples.untimed()))["series"][0]
    change = series["changes"][0]
    assert series["unit"] is None
    assert series["judgement"] is None
    assert series["note"] is None
    for name in ("time", "revision", "previous_revision"):
        assert change[name] is None
    key = samples.SeriesKey(metric="value")
    bare = samples.summarised(samples.series([0.0, 1.0], key, direction=None), [1])
    series = strict(render(samples.single(bare)))["series"][0]
    assert series["key"] == {"project": None, "benchmark": None, "metric": "value", "labels": {}}
    assert series["direction"] is None
    change = series["changes"][0]
    for name in ("relative", "interval", "relative_interval", "score"):
        assert change[name] is None
    assert series["segments"][0]["std"] is None


def test_the_gate_says_which_changes_are_new(samples):
    document = strict(render(samples.typical(gated=True)))
    assert document["outcome"] == "fail"
    second = document["series"][1]["judgement"]
    assert second == {"outcome": "fail", "reason": "a new group is worse", "changes": [75]}
    assert document["series"][5]["judgement"]["outcome"] == "unjudged"


def test_numbers_that_are_not_finite_are_null(samples):
    item = samples.stepped([(5, 1.0), (5, 2.0)])
    wild = replace(
        item.changes[0],
        before=Segment(0, 5, -1e308, math.inf),
        absolute=math.inf,
        relative=math.nan,
        score=-math.inf,
    )
    summary = samples.single(replace(item, changes=(wild,)))
    change = strict(render(summary))["series"][0]["changes"][0]
    for name in ("absolute", "relative", "score", "interval", "relative_interval"):
        assert change[name] is None
    assert change["before"] == -1e308


def test_names_come_back_as_they_were(samples):
    document = strict(render(samples.hostile()))
    found = [series["key"]["benchmark"] for series in document["series"]]
    assert found == list(samples.HOSTILE)


def paths(*keys):
    def set_value(document, value):
        place = document
        for key in keys[:-1]:
            place = place[key]
        if value is KeyError:
            del place[keys[-1]]
        else:
            place[keys[-1]] = value

    return set_value


CHANGE = ("series", 0, "changes", 0)
REQUIRED = [
    ("schema",),
    ("detector",),
    ("series",),
    ("skipped",),
    *(("series", 0, name) for name in ("key", "unit", "direction", "n", "segments", "changes")),
    *(("series", 0, "key", name) for name in ("project", "benchmark", "metric", "labels")),
    *(("series", 0, "segments", 0, name) for name in ("start", "stop", "n", "mean", "std")),
    *(
        (*CHANGE, name)
        for name in (
            "index",
            "time",
            "revision",
            "previous_revision",
            "before",
            "after",
            "absolute",
            "relative",
            "interval",
            "verdict",
            "score",
        )
    ),
]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((place, KeyError) for place in REQUIRED),
        (("schema",), "stepmark.detect/2"),
        (("series",), {}),
        (("outcome",), "maybe"),
        (("series", 0, "direction"), "up"),
        (("series", 0, "unit"), ""),
        (("series", 0, "n"), -1),
        (("series", 0, "n"), "100"),
        (("series", 0, "key", "labels"), {"a": 1}),
        (("series", 0, "segments", 0, "mean"), "4.1"),
        ((*CHANGE, "index"), 0),
        ((*CHANGE, "index"), 1.5),
        ((*CHANGE, "time"), "2026-03-14T15:09:26"),
        ((*CHANGE, "time"), 1_773_500_966),
        ((*CHANGE, "verdict"), "bad"),
        ((*CHANGE, "interval"), [1.0]),
        ((*CHANGE, "interval"), [1.0, None]),
        ((*CHANGE, "revision"), ""),
        (("skipped",), [{"source": "x"}]),
        (("warnings",), [1]),
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_wrong(samples, place, value):
    document = strict(render(samples.typical()))
    wrong = copy.deepcopy(document)
    paths(*place)(wrong, value)
    assert VALIDATOR.is_valid(document)
    assert not VALIDATOR.is_valid(wrong)


def test_the_schema_lets_fields_be_added(samples):
    document = strict(render(samples.typical()))
    for place in ((), ("series", 0), ("series", 0, "key"), CHANGE, ("series", 0, "trend")):
        paths(*place, "later")(document, {"a": 1})
    VALIDATOR.validate(document)


def test_the_schema_describes_every_field(samples):
    def described(value, schema):
        schema = SCHEMA["$defs"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
        if isinstance(value, dict) and "properties" in schema:
            for name, inner in value.items():
                assert name in schema["properties"], name
                described(inner, schema["properties"][name])
        if isinstance(value, list) and "items" in schema:
            for inner in value:
                described(inner, schema["items"])

    described(strict(render(samples.typical(gated=True))), SCHEMA)
