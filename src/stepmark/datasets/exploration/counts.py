# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How many alerts and summaries there are, and what they turned out to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stepmark.datasets.exploration.canonical import JUDGED, LABELS, Tables
from stepmark.datasets.exploration.intervals import summed, wilson, with_shares
from stepmark.datasets.exploration.phrases import counted, share, shares
from stepmark.datasets.exploration.values import Part
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

By = Literal["framework", "repository", "platform", "suite", "month", "status"]
SummariesBy = Literal["framework", "repository", "month", "status"]
Of = Literal["alerts", "summaries"]
Labels = Literal["stepmark", "lab"]
_RULES = {"stepmark": "label", "lab": "lab"}


def alerts_by(tables: Tables, by: By) -> Part:
    """Counts of alerts, of their summaries and of the series they are of, by one of their sides.

    The frame has the columns *by*, alerts, summaries, series, regressions and share (of all
    alerts), the most first, or months in their order. A summary whose alerts are on several
    platforms or suites counts for each of them.
    """
    pl = require("polars")
    alerts = tables.alerts
    frame = (
        alerts.group_by(by)
        .agg(
            alerts=pl.len(),
            summaries=pl.col("summary").n_unique(),
            series=pl.col("signature").n_unique(),
            regressions=pl.col("regression").sum(),
        )
        .with_columns(pl.col(by).fill_null("unknown"), share=pl.col("alerts") / alerts.height)
    )
    frame = (
        frame.sort(by) if by == "month" else frame.sort(["alerts", by], descending=[True, False])
    )
    return Part(
        f"counts-by-{by}",
        f"Alerts by {by}",
        frame,
        _most(frame, by, alerts.height),
        "A summary groups the alerts of one push; it counts for every row it has an alert in.",
        empty=not frame.height,
    )


def summaries_by(tables: Tables, by: SummariesBy) -> Part:
    """Counts of summaries and of their alerts, as `alerts_by` gives those of alerts."""
    pl = require("polars")
    summaries = tables.summaries
    frame = (
        summaries.group_by(by)
        .agg(summaries=pl.len(), alerts=pl.col("alerts").sum(), median=pl.col("alerts").median())
        .with_columns(pl.col(by).fill_null("unknown"), share=pl.col("summaries") / summaries.height)
        .rename({"median": "alerts a summary"})
    )
    order = {"by": by} if by == "month" else {"by": ["summaries", by], "descending": [True, False]}
    frame = frame.sort(**order)
    reading = "No summaries."
    if frame.height:
        top = frame.sort("summaries", descending=True).row(0, named=True)
        reading = (
            f"{counted(summaries.height, 'summary', 'summaries')}; most are of {by}"
            f" {top[by]}: {top['summaries']:,} ({share(top['share'])})."
        )
    title = f"Summaries by {by}"
    return Part(f"summaries-by-{by}", title, frame, reading, empty=not frame.height)


def _most(frame: pl.DataFrame, by: str, total: int) -> str:
    if not frame.height:
        return "No alerts."
    top = frame.sort("alerts", descending=True).row(0, named=True)
    said = f"{counted(total, 'alert')} of {counted(frame.height, by, _many(by))}"
    if frame.height == 1:
        return f"{said}: {top[by]}."
    return f"{said}; the most are of {top[by]}: {top['alerts']:,}, {share(top['share'])} of all."


def _many(by: str) -> str:
    return {"repository": "repositories", "status": "statuses"}.get(by, f"{by}s")


def labels(tables: Tables) -> Part:
    """What alerts and summaries turned out to be, by our labels and by the lab's.

    The frame has a row for each of these four countings and each label: of, labels, label, count,
    total, share, low, high. The total leaves out infra and what has no label; their own rows are of
    all.
    """
    pl = require("polars")
    parts = []
    for of, frame in (("alerts", tables.alerts), ("summaries", tables.summaries)):
        for who, column in _RULES.items():
            counts = dict(frame.group_by(column).len().iter_rows())
            judged = sum(counts.get(label, 0) for label in JUDGED)
            parts += [
                (of, who, label, counts.get(label, 0), judged if label in JUDGED else frame.height)
                for label in (*LABELS, "unlabelled")
                if counts.get(label, 0) or (label in JUDGED and label != "downstream")
            ]
    schema = {"of": pl.String, "labels": pl.String, "label": pl.String}
    schema |= {"count": pl.Int64, "total": pl.Int64}
    made = with_shares(pl.DataFrame(parts, schema=schema, orient="row"))
    return Part(
        "labels",
        "What alerts turned out to be",
        made,
        _labels_reading(made),
        "Shares are of what was labelled, infra and duplicates apart; intervals are Wilson's, 95 %."
        " The lab counts the status of the summary: downstream, reassigned and closed ones are"
        " true, invalid ones false, open ones uncertain, those made by hand missed. By our labels a"
        " summary is true if one of its alerts is, and false only if none can be.",
        empty=not made["total"].sum(),
    )


