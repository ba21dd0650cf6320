# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Energy statistics in Cython's pure Python mode: runs as it is, or compiled.

Buffers are float64 / int64 / uint64 memoryviews when compiled and lists when interpreted.
`stepmark._kernels.energy` is the typed way in.
"""

import cython

if cython.compiled:
    from cython.cimports.libc.math import fabs, pow, sqrt
    from cython.cimports.stepmark._kernels.loops.build_facts import STEPMARK_SOURCE
else:
    from math import fabs, pow, sqrt

# splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
STEP = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
MIX_1 = cython.declare(cython.ulonglong, 0xBF58476D1CE4E5B9)
MIX_2 = cython.declare(cython.ulonglong, 0x94D049BB133111EB)
HALF_WORD = cython.declare(cython.ulonglong, 0x100000000)
LOW = cython.declare(cython.ulonglong, 0xFFFFFFFF)

COMPILED = cython.compiled
SOURCE = STEPMARK_SOURCE.decode("ascii") if cython.compiled else ""


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _draw(state: cython.ulonglong[::1]) -> cython.ulonglong:
    """The next 64 random bits; *state* has one entry."""
    z: cython.ulonglong = (state[0] + STEP) & MASK
    state[0] = z
    z = ((z ^ (z >> 30)) * MIX_1) & MASK
    z = ((z ^ (z >> 27)) * MIX_2) & MASK
    return z ^ (z >> 31)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _below(bound: cython.ulonglong, state: cython.ulonglong[::1]) -> cython.Py_ssize_t:
    """A number from 0 to bound - 1, all equally likely (Lemire 2019); bound is below 2^32."""
    product: cython.ulonglong = (_draw(state) >> 32) * bound
    least: cython.ulonglong
    if (product & LOW) < bound:
        least = (HALF_WORD - bound) % bound
        while (product & LOW) < least:
            product = (_draw(state) >> 32) * bound
    return product >> 32


def draws(state: cython.ulonglong[::1], bound: cython.ulonglong, count: cython.Py_ssize_t) -> list:
    """*count* numbers below *bound*, or 64-bit words where *bound* is 0."""
    return [_below(bound, state) if bound else _draw(state) for _ in range(count)]


def whole_split(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    rows: cython.double[::1],
    columns: cython.double[::1],
    statistic: cython.double[::1],
) -> cython.Py_ssize_t:
    """The first place in [start, stop) where two parts, side by side, differ most.

    The statistic, which goes into statistic[0], has means over all ordered pairs, a point with
    itself included. Sums are taken in MongoDB's order: ties are decided by their roundings.
    """
    n: cython.Py_ssize_t = stop - start
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    best: cython.Py_ssize_t = start
    a: cython.double
    b: cython.double
    x: cython.double
    across: cython.double = 0.0
    left: cython.double = 0.0
    right: cython.double = 0.0
    q: cython.double
    highest: cython.double = 0.0
    with cython.nogil:
        for i in range(n):
            rows[i] = 0.0
            columns[i] = 0.0
        # Each sum grows in order of its points; as inner loops over sums they become vectors.
        for j in range(n):
            x = values[start + j]
            for i in range(j):
                rows[i] += fabs(values[start + i] - x)
            for i in range(j + 1, n):
                columns[i] += fabs(x - values[start + i])
        for i in range(n):
            right += rows[i]
        for i in range(n):
            if i > 0:
                a = i
                b = n - i
                q = across * (2.0 / (a * b)) - 2.0 * left / (a * a) - 2.0 * right / (b * b)
                q = (a * b / (a + b)) * q
                if q > highest:
                    highest = q
                    best = start + i
            across = across - columns[i] + rows[i]
            left += columns[i]
            right -= rows[i]
        statistic[0] = highest
    return best


def exceeded_whole(
    values: cython.double[::1],
    ranks: cython.longlong[::1],
    sums: cython.double[::1],
    bounds: cython.longlong[::1],
    totals: cython.double[::1],
    threshold: cython.double,
    permutations: cython.Py_ssize_t,
    allowed: cython.Py_ssize_t,
    order: cython.longlong[::1],
    tree: cython.double[::1],
    state: cython.ulonglong[::1],
) -> cython.Py_ssize_t:
    """How many permutations within the windows reach *threshold*; counts to *allowed* + 1 at most.

    Window w is [bounds[w], bounds[w + 1]). There sums[i] is the sum of the distances of point i to
    all of the window, totals[w] the sum over all pairs, and ranks[i], from 1 on, the place of point
    i among them by size. With these a permutation takes O(n log n): the distances of a point to
    those before it follow from the number and sum of the smaller ones, which *tree* keeps by rank.
    """
    windows: cython.Py_ssize_t = len(bounds) - 1
    p: cython.Py_ssize_t
    w: cython.Py_ssize_t
    start: cython.Py_ssize_t
    n: cython.Py_ssize_t
    t: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    i: cython.longlong
    count: cython.Py_ssize_t = 0
    reached: cython.bint
    x: cython.double
    a: cython.double
    b: cython.double
    before: cython.double
    smaller: cython.double
    smaller_sum: cython.double
    seen: cython.double
    across: cython.double
    left: cython.double
    limit: cython.double
    with cython.nogil:
        for p in range(permutations):
            reached = False
            for w in range(windows):
                start = bounds[w]
                n = bounds[w + 1] - start
                for t in range(n - 1, 0, -1):
                    j = _below(t + 1, state)
                    i = order[start + t]
                    order[start + t] = order[start + j]
                    order[start + j] = i
                for k in range(2 * n + 2):
                    tree[k] = 0.0
                seen = 0.0
                across = 0.0
                left = 0.0
                limit = threshold * n / 2.0
                for t in range(n):
                    if t > 0:
                        a = t
                        b = n - t
                        if across - left * b / a - (totals[w] - left - across) * a / b >= limit:
                            reached = True
                            break
                    i = order[start + t]
                    x = values[i]
                    smaller = 0.0
                    smaller_sum = 0.0
                    k = ranks[i]
                    while k > 0:
                        smaller += tree[2 * k]
                        smaller_sum += tree[2 * k + 1]
                        k &= k - 1
                    k = ranks[i]
                    while k <= n:
                        tree[2 * k] += 1.0
                        tree[2 * k + 1] += x
                        k += k & -k
                    before = x * (2.0 * smaller - t) + seen - 2.0 * smaller_sum
                    seen += x
                    left += before
                    across += sums[i] - 2.0 * before
                if reached:
                    break
            if reached:
                count += 1
                if count > allowed:
                    break
    return count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _gaps(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    x: cython.double,
    power: cython.double,
    gaps: cython.double[::1],
) -> cython.void:
    """Distances of *x* to *count* values from *start* on, to the *power*."""
    i: cython.Py_ssize_t
    for i in range(count):
        gaps[i] = fabs(values[start + i] - x)
    if power == 1.0:
        return
    if power == 2.0:
        for i in range(count):
            gaps[i] = gaps[i] * gaps[i]
    elif power == 0.5:
        for i in range(count):
            gaps[i] = sqrt(gaps[i])
    elif power == 1.5:
        for i in range(count):
            gaps[i] = gaps[i] * sqrt(gaps[i])
    else:
        for i in range(count):
            gaps[i] = pow(gaps[i], power)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _take_up(
    values: cython.double[::1],
    base: cython.Py_ssize_t,
    start: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    power: cython.double,
    gaps: cython.double[::1],
    rows: cython.double[::1],
    left: cython.double[::1],
    across: cython.double[::1],
    right: cython.double[::1],
) -> cython.void:
    """Sums of pairs when the stretches end with point k (from *start*), for each i that divides.

    left[i]: pairs before i; right[i]: pairs from i on; across[i]: all pairs whose first is before
    i, so that those of one before and one from i on are across[i] - left[i].

    Sums are taken in Otava's order, from *base* on: ties are decided by their roundings.
    """
    i: cython.Py_ssize_t
    x: cython.double = values[start + k]
    head: cython.double = 0.0
    total: cython.double
    above: cython.double = 0.0
    below: cython.double = 0.0
    if k == 1:
        rows[0] = 0.0
        left[0] = 0.0
        left[1] = 0.0
        across[0] = 0.0
    for i in range(base, start):
        head += fabs(values[i] - x)
    _gaps(values, start, k, x, power, gaps)
    for i in range(k):
        rows[i] += gaps[i]
    rows[k] = 0.0
    right[k] = 0.0
    total = head
    # Three sums that do not wait for each other.
    for i in range(k):
        total += gaps[i]
        above += rows[i]
        across[i + 1] = above
        below += rows[k - 1 - i]
        right[k - 1 - i] = below
    left[k + 1] = left[k] + (total - head)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _pair_split(
    values: cython.double[::1],
    base: cython.Py_ssize_t,
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    least: cython.Py_ssize_t,
    power: cython.double,
    form: cython.int,
    gaps: cython.double[::1],
    rows: cython.double[::1],
    left: cython.double[::1],
    across: cython.double[::1],
    right: cython.double[::1],
    best: cython.double[::1],
    statistic: cython.double[::1],
) -> cython.Py_ssize_t:
    """The place in [start, stop) where neighbouring stretches differ most, the first one's start.

    The left stretch begins at *start*, the right one ends anywhere up to *stop*; both have *least*
    points or more, and there is room for them. The statistic, which goes into statistic[0], has
    means over all pairs of different points. *form* is 0 for Otava's order of
    operations; 1 for ecp's; 2 for ecp's with the factor n m / (n + m) rounded down.
    """
    n: cython.Py_ssize_t = stop - start
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    found: cython.Py_ssize_t = least
    a: cython.double
    b: cython.double
    size: cython.double
    for i in range(n):
        best[i] = -1.0e308
    for k in range(1, n):
        _take_up(values, base, start, k, power, gaps, rows, left, across, right)
        size = k + 1
        # Loops without branches or calls: compilers make vectors of them.
        if form == 0:
            for i in range(least, k + 2 - least):
                a = i
                b = size - a
                gaps[i] = (
                    (2.0 / size) * (across[i] - left[i])
                    - 2.0 * b / (size * (a - 1.0 if a > 1.0 else 1.0)) * left[i]
                    - 2.0 * a / (size * (b - 1.0 if b > 1.0 else 1.0)) * right[i]
                )
        else:
            for i in range(least, k + 2 - least):
                a = i
                b = size - a
                gaps[i] = (
                    2.0 * (across[i] - left[i]) / (a * b)
                    - 2.0 * left[i] / (a * (a - 1.0))
                    - 2.0 * right[i] / (b * (b - 1.0))
                )
            if form == 1:
                for i in range(least, k + 2 - least):
                    a = i
                    gaps[i] *= a * (size - a) / size
            else:
                for i in range(least, k + 2 - least):
                    a = i
                    gaps[i] *= cython.cast(cython.int, a * (size - a) / size)
        for i in range(least, k + 2 - least):
            best[i] = gaps[i] if gaps[i] > best[i] else best[i]
    for i in range(least, n + 1 - least):
        if best[i] > best[found]:
            found = i
    statistic[0] = best[found]
    return start + found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _reaches(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    least: cython.Py_ssize_t,
    power: cython.double,
    form: cython.int,
    threshold: cython.double,
    single: cython.double[::1],
    paired: cython.double[::1],
    gaps: cython.double[::1],
    rows: cython.double[::1],
    left: cython.double[::1],
    across: cython.double[::1],
    right: cython.double[::1],
) -> cython.bint:
    """Whether some pair of stretches in [start, stop) has a statistic of *threshold* or more.

    single[i] is 1 / i, paired[i] is 2 / (i (i - 1)): without divisions it is fast, and differs from
    `_pair_split` in the last digits.
    """
    n: cython.Py_ssize_t = stop - start
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    m: cython.Py_ssize_t
    hits: cython.Py_ssize_t = 0
    a: cython.double
    part: cython.double
    for k in range(1, n):
        _take_up(values, start, start, k, power, gaps, rows, left, across, right)
        m = k + 1
        part = single[m]
        for i in range(least, m + 1 - least):
            gaps[i] = (
                2.0 * (across[i] - left[i]) * single[i] * single[m - i]
                - left[i] * paired[i]
                - right[i] * paired[m - i]
            )
        if form == 1:
            for i in range(least, m + 1 - least):
                a = i
                gaps[i] *= a * (m - a) * part
        else:
            for i in range(least, m + 1 - least):
                a = i
                gaps[i] *= cython.cast(cython.int, a * (m - a) / m)
        for i in range(least, m + 1 - least):
            hits += gaps[i] >= threshold
        if hits > 0:
            return True
    return False


def pair_split(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    least: cython.Py_ssize_t,
    power: cython.double,
    form: cython.int,
    gaps: cython.double[::1],
    rows: cython.double[::1],
    left: cython.double[::1],
    across: cython.double[::1],
    right: cython.double[::1],
    best: cython.double[::1],
    statistic: cython.double[::1],
) -> cython.Py_ssize_t:
    """The place in [start, stop) where neighbouring stretches differ most; see `_pair_split`."""
    found: cython.Py_ssize_t
    with cython.nogil:
        found = _pair_split(
            values, start, start, stop, least, power, form,
            gaps, rows, left, across, right, best, statistic,
        )  # fmt: skip
    return found


def exceeded_pairs(
    values: cython.double[::1],
    bounds: cython.longlong[::1],
    least: cython.Py_ssize_t,
    power: cython.double,
    form: cython.int,
    threshold: cython.double,
    permutations: cython.Py_ssize_t,
    allowed: cython.Py_ssize_t,
    state: cython.ulonglong[::1],
    single: cython.double[::1],
    paired: cython.double[::1],
    gaps: cython.double[::1],
    rows: cython.double[::1],
    left: cython.double[::1],
    across: cython.double[::1],
    right: cython.double[::1],
) -> cython.Py_ssize_t:
    """How many permutations within the windows reach *threshold*; counts to *allowed* + 1 at most.

    Window w is [bounds[w], bounds[w + 1]); *values* are left permuted within them.
    """
    windows: cython.Py_ssize_t = len(bounds) - 1
    p: cython.Py_ssize_t
    w: cython.Py_ssize_t
    t: cython.Py_ssize_t
    j: cython.Py_ssize_t
    start: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    x: cython.double
    with cython.nogil:
        for p in range(permutations):
            for w in range(windows):
                start = bounds[w]
                stop = bounds[w + 1]
                if stop - start < 2 * least:
                    continue
                for t in range(stop - start - 1, 0, -1):
                    j = _below(t + 1, state)
                    x = values[start + t]
                    values[start + t] = values[start + j]
                    values[start + j] = x
                if _reaches(
                    values, start, stop, least, power, form, threshold, single, paired,
                    gaps, rows, left, across, right,
                ):  # fmt: skip
                    count += 1
                    break
            if count > allowed:
                break
    return count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _term(x: cython.double, centre: cython.double, squared: cython.bint) -> cython.double:
    return (x - centre) * (x - centre) if squared else x


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _sum(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    n: cython.Py_ssize_t,
    centre: cython.double,
    squared: cython.bint,
) -> cython.double:
    """The sum of *n* values, or of their squared distances to *centre*, in NumPy's order."""
    i: cython.Py_ssize_t
    half: cython.Py_ssize_t
    total: cython.double
    r0: cython.double
    r1: cython.double
    r2: cython.double
    r3: cython.double
    r4: cython.double
    r5: cython.double
    r6: cython.double
    r7: cython.double
    if n < 8:
        total = 0.0
        for i in range(start, start + n):
            total += _term(values[i], centre, squared)
        return total
    if n > 128:
        half = n // 2
        half -= half % 8
        return _sum(values, start, half, centre, squared) + _sum(
            values, start + half, n - half, centre, squared
        )
    r0 = _term(values[start], centre, squared)
    r1 = _term(values[start + 1], centre, squared)
    r2 = _term(values[start + 2], centre, squared)
    r3 = _term(values[start + 3], centre, squared)
    r4 = _term(values[start + 4], centre, squared)
    r5 = _term(values[start + 5], centre, squared)
    r6 = _term(values[start + 6], centre, squared)
    r7 = _term(values[start + 7], centre, squared)
    half = start + n - n % 8
    for i in range(start + 8, half, 8):
        r0 += _term(values[i], centre, squared)
        r1 += _term(values[i + 1], centre, squared)
        r2 += _term(values[i + 2], centre, squared)
        r3 += _term(values[i + 3], centre, squared)
        r4 += _term(values[i + 4], centre, squared)
        r5 += _term(values[i + 5], centre, squared)
        r6 += _term(values[i + 6], centre, squared)
        r7 += _term(values[i + 7], centre, squared)
    total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for i in range(half, start + n):
        total += _term(values[i], centre, squared)
    return total


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _deviation(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    n: cython.Py_ssize_t,
    mean: cython.double,
    lost: cython.Py_ssize_t,
) -> cython.double:
    """Standard deviation with divisor n - *lost*; 0 for one value."""
    if n < 2:
        return 0.0
    return sqrt(_sum(values, start, n, mean, True) / (n - lost))


