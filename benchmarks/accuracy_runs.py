# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Runs detectors on labelled series, over processes: what each found, beside the truth."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from typing import Any, Protocol, Self, cast

import numpy as np

from stepmark.changes import Detection
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.opening import open_dataset
from stepmark.datasets.synthetic import Setting, history
from stepmark.evaluation.replay import OnlineScore, judge, replay
from stepmark.evaluation.trials import cores
from stepmark.plugins import Detector, parse_detector
from stepmark.series import Signal

ORACLE = "told of one change"
BATCH = 10
PLAIN = Setting()
DETECTOR = "stepmark.detectors.stepmark"

# What `stepmark` is without one of its parts: the constants of its module that say so.
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "two-band noise": {"GAPS": ()},
    "autocorrelated noise": {"CORRELATIONS": (0.0,)},
    "changes of scale by themselves": {"DRIFT": 1e-12},
    "comparison with a line": {"BEYOND_A_LINE": -np.inf},
    "segments that are lines": {"LEAST_WANDERING": 2.0},
}


class Source(Protocol):
    """Labelled series by number; equal sources have the same series."""

    @property
    def kind(self) -> str: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LabelledSeries: ...


@dataclass(frozen=True)
class Histories:
    """Synthetic histories of one kind, length and seed."""

    kind: str
    n: int
    count: int
    seed: int
    steps: tuple[tuple[int, float], ...] | None = None
    setting: Setting = PLAIN

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> LabelledSeries:
        return history(
            self.kind, self.n, self.seed, index=index, steps=self.steps, setting=self.setting
        )


@dataclass(frozen=True)
class Stored:
    """The series of a data set in a folder, those without labels left out."""

    path: str

    @property
    def kind(self) -> str:
        return "stored"

    def __len__(self) -> int:
        return len(_opened(self.path))

    def __getitem__(self, index: int) -> LabelledSeries:
        return _opened(self.path).members[index]


@cache
def _opened(path: str) -> Dataset:
    return open_dataset(path)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a detector found in a series; places are positions, missing points counted.

    Attributes:
        source: the kind of series.
        length: number of positions.
        annotators: the true places by annotator.
        places, scores: what was found.
        online: how the reports came as the points came in, where that was asked.
    """

    source: str
    length: int
    annotators: Mapping[str, tuple[int, ...]]
    places: tuple[int, ...]
    scores: tuple[float, ...] = ()
    online: OnlineScore | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    spec: str
    without: str
    source: Source
    first: int
    stop: int
    start: int | None


class _Oracle:
    """The best place of one change for the mean: what least squares finds when told of one."""

    def detect(self, signal: Signal) -> Detection:
        values = np.asarray(signal.values)
        n = values.size
        before = np.cumsum(values)[:-1]
        left = np.arange(1, n)
        gain = (before - left * values.mean()) ** 2 / (left * (n - left))
        return Detection(n, (1 + int(gain.argmax()),))


def detector(spec: str) -> Detector:
    """The detector of that spec, or the `ORACLE`."""
    return cast("Detector", _Oracle()) if spec == ORACLE else parse_detector(spec)


class Laboratory:
    """Processes that run detectors; each question is answered once.

    Progress goes to standard error.
    """

    def __init__(self, workers: int = 0) -> None:
        self._pool = ProcessPoolExecutor(workers or cores(), get_context("spawn"))
        self._known: dict[tuple[str, str, int | None, Source], tuple[Answer, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ask(
        self,
        spec: str,
        sources: Sequence[Source],
        *,
        without: str = "",
        start: int | None = None,
    ) -> tuple[Answer, ...]:
        """What *spec* finds in all series, in order, *without* one of `ABLATIONS`.

        With *start* it is asked again and again as the points come in, from so many points on.
        """
        missing = [s for s in sources if (spec, without, start, s) not in self._known]
        tasks = [
            _Task(spec, without, source, first, min(first + BATCH, len(source)), start)
            for source in missing
            for first in range(0, len(source), BATCH)
        ]
        title = spec + (f" without {without}" if without else "")
        answers = self._run(title, tasks)
        for source in missing:
            own = tuple(islice(answers, len(source)))
            self._known[spec, without, start, source] = own
        return tuple(a for s in sources for a in self._known[spec, without, start, s])

    def _run(self, title: str, tasks: Sequence[_Task]) -> Iterator[Answer]:
        begin = time.perf_counter()
        for done, answers in enumerate(self._pool.map(_answers, tasks), 1):
            if sys.stderr.isatty():
                print(f"\r\x1b[K{title}: {done} of {len(tasks)}", end="", file=sys.stderr)
            if done == len(tasks):
                series = sum(task.stop - task.first for task in tasks)
                taken = time.perf_counter() - begin
                print(f"\r{title}: {series:,} series, {taken:.1f} s", file=sys.stderr, flush=True)
            yield from answers


def _answers(task: _Task) -> list[Answer]:
    with _patched(ABLATIONS[task.without]):
        asked = detector(task.spec)
        return [
            _answer(asked, task.source.kind, task.source[i], task.start)
            for i in range(task.first, task.stop)
        ]


def _answer(asked: Detector, kind: str, member: LabelledSeries, start: int | None) -> Answer:
    signal, annotators = member.series.signal(), member.annotators
    if start is not None:
        online = judge(replay(asked, signal, start=start), annotators)
        return Answer(kind, member.length, annotators, (), (), online)
    found = asked.detect(signal)
    return Answer(kind, member.length, annotators, member.positions(found), found.scores)


@contextmanager
def _patched(constants: Mapping[str, Any]) -> Iterator[None]:
    module = importlib.import_module(DETECTOR)
    kept = {name: getattr(module, name) for name in constants}
    for name, value in constants.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)
