# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The report as one HTML file that needs no network, no server and, to be read, no script.

Tables and still charts are plain HTML and SVG; the script adds sorting, filtering, themes, and
interactive charts where they come into view.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from stepmark.alerts.compliance import TrendRow, in_order
from stepmark.changes import Change, Segment, Verdict
from stepmark.reports import charts, page, sparkline, words
from stepmark.reports.summary import SCORE, SeriesSummary, Summary
from stepmark.series import Direction, Failure, SeriesKey

_RUN = ("first", "bokeh", "page")
"""The scripts that run; the others hold data."""


@dataclass(frozen=True, slots=True)
class Card:
    """One series as the page shows it.

    Attributes:
        anchor: its stable id in the page.
        item: the series.
        still: its chart as SVG.
        data: the columns for its interactive chart as JSON; empty where there is none.
        labels: of the chart's edges: top, bottom, first and last point.
    """

    anchor: str
    item: SeriesSummary
    still: str
    data: str
    labels: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class FailedTest:
    """One line of the table of failed tests: a series, its count of fails, and the last fail."""

    name: str
    fails: int
    last: Failure

    @property
    def build(self) -> str:
        """Build and tested version of the last fail, or its revision; empty if unknown."""
        known = [self.last.attributes.get(name, "") for name in charts.ATTRIBUTES]
        return " · ".join(text for text in known if text) or self.last.revision


def render(summary: Summary, *, interactive: bool = True) -> str:
    """*summary* as a complete HTML document.

    Without *interactive* the still charts stand alone and the page is some 1.3 MB smaller.
    """
    shared = charts.Shared() if interactive else None
    anchors = _anchors(summary.series)
    rows = in_order(item.row for item in summary.series)
    place = {id(row): i for i, row in enumerate(rows)}
    cards = sorted(
        (_card(item, anchor, shared) for item, anchor in zip(summary.series, anchors, strict=True)),
        key=lambda card: place[id(card.item.row)],
    )
    scripts = _scripts(shared, any(card.data for card in cards))
    document: str = _template().render(
        summary=summary,
        cards=cards,
        changes=_newest_first(cards),
        evidence_title=_evidence_title(summary),
        failed=failed_tests(summary.failures),
        last=_last_time(summary),
        axes=_axes(summary),
        css=page.asset("page.css"),
        scripts=scripts,
        policy=page.policy(scripts[name] for name in _RUN if name in scripts),
        Verdict=Verdict,
    )
    return document


def _scripts(shared: charts.Shared | None, charted: bool) -> dict[str, str]:
    """The scripts of the page, and what they read, by name."""
    scripts = {"first": page.FIRST_SCRIPT, "page": page.asset("page.js")}
    if shared is not None and charted:
        scripts["bokeh"] = charts.script()
        scripts["figure"] = charts.template()
        scripts["shared"] = charts.embedded(shared.tables())
        scripts["colours"] = charts.embedded(charts.COLOURS)
    return scripts


