# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Hidden levels of a signal in Cython's pure Python mode: runs as is, or compiled.

Buffers are float64 memoryviews when compiled and lists when interpreted (a list is several times
faster to index than an array there). `stepmark._kernels.levels` is the typed way in.

A state is a band, a scale of the noise and a level; states lie one after the other, levels fastest.
Loops are kept apart, without branches and with few buffers: compilers make vectors of them.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import log, sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import log, sqrt

# Student's t with nine degrees of freedom: its power is a whole number, which costs no logarithm.
NINTH = cython.declare(cython.double, 1.0 / 9.0)
CONSTANT = cython.declare(cython.double, 0.38803490887166864)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def _densities(
    value: cython.double,
    shrink: cython.double,
    scale: cython.double,
    levels: cython.double[::1],
    out: cython.double[::1],
    first: cython.Py_ssize_t,
) -> cython.void:
    """The densities of *value* around the levels times *shrink*, into out[first ...]."""
    g: cython.Py_ssize_t
    gap: cython.double
    square: cython.double
    factor: cython.double = CONSTANT / scale
    rate: cython.double = NINTH / (scale * scale)
    for g in range(len(levels)):
        gap = value - shrink * levels[g]
        gap = 1.0 / (1.0 + gap * gap * rate)
        square = gap * gap
        out[first + g] = factor * square * square * gap


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def _fill(
    alone: cython.double,
    after: cython.double,
    phi: cython.double,
    first: cython.Py_ssize_t,
    levels: cython.double[::1],
    scales: cython.double[::1],
    opening: cython.double[::1],
    density: cython.double[::1],
) -> cython.void:
    """The densities of a point in all states of a band: as a segment's first, and as a later one.

    *alone* is the point, *after* what its predecessor leaves of it.
    """
    depth: cython.Py_ssize_t = len(levels)
    k: cython.Py_ssize_t
    i: cython.Py_ssize_t
    rho: cython.double = sqrt(1.0 - phi * phi)
    for k in range(len(scales)):
        _densities(after, 1.0 - phi, scales[k], levels, density, first + k * depth)
    if phi == 0.0:
        for i in range(first, first + len(scales) * depth):
            opening[i] = density[i]
    else:
        for k in range(len(scales)):
            _densities(alone, 1.0, scales[k] / rho, levels, opening, first + k * depth)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def _switch_bands(
    weights: cython.double[::1], half: cython.Py_ssize_t, switch: cython.double
) -> cython.void:
    """Let a share of the weight of each band change over to the other."""
    i: cython.Py_ssize_t
    stay: cython.double = 1.0 - switch
    lower: cython.double
    upper: cython.double
    for i in range(half):
        lower = weights[i]
        upper = weights[half + i]
        weights[i] = stay * lower + switch * upper
        weights[half + i] = stay * upper + switch * lower


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def _sum(
    values: cython.double[::1], first: cython.Py_ssize_t, count: cython.Py_ssize_t
) -> cython.double:
    """The sum of so many values, in four strands that can run side by side."""
    i: cython.Py_ssize_t
    a: cython.double = 0.0
    b: cython.double = 0.0
    c: cython.double = 0.0
    d: cython.double = 0.0
    whole: cython.Py_ssize_t = first + count // 4 * 4
    for i in range(first, whole, 4):
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
    for i in range(whole, first + count):
        a += values[i]
    return (a + b) + (c + d)


def forward(
    values: cython.double[::1],
    levels: cython.double[::1],
    scales: cython.double[::1],
    phi: cython.double,
    bands: cython.Py_ssize_t,
    gap: cython.double,
    switch: cython.double,
    hazard: cython.double,
    renewal: cython.double,
    drift: cython.double,
    entries: cython.double[::1],
    norms: cython.double[::1],
    weight: cython.double[::1],
    fresh: cython.double[::1],
    second: cython.double[::1],
    density: cython.double[::1],
    opening: cython.double[::1],
    column: cython.double[::1],
) -> cython.double:
    """The logarithm of how probable the values are; fills in *entries* and *norms*.

    entries[t * len(scales) + k] is the probability that a segment begins at t in one certain state
    of scale k; norms[t] by how much point t changes the weight of all paths whose last segment has its
    three points.
    """
    n: cython.Py_ssize_t = len(values)
    depth: cython.Py_ssize_t = len(levels)
    kinds: cython.Py_ssize_t = len(scales)
    half: cython.Py_ssize_t = kinds * depth
    size: cython.Py_ssize_t = bands * half
    t: cython.Py_ssize_t
    c: cython.Py_ssize_t
    k: cython.Py_ssize_t
    g: cython.Py_ssize_t
    i: cython.Py_ssize_t
    shift: cython.double
    value: cython.double
    total: cython.double
    inverse: cython.double
    stay: cython.double
    entry: cython.double
    share: cython.double
    found: cython.double = 0.0
    with cython.nogil:
        for t in range(n):
            value = values[t] - (phi * values[t - 1] if t > 0 else 0.0)
            for c in range(bands):
                shift = gap * (c - 0.5) if bands == 2 else 0.0
                _fill(
                    values[t] - shift,
                    value - (1.0 - phi) * shift,
                    phi,
                    c * half,
                    levels,
                    scales,
                    opening,
                    density,
                )
            if bands == 2 and t > 0:
                _switch_bands(weight, half, switch)
                _switch_bands(second, half, switch)
                _switch_bands(fresh, half, switch)
            if t == 0:
                for i in range(size):
                    weight[i] = opening[i] / size
                    second[i] = 0.0
                    fresh[i] = 0.0
            elif t < 3:
                inverse = 1.0 / norms[t - 1]
                for i in range(size):
                    weight[i] = weight[i] * inverse * density[i]
            else:
                inverse = 1.0 / norms[t - 1]
                stay = (1.0 - hazard) * (1.0 - drift) * inverse
                share = (1.0 - hazard) * drift / kinds * inverse
                total = renewal / kinds
                for k in range(kinds):
                    entry = 0.0
                    for c in range(bands):
                        entry += _sum(weight, (c * kinds + k) * depth, depth)
                    entry = (1.0 - renewal) * entry * inverse + total
                    entries[t * kinds + k] = entry * hazard / (bands * depth)
                for c in range(bands):
                    for g in range(depth):
                        column[g] = 0.0
                    for k in range(kinds):
                        i = (c * kinds + k) * depth
                        for g in range(depth):
                            column[g] += weight[i + g]
                    for g in range(depth):
                        column[g] *= share
                    for k in range(kinds):
                        i = (c * kinds + k) * depth
                        for g in range(depth):
                            weight[i + g] = stay * weight[i + g] + column[g]
                for i in range(size):
                    weight[i] = (weight[i] + inverse * second[i]) * density[i]
                for i in range(size):
                    second[i] = inverse * fresh[i] * density[i]
                for c in range(bands):
                    for k in range(kinds):
                        entry = entries[t * kinds + k]
                        i = (c * kinds + k) * depth
                        for g in range(depth):
                            fresh[i + g] = entry * opening[i + g]
            norms[t] = _sum(weight, 0, size)
            found += log(norms[t])
    return found


