# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""SARIF 2.1.0."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from stepmark.config import Thresholds
from stepmark.errors import UsageError
from stepmark.reports.sarif import render

MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# The parts of the standard's schema that these documents use, with what it requires of them.
ESSENCE = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string", "minLength": 1},
                                    "version": {"type": "string"},
                                    "properties": {"type": "object"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "name": {"type": "string"},
                                                "shortDescription": MESSAGE,
                                                "fullDescription": MESSAGE,
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "properties": {"level": LEVEL},
                                                    "additionalProperties": False,
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "additionalProperties": False,
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["message"],
                                        "additionalProperties": False,
                                        "properties": {"level": LEVEL, "message": MESSAGE},
                                    },
                                },
                            },
                        },
                    },
                    "versionControlProvenance": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {
                            "type": "object",
                            "required": ["repositoryUri"],
                            "additionalProperties": False,
                            "properties": {
                                "repositoryUri": {"type": "string", "format": "uri"},
                                "revisionId": {"type": "string"},
                            },
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "ruleIndex", "level"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"enum": ["regression", "improvement", "change"]},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": LEVEL,
                                "message": MESSAGE,
                                "baselineState": {"const": "new"},
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                                "properties": {"type": "object"},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "logicalLocations": {
                                                "type": "array",
                                                "items": {
                                                    "type": "object",
                                                    "additionalProperties": False,
                                                    "properties": {
                                                        "name": {"type": "string"},
                                                        "fullyQualifiedName": {"type": "string"},
                                                        "kind": {"type": "string"},
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
VALIDATOR = Draft202012Validator(ESSENCE)


def run(summary, **options):
    document = json.loads(render(summary, **options))
    VALIDATOR.validate(document)
    (only,) = document["runs"]
    return only


def fingerprints(summary):
    return [r["partialFingerprints"]["stepmark/v1"] for r in run(summary)["results"]]


def test_typical(samples, golden):
    text = render(samples.typical())
    # The interval's last digits differ between versions of scipy.
    found, expected = (
        re.sub(r"(\d\.\d{9})\d+", r"\1", t) for t in (text, golden("typical.sarif", text))
    )
    assert found == expected


@pytest.mark.parametrize("name", ["empty", "untimed", "hostile"])
def test_structure(samples, name):
    summary = getattr(samples, name)()
    assert len(run(summary)["results"]) == sum(1 for _ in summary.changes())


def test_rules_and_levels(samples):
    only = run(samples.typical())
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    assert rules == ["regression", "improvement", "change"]
    found = [(r["ruleId"], r["level"]) for r in only["results"]]
    assert found == [
        ("regression", "error"),
        ("regression", "error"),
        ("improvement", "note"),
        ("improvement", "note"),
        ("change", "warning"),
    ]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in only["results"])


def test_a_change_below_the_thresholds_is_a_note(samples):
    item = samples.series(samples.steps([(20, 1.0), (20, 1.1)]))
    small = samples.summarised(item, [20], thresholds=Thresholds(min_relative=0.5))
    (result,) = run(samples.single(small))["results"]
    assert (result["ruleId"], result["level"]) == ("change", "note")


def test_a_result_says_what_where_and_how_big(samples):
    item = samples.stepped([(20, 4.1), (20, 4.61)], noise=0.0)
    change = replace(item.changes[0], revision="abc123", previous_revision="abc122")
    (result,) = run(samples.single(replace(item, changes=(change,))))["results"]
    text = "Regression of demo/speed/time: +12.4 % (4.10 -> 4.61 ms) at abc123."
    assert result["message"]["text"] == text
    (location,) = result["locations"]
    assert location["logicalLocations"] == [
        {"name": "time", "fullyQualifiedName": "demo/speed/time", "kind": "resource"}
    ]
    values = result["properties"]
    assert values["before"] == pytest.approx(4.1)
    assert values["revision"] == "abc123"
    assert values["index"] == 20


def test_only_new_changes_with_a_gate(samples):
    results = run(samples.typical(gated=True))["results"]
    assert len(results) == 4
    assert {r["baselineState"] for r in results} == {"new"}


def test_fingerprints_outlive_new_points(samples):
    levels = [(40, 5.0), (30, 6.0)]
    before = samples.single(samples.stepped(levels, noise=0.01))
    after = samples.single(samples.stepped([(40, 5.0), (35, 6.1)], noise=0.02, seed=9))
    assert fingerprints(before) == fingerprints(after)


def test_fingerprints_differ_between_changes(samples):
    found = fingerprints(samples.typical())
    assert len(set(found)) == len(found)
    for bare in (
        samples.untimed(),
        samples.single(samples.stepped([(5, 1.0), (5, 2.0), (5, 9.0)])),
    ):
        found = fingerprints(bare)
        assert len(set(found)) == len(found)


def test_provenance_needs_a_repository_and_a_full_hash(samples):
    summary = samples.single(samples.stepped([(20, 1.0), (20, 2.0)]))
    address = "https://example.org/project"
    last = summary.series[0].series.points[-1].revision
    assert run(summary, repository=address)["versionControlProvenance"] == [
        {"repositoryUri": address, "revisionId": last}
    ]
    assert "versionControlProvenance" not in run(summary)
    assert "versionControlProvenance" not in run(samples.untimed(), repository=address)
    with pytest.raises(UsageError, match="javascript"):
        render(summary, repository="javascript:alert(1)")


def test_what_to_know_is_notified(samples):
    (invocation,) = run(samples.typical())["invocations"]
    texts = [n["message"]["text"] for n in invocation["toolExecutionNotifications"]]
    assert len(texts) == 6
    assert "not judged: demo/new/time: fewer than 5 points" in texts
