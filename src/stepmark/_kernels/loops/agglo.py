# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Merging of neighbouring clusters in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.agglo` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import fabs, pow
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import fabs, pow

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _joined(
    apart: cython.double[::1],
    n: cython.Py_ssize_t,
    sizes: cython.double[::1],
    i: cython.Py_ssize_t,
    j: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
) -> cython.double:
    """Distance of cluster k to i and j taken as one, by Lance and Williams."""
    total: cython.double = (sizes[i] + sizes[k]) * apart[i * n + k]
    total += (sizes[j] + sizes[k]) * apart[j * n + k]
    total -= sizes[k] * apart[i * n + j]
    return total / (sizes[i] + sizes[j] + sizes[k])


def merge_neighbours(
    values: cython.double[::1],
    power: cython.double,
    circle: cython.bint,
    apart: cython.double[::1],
    sizes: cython.double[::1],
    following: cython.longlong[::1],
    preceding: cython.longlong[::1],
    merged: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Merge neighbours, the best pair first, until one cluster is left; how many merges fit best.

    merged[s] is the first point of the cluster that the step s merges into the one before it. The
    fit is the sum of the distances of neighbouring clusters; on a *circle* the last and the first
    are neighbours. -1 where no fit is above 0.
    """
    n: cython.Py_ssize_t = len(values)
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    before: cython.Py_ssize_t
    after: cython.Py_ssize_t
    step: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    chosen: cython.Py_ssize_t
    best: cython.Py_ssize_t = -1
    fit: cython.double = 0.0
    highest: cython.double = 0.0
    gain: cython.double
    most: cython.double
    x: cython.double
    with cython.nogil:
        for i in range(n):
            sizes[i] = 1.0
            following[i] = i + 1
            preceding[i] = i - 1
            for j in range(n):
                x = fabs(values[i] - values[j])
                apart[i * n + j] = 2.0 * (x if power == 1.0 else pow(x, power))
        if circle:
            following[n - 1] = 0
            preceding[0] = n - 1
        for i in range(n):
            j = following[i]
            if j < n:
                fit += 2.0 * apart[i * n + j]
        if fit > 0.0:
            highest = fit
            best = 0
        for step in range(n - 2):
            chosen = -1
            most = 0.0
            i = first
            while True:
                j = following[i]
                if j == n:
                    break
                before = preceding[i]
                after = following[j]
                gain = -apart[i * n + j]
                if before >= 0:
                    gain += _joined(apart, n, sizes, i, j, before) - apart[i * n + before]
                if after < n:
                    gain += _joined(apart, n, sizes, i, j, after) - apart[j * n + after]
                if chosen < 0 or gain > most:
                    most = gain
                    chosen = i
                i = j
                if i == first:
                    break
            i = chosen
            j = following[i]
            fit += 2.0 * most
            merged[step] = j
            k = following[j]
            while k != i and k < n:
                apart[k * n + i] = _joined(apart, n, sizes, i, j, k)
                apart[i * n + k] = apart[k * n + i]
                k = following[k]
            if not circle:
                k = preceding[i]
                while k >= 0:
                    apart[k * n + i] = _joined(apart, n, sizes, i, j, k)
                    apart[i * n + k] = apart[k * n + i]
                    k = preceding[k]
            sizes[i] += sizes[j]
            following[i] = following[j]
            if following[j] < n:
                preceding[following[j]] = i
            if j == first:
                first = following[j]
            if fit > highest:
                highest = fit
                best = step + 1
    return best
