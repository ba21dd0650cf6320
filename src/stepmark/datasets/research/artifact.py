# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's published artifact (arXiv 2503.16332) as material for a research data set.

``alerts_data.csv``, ``bugs_data.csv`` and
``timeseries_data/<folder of a repository>/<signature id>_timeseries_data.csv``, perhaps in a folder
``data``, or under the names that they have in the lab's repository. Columns may be missing or more,
and be named as the API or the lab's older scripts name them.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
)
from stepmark.datasets.research.names import ALERT_STATUSES, FRAMEWORKS, SUMMARY_STATUSES
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
from stepmark.sources.text import FORMULA, HEAD, decoded

if TYPE_CHECKING:
    from polars import DataFrame

ALERTS_FILE, BUGS_FILE, SERIES_FOLDER = "alerts_data.csv", "bugs_data.csv", "timeseries_data"
SUFFIX = "_timeseries_data.csv"
ENTRY = "entry_id"
"""What the lab calls the id of a measurement."""

_ALERTS = (ALERTS_FILE, "curated_alerts_data.csv")
_BUGS = (BUGS_FILE, "bugs_data_from_api.csv")
_SERIES = (SERIES_FOLDER, "all-datasets", "all-datasets-annotated")
_ALERT = ("single_alert_id", "alert_summary_id", "signature_id", "alert_summary_repository")
_FILE = re.compile(r"(\d{1,18})_timeseries_data\.csv")
_NUMBERED = re.compile(r"[-_ ]?\d+$")
# What pandas makes of a column of whole numbers with gaps.
_FLOATED = re.compile(r"(\d{1,15})\.0")
_OTHER_NAMES = {"id": ENTRY, "repository_name": "repository"}
_FIRST_ROW = 8192  # characters that mostly hold the heads and a row
# The lab's older scripts call the alert a test, and its summary an alert.
_OLD = "test_id"
# Its script writes what Sherlock did as Python tuples of one: ``(3,)``.
_TUPLED = "alert.backfill_record."
_WORDS: Mapping[str, Mapping[str, int]] = {
    "alert_summary_status": {word: i for i, word in enumerate(SUMMARY_STATUSES)},
    "single_alert_status": {word: i for i, word in enumerate(ALERT_STATUSES)},
    "alert_summary_framework": {word: i for i, word in FRAMEWORKS.items()},
}


def is_artifact(folder: Path) -> bool:
    """Whether *folder* is the lab's artifact."""
    return _alerts_file(folder) is not None


def _alerts_file(folder: Path) -> Path | None:
    places = (place / name for place in (folder / "data", folder) for name in _ALERTS)
    return next((path for path in places if path.is_file()), None)


