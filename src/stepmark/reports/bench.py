# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A study as tables: for the terminal, Markdown and LaTeX, CSV and JSON.

What the tables hold is laid out once, as a `Sheet`; the forms differ in how they write it. Times
are in JSON and HTML only: the other forms are the same in every run.
"""

from __future__ import annotations

import csv
import io
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from stepmark import __version__
from stepmark.datasets.labelled import LabelledSeries
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.ranking import Ranking, Standing, fastest
from stepmark.evaluation.statistics import Interval
from stepmark.evaluation.study import Study
from stepmark.evaluation.suites import Mode
from stepmark.evaluation.tables import Average, Row
from stepmark.reports import words
from stepmark.reports.choices import (
    ensembles_json,
    ensembles_page,
    page_markdown,
    page_text,
)
from stepmark.reports.csv import text_cell
from stepmark.reports.markdown import free
from stepmark.reports.sheets import Cell, Sheet, markdown_lines, text_lines
from stepmark.reports.text import finished

SCHEMA = "stepmark.bench/1"
RENDERERS = {
    "text": "stepmark.reports.bench:render_text",
    "markdown": "stepmark.reports.bench:render_markdown",
    "latex": "stepmark.reports.bench:render_latex",
    "csv": "stepmark.reports.bench:render_csv",
    "json": "stepmark.reports.bench:render_json",
    "html": "stepmark.reports.benchpage:render",
}

AVERAGES = {
    Average.COMMON: "means over the series that every method has a score on",
    Average.ALL: "means over the series that the method itself has a score on",
    Average.ZERO: "means over all series, 0 where a method has no score",
}
MODES = {
    Mode.DEFAULT: "default configurations",
    Mode.BEST: "the best of each method's grid for each series and metric",
    Mode.ORACLE: "the best of each method's larger grid for each series and metric",
}
_LONGEST_NAME = 32  # in a terminal


def render(study: Study, output: str, **options: Any) -> str:
    """*study* in the form *output*, a key of `RENDERERS`; *options* are the renderer's."""
    module, _, function = RENDERERS[output].partition(":")
    rendered: str = getattr(import_module(module), function)(study, **options)
    return rendered


def shown(metric: str, value: float | None) -> str:
    """A score as tables write it: four decimals of shares, two of counts and distances."""
    if value is None:
        return words.NONE
    return f"{value:.4f}" if METRICS[metric].higher_is_better else f"{value:.2f}"


def title(study: Study, quoted: Callable[[str], str] = str) -> str:
    """What the study is, in one line; *quoted* makes the suite's name safe for the output."""
    table = study.table
    methods = words.plural(len(table.rows), "method")
    series = words.plural(len(table.series), "series")
    suite = f"{quoted(words.name(table.suite, 60))}: {methods} on {series}"
    return f"{suite}, {MODES[table.mode]}, margin {table.margin}"


def by_method(study: Study, longest: int = 120) -> Sheet:
    """Methods by metrics, names of at most *longest* characters."""
    table = study.table
    several = any(row.configurations > 1 for row in table.rows)
    heads = ["Method", *(["Settings"] if several else [])]
    heads += [METRICS[name].title for name in table.metrics]
    heads += ["Series", *(["Failed runs", "Timed out"] if _unsuccessful(study) else [])]
    best = {name: _best(name, [row.means[name] for row in table.rows]) for name in table.metrics}
    rows = []
    for row in table.rows:
        cells = [Cell(words.name(row.method, longest))]
        cells += [Cell(f"{row.configurations:,}")] if several else []
        for name in table.metrics:
            text = shown(name, row.means[name])
            cells.append(Cell(text, best=row.means[name] is not None and text == best[name]))
        counts = [row.averaged, *([row.failures, row.timeouts] if _unsuccessful(study) else [])]
        cells += [Cell(f"{count:,}") for count in counts]
        rows.append(tuple(cells))
    return Sheet(tuple(heads), tuple(rows))


def _unsuccessful(study: Study) -> bool:
    return any(row.failures or row.timeouts for row in study.table.rows)


def by_series(study: Study, longest: int = 120) -> Sheet:
    """Series by methods: the scores of the first metric."""
    table = study.table
    metric = table.metrics[0]
    rows = []
    for name in table.series:
        values = [table.value(row.method, name, metric) for row in table.rows]
        best = _best(metric, values)
        texts = [shown(metric, value) for value in values]
        cells = (Cell(t, best=t == best and t != words.NONE) for t in texts)
        rows.append((Cell(words.name(name, longest)), *cells))
    heads = (words.name(row.method, longest) for row in table.rows)
    return Sheet(("Series", *heads), tuple(rows), named=True)


def _best(metric: str, values: Iterable[float | None]) -> str:
    """The best of *values* as it is shown; those that look the same are all the best."""
    known = [value for value in values if value is not None]
    if not known:
        return words.NONE
    return shown(metric, (max if METRICS[metric].higher_is_better else min)(known))


def definitions(study: Study) -> list[str]:
    """What each metric of the table is, a sentence each."""
    return [f"{METRICS[name].title}: {METRICS[name].definition}" for name in study.table.metrics]


