# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Delimited text: its delimiter, its header, its rows, and what its columns may be called."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.sources.base import Content
from stepmark.sources.text import HEAD, decode_json, decoded, head, shown, text_stream
from stepmark.sources.values import AmbiguousTimeError, finite, parse_time

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 50

# What a column means by its name, the likelier name first; compared by `normal`.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": (
        "time", "timestamp", "date", "datetime", "landed", "push_timestamp", "push_time",
        "start_time", "commit_time", "commit_date", "author_date", "author_time", "created",
        "created_at", "date_time", "ts", "epoch", "year",
    ),
    "revision": (
        "revision", "commit", "rev", "sha", "hash", "git_commit", "git_sha", "git_revision",
        "git_hash", "commit_id", "commit_hash", "commit_sha", "commitid", "changeset", "version",
        "release", "tag",
    ),
    "benchmark": (
        "benchmark", "benchmark_name", "test", "test_name", "test_id", "fullname", "name", "suite",
    ),
    "metric": ("metric", "metric_name", "measure"),
    "value": ("value",),
    "unit": ("unit", "units", "measurement_unit"),
    "direction": ("direction", "better"),
    "run": ("run", "run_id"),
    "project": ("project", "repository", "repo"),
}  # fmt: skip
IGNORED = frozenset({"index", "id", "unnamed:_0"})
ATTRIBUTES = frozenset({
    "build", "build_id", "build_number", "job", "job_id", "job_name", "url", "link", "job_url",
    "build_url", "machine_url", "message", "commit_message", "subject", "author", "committer",
    "email", "note", "notes", "branch", "comment", "title", "description", "end_time", "push_id",
})  # fmt: skip
ABSENT = frozenset({"", "na", "n/a", "null", "-", "none"})


def normal(name: str) -> str:
    """The form in which column names are compared."""
    return "_".join(name.strip().casefold().replace("-", " ").split()).replace("__", "_")


class NotFiniteError(ValueError):
    """A number that is NaN or infinite, or too large for a float."""


def to_number(text: str, *, decimal_comma: bool = False) -> float | None:
    """The finite number in a cell, None if the cell says that there is none.

    Raises `ValueError` whose message is the reason why it is no such number.
    """
    plain = text.strip()
    if decimal_comma and plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        if plain.casefold() in ABSENT:
            return None
        raise ValueError(f"{shown(text)} is not a number") from None
    if "_" in plain:
        raise ValueError(f"{shown(text)} is not a number")
    if not math.isfinite(value):
        raise NotFiniteError(f"{shown(text)} is not a finite number")
    return value


def is_numeric(text: str, *, decimal_comma: bool) -> bool:
    """Whether a cell is written as a number, NaN and infinities included."""
    try:
        return to_number(text, decimal_comma=decimal_comma) is not None
    except NotFiniteError:
        return True
    except ValueError:
        return False


def read_samples(text: str) -> tuple[float, ...] | None:
    """The replicates in a cell such as ``[1.5, 1.6]``; None if it is no JSON list of numbers.

    What is null, NaN or infinite in the list is left out.
    """
    plain = text.strip()
    if not (plain.startswith("[") and plain.endswith("]")):
        return None
    try:
        listed, end = decode_json(plain)
    except ValueError:
        return None
    present = [item for item in listed if item is not None]
    if end < len(plain) or not all(type(item) in (int, float) for item in present):
        return None
    return tuple(number for number in map(finite, present) if number is not None)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes:
        delimiter: one character, a blank for runs of blanks, empty for a single column.
        header: the names of the columns; empty for a bare column of numbers.
    """

    delimiter: str
    header: tuple[str, ...] = ()

    @property
    def decimal_comma(self) -> bool:
        """Whether ``1,5`` is a number, as where semicolons separate the columns."""
        return self.delimiter == ";"


def rows(content: Content, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row after the header; blank lines are left out.

    Raises `InputError` for broken quoting and for text that is not UTF-8.
    """
    numbered = _parse(content.name, text_stream(content), dialect.delimiter)
    try:
        yield from islice(numbered, 1 if dialect.header else 0, None)
    except UnicodeDecodeError:
        decoded(content)  # raises, naming the line
        raise


