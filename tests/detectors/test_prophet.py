# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Changes of slope by Prophet, where it is installed; and the clear word where it is not."""

from __future__ import annotations

import builtins
import importlib.util
import math

import numpy as np
import pytest

from stepmark.detectors import Prophet
from stepmark.errors import SignalError, SpecError, UsageError

installed = pytest.mark.skipif(
    importlib.util.find_spec("prophet") is None, reason="the extra prophet is not installed"
)


def test_without_the_extra_the_remedy_is_named(monkeypatch):
    original = builtins.__import__

    def missing(name, *arguments, **keywords):
        if name.partition(".")[0] in ("pandas", "prophet"):
            raise ImportError(f"No module named {name!r}")
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"pip install 'stepmark\[prophet\]'"):
        Prophet().detect([1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    "parameters",
    [
        {"changepoints": 0},
        {"changepoints": "all"},
        {"threshold": -1},
        {"threshold": math.nan},
        {"threshold": True},
        {"seasonality": "auto"},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(SpecError, match="prophet"):
        Prophet(**parameters)


def test_what_needs_no_fit_needs_no_package():
    assert Prophet().detect([3.0] * 50).indices == ()
    assert Prophet().detect([1.0, 2.0]).indices == ()
    with pytest.raises(SignalError, match="point 1 is not a finite number"):
        Prophet().detect([1.0, math.nan, 2.0])


@installed
def test_a_bend_is_found_where_it_is():
    values = np.concatenate([np.full(100, 10.0), 10 + np.arange(100) * 0.2])
    found = Prophet().detect(values)
    assert found.indices
    assert min(abs(place - 100) for place in found.indices) <= 8
    assert all(score >= 0.01 for score in found.scores)


@installed
def test_centralia_and_ozone_as_in_r(shared_data):
    """These do not hang on the version of the optimiser."""
    import json

    file = json.loads((shared_data / "tcpd" / "default_results.json").read_text())
    for name in ("centralia", "ozone", "robocalls"):
        series = json.loads((shared_data / "tcpd" / "datasets" / f"{name}.json").read_text())
        values = series["series"][0]["raw"]
        found = [i for i in Prophet().detect(values).indices if i < len(values) - 1]
        assert found == file[name]["prophet"]["cplocations"]
