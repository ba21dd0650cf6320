# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Files, folders and streams to measurements: the only part of the sources that does input."""

from __future__ import annotations

import gc
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath
from typing import IO, Any, TypeAlias

from stepmark import plugins
from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.sources.asv import BENCHMARKS, MACHINE
from stepmark.sources.base import Content, Limits, Parsed, Reasons, Source, too_long
from stepmark.sources.machines import separate_machines
from stepmark.sources.pytest_benchmark import PytestBenchmark
from stepmark.sources.text import HEAD, decoded, is_binary, load_json, starts_as_json
from stepmark.sources.uti import is_result_name

Readable: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[Any]"
"""A path (``-`` is standard input), or content: bytes, or a binary or text file object."""

_DEFAULT_COLUMNS = Columns()
_DEFAULT_LIMITS = Limits()
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 24
_SAVED = re.compile(r"\d{4,}_.+\.json(\.gz)?")
_TABLES = (".csv", ".tsv", ".txt", ".dat")


def read_sources(
    sources: Iterable[Readable],
    format: str = "auto",  # noqa: A002 - the name is part of the contract
    columns: Columns = _DEFAULT_COLUMNS,
    limits: Limits = _DEFAULT_LIMITS,
) -> Parsed:
    """Everything that can be read from several files, folders or streams, in the order given.

    Raises `InputError` naming file, problem and remedy for the first that cannot be read, and
    `SpecError` for an unknown *format*.
    """
    chosen = None if format == "auto" else _source(format)
    with garbage_collection_paused():
        found = [part for source in sources for part in _read(source, chosen, columns, limits)]
        return _joined(found, columns, limits)


def read_source(
    source: Readable,
    format: str = "auto",  # noqa: A002 - the name is part of the contract
    columns: Columns = _DEFAULT_COLUMNS,
    limits: Limits = _DEFAULT_LIMITS,
) -> Parsed:
    """Everything that can be read from one file, known folder layout, or stream.

    The format is found out from the content unless it is named. Of a folder, files that cannot be
    read are left out with a reason each. Raises `InputError` naming file, problem and remedy, and
    `SpecError` for an unknown *format*.
    """
    return read_sources([source], format, columns, limits)


def read_content(source: Readable, limits: Limits = _DEFAULT_LIMITS) -> Content:
    """The bytes of one file or stream, decompressed if they are gzip.

    Raises `InputError` for what cannot be read, `LimitError` for what is too large.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _content("<bytes>", bytes(source), None, limits)
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        if not name:
            raise InputError("a file name is empty; name a file, or - for standard input")
        if name == "-":
            if sys.stdin is None:
                raise InputError("<stdin>: closed; name a file, or lead one to standard input")
            stream = getattr(sys.stdin, "buffer", sys.stdin)
            return _content("<stdin>", _drain("<stdin>", stream, limits), None, limits)
        with _opened(name) as file:
            return _content(name, _drain(name, file, limits), _absolute(name), limits)
    if not hasattr(source, "read"):
        raise InputError(f"{source!r:.60}: not a source; give a path, bytes or a file object")
    named = getattr(source, "name", None)
    path = _absolute(named) if isinstance(named, str) and Path(named).is_file() else None
    name = named if isinstance(named, str) else "<stream>"
    return _content(name, _drain(name, source, limits), path, limits)


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """No search for cycles meanwhile: it would walk millions of measurements again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def find_format(content: Content) -> Source:
    """The format that *content* is in, told from what is in it.

    Formats with marks of their own are asked before those that say of themselves that others look
    like them, as any table is CSV. The file's name only decides where nothing else does: a broken
    table is still one. Raises `InputError`.
    """
    binary = is_binary(content.data)
    sources = [_source(name) for name in plugins.names("sources")]
    for source in sorted(sources, key=lambda source: getattr(source, "vague", 0)):
        if getattr(source, "binary", False) in (binary, None) and source.recognises(content):
            return source
    if binary:
        raise InputError(f"{content.name}: a binary file; {_known_formats()}")
    if starts_as_json(content):
        load_json(content)
        raise InputError(f"{content.name}: JSON of no format that is known; {_known_formats()}")
    decoded(content)
    if content.name.lower().removesuffix(".gz").endswith(_TABLES):
        return _source("csv")
    raise InputError(f"{content.name}: the format is not recognised; {_known_formats()}")


def _known_formats() -> str:
    return f"formats are {', '.join(plugins.names('sources'))} (name one with --format)"


def _source(name: str) -> Source:
    made: Source = plugins.load("sources", name)()
    return made


