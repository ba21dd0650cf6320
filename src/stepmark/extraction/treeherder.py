# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A client of Treeherder's public API, as far as extraction needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from stepmark.extraction import checks, rows
from stepmark.extraction.paging import Page
from stepmark.extraction.split import SECOND, Range, iso
from stepmark.remote import BrokenError, HeavyError, Params, RefusedError, Remote, UnavailableError

SERVER = "https://treeherder.mozilla.org"
SUMMARIES_A_PAGE = 100
PUSHES_A_PAGE = 1000
IDS_A_REQUEST = 100
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: its *id* and *name*, and whether alerts are made of its measurements."""

    id: int
    name: str
    alerting: bool


@dataclass(frozen=True, slots=True)
class Framework:
    """A performance framework."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class SeriesOf:
    """Which series: of a repository and framework, by its signature's id."""

    repository: str
    framework: int
    signature: int


@dataclass(frozen=True, slots=True)
class Treeherder:
    """Typed questions to a Treeherder server.

    All raise the errors of `stepmark.remote`; `UnavailableError` where the server has trouble
    with everything, and the other errors where it answers other questions.
    """

    remote: Remote

    def list_of(self, path: str) -> list[dict[str, Any]]:
        """The objects of a list that has no pages."""
        return checks.objects(self.remote.get(path, needed=True), path)

    def frameworks(self) -> list[dict[str, Any]]:
        """The enabled frameworks, as they are answered."""
        return self.list_of("/api/performance/framework/")

    def signatures(
        self, repository: str, framework: int, updated: Range, *, subtests: bool, halving: bool
    ) -> dict[int, dict[str, Any]]:
        """The signatures that were last updated in a range of time, by id."""
        params: list[tuple[str, str | int]] = [
            ("framework", framework),
            ("start_date", iso(updated.widened().start)),
            ("end_date", iso(updated.widened().stop)),
            ("subtests", int(subtests)),
        ]
        path = f"/api/project/{_segment(repository)}/performance/signatures/"
        answer = checks.an_object(self._get(path, params, halving=halving), "signatures")
        found = {}
        for key, value in answer.items():
            signature = checks.an_object(value, f"signature {key:.40}")
            # Older servers use the hash as key and tell the id inside.
            number = signature.get("id", int(key) if key.isdecimal() else None)
            found[checks.a_whole(number, f"id of signature {key:.40}")] = signature
        return found

    def summaries(self, page: int, repository: int, framework: int | None = None) -> Page | None:
        """A page of alert summaries, the newest first; None past the end."""
        params: list[tuple[str, str | int]] = [
            ("repository", repository),
            ("limit", SUMMARIES_A_PAGE),
            ("page", page),
        ]
        if framework is not None:
            params.append(("framework", framework))
        try:
            answer = self._get("/api/performance/alertsummary/", params)
        except RefusedError as error:
            if error.status == 404 and page > 1:
                return None
            raise
        document = checks.an_object(answer, "alert summaries")
        found = checks.objects(document.get("results"), "alert summaries")
        for summary in found:
            checks.a_whole(summary.get("id"), "id of an alert summary")
            checks.a_time(summary.get("created"), "created of an alert summary")
        count = checks.a_whole(document.get("count"), "count of alert summaries")
        return Page(count, tuple(found), document.get("next") is None)

    def summary(self, number: int) -> dict[str, Any]:
        """One alert summary."""
        answer = self._get(f"/api/performance/alertsummary/{number}/", ())
        summary = checks.an_object(answer, f"alert summary {number}")
        checks.a_whole(summary.get("id"), "id of an alert summary")
        checks.a_time(summary.get("created"), "created of an alert summary")
        return summary

    def series(
        self, which: SeriesOf, pushed: Range, known: frozenset[int] | None, *, halving: bool
    ) -> rows.Rows:
        """The measurements of pushes in a range of time.

        The replicates are asked for if there is a measurement that is not *known*; None is for
        measurements without them.
        """
        params = _series_params(which, pushed)
        for _ in range(_TRIES):
            answer = self._get("/api/performance/summary/", params, halving=halving)
            found = rows.parsed(answer).within(pushed.start, pushed.stop)
            if known is None or found.by_id.keys() <= known:
                return found
            answer = self._get(
                "/api/performance/summary/", [*params, ("replicates", "true")], halving=halving
            )
            replicates = rows.parsed_replicates(answer)
            if found.by_id.keys() <= replicates.keys():
                return rows.with_replicates(found, replicates)
        raise BrokenError("series", "measurements go while they are read")

    def survey(
        self, repository: str, framework: int, pushed: Range, *, subtests: bool, halving: bool
    ) -> dict[int, list[int | None]]:
        """The job of each measurement in a range of time, for all series that have some.

        They are either all *subtests* or all others.
        """
        params: list[tuple[str, str | int]] = [
            ("repository", repository),
            ("framework", framework),
            *_days(pushed),
            ("no_subtests", "false" if subtests else "true"),
        ]
        answer = self._get("/api/performance/summary/", params, halving=halving)
        found: dict[int, list[int | None]] = {}
        for element in checks.objects(answer, "series"):
            number = checks.a_whole(element.get("signature_id"), "signature_id")
            jobs = checks.a_list(element.get("job_ids"), "job_ids")
            found[number] = [None if j is None else checks.a_whole(j, "job_ids") for j in jobs]
        return found

    def pushes(self, repository: str, pushed: Range, *, halving: bool) -> dict[int, dict[str, Any]]:
        """The pushes in a range of time, by id."""
        found: dict[int, dict[str, Any]] = {}
        first, last = int(pushed.start.timestamp()), int(pushed.stop.timestamp())
        while True:
            params: list[tuple[str, str | int]] = [
                ("push_timestamp__gte", first),
                ("push_timestamp__lte", last),
                ("count", PUSHES_A_PAGE),
            ]
            page = self._pushes(repository, params, halving=halving)
            oldest = min((push["push_timestamp"] for push in page.values()), default=first)
            if oldest >= last and len(page) >= PUSHES_A_PAGE:
                raise BrokenError("pushes", f"over {PUSHES_A_PAGE:,} pushes in one second")
            is_new = not page.keys() <= found.keys()
            found.update(page)
            # A short page is no sign of the end: a server may allow fewer than were asked for.
            if not is_new or oldest <= first:
                return found
            last = oldest

    def newest_push(self, repository: str) -> datetime | None:
        """The time of the newest push; None where there is none."""
        times = [p["push_timestamp"] for p in self._pushes(repository, [("count", 1)]).values()]
        try:
            return max((datetime.fromtimestamp(time, UTC) for time in times), default=None)
        except (ValueError, OverflowError, OSError):
            raise checks.FormError("push_timestamp of a push", "a time", times) from None

    def pushes_by_id(self, repository: str, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Those of at most `IDS_A_REQUEST` pushes that the server knows."""
        params: list[tuple[str, str | int]] = [
            ("id__in", ",".join(map(str, ids))),
            ("count", IDS_A_REQUEST),
        ]
        return self._pushes(repository, params)

    def _pushes(
        self, repository: str, params: Params, *, halving: bool = False
    ) -> dict[int, dict[str, Any]]:
        path = f"/api/project/{_segment(repository)}/push/"
        answer = checks.an_object(self._get(path, params, halving=halving), "pushes")
        found = checks.objects(answer.get("results"), "pushes")
        for push in found:
            checks.a_whole(push.get("push_timestamp"), "push_timestamp of a push")
        return {checks.a_whole(push.get("id"), "id of a push"): push for push in found}

    def _get(self, path: str, params: Params, *, halving: bool = False) -> Any:
        try:
            return self.remote.get(path, params, halving=halving)
        except (HeavyError, BrokenError):
            # Is it the question or the server? This one costs it nothing.
            self.require_alive()
            raise

    def require_alive(self) -> None:
        """Raise `UnavailableError` if the server answers not even the simplest question."""
        try:
            self.frameworks()
        except (HeavyError, BrokenError) as error:
            raise UnavailableError(self.remote.server, error.reason) from None


def repositories_in(found: list[dict[str, Any]]) -> list[Repository]:
    """The repositories of the API's list."""
    return [
        Repository(
            checks.a_whole(item.get("id"), "id of a repository"),
            checks.a_text(item.get("name"), "name of a repository"),
            item.get("performance_alerts_enabled") is True,
        )
        for item in found
    ]


def frameworks_in(found: list[dict[str, Any]]) -> list[Framework]:
    """The frameworks of the API's list."""
    return [
        Framework(
            checks.a_whole(item.get("id"), "id of a framework"),
            checks.a_text(item.get("name"), "name of a framework"),
        )
        for item in found
    ]


def _series_params(which: SeriesOf, pushed: Range) -> list[tuple[str, str | int]]:
    return [
        ("repository", which.repository),
        ("signature", which.signature),
        ("framework", which.framework),
        *_days(pushed),
        ("all_data", "true"),
    ]


def _days(pushed: Range) -> list[tuple[str, str | int]]:
    """The bounds as the server takes them: it leaves both bounds themselves out."""
    stop = pushed.stop + SECOND if pushed.stop.microsecond else pushed.stop
    return [("startday", iso(pushed.start - SECOND)), ("endday", iso(stop))]


def _segment(name: str) -> str:
    return quote(name, safe="")
