# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Perfherder's and Treeherder's rules, written down plainly, with SciPy's tests: slow and simple.

Rows are the samples of each point.
"""

from __future__ import annotations

import math
import warnings

from scipy import stats


def mean_and_variance(rows, *, linear):
    """Mean, number and variance of rows, nearest first; weights fall linearly or are equal."""
    m = len(rows)
    weights = [(m - k) / m if linear else 1.0 for k in range(m)]
    samples = [value for row in rows for value in row]
    if not samples:
        return 0.0, 0, 0.0
    total = sum(value * w for row, w in zip(rows, weights, strict=True) for value in row)
    mean = total / sum(w * len(row) for row, w in zip(rows, weights, strict=True))
    squares = sum((value - mean) ** 2 for value in samples)
    return mean, len(samples), squares / (len(samples) - 1) if len(samples) > 1 else 0.0


def student(back, ahead):
    (mb, nb, vb), (ma, na, va) = (mean_and_variance(r, linear=True) for r in (back, ahead))
    if nb == 0 or na == 0 or ma == mb:
        return 0.0
    error = math.sqrt(vb / nb + va / na)
    return (ma - mb) / error if error else math.copysign(math.inf, ma - mb)


TESTS = {
    "welch": lambda a, b: stats.ttest_ind(a, b, equal_var=False).pvalue,
    "mwu": lambda a, b: stats.mannwhitneyu(a, b).pvalue,
    "ks": lambda a, b: stats.ks_2samp(a, b).pvalue,
    "cvm": lambda a, b: stats.cramervonmises_2samp(a, b).pvalue,
    "levene": lambda a, b: stats.levene(a, b).pvalue,
}


def p_value(name, back, ahead):
    a, b = ([value for row in rows for value in row] for rows in (back, ahead))
    if len(a) < 2 or len(b) < 2:
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant windows
        return float(TESTS[name](a, b))


def windows(rows, i, quiet, minback, maxback, fore, size):
    """The rows before *i* (nearest first) and from it on, and what windows count of them."""
    back, ahead, counted, ahead_counted = [], [], 0, 0
    reach = min(max(quiet, minback), maxback)
    for j in range(i - 1, max(i - reach, 0) - 1, -1):
        if counted >= maxback:
            break
        back.append(rows[j])
        counted += size(rows[j])
    for row in rows[i:]:
        if ahead_counted >= fore:
            break
        ahead.append(row)
        ahead_counted += size(row)
    return back, ahead, counted >= minback and ahead_counted >= fore


def scan(name, rows, significant, minback=12, maxback=24, fore=12, size=len):
    """The evidence at every point, whether its windows are full, and its plain means."""
    evidence, full, means, quiet = [0.0], [False], [(0.0, 0.0)], 0
    for i in range(1, len(rows)):
        back, ahead, enough = windows(rows, i, quiet, minback, maxback, fore, size)
        found = student(back, ahead) if name == "student" else p_value(name, back, ahead)
        evidence.append(found)
        full.append(enough)
        means.append(tuple(mean_and_variance(r, linear=False)[0] for r in (back, ahead)))
        quiet = 0 if significant(found) else quiet + 1
    return evidence, full, means


def perfherder(rows, threshold=7.0, **reach):
    t, full, _ = scan("student", rows, lambda t: abs(t) > threshold, **reach)
    t = [abs(x) for x in t]
    return [
        i
        for i in range(1, len(t))
        if full[i] and t[i] > threshold and not t[i - 1] > t[i] and not any(
            following > t[i] for following in t[i + 1 : i + 2]
        )
    ]  # fmt: skip


def treeherder(name, rows, bound, percent=None, **reach):
    """The places of one of Treeherder's methods; *bound* is of t, or of p."""
    sign = -1 if name == "student" else 1
    evidence, full, means = scan(name, rows, lambda x: sign * x < sign * bound, **reach)
    order = [sign * x for x in evidence]
    if name != "student":
        order[0] = 1.0
    places = []
    for i in range(1, len(order)):
        if not full[i] or order[i] >= sign * bound or order[i - 1] < order[i]:
            continue
        if i + 1 < len(order) and order[i + 1] < order[i]:
            continue
        if i + 1 < len(order) and full[i + 1] and round(order[i + 1], 6) == round(order[i], 6):
            continue
        before, after = means[i]
        change = 100 * abs(after - before) / before if before else 0.0
        if percent is None or change >= percent:
            places.append(i)
    return places
