# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What an extraction is asked for; the folder keeps it, and later runs go on with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from stepmark.errors import InputError, UsageError, suggest
from stepmark.extraction.folder import Folder
from stepmark.extraction.treeherder import Framework, Repository

Which = Literal["all", "alerted", "none"]
DEFAULT_SINCE = "90d"
_LONGEST_DAYS = 36_500
_OPTIONS = {
    "repositories": "--repository",
    "frameworks": "--framework",
    "platforms": "--platform",
    "suites": "--suite",
    "people": "--with-people",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to extract, as the user put it; None is the default.

    Attributes:
        repositories: Names; else all that alerts are made for.
        frameworks: Names or ids; else all.
        platforms, suites: Globs; a series must match one of each, a summary must have an alert
            that does.
        since: First day, or days before the first run as ``90d``.
        until: The end; else each run's own time.
        replicates: Whether the replicates of each measurement are wanted.
        subtests: Whether series with a parent are wanted.
        series: Which series: all, those that an alert names, or none.
        people: Whether e-mail addresses are kept.
    """

    repositories: tuple[str, ...] | None = None
    frameworks: tuple[str, ...] | None = None
    platforms: tuple[str, ...] | None = None
    suites: tuple[str, ...] | None = None
    since: str | None = None
    until: str | None = None
    replicates: bool | None = None
    subtests: bool | None = None
    series: Which | None = None
    people: bool | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def matches(self, platform: object, suite: object) -> bool:
        """Whether a series on *platform* of *suite* is asked for."""
        return _fits(platform, self.platforms) and _fits(suite, self.suites)


@dataclass(frozen=True, slots=True)
class Scope:
    """What was asked for, with its times worked out: from *start* up to *stop*, None for no end."""

    asked: Asked
    start: datetime
    stop: datetime | None

    def document(self) -> dict[str, Any]:
        """The part ``asked`` of ``extraction.json``."""
        stop = self.stop.isoformat() if self.stop else None
        return {**self.asked.document(), "from": self.start.isoformat(), "to": stop}


def scope_of(given: Asked, now: datetime) -> Scope:
    """The scope of a first run at *now*; raises `UsageError` for times that mean nothing."""
    since = given.since or DEFAULT_SINCE
    asked = replace(
        given,
        since=since,
        replicates=given.replicates is not False,
        subtests=given.subtests is not False,
        series=given.series or "all",
        people=given.people is True,
    )
    start = moment(since, now, "--since")
    stop = None if asked.until is None else moment(asked.until, now, "--until")
    if start >= (stop or now):
        raise UsageError(f"--since {asked.since}: is not before the end; nothing lies between")
    return Scope(asked, start, stop)


def kept_scope(folder: Path, document: Mapping[str, Any], given: Asked) -> Scope:
    """The scope that a folder's *document* keeps.

    Raises `UsageError` if an option that is *given* now says something else.
    """
    kept = document.get("asked")
    try:
        if not isinstance(kept, dict):
            raise TypeError
        values = {field.name: kept[field.name] for field in fields(Asked)}
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        asked = Asked(**known)
        start = datetime.fromisoformat(kept["from"])
        stop = None if kept["to"] is None else datetime.fromisoformat(kept["to"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{folder}/extraction.json: damaged: what was asked is missing") from None
    for field in fields(Asked):
        now, before = getattr(given, field.name), getattr(asked, field.name)
        if now is not None and now != before:
            raise UsageError(
                f"{folder}: was asked with {_OPTIONS.get(field.name, f'--{field.name}')}"
                f" {_shown(before)}, not {_shown(now)}; leave the option out to go on with it, or"
                " name another folder"
            )
    return Scope(asked, start, stop)


def chosen_server(folder: Folder, which: str, given: str | None) -> str | None:
    """The server that a folder's part *which* comes from, else the *given* one.

    Raises `UsageError` if both are known and differ.
    """
    kept = folder.document().get(which) if folder.exists() else None
    if not isinstance(kept, str):
        return given
    if given is not None and given.rstrip("/") != kept:
        raise UsageError(
            f"{folder.path}: comes from {kept}, not {given}; leave --server out to go on with it,"
            " or name another folder"
        )
    return kept


def moment(text: str, now: datetime, option: str) -> datetime:
    """The time that ``90d`` (before *now*) or an ISO date or time means, in UTC."""
    days = re.fullmatch(r"(\d{1,6})d", text)
    try:
        if days and int(days[1]) <= _LONGEST_DAYS:
            return (now - timedelta(days=int(days[1]))).astimezone(UTC).replace(microsecond=0)
        time = datetime.fromisoformat(text)
        return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text:.40}: is a date, or days back, as 90d") from None


def chosen_repositories(asked: Asked, there: Sequence[Repository]) -> list[Repository]:
    """The repositories to extract; raises `UsageError` for one that is not there."""
    if asked.repositories is None:
        alerting = [repository for repository in there if repository.alerting]
        if not alerting:
            listed = ", ".join(repository.name for repository in there)
            raise UsageError(
                f"it makes alerts for no repository: name one with --repository: {listed:.200}"
            )
        return alerting
    by_name = {repository.name: repository for repository in there}
    for name in asked.repositories:
        if name not in by_name:
            raise UsageError(
                f"--repository {name:.60}: the server has no active one{suggest(name, by_name)}"
            )
    return [by_name[name] for name in dict.fromkeys(asked.repositories)]


def chosen_frameworks(asked: Asked, there: Sequence[Framework]) -> list[Framework]:
    """The frameworks to extract; raises `UsageError` for one that is not there."""
    if asked.frameworks is None:
        return list(there)
    known = {framework.name: framework for framework in there}
    known |= {str(framework.id): framework for framework in there}
    for name in asked.frameworks:
        if re.fullmatch(r"[0-9]{1,9}", name):  # the server lists no retired ones
            known.setdefault(name, Framework(int(name), name))
        if name not in known:
            listed = ", ".join(framework.name for framework in there)
            raise UsageError(
                f"--framework {name:.60}: the server has none{suggest(name, known)}; it has"
                f" {listed:.200}"
            )
    return list(dict.fromkeys(known[name] for name in asked.frameworks))


def _fits(value: object, globs: tuple[str, ...] | None) -> bool:
    return globs is None or (
        isinstance(value, str) and any(fnmatchcase(value, glob) for glob in globs)
    )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "all" if value is None else str(value)
