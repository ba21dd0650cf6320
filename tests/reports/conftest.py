# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of reports."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The module ``samples`` beside this file, which the importlib mode cannot import by name."""
    name = "stepmark_report_samples"
    if name not in sys.modules:
        path = Path(__file__).with_name("samples.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def golden() -> Callable[[str, str], str]:
    """What ``golden/NAME`` holds; with STEPMARK_WRITE_GOLDEN=1 it is first written anew."""

    def expected(name: str, text: str) -> str:
        path = Path(__file__).with_name("golden") / name
        if os.environ.get("STEPMARK_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        return path.read_text(encoding="utf-8")

    return expected
