# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""From material to a research data set on disk, a few hundred series at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stepmark
from stepmark.datasets.research.alerting import (
    counted_bugs,
    curated_alerts,
    curated_bugs,
    open_of,
)
from stepmark.datasets.research.artifact import ALERTS_FILE, Artifact, is_artifact
from stepmark.datasets.research.cells import Rows
from stepmark.datasets.research.dictionary import dictionary, label_counts
from stepmark.datasets.research.extraction_folder import ExtractionFolder, is_extraction
from stepmark.datasets.research.labels import CHANGES
from stepmark.datasets.research.material import Material, SeriesFiles, Surroundings
from stepmark.datasets.research.names import FRAMEWORKS
from stepmark.datasets.research.opened import DICTIONARY, DOCUMENT, SCHEMA
from stepmark.datasets.research.parquet import combined, digest_of, parquet_bytes
from stepmark.datasets.research.placing import NEXT, OUTSIDE, annotated, measured, placed
from stepmark.datasets.research.points import curated, revisions_of
from stepmark.datasets.research.rules import Ledger
from stepmark.datasets.research.tables import (
    ALERTS,
    BUG_CHANGES,
    BUGS,
    MEASUREMENTS,
    REVISIONS,
    SERIES,
    SERIES_READ,
    TABLES,
    Column,
    Table,
)
from stepmark.errors import InputError
from stepmark.extraction.folder import DOCUMENT as EXTRACTION
from stepmark.extras import require
from stepmark.files import File, json_bytes, write_folder
from stepmark.sources.base import Limits
from stepmark.sources.reading import garbage_collection_paused

if TYPE_CHECKING:
    from polars import DataFrame

Progress = Callable[[int, int], None]

ROWS_OF_A_PART = 400_000
"""From this number of measurements on a part of the data set is full."""

_DEFAULT_LIMITS = Limits()
_OWN = re.compile(
    r"research\.json|dictionary\.md|(alerts|bugs|bug_changes|series)\.parquet"
    r"|(measurements|revisions)/\d{5}\.parquet"
)
_COMPLETE = tuple(c for c in SERIES.columns if c.name in {"complete_from", "complete_to"})
_DESCRIBED = Column("is_described", "flag", "whether anything describes it")


def is_research_file(name: str) -> bool:
    """Whether a file of this path inside a folder is part of a research data set."""
    return _OWN.fullmatch(name) is not None


def open_material(source: str | os.PathLike[str], limits: Limits = _DEFAULT_LIMITS) -> Material:
    """The extraction folder or artifact at *source*; raises `InputError` where it is neither."""
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name an extraction, or the lab's artifact")
    if is_extraction(folder):
        return ExtractionFolder(folder, limits)
    if is_artifact(folder):
        return Artifact(folder, limits)
    raise InputError(
        f"{folder}: neither an extraction ({EXTRACTION}) nor the lab's artifact ({ALERTS_FILE})"
    )


