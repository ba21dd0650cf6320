# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""An extraction folder, as `stepmark extract` writes it, as material for a research data set."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepmark.datasets.research.cells import Rows, WrongCellError, at, whole
from stepmark.datasets.research.material import POINTS, PUSHES, SUMMARIES, SeriesFiles, Surroundings
from stepmark.datasets.research.rules import Ledger
from stepmark.datasets.research.tables import ALERTS_READ, BUG_CHANGES, BUGS, Column, schema_of
from stepmark.errors import InputError
from stepmark.extraction.folder import DOCUMENT, SCHEMA
from stepmark.extraction.rows import METADATA
from stepmark.extras import require
from stepmark.files import file_name
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content
from stepmark.sources.text import load_json, shown
from stepmark.sources.values import table_of, text_of

if TYPE_CHECKING:
    from polars import DataFrame

_Key = tuple[str, int]


def is_extraction(folder: Path) -> bool:
    """Whether *folder* is an extraction folder."""
    return (folder / DOCUMENT).is_file()


@dataclass(frozen=True)
class ExtractionFolder:
    """The extraction in *folder*. Raises `InputError` where it is none that can be read."""

    folder: Path
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    _signatures: dict[_Key, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    _repositories: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        document = self._document()
        if document.get("schema") != SCHEMA:
            raise InputError(
                f"{self.folder / DOCUMENT}: schema is {shown(text_of(document, 'schema'))}, where"
                f" {SCHEMA} can be read; upgrade Stepmark, or extract again"
            )
        names = [text_of(entry, "name") for entry in self._list("repositories.json")]
        self._repositories.update({file_name(name): name for name in names if name})

    @property
    def provenance(self) -> dict[str, str]:
        """The server, and when it was first and last asked."""
        document = self._document()
        runs = document.get("runs")
        times = sorted(
            text_of(run, "finished") or text_of(run, "started")
            for run in (runs if isinstance(runs, list) else [])
            if isinstance(run, dict)
        )
        known = {
            "form": "extraction",
            "origin": text_of(document, "server"),
            "bugzilla": text_of(document, "bugzilla"),
            "created": times[-1] if times else "",
        }
        return {what: text for what, text in known.items() if text}

    def surroundings(self, ledger: Ledger) -> Surroundings:
        """All but the measurements."""
        alerts, summaries, unread = self._alerts(ledger)
        bugs, changes = self._bugs(ledger)
        self._read_signatures(ledger)
        return Surroundings(
            alerts=alerts,
            summaries=summaries,
            unread=unread,
            bugs=bugs,
            bug_changes=changes,
            pushes=self._pushes(ledger),
            frameworks=dict(self._frameworks()),
            options=dict(self._options()),
            described=frozenset(self._signatures),
        )

    def files(self, ledger: Ledger) -> list[SeriesFiles]:
        """The Parquet files by series, sorted."""
        found = []
        for path in sorted((self.folder / "series").glob("*/*.parquet")):
            try:
                signature = whole(path.stem)
            except WrongCellError:
                signature = None
            if signature is None:
                ledger.add("series-unreadable", 1, [self._inside(path)])
            else:
                repository = self._repository(path.parent.name)
                found.append(SeriesFiles(repository, signature, (path,)))
        return sorted(found)

    def series(self, files: SeriesFiles, ledger: Ledger) -> tuple[dict[str, Any], DataFrame] | None:
        """Description and points of a series."""
        (path,) = files.paths
        pl = require("polars")
        key = (files.repository, files.signature_id)
        try:
            data = read_content(path, self.limits).data
            header, points = _read_points(pl, data, self.limits)
        except (InputError, OSError, ValueError, pl.exceptions.PolarsError) as error:
            ledger.add("series-unreadable", 1, [f"{self._inside(path)}: {_first_line(error)}"])
            return None
        except pl.exceptions.PanicException as error:
            ledger.add("series-unreadable", 1, [f"{self._inside(path)}: {_first_line(error)}"])
            return None
        wrong = next(
            (
                name
                for name, own in zip(("repository_name", "signature_id"), key, strict=True)
                if header.get(name) not in (None, own)
            ),
            None,
        )
        if wrong is not None:
            example = f"{self._inside(path)}: {wrong} is {header[wrong]!r:.40}"
            ledger.add("point-of-another-series", points.height, [example])
            points = points.clear()
        return self._described(key, header), points

    def points(self, given: DataFrame) -> DataFrame:
        """The points that `series` gave: they have their types."""
        return given

    def _described(self, key: _Key, header: Mapping[str, Any]) -> dict[str, Any]:
        """What signature and header say together; what the API leaves out when it is usual."""
        said = self._signatures.get(key)
        described: dict[str, Any] = {
            "lower_is_better": True,
            "has_subtests": False,
            "extra_options": None if said is None else [],
            "tags": [],
            **(said or {}),
        }
        platform = described.pop("machine_platform", None)
        told = {name: value for name, value in header.items() if value is not None}
        described |= {"platform": platform, **told}
        return {
            **described,
            "repository": key[0],
            "signature_id": key[1],
            "unit": described.get("measurement_unit"),
            "complete_from": header.get("from"),
            "complete_to": header.get("to"),
            "is_described": said is not None or bool(told.get("suite")),
        }

    def _alerts(self, ledger: Ledger) -> tuple[DataFrame, DataFrame, dict[int, int]]:
        """One row an alert, one row a summary, and the alerts known only as related."""
        rows, summaries = Rows(ALERTS_READ, ledger), Rows(SUMMARIES, ledger)
        met: set[Any] = set()
        related: dict[int, int] = {}
        for where, summary in self._objects("summaries/*.json", ledger):
            summaries.add(where, _cell_of(summary, {}))
            for alert in _listed(summary, "alerts"):
                rows.add(f"{where}: alert {alert.get('id')}", _cell_of(summary, alert))
                met.add(alert.get("id"))
            for alert in _listed(summary, "related_alerts"):
                number, own = alert.get("id"), alert.get("summary_id")
                if type(number) is int and type(own) is int:
                    related[number] = own
        unread = {alert: own for alert, own in sorted(related.items()) if alert not in met}
        return rows.frame(), summaries.frame(), unread

    def _bugs(self, ledger: Ledger) -> tuple[DataFrame, DataFrame]:
        bugs = Rows((c for c in BUGS.columns if c.path), ledger)
        changes = Rows(BUG_CHANGES.columns, ledger)
        for where, entry in self._objects("bugs/*.json", ledger):
            bug = entry.get("bug")
            if not isinstance(bug, dict):
                continue
            bugs.add(where, lambda column, bug=bug: at(bug, column.path))  # type: ignore[misc]
            for event in _listed(entry, "history"):
                for change in _listed(event, "changes"):
                    row = {
                        "bug_id": bug.get("id"),
                        "time": event.get("when"),
                        "field": change.get("field_name"),
                        "removed": change.get("removed"),
                        "added": change.get("added"),
                    }
                    changes.add(where, lambda column, row=row: row[column.name])  # type: ignore[misc]
        return bugs.frame(), changes.frame()

    def _pushes(self, ledger: Ledger) -> DataFrame:
        rows = Rows(PUSHES, ledger)
        for where, push in self._objects("pushes/*/*.json", ledger):
            row = {
                "repository": self._repository(where.split("/")[1]),
                "push_id": push.get("id"),
                "revision": push.get("revision"),
                "push_timestamp": push.get("push_timestamp"),
            }
            rows.add(where, lambda column, row=row: row[column.name])  # type: ignore[misc]
        return rows.frame().drop_nulls().unique(["repository", "push_id"], keep="first")

    def _read_signatures(self, ledger: Ledger) -> None:
        for where, signature in self._objects("signatures/*/*.json", ledger):
            number = signature.get("id")
            if type(number) is not int:
                number = int(where.rpartition(" ")[2]) if where[-1:].isdigit() else None
            if number is None:
                ledger.add("object-wrong", 1, [where])
                continue
            self._signatures[self._repository(where.split("/")[1]), number] = signature

    def _frameworks(self) -> Iterator[tuple[int, str]]:
        for entry in self._list("frameworks.json"):
            if type(entry.get("id")) is int and isinstance(entry.get("name"), str):
                yield entry["id"], entry["name"]

    def _options(self) -> Iterator[tuple[str, list[str]]]:
        for entry in self._list("options.json"):
            names = [o.get("name") for o in _listed(entry, "options")]
            hashed = entry.get("option_collection_hash")
            if isinstance(hashed, str):
                yield hashed, [name for name in names if isinstance(name, str)]

    def _list(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        if not path.is_file():
            return []
        return _listed({"": load_json(read_content(path, self.limits))}, "")

    def _objects(self, pattern: str, ledger: Ledger) -> Iterator[tuple[str, dict[str, Any]]]:
        """Place and content of every object in the files of *pattern*, in order."""
        for path in sorted(self.folder.glob(pattern)):
            document = load_json(read_content(path, self.limits))
            if not isinstance(document, dict):
                raise InputError(f"{path}: no extraction: not an object by id; extract again")
            for key in sorted(document, key=lambda k: (len(k), k)):
                where = f"{self._inside(path)} {key}"
                if isinstance(document[key], dict):
                    yield where, document[key]
                else:
                    ledger.add("object-wrong", 1, [where])

    def _document(self) -> dict[str, Any]:
        document = load_json(read_content(self.folder / DOCUMENT, self.limits))
        return document if isinstance(document, dict) else {}

    def _repository(self, folder: str) -> str:
        """The name of the repository whose files lie in *folder*."""
        return self._repositories.get(folder, folder)

    def _inside(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _cell_of(summary: Mapping[str, Any], alert: Mapping[str, Any]) -> Any:
    """What gives the cells of an alert's row."""
    tables = {"summary": summary, "alert": alert}

    def cell(column: Column) -> Any:
        return at(tables, column.path)

    return cell


def _read_points(pl: Any, data: bytes, limits: Limits) -> tuple[dict[str, Any], Any]:
    """The header and the points of a series' Parquet file."""
    types = schema_of(POINTS)
    found = pl.read_parquet_schema(io.BytesIO(data))
    for name in ("id", "push_id", "push_timestamp", "revision", "value"):
        if found.get(name) != types[name]:
            raise InputError(f"column {name} is {found.get(name, 'missing')}, not {types[name]}")
    there = [name for name, kind in types.items() if found.get(name) == kind]
    # A few bytes can stand for any number of rows.
    points = pl.read_parquet(io.BytesIO(data), columns=there, n_rows=limits.max_measurements + 1)
    if points.height > limits.max_measurements:
        raise InputError(f"more than {limits.max_measurements:,} rows")
    points = points.select(
        pl.col(name) if name in there else pl.lit(None, kind).alias(name)
        for name, kind in types.items()
    )
    metadata = pl.read_parquet_metadata(io.BytesIO(data))
    header = metadata.get(METADATA)
    return dict(table_of({"": _json_of(header)}, "")) if header else {}, points


def _json_of(text: str) -> Any:
    return load_json(read_content(text.encode("utf-8", "replace")))


def _listed(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list under *key*."""
    found = table.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
