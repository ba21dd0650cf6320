# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results of CSIT."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, assemble
from stepmark.sources.base import Content, Parsed
from stepmark.sources.reading import read_source
from stepmark.sources.uti import UTI, is_result_name

HIGHER, LOWER = Direction.HIGHER, Direction.LOWER
JOB = "csit-vpp-perf-mrr-daily-master-2n-icx"


def parse(document: object, path: str | None = None) -> Parsed:
    data = json.dumps(document).encode()
    where = PurePath(path) if path is not None else None
    return UTI().parse(Content("x.info.json", data, where), Columns())


@pytest.fixture
def document(fixtures):
    return json.loads((fixtures / "uti" / "soak.info.json").read_text())


def found(parsed: Parsed) -> list[tuple[str, tuple[float, ...], str, Direction | None]]:
    return [(m.key.metric, m.samples, m.unit, m.direction) for m in parsed.measurements]


def test_a_tree_is_a_history(fixtures):
    parsed = read_source(fixtures / "uti" / "tree")
    one, bandwidth, other, _ = assemble(parsed.measurements)
    assert one.key.project == "vpp"
    assert one.key.benchmark == "tests.vpp.perf.l2.64b-1c-eth-l2xcbase-mrr"
    assert one.key.metric == "receive_rate.rate"
    assert one.key.labels == (("job", JOB),)
    assert (one.unit, one.direction, len(one)) == ("pps", HIGHER, 3)
    assert (bandwidth.key.metric, bandwidth.unit) == ("receive_rate.bandwidth", "bps")
    assert [p.attributes["build"] for p in one.points] == ["98", "99", "100"]
    assert one.points[0].samples == (21000000.0, 21001000.0, 20999500.0)
    assert one.points[0].landed == datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert one.points[0].revision == "26.06-rc0~100-gabcdef0"
    assert one.points[0].attributes == {
        "build": "98",
        "job": JOB,
        "hosts": "192.0.2.44, 192.0.2.46",
        "test_name_long": "e810cq-64b-2t1c-64b-1c-eth-l2xcbase-mrr",
        "test_name_short": "64b-1c-eth-l2xcbase",
        "dut_version": "26.06-rc0~100-gabcdef0",
        "tg_type": "trex",
        "tg_version": "v3.03",
        "tags": "1C, 64B",
    }
    assert len(other) == 2
    assert parsed.skipped == []
    (failure,) = parsed.failures
    assert failure.key == other.key
    assert failure.reason == "TRex stateless runtime error"
    assert failure.attributes["build"] == "99"


def test_a_second_import_changes_nothing(fixtures):
    once = read_source(fixtures / "uti" / "tree").measurements
    assert assemble([*once, *once]) == assemble(once)


def test_ndrpdr(fixtures):
    parsed = read_source(fixtures / "uti" / "ndrpdr.info.json")
    assert found(parsed) == [
        ("ndr.lower.rate", (17.9e6,), "pps", HIGHER),
        ("ndr.lower.bandwidth", (12.0e9,), "bps", HIGHER),
        ("pdr.lower.rate", (18.4e6,), "pps", HIGHER),
        ("pdr.lower.bandwidth", (12.3e9,), "bps", HIGHER),
        ("latency_forward.pdr_0.avg", (4,), "us", LOWER),
        ("latency_forward.pdr_10.avg", (5,), "us", LOWER),
        ("latency_forward.pdr_50.avg", (9,), "us", LOWER),
        ("latency_forward.pdr_90.avg", (13,), "us", LOWER),
    ]
    (skipped,) = parsed.skipped
    assert skipped.reason == "latency_reverse left out: a maximum that is not positive"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "soak",
            [
                ("critical_rate.lower.rate", (16.6e6,), "pps", HIGHER),
                ("critical_rate.lower.bandwidth", (11.1e9,), "bps", HIGHER),
            ],
        ),
        (
            "reconf",
            [
                ("loss.time", (0.002,), "s", LOWER),
                ("loss.packet", (1200,), "packets", LOWER),
                ("aggregate_rate.rate", (5e6,), "pps", HIGHER),
                ("aggregate_rate.bandwidth", (3e9,), "bps", HIGHER),
            ],
        ),
        (
            "hoststack",
            [
                ("bandwidth", (9.1e9,), "bps", HIGHER),
                ("rate", (1e5,), "rps", HIGHER),
                ("latency", (1.5,), "ms", LOWER),
                ("failed_requests", (0,), "requests", LOWER),
                ("completed_requests", (1e6,), "requests", HIGHER),
                ("retransmits", (3,), "packets", LOWER),
                ("duration", (30.1,), "s", LOWER),
            ],
        ),
    ],
)
def test_other_types(fixtures, name, expected):
    assert found(read_source(fixtures / "uti" / f"{name}.info.json")) == expected


