# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Diagrams of a study as SVG: ranks, critical differences, time against quality, places.

Colours and type are the page's style sheet's. Names from outside are cleaned and escaped here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stepmark.evaluation.statistics import Interval
from stepmark.reports import words

WIDTH = 800
_SIDE = 190  # room for names on a side
_ROW = 20
_SCALE = 1000  # places are drawn on so many units, which the page stretches to the width it has


def critical_difference(
    ranks: Mapping[str, float], cliques: Iterable[Sequence[str]], difference: float | None, of: str
) -> str:
    """A critical-difference diagram: mean ranks on a line, bars over what cannot be told apart.

    *ranks* are by method, the best first; *difference* is drawn as a length where it is given; *of*
    is the text alternative.
    """
    methods, groups = list(ranks), [list(group) for group in cliques]
    count = len(methods)
    x = scaled(1, max(count, 2), _SIDE, WIDTH - _SIDE)
    top = 26 if difference is None else 52
    first = top + 18 + 9 * len(groups) + 12
    left = methods[: (count + 1) // 2]
    right = methods[: len(left) - 1 : -1]
    height = first + _ROW * len(left)
    parts = list(_rank_axis(count, x, top, above=True))
    if difference is not None:
        parts.append(_length(x, difference))
    for i, group in enumerate(groups):
        y = top + 14 + 9 * i
        a, b = (x(ranks[method]) for method in (group[0], group[-1]))
        parts.append(f'<path class="bar" d="M{a - 5:.1f} {y}H{b + 5:.1f}"/>')
    for names, at, anchor, edge in (
        (left, _SIDE - 8, "end", -1),
        (right, WIDTH - _SIDE + 8, "start", 1),
    ):
        for i, method in enumerate(names):
            y = first + _ROW * i
            line = f"M{x(ranks[method]):.1f} {top}V{y}H{at - 4 * edge}"
            parts.append(f'<path class="lead" d="{line}"/>')
            parts.append(label(at, y + 4, f"{_short(method)} {ranks[method]:.2f}", anchor, method))
    return drawing(height, parts, of)


def _length(x: Callable[[float], float], difference: float) -> str:
    a, b = x(1), min(x(1 + difference), float(WIDTH))
    return f'<path class="lead" d="M{a:.1f} 8V16M{a:.1f} 12H{b:.1f}M{b:.1f} 8V16"/>' + label(
        b + 6, 16, f"critical difference {difference:.2f}", "start"
    )


def _rank_axis(count: int, x: Callable[[float], float], y: float, *, above: bool) -> Iterator[str]:
    yield f'<path class="axis" d="M{x(1):.1f} {y}H{x(max(count, 2)):.1f}"/>'
    step = max(1, math.ceil(count / 20))
    for rank in range(1, count + 1, step):
        yield f'<path class="axis" d="M{x(rank):.1f} {y - 4}v8"/>'
        yield label(x(rank), y - 9 if above else y + 18, str(rank), "middle")


def rank_plot(ranks: Mapping[str, Sequence[float]], of: str) -> str:
    """How often each method takes each rank: a disc by frequency, and a mark at the mean.

    *ranks* are by method, those on each series, the best method first.
    """
    count = len(ranks)
    x = scaled(1, max(count, 2), _SIDE, WIDTH - 30)
    bottom = 10 + 24 * count
    parts = list(_rank_axis(count, x, bottom, above=False))
    for i, (method, own) in enumerate(ranks.items()):
        y = 14 + 24 * i
        parts.append(f'<path class="guide" d="M{x(1):.1f} {y}H{x(max(count, 2)):.1f}"/>')
        parts.append(label(_SIDE - 14, y + 4, _short(method), "end", method))
        for rank, times in sorted(Counter(own).items()):
            radius = 11 * math.sqrt(times / len(own))
            tip = f"rank {rank:g} on {words.plural(times, 'series')}"
            parts.append(
                f'<circle class="disc" cx="{x(rank):.1f}" cy="{y}" r="{radius:.1f}">'
                f"<title>{tip}</title></circle>"
            )
        mean = math.fsum(own) / len(own)
        parts.append(f'<path class="mean" d="M{x(mean):.1f} {y - 9}v18"/>')
    return drawing(bottom + 24, parts, of)


@dataclass(frozen=True, slots=True)
class Choice:
    """A method in the diagram of time and quality: median seconds of a run, and mean score."""

    method: str
    seconds: float
    mean: Interval


def time_and_quality(
    choices: Sequence[Choice], metric: str, of: str, *, higher: bool, base: float | None = None
) -> str:
    """Mean scores with their intervals against the time of a run, on a logarithmic scale.

    A line joins the methods than which none is both faster and better, another one is drawn at the
    score *base*. Empty without choices.
    """
    # Below a microsecond the clock says nothing.
    timed = [(max(choice.seconds, 1e-6), choice) for choice in choices]
    if not timed:
        return ""
    low = math.floor(min(math.log10(s) for s, _ in timed))
    high = max(math.ceil(max(math.log10(s) for s, _ in timed)), low + 1)
    ends = [e for _, c in timed for e in (c.mean.low, c.mean.high, c.mean.estimate)]
    ends += [] if base is None else [base]
    ticks = round_ticks(min(ends), max(ends))
    height, bottom = 400, 352
    across = scaled(low, high, 60, WIDTH - 110)
    up = scaled(ticks[0], ticks[-1], bottom, 16)
    parts = []
    for exponent in range(low, high + 1):
        x = across(exponent)
        parts.append(f'<path class="guide" d="M{x:.1f} 16V{bottom}"/>')
        parts.append(label(x, bottom + 18, words.number(10.0**exponent, "s"), "middle"))
    for tick in ticks:
        parts.append(f'<path class="guide" d="M60 {up(tick):.1f}H{WIDTH - 110}"/>')
        parts.append(label(52, up(tick) + 4, f"{tick:g}", "end"))
    if base is not None:
        parts.append(f'<path class="base" d="M60 {up(base):.1f}H{WIDTH - 110}"/>')
        parts.append(label(WIDTH - 104, up(base) + 4, "zero", "start"))
    middle = (60 + WIDTH - 110) / 2
    parts.append(label(middle, bottom + 38, "median processor time of a run", "middle"))
    parts.append(label(60, 8, metric, "start"))
    points = [
        (across(math.log10(s)), up(c.mean.estimate), c)
        for s, c in sorted(timed, key=lambda item: item[0])
    ]
    parts += [_front(points, higher=higher), *_points(points, up)]
    return drawing(height, parts, of)


_Point = tuple[float, float, Choice]


def _front(points: Sequence[_Point], *, higher: bool) -> str:
    best: float | None = None
    corners = []
    for x, y, choice in points:
        value = choice.mean.estimate if higher else -choice.mean.estimate
        if best is None or value > best:
            best = value
            corners.append((x, y))
    path = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"
    path += "".join(f"H{x:.1f}V{y:.1f}" for x, y in corners[1:])
    return f'<path class="front" d="{path}"/>'


def _points(points: Sequence[_Point], up: Callable[[float], float]) -> Iterator[str]:
    taken: list[tuple[float, float, float, float]] = [
        (x - 6, y - 6, x + 6, y + 6) for x, y, _ in points
    ]
    for x, _, choice in points:
        low, high = up(choice.mean.low), up(choice.mean.high)
        yield f'<path class="whisker" d="M{x:.1f} {low:.1f}V{high:.1f}"/>'
    for x, y, choice in points:
        name = _short(choice.method)
        width = 7.0 * len(name)
        spots = [(x + 9, y + 4), (x - 9 - width, y + 4)]
        spots += [(x + 9, y + 4 + s * d) for d in (12, 20, 28, 36, 44) for s in (-1, 1)]
        at = next((s for s in spots if _free(s, width, taken)), spots[0])
        taken.append((at[0], at[1] - 11, at[0] + width, at[1] + 3))
        tip = f"{name}: {choice.mean.estimate:.3f}, {words.number(choice.seconds, 's')} a run"
        spot = f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="5">'
        yield f"{spot}<title>{escaped(tip)}</title></circle>"
        yield label(at[0], at[1], name, "start", choice.method)


def _free(
    spot: tuple[float, float], width: float, taken: Iterable[tuple[float, float, float, float]]
) -> bool:
    x, y = spot
    if x < 60 or x + width > WIDTH:
        return False
    return all(
        x + width < left or x > right or y + 3 < top or y - 11 > bottom
        for left, top, right, bottom in taken
    )


def round_ticks(low: float, high: float) -> list[float]:
    """Round numbers around an interval, some five of them, rising."""
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(s * power for s in (1, 2, 5, 10) if s * power * 5 >= span)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(i * step, 12) for i in range(first, last + 1)]


