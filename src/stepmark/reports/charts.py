# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Interactive charts of the HTML report: one Bokeh figure as a template, and compact data.

A figure a series would cost minutes and megabytes. The page holds one figure without data, which
its script copies for a series that is scrolled into view, and fills with that series' columns.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from stepmark.changes import Change
from stepmark.reports import words
from stepmark.reports.summary import SeriesSummary
from stepmark.series import Point

# Bokeh checks colours, so the template carries these in place of the style sheet's variables,
# which the page's script puts in according to the theme.
COLOURS = {
    "#000001": "--point",
    "#000002": "--ink",
    "#000003": "--muted",
    "#000004": "--grid",
    "#000005": "--card",
}
_POINT, _INK, _MUTED, _GRID, _CARD = COLOURS

ATTRIBUTES = {"build": "Build", "dut_version": "Version tested"}
"""Attributes that come first in hover labels, under these names."""
_MOST_ATTRIBUTES = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def script() -> str:
    """Bokeh's own JavaScript, as its package ships it: the core bundle only, about 1.3 MB."""
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"], log_level="warn").js_raw)


@lru_cache(maxsize=1)
def template() -> str:
    """The figure without data as JSON (a Bokeh ``json_item``); parts are found by their names."""
    from bokeh.embed import json_item

    return embedded(json_item(_figure()))


def _figure() -> Any:
    from bokeh.models import ColumnDataSource, Grid, Line, Plot, Range1d, Scatter

    plot = Plot(
        x_range=Range1d(name="x"),
        y_range=Range1d(name="y"),
        height=260,
        sizing_mode="stretch_width",
        background_fill_color=_CARD,
        border_fill_color=_CARD,
        outline_line_color=None,
        min_border_right=8,
        min_border_top=4,
        # Bokeh draws on a canvas, which a label on the surrounding element describes.
        toolbar_location="above",
    )
    steps = ColumnDataSource(name="steps", data={"x": [], "y": []})
    points = ColumnDataSource(name="points", data={"x": [], "y": []})
    looks = ("x", "y", "shape", "angle", "size", "fill", "line")
    marks = ColumnDataSource(name="marks", data={column: [] for column in looks})
    dot = Scatter(
        x="x", y="y", size=5, fill_color=_POINT, fill_alpha=0.75, line_color=None, name="dot"
    )
    drawn = [plot.add_glyph(points, dot)]
    plot.add_glyph(steps, Line(x="x", y="y", line_color=_INK, line_width=2))
    mark = Scatter(
        x="x",
        y="y",
        marker={"field": "shape"},
        angle="angle",
        size="size",
        fill_color={"field": "fill"},
        line_color={"field": "line"},
        line_width=1.75,
    )
    drawn.append(plot.add_glyph(marks, mark))
    left = _axes(plot)
    plot.add_layout(Grid(dimension=1, axis=left, grid_line_color=_GRID))
    _add_tools(plot, drawn)
    return plot


def _axes(plot: Any) -> Any:
    from bokeh.models import BasicTicker, BasicTickFormatter, DatetimeAxis, LinearAxis

    look: dict[str, Any] = {
        "axis_line_color": _GRID,
        "major_tick_line_color": _GRID,
        "minor_tick_line_color": None,
        "major_label_text_color": _MUTED,
        "axis_label_text_color": _MUTED,
        "axis_label_text_font_style": "normal",
        "axis_label_text_font_size": "12px",
        "major_label_text_font_size": "11px",
    }
    plain = BasicTickFormatter(power_limit_high=8, power_limit_low=-5)
    left = LinearAxis(name="left", formatter=plain, **look)
    ticker = BasicTicker(min_interval=1, desired_num_ticks=6)
    plot.add_layout(left, "left")
    plot.add_layout(LinearAxis(name="places", ticker=ticker, **look), "below")
    plot.add_layout(DatetimeAxis(name="times", visible=False, **look), "below")
    return left


def _add_tools(plot: Any, drawn: list[Any]) -> None:
    from bokeh.models import BoxZoomTool, HoverTool, PanTool, ResetTool, SaveTool, WheelZoomTool

    box, pan, wheel = BoxZoomTool(), PanTool(), WheelZoomTool()
    # The page's script makes the labels of plain text nodes: a template would be interpreted.
    hover = HoverTool(name="hover", renderers=drawn, tooltips=None, show_arrow=False)
    hover.visible = False
    plot.add_tools(box, pan, wheel, ResetTool(), SaveTool(), hover)
    plot.toolbar.name = "toolbar"
    plot.toolbar.logo = None
    plot.toolbar.active_drag = box
    plot.toolbar.active_scroll = None  # a page that is scrolled must not stop at every chart
    plot.toolbar.active_inspect = hover


@dataclass(slots=True)
class Shared:
    """Texts and whole columns, each kept once: series of one project share revisions and times.

    A series names its columns by their numbers here; a column of texts names its texts so too.
    """

    texts: dict[str, int] = field(default_factory=dict)
    columns: dict[tuple[Hashable, ...], int] = field(default_factory=dict)

    def text(self, text: str) -> int:
        """The number of *text*."""
        return self.texts.setdefault(text, len(self.texts))

    def column(self, values: Iterable[Hashable]) -> int:
        """The number of the column *values*, which are texts or whole numbers."""
        return self.columns.setdefault(tuple(values), len(self.columns))

    def tables(self) -> dict[str, list[Any]]:
        """Both tables in order of their numbers, each text made one clean line."""
        columns = [
            [self.text(value) if isinstance(value, str) else value for value in column]
            for column in self.columns
        ]
        return {"texts": [words.clean(text) for text in self.texts], "columns": columns}


