# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Run lengths of Bayesian online detection in Cython's pure Python mode: runs as is, or compiled.

Buffers are float64 / int64 memoryviews when compiled and lists when interpreted (a list is several
times faster to index than an array there). `stepmark._kernels.bocpd` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import exp, lgamma, log
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import exp, lgamma, log

HALF_LN_2PI = cython.declare(cython.double, 0.9189385332046727)
# Logarithms of the least normal number, and of what is rounded to 0.
LN_LEAST = cython.declare(cython.double, -708.3964185322641)
LN_ZERO = cython.declare(cython.double, -745.1332191019412)
# exp(-50) adds nothing to a sum that holds a 1, even ten thousand times.
NEGLIGIBLE = cython.declare(cython.double, 50.0)
# Up to this logarithm of the growth of a rate the series for it is exact to the last digit.
SLIGHT = cython.declare(cython.double, 0.1177)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


def fill_tables(
    k: cython.double,
    a: cython.double,
    step: cython.double[::1],
    gain: cython.double[::1],
    power: cython.double[::1],
    constant: cython.double[::1],
) -> None:
    """Fill in what a run of r points brings to its next: all of it depends on r only.

    From the end, so that older runs stand before younger ones: with i = length - 1 - r, step[i] is
    the weight of the point in the mean, gain[i] that of its squared gap in the rate, power[i] the
    power of the density's tail, constant[i] the logarithm of its constant but for the rate.
    """
    depth: cython.Py_ssize_t = len(constant)
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    ratio: cython.double = lgamma(a + 0.5) - lgamma(a)
    for r in range(depth):
        i = depth - 1 - r
        step[i] = 1.0 / (k + r + 1.0)
        gain[i] = (k + r) * step[i] / 2.0
        power[i] = a + r / 2.0 + 0.5
        constant[i] = ratio + log((k + r) * step[i]) / 2.0 - HALF_LN_2PI
        # ln G(a + 1) - ln G(a + 1/2): no difference of two large numbers, which would lose digits.
        ratio = log(a + r / 2.0) - ratio


def follow(
    first: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    oldest: cython.Py_ssize_t,
    longest: cython.Py_ssize_t,
    back: cython.Py_ssize_t,
    hazard: cython.double,
    tail: cython.double,
    m: cython.double,
    a: cython.double,
    b: cython.double,
    values: cython.double[::1],
    step: cython.double[::1],
    gain: cython.double[::1],
    power: cython.double[::1],
    constant: cython.double[::1],
    mean: cython.double[::1],
    rate: cython.double[::1],
    log_rate: cython.double[::1],
    weight: cython.double[::1],
    log_weight: cython.double[::1],
    rise: cython.double[::1],
    best: cython.double[::1],
    chosen: cython.longlong[::1],
    evidence: cython.double[::1],
) -> cython.Py_ssize_t:
    """Take up the points first..stop; the start of the oldest run that is still alive.

    A run is known by its first point s: mean, rate, weight and their logarithms are its. Runs are
    forgotten oldest first. best[t + 2] is the logarithm of the best division of points 0..t, whose
    last segment starts at chosen[t + 1] with the probability evidence[t + 1] (a logarithm) given
    these points. *back* is 1 for the best division of what lies before that start, and 0 where it
    lies before the point before it.
    """
    t: cython.Py_ssize_t
    s: cython.Py_ssize_t
    base: cython.Py_ssize_t
    x: cython.double
    gap: cython.double
    square: cython.double
    more: cython.double
    bits: cython.double
    moved: cython.double
    highest: cython.double
    total: cython.double
    shift: cython.double
    scale: cython.double
    log_b: cython.double = log(b)
    log_hazard: cython.double = log(hazard)
    log_stay: cython.double = log(1.0 - hazard)
    with cython.nogil:
        for t in range(first, stop):
            x = values[t]
            if t == 0:
                mean[0], rate[0], log_rate[0], weight[0], log_weight[0] = m, b, log_b, 1.0, 0.0
            base = len(constant) - 1 - t
            total = 0.0
            while oldest < t:
                total += weight[oldest]
                if total >= tail and t - oldest < longest:
                    break
                oldest += 1
            # Loops of their own, without branches or calls and with few buffers: compilers make
            # vectors of them.
            for s in range(oldest, t + 1):
                gap = x - mean[s]
                mean[s] += step[base + s] * gap
                gap = gain[base + s] * gap * gap
                rise[s] = gap / rate[s]
                rate[s] += gap
            # ln(1 + q) = 2 artanh(q / (2 + q)), by its series.
            for s in range(oldest, t + 1):
                gap = rise[s] / (2.0 + rise[s])
                square = gap * gap
                more = 1.0 / 9.0 + square * (1.0 / 11.0 + square / 13.0)
                more = 1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square * more))
                rise[s] = 2.0 * gap * (1.0 + square * more)
            for s in range(oldest, t + 1):
                if rise[s] > SLIGHT:
                    rise[s] = log(rate[s]) - log_rate[s]
            for s in range(oldest, t + 1):
                bits = log_weight[s] + constant[base + s]
                bits -= log_rate[s] / 2.0 + power[base + s] * rise[s]
                log_weight[s] = bits if bits > LN_LEAST else LN_LEAST
                log_rate[s] += rise[s]
            highest = LN_LEAST
            total = 0.0
            for s in range(oldest, t + 1):
                weight[s] = 0.0
                bits = log_weight[s]
                if bits > highest - NEGLIGIBLE:
                    weight[s] = exp(bits)
                    total += weight[s]
                    if bits > highest:
                        highest = bits
            shift = log_stay - log(total)
            scale = (1.0 - hazard) / total
            for s in range(oldest, t + 1):
                weight[s] *= scale
                bits = log_weight[s] + shift
                log_weight[s] = bits if bits > LN_ZERO else LN_LEAST
            # The place is stored at once: a branch, seldom taken, where compilers would else make a
            # chain of conditional moves.
            chosen[t + 1] = oldest
            highest = log_weight[oldest] + best[oldest + back]
            for s in range(oldest + 1, t + 1):
                bits = log_weight[s] + best[s + back]
                if bits > highest:
                    highest = bits
                    chosen[t + 1] = s
            s = t + 1
            mean[s], rate[s], log_rate[s], weight[s], log_weight[s] = (
                m,
                b,
                log_b,
                hazard,
                log_hazard,
            )
            if back == 1:
                # Whether a change follows is not part of what the points so far say.
                highest -= log_stay
            elif log_hazard + best[s] > highest:
                highest = log_hazard + best[s]
                chosen[s] = s
            best[t + 2] = highest
            evidence[s] = log_weight[chosen[s]]
    return oldest