def backward(
    values: cython.double[::1],
    levels: cython.double[::1],
    scales: cython.double[::1],
    phi: cython.double,
    bands: cython.Py_ssize_t,
    gap: cython.double,
    switch: cython.double,
    hazard: cython.double,
    renewal: cython.double,
    drift: cython.double,
    entries: cython.double[::1],
    norms: cython.double[::1],
    weight: cython.double[::1],
    fresh: cython.double[::1],
    second: cython.double[::1],
    density: cython.double[::1],
    opening: cython.double[::1],
    column: cython.double[::1],
    ahead: cython.double[::1],
    chances: cython.double[::1],
) -> None:
    """Fill in chances[t], the probability that a segment begins at t, given all values.

    *entries* and *norms* are those of `forward`. What lies ahead of a state is in *weight*, for
    segments of at least three, two and one more point in *weight*, *fresh* and *second*.
    """
    n: cython.Py_ssize_t = len(values)
    depth: cython.Py_ssize_t = len(levels)
    kinds: cython.Py_ssize_t = len(scales)
    half: cython.Py_ssize_t = kinds * depth
    size: cython.Py_ssize_t = bands * half
    t: cython.Py_ssize_t
    c: cython.Py_ssize_t
    k: cython.Py_ssize_t
    g: cython.Py_ssize_t
    i: cython.Py_ssize_t
    shift: cython.double
    value: cython.double
    total: cython.double
    chance: cython.double
    inverse: cython.double
    stay: cython.double
    share: cython.double
    with cython.nogil:
        for i in range(size):
            weight[i] = 1.0
            fresh[i] = 0.0
            second[i] = 0.0
        for t in range(n - 1, 2, -1):
            value = values[t] - phi * values[t - 1]
            for c in range(bands):
                shift = gap * (c - 0.5) if bands == 2 else 0.0
                _fill(
                    values[t] - shift,
                    value - (1.0 - phi) * shift,
                    phi,
                    c * half,
                    levels,
                    scales,
                    opening,
                    density,
                )
            inverse = 1.0 / norms[t]
            for i in range(size):
                opening[i] *= second[i]
            total = 0.0
            chance = 0.0
            for k in range(kinds):
                value = 0.0
                for c in range(bands):
                    value += _sum(opening, (c * kinds + k) * depth, depth)
                ahead[k] = value * inverse
                total += ahead[k]
                chance += entries[t * kinds + k] * ahead[k]
            chances[t] = chance
            for k in range(kinds):
                ahead[k] = (1.0 - renewal) * ahead[k] + renewal / kinds * total
                ahead[k] *= hazard / (bands * depth)
            for i in range(size):
                weight[i] *= density[i] * inverse
            for i in range(size):
                second[i] = fresh[i] * density[i] * inverse
            if bands == 2:
                _switch_bands(weight, half, switch)
                _switch_bands(second, half, switch)
            for i in range(size):
                fresh[i] = weight[i]
            stay = (1.0 - hazard) * (1.0 - drift)
            share = (1.0 - hazard) * drift / kinds
            for c in range(bands):
                for g in range(depth):
                    column[g] = 0.0
                for k in range(kinds):
                    i = (c * kinds + k) * depth
                    for g in range(depth):
                        column[g] += weight[i + g]
                for g in range(depth):
                    column[g] *= share
                for k in range(kinds):
                    i = (c * kinds + k) * depth
                    value = ahead[k]
                    for g in range(depth):
                        weight[i + g] = stay * weight[i + g] + column[g] + value