@dataclass(frozen=True)
class Artifact:
    """The artifact in *folder*. Raises `InputError` where it has no series."""

    folder: Path
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    _heads: dict[Path, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self._inside_root(_SERIES, Path.is_dir) is None:
            raise InputError(
                f"{self.folder}: {ALERTS_FILE}, but no folder {SERIES_FOLDER} with the series;"
                " unpack the whole artifact"
            )

    def _inside_root(self, names: Sequence[str], kind: Callable[[Path], bool]) -> Path | None:
        """The first of *names* that lies beside the table of alerts."""
        root = (_alerts_file(self.folder) or self.folder / ALERTS_FILE).parent
        return next((root / name for name in names if kind(root / name)), None)

    @property
    def provenance(self) -> dict[str, str]:
        """What is known of an artifact: that it is one."""
        return {"form": "artifact"}

    def surroundings(self, ledger: Ledger) -> Surroundings:
        """All but the measurements."""
        pl = require("polars")
        path = _alerts_file(self.folder) or self.folder / ALERTS_FILE
        alerts = self._table(path, ALERTS_READ, _alert_names(), _ALERT, ledger)
        read = [column for column in BUGS.columns if column.path]
        of_bugs = self._inside_root(_BUGS, Path.is_file)
        bugs = (
            self._table(of_bugs, read, _bug_names(read), ("id",), ledger)
            if of_bugs is not None
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
        root = self._inside_root(_SERIES, Path.is_dir) or self.folder
        for path in sorted(root.rglob("*.csv")):
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
        """Description and points of a series; the points are texts until `points` reads them."""
        pl = require("polars")
        if len(files.paths) > 1:
            example = f"{files.repository} {files.signature_id}"
            ledger.add("series-in-several-files", 1, [example])
        parts = []
        for path in files.paths:
            try:
                parts.append(self._texts(path, files, ledger))
            except (InputError, OSError, ValueError, csv.Error, pl.exceptions.PolarsError) as error:
                self._note_unreadable(path, error, ledger)
            except pl.exceptions.PanicException as error:
                self._note_unreadable(path, error, ledger)
        if not parts:
            return None
        return self._described(files), pl.concat(parts, how="diagonal")

    def points(self, given: DataFrame) -> DataFrame:
        """The points that texts of `series` mean; what is none of its type is null."""
        points: DataFrame = _typed(require("polars"), given)
        return points

    def _note_unreadable(self, path: Path, error: BaseException, ledger: Ledger) -> None:
        problem = str(error).split("\n", 1)[0]
        ledger.add("series-unreadable", 1, [f"{self._inside(path)}: {problem}"])

    def _described(self, files: SeriesFiles) -> dict[str, Any]:
        """What the first row of a series' first file says of it."""
        head = self._heads[files.paths[0]]

        def told(column: Column) -> str | None:
            cell = head.get(_OTHER_NAMES.get(column.path, column.path)) or head.get(column.name)
            return _unquoted(cell or "") or None

        described = {column.name: told(column) for column in SERIES_READ}
        parent = described.get("parent_signature") or ""
        match = _FLOATED.fullmatch(parent)
        described |= {"parent_signature": match[1] if match else parent or None}
        identity = {"repository": files.repository, "signature_id": files.signature_id}
        return described | identity | {"is_described": bool(head.get("suite"))}

    def _texts(self, path: Path, files: SeriesFiles, ledger: Ledger) -> DataFrame:
        """The cells that make the points in one file, of the rows that are of the series."""
        pl = require("polars")
        table: DataFrame = _text_table(pl, read_content(path, self.limits).data)
        if table.height > self.limits.max_measurements:
            raise InputError(f"more than {self.limits.max_measurements:,} rows")
        lacking = [n for n in (ENTRY, "push_timestamp", "value") if n not in table.columns]
        if lacking:
            raise InputError(f"no column {', '.join(lacking)}")
        expected = {"repository": files.repository, "signature_id": str(files.signature_id)}
        for name, own in expected.items():
            # Nearly always all are the same, which is found out without a query.
            if name in table.columns and not (table[name] == own).all():
                said = pl.col(name).str.strip_chars().str.strip_suffix(".0").fill_null(own)
                same = table.filter(said.is_in([own, ""]))
                if same.height < table.height:
                    example = f"{self._inside(path)}: {name}"
                    ledger.add("point-of-another-series", table.height - same.height, [example])
                table = same
        return table[[name for name in table.columns if name not in expected]]

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
                    if place is None or place >= len(cells) or not cells[place]:
                        return None
                    return _plain(column, cells[place])

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
    known = [_normal(head) for head in heads]
    if _OLD in known:
        known = [re.sub("^test_", "single_alert_", name) for name in known]
        known = [re.sub("^alert_", "alert_summary_", name) for name in known]
    for place, name in enumerate(known):
        column = names.get(name)
        if column is not None and (column not in places or name == column):
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
        for prefix in ("", *prefixes[table]) if "_signature_" in leaf else prefixes[table]:
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


def _plain(column: Column, cell: str) -> str | None:
    """What *cell* says, without what a script or a spreadsheet put about it; None of nothing."""
    text = _unquoted(cell)
    if text.startswith("(") and column.path.startswith(_TUPLED):
        text = _only(text)
    if column.name in _WORDS:
        number = _WORDS[column.name].get(text.strip().casefold())
        text = text if number is None else str(number)
    return text or None


def _only(text: str) -> str:
    """The one item of the Python tuple that *text* writes; *text* where it writes none."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    if not isinstance(found, tuple) or len(found) != 1:
        return text
    return "" if found[0] is None else str(found[0])


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
            lines = file.read(_FIRST_ROW)
            if lines.count("\n") < 2:
                lines += file.read(HEAD)
        reader = csv.reader(io.StringIO(lines, newline=""))
        heads = [_normal(head) for head in next(reader, [])]
        return dict(zip(map(_renamed, heads), next(reader, []), strict=False))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot be read: {error!s:.100}") from None


def _renamed(head: str) -> str:
    return _OTHER_NAMES.get(head, head)


def _text_table(pl: Any, data: bytes) -> Any:
    """The columns of a series' CSV that points are made of, as texts."""
    if not data.strip():
        return pl.DataFrame(schema=dict.fromkeys((ENTRY, "push_timestamp", "value"), pl.String))
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
    types = schema_of(POINTS)

    def texts(name: str) -> Any:
        """A column, what is only white space null."""
        if name not in table.columns:
            return pl.repeat(None, table.height, dtype=pl.String, eager=True)
        stripped = table[name].str.strip_chars()
        return stripped.set(stripped == "", None)

    def names(name: str) -> Any:
        found = texts(name)
        quoted = found.str.contains(f"^'{FORMULA.pattern}").fill_null(value=False)
        return found.str.slice(1).zip_with(quoted, found) if quoted.any() else found

    columns = {
        "id": _whole_numbers(pl, texts(ENTRY)),
        "push_id": _whole_numbers(pl, texts("push_id")),
        "job_id": _whole_numbers(pl, texts("job_id")),
        "push_timestamp": parsed_times(texts("push_timestamp")),
        "revision": names("revision"),
        "value": texts("value").cast(pl.Float64, strict=False),
        "replicates": pl.repeat(None, table.height, dtype=types["replicates"], eager=True),
        "submit_time": parsed_times(texts("submit_time")),
        "machine_name": names("machine_name"),
    }
    return pl.DataFrame([column.alias(name) for name, column in columns.items()])


def _whole_numbers(pl: Any, texts: Any) -> Any:
    """The whole numbers that *texts* write, those with gaps as pandas does (``7.0``) too."""
    found = texts.cast(pl.Int64, strict=False)
    if found.null_count() == texts.null_count():
        return found
    number = texts.cast(pl.Float64, strict=False)
    floated = number.set(number != number.floor(), None).cast(pl.Int64, strict=False)
    return found.zip_with(found.is_not_null(), floated)