def _read(
    source: Readable, chosen: Source | None, columns: Columns, limits: Limits
) -> list[tuple[str, Parsed]]:
    """Format and find of each file that *source* is."""
    # pathlib raises for names that are too long; those are for opening to report.
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):  # noqa: PTH112
        return _read_folder(Path(source), chosen, columns, limits)
    content = read_content(source, limits)
    parser = chosen or find_format(content)
    content = _with_companions(content, parser, named=chosen is not None)
    return [(parser.name, parser.parse(content, columns))]


def _with_companions(content: Content, parser: Source, *, named: bool) -> Content:
    """*content* with what its format asks for: files beside it that are there, or an answer."""
    if getattr(parser, "asks", False):
        from stepmark.sources.database import with_answer

        return with_answer(content, named=named)
    wanted: tuple[str, ...] = getattr(parser, "beside", ())
    if not wanted or content.path is None:
        return content
    paths = {name: Path(content.path.parent, name) for name in wanted}
    found = {
        name: read_content(path, content.limits).data
        for name, path in paths.items()
        if path.is_file() and not path.is_symlink()
    }
    return replace(content, beside=found)


def _content(name: str, data: bytes, path: PurePath | None, limits: Limits) -> Content:
    if len(data) > limits.max_bytes:
        raise LimitError(f"{name}: more than {limits.max_bytes:,} bytes; split the file")
    if data.startswith(_GZIP):
        data = _inflated(name, data, limits)
    if not data or data[:HEAD].isspace():
        raise InputError(f"{name}: empty; it should hold results ({_known_formats()})")
    return Content(name, data, path, limits)


def _inflated(name: str, data: bytes, limits: Limits) -> bytes:
    import gzip
    import zlib

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            plain = file.read(limits.max_bytes + 1)
    except EOFError:
        raise InputError(f"{name}: the gzip data are cut off; fetch the file again") from None
    except (OSError, zlib.error) as error:
        raise InputError(f"{name}: broken gzip data: {error}") from None
    if len(plain) > limits.max_bytes:
        raise LimitError(f"{name}: decompresses to more than {limits.max_bytes:,} bytes; split it")
    return plain


def _opened(name: str) -> IO[bytes]:
    try:
        return Path(name).open("rb")
    except FileNotFoundError:
        raise InputError(f"{name}: no such file or folder") from None
    except IsADirectoryError:
        raise InputError(f"{name}: a folder, where a file is expected") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be opened: {_problem(error)}") from None


def _drain(name: str, file: Any, limits: Limits) -> bytes:
    """All bytes of an open file, but not many more than the limit."""
    parts: list[bytes] = []
    size = 0
    try:
        while size <= limits.max_bytes and (part := file.read(_CHUNK)):
            parts.append(part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part)
            size += len(parts[-1])
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not {error.encoding.upper()} text; open it as bytes") from None
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{name}: cannot be read: {_problem(error)}") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _problem(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _absolute(name: str) -> PurePath:
    return PurePath(os.path.abspath(name))  # noqa: PTH100 - links must stay as they are


def _read_folder(
    folder: Path, chosen: Source | None, columns: Columns, limits: Limits
) -> list[tuple[str, Parsed]]:
    reasons = Reasons(str(folder), limits)
    for name, find in _LAYOUTS.items():
        if chosen is not None and chosen.name != name:
            continue
        files = find(folder, reasons)
        if len(files) > limits.max_files:
            raise LimitError(f"{folder}: more than {limits.max_files:,} files; name a subfolder")
        if files:
            return _read_files(folder, files, _source(name), columns, reasons, limits)
    because = f" ({reasons.first()})" if reasons.kept else ""
    raise InputError(
        f"{folder}: a folder of no known layout{because}; known are a UTI tree (*.info.json), a"
        " pytest-benchmark storage (NNNN_*.json), results of asv (machine.json), CSIT's Parquet"
        " data sets (*.parquet) and criterion's folder (new/sample.json); name other files one by"
        " one"
    )


def _read_files(
    folder: Path,
    files: list[Path],
    parser: Source,
    columns: Columns,
    reasons: Reasons,
    limits: Limits,
) -> list[tuple[str, Parsed]]:
    parts = []
    for file in files:
        name = str(file)
        try:
            content = _with_companions(read_content(name, limits), parser, named=True)
            parsed = parser.parse(content, columns)
        except InputError as error:
            place, problem = place_and_problem(name, str(error))
            reasons.add(place, problem)
            continue
        for skipped in parsed.skipped:
            reasons.add(skipped.source, skipped.reason)
        parts.append((parser.name, Parsed(parsed.measurements, parsed.failures)))
    if not parts:
        raise InputError(f"{folder}: nothing could be read: {reasons.first()}")
    return [*parts, (parser.name, Parsed(skipped=reasons.result()))]


def place_and_problem(name: str, message: str) -> tuple[str, str]:
    """Place and problem of an error message about the file *name*."""
    match = re.match(r"((?::\d+)?): ", message.removeprefix(name))
    if match is None or not message.startswith(name):
        return name, message
    return name + match[1], message[len(name) + match.end() :]


