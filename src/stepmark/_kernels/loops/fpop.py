# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Functional pruning in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.fpop` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    import math

    def sqrt(x):
        """As in C: not a number for what has no square root."""
        return math.sqrt(x) if x >= 0.0 else math.nan


INFINITY = cython.declare(cython.double, float("inf"))

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


def extend(
    values: cython.double[::1],
    done: cython.Py_ssize_t,
    penalty: cython.double,
    low: cython.double[::1],
    high: cython.double[::1],
    mean: cython.double[::1],
    inverse: cython.double[::1],
    cost: cython.double[::1],
    origin: cython.longlong[::1],
    state: cython.double[::1],
    last: cython.longlong[::1],
    level: cython.double[::1],
) -> cython.Py_ssize_t:
    """Extend the exact optimum by *values*, the points from *done* on; how many were taken.

    The least cost of all points so far, as a function of the mean x of their last segment, is
    cost[k] + (x - mean[k])^2 / inverse[k] for x in low[k]..high[k], a segment that starts at
    origin[k]; everywhere else starting at the last point is best. Those intervals are disjoint, in
    no order. state holds their number, the least cost of all points so far and the bound above
    which an interval is given up. last[t] is the start and level[t] the mean of the last segment of
    the optimum of the points 0..t. Stops early where the buffers of the intervals are too short.
    """
    n: cython.Py_ssize_t = len(values)
    capacity: cython.Py_ssize_t = len(low)
    count: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, state[0])
    least: cython.double = state[1]
    bound: cython.double = state[2]
    i: cython.Py_ssize_t
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    j: cython.Py_ssize_t
    end: cython.Py_ssize_t
    best: cython.Py_ssize_t
    alive: cython.bint
    better: cython.bint
    v: cython.double
    fresh: cython.double
    found: cython.double
    m: cython.double
    c: cython.double
    a: cython.double
    b: cython.double
    r: cython.double
    gap: cython.double
    taken: cython.Py_ssize_t = n
    with cython.nogil:
        for i in range(n):
            if 2 * count + 2 > capacity:
                taken = i
                break
            t = done + i
            v = values[i]
            fresh = least + penalty
            found = INFINITY
            best = -1
            k = 0
            # Without branches: what they would skip takes less time than a wrong guess of them.
            for j in range(count):
                m = mean[j]
                c = cost[j]
                # Not a number where the cost is above the bound: then neither is a, nor less than b.
                r = sqrt((bound - c) * inverse[j])
                a = m - r
                b = m + r
                a = low[j] if low[j] > a else a
                b = high[j] if high[j] < b else b
                r = 1.0 / (t + 1 - origin[j])
                gap = v - m
                m += gap * r
                c += gap * (v - m)
                low[k] = a
                high[k] = b
                mean[k] = m
                inverse[k] = r
                cost[k] = c
                origin[k] = origin[j]
                alive = a < b
                better = alive & (c < found)
                best = k if better else best
                found = c if better else found
                k += alive
            if fresh < found:
                found = fresh
                best = -1
            # What starting at t costs is at most the bound within r of v, where nothing else is.
            r = found - least
            r = sqrt(r if r > 0.0 else 0.0)
            a = v - r
            b = v + r
            j = 0
            while j < k:
                if (a < high[j]) & (b > low[j]):
                    if a >= low[j]:
                        a = high[j]
                    elif b <= high[j]:
                        b = low[j]
                    else:
                        break
                j += 1
            low[k] = a
            high[k] = b
            end = k + (a < b)
            if j < k:
                end = _leave_out(low, high, j, k, end)
            last[t] = origin[best] if best >= 0 else t
            level[t] = mean[best] if best >= 0 else v
            for j in range(k, end):
                mean[j] = v
                inverse[j] = 1.0
                cost[j] = fresh
                origin[j] = t
            count = end
            least = found
            bound = found + penalty
    state[0] = count
    state[1] = least
    state[2] = bound
    return taken


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _leave_out(
    low: cython.double[::1],
    high: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Take the intervals from *start* to *stop* out of those from there to *end*; the new end."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    a: cython.double
    b: cython.double
    for i in range(start, stop):
        a = low[i]
        b = high[i]
        j = stop
        while j < end:
            if (a < high[j]) & (b > low[j]):
                if a > low[j]:
                    if b < high[j]:
                        low[end] = b
                        high[end] = high[j]
                        end += 1
                    high[j] = a
                elif b < high[j]:
                    low[j] = b
                else:
                    end -= 1
                    low[j] = low[end]
                    high[j] = high[end]
                    continue
            j += 1
    return end


def count_changes(last: cython.longlong[::1], points: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The number of changes in the optimum of so many *points*."""
    t: cython.Py_ssize_t = last[points - 1] if points > 0 else 0
    count: cython.Py_ssize_t = 0
    while t > 0:
        t = last[t - 1]
        count += 1
    return count


def trace(
    last: cython.longlong[::1], points: cython.Py_ssize_t, places: cython.longlong[::1]
) -> None:
    """Fill *places* with the changes in the optimum of so many *points*, in order."""
    i: cython.Py_ssize_t
    t: cython.Py_ssize_t = points
    for i in range(len(places) - 1, -1, -1):
        t = last[t - 1]
        places[i] = t
