# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Tests of the points before a place against those after it, in Cython's pure Python mode.

How far a window reaches back depends on when a test was last significant, so each loop decides as
it goes. Buffers are memoryviews when compiled and lists when interpreted.
`stepmark._kernels.windows` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import INFINITY, exp, fabs, lgamma, log, sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import exp, fabs, lgamma, log, sqrt
    from math import inf as INFINITY

STUDENT = cython.declare(cython.int, 0)
WELCH = cython.declare(cython.int, 1)
MWU = cython.declare(cython.int, 2)
KS = cython.declare(cython.int, 3)
CVM = cython.declare(cython.int, 4)
LEVENE = cython.declare(cython.int, 5)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _beta_fraction(a: cython.double, b: cython.double, x: cython.double) -> cython.double:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    k: cython.int
    c: cython.double = 1.0
    d: cython.double = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    found: cython.double = d
    term: cython.double
    for k in range(1, 500):
        term = k * (b - k) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k))
        d = 1.0 / (1.0 + term * d)
        c = 1.0 + term / c
        found *= d * c
        term = -(a + k) * (a + b + k) * x / ((a + 2.0 * k) * (a + 2.0 * k + 1.0))
        d = 1.0 / (1.0 + term * d)
        c = 1.0 + term / c
        found *= d * c
        if fabs(d * c - 1.0) < 1e-15:
            break
    return found


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def two_sided(square: cython.double, freedom: cython.double) -> cython.double:
    """The chance of Student's t to lie so far from 0 that its square is at least *square*."""
    a: cython.double = freedom / 2.0
    x: cython.double = freedom / (freedom + square)
    rest: cython.double = square / (freedom + square)
    front: cython.double
    if square <= 0.0:
        return 1.0
    if x <= 0.0:
        return 0.0
    front = exp(lgamma(a + 0.5) - lgamma(a) - lgamma(0.5) + a * log(x) + 0.5 * log(rest))
    if x < (a + 1.0) / (a + 2.5):
        return front * _beta_fraction(a, 0.5, x) / a
    return 1.0 - front * _beta_fraction(0.5, a, rest) / 0.5


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _first_back(
    i: cython.Py_ssize_t,
    low: cython.Py_ssize_t,
    quiet: cython.longlong,
    minback: cython.longlong,
    maxback: cython.longlong,
    counted: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """The first point of the window before *i*; *low* is that of the place before."""
    reach: cython.longlong = quiet if quiet > minback else minback
    if reach > maxback:
        reach = maxback
    if i - reach > low:
        low = i - reach
    while counted[i] - counted[low + 1] >= maxback:
        low += 1
    return low


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _end_ahead(
    i: cython.Py_ssize_t,
    high: cython.Py_ssize_t,
    fore: cython.longlong,
    counted: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """The end of the window from *i* on; *high* is that of the place before."""
    points: cython.Py_ssize_t = len(counted) - 1
    if high < i:
        high = i
    while high < points and counted[high] - counted[i] < fore:
        high += 1
    return high


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _full(
    low: cython.Py_ssize_t,
    i: cython.Py_ssize_t,
    high: cython.Py_ssize_t,
    minback: cython.longlong,
    fore: cython.longlong,
    counted: cython.longlong[::1],
) -> cython.bint:
    """Whether the windows low..i and i..high hold as much as a test wants."""
    return counted[i] - counted[low] >= minback and counted[high] - counted[i] >= fore


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _mean(
    values: cython.double[::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.double:
    """The mean of a stretch; that of equals is exact."""
    k: cython.Py_ssize_t
    same: cython.bint = True
    total: cython.double = 0.0
    for k in range(start, stop):
        total += values[k]
        if values[k] != values[start]:
            same = False
    if stop == start:
        return 0.0
    return values[start] if same else total / (stop - start)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _variance(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    middle: cython.double,
) -> cython.double:
    """Squared deviations from *middle* over the number less one; 0 for fewer than two values."""
    k: cython.Py_ssize_t
    total: cython.double = 0.0
    if stop - start < 2:
        return 0.0
    for k in range(start, stop):
        total += (values[k] - middle) * (values[k] - middle)
    return total / (stop - start - 1)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def weighted_mean(
    values: cython.double[::1],
    offset: cython.longlong[::1],
    nearest: cython.Py_ssize_t,
    step: cython.Py_ssize_t,
    points: cython.Py_ssize_t,
    rounded: cython.bint,
) -> cython.double:
    """The mean of the values of *points* points from *nearest* on, whose weights fall linearly.

    *step* is 1 or -1: the side on which they lie. The mean of equals is exact unless *rounded*.
    """
    k: cython.Py_ssize_t
    s: cython.Py_ssize_t
    point: cython.Py_ssize_t
    weight: cython.double
    total: cython.double = 0.0
    weights: cython.double = 0.0
    least: cython.double = INFINITY
    most: cython.double = -INFINITY
    for k in range(points):
        point = nearest + step * k
        weight = (points - k) / cython.cast(cython.double, points)
        for s in range(offset[point], offset[point + 1]):
            total += values[s] * weight
            weights += weight
            if values[s] < least:
                least = values[s]
            if values[s] > most:
                most = values[s]
    if weights <= 0.0:
        return 0.0
    return least if least == most and not rounded else total / weights


def scan_means(
    kind: cython.int,
    signed: cython.bint,
    everywhere: cython.bint,
    rounded: cython.bint,
    undefined: cython.double,
    threshold: cython.double,
    minback: cython.longlong,
    maxback: cython.longlong,
    fore: cython.longlong,
    values: cython.double[::1],
    offset: cython.longlong[::1],
    counted: cython.longlong[::1],
    first: cython.Py_ssize_t,
    quiet: cython.longlong[::1],
    low: cython.longlong[::1],
    high: cython.longlong[::1],
    statistic: cython.double[::1],
    freedom: cython.double[::1],
    before: cython.double[::1],
    after: cython.double[::1],
) -> None:
    """Fill *statistic* with Student's t with linear weights, or Welch's t, from point *first* on.

    offset[i] values and counted[i] of what windows count come before point i. quiet[i] is the
    number of points since the last significant one, and quiet[first] must be set. The window of i
    is low[i]..i and i..high[i]; *before* and *after* are plain means. Only where both windows are
    full is there a test, or *everywhere*. *threshold* is of |t| (of t where *signed*), or the
    significance of Welch's test; 0 / 0 is *undefined*. With *rounded*, the weighted mean of equals
    may differ from them in the last digit, and t with it.
    """
    points: cython.Py_ssize_t = len(offset) - 1
    i: cython.Py_ssize_t
    lo: cython.Py_ssize_t = low[first - 1] if first > 0 else 0
    hi: cython.Py_ssize_t = first
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    c: cython.Py_ssize_t
    mean_b: cython.double
    mean_f: cython.double
    error_b: cython.double
    error_f: cython.double
    share: cython.double
    t: cython.double
    fires: cython.bint
    with cython.nogil:
        for i in range(first, points):
            lo = _first_back(i, lo, quiet[i], minback, maxback, counted)
            hi = _end_ahead(i, hi, fore, counted)
            low[i] = lo
            high[i] = hi
            a, b, c = offset[lo], offset[i], offset[hi]
            fires = False
            t = 0.0
            if (
                i > 0
                and b > a
                and c > b
                and (everywhere or _full(lo, i, hi, minback, fore, counted))
            ):
                before[i] = _mean(values, a, b)
                after[i] = _mean(values, b, c)
                mean_b, mean_f = before[i], after[i]
                if kind == STUDENT:
                    mean_b = weighted_mean(values, offset, i - 1, -1, i - lo, rounded)
                    mean_f = weighted_mean(values, offset, i, 1, hi - i, rounded)
                error_b = _variance(values, a, b, mean_b) / (b - a)
                error_f = _variance(values, b, c, mean_f) / (c - b)
                t = mean_f - mean_b
                if kind == STUDENT or (b - a > 1 and c - b > 1):
                    if error_b + error_f > 0.0:
                        t /= sqrt(error_b + error_f)
                    elif t != 0.0:
                        t = INFINITY if t > 0.0 else -INFINITY
                    elif kind == WELCH:
                        t = undefined
                else:
                    t = 0.0
                if kind == STUDENT:
                    if not signed:
                        t = fabs(t)
                    fires = t > threshold
                else:
                    freedom[i] = 1.0
                    if error_b + error_f > 0.0 and b - a > 1 and c - b > 1:
                        share = error_b / (error_b + error_f)
                        freedom[i] = 1.0 / (
                            share * share / (b - a - 1)
                            + (1.0 - share) * (1.0 - share) / (c - b - 1)
                        )
                    # A comparison with NaN is false.
                    fires = two_sided(t * t, freedom[i]) < threshold if t == t else False
            statistic[i] = t
            quiet[i + 1] = 0 if fires else quiet[i] + 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _insert(
    window: cython.double[::1], size: cython.Py_ssize_t, value: cython.double
) -> cython.void:
    """Put *value* into a sorted window of *size* values."""
    k: cython.Py_ssize_t = size
    while k > 0 and window[k - 1] > value:
        window[k] = window[k - 1]
        k -= 1
    window[k] = value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _remove(
    window: cython.double[::1], size: cython.Py_ssize_t, value: cython.double
) -> cython.void:
    """Take *value* out of a sorted window of *size* values."""
    k: cython.Py_ssize_t = size - 1
    passed: cython.double = window[k]
    here: cython.double
    while passed != value:
        k -= 1
        here = window[k]
        window[k] = passed
        passed = here


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _compare(
    kind: cython.int,
    midranks: cython.bint,
    back: cython.double[::1],
    m: cython.Py_ssize_t,
    ahead: cython.double[::1],
    n: cython.Py_ssize_t,
    ties: cython.double[::1],
) -> cython.double:
    """The statistic of two sorted windows; sets ties[0] to the sum of t^3 - t over ties.

    The larger of Mann and Whitney's U; or, with g = n A - m B for A and B values up to a value,
    the largest |g| (Kolmogorov and Smirnov), or the sum of g^2 over all values (Cramer and von
    Mises); with *midranks* what that sum is taken for where tied values get their mean rank.
    """
    a: cython.Py_ssize_t = 0
    b: cython.Py_ssize_t = 0
    of_a: cython.Py_ssize_t
    of_b: cython.Py_ssize_t
    k: cython.Py_ssize_t
    value: cython.double
    tied: cython.double
    gap: cython.double
    rank: cython.double
    found: cython.double = 0.0
    size: cython.double = m + n
    product: cython.double = cython.cast(cython.double, m) * n
    ties[0] = 0.0
    while a < m or b < n:
        value = back[a] if b == n or (a < m and back[a] <= ahead[b]) else ahead[b]
        of_a = a
        while of_a < m and back[of_a] == value:
            of_a += 1
        of_b = b
        while of_b < n and ahead[of_b] == value:
            of_b += 1
        of_a -= a
        of_b -= b
        tied = of_a + of_b
        if tied > 1.0:
            ties[0] += tied * (tied * tied - 1.0)
        if kind == MWU:
            found += of_a * (b + 0.5 * of_b)
        elif midranks:
            rank = a + b + 0.5 * (tied + 1.0)
            for k in range(a + 1, a + of_a + 1):
                found += m * (rank - k) * (rank - k)
            for k in range(b + 1, b + of_b + 1):
                found += n * (rank - k) * (rank - k)
        a += of_a
        b += of_b
        if kind == MWU or midranks:
            continue
        gap = fabs(cython.cast(cython.double, n) * a - cython.cast(cython.double, m) * b)
        if kind == CVM:
            found += tied * gap * gap
        elif gap > found:
            found = gap
    if kind == MWU and product - found > found:
        return product - found
    if midranks:
        return size * (6.0 * found - product * (4.0 * product - 1.0)) / 6.0
    return found


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _about_median(
    window: cython.double[::1], size: cython.Py_ssize_t, distances: cython.double[::1]
) -> cython.double:
    """Fill *distances* with those of a sorted window's values from its median; their mean."""
    k: cython.Py_ssize_t
    middle: cython.double = window[size // 2]
    if size % 2 == 0:
        middle = (window[size // 2 - 1] + middle) / 2.0
    for k in range(size):
        distances[k] = fabs(window[k] - middle)
    return _mean(distances, 0, size)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _spreads(
    back: cython.double[::1],
    m: cython.Py_ssize_t,
    ahead: cython.double[::1],
    n: cython.Py_ssize_t,
    distances: cython.double[::1],
    undefined: cython.double,
) -> cython.double:
    """Levene's statistic about the medians."""
    mean_b: cython.double = _about_median(back, m, distances)
    within: cython.double = _variance(distances, 0, m, mean_b) * (m - 1)
    mean_f: cython.double = _about_median(ahead, n, distances)
    between: cython.double = (mean_f - mean_b) * (mean_f - mean_b)
    within += _variance(distances, 0, n, mean_f) * (n - 1)
    between *= cython.cast(cython.double, m) * n / (m + n) * (m + n - 2)
    if within > 0.0:
        return between / within
    return INFINITY if between > 0.0 else undefined


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _known(
    m: cython.longlong,
    n: cython.longlong,
    sizes: cython.longlong[::1],
    known: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where the pair of window sizes stands in the sorted pairs *sizes*, or -1."""
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = known
    middle: cython.Py_ssize_t
    while low < high:
        middle = (low + high) // 2
        if sizes[2 * middle] < m or (sizes[2 * middle] == m and sizes[2 * middle + 1] < n):
            low = middle + 1
        else:
            high = middle
    if low < known and sizes[2 * low] == m and sizes[2 * low + 1] == n:
        return low
    return -1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _standardised(
    kind: cython.int,
    found: cython.double,
    ties: cython.double,
    m: cython.double,
    n: cython.double,
) -> cython.double:
    """The statistic of *kind* (MWU or CVM) in the scale of its limiting distribution."""
    size: cython.double = m + n
    product: cython.double = m * n
    variance: cython.double
    if kind == MWU:
        variance = product / 12.0 * (size + 1.0 - ties / (size * (size - 1.0)))
        return (found - product / 2.0 - 0.5) / sqrt(variance) if variance > 0.0 else -INFINITY
    variance = (size + 1.0) * (4.0 * product * size - 3.0 * (m * m + n * n) - 2.0 * product)
    variance /= 180.0 * size * size * product
    found = found / (product * size * size) - (1.0 + 1.0 / size) / 6.0
    return 1.0 / 6.0 + found / sqrt(45.0 * variance)


def scan_ranks(
    kind: cython.int,
    everywhere: cython.bint,
    midranks: cython.bint,
    undefined: cython.double,
    significance: cython.double,
    limit: cython.double,
    minback: cython.longlong,
    maxback: cython.longlong,
    fore: cython.longlong,
    values: cython.double[::1],
    offset: cython.longlong[::1],
    counted: cython.longlong[::1],
    first: cython.Py_ssize_t,
    quiet: cython.longlong[::1],
    low: cython.longlong[::1],
    high: cython.longlong[::1],
    statistic: cython.double[::1],
    ties: cython.double[::1],
    before: cython.double[::1],
    after: cython.double[::1],
    sizes: cython.longlong[::1],
    least: cython.double[::1],
    known: cython.Py_ssize_t,
    back: cython.double[::1],
    ahead: cython.double[::1],
    work: cython.double[::1],
) -> cython.Py_ssize_t:
    """Fill *statistic* with that of a rank test or of Levene's, from point *first* on.

    See `scan_means`. *limit* is the least significant value of the standardised statistic where
    the limiting distribution serves. Else least[p] is that of the statistic for the *known* pairs
    of window sizes, sorted in *sizes*; where a pair is not among them the loop ends, and that
    point is returned.
    """
    points: cython.Py_ssize_t = len(offset) - 1
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    lo: cython.Py_ssize_t = low[first - 1] if first > 0 else 0
    last_lo: cython.Py_ssize_t = lo
    hi: cython.Py_ssize_t = first
    joined: cython.Py_ssize_t = lo
    left: cython.Py_ssize_t = first
    right: cython.Py_ssize_t
    m: cython.Py_ssize_t = 0
    n: cython.Py_ssize_t = 0
    pair: cython.Py_ssize_t
    found: cython.double
    fires: cython.bint
    exact: cython.bint
    done: cython.Py_ssize_t = points
    with cython.nogil:
        for i in range(first, points):
            for k in range(offset[joined], offset[i]):
                _insert(back, m, values[k])
                m += 1
            joined = i
            lo = _first_back(i, last_lo, quiet[i], minback, maxback, counted)
            for k in range(offset[last_lo], offset[lo]):
                _remove(back, m, values[k])
                m -= 1
            last_lo = lo
            for k in range(offset[left], offset[i if i < hi else hi]):
                _remove(ahead, n, values[k])
                n -= 1
            left = i
            right = hi if hi > i else i
            hi = _end_ahead(i, hi, fore, counted)
            for k in range(offset[right], offset[hi]):
                _insert(ahead, n, values[k])
                n += 1
            low[i] = lo
            high[i] = hi
            statistic[i] = 0.0
            fires = False
            if m > 0 and n > 0:
                before[i] = _mean(back, 0, m)
                after[i] = _mean(ahead, 0, n)
            if (
                i > 0
                and m > 1
                and n > 1
                and (everywhere or _full(lo, i, hi, minback, fore, counted))
            ):
                if kind == LEVENE:
                    found = _spreads(back, m, ahead, n, work, undefined)
                    fires = (
                        two_sided(found, m + n - 2.0) < significance if found == found else False
                    )
                else:
                    found = _compare(kind, midranks, back, m, ahead, n, work)
                    ties[i] = work[0]
                    exact = (
                        kind == KS
                        or (kind == CVM and m <= 20 and n <= 20)
                        or (kind == MWU and (m <= 8 or n <= 8) and work[0] == 0.0)
                    )
                    if exact:
                        pair = _known(m, n, sizes, known)
                        if pair < 0:
                            done = i
                            break
                        fires = found >= least[pair]
                    else:
                        fires = _standardised(kind, found, work[0], m, n) > limit
                statistic[i] = found
            quiet[i + 1] = 0 if fires else quiet[i] + 1
    return done


def outside(
    m: cython.Py_ssize_t,
    n: cython.Py_ssize_t,
    gaps: cython.double[::1],
    share: cython.double[::1],
    row: cython.double[::1],
) -> None:
    """Fill *share*: of all lattice paths to (m, n), those that meet |n x - m y| >= gap.

    *row* has room for n + 1 numbers.
    """
    p: cython.Py_ssize_t
    x: cython.Py_ssize_t
    y: cython.Py_ssize_t
    gap: cython.double
    for_x: cython.double = n
    for_y: cython.double = m
    with cython.nogil:
        for p in range(len(gaps)):
            gap = gaps[p]
            for x in range(m + 1):
                for y in range(n + 1):
                    if fabs(for_x * x - for_y * y) >= gap:
                        row[y] = 1.0
                    elif x == 0 or y == 0:
                        # The one path along the edge has met nothing yet.
                        row[y] = 0.0
                    else:
                        row[y] = (row[y] * x + row[y - 1] * y) / (x + y)
            share[p] = row[n]
