# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Puts a chosen detector into the text of a configuration file, and leaves the rest as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from stepmark.errors import ConfigError

MARK = "# stepmark tune:"
"""How remarks on a choice begin, by which the next choice knows and replaces them."""

_HEADER = re.compile(r"\s*\[")
_SETTING = re.compile(
    r"""(?P<key>\s*(?:detector|"detector"|'detector')\s*=\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*')(?P<rest>\s*(?:\#.*)?)"""
)


def section(spec: str, remarks: Sequence[str]) -> str:
    """The lines that make *spec* the detector, after *remarks* as comments."""
    comments = "".join(f"{MARK} {' '.join(remark.split())}\n" for remark in remarks)
    # A spec holds no quote, no backslash and no control character.
    return f'{comments}detector = "{spec}"\n'


def with_detector(text: str, spec: str, remarks: Sequence[str], table: Sequence[str] = ()) -> str:
    """*text*, which is TOML, with *spec* as the detector of *table* (empty: the top level).

    The setting is replaced where it stands, with the remarks of an earlier choice, or else put
    where the table begins; comments, order and line ends stay. Nothing else changes, which is
    verified by reading both texts. Raises `ConfigError` saying what to write by hand where that
    cannot be done.
    """
    before = _parsed(text)
    lines = text.split("\n")
    newline = "\r" if len(lines) > 1 and lines[0].endswith("\r") else ""
    fresh = [f"{line}{newline}" for line in section(spec, remarks).splitlines()]
    changed = "\n".join(_placed(lines, fresh, table))
    try:
        after = _parsed(changed)
    except ConfigError:
        after = None
    if after is None or after != _expected(before, spec, table):
        where = f" in [{'.'.join(table)}]" if table else ""
        raise ConfigError(
            f'the detector cannot be put in safely; write detector = "{spec}"{where} by hand'
        )
    return changed


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not valid TOML: {error}") from None


def _expected(document: dict[str, Any], spec: str, table: Sequence[str]) -> dict[str, Any] | None:
    """*document* with the detector set; None where *table* is something else than a table."""
    if not table:
        return document | {"detector": spec}
    inner = document.get(table[0], {})
    if not isinstance(inner, dict):
        return None
    return document | {table[0]: _expected(inner, spec, table[1:])}


def _placed(lines: list[str], fresh: list[str], table: Sequence[str]) -> list[str]:
    """*lines* with *fresh* in them; that the result means what it should is for others to see.

    Lines are what stands between line feeds: the last one is empty where a file ends as it should.
    """
    header, stop = _extent(lines, table)
    start = header + 1
    for i in range(start, stop):
        match = _SETTING.fullmatch(lines[i].rstrip())
        if match is not None:
            first = i
            while first > start and lines[first - 1].startswith(MARK):
                first -= 1
            setting = fresh[-1].rstrip() + match["rest"] + _end(lines[i])
            return [*lines[:first], *fresh[:-1], setting, *lines[i + 1 :]]
    blank = _end(fresh[0])
    if table and header < 0:
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        gap = [blank] if lines else []
        return [*lines, *gap, f"[{'.'.join(table)}]{blank}", *fresh, ""]
    place = start if table else _top(lines, stop)
    follows = lines[place].strip() if place < len(lines) else ""
    gap = [blank] if not table and follows.startswith(("#", "[")) else []
    return [*lines[:place], *fresh, *gap, *lines[place:]]


def _end(line: str) -> str:
    return "\r" if line.endswith("\r") else ""


def _extent(lines: Sequence[str], table: Sequence[str]) -> tuple[int, int]:
    """The line of the header of *table*, -1 where it has none, and the line after its settings."""
    header = -1
    if table:
        name = r"\s*\.\s*".join(rf"""(?:{part}|"{part}"|'{part}')""" for part in table)
        form = re.compile(rf"\s*\[\s*{name}\s*\]\s*(?:#.*)?")
        header = next((i for i, line in enumerate(lines) if form.fullmatch(line.rstrip())), -1)
        if header < 0:
            return -1, 0
    after = range(header + 1, len(lines))
    return header, next((i for i in after if _HEADER.match(lines[i])), len(lines))


def _top(lines: Sequence[str], stop: int) -> int:
    """Where a first setting goes: to the top, but after a comment that stands there by itself."""
    place = 0
    while place < stop and lines[place].startswith("#"):
        place += 1
    if place < stop and not lines[place].strip():
        return min(place + 1, len(lines) - 1)
    return 0
