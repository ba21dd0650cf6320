# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's published artifact (arXiv 2503.16332) as material for a research data set.

``alerts_data.csv``, ``bugs_data.csv`` and
``timeseries_data/<folder of a repository>/<signature id>_timeseries_data.csv``, perhaps in a folder
``data``. Columns may be missing or more, and be named as the API names them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepmark.datasets.research.cells import Rows, parsed_times
from stepmark.datasets.research.material import (
    POINTS,
    PUSHES,
    SUMMARIES,
    SeriesFiles,
    Surroundings,
    no_points,
)
from stepmark.datasets.research.rules import Ledger
from stepmark.datasets.research.tables import (
    ALERTS_READ,
    BUG_CHANGES,
    BUGS,
    SERIES_READ,
    Column,
    schema_of,
)
from stepmark.errors import InputError
from stepmark.extras import require
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content
from stepmark.sources.text import HEAD, decoded

if TYPE_CHECKING:
    from polars import DataFrame

ALERTS_FILE, BUGS_FILE, SERIES_FOLDER = "alerts_data.csv", "bugs_data.csv", "timeseries_data"
SUFFIX = "_timeseries_data.csv"
ENTRY = "entry_id"
"""What the lab calls the id of a measurement."""

FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001
"""What text starts with that a spreadsheet would run; it is written with one more apostrophe."""

_ALERT = ("single_alert_id", "alert_summary_id", "signature_id", "alert_summary_repository")
_FILE = re.compile(r"(\d{1,18})_timeseries_data\.csv")
_NUMBERED = re.compile(r"[-_ ]?\d+$")
# What pandas makes of a column of whole numbers with gaps.
_FLOATED = re.compile(r"(\d{1,15})\.0")
_OTHER_NAMES = {"id": ENTRY, "repository_name": "repository"}


def is_artifact(folder: Path) -> bool:
    """Whether *folder* is the lab's artifact."""
    return (_root(folder) / ALERTS_FILE).is_file()


def _root(folder: Path) -> Path:
    inside = folder / "data"
    return inside if (inside / ALERTS_FILE).is_file() else folder


