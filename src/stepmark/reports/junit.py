# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The summary as JUnit XML: one test suite, one test case a series, a failure for regressions."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from stepmark.changes import Change, Verdict
from stepmark.reports import words
from stepmark.reports.summary import SeriesSummary, Summary

# Enough for any real name, and a bound on what a CI server has to store.
_NAME = 1000
_MOST_REMARKS = 100


def render(summary: Summary) -> str:
    """An XML document; only regressions fail, and what could not be judged is skipped.

    The class of a case is the series' project and benchmark, its name the metric with the labels.
    """
    cases = [_case(item) for item in summary.series]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": "0",
    }
    root = ET.Element("testsuites", {"name": "stepmark", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": words.clean(summary.title), **counts})
    outcome = summary.outcome.value if summary.outcome is not None else ""
    _properties(suite, version=summary.version, detector=summary.detector, outcome=outcome)
    suite.extend(cases)
    remarks = _remarks(summary)
    if remarks:
        ET.SubElement(suite, "system-err").text = "\n".join(remarks)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _case(item: SeriesSummary) -> ET.Element:
    key = item.series.key
    parents = "/".join(part for part in (key.project, key.benchmark) if part)
    labels = ",".join(f"{name}={value}" for name, value in key.labels)
    name = f"{key.metric}{{{labels}}}" if labels else key.metric
    case = ET.Element(
        "testcase",
        classname=words.name(parents, _NAME) or "stepmark",
        name=words.name(name, _NAME) or "value",
        time="0",
    )
    trend = words.number(item.row.trend, item.series.unit) if item.row.trend is not None else ""
    _properties(
        case,
        unit=item.series.unit,
        direction=item.direction.value if item.direction is not None else "",
        points=str(len(item.series)),
        trend=trend,
        detector=item.detector,
    )
    _result(case, item)
    return case


def _result(case: ET.Element, item: SeriesSummary) -> None:
    regressions = [c for c in words.told(item) if c.verdict is Verdict.REGRESSION]
    if regressions:
        worst = min(regressions, key=words.importance)
        more = len(regressions) - 1
        message = _line(item, worst) + (f", and {words.plural(more, 'other')}" if more else "")
        failure = ET.SubElement(case, "failure", message=message, type="regression")
        failure.text = "\n".join(_details(item, change) for change in regressions)
    elif words.unjudged(item):
        ET.SubElement(case, "skipped", message=words.clean(words.reason(item)))
    others = [_details(item, c) for c in words.told(item) if c.verdict is not Verdict.REGRESSION]
    if others:
        ET.SubElement(case, "system-out").text = "\n".join(others)


def _line(item: SeriesSummary, change: Change) -> str:
    return f"{words.size(change, item.series.unit)} at {words.place(change)}"


def _details(item: SeriesSummary, change: Change) -> str:
    parts = [f"{change.verdict.value}: {_line(item, change)}", f"point {change.index}"]
    if change.revision and change.time is not None:
        parts.append(words.moment(change.time))
    if change.previous_revision:
        parts.append(f"last good {words.short_revision(change.previous_revision)}")
    if change.score is not None:
        parts.append(f"{item.evidence} {words.evidence(item, change)}")
    return ", ".join(parts)


def _properties(parent: ET.Element, **values: str) -> None:
    known = {name: words.clean(value) for name, value in values.items() if value}
    if known:
        properties = ET.SubElement(parent, "properties")
        for name, value in known.items():
            ET.SubElement(properties, "property", name=name, value=value)


def _remarks(summary: Summary) -> list[str]:
    lines = [f"warning: {words.clean(warning)}" for warning in summary.warnings]
    lines += [f"failed run: {words.failure(failure)}" for failure in summary.failures]
    lines += [f"skipped: {words.skipped(part)}" for part in summary.skipped]
    return words.bounded(lines, _MOST_REMARKS)
