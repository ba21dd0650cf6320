# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A research data set as labelled series, for the comparison of detectors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.research.labels import CHANGES, OPEN
from stepmark.datasets.research.opened import Research
from stepmark.datasets.research.tables import MEASUREMENTS
from stepmark.errors import InputError, UsageError
from stepmark.extras import require
from stepmark.series import Direction, Point, Series, SeriesKey, Skipped
from stepmark.sources.reading import garbage_collection_paused

if TYPE_CHECKING:
    from polars import DataFrame

_COLUMN = {"stepmark": "label", "lab": "label_lab"}
_FORMS = ("revisions", "measurements")
_NO_ATTRIBUTES: Mapping[str, str] = {}
# A duplicate says nothing of its own, and what the lab does not label nothing at all.
_SILENT = ("duplicate", None)

_Key = tuple[str, int]


def labelled(
    research: Research,
    labels: str,
    form: str,
    signatures: Iterable[int] | None,
    skipped: list[Skipped] | None,
) -> Dataset:
    """What `Research.labelled` promises."""
    if labels not in _COLUMN or form not in _FORMS:
        wrong = labels if labels not in _COLUMN else form
        raise UsageError(f"{wrong!r:.40}: labels are stepmark or lab, forms {' or '.join(_FORMS)}")
    pl = require("polars")
    series = research.series
    if signatures is not None:
        series = series.filter(pl.col("signature_id").is_in(sorted(set(signatures))))
    judged = _judged(research, labels)
    kept = series.join(judged, on=["repository", "signature_id"], maintain_order="left")
    without = series.height - kept.height
    if not kept.height:
        raise InputError(f"{research.folder}: no series with an alert that somebody has judged")
    if without and skipped is not None:
        skipped.append(Skipped(str(research.folder), _told(without)))
    with garbage_collection_paused():
        members = tuple(_members(research, kept, labels, form))
    provenance = {k: str(v) for k, v in research.document.get("provenance", {}).items()}
    made = {"research": str(research.document.get("digest", "")), "labels": labels, "form": form}
    return Dataset(research.name, members, provenance | made)


def _told(without: int) -> str:
    return f"{without:,} series without an alert that somebody has judged"


def _judged(research: Research, labels: str) -> DataFrame:
    """The series of the data set that an alert with a place and a judgement is of."""
    pl = require("polars")
    label = pl.col(_COLUMN[labels])
    silent = [*OPEN[labels], *(word for word in _SILENT if word)]
    judged = pl.col("is_marked") & label.is_not_null() & ~label.is_in(silent)
    chosen: DataFrame = (
        research.alerts.filter(judged)
        .select(pl.col("alert_summary_repository").alias("repository"), "signature_id")
        .unique()
    )
    return chosen


def _members(
    research: Research, kept: DataFrame, labels: str, form: str
) -> Iterator[LabelledSeries]:
    """The labelled series of *kept*, part by part of the data set."""
    pl = require("polars")
    described = {
        (row["repository"], row["signature_id"]): row for row in kept.iter_rows(named=True)
    }
    keys = kept.select("repository", "signature_id")
    for path in sorted((research.folder / MEASUREMENTS.name).glob("*.parquet")):
        rows = (
            pl.scan_parquet(path)
            .select(
                "repository", "signature_id", "push_id", "push_timestamp", "revision", "value",
                label=_COLUMN[labels],
            )
            .filter(pl.col("signature_id").is_in(keys["signature_id"].implode()))
            .collect()
            .join(keys, on=["repository", "signature_id"], how="semi", maintain_order="left")
        )  # fmt: skip
        points = _by_revision(rows) if form == "revisions" else _by_measurement(rows)
        for key, own in points.partition_by(
            "repository", "signature_id", maintain_order=True, as_dict=True
        ).items():
            yield _member(described[key], own, labels)


def _by_revision(rows: DataFrame) -> DataFrame:
    """One row a revision, its measurements a list."""
    pl = require("polars")
    made: DataFrame = (
        rows.group_by("repository", "signature_id", "push_id", maintain_order=True)
        .agg(
            pl.col("push_timestamp").min(),
            pl.col("revision").first(),
            pl.col("value"),
            pl.col("label").first(),
        )
        .sort("repository", "signature_id", "push_timestamp", "push_id")
    )
    return made


def _by_measurement(rows: DataFrame) -> DataFrame:
    """One row a measurement, of which the first of its revision has the label."""
    pl = require("polars")
    first = pl.struct("repository", "signature_id", "push_id").is_first_distinct()
    return rows.with_columns(
        pl.col("value").reshape((-1, 1)).arr.to_list(), label=pl.when(first).then("label")
    )


def _member(row: Mapping[str, Any], own: DataFrame, labels: str) -> LabelledSeries:
    """The series that *row* describes, with its points and places."""
    told = own.get_column("label").to_list()
    points = tuple(
        Point(revision, landed, tuple(values), position, _NO_ATTRIBUTES)
        for position, (revision, landed, values) in enumerate(
            zip(
                own.get_column("revision").to_list(),
                own.get_column("push_timestamp").to_list(),
                own.get_column("value").to_list(),
                strict=True,
            )
        )
    )
    places: dict[str, list[int]] = {}
    for position, label in enumerate(told):
        if label is not None:
            places.setdefault(label, []).append(position)
    changes = sorted(place for label in CHANGES[labels] for place in places.pop(label, ()))
    better = {True: Direction.LOWER, False: Direction.HIGHER, None: None}[row["lower_is_better"]]
    facts = {
        "repository": row["repository"],
        "signature_id": str(row["signature_id"]),
        **{f"places {label}": json.dumps(listed) for label, listed in sorted(places.items())},
    }
    return LabelledSeries(
        name_of(row["repository"], row["signature_id"]),
        Series(_key(row), points, row["unit"], better),
        len(points),
        ((labels, tuple(changes)),),
        facts,
    )


def name_of(repository: str, signature_id: int) -> str:
    """What a labelled data set calls a series."""
    return f"{repository}-{signature_id}"


def _key(row: Mapping[str, Any]) -> SeriesKey:
    labels = {
        "signature": str(row["signature_id"]),
        "platform": row["platform"],
        "application": row["application"],
        "options": " ".join([*(row["options"] or ()), *(row["extra_options"] or ())]),
    }
    told = tuple((name, text) for name, text in labels.items() if text)
    return SeriesKey(row["repository"], row["suite"], row["test"] or "value", told)
