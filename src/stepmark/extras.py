# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Libraries that are no part of the plain installation, asked for where they are needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from stepmark.errors import UsageError

_EXTRAS = {"polars": "data", "httpx": "data", "stamina": "data", "sqlalchemy": "service"}


def require(name: str) -> ModuleType:
    """The module *name*; raises `UsageError` naming the extra that brings it."""
    try:
        return import_module(name)
    except ImportError:
        remedy = f'pip install "stepmark[{_EXTRAS[name]}]"'
        raise UsageError(f"this needs {name}: {remedy}") from None
