# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What was chosen and what it rests on: the results of `tune` and of a search for ensembles.

Both are laid out once, as a `Page`; text and Markdown differ in how they write it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from stepmark import __version__
from stepmark.evaluation.ensembles import EnsembleSearch
from stepmark.evaluation.grouping import Gain
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.section import section
from stepmark.evaluation.statistics import Interval
from stepmark.evaluation.tuning import Expected, Tuning
from stepmark.reports import words
from stepmark.reports.markdown import code, free
from stepmark.reports.sheets import Sheet, markdown_lines, text_lines
from stepmark.reports.text import finished

SCHEMA = "stepmark.tune/1"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Page:
    """A title, what follows from the work, tables, what to know, and what to copy.

    Attributes:
        sentences: pairs of text and the spec that it ends with, or "".
        copied: lines for a file or shell.
    """

    title: str
    sentences: tuple[tuple[str, str], ...]
    tables: tuple[Sheet, ...]
    warnings: tuple[str, ...] = ()
    copied: str = ""


def render(page: Page, output: str, width: int = 80) -> str:
    """*page* as ``text``, in lines of about *width* columns, or as ``markdown``."""
    if output == "markdown":
        return finished(page_markdown(page))
    return finished(page_text(page, width))


def page_text(page: Page, width: int) -> Iterator[str]:
    """The lines of *page* in about *width* columns: specs are never cut, to be copied."""
    yield from textwrap.wrap(words.clean(page.title, None), width)
    yield ""
    for text, spec in page.sentences:
        yield from textwrap.wrap(words.clean(f"{text} {spec}", None), width)
    for table in page.tables:
        yield ""
        yield from text_lines(table, width)
    if page.warnings:
        yield ""
    for warning in page.warnings:
        yield from textwrap.wrap(f"Warning: {words.clean(warning, None)}.", width)
    if page.copied:
        yield ""
        yield from page.copied.splitlines()


def page_markdown(page: Page) -> Iterator[str]:
    """The lines of *page* as Markdown."""
    yield f"## {free(words.clean(page.title, None))}"
    yield ""
    for text, spec in page.sentences:
        said = free(words.clean(text, None).rstrip(":."))
        yield f"- {said}{f': {code(words.clean(spec, None))}' if spec else ''}"
    for table in page.tables:
        yield ""
        yield from markdown_lines(table, code)
    if page.warnings:
        yield ""
    for warning in page.warnings:
        yield f"- **Warning:** {free(words.clean(warning, None))}"
    if page.copied:
        yield ""
        yield "```"
        yield from (words.clean(line, None) for line in page.copied.splitlines())
        yield "```"


def tuning_page(tuning: Tuning) -> Page:
    """A choice, what may be expected of it beside the present setting, and the other candidates."""
    labels = tuning.labels
    title = (
        f"{tuning.dataset}: {len(tuning.contestants)} candidates on"
        f" {words.plural(labels.series, 'labelled series', 'labelled series')}"
        f" ({labels.groups} groups) with {words.plural(labels.changes, 'change')},"
        f" {tuning.metric.title}, margin {tuning.margin}, {tuning.folds} folds"
    )
    alarms = "alarms a week" if tuning.weekly else "alarms per 1,000 points"
    names = (tuning.metric.title, "precision", "recall", alarms)
    nothing = (f"{tuning.nothing:.2f}", words.NONE, words.NONE, "0")
    columns = {"chosen": _expected(tuning.expected)}
    if tuning.present_expected is not None:
        columns["present"] = _expected(tuning.present_expected)
    columns["nothing found"] = nothing
    others = tuple(
        (
            words.clean(c.spec, None),
            f"{c.score:.3f}",
            f"{c.alarms:.3g}",
            f"{c.chosen} of {tuning.folds}",
        )
        for c in tuning.contestants[:_SHOWN]
    )
    expected = Sheet.plain(("To be expected", *columns), zip(names, *columns.values(), strict=True))
    ranked = Sheet.plain(("Candidate, on all series", "score", "alarms", "chosen"), others)
    return Page(
        title,
        tuple(_sentences(tuning)),
        (expected, ranked),
        tuning.warnings,
        section(tuning.choice, remarks(tuning)),
    )


def _sentences(tuning: Tuning) -> Iterator[tuple[str, str]]:
    yield ("Chosen:", tuning.choice)
    if tuning.choice != tuning.present:
        yield ("Present:", tuning.present)
    if tuning.kept:
        yield ("The present setting stays: nothing that was tried is surely better.", "")
    elif tuning.gain is not None and tuning.choice != tuning.present:
        gained = _gain(tuning.gain)
        yield (f"Gain, on series that had no part in the choice: {gained}.", "")
    for spec, why in tuning.left_out:
        yield (f"Left out, {why}:", spec)
    for note in tuning.notes:
        yield (f"Note: {note}.", "")


