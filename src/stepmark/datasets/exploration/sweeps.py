# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What other thresholds would have done to the alerts that are decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stepmark.datasets.exploration.canonical import Tables
from stepmark.datasets.exploration.intervals import Share, wilson, with_shares
from stepmark.datasets.exploration.phrases import counted, number, share
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Array = npt.NDArray[np.float64]
    Truths = npt.NDArray[np.bool_]

Measure = Literal["percent", "t"]
GRID: dict[str, tuple[float, ...]] = {
    "percent": (
        *(0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9),
        *(10, 12, 15, 20, 25, 30, 40, 50, 75, 100),
    ),
    "t": (7, 7.5, 8, 8.5, 9, 9.5, 10, 11, 12, 13, 14, 15, 17, 20, 25, 30, 40, 50, 75, 100),
}
"""The thresholds that are tried."""

MOST_LOST = 0.05
"""The largest share of true alerts that a threshold may lose to be chosen."""

LEAST = 20
"""True and false alerts, of each, that a choice needs."""

_FOLDS = 5


def decided(tables: Tables, measure: Measure) -> pl.DataFrame:
    """Alerts that are true or false and have a *measure*: framework, summary, verdict, measure.

    Alerts of series whose threshold is not in percent have no percentage to compare.
    """
    pl = require("polars")
    own = tables.alerts.drop_nulls("verdict").filter(pl.col(measure).is_finite())
    if measure == "percent":
        absolute = tables.series.filter(pl.col("change_type") == 1)
        own = own.join(absolute, on=["repository", "signature"], how="anti")
    return own.select("framework", "summary", "verdict", measure)


def sweep(tables: Tables, measure: Measure = "percent") -> Part:
    """The false alerts avoided and the true ones lost by each threshold of `GRID`.

    The frame has the columns framework (``all`` for all), threshold, avoided, false, avoided share,
    lost, true and lost share.
    """
    pl = require("polars")
    own = decided(tables, measure)
    grid = pl.DataFrame({"threshold": [float(value) for value in GRID[measure]]})
    whole = pl.concat([own, own.with_columns(framework=pl.lit("all"))])
    below = pl.col(measure) < pl.col("threshold")
    true, false = pl.col("verdict") == "true", pl.col("verdict") == "false"
    frame = (
        whole.join(grid, how="cross")
        .group_by("framework", "threshold")
        .agg(
            (below & false).sum().cast(pl.Int64).alias("avoided"),
            false.sum().cast(pl.Int64).alias("false"),
            (below & true).sum().cast(pl.Int64).alias("lost"),
            true.sum().cast(pl.Int64).alias("true"),
        )
        .sort(pl.col("framework") != "all", "framework", "threshold")
    )
    made = (
        with_shares(frame, "avoided", "false")
        .rename({"share": "avoided share"})
        .drop("low", "high")
    )
    made = with_shares(made, "lost", "true").rename({"share": "lost share"}).drop("low", "high")
    word = "alert thresholds" if measure == "percent" else "thresholds of t"
    return Part(
        f"sweep-{measure}",
        f"What other {word} would have done",
        made.select(
            "framework",
            "threshold",
            "avoided",
            "false",
            "avoided share",
            "lost",
            "true",
            "lost share",
        ),
        _reading(made, measure),
        "Of decided alerts, those below the threshold would not have been made. What a lower"
        " threshold would have found is not known.",
        empty=not made.height,
    )


def _reading(made: pl.DataFrame, measure: str) -> str:
    pl = require("polars")
    pooled = made.filter((pl.col("framework") == "all") & (pl.col("lost share") <= MOST_LOST))
    if not made.height:
        return "No alert that is decided has a size."
    if not pooled.height:
        return f"Every threshold loses more than {share(MOST_LOST)} of the true alerts."
    row = pooled.sort("avoided", "threshold", descending=[True, False]).row(0, named=True)
    unit = " %" if measure == "percent" else ""
    if not row["avoided"]:
        return (
            f"No threshold avoids a false alert without losing more than {share(MOST_LOST)} of the"
            " true ones."
        )
    return (
        f"Over all frameworks a threshold of {number(row['threshold'])}{unit} would have avoided"
        f" {row['avoided']:,} of {counted(row['false'], 'false alert')}"
        f" ({share(row['avoided share'])}) and lost {row['lost']:,} of"
        f" {counted(row['true'], 'true one')} ({share(row['lost share'])})."
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """A threshold that the alerts of a framework speak for.

    Attributes:
        threshold: the one that avoids the most false alerts and loses at most `MOST_LOST` of the
            true ones; the lowest of several.
        avoided, lost: false alerts avoided and true ones lost, on alerts that had no part in the
            choice: each fifth of the summaries is judged by the threshold that the others choose.
        told: the same on the very alerts that chose, as counts.
        least, most: the lowest and highest choice of the parts.
    """

    threshold: float
    avoided: Share
    lost: Share
    told: tuple[int, int]
    least: float
    most: float


def choose(own: pl.DataFrame, measure: Measure) -> Chosen | None:
    """The threshold for the alerts *own*, as `decided` gives them; None if none avoids any.

    Alerts of one summary stay together when the choice is judged.
    """
    import numpy as np

    own = own.sort("summary", maintain_order=True)
    sizes = own[measure].to_numpy()
    true: Truths = (own["verdict"] == "true").to_numpy()
    # Neighbours in time come into different parts.
    part = own["summary"].rank("dense").fill_null(0).to_numpy() % _FOLDS
    grid = np.asarray(GRID[measure])
    best = _best(sizes, true, grid)
    if best is None:
        return None
    avoided = lost = 0
    found = []
    for fold in range(_FOLDS):
        inside = part == fold
        limit = _best(sizes[~inside], true[~inside], grid)
        found.append(limit if limit is not None else float(grid[0]))
        below = inside & (sizes < (limit or -1.0))
        avoided += int((below & ~true).sum())
        lost += int((below & true).sum())
    under = sizes < best
    return Chosen(
        threshold=best,
        avoided=wilson(avoided, int((~true).sum())),
        lost=wilson(lost, int(true.sum())),
        told=(int((under & ~true).sum()), int((under & true).sum())),
        least=min(found),
        most=max(found),
    )


def _best(sizes: Array, true: Truths, grid: Array) -> float | None:
    import numpy as np

    if not true.any():
        return None
    lost = np.searchsorted(np.sort(sizes[true]), grid, side="left") / true.sum()
    avoided = np.searchsorted(np.sort(sizes[~true]), grid, side="left")
    allowed = np.where(lost <= MOST_LOST, avoided, -1)
    place = int(allowed.argmax())
    return float(grid[place]) if allowed[place] > 0 else None
