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
        document = load_json(content)
        if not isinstance(document, dict) or not isinstance(document.get("series"), list):
            raise InputError(f"{content.name}: no TCPD data set: no series list")
        dimensions = document["series"]
        length, count = document.get("n_obs"), document.get("n_dim", len(dimensions))
        if not isinstance(length, int) or isinstance(length, bool):
            raise InputError(f"{content.name}: n_obs is not a whole number")
        if count != len(dimensions):
            raise InputError(
                f"{content.name}: n_dim is {count} but there are {len(dimensions)} series"
            )
        times = _times(content.name, table_of(document, "time"), length, columns.time_format)
        collector = Collector(content)
        benchmark = text_of(document, "name") or content.stem
        metrics: set[str] = set()
        for place, dimension in enumerate(dimensions):
            where = f"{content.name}: series[{place}]"
            values = dimension.get("raw") if isinstance(dimension, dict) else None
            if not isinstance(values, list) or len(values) != length:
                raise InputError(f"{where}: raw is not a list of n_obs = {length} values")
            metric = text_of(dimension, "label") or f"V{place + 1}"
            if metric in metrics:
                raise InputError(f"{where}: two series have the label {shown(metric)}")
            metrics.add(metric)
            key = make_key(where, benchmark=benchmark, metric=metric)
            for index, number in _present(where, values):
                collector.add(Measurement(key, "", times[index], (number,), position=index))
        return collector.parsed("no values, all are missing")


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


def _times(
    where: str, time: Mapping[str, Any], length: int, time_format: str
) -> Sequence[datetime | None]:
    """The time of each observation, None for all where the data set has only an index."""
    raw = time.get("raw")
    for name in ("index", "raw"):
        listed = time.get(name)
        if listed is not None and (not isinstance(listed, list) or len(listed) != length):
            raise InputError(f"{where}: time.{name} is not a list of n_obs = {length} entries")
    if not raw:
        return [None] * length
    form = time_format or text_of(time, "format")
    times: list[datetime | None] = []
    for index, text in enumerate(raw):
        try:
            times.append(parse_time(str(text), form))
        except AmbiguousTimeError:
            raise InputError(
                f"{where}: time.raw[{index}] {shown(str(text))} can be read in two ways; add"
                " time.format"
            ) from None
        except (ValueError, OverflowError):
            raise InputError(
                f"{where}: time.raw[{index}] {shown(str(text))} is not a time"
                f"{f' of the form {form}' if form else ''}"
            ) from None
    return times
