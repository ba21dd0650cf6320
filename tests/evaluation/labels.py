# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Small labelled data sets and outcomes made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.outcomes import Outcome
from stepmark.series import Point, Series, SeriesKey

PUBLISHED = {
    "amoc": 0.6504,
    "binseg": 0.6826,
    "pelt": 0.6728,
    "segneigh": 0.6487,
    "cpnp": 0.6179,
    "bocpd": 0.6744,
    "rfpop": 0.4438,
    "zero": 0.6407,
}
"""Mean F1 of TCPDBench 2.0's default configurations over the 23 complete series of the suite."""

START = datetime(2026, 1, 5, tzinfo=UTC)


def member(name, true, n=100, *, benchmark="", missing=(), timed=False):
    """A series of *n* points with a step at each of *true*, a point a day where *timed*."""
    points = tuple(
        Point(
            f"r{i}",
            START + timedelta(days=i) if timed else None,
            (10.0 + sum(i >= place for place in true) + 0.01 * (i * i % 7),),
            i,
        )
        for i in range(n)
        if i not in missing
    )
    key = SeriesKey("", benchmark or name)
    return LabelledSeries(name, Series(key, points), n, {"me": true})


def suite(*members, name="made"):
    return Dataset(name, members)


def said(method, places, **more):
    """What *method* found on each series."""
    return [Outcome(name, method, method, places=tuple(p), **more) for name, p in places.items()]
