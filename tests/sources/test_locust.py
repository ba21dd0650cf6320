# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Statistics of Locust, made by running it; numbers are read off the files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content
from stepmark.sources.locust import Locust
from stepmark.sources.reading import find_format, read_source

HEADER = "Type,Name,Request Count,Failure Count,Median Response Time,Requests/s,95%"


@pytest.fixture
def folder(fixtures):
    return fixtures / "locust"


def parse(text):
    return Locust().parse(Content("x.csv", text.encode()), Columns())


def of(parsed, name) -> dict[str, float]:
    return {m.key.metric: m.samples[0] for m in parsed.measurements if m.key.benchmark == name}


def test_statistics(folder):
    parsed = read_source(folder / "full_stats.csv")
    keys = {(m.key.benchmark, m.key.label_map["method"]) for m in parsed.measurements}
    assert keys == {
        ("/", "GET"),
        ("/big", "POST"),
        ("/broken/%C3%BCber", "GET"),
        ('/slow?id=[id], "quoted"', "GET"),
    }
    assert of(parsed, "/") == {
        "Median Response Time": 2,
        "Average Response Time": 2.343852852203576,
        "Min Response Time": 1.0494970010768156,
        "Max Response Time": 38.611971998761874,
        "Average Content Size": 5,
        "Requests/s": 51.35726904928013,
        "Failures/s": 0,
        "50%": 2,
        "66%": 2,
        "75%": 2,
        "80%": 2,
        "90%": 3,
        "95%": 3,
        "98%": 4,
        "99%": 29,
        "99.9%": 39,
        "99.99%": 39,
        "100%": 39,
    }
    facts = {m.key.metric: (m.unit, m.direction) for m in parsed.measurements}
    assert facts["95%"] == facts["Median Response Time"] == ("ms", Direction.LOWER)
    assert facts["Requests/s"] == ("1/s", Direction.HIGHER)
    assert facts["Failures/s"] == ("1/s", Direction.LOWER)
    assert facts["Average Content Size"] == ("bytes", None)
    assert {(m.landed, m.revision, m.run) for m in parsed.measurements} == {(None, "", "")}


def test_a_request_without_response_times_has_no_zeros(folder):
    parsed = read_source(folder / "mqtt_stats.csv")
    assert of(parsed, "publish {topic}") == {
        "Average Content Size": 10,
        "Requests/s": 7.814848104077139,
        "Failures/s": 0,
    }
    assert of(parsed, "=1+ack")["99.9%"] == 1500
    assert set(of(read_source(folder / "mqtt.json"), "publish {topic}")) == {
        "Average Content Size",
        "Requests/s",
        "Failures/s",
    }


def test_json_gives_what_the_table_would(folder):
    parsed = read_source(folder / "full.json")
    numbers = of(parsed, "/")
    assert set(numbers) == set(of(read_source(folder / "full_stats.csv"), "/"))
    # 277 requests: one of 39 ms, 30 and 29 ms before it, two of 6, three of 4, 46 of 3 ms.
    assert (numbers["99.99%"], numbers["99.9%"], numbers["99%"], numbers["98%"]) == (39, 39, 29, 4)
    assert (numbers["95%"], numbers["80%"], numbers["50%"]) == (3, 2, 2)
    assert numbers["Average Response Time"] == 646.0061470133951 / 277
    assert numbers["Median Response Time"] == 2
    assert numbers["Max Response Time"] == 38.611971998761874
    assert numbers["Average Content Size"] == 5
    # All requests were made in 5.5 seconds.
    assert numbers["Requests/s"] == pytest.approx(50.32, abs=0.01)
    first = parsed.measurements[0]
    assert first.landed == datetime(2026, 11, 22, 6, 9, 29, 453452, tzinfo=UTC)
    assert first.run == first.landed.isoformat()


def test_the_median_is_between_least_and_greatest():
    entry = {
        "name": "a", "method": "GET", "num_requests": 1, "num_none_requests": 0,
        "num_failures": 0, "total_response_time": 1500.4, "min_response_time": 1500.4,
        "max_response_time": 1500.4, "response_times": {"1500": 1}, "start_time": 1795327780.5,
        "last_request_timestamp": 1795327780.5,
    }  # fmt: skip
    numbers = of(parse(json.dumps([entry])), "a")
    assert (numbers["Median Response Time"], numbers["95%"]) == (1500.4, 1500)
    assert "Requests/s" not in numbers


