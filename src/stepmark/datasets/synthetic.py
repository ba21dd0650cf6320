# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Synthetic performance histories whose changes are known.

A history is a level with mean steps, and noise of one kind about it. All random numbers of a
series come from numpy's PCG64, seeded by (seed, kind, n, index) alone: a series stays the same
whatever else is generated, and with other steps it keeps its noise. numpy may change how it makes
normal numbers of random bits from one feature release to the next, so a suite's provenance names
its version.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import stepmark
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.errors import SpecError, suggest
from stepmark.plugins import Specified
from stepmark.series import Point, Series, SeriesKey

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float64]

TRUTH = "truth"
"""The name of the one annotator."""

SUITE = ("gauss", "heavy", "spikes", "bimodal", "drift", "variance", "mixed")
"""The kinds of the CI-like suites, in equal shares."""

SIZES = {100: 70, 300: 56, 1000: 42}
"""How many series a suite has by their length, unless told; any other length has 56."""

LEVEL = 100.0
_NONE = "none-"
_SHORTEST, _LONGEST = 8, 100_000
_MOST_SERIES = 10_000
_MOST_POINTS = 30_000_000


class Step(NamedTuple):
    """A mean step: its place, its size relative to the level before, and in sd of the noise."""

    place: int
    relative: float
    sd: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be set of a history; None is drawn anew for each series.

    Attributes:
        steps: number of mean steps (of `reverted`: of regressions that are reverted); n // 200 + 1
            unless told.
        low, high: least and greatest size of a step, relative to the level; drawn log-uniformly.
        gap: least distance of steps from each other and from both ends; the greater of 10 and
            n // 20 unless told, and never more than leaves room for all.
        noise: standard deviation of the white noise, relative to the first level; 0.01 to 0.05.
        outliers: share of outliers (`spikes`, `mixed`); 0.01 to 0.03.
        apart: distance of the bands in sd (`bimodal`, `bands`); 2 to 5.
        switch: probability of a change of band at a point (`bimodal`); 0.05 to 0.2.
        slope: drift over the whole history, relative to the level (`drift`, `mixed`); 0.01 to 0.04
            up or down.
        factor: by how much the noise grows or shrinks (`variance`, `mixed`); 1.5 to 4.
        phi: autocorrelation at lag 1 (`ar1`).
        wander: sd of the steps of the random walk, in sd of the white noise (`walk`).
        sigma: shape of the logarithmic normal noise (`lognormal`).
        amplitude: of the wave, in sd (`sine`); 1 to 3.
        resolution: smallest difference of two values, in sd (`quantised`); 0.5 to 2.
        missing: share of points that are missing, never all.
    """

    steps: int | None = None
    low: float = 0.02
    high: float = 0.2
    gap: int | None = None
    noise: float | None = None
    outliers: float | None = None
    apart: float | None = None
    switch: float | None = None
    slope: float | None = None
    factor: float | None = None
    phi: float = 0.6
    wander: float = 0.2
    sigma: float = 0.5
    amplitude: float | None = None
    resolution: float | None = None
    missing: float = 0.0

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if value is None and _DEFAULTS[name] is None:
                continue
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            whole = name not in ("steps", "gap") or isinstance(value, int)
            if not (number and whole and least <= value <= most):
                kind = "a number" if name not in ("steps", "gap") else "a whole number"
                raise SpecError(f"synthetic: {name} is {kind} from {least} to {most}, not {value}")
        if self.low > self.high:
            raise SpecError(f"synthetic: low {self.low} is more than high {self.high}")


_BOUNDS: dict[str, tuple[float, float]] = {
    "steps": (0, 10_000),
    "low": (1e-6, 10),
    "high": (1e-6, 10),
    "gap": (1, _LONGEST),
    "noise": (1e-9, 1),
    "outliers": (0, 0.5),
    "apart": (0, 100),
    "switch": (0, 1),
    "slope": (-1, 1),
    "factor": (0.01, 100),
    "phi": (-0.999, 0.999),
    "wander": (0, 100),
    "sigma": (0.01, 3),
    "amplitude": (0, 100),
    "resolution": (0, 100),
    "missing": (0, 0.9),
}
_DEFAULTS = {item.name: item.default for item in fields(Setting)}


class _Draw:
    """Parameters that are given, or drawn and noted."""

    def __init__(self, setting: Setting, random: np.random.Generator) -> None:
        self.setting = setting
        self.random = random
        self.noted: dict[str, float] = {}

    def value(self, name: str, low: float, high: float) -> float:
        """The parameter *name*, or a number from *low* to *high*."""
        # Drawn whether it is used or not: what is drawn after it stays the same.
        drawn = float(self.random.uniform(low, high))
        given = getattr(self.setting, name)
        return self.note(name, drawn if given is None else float(given))

    def note(self, name: str, value: float) -> float:
        """*value*, kept under *name* for the facts."""
        self.noted[name] = value
        return value


_Noise = Callable[[_Draw, int, int], "Vector"]
"""Noise of n points in sd; the last argument is a place for what happens once."""


def _gauss(draw: _Draw, n: int, _place: int) -> Vector:
    return draw.random.standard_normal(n)


def _heavy(draw: _Draw, n: int, _place: int) -> Vector:
    return draw.random.standard_t(3, n) / math.sqrt(3)


def _spikes(draw: _Draw, n: int, place: int) -> Vector:
    noise = _gauss(draw, n, place)
    return noise + _outliers(draw, n)


def _outliers(draw: _Draw, n: int) -> Vector:
    share = draw.value("outliers", 0.01, 0.03)
    chosen = draw.random.random(n) < share
    sizes = draw.random.uniform(3, 15, n) * draw.random.choice([-1.0, 1.0], n)
    spikes: Vector = chosen * sizes
    return spikes


def _bimodal(draw: _Draw, n: int, place: int) -> Vector:
    apart, switch = draw.value("apart", 2, 5), draw.value("switch", 0.05, 0.2)
    switches = draw.random.random(n) < switch
    return _gauss(draw, n, place) + apart * (switches.cumsum() % 2 - 0.5)


def _bands(draw: _Draw, n: int, place: int) -> Vector:
    apart = draw.value("apart", 2, 5)
    upper = draw.random.random(n) < 0.5
    return _gauss(draw, n, place) + apart * (upper - 0.5)


def _variance(draw: _Draw, n: int, place: int) -> Vector:
    return _gauss(draw, n, place) * _spread(draw, n, place)


def _spread(draw: _Draw, n: int, place: int) -> Vector:
    """A factor that changes once, at *place*."""
    import numpy as np

    factor = draw.value("factor", 1.5, 4)
    draw.note("variance_place", place)
    grows = draw.random.random() < 0.5
    late = np.arange(n) >= place
    return np.where(late == grows, factor, 1.0)


def _mixed(draw: _Draw, n: int, place: int) -> Vector:
    noise = _heavy(draw, n, place) + _outliers(draw, n)
    return noise * _spread(draw, n, place)


def _ar1(draw: _Draw, n: int, place: int) -> Vector:
    import numpy as np

    phi = draw.note("phi", draw.setting.phi)
    fresh = _gauss(draw, n, place) * math.sqrt(1 - phi * phi)
    noise = np.empty(n)
    last = float(draw.random.standard_normal())  # stationary from the start
    for i in range(n):
        last = noise[i] = phi * last + fresh[i]
    return noise


def _walk(draw: _Draw, n: int, place: int) -> Vector:
    wander = draw.note("wander", draw.setting.wander)
    return _gauss(draw, n, place) + wander * _gauss(draw, n, place).cumsum()


def _lognormal(draw: _Draw, n: int, place: int) -> Vector:
    import numpy as np

    sigma = draw.note("sigma", draw.setting.sigma)
    mean = math.exp(sigma * sigma / 2)
    sd = mean * math.sqrt(math.expm1(sigma * sigma))
    noise: Vector = (np.exp(sigma * _gauss(draw, n, place)) - mean) / sd
    return noise


def _sine(draw: _Draw, n: int, place: int) -> Vector:
    import numpy as np

    amplitude = draw.value("amplitude", 1, 3)
    cycles = draw.note("cycles", float(draw.random.uniform(2, 10)))
    phase = float(draw.random.uniform(0, 2 * math.pi))
    wave: Vector = amplitude * np.sin(2 * math.pi * cycles * np.arange(n) / n + phase)
    return _gauss(draw, n, place) + wave


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of history: what it is, in one line, and its noise in sd."""

    summary: str
    noise: _Noise