@dataclass(frozen=True)
class Artifact:
    """The artifact in *folder*. Raises `InputError` where it has no series."""

    folder: Path
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    _heads: dict[Path, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not (_root(self.folder) / SERIES_FOLDER).is_dir():
            raise InputError(
                f"{self.folder}: {ALERTS_FILE}, but no folder {SERIES_FOLDER} with the series;"
                " unpack the whole artifact"
            )

    @property
    def provenance(self) -> dict[str, str]:
        """What is known of an artifact: that it is one."""
        return {"form": "artifact"}

    def surroundings(self, ledger: Ledger) -> Surroundings:
        """All but the measurements."""
        root, pl = _root(self.folder), require("polars")
        alerts = self._table(root / ALERTS_FILE, ALERTS_READ, _alert_names(), _ALERT, ledger)
        read = [column for column in BUGS.columns if column.path]
        bugs = (
            self._table(root / BUGS_FILE, read, _bug_names(read), ("id",), ledger)
            if (root / BUGS_FILE).is_file()
            else Rows(read, ledger).frame()
        )
        return Surroundings(
            alerts=alerts,
            summaries=alerts.select(column.name for column in SUMMARIES),
            unread={},
            bugs=bugs,
            bug_changes=pl.DataFrame(schema=BUG_CHANGES.schema()),
            pushes=pl.DataFrame(schema=schema_of(PUSHES)),
            frameworks={},
            options={},
            described=frozenset(),
        )

    def files(self, ledger: Ledger) -> list[SeriesFiles]:
        """The CSV files by series, sorted; the repository is that of a file's first row."""
        found: dict[tuple[str, int], list[Path]] = {}
        for path in sorted((_root(self.folder) / SERIES_FOLDER).glob("*/*.csv")):
            match = _FILE.fullmatch(path.name)
            if match is None:
                ledger.add("series-unreadable", 1, [self._inside(path)])
                continue
            try:
                head = _first_row(path)
            except InputError as error:
                ledger.add("series-unreadable", 1, [f"{self._inside(path)}: {error}"])
                continue
            self._heads[path] = head
            repository = head.get("repository") or _NUMBERED.sub("", path.parent.name)
            found.setdefault((repository, int(match[1])), []).append(path)
        return [SeriesFiles(*key, tuple(paths)) for key, paths in sorted(found.items())]

    def series(self, files: SeriesFiles, ledger: Ledger) -> tuple[dict[str, Any], DataFrame] | None:
        """Description and points of a series."""
        pl = require("polars")
        if len(files.paths) > 1:
            example = f"{files.repository} {files.signature_id}"
            ledger.add("series-in-several-files", 1, [example])
        parts = []
        for path in files.paths:
            try:
                parts.append(self._points(path, files, ledger))
            except (InputError, OSError, ValueError, pl.exceptions.PolarsError) as error:
                problem = str(error).split("\n", 1)[0]
                ledger.add("series-unreadable", 1, [f"{self._inside(path)}: {problem}"])
        if not parts:
            return None
        head = self._heads[files.paths[0]]
        described = {
            column.name: _unquoted(head.get(_OTHER_NAMES.get(column.path, column.path)) or "")
            or None
            for column in SERIES_READ
        }
        parent = described.get("parent_signature") or ""
        match = _FLOATED.fullmatch(parent)
        described |= {"parent_signature": match[1] if match else parent or None}
        identity = {"repository": files.repository, "signature_id": files.signature_id}
        points: DataFrame = pl.concat(parts)
        return described | identity | {"is_described": bool(head.get("suite"))}, points

    def _points(self, path: Path, files: SeriesFiles, ledger: Ledger) -> DataFrame:
        """The points in one file that are of the series."""
        pl = require("polars")
        data = read_content(path, self.limits).data
        table = _text_table(pl, data)
        if table.height > self.limits.max_measurements:
            raise InputError(f"more than {self.limits.max_measurements:,} rows")
        lacking = [n for n in (ENTRY, "push_timestamp", "value") if n not in table.columns]
        if lacking:
            raise InputError(f"no column {', '.join(lacking)}")
        expected = {"repository": files.repository, "signature_id": str(files.signature_id)}
        for name, own in expected.items():
            if name in table.columns:
                said = pl.col(name).str.strip_chars().str.strip_suffix(".0").fill_null(own)
                same = table.filter(said.is_in([own, ""]))
                if same.height < table.height:
                    example = f"{self._inside(path)}: {name}"
                    ledger.add("point-of-another-series", table.height - same.height, [example])
                table = same
        points: DataFrame = _typed(pl, table)
        return points

    def _table(
        self,
        path: Path,
        columns: Sequence[Column],
        names: Mapping[str, str],
        identity: Sequence[str],
        ledger: Ledger,
    ) -> DataFrame:
        """The *columns* of the table in *path*, whose heads mean what *names* says."""
        rows = Rows(columns, ledger)
        reader = csv.reader(io.StringIO(decoded(read_content(path, self.limits)), newline=""))
        try:
            places = _places(path, next(reader, []), names, identity)
            for count, cells in enumerate(reader):
                if count >= self.limits.max_measurements:
                    raise InputError(f"{path}: more than {self.limits.max_measurements:,} rows")

                def cell(column: Column, cells: Sequence[str] = cells) -> str | None:
                    place = places.get(column.name)
                    if place is None or place >= len(cells):
                        return None
                    return _unquoted(cells[place]) or None

                if any(cells):
                    rows.add(f"{path.name}:{reader.line_num}", cell)
        except csv.Error as error:
            raise InputError(f"{path}:{reader.line_num}: not valid CSV: {error}") from None
        return rows.frame()

    def _inside(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _normal(head: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", head.strip().casefold()).strip("_")


def _places(
    path: Path, heads: Sequence[str], names: Mapping[str, str], identity: Sequence[str]
) -> dict[str, int]:
    """The place of each column that is there; raises `InputError` if an identity is not."""
    places: dict[str, int] = {}
    for place, head in enumerate(heads):
        column = names.get(_normal(head))
        if column is not None and (column not in places or _normal(head) == column):
            places[column] = place
    lacking = [column for column in identity if column not in places]
    if lacking:
        raise InputError(
            f"{path}:1: no column {', '.join(lacking)}, which tells one row from another; is it"
            " the table of the lab's artifact?"
        )
    return places


def _alert_names() -> dict[str, str]:
    """The column of alerts that each head means, as the lab or the API names it."""
    names = {column.name: column.name for column in ALERTS_READ}
    names["alert_summary_duplicated_summaries_ids"] = "alert_summary_duplicated_summaries"
    prefixes = {"summary": ("alert_summary_", "summary_"), "alert": ("single_alert_", "alert_")}
    bare: dict[str, list[str]] = {}
    for column in ALERTS_READ:
        table, _, field_path = column.path.partition(".")
        leaf = field_path.replace(".", "_")
        for prefix in prefixes[table]:
            names.setdefault(prefix + leaf, column.name)
        bare.setdefault(leaf.removeprefix("series_signature_"), []).append(column.name)
    for leaf, meant in bare.items():
        if len(meant) == 1:  # a bare ``status`` may be that of the alert or of its summary
            names.setdefault(leaf, meant[0])
            names.setdefault(f"alert_{leaf}", meant[0])
    return names


def _bug_names(columns: Iterable[Column]) -> dict[str, str]:
    names: dict[str, str] = {}
    for column in columns:
        for head in (column.name, f"bug_{column.name}", column.path.replace(".", "_")):
            names.setdefault(head, column.name)
    return names


def _unquoted(cell: str) -> str:
    """*cell* without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def quoted(text: str) -> str:
    """*text* so that no spreadsheet runs it and it is read back as it is."""
    return f"'{text}" if FORMULA.match(text) else text


def _first_row(path: Path) -> dict[str, str]:
    """The cells of the first row by name; of an empty table none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = io.StringIO(file.read(HEAD), newline="")
        reader = csv.reader(lines)
        heads = [_normal(head) for head in next(reader, [])]
        return dict(zip(map(_renamed, heads), next(reader, []), strict=False))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot be read: {error!s:.100}") from None


def _renamed(head: str) -> str:
    return _OTHER_NAMES.get(head, head)


def _text_table(pl: Any, data: bytes) -> Any:
    """The columns of a series' CSV that points are made of, as texts."""
    if not data.strip():
        return no_points()
    start = data[: data.find(b"\n") + 1 or None].decode("utf-8-sig", "replace")
    heads = next(csv.reader([start]), [])
    wanted = {column.name for column in POINTS} | {ENTRY, "repository", "signature_id"}
    chosen: dict[int, str] = {}
    for place, head in enumerate(heads):
        name = _renamed(_normal(head))
        if name in wanted and name not in chosen.values():
            chosen[place] = name
    table = pl.read_csv(
        io.BytesIO(data), infer_schema=False, columns=list(chosen), truncate_ragged_lines=True
    )
    table.columns = list(chosen.values())
    return table


def _typed(pl: Any, table: Any) -> Any:
    """The points of a table of texts."""

    def text(name: str) -> Any:
        if name not in table.columns:
            return pl.lit(None, pl.String)
        cell = pl.col(name).str.strip_chars()
        return pl.when(cell != "").then(cell)

    def whole(name: str) -> Any:
        number = text(name).cast(pl.Float64, strict=False)
        floated = pl.when(number == number.floor()).then(number.cast(pl.Int64, strict=False))
        return pl.coalesce(text(name).cast(pl.Int64, strict=False), floated)

    def unquoted(cell: Any) -> Any:
        return (
            pl.when(cell.str.contains(f"^'{FORMULA.pattern}"))
            .then(cell.str.slice(1))
            .otherwise(cell)
        )

    types = schema_of(POINTS)
    points = table.select(
        id=whole(ENTRY),
        push_id=whole("push_id"),
        job_id=whole("job_id"),
        push_timestamp=text("push_timestamp"),
        revision=unquoted(text("revision")),
        value=text("value").cast(pl.Float64, strict=False),
        replicates=pl.lit(None, types["replicates"]),
        submit_time=text("submit_time"),
        machine_name=unquoted(text("machine_name")),
    )
    return points.with_columns(
        parsed_times(points["push_timestamp"]), parsed_times(points["submit_time"])
    )
