# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Kernel change points in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 / int32 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.kcpa` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import exp
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import exp

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _near_pairs(rising: cython.double[::1], gap: cython.double) -> cython.longlong:
    """The number of pairs that are not more than *gap* apart."""
    i: cython.Py_ssize_t = 0
    j: cython.Py_ssize_t
    count: cython.longlong = 0
    for j in range(1, len(rising)):
        while rising[j] - rising[i] > gap:
            i += 1
        count += j - i
    return count


def gap_of_rank(rising: cython.double[::1], rank: cython.longlong) -> cython.double:
    """The distance that *rank* pairs of the *rising* values are below or at, and no smaller one."""
    low: cython.double = 0.0
    high: cython.double = rising[len(rising) - 1] - rising[0]
    middle: cython.double
    with cython.nogil:
        if _near_pairs(rising, 0.0) >= rank:
            high = 0.0
        while True:
            middle = low + (high - low) / 2.0
            if not low < middle < high:
                break
            if _near_pairs(rising, middle) >= rank:
                high = middle
            else:
                low = middle
    return high


def best_divisions(
    values: cython.double[::1],
    width: cython.double,
    columns: cython.Py_ssize_t,
    inner: cython.double[::1],
    cost: cython.double[::1],
    scatter: cython.double[::1],
    origin: cython.int[::1],
) -> None:
    """The least scatter of each prefix for each number of changes below *columns*.

    scatter[b * columns + k] is that of the first b values with k changes, origin[...] the start of
    its last segment (the first of equal ones). A segment's scatter is its length less the mean row
    sum of its kernel matrix. *cost* is left with the scatter of [a, n) for each a.
    """
    n: cython.Py_ssize_t = len(values)
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    k: cython.Py_ssize_t
    here: cython.Py_ssize_t
    there: cython.Py_ssize_t
    most: cython.Py_ssize_t
    gap: cython.double
    total: cython.double
    x: cython.double
    with cython.nogil:
        for b in range(1, n + 1):
            total = 0.0
            inner[b - 1] = 0.0
            for a in range(b - 1, -1, -1):
                if a < b - 1:
                    gap = values[b - 1] - values[a]
                    if width > 0.0:
                        total += exp(-(gap * gap) / width)
                    elif gap == 0.0:
                        total += 1.0
                inner[a] += 2.0 * total + 1.0
                cost[a] = (b - a) - inner[a] / (b - a)
            here = b * columns
            scatter[here] = cost[0]
            most = columns if columns < b else b
            for k in range(1, most):
                scatter[here + k] = 1.0e308
            for a in range(1, b):
                there = a * columns - 1
                x = cost[a]
                most = columns if columns < a + 1 else a + 1
                for k in range(1, most):
                    if scatter[there + k] + x < scatter[here + k]:
                        scatter[here + k] = scatter[there + k] + x
                        origin[here + k] = a
