# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The page of many series: time to render, and size."""

from __future__ import annotations

import pytest

from cases import write_csv
from measures import REPORT_POINTS, REPORT_SERIES
from stepmark.config import Settings
from stepmark.pipeline import analyse, load
from stepmark.reports import render
from stepmark.series import Direction


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    file = tmp_path_factory.mktemp("many") / "many.csv"
    write_csv(file, REPORT_SERIES, REPORT_POINTS)
    return analyse(load([file], "csv", Settings(), Direction.LOWER), Settings())


@pytest.mark.parametrize("output", ["html", "json", "text", "markdown"])
def test_render(benchmark, summary, output):
    benchmark.group = f"{REPORT_SERIES} series of {REPORT_POINTS} points"
    page = benchmark.pedantic(render, (summary, output), rounds=5, warmup_rounds=1)
    benchmark.extra_info["bytes"] = len(page.encode())
    assert f"benchmark_{REPORT_SERIES - 1:03}" in page or output in ("text", "markdown")
