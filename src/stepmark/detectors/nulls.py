# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How likely a test statistic is where nothing has changed: p-values of whole arrays.

Exact or limiting distributions are chosen as SciPy's functions of the same tests do by default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stepmark._kernels.windows import outside

if TYPE_CHECKING:
    import numpy.typing as npt

    from stepmark._kernels.windows import Integers, Scan
    from stepmark.series import Vector

    Flags = npt.NDArray[np.bool_]

_LARGEST_EXACT_KS = 10_000
_LARGEST_EXACT_CVM = 20
_LARGEST_EXACT_MWU = 8


def welch(scan: Scan) -> Vector:
    """Two-sided p-values of Welch's t; NaN of NaN."""
    from scipy.special import stdtr

    t = np.where((scan.m > 1) & (scan.n > 1), np.abs(scan.statistic), 0.0)
    p: Vector = 2 * stdtr(np.maximum(scan.extra, 1.0), -t)
    return p


def levene(scan: Scan) -> Vector:
    """p-values of Levene's test; NaN of NaN."""
    from scipy.special import fdtrc

    p: Vector = fdtrc(1.0, np.maximum(scan.m + scan.n - 2.0, 1.0), scan.statistic)
    p[(scan.m < 2) | (scan.n < 2)] = 1.0
    return p


def mwu(scan: Scan) -> Vector:
    """Two-sided p-values of Mann and Whitney's test.

    Exact where one side has at most 8 values and none are tied, else normal with corrections for
    ties and continuity.
    """
    from scipy.special import ndtr

    m, n = scan.m.astype(np.float64), scan.n.astype(np.float64)
    size, product = m + n, m * n
    tested = (scan.m > 1) & (scan.n > 1) & (scan.statistic > 0)
    with np.errstate(all="ignore"):
        spread = np.sqrt(product / 12 * (size + 1 - scan.extra / (size * (size - 1))))
        z = (scan.statistic - product / 2 - 0.5) / spread
    p = np.ones(len(z))
    p[tested] = np.minimum(2 * ndtr(-z[tested]), 1.0)
    few = tested & (np.minimum(m, n) <= _LARGEST_EXACT_MWU) & (scan.extra == 0)
    for a, b, chosen in _by_sizes(scan, few):
        missed = (a * b - scan.statistic[chosen]).astype(np.int64)
        p[chosen] = np.minimum(2 * _u_below(a, b)[missed], 1.0)
    return p


def least_mwu(significance: float, m: int, n: int) -> float:
    """The smallest larger U of *m* and *n* values without ties with a p-value below this."""
    p = 2 * _u_below(m, n)
    significant = int(np.searchsorted(p, significance, side="left"))
    return m * n - significant + 1.0


@lru_cache(maxsize=256)
def _u_below(m: int, n: int) -> Vector:
    """P(U <= u) for u = 0, 1, ... of *m* and *n* values without ties."""
    few, many = min(m, n), max(m, n)
    # The number of orders of a and b values with a sum u, from those with one b less.
    counts = [np.zeros(few * many + 1) for _ in range(few + 1)]
    for row in counts:
        row[0] = 1.0
    for b in range(1, many + 1):
        for a in range(1, few + 1):
            counts[a][b:] += counts[a - 1][: len(counts[a]) - b]
    below: Vector = np.cumsum(counts[few]) / math.comb(m + n, m)
    return below


def ks(scan: Scan) -> Vector:
    """Two-sided p-values of Kolmogorov and Smirnov's test; exact up to 10,000 values a side."""
    p = np.ones(len(scan.statistic))
    tested = (scan.m > 1) & (scan.n > 1) & (scan.statistic > 0)
    for m, n, chosen in _by_sizes(scan, tested):
        gaps, place = np.unique(scan.statistic[chosen], return_inverse=True)
        p[chosen] = _ks_of(m, n, gaps)[place]
    return p


def _ks_of(m: int, n: int, gaps: Vector) -> Vector:
    if max(m, n) <= _LARGEST_EXACT_KS:
        return outside(m, n, gaps)
    from scipy.stats import kstwo

    size = round(m * n / (m + n))
    tail: Vector = np.clip(kstwo.sf(gaps / (m * n), size), 0, 1)
    return tail


@lru_cache(maxsize=4096)
def least_ks(significance: float, m: int, n: int) -> float:
    """The smallest |n A - m B| of *m* and *n* values with a p-value below this."""
    unit = math.gcd(m, n)
    low, high = 0, m * n // unit + 1  # significant above every possible gap
    while high - low > 1:
        middle = (low + high) // 2
        (p,) = _ks_of(m, n, np.array([float(middle * unit)]))
        low, high = (low, middle) if p < significance else (middle, high)
    return float(high * unit)