def moments(
    values: cython.double[::1],
    bounds: cython.longlong[::1],
    lost: cython.Py_ssize_t,
    means: cython.double[::1],
    deviations: cython.double[::1],
) -> None:
    """Mean and standard deviation (divisor n - *lost*) of the values between neighbouring bounds."""
    w: cython.Py_ssize_t
    n: cython.Py_ssize_t
    with cython.nogil:
        for w in range(len(bounds) - 1):
            n = bounds[w + 1] - bounds[w]
            means[w] = _sum(values, bounds[w], n, 0.0, False) / n
            deviations[w] = _deviation(values, bounds[w], n, means[w], lost)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _differ(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    place: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    lost: cython.Py_ssize_t,
    critical: cython.double[::1],
) -> cython.bint:
    """Whether Student's t of the means before and from *place* on reaches critical[freedom]."""
    n: cython.Py_ssize_t = place - start
    m: cython.Py_ssize_t = stop - place
    a: cython.double
    b: cython.double
    spread_a: cython.double
    spread_b: cython.double
    spread: cython.double
    if n + m <= 2:
        return False
    a = _sum(values, start, n, 0.0, False) / n
    b = _sum(values, place, m, 0.0, False) / m
    spread_a = _deviation(values, start, n, a, lost)
    spread_b = _deviation(values, place, m, b, lost)
    spread = ((n - 1) * (spread_a * spread_a) + (m - 1) * (spread_b * spread_b)) / (n + m - 2.0)
    spread = sqrt(spread * (1.0 / n + 1.0 / m))
    if spread > 0.0:
        return fabs(a - b) / spread >= critical[n + m - 2]
    return a != b


