# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Why a place is, or is not, a change."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stepmark.alerts.policy import counts, judge
from stepmark.changes import Change, Detection, Segment, describe
from stepmark.config import Thresholds
from stepmark.errors import SignalError
from stepmark.plugins import Costed, Demanding, Detector, Probable
from stepmark.series import Aggregate, Series, Signal

_NEAR = 3  # alternatives are looked for so many points to each side
_LARGEST_EFFECT = 1024.0


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another place for the same change: its first point, and what it costs more than the best."""

    index: int
    revision: str
    extra: float


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the series, and the evidence for a change there; None if there is none."""

    index: int
    revision: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How probable a change is at a place.

    Attributes:
        reach: so many points to each side belong to the place.
        probability: of a change there.
        sure: the least probability that is reported.
        places: the single points there, the most probable first.
    """

    reach: int
    probability: float
    sure: float
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about one place of a series.

    Attributes:
        series, detector: what was judged, and by which spec.
        index: first point of the segment that begins, or would begin, there.
        found: whether the detector finds a change there.
        change: the change as it is, or as a division there would make it; verdict included.
        counts: whether it reaches the thresholds.
        saved: cost that a division there saves (negative: it would cost more), and `cost_unit`;
            None for a detector that cannot say.
        alternatives: the neighbouring places, cheapest first.
        likelihood: how probable a change is there; None for a detector that cannot say.
        least_effect: the relative effect that the detector would need to see a step there, None
            where it sees one already or none would do.
        nearest: the last change found before the place and the first one after it, the nearer
            first, as far as there are such.
        needed: the fewest points that the detector judges, if the series has fewer; else 0.
    """

    series: Series
    detector: str
    index: int
    found: bool
    change: Change
    counts: bool
    thresholds: Thresholds
    cost_unit: str
    saved: float | None
    alternatives: tuple[Alternative, ...]
    likelihood: Likelihood | None
    least_effect: float | None
    nearest: tuple[Place, ...]
    needed: int


def explain(
    series: Series,
    detector: Detector,
    index: int,
    thresholds: Thresholds,
    aggregate: Aggregate = Aggregate.MEAN,
) -> Explanation:
    """Explain the place *index* (0 < index < n) of *series*; raises `SignalError` outside it."""
    if not 0 < index < len(series):
        raise SignalError(f"{series.key}: a change is between two points; point {index} begins it")
    signal = series.signal(aggregate)
    detection = detector.detect(signal)
    others = tuple(i for i in detection.indices if i != index)
    divided = Detection(len(series), tuple(sorted((*others, index))))
    shown = Aggregate.MEAN if aggregate is Aggregate.SAMPLES else aggregate
    _, changes = describe(series, divided, shown)
    change = next(c for c in changes if c.index == index)
    found = index in detection.indices
    own = detector.fewest if isinstance(detector, Demanding) else 0
    needed = own if len(series) < own else 0
    saved: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    least: float | None = None
    if isinstance(detector, Costed):
        saved = detector.cost(signal, others) - detector.cost(signal, divided.indices)
        alternatives = _alternatives(series, detector, signal, others, index)
        least = None if found else _least_effect(detector, signal, others, change)
    likelihood = None
    if isinstance(detector, Probable) and not needed:
        likelihood = _likelihood(series, detector, signal, index)
    return Explanation(
        series=series,
        detector=str(detector),
        index=index,
        found=found,
        change=_with_verdict(change, series, thresholds),
        counts=counts(change, thresholds),
        thresholds=thresholds,
        cost_unit=detector.cost_unit if isinstance(detector, Costed) else "",
        saved=saved,
        alternatives=alternatives,
        likelihood=likelihood,
        least_effect=least,
        nearest=_nearest(series, detection, index),
        needed=needed,
    )


def _with_verdict(change: Change, series: Series, thresholds: Thresholds) -> Change:
    return replace(change, verdict=judge(change, series.direction, thresholds))


def _alternatives(
    series: Series, detector: Costed, signal: Signal, others: tuple[int, ...], index: int
) -> tuple[Alternative, ...]:
    taken = {0, len(series), *others}
    places = [
        place
        for place in range(index - _NEAR, index + _NEAR + 1)
        if 0 < place < len(series) and place not in taken
    ]
    costs = {place: detector.cost(signal, sorted((*others, place))) for place in places}
    return tuple(
        Alternative(place, series.points[place].revision, costs[place] - costs[index])
        for place in sorted(places, key=lambda p: (costs[p], abs(p - index)))
        if place != index
    )


def _likelihood(series: Series, detector: Probable, signal: Signal, index: int) -> Likelihood:
    chances = detector.chances(signal)
    around = range(max(index - detector.reach, 1), min(index + detector.reach + 1, len(series)))
    places = [Place(i, series.points[i].revision, float(chances[i])) for i in around]
    return Likelihood(
        reach=detector.reach,
        probability=detector.probability(float(chances[around.start : around.stop].sum())),
        sure=detector.sure,
        places=tuple(sorted(places, key=lambda p: (-(p.score or 0.0), abs(p.index - index)))),
    )


def _nearest(series: Series, detection: Detection, index: int) -> tuple[Place, ...]:
    found = [
        Place(i, series.points[i].revision, detection.score(number))
        for number, i in enumerate(detection.indices)
    ]
    before, after = [p for p in found if p.index < index], [p for p in found if p.index > index]
    return tuple(sorted((*before[-1:], *after[:1]), key=lambda p: abs(p.index - index)))


def _least_effect(
    detector: Costed, signal: Signal, others: tuple[int, ...], change: Change
) -> float | None:
    """The relative effect from which a division at the change's place would pay.

    The segment after is moved so that its mean differs by that much from the mean before, its
    spread kept; found by halving to within a hundredth.
    """
    if change.before.mean == 0:
        return None
    divided = sorted((*others, change.index))

    def pays(effect: float) -> bool:
        trial = _moved(signal, change.after, effect * abs(change.before.mean) - change.absolute)
        return detector.cost(trial, divided) < detector.cost(trial, others)

    sign = -1.0 if change.absolute < 0 else 1.0
    low = high = abs(change.relative or 0.0) or 1e-4
    while not pays(sign * high):
        low, high = high, high * 2
        if high > _LARGEST_EFFECT:
            return None
    while high > low * 1.01:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if pays(sign * middle) else (middle, high)
    return sign * high


def _moved(signal: Signal, segment: Segment, shift: float) -> Signal:
    rows = signal.values if signal.samples is None else signal.samples
    inside = range(segment.start, segment.stop)
    return Signal.of([row + shift if i in inside else row for i, row in enumerate(rows)])
