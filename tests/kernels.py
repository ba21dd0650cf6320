# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The kernels' sources, run by Python itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from stepmark._kernels import loops

FOLDER = Path(loops.__file__).parent
SOURCES = sorted(path for path in FOLDER.glob("[!_]*.py"))


def interpreted(name: str) -> ModuleType:
    """The loops *name* as Python runs them, compiled or not."""
    spec = importlib.util.spec_from_file_location(f"interpreted_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not module.COMPILED
    return module
