# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Settings from one TOML file: ``stepmark.toml``, or ``[tool.stepmark]`` of a pyproject.toml.

The nearest file wins, looking upwards from the working directory. An unknown key is an error: a
threshold that is misspelt must not silently be no threshold.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_type_hints

from stepmark.errors import ConfigError, suggest
from stepmark.series import Aggregate, Direction, SeriesKey

DEFAULT_DETECTOR = "stepmark"
_SPAN = re.compile(r"(\d{1,9})\s*(runs?|d|days?|w|weeks?)")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of history: a length of time, or a number of runs (the other is None)."""

    time: timedelta | None = None
    runs: int | None = None

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read ``7d``, ``2w`` or ``14 runs``; raises `ConfigError` for anything else."""
        match = _SPAN.fullmatch(text.strip())
        if match is None or int(match[1]) == 0 or int(match[1]) > 100_000:
            raise ConfigError(f"a span is like 7d, 13w or 14 runs, not {text!r}")
        number, letter = int(match[1]), match[2][0]
        if letter == "r":
            return cls(runs=number)
        return cls(time=timedelta(days=number * (7 if letter == "w" else 1)))

    def __str__(self) -> str:
        if self.runs is not None:
            return f"{self.runs} runs"
        return f"{self.time.days}d" if self.time else ""


@dataclass(frozen=True, slots=True)
class Compliance:
    """Windows of trend compliance.

    Attributes:
        short, long: how far back the short- and the long-term reference lie.
        short_runs, long_runs: the same as numbers of runs, used where a series has no times.
    """

    short: Span = Span(time=timedelta(days=7))
    long: Span = Span(time=timedelta(days=90))
    short_runs: int = 14
    long_runs: int = 180

    def __post_init__(self) -> None:
        if self.short_runs < 1 or self.long_runs < 1:
            raise ConfigError("short_runs and long_runs are 1 or more")


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a CSV file mean; empty fields are found by name.

    Attributes:
        time, revision, benchmark, metric, value, unit, direction, run, project: name of the column.
        labels: columns that are part of a series' identity.
        attributes: columns that are shown with a point.
        ignore: columns that are left out; ``node`` joins the machines of formats whose
            results are times of one machine each.
        time_format: a `datetime.strptime` format; empty means ISO 8601, epoch seconds or
            milliseconds, or a common date form.
        delimiter: one character, or ``tab``; empty means it is found out.
        default_benchmark: benchmark of rows where no column names one; empty means the file's
            name without its suffix.
    """

    time: str = ""
    revision: str = ""
    benchmark: str = ""
    metric: str = ""
    value: str = ""
    unit: str = ""
    direction: str = ""
    run: str = ""
    project: str = ""
    labels: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time_format: str = ""
    delimiter: str = ""
    default_benchmark: str = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a change must reach to count; smaller ones are neutral.

    Attributes:
        min_relative: least magnitude of the relative effect (0.02 is 2 %).
        min_absolute: least magnitude of the absolute effect, in the series' unit.
        min_points: a series of fewer points, or of fewer than its detector needs, is not judged.
        min_segment: least number of points of the new segment.
    """

    min_relative: float = 0.0
    min_absolute: float = 0.0
    min_points: int = 3
    min_segment: int = 1

    def __post_init__(self) -> None:
        if not (self.min_relative >= 0 and self.min_absolute >= 0):
            raise ConfigError("min_relative and min_absolute are 0 or more")
        if self.min_points < 1 or self.min_segment < 1:
            raise ConfigError("min_points and min_segment are 1 or more")


