# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The rules of curation: what is left out, joined or noted, each named and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST_EXAMPLES = 5
_LONGEST_EXAMPLE = 120


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, what is counted (of *about*), and what is done with it."""

    name: str
    about: str
    sentence: str


RULES = (
    Rule(
        "cell-wrong",
        "cells",
        "A cell of the alerts or bugs is not of its column's type: it is taken as empty.",
    ),
    Rule(
        "object-wrong",
        "objects",
        "An object of the extraction is not of the API's form: it is left out.",
    ),
    Rule("alert-without-identity", "alerts", "An alert has no id, series or summary: left out."),
    Rule(
        "alert-twice",
        "alerts",
        "An alert is given twice: it is kept once, as the summary that was made last has it.",
    ),
    Rule(
        "alert-of-unread-summary",
        "alerts",
        "An alert is known only as related to another summary, for its own was not read: it is"
        " left out, and its summary is listed to be read.",
    ),
    Rule(
        "summary-open",
        "summaries",
        "A summary is untriaged or investigated, so its labels may still change: it is kept, and"
        " listed to be read again.",
    ),
    Rule(
        "alert-without-series",
        "alerts",
        "The series of an alert has no points here: the alert is kept without a place.",
    ),
    Rule(
        "alert-without-push",
        "alerts",
        "It is not known when the push of an alert landed: the alert is kept without a place.",
    ),
    Rule(
        "alert-push-not-measured",
        "alerts",
        "The push of an alert is not in its series: its place is the next measured revision.",
    ),
    Rule(
        "alert-outside-series",
        "alerts",
        "The push of an alert lies before the second or after the last revision of its series,"
        " where no change can be placed: the alert is kept without a place.",
    ),
    Rule(
        "alert-duplicate",
        "alerts",
        "Another alert names the same series and push: the one that was judged, or else the"
        " first, counts, and the other is labelled duplicate.",
    ),
    Rule(
        "alerts-at-one-place",
        "alerts",
        "Alerts of different pushes have one place: its rows name the one that was judged, or"
        " else the first.",
    ),
    Rule(
        "reassigned-placed",
        "alerts",
        "An alert was reassigned to another push: it is placed at that push.",
    ),
    Rule(
        "marker-t",
        "alerts",
        "The t value is 1000, which marks an infinite one or an alert created by hand: it is kept,"
        " and the column t_is_marker tells it.",
    ),
    Rule(
        "bug-not-given",
        "bugs",
        "An alert names a bug of Bugzilla that is not there or not public: its label does without.",
    ),
    Rule("bug-without-alert", "bugs", "No alert names a bug: it is kept."),
    Rule("bug-twice", "bugs", "A bug is given twice: it is kept once, as it changed last."),
    Rule(
        "series-without-points",
        "series",
        "A series has a file, but no measurement that can be used: it is left out.",
    ),
    Rule(
        "series-not-extracted",
        "series",
        "A series is described, but its measurements were not read: it is left out.",
    ),
    Rule(
        "series-unreadable",
        "files",
        "The file of a series is damaged or is no such table: it is left out.",
    ),
    Rule(
        "series-not-described",
        "series",
        "The measurements of a series are there, but no description: it is kept with what is"
        " known.",
    ),
    Rule(
        "series-in-several-files",
        "series",
        "A series lies in several folders of its repository: its measurements are joined.",
    ),
    Rule(
        "series-of-one-hash",
        "series",
        "Several series of a repository have one signature hash: they stay apart, for a series is"
        " known by repository and signature id.",
    ),
    Rule(
        "point-of-another-series",
        "measurements",
        "A row names another series or repository than its file: it is left out.",
    ),
    Rule(
        "point-not-finite",
        "measurements",
        "A value is missing, no finite number, or beyond 1e150: the measurement is left out.",
    ),
    Rule(
        "point-without-push",
        "measurements",
        "A measurement has no id, push or push time: it is left out, for its place is not known.",
    ),
    Rule(
        "point-of-long-text",
        "measurements",
        "A revision or the name of a machine has more than 4,096 bytes: the measurement is left"
        " out.",
    ),
    Rule("point-twice", "measurements", "A measurement is given twice: it is kept once."),
    Rule(
        "point-conflict",
        "measurements",
        "Two measurements of a series have one id and differ: the first is kept, by push time,"
        " push, value and job.",
    ),
    Rule(
        "push-of-two-times",
        "revisions",
        "The measurements of a push have several push times: the earliest is taken.",
    ),
)


class Ledger:
    """How often each rule applied, with the first examples."""

    __slots__ = ("_counts", "_examples")

    def __init__(self) -> None:
        self._counts: dict[str, int] = dict.fromkeys((rule.name for rule in RULES), 0)
        self._examples: dict[str, list[str]] = {rule.name: [] for rule in RULES}

    def add(self, rule: str, count: int = 1, examples: Iterable[object] = ()) -> None:
        """The *rule* applied *count* times more, to *examples* among others."""
        self._counts[rule] += count
        kept = self._examples[rule]
        for example in examples:
            if len(kept) >= MOST_EXAMPLES:
                break
            text = str(example)
            kept.append(text if len(text) <= _LONGEST_EXAMPLE else f"{text[:117]}...")

    def count(self, rule: str) -> int:
        """How often *rule* applied."""
        return self._counts[rule]

    def document(self) -> list[dict[str, Any]]:
        """Every rule in order: name, about, sentence, count, examples."""
        return [
            {
                "rule": rule.name,
                "about": rule.about,
                "sentence": rule.sentence,
                "count": self._counts[rule.name],
                "examples": self._examples[rule.name],
            }
            for rule in RULES
        ]
