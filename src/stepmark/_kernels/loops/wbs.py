# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Wild binary segmentation in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted (a list is several
times faster to index than an array there). `stepmark._kernels.wbs` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import fabs, sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import fabs, sqrt

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _best_split(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    compat: cython.bint,
    work: cython.double[::1],
) -> cython.Py_ssize_t:
    """The place of the largest CUSUM of points start..stop; work[place] holds its magnitude.

    Of several equal ones it is the first, or with *compat* the middle one, where one that leaves a
    single point on the left is not counted.
    """
    k: cython.Py_ssize_t
    place: cython.Py_ssize_t = start + 1
    count: cython.Py_ssize_t = 0
    length: cython.double = stop - start
    left: cython.double
    right: cython.double
    n: cython.double
    # Summed anew in each part: a difference of sums over the whole signal is not 0 in a constant.
    total: cython.double = 0.0
    for k in range(start, stop):
        work[k] = total
        total += values[k]
    # A loop of its own, without branches or calls: compilers make vectors of it.
    for k in range(start + 1, stop):
        n = k - start
        left = sqrt((length - n) / (length * n)) * work[k]
        right = sqrt(n / (length * (length - n))) * (total - work[k])
        work[k] = fabs(left - right)
    for k in range(start + 2, stop):
        if work[k] > work[place]:
            place = k
    if not compat:
        return place
    for k in range(start + 2, stop):
        if work[k] == work[place]:
            count += 1
    if count <= 1:
        return place
    count = (count + 1) // 2
    for k in range(start + 2, stop):
        if work[k] == work[place]:
            count -= 1
            if count == 0:
                return k
    return place


def measure(
    values: cython.double[::1],
    starts: cython.longlong[::1],
    stops: cython.longlong[::1],
    compat: cython.bint,
    places: cython.longlong[::1],
    sizes: cython.double[::1],
    work: cython.double[::1],
) -> None:
    """The best split of each interval and the magnitude of its CUSUM."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(starts)):
            places[i] = _best_split(values, starts[i], stops[i], compat, work)
            sizes[i] = work[places[i]]


def divide(
    values: cython.double[::1],
    starts: cython.longlong[::1],
    stops: cython.longlong[::1],
    places: cython.longlong[::1],
    sizes: cython.double[::1],
    order: cython.longlong[::1],
    integrated: cython.bint,
    compat: cython.bint,
    work: cython.double[::1],
    spare: cython.longlong[::1],
    stack: cython.longlong[::1],
    limits: cython.double[::1],
    found: cython.longlong[::1],
    found_sizes: cython.double[::1],
    found_limits: cython.double[::1],
) -> cython.Py_ssize_t:
    """Divide the signal at the best splits of intervals, and the parts likewise; their number.

    *order* lists the intervals from the largest magnitude to the least; it is used up. The splits
    come into *found*, their magnitudes into *found_sizes*, and into *found_limits* the thresholds
    below which each is found. The stack has four entries a part: its points, and its intervals'
    places in *order*.
    """
    count: cython.Py_ssize_t = 0
    depth: cython.Py_ssize_t = 1
    start: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    low: cython.Py_ssize_t
    high: cython.Py_ssize_t
    middle: cython.Py_ssize_t
    taken: cython.Py_ssize_t
    place: cython.Py_ssize_t
    i: cython.Py_ssize_t
    size: cython.double
    limit: cython.double
    with cython.nogil:
        stack[0], stack[1], stack[2], stack[3] = 0, len(values), 0, len(order)
        limits[0] = -1.0
        while depth > 0:
            depth -= 1
            start, stop = stack[4 * depth], stack[4 * depth + 1]
            low, high = stack[4 * depth + 2], stack[4 * depth + 3]
            limit = limits[depth]
            if stop - start < 2 or (low == high and not integrated):
                continue
            place, size = -1, -1.0
            if integrated:
                place = _best_split(values, start, stop, compat, work)
                size = work[place]
            if low < high and size < sizes[order[low]]:
                place, size = places[order[low]], sizes[order[low]]
            if not integrated or limit < 0.0 or size < limit:
                limit = size
            found[count], found_sizes[count], found_limits[count] = place, size, limit
            count += 1
            middle = low
            taken = 0
            for i in range(low, high):
                if stops[order[i]] <= place:
                    order[middle] = order[i]
                    middle += 1
                elif starts[order[i]] >= place:
                    spare[taken] = order[i]
                    taken += 1
            for i in range(taken):
                order[middle + i] = spare[i]
            # The left part is on top, and comes next.
            stack[4 * depth], stack[4 * depth + 1] = place, stop
            stack[4 * depth + 2], stack[4 * depth + 3] = middle, middle + taken
            limits[depth] = limit
            depth += 1
            stack[4 * depth], stack[4 * depth + 1] = start, place
            stack[4 * depth + 2], stack[4 * depth + 3] = low, middle
            limits[depth] = limit
            depth += 1
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _squares(
    values: cython.double[::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.double:
    """The sum of squares about the mean of points start..stop."""
    i: cython.Py_ssize_t
    mean: cython.double = 0.0
    total: cython.double = 0.0
    for i in range(start, stop):
        mean += values[i]
    mean /= stop - start
    # Once more, as R does: the mean of equal values is then exact, and nothing remains of them.
    for i in range(start, stop):
        total += values[i] - mean
    mean += total / (stop - start)
    total = 0.0
    for i in range(start, stop):
        total += (values[i] - mean) * (values[i] - mean)
    return total


def residuals(
    values: cython.double[::1],
    chosen: cython.longlong[::1],
    before: cython.longlong[::1],
    after: cython.longlong[::1],
    squares: cython.double[::1],
    result: cython.double[::1],
) -> None:
    """result[i] is the sum of squares about the segments' means with the first i places chosen.

    before[p] and after[p] become the neighbours of place p at the time when it is chosen.
    """
    n: cython.Py_ssize_t = len(values)
    i: cython.Py_ssize_t
    place: cython.Py_ssize_t
    last: cython.Py_ssize_t = 0
    total: cython.double
    with cython.nogil:
        for place in range(n):
            squares[place] = -1.0
        for i in range(len(chosen)):
            squares[chosen[i]] = 0.0
        for place in range(1, n):
            if squares[place] == 0.0:
                before[place], after[last] = last, place
                last = place
        before[n], after[last] = last, n
        # Taken out again from the last one to the first, each leaves its neighbours behind.
        for i in range(len(chosen) - 1, -1, -1):
            place = chosen[i]
            after[before[place]] = after[place]
            before[after[place]] = before[place]
        squares[0] = _squares(values, 0, n)
        result[0] = squares[0]
        for i in range(len(chosen)):
            place = chosen[i]
            after[before[place]] = place
            before[after[place]] = place
            squares[before[place]] = _squares(values, before[place], place)
            squares[place] = _squares(values, place, after[place])
            # Anew each time: a difference of sums would lose the digits of small ones.
            total = 0.0
            last = 0
            while last < n:
                total += squares[last]
                last = after[last]
            result[i + 1] = total
