# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Minimum Description Length searches in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted (a list is several
times faster to index than an array there). `stepmark._kernels.mdl` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import fabs, lgamma, log, pow, sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import fabs, lgamma, log, pow, sqrt

LN2 = cython.declare(cython.double, 0.6931471805599453)
LN_PI = cython.declare(cython.double, 1.1447298858494002)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _cut_bits(top: cython.double) -> cython.double:
    """Bits, less than 0, that the density of a standard deviation saves by ending at *top*."""
    return log(1.0 - 1.0 / (top + 2.0)) / LN2


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _first_bits(top: cython.double) -> cython.double:
    """Bits of the first average: none up to *top* is likelier than another."""
    return log(top + 1.0) / LN2


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _count_bits(n: cython.double, top: cython.double) -> cython.double:
    """Bits that depend on the number of samples only: size, sphere, stdev's normalisation."""
    bits: cython.double = log(n * (n + 1.0)) / LN2
    if n >= 2.0:
        bits += _cut_bits(top)
        bits += (
            LN2 + (n - 1.0) / 2.0 * LN_PI - lgamma((n - 1.0) / 2.0) + (n - 2.0) / 2.0 * log(n)
        ) / LN2
    return bits


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _spread_bits(n: cython.double, spread: cython.double) -> cython.double:
    """Bits of the standard deviation and of the samples around the average (both in units)."""
    if n < 2.0:
        return 0.0
    return (log(spread + 2.0) + (n - 1.0) * log(spread + 1.0)) / LN2


@cython.ccall
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def norm_after(previous: cython.double, top: cython.double) -> cython.double:
    """The norm of the density of an average after *previous* (in units)."""
    return previous * previous - (previous - 1.0) * top + top * top / 2.0


def group_bits(
    n: cython.double,
    average: cython.double,
    deviation: cython.double,
    maximum: cython.double,
    unit: cython.double,
    first: cython.bint,
    previous: cython.double,
) -> cython.double:
    """Description length of one group; the *first* one has no *previous* average."""
    top: cython.double = maximum / unit
    if n < 1.0:
        return 0.0
    bits: cython.double = _count_bits(n, top) + _spread_bits(n, deviation / unit)
    if first:
        return bits + _first_bits(top)
    bits += log(norm_after(previous / unit, top)) / LN2
    return bits - log(fabs(average / unit - previous / unit) + 1.0) / LN2


def fill_table(table: cython.double[::1], top: cython.double) -> None:
    """Fill table[n] with the bits that depend on the number of samples n only."""
    n: cython.Py_ssize_t
    for n in range(1, len(table)):
        table[n] = _count_bits(n, top)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _again(value: cython.double, n: cython.double) -> cython.double:
    """*value* after n times and an nth of it, which rounds twice."""
    return value * n / n


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _recorded_bits(
    n: cython.double,
    average: cython.double,
    spread: cython.double,
    unit: cython.double,
    counted: cython.double,
    area: cython.double,
    tail: cython.double,
    cut: cython.double,
    first: cython.bint,
    first_bits: cython.double,
    previous: cython.double,
    norm: cython.double,
) -> cython.double:
    """Bits of one group in jumpavg's order of operations; *n* is 1 or more."""
    bits: cython.double = counted
    if first:
        bits += first_bits
    else:
        bits -= log((fabs(_again(average, n) / unit - previous) + 1.0) / norm) / LN2
    if n >= 2.0:
        spread = sqrt(_again(spread * spread, n)) / unit
        bits += log((spread + 1.0) * (spread + 2.0)) / LN2
        bits += cut
        bits += (area + log(spread + 1.0) * (n - 2.0) + tail) / LN2
    return bits


