# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A research data set on disk, its tables read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stepmark.datasets.research.tables import (
    ALERTS,
    BUG_CHANGES,
    BUGS,
    MEASUREMENTS,
    REVISIONS,
    SERIES,
    Table,
)
from stepmark.errors import InputError
from stepmark.extras import require
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content
from stepmark.sources.text import load_json, shown
from stepmark.sources.values import text_of

if TYPE_CHECKING:
    from polars import DataFrame, LazyFrame

    from stepmark.datasets.labelled import Dataset
    from stepmark.series import Skipped

SCHEMA = "stepmark.research/1"
DOCUMENT = "research.json"
DICTIONARY = "dictionary.md"

_DEFAULT_LIMITS = Limits()


def is_research(folder: Path) -> bool:
    """Whether *folder* is a research data set."""
    return (folder / DOCUMENT).is_file()


def open_research(folder: str | os.PathLike[str], *, limits: Limits = _DEFAULT_LIMITS) -> Research:
    """The research data set in *folder*; only `research.json` is read at once.

    Raises `InputError` where it is none, `UsageError` where polars is not installed.
    """
    require("polars")
    place = Path(folder)
    path = place / DOCUMENT
    if not path.is_file():
        raise InputError(
            f"{place}: no research data set: no {DOCUMENT}; make one with stepmark dataset import"
        )
    document = load_json(read_content(path, limits))
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = text_of(document, "schema") if isinstance(document, dict) else ""
        raise InputError(
            f"{path}: schema is {shown(found)}, where {SCHEMA} can be read; upgrade Stepmark, or"
            " import the data again"
        )
    return Research(place, document)


@dataclass(frozen=True)
class Research:
    """A research data set: alerts, bugs and series as polars frames, points as lazy frames.

    Attributes:
        folder: where it lies.
        document: the content of `research.json`: name, provenance, counts of every rule, digest.
    """

    folder: Path
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return text_of(self.document, "name") or self.folder.resolve().name

    @cached_property
    def alerts(self) -> DataFrame:
        """One row an alert, columns of `tables.ALERTS`, sorted by ``single_alert_id``."""
        return self._read(ALERTS).collect()

    @cached_property
    def bugs(self) -> DataFrame:
        """One row a bug, columns of `tables.BUGS`, sorted by ``id``."""
        return self._read(BUGS).collect()

    @cached_property
    def bug_changes(self) -> DataFrame:
        """One row a change of a bug, columns of `tables.BUG_CHANGES`, by bug and time."""
        return self._read(BUG_CHANGES).collect()

    @cached_property
    def series(self) -> DataFrame:
        """One row a series, columns of `tables.SERIES`, sorted by repository and signature."""
        return self._read(SERIES).collect()

    def measurements(self, signatures: Iterable[int] | None = None) -> LazyFrame:
        """The measurements of these *signatures*, or of all; columns of `tables.MEASUREMENTS`."""
        return self._chosen(MEASUREMENTS, signatures)

    def revisions(self, signatures: Iterable[int] | None = None) -> LazyFrame:
        """The revisions of these *signatures*, or of all; columns of `tables.REVISIONS`."""
        return self._chosen(REVISIONS, signatures)

    def labelled(
        self,
        labels: Literal["stepmark", "lab"] = "stepmark",
        form: Literal["revisions", "measurements"] = "revisions",
        *,
        signatures: Iterable[int] | None = None,
        skipped: list[Skipped] | None = None,
    ) -> Dataset:
        """The series whose alerts somebody has judged, with their changes, for a comparison.

        The one annotator is *labels*. With *form* ``revisions`` a point is a revision, its
        measurements the samples; with ``measurements`` it is one measurement. Replicates are no
        samples: those of one job share its machine and start, which would make a revision of one
        job look as sure as one of many, and most sources do not have them. Changes are the
        places labelled true, missed or downstream (``stepmark``), or TP or FN (``lab``); places of
        other labels are facts of the series. Series without a judged alert are left out, as nobody
        has said whether they change; a line is added to *skipped* that counts them. Raises
        `InputError` if none is left.
        """
        from stepmark.datasets.research.comparing import labelled

        return labelled(self, labels, form, signatures, skipped)

    def _chosen(self, table: Table, signatures: Iterable[int] | None) -> LazyFrame:
        pl = require("polars")
        frame = self._read(table)
        if signatures is None:
            return frame
        chosen: LazyFrame = frame.filter(pl.col("signature_id").is_in(sorted(set(signatures))))
        return chosen

    def _read(self, table: Table) -> LazyFrame:
        """The *table* with its columns in order; raises `InputError` if one is not as it should."""
        pl = require("polars")
        paths = files_of(self.folder, table)
        wanted = table.schema()
        for path in paths:
            try:
                found = pl.read_parquet_schema(path)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
                problem = str(error).split("\n", 1)[0]
                raise InputError(f"{path}: no usable Parquet table: {problem:.200}") from None
            wrong = next((name for name, kind in wanted.items() if found.get(name) != kind), None)
            if wrong is not None:
                raise InputError(
                    f"{path}: column {wrong} is {found.get(wrong, 'missing')}, not {wanted[wrong]};"
                    " import the data again"
                )
        frame: LazyFrame = pl.scan_parquet(paths).select(table.names)
        return frame


def files_of(folder: Path, table: Table) -> list[Path]:
    """The files of *table* in *folder*, in order; raises `InputError` if there is none."""
    pattern = f"{table.name}/*.parquet" if table.parts else f"{table.name}.parquet"
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(f"{folder / pattern}: no such file; import the data again")
    return found
