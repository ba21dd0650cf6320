# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Series in the form of the Turing Change Point Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import (
    AmbiguousTimeError,
    finite,
    make_key,
    parse_time,
    table_of,
    text_of,
)


@dataclass(frozen=True, slots=True)
class TCPD:
    """JSON of the Turing Change Point Dataset (van den Burg and Williams, 2020).

    The benchmark is its name, and each dimension is a series whose metric is its label. Times come
    from ``time.raw`` read with ``time.format``. A missing value (null or NaN) is an absent point;
    the others keep their position.
    """

    name: ClassVar[str] = "tcpd"
    title: ClassVar[str] = "TCPD: JSON of the Turing Change Point Dataset"

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with the fields of a data set."""
        return looks_like_json(content, b"n_obs", b"series")

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read all dimensions; raises `InputError` if lengths do not fit or a value is text."""
        document = read_document(content, columns)
        collector = Collector(content)
        for place, dimension in enumerate(document.dimensions):
            where = f"{content.name}: series[{place}]"
            key = make_key(where, benchmark=document.name, metric=dimension.label)
            for index, number in dimension.present:
                time = document.times[index]
                collector.add(Measurement(key, "", time, (number,), position=index))
        return collector.parsed("no values, all are missing")


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a data set: its label, place and number of the values that are there."""

    label: str
    present: list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Document:
    """A data set as its file has it.

    Attributes:
        name: its name, else that of the file without suffix.
        longname: its title; empty if it has none.
        length: number of observations, missing ones counted.
        time_format: the `datetime.strptime` format of its times; empty if it names none.
        written: its times as they are written, None where there is none.
        times: the time of each observation; None for all where it has only an index.
        dimensions: its series.
        facts: what else its writer told of it (`facts`, a map of texts).
    """

    name: str
    longname: str
    length: int
    time_format: str
    written: Sequence[str | None]
    times: Sequence[datetime | None]
    dimensions: list[Dimension]
    facts: Mapping[str, str]


def read_document(content: Content, columns: Columns) -> Document:
    """The data set in *content*; raises `InputError` naming the place that does not fit."""
    document = load_json(content)
    if not isinstance(document, dict) or not isinstance(document.get("series"), list):
        raise InputError(f"{content.name}: no TCPD data set: no series list")
    listed = document["series"]
    length, count = document.get("n_obs"), document.get("n_dim", len(listed))
    if not isinstance(length, int) or isinstance(length, bool):
        raise InputError(f"{content.name}: n_obs is not a whole number")
    if count != len(listed):
        raise InputError(f"{content.name}: n_dim is {count} but there are {len(listed)} series")
    dimensions = _dimensions(content.name, listed, length)
    time = table_of(document, "time")
    written = _written(content.name, time, length)
    form = text_of(time, "format")
    absent = set(range(length)).difference(*({i for i, _ in d.present} for d in dimensions))
    return Document(
        name=text_of(document, "name") or content.stem,
        longname=text_of(document, "longname"),
        length=length,
        time_format=form,
        written=written,
        times=_times(content.name, written, columns.time_format or form, absent),
        dimensions=dimensions,
        facts={k: v for k, v in table_of(document, "facts").items() if isinstance(v, str)},
    )


def _dimensions(name: str, listed: Sequence[Any], length: int) -> list[Dimension]:
    found: dict[str, Dimension] = {}
    for place, dimension in enumerate(listed):
        where = f"{name}: series[{place}]"
        values = dimension.get("raw") if isinstance(dimension, dict) else None
        if not isinstance(values, list) or len(values) != length:
            raise InputError(f"{where}: raw is not a list of n_obs = {length} values")
        label = text_of(dimension, "label") or f"V{place + 1}"
        if label in found:
            raise InputError(f"{where}: two series have the label {shown(label)}")
        found[label] = Dimension(label, _present(where, values))
    return list(found.values())


def _present(where: str, values: Sequence[Any]) -> list[tuple[int, float]]:
    """Place and number of the values that are not missing."""
    found = []
    for index, value in enumerate(values):
        number = finite(value)
        if number is not None:
            found.append((index, number))
        elif value is not None and value == value:  # noqa: PLR0124 - only NaN differs from itself
            raise InputError(f"{where}: raw[{index}] is {shown(str(value))}, not a finite number")
    return found


def _written(where: str, time: Mapping[str, Any], length: int) -> list[str | None]:
    """The times as they are written, None where there is none."""
    for name in ("index", "raw"):
        listed = time.get(name)
        if listed is not None and (not isinstance(listed, list) or len(listed) != length):
            raise InputError(f"{where}: time.{name} is not a list of n_obs = {length} entries")
    raw = time.get("raw") or [None] * length
    return [None if text is None else str(text) for text in raw]


def _times(
    where: str, written: Sequence[str | None], form: str, absent: set[int]
) -> list[datetime | None]:
    """The time of each observation; only where no value is may one among others be missing."""
    times: list[datetime | None] = []
    timed = any(text is not None for text in written)
    for index, text in enumerate(written):
        if text is None:
            if timed and index not in absent:
                raise InputError(f"{where}: time.raw[{index}] is missing, but not its value")
            times.append(None)
            continue
        try:
            times.append(parse_time(text, form))
        except AmbiguousTimeError:
            raise InputError(
                f"{where}: time.raw[{index}] {shown(text)} can be read in two ways; add time.format"
            ) from None
        except (ValueError, OverflowError):
            raise InputError(
                f"{where}: time.raw[{index}] {shown(text)} is not a time"
                f"{f' of the form {form}' if form else ''}"
            ) from None
    return times
