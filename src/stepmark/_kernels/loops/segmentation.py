# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Segment costs and the searches over them, in Cython's pure Python mode: interpreted or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.segmentation` is the typed way in, and says what the arguments are. Segments are
given as (a, b]: the points after the first a, up to the b-th.

Which of two equal solutions is taken is decided by the last digit: the order of operations is that
of the R packages which the Turing benchmark runs.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import fabs, log, sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import fabs, log, sqrt

LN_2PI = cython.declare(cython.double, 1.8378770664093453)
INFINITY = cython.declare(cython.double, float("inf"))

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""

MEAN = cython.declare(cython.int, 0)
VARIANCE = cython.declare(cython.int, 1)
MEAN_VARIANCE = cython.declare(cython.int, 2)
GAMMA = cython.declare(cython.int, 3)
POISSON = cython.declare(cython.int, 4)
EMPIRICAL = cython.declare(cython.int, 5)
CUSUM = cython.declare(cython.int, 6)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _normal(
    n: cython.double, variance: cython.double, floor: cython.double, bounded: cython.bint
) -> cython.double:
    """Twice the negative log-likelihood of *n* normal points with this variance.

    *bounded*: the variance is the likeliest one that is at least *floor*, so that dividing a
    segment never costs; otherwise *floor* stands only for what is not positive.
    """
    if bounded and variance < floor:
        return n * (LN_2PI + log(floor) + (variance if variance > 0.0 else 0.0) / floor)
    if variance <= 0.0:
        variance = floor
    return n * (LN_2PI + log(variance) + 1.0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _of_sums(
    kind: cython.int,
    x: cython.double,
    y: cython.double,
    n: cython.double,
    floor: cython.double,
    shape: cython.double,
    bounded: cython.bint,
) -> cython.double:
    """Cost of *n* points whose sum is *x* and whose squares sum up to *y*."""
    if kind == MEAN:
        return y - x * x / n
    if kind == MEAN_VARIANCE:
        return _normal(n, (y - x * x / n) / n, floor, bounded)
    if kind == VARIANCE:
        if y <= 0.0 and not bounded:
            y = floor
        return _normal(n, y / n, floor, bounded)
    if kind == GAMMA:
        return 2.0 * n * shape * (log(x) - log(n * shape))
    if x <= 0.0:
        return 0.0
    return 2.0 * x * (log(n) - log(x))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _between(
    kind: cython.int,
    first: cython.double[::1],
    second: cython.double[::1],
    a: cython.Py_ssize_t,
    b: cython.Py_ssize_t,
    floor: cython.double,
    shape: cython.double,
    levels: cython.Py_ssize_t,
    bounded: cython.bint,
) -> cython.double:
    """Cost of the segment (a, b], the term for its length left out.

    EMPIRICAL and *bounded*: *second* holds x log(x) for x = 0, 1/2, 1, ..., n; the same cost but
    for rounding, without logarithms.
    """
    n: cython.double = b - a
    k: cython.Py_ssize_t
    part: cython.Py_ssize_t
    share: cython.double
    total: cython.double = 0.0
    if kind == EMPIRICAL and bounded:
        for k in range(levels):
            part = cython.cast(
                cython.Py_ssize_t, 2.0 * (first[b * levels + k] - first[a * levels + k])
            )
            total += second[part] + second[2 * (b - a) - part]
        return shape * (total / levels - second[2 * (b - a)])
    if kind == EMPIRICAL:
        for k in range(levels):
            share = (first[b * levels + k] - first[a * levels + k]) / n
            if 0.0 < share < 1.0:
                total += n * (share * log(share) + (1.0 - share) * log(1.0 - share))
        return shape * total / levels
    return _of_sums(kind, first[b] - first[a], second[b] - second[a], n, floor, shape, bounded)


@cython.ccall
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def segment_cost(
    kind: cython.int,
    first: cython.double[::1],
    second: cython.double[::1],
    a: cython.Py_ssize_t,
    b: cython.Py_ssize_t,
    floor: cython.double,
    shape: cython.double,
    levels: cython.Py_ssize_t,
    bounded: cython.bint,
    lengths: cython.bint,
) -> cython.double:
    """Cost of the segment (a, b]."""
    cost: cython.double = _between(kind, first, second, a, b, floor, shape, levels, bounded)
    if lengths:
        cost += log(b - a)
    return cost


def saved_costs(
    kind: cython.int,
    first: cython.double[::1],
    second: cython.double[::1],
    floor: cython.double,
    shape: cython.double,
    levels: cython.Py_ssize_t,
    bounded: cython.bint,
    lengths: cython.bint,
    bounds: cython.longlong[::1],
    saved: cython.double[::1],
) -> None:
    """What each inner bound saves: the cost of the segments beside it joined, less their costs."""
    i: cython.Py_ssize_t
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    c: cython.Py_ssize_t
    left: cython.double
    right: cython.double
    whole: cython.double
    with cython.nogil:
        for i in range(len(saved)):
            a = bounds[i]
            b = bounds[i + 1]
            c = bounds[i + 2]
            left = segment_cost(kind, first, second, a, b, floor, shape, levels, bounded, lengths)
            right = segment_cost(kind, first, second, b, c, floor, shape, levels, bounded, lengths)
            whole = segment_cost(kind, first, second, a, c, floor, shape, levels, bounded, lengths)
            saved[i] = whole - left - right


@cython.ccall
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def split_statistic(
    kind: cython.int,
    sums: cython.double[::1],
    a: cython.Py_ssize_t,
    j: cython.Py_ssize_t,
    b: cython.Py_ssize_t,
) -> cython.double:
    """How far the sum at *j* lies off the straight line from *a* to *b*; negative where undefined.

    CUSUM: as a mean over the segment. Otherwise (cumulative sums of squares): as a share of the
    segment's sum, times the root of half its length.
    """
    n: cython.double = b - a
    part: cython.double = j - a
    whole: cython.double = sums[b] - sums[a]
    if kind == CUSUM:
        return fabs(((sums[j] - sums[a]) - part / n * whole) / n)
    if whole == 0.0:
        return -1.0
    return fabs(sqrt(n / 2.0) * ((sums[j] - sums[a]) / whole - part / n))


def best_statistic(
    kind: cython.int,
    sums: cython.double[::1],
    a: cython.Py_ssize_t,
    b: cython.Py_ssize_t,
    low: cython.Py_ssize_t,
    high: cython.Py_ssize_t,
    gain: cython.double[::1],
) -> cython.Py_ssize_t:
    """The first of the splits *low* to *high* of (a, b] with the largest statistic, put in *gain*.

    0 where no statistic is positive.
    """
    j: cython.Py_ssize_t
    best: cython.Py_ssize_t = 0
    value: cython.double
    largest: cython.double = 0.0
    with cython.nogil:
        for j in range(low, high + 1):
            value = split_statistic(kind, sums, a, j, b)
            if value > largest:
                largest = value
                best = j
    gain[0] = largest
    return best


def best_split(
    kind: cython.int,
    first: cython.double[::1],
    second: cython.double[::1],
    floor: cython.double,
    shape: cython.double,
    bounded: cython.bint,
    lengths: cython.bint,
    a: cython.Py_ssize_t,
    b: cython.Py_ssize_t,
    low: cython.Py_ssize_t,
    high: cython.Py_ssize_t,
    gain: cython.double[::1],
) -> cython.Py_ssize_t:
    """The first of the splits *low* to *high* of (a, b] that saves most.

    Half of the cost saved is put in *gain*. 0 where nothing is saved.
    """
    j: cython.Py_ssize_t
    best: cython.Py_ssize_t = 0
    left: cython.double
    right: cython.double
    whole: cython.double
    value: cython.double
    largest: cython.double = 0.0
    with cython.nogil:
        whole = -0.5 * segment_cost(kind, first, second, a, b, floor, shape, 1, bounded, lengths)
        for j in range(low, high + 1):
            left = _between(kind, first, second, a, j, floor, shape, 1, bounded)
            right = _between(kind, first, second, j, b, floor, shape, 1, bounded)
            # One branch for both: two take a tenth more where costs are cheap.
            if lengths:
                left += log(j - a)
                right += log(b - j)
            value = -0.5 * left + -0.5 * right - whole
            if value > largest:
                largest = value
                best = j
    gain[0] = largest
    return best


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _side(
    kind: cython.int,
    x: cython.double,
    y: cython.double,
    n: cython.double,
    floor: cython.double,
    shape: cython.double,
) -> cython.double:
    """Cost of one side of a single change, constants left out."""
    variance: cython.double
    if kind != VARIANCE and kind != MEAN_VARIANCE:
        return _of_sums(kind, x, y, n, floor, shape, False)
    variance = y / n if kind == VARIANCE else (y - x * x / n) / n
    return n * log(variance if variance > 0.0 else floor)


def single_change(
    kind: cython.int,
    first: cython.double[::1],
    second: cython.double[::1],
    floor: cython.double,
    shape: cython.double,
    low: cython.Py_ssize_t,
    high: cython.Py_ssize_t,
    cost: cython.double[::1],
) -> cython.Py_ssize_t:
    """The first of the places *low* to *high* where one change costs least; its cost in *cost*."""
    n: cython.Py_ssize_t = len(first) - 1
    j: cython.Py_ssize_t
    best: cython.Py_ssize_t = 0
    value: cython.double
    least: cython.double = INFINITY
    with cython.nogil:
        for j in range(low, high + 1):
            value = _side(kind, first[j], second[j], j, floor, shape) + _side(
                kind, first[n] - first[j], second[n] - second[j], n - j, floor, shape
            )
            if value < least:
                least = value
                best = j
    cost[0] = least
    return best


def pelt(
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    kind: cython.int,
    first: cython.double[::1],
    second: cython.double[::1],
    floor: cython.double,
    shape: cython.double,
    levels: cython.Py_ssize_t,
    bounded: cython.bint,
    lengths: cython.bint,
    penalty: cython.double,
    minimum: cython.Py_ssize_t,
    exact: cython.bint,
    best: cython.double[::1],
    last: cython.longlong[::1],
    candidates: cython.longlong[::1],
    dropped: cython.longlong[::1],
    work: cython.double[::1],
    logs: cython.double[::1],
    count: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Extend the least penalised costs from *start* to *stop* points; the number of candidates.

    best[t] is the least cost of the first t points, last[t] where its last segment begins.
    The first *count* of *candidates* are where a segment that ends later may begin, in order.

    As the packages prune, a candidate goes when it is beaten by more than the penalty, the term for
    the length included. *exact*: when it is beaten without that term, and not before a segment
    of *minimum* points fits behind the point that beats it (dropped[i] says when).
    """
    t: cython.Py_ssize_t
    s: cython.Py_ssize_t
    i: cython.Py_ssize_t
    kept: cython.Py_ssize_t
    origin: cython.Py_ssize_t
    cost: cython.double
    least: cython.double
    bound: cython.double
    with cython.nogil:
        for t in range(start, stop + 1):
            logs[t] = log(t)
            if t < 2 * minimum:
                if t >= minimum:
                    best[t] = segment_cost(
                        kind, first, second, 0, t, floor, shape, levels, bounded, lengths
                    )
                continue
            least = INFINITY
            origin = 0
            for i in range(count):
                s = candidates[i]
                cost = _between(kind, first, second, s, t, floor, shape, levels, bounded)
                work[i] = best[s] + cost
                if lengths:
                    cost += logs[t - s]
                cost = best[s] + cost + penalty
                if not exact:
                    work[i] = cost
                if cost < least:
                    least = cost
                    origin = s
            best[t] = least
            last[t] = origin
            bound = least if exact else least + penalty
            kept = 0
            for i in range(count):
                if dropped[i] == 0 and not work[i] <= bound:
                    dropped[i] = t + minimum if exact else t
                if dropped[i] == 0 or dropped[i] > t + 1:
                    candidates[kept] = candidates[i]
                    dropped[kept] = dropped[i]
                    kept += 1
            candidates[kept] = t - (minimum - 1)
            dropped[kept] = 0
            count = kept + 1
    return count


def neighbourhood(
    kind: cython.int,
    x: cython.double[::1],
    y: cython.double[::1],
    floor: cython.double,
    shape: cython.double,
    bounded: cython.bint,
    segments: cython.Py_ssize_t,
    shortest: cython.Py_ssize_t,
    unit: cython.Py_ssize_t,
    offset: cython.Py_ssize_t,
    gap: cython.Py_ssize_t,
    best: cython.double[::1],
    last: cython.int[::1],
) -> None:
    """The least cost of every prefix in 1 to *segments* segments, none penalised.

    best[j * segments + q - 1] is that of the first j points in q segments, `last` where its last
    segment begins. The first segment has at least *shortest* points; the q-th begins after at least
    q * unit - offset points and has at least *gap*. *best* comes filled with infinity.
    """
    n: cython.Py_ssize_t = len(x)
    v: cython.Py_ssize_t
    j: cython.Py_ssize_t
    q: cython.Py_ssize_t
    most: cython.Py_ssize_t
    here: cython.Py_ssize_t
    there: cython.Py_ssize_t
    sum_x: cython.double
    sum_y: cython.double
    cost: cython.double
    value: cython.double
    with cython.nogil:
        for v in range(n):
            sum_x = 0.0
            sum_y = 0.0
            here = v * segments
            most = (v + offset) // unit
            if most > segments:
                most = segments
            for j in range(v + 1, n + 1):
                sum_x += x[j - 1]
                sum_y += y[j - 1]
                if v == 0 and j < shortest:
                    continue
                if v > 0 and j - v < gap:
                    continue
                cost = _of_sums(kind, sum_x, sum_y, j - v, floor, shape, bounded)
                there = j * segments
                if v == 0:
                    best[there] = cost
                    continue
                for q in range(1, most):
                    value = best[here + q - 1] + cost
                    if value < best[there + q]:
                        best[there + q] = value
                        last[there + q] = v


def statistic_neighbourhood(
    kind: cython.int,
    sums: cython.double[::1],
    segments: cython.Py_ssize_t,
    minimum: cython.Py_ssize_t,
    best: cython.double[::1],
    last: cython.int[::1],
) -> None:
    """The largest sum of statistics of every prefix in 1 to *segments* segments.

    Laid out as in `neighbourhood`; each segment has at least *minimum* points. *best* comes filled
    with minus infinity, but for 0 where there is one segment.
    """
    n: cython.Py_ssize_t = len(sums) - 1
    q: cython.Py_ssize_t
    v: cython.Py_ssize_t
    j: cython.Py_ssize_t
    a: cython.Py_ssize_t
    here: cython.Py_ssize_t
    value: cython.double
    with cython.nogil:
        for q in range(1, segments):
            for j in range((q + 1) * minimum, n + 1):
                here = j * segments + q
                for v in range(q * minimum, j - minimum + 1):
                    a = last[v * segments + q - 1]
                    value = split_statistic(kind, sums, a, v, j)
                    if value < 0.0:
                        continue
                    value += best[v * segments + q - 1]
                    if value > best[here]:
                        best[here] = value
                        last[here] = v
