# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How long the steps of the workflow take, what is open counted as such and not left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from stepmark.datasets.exploration.canonical import OPEN, Tables
from stepmark.datasets.exploration.intervals import (
    Survival,
    kaplan_meier,
    summed,
    wilson,
    with_shares,
)
from stepmark.datasets.exploration.phrases import counted, days, listed, share, shares
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl
    from polars import DataFrame, Expr


By = Literal["framework", "repository", "month"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the workflow: its name, and what is counted of whom."""

    name: str
    definition: str


STEPS = (
    Step("detection delay", "from the push that was blamed first to its alert"),
    Step("time to triage", "from the alert to the first change of its summary by a person"),
    Step("time to bug", "from the alert to its bug; open summaries wait, closed ones have none"),
    Step("investigation", "from triage to the bug, of summaries that have a bug or are open"),
    Step("time to resolution", "from the filing of a bug to its resolution; open bugs wait"),
)
_RING = "Nine of ten are done by the second time, marked by a ring."
_DAY = 86_400_000_000  # microseconds
# 1970-01-05 was a Monday.
_MONDAY = 4 * _DAY


def working_days(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Days between two times without Saturdays and Sundays (UTC): on these the clock stands."""
    return (_worked(end) - _worked(start)) / _DAY


def _worked(time: pl.Expr) -> pl.Expr:
    """Microseconds of weekdays up to *time*."""
    pl = require("polars")
    since = time.dt.timestamp("us") - _MONDAY
    week = since.floordiv(7 * _DAY)
    inside: Expr = pl.min_horizontal(since - week * 7 * _DAY, pl.lit(5 * _DAY))
    return week * 5 * _DAY + inside


def durations(tables: Tables) -> pl.DataFrame:
    """One row a span of a step: step, framework, repository, month, days, working_days, done.

    What is not done has waited until the last time that alerts (or bugs, for their resolution)
    tell of. Spans that would be negative are left out.
    """
    pl = require("polars")
    bugs = tables.bugs.select("bug", filed="created", resolved="resolved", kind="resolution")
    summaries = tables.summaries.join(bugs, on="bug", how="left")
    # A bug that was there before the alert was only linked to it.
    filed_for_it = pl.col("filed") >= pl.col("created")
    had = pl.when(filed_for_it).then("filed").otherwise("bug_updated")
    summaries = summaries.with_columns(had=pl.when(pl.col("bug").is_not_null()).then(had))
    # The push of a culprit that was moved by hand says nothing of the delay.
    blamed = pl.coalesce(
        "first_pushed", pl.when(~pl.col("edited").fill_null(value=False)).then("pushed")
    )
    found = summaries.with_columns(blamed=blamed).filter(~pl.col("manual").fill_null(value=False))
    waits = pl.col("status").is_in(OPEN) | pl.col("had").is_not_null()
    spans = (
        (0, found, "blamed", "created"),
        (1, summaries, "created", "first_triaged"),
        (2, summaries.filter(waits), "created", "had"),
        (
            3,
            summaries.filter(waits & pl.col("first_triaged").is_not_null()),
            "first_triaged",
            "had",
        ),
        (4, _filed(summaries), "filed", "resolved"),
    )
    # Bugs are often asked for later than alerts.
    ends = [*[tables.now] * (len(spans) - 1), tables.bugs_until]
    made = [
        frame.filter(pl.col(start).is_not_null(), pl.lit(now is not None))
        .with_columns(end=pl.coalesce(pl.col(end), pl.lit(now, pl.Datetime("us"))))
        .select(
            pl.lit(STEPS[place].name).alias("step"),
            "framework",
            "repository",
            "month",
            days=(pl.col("end") - pl.col(start)).dt.total_microseconds() / _DAY,
            working_days=working_days(pl.col(start), pl.col("end")),
            done=pl.col(end).is_not_null(),
        )
        for (place, frame, start, end), now in zip(spans, ends, strict=True)
    ]
    whole: DataFrame = pl.concat(made)
    return whole.filter(pl.col("days") >= 0)


def _filed(summaries: pl.DataFrame) -> pl.DataFrame:
    """One row a bug."""
    pl = require("polars")
    return summaries.filter(pl.col("filed").is_not_null()).unique(
        "bug", keep="first", maintain_order=True
    )


def curves(spans: pl.DataFrame, *, working: bool = False) -> dict[str, Survival]:
    """The survival of each step of `durations`, in the order of the workflow."""
    pl = require("polars")
    column = "working_days" if working else "days"
    found = {}
    for step in STEPS:
        own = spans.filter(pl.col("step") == step.name)
        if own.height:
            found[step.name] = kaplan_meier(own[column].to_list(), own["done"].to_list())
    return found


def times(tables: Tables) -> Part:
    """Median and 90th percentile of each step, in days and in working days.

    The frame has the columns step, clock, items, open, median, low, high, p90 (days; null where it
    is not reached).
    """
    spans = durations(tables)
    rows = [
        {"step": step, "clock": clock, **_row(curve)}
        for clock, working in (("all days", False), ("working days", True))
        for step, curve in curves(spans, working=working).items()
    ]
    frame = _timed(rows, ("step", "clock"))
    definitions = "; ".join(f"{step.name}: {step.definition}" for step in STEPS)
    return Part(
        "times",
        "How long the steps take",
        frame,
        _times_reading(rows),
        "By Kaplan and Meier: what is open has waited until the last time that alerts (or bugs)"
        " tell of, and is not left out. For a bug that does not tell when it was resolved, its last"
        " change counts. The interval is that of the median, 95 %. Working days have no"
        f" Saturdays and Sundays (UTC). {_RING} {definitions[:1].upper()}{definitions[1:]}.",
        empty=not rows,
    )


def _row(curve: Survival) -> dict[str, Any]:
    return {
        "items": curve.items,
        "open": curve.items - curve.done,
        "median": curve.quantile(0.5),
        "low": curve.quantile_low(0.5),
        "high": curve.quantile_high(0.5),
        "p90": curve.quantile(0.9),
    }


def _timed(rows: list[dict[str, Any]], keys: tuple[str, ...]) -> pl.DataFrame:
    pl = require("polars")
    schema: dict[str, Any] = dict.fromkeys(keys, pl.String)
    schema |= {"items": pl.Int64, "open": pl.Int64}
    schema |= dict.fromkeys(("median", "low", "high", "p90"), pl.Float64)
    frame: DataFrame = pl.DataFrame(rows, schema=schema)
    return frame


def _times_reading(rows: list[dict[str, Any]]) -> str:
    plain = [row for row in rows if row["clock"] == "all days"]
    if not plain:
        return "No times are known."
    said = [f"{row['step']} {days(row['median'])}" for row in plain]
    text = f"Medians: {', '.join(said)}."
    endless = [row["step"] for row in plain if row["p90"] is None]
    slow = max(plain, key=lambda row: row["p90"] or 0.0)
    if endless:
        text += f" Nine of ten are never done in the data for {listed(endless)}."
    if slow["p90"]:
        text += f" One in ten takes longer than {days(slow['p90'])} for {slow['step']}."
    waiting = sum(row["open"] for row in plain)
    return text + f" {counted(waiting, 'span')} {'is' if waiting == 1 else 'are'} still open."


def survival(tables: Tables) -> Part:
    """The share that is still waiting after so many days, of each step.

    The frame has the columns step, days, waiting, low and high: at most 200 times a step.
    """
    pl = require("polars")
    found = curves(durations(tables))
    rows = []
    for step, curve in found.items():
        every = max(1, -(-len(curve.times) // 200))
        chosen = [*range(0, len(curve.times), every), len(curve.times) - 1]
        rows += [
            (step, curve.times[i], curve.waiting[i], curve.low[i], curve.high[i])
            for i in sorted(set(chosen))
            if i >= 0
        ]
    schema = {"step": pl.String}
    schema |= dict.fromkeys(("days", "waiting", "low", "high"), pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    within = [
        f"{share(1 - _waiting(curve, 2))} of {step}" for step, curve in found.items() if curve.done
    ]
    reading = f"Done within 2 days: {', '.join(within)}." if within else "No times are known."
    return Part(
        "waiting",
        "Share still waiting",
        frame,
        reading,
        "Kaplan-Meier estimates with 95 % limits by Greenwood's variance.",
        empty=not rows,
    )


def _waiting(curve: Survival, after: float) -> float:
    past = [s for t, s in zip(curve.times, curve.waiting, strict=True) if t <= after]
    return past[-1] if past else 1.0


def times_by(tables: Tables, step: str, by: By = "framework") -> Part:
    """Median and 90th percentile of one step for each *by* (framework, repository or month).

    The frame has the columns *by*, items, open, median, low, high and p90 (days).
    """
    pl = require("polars")
    spans = durations(tables).filter(pl.col("step") == step).drop_nulls(by)
    rows = []
    for (key,), own in spans.sort(by).group_by(by, maintain_order=True):
        curve = kaplan_meier(own["days"].to_list(), own["done"].to_list())
        rows.append({by: key, **_row(curve)})
    frame = _timed(rows, (by,))
    known = frame.filter((pl.col("items") >= 5) & pl.col("median").is_not_null()).sort("median")
    reading = f"The {step} is known for {counted(len(rows), by)}."
    if not rows:
        reading = f"The {step} is not known."
    if known.height > 1:
        fast, slow = known.row(0, named=True), known.row(-1, named=True)
        apart = fast["high"] is not None and fast["high"] < slow["low"]
        reading = (
            f"The median {step} is {days(fast['median'])} for {fast[by]} and"
            f" {days(slow['median'])} for {slow[by]}; their intervals are"
            f" {'apart' if apart else 'not apart'}."
        )
    name = f"{step.replace(' ', '-')}-by-{by}"
    title = f"{step.capitalize()} by {by}"
    return Part(name, title, frame, reading, _RING, empty=not rows)


_DUE: Mapping[str, tuple[str, str]] = {
    "triage": ("first_triaged", "triage_due"),
    "bug": ("bug_updated", "bug_due"),
}


def on_time(tables: Tables, by: By = "framework") -> Part:
    """Shares of summaries that were triaged, and had their bugs, by the day they were due.

    The frame has the columns what, *by*, count, total, share, low, high. What is open and not yet
    due is left out; so are, for bugs, summaries that were closed without one.
    """
    pl = require("polars")
    now = pl.lit(tables.now, pl.Datetime("us"))
    parts = []
    for what, (done, due) in _DUE.items():
        own = tables.summaries.filter(pl.col(due).is_not_null())
        if what == "bug":
            own = own.filter(pl.col("status").is_in(OPEN) | pl.col("bug").is_not_null())
        judged = own.filter(pl.col(done).is_not_null() | (now > pl.col(due)))
        parts.append(
            judged.group_by(by)
            .agg(count=(pl.col(done) <= pl.col(due)).fill_null(value=False).sum(), total=pl.len())
            .select(pl.lit(what).alias("what"), pl.col(by), "count", "total")
        )
    frame = pl.concat(parts).with_columns(pl.col("count", "total").cast(pl.Int64))
    frame = with_shares(frame.sort(["what", "total", by], descending=[True, True, False]))
    said = []
    for what in _DUE:
        own = frame.filter(pl.col("what") == what)
        if own.height:
            found = wilson(summed(own["count"]), summed(own["total"]))
            said.append(
                f"{share(found.value)} of {found.total:,} were in time for {what}"
                f" ({shares(found.low, found.high)})"
            )
    reading = f"{'; '.join(said)}." if said else "No due dates are known."
    return Part(
        f"on-time-by-{by}",
        f"In time for triage and bug, by {by}",
        frame,
        reading,
        "Due after two working days for triage and four for the bug, as the data say. What is late"
        " and still open counts as late.",
        empty=not frame.height,
    )