def test_a_device_test_has_no_number(fixtures):
    parsed = read_source(fixtures / "uti" / "device.info.json")
    assert parsed.measurements == []
    assert [f.reason for f in parsed.failures] == ["no result (type unknown)"]


def test_a_failed_test_is_no_number_even_if_it_carries_one(document):
    parsed = parse({**document, "passed": False, "message": "link\ndown"})
    assert parsed.measurements == []
    assert [(f.reason, f.key.metric) for f in parsed.failures] == [
        ("link\ndown", "critical_rate.lower.rate")
    ]


@pytest.mark.parametrize(
    ("path", "job", "build"),
    [
        ("/s3/job/17/tests/vpp/x.info.json", "job", "17"),
        ("/s3/job/17/archives/output_info/x.info.json", "job", "17"),
        ("/x.info.json", "", ""),
        ("/17/x.info.json", "", "17"),
        ("/s3/2026/03/x.info.json", "", "03"),
        (None, "", ""),
    ],
)
def test_job_and_build_from_the_path(document, path, job, build):
    measurement = parse(document, path).measurements[0]
    assert measurement.key.label_map.get("job", "") == job
    assert measurement.attributes.get("build", "") == build
    assert measurement.run.startswith(f"{job}/{build}/tests.vpp")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_id": None}, "x.info.json: no UTI test result: no test_id"),
        ({"dut_version": ""}, "x.info.json: no complete UTI test result: dut_version missing"),
        ({"result": {}}, "x.info.json: no complete UTI test result: result missing"),
        ({"result": []}, "x.info.json: no complete UTI test result: result missing"),
        ({"start_time": "soon"}, "x.info.json: start_time: 'soon' is not a time"),
        (
            {"result": {"type": "soak", "critical_rate": {"lower": {"rate": {"value": "many"}}}}},
            "x.info.json: nothing could be read: x.info.json: critical_rate.lower.rate: no finite",
        ),
        ({"result": {"type": "soak"}}, "x.info.json: no numbers in a result of type soak"),
        ({"test_id": "x" * 5000}, "x.info.json: the name "),
    ],
)
def test_incomplete_results(document, change, message):
    with pytest.raises(InputError) as caught:
        parse({**document, **change})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("result", [{"type": "mrr", "receive_rate": 5}, {"type": ["mrr"]}])
def test_odd_shapes_are_no_crash(document, result):
    try:
        parsed = parse({**document, "result": result})
    except InputError:
        return
    assert parsed.measurements == []


def test_mrr_without_trials_has_its_average(document):
    rate = {"avg": 5.0, "stdev": 0.0, "unit": "pps", "values": []}
    (measurement,) = parse(
        {**document, "result": {"type": "mrr", "receive_rate": {"rate": rate}}}
    ).measurements
    assert measurement.samples == (5.0,)


def test_suite_files_are_no_results():
    assert is_result_name("a.info.json.gz")
    assert not is_result_name("suite.info.json")
    assert not is_result_name("teardown.info.json.gz")
    assert not is_result_name("a.json")


def test_reference_files(shared_data):
    parsed = read_source(shared_data / "uti")
    assert len(parsed.failures) == 1
    assert {m.key.metric for m in parsed.measurements} >= {
        "receive_rate.rate",
        "pdr.lower.rate",
        "critical_rate.lower.rate",
        "latency_reverse.pdr_50.avg",
    }


def test_a_run_is_the_same_however_its_time_is_written(document):
    path = "/s3/job/17/x.info.json"
    other = {**document, "start_time": document["start_time"].replace("Z", "+00:00")}
    assert parse(document, path).measurements == parse(other, path).measurements


def test_the_traffic_generator_alone_has_no_version(document):
    parsed = parse({**document, "dut_type": "none", "dut_version": ""})
    first = parsed.measurements[0]
    assert (first.key.project, first.revision) == ("none", "")
    assert first.attributes["tg_version"] == "v3.03"