def ranks(study: Study) -> str:
    """Mean ranks and whether they differ, in a sentence; empty where there is nothing to rank."""
    ranking = study.ranking
    if ranking is None:
        return ""
    listed = ", ".join(f"{words.name(m, 40)} {rank:.2f}" for m, rank in ranking.ranks.items())
    return (
        f"Mean ranks by {METRICS[ranking.metric].title} over {len(ranking.series)} series (Friedman"
        f" p = {ranking.friedman.p_value:.2g}, Nemenyi critical difference"
        f" {ranking.critical_difference:.2f}): {listed}."
    )


def _sheets(study: Study, per_series: bool, longest: int = 120) -> list[Sheet]:
    return [by_method(study, longest), *([by_series(study, longest)] if per_series else [])]


def _remarks(study: Study) -> Iterator[str]:
    yield from study.advice
    if ranks(study):
        yield ranks(study)
    if not _unsuccessful(study):
        yield "No run failed, and none took too long."


def render_text(
    study: Study,
    *,
    per_series: bool = False,
    width: int = 80,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - what it says
) -> str:
    """*study* in lines of at most *width* columns; wider tables go on below."""
    del ascii  # what is printed is ASCII but for names, which are cleaned
    lines = [*textwrap.wrap(title(study), width), ""]
    for sheet in _sheets(study, per_series, _LONGEST_NAME):
        lines += [*text_lines(sheet, width, color=color), ""]
    said = [words.clean(AVERAGES[study.table.average], None).capitalize() + "."]
    for text in (*_remarks(study), *said, *(f"Note: {n}." for n in study.table.notes)):
        lines += textwrap.wrap(words.clean(text, None), width)
    if study.ensembles is not None:
        lines += ["", *page_text(ensembles_page(study.ensembles), width)]
    lines.append("")
    for text in definitions(study):
        lines += textwrap.wrap(text, width, subsequent_indent="  ")
    return finished(lines)


def render_markdown(study: Study, *, per_series: bool = False) -> str:
    """*study* as Markdown: the tables, what follows from them, and what the columns mean."""
    lines = [f"## {title(study, free)}", ""]
    for sheet in _sheets(study, per_series):
        lines += [*markdown_lines(sheet), ""]
    lines.append(f"{AVERAGES[study.table.average].capitalize()}.")
    lines += ["", *(f"- {_prose(text)}" for text in _remarks(study))]
    lines += [f"- Note: {_prose(note)}." for note in study.table.notes]
    if study.ensembles is not None:
        lines += ["", *page_markdown(ensembles_page(study.ensembles))]
    lines += ["", *(f"- {text}" for text in definitions(study))]
    return "\n".join(lines) + "\n"


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~@&$])")


def _prose(text: str) -> str:
    """A sentence in which names from outside may stand."""
    return _MARKUP.sub(r"\\\1", words.clean(text, None))


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
} | {sign: f"\\{sign}" for sign in "&%$#_"}


def latex(text: str) -> str:
    """*text* as LaTeX prints it."""
    return "".join(_LATEX.get(sign, sign) for sign in words.clean(text, None))


def render_latex(study: Study, *, per_series: bool = False) -> str:
    """Tables for a paper, by the packages booktabs and graphicx; the best of a column is bold."""
    table = study.table
    captions = [
        f"{title(study)}; {AVERAGES[table.average]}.",
        f"{METRICS[table.metrics[0]].title} by series; {title(study)}.",
    ]
    parts = [f"% Made by Stepmark {__version__}. Needs \\usepackage{{booktabs,graphicx}}."]
    parts += [f"% {line}" for line in (*study.advice, *table.notes, *definitions(study))]
    sheets = zip(_sheets(study, per_series), captions, ("methods", "series"), strict=False)
    for sheet, caption, label in sheets:
        parts += ["", *_latex_table(sheet, caption, label)]
    if study.ensembles is not None:
        page = ensembles_page(study.ensembles)
        parts += [f"% {text} {spec}" for text, spec in page.sentences]
        for sheet in page.tables:
            parts += ["", *_latex_table(sheet, f"{page.title}.", "ensembles")]
    return "\n".join(words.clean(p, None) if p.startswith("%") else p for p in parts) + "\n"


def _latex_table(sheet: Sheet, caption: str, label: str) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"\centering"
    yield rf"\caption{{{latex(caption)}}}"
    yield rf"\label{{tab:{label}}}"
    yield r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    yield rf"\begin{{tabular}}{{l{'r' * (len(sheet.heads) - 1)}}}"
    yield r"\toprule"
    yield f"{' & '.join(map(latex, sheet.heads))} \\\\"
    yield r"\midrule"
    for row in sheet.rows:
        cells = (rf"\textbf{{{latex(c.text)}}}" if c.best else latex(c.text) for c in row)
        yield f"{' & '.join(cells)} \\\\"
    yield r"\bottomrule"
    yield r"\end{tabular}}"
    yield r"\end{table}"


