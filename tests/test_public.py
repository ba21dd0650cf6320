# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the package offers by name, and that offering it costs nothing."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import stepmark
from stepmark.plugins import BUILTIN

PUBLIC = {
    "Aggregate", "Change", "Detection", "Direction", "Measurement", "Segment", "Series",
    "SeriesKey", "Signal", "StepmarkError", "Verdict", "__version__", "describe", "detect", "read",
}  # fmt: skip


def modules_after(statement):
    """The top-level modules that a fresh interpreter has loaded after *statement*."""
    code = f"{statement}; import sys; print(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_all_public_names():
    assert set(stepmark.__all__) == PUBLIC
    assert len(stepmark.__all__) == len(PUBLIC)
    assert sorted(stepmark.__all__) == stepmark.__all__


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there(name):
    value = getattr(stepmark, name)
    assert name in dir(stepmark)
    if isinstance(value, type):
        assert pickle.loads(pickle.dumps(value)) is value


def test_modules_are_there_without_being_imported():
    assert stepmark.detectors.MDL is stepmark.plugins.load("detectors", "mdl")
    assert {"detectors", "errors"} <= set(dir(stepmark))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        stepmark.detekt  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'PELTT'"):
        stepmark.detectors.PELTT  # noqa: B018


def test_every_detector_is_a_name_of_detectors():
    homes = {home.partition(":")[2] for home in BUILTIN["detectors"].values()}
    assert set(stepmark.detectors.__all__) == homes


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import stepmark", {"numpy", "scipy", "rich", "bokeh", "cyclopts"}),
        ("import stepmark.detectors.mdl", {"numpy", "scipy", "rich", "bokeh", "cyclopts"}),
        ("import stepmark.cli", {"numpy", "scipy", "bokeh"}),
        ("import stepmark.cli.check", {"numpy", "scipy", "bokeh"}),
        ("import stepmark.pipeline", {"scipy", "bokeh", "rich", "cyclopts"}),
        ("import stepmark; stepmark.detect([1.0, 2.0, 3.0])", {"scipy", "bokeh", "rich"}),
    ],
)
def test_heavy_modules_are_imported_at_use(statement, absent):
    assert not modules_after(statement) & absent


def test_the_watch_on_imports_sees_them():
    assert {"stepmark", "numpy"} <= modules_after("import stepmark, numpy")


def test_the_snippet_of_the_docstring():
    assert stepmark.detect([10.1, 9.9, 10.0, 12.1, 12.0, 11.9]).indices == (3,)