def window_splits(
    values: cython.double[::1],
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    stop_early: cython.bint,
    lost: cython.Py_ssize_t,
    critical: cython.double[::1],
    bounds: cython.longlong[::1],
    places: cython.longlong[::1],
    heights: cython.double[::1],
    gaps: cython.double[::1],
    rows: cython.double[::1],
    left: cython.double[::1],
    across: cython.double[::1],
    right: cython.double[::1],
    best: cython.double[::1],
    statistic: cython.double[::1],
) -> cython.Py_ssize_t:
    """Divide [start, stop) where t tests agree; the number of parts, between bounds[0], bounds[1]..

    The part whose best split has the largest statistic is tested next; with *stop_early* the first
    test that fails ends all, otherwise that part only.
    """
    parts: cython.Py_ssize_t = 1
    fresh: cython.Py_ssize_t = 0
    last: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    w: cython.Py_ssize_t
    with cython.nogil:
        bounds[0] = start
        bounds[1] = stop
        while True:
            for i in range(fresh, last + 1):
                heights[i] = -1.0
                if bounds[i + 1] - bounds[i] > 1:
                    places[i] = _pair_split(
                        values, start, bounds[i], bounds[i + 1], 1, 1.0, 0,
                        gaps, rows, left, across, right, best, statistic,
                    )  # fmt: skip
                    heights[i] = statistic[0]
            w = 0
            for i in range(1, parts):
                if heights[i] > heights[w]:
                    w = i
            if heights[w] < 0.0 or (heights[w] == 0.0 and not stop_early):
                break
            if not _differ(values, bounds[w], places[w], bounds[w + 1], lost, critical):
                if stop_early:
                    break
                heights[w] = -1.0
                fresh = 1
                last = 0
                continue
            for i in range(parts, w, -1):
                bounds[i + 1] = bounds[i]
                if i < parts:
                    places[i + 1] = places[i]
                    heights[i + 1] = heights[i]
            bounds[w + 1] = places[w]
            parts += 1
            fresh = w
            last = w + 1
    return parts