def import_research(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    name: str = "",
    provenance: Mapping[str, str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> dict[str, Any]:
    """Make a research data set of *source* in the folder *out*; what `research.json` says of it.

    The same input gives the same content and digest, whatever the order of rows and files; with
    the same version of polars also the same bytes. *provenance* is added to what the source tells;
    *progress* is told (series done, all). Raises `InputError` for a source that cannot be read or
    has no usable series, `OutputError` if *out* holds something else, or a research data set and
    not *force*, `UsageError` where polars is not installed.
    """
    require("polars")
    material = open_material(source, limits)
    known = {**material.provenance, **(provenance or {})}
    building = _Building(
        material, name or Path(source).resolve().name, known, progress or (lambda *_: None)
    )
    write_folder(Path(out), building.files(), owned=is_research_file, force=force)
    return building.document


@dataclass
class _Building:
    """One import: what has been read and counted so far."""

    material: Material
    name: str
    provenance: Mapping[str, str]
    progress: Progress
    ledger: Ledger = field(default_factory=Ledger)
    document: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, tuple[int, str]] = field(default_factory=dict)
    series: list[DataFrame] = field(default_factory=list)
    places: list[DataFrame] = field(default_factory=list)
    pushes: list[DataFrame] = field(default_factory=list)

    def files(self) -> Iterator[File]:
        """Every file of the data set, the document last."""
        pl = require("polars")
        with garbage_collection_paused():
            around = self.material.surroundings(self.ledger)
        bugs = curated_bugs(around, self.ledger)
        alerts = curated_alerts(around, bugs, self.ledger)
        files = self.material.files(self.ledger)
        self._note_unread_series(around, files)
        for number, chunk in enumerate(_read_ahead(self._chunks(files))):
            yield from self._part(f"{number:05}", chunk, alerts)
        if not self.series:
            raise InputError(f"no series with measurements that can be used{self._why()}")
        finished = self._finished_alerts(around, alerts)
        yield self._file(ALERTS, finished)
        yield self._file(SERIES, self._finished_series(around))
        yield self._file(BUGS, counted_bugs(bugs, alerts, self.ledger))
        changes = around.bug_changes.filter(pl.col("bug_id").is_not_null())
        yield self._file(BUG_CHANGES, changes.sort(BUG_CHANGES.names, maintain_order=True))
        self.document |= self._document(finished, around)
        yield DICTIONARY, dictionary().encode()
        yield DOCUMENT, json_bytes(self.document)

    def _note_unread_series(self, around: Surroundings, files: Sequence[SeriesFiles]) -> None:
        read = {(item.repository, item.signature_id) for item in files}
        lacking = sorted(around.described - read)
        self.ledger.add("series-not-extracted", len(lacking), (f"{r} {s}" for r, s in lacking))

    def _why(self) -> str:
        found = [r for r in self.ledger.document() if r["count"] and r["about"] != "alerts"]
        return f": {found[0]['rule']}: {', '.join(found[0]['examples'][:1])}" if found else ""

    def _chunks(self, files: Sequence[SeriesFiles]) -> Iterator[_Chunk]:
        """The series that can be read, in chunks of many measurements."""
        chunk = _Chunk()
        for done, item in enumerate(files):
            self.progress(done, len(files))
            read = self.material.series(item, self.ledger)
            if read is None:
                continue
            chunk.add(item, *read)
            if chunk.rows >= ROWS_OF_A_PART:
                yield chunk
                chunk = _Chunk()
        self.progress(len(files), len(files))
        if chunk.files:
            yield chunk

    def _part(self, number: str, chunk: _Chunk, alerts: DataFrame) -> Iterator[File]:
        """The files of measurements and revisions that *chunk* makes."""
        pl = require("polars")
        names = [f"{item.repository} {item.signature_id}" for item in chunk.files]
        points = curated(chunk.points(self.material), names, self.ledger)
        revisions = revisions_of(points, names, self.ledger)
        identity = chunk.identity()
        own = alerts.rename({"alert_summary_repository": "repository"}).join(
            identity, on=["repository", "signature_id"]
        )
        places = placed(
            own.filter(pl.col("series").is_in(revisions["series"].implode())), revisions
        )
        revisions = annotated(revisions, places)
        self.places.append(places.drop("series", "label", "label_lab", "before"))
        self._keep_series(chunk, revisions, places)
        self.pushes.append(
            revisions.join(identity, on="series")
            .select("repository", "push_id", "revision", "push_timestamp")
            .unique(["repository", "push_id", "revision", "push_timestamp"])
        )
        if not points.height:
            return
        for table, frame in ((MEASUREMENTS, measured(points, revisions)), (REVISIONS, revisions)):
            rows = frame.join(identity, on="series", how="left", maintain_order="left")
            yield self._file(table, rows, number)

    def _keep_series(self, chunk: _Chunk, revisions: DataFrame, places: DataFrame) -> None:
        """Keep what is said of the series of *chunk* and what was counted of them."""
        pl = require("polars")
        counts = revisions.group_by("series").agg(
            measurements=pl.col("n").sum(),
            revisions=pl.len().cast(pl.Int64),
            first=pl.col("push_timestamp").min(),
            last=pl.col("push_timestamp").max(),
            least=pl.col("value").min(),
            most=pl.col("value").max(),
        )
        change = pl.col("is_marked") & pl.col("label").is_in(CHANGES["stepmark"])
        labels = places.group_by("series").agg(
            alerts=pl.len().cast(pl.Int64), changes=change.sum().cast(pl.Int64)
        )
        described = chunk.described(self.ledger)
        empty = described.join(counts, on="series", how="anti")
        for row in empty.iter_rows(named=True):
            example = f"{row['repository']} {row['signature_id']}"
            self.ledger.add("series-without-points", 1, [example])
        there = described.join(counts, on="series").join(labels, on="series", how="left")
        bare = there.filter(~pl.col("is_described"))
        for row in bare.iter_rows(named=True):
            example = f"{row['repository']} {row['signature_id']}"
            self.ledger.add("series-not-described", 1, [example])
        if there.height:
            self.series.append(there.sort("series"))

    def _finished_alerts(self, around: Surroundings, alerts: DataFrame) -> DataFrame:
        """The table of alerts, all columns but in any order."""
        pl = require("polars")
        places = pl.concat(self.places)
        joined = alerts.join(places, on="single_alert_id", how="left", maintain_order="left")
        keys = pl.concat(self.series).select(
            "signature_id", alert_summary_repository="repository", has_series=pl.lit(value=True)
        )
        on = ["alert_summary_repository", "signature_id"]
        joined = joined.join(keys, on=on, how="left", maintain_order="left")
        joined = joined.with_columns(pl.col("has_series", "is_marked").fill_null(value=False))
        self._note_places(joined)
        return _with_push_times(joined, pl.concat([around.pushes, *self.pushes]))

    def _note_places(self, alerts: DataFrame) -> None:
        pl = require("polars")
        has, placement = pl.col("has_series"), pl.col("placement")
        inside = pl.col("position").is_not_null()
        for rule, condition in (
            ("alert-without-series", ~has),
            ("alert-without-push", has & placement.is_null()),
            ("alert-push-not-measured", placement == NEXT),
            ("alert-outside-series", placement == OUTSIDE),
            (
                "alerts-at-one-place",
                inside & ~pl.col("is_marked") & pl.col("duplicate_of").is_null(),
            ),
        ):
            found = alerts.filter(condition)["single_alert_id"]
            self.ledger.add(rule, found.len(), found)

    def _finished_series(self, around: Surroundings) -> DataFrame:
        """The table of series, all columns but in any order."""
        pl = require("polars")
        series = pl.concat(self.series).sort("repository", "signature_id")
        hashed = series.filter(pl.col("signature_hash") != "")
        shared = hashed.filter(pl.struct("repository", "signature_hash").is_duplicated())
        rows = shared.select("repository", "signature_id").iter_rows()
        self.ledger.add("series-of-one-hash", shared.height, (f"{r} {s}" for r, s in rows))
        names = pl.col("framework_id").replace_strict(
            {**FRAMEWORKS, **around.frameworks}, default=None, return_dtype=pl.String
        )
        known = dict(around.options)
        options = [known.get(hashed) for hashed in series["option_collection_hash"]]
        made: DataFrame = series.with_columns(
            pl.col("alerts", "changes").fill_null(0),
            pl.Series("options", options, dtype=pl.List(pl.String)),
            framework=pl.coalesce(names, pl.col("framework_id").cast(pl.String), pl.lit("")),
        )
        return made

    def _file(self, table: Table, frame: DataFrame, number: str = "") -> File:
        """One file of *table*, its rows and digest noted."""
        schema = table.schema()
        made = frame.select(require("polars").col(n).cast(kind) for n, kind in schema.items())
        path = f"{table.name}/{number}.parquet" if table.parts else f"{table.name}.parquet"
        self.digests[path] = (made.height, digest_of(made))
        return path, parquet_bytes(made)

    def _document(self, alerts: DataFrame, around: Surroundings) -> dict[str, Any]:
        refresh = {*open_of(alerts).to_list(), *around.unread.values()}
        return {
            "schema": SCHEMA,
            "name": self.name,
            "written_by": f"stepmark {stepmark.__version__}",
            "provenance": dict(self.provenance),
            "rules": self.ledger.document(),
            "labels": label_counts(alerts),
            "refresh": {"summaries": sorted(refresh)},
            "tables": [_described_table(table, self.digests) for table in TABLES.values()],
            "files": {
                path: {"rows": rows, "digest": digest}
                for path, (rows, digest) in sorted(self.digests.items())
            },
            "digest": combined({path: digest for path, (_, digest) in self.digests.items()}),
        }


def _read_ahead(chunks: Iterator[_Chunk]) -> Iterator[_Chunk]:
    """*chunks*, the next one of which is read while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield chunk


@dataclass
class _Chunk:
    """Series that are worked on together."""

    files: list[SeriesFiles] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    frames: list[DataFrame] = field(default_factory=list)
    rows: int = 0

    def add(self, files: SeriesFiles, said: dict[str, Any], points: DataFrame) -> None:
        """Take in one series."""
        self.files.append(files)
        self.said.append(said)
        self.frames.append(points)
        self.rows += points.height

    def points(self, material: Material) -> DataFrame:
        """All points, with the number of their series."""
        pl = require("polars")
        lengths = [frame.height for frame in self.frames]
        # One query for many series: on each alone it would take longer to plan than to run.
        made = material.points(pl.concat(self.frames, how="diagonal"))
        self.frames.clear()
        numbers = pl.Series("series", range(len(lengths)), dtype=pl.Int64)
        repeated = numbers.repeat_by(pl.Series(lengths, dtype=pl.UInt32)).explode().drop_nulls()
        return made.with_columns(repeated.alias("series"))

    def identity(self) -> DataFrame:
        """Number, repository and signature id of each series."""
        pl = require("polars")
        made: DataFrame = pl.DataFrame(
            {
                "series": range(len(self.files)),
                "repository": [item.repository for item in self.files],
                "signature_id": [item.signature_id for item in self.files],
            },
            schema={"series": pl.Int64, "repository": pl.String, "signature_id": pl.Int64},
        )
        return made

    def described(self, ledger: Ledger) -> DataFrame:
        """What is said of each series, and its number."""
        pl = require("polars")
        rows = Rows((*SERIES_READ, *_COMPLETE, _DESCRIBED), ledger)
        for item, said in zip(self.files, self.said, strict=True):
            rows.add(f"{item.repository} {item.signature_id}", _getter(said))
        frame = rows.frame()
        never_null = [name for name, kind in frame.schema.items() if kind == pl.String]
        numbered = pl.Series("series", range(frame.height), dtype=pl.Int64)
        return frame.with_columns(pl.col(never_null).fill_null(""), numbered)


def _getter(said: Mapping[str, Any]) -> Callable[[Column], Any]:
    return lambda column: said.get(column.name)


def _with_push_times(alerts: DataFrame, pushes: DataFrame) -> DataFrame:
    """*alerts* with the times of the pushes before, and of those that were blamed first."""
    pl = require("polars")
    repository = "alert_summary_repository"
    at = pushes.group_by("repository", "push_id").agg(pl.col("push_timestamp").min())
    of = pushes.filter(pl.col("revision") != "").group_by("repository", "revision")
    known = of.agg(pl.col("push_timestamp").min())
    before = at.rename(
        {
            "repository": repository,
            "push_id": "alert_summary_prev_push_id",
            "push_timestamp": "prev_push_timestamp",
        }
    )
    original = known.rename(
        {
            "repository": repository,
            "revision": "alert_summary_original_revision",
            "push_timestamp": "original_push_timestamp",
        }
    )
    made = alerts
    for right in (before, original):
        keys = [name for name in right.columns if not name.endswith("push_timestamp")]
        made = made.join(right, on=keys, how="left", maintain_order="left")
    return made


def _described_table(table: Table, files: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    own = sorted(path for path in files if path.split("/")[0].split(".")[0] == table.name)
    return {
        "table": table.name,
        "row": table.row,
        "rows": sum(files[path][0] for path in own),
        "columns": table.names,
        "files": own,
    }
