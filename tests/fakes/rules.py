# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Treeherder's documented formulas, written for tests and apart from the project's own code."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean

from fakes.model import AlertStatus, SummaryStatus

MIN_BACK, MAX_BACK, FORE = 12, 24, 12
T_THRESHOLD = 7.0
DEFAULT_THRESHOLD = 2.0
MAX_AGE = timedelta(days=14)
INFINITE_T = 1000.0


def option_collection_hash(names: Iterable[str]) -> str:
    return _sha1("".join(sorted(names)))


def signature_hash(
    suite: str,
    option_hash: str,
    platform: str,
    extra_options: Iterable[str] = (),
    test: str | None = None,
    parent_hash: str | None = None,
) -> str:
    """The hash of a series; *test* and *parent_hash* only for a subtest."""
    properties = {
        "suite": suite,
        "option_collection_hash": option_hash,
        "machine_platform": platform,
    }
    if options := sorted(extra_options):
        properties["test_options"] = json.dumps(options)
    if test is not None:
        properties["test"] = test
    if parent_hash is not None:
        properties["parent_signature"] = parent_hash
    return _sha1("".join(sorted([*properties, *properties.values()])))


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def due(created: datetime, working_days: int) -> datetime:
    """*created* and so many working days; Saturday and Sunday count as the Monday after."""
    when = off_weekend(created)
    for _ in range(working_days):
        when = off_weekend(when + timedelta(days=1))
    return when


def off_weekend(when: datetime) -> datetime:
    """*when*, or the same time of the Monday after a weekend."""
    return when + timedelta(days=max(0, 7 - when.weekday())) if when.weekday() >= 5 else when


def naive(when: datetime | None) -> str | None:
    """As the API writes times: UTC without a suffix, with microseconds where there are any."""
    return None if when is None else when.astimezone(UTC).replace(tzinfo=None).isoformat()


def epoch(when: datetime) -> int:
    return int(when.timestamp())


def weighted(groups: Sequence[Sequence[float]]) -> tuple[float, int, float]:
    """Mean, number and variance of a window, nearest push first, weights falling linearly."""
    count = sum(len(group) for group in groups)
    if count == 0:
        return 0.0, 0, 0.0
    total = weights = 0.0
    for k, group in enumerate(groups):
        weight = (len(groups) - k) / len(groups)
        total += weight * sum(group)
        weights += weight * len(group)
    mean = total / weights
    squares = sum((value - mean) ** 2 for group in groups for value in group)
    return mean, count, squares / (count - 1) if count > 1 else 0.0


def t_statistic(back: Sequence[Sequence[float]], fore: Sequence[Sequence[float]]) -> float:
    """Of two windows, each nearest push first; 0 for no difference, infinity for no variance."""
    mean_b, count_b, variance_b = weighted(back)
    mean_f, count_f, variance_f = weighted(fore)
    if mean_b == mean_f or not count_b or not count_f:
        return 0.0
    squared = variance_b / count_b + variance_f / count_f
    return abs(mean_f - mean_b) / math.sqrt(squared) if squared > 0 else math.inf


def noise_profile(pushes: Sequence[Sequence[float]]) -> str:
    """N/A, OK, SKEWED, OUTLIERS or MODAL of the pushes before an alert, by their moments."""
    if len(pushes) < 6:
        return "N/A"
    if any(value < 0 for values in pushes for value in values):
        return "N/A"
    means = [math.prod(values) ** (1 / len(values)) for values in pushes]
    kept = sorted(map(math.log, means) if all(means) else means)[1:-1]
    n = len(kept)
    mean = fmean(kept)
    second = fmean([(x - mean) ** 2 for x in kept])
    if second == 0:
        return "N/A"
    skew = fmean([(x - mean) ** 3 for x in kept]) / second**1.5
    kurtosis = fmean([(x - mean) ** 4 for x in kept]) / second**2 - 3
    skew_z = skew / math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    spread = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    kurtosis_z = kurtosis / math.sqrt(spread)
    if abs(skew_z) > abs(kurtosis_z):
        return "SKEWED" if abs(skew_z) > 3 else "OK"
    if kurtosis_z > 3:
        return "OUTLIERS"
    return "MODAL" if kurtosis_z < -3 else "OK"


DECIDED = frozenset(
    {
        SummaryStatus.IMPROVEMENT,
        SummaryStatus.INVESTIGATING,
        SummaryStatus.WONTFIX,
        SummaryStatus.FIXED,
        SummaryStatus.BACKEDOUT,
    }
)


def summary_status(
    current: SummaryStatus,
    own: Sequence[tuple[AlertStatus, bool]],
    related: Sequence[tuple[AlertStatus, bool]],
) -> SummaryStatus:
    """What the alerts make of a summary; each alert is its status and whether it is a regression.

    *related* are the alerts of other summaries that were reassigned to this one, or are downstream
    of it.
    """
    statuses = {status for status, _ in (*own, *related)}
    if not statuses or AlertStatus.UNTRIAGED in statuses:
        return SummaryStatus.UNTRIAGED
    set_aside = {AlertStatus.INVALID, AlertStatus.INFRA}
    if statuses <= set_aside:
        only_infra = statuses == {AlertStatus.INFRA}
        return SummaryStatus.INFRA if only_infra else SummaryStatus.INVALID
    reassigned_here = [bad for status, bad in related if status == AlertStatus.REASSIGNED]
    acknowledged = [bad for status, bad in own if status == AlertStatus.ACKNOWLEDGED]
    if acknowledged:
        if not any(acknowledged + reassigned_here):
            return SummaryStatus.IMPROVEMENT
        return current if current in DECIDED else SummaryStatus.INVESTIGATING
    if AlertStatus.REASSIGNED in statuses:
        return SummaryStatus.REASSIGNED
    return SummaryStatus.DOWNSTREAM
