# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The part of a run that brings signatures and measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any

from stepmark.extraction import rows as rows_module
from stepmark.extraction.folder import alerts_of
from stepmark.extraction.progress import watched
from stepmark.extraction.rows import NOTHING, Rows, rows_of
from stepmark.extraction.session import LEAST_SPAN, OVERLAP, Run
from stepmark.extraction.split import Piece, Range, in_pieces
from stepmark.extraction.treeherder import Framework, Repository, SeriesOf
from stepmark.extraction.workers import concurrently
from stepmark.files import file_name


@dataclass(frozen=True, slots=True)
class Job:
    """A series to ask for.

    Attributes:
        which: The series.
        since: Where it is known to be new from; None to ask for all of it.
    """

    which: SeriesOf
    since: datetime | None

    @property
    def part(self) -> str:
        """Its name in the journal."""
        return f"series {file_name(self.which.repository)} {self.which.signature}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is there of a series already, and what the server gave for each range of time."""

    there: Rows
    pieces: list[Piece[Rows]]


def bring_series(run: Run, repositories: list[Repository], frameworks: list[Framework]) -> None:
    """Bring the signatures that are asked for, and the measurements of their series."""
    alerted = _alerted(run) if run.asked.series == "alerted" else None
    jobs: list[Job] = []
    pairs = list(product(repositories, frameworks))
    with run.watch("signatures") as tell:
        for repository, framework in watched(pairs, len(pairs), tell):
            jobs += _jobs(run, repository.name, framework.id, alerted)
    with run.watch("series") as tell:
        answers = concurrently(partial(_answer, run), jobs)
        for job, answer in watched(answers, len(jobs), tell):
            _keep(run, job, answer)
    if run.journal.is_resumed:
        for repository, framework in pairs:
            _see_newest(run, repository.name, framework.id)


def _see_newest(run: Run, repository: str, framework: int) -> None:
    """Note the newest measurement that an earlier part of this run has brought."""
    for number in run.folder.signatures(repository, framework):
        path = run.folder.series_path(repository, number)
        newest = rows_module.newest_in(path) if path.is_file() else None
        if newest is not None:
            run.seen(_list_of(repository, framework), newest)


def _alerted(run: Run) -> frozenset[int]:
    """The ids of the series that an alert in the folder names."""
    signatures = (
        alert.get("series_signature")
        for summary in run.folder.summaries()
        for alert in alerts_of(summary)
    )
    return frozenset(s["id"] for s in signatures if isinstance(s, dict) and "id" in s)


def _jobs(run: Run, repository: str, framework: int, alerted: frozenset[int] | None) -> list[Job]:
    """The series of a framework in a repository that may have something new."""
    last = run.since(_list_of(repository, framework))
    since = last or run.scope.start
    updated = _bring_signatures(run, repository, framework, since)
    owed = frozenset(run.state.get("owed", ()))
    whole: list[Job] = []
    known: list[Job] = []
    for number, signature in sorted(run.folder.signatures(repository, framework).items()):
        if not _is_asked(run, signature) or (alerted is not None and number not in alerted):
            continue
        job = Job(SeriesOf(repository, framework, number), None)
        if job.part in run.journal:
            continue
        if job.part in owed or not run.folder.series_path(repository, number).is_file():
            whole.append(job)
        elif number in updated:
            known.append(replace(job, since=since))
    return whole + (known if last is None else _changed(run, known, since))


def _list_of(repository: str, framework: int) -> str:
    return f"signatures {file_name(repository)} {framework}"


def _bring_signatures(run: Run, repository: str, framework: int, since: datetime) -> set[int]:
    """Bring the signatures that were updated since then; their ids."""

    def ask(updated: Range, halving: bool) -> dict[int, dict[str, Any]]:
        subtests = run.asked.subtests is True
        return run.server.signatures(
            repository, framework, updated, subtests=subtests, halving=halving
        )

    found: set[int] = set()
    run.whole.add(_list_of(repository, framework))
    for piece in in_pieces(Range(since, run.ahead), ask, LEAST_SPAN):
        if piece.answer is None:
            place = f"{repository}, framework {framework}, {piece.range}"
            run.left_out.add(f"signatures: {piece.reason}", place)
            run.whole.discard(_list_of(repository, framework))
            continue
        asked = {n: run.clean(s) for n, s in piece.answer.items() if _is_asked(run, s)}
        merged = run.folder.merge_signatures(repository, framework, asked)
        run.brought.signatures += merged.new
        found.update(asked)
    return found


def _is_asked(run: Run, signature: Mapping[str, Any]) -> bool:
    is_subtest = signature.get("parent_signature") is not None
    return (run.asked.subtests is True or not is_subtest) and run.asked.matches(
        signature.get("machine_platform"), signature.get("suite")
    )