def record_search(
    first: cython.Py_ssize_t,
    samples: cython.longlong[::1],
    below: cython.double[::1],
    averages: cython.double[::1],
    deviations: cython.double[::1],
    maximum: cython.double,
    unit: cython.double,
    counted: cython.double[::1],
    area: cython.double[::1],
    tail: cython.double[::1],
    mean: cython.double[::1],
    spread: cython.double[::1],
    before: cython.double[::1],
    previous: cython.double[::1],
    norm: cython.double[::1],
    parent: cython.longlong[::1],
) -> None:
    """Extend the record search of jumpavg 0.4.2 from run *first* on.

    samples[i] samples come before run i; *below* holds the same numbers as floats. For each start
    s, the open list is: the record of the prefix s (its last group starts at parent[s], -1 for the
    empty prefix; its bits are before[s]) and one group s..i. previous[s] is the average of the
    group before in units, norm[s] the norm that it brings. counted[n], area[n] and tail[n] are those terms of n samples'
    bits that depend on n only (see `_kernels.mdl`).

    Groups are told apart by the last digit where bits are equal but for rounding, so each operation
    is that of jumpavg, in its order, its repeated roundings included.
    """
    runs: cython.Py_ssize_t = len(averages)
    i: cython.Py_ssize_t
    s: cython.Py_ssize_t
    k: cython.Py_ssize_t
    record: cython.Py_ssize_t
    record_bits: cython.double
    top: cython.double = maximum / unit
    first_bits: cython.double = _first_bits(top)
    cut: cython.double = _cut_bits(top)
    n: cython.double
    old: cython.double
    added: cython.double
    average: cython.double
    squared: cython.double
    gap: cython.double
    bits: cython.double
    x: cython.double
    with cython.nogil:
        if first == 0:
            parent[0], before[0] = -1, 0.0
        for i in range(first, runs):
            record, record_bits = parent[i], before[i]
            added = below[i + 1] - below[i]
            if i == 1 and below[1] >= 1.0:
                # The first record is copied, and so rounded once more, before its bits are counted.
                n, k = below[1], samples[1]
                x = sqrt(_again(spread[0] * spread[0], n))
                record_bits = _recorded_bits(
                    n, 0.0, x, unit, counted[k], area[k], tail[k], cut, True, first_bits, 0.0, 1.0
                )
                before[1] = record_bits
            if record >= 0:
                n = below[i] - below[record]
                x = (_again(mean[record], n) if n >= 1.0 else 0.0) / unit
                previous[i] = x
                norm[i] = norm_after(x, top)
            mean[i] = _again(averages[i], added) if added >= 1.0 else 0.0
            spread[i] = sqrt(_again(deviations[i] * deviations[i], added)) if added >= 1.0 else 0.0
            squared = deviations[i] * deviations[i] * added
            # Loops of their own, without branches or calls: compilers make vectors of them.
            if added >= 1.0:
                for s in range(i):
                    old = below[i] - below[s]
                    n = old + added
                    # Merging starts from nothing, as there: the state itself is rounded again.
                    average = mean[s] * old / (old if old >= 1.0 else 1.0)
                    gap = averages[i] - average
                    mean[s] = average + gap * added / n
                    spread[s] = sqrt(
                        (spread[s] * spread[s] * old + squared + gap * gap * old * added / n) / n
                    )
            else:
                for s in range(i):
                    old = below[i] - below[s]
                    n = old if old >= 1.0 else 1.0
                    mean[s] = mean[s] * old / n
                    spread[s] = sqrt(spread[s] * spread[s] * old / n)
            record = -1
            # The new singleton comes first and wins its ties; then the smallest start does.
            for s in range(-1, i):
                if s < 0:
                    s = i
                bits = before[s]
                n = below[i + 1] - below[s]
                if n >= 1.0:
                    k = samples[i + 1] - samples[s]
                    bits += _recorded_bits(
                        n, mean[s], spread[s], unit, counted[k], area[k], tail[k], cut,
                        parent[s] < 0, first_bits, previous[s], norm[s],
                    )  # fmt: skip
                if record < 0 or bits < record_bits:
                    record = s
                    record_bits = bits
            parent[i + 1], before[i + 1] = record, record_bits