def anchor(key: SeriesKey) -> str:
    """The id of a series in the page: the same in every report, whatever the name."""
    readable = re.sub(r"[^a-z0-9]+", "-", str(key)[:200].lower()).strip("-")[:48].strip("-")
    identity = repr((key.project, key.benchmark, key.metric, key.labels))
    digest = hashlib.blake2s(identity.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"{readable}-{digest}" if readable else f"series-{digest}"


def _anchors(items: Iterable[SeriesSummary]) -> list[str]:
    seen: dict[str, int] = {}
    anchors = []
    for item in items:
        name = anchor(item.series.key)
        seen[name] = seen.get(name, 0) + 1
        anchors.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return anchors


def _card(item: SeriesSummary, name: str, shared: charts.Shared | None) -> Card:
    from markupsafe import escape

    if not len(item.series):
        return Card(name, item, "", "", ("", "", "", ""))
    values = item.values()
    still = sparkline.svg(values, item.segments, item.changes, str(escape(description(item))))
    data = charts.embedded(charts.data(item, values, shared)) if shared is not None else ""
    low, high = charts.extent([*values, *(s.mean for s in item.segments)])
    first, last = item.series.points[0], item.series.points[-1]
    if item.series.timed:
        ends = [words.moment(p.landed)[:10] for p in (first, last)]
    elif first.revision and last.revision:
        ends = [words.short_revision(p.revision) for p in (first, last)]
    else:
        ends = ["point 0", f"point {len(values) - 1}"]
    unit = item.series.unit
    labels = (words.number(high, unit, 3), words.number(low, unit, 3), ends[0], ends[1])
    return Card(name, item, still, data, labels)


def description(item: SeriesSummary) -> str:
    """What the chart of *item* shows, in words: its text alternative."""
    unit = item.series.unit
    parts = [f"Chart of {words.plural(len(item.series), 'point')}"]
    for change in item.changes[-10:]:
        size = words.size(change, unit)
        parts.append(f"{change.verdict.value} of {size} at {words.place(change)}")
    if not item.changes and item.segments:
        parts.append(f"no change, mean {words.number(item.segments[-1].mean, unit)}")
    return "; ".join(parts)


def _newest_first(cards: Iterable[Card]) -> list[tuple[Card, Change]]:
    """All changes: the newest first, of one time the biggest; those without time after them."""
    early = datetime.min.replace(tzinfo=UTC)

    def newest(pair: tuple[Card, Change]) -> tuple[datetime, float]:
        _, change = pair
        size = abs(change.relative) if change.relative is not None else float("inf")
        return change.time or early, size

    pairs = [(card, change) for card in cards for change in card.item.changes]
    pairs.sort(key=lambda pair: (words.importance(pair[1]), pair[0].item.name))
    return sorted(pairs, key=newest, reverse=True)


def failed_tests(failures: Iterable[Failure]) -> list[FailedTest]:
    """The failures by series: most fails first, then the latest."""
    early = datetime.min.replace(tzinfo=UTC)
    groups: dict[SeriesKey, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.key, []).append(failure)
    tests = [
        # Of equal times the last in the input is the latest.
        FailedTest(str(key), len(group), max(reversed(group), key=lambda f: f.landed or early))
        for key, group in groups.items()
    ]
    tests.sort(key=lambda test: test.name)
    tests.sort(key=lambda test: (test.fails, test.last.landed or early), reverse=True)
    return tests


def _evidence_title(summary: Summary) -> str:
    """What the scores of all changes are called in one column."""
    kinds = {item.evidence for item in summary.series if item.changes}
    return (kinds.pop() if len(kinds) == 1 else SCORE).capitalize()


def _last_time(summary: Summary) -> datetime | None:
    times = [item.series.points[-1].landed for item in summary.series if len(item.series)]
    return max((time for time in times if time is not None), default=None)


def _axes(summary: Summary) -> str:
    """The horizontal axes that at least one series can have."""
    axes = ["run"]
    if any(point.revision for item in summary.series for point in item.series.points):
        axes.append("revision")
    if any(item.series.timed for item in summary.series):
        axes.append("time")
    return " ".join(axes)


def _groups(item: SeriesSummary) -> list[tuple[Segment, Change | None]]:
    """The groups of a series, newest first, each with the change that began it."""
    by_index = {change.index: change for change in item.changes}
    return [(segment, by_index.get(segment.start)) for segment in reversed(item.segments)]


def _start(item: SeriesSummary, index: int) -> str:
    """Where a group begins, in the words that are known: time and revision, or the place."""
    point = item.series.points[index]
    parts = [words.moment(point.landed) if point.landed else "", point.revision]
    known = [parts[0], words.short_revision(parts[1]) if parts[1] else ""]
    return " · ".join(part for part in known if part) or f"point {index}"


def _tint(row: TrendRow) -> str:
    """The class of a line of the trend table."""
    if row.regressions:
        return Verdict.REGRESSION.value
    return Verdict.IMPROVEMENT.value if row.improvements else ""


def _sense(relative: float | None, direction: Direction | None) -> str:
    """Whether a relative change is good or bad, as a class; empty where unknown or none."""
    if not relative or direction is None:
        return ""
    return "better" if (relative > 0) is (direction is Direction.HIGHER) else "worse"


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = page.environment()
    environment.filters |= {
        "percent": words.percent,
        "moment": words.moment,
        "revision": words.short_revision,
        "direction": words.direction,
        "place": words.place,
        "outcome": words.OUTCOMES.__getitem__,
    }
    environment.globals |= {
        "step": words.step,
        "interval": charts.interval,
        "evidence": words.evidence,
        "headline": words.headline,
        "told": words.told,
        "reason": words.reason,
        "groups": _groups,
        "start": _start,
        "tint": _tint,
        "sense": _sense,
    }
    return environment.from_string(page.asset("page.html"))