def _labels_reading(frame: pl.DataFrame) -> str:
    pl = require("polars")
    ours = frame.filter((pl.col("labels") == "stepmark") & (pl.col("total") > 0))
    if not ours.height:
        return "Nothing is labelled."
    said = []
    for of in ("alerts", "summaries"):
        rows = {row["label"]: row for row in ours.filter(pl.col("of") == of).iter_rows(named=True)}
        if "false" not in rows:
            continue
        no, moved = rows["false"], rows.get("downstream")
        said.append(
            f"of {no['total']:,} labelled {of} {share(no['share'])}"
            f" ({shares(no['low'], no['high'])}) are false, {share(rows['true']['share'])} true,"
            + (f" {share(moved['share'])} true but caused elsewhere (downstream)," if moved else "")
            + f" {share(rows['uncertain']['share'])} undecided and"
            f" {share(rows['missed']['share'])} were missed and made by hand"
        )
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def label_shares(tables: Tables, by: By, *, of: Of = "alerts", labels: Labels = "stepmark") -> Part:
    """Shares of true, missed, false and uncertain ones of each *by*.

    The frame has the columns *by*, label, count, total, share, low and high.
    """
    pl = require("polars")
    column = _RULES[labels]
    frame = tables.alerts if of == "alerts" else tables.summaries
    judged = frame.filter(pl.col(column).is_in(JUDGED)).with_columns(
        pl.col(by).fill_null("unknown")
    )
    totals = judged.group_by(by).agg(total=pl.len())
    counts = judged.group_by(by, column).agg(count=pl.len()).rename({column: "label"})
    grid = totals.join(pl.DataFrame({"label": JUDGED}), how="cross")
    made = (
        grid.join(counts, on=[by, "label"], how="left")
        .with_columns(pl.col("count").fill_null(0).cast(pl.Int64), pl.col("total").cast(pl.Int64))
        .select(by, "label", "count", "total")
    )
    order = pl.col("label").replace_strict(
        {name: place for place, name in enumerate(JUDGED)}, default=9
    )
    keys = [pl.col(by), order] if by == "month" else [-pl.col("total"), pl.col(by), order]
    made = with_shares(made.sort(keys))
    return Part(
        f"labels-{of}-by-{by}" + ("-lab" if labels == "lab" else ""),
        f"True and false {of} by {by}" + (", labelled by the lab" if labels == "lab" else ""),
        made,
        _shares_reading(made, by, of),
        "Infra, duplicates and what has no label are left out; intervals are Wilson's, 95 %.",
        empty=not made.height,
    )


def _shares_reading(frame: pl.DataFrame, by: str, of: str) -> str:
    pl = require("polars")
    wrong = frame.filter(pl.col("label") == "false")
    if not wrong.height:
        return f"No labelled {of}."
    pooled = wilson(summed(wrong["count"]), summed(wrong["total"]))
    said = f"False shares are {share(pooled.value)} over all"
    if by == "month":
        return said + _trend(wrong)
    apart = wrong.filter(pl.col("low") > pooled.high).sort("low", descending=True)
    if wrong.height == 1:
        return f"{said}; there is one {by} only."
    if not apart.height:
        return f"{said}; no {by} stands out above that by more than chance explains."
    top = apart.row(0, named=True)
    return (
        f"{said}; {top[by]} stands out with {share(top['share'])}"
        f" ({shares(top['low'], top['high'])}) of {top['total']:,}."
    )


def _are(months: int) -> str:
    return f"{'is' if months == 1 else 'are'} {counted(months, 'month')}"


def _trend(wrong: pl.DataFrame) -> str:
    """The first half of the months against the second."""
    if wrong.height < 4:
        return f"; a trend takes four months, and there {_are(wrong.height)}."
    half = wrong.height // 2
    first, last = (
        wilson(summed(part["count"]), summed(part["total"]))
        for part in (wrong.head(half), wrong.tail(wrong.height - half))
    )
    told = (
        "which is more than chance explains"
        if last.low > first.high or last.high < first.low
        else "which chance may explain"
    )
    return (
        f"; they went from {share(first.value)} in the first {counted(half, 'month')} to"
        f" {share(last.value)} in the others, {told}."
    )
