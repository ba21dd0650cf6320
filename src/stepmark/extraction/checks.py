# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a server answers, checked for the form it must have before it is used."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from stepmark.remote import BrokenError

_BIGGEST = 2**63 - 1


class FormError(BrokenError):
    """An answer that has not the form that it should have."""

    def __init__(self, what: str, wanted: str, value: Any) -> None:
        super().__init__(what, f"{wanted} is due, not {repr(value)[:60]}")
        self.reason = f"{what}: {self.reason}"


def an_object(value: Any, what: str) -> dict[str, Any]:
    """*value* if it is a JSON object."""
    if not isinstance(value, dict):
        raise FormError(what, "an object", value)
    return value


def a_list(value: Any, what: str) -> list[Any]:
    """*value* if it is a JSON list."""
    if not isinstance(value, list):
        raise FormError(what, "a list", value)
    return value


def objects(value: Any, what: str) -> list[dict[str, Any]]:
    """*value* if it is a list of objects."""
    return [an_object(item, what) for item in a_list(value, what)]


def a_whole(value: Any, what: str) -> int:
    """*value* if it is a whole number of at most 63 bits."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _BIGGEST:
        raise FormError(what, "a whole number", value)
    return value


def a_number(value: Any, what: str) -> float:
    """*value* if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FormError(what, "a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FormError(what, "a finite number", value)
    return number


def a_text(value: Any, what: str) -> str:
    """*value* if it is a text that can be written as Unicode."""
    if not isinstance(value, str):
        raise FormError(what, "a text", value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FormError(what, "Unicode text", value) from None
    return value


def a_time(value: Any, what: str) -> datetime:
    """The aware time of an ISO text; one without offset is in UTC, as Treeherder writes them."""
    try:
        time = datetime.fromisoformat(a_text(value, what))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FormError(what, "a time", value) from None
