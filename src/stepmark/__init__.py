# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Stepmark finds the step changes in a history of performance measurements.

::

    import stepmark

    stepmark.detect([10.1, 9.9, 10.0, 12.1, 12.0, 11.9]).indices   # (3,)
    stepmark.read("results.csv")                                   # a list of Series
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepmark.changes import Change, Detection, Segment, Verdict, describe
    from stepmark.errors import StepmarkError
    from stepmark.pipeline import detect, read
    from stepmark.series import (
        Aggregate,
        Direction,
        Measurement,
        Series,
        SeriesKey,
        Signal,
    )

# Names are imported at first use: `import stepmark` costs next to nothing.
_HOMES = {
    "Aggregate": "series",
    "Change": "changes",
    "Detection": "changes",
    "Direction": "series",
    "Measurement": "series",
    "Segment": "changes",
    "Series": "series",
    "SeriesKey": "series",
    "Signal": "series",
    "StepmarkError": "errors",
    "Verdict": "changes",
    "describe": "changes",
    "detect": "pipeline",
    "read": "pipeline",
}
_MODULES = ("detectors", "errors")

__all__ = [
    "Aggregate",
    "Change",
    "Detection",
    "Direction",
    "Measurement",
    "Segment",
    "Series",
    "SeriesKey",
    "Signal",
    "StepmarkError",
    "Verdict",
    "__version__",
    "describe",
    "detect",
    "read",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"stepmark.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"stepmark.{name}")
    raise AttributeError(f"module 'stepmark' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