def test_a_history(folder):
    parsed = read_source(folder / "full_stats_history.csv")
    series = {(s.key.benchmark, s.key.metric): s for s in assemble(parsed.measurements)}
    assert not any(name == "Aggregated" for name, _ in series)
    rate = series["/", "Requests/s"]
    assert rate.key.label_map == {"method": "GET", "view": "history"}
    assert [p.landed.second for p in rate.points] == [30, 31, 32, 33, 34]
    # Before there was a request to look back at, there are no percentiles.
    times = series["/", "95%"]
    assert [p.landed.second for p in times.points] == [31, 32, 33, 34]
    assert times.points[0].samples == (3,)
    assert not any(metric.startswith("Total") for _, metric in series)


def test_a_history_of_all_requests_together(folder):
    parsed = read_source(folder / "plain_stats_history.csv")
    assert {str(m.key.benchmark) for m in parsed.measurements} == {"Aggregated"}
    assert {m.key.labels for m in parsed.measurements} == {(("view", "history"),)}
    assert len({m.landed for m in parsed.measurements}) == 4


def test_the_total_is_left_out_where_the_requests_are():
    rows = [HEADER, "GET,Aggregated,3,0,5,1.5,9", ",Aggregated,7,0,6,2.5,9"]
    parsed = parse("\n".join(rows))
    assert of(parsed, "Aggregated")["Requests/s"] == 1.5
    assert of(parse("\n".join([rows[0], rows[2]])), "Aggregated")["Requests/s"] == 2.5


def test_before_1_0():
    text = (
        '"Type","Name","# requests","# failures","Median response time","Requests/s",'
        '"Requests Failed/s","95%"\n"GET","/a",4,1,7,2.0,0.5,9\n'
    )
    assert find_format(Content("x.csv", text.encode())).name == "locust"
    assert of(parse(text), "/a") == {
        "Median Response Time": 7,
        "Requests/s": 2,
        "Failures/s": 0.5,
        "95%": 9,
    }


def test_rows_that_cannot_be_read():
    parsed = parse(f"{HEADER}\nGET,/a,1,0,5,1.5,9\nGET,/b,1\nGET,/c,1,0,x,1.5,9\n")
    assert [(s.source, s.reason) for s in parsed.skipped] == [
        ("x.csv:3", "3 cells in a table of 7 columns"),
        ("x.csv:4", "'x' is not a number"),
    ]


def test_other_tables_are_none_of_it():
    for text in ("Type,Name,value\na,b,1\n", "time,Requests/s\n1,2\n", "Method,Name,Error\n"):
        assert not Locust().recognises(Content("x.csv", text.encode()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER, "x.csv: no requests in it"),
        (f"{HEADER}\n,Aggregated,0,0,0,0.0,N/A\n", "x.csv: no requests in it"),
        ("[]", "x.csv: no requests in it"),
        ("{}", "x.csv: no statistics of Locust: no JSON list"),
        ("[5]", "x.csv: nothing could be read: x.csv: [0]: no name"),
        ('[{"name": "a"}]', "x.csv: nothing could be read: x.csv: [0]: 'a': no requests"),
        ("a,b\n1,2\n", "x.csv:1: not valid JSON"),
        (
            "Timestamp,User Count,Type,Name,Requests/s\nsoon,1,GET,/,5\n",
            "x.csv:2: 'soon' is not a time",
        ),
    ],
)
def test_no_result(text, message):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


def test_before_1_0_the_total_has_the_type_none(folder):
    parsed = read_source(folder / "old_stats.csv")
    assert {m.key.benchmark for m in parsed.measurements} == {"/"}
    found = {m.key.metric: (m.samples, m.direction) for m in parsed.measurements}
    assert found["Median Response Time"] == ((3,), Direction.LOWER)
    assert found["Failures/s"] == ((0,), Direction.LOWER)
    older = parse("Method,Name,# requests,Requests/s\nGET,/,3,1.5\nNone,Total,3,1.5\n")
    assert [str(m.key) for m in older.measurements] == ["//Requests/s{method=GET}"]
