# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Checks of detectors' parameters: what a spec may say, in one way for all."""

from __future__ import annotations

import math
import sys
from typing import Any

from stepmark.errors import SpecError


def is_number(value: Any) -> bool:
    """Whether *value* is a number that a float can hold; true and false are none, nor is NaN."""
    largest = sys.float_info.max
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and -largest <= value <= largest
    )


def check_positive(detector: str, field: str, value: Any, below: float = math.inf) -> None:
    """Raise `SpecError` where *value* is not a number between 0 and *below*."""
    if not (is_number(value) and 0 < value < below):
        limit = "a positive number" if below == math.inf else f"between 0 and {below:g}"
        raise SpecError(f"{detector}: {field} is {limit}, not {value!r}")


def check_not_negative(detector: str, field: str, value: Any) -> None:
    """Raise `SpecError` where *value* is not 0 or a positive number."""
    if not (is_number(value) and value >= 0):
        raise SpecError(f"{detector}: {field} is 0 or a positive number, not {value!r}")


def check_flag(detector: str, field: str, value: Any) -> None:
    """Raise `SpecError` where *value* is not true or false."""
    if type(value) is not bool:
        raise SpecError(f"{detector}: {field} is true or false, not {value!r}")


def check_count(detector: str, field: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise `SpecError` where *value* is not a whole number from *least* to *most*, if any."""
    if not is_count(value, least) or (most is not None and value > most):
        limit = "" if most is None else f" to {most}"
        raise SpecError(f"{detector}: {field} is a whole number from {least}{limit}, not {value!r}")


def check_count_or_max(detector: str, field: str, value: Any) -> None:
    """Raise `SpecError` where *value* is neither a whole number from 1 nor ``max``."""
    if value != "max" and not is_count(value, 1):
        raise SpecError(f"{detector}: {field} is a whole number from 1, or max, not {value!r}")


def is_count(value: Any, least: int) -> bool:
    """Whether *value* is a whole number from *least*."""
    return type(value) is int and value >= least