def _changed(run: Run, jobs: list[Job], since: datetime) -> list[Job]:
    """Those of the *jobs*, all of one framework, whose series have other measurements than ours.

    One survey of all series is a few requests, where asking for each is thousands.
    """
    if not jobs:
        return []
    window = Range(since, run.pushed.stop)
    first = jobs[0].which
    theirs: dict[int, list[int | None]] = {}
    for subtests in (False, True) if run.asked.subtests else (False,):

        def ask(part: Range, halving: bool, kind: bool = subtests) -> dict[int, list[int | None]]:
            return run.server.survey(
                first.repository, first.framework, part, subtests=kind, halving=halving
            )

        for piece in in_pieces(window, ask, LEAST_SPAN):
            if piece.answer is None:
                return jobs
            for number, found in piece.answer.items():
                theirs.setdefault(number, []).extend(found)
    return [
        job
        for job in jobs
        if Counter(theirs.get(job.which.signature, ())) != Counter(_jobs_there(run, job, window))
    ]


def _jobs_there(run: Run, job: Job, window: Range) -> list[int | None]:
    """The job of each measurement in the folder within a range of time."""
    path = run.folder.series_path(job.which.repository, job.which.signature)
    return rows_module.jobs_in(path, window.start, window.stop)


def _answer(run: Run, job: Job) -> Answer:
    """Ask for a series; runs beside others, and writes nothing."""
    path = run.folder.series_path(job.which.repository, job.which.signature)
    there, start = NOTHING, run.pushed.start
    if path.is_file():
        frame, metadata = run.folder.series(path)
        there = rows_of(frame, metadata)
        if job.since is not None:
            start = _continued(run, job.since, there, metadata)
    known = frozenset(there.by_id) if run.asked.replicates else None

    def ask(pushed: Range, halving: bool) -> Rows:
        return run.server.series(job.which, pushed, known, halving=halving)

    return Answer(there, list(in_pieces(Range(start, run.pushed.stop), ask, LEAST_SPAN)))


def _continued(run: Run, since: datetime, there: Rows, metadata: Mapping[str, Any]) -> datetime:
    """Where to go on with a series that is there up to its newest push."""
    newest = there.newest()
    if newest is None:
        return run.pushed.start
    complete = min(newest, datetime.fromisoformat(metadata["to"]))
    return max(run.pushed.start, min(since, complete - OVERLAP))


def _keep(run: Run, job: Job, answer: Answer) -> None:
    """Put what came of a series into the folder."""
    rows = answer.there
    missing = [piece for piece in answer.pieces if piece.answer is None]
    for piece in answer.pieces:
        if piece.answer is None:
            place = f"{job.which.repository} {job.which.signature}, {piece.range}"
            run.left_out.add(f"series: {piece.reason}", place)
        else:
            rows = rows.joined(_cleaned(run, piece.answer))
    _keep_owed(run, job.part, owed=bool(missing))
    if len(missing) < len(answer.pieces):
        _write(run, job.which, rows, [piece.range for piece in missing])
        run.brought.series += rows.by_id != answer.there.by_id
        run.brought.measurements += len(rows) - len(answer.there)
    if not missing:
        run.journal.done(job.part)


def _keep_owed(run: Run, part: str, *, owed: bool) -> None:
    """Remember a series with something missing: the next run asks for all of it again."""
    parts: list[str] = run.state.setdefault("owed", [])
    if owed != (part in parts):
        (parts.append if owed else parts.remove)(part)
        run.folder.write_state(run.state)


def _write(run: Run, which: SeriesOf, rows: Rows, missing: list[Range]) -> None:
    metadata = {
        **rows.header,
        "from": run.pushed.start.isoformat(),
        "to": (run.scope.stop or run.started).isoformat(),
    }
    if missing:
        metadata["left_out"] = [[m.start.isoformat(), m.stop.isoformat()] for m in missing]
    run.folder.write_series(which.repository, which.signature, rows, metadata)
    for row in rows.by_id.values():
        run.saw_push(which.repository, row.push_id)
    newest = rows.newest()
    if newest is not None:
        run.seen(_list_of(which.repository, which.framework), newest)


def _cleaned(run: Run, rows: Rows) -> Rows:
    """*rows* as they may be kept."""
    if run.asked.people:
        return rows
    named = {n: r for n, r in rows.by_id.items() if r.machine_name and "@" in r.machine_name}
    clean = {n: r._replace(machine_name=run.clean(r.machine_name)) for n, r in named.items()}
    return Rows(run.clean(dict(rows.header)), {**rows.by_id, **clean})
