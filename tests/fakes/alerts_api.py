# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Answers about alerts and their summaries."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

from fakes.catalogue import SHERIFFED
from fakes.model import Alert, AlertStatus, Job, Signature, Summary, SummaryStatus
from fakes.rules import due, epoch, naive
from fakes.series_api import RefusedError, integers
from fakes.serving import Answer, Asked
from fakes.view import View

_ALERT_PAGE = 10
_SET_ASIDE = {SummaryStatus.DOWNSTREAM, SummaryStatus.REASSIGNED, SummaryStatus.INVALID}


def summaries(view: View, asked: Asked, withheld: int = 0) -> Any:
    """One page; the *withheld* newest have not arrived yet."""
    found = sorted(view.summaries.values(), key=lambda s: (s.created, s.id), reverse=True)
    found = [s for s in found[withheld:] if _asked_for(view, asked, s)]
    ordering = (asked.last("ordering") or "").split(",")[0]
    if ordering.lstrip("-") in {"created", "id", "status", "framework"}:
        found.sort(key=lambda s: getattr(s, ordering.lstrip("-")), reverse=ordering[0] == "-")
    start, stop, links = _paged(asked, len(found))
    with_profiles = asked.last("id") is not None
    results = [summary(view, s, with_profiles=with_profiles) for s in found[start:stop]]
    return {"count": len(found), **links, "results": results}


def one_summary(view: View, asked: Asked, number: str) -> Any:
    del asked
    found = view.summaries.get(int(number)) if number.isdigit() else None
    if found is None:
        detail = "No PerformanceAlertSummary matches the given query."
        raise RefusedError(Answer(404, {"detail": detail}))
    return summary(view, found)


def tasks(view: View, asked: Asked) -> Any:
    text = asked.last("id") or ""
    found = view.summaries.get(int(text)) if text.isdigit() else None
    if found is None:
        problem = "PerformanceAlertSummary does not exist."
        raise RefusedError(Answer(400, {"message": [problem]}))
    jobs = (view.job_of(a.signature_id, found.push_id) for a in found.alerts)
    return {"id": found.id, "tasks": sorted({job.type_name for job in jobs if job})}


def _asked_for(view: View, asked: Asked, s: Summary) -> bool:
    if not view.repositories[s.repository].active:
        return False
    number = ["Enter a number."]
    by_number: dict[str, Callable[[Summary], set[int]]] = {
        "id": lambda s: {s.id},
        "status": lambda s: {int(s.status)},
        "framework": lambda s: {s.framework},
        "repository": lambda s: {view.repositories[s.repository].id},
        "alerts__series_signature": lambda s: {a.signature_id for a in s.alerts},
    }
    for name, values in by_number.items():
        if text := asked.last(name):
            wanted = integers([text], {name: number})[0]
            if wanted not in values(s):
                return False
    if asked.last("id") is None and s.sheriffed == asked.flag("monitored_alerts"):
        return False
    if text := asked.last("timerange"):
        seconds = integers([text], {"timerange": number})[0]
        if not view.recent(view.pushes[s.push_id].time, seconds):
            return False
    if (text := asked.last("with_assignee")) and (
        s.assignee is None or s.assignee.username != text
    ):
        return False
    return _by_flags(view, asked, s) and _by_text(view, asked.last("filter_text") or "", s)


def _by_flags(view: View, asked: Asked, s: Summary) -> bool:
    related = view.related[s.id]
    untriaged = [a.is_regression for a in s.alerts if a.status == AlertStatus.UNTRIAGED]
    worse = any(untriaged) or any(a.is_regression for a in related)
    flags = {
        "hide_improvements": any(a.is_regression for a in s.alerts),
        "hide_related_and_invalid": s.status not in _SET_ASIDE,
        "untriaged_regressions": worse,
        "untriaged_improvements": bool(untriaged) and not any(untriaged),
        "show_sheriffed_frameworks": s.framework in SHERIFFED,
    }
    return all(holds for name, holds in flags.items() if asked.flag(name))