def remarks(tuning: Tuning) -> tuple[str, ...]:
    """What a configuration file should say of the choice: what it rests on, and what to expect."""
    expected, labels = tuning.expected, tuning.labels
    per = "alarms a week" if tuning.weekly else "alarms per 1,000 points"
    parts = [f"{tuning.metric.name} {_interval(expected.score)}"]
    if expected.precision is not None:
        parts.append(f"precision {_interval(expected.precision)}")
    if expected.recall is not None:
        parts.append(f"recall {_interval(expected.recall)}")
    return (
        (
            f"chosen of {len(tuning.contestants)} by {labels.series} series with {labels.changes}"
            f" changes of {words.clean(tuning.dataset, 60)}"
        ),
        f"to be expected: {', '.join(parts)}",
        f"{_interval(expected.alarms, '.3g')} {per} (95 % intervals)",
    )


def _expected(expected: Expected) -> tuple[str, ...]:
    shares = (expected.score, expected.precision, expected.recall)
    shown = (words.NONE if part is None else _interval(part) for part in shares)
    return (*shown, _interval(expected.alarms, ".3g"))


def _interval(interval: Interval, form: str = ".2f") -> str:
    low, high = format(interval.low, form), format(interval.high, form)
    return f"{interval.estimate:{form}} ({low} to {high})"


def _gain(gain: Gain) -> str:
    return f"{_difference(gain)}, p = {gain.p_value:.2g}"


def _difference(gain: Gain) -> str:
    part = gain.difference
    return f"{part.estimate:+.3f} ({part.low:+.3f} to {part.high:+.3f})"


def tuning_json(tuning: Tuning) -> str:
    """*tuning* as one object of the schema ``stepmark.tune/1``; what is not known is null."""
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "dataset": tuning.dataset,
        "metric": tuning.metric.name,
        "margin": tuning.margin,
        "folds": tuning.folds,
        "seed": tuning.seed,
        "labels": asdict(tuning.labels),
        "choice": tuning.choice,
        "expected": asdict(tuning.expected),
        "alarms": "week" if tuning.weekly else "1000 points",
        "limit": tuning.limit,
        "present": tuning.present,
        "present_expected": _as_dict(tuning.present_expected),
        "gain": _as_dict(tuning.gain),
        "kept": tuning.kept,
        "nothing": tuning.nothing,
        "candidates": [asdict(contestant) for contestant in tuning.contestants],
        "left_out": [{"spec": spec, "reason": reason} for spec, reason in tuning.left_out],
        "warnings": list(tuning.warnings),
        "notes": list(tuning.notes),
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def ensembles_json(search: EnsembleSearch) -> dict[str, Any]:
    """*search* as an object of the schema ``stepmark.bench/1``."""
    return {
        "metric": search.metric,
        "margin": search.margin,
        "series": list(search.series),
        "single": {"method": search.single, "score": search.single_score},
        "held_out": {
            "ensemble": search.held_out_score,
            "single": search.held_out_single,
            "gain": asdict(search.gain),
        },
        "folds": search.folds,
        "tried": search.tried,
        "results": [
            {
                "members": list(result.recipe.members),
                "kind": result.recipe.kind,
                "rule": {
                    "quorum": result.recipe.rule.quorum,
                    "tolerance": result.recipe.rule.tolerance,
                    "apart": result.recipe.rule.apart,
                    "trusting": result.recipe.rule.trusting,
                },
                "spec": result.spec or None,
                "score": result.score,
                "gain": asdict(result.gain),
                "chosen": result.chosen,
            }
            for result in search.results
        ],
        "left_out": [{"method": name, "reason": reason} for name, reason in search.left_out],
    }


def _as_dict(value: Any) -> dict[str, Any] | None:
    return None if value is None else asdict(value)


def ensembles_page(search: EnsembleSearch) -> Page:
    """What ensembles gain over the best single method, and which are the best."""
    sentences = (
        (f"Best single method, {search.single_score:.4f}:", search.single),
        (
            (
                f"Chosen and judged on different series ({search.folds} folds), the best ensemble"
                f" reaches {search.held_out_score:.4f}, the best single method"
                f" {search.held_out_single:.4f}; gain {_gain(search.gain)}"
            ),
            "",
        ),
        (
            (
                "The gains below are on the series that chose, from"
                f" {search.tried:,} ensembles: they flatter."
            ),
            "",
        ),
        *((f"Left out, {why}:", name) for name, why in search.left_out),
    )
    rows = tuple(
        (
            words.clean(result.spec or str(result.recipe), None),
            f"{result.score:.4f}",
            _difference(result.gain),
            f"{result.gain.p_value:.2g}",
            f"{result.chosen} of {search.folds}",
        )
        for result in search.results
    )
    heads = ("Ensemble", "Score", "Gain", "p", "Chosen")
    best = search.results[0].spec
    return Page(
        f"Ensembles by {METRICS[search.metric].title}, margin {search.margin},"
        f" {words.plural(len(search.series), 'series')} without missing results",
        sentences,
        (Sheet.plain(heads, rows),),
        () if search.gain.difference.low > 0 else ("the gain is not surely above 0",),
        f'stepmark detect --detector "{best}" FILE' if best else "",
    )
