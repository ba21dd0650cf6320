# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Answers about series and measurements: signatures, data, job data, summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.measuring import OPTIONS
from fakes.model import Measurement, Signature
from fakes.rules import epoch, naive
from fakes.serving import SERVER_ERROR, Answer, Asked
from fakes.view import View


class RefusedError(Exception):
    """Carries the answer to a request that cannot be served."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def integers(values: Iterable[str], error: Any) -> list[int]:
    try:
        return [int(value) for value in values]
    except ValueError:
        raise RefusedError(error if isinstance(error, Answer) else Answer(400, error)) from None


def moment(text: str | None, error: Answer = SERVER_ERROR) -> datetime | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(error) from None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def known_project(view: View, project: str) -> None:
    if project not in view.repositories:
        raise RefusedError(SERVER_ERROR)


def signatures(view: View, asked: Asked, project: str) -> Any:
    known_project(view, project)
    return {str(s.id): properties(s) for s in _selected(view, asked, project)}


def platforms(view: View, asked: Asked, project: str) -> Any:
    known_project(view, project)
    return list(dict.fromkeys(s.platform for s in _selected(view, asked, project)))


def _selected(view: View, asked: Asked, project: str) -> list[Signature]:
    found = list(view.series(project))
    interval, start, end = _range(asked)
    if interval is not None and (start or end):
        message = "Provide either interval only -or- start (and end) date"
        raise RefusedError(Answer(400, {"message": message}))
    ids = integers(asked.all("id"), {"message": "One or more id values invalid (must be integer)"})
    frameworks = integers(asked.all("framework"), SERVER_ERROR)
    hashes, parents = asked.all("signature"), asked.all("parent_signature")
    top_only = asked.last("subtests") in {"0", "false"}
    platform = asked.last("platform")
    tests: list[tuple[bool, Callable[[Signature], bool]]] = [
        (bool(ids), lambda s: s.id in ids),
        (bool(frameworks), lambda s: s.framework in frameworks),
        (bool(hashes), lambda s: s.hash in hashes),
        (bool(parents), lambda s: s.parent is not None and s.parent_hash in parents),
        (top_only, lambda s: s.parent is None),
        (platform is not None, lambda s: s.platform == platform),
        (start is not None, lambda s: start is not None and s.last_updated > start),
        (end is not None, lambda s: end is not None and s.last_updated < end),
        (
            interval is not None,
            lambda s: interval is not None and view.recent(s.last_updated, interval),
        ),
    ]
    wanted = [test for asked_for, test in tests if asked_for]
    return [s for s in found if all(test(s) for test in wanted)]


def _range(asked: Asked) -> tuple[int | None, datetime | None, datetime | None]:
    interval = asked.last("interval")
    seconds = None if interval is None else integers([interval], SERVER_ERROR)[0]
    return seconds, moment(asked.last("start_date")), moment(asked.last("end_date"))


def properties(s: Signature) -> dict[str, Any]:
    """A series as /signatures/ gives it, defaults left out."""
    answer: dict[str, Any] = {
        "id": s.id,
        "signature_hash": s.hash,
        "framework_id": s.framework,
        "option_collection_hash": s.option_hash,
        "machine_platform": s.platform,
        "suite": s.suite,
        "should_alert": s.should_alert,
    }
    optional: dict[str, Any] = {
        "lower_is_better": None if s.lower_is_better else False,
        "test": s.test,
        "application": s.application,
        "has_subtests": s.has_subtests or None,
        "tags": list(s.tags),
        "parent_signature": s.parent_hash,
        "extra_options": list(s.extra_options),
        "measurement_unit": s.unit,
    }
    return answer | {k: v for k, v in optional.items() if v is not None and v not in ("", [])}


def data(view: View, asked: Asked, project: str) -> Any:
    """Measurements by hash, their values rounded."""
    jobs = integers(asked.all("job_id"), {"message": "Job id(s) must be specified as integers"})
    if asked.all("signature_id") and asked.all("signatures"):
        raise RefusedError(
            Answer(400, ["Can't specify both signature_id and signatures in same query"])
        )
    if not any(asked.all(k) for k in ("signature_id", "signatures", "push_id", "job_id")):
        need = "Need to specify either signature_id, signatures, push_id, or job_id"
        raise RefusedError(Answer(400, [need]))
    known_project(view, project)
    rows = [m for m in _rows(view, asked, project) if not jobs or m.job.id in jobs]
    answer: dict[str, list[Any]] = {}
    seen: set[tuple[int, int]] = set()
    for row in rows:
        signature, push = view.signatures[row.signature_id], view.pushes[row.push_id]
        if asked.flag("no_retriggers") and (signature.id, push.id) in seen:
            continue
        seen.add((signature.id, push.id))
        answer.setdefault(signature.hash, []).append(
            {
                "id": row.id,
                "signature_id": signature.id,
                "job_id": None if row.expired else row.job.id,
                "push_id": push.id,
                "revision": push.revision,
                "push_timestamp": epoch(push.time),
                "value": round(row.value, 2),
            }
        )
    return answer


def _rows(view: View, asked: Asked, project: str) -> Iterator[Measurement]:
    ids = set(integers(asked.all("signature_id"), SERVER_ERROR))
    pushes = set(integers(asked.all("push_id"), SERVER_ERROR))
    frameworks = set(integers(asked.all("framework"), SERVER_ERROR))
    hashes = set(asked.all("signatures"))
    interval, start, end = _range(asked)
    for signature in view.series(project):
        if (ids and signature.id not in ids) or (hashes and signature.hash not in hashes):
            continue
        if frameworks and signature.framework not in frameworks:
            continue
        for row in view.of_series[signature.id]:
            when = view.pushes[row.push_id].time
            if pushes and row.push_id not in pushes:
                continue
            if interval is not None and not view.recent(when, interval):
                continue
            if (start and when <= start) or (end and when >= end):
                continue
            yield row


def job_data(view: View, asked: Asked, project: str) -> Any:
    known_project(view, project)
    text = asked.last("job_id")
    if text is None:
        raise RefusedError(Answer(400, {"message": "job_id is required"}))
    job = integers([text], {"message": "job_id must be an integer"})[0]
    rows = [
        m
        for m in view.of_job.get(job, [])
        if not m.expired and view.pushes[m.push_id].repository == project
    ]
    if not rows:
        raise RefusedError(Answer(400, {"message": f"No data found for job_id={job}"}))
    push = view.pushes[rows[0].push_id]
    return {
        "job_id": job,
        "push_id": push.id,
        "push_timestamp": naive(push.time),
        "revision": push.revision,
        "data": [
            {
                "id": row.id,
                "signature_data": _job_properties(view.signatures[row.signature_id]),
                "value": round(row.value, 2),
            }
            for row in reversed(rows)
        ],
    }


def _job_properties(s: Signature) -> dict[str, Any]:
    kept = ("application", "has_subtests", "tags", "parent_signature")
    answer = {k: v for k, v in properties(s).items() if k not in kept}
    return {**answer, "lower_is_better": s.lower_is_better, "test": s.test or None}


def summary(view: View, asked: Asked) -> Any:
    """Series with their values: in full for one of them, in short for many."""
    repository = asked.last("repository")
    if repository is None:
        raise RefusedError(Answer(400, {"repository": ["This field is required."]}))
    if repository not in view.repositories:
        raise RefusedError(Answer(400, {"repository": [f"{repository} does not exist."]}))
    invalid = ["A valid integer is required."]
    frameworks = integers(asked.all("framework"), {"framework": invalid})
    parents = integers(asked.all("parent_signature"), {"parent_signature": invalid})
    intervals = integers(asked.all("interval"), {"interval": invalid})
    interval = intervals[-1] if intervals else None
    rows = _wanted(view, asked, interval)
    one = asked.last("signature")
    in_full = bool(one) and asked.flag("all_data")
    answer = []
    for s in view.series(repository):
        if one:
            if one not in {s.hash, str(s.id)}:
                continue
        elif (s.parent is None) != asked.flag("no_subtests"):
            continue
        if (frameworks and s.framework not in frameworks) or (parents and s.parent not in parents):
            continue
        if interval is not None and not in_full and not view.recent(s.last_updated, interval):
            continue
        answer.append(_element(view, asked, s, rows(s), in_full=in_full))
    return answer


def _wanted(
    view: View, asked: Asked, interval: int | None
) -> Callable[[Signature], list[Measurement]]:
    """Which measurements of a series are asked for, in the order they are given."""
    revision = asked.last("revision")
    problem = Answer(400, {"startday": ["Datetime has wrong format."]})
    start, end = moment(asked.last("startday"), problem), moment(asked.last("endday"), problem)
    if not revision and interval is None and not (start and end):
        need = "Required: revision, startday and endday or interval."
        raise RefusedError(Answer(400, {"non_field_errors": [need]}))

    def inside(row: Measurement) -> bool:
        push = view.pushes[row.push_id]
        if revision:
            return push.revision == revision
        if start and end:
            return start < push.time < end
        return interval is not None and view.recent(push.time, interval)

    def rows(s: Signature) -> list[Measurement]:
        kept = [row for row in view.of_series[s.id] if inside(row)]
        return sorted(kept, key=lambda r: (view.pushes[r.push_id].time, r.push_id, r.job.id))

    return rows


def _element(
    view: View, asked: Asked, s: Signature, rows: list[Measurement], *, in_full: bool
) -> dict[str, Any]:
    replicates = asked.flag("replicates")
    pairs = [
        (row, value)
        for row in rows
        for value in (row.replicates if replicates and row.replicates else (row.value,))
    ]
    if asked.flag("no_retriggers") and in_full:
        pairs = list({row.push_id: (row, value) for row, value in reversed(pairs)}.values())[::-1]
    should_alert = s.should_alert
    if should_alert is None and s.parent is not None:
        should_alert = False
    return {
        "signature_id": s.id,
        "framework_id": s.framework,
        "signature_hash": s.hash,
        "platform": s.platform,
        "test": s.test,
        "suite": s.suite,
        "lower_is_better": s.lower_is_better,
        "has_subtests": s.has_subtests,
        "tags": " ".join(s.tags),
        "values": [] if in_full else [round(value, 2) for _, value in pairs],
        "name": " ".join(x for x in (s.suite, s.test, *OPTIONS, *s.extra_options) if x),
        "parent_signature": s.parent,
        "job_ids": [] if in_full else [_job(row) for row, _ in pairs],
        "repository_name": s.repository,
        "repository_id": view.repositories[s.repository].id,
        "data": [_datum(view, row, value) for row, value in pairs] if in_full else [],
        "measurement_unit": s.unit,
        "application": s.application,
        "should_alert": should_alert,
        "alert_change_type": s.change_type,
        "alert_threshold": s.threshold,
        "submit_times": [] if in_full else [_submitted(row) for row, _ in pairs],
    }


def _job(row: Measurement) -> int | None:
    return None if row.expired else row.job.id


def _submitted(row: Measurement) -> str | None:
    return None if row.expired else naive(row.job.submitted)


def _datum(view: View, row: Measurement, value: float) -> dict[str, Any]:
    push = view.pushes[row.push_id]
    return {
        "job_id": _job(row),
        "id": row.id,
        "value": value,
        "push_timestamp": naive(push.time),
        "push_id": push.id,
        "revision": push.revision,
        "submit_time": _submitted(row),
        "machine_name": None if row.expired else row.job.machine,
    }


def days_asked(view: View, asked: Asked) -> float:
    """The length of the range of time that a request for measurements covers, in days.

    No longer than the world is old: what is before it costs nothing.
    """
    if any(asked.all(name) for name in ("revision", "push_id", "job_id")):
        return 0.0
    first, last = view.world.plan.start, view.now
    start = moment(asked.last("startday") or asked.last("start_date"))
    end = moment(asked.last("endday") or asked.last("end_date"))
    text = asked.last("interval")
    if start is None and text is not None:
        start = last - timedelta(seconds=integers([text], SERVER_ERROR)[0])
    covered = min(last, end or last) - max(first, start or first)
    return covered / timedelta(days=1)
