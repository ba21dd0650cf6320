# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Which chart shows which part of an exploration, and what of its table it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from stepmark.datasets.exploration import Part
from stepmark.datasets.exploration.canonical import JUDGED
from stepmark.datasets.exploration.properties import SPREADS
from stepmark.extras import require
from stepmark.reports import explorecharts as charts
from stepmark.reports import words

MOST_ROWS = 15
"""Rows of a chart; its table has all."""

_Rows = list[dict[str, Any]]
_KEY = [(name, "missed" if name == "missed" else name) for name in JUDGED]


def figure(part: Part) -> str:
    """The chart of *part* as SVG; empty where its table says it all."""
    if part.empty:
        return ""
    made = next((draw for start, draw in _CHARTS if part.name.startswith(start)), None)
    return made(part) if made is not None else ""


def percent(share: float | None) -> str:
    """A share as charts and tables write it."""
    if share is None:
        return words.NONE
    return f"{100 * share:.{0 if share in (0, 1) else 1 if share >= 0.01 else 2}f} %"


def span(days: float | None) -> str:
    """A number of days in the unit that reads best."""
    if days is None:
        return words.NONE
    if days < 1 / 24:
        return f"{days * 1440:.3g} min"
    return f"{days * 24:.3g} h" if days < 2 else f"{days:.3g} days"


def _rows(part: Part, most: int = MOST_ROWS) -> _Rows:
    return list(part.frame.head(most).iter_rows(named=True))


def _name(row: dict[str, Any], names: Sequence[str]) -> str:
    return " ".join(str(row[name]) for name in names if row[name] not in ("", None))


def _texts(part: Part, besides: Sequence[str] = ()) -> list[str]:
    """The columns of names."""
    return [
        name
        for name, kind in part.frame.schema.items()
        if str(kind) == "String" and name not in besides
    ]


def _counts(part: Part) -> str:
    names = _texts(part)
    what = "summaries" if part.name.startswith("summaries") else "alerts"
    rows = _rows(part, 60 if names == ["month"] else MOST_ROWS)
    return charts.bars(
        [charts.Bar(_name(row, names), (("all", row[what]),), f"{row[what]:,}") for row in rows],
        part.title,
    )


def _labels(part: Part) -> str:
    found: dict[str, _Rows] = {}
    for row in part.frame.iter_rows(named=True):
        if row["label"] in JUDGED and row["total"]:
            who = "by the lab" if row["labels"] == "lab" else "ours"
            found.setdefault(f"{row['of']}, {who}", []).append(row)
    return _stacked(found, part.title)


def _stacked(groups: dict[str, _Rows], of: str) -> str:
    """Bars of equal length, cut into the shares of their labels."""
    bars = []
    kinds = set()
    for name, rows in groups.items():
        shares = {row["label"]: row["share"] or 0.0 for row in rows}
        kinds |= {kind for kind, share in shares.items() if share}
        parts = tuple((kind, shares[kind]) for kind in JUDGED if kind in shares)
        bars.append(charts.Bar(name, parts, f"{percent(shares.get('false'))} false"))
    return charts.bars(bars, of, [pair for pair in _KEY if pair[0] in kinds])


def _label_shares(part: Part) -> str:
    by = part.frame.columns[0]
    groups: dict[str, _Rows] = {}
    for row in part.frame.iter_rows(named=True):
        groups.setdefault(str(row[by]), []).append(row)
    if by == "month" and len(groups) > 2:
        return _months(part, {"false": "false", "true": "true", "uncertain": "uncertain"})
    return _stacked(dict(list(groups.items())[:MOST_ROWS]), part.title)


def _months(part: Part, kinds: dict[str, str]) -> str:
    months = part.frame["month"].unique().sort().to_list()
    places = {month: float(i) for i, month in enumerate(months)}
    lines = []
    for label, kind in kinds.items():
        own = [row for row in part.frame.iter_rows(named=True) if row["label"] == label]
        lines.append(
            charts.Curve(
                label,
                tuple(places[row["month"]] for row in own),
                tuple(row["share"] for row in own),
                tuple(row["low"] for row in own),
                tuple(row["high"] for row in own),
                tuple(
                    f"{row['month']}: {percent(row['share'])} of {row['total']:,}" for row in own
                ),
                kind,
            )
        )
    return charts.curves(lines, _month_axis(months), charts.share_axis(), part.title)


