# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Joins the parts: read, analyse, check. The only module that knows them all.

bytes -> source -> measurements -> series -> detector -> places -> described changes -> verdicts ->
gate -> `Summary`. Data goes one way.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, TypeVar

import stepmark
from stepmark.alerts.compliance import compliance
from stepmark.alerts.policy import (
    SAME_PLACE,
    Judgement,
    Outcome,
    counts,
    gate,
    judged,
    new_changes,
)
from stepmark.changes import Change, Detection, describe
from stepmark.config import DEFAULT_DETECTOR, Settings, Thresholds
from stepmark.errors import InputError, SignalError, UsageError, suggest
from stepmark.execution import Progress, map_series
from stepmark.plugins import Demanding, Detector, Probable, parse_detector
from stepmark.reports.summary import PROBABILITY, SCORE, SeriesSummary, Summary
from stepmark.series import (
    Aggregate,
    Direction,
    Failure,
    Series,
    SeriesKey,
    Signal,
    Skipped,
    assemble,
)

if TYPE_CHECKING:
    from stepmark.explanation import Explanation

_T = TypeVar("_T")
_SHORTEST_PREFIX = 4  # of a revision


def detect(
    values: Iterable[Any] | Signal, detector: str | Detector = DEFAULT_DETECTOR
) -> Detection:
    """The places where *values* change.

    *values* is a sequence of numbers, or of sequences of numbers (the replicates of one revision
    each); *detector* is a spec such as ``mdl(search=jumpavg)`` or a detector object.
    Raises `SignalError` for numbers that cannot be judged and `SpecError` for a bad spec.
    """
    return parse_detector(detector).detect(Signal.of(values))


