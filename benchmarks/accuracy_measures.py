# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the answers of a detector are worth: measures of many answers, each a pure function."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from accuracy_runs import Answer, Histories, detector
from stepmark.datasets.synthetic import SUITE
from stepmark.evaluation.metrics import MARGIN, Counts, counts, covering, matches, tcpdbench_f1
from stepmark.evaluation.replay import OnlineScore
from stepmark.evaluation.statistics import Interval, bootstrap_interval

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """Mean F1 and covering as TCPDBench has them, with bootstrap intervals over the series."""

    f1: Interval
    covering: Interval
    series: int


def quality(answers: Sequence[Answer]) -> Quality:
    f1 = [tcpdbench_f1(a.annotators, a.places).f1 for a in answers]
    covers = [covering(a.annotators, a.places, length=a.length) for a in answers]
    return Quality(bootstrap_interval(f1), bootstrap_interval(covers), len(answers))


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else math.nan


def alarms(answers: Sequence[Answer]) -> Share:
    """The series in which anything was found."""
    return Share(sum(bool(a.places) for a in answers), len(answers))


def found_alone(answers: Sequence[Answer]) -> Share:
    """The series with one true change in which one was found, within the margin of it."""
    found = 0
    for answer in answers:
        ((truth,),) = answer.annotators.values()
        found += len(answer.places) == 1 and abs(answer.places[0] - truth) <= MARGIN
    return Share(found, len(answers))


def pooled(answers: Iterable[Answer]) -> Counts:
    """Hits, misses and false alarms of all series together, without place 0."""
    return sum((counts(a.annotators, a.places) for a in answers), Counts())


@dataclass(frozen=True, slots=True)
class Tenth:
    """Reports whose scores lie in one tenth of 0 to 1: their mean score, and the hits."""

    low: float
    score: float
    hits: Share

    @property
    def gap(self) -> float:
        """By how much the share of hits exceeds the mean score."""
        return self.hits.value - self.score

    @property
    def error(self) -> float:
        """The standard error of the share of hits."""
        return math.sqrt(self.score * (1 - self.score) / self.hits.whole)


def reliability(answers: Iterable[Answer]) -> tuple[Tenth, ...]:
    """The tenths of the score that have reports; a hit is matched to a change, one to one."""
    by_tenth: dict[int, list[tuple[float, bool]]] = {}
    for answer in answers:
        truth = {place for places in answer.annotators.values() for place in places}
        hits = {found for _, found in matches(truth, answer.places)}
        for place, score in zip(answer.places, answer.scores, strict=True):
            tenth = min(int(score * TENTHS), TENTHS - 1)
            by_tenth.setdefault(tenth, []).append((score, place in hits))
    return tuple(
        Tenth(
            tenth / TENTHS,
            statistics.fmean(score for score, _ in reports),
            Share(sum(hit for _, hit in reports), len(reports)),
        )
        for tenth, reports in sorted(by_tenth.items())
    )


def lived_through(answers: Iterable[Answer]) -> OnlineScore:
    """All that was reported as the points came in."""
    return sum((a.online for a in answers if a.online is not None), OnlineScore())


def by_kind(answers: Iterable[Answer]) -> Mapping[str, tuple[Answer, ...]]:
    found: dict[str, tuple[Answer, ...]] = {}
    for answer in answers:
        found[answer.source] = (*found.get(answer.source, ()), answer)
    return found


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds for *series* series, of which *run* were run: by the clock, and of processors."""

    seconds: float
    processor: float
    series: int
    run: int


def speed(
    spec: str, seed: int, *, run: int, series: int, points: int = 2_100, threads: int = 2
) -> Speed:
    """How long *series* histories of the seven kinds take on so many threads, by *run* of them."""
    share = -(-run // len(SUITE))
    members = [Histories(kind, points, share, seed)[i] for i in range(share) for kind in SUITE]
    signals = [member.series.signal() for member in members[:run]]
    detect: Callable[..., object] = detector(spec).detect
    detect(signals[0])
    with ThreadPoolExecutor(threads) as pool:
        begin, used = time.perf_counter(), time.process_time()
        for _ in pool.map(detect, signals):
            pass
        taken, used = time.perf_counter() - begin, time.process_time() - used
    return Speed(taken * series / run, used * series / run, series, run)
