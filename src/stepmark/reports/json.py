# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The summary as JSON, in the published form ``stepmark.detect/1``.

``schema/detect-1.json`` beside this file describes it. Fields may be added, never removed. The
text is pure ASCII, so that nothing in it acts on a terminal; one line holds one series.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from stepmark.alerts.compliance import TrendRow
from stepmark.alerts.policy import Judgement
from stepmark.changes import Change, Segment
from stepmark.reports.summary import SeriesSummary, Summary
from stepmark.reports.words import finite
from stepmark.series import Failure, SeriesKey

SCHEMA = "stepmark.detect/1"


def render(summary: Summary) -> str:
    """*summary* as one JSON object; what cannot be known is null, and so are numbers not finite."""
    document = {
        "schema": SCHEMA,
        "version": summary.version,
        "title": summary.title,
        "detector": summary.detector,
        "outcome": summary.outcome.value if summary.outcome is not None else None,
        "series": [_series(item) for item in summary.series],
        "skipped": [{"source": s.source, "reason": s.reason} for s in summary.skipped],
        "failures": [_failure(failure) for failure in summary.failures],
        "warnings": list(summary.warnings),
    }
    fields = ",\n".join(f"{_dumped(name)}: {_laid_out(value)}" for name, value in document.items())
    return f"{{{fields}}}\n"


def _dumped(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _laid_out(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _dumped(value)
    return "[\n  " + ",\n  ".join(_dumped(item) for item in value) + "\n]"


def _series(item: SeriesSummary) -> dict[str, Any]:
    return {
        "key": _key(item.series.key),
        "unit": item.series.unit or None,
        "direction": item.direction.value if item.direction is not None else None,
        "n": len(item.series),
        "detector": item.detector,
        "evidence": item.evidence,
        "aggregate": item.aggregate.value,
        "segments": [_segment(segment) for segment in item.segments],
        "changes": [_change(item, change) for change in item.changes],
        "trend": _trend(item.row),
        "judgement": _judgement(item.judgement),
        "note": item.note or None,
    }


def _key(key: SeriesKey) -> dict[str, Any]:
    return {
        "project": key.project or None,
        "benchmark": key.benchmark or None,
        "metric": key.metric or None,
        "labels": key.label_map,
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": segment.start,
        "stop": segment.stop,
        "n": segment.n,
        "mean": finite(segment.mean),
        "std": finite(segment.std),
    }


def _change(item: SeriesSummary, change: Change) -> dict[str, Any]:
    return {
        "index": change.index,
        "time": _time(change.time),
        "revision": change.revision or None,
        "previous_revision": change.previous_revision or None,
        "before": finite(change.before.mean),
        "after": finite(change.after.mean),
        "absolute": finite(change.absolute),
        "relative": finite(change.relative),
        "interval": _pair(change.interval),
        "verdict": change.verdict.value,
        "score": finite(change.score),
        "relative_interval": _pair(change.relative_interval),
        "position": item.series.points[change.index].position,
        "attributes": dict(change.attributes),
    }


def _trend(row: TrendRow) -> dict[str, Any]:
    return {
        "trend": finite(row.trend),
        "runs": row.runs,
        "short": finite(row.short),
        "long": finite(row.long),
        "regressions": row.regressions,
        "improvements": row.improvements,
    }


def _judgement(judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    return {
        "outcome": judgement.outcome.value,
        "reason": judgement.reason or None,
        "changes": [change.index for change in judgement.changes],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "key": _key(failure.key),
        "revision": failure.revision or None,
        "time": _time(failure.landed),
        "reason": failure.reason,
        "source": failure.source,
        "attributes": dict(failure.attributes),
    }


def _pair(interval: tuple[float, float] | None) -> list[float] | None:
    known = interval is not None and None not in map(finite, interval)
    return list(interval) if interval is not None and known else None


def _time(when: datetime | None) -> str | None:
    return when.isoformat() if when is not None else None
