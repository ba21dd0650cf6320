# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Where alerts are in their series, and what the rows of revisions and measurements say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stepmark.datasets.research.labels import RANK
from stepmark.extras import require

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from polars import DataFrame

    Vector = npt.NDArray[np.int64]

EXACT, NEXT, OUTSIDE = "exact", "next", "outside"
MARKS = ("alert_id", "suspect_of", "label_lab", "label")
_RANGE = ("target_push_id", "target_time", "target_prev_push_id", "target_prev_time")


def placed(alerts: DataFrame, revisions: DataFrame) -> DataFrame:
    """Where each alert is: ``single_alert_id``, ``placement``, ``position`` and so on.

    *alerts* have the columns ``series``, ``single_alert_id``, ``label``, ``label_lab`` and
    ``target_*``; *revisions* are those of `points.revisions_of`, in their order. The place of a
    change is the first measured revision at or after the push of its alert: the first one of the
    new level. The first revision of a series is the place of none. ``before`` is the position of
    the last revision that was measured before its range.
    """
    pl = require("polars")
    spans = spans_of(revisions)
    rows = alerts.select("series", *_RANGE).with_columns(
        pl.col("target_time", "target_prev_time").dt.epoch("us")
    )
    found = [spans[series].place(*target) for series, *target in rows.iter_rows()]
    schema = {
        "placement": pl.String,
        "position": pl.Int64,
        "place_push_id": pl.Int64,
        "before": pl.Int64,
    }
    placed = alerts.select("series", "single_alert_id", "label", "label_lab").hstack(
        pl.DataFrame(found, schema=schema, orient="row")
    )
    rank = pl.col("label").replace_strict({label: i for i, label in enumerate(RANK)})
    # Of several alerts at one place the rows name the first.
    first = pl.col("single_alert_id").first().over("series", "position")
    marked = pl.col("position").is_not_null() & (pl.col("single_alert_id") == first)
    made: DataFrame = (
        placed.sort(rank, "single_alert_id").with_columns(is_marked=marked).sort("single_alert_id")
    )
    return made


@dataclass(frozen=True, slots=True)
class _Span:
    """The revisions of one series: where they stand among all, their pushes and times."""

    start: int
    pushes: Vector
    times: Vector

    def place(
        self, push: int | None, time: int | None, prev_push: int | None, prev_time: int | None
    ) -> tuple[str | None, int | None, int | None, int | None]:
        """Placement, position, push there, and the position before the range."""
        exact = self._of(push)
        position = exact
        if position is None and time is not None:
            position = int(self.times.searchsorted(time, side="left"))
        if position is None:
            return None, None, None, None
        if not 0 < position < len(self.pushes):
            return OUTSIDE, None, None, None
        before = self._of(prev_push)
        if before is None and prev_time is not None:
            before = int(self.times.searchsorted(prev_time, side="right")) - 1
        placement = NEXT if exact is None else EXACT
        return placement, position, int(self.pushes[position]), before

    def _of(self, push: int | None) -> int | None:
        """The position of *push*; None where it was not measured."""
        if push is None:
            return None
        found = (self.pushes == push).nonzero()[0]
        return int(found[0]) if len(found) else None


def spans_of(revisions: DataFrame) -> dict[int, _Span]:
    """The revisions of each series; they stand together, in order."""
    pl = require("polars")
    starts = revisions.with_row_index("row").group_by("series", maintain_order=True)
    bounds = starts.agg(start=pl.col("row").first(), length=pl.len()).iter_rows()
    pushes = revisions["push_id"].to_numpy()
    times = revisions["push_timestamp"].to_physical().to_numpy()
    return {
        series: _Span(start, pushes[start : start + length], times[start : start + length])
        for series, start, length in bounds
    }


def annotated(revisions: DataFrame, places: DataFrame) -> DataFrame:
    """*revisions* with the columns `MARKS`."""
    pl = require("polars")
    marks = places.filter("is_marked").select(
        "series", "position", "label_lab", "label", alert_id="single_alert_id"
    )
    suspects = pl.Series("suspect_of", _suspects(revisions, places), dtype=pl.Int64)
    joined = revisions.join(marks, on=["series", "position"], how="left", maintain_order="left")
    return joined.with_columns(suspects)


def _suspects(revisions: DataFrame, places: DataFrame) -> list[int | None]:
    """The alert whose range holds each revision; of several the first."""
    spans = spans_of(revisions)
    ranges = places.drop_nulls(["position", "before"]).sort("single_alert_id", descending=True)
    suspects: list[int | None] = [None] * revisions.height
    columns = ("series", "single_alert_id", "before", "position")
    for series, alert, before, position in ranges.select(columns).iter_rows():
        start = spans[series].start
        if before + 1 < position:
            suspects[start + before + 1 : start + position] = [alert] * (position - before - 1)
    return suspects


def measured(points: DataFrame, revisions: DataFrame) -> DataFrame:
    """*points* with the columns `MARKS` of their revisions."""
    pl = require("polars")
    told = revisions.filter(
        pl.any_horizontal(pl.col("alert_id", "suspect_of").is_not_null())
    ).select("series", "push_id", *MARKS)
    return points.join(told, on=["series", "push_id"], how="left", maintain_order="left")
