# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A still chart of one series as SVG: what stands where no script runs, and in print."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from stepmark.changes import Change, Segment
from stepmark.reports.charts import extent

_SIZE = 1000
"""The lines are drawn on a square of this size, which the page stretches to the width it has."""
_MOST_DOTS = 400


def svg(
    values: Sequence[float], segments: Sequence[Segment], changes: Iterable[Change], label: str
) -> str:
    """A chart of *values* at even distances: dots, group means as steps, marks on the changes.

    *label* is its text alternative and must be escaped already. Of a long series every stretch
    shows its least and greatest value, so that no outlier is lost. The shapes of the marks
    (``#mark-regression`` and so on) and all colours are the page's.
    """
    low, high = extent([*values, *(s.mean for s in segments)])
    across = _SIZE / max(len(values), 1)

    def height(value: float) -> int:
        share = (high / 2 - value / 2) / (high / 2 - low / 2)
        return round(share * _SIZE)

    dots = "".join(f"M{round((i + 0.5) * across)} {height(values[i])}h0" for i in _chosen(values))
    steps = "".join(
        f"{'L' if i else 'M'}{round(s.start * across)} {height(s.mean)}H{round(s.stop * across)}"
        for i, s in enumerate(s for s in segments if math.isfinite(s.mean))
    )
    marks = "".join(
        f'<use href="#mark-{c.verdict.value}" x="{(c.index + 0.5) * across / 10:.2f}%"'
        f' y="{height(c.after.mean) / 10:.1f}%"/>'
        for c in changes
        if math.isfinite(c.after.mean)
    )
    return (
        f'<svg class="still" role="img" aria-label="{label}">'
        f'<svg viewBox="0 0 {_SIZE} {_SIZE}" preserveAspectRatio="none">'
        f'<path class="dots" d="{dots}"/><path class="steps" d="{steps}"/></svg>{marks}</svg>'
    )


def _chosen(values: Sequence[float]) -> list[int]:
    """The places to draw: all, or the extremes of each stretch of a long series."""
    finite = [i for i, v in enumerate(values) if math.isfinite(v)]
    if len(finite) <= _MOST_DOTS:
        return finite
    stretches = _MOST_DOTS // 2
    bounds = [place * len(finite) // stretches for place in range(stretches + 1)]
    chosen: set[int] = set()
    for start, stop in pairwise(bounds):
        part = finite[start:stop]
        chosen |= {min(part, key=values.__getitem__), max(part, key=values.__getitem__)}
    return sorted(chosen)
