# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Summaries made by hand, with the places of change given: no detector is needed.

Tests get this module through the fixture ``samples`` of ``tests/reports/conftest.py``.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from stepmark.alerts.compliance import compliance
from stepmark.alerts.policy import Judgement, Outcome, gate, judged
from stepmark.changes import Detection, describe
from stepmark.config import Compliance, Thresholds
from stepmark.reports.summary import SeriesSummary, Summary
from stepmark.series import Aggregate, Direction, Failure, Point, Series, SeriesKey, Skipped

VERSION = "0.1.0"
START = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def steps(levels: Sequence[tuple[int, float]], noise: float = 0.01, seed: int = 7) -> list[float]:
    """Values that stay at each level for a number of points, with relative Gaussian *noise*."""
    source = random.Random(seed)
    return [level * (1 + source.gauss(0, noise)) for n, level in levels for _ in range(n)]


def places(levels: Sequence[tuple[int, float]]) -> tuple[int, ...]:
    """Where the levels of `steps` begin, the first one left out."""
    ends = [sum(n for n, _ in levels[: i + 1]) for i in range(len(levels))]
    return tuple(ends[:-1])


def revision(place: int) -> str:
    """The full hash of a commit."""
    return hashlib.sha1(f"commit {place}".encode(), usedforsecurity=False).hexdigest()


def series(
    values: Sequence[float | Sequence[float]],
    key: SeriesKey | str = "speed",
    *,
    unit: str = "ms",
    direction: Direction | None = Direction.LOWER,
    start: datetime | None = START,
    every: timedelta = DAY,
    revisions: bool = True,
    attributes: Mapping[str, str] | None = None,
) -> Series:
    """A series of *values*, one a day from *start* (None: without times)."""
    if isinstance(key, str):
        key = SeriesKey("demo", key, "time")
    points = tuple(
        Point(
            revision=revision(i) if revisions else "",
            landed=start + i * every if start else None,
            samples=tuple(v) if isinstance(v, (tuple, list)) else (float(v),),
            position=i,
            attributes={"build": str(100 + i), "dut_version": f"26.02-rc0~{i}"}
            if attributes is None
            else attributes,
        )
        for i, v in enumerate(values)
    )
    return Series(key, points, unit, direction)


def summarised(
    item: Series,
    indices: Sequence[int] = (),
    scores: Sequence[float] = (),
    *,
    thresholds: Thresholds | None = None,
    gated: bool = False,
    note: str = "",
    detector: str = "mdl",
    aggregate: Aggregate = Aggregate.MEAN,
) -> SeriesSummary:
    """*item* with changes at *indices*, described and judged as the pipeline does it."""
    detection = Detection(len(item), tuple(indices), tuple(scores))
    segments, changes = describe(item, detection, aggregate)
    changes = judged(changes, item.direction, thresholds or Thresholds())
    judgement = None
    if gated:
        judgement = gate(changes[-1:])
        if note:
            judgement = Judgement(Outcome.UNJUDGED, (), note)
    row = compliance(item, segments, changes, Compliance())
    return SeriesSummary(item, detector, aggregate, segments, changes, row, judgement, note)


def stepped(
    levels: Sequence[tuple[int, float]],
    key: SeriesKey | str = "speed",
    *,
    noise: float = 0.01,
    seed: int = 7,
    scored: bool = True,
    gated: bool = False,
    **options: object,
) -> SeriesSummary:
    """A summarised series of `steps` with a change at every new level."""
    found = places(levels)
    scores = [40.5 + 10 * i for i in range(len(found))] if scored else []
    item = series(steps(levels, noise, seed), key, **options)  # type: ignore[arg-type]
    return summarised(item, found, scores, gated=gated)