def render_csv(study: Study, *, per_series: bool = False) -> str:
    """One row a method, or with *per_series* one row a method and series; full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(_runs(study) if per_series else _methods(study))
    return out.getvalue()


def _methods(study: Study) -> Iterator[list[str]]:
    metrics = study.table.metrics
    counted = ("configurations", "series", "scored", "runs", "failed", "timeouts")
    yield ["method", "configuration", *metrics, *counted]
    for row in study.table.rows:
        means = [_number(row.means[name]) for name in metrics]
        counts = (row.configurations, row.averaged, row.scored, row.runs)
        yield [
            text_cell(row.method),
            text_cell(row.configuration),
            *means,
            *map(str, (*counts, row.failures, row.timeouts)),
        ]


def _runs(study: Study) -> Iterator[list[str]]:
    metrics = study.table.metrics
    yield ["series", "method", "configuration", "status", *metrics, "places", "error"]
    for member, row, entry in _entries(study):
        outcome = entry.outcome
        yield [
            *map(text_cell, (member.name, row.method, outcome.configuration, outcome.status.value)),
            *(_number(entry.scores.get(name)) for name in metrics),
            " ".join(map(str, outcome.places)),
            text_cell(outcome.error),
        ]


def _entries(study: Study) -> Iterator[tuple[LabelledSeries, Row, Any]]:
    """What is known of each series and method, in the order of both."""
    for member in study.dataset:
        for row in study.table.rows:
            entry = study.table.entries.get((row.method, member.name))
            if entry is not None:
                yield member, row, entry


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def render_json(study: Study, *, per_series: bool = True) -> str:
    """*study* as one object of the schema ``stepmark.bench/1``; it always has all series."""
    del per_series
    table = study.table
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "suite": table.suite,
        "mode": table.mode.value,
        "average": table.average.value,
        "margin": table.margin,
        "provenance": dict(study.provenance),
        "metrics": [_metric(name) for name in table.metrics],
        "methods": [_method(row) for row in table.rows],
        "ranking": _ranking(study.ranking) if study.ranking is not None else None,
        "ensembles": ensembles_json(study.ensembles) if study.ensembles is not None else None,
        "recommendation": [*study.advice, *fastest(table, study.ranking)],
        "series": [_member(study, member) for member in study.dataset],
        "notes": list(table.notes),
    }
    fields = ",\n".join(f"{json.dumps(k)}: {_laid_out(v)}" for k, v in document.items())
    return f"{{{fields}}}\n"


def _laid_out(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, allow_nan=False)
    return "[\n  " + ",\n  ".join(json.dumps(v, allow_nan=False) for v in value) + "\n]"


def _metric(name: str) -> dict[str, Any]:
    metric = METRICS[name]
    return {
        "name": name,
        "title": metric.title,
        "definition": metric.definition,
        "higher_is_better": metric.higher_is_better,
    }


def _method(row: Row) -> dict[str, Any]:
    pooled, fixed = row.pooled, row.fixed
    return {
        "method": row.method,
        "configuration": row.configuration or None,
        "configurations": row.configurations,
        "means": dict(row.means),
        "series": row.averaged,
        "scored": row.scored,
        "runs": row.runs,
        "failed": row.failures,
        "timeouts": row.timeouts,
        "seconds": row.seconds,
        "pooled": None
        if pooled is None
        else {
            "hits": pooled.hits,
            "missed": pooled.missed,
            "false": pooled.false,
            "precision": pooled.precision,
            "recall": pooled.recall,
            "f1": pooled.f1,
        },
        "fixed": None
        if fixed is None
        else {"configuration": fixed.configuration, "mean": fixed.mean},
    }


def _ranking(ranking: Ranking) -> dict[str, Any]:
    test = ranking.friedman
    return {
        "metric": ranking.metric,
        "series": list(ranking.series),
        "standings": [_standing(standing) for standing in ranking.standings],
        "friedman": {"chi_square": test.chi_square, "p_value": test.p_value},
        "critical_difference": ranking.critical_difference,
        "nemenyi": [list(group) for group in ranking.nemenyi],
        "wilcoxon": [list(group) for group in ranking.wilcoxon],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    pair: Callable[[Interval], list[float]] = lambda i: [i.low, i.high]  # noqa: E731
    return {
        "method": standing.method,
        "mean": standing.mean.estimate,
        "interval": pair(standing.mean),
        "rank": standing.rank,
        "ranks": list(standing.ranks),
        "behind": standing.behind.estimate if standing.behind is not None else None,
        "behind_interval": pair(standing.behind) if standing.behind is not None else None,
        "p_value": standing.p_value,
    }


def _member(study: Study, member: LabelledSeries) -> dict[str, Any]:
    results = []
    for row in study.table.rows:
        entry = study.table.entries.get((row.method, member.name))
        if entry is not None:
            outcome = entry.outcome
            results.append(
                {
                    "method": row.method,
                    "configuration": outcome.configuration,
                    "status": outcome.status.value,
                    "places": list(outcome.places),
                    "scores": {name: entry.scores.get(name) for name in study.table.metrics},
                    "seconds": outcome.seconds,
                    "error": outcome.error or None,
                }
            )
    return {
        "name": member.name,
        "length": member.length,
        "annotations": {who: list(places) for who, places in member.annotations},
        "results": results,
    }