@dataclass(frozen=True, slots=True)
class Rule:
    """Settings for the series whose names match a glob; what is left out stays as it is.

    Attributes:
        match: glob over the series' name, project/benchmark/metric{label=value}.
        direction: which way is better, lower or higher, where the data do not say.
        unit: unit of the values, where the data do not say.
        detector: detector spec for these series.
        min_relative, min_absolute, min_points, min_segment: as in `[thresholds]`.
    """

    match: str
    direction: Direction | None = None
    unit: str | None = None
    detector: str | None = None
    min_relative: float | None = None
    min_absolute: float | None = None
    min_points: int | None = None
    min_segment: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesSettings:
    """All that is set for one series."""

    detector: str
    thresholds: Thresholds
    direction: Direction | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run.

    Attributes:
        detector: the spec used where no rule names another.
        aggregate: how samples become the number judged.
        thresholds: used where no rule sets others.
        compliance: windows of the trend table.
        columns: meaning of CSV columns.
        rules: per-series settings; of several that match, a later one wins, key by key.
    """

    detector: str = DEFAULT_DETECTOR
    aggregate: Aggregate = Aggregate.MEAN
    thresholds: Thresholds = field(default_factory=Thresholds)
    compliance: Compliance = field(default_factory=Compliance)
    columns: Columns = field(default_factory=Columns)
    rules: tuple[Rule, ...] = ()

    def for_series(self, key: SeriesKey) -> SeriesSettings:
        """The settings that apply to the series *key*."""
        name = str(key)
        values: dict[str, Any] = {}
        for rule in self.rules:
            if name == rule.match or fnmatchcase(name, rule.match):
                for item in dataclasses.fields(rule):
                    value = getattr(rule, item.name)
                    if item.name != "match" and value is not None:
                        values[item.name] = value
        thresholds = {
            item.name: values.pop(item.name, getattr(self.thresholds, item.name))
            for item in dataclasses.fields(Thresholds)
        }
        values.setdefault("detector", self.detector)
        return SeriesSettings(thresholds=Thresholds(**thresholds), **values)


def load(path: Path | None = None, start: Path | None = None) -> Settings:
    """Settings from *path*, or from the nearest file upwards from *start*, or the defaults.

    Raises `ConfigError` naming the file and the key.
    """
    if path is None:
        path = _nearest(start)
        if path is None:
            return Settings()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    table = _section(document) if path.name == "pyproject.toml" else document
    if table is None:
        raise ConfigError(f"{path}: has no table [tool.stepmark]")
    try:
        return settings_from(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _nearest(start: Path | None) -> Path | None:
    try:
        folder = (start or Path.cwd()).absolute()
    except FileNotFoundError:
        return None  # the working directory was removed
    for place in (folder, *folder.parents):
        own, shared = place / "stepmark.toml", place / "pyproject.toml"
        if _is_file(own):
            return own
        if _is_file(shared):
            try:
                document = tomllib.loads(shared.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                continue  # another tool's broken file is not for this one to report
            if _section(document) is not None:
                return shared
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above that may not be entered
        return False


def _section(document: Mapping[str, Any]) -> Any:
    tool = document.get("tool")
    return tool.get("stepmark") if isinstance(tool, Mapping) else None


def settings_from(table: Any) -> Settings:
    """Settings from a parsed TOML table; raises `ConfigError` naming the key."""
    if not isinstance(table, Mapping):
        raise ConfigError("[tool.stepmark] must be a table")
    known = ("detector", "aggregate", "thresholds", "compliance", "columns", "series")
    _refuse_unknown(table, known, "")
    rules = table.get("series", [])
    if not isinstance(rules, list):
        raise ConfigError("series must be an array of tables ([[series]])")
    return Settings(
        detector=_convert(table.get("detector", DEFAULT_DETECTOR), str, "detector"),
        aggregate=_convert(table.get("aggregate", "mean"), Aggregate, "aggregate"),
        thresholds=_fill(Thresholds, table.get("thresholds", {}), "thresholds"),
        compliance=_fill(Compliance, table.get("compliance", {}), "compliance"),
        columns=_fill(Columns, table.get("columns", {}), "columns"),
        rules=tuple(_rule(rule, i) for i, rule in enumerate(rules)),
    )


def _rule(rule: Any, place: int) -> Rule:
    where = f"series[{place}]"
    if not isinstance(rule, Mapping) or "match" not in rule:
        raise ConfigError(f'{where}: match = "..." is missing')
    own = {item.name for item in dataclasses.fields(Thresholds)}
    _fill(Thresholds, {key: value for key, value in rule.items() if key in own}, where)
    filled: Rule = _fill(Rule, rule, where)
    return filled


def _fill(kind: type[Any], table: Any, where: str) -> Any:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} must be a table")
    hints = get_type_hints(kind)
    _refuse_unknown(table, list(hints), f"{where}.")
    values = {k: _convert(v, hints[k], f"{where}.{k}") for k, v in table.items()}
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _convert(value: Any, wanted: Any, where: str) -> Any:
    options = [kind for kind in getattr(wanted, "__args__", (wanted,)) if kind is not Ellipsis]
    if getattr(wanted, "__origin__", None) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ConfigError(f"{where} must be an array of strings")
    kind = options[0]
    if kind is Span and isinstance(value, str):
        try:
            return Span.parse(value)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
    if kind in (Direction, Aggregate) and isinstance(value, str):
        if value in list(kind):
            return kind(value)
        raise ConfigError(f"{where} is one of {', '.join(kind)}, not {value!r}")
    if kind is float and type(value) is int and abs(value) < _LARGEST:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where} must be {_KINDS.get(kind, 'a string')}, not {value!r}")
    return value


_LARGEST = 1 << 1023  # beyond it a whole number is no float
_KINDS = {str: "a string", int: "a whole number", float: "a number"}


def _refuse_unknown(table: Mapping[str, Any], known: Any, where: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(f"unknown key {where}{key}{suggest(key, known)}")