def data(item: SeriesSummary, values: Sequence[float], shared: Shared) -> dict[str, Any]:
    """The columns of one series for the page's script, its *values* in the unit that is shown.

    Times (milliseconds, all but the first as differences) and texts are numbers of columns in
    *shared*. What is unknown is left out.
    """
    points = item.series.points
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    size, unit = words.unit_scale(largest, item.series.unit)
    digits = _digits(item.changes, largest)

    def shown(value: float) -> float | None:
        scaled = value / size
        return float(f"{scaled:.{digits + 3}g}") if math.isfinite(scaled) else None

    columns: dict[str, Any] = {
        "unit": unit,
        "digits": digits,
        "y": [shown(end) for end in extent([*values, *(s.mean for s in item.segments)])],
        "values": [shown(v) for v in values],
        "starts": [s.start for s in item.segments],
        "means": [shown(s.mean) for s in item.segments],
        "changes": [_change(item, change) for change in item.changes],
        "attributes": _attributes(points, shared),
    }
    if item.series.timed:
        columns["times"] = shared.column(_times(points))
    if any(p.revision for p in points):
        columns["revisions"] = shared.column(p.revision for p in points)
        columns["short"] = shared.column(
            words.short_revision(p.revision, 16) if p.revision else "" for p in points
        )
    if any(len(p.samples) > 1 for p in points):
        columns["samples"] = shared.column(len(p.samples) for p in points)
        columns["aggregate"] = item.aggregate.value
    return columns


def _digits(changes: Sequence[Change], largest: float) -> int:
    """The significant digits that tell the groups' means apart: four, or more where needed."""
    least = min((abs(c.absolute) for c in changes if c.absolute), default=largest)
    if not (0 < least < math.inf and 0 < largest < math.inf):
        return 4
    return min(max(math.ceil(math.log10(largest) - math.log10(least)) + 2, 4), 12)


def _times(points: Sequence[Point]) -> list[int]:
    stamps = [
        round((p.landed - _EPOCH).total_seconds() * 1000) for p in points if p.landed is not None
    ]
    return [stamps[0], *(b - a for a, b in pairwise(stamps))]


def _attributes(points: Sequence[Point], shared: Shared) -> list[list[int]]:
    """Pairs of a name's number and its column's, those of `ATTRIBUTES` first."""
    found = dict.fromkeys(name for point in points for name in point.attributes)
    order = [*(n for n in ATTRIBUTES if n in found), *(n for n in found if n not in ATTRIBUTES)]
    return [
        [
            shared.text(ATTRIBUTES.get(name, name)),
            shared.column(p.attributes.get(name, "") for p in points),
        ]
        for name in order[:_MOST_ATTRIBUTES]
    ]


def _change(item: SeriesSummary, change: Change) -> dict[str, Any]:
    """A change as the chart needs it: its place, and the lines of its hover label."""
    lines = [
        (
            "Before → after",
            words.step(change.before.mean, change.after.mean, item.series.unit, "→"),
        ),
        ("95 % interval", interval(item, change)),
        ("Revisions", _revisions(change)),
        ("Landed", _known(words.moment(change.time))),
        ("Build", words.clean(change.attributes.get("build", ""))),
        ("Version tested", words.clean(change.attributes.get("dut_version", ""))),
        (item.evidence.capitalize(), _known(words.evidence(item, change))),
        ("Group of", words.plural(change.after.n, "point")),
    ]
    return {
        "index": change.index,
        "verdict": change.verdict.value,
        "title": f"{change.verdict.value.capitalize()} {_known(words.percent(change.relative))}",
        "lines": [line for line in lines if line[1]],
    }


def _known(text: str) -> str:
    return "" if text == words.NONE else text


def _revisions(change: Change) -> str:
    """The last revision before a change and the first after it, as far as they are known."""
    sides = [change.previous_revision, change.revision]
    return " … ".join(words.short_revision(side) for side in sides if side)


def interval(item: SeriesSummary, change: Change) -> str:
    """The 95 % interval of a change, relative where that is known; empty where unknown."""
    relative, absolute = change.relative_interval, change.interval
    if relative is not None and all(math.isfinite(bound * 100) for bound in relative):
        return " to ".join(words.percent(bound) for bound in relative)
    if absolute is not None and all(math.isfinite(bound) for bound in absolute):
        return words.step(*absolute, item.series.unit, "to")
    return ""


def extent(values: Sequence[float]) -> tuple[float, float]:
    """Lower and upper end of an axis that shows all finite *values* with a little room."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    # Halves, since the difference of two huge numbers may not be a number.
    room = (high / 2 - low / 2) * 0.16 or abs(high) * 0.05 or 1.0
    largest = 1.7e308
    return max(low - room, -largest), min(high + room, largest)


def embedded(value: Any) -> str:
    """*value* as JSON that can stand inside a script element of a page, whatever its texts."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