def read(
    source: str | PathLike[str] | bytes | IO[Any],
    format: str = "auto",  # noqa: A002 - the word of the command line
) -> list[Series]:
    """The series of *source*: a path, or content.

    A str or PathLike is a path (known directory layouts included), bytes or a file object is
    content. A file with failed results only gives an empty list. Raises `InputError` naming file,
    place and remedy.
    """
    return load([source], format, Settings()).series


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: series in order of appearance, failed runs, parts left out, warnings."""

    series: list[Series]
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def load(
    files: Sequence[Any],
    format: str,  # noqa: A002 - the word of the command line
    settings: Settings,
    direction: Direction | None = None,
) -> Loaded:
    """Read *files* as one history; *direction* is used for series whose data do not say."""
    from stepmark.sources.reading import garbage_collection_paused, read_sources

    with garbage_collection_paused():
        parsed = read_sources(files, format, settings.columns)
        skipped = list(parsed.skipped)
        try:
            series = assemble(parsed.measurements, skipped)
        except InputError as error:
            raise InputError(f"{_named(files)}: {error}") from None
    return Loaded([_settled(s, settings, direction) for s in series], parsed.failures, skipped)


def _named(files: Sequence[Any]) -> str:
    """What a message calls *files*: the only one by its name."""
    only = files[0] if len(files) == 1 else None
    return os.fspath(only) if isinstance(only, (str, PathLike)) else "the input"


def _settled(series: Series, settings: Settings, direction: Direction | None) -> Series:
    """*series* with unit and direction from data, else from rules, else from the option."""
    chosen = settings.for_series(series.key)
    return replace(
        series,
        unit=series.unit or chosen.unit or "",
        direction=series.direction or chosen.direction or direction,
    )


def analyse(
    loaded: Loaded,
    settings: Settings,
    *,
    scope: Scope | None = None,
    progress: Progress | None = None,
    title: str = "Stepmark report",
) -> Summary:
    """Find and judge the changes of all series; with a *scope*, say for each whether it passes."""
    judge_one = partial(_judge_series, settings=settings, scope=scope)
    items = list(map_series(judge_one, loaded.series, progress))
    unknown = [item.name for item in items if item.changes and item.direction is None]
    return Summary(
        version=stepmark.__version__,
        detector=str(parse_detector(settings.detector)),
        series=tuple(items),
        failures=tuple(loaded.failures),
        skipped=tuple(loaded.skipped),
        warnings=tuple(_direction_warning(unknown)),
        title=title,
    )


def _direction_warning(unknown: Sequence[str]) -> list[str]:
    if not unknown:
        return []
    named = unknown[0] + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else "")
    problem = f"which way is better is unknown for {named}: changes are neutral"
    return [f"{problem}; pass --direction lower|higher or set it in stepmark.toml"]


def _judge_series(series: Series, settings: Settings, scope: Scope | None) -> SeriesSummary:
    chosen = settings.for_series(series.key)
    detector = parse_detector(chosen.detector)
    signal = series.signal(settings.aggregate)
    note = ""
    try:
        detection = detector.detect(signal)
    except SignalError as error:
        raise SignalError(f"{series.key}: {error}") from None
    needed = _needed(detector, chosen.thresholds)
    if len(series) < needed:
        detection = Detection(len(series))
        note = f"{len(series)} point(s), at least {needed} are needed"
    segments, changes = describe(series, detection, _plain(settings.aggregate))
    changes = judged(changes, series.direction, chosen.thresholds)
    judgement = None
    if scope is not None:
        judgement = (
            Judgement(Outcome.UNJUDGED, (), note)
            if note
            else _gate_series(series, changes, detector, settings, scope)
        )
    return SeriesSummary(
        series=series,
        detector=str(detector),
        evidence=PROBABILITY if isinstance(detector, Probable) else SCORE,
        aggregate=_plain(settings.aggregate),
        segments=segments,
        changes=changes,
        row=compliance(series, segments, changes, settings.compliance),
        judgement=judgement,
        note=note,
    )


def _needed(detector: Detector, thresholds: Thresholds) -> int:
    """The fewest points that are judged."""
    own = detector.fewest if isinstance(detector, Demanding) else 0
    return max(own, thresholds.min_points)


def _plain(aggregate: Aggregate) -> Aggregate:
    """How points are shown: their mean where the detector saw all samples."""
    return Aggregate.MEAN if aggregate is Aggregate.SAMPLES else aggregate


@dataclass(frozen=True, slots=True)
class Scope:
    """Which points the gate judges: the last ones, those after a place, or those after a base.

    Attributes:
        last: so many last points; used where nothing else is given.
        since: a revision (or its beginning) or a date; every change after it is judged.
        base: for each series the number of its points that are the baseline's.
    """

    last: int = 1
    since: str = ""
    base: Mapping[SeriesKey, int] | None = None


def _gate_series(
    series: Series,
    changes: Sequence[Change],
    detector: Detector,
    settings: Settings,
    scope: Scope,
) -> Judgement:
    thresholds = settings.for_series(series.key).thresholds
    needed = _needed(detector, thresholds)
    first_new, reach = len(series) - min(scope.last, len(series)), None
    if scope.since:
        place = _after(series, scope.since)
        if place is None:
            return Judgement(Outcome.UNJUDGED, (), f"{scope.since} is not in it")
        first_new, reach = place, 0
    elif scope.base is not None:
        first_new = scope.base.get(series.key, 0)
        # Of a baseline too short to be judged, nothing is known that could have been known.
        reach = SAME_PLACE if first_new >= needed else 0
        if first_new in (0, len(series)):
            reason = "the baseline does not have it" if first_new == 0 else "no new points"
            return Judgement(Outcome.UNJUDGED, (), reason)
    earlier: Sequence[Change] = ()
    if reach != 0 and first_new >= needed:
        before = replace(series, points=series.points[:first_new])
        detection = detector.detect(before.signal(settings.aggregate))
        _, earlier = describe(before, detection, _plain(settings.aggregate))
    fresh = new_changes(
        [c for c in changes if counts(c, thresholds)],
        [c for c in earlier if counts(c, thresholds)],
        first_new,
        reach,
    )
    if fresh or (not scope.since and scope.base is None):
        return gate(fresh)
    return _passed(len(series) - first_new, detector)


def _passed(points: int, detector: Detector) -> Judgement:
    """The word on so many new *points* that brought no change; no other run will judge them."""
    wanted = detector.fewest_new if isinstance(detector, Demanding) else 0
    if not 0 < points < wanted:
        return gate(())
    reason = f"{points} new point(s), {detector.name} needs {wanted} to see a change"
    return Judgement(Outcome.UNJUDGED, (), reason)


def _after(series: Series, since: str) -> int | None:
    """The first point after the revision or date *since*; None where it cannot be placed."""
    place = _at_revision(series, since)
    if place is not None:
        return place + 1
    moment = parse_moment(since)
    return None if moment is None else _landed(series, moment, bisect_right)


def _at_revision(series: Series, text: str) -> int | None:
    """The point of the revision *text*, or of the only one that begins so; None if there is none.

    Raises `UsageError` where *text* begins several.
    """
    revisions = [point.revision for point in series.points]
    if text and text in revisions:
        return revisions.index(text)
    matches = [i for i, revision in enumerate(revisions) if revision.startswith(text)]
    if len(text) < _SHORTEST_PREFIX or not matches:
        return None
    if len(matches) > 1:
        raise UsageError(f"revision {text}: begins {len(matches)} revisions; give more of it")
    return matches[0]


def _landed(series: Series, moment: datetime, place: Callable[..., int]) -> int | None:
    """Where `bisect` *place*s *moment* among the points' times; None where they have none."""
    times = [point.landed for point in series.points]
    return place(times, moment) if series.timed else None


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 date or time (UTC where no offset is given), or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def check(
    loaded: Loaded,
    settings: Settings,
    scope: Scope,
    *,
    base: Loaded | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Analyse and gate; with *base*, each series is judged as the continuation of its baseline.

    Raises `UsageError` where `scope.since` is in no series at all.
    """
    if base is not None:
        loaded, lengths = _continued(loaded, base)
        scope = replace(scope, base=lengths)
    if scope.since and loaded.series and all(_after(s, scope.since) is None for s in loaded.series):
        raise UsageError(
            f"--since {scope.since}: no such revision or date in the data; give a revision that"
            " was measured, or a date such as 2026-01-31"
        )
    return analyse(loaded, settings, scope=scope, progress=progress, title="Stepmark check")


def _continued(loaded: Loaded, base: Loaded) -> tuple[Loaded, dict[SeriesKey, int]]:
    baselines = {series.key: series for series in base.series}
    joined, lengths = [], {}
    for series in loaded.series:
        baseline = baselines.get(series.key)
        if baseline is None:
            joined.append(series)
            continue
        known = {p.revision for p in baseline.points if p.revision}
        points = (*baseline.points, *(p for p in series.points if p.revision not in known))
        times = [p.landed for p in points]
        if any(t is None for t in times) or sorted(times) != times:  # type: ignore[type-var]
            # A branch's revisions may be older than its base's last: the order is base, then head.
            points = tuple(replace(p, landed=None) for p in points)
        joined.append(
            Series(
                series.key,
                points,
                _agreed(series.key, "unit", series.unit, baseline.unit) or "",
                _agreed(series.key, "direction", series.direction, baseline.direction),
            )
        )
        lengths[series.key] = len(baseline)
    return replace(loaded, series=joined), lengths


def _agreed(key: SeriesKey, what: str, mine: _T | None, theirs: _T | None) -> _T | None:
    if mine and theirs and mine != theirs:
        raise InputError(f"{key}: its {what} is {mine}, but {theirs} in the baseline")
    return mine or theirs


def explained(loaded: Loaded, name: str, at: str | None, settings: Settings) -> list[Explanation]:
    """Explanations of one place of the series *name*, or of every change found in it.

    *name* is the series' name, a glob or a part of it; *at* a revision (or its beginning), the
    number of a point, or a date (its first point, or the next one after it). Raises `UsageError`
    where either fits nothing, or *name* several.
    """
    from stepmark.explanation import explain

    series = _one_series(loaded.series, name)
    chosen = settings.for_series(series.key)
    detector = parse_detector(chosen.detector)
    if at is not None:
        places = [_place(series, at)]
    else:
        places = list(detector.detect(series.signal(settings.aggregate)).indices)
    return [explain(series, detector, p, chosen.thresholds, settings.aggregate) for p in places]


def _one_series(series: Sequence[Series], name: str) -> Series:
    names = {str(item.key): item for item in series}
    if name in names:
        return names[name]
    found = [n for n in names if fnmatchcase(n, name)] or [n for n in names if name in n]
    if len(found) == 1:
        return names[found[0]]
    if found:
        listed = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        raise UsageError(f"series {name!r} fits {len(found)} series: {listed}; give one name")
    listed = ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
    raise UsageError(f"no series {name!r}{suggest(name, names)}; there are: {listed or 'none'}")


def _place(series: Series, at: str) -> int:
    place, moment = _at_revision(series, at), parse_moment(at)
    if place is None and moment is not None:
        place = _landed(series, moment, bisect_left)
    if place is None and at.isdecimal() and len(at) < 9:
        place = int(at)
    if place is None:
        raise UsageError(f"--at {at}: no such revision, date or point in {series.key}")
    if not 0 < place < len(series):
        raise UsageError(f"--at {at}: a change has points on both sides; 0 < point < {len(series)}")
    return place
