# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of the laboratory."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from stepmark.evaluation import journal


def _plugin():
    path = Path(__file__).with_name("plugin.py")
    spec = importlib.util.spec_from_file_location("stepmark_odd_plugin", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """The folder of an installed plug-in with the detector ``odd``."""
    folder = tmp_path / "site"
    folder.mkdir()
    _plugin().install(folder)
    monkeypatch.syspath_prepend(str(folder))
    journal._plugins.cache_clear()
    journal._module_digest.cache_clear()
    yield folder
    sys.modules.pop("odd_detectors", None)
    journal._plugins.cache_clear()
    journal._module_digest.cache_clear()