KINDS: dict[str, Kind] = {
    "gauss": Kind("normal noise", _gauss),
    "heavy": Kind("heavy tails: Student t noise of 3 degrees of freedom, scaled to sd 1", _heavy),
    "spikes": Kind("normal noise with 1-3 % outliers of 3-15 sd", _spikes),
    "bimodal": Kind("two bands 2-5 sd apart, sticky: 5-20 points in one on average", _bimodal),
    "bands": Kind("two bands 2-5 sd apart, each point in either", _bands),
    "drift": Kind("normal noise on a line that rises or falls by 1-4 %", _gauss),
    "variance": Kind("noise that grows or shrinks by 1.5-4 where the mean does not", _variance),
    "mixed": Kind("heavy tails, outliers, drift and a change of variance", _mixed),
    "ar1": Kind("autocorrelated noise: each point phi of the one before", _ar1),
    "walk": Kind("normal noise on a random walk", _walk),
    "reverted": Kind("normal noise; each regression is reverted after a while", _gauss),
    "quantised": Kind("normal noise, rounded to multiples of 0.5-2 sd", _gauss),
    "lognormal": Kind("noise with a long tail upwards: logarithmic normal", _lognormal),
    "sine": Kind("normal noise on a wave of 1-3 sd", _sine),
}
KINDS |= {
    f"{_NONE}{name}": Kind(f"{kind.summary}; no change", kind.noise)
    for name, kind in list(KINDS.items())
    if name != "reverted"
}


