# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Functional pruning for robust losses, in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.rfpop` is the typed way in. A function is a row of pieces from left to right,
five numbers each: where it ends, the coefficients of x^2, x and 1, and its origin.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import sqrt

INFINITY = cython.declare(cython.double, float("inf"))

L1 = cython.declare(cython.int, 0)
HUBER = cython.declare(cython.int, 1)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _put(
    pieces: cython.double[::1],
    count: cython.Py_ssize_t,
    end: cython.double,
    a: cython.double,
    b: cython.double,
    c: cython.double,
    origin: cython.double,
) -> cython.Py_ssize_t:
    """Add a piece up to *end*, or lengthen the last one where it is the same; the new number."""
    p: cython.Py_ssize_t = 5 * count
    if (
        count > 0
        and pieces[p - 1] == origin
        and pieces[p - 2] == c
        and pieces[p - 3] == b
        and pieces[p - 4] == a
    ):
        pieces[p - 5] = end
        return count
    pieces[p] = end
    pieces[p + 1] = a
    pieces[p + 2] = b
    pieces[p + 3] = c
    pieces[p + 4] = origin
    return count + 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _cap(
    source: cython.double[::1],
    count: cython.Py_ssize_t,
    low: cython.double,
    bound: cython.double,
    origin: cython.double,
    target: cython.double[::1],
) -> cython.Py_ssize_t:
    """Copy the pieces, which begin at *low*; *bound*, with *origin*, where they are above it.

    The number of new pieces: at most one more than twice as many.
    """
    p: cython.Py_ssize_t
    to: cython.Py_ssize_t = 0
    a: cython.double
    b: cython.double
    c: cython.double
    end: cython.double
    first: cython.double
    last: cython.double
    root: cython.double
    for p in range(0, 5 * count, 5):
        end = source[p]
        a = source[p + 1]
        b = source[p + 2]
        c = source[p + 3]
        # At most the bound from first to last.
        first = low
        last = end
        if a > 0.0:
            root = b * b - 4.0 * a * (c - bound)
            if root < 0.0:
                last = low
            else:
                root = sqrt(root)
                first = (-b - root) / (2.0 * a)
                last = (-b + root) / (2.0 * a)
        elif b > 0.0:
            last = (bound - c) / b
        elif b < 0.0:
            first = (bound - c) / b
        elif c > bound:
            last = low
        first = low if first < low else first
        last = end if last > end else last
        if first < last:
            if low < first:
                to = _put(target, to, first, 0.0, 0.0, bound, origin)
            to = _put(target, to, last, a, b, c, source[p + 4])
        else:
            last = low
        if last < end:
            to = _put(target, to, end, 0.0, 0.0, bound, origin)
        low = end
    return to


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _add(
    source: cython.double[::1],
    count: cython.Py_ssize_t,
    low: cython.double,
    end: cython.double,
    skip: cython.Py_ssize_t,
    a: cython.double,
    b: cython.double,
    c: cython.double,
    target: cython.double[::1],
    to: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Copy the part from *low* to *end* of all but *skip* pieces, a quadratic added; the number."""
    p: cython.Py_ssize_t
    q: cython.Py_ssize_t = 5 * to
    for p in range(5 * skip, 5 * count, 5):
        if not low < end:
            break
        low = source[p] if source[p] < end else end
        target[q] = low
        target[q + 1] = source[p + 1] + a
        target[q + 2] = source[p + 2] + b
        target[q + 3] = source[p + 3] + c
        target[q + 4] = source[p + 4]
        q += 5
    return q // 5


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _reaching(
    pieces: cython.double[::1], count: cython.Py_ssize_t, skip: cython.Py_ssize_t, x: cython.double
) -> cython.Py_ssize_t:
    """The first piece from *skip* on that ends beyond *x*."""
    while skip < count and pieces[5 * skip] <= x:
        skip += 1
    return skip


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _lowest(
    pieces: cython.double[::1],
    count: cython.Py_ssize_t,
    low: cython.double,
    least: cython.double[::1],
) -> cython.Py_ssize_t:
    """The first piece with the least value, which goes to least[0]; the pieces begin at *low*."""
    i: cython.Py_ssize_t
    found: cython.Py_ssize_t = 0
    a: cython.double
    b: cython.double
    c: cython.double
    x: cython.double
    end: cython.double
    value: cython.double
    lowest: cython.double = INFINITY
    for i in range(count):
        end = pieces[5 * i]
        a = pieces[5 * i + 1]
        b = pieces[5 * i + 2]
        c = pieces[5 * i + 3]
        # Up to the vertex it falls.
        x = end
        if a > 0.0:
            x = -b / (2.0 * a)
        elif b > 0.0:
            x = low
        if x < low:
            x = low
        elif x > end:
            x = end
        # Ties are decided by the last digit: in this order.
        value = a * x * x + b * x + c
        if value < lowest:
            lowest = value
            found = i
        low = end
    least[0] = lowest
    return found


def extend(
    values: cython.double[::1],
    done: cython.Py_ssize_t,
    loss: cython.int,
    width: cython.double,
    penalty: cython.double,
    low: cython.double,
    count: cython.Py_ssize_t,
    pieces: cython.double[::1],
    spare: cython.double[::1],
    least: cython.double[::1],
    last: cython.longlong[::1],
    state: cython.longlong[::1],
) -> None:
    """Extend the optimum of the first *done* of all *values* until the end, or room is short.

    The least cost as a function of the level of the last segment stands in *count* *pieces*, which
    begin at *low*. last[t] is the start of the last segment of the optimum of the points 0..t,
    least[0] the least cost so far. state holds the numbers of points and pieces afterwards.
    """
    n: cython.Py_ssize_t = len(values)
    capacity: cython.Py_ssize_t = len(pieces) // 5
    t: cython.Py_ssize_t
    skip: cython.Py_ssize_t
    new: cython.Py_ssize_t
    v: cython.double
    outer: cython.double
    slope: cython.double
    with cython.nogil:
        t = done
        while t < n and 2 * count + 3 <= capacity:
            v = values[t]
            if t > 0:
                new = _cap(pieces, count, low, least[0] + penalty, t, spare)
            else:
                new = _add(pieces, count, low, INFINITY, 0, 0.0, 0.0, 0.0, spare, 0)
            # The loss beyond the width: constant, or a straight line.
            slope = 0.0
            outer = width * width
            if loss == L1:
                slope = 1.0
            elif loss == HUBER:
                slope = 2.0 * width
                outer = -outer
            count = _add(spare, new, low, v - width, 0, 0.0, -slope, slope * v + outer, pieces, 0)
            skip = _reaching(spare, new, 0, v - width)
            count = _add(
                spare, new, low if low > v - width else v - width, v + width, skip,
                1.0, -2.0 * v, v * v, pieces, count,
            )  # fmt: skip
            skip = _reaching(spare, new, skip, v + width)
            count = _add(
                spare, new, low if low > v + width else v + width, INFINITY, skip,
                0.0, slope, outer - slope * v, pieces, count,
            )  # fmt: skip
            last[t] = cython.cast(
                cython.longlong, pieces[5 * _lowest(pieces, count, low, least) + 4]
            )
            t += 1
    state[0] = t
    state[1] = count
