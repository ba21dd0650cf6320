# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Histories for Apache Otava and Nyrkiö."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.otava import Otava
from stepmark.sources.reading import find_format, read_source

RUN = {"timestamp": 1767225600, "metrics": [{"name": "m", "value": 1}], "attributes": {}}


def parse(document, columns=Columns()):  # noqa: B008 - frozen
    return Otava().parse(Content("x.json", json.dumps(document).encode()), columns)


def test_a_history(fixtures):
    parsed = read_source(fixtures / "otava" / "bank.json")
    throughput, latency, rss = assemble(parsed.measurements)
    assert str(throughput.key) == "example/bank/bank/throughput"
    assert (throughput.unit, throughput.direction) == ("tx/s", Direction.HIGHER)
    assert [p.samples for p in throughput.points] == [(29347,), (30492,), (29662,), (24110,)]
    assert [p.revision for p in throughput.points] == ["958fad8", "6c1eeca", "4b8965a", "e70608b"]
    assert throughput.points[1].landed == datetime(2026, 1, 2, tzinfo=UTC)
    assert throughput.points[0].attributes == {
        "branch": "main",
        "runner": "bench-3",
        "kernel": "6.1",
    }
    assert (latency.direction, len(latency)) == (Direction.LOWER, 3)
    assert (rss.direction, rss.unit, len(rss)) == (None, "MB", 3)
    (failure,) = parsed.failures
    assert (failure.key.metric, failure.revision) == ("latency p99", "4b8965a")
    assert failure.source.endswith("bank.json: [2].metrics[1]")


def test_nyrkio_s_lists_of_one_text_and_newest_first(fixtures):
    parsed = read_source(fixtures / "otava" / "nyrkio.json", columns=Columns(default_benchmark="b"))
    throughput = assemble(parsed.measurements)[0]
    assert str(throughput.key) == "example/bank/b/throughput"
    assert [p.revision for p in throughput.points] == ["958fad8", "6c1eeca", "4b8965a", "e70608b"]
    assert throughput.points[0].attributes == {"branch": "main"}


def test_a_run_that_did_not_pass(fixtures):
    parsed = read_source(fixtures / "otava" / "one_run.json")
    (failure,) = parsed.failures
    assert parsed.measurements == []
    assert (failure.key.metric, failure.reason) == ("überlauf", "the run did not pass")
    assert failure.revision == "2.1"


def test_a_second_import_changes_nothing(fixtures):
    once = read_source(fixtures / "otava" / "bank.json").measurements
    assert assemble([*once, *once]) == assemble(once)


def test_what_otava_prints_is_no_history():
    change = {"metric": "m", "index": 16, "forward_change_percent": "20"}
    text = json.dumps({"bank": [{"time": 1767283200, "attributes": {}, "changes": [change]}]})
    assert not Otava().recognises(Content("out.json", text.encode()))
    with pytest.raises(InputError, match="JSON of no format that is known"):
        find_format(Content("out.json", text.encode()))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([{**RUN, "timestamp": "soon"}], "x.json: [0]: timestamp 'soon' is not a time; seconds"),
        ([{**RUN, "metrics": 5}], "x.json: nothing could be read: x.json: [0]: no metrics list"),
        (
            [{**RUN, "metrics": [{"value": 1}]}],
            "x.json: nothing could be read: x.json: [0].metrics[0]: no name",
        ),
        (
            [{**RUN, "metrics": [{"name": "m", "value": 1, "direction": "up"}]}],
            "x.json: [0].metrics[0]: 'up' is no direction; write lower or higher",
        ),
        ([], "x.json: no runs in it"),
    ],
)
def test_what_cannot_be_read(document, message):
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value).startswith(message)
