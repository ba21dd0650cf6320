# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Names of files that some formats write with the place where they once lay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath


def short_paths(paths: Iterable[str]) -> dict[str, str]:
    """The shortest end of each path that no other one has, with slashes between its parts.

    A run on another machine, or in another folder, then gives the same names. A relative path is
    kept whole.
    """
    parts = {path: _parts(path) for path in dict.fromkeys(paths)}
    ends = Counter(end for own in parts.values() for end in _ends(own))
    return {
        path: "/".join(own)
        if not _is_absolute(path)
        else next((end for end in _ends(own) if ends[end] == 1), "/".join(own))
        for path, own in parts.items()
    }


def _is_absolute(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def _parts(path: str) -> tuple[str, ...]:
    windows = PureWindowsPath(path)
    if windows.is_absolute() and windows.drive:
        return windows.parts[1:]
    own = PurePosixPath(path)
    return own.parts[1:] if own.is_absolute() else own.parts


def _ends(parts: tuple[str, ...]) -> list[str]:
    return ["/".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]
