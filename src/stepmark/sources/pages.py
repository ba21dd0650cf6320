# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the pages of a Parquet file say of their size, looked at before anything is unpacked.

A reader that believes a broken page makes room for what cannot be, and that ends the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepmark.errors import LimitError
from stepmark.sources.base import Content

_TAIL = 8  # length of the footer, and the mark at the end
_DEEPEST = 16
_LONGEST_NUMBER = 10
_TRUE, _FALSE, _BYTE, _SHORT, _INT, _LONG, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(
    1, 13
)
# Fields by their numbers in parquet.thrift.
_ROW_GROUPS, _CHUNKS, _META_DATA = 4, 1, 3
_VALUES, _COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE = 5, 7, 9, 11
_UNPACKED_SIZE, _SIZE, _COUNTS, _COUNT = 2, 3, (5, 7, 8), 1


def check_pages(content: Content) -> None:
    """Raise `ValueError` for a page that cannot be, `LimitError` for more than the limits allow."""
    data = content.data
    length = int.from_bytes(data[-_TAIL:-4], "little")
    footer = _Compact(data[-_TAIL - length : -_TAIL], 0).struct()
    unpacked = 0
    for group in _structs(footer.get(_ROW_GROUPS)):
        for chunk in _structs(group.get(_CHUNKS)):
            values, pages = _pages(data, chunk.get(_META_DATA))
            if values > content.limits.max_bytes // 8:
                raise LimitError(f"{content.name}: a column of {values:,} values; split the table")
            for page in pages:
                unpacked += _checked(page, values)
    if unpacked > content.limits.max_bytes:
        raise LimitError(f"{content.name}: unpacks to {unpacked:,} bytes; split the table")


def _pages(data: bytes, about: Any) -> tuple[int, Iterator[dict[int, Any]]]:
    """How many values a column has in a group of rows, and the headers of its pages."""
    # What is encrypted says nothing here.
    fields = about if isinstance(about, dict) else {}
    values, size = _whole(fields, _VALUES), _whole(fields, _COMPRESSED)
    starts = [_whole(fields, name) for name in (_DATA_PAGE, _DICTIONARY_PAGE)]
    start = min(filter(None, starts), default=0)
    return values, _headers(data, start, start + size if start else 0)


def _headers(data: bytes, place: int, end: int) -> Iterator[dict[int, Any]]:
    while place < end:
        reader = _Compact(data, place)
        header = reader.struct()
        yield header
        place = reader.place + _whole(header, _SIZE)


def _checked(page: dict[int, Any], values: int) -> int:
    """The bytes that a page unpacks to; raises `ValueError` if its numbers cannot be."""
    tables = [page[name] for name in _COUNTS if isinstance(page.get(name), dict)]
    if any(_whole(table, _COUNT) > values for table in tables):
        raise ValueError("a page of more values than its column")
    return _whole(page, _UNPACKED_SIZE)


def _whole(fields: dict[int, Any], name: int) -> int:
    """The number of at least 0 in a field, 0 if it is not there; raises `ValueError`."""
    value = fields.get(name, 0)
    if not isinstance(value, int) or value < 0:
        raise ValueError("a size that cannot be")
    return value


def _structs(value: Any) -> list[dict[int, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


@dataclass(slots=True)
class _Compact:
    """Thrift's compact protocol: structs as fields by number, texts left out."""

    data: bytes
    place: int

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The struct at the place, which then is after it."""
        fields: dict[int, Any] = {}
        number = 0
        while kind := self._byte():
            step = kind >> 4
            number = number + step if step else self._number()
            fields[number] = self._value(kind & 15, depth)
        return fields

    def _byte(self) -> int:
        if self.place >= len(self.data):
            raise ValueError("it is cut off")
        self.place += 1
        return self.data[self.place - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 7 * _LONGEST_NUMBER, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of too many bytes")

    def _number(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_SHORT, _INT, _LONG):
            return self._number()
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        # A map is nowhere in Parquet.
        if kind not in (_BYTE, _DOUBLE, _BINARY):
            raise ValueError("not Thrift's compact protocol")
        length = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self._unsigned()
        self.place += length
        return None

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._unsigned()
        if size > len(self.data) - self.place:
            raise ValueError("a list longer than the file")
        kind = head & 15
        if kind in (_TRUE, _FALSE):
            return [self._byte() == _TRUE for _ in range(size)]
        return [self._value(kind, depth + 1) for _ in range(size)]
