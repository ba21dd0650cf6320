# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stepmark.errors import OutputError

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}")
# Names that Windows keeps for devices, whatever follows the first dot.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")

File = tuple[str, bytes]
"""The path of a file inside its folder, with slashes, and its content."""


def is_device(path: Path) -> bool:
    """Whether it is a device or pipe, such as /dev/null: written to and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_file(path: Path, data: bytes) -> None:
    """Make *path* hold *data*, or leave it as it was. Raises `OSError`."""
    if is_device(path):
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".stepmark-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_folder(
    folder: Path,
    files: Iterable[File],
    *,
    owned: Callable[[str], bool],
    force: bool = False,
) -> None:
    """Make *folder* hold *files* and nothing else, or leave it as it was.

    An existing folder is replaced only if it is empty, or with *force* if every file in it is
    *owned*, which is told its path inside. Raises `OutputError`
    naming the folder and the remedy.
    """
    target = Path(os.path.realpath(folder))
    _require_replaceable(folder, target, owned, force=force)
    try:
        # Beside the target, so that renaming it is one step on one file system.
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".stepmark-"))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    try:
        content = made / "new"
        content.mkdir()
        for name, data in files:
            path = content / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.exists():
            target.replace(made / "old")
        try:
            content.replace(target)
        except OSError:
            if (made / "old").exists():
                (made / "old").replace(target)
            raise
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _require_replaceable(
    folder: Path, target: Path, owned: Callable[[str], bool], *, force: bool
) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"{folder}: a file, where a folder is to be written; name another")
    try:
        inside = [
            Path(root, name).relative_to(target).as_posix()
            for root, folders, names in os.walk(target)
            for name in (*names, *(f for f in folders if Path(root, f).is_symlink()))
        ]
        empty = not any(target.iterdir())
    except OSError as error:
        raise OutputError(f"{folder}: cannot be read: {error.strerror or error}") from None
    if empty:
        return
    foreign = next((name for name in sorted(inside) if not owned(name)), None)
    if foreign is not None:
        raise OutputError(
            f"{folder}: holds {foreign!r:.80}, which is no part of what is written there; name"
            " another folder"
        )
    if not force:
        raise OutputError(
            f"{folder}: is not empty; name another folder, or replace it with --force"
        )


def json_bytes(document: Any) -> bytes:
    """*document* as JSON that is the same for the same content: sorted keys, ASCII, repr floats."""
    return (json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def file_name(name: str, *, shared: bool = False) -> str:
    """A name for a file without suffix, unique for *name* and safe on every system.

    It is *name* itself where that consists of ASCII letters, digits and ``_.-``, unless another
    file is to be told from it that has the same name but for capitals (*shared*).
    """
    plain = _SAFE.fullmatch(name) and not _DEVICES.fullmatch(name) and not name.endswith(".")
    if plain and not shared:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '_', name)[:60]}-{digest}"