def cvm(scan: Scan) -> Vector:
    """p-values of Cramer and von Mises' test of two samples.

    Exact where both sides have at most 20 values, else from the limiting distribution.
    """
    p = np.ones(len(scan.statistic))
    tested = (scan.m > 1) & (scan.n > 1)
    few = np.maximum(scan.m, scan.n) <= _LARGEST_EXACT_CVM
    for a, b, chosen in _by_sizes(scan, tested & few):
        sums, tails = _cvm_table(a, b)
        found = np.floor(scan.statistic[chosen] / math.gcd(a, b) ** 2)
        p[chosen] = tails[np.searchsorted(sums, found, side="left")]
    many = tested & ~few
    m, n = scan.m[many].astype(np.float64), scan.n[many].astype(np.float64)
    size, product = m + n, m * n
    variance = (size + 1) * (4 * product * size - 3 * (m * m + n * n) - 2 * product)
    variance /= 180 * size * size * product
    beyond = scan.statistic[many] / (product * size * size) - (1 + 1 / size) / 6
    p[many] = _limiting_cvm(1 / 6 + beyond / np.sqrt(45 * variance))
    return p


@lru_cache(maxsize=4096)
def least_cvm(significance: float, m: int, n: int) -> float:
    """The smallest sum of squared gaps of *m* and *n* values with a p-value below this."""
    sums, tails = _cvm_table(m, n)
    # The tails fall strictly; the last one, of sums beyond all that are possible, is 0.
    first = int(np.searchsorted(-tails, -significance, side="right"))
    return (float(sums[first - 1]) + 1) * math.gcd(m, n) ** 2


@lru_cache(maxsize=64)
def _cvm_table(m: int, n: int) -> tuple[Vector, Vector]:
    """The possible sums of squared gaps and P(sum >= that one), with one 0 more at the end.

    Gaps are in units of the greatest common divisor of *m* and *n*. Counts the lattice paths to
    (m, n) by their sums (Anderson 1962; Xiao, Gordon and Yakovlev 2006).
    """
    unit = math.gcd(m, n)
    # Another order of two neighbouring steps changes a sum by a multiple of this.
    stride = (m + n) // unit
    row: list[_Sums] = []
    for x in range(m + 1):
        for y in range(n + 1):
            gap = (n * x - m * y) // unit
            if x == 0:
                ways = row[y - 1] if y else _Sums(0, np.ones(1))
                row.append(ways.more(gap * gap))
            elif y == 0:
                row[0] = row[0].more(gap * gap)
            else:
                row[y] = row[y].joined(row[y - 1], stride).more(gap * gap)
    places = np.flatnonzero(row[n].counts)
    tails = np.cumsum(row[n].counts[places][::-1])[::-1] / math.comb(m + n, m)
    return row[n].least + stride * places.astype(np.float64), np.append(tails, 0.0)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The number of paths with the sums *least*, *least* + stride, ..."""

    least: int
    counts: Vector

    def more(self, by: int) -> _Sums:
        return _Sums(self.least + by, self.counts)

    def joined(self, other: _Sums, stride: int) -> _Sums:
        low, high = (self, other) if self.least <= other.least else (other, self)
        shift = (high.least - low.least) // stride
        counts = np.zeros(max(len(low.counts), shift + len(high.counts)))
        counts[: len(low.counts)] = low.counts
        counts[shift : shift + len(high.counts)] += high.counts
        return _Sums(low.least, counts)


def _limiting_cvm(x: Vector) -> Vector:
    """The upper tail of the limiting distribution, by Csorgo and Faraway's series (1996).

    The series ends with the first term below 1e-7, as in SciPy: further digits are not to be
    relied on, but they decide which of two neighbours is called the smaller.
    """
    from scipy.special import gammaln, kv

    tail = np.ones(len(x))
    rest = np.flatnonzero(x >= 0.003)
    tail[rest] = 0.0
    total = np.zeros(len(x))
    going, k = rest, 0
    while going.size:
        y = 4 * k + 1
        q = y * y / (16 * x[going])
        factor = math.exp(gammaln(k + 0.5) - gammaln(k + 1)) * math.sqrt(y) / math.pi**1.5
        term = factor / np.sqrt(x[going]) * np.exp(-q) * kv(0.25, q)
        total[going] += term
        going = going[np.abs(term) >= 1e-7]
        k += 1
    tail[rest] = np.maximum(1 - total[rest], 0.0)
    return tail


@lru_cache(maxsize=64)
def limit_cvm(significance: float) -> float:
    """The limiting distribution's largest value whose p-value is not below *significance*."""
    low, high = 0.0, 64.0
    while (middle := (low + high) / 2) not in (low, high):
        (p,) = _limiting_cvm(np.array([middle]))
        low, high = (low, middle) if p < significance else (middle, high)
    return low


def limit_mwu(significance: float) -> float:
    """The standard normal value whose two-sided p-value is *significance*."""
    from scipy.special import ndtri

    return -float(ndtri(significance / 2))


def _by_sizes(scan: Scan, chosen: Flags) -> list[tuple[int, int, Integers]]:
    """The points of *chosen* that share window sizes m and n, for each such pair."""
    places = np.flatnonzero(chosen)
    width = int(scan.n.max(initial=0)) + 1
    unique, group = np.unique(scan.m[places] * width + scan.n[places], return_inverse=True)
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(unique) + 1))
    return [
        (*divmod(int(pair), width), places[order[bounds[g] : bounds[g + 1]]])
        for g, pair in enumerate(unique)
    ]