def _month_axis(months: Sequence[str]) -> charts.Axis:
    every = max(1, -(-len(months) // 8))
    ticks = tuple((float(i), month) for i, month in enumerate(months) if i % every == 0)
    return charts.Axis(0.0, max(len(months) - 1.0, 1.0), ticks)


def _shares(part: Part) -> str:
    """Shares with their intervals."""
    names = _texts(part, ("meaning",))
    rows = _rows(part, 2 * MOST_ROWS)
    most = max((row["high"] or 0.0 for row in rows), default=1.0)
    return charts.dots(
        [
            charts.Dot(
                _name(row, names),
                row["share"],
                row["low"],
                row["high"],
                f"{percent(row['share'])} of {row[_total(part)]:,}",
            )
            for row in rows
        ],
        charts.share_axis(most),
        part.title,
    )


def _with_and_without(part: Part) -> str:
    """Shares of what has a property, and of what has it not, in turn."""
    pl = require("polars")
    word = pl.when(pl.col("series") == "with").then(pl.lit("")).otherwise(pl.lit("not "))
    named = part.frame.select(word + pl.col("property"), "count", "total", "share", "low", "high")
    return _shares(replace(part, frame=named))


def _total(part: Part) -> str:
    return next(name for name in ("total", "ended", "decided") if name in part.frame.columns)


def _times(part: Part) -> str:
    names = _texts(part)
    if names == ["month"]:
        return _times_by_month(part)
    rows = [row for row in _rows(part) if row["median"] is not None or row["p90"] is not None]
    if not rows:
        return ""
    ends = [row[c] for row in rows for c in ("median", "low", "high", "p90") if row[c] is not None]
    return charts.dots(
        [
            charts.Dot(
                _name(row, names).replace(" all days", "").replace(" working", ", working"),
                row["median"],
                row["low"],
                row["high"],
                f"{span(row['median'])}; {span(row['p90'])}",
                row["p90"],
            )
            for row in rows
        ],
        charts.days_axis(ends),
        part.title,
    )


def _times_by_month(part: Part) -> str:
    rows = [row for row in part.frame.iter_rows(named=True) if row["median"] is not None]
    if len(rows) < 2:
        return ""
    months = [row["month"] for row in rows]
    xs = tuple(map(float, range(len(rows))))
    line = charts.Curve(
        "median",
        xs,
        tuple(row["median"] for row in rows),
        tuple(row["low"] if row["low"] is not None else 0.0 for row in rows),
        tuple(row["high"] if row["high"] is not None else row["median"] for row in rows),
        tuple(f"{row['month']}: {span(row['median'])} of {row['items']:,}" for row in rows),
    )
    slow = _slow([(x, row["p90"]) for x, row in zip(xs, rows, strict=True)])
    ends = [y for curve in slow for y in curve.ys]
    up = charts.days_axis([*line.ys, *ends, *(low for low in line.low if low)])
    return charts.curves([line, *slow], _month_axis(months), up, part.title)


def _slow(places: Sequence[tuple[float, float | None]]) -> list[charts.Curve]:
    """By when nine of ten are done, with gaps where they never are in the data."""
    parts = [
        [(x, y) for x, y in run if y is not None]
        for known, run in groupby(places, key=lambda place: place[1] is not None)
        if known
    ]
    return [
        charts.Curve(
            "9 of 10" if part is parts[-1] else "",
            tuple(x for x, _ in part),
            tuple(y for _, y in part),
            tips=tuple(f"9 of 10 in {span(y)}" for _, y in part),
            kind="c1",
        )
        for part in parts
    ]


def _waiting(part: Part) -> str:
    lines = []
    for step in part.frame["step"].unique(maintain_order=True):
        own = [row for row in part.frame.iter_rows(named=True) if row["step"] == step]
        # A curve of steps: it stays where it is until the next item is done.
        xs, ys = [own[0]["days"]], [1.0]
        for row in own:
            xs += [row["days"], row["days"]]
            ys += [ys[-1], row["waiting"]]
        lines.append(charts.Curve(step, tuple(xs), tuple(ys)))
    axis = charts.days_axis([x for line in lines for x in line.xs])
    return charts.curves(lines, axis, charts.share_axis(), part.title, ("", "still waiting"))


def _magnitudes(part: Part) -> str:
    panels = []
    for label in JUDGED:
        own = [row for row in part.frame.iter_rows(named=True) if row["label"] == label]
        if own:
            bins = tuple((r["start"], r["end"], r["share"], r["count"]) for r in own)
            panels.append(charts.Panel(label, bins, label))
    ends = [end for panel in panels for one in panel.bins for end in one[:2]]
    unit = " %" if part.name.endswith("percent") else ""
    return charts.histograms(panels, charts.log_axis(ends, unit), part.title)


def _profile(part: Part) -> str:
    rows = _rows(part, 2 * MOST_ROWS)
    ends = [row[name] for row in rows for name in ("p10", "p90")]
    unit = " %" if part.name.endswith("percent") else ""
    return charts.dots(
        [
            charts.Dot(
                _name(row, ("framework", "label")),
                row["median"],
                row["p10"],
                row["p90"],
                f"{row['median']:.3g}{unit} ({row['alerts']:,})",
            )
            for row in rows
        ],
        charts.log_axis(ends, unit),
        part.title,
    )


def _sweep(part: Part) -> str:
    lines = []
    for framework in part.frame["framework"].unique(maintain_order=True).to_list()[:6]:
        own = [
            row
            for row in part.frame.iter_rows(named=True)
            if row["framework"] == framework
            and row["lost share"] is not None
            and row["avoided share"] is not None
        ]
        lines.append(
            charts.Curve(
                framework,
                tuple(row["lost share"] for row in own),
                tuple(row["avoided share"] for row in own),
                tips=tuple(
                    f"{framework} from {row['threshold']:g}: {row['avoided']:,} of"
                    f" {row['false']:,} false avoided, {row['lost']:,} of {row['true']:,} true lost"
                    for row in own
                ),
                kind="all" if framework == "all" else "",
            )
        )
    return charts.curves(
        lines,
        charts.share_axis(),
        charts.share_axis(),
        part.title,
        ("true alerts lost", "false alerts avoided"),
    )


def _grid(part: Part) -> str:
    by = part.frame.columns[0]
    names = part.frame.group_by(by).agg(part.frame["total"].max()).height
    heads = part.frame["property"].unique(maintain_order=True).to_list()
    found = {(row[by], row["property"]): row["share"] for row in part.frame.iter_rows(named=True)}
    order = part.frame[by].unique(maintain_order=True).to_list()[: min(names, MOST_ROWS)]
    cells = [[found.get((name, head)) for head in heads] for name in order]
    return charts.grid([str(name) for name in order], heads, cells, part.title)


def _spread(part: Part) -> str:
    what = SPREADS[part.name.removeprefix("spread-")]
    bins = tuple((r["start"], r["end"], r["share"], r["count"]) for r in _rows(part, 400))
    ends = [end for one in bins for end in one[:2]]
    unit = f" {what.unit}" if what.unit in ("%", "hours") else ""
    axis = charts.log_axis(ends, unit) if what.each else charts.number_axis(ends)
    return charts.histograms([charts.Panel(what.title, bins, "all")], axis, part.title, what.unit)


def _repeats(part: Part) -> str:
    by = part.frame.columns[0]
    kinds = {"1": "r1", "up to 1.5": "r2", "up to 3": "r3", "more than 3": "r4"}
    groups: dict[str, list[tuple[str, float]]] = {}
    for row in part.frame.iter_rows(named=True):
        groups.setdefault(str(row[by]), []).append((kinds[row["runs"]], row["share"] or 0.0))
    rows = [
        charts.Bar(name, tuple(parts), f"{percent(dict(parts).get('r1', 0.0))} one run")
        for name, parts in list(groups.items())[:MOST_ROWS]
    ]
    return charts.bars(rows, part.title, [(kind, name) for name, kind in kinds.items()])


def _worth(part: Part) -> str:
    names = [name for name in _texts(part) if name in part.frame.columns]
    rows = [row for row in _rows(part) if row["decided"]]
    return charts.bars(
        [
            charts.Bar(
                _name(row, names),
                (("false", row["false"]), ("true", row["true"])),
                f"{percent(row['share'])} of {row['decided']:,}",
            )
            for row in rows
        ],
        part.title,
        [("false", "false"), ("true", "true")],
    )


_CHARTS: tuple[tuple[str, Callable[[Part], str]], ...] = (
    ("counts-by", _counts),
    ("summaries-by", _counts),
    ("labels-", _label_shares),
    ("labels", _labels),
    ("noise-labels", _shares),
    ("false-by-property", _with_and_without),
    ("times", _times),
    ("waiting", _waiting),
    ("detection-delay", _times),
    ("time-to", _times),
    ("investigation", _times),
    ("on-time", _shares),
    ("corrections", _shares),
    ("ranges", _shares),
    ("backfills", _shares),
    ("magnitudes", _magnitudes),
    ("profile", _profile),
    ("sweep", _sweep),
    ("properties-by", _grid),
    ("properties", _shares),
    ("spread", _spread),
    ("repeats", _repeats),
    ("reach", _shares),
    ("worth", _worth),
)
