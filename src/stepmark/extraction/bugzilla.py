# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A client of Bugzilla's public API, as far as extraction needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stepmark.extraction import checks
from stepmark.remote import RefusedError, Remote

SERVER = "https://bugzilla.mozilla.org"
BUGS_A_REQUEST = 50
KEY_VARIABLE = "STEPMARK_BUGZILLA_API_KEY"
KEY_HEADER = "x-bugzilla-api-key"

FIELDS = (
    "id",
    "type",
    "summary",
    "status",
    "resolution",
    "is_open",
    "is_confirmed",
    "priority",
    "severity",
    "creator",
    "creator_detail",
    "assigned_to",
    "assigned_to_detail",
    "creation_time",
    "last_change_time",
    "cf_last_resolved",
    "product",
    "component",
    "classification",
    "version",
    "platform",
    "op_sys",
    "keywords",
    "whiteboard",
    "url",
    "cc",
    "cc_detail",
    "flags",
    "depends_on",
    "blocks",
    "regressed_by",
    "regressions",
    "duplicates",
    "dupe_of",
    "triage_owner",
    "comment_count",
    "votes",
    "cf_performance_impact",
)

_REFUSALS = {100: "not known", 101: "not known", 102: "not public"}


@dataclass(frozen=True, slots=True)
class Bugzilla:
    """Typed questions to a Bugzilla server. All raise the errors of `stepmark.remote`."""

    remote: Remote

    def bugs(self, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Those of at most `BUGS_A_REQUEST` bugs that may be seen, by number."""
        answer = self.remote.get(
            "/rest/bug",
            [("id", ",".join(map(str, numbers))), ("include_fields", ",".join(FIELDS))],
        )
        return _bugs(answer)

    def bug(self, number: int) -> dict[str, Any] | str:
        """One bug, or why Bugzilla refuses it: ``not public``, ``not known``."""
        try:
            found = _bugs(
                self.remote.get(f"/rest/bug/{number}", [("include_fields", ",".join(FIELDS))])
            )
        except RefusedError as error:
            if error.code not in _REFUSALS:
                raise
            return _REFUSALS[error.code]
        return found.get(number, "not known")

    def history(self, number: int) -> list[dict[str, Any]]:
        """The changes of a bug, the oldest first."""
        answer = checks.an_object(self.remote.get(f"/rest/bug/{number}/history"), "history")
        bugs = checks.objects(answer.get("bugs"), "history")
        return [h for bug in bugs for h in checks.objects(bug.get("history"), "history")]


def _bugs(answer: Any) -> dict[int, dict[str, Any]]:
    found = checks.objects(checks.an_object(answer, "bugs").get("bugs"), "bugs")
    return {checks.a_whole(bug.get("id"), "id of a bug"): bug for bug in found}
