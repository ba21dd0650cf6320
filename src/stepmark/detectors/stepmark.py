# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Stepmark's own detector: report a change where one is more likely than not, and say how likely.

docs/explanation/stepmark.md has the model, what was tried before it, and what each part is for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_positive
from stepmark.detectors.scaling import median, moderate, noise_level, point_values
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.levels import Noise
    from stepmark.series import Vector

SHORTEST = 3  # points of a segment
FEWEST = 2 * SHORTEST
# Changes expected: so many, and fewer in a signal that is not long beside PATIENCE.
CHANGES, PATIENCE = 0.2, 200
RENEWAL, DRIFT = 0.02, 0.005
SPACING, MOST_LEVELS, SCALES = 0.4, 120, 5
CORRELATIONS = (0.0, 0.3, 0.6, 0.9, 0.99)
WANDERING = 0.75  # noise more correlated than this is no noise about a level
GAPS = (2.0, 3.0, 4.0, 5.5)
SWITCHES = ((0.1, 0.001), (0.2, 0.01), (0.5, 0.05))  # probability of a switch, and prior
COARSER, FEWER_SCALES, WITHIN, HOPELESS = 2, 3, 12.0, 36.0  # the last two in nats
STRETCH, STRETCHES = 300, 3
LEAST_WANDERING = 0.05
FINEST = 1000
REACH = 5
ROUNDING = 0.5
CROWDED = 1.2  # more than one change can account for
FARTHEST = 1e25  # in units of the noise: the density of a point there is still a float
BEYOND_A_LINE = 1.0
# No signal is quite as the model has it, so that its odds are too great: hits on synthetic series.
MODESTY, DOUBT = 0.8, 0.1


@dataclass(frozen=True, slots=True)
class Stepmark(Specified):
    """Steps between levels, under noise of the kind that the signal itself shows.

    The model has a level that stays until a change takes it anywhere else, and noise with outliers
    about it, whose scale may change by itself, whose neighbours may be alike, or which may jump
    between two bands. Where the signal wanders instead, segments are lines. What is reported is
    where, all that weighed up, a change within five points has a probability of at least *sure*.

    Attributes:
        sure: the least probability that is reported.

    A score is that probability, less sure than the model by as much as the model is too sure. Time
    O(n) for a signal about levels; memory O(n).

    Source: docs/explanation/stepmark.md. The passes over hidden levels are those of L. R. Rabiner,
    *A Tutorial on Hidden Markov Models*, Proc. IEEE 77, 1989; the divisions into lines those of
    P. Fearnhead, *Exact and Efficient Bayesian Inference for Multiple Changepoint Problems*,
    Stat. Comput. 16, 2006.
    """

    name: ClassVar[str] = "stepmark"
    complexity: ClassVar[str] = "O(n)"
    paper: ClassVar[str] = "Stepmark's own"
    fewest: ClassVar[int] = FEWEST
    fewest_new: ClassVar[int] = FEWEST // 2
    reach: ClassVar[int] = REACH
    sure: float = 0.5

    def __post_init__(self) -> None:
        check_positive(self.name, "sure", self.sure, 1.0)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The probable changes; none in fewer than six points. NaN is a `SignalError`."""
        values = point_values(signal, self.name)
        scaled = _scaled(values)
        found = [] if scaled is None else _probable(scaled, self)
        return Detection(
            values.size, tuple(f.place for f in found), tuple(f.probability for f in found)
        )

    def chances(self, signal: Signal | Iterable[Any]) -> Vector:
        """The model's probability that a segment begins at each point, shape (n,).

        Zeros for fewer than six points. NaN is a `SignalError`.
        """
        values = point_values(signal, self.name)
        scaled = _scaled(values)
        if scaled is None:
            return np.zeros(values.size)
        steps, lines, _ = _chances(scaled, _clipped(scaled))
        return steps + lines

    def probability(self, mass: float) -> float:
        """The share of changes that are there where the model's chances within reach are *mass*."""
        if not 0.0 < mass < 1.0:
            return max(0.0, min(mass, 1.0))
        odds: float = MODESTY * math.log(mass / (1.0 - mass)) - DOUBT
        return 1.0 / (1.0 + math.exp(-odds))


