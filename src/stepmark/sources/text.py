# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Text and JSON out of bytes that may be anything."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections import Counter
from typing import Any

from stepmark.errors import InputError, LimitError
from stepmark.sources.base import Content

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD = 65_536
# What services put before each line of a log: GitHub (with job and step where its client fetched
# it), GitLab (with the stream after the time), Jenkins and Buildkite.
_STAMP = re.compile(
    r"^(?:[^\t\n]+\t[^\t\n]+\t)?\ufeff?"
    r"(?:\[?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)\]?"
    r"(?: [\da-f]{2}[OE][ +]| |$)"
    r"|\x1b_bk;t=\d+\x07)",
    re.MULTILINE,
)

FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001
"""What a cell starts with that a spreadsheet would run, the full-width signs of East Asian input
too, and any apostrophes before it: a table is written with one more, and read with one less."""


def encoding(data: bytes) -> str:
    """UTF-8, or what the byte order mark says."""
    return next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")


def is_binary(data: bytes) -> bool:
    """Whether the first 64 KiB hold what no text has: a NUL (UTF-16 needs its byte order mark)."""
    return encoding(data) != "utf-16" and b"\0" in data[:HEAD]


def head(content: Content) -> str:
    """The first 64 KiB as text, what cannot be decoded left out."""
    start = content.data[:HEAD]
    return start.decode(encoding(start), errors="ignore")


def require_text(content: Content) -> None:
    """Raise `InputError` for what is no text at all."""
    if encoding(content.data) != "utf-16" and b"\0" in content.data:
        line = content.data.count(b"\n", 0, content.data.index(b"\0")) + 1
        raise InputError(
            f"{content.name}: a binary file (NUL byte in line {line}), where text is expected"
        )


def decoded(content: Content) -> str:
    """All of the text; raises `InputError` naming the line that is not UTF-8."""
    require_text(content)
    try:
        return content.data.decode(encoding(content.data))
    except UnicodeDecodeError as error:
        line = content.data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{content.name}:{line}: not {error.encoding.upper()} text (byte {error.start});"
            " save the file as UTF-8"
        ) from None


def log_text(content: Content) -> str:
    """All of a log, in which any program may write: without stamps, what is not UTF-8 replaced."""
    require_text(content)
    return without_stamps(content.data.decode(encoding(content.data), errors="replace"))


def without_stamps(text: str) -> str:
    """The lines of a log without the times that a service put before them, if it did."""
    return _STAMP.sub("", text) if _STAMP.search(text[:HEAD]) else text


def text_stream(content: Content) -> io.TextIOWrapper:
    """The text line by line, line ends as they are; reading may raise `UnicodeDecodeError`."""
    require_text(content)
    return io.TextIOWrapper(io.BytesIO(content.data), encoding=encoding(content.data), newline="")


def looks_like_json(content: Content, *keys: bytes) -> bool:
    """Whether the text starts as JSON does and all *keys* occur in it as quoted words."""
    if not starts_as_json(content):
        return False
    data = in_utf8(content)
    return all(b'"%s"' % key in data for key in keys)


def in_utf8(content: Content) -> bytes:
    """The bytes, of UTF-16 (which Windows writes) those that it has in UTF-8."""
    if encoding(content.data) != "utf-16":
        return content.data
    return content.data.decode("utf-16", errors="ignore").encode()


def starts_as_json(content: Content) -> bool:
    """Whether the first letter is one that a JSON object or array starts with."""
    start = head(content).lstrip()
    # Jenkins puts its times in brackets.
    return start.startswith("{") or (start.startswith("[") and not _STAMP.match(start))


def load_json(content: Content) -> Any:
    """The JSON document; raises `InputError` naming line and column, `LimitError` if too large.

    NaN and infinities are read as Python floats. A key given twice is an error.
    """
    if len(content.data) > content.limits.max_json_bytes:
        raise LimitError(
            f"{content.name}: JSON of {len(content.data):,} bytes is more than"
            f" {content.limits.max_json_bytes:,}; split it"
        )
    text = decoded(content)
    try:
        document, end = decode_json(text.lstrip())
    except json.JSONDecodeError as error:
        lead = text[: len(text) - len(text.lstrip())]
        line = lead.count("\n") + error.lineno
        cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        raise InputError(
            f"{content.name}:{line}: not valid JSON: {error.msg} at column {error.colno}"
            f"{' (the file seems to be cut off)' if cut else ''}"
        ) from None
    except ValueError as error:
        raise InputError(f"{content.name}: {error}") from None
    rest = text.lstrip()[end:].lstrip()
    if rest:
        line = text.count("\n", 0, len(text) - len(rest)) + 1
        raise InputError(
            f"{content.name}:{line}: not valid JSON: text after the end of the document"
        )
    return document


def decode_json(text: str) -> tuple[Any, int]:
    """The JSON value that *text* starts with, and where it ends.

    Raises `json.JSONDecodeError`, or another `ValueError` whose message says what is wrong.
    """
    try:
        return _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except ValueError as error:
        problem = "a number of too many digits" if "digits" in str(error) else str(error)
        raise ValueError(f"not usable JSON: {problem}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"key {shown(twice)} is given twice in one object")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def shown(text: str, most: int = 60) -> str:
    """*text* quoted for a message: one line, no control characters, at most *most* characters."""
    return repr(text if len(text) <= most else f"{text[: most - 3]}...")
