# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The commit of a run, where a tool takes it from its user as free ``key: value`` facts."""

from __future__ import annotations

from collections.abc import Mapping

_REVISION = (
    "commit",
    "revision",
    "git_commit",
    "git_revision",
    "git_hash",
    "git_sha",
    "commit_id",
    "commit_hash",
    "commit_sha",
    "sha",
)
_TIME = ("commit_time", "commit_date", "commit_timestamp", "git_commit_time", "git_commit_date")


def revision_of(facts: Mapping[str, str]) -> tuple[str, str]:
    """The revision and the text of its time in *facts*, empty where they do not say.

    Names are compared without regard to case, and with ``-`` or a space for ``_``.
    """
    plain = {name.casefold().replace("-", "_").replace(" ", "_"): facts[name] for name in facts}
    return _first(plain, _REVISION), _first(plain, _TIME)


def _first(facts: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := facts.get(name, "").strip())), "")
