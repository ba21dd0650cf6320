# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the tests of the points before a place against those after it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import windows as loops
from stepmark.series import Signal

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Means = Literal["student", "welch"]
Ranks = Literal["mwu", "ks", "cvm", "levene"]
# The loops' numbers of the kinds of test.
_KINDS = {"student": 0, "welch": 1, "mwu": 2, "ks": 3, "cvm": 4, "levene": 5}


@dataclass(frozen=True, slots=True)
class Points:
    """The values of a signal, one point after the other, and what windows count of them.

    Attributes:
        values: all values, divided by 2^exponent so that squares neither overflow nor vanish.
        offset: offset[i] values come before point i; shape (n + 1,).
        counted: counted[i] of what windows count come before point i; shape (n + 1,).
        exponent: of the power of two.
    """

    values: Vector
    offset: Integers
    counted: Integers
    exponent: int

    def __len__(self) -> int:
        return len(self.offset) - 1

    @classmethod
    def of(cls, signal: Signal, *, count_samples: bool = True) -> Points:
        """The points of *signal*; windows count samples, or else points."""
        plain = np.arange(len(signal) + 1, dtype=np.int64)
        if signal.samples is None:
            values, offset = signal.values, plain
        else:
            values = np.concatenate([*signal.samples, np.empty(0)])
            offset = np.cumsum([0, *(part.size for part in signal.samples)], dtype=np.int64)
        _, exponent = np.frexp(np.abs(values).max(initial=0.0))
        scaled = np.ldexp(values, -int(exponent))
        return cls(scaled, offset, offset if count_samples else plain, int(exponent))


@dataclass(frozen=True, slots=True)
class Windows:
    """How far windows reach, in what they count; see `detectors.windows.WindowDetector`."""

    minback: int
    maxback: int
    fore: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How a test of means is done.

    Attributes:
        signed: whether only a rising t is significant.
        everywhere: whether points are tested whose windows are not full; 0 / 0 is then NaN, else 0.
        rounded: whether the weighted mean of equals is rounded like that of others.
    """

    signed: bool = False
    everywhere: bool = True
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan says of every point; shapes (n,) unless said otherwise.

    Attributes:
        quiet: number of points since the last significant one, before the point; shape (n + 1,).
        low, high: the windows of point i are low[i]..i and i..high[i].
        m, n: number of values in them.
        statistic: 0 where there was no test.
        extra: degrees of freedom of Welch's t, or the sum of t^3 - t over tied values.
        before, after: plain means of both windows, as scaled in `Points`.
    """

    quiet: Integers
    low: Integers
    high: Integers
    m: Integers
    n: Integers
    statistic: Vector
    extra: Vector
    before: Vector
    after: Vector


def scan_means(
    kind: Means,
    points: Points,
    windows: Windows,
    threshold: float,
    rules: Rules,
    *,
    first: int = 1,
    quiet: int = 0,
    kernel: Any = loops,
) -> Scan:
    """Student's t with linear weights, or Welch's t, of every point from *first* on.

    *threshold* is of |t| (of t by signed rules), or the significance of Welch's test. Significant
    points shorten the windows of those after them. *quiet* belongs to the point *first*.
    O(n w) time for windows of w values, O(n) memory.
    """
    work = _Buffers(points, kernel, first, quiet)
    kernel.scan_means(
        _KINDS[kind], rules.signed, rules.everywhere, rules.rounded,
        np.nan if rules.everywhere else 0.0, threshold,
        windows.minback, windows.maxback, windows.fore, *work.given, work.first, *work.made,
    )  # fmt: skip
    return work.scan(points)


def scan_ranks(
    kind: Ranks,
    points: Points,
    windows: Windows,
    significance: float,
    limit: float,
    least: Callable[[int, int], float] | None,
    *,
    everywhere: bool,
    kernel: Any = loops,
) -> Scan:
    """The statistic of a rank test, or Levene's, of every point.

    *limit* is the largest value that is not significant of a statistic in the scale of its limiting
    distribution; least(m, n) the smallest significant one of an exact test of m and n values, None
    where the test has no exact form.
    With *everywhere*, points whose windows are not full are tested too, 0 / 0 is NaN, and Cramer
    and von Mises' statistic takes the mean rank of tied values. O(n w) time, O(n) memory.
    """
    work = _Buffers(points, kernel, 1, 0)
    make = work.make
    scratch = [make.reals(_longest(points, windows)) for _ in range(3)]
    pairs: list[tuple[int, int]] = []
    bounds: list[float] = []
    done = work.first
    while True:
        sizes = make.integers([size for pair in pairs for size in pair])
        done = kernel.scan_ranks(
            _KINDS[kind], everywhere, everywhere and kind == "cvm", np.nan if everywhere else 0.0,
            significance, limit, windows.minback, windows.maxback, windows.fore,
            *work.given, done, *work.made, sizes, make.reals(bounds), len(pairs), *scratch,
        )  # fmt: skip
        if done == len(points) or least is None:
            return work.scan(points)
        pair = work.sizes(done)
        place = bisect_left(pairs, pair)
        pairs.insert(place, pair)
        bounds.insert(place, least(*pair))


def outside(m: int, n: int, gaps: Vector, kernel: Any = loops) -> Vector:
    """Of all lattice paths to (m, n), the share that meets |n x - m y| >= gap, for each gap."""
    make = Buffers(compiled=kernel.COMPILED)
    share = make.reals(len(gaps))
    kernel.outside(m, n, make.reals(gaps.tolist()), share, make.reals(n + 1))
    return np.asarray(share, dtype=np.float64)


def _longest(points: Points, windows: Windows) -> int:
    """At least the number of values that a window ever holds."""
    if not len(points):
        return 1
    wide = max(windows.maxback, windows.fore) + 1
    widest = int(np.diff(points.offset).max(initial=0))
    return min(len(points.values), wide * max(widest, 1)) + 1


class _Buffers:
    """What the loops read and write."""

    def __init__(self, points: Points, kernel: Any, first: int, quiet: int) -> None:
        n = len(points)
        self.first = min(first, n)
        self.make = make = Buffers(compiled=kernel.COMPILED)
        given: list[Any] = [points.values, points.offset, points.counted]
        self.given = given if kernel.COMPILED else [part.tolist() for part in given]
        self.quiet = make.integers(n + 1)
        self.quiet[self.first] = quiet
        self.low, self.high = make.integers(n), make.integers(n)
        self.reals = [make.reals(n) for _ in range(4)]

    @property
    def made(self) -> list[Any]:
        """The buffers that are filled, in the loops' order."""
        return [self.quiet, self.low, self.high, *self.reals]

    def sizes(self, i: int) -> tuple[int, int]:
        """The number of values in both windows of point *i*."""
        offset = self.given[1]
        return (
            int(offset[i] - offset[self.low[i]]),
            int(offset[self.high[i]] - offset[i]),
        )

    def scan(self, points: Points) -> Scan:
        quiet, low, high = (np.asarray(a, dtype=np.int64) for a in self.made[:3])
        here = points.offset[:-1]
        return Scan(
            quiet,
            low,
            high,
            here - points.offset[low],
            points.offset[high] - here,
            *(np.asarray(a, dtype=np.float64) for a in self.reals),
        )
