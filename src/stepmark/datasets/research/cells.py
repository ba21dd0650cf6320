# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Single cells: from JSON values or CSV texts to the types of the tables."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stepmark.datasets.research.rules import Ledger
from stepmark.datasets.research.tables import Column, schema_of
from stepmark.extras import require
from stepmark.sources.text import decode_json
from stepmark.sources.values import finite, parse_time

if TYPE_CHECKING:
    from polars import DataFrame, Series

LONGEST_TEXT = 1 << 20
_LONGEST_LIST = 1 << 16

_INT64 = range(-(1 << 63), 1 << 63)
_SHORT = 19  # fewer digits fit into 64 bits
_WHOLE = re.compile(r"[+-]?\d{1,19}(\.0*)?")
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_NOTHING = ("", "nan", "nat", "none", "null")
_SECONDS = re.compile(r"\d{9,11}(\.\d+)?")
_BETWEEN = re.compile(r"[,\s]+")


class WrongCellError(ValueError):
    """A cell that is not of its column's type."""


def whole(value: Any) -> int | None:
    """A whole number that 64 bits hold."""
    if isinstance(value, str):
        if value.isdecimal() and value.isascii() and len(value) < _SHORT:
            return int(value)  # nearly all are
        text = value.strip()
        if text.casefold() in _NOTHING:
            return None
        if not text.isascii() or not _WHOLE.fullmatch(text):
            raise WrongCellError
        number = int(text.partition(".")[0])
    elif value is None:
        return None
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif type(value) is int:
        number = value
    else:
        raise WrongCellError
    if number not in _INT64:
        raise WrongCellError
    return number


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING):
        return None
    try:
        found = finite(float(value) if isinstance(value, str) else value)
    except ValueError:
        found = None
    if found is None:
        raise WrongCellError
    return found


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        value = json.dumps(value, sort_keys=True)
    elif isinstance(value, (bool, int, float)):
        value = str(value)
    if len(value) > LONGEST_TEXT or not _is_unicode(value):
        raise WrongCellError
    text: str = value.replace("\0", "")
    return text


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON may hold halves of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _flag(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().casefold()
    if text in _NOTHING:
        return None
    if text not in _FLAGS:
        raise WrongCellError
    return _FLAGS[text]


def time(value: Any) -> datetime | None:
    """A time in UTC: ISO 8601, which is UTC where it does not say, or seconds of 9 to 11 digits."""
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if text.casefold() in _NOTHING:
        return None
    if text.isascii() and _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    try:
        found = datetime.fromisoformat(text) if len(text) >= 19 else parse_time(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongCellError from None


def _items(value: Any) -> list[Any] | None:
    """The list that *value* is or writes: JSON, Python, ``|a|b|``, ``a, b`` or ``a b``."""
    if value is None or isinstance(value, list):
        return value
    if not isinstance(value, str) or len(value) > _LONGEST_LIST:
        raise WrongCellError
    text = value.strip()
    if text.startswith("["):
        return _written_list(text)
    parts = text.split("|") if "|" in text else _BETWEEN.split(text)
    return [part for part in parts if part.strip()]


def _written_list(text: str) -> list[Any]:
    try:
        found, end = decode_json(text)
    except ValueError:
        try:
            found, end = ast.literal_eval(text), len(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise WrongCellError from None
    if not isinstance(found, list) or end != len(text):
        raise WrongCellError
    return found


def _texts(value: Any) -> list[str] | None:
    items = _items(_unspelled(value))
    if items is None:
        return None
    # An empty list is written [""] by the API.
    found = [_text(item) for item in items if item not in ("", None)]
    return [text for text in found if text is not None]


def _unspelled(value: Any) -> Any:
    """A text whose characters were taken for the items of a list (``|a|b| |c|``) as it was."""
    parts = value.strip().split("|")[1:-1] if isinstance(value, str) else []
    return "".join(parts) if len(parts) > 1 and all(len(part) == 1 for part in parts) else value


def _wholes(value: Any) -> list[int] | None:
    items = _items(value)
    if items is None:
        return None
    bare = [item.get("id") if isinstance(item, dict) else item for item in items]
    found = [whole(item) for item in bare]
    return [number for number in found if number is not None]


def parsed_times(texts: Series) -> Series:
    """The times that *texts* mean, as `time` reads them; null for what is no time."""
    pl = require("polars")
    kind = pl.Datetime("us", "UTC")
    made: Series
    if texts.null_count() == texts.len():
        made = texts.cast(kind)
        return made
    # Series share their pushes: few of many times differ.
    known = texts.cast(pl.String).unique().drop_nulls()
    iso = known.str.replace(" ", "T", literal=True).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f", time_unit="us", time_zone="UTC", strict=False
    )
    other = known.filter(iso.is_null())
    if other.len():
        read = pl.Series([_time_or_none(text) for text in other], dtype=kind)
        known, iso = known.filter(iso.is_not_null()).append(other), iso.drop_nulls().append(read)
    made = texts.cast(pl.String).replace_strict(known, iso, default=None, return_dtype=kind)
    return made.alias(texts.name)


def _time_or_none(text: str) -> datetime | None:
    try:
        return time(text)
    except WrongCellError:
        return None


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "whole": whole,
    "number": _number,
    "flag": _flag,
    "time": time,
    "texts": _texts,
    "wholes": _wholes,
}


class Rows:
    """Rows of a table as they are read: cells that are wrong become empty and are counted."""

    __slots__ = ("_cells", "_columns", "_ledger")

    def __init__(self, columns: Iterable[Column], ledger: Ledger) -> None:
        self._columns = [(column, CONVERTERS[column.kind]) for column in columns]
        self._cells: dict[str, list[Any]] = {column.name: [] for column, _ in self._columns}
        self._ledger = ledger

    def add(self, where: str, cell: Callable[[Column], Any]) -> None:
        """A row whose cells *cell* gives; *where* names it in examples."""
        for column, convert in self._columns:
            value = cell(column)
            try:
                converted = None if value is None else convert(value)
            except WrongCellError:
                self._ledger.add("cell-wrong", 1, [f"{where}: {column.name}: {value!r:.60}"])
                converted = None
            self._cells[column.name].append(converted)

    def frame(self) -> DataFrame:
        """The rows as a frame."""
        pl = require("polars")
        types = schema_of(column for column, _ in self._columns)
        made: DataFrame = pl.DataFrame(
            [pl.Series(name, cells, dtype=types[name]) for name, cells in self._cells.items()]
        )
        return made


def at(tables: Mapping[str, Any], path: str) -> Any:
    """What lies under *path*, keys joined by dots; None where anything is missing."""
    found: Any = tables
    for key in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found
