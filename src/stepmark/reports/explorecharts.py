# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Charts of an exploration as SVG: bars, shares with intervals, curves, histograms, a grid.

Names from outside are cleaned and escaped by what `diagrams` draws texts with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stepmark.reports import words
from stepmark.reports.diagrams import WIDTH, drawing, escaped, label, round_ticks, scaled

_RIGHT = WIDTH - 120
_ROW = 22
_LONGEST = 30

_DAYS = (
    (1 / 1440, "1 min"),
    (1 / 24, "1 h"),
    (1.0, "1 day"),
    (7.0, "1 week"),
    (30.0, "30 days"),
    (365.0, "1 year"),
    (3650.0, "10 years"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of bars: pairs of a kind (a CSS class) and a length, and what stands behind them."""

    name: str
    parts: tuple[tuple[str, float], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A row with a value, its interval, and perhaps a second mark; None where nothing is known."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    second: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of points, with a band where *low* and *high* are given; *tips* are told of points.

    One without a name is a part of another line, which has a gap there.
    """

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    tips: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A histogram: bins as (start, end, share, count), drawn as the kind says."""

    name: str
    bins: tuple[tuple[float, float, float, int], ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale across or up: what it takes to place a value, and the ticks with their texts."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def on(self, start: float, stop: float) -> Callable[[float], float]:
        """What places a value between *start* and *stop*; values beyond stand at the ends."""
        low, high = (_log(self.low), _log(self.high)) if self.logarithmic else (self.low, self.high)
        place = scaled(low, high, start, stop)

        def at(value: float) -> float:
            inner = min(max(value, self.low), self.high)
            return place(_log(inner) if self.logarithmic else inner)

        return at


def _name(text: str) -> str:
    return words.name(text, _LONGEST)


def _room(names: Sequence[str]) -> float:
    """Where a chart begins, so that its names fit on the left."""
    return 24 + 7.0 * max((len(_name(name)) for name in names), default=0)


def _log(value: float) -> float:
    return math.log10(max(value, 1e-12))


def share_axis(most: float = 1.0) -> Axis:
    """From 0 to *most*, or to 1 where that is near."""
    ticks = round_ticks(0.0, min(max(most, 0.02), 1.0))
    ticks = [tick for tick in ticks if tick <= 1]
    return Axis(0.0, ticks[-1], tuple((tick, f"{100 * tick:g} %") for tick in ticks))


def number_axis(values: Sequence[float]) -> Axis:
    """Round numbers around *values*."""
    ticks = round_ticks(min(values, default=0.0), max(values, default=1.0))
    return Axis(ticks[0], ticks[-1], tuple((tick, f"{tick:,g}") for tick in ticks))


def log_axis(values: Sequence[float], unit: str = "") -> Axis:
    """Powers of ten around the positive ones of *values*, or 1, 2, 5 where they span little."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.log10(min(positive)), math.log10(max(positive))
    steps = (1.0,) if high - low > 2.5 else (1.0, 2.0, 5.0)
    ticks = [
        step * 10.0**power
        for power in range(math.floor(low), math.ceil(high) + 1)
        for step in steps
    ]
    start = max((t for t in ticks if t <= min(positive) * 1.0001), default=ticks[0])
    stop = min((t for t in ticks if t >= max(positive) * 0.9999), default=ticks[-1])
    stop = stop if stop > start else start * 10
    chosen = tuple((t, f"{t:,g}{unit}") for t in ticks if start <= t <= stop)
    return Axis(start, stop, chosen, logarithmic=True)


def days_axis(values: Sequence[float]) -> Axis:
    """Minutes to years around the positive ones of *values*, in days, on a logarithmic scale."""
    positive = [value for value in values if value > 0] or [1.0]
    start = max((d for d, _ in _DAYS if d <= min(positive)), default=_DAYS[0][0])
    stop = min((d for d, _ in _DAYS if d >= max(positive)), default=_DAYS[-1][0])
    if stop <= start:
        stop = next(d for d, _ in _DAYS if d > start)
    return Axis(start, stop, tuple(t for t in _DAYS if start <= t[0] <= stop), logarithmic=True)


def bars(rows: Sequence[Bar], of: str, key: Sequence[tuple[str, str]] = ()) -> str:
    """Rows of stacked bars, as long as their parts; *key* names the kinds."""
    most = max((sum(size for _, size in row.parts) for row in rows), default=0.0) or 1.0
    left = _room([row.name for row in rows])
    place = scaled(0.0, most, 0.0, _RIGHT - left)
    top = 26 if key else 6
    parts = list(_key(key, left))
    for i, row in enumerate(rows):
        y = top + _ROW * i
        x = left
        parts.append(label(left - 10, y + 14, _name(row.name), "end", row.name))
        for kind, size in row.parts:
            width = place(size)
            if width > 0:
                parts.append(
                    f'<rect class="block {kind}" x="{x:.1f}" y="{y + 3}" width="{width:.1f}"'
                    f' height="{_ROW - 7}"/>'
                )
            x += width
        parts.append(label(x + 8, y + 14, row.text, "start"))
    return drawing(top + _ROW * len(rows) + 4, parts, of)


def dots(rows: Sequence[Dot], axis: Axis, of: str) -> str:
    """Rows of values with their intervals on one scale."""
    left = _room([row.name for row in rows])
    at = axis.on(left, _RIGHT)
    bottom = 8 + _ROW * len(rows)
    parts = list(_across(axis, at, 4, bottom))
    for i, row in enumerate(rows):
        y = 8 + _ROW * i + _ROW / 2
        parts.append(label(left - 10, y + 4, _name(row.name), "end", row.name))
        if row.value is not None:
            low = row.value if row.low is None else row.low
            # Open to the right where the upper limit is not reached.
            high = axis.high if row.high is None else row.high
            parts.append(f'<path class="whisker" d="M{at(low):.1f} {y:.1f}H{at(high):.1f}"/>')
            parts.append(f'<circle class="spot" cx="{at(row.value):.1f}" cy="{y:.1f}" r="5"/>')
        if row.second is not None:
            parts.append(f'<circle class="second" cx="{at(row.second):.1f}" cy="{y:.1f}" r="4"/>')
        parts.append(label(_RIGHT + 14, y + 4, row.text, "start"))
    return drawing(bottom + 24, parts, of)


def _across(axis: Axis, at: Callable[[float], float], top: float, bottom: float) -> Iterator[str]:
    for value, text in axis.ticks:
        yield f'<path class="guide" d="M{at(value):.1f} {top}V{bottom}"/>'
        yield label(at(value), bottom + 16, text, "middle")


def _key(kinds: Sequence[tuple[str, str]], x: float) -> Iterator[str]:
    for kind, name in kinds:
        yield f'<rect class="block {kind}" x="{x:.1f}" y="4" width="12" height="12"/>'
        yield label(x + 18, 14, name, "start")
        x += 34 + 7 * len(name)


def curves(
    lines: Sequence[Curve], across: Axis, up: Axis, of: str, names: tuple[str, str] = ("", "")
) -> str:
    """Lines over a scale, each named where it ends; *names* are those of the axes."""
    left, right, top, bottom = 60, WIDTH - 170, 20, 300
    x, y = across.on(left, right), up.on(bottom, top)
    parts = [label(left, 10, names[1], "start")]
    parts += _across(across, x, top, bottom)
    for value, text in up.ticks:
        parts.append(f'<path class="guide" d="M{left} {y(value):.1f}H{right}"/>')
        parts.append(label(left - 8, y(value) + 4, text, "end"))
    parts.append(label((left + right) / 2, bottom + 36, names[0], "middle"))
    ends = []
    for i, line in enumerate(lines):
        kind = line.kind or f"c{i % 6}"
        points = [(x(a), y(b)) for a, b in zip(line.xs, line.ys, strict=True)]
        if not points:
            continue
        if line.low:
            parts.append(_band(line, x, y, kind))
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        parts.append(f'<path class="line-of {kind}" d="M{path}"/>')
        for (a, b), tip in zip(points, line.tips, strict=False):
            parts.append(
                f'<circle class="knot {kind}" cx="{a:.1f}" cy="{b:.1f}" r="3.5">'
                f"<title>{escaped(tip)}</title></circle>"
            )
        if line.name:
            ends.append((points[-1][1], points[-1][0], line.name, kind))
    parts += _ends(ends, right, bottom)
    return drawing(bottom + 44, parts, of)


def _band(line: Curve, x: Callable[[float], float], y: Callable[[float], float], kind: str) -> str:
    above = [f"{x(a):.1f} {y(b):.1f}" for a, b in zip(line.xs, line.high, strict=True)]
    below = [f"{x(a):.1f} {y(b):.1f}" for a, b in zip(line.xs, line.low, strict=True)]
    return f'<path class="band {kind}" d="M{"L".join([*above, *reversed(below)])}Z"/>'


def _ends(
    ends: Sequence[tuple[float, float, str, str]], right: float, bottom: float
) -> Iterator[str]:
    """Names on the right at the height of their ends, pushed down where they would touch."""
    free = 0.0
    places = []
    for end, *_ in sorted(ends):
        places.append(max(end, free))
        free = places[-1] + 15
    # What was pushed below the chart is lifted again, and what stands above it too.
    room = bottom
    for i in reversed(range(len(places))):
        places[i] = min(places[i], room)
        room = places[i] - 15
    for (end, x, name, kind), y in zip(sorted(ends), places, strict=True):
        yield f'<path class="lead {kind}" d="M{x + 2:.1f} {end:.1f}L{right + 10} {y:.1f}h4"/>'
        yield label(right + 18, y + 4, words.name(name, 20), "start", name)


def histograms(panels: Sequence[Panel], axis: Axis, of: str, unit: str = "") -> str:
    """Histograms above each other on one scale; heights are shares of each panel's own."""
    left = _room([panel.name for panel in panels]) if len(panels) > 1 else 60
    right = WIDTH - 30
    tall = 58 if len(panels) > 1 else 180
    at = axis.on(left, right)
    most = max((share for panel in panels for *_, share, _ in panel.bins), default=1.0)
    bottom = 10 + (tall + 10) * len(panels)
    parts = list(_across(axis, at, 4, bottom))
    for i, panel in enumerate(panels):
        base = 10 + (tall + 10) * i + tall
        if len(panels) > 1:
            parts.append(label(left - 10, base - 4, _name(panel.name), "end", panel.name))
        for start, end, share, count in panel.bins:
            a, b = at(start), at(end)
            height = share / most * tall
            tip = f"{start:,.3g} to {end:,.3g} {unit}: {count:,} ({100 * share:.1f} %)"
            parts.append(
                f'<rect class="block {panel.kind}" x="{a + 0.5:.1f}" y="{base - height:.1f}"'
                f' width="{max(b - a - 1, 0.5):.1f}" height="{height:.1f}">'
                f"<title>{escaped(tip)}</title></rect>"
            )
        parts.append(f'<path class="guide" d="M{left} {base}H{right}"/>')
    return drawing(bottom + 24, parts, of)


def grid(
    names: Sequence[str], heads: Sequence[str], shares: Sequence[Sequence[float | None]], of: str
) -> str:
    """A table of shares, the fuller the larger."""
    left = _room(names)
    wide = (WIDTH - left) / max(len(heads), 1)
    parts = []
    for j, head in enumerate(heads):
        for k, line in enumerate(_broken(head)):
            parts.append(label(left + wide * (j + 0.5), 14 + 14 * k, line, "middle", head))
    top = 48
    for i, (name, row) in enumerate(zip(names, shares, strict=True)):
        y = top + 24 * i
        parts.append(label(left - 10, y + 16, _name(name), "end", name))
        for j, share in enumerate(row):
            x = left + wide * j
            opacity = 0.0 if share is None else 0.08 + 0.72 * share
            text = "" if share is None else f"{100 * share:.0f} %"
            parts.append(
                f'<rect class="cell" x="{x + 1:.1f}" y="{y}" width="{wide - 2:.1f}" height="22"'
                f' style="fill-opacity:{opacity:.2f}"/>'
            )
            parts.append(label(x + wide / 2, y + 16, text, "middle"))
    return drawing(top + 24 * len(names) + 4, parts, of)


def _broken(text: str) -> list[str]:
    """A short text on at most two lines."""
    parts = text.split()
    half = (len(parts) + 1) // 2
    return [" ".join(parts[:half]), " ".join(parts[half:])] if len(text) > 11 else [text]
