# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A study as one HTML page that works offline: what to take, how sure that is, and the evidence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stepmark import __version__
from stepmark.datasets.labelled import LabelledSeries
from stepmark.datasets.outcomes import Status
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.ranking import NOTHING, fastest
from stepmark.evaluation.study import Study
from stepmark.evaluation.suites import Mode
from stepmark.evaluation.tables import Entry, Row
from stepmark.reports import bench, diagrams, page, sparkline, words
from stepmark.reports.charts import extent
from stepmark.reports.choices import ensembles_page


@dataclass(frozen=True, slots=True)
class Lane:
    """A method, or an annotator, on a series.

    Attributes:
        name: of the method or annotator.
        tip: what there is to know about it.
        strip: its places as SVG; empty for a run that failed.
        score: by the metric that ranks; empty where there is none.
        error: why there are no places.
    """

    name: str
    tip: str
    strip: str
    score: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A series as the page shows it."""

    anchor: str
    member: LabelledSeries
    still: str
    truth: str
    labels: tuple[str, str]
    annotators: tuple[Lane, ...]
    methods: tuple[Lane, ...]


def render(study: Study, *, per_series: bool = True) -> str:
    """*study* as a complete HTML document; it always shows every series."""
    del per_series
    scripts = {"first": page.FIRST_SCRIPT, "page": page.asset("page.js")}
    table = study.table
    document: str = _template().render(
        study=study,
        table=table,
        metric=METRICS[table.metrics[0]],
        METRICS=METRICS,
        unsuccessful=any(row.failures or row.timeouts for row in table.rows),
        several=any(row.configurations > 1 for row in table.rows),
        headline=_headline(study),
        advice=(*study.advice, *fastest(table, study.ranking)),
        version=__version__,
        standings={s.method: s for s in study.ranking.standings} if study.ranking else {},
        diagrams=_diagrams(study),
        together=ensembles_page(study.ensembles) if study.ensembles is not None else None,
        cards=[_card(study, member, i) for i, member in enumerate(study.dataset)],
        average=bench.AVERAGES[table.average],
        mode=bench.MODES[table.mode],
        best={name: _best(study, name) for name in table.metrics},
        oracle=table.mode is not Mode.DEFAULT,
        css=page.asset("page.css") + page.asset("bench.css"),
        scripts=scripts,
        policy=page.policy(scripts.values()),
    )
    return document


def _headline(study: Study) -> str:
    ranking = study.ranking
    if ranking is None:
        return "Too little to compare"
    leader, others = ranking.leader, ranking.standings[1:]
    alike = sum(not other.apart for other in others)
    name = words.name(leader.method, 60)
    if not alike:
        return f"{name} is the best of {len(ranking.standings)} methods"
    if alike == len(others):
        return f"{name} leads, but no method is told apart from it"
    return f"{name} leads; {alike} of {len(others)} others are not told apart from it"


def _best(study: Study, metric: str) -> str:
    values = [v for row in study.table.rows if (v := row.means[metric]) is not None]
    if not values:
        return ""
    return bench.shown(metric, (max if METRICS[metric].higher_is_better else min)(values))


def _diagrams(study: Study) -> dict[str, str]:
    ranking = study.ranking
    if ranking is None:
        return {}
    order = list(ranking.ranks)
    by_method = {standing.method: standing for standing in ranking.standings}
    seconds = {row.method: row.seconds for row in study.table.rows}
    metric = METRICS[ranking.metric]
    choices = [
        diagrams.Choice(s.method, time, s.mean)
        for s in ranking.standings
        if (time := seconds[s.method]) is not None and s.method != NOTHING
    ]
    best = words.listed([f"{words.name(m, 24)} {ranking.ranks[m]:.2f}" for m in order[:3]])
    return {
        "ranks": diagrams.rank_plot(
            {method: by_method[method].ranks for method in order},
            f"Ranks of {len(order)} methods over the series; the best mean ranks: {best}",
        ),
        "nemenyi": diagrams.critical_difference(
            ranking.ranks,
            ranking.nemenyi,
            ranking.critical_difference,
            f"Critical difference by Nemenyi's test; the best mean ranks: {best}",
        ),
        "wilcoxon": diagrams.critical_difference(
            ranking.ranks,
            ranking.wilcoxon,
            None,
            f"Groups by Wilcoxon's test, corrected as Holm does; the best mean ranks: {best}",
        ),
        "time": diagrams.time_and_quality(
            choices,
            f"mean {metric.title}",
            f"Mean {metric.title} against the time of a run of {len(choices)} methods",
            higher=metric.higher_is_better,
            base=by_method[NOTHING].mean.estimate if NOTHING in by_method else None,
        ),
    }


def _card(study: Study, member: LabelledSeries, place: int) -> Card:
    table = study.table
    values = [math.nan] * member.length
    for point, value in zip(member.series.points, member.series.values(), strict=True):
        values[point.position] = value
    marked = Counter(p for _, places in member.annotations for p in places)
    truth = [
        diagrams.places(
            [p for p, n in marked.items() if n == times],
            member.length,
            f"agreed a{_share(times, len(member.annotations))}",
        )
        for times in sorted(set(marked.values()))
    ]
    methods = [
        _lane(study, member, row, entry)
        for row in table.rows
        if (entry := table.entries.get((row.method, member.name))) is not None
    ]
    low, high = extent(values)
    unit = member.series.unit
    return Card(
        anchor=f"series-{place}",
        member=member,
        still=sparkline.svg(
            values, (), (), f"Chart of {words.plural(len(member.series), 'point')}"
        ),
        truth=diagrams.lane(truth, "Places that annotators marked"),
        labels=(words.number(high, unit, 3), words.number(low, unit, 3)),
        annotators=tuple(
            Lane(
                name,
                _listed(places),
                diagrams.lane([diagrams.places(places, member.length, "truth")], _listed(places)),
            )
            # Numbers by their size, names by length, then alphabet.
            for name, places in sorted(member.annotations, key=lambda one: (len(one[0]), one[0]))
        ),
        methods=tuple(methods),
    )


def _share(times: int, annotators: int) -> int:
    """How many of the annotators agree, in quarters."""
    return max(1, min(4, round(4 * times / max(annotators, 1))))


def _lane(study: Study, member: LabelledSeries, row: Row, entry: Entry) -> Lane:
    outcome, table = entry.outcome, study.table
    if outcome.status is not Status.OK:
        why = "timed out" if outcome.status is Status.TIMEOUT else "failed"
        text = f"{why}: {words.clean(outcome.error, 200)}" if outcome.error else why
        return Lane(row.method, outcome.configuration, "", words.NONE, text)
    truth = {p for _, places in member.annotations for p in places}
    near = [p for p in outcome.places if any(abs(p - t) <= table.margin for t in truth)]
    far = [p for p in outcome.places if p not in set(near)]
    said = f"{outcome.configuration}: {_listed(outcome.places)}"
    strip = diagrams.lane(
        [
            diagrams.places(near, member.length, "hit"),
            diagrams.places(far, member.length, "false"),
        ],
        said,
    )
    score = bench.shown(table.metrics[0], entry.scores.get(table.metrics[0]))
    return Lane(row.method, said, strip, score)


def _listed(found: Iterable[int], most: int = 20) -> str:
    places = list(found)
    if not places:
        return "no change"
    more = f" and {len(places) - most} more" if len(places) > most else ""
    noun = "change" if len(places) == 1 else "changes"
    return f"{noun} at {', '.join(map(str, places[:most]))}{more}"


def _interval(value: Any) -> str:
    return f"{value.low:.3f} … {value.high:.3f}"


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = page.environment()
    environment.globals |= {
        "shown": bench.shown,
        "interval": _interval,
        "definitions": bench.definitions,
        "title": bench.title,
        "ranks": bench.ranks,
    }
    return environment.from_string(page.asset("bench.html"))