def typical(*, gated: bool = False) -> Summary:
    """A bit of everything: each verdict, unknown direction, no change, failures, skipped input."""
    throughput = SeriesKey("csit", "2n-icx/l2xc/64b-2t1c", "mrr", (("nic", "e810cq"),))
    items = (
        stepped([(60, 41.0), (40, 43.9)], "parse/large", gated=gated),
        stepped(
            [(40, 11.6e6), (35, 12.4e6), (45, 11.9e6)],
            throughput,
            unit="pps",
            direction=Direction.HIGHER,
            gated=gated,
        ),
        stepped([(50, 220.0), (30, 180.0)], "render/home", gated=gated),
        stepped([(30, 7.0), (30, 7.7)], "cache/entries", unit="", direction=None, gated=gated),
        stepped([(90, 0.0042)], "startup", unit="s", gated=gated),
        summarised(series([3.0, 3.1, 2.9], "new"), gated=gated, note="fewer than 5 points"),
    )
    failed = SeriesKey("csit", "2n-icx/ip4/64b-2t1c", "mrr")
    attributes = {"build": "612", "dut_version": "26.02-rc0~99"}
    failures = (
        Failure(failed, "", START + 90 * DAY, "Setup failed", "a/611.json", {"build": "611"}),
        Failure(failed, "", START + 91 * DAY, "VPP did not start", "a/612.json", attributes),
        Failure(items[0].series.key, "", START + 91 * DAY, "Timed out", "b.json"),
    )
    return Summary(
        version=VERSION,
        detector="mdl",
        series=items,
        failures=failures,
        skipped=(Skipped("results.csv:14", "not a number: 'n/a'"),),
        warnings=("1 series has no direction: its changes cannot be judged (use --direction)",),
        title="Nightly performance",
    )


def single(item: SeriesSummary, title: str = "Stepmark report") -> Summary:
    """A report of one series."""
    return Summary(VERSION, item.detector, (item,), title=title)


def empty() -> Summary:
    """Nothing was read."""
    return Summary(VERSION, "mdl", ())


def untimed() -> Summary:
    """No times, no revisions, no attributes, no unit."""
    bare = stepped(
        [(25, 1.0), (25, 1.2)], "bare", unit="", start=None, revisions=False, attributes={}
    )
    return single(bare)


def many(count: int, points: int = 100) -> Summary:
    """*count* series of *points* each; two in three have changes."""
    items = []
    for i in range(count):
        first = points // 2 + i % 7
        level = 10.0 * (1 + i % 13)
        after = level * (1.08, 0.93, 1.0)[i % 3]
        levels = [(points, level)] if i % 3 == 2 else [(first, level), (points - first, after)]
        key = SeriesKey("suite", f"group{i % 11}/case{i:04d}", "time", (("cpu", f"c{i % 4}"),))
        items.append(stepped(levels, key, seed=i))
    return Summary(VERSION, "mdl", tuple(items), title=f"{count} series")


HOSTILE = (
    "<script>alert(1)</script>",
    "\"onmouseover='alert(1)' x=\"",
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\x1b[31mred\x1b[0m\x07\x00",
    "n" * 4000,
    "\u202egnp.exe\u2066\u200f",
    "{{ 7 * 7 }}{% raw %}@{x}$index@label{safe}",
    "a\u2028b\u2029c\ud800",
    "$$\\frac{1}{2}$$ \\(x\\) \\[y\\]",
    "&amp;&lt;x%0A::error::|`*_[a](javascript:alert(1))",
    "=1+1",
)


def hostile() -> Summary:
    """Every text of the summary is one of `HOSTILE`."""
    items, failures = [], []
    for i, text in enumerate(HOSTILE):
        key = SeriesKey(text, text, text, ((text, text),))
        attributes = {"build": text, "dut_version": text, text: text}
        values = steps([(10, 1.0), (10, 2.0)], seed=i)
        points = tuple(
            Point(f"{text}{n}", START + n * DAY, (v,), n, attributes) for n, v in enumerate(values)
        )
        item = Series(key, points, text[:40], Direction.LOWER)
        items.append(summarised(item, (10,), (1.0,), note=text, detector=text))
        failures.append(Failure(key, text, START, text, text, attributes))
    return Summary(
        version=VERSION,
        detector=HOSTILE[0],
        series=tuple(items),
        failures=tuple(failures),
        skipped=tuple(Skipped(text, text) for text in HOSTILE),
        warnings=HOSTILE,
        title="".join(HOSTILE[:5]),
    )