def _scaled(values: Vector) -> Vector | None:
    """*values* about their median, in units of the noise; None where nothing can be said."""
    if values.size < FEWEST:
        return None
    values = moderate(values)
    noise = noise_level(values)
    if not noise > 0:
        return None
    return np.clip(values - median(values), -FARTHEST * noise, FARTHEST * noise) / noise


@dataclass(frozen=True, slots=True)
class _Found:
    """A place with the probability of a change within reach, and whether it is a step's."""

    place: int
    probability: float
    step: bool


def _probable(values: Vector, told: Stepmark) -> list[_Found]:
    """The places to report in *values*, in units of the noise, shape (n,)."""
    calm = _clipped(values)
    steps, lines, correlation = _chances(values, calm)
    found = _peaks(steps, lines, told)
    while True:
        doubts = _beyond_lines(calm, found, correlation)
        if not doubts or min(doubts) >= BEYOND_A_LINE:
            return found
        del found[doubts.index(min(doubts))]


def _chances(values: Vector, calm: Vector) -> tuple[Vector, Vector, float]:
    """The probability of a step at each point, of a new line, and the correlation of the noise."""
    from stepmark._kernels.levels import Prior, posterior

    hazard = CHANGES / (values.size + PATIENCE)

    noises = _plausible(values, calm, hazard)
    levels = _levels(values, SPACING)
    scales = _scales(levels, calm, SCALES)
    known = posterior(values, Prior(levels, scales, hazard, RENEWAL, DRIFT, noises))
    phi = np.array([noise.phi for noise in noises])
    wandering = float(known.weights[phi >= WANDERING].sum())
    correlation = float(known.weights @ phi)
    steps: Vector = known.weights @ known.chances
    lines = np.zeros(values.size)
    spread = calm.std()  # 0 where all but the spikes is too small to be squared
    if wandering > LEAST_WANDERING and spread > 0:
        from stepmark._kernels import trends

        lines = wandering * trends.chances((calm - calm.mean()) / spread, trends.Prior(), FINEST)
        lines *= 1.0 - np.minimum(_within_reach(steps), 1.0)  # a line does not bend where it breaks
    return steps, lines, correlation


def _plausible(values: Vector, calm: Vector, hazard: float) -> tuple[Noise, ...]:
    """The kinds of noise that some stretches of the signal, coarsely seen, do not rule out."""
    from stepmark._kernels.levels import Prior, evidence

    noises = _noises()
    total = np.log([noise.prior for noise in noises])
    for part in _stretches(values.size):
        levels = _levels(values[part], COARSER * SPACING)
        scales = _scales(levels, calm[part], FEWER_SCALES)
        total += evidence(values[part], Prior(levels, scales, hazard, RENEWAL, DRIFT, noises))
        noises, total = _best(noises, total, HOPELESS)
    return _best(noises, total, WITHIN)[0]


def _best(
    noises: tuple[Noise, ...], known: Vector, within: float
) -> tuple[tuple[Noise, ...], Vector]:
    """The kinds of noise *within* so many nats of the best, and what is known of them."""
    kept = np.flatnonzero(known >= known.max() - within)
    return tuple(noises[i] for i in kept), known[kept]


def _stretches(length: int) -> list[slice]:
    """The whole, or so much of it as shows what its noise is like."""
    if length <= STRETCHES * STRETCH:
        return [slice(0, length)]
    starts = np.linspace(0, length - STRETCH, STRETCHES).astype(int)
    return [slice(start, start + STRETCH) for start in starts]


def _noises() -> tuple[Noise, ...]:
    from stepmark._kernels.levels import Noise

    alike = [Noise(phi) for phi in CORRELATIONS]
    bands = [Noise(0.0, gap, switch, prior) for gap in GAPS for switch, prior in SWITCHES]
    return (*alike, *bands)


def _levels(values: Vector, spacing: float) -> Vector:
    """Where the level can be: evenly over the range of the running median of five."""
    middle = _running_median(values, 5)
    low, high = float(middle.min()), float(middle.max())
    count = min(max(math.ceil((high - low) / spacing) + 1, 8), MOST_LEVELS)
    return np.linspace(low, high, count)


def _scales(levels: Vector, calm: Vector, count: int) -> Vector:
    """How far points can lie from a level: from what the levels can tell apart to all there is."""
    least = max(0.4, 0.7 * float(levels[1] - levels[0]), ROUNDING * _grain(calm))
    return np.geomspace(least, max(2.0, 1.2 * float(calm.std()), 1.5 * least), count)


