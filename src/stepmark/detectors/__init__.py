# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The detectors: frozen dataclasses with one method, `detect(signal) -> Detection`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepmark.plugins import BUILTIN, load

if TYPE_CHECKING:
    from stepmark.detectors.mdl import MDL
    from stepmark.detectors.tmm import TMM
    from stepmark.detectors.zero import Zero

__all__ = ["MDL", "TMM", "Zero"]


def __getattr__(name: str) -> Any:
    for spec, home in BUILTIN["detectors"].items():
        if home.endswith(f":{name}"):
            return load("detectors", spec)
    raise AttributeError(f"module 'stepmark.detectors' has no attribute {name!r}")
