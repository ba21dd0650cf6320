# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Numbers, times, directions and names as they are written in files."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from stepmark.errors import InputError
from stepmark.series import Direction, SeriesKey
from stepmark.sources.text import shown

LONGEST_NAME = 4096
LONGEST_UNIT = 100
LONGEST_ATTRIBUTE = 1000

DIRECTIONS = {
    "lower": Direction.LOWER,
    "smaller": Direction.LOWER,
    "less": Direction.LOWER,
    "lower_is_better": Direction.LOWER,
    "smaller_is_better": Direction.LOWER,
    "less_is_better": Direction.LOWER,
    "higher": Direction.HIGHER,
    "bigger": Direction.HIGHER,
    "more": Direction.HIGHER,
    "higher_is_better": Direction.HIGHER,
    "bigger_is_better": Direction.HIGHER,
    "more_is_better": Direction.HIGHER,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPACT = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_YEAR_LAST = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})(\D|$)")
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})(?:[/.-](\d{1,2}))?(?=$|[T ])")
_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
_REPOSITORY = re.compile(r"(?:\w+://|git@)[^/:]+[/:]+(\S+?)(?:\.git)?/*")
_WORDY = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)


class AmbiguousTimeError(ValueError):
    """A time such as 03/04/2026, which means different days in different countries."""


def finite(value: Any) -> float | None:
    """A JSON value as a finite float, or None if it is anything else (true is no number)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def text_of(table: Mapping[str, Any], key: str) -> str:
    """The text under *key*; numbers are written out, anything else is an empty string."""
    value = table.get(key)
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, (bool, dict, list)) else str(value)


def table_of(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under *key*, or an empty one."""
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def attributes_of(**values: str) -> dict[str, str]:
    """The attributes that are not empty, shortened to what can be shown."""
    return {name: shortened(value) for name, value in values.items() if value}


def repository_of(url: str) -> str:
    """The path of a repository in its address (``owner/name``), or the text if it is none."""
    match = _REPOSITORY.fullmatch(url.strip())
    return match[1] if match else url.strip()


def shortened(text: str) -> str:
    """*text* if it is at most 1,000 characters, or its start."""
    return text if len(text) <= LONGEST_ATTRIBUTE else f"{text[: LONGEST_ATTRIBUTE - 3]}..."


def make_key(
    where: str,
    *,
    project: str = "",
    benchmark: str = "",
    metric: str = "value",
    labels: Mapping[str, str] | None = None,
) -> SeriesKey:
    """A key; raises `InputError` naming *where* if one of its parts is absurdly long."""
    pairs = labels or {}
    for part in (project, benchmark, metric, *pairs, *pairs.values()):
        if len(part) > LONGEST_NAME:
            raise InputError(
                f"{where}: the name {shown(part)} is longer than {LONGEST_NAME:,} characters"
            )
    return SeriesKey(project, benchmark, metric, tuple(pairs.items()))


def checked_unit(where: str, unit: str) -> str:
    """*unit*; raises `InputError` naming *where* if it is absurdly long."""
    if len(unit) > LONGEST_UNIT:
        raise InputError(
            f"{where}: the unit {shown(unit)} is longer than {LONGEST_UNIT} characters"
        )
    return unit


def read_direction(where: str, text: str) -> Direction | None:
    """The direction that a word says, None for no word; raises `InputError` naming *where*."""
    if not text:
        return None
    found = DIRECTIONS.get("_".join(text.casefold().replace("-", " ").split()))
    if found is None:
        raise InputError(
            f"{where}: {shown(text)} is no direction; write lower or higher (which is better)"
        )
    return found


def read_time(where: str, text: str) -> datetime | None:
    """The time that *text* means, None for no text; raises `InputError` naming *where*."""
    if not text:
        return None
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise InputError(f"{where}: {shown(text)} is not a time") from None


def parse_time(text: str, time_format: str = "") -> datetime:
    """The time that *text* means, aware; without an offset it is UTC.

    Understood are ISO 8601, ``YYYY-MM-DD HH:MM:SS``, ``YYYY-MM``, dates with slashes or dots and
    the year first, ``YYYYMMDD[HH[MM[SS]]]``, RFC 2822 and git's form, and the Unix epoch in
    seconds, milliseconds, microseconds or nanoseconds, told by magnitude (from 1973). A
    *time_format* of `datetime.strptime` goes before all of them.
    Raises `AmbiguousTimeError` where the year comes last in digits, `ValueError` for the rest.
    """
    text = text.strip()
    if time_format:
        return _aware(datetime.strptime(text, time_format))  # noqa: DTZ007 - made aware here
    if text.isascii() and text.isdigit() and len(text) in _COMPACT:
        try:
            return _plausible(datetime.strptime(text, _COMPACT[len(text)]))  # noqa: DTZ007
        except ValueError:
            return _epoch(text)
    if _NUMBER.fullmatch(text):
        return _epoch(text)
    if _YEAR_LAST.match(text):
        raise AmbiguousTimeError(text)
    if _WORDY.search(text):
        from email.utils import parsedate_to_datetime

        return _aware(parsedate_to_datetime(text))
    return _aware(datetime.fromisoformat(_iso(text)))


def _iso(text: str) -> str:
    text = _OFFSET.sub("", text)
    for zone in (" UTC", " GMT", " Z"):
        text = text.removesuffix(zone)
    match = _YEAR_FIRST.match(text)
    if match is None:
        return text
    return f"{match[1]}-{int(match[2]):02}-{int(match[3] or 1):02}{text[match.end() :]}"


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _plausible(time: datetime) -> datetime:
    if not 1900 <= time.year < 2200:
        raise ValueError("not a year of today")
    return _aware(time)


def _epoch(text: str) -> datetime:
    value = float(text)
    for least, most, in_microseconds in (
        (1e8, 1e11, 1e6),
        (1e11, 1e14, 1e3),
        (1e14, 1e17, 1.0),
        (1e17, 1e20, 1e-3),
    ):
        if least <= value < most:
            return _EPOCH + timedelta(microseconds=round(value * in_microseconds))
    raise ValueError(f"{text} is not a time since 1970")
