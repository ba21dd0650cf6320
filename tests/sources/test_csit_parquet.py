# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Parquet tables of CSIT, which are results of UTI by another road."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import assemble
from stepmark.sources.base import Content
from stepmark.sources.csit_parquet import CSITParquet
from stepmark.sources.reading import find_format, read_source, read_sources

pl = pytest.importorskip("polars")


def parse(**columns):
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return CSITParquet().parse(Content("x.parquet", out.getvalue()), Columns())


def without_tags(measurement):
    attributes = {k: v for k, v in measurement.attributes.items() if k != "tags"}
    return replace(measurement, attributes=attributes)


def test_a_day_of_trending_is_the_tree_it_was_made_of(fixtures):
    table = read_source(fixtures / "csit-parquet" / "mrr.parquet")
    tree = read_source(fixtures / "uti" / "tree")
    # CSIT's tables leave the tags out; all else is the same, runs included.
    assert table.measurements == [without_tags(m) for m in tree.measurements]
    assert [(f.key, f.reason, f.landed) for f in table.failures] == [
        (f.key, f.reason, f.landed) for f in tree.failures
    ]


@pytest.mark.parametrize("name", ["ndrpdr", "soak", "reconf", "hoststack"])
def test_every_type_of_result(fixtures, name):
    table = read_source(fixtures / "csit-parquet" / f"{name}.parquet").measurements
    results = read_source(fixtures / "uti" / f"{name}.info.json").measurements
    assert len(table) == len(results) > 0
    for one, other in zip(table, results, strict=True):
        assert one.key.labels == (("job", f"csit-vpp-perf-{name}-weekly-master-2n-icx"),)
        assert replace(one.key, labels=()) == other.key
        assert (one.samples, one.unit, one.direction) == (
            other.samples,
            other.unit,
            other.direction,
        )
        assert (one.revision, one.landed) == (other.revision, other.landed)


def test_both_together_are_one_history(fixtures):
    files = [fixtures / "csit-parquet" / "mrr.parquet", fixtures / "uti" / "tree"]
    both, alone = (assemble(read_sources(part).measurements) for part in (files, files[:1]))
    assert [(one.key, one.values()) for one in both] == [(one.key, one.values()) for one in alone]


def test_what_is_left_out(fixtures):
    (reason,) = read_source(fixtures / "csit-parquet" / "soak.parquet").skipped
    assert reason.source.endswith("soak.parquet:2")
    assert reason.reason == "no dut_version"
    (latency,) = read_source(fixtures / "csit-parquet" / "ndrpdr.parquet").skipped
    assert latency.source.endswith("ndrpdr.parquet:1")
    assert latency.reason == "latency_reverse left out: a maximum that is not positive"


def test_a_folder_of_parts(fixtures, tmp_path):
    for day in ("01", "02"):
        part = tmp_path / "test_type=mrr" / "year=2026" / f"day={day}" / "part.parquet"
        part.parent.mkdir(parents=True)
        part.write_bytes((fixtures / "csit-parquet" / "mrr.parquet").read_bytes())
    (tmp_path / "_metadata").write_bytes(b"PAR1")
    assert len(read_source(tmp_path).measurements) == 20


def test_a_folder_of_other_parquet_is_no_layout(fixtures):
    with pytest.raises(InputError, match="a folder of no known layout"):
        read_source(fixtures / "parquet")


def test_other_parquet_is_not_taken():
    out = io.BytesIO()
    pl.DataFrame({"time": [1], "v": [2.0]}).write_parquet(out)
    assert find_format(Content("x", out.getvalue())).name == "parquet"


def test_a_test_without_a_number():
    parsed = parse(
        test_id=["t"], dut_type=["vpp"], dut_version=["1"], start_time=[datetime(2026, 3, 1)],  # noqa: DTZ001
        passed=[False], message=["down"], result_type=["unknown"], test_type=["mrr"], build=[17],
        job=["j"],
    )  # fmt: skip
    (failure,) = parsed.failures
    assert (failure.key.metric, failure.reason) == ("receive_rate.rate", "down")
    assert failure.attributes["build"] == "17"


def test_no_tests():
    with pytest.raises(InputError, match=r"nothing could be read: x\.parquet:1: no test_id"):
        parse(job=["j"], result_type=["mrr"])


def test_the_traffic_generator_alone_has_no_version():
    parsed = parse(
        test_id=["t"], dut_type=["none"], dut_version=[""], tg_version=["v3.03"],
        start_time=[datetime(2026, 3, 1)], passed=[True], result_type=["mrr"],  # noqa: DTZ001
        result_receive_rate_rate_values=[[1.0, 2.0]], result_receive_rate_rate_unit=["pps"],
    )  # fmt: skip
    (only,) = parsed.measurements
    assert (only.key.project, only.revision, only.samples) == ("none", "", (1, 2))
    assert only.attributes["tg_version"] == "v3.03"
