# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Segments that are flat or lines in Cython's pure Python mode: runs as is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.trends` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import exp, log
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import exp, log

# Less than exp(-40) of the largest term adds nothing to a sum.
NEGLIGIBLE = cython.declare(cython.double, 40.0)
NEVER = cython.declare(cython.double, -1e300)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def _evidence(
    start: cython.longlong,
    stop: cython.longlong,
    rate: cython.double,
    weight: cython.double,
    slope: cython.double,
    power: cython.double,
    first: cython.double[::1],
    second: cython.double[::1],
    moment: cython.double[::1],
    flat: cython.double[::1],
    line: cython.double[::1],
) -> cython.double:
    """The logarithm of how probable the points start..stop are as one segment, flat or a line."""
    m: cython.double = stop - start
    total: cython.double = first[stop] - first[start]
    middle: cython.double = start + (m - 1.0) / 2.0
    tilt: cython.double = moment[stop] - moment[start] - middle * total
    least: cython.double = rate / 1e6
    level: cython.double = rate + 0.5 * (
        second[stop] - second[start] - total * total / (m + weight)
    )
    leaning: cython.double = level - 0.5 * tilt * tilt / (m * (m * m - 1.0) / 12.0 + slope * m * m)
    if level < least:
        level = least
    if leaning < least:
        leaning = least
    level = flat[stop - start] - (power + m / 2.0) * log(level)
    leaning = line[stop - start] - (power + m / 2.0) * log(leaning)
    if level < leaning:
        return leaning + log(1.0 + exp(level - leaning))
    return level + log(1.0 + exp(leaning - level))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def _log_sum(
    term: cython.double[::1], first: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.double:
    """The logarithm of the sum of what has the logarithms term[first:stop]; NEVER for nothing."""
    i: cython.Py_ssize_t
    total: cython.double = 0.0
    highest: cython.double = NEVER
    for i in range(first, stop):
        if term[i] > highest:
            highest = term[i]
    if highest <= NEVER:
        return NEVER
    for i in range(first, stop):
        if term[i] > highest - NEGLIGIBLE:
            total += exp(term[i] - highest)
    return highest + log(total)


def divide(
    places: cython.longlong[::1],
    least: cython.longlong,
    change: cython.double,
    temper: cython.double,
    rate: cython.double,
    weight: cython.double,
    slope: cython.double,
    power: cython.double,
    first: cython.double[::1],
    second: cython.double[::1],
    moment: cython.double[::1],
    flat: cython.double[::1],
    line: cython.double[::1],
    before: cython.double[::1],
    after: cython.double[::1],
    term: cython.double[::1],
) -> None:
    """Weigh all divisions of the points at *places*, which begin with 0 and end with n.

    before[i] becomes the logarithm of the weight of what lies before places[i], over all divisions
    of it; after[i] that of what comes from there on. A division weighs the product of its segments'
    evidence to the power *temper*, and of exp(*change*) for each change.
    """
    count: cython.Py_ssize_t = len(places)
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    with cython.nogil:
        before[0] = -change
        for j in range(1, count):
            for i in range(j):
                term[i] = NEVER
                if places[j] - places[i] >= least and before[i] > NEVER:
                    term[i] = before[i] + change + temper * _evidence(
                        places[i], places[j], rate, weight, slope, power,
                        first, second, moment, flat, line,
                    )  # fmt: skip
            before[j] = _log_sum(term, 0, j)
        after[count - 1] = -change
        for i in range(count - 2, -1, -1):
            for j in range(i + 1, count):
                term[j] = NEVER
                if places[j] - places[i] >= least and after[j] > NEVER:
                    term[j] = after[j] + change + temper * _evidence(
                        places[i], places[j], rate, weight, slope, power,
                        first, second, moment, flat, line,
                    )  # fmt: skip
            after[i] = _log_sum(term, i + 1, count)
