# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Summaries of k6 in its three shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction
from stepmark.sources.base import Content
from stepmark.sources.k6 import K6
from stepmark.sources.reading import find_format, read_source

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


@pytest.fixture
def folder(fixtures):
    return fixtures / "k6"


def parse(document):
    return K6().parse(Content("x.json", json.dumps(document).encode()), Columns())


def found(parsed) -> dict[str, tuple]:
    return {str(m.key): (m.samples[0], m.unit, m.direction) for m in parsed.measurements}


def test_summary_export(folder):
    parsed = read_source(folder / "summary-export.json")
    numbers = found(parsed)
    assert numbers["http_req_duration/med"] == (140.96, "ms", LOWER)
    assert numbers["http_req_duration/p(95)"] == (148.21, "ms", LOWER)
    assert numbers["http_req_duration/avg{expected_response=true}"] == (141.0, "ms", LOWER)
    assert numbers["http_req_blocked/max"] == (1350.0, "ms", LOWER)
    assert numbers["iteration_duration/min"] == (120.3, "ms", LOWER)
    assert numbers["http_req_failed/rate"] == (0.06666666666666667, "", LOWER)
    assert numbers["checks/rate"] == (0.9333333333333333, "", HIGHER)
    assert numbers["http_reqs/rate"] == (6.561089, "1/s", HIGHER)
    assert numbers["http_reqs/count"] == (45, "", None)
    assert numbers["data_received/rate"] == (191000.5, "bytes/s", None)
    assert numbers["data_sent/count"] == (82944, "bytes", None)
    assert numbers["my_gauge/value"] == (4, "", None)
    assert not any(key.startswith("vus") for key in numbers)
    first = parsed.measurements[0]
    assert (first.landed, first.run, first.revision) == (None, "", "")
    assert dict(first.attributes) == {"vus": "1", "vus_max": "1"}


def test_thresholds_of_summary_export_are_inverted(folder):
    for name, failed in [
        ("summary-export.json", "p(90)<140"),
        ("handle-summary.json", "p(99.9)<150"),
    ]:
        parsed = read_source(folder / name)
        assert {
            m.attributes.get("failed_thresholds")
            for m in parsed.measurements
            if m.key.benchmark == "http_req_duration" and not m.key.labels
        } == {failed}


def test_handle_summary(folder):
    parsed = read_source(folder / "handle-summary.json")
    numbers = found(parsed)
    assert [key for key in numbers if key.startswith("http_req_duration/")] == [
        "http_req_duration/avg",
        "http_req_duration/med",
        "http_req_duration/p(95)",
        "http_req_duration/p(99.9)",
        "http_req_duration/avg{group=::log in,status=200}",
        "http_req_duration/med{group=::log in,status=200}",
        "http_req_duration/p(95){group=::log in,status=200}",
        "http_req_duration/p(99.9){group=::log in,status=200}",
    ]
    assert numbers["http_req_failed/rate"] == (0.0666, "", LOWER)
    assert numbers["checks/rate"] == (0.9333, "", HIGHER)
    # What a metric of one's own counts, only its author knows.
    assert numbers["rows_read/med"] == (12, "", None)
    assert numbers["dropped_iterations/count"] == (4, "", LOWER)
    assert dict(parsed.measurements[-1].attributes) == {"vus": "2", "duration": "6.8605 s"}


def test_the_newer_summary(folder):
    parsed = read_source(folder / "machine-readable.json")
    assert {m.key.label_map["script"] for m in parsed.measurements} == {"checkout.js"}
    numbers = {key.removesuffix("{script=checkout.js}"): n for key, n in found(parsed).items()}
    assert numbers["http_req_duration/p(90)"] == (387.65, "ms", LOWER)
    # 1,500 requests in 60 seconds.
    assert numbers["http_reqs/rate"] == (25.0, "1/s", HIGHER)
    assert numbers["http_req_failed/rate"] == (0.02, "", LOWER)
    assert numbers["checks_succeeded/rate"] == (0.95, "", HIGHER)
    assert numbers["checks_failed/rate"] == (0.05, "", LOWER)
    first = parsed.measurements[0]
    assert first.landed == datetime(2026, 11, 1, 10, 30, 45, 123000, tzinfo=UTC)
    assert first.run == "checkout.js/2026-11-01T10:30:45.123Z"
    assert dict(first.attributes) == {"k6": "1.8.0", "duration": "60 s", "vus": "10"}


def test_keys_in_snake_case(folder):
    parsed = read_source(folder / "snake-case.json")
    first = parsed.measurements[0]
    assert first.landed == datetime(2026, 5, 19, 8, tzinfo=UTC)
    assert first.attributes["k6"] == "1.7.1"
    assert found(parsed)["http_reqs/rate{script=checkout.js}"] == (30.0, "1/s", HIGHER)


def test_checks_as_the_schema_has_them():
    checks = {
        "checksSucceeded": {"name": "checks_succeeded", "type": "rate", "values": {"rate": 1}}
    }
    document = {"metrics": {}, "results": {"checks": {"metrics": checks}}}
    assert found(parse(document)) == {"checks_succeeded/rate": (1, "", HIGHER)}


def test_a_metric_without_numbers_is_left_out():
    parsed = parse({"metrics": {"a": {"count": 1, "rate": 2}, "b": {"values": {"x": "y"}}}})
    assert list(found(parsed)) == ["a/rate", "a/count"]
    assert [s.reason for s in parsed.skipped] == ["'b': no numbers that are known"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x.json: no summary of k6: no JSON object"),
        ({"metrics": []}, "x.json: no summary of k6: no metrics"),
        ({"metrics": {"vus": {"value": 1}}}, "x.json: no numbers in its metrics"),
        (
            {"metrics": {"a": {}}},
            "x.json: nothing could be read: x.json: 'a': no numbers that are known",
        ),
        (
            {"metrics": {"a": {}}, "metadata": {"generatedAt": "soon"}},
            "x.json: 'soon' is not a time",
        ),
    ],
)
def test_no_summary(document, message):
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value).startswith(message)


def test_single_requests_are_no_summary():
    stream = (
        b'{"type":"Metric","data":{"name":"http_reqs","type":"counter"},"metric":"http_reqs"}\n'
        b'{"metric":"http_reqs","type":"Point","data":{"time":"2026-11-01T10:00:00Z","value":1}}\n'
    )
    for data in (stream, stream.partition(b"\n")[2]):
        content = Content("x.json", data)
        assert find_format(content).name == "k6"
        with pytest.raises(InputError, match=r"the single requests of k6 .* --summary-export"):
            K6().parse(content, Columns())
