# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's configurations as specs."""

from __future__ import annotations

import json

import pytest

from stepmark.detectors.tcpdbench import METHODS
from stepmark.errors import SpecError
from stepmark.plugins import names, parse_detector

methods = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@methods
def test_every_method_is_a_detector(method):
    assert method.detector in names("detectors")
    assert parse_detector(method.default_spec).name == method.detector


@methods
def test_every_configuration_parses_or_is_refused_with_a_reason(method):
    parsed = 0
    for spec in method.grid():
        try:
            parse_detector(spec)
        except SpecError as error:
            assert method.detector in str(error)  # noqa: PT017 - either way is right
            assert "has no parameter" not in str(error)  # noqa: PT017
        else:
            parsed += 1
    assert parsed


def test_grids_are_those_of_the_benchmark(shared_data):
    document = json.loads((shared_data / "tcpd" / "grids.json").read_text())
    grids = next(grid for name, grid in document.items() if "fork_and_v1" in name)
    for name, method in METHODS.items():
        grid = grids.get(name) or grids.get(f"{name} (fork only)", {})
        sizes = [len(parameter.values) for parameter in method.parameters.values()]
        assert sorted(sizes) == sorted(len(values) for values in grid.values()), name


def test_what_is_not_in_the_grid_is_refused():
    with pytest.raises(KeyError):
        METHODS["amoc"].spec({"penalty": "Manual"})