def history(
    kind: str,
    n: int,
    seed: int,
    *,
    index: int = 0,
    steps: int | Sequence[tuple[int, float]] | None = None,
    setting: Setting = Setting(),
) -> LabelledSeries:
    """One synthetic history of *n* points (8 to 100,000) with its true steps.

    *kind* is one of `KINDS`; *index* tells histories of one kind and seed apart; *steps* is how
    many there are, or each as (place, relative size). The annotator is `TRUTH`; the facts hold
    every parameter, and the steps for `true_steps`. A kind that begins with ``none-`` has no steps
    unless each is told. Raises `SpecError` for anything out of range.
    """
    import numpy as np

    _check(kind, n, seed, index)
    if isinstance(steps, int):
        setting = replace(setting, steps=steps)
    random, once, made = _arranged(kind, n, setting, _sequence(seed, kind, n, index))
    if steps is not None and not isinstance(steps, int):
        made = _checked(steps, n)
    draw = _Draw(setting, random)
    sd = LEVEL * draw.value("noise", 0.01, 0.05)
    levels = np.full(n, LEVEL)
    for place, relative in made:
        levels[place:] *= 1 + relative
    values = levels + sd * KINDS[kind].noise(draw, n, once) + _drift(kind, draw, n)
    values = _quantised(kind, draw, sd, values)
    there = [int(i) for i in np.flatnonzero(random.random(n) >= setting.missing)]
    truth = _truth(made, sd)
    name = f"{kind}-{n}-{seed}-{index:03}"
    points = tuple(Point("", None, (float(values[i]),), i) for i in there or (0,))
    facts = {
        "generator": "synthetic",
        "kind": kind,
        "n": str(n),
        "seed": str(seed),
        "index": str(index),
        "level": repr(LEVEL),
        **{what: repr(value) for what, value in sorted(draw.noted.items())},
        "steps": json.dumps([list(step) for step in truth]),
    }
    places = tuple(step.place for step in truth)
    series = Series(SeriesKey(benchmark=name), points)
    return LabelledSeries(name, series, n, ((TRUTH, places),), facts)


