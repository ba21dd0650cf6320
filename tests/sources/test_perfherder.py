# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""PERFHERDER_DATA in logs and artifacts."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content, Limits
from stepmark.sources.perfherder import Perfherder
from stepmark.sources.reading import read_source


def parse(text: str, limits: Limits | None = None):
    return Perfherder().parse(Content("x.log", text.encode(), None, limits or Limits()), Columns())


def suite(**more) -> str:
    return json.dumps({"framework": {"name": "f"}, "suites": [{"name": "s", **more}]})


def test_an_artifact(fixtures):
    parsed = read_source(fixtures / "perfherder" / "perfherder-data-browsertime.json")
    value, fcp, score, speedometer = assemble(parsed.measurements)
    options = "{application=firefox,options=fission warm}"
    assert str(value.key) == f"browsertime/amazon/value{options}"
    assert str(fcp.key) == f"browsertime/amazon/fcp{options}"
    assert str(speedometer.key) == "browsertime/speedometer3/value{application=firefox}"
    assert (fcp.unit, fcp.direction) == ("ms", Direction.LOWER)
    assert score.direction is Direction.HIGHER
    assert fcp.points[0].samples == (100, 101, 103)
    assert fcp.points[0].landed == datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
    assert fcp.points[0].attributes == {
        "application_version": "130.0a1",
        "os": "linux",
        "os_version": "18.04",
        "tags": "nightly",
        "value": "101.0",
    }
    assert score.points[0].samples == (70,)
    assert "value" not in score.points[0].attributes


def test_a_log(fixtures):
    parsed = read_source(fixtures / "perfherder" / "live_backing.log")
    assert [(str(m.key), m.samples) for m in parsed.measurements] == [
        ("build_metrics/installer size/value{options=opt}", (102400,)),
        ("build_metrics/installer size/libxul.so{options=opt}", (1024,)),
        ("build_metrics/build times/value", (1800.25,)),
    ]
    (skipped,) = parsed.skipped
    assert skipped.source.endswith("live_backing.log:3")
    assert skipped.reason.startswith("broken JSON: Unterminated string")


def test_a_list_of_documents():
    parsed = parse(f"[{suite(value=1)}, {suite(value=2)}, 5]")
    assert [m.samples for m in parsed.measurements] == [(1,), (2,)]
    assert [s.reason for s in parsed.skipped] == ["no suites in it"]


def test_a_subtest_called_value_is_not_the_suite_s_value():
    parsed = parse(suite(value=1, subtests=[{"name": "value", "value": 5}]))
    assert [str(m.key) for m in parsed.measurements] == ["f/s/value", "f/s/value{subtest=value}"]


@pytest.mark.parametrize(
    ("result", "samples"),
    [
        ({"value": 5, "replicates": []}, (5,)),
        ({"value": 5, "replicates": [1, None]}, (5,)),
        ({"value": 5, "replicates": "many"}, (5,)),
        ({"value": 5, "replicates": [1, float("nan")]}, (5,)),
        ({"replicates": [1, 2]}, (1, 2)),
    ],
)
def test_replicates_if_they_are_numbers(result, samples):
    (measurement,) = parse(suite(**result)).measurements
    assert measurement.samples == samples


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (suite(value="x"), "x.log: nothing could be read: x.log: 's' 'value': no finite value"),
        (suite(subtests=[{"value": 1}]), "x.log: nothing could be read: x.log: 's': subtests[0]"),
        ('{"framework": {}, "suites": [{}]}', "x.log: nothing could be read: x.log: suites[0]: no"),
        ('{"framework": {}, "suites": []}', "x.log: no PERFHERDER_DATA: in it"),
        (
            '{"framework": {}, "suites": [], "pushTimestamp": "soon"}',
            "x.log: nothing could be read: x.log: pushTimestamp 'soon' is not a time",
        ),
        ("PERFHERDER_DATA: {]", "x.log: nothing could be read: x.log:1: broken JSON: Expecting"),
        (
            "PERFHERDER_DATA: " + '{"a":' * 50_000,
            "x.log: nothing could be read: x.log:1: broken JSON: JSON nested too deeply",
        ),
        (
            'PERFHERDER_DATA: {"suites": 1, "suites": 2}',
            "x.log: nothing could be read: x.log:1: broken JSON: not usable JSON: key 'suites'",
        ),
        ("nothing at all", "x.log: no PERFHERDER_DATA: in it"),
    ],
)
def test_nothing_left(text, reason):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value).startswith(reason)


def test_a_line_that_is_too_long():
    text = f"PERFHERDER_DATA: {suite(value=1)}\nPERFHERDER_DATA: {suite(value=1, x='y' * 500)}"
    parsed = parse(text, Limits(max_json_bytes=400))
    assert len(parsed.measurements) == 1
    assert [s.source for s in parsed.skipped] == ["x.log:2"]


ALERTING = {
    "alertThreshold": 0.5,
    "alertChangeType": "absolute",
    "alertSeverity": "critical",
    "minBackWindow": 6,
    "maxBackWindow": 24,
    "foreWindow": 12,
    "shouldAlert": False,
    "publicName": "Amazon (warm)",
}


def test_what_is_said_of_alerts_is_kept():
    subtest = {"name": "fcp", "value": 2, "shouldAlert": True, "foreWindow": 3}
    own, inner = parse(suite(value=1, monitor=True, subtests=[subtest], **ALERTING)).measurements
    assert own.attributes == {
        "alertThreshold": "0.5",
        "alertChangeType": "absolute",
        "alertSeverity": "critical",
        "minBackWindow": "6",
        "maxBackWindow": "24",
        "foreWindow": "12",
        "shouldAlert": "false",
        "publicName": "Amazon (warm)",
        "monitor": "true",
    }
    assert inner.attributes == {
        "alertSeverity": "critical",
        "monitor": "true",
        "shouldAlert": "true",
        "foreWindow": "3",
    }


def test_nothing_is_said_of_alerts():
    (measurement,) = parse(suite(value=1, shouldAlert=None, alertThreshold=[2])).measurements
    assert measurement.attributes == {}


def test_a_log_with_anything_else_in_it():
    log = f"caf\xe9\nINFO - PERFHERDER_DATA: {suite(value=1)} after\n"
    for data in (log.encode("latin-1"), log.encode("utf-16")):
        content = Content("x.log", data)
        assert Perfherder().recognises(content)
        (only,) = Perfherder().parse(content, Columns()).measurements
        assert only.samples == (1,)
