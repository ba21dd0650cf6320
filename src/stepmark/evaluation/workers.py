# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Processes that run detectors, and may crash or hang without harm to the others.

The executors of the standard library give up altogether when a process dies, and cannot stop a
call that takes too long; here both are answers.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from stepmark.changes import Detection
from stepmark.datasets.outcomes import Status
from stepmark.errors import StepmarkError, UsageError
from stepmark.plugins import Detector, parse_detector
from stepmark.series import Signal

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_LONGEST_ERROR = 300
_START_UP = 60.0  # seconds: the machine may be busy
_WARM_UP = tuple(float(i % 3 + 10 * (i >= 20)) for i in range(40))
# Libraries of linear algebra would start a thread a core in every process.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Answer:
    """How one call ended.

    Attributes:
        status: a call that failed or took too long has no indices.
        indices: first points of new segments.
        seconds: processor time of the call; None where it did not come to an end.
        error: why it failed, one line.
        lost: the process died in it, which may have had other reasons than the call.
    """

    status: Status
    indices: tuple[int, ...] = ()
    seconds: float | None = None
    error: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Specs to run on one signal, each with the number its answer is given under."""

    signal: Signal
    runs: tuple[tuple[int, str], ...]


def execute(
    batches: Iterable[Batch], workers: int, timeout: float | None
) -> Generator[tuple[int, Answer], None, None]:
    """Run all *batches* in so many processes; each run's number and answer, as they come.

    A run that takes more than *timeout* seconds of time by the clock is stopped. Closing the
    iterator stops all processes. Raises `UsageError` where processes cannot be started.
    """
    waiting = deque(batches)
    crew: list[_Worker] = []
    try:
        while waiting or any(worker.left for worker in crew):
            crew = [worker for worker in crew if worker.alive]
            while len(crew) < min(workers, len(waiting) + sum(bool(w.left) for w in crew)):
                crew.append(_Worker())
            for worker in crew:
                if not worker.left and waiting:
                    worker.give(waiting.popleft())
            yield from _answers(crew, waiting, timeout)
    finally:
        for worker in crew:
            worker.stop()


def _answers(
    crew: list[_Worker], waiting: deque[Batch], timeout: float | None
) -> Iterator[tuple[int, Answer]]:
    """What the crew says next; the rest of a stopped or dead worker's batch waits again."""
    busy: dict[object, _Worker] = {w.connection: w for w in crew if w.left}
    nearest = None
    if timeout is not None:
        nearest = max(0.0, min(w.due(timeout) for w in busy.values()) - time.monotonic())
    for ready in wait([worker.connection for worker in busy.values()], nearest):
        worker = busy[ready]
        answer = worker.take()
        if answer is not None:
            yield worker.done(), answer
        if not worker.alive:
            waiting.extendleft(worker.rest())
    if timeout is None:
        return
    for worker in busy.values():
        late = worker.alive and worker.left and time.monotonic() >= worker.due(timeout)
        if late and not worker.connection.poll():
            worker.stop()
            error = f"took longer than {timeout:g} s"
            yield worker.done(), Answer(Status.TIMEOUT, error=error)
            waiting.extendleft(worker.rest())


@dataclass(eq=False)
class _Worker:
    """A process and the batch it is at."""

    process: SpawnProcess = field(init=False)
    connection: Connection = field(init=False)
    signal: Signal | None = None
    left: deque[tuple[int, str]] = field(default_factory=deque)
    since: float = 0.0
    ready: bool = False
    alive: bool = True

    def __post_init__(self) -> None:
        context = get_context("spawn")  # a fork would copy threads' locks, and is not everywhere
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, batch: Batch) -> None:
        self.signal, self.left = batch.signal, deque(batch.runs)
        self.since = time.monotonic()
        with suppress(OSError):  # it has died: `take` says so
            self.connection.send((batch.signal, [spec for _, spec in batch.runs]))

    def due(self, timeout: float) -> float:
        """When the run at hand has taken too long; the start of the process is not part of it."""
        return self.since + timeout + (0.0 if self.ready else _START_UP)

    def take(self) -> Answer | None:
        """The next answer; None for the first sign of life."""
        try:
            said: Any = self.connection.recv()
        except (EOFError, OSError):
            return self._died()
        self.since = time.monotonic()
        self.ready = True
        return said if isinstance(said, Answer) else None

    def _died(self) -> Answer:
        self.stop()
        if not self.ready:
            raise UsageError(
                "a worker process could not start; a script that runs trials needs"
                ' `if __name__ == "__main__":` around what it does'
            )
        code = self.process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return Answer(Status.FAILED, error=f"its process ended with {how}", lost=True)

    def done(self) -> int:
        """The number of the run that has been answered."""
        return self.left.popleft()[0]

    def rest(self) -> list[Batch]:
        """What is left of the batch, for another worker."""
        runs, self.left = tuple(self.left), deque()
        return [Batch(self.signal, runs)] if runs and self.signal is not None else []

    def stop(self) -> None:
        self.alive = False
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection) -> None:
    """Answer one batch after the other until there is nobody to answer."""
    import signal as signals

    signals.signal(signals.SIGINT, signals.SIG_IGN)  # an interrupt is the parent's to handle
    _die_with_parent()
    for name in _ONE_THREAD:
        os.environ[name] = "1"
    connection.send("ready")
    # What a detector prints must not get between the lines of a report.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    warm: set[type[Any]] = set()
    while True:
        try:
            signal, specs = connection.recv()
            for spec in specs:
                connection.send(answer(signal, spec, warm))
        except (EOFError, OSError):
            return


def _die_with_parent() -> None:
    """End this process when its parent has been killed, even in the middle of a call."""
    from multiprocessing import parent_process
    from threading import Thread

    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


def answer(signal: Signal, spec: str, warm: set[type[Any]] | None = None) -> Answer:
    """What the detector *spec* says of *signal*; any error is an answer too.

    The first call of a class loads libraries: with *warm*, the classes that have been called, that
    is done outside the measured time.
    """
    seconds = None
    try:
        detector = parse_detector(spec)
        if warm is not None and type(detector) not in warm:
            warm.add(type(detector))
            _load(detector)
        began = time.process_time()
        found = detector.detect(signal)
        seconds = time.process_time() - began
        return _checked(found, len(signal), seconds)
    except StepmarkError as error:
        return Answer(Status.FAILED, seconds=seconds, error=_line(str(error)))
    except Exception as error:  # noqa: BLE001 - code of others, whose failure is a result
        return Answer(
            Status.FAILED, seconds=seconds, error=_line(f"{type(error).__name__}: {error}")
        )


def _load(detector: Detector) -> None:
    with suppress(Exception):  # the call that counts will say so
        detector.detect(Signal.of(_WARM_UP))


def _checked(found: object, length: int, seconds: float) -> Answer:
    if not isinstance(found, Detection) or found.length != length:
        return Answer(Status.FAILED, seconds=seconds, error="it gave no detection of this signal")
    return Answer(Status.OK, tuple(int(i) for i in found.indices), seconds)


def _line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST_ERROR else f"{joined[: _LONGEST_ERROR - 1]}…"