def true_steps(member: LabelledSeries) -> tuple[Step, ...]:
    """The steps that a synthetic history was made with; empty for any other series."""
    try:
        return tuple(Step(*step) for step in json.loads(member.facts.get("steps", "[]")))
    except (ValueError, TypeError):
        return ()


def suite(
    kinds: Sequence[str] = SUITE,
    n: int = 300,
    count: int | None = None,
    seed: int = 0,
    setting: Setting = Setting(),
) -> Dataset:
    """A data set of *count* histories of *n* points, *kinds* in equal shares, kind after kind.

    *count* is that of `SIZES` unless told; where it is no multiple, the first kinds have one more.
    The CI-like suites are ``suite(n=100)``, ``suite(n=300)`` and ``suite(n=1000)``.
    """
    given = {item.name: getattr(setting, item.name) for item in fields(Setting)}
    members = () if tuple(kinds) == SUITE else tuple(kinds)
    return Synthetic(members=members, n=n, count=count, seed=seed, **given).make()


@dataclass(frozen=True)
class Synthetic(Setting, Specified):
    """Synthetic performance histories with known steps.

    The kinds are named first, as in ``synthetic(gauss, heavy, n=300)``, or by ``kinds``: one kind,
    ``suite`` (the seven of the CI-like suites) or ``all``.

    Attributes:
        members: the kinds, named by place; those of `kinds` unless there are any.
        kinds: one kind, ``suite`` or ``all``.
        n: points of each series.
        count: number of series, kinds in equal shares; 70, 56 and 42 for n = 100, 300 and 1000.
        seed: what all random numbers come from.
    """

    name: ClassVar[str] = "synthetic"

    members: tuple[str, ...] = ()
    kinds: str = "suite"
    n: int = 300
    count: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        Setting.__post_init__(self)
        if self.members and self.kinds != "suite":
            raise SpecError("synthetic: name the kinds by place, or by kinds=, not both")
        for kind in self.chosen:
            _check(kind, self.n, self.seed, 0)
        if len(set(self.chosen)) != len(self.chosen):
            raise SpecError("synthetic: a kind is named twice")
        limit = min(_MOST_SERIES, _MOST_POINTS // self.n)
        if type(self.size) is not int or not 1 <= self.size <= limit:
            raise SpecError(
                f"synthetic: count is a whole number from 1 to {limit}, not {self.size}"
            )

    @property
    def chosen(self) -> tuple[str, ...]:
        """The kinds, in order."""
        if self.members:
            return self.members
        return {"suite": SUITE, "all": tuple(KINDS)}.get(self.kinds, (self.kinds,))

    @property
    def size(self) -> int:
        """The number of series."""
        return SIZES.get(self.n, 56) if self.count is None else self.count

    def make(self) -> Dataset:
        """The data set, under its spec as name."""
        import numpy as np

        share, more = divmod(self.size, len(self.chosen))
        members = tuple(
            history(kind, self.n, self.seed, index=index, setting=self)
            for place, kind in enumerate(self.chosen)
            for index in range(share + (place < more))
        )
        provenance = {
            "generator": str(self),
            "stepmark": stepmark.__version__,
            "numpy": np.__version__,
        }
        return Dataset(str(self), members, provenance)


def _check(kind: Any, n: Any, seed: Any, index: Any) -> None:
    if not isinstance(kind, str) or kind not in KINDS:
        known = ", ".join(KINDS)
        raise SpecError(
            f"synthetic: unknown kind {str(kind)[:40]!r}{suggest(str(kind), KINDS)}; known: {known}"
        )
    for name, value, least, most in (
        ("n", n, _SHORTEST, _LONGEST),
        ("seed", seed, 0, 1 << 64),
        ("index", index, 0, _MOST_SERIES),
    ):
        if type(value) is not int or not least <= value <= most:
            raise SpecError(
                f"synthetic: {name} is a whole number from {least} to {most}, not {str(value)[:40]}"
            )


def _sequence(seed: int, kind: str, n: int, index: int) -> np.random.SeedSequence:
    """What the random numbers of one series come from."""
    import numpy as np

    # A number for the kind that no other kind's coming or going changes.
    number = int.from_bytes(hashlib.sha256(kind.encode()).digest()[:8], "big")
    return np.random.SeedSequence([seed, number, n, index])


def _arranged(
    kind: str, n: int, setting: Setting, sequence: np.random.SeedSequence
) -> tuple[np.random.Generator, int, list[tuple[int, float]]]:
    """The source of the noise, a place for what happens once, and place and size of the steps."""
    import numpy as np

    of_steps, of_noise = (np.random.Generator(np.random.PCG64(s)) for s in sequence.spawn(2))
    count = n // 200 + 1 if setting.steps is None else setting.steps
    if kind.startswith(_NONE):
        count = 0
    reverted = kind == "reverted"
    # One more, so that what happens once does not lie beside a step.
    places = _spaced(of_steps, n, count * (1 + reverted) + 1, setting.gap)
    once = places.pop(int(of_steps.integers(len(places))))
    logs = of_steps.uniform(math.log(setting.low), math.log(setting.high), count)
    sizes = [float(s) for s in np.exp(logs) * of_steps.choice([-1.0, 1.0], count)]
    if reverted:
        sizes = [part for s in sizes for part in (abs(s), 1 / (1 + abs(s)) - 1)]
    return of_noise, once, list(zip(places, sizes, strict=True))


def _spaced(random: np.random.Generator, n: int, count: int, gap: int | None) -> list[int]:
    """*count* rising places, each at least the gap from the next and from both ends."""
    if count >= n:
        raise SpecError(f"synthetic: {count - 1} steps do not fit into {n} points")
    wanted = max(10, n // 20) if gap is None else gap
    gap = max(1, min(wanted, n // (count + 2)))
    slack = n - (count + 1) * gap
    extra = sorted(int(x) for x in random.integers(0, slack + 1, count))
    return [x + gap * (i + 1) for i, x in enumerate(extra)]


def _checked(steps: Sequence[tuple[int, float]], n: int) -> list[tuple[int, float]]:
    made = sorted((int(place), float(relative)) for place, relative in steps)
    places = [place for place, _ in made]
    if any(not 0 < p < n for p in places) or len(set(places)) < len(places):
        raise SpecError(f"synthetic: places of steps lie once each inside 1..{n - 1}, not {places}")
    if any(not -1 < relative < math.inf for _, relative in made):
        raise SpecError("synthetic: a step is a number above -1, relative to the level before")
    return made


def _drift(kind: str, draw: _Draw, n: int) -> Vector | float:
    import numpy as np

    if kind.removeprefix(_NONE) not in ("drift", "mixed"):
        return 0.0
    sign = float(draw.random.choice([-1.0, 1.0]))
    size = draw.value("slope", 0.01, 0.04)
    if draw.setting.slope is None:
        size = draw.note("slope", sign * size)
    line: Vector = LEVEL * size * np.linspace(0, 1, n)
    return line


def _quantised(kind: str, draw: _Draw, sd: float, values: Vector) -> Vector:
    import numpy as np

    if kind.removeprefix(_NONE) != "quantised":
        return values
    unit = sd * draw.value("resolution", 0.5, 2)
    return np.round(values / unit) * unit if unit else values


def _truth(made: Sequence[tuple[int, float]], sd: float) -> tuple[Step, ...]:
    steps, level = [], LEVEL
    for place, relative in made:
        steps.append(Step(place, relative, level * relative / sd))
        level *= 1 + relative
    return tuple(steps)
