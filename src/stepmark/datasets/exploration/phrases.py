# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How readings put numbers. Names from outside stand in them as they are: outputs escape."""

from __future__ import annotations

import math
from collections.abc import Sequence


def share(value: float | None) -> str:
    """A share in percent, such as ``12.5 %``; ``unknown`` for None."""
    if value is None or not math.isfinite(value):
        return "unknown"
    percent = 100 * value
    digits = 0 if percent in (0, 100) else 1 if percent >= 1 else 2
    return f"{percent:.{digits}f} %"


def shares(low: float, high: float) -> str:
    """The ends of an interval of a share: ``10.2 to 14.9 %``."""
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def days(value: float | None) -> str:
    """A span of days in the unit that reads best: ``35 minutes``, ``5.2 hours``, ``3.1 days``."""
    if value is None or not math.isfinite(value):
        return "not reached"
    if value < 2 / 24:
        return f"{value * 1440:.0f} minutes"
    return f"{value * 24:.1f} hours" if value < 2 else f"{value:.1f} days"


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits; ``unknown`` for None."""
    if value is None or not math.isfinite(value):
        return "unknown"
    if value and abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def listed(parts: Sequence[str]) -> str:
    """*parts* as an English list: ``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def counted(count: int, noun: str, many: str = "") -> str:
    """A count with its noun: ``1 alert``, ``2 alerts``, ``2 series``."""
    if count == 1 or noun == "series":
        return f"{count:,} {noun}"
    return f"{count:,} {many or noun + 's'}"
