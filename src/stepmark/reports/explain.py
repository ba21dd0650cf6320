# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""An explanation as text."""

from __future__ import annotations

from collections.abc import Iterator

from stepmark.changes import Segment, Verdict
from stepmark.explanation import Alternative, Explanation, Place
from stepmark.reports.words import clean, moment, number, percent, probability, short_revision
from stepmark.series import Direction

_BETTER = {
    Direction.LOWER: "lower is better",
    Direction.HIGHER: "higher is better",
    None: "which way is better is unknown",
}
_SHOWN, _TOLD = 4, 0.01


def render(explanation: Explanation) -> str:
    """*explanation* in plain words, for the terminal."""
    return "\n".join(_lines(explanation)) + "\n"


def _lines(item: Explanation) -> Iterator[str]:
    series, change = item.series, item.change
    facts = f"{len(series)} points, {_BETTER[series.direction]}, detector {item.detector}"
    yield f"{clean(str(series.key), 200)} ({facts})"
    yield f"Point {item.index}{_landmark(item)}"
    yield f"  {'is' if item.found else 'is NOT'} a change{_verdict(item)}"
    yield f"  before  {_segment(change.before, series.unit)}"
    yield f"  after   {_segment(change.after, series.unit)}"
    yield f"  effect  {_effect(item)}"
    if item.saved is not None:
        more = "saves" if item.saved >= 0 else "would cost"
        tail = "" if item.saved >= 0 else " more"
        yield f"  score   dividing here {more} {abs(item.saved):.1f} {item.cost_unit}{tail}"
    yield from _alternatives(item)
    yield from _likelihood(item)
    if item.needed:
        yield f"  at least {item.needed} points are needed to judge it"
    if item.least_effect is not None:
        yield f"  to be seen here, a step must be about {percent(item.least_effect)} or larger"
    if not item.found:
        yield from _nearest(item)


def _landmark(item: Explanation) -> str:
    change = item.change
    parts = []
    if change.revision:
        parts.append(f"revision {short_revision(change.revision)}")
    if change.previous_revision:
        parts.append(f"after {short_revision(change.previous_revision)}")
    if change.time is not None:
        parts.append(moment(change.time))
    return f": {', '.join(parts)}" if parts else ""


def _verdict(item: Explanation) -> str:
    if not item.found:
        return ""
    if item.change.verdict is not Verdict.NEUTRAL:
        return f": {item.change.verdict}"
    if item.counts:
        return ": neutral, because which way is better is unknown"
    limits = item.thresholds
    return (
        f": neutral, because it stays below the thresholds (min_relative {limits.min_relative:g},"
        f" min_absolute {limits.min_absolute:g}, min_segment {limits.min_segment})"
    )


def _segment(segment: Segment, unit: str) -> str:
    spread = "" if segment.std is None else f", standard deviation {number(segment.std, unit)}"
    points = f"{segment.n} point{'s' if segment.n != 1 else ''}"
    return f"mean {number(segment.mean, unit)} of {points}{spread}"


def _effect(item: Explanation) -> str:
    change = item.change
    text = number(change.absolute, item.series.unit)
    if change.relative is not None:
        text += f", {percent(change.relative)}"
    interval = change.relative_interval
    if interval is not None:
        text += f" (95 % interval {percent(interval[0])} to {percent(interval[1])})"
    return text


def _alternatives(item: Explanation) -> Iterator[str]:
    if not item.alternatives:
        return
    yield "  nearest alternatives:"
    for other in item.alternatives[:_SHOWN]:
        sign = "+" if other.extra >= 0 else "-"
        cost = f"{sign}{abs(other.extra):.1f} {item.cost_unit}"
        yield f"    {_at(other)}: {cost}"


def _likelihood(item: Explanation) -> Iterator[str]:
    likely = item.likelihood
    if likely is None:
        return
    known = f"a change within {likely.reach} points: {probability(likely.probability)}"
    yield f"  score   probability of {known} (reported from {likely.sure:g} on)"
    places = [p for p in likely.places[:_SHOWN] if p.score is not None and p.score >= _TOLD]
    if places:
        yield "  most probable places:"
        yield from (f"    {_at(place)}: {probability(place.score)}" for place in places)


def _nearest(item: Explanation) -> Iterator[str]:
    places = [_at(place) for place in item.nearest]
    if item.likelihood is not None:
        scores = [probability(place.score) for place in item.nearest]
        places = [f"{p}: probability {s}" for p, s in zip(places, scores, strict=True)]
    for lead, place in zip(("nearest", "next nearest"), places, strict=False):
        yield f"  the {lead} change found is at {place}"


def _at(place: Alternative | Place) -> str:
    return f"point {place.index}" + (
        f" ({short_revision(place.revision)})" if place.revision else ""
    )