def _uti_files(folder: Path, reasons: Reasons) -> list[Path]:
    """The results of a UTI tree."""
    return _walked(folder, reasons, is_result_name)


def _csit_parquet_files(folder: Path, reasons: Reasons) -> list[Path]:
    """The parts of a Parquet data set of CSIT, whose folders are its partitions."""
    parts = _walked(folder, reasons, lambda name: name.endswith(".parquet"))
    source = _source("csit-parquet")
    # One that is not CSIT's makes it another data set, of which nobody knows what it holds.
    return parts if all(_is_of(source, part) for part in parts) else []


def _walked(folder: Path, reasons: Reasons, wanted: Callable[[str], bool]) -> list[Path]:
    """Files of *wanted* names; links are not followed, so that no loop and no escape is."""

    def note(error: OSError) -> None:
        reasons.add(str(error.filename), _problem(error))

    found = []
    for root, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        found += [Path(root, name) for name in sorted(names) if wanted(name)]
    return _regular(found, reasons)


def _storage_files(folder: Path, reasons: Reasons) -> list[Path]:
    """The saved runs of a pytest-benchmark storage, of one machine in it, or of a plain folder."""
    try:
        entries = sorted(folder.iterdir())
        inside = [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]
        files = [*entries, *(file for machine in inside for file in sorted(machine.iterdir()))]
    except OSError as error:
        reasons.add(str(error.filename), _problem(error))
        return []
    saved = [file for file in files if _SAVED.fullmatch(file.name)]
    if saved:
        return _regular(saved, reasons)
    others = _regular((f for f in entries if f.name.endswith((".json", ".json.gz"))), reasons)
    return others if all(_is_of(PytestBenchmark(), file) for file in others) else []


def _is_of(source: Source, file: Path) -> bool:
    try:
        return source.recognises(read_content(file))
    except InputError:
        return False


def _asv_files(folder: Path, reasons: Reasons) -> list[Path]:
    """The results in asv's folder of one machine, or in those of all machines in its results."""
    try:
        inside = [folder, *sorted(folder.iterdir())]
        machines = [one for one in inside if not one.is_symlink() and (one / MACHINE).is_file()]
        files = [file for machine in machines for file in sorted(machine.glob("*.json"))]
    except OSError as error:
        reasons.add(str(error.filename), _problem(error))
        return []
    return _regular((f for f in files if f.name not in (MACHINE, BENCHMARKS)), reasons)


def _criterion_files(folder: Path, reasons: Reasons) -> list[Path]:
    """The newest samples of each benchmark in criterion's folder; older ones lie in ``base``."""
    samples = _walked(folder, reasons, lambda name: name == "sample.json")
    new = (file for file in samples if file.parent.name == "new")
    return [file for file in new if (file.parent / "benchmark.json").is_file()]


def _regular(files: Iterable[Path], reasons: Reasons) -> list[Path]:
    """Those of *files* that are neither links, folders nor pipes."""
    found = []
    for file in files:
        if file.is_symlink():
            reasons.add(str(file), "a symbolic link, which is not followed")
        elif not file.is_file():
            reasons.add(str(file), "not a regular file")
        else:
            found.append(file)
    return found


_LAYOUTS: dict[str, Callable[[Path, Reasons], list[Path]]] = {
    "uti": _uti_files,
    "pytest-benchmark": _storage_files,
    "asv": _asv_files,
    "csit-parquet": _csit_parquet_files,
    "criterion": _criterion_files,
}


def _joined(parts: list[tuple[str, Parsed]], columns: Columns, limits: Limits) -> Parsed:
    found = [parsed for _, parsed in parts]
    for format_name in {name for name, _ in parts}:
        if getattr(_source(format_name), "by_machine", False):
            own = [place for place, (name, _) in enumerate(parts) if name == format_name]
            separated = separate_machines([found[place] for place in own], columns)
            for place, parsed in zip(own, separated, strict=True):
                found[place] = parsed
    if len(found) == 1:
        return found[0]
    joined = Parsed(
        [measurement for parsed in found for measurement in parsed.measurements],
        [failure for parsed in found for failure in parsed.failures],
        [skipped for parsed in found for skipped in parsed.skipped],
    )
    if len(joined.measurements) > limits.max_points:
        counts = Counter(measurement.key for measurement in joined.measurements)
        for key, count in counts.items():
            if count > limits.max_points:
                raise too_long("the files together", limits, str(key))
    return joined


__all__ = [
    "Limits",
    "Readable",
    "find_format",
    "garbage_collection_paused",
    "place_and_problem",
    "read_content",
    "read_source",
    "read_sources",
]
