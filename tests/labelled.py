# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labelled data sets that tests make, some of them by hypothesis."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.series import Direction, Point, Series, SeriesKey

START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
# Whatever Unicode there is, but what UTF-8 cannot hold.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = TEXTS.map(str.strip).filter(bool)


def member(values, labels=None, *, name="one", facts=None, times=None):
    """A series with labels; None among the *values* is a missing point."""
    points = tuple(
        Point("", times[i] if times else None, (v,), i)
        for i, v in enumerate(values)
        if v is not None
    )
    series = Series(SeriesKey(benchmark=name, metric="V1"), points)
    return LabelledSeries(name, series, len(values), labels or {}, facts or {})


def tcpd_document(values, name="one", **changes):
    """A TCPD document of these values."""
    return {
        "name": name,
        "n_obs": len(values),
        "n_dim": 1,
        "time": {"index": list(range(len(values)))},
        "series": [{"label": "V1", "type": "float", "raw": values}],
        **changes,
    }


def write_json(path, document):
    """Write *document* as JSON, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@st.composite
def labelled(draw, name, *, rich):
    """A labelled series; *rich* has all that a TCPD file has no place for."""
    length = draw(st.integers(1, 12))
    there = sorted(draw(st.sets(st.integers(0, length - 1), min_size=1)))
    zone = timezone(timedelta(minutes=draw(st.integers(-600, 600))))
    timed = draw(st.booleans())
    hours = sorted(draw(st.lists(st.integers(0, 10**5), min_size=length, max_size=length)))
    points = [
        Point(
            draw(TEXTS) if rich else "",
            (START + timedelta(hours=hours[i], microseconds=i)).astimezone(zone) if timed else None,
            tuple(draw(st.lists(NUMBERS, min_size=1, max_size=3 if rich else 1))),
            i,
            draw(st.dictionaries(TEXTS, TEXTS, max_size=2)) if rich else {},
        )
        for i in there
    ]
    key = SeriesKey(benchmark=name, metric=draw(NAMES))
    unit, direction = "", None
    if rich:
        labels = draw(st.dictionaries(TEXTS, TEXTS, max_size=2))
        key = SeriesKey(draw(TEXTS), draw(TEXTS), draw(TEXTS), tuple(labels.items()))
        unit, direction = draw(TEXTS), draw(st.sampled_from([None, *Direction]))
    places = st.lists(st.integers(0, length - 1), max_size=4)
    annotations = draw(st.dictionaries(TEXTS, places, max_size=3))
    facts = draw(st.dictionaries(TEXTS.map("x{}".format), TEXTS, max_size=2))
    series = Series(key, tuple(points), unit, direction)
    return LabelledSeries(name, series, length, annotations, facts)


@st.composite
def datasets(draw, *, rich=True, name="suite"):
    """A data set of up to four series."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    members = tuple(draw(labelled(each, rich=rich)) for each in names)
    provenance = draw(st.dictionaries(TEXTS, TEXTS, max_size=2)) if rich else {}
    return Dataset(name, members, provenance)