def _grain(values: Vector) -> float:
    """What neighbours differ by where they hardly do: of rounded values, the rounding."""
    apart = np.abs(np.diff(values))
    apart = np.sort(apart[apart > 0])
    return float(apart[apart.size // 20]) if apart.size else 0.0


def _clipped(values: Vector) -> Vector:
    """*values* without spikes: at most 2.5 robust deviations from the running median of nine."""
    middle = _running_median(values, 9)
    rest = values - middle
    reach = 2.5 * 1.4826 * median(np.abs(rest))
    return middle + np.clip(rest, -reach, reach) if reach > 0 else values


def _running_median(values: Vector, width: int) -> Vector:
    padded = np.pad(values, width // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    middle: Vector = np.partition(windows, width // 2, axis=1)[:, width // 2]
    return middle


def _peaks(steps: Vector, lines: Vector, told: Stepmark) -> list[_Found]:
    """The windows of most probability, one after the other; a change uses up a probability of 1."""
    left = steps + lines
    found: list[_Found] = []
    while True:
        mass = _within_reach(left)
        middle = int(mass.argmax())
        probability = told.probability(float(mass[middle]))
        if probability < told.sure:
            return sorted(found, key=lambda one: one.place)
        window = slice(max(0, middle - REACH), middle + REACH + 1)
        step = bool(steps[window].sum() >= lines[window].sum())
        inside = left[window]
        # A step's place is the median of its probability; that of a bend, or of one of two steps,
        # where it is most probable.
        sums = np.cumsum(inside)
        single = step and sums[-1] <= CROWDED
        offset = np.searchsorted(sums, sums[-1] / 2) if single else inside.argmax()
        place = window.start + int(offset)
        found.append(_Found(place, probability, step))
        _use_up(left, place)


def _use_up(chances: Vector, place: int) -> None:
    """Take a probability of 1 from *chances*, nearest points first, and all that is too near."""
    around = np.arange(max(0, place - 2 * REACH), min(chances.size, place + 2 * REACH + 1))
    around = around[np.argsort(np.abs(around - place), kind="stable")]
    nearer = np.cumsum(chances[around]) - chances[around]
    chances[around] -= np.clip(1.0 - nearer, 0.0, chances[around])
    chances[max(0, place - SHORTEST + 1) : place + SHORTEST] = 0.0


def _within_reach(chances: Vector) -> Vector:
    """The sums of *chances* over the points within reach of each, shape (n,)."""
    total = np.cumsum(np.concatenate([np.zeros(REACH + 1), chances, np.zeros(REACH)]))
    mass: Vector = total[2 * REACH + 1 :] - total[: -2 * REACH - 1]
    return mass


def _beyond_lines(calm: Vector, found: list[_Found], correlation: float) -> list[float]:
    """How much better two levels, or a step in a line, fit than one line does, in nats."""
    bounds = [0, *(one.place for one in found), calm.size]
    worth = (1 - min(correlation, 0.9)) / (1 + min(correlation, 0.9))
    return [
        worth * _beyond_line(calm[bounds[i] : bounds[i + 2]], one.place - bounds[i], worth)
        if one.step
        else math.inf
        for i, one in enumerate(found)
    ]


def _beyond_line(values: Vector, place: int, worth: float) -> float:
    """The same for one place inside *values*, but for the worth of a point."""
    n = values.size
    index = np.arange(n, dtype=np.float64)
    parts = [slice(0, place), slice(place, n)]
    line = _unexplained(*_moments(values, index))
    inside = [_moments(values[part], index[part]) for part in parts]
    square, cross, spread = (sum(some) for some in zip(*inside, strict=True))
    least = 1e-9 * (1 + square)
    step, both = square, _unexplained(square, cross, spread)
    dearer = (0.5 * math.log(n) + BEYOND_A_LINE) / worth
    return max(
        n / 2 * math.log(max(line, least) / max(step, least)),
        n / 2 * math.log(max(line, least) / max(both, least)) - dearer,
    )


def _moments(values: Vector, index: Vector) -> tuple[float, float, float]:
    """Sums of squares about the means: of the values, of both, of the index."""
    values, index = values - values.mean(), index - index.mean()
    return float(values @ values), float(values @ index), float(index @ index)


def _unexplained(square: float, cross: float, spread: float) -> float:
    """What a line leaves of a sum of squares."""
    return square - cross * cross / spread if spread > 0 else square
