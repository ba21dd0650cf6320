# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Taking e-mail addresses out of what servers answer."""

from __future__ import annotations

import re
from typing import Any

# What stands for an @ in plain text, in a JSON text inside a JSON text, in a URL and in HTML.
_AT = re.compile(r"@|\\u0040|%40|&#(?:64|x40);", re.IGNORECASE)
_ENDS = frozenset("<>()[]{},;:/?&%\"'`|\\@")
_DOMAIN = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+")
_LITERAL = re.compile(r"\[(?:IPv6:)?[0-9A-Fa-f.:]{2,45}\]")
_ALONE = re.compile(r"[^\s<>@\"]+@[^\s<>@\"]+")
# An address has at most 254 characters; the bound keeps hostile text from costing its square.
_LONGEST = 256
_MAILTO = "mailto:"


def without_addresses(value: Any) -> Any:
    """The JSON *value* without e-mail addresses in any of its texts and names of fields.

    A text that is only an address becomes ``""``, ``Name <a@b.org>`` becomes ``Name``; elements of
    a list that were only an address are left out.
    """
    if isinstance(value, str):
        return text_without_addresses(value)
    if isinstance(value, dict):
        return {text_without_addresses(k): without_addresses(v) for k, v in value.items()}
    if isinstance(value, list):
        pairs = [(item, without_addresses(item)) for item in value]
        return [clean for item, clean in pairs if clean != "" or item == ""]
    return value


def text_without_addresses(text: str) -> str:
    """*text* without e-mail addresses; takes time in proportion to its length.

    Versions (``package@1.2.3``), decorators and ``@names`` are no addresses.
    """
    if not _AT.search(text):
        return text
    if _ALONE.fullmatch(text.strip()):
        return ""  # a login at a host without a domain, too
    parts: list[str] = []
    done = 0
    for sign in _AT.finditer(text):
        if sign.start() < done:
            continue
        start = _start(text, sign.start(), done)
        stop = _stop(text, sign.end())
        if start == sign.start() or stop == sign.end():
            continue
        start, stop = _surroundings(text, start, stop, done)
        parts.append(text[done:start])
        done = stop
    return "".join([*parts, text[done:]])


def _start(text: str, at: int, least: int) -> int:
    """Where the local part before the @ at *at* begins; *at* itself if there is none."""
    least = max(least, at - _LONGEST)
    if at > least and text[at - 1] == '"':
        opening = text.rfind('"', least, at - 1)
        return opening if opening >= 0 else at
    start = at
    while start > least and text[start - 1] not in _ENDS and not text[start - 1].isspace():
        start -= 1
    return start


def _stop(text: str, after: int) -> int:
    """Where the domain that begins at *after* ends; *after* itself if there is none."""
    literal = _LITERAL.match(text, after)
    if literal:
        return literal.end()
    domain = _DOMAIN.match(text, after, after + _LONGEST)
    if domain is None:
        return after
    # Of "ann@b.org.2" the number is no part of the address, and "package@1.2.3" is none.
    labels = domain[0].split(".")
    while len(labels) > 1:
        if len(labels[-1]) > 1 and labels[-1][0].isalpha():
            return after + len(".".join(labels))
        labels.pop()
    return after


def _surroundings(text: str, start: int, stop: int, least: int) -> tuple[int, int]:
    """The place of an address with what belongs to it: mailto:, brackets, a space between words."""
    if text[max(least, start - len(_MAILTO)) : start].lower() == _MAILTO:
        start -= len(_MAILTO)
    if start > least and text[start - 1] == "<" and text[stop : stop + 1] == ">":
        start, stop = start - 1, stop + 1
    follows = text[stop : stop + 1]
    if start > least and text[start - 1] == " " and (not follows or follows in " \n,;.!?)"):
        start -= 1
    elif start == 0 and follows == " ":
        stop += 1
    return start, stop