def exact_search(
    first: cython.Py_ssize_t,
    capacity: cython.Py_ssize_t,
    reach: cython.double,
    norms: cython.double,
    samples: cython.longlong[::1],
    below: cython.double[::1],
    averages: cython.double[::1],
    deviations: cython.double[::1],
    maximum: cython.double,
    unit: cython.double,
    table: cython.double[::1],
    mean: cython.double[::1],
    squares: cython.double[::1],
    best: cython.double[::1],
    base: cython.double[::1],
    offset: cython.longlong[::1],
    weight: cython.double[::1],
    place: cython.double[::1],
    origin: cython.longlong[::1],
    work_cost: cython.double[::1],
    work_place: cython.double[::1],
    work_origin: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Extend the exact optimum from run *first* on; the first run that was not done.

    best[s] is the least number of bits of runs 0..e whose last group starts at s. The groups
    before s enter as a function of the average x of the group s..e:
    base[s] - log2 of the upper envelope of weight * (|x - place| + 1), whose parts stand in
    offset[s]..offset[s + 1]. samples[e] samples come before run e; *below* holds the same numbers
    as floats. Stops early where *capacity* of the envelope's buffers is used up.
    *reach* is at least the largest difference of two averages, in units, and *norms* the largest
    difference of two norms, in bits.
    """
    runs: cython.Py_ssize_t = len(averages)
    e: cython.Py_ssize_t
    s: cython.Py_ssize_t
    k: cython.Py_ssize_t
    kept: cython.Py_ssize_t
    candidates: cython.Py_ssize_t
    end: cython.Py_ssize_t
    done: cython.Py_ssize_t = first
    top: cython.double = maximum / unit
    first_bits: cython.double = _first_bits(top)
    room: cython.double = log(reach + 1.0) / LN2
    n: cython.double
    old: cython.double
    added: cython.double
    squared: cython.double
    gap: cython.double
    moved: cython.double
    x: cython.double
    bits: cython.double
    cost: cython.double
    spread: cython.double
    height: cython.double
    highest: cython.double
    least: cython.double
    with cython.nogil:
        for e in range(first, runs):
            done = e
            if offset[e] + e + 1 > capacity:
                break
            # Starting a group at e: which last groups r..e-1 of the prefix can matter?
            least = best[0] if e > 0 else 0.0
            for s in range(1, e):
                if best[s] < least:
                    least = best[s]
            candidates = 0
            cost = least + room + norms
            least = cost
            for s in range(e):
                if best[s] <= cost:
                    x = mean[s] / unit
                    work_place[candidates] = x
                    work_cost[candidates] = best[s] + log(norm_after(x, top)) / LN2
                    work_origin[candidates] = s
                    if candidates == 0 or work_cost[candidates] < least:
                        least = work_cost[candidates]
                    candidates += 1
            base[e] = least if e > 0 else first_bits
            for k in range(candidates):
                work_cost[k] = pow(2.0, least - work_cost[k])
            end = offset[e]
            while candidates > 0:
                kept = 0
                for k in range(1, candidates):
                    if work_cost[k] > work_cost[kept]:
                        kept = k
                height = work_cost[kept]
                x = work_place[kept]
                weight[end] = height
                place[end] = x
                origin[end] = work_origin[kept]
                end += 1
                kept = 0
                for k in range(candidates):
                    # Nowhere above the one just kept: it can never be the best.
                    if work_cost[k] * (fabs(x - work_place[k]) + 1.0) > height:
                        work_cost[kept] = work_cost[k]
                        work_place[kept] = work_place[k]
                        work_origin[kept] = work_origin[k]
                        kept += 1
                candidates = kept
            offset[e + 1] = end
            mean[e] = 0.0
            squares[e] = 0.0
            added = below[e + 1] - below[e]
            squared = deviations[e] * deviations[e] * added
            # A loop of its own, without branches or calls: compilers make vectors of it.
            for s in range(e + 1):
                old = below[e] - below[s]
                gap = averages[e] - mean[s]
                moved = gap * added / (old + added)
                mean[s] += moved
                squares[s] += squared + gap * old * moved
            for s in range(e + 1):
                highest = 1.0
                if s > 0:
                    x = mean[s] / unit
                    highest = 0.0
                    for k in range(offset[s], offset[s + 1]):
                        height = weight[k] * (fabs(x - place[k]) + 1.0)
                        if height > highest:
                            highest = height
                n = below[e + 1] - below[s]
                # _spread_bits less the envelope's, with one logarithm for both.
                spread = sqrt(squares[s] / n) / unit
                bits = log((spread + 2.0 if n >= 2.0 else 1.0) / highest)
                bits += (n - 1.0) * log(spread + 1.0)
                best[s] = base[s] + table[samples[e + 1] - samples[s]] + bits / LN2
            done = e + 1
    return done