def _by_text(view: View, text: str, s: Summary) -> bool:
    words = text.split()
    if not words:
        return True
    for alert in (*s.alerts, *view.related[s.id]):
        series = view.signatures[alert.signature_id]
        parts = (series.suite, series.test, series.platform, " ".join(series.extra_options))
        bug = str(s.bug_number or "")
        searched = " ".join((*parts, bug, view.pushes[s.push_id].revision))
        if all(word in searched for word in words):
            return True
    return False


def _paged(asked: Asked, count: int) -> tuple[int, int, dict[str, str | None]]:
    limit = asked.last("limit") or ""
    size = min(int(limit), 100) if limit.isdigit() and int(limit) > 0 else 10
    last = max(1, -(-count // size))
    text = asked.last("page") or "1"
    number = last if text == "last" else int(text) if text.isdigit() else 0
    if not 1 <= number <= last:
        raise RefusedError(Answer(404, {"detail": "Invalid page."}))
    links = {
        "next": _link(asked, number + 1) if number < last else None,
        "previous": _link(asked, number - 1) if number > 1 else None,
    }
    return (number - 1) * size, number * size, links


def _link(asked: Asked, number: int) -> str:
    query = {k: v for k, v in sorted(asked.parameters.items()) if k != "page"}
    if number > 1:
        query = dict(sorted({**query, "page": [str(number)]}.items()))
    text = urlencode(query, doseq=True)
    return f"{asked.base}{asked.path}" + (f"?{text}" if text else "")


def summary(view: View, s: Summary, *, with_profiles: bool = False) -> dict[str, Any]:
    push, prev = view.pushes[s.push_id], view.pushes[s.prev_push_id]
    original = view.pushes[s.original_push_id]
    original_prev = view.pushes[s.original_prev_push_id]
    twins = view.duplicates[s.repository, s.framework, s.push_id]
    return {
        "id": s.id,
        "push_id": s.push_id,
        "prev_push_id": s.prev_push_id,
        "original_revision": original.revision,
        "created": naive(s.created),
        "first_triaged": naive(s.first_triaged),
        "triage_due_date": naive(due(s.created, 2)),
        "repository": s.repository,
        "framework": s.framework,
        "alerts": [alert(view, s, a, with_profiles=with_profiles) for a in s.alerts[::-1]],
        "related_alerts": [
            alert(view, view.summaries[a.summary_id], a) for a in view.related[s.id]
        ],
        "status": int(s.status),
        "bug_number": s.bug_number,
        "bug_status": s.bug_status,
        "bug_due_date": naive(due(s.created, 4)),
        "bug_updated": naive(s.bug_updated),
        "issue_tracker": s.issue_tracker,
        "notes": s.notes,
        "revision": push.revision,
        "push_timestamp": epoch(push.time),
        "prev_push_revision": prev.revision,
        "original_prev_push_revision": original_prev.revision,
        "assignee_username": s.assignee and s.assignee.username,
        "assignee_email": s.assignee and s.assignee.mail,
        "performance_tags": list(s.tags),
        "duplicated_summaries": [
            {"id": twin.id, "status": int(twin.status)} for twin in twins if twin is not s
        ],
    }


def alert(view: View, s: Summary, a: Alert, *, with_profiles: bool = False) -> dict[str, Any]:
    series = view.signatures[a.signature_id]
    job = view.job_of(a.signature_id, s.original_push_id)
    prev = view.job_of(a.signature_id, s.original_prev_push_id)
    profiled = with_profiles and a.is_regression and series.framework == 13
    return {
        "id": a.id,
        "status": int(a.status),
        "series_signature": _series(series),
        "taskcluster_metadata": _task(job),
        "prev_taskcluster_metadata": _task(prev),
        "profile_url": _profile(job, series) if profiled else None,
        "prev_profile_url": _profile(prev, series) if profiled else None,
        "is_regression": a.is_regression,
        "prev_value": round(a.prev_value, 2),
        "new_value": round(a.new_value, 2),
        "t_value": round(a.t_value, 2),
        "amount_abs": round(a.amount_abs, 2),
        "amount_pct": round(a.amount_pct, 2),
        "summary_id": a.summary_id,
        "related_summary_id": a.related_summary_id,
        "manually_created": a.manually_created,
        "classifier": a.classifier and a.classifier.username,
        "starred": a.starred,
        "classifier_email": a.classifier and a.classifier.mail,
        "backfill_record": a.backfill
        and {
            "context": a.backfill.context,
            "status": a.backfill.status,
            "total_actions_triggered": a.backfill.triggered,
            "total_backfills_failed": a.backfill.failed,
            "total_backfills_successful": a.backfill.successful,
            "total_backfills_in_progress": a.backfill.in_progress,
        },
        "side_by_side_available": a.backfill is not None and series.framework == 13,
        "noise_profile": a.noise_profile,
    }


def _series(s: Signature) -> dict[str, Any]:
    return {
        "id": s.id,
        "framework_id": s.framework,
        "signature_hash": s.hash,
        "machine_platform": s.platform,
        "suite": s.suite,
        "test": s.test,
        "lower_is_better": s.lower_is_better,
        "has_subtests": s.has_subtests,
        "option_collection_hash": s.option_hash,
        "tags": list(s.tags) or [""],
        "extra_options": list(s.extra_options) or [""],
        "measurement_unit": s.unit,
        "suite_public_name": None,
        "test_public_name": None,
    }


def _task(job: Job | None) -> dict[str, Any] | None:
    return None if job is None else {"task_id": job.task_id, "retry_id": 0}


def _profile(job: Job | None, series: Signature) -> str | None:
    if job is None:
        return None
    host = "https://firefox-ci-tc.services.mozilla.com/api/queue/v1/task"
    return f"{host}/{job.task_id}/runs/0/artifacts/public/test_info/profile_{series.suite}.zip"


def alerts(view: View, asked: Asked) -> Any:
    """Ten alerts, newest id first, with cursors to the ten after and before."""
    found = sorted(view.alerts.values(), key=lambda a: -a.id)
    if text := asked.last("id"):
        wanted = integers([text], {"id": ["Enter a number."]})[0]
        found = [a for a in found if a.id == wanted]
    backwards, position = _cursor(asked.last("cursor"))
    if backwards:
        kept = [a for a in found if a.id > position][-_ALERT_PAGE:]
    else:
        kept = [a for a in found if position == 0 or a.id < position][:_ALERT_PAGE]
    more = bool(kept) and kept[-1] is not found[-1]
    less = bool(kept) and kept[0] is not found[0]
    return {
        "next": _cursor_link(asked, {"p": kept[-1].id}) if more else None,
        "previous": _cursor_link(asked, {"r": 1, "p": kept[0].id}) if less else None,
        "results": [alert(view, view.summaries[a.summary_id], a) for a in kept],
    }


def one_alert(view: View, asked: Asked, number: str) -> Any:
    del asked
    found = view.alerts.get(int(number)) if number.isdigit() else None
    if found is None:
        detail = "No PerformanceAlert matches the given query."
        raise RefusedError(Answer(404, {"detail": detail}))
    return alert(view, view.summaries[found.summary_id], found)


def _cursor(text: str | None) -> tuple[bool, int]:
    if not text:
        return False, 0
    try:
        parts = parse_qs(base64.b64decode(text).decode("ascii"))
        return "r" in parts, int(parts["p"][0])
    except (ValueError, KeyError):
        raise RefusedError(Answer(404, {"detail": "Invalid cursor"})) from None


def _cursor_link(asked: Asked, position: dict[str, int]) -> str:
    cursor = base64.b64encode(urlencode(position).encode()).decode()
    query = {k: v for k, v in asked.parameters.items() if k != "cursor"} | {"cursor": [cursor]}
    return f"{asked.base}{asked.path}?{urlencode(dict(sorted(query.items())), doseq=True)}"
