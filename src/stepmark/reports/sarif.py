# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The changes as SARIF 2.1.0 (OASIS), the exchange format of analysis results."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

from stepmark.changes import Change, Verdict
from stepmark.errors import UsageError
from stepmark.reports import words
from stepmark.reports.summary import SeriesSummary, Summary

_RULES = {
    Verdict.REGRESSION: (
        "regression",
        "error",
        "The measured thing became worse",
        "The mean of a series changed in the direction that its owners call worse.",
    ),
    Verdict.IMPROVEMENT: (
        "improvement",
        "note",
        "The measured thing became better",
        "The mean of a series changed in the direction that its owners call better.",
    ),
    Verdict.NEUTRAL: (
        "change",
        "warning",
        "The measured thing changed",
        "The mean of a series changed, too little to count or with no better direction known.",
    ),
}
_FULL_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(summary: Summary, *, repository: str = "") -> str:
    """One run with a result a change, the gravest first.

    *repository* is the address of the measured repository; with it, and where the newest revision
    is a full hash, the run says what it was of. Raises `UsageError` where it is no http(s) address.
    """
    run: dict[str, Any] = {
        "tool": {"driver": _driver(summary)},
        "invocations": [_invocation(summary)],
        "results": [_result(item, change) for item, change in words.by_importance(summary)],
    }
    if repository:
        if urlsplit(repository).scheme not in ("http", "https"):
            raise UsageError(f"a repository is an http or https address, not {repository!r}")
        revision = _newest(summary)
        if revision:
            provenance = {"repositoryUri": repository, "revisionId": revision}
            run["versionControlProvenance"] = [provenance]
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _driver(summary: Summary) -> dict[str, Any]:
    rules = [
        {
            "id": name,
            "name": name.capitalize(),
            "shortDescription": {"text": f"{short}."},
            "fullDescription": {"text": full},
            "defaultConfiguration": {"level": level},
        }
        for name, level, short, full in _RULES.values()
    ]
    driver = {"name": "Stepmark", "version": summary.version, "rules": rules}
    return {**driver, "properties": {"detector": summary.detector}}


def _invocation(summary: Summary) -> dict[str, Any]:
    texts = [words.clean(warning) for warning in summary.warnings]
    texts += [f"failed run: {words.failure(failure)}" for failure in summary.failures]
    texts += [f"skipped: {words.skipped(part)}" for part in summary.skipped]
    texts += [
        f"not judged: {words.name(item.name)}: {words.clean(words.reason(item))}"
        for item in summary.series
        if words.unjudged(item)
    ]
    notes = [{"level": "warning", "message": {"text": t}} for t in words.bounded(texts, 100)]
    return {"executionSuccessful": True, "toolExecutionNotifications": notes}


def _result(item: SeriesSummary, change: Change) -> dict[str, Any]:
    rule, level, _, _ = _RULES[change.verdict]
    if change.verdict is Verdict.NEUTRAL and item.direction is not None:
        level = "note"  # known to be too small to matter
    name = words.name(item.name, 500)
    size = words.size(change, item.series.unit)
    logical = {"name": words.clean(item.series.key.metric), "fullyQualifiedName": name}
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(change.verdict),
        "level": level,
        "message": {"text": f"{rule.capitalize()} of {name}: {size} at {words.place(change)}."},
        "locations": [{"logicalLocations": [{**logical, "kind": "resource"}]}],
        "partialFingerprints": {"stepmark/v1": _fingerprint(item, change)},
        "properties": _values(item, change),
    }
    if item.judgement is not None:
        result["baselineState"] = "new"
    return result


def _fingerprint(item: SeriesSummary, change: Change) -> str:
    """The same for one change in every run: of the series and the revisions, not of numbers."""
    key = item.series.key
    anchor: list[Any] = [change.previous_revision, change.revision]
    if not change.revision:
        anchor = [change.time.isoformat() if change.time is not None else change.index]
    identity = [key.project, key.benchmark, key.metric, key.labels, anchor]
    return hashlib.sha256(json.dumps(identity).encode("ascii")).hexdigest()


def _values(item: SeriesSummary, change: Change) -> dict[str, Any]:
    interval = change.interval
    values = {
        "index": change.index,
        "time": change.time.isoformat() if change.time is not None else None,
        "previousRevision": change.previous_revision or None,
        "revision": change.revision or None,
        "unit": item.series.unit or None,
        "direction": item.direction.value if item.direction is not None else None,
        "before": words.finite(change.before.mean),
        "after": words.finite(change.after.mean),
        "absolute": words.finite(change.absolute),
        "relative": words.finite(change.relative),
        "intervalLow": words.finite(interval[0]) if interval is not None else None,
        "intervalHigh": words.finite(interval[1]) if interval is not None else None,
        "score": words.finite(change.score),
        "detector": item.detector,
    }
    return {name: value for name, value in values.items() if value is not None}


def _newest(summary: Summary) -> str:
    """The last revision of the series if it is one full hash; empty otherwise."""
    last = {item.series.points[-1].revision for item in summary.series if item.series.points}
    revision = last.pop() if len(last) == 1 else ""
    return revision if _FULL_HASH.fullmatch(revision) else ""