def named_columns(content: Content) -> list[str]:
    """The cells of the first line, with commas between them; none if it cannot be read so."""
    line = head(content).lstrip().partition("\n")[0].rstrip("\r")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def records(name: str, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of each row of *text*, whose first line names the columns.

    Commas are between the cells; cells that a row lacks are left out, as are empty ones. Raises
    `InputError` naming *name* for broken quoting.
    """
    numbered = _parse(name, io.StringIO(text, newline=""), ",")
    _, header = next(numbered, (0, []))
    for line, cells in numbered:
        yield line, {column: cell for column, cell in zip(header, cells, strict=False) if cell}


def read_dialect(content: Content, columns: Columns) -> Dialect:
    """Find out how a table is written; raises `InputError` where it has no header but needs one."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(columns.delimiter, columns.delimiter)
    if len(delimiter) > 1 or delimiter in ('"', "\r", "\n"):
        raise InputError(
            f"{content.name}: a delimiter is one character or tab, not {shown(columns.delimiter)}"
        )
    delimiter = delimiter or _sniff(_whole_lines(content))
    sample = [row for _, row in islice(rows(content, Dialect(delimiter)), _SAMPLE)]
    if not sample:
        raise InputError(f"{content.name}: no rows, only comments or blank lines")
    first, rest = sample[0], sample[1:]
    bare = Dialect(delimiter)
    if _names_columns(first, rest, comma=bare.decimal_comma):
        return Dialect(delimiter, tuple(name.strip() for name in first))
    if len(first) == 1:
        return bare
    raise InputError(
        f"{content.name}: {len(first)} columns without names; the first line that is no comment"
        " must name them, such as time,revision,value"
    )


def looks_like_table(content: Content) -> bool:
    """Whether the head of a text reads as a table with numbers in it."""
    text = _whole_lines(content)
    if text.lstrip()[:1] in ("{", "[", "<"):
        return False
    delimiter = _sniff(text)
    sample = _sample(text, delimiter)
    if len(sample) < 2:
        return bool(sample) and (len(sample[0]) > 1 or _any_number(sample[0], delimiter))
    width = len(sample[0])
    fitting = [row for row in sample[1:] if len(row) <= width and _any_number(row, delimiter)]
    return 2 * len(fitting) >= len(sample) - 1


def _any_number(row: list[str], delimiter: str) -> bool:
    return any(is_numeric(cell, decimal_comma=delimiter == ";") for cell in row)


def _names_columns(first: list[str], rest: list[list[str]], *, comma: bool) -> bool:
    def is_name(cell: str) -> bool:
        if is_numeric(cell, decimal_comma=comma) or cell.strip().casefold() in ABSENT:
            return False
        try:
            parse_time(cell)
        except AmbiguousTimeError:
            return False
        except ValueError:
            return True
        return False

    if any(is_name(cell) for cell in first):
        return True
    # pandas writes an unnamed index and numbered columns as ",0,1".
    return len(first) > 1 and first[0] == "" and any(row and row[0] for row in rest)


def _whole_lines(content: Content) -> str:
    text = head(content)
    if len(content.data) > HEAD:
        text = text[: text.rfind("\n") + 1] or text
    return text


def _sniff(text: str) -> str:
    best, delimiter = (0.0, 0), ""
    for candidate in (*DELIMITERS, " "):
        widths = [len(row) for row in _sample(text, candidate)]
        if not widths or widths[0] < 2 or (candidate == " " and delimiter):
            continue
        same = sum(width == widths[0] for width in widths) / len(widths)
        if (same, widths[0]) > best and (candidate != " " or same == 1.0):
            best, delimiter = (same, widths[0]), candidate
    return delimiter


def _sample(text: str, delimiter: str) -> list[list[str]]:
    lines = iter(text.splitlines(keepends=True))
    found: list[list[str]] = []
    try:
        for _, row in islice(_parse("", lines, delimiter, strict=False), _SAMPLE):
            found.append(row)
    except InputError:
        pass
    return found


def _parse(
    name: str, lines: Iterable[str], delimiter: str, *, strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    passed = 0
    lines = iter(lines)
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        passed += 1
    else:
        return
    blanks = delimiter == " "
    reader = csv.reader(
        (line.strip() for line in chain((line,), lines)) if blanks else chain((line,), lines),
        # A unit separator is in no text that a person reads as one column.
        delimiter=delimiter or "\x1f",
        skipinitialspace=blanks,
        strict=strict,
    )
    start = passed + 1
    try:
        for row in reader:
            if row:
                yield start, row
            start = passed + reader.line_num + 1
    except csv.Error as error:
        # What csv says of a quote that is never closed would be taken for a file that is cut off.
        unclosed = str(error) == "unexpected end of data"
        problem = "a quoted cell is not closed" if unclosed else str(error)
        raise InputError(f"{name}:{start}: cannot be read as CSV: {problem}") from None
