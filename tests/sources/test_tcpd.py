# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The form of the Turing Change Point Dataset."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import assemble
from stepmark.sources.base import Content
from stepmark.sources.reading import read_source
from stepmark.sources.tcpd import TCPD

SERIES = {"label": "V1", "type": "int", "raw": [1, 2]}
DOCUMENT = {"name": "walk", "n_obs": 2, "n_dim": 1, "time": {"index": [0, 1]}, "series": [SERIES]}


def parse(document, columns=Columns()):  # noqa: B008 - frozen
    data = json.dumps(document).encode()
    return TCPD().parse(Content("walk.json", data, PurePath("walk.json")), columns)


def test_each_dimension_is_a_series(fixtures):
    left, right = assemble(read_source(fixtures / "tcpd" / "two_walks.json").measurements)
    assert (str(left.key), str(right.key)) == ("two_walks/left", "two_walks/right")
    assert [p.value() for p in right.points] == [3, 2, 3, 2, 3, 2]
    assert right.points[1].landed == datetime(2020, 2, 1, tzinfo=UTC)


def test_a_missing_value_is_an_absent_point_and_the_others_keep_their_places(fixtures):
    left, _ = assemble(read_source(fixtures / "tcpd" / "two_walks.json").measurements)
    assert [(p.position, p.value()) for p in left.points] == [
        (0, 1.0), (1, 1.5), (3, 4.0), (4, 4.5), (5, 4.25),
    ]  # fmt: skip


def test_without_times(fixtures):
    (one,) = assemble(read_source(fixtures / "tcpd" / "no_times.json").measurements)
    assert (one.timed, len(one)) == (False, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"series": 5}, "walk.json: no TCPD data set: no series list"),
        ({"n_obs": "2"}, "walk.json: n_obs is not a whole number"),
        ({"n_obs": 3, "time": {}}, "walk.json: series[0]: raw is not a list of n_obs = 3 values"),
        ({"n_dim": 2}, "walk.json: n_dim is 2 but there are 1 series"),
        ({"time": {"index": [0]}}, "walk.json: time.index is not a list of n_obs = 2 entries"),
        (
            {"time": {"raw": ["2020", "x"], "format": "%Y"}},
            "walk.json: time.raw[1] 'x' is not a time of the form %Y",
        ),
        ({"time": {"raw": ["1/2/2020", "2/2/2020"]}}, "walk.json: time.raw[0] '1/2/2020' can be"),
        (
            {"series": [{**SERIES, "raw": [1, "2"]}]},
            "walk.json: series[0]: raw[1] is '2', not a finite number",
        ),
        (
            {"series": [{**SERIES, "raw": [1, 10**400]}]},
            "walk.json: series[0]: raw[1] is '1000",
        ),
        (
            {"n_dim": 2, "series": [SERIES, SERIES]},
            "walk.json: series[1]: two series have the label 'V1'",
        ),
        ({"series": [{"raw": [None, None]}]}, "walk.json: no values, all are missing"),
    ],
)
def test_what_does_not_fit(change, message):
    with pytest.raises(InputError) as caught:
        parse({**DOCUMENT, **change})
    assert str(caught.value).startswith(message)


def test_time_format_of_the_settings_wins():
    document = {**DOCUMENT, "time": {"raw": ["1/2/2020", "2/2/2020"], "format": "%Y"}}
    first, _ = parse(document, Columns(time_format="%d/%m/%Y")).measurements
    assert first.landed == datetime(2020, 2, 1, tzinfo=UTC)


def test_reference_data_sets(shared_data):
    files = sorted((shared_data / "tcpd" / "datasets").glob("*.json"))
    assert files
    for file in files:
        parsed = read_source(file)
        document = json.loads(file.read_text())
        values = [x for s in document["series"] for x in s["raw"] if x is not None]
        assert [m.samples[0] for m in parsed.measurements] == values


def test_one_series_as_csv_and_as_tcpd(shared_data):
    folder = shared_data / "mozilla"
    (table,) = assemble(read_source(folder / "4407680.csv").measurements)
    (document,) = assemble(read_source(folder / "tcpd_4407680.json").measurements)
    assert [(p.landed, p.value()) for p in table.points] == [
        (p.landed, p.value()) for p in document.points
    ]
