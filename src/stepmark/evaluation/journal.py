# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What has been run already, so that an interrupted study goes on where it was stopped.

A file of JSON lines, one a run, which is only ever added to. A run is known by the digest of all
that its answer depends on, so that a journal of other data or of another version says nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import stepmark
from stepmark.datasets.outcomes import Status
from stepmark.errors import InputError, OutputError
from stepmark.evaluation.workers import Answer
from stepmark.plugins import BUILTIN, load, names
from stepmark.series import Signal

SCHEMA = "stepmark.journal/1"
_HEAD = (json.dumps({"schema": SCHEMA}) + "\n").encode()
_SYNC_EVERY = 0.5  # seconds: a killed process loses nothing, a failing machine so much
_WORD = re.compile(r"[A-Za-z_][\w.\-]*")


class Journal:
    """The journal in the file *path*, or one that keeps nothing.

    Raises `InputError` for a file that is no journal, which is left as it is, and `OutputError`
    where it cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._known: dict[str, tuple[Answer, float | None]] = {}
        self._file: IO[bytes] | None = None
        self._path = path
        self._synced = 0.0
        if path is not None:
            try:
                self._open(path)
            except BaseException:
                self.close()
                raise

    def _open(self, path: Path) -> None:
        try:
            self._file = path.open("a+b", buffering=0)
            self._file.seek(0)
            whole = self._read(path, self._file.read())
            if not whole:
                self._file.write(b"\n")  # a line that was half-written stands alone
        except OSError as error:
            raise OutputError(
                f"{path}: no journal can be kept: {error.strerror or error}"
            ) from None

    def _read(self, path: Path, content: bytes) -> bool:
        """Take in what the file holds; whether its last line is whole."""
        if _HEAD.startswith(content) and self._file is not None:
            # New, or stopped while its first line was written.
            self._file.truncate(0)
            self._file.write(_HEAD)
            return True
        if not content.startswith(_HEAD):
            raise InputError(f"{path}: is no journal of trials; name another file")
        for line in content[len(_HEAD) :].split(b"\n"):
            entry = _entry(line)
            if entry is not None:
                key, answer, limit = entry
                self._known[key] = (answer, limit)
        return content.endswith(b"\n")

    def find(self, key: str, length: int, timeout: float | None) -> Answer | None:
        """What is known about a run; None where it has to be run (again).

        A time-out counts under the same limit or a stricter one.
        """
        answer, limit = self._known.get(key, (None, None))
        if answer is None or (answer.indices and answer.indices[-1] >= length):
            return None
        if answer.status is Status.TIMEOUT and (
            timeout is None or limit is None or timeout > limit
        ):
            return None
        return answer

    def add(self, key: str, answer: Answer, timeout: float | None) -> None:
        """Write down an answer. That of a process that died is not kept: it is tried again."""
        if answer.lost:
            return
        self._known[key] = (answer, timeout)
        if self._file is None:
            return
        line = {
            "key": key,
            "status": answer.status.value,
            "indices": answer.indices,
            "seconds": answer.seconds,
            "error": answer.error,
            "limit": timeout,
        }
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            now = time.monotonic()
            if now - self._synced >= _SYNC_EVERY:
                os.fsync(self._file.fileno())
                self._synced = now
        except OSError as error:
            raise OutputError(
                f"{self._path}: cannot be written: {error.strerror or error}"
            ) from None

    def close(self) -> None:
        """Close the file, all of it on the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def _entry(line: bytes) -> tuple[str, Answer, float | None] | None:
    """What a line says; None where it says nothing, as one that was half-written."""
    try:
        found: Any = json.loads(line)
        key, limit = found["key"], found["limit"]
        status, indices, error = Status(found["status"]), found["indices"], found["error"]
        seconds = found["seconds"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    numbers = all(type(i) is int for i in indices) if isinstance(indices, list) else False
    rising = numbers and all(a < b for a, b in zip([0, *indices], indices, strict=False))
    if not rising or (indices and status is not Status.OK):
        return None
    if not (
        isinstance(key, str) and isinstance(error, str) and _amount(seconds) and _amount(limit)
    ):
        return None
    return key, Answer(status, tuple(indices), seconds, error), limit


def _amount(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def run_key(signal: bytes, spec: str) -> str:
    """The key of a run: of its signal (by `signal_digest`), its spec, and the code that answers."""
    state = hashlib.blake2b(code_digest().encode(), digest_size=16)
    state.update(plugin_digest(spec).encode())
    state.update(signal)
    state.update(spec.encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def signal_digest(signal: Signal) -> bytes:
    """A digest of the numbers of *signal*."""
    state = hashlib.blake2b(digest_size=16)
    for part in (signal.values, *(signal.samples or ())):
        state.update(f"{part.size};".encode() + part.tobytes())
    return state.digest()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """A digest of Stepmark's version, its detectors and its kernels as they are installed."""
    package = Path(stepmark.__file__).parent
    state = hashlib.blake2b(stepmark.__version__.encode(), digest_size=16)
    folders = [package / "detectors", package / "_kernels"]
    files = [p for f in folders for p in f.rglob("*") if p.suffix in (".py", ".so", ".pyd")]
    for path in sorted([*files, package / "series.py", package / "changes.py"]):
        state.update(path.relative_to(package).as_posix().encode())
        state.update(hashlib.blake2b(path.read_bytes()).digest())
    return state.hexdigest()


def plugin_digest(spec: str) -> str:
    """A digest of the modules of those detectors in *spec* that are not Stepmark's own."""
    words = set(_WORD.findall(spec)) - set(BUILTIN["detectors"])
    return "".join(_module_digest(word) for word in sorted(words & set(_plugins())))


@lru_cache(maxsize=1)
def _plugins() -> tuple[str, ...]:
    return tuple(name for name in names("detectors") if name not in BUILTIN["detectors"])


@lru_cache(maxsize=256)
def _module_digest(name: str) -> str:
    import sys

    file = getattr(sys.modules.get(load("detectors", name).__module__), "__file__", None)
    content = Path(file).read_bytes() if file and Path(file).is_file() else b""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
