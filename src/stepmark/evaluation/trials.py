# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Runs detectors on labelled series: in parallel, resumable, with failures as results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import SpecError, UsageError
from stepmark.evaluation.journal import Journal, run_key, signal_digest
from stepmark.evaluation.workers import Answer, Batch, execute
from stepmark.plugins import parse_detector
from stepmark.series import Signal

Progress = Callable[[int, int], None]

# So many runs are given to a process at a time: fewer, and the processes wait for each other.
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that takes part.

    Attributes:
        method: the family it competes in.
        spec: of the detector.
        default: whether it is the family's default configuration.
    """

    method: str
    spec: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    key: str
    signal: Signal
    spec: str


def run(
    candidates: Sequence[Candidate],
    dataset: Dataset,
    *,
    workers: int = 0,
    timeout: float | None = None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Every candidate on every series: series by series, in the order of *candidates*.

    The order and the places do not depend on the number of *workers* (processes; 0: one a core).
    A run that raises an error, ends its process or takes longer than *timeout* seconds is an
    outcome without places. What stands in the file *journal* is not run again; every answer is
    added to it as it comes, so that a study that was killed goes on from there. *progress* is told
    (done, all). Raises `UsageError` for a number that makes no sense, `InputError` for a file that
    is no journal.
    """
    if workers < 0:
        raise UsageError(f"workers is a number from 0, not {workers}")
    if timeout is not None and not timeout > 0:
        raise UsageError(f"timeout is a number of seconds above 0, not {timeout:g}")
    specs = _canonical(candidates)
    signals = {member.name: member.series.signal() for member in dataset}
    digests = {name: signal_digest(signal) for name, signal in signals.items()}
    distinct = dict.fromkeys(form for form in specs.values() if isinstance(form, str))
    keys = {
        (name, spec): run_key(signal, spec) for name, signal in digests.items() for spec in distinct
    }
    answers: dict[str, Answer] = {}
    book = Journal(journal)
    try:
        missing: dict[str, _Run] = {}
        for (name, spec), key in keys.items():
            known = book.find(key, len(signals[name]), timeout)
            if known is not None:
                answers[key] = known
            else:
                missing[key] = _Run(key, signals[name], spec)
        _compute(list(missing.values()), answers, book, workers, timeout, progress)
    finally:
        book.close()

    outcomes = []
    for member in dataset:
        for candidate in candidates:
            form = specs[candidate.spec]
            answer = answers[keys[member.name, form]] if isinstance(form, str) else form
            outcomes.append(_outcome(member, candidate, answer))
    return outcomes


def _canonical(candidates: Sequence[Candidate]) -> dict[str, str | Answer]:
    """For each spec its canonical form, or the answer where it is refused."""
    forms: dict[str, str | Answer] = {}
    for candidate in candidates:
        if candidate.spec not in forms:
            try:
                forms[candidate.spec] = str(parse_detector(candidate.spec))
            except SpecError as error:
                forms[candidate.spec] = Answer(Status.FAILED, error=str(error))
    return forms


def _compute(
    runs: Sequence[_Run],
    answers: dict[str, Answer],
    book: Journal,
    workers: int,
    timeout: float | None,
    progress: Progress | None,
) -> None:
    done = before = len(answers)
    if progress is not None:
        progress(done, before + len(runs))
    if not runs:
        return
    # The longest first, so that no process is left alone with one of them at the end.
    batches = sorted(_batches(runs), key=lambda batch: -len(batch.signal))
    with closing(execute(batches, workers or cores(), timeout)) as results:
        for number, answer in results:
            one = runs[number]
            answers[one.key] = answer
            book.add(one.key, answer, timeout)
            done += 1
            if progress is not None:
                progress(done, before + len(runs))


def _batches(runs: Sequence[_Run]) -> Iterator[Batch]:
    """The *runs*, which are in order of series, in parts of one series each."""
    start = 0
    for stop in range(1, len(runs) + 1):
        full = stop - start == _BATCH or stop == len(runs)
        if full or runs[stop].signal is not runs[start].signal:
            part = tuple((i, runs[i].spec) for i in range(start, stop))
            yield Batch(runs[start].signal, part)
            start = stop


def _outcome(member: LabelledSeries, candidate: Candidate, answer: Answer) -> Outcome:
    return Outcome(
        series=member.name,
        method=candidate.method,
        configuration=candidate.spec,
        status=answer.status,
        places=member.positions(answer.indices),
        seconds=answer.seconds,
        error=answer.error,
        default=candidate.default,
    )


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