def places(marked: Iterable[int], length: int, kind: str) -> str:
    """A path with a line at each place, of the class *kind*; empty without any."""
    across = _SCALE / max(length, 1)
    lines = "".join(f"M{_plain(place * across)} 0v10" for place in marked)
    return f'<path class="{kind}" d="{lines}"/>' if lines else ""


def lane(paths: Iterable[str], of: str) -> str:
    """A strip of `places`, as wide as the page has room."""
    drawn = "".join(paths)
    return (
        f'<svg class="strip" role="img" aria-label="{escaped(of)}" viewBox="0 0 {_SCALE} 10"'
        f' preserveAspectRatio="none">{drawn}</svg>'
    )


def _plain(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def scaled(low: float, high: float, start: float, stop: float) -> Callable[[float], float]:
    """What takes *low* to *start* and *high* to *stop*, and all between in proportion."""
    return lambda value: start + (value - low) / (high - low) * (stop - start)


def _short(name: str) -> str:
    return words.name(name, 24)


def escaped(text: str) -> str:
    """A text from outside as one clean line of HTML, of at most 500 characters."""
    from markupsafe import escape

    return str(escape(words.clean(text, 500)))


def label(x: float, y: float, text: str, anchor: str, whole: str = "") -> str:
    """A text at a place; *whole* is told on pointing at it where it says more."""
    tip = f"<title>{escaped(whole)}</title>" if whole and whole not in text else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text)}{tip}</text>'


def drawing(height: float, parts: Iterable[str], of: str) -> str:
    """A diagram of `WIDTH` units of width; *of* is its text alternative."""
    return (
        f'<svg class="diagram" role="img" aria-label="{escaped(of)}"'
        f' viewBox="0 0 {WIDTH} {height:.0f}">{"".join(parts)}</svg>'
    )
