# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a source is: a pure parser from bytes to measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import ClassVar, Protocol

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.series import Failure, Measurement, SeriesKey, Skipped


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one reading may take.

    Attributes:
        max_bytes: bytes of one file, compressed or not, and of what it decompresses to.
        max_json_bytes: bytes of one JSON document, which needs many times its size in memory.
        max_points: measurements of one series.
        max_measurements: measurements of one file.
        max_files: files of one folder.
        max_reasons: reasons kept of a file (or folder) for what was left out; the rest is counted.
    """

    max_bytes: int = 1 << 30
    max_json_bytes: int = 1 << 28
    max_points: int = 100_000
    max_measurements: int = 30_000_000
    max_files: int = 1_000_000
    max_reasons: int = 20


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file or stream.

    Attributes:
        name: what messages call it (a path as the user gave it, or ``<stdin>``).
        data: all its bytes, already decompressed.
        path: where it lies, for formats whose folders carry meaning; None for a stream.
        limits: how much a parser may make of it.
        beside: contents of the files beside it that its format asks for, those that are there.
    """

    name: str
    data: bytes
    path: PurePath | None = None
    limits: Limits = Limits()
    beside: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The file's name without its suffix (and ``.gz``), ``stdin`` for a stream."""
        if self.path is None:
            return "stdin"
        return PurePath(self.path.name.removesuffix(".gz")).stem


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a source found: measurements in input order, failed runs, and what it left out."""

    measurements: list[Measurement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class Source(Protocol):
    """A format: a parser without state, clock, network or database.

    A format may say more of itself in class variables: ``binary`` (its files are no text; None:
    some are), ``vague`` (others look like it: the larger the number, the later it is asked whether
    it recognises a file), ``by_machine`` (its results are times of the machine in the attribute
    ``machine``, so that each machine has its own series), ``beside`` (paths, relative to the folder
    of a file, of others that say what is in it) and ``asks`` (its texts are queries of a database,
    which reading puts and whose answers it lays beside them).
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def recognises(self, content: Content) -> bool:
        """Whether *content* looks like this format; decided without parsing it, cheaply."""
        ...  # pragma: no cover

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read all measurements; raises `InputError` naming file, place and remedy."""
        ...  # pragma: no cover


class Reasons:
    """What was left out of one file or folder: the first reasons, and how many more there were."""

    __slots__ = ("_left_out", "_most", "_name", "kept")

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._most = limits.max_reasons
        self._left_out = 0
        self.kept: list[Skipped] = []

    def add(self, source: str, reason: str) -> None:
        """Keep the reason, or count it."""
        if len(self.kept) < self._most:
            self.kept.append(Skipped(source, reason))
        else:
            self._left_out += 1

    def result(self) -> list[Skipped]:
        """The reasons kept, with a last line that counts the others."""
        if not self._left_out:
            return self.kept
        return [*self.kept, Skipped(self._name, f"and {self._left_out:,} more")]

    def first(self) -> str:
        """The first reason as one line, or an empty string."""
        return f"{self.kept[0].source}: {self.kept[0].reason}" if self.kept else ""


class Collector:
    """Gathers what a parser finds in one file, within the limits of its content."""

    __slots__ = ("_counts", "_limits", "_name", "failures", "measurements", "reasons")

    def __init__(self, content: Content) -> None:
        self._name = content.name
        self._limits = content.limits
        self._counts: dict[SeriesKey, int] = {}
        self.reasons = Reasons(content.name, content.limits)
        self.measurements: list[Measurement] = []
        self.failures: list[Failure] = []

    def add(self, measurement: Measurement) -> None:
        """Keep a measurement; raises `LimitError` where its series or the file grows too long."""
        key = measurement.key
        count = self._counts.get(key, 0) + 1
        self._counts[key] = count
        if count > self._limits.max_points:
            raise too_long(self._name, self._limits, str(key))
        self.measurements.append(measurement)
        if len(self.measurements) > self._limits.max_measurements:
            raise too_many(self._name, self._limits)

    def skip(self, place: int | None, reason: str) -> None:
        """Note that something at line *place* (None: the file as a whole) was left out."""
        self.reasons.add(self._name if place is None else f"{self._name}:{place}", reason)

    def parsed(self, nothing: str) -> Parsed:
        """All that was found; raises `InputError` with the first reason, or *nothing*, if none."""
        if not self.measurements and not self.failures:
            raise InputError(
                f"{self._name}: nothing could be read: {self.reasons.first()}"
                if self.reasons.kept
                else f"{self._name}: {nothing}"
            )
        return Parsed(self.measurements, self.failures, self.reasons.result())


def too_long(name: str, limits: Limits, series: str) -> LimitError:
    """The error for a series of more points than the limits allow."""
    return LimitError(
        f"{name}: series {series[:200]} has more than {limits.max_points:,} points; keep the newest"
        " ones, or split it with a benchmark or label column"
    )


def too_many(name: str, limits: Limits) -> LimitError:
    """The error for a file of more measurements than the limits allow."""
    return LimitError(f"{name}: more than {limits.max_measurements:,} measurements; split the file")
