# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The extraction folder: what servers answered, in files that are whole or not there.

::

    extraction.json                                 server, what was asked, and each run
    frameworks.json repositories.json options.json tags.json
    summaries/<id // 100>.json                      {"<id>": alert summary}
    signatures/<repository>/<framework id>.json     {"<id>": signature}
    series/<repository>/<signature id>.parquet      one row a measurement
    pushes/<repository>/<id // 1000>.json           {"<id>": push}
    bugs/<id // 1000>.json                          {"<id>": {"bug": ..., "history": [...]}}
    state/                                          private: how far an extraction is

It can be read at any time, also while an extraction writes it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepmark.errors import InputError, OutputError
from stepmark.extraction import rows
from stepmark.files import file_name, json_bytes, write_file

if TYPE_CHECKING:
    import polars as pl

SCHEMA = "stepmark.extraction/1"
DOCUMENT = "extraction.json"
LISTS = ("frameworks", "repositories", "options", "tags")
SUMMARIES_A_FILE = 100
PUSHES_A_FILE = 1000
BUGS_A_FILE = 1000


@dataclass(frozen=True, slots=True)
class Merged:
    """How many objects were not there before, and how many are different now."""

    new: int = 0
    changed: int = 0

    def __add__(self, other: Merged) -> Merged:
        return Merged(self.new + other.new, self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class Folder:
    """An extraction folder at *path*.

    Reading raises `InputError`, writing `OutputError`; both name the file.
    """

    path: Path

    def exists(self) -> bool:
        """Whether there is an extraction."""
        return (self.path / DOCUMENT).is_file()

    def require_free(self) -> None:
        """Raise `OutputError` if there are files of something else."""
        if self.path.is_dir() and any(p.name != "state" for p in self.path.iterdir()):
            raise OutputError(f"{self.path}: is not empty and no extraction; name another folder")

    def document(self) -> dict[str, Any]:
        """``extraction.json``; raises `InputError` if it is missing or of another schema."""
        if not self.exists():
            raise InputError(
                f"{self.path}: no extraction: there is no {DOCUMENT}; stepmark extract treeherder"
                " writes one"
            )
        document = self._read(DOCUMENT)
        schema = document.get("schema")
        if schema != SCHEMA:
            is_ours = str(schema).startswith(f"{SCHEMA.partition('/')[0]}/")
            remedy = "; a newer stepmark wrote it: update yours" if is_ours else ""
            raise InputError(
                f"{self.path / DOCUMENT}: schema {schema!s:.60} is not {SCHEMA}{remedy}"
            )
        if not isinstance(document.get("asked"), dict) or not isinstance(
            document.get("runs"), list
        ):
            raise InputError(f"{self.path / DOCUMENT}: damaged: what was asked is missing")
        return document

    def write_document(self, document: Mapping[str, Any]) -> None:
        """Write ``extraction.json``."""
        self._write(DOCUMENT, json_bytes({"schema": SCHEMA, **document}))

    def list_of(self, name: str) -> list[dict[str, Any]]:
        """The objects of ``<name>.json``, one of `LISTS`."""
        return [item for item in self._load(f"{name}.json") if isinstance(item, dict)]

    def has_list(self, name: str) -> bool:
        """Whether there is a ``<name>.json``."""
        return (self.path / f"{name}.json").is_file()

    def write_list(self, name: str, objects: list[Any]) -> None:
        """Write ``<name>.json``."""
        self._write(f"{name}.json", json_bytes(objects))

    def summaries(self) -> Iterator[dict[str, Any]]:
        """All alert summaries by id."""
        return self._objects("summaries")

    def merge_summaries(self, found: Mapping[int, Any]) -> Merged:
        """Add the summaries *found*, or put them in the place of older ones."""
        return self._merge("summaries", SUMMARIES_A_FILE, found)

    def pushes(self, repository: str) -> Iterator[dict[str, Any]]:
        """All pushes of a repository by id."""
        return self._objects(f"pushes/{file_name(repository)}")

    def merge_pushes(self, repository: str, found: Mapping[int, Any]) -> Merged:
        """Add the pushes *found*, or put them in the place of older ones."""
        return self._merge(f"pushes/{file_name(repository)}", PUSHES_A_FILE, found)

    def bugs(self) -> dict[int, dict[str, Any]]:
        """All entries of bugs by number: ``bug``, ``history`` and perhaps ``error``."""
        files = (self.path / "bugs").glob("*.json")
        parts = (self._numbered(path.relative_to(self.path).as_posix()) for path in files)
        return {number: entry for part in parts for number, entry in part.items()}

    def merge_bugs(self, found: Mapping[int, Any]) -> Merged:
        """Add the entries *found*, or put them in the place of older ones."""
        return self._merge("bugs", BUGS_A_FILE, found)

    def signatures(self, repository: str, framework: int) -> dict[int, dict[str, Any]]:
        """The signatures of a framework in a repository by id; empty where none were asked for."""
        name = f"signatures/{file_name(repository)}/{framework}.json"
        return self._numbered(name) if (self.path / name).is_file() else {}

    def merge_signatures(self, repository: str, framework: int, found: Mapping[int, Any]) -> Merged:
        """Add the signatures *found*, or put them in the place of older ones."""
        return self._merge_file(f"signatures/{file_name(repository)}/{framework}.json", found)

    def series_path(self, repository: str, signature: int) -> Path:
        """Where the measurements of a series are, or would be."""
        return self.path / "series" / file_name(repository) / f"{signature}.parquet"

    def series_paths(self) -> list[Path]:
        """The files of all series."""
        return sorted((self.path / "series").glob("*/*.parquet"))

    def series(self, path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
        """The measurements in a file of `series_paths`, and what is known of the series."""
        return rows.read_parquet(path)

    def write_series(
        self, repository: str, signature: int, content: rows.Rows, metadata: Mapping[str, Any]
    ) -> None:
        """Write a series whole."""
        path = self.series_path(repository, signature).relative_to(self.path)
        self._write(str(path), rows.parquet_bytes(content.sorted(), metadata))

    def state(self) -> dict[str, Any]:
        """What the extractor keeps from run to run."""
        return self._read("state/state.json") if (self.path / "state/state.json").exists() else {}

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Keep *state* for the next run."""
        self._write("state/state.json", json_bytes(state))

    def remove_remains(self) -> None:
        """Remove the files that a killed process had begun to write."""
        for path in self.path.rglob(".stepmark-*"):
            path.unlink(missing_ok=True)

    def _objects(self, place: str) -> Iterator[dict[str, Any]]:
        files = (self.path / place).glob("*.json")
        for path in sorted(files, key=lambda p: int(p.stem) if p.stem.isdigit() else -1):
            inside = self._numbered(path.relative_to(self.path).as_posix())
            yield from (inside[number] for number in sorted(inside))

    def _merge(self, place: str, size: int, found: Mapping[int, Any]) -> Merged:
        files: dict[int, dict[int, Any]] = defaultdict(dict)
        for number, value in found.items():
            files[number // size][number] = value
        merged = (self._merge_file(f"{place}/{n}.json", part) for n, part in sorted(files.items()))
        return sum(merged, Merged())

    def _merge_file(self, name: str, found: Mapping[int, Any]) -> Merged:
        there = self._numbered(name) if (self.path / name).is_file() else {}
        new = sum(number not in there for number in found)
        changed = sum(n in there and there[n] != value for n, value in found.items())
        if new or changed:
            both = {**there, **found}
            self._write(name, json_bytes({str(n): both[n] for n in sorted(both)}))
        return Merged(new, changed)

    def _numbered(self, name: str) -> dict[int, Any]:
        try:
            return {int(number): value for number, value in self._read(name).items()}
        except ValueError:
            raise InputError(f"{self.path / name}: damaged: a key is no number") from None

    def _read(self, name: str) -> dict[str, Any]:
        document = self._load(name)
        if not isinstance(document, dict):
            raise InputError(f"{self.path / name}: damaged: it holds no object")
        return document

    def _load(self, name: str) -> Any:
        path = self.path / name
        try:
            return json.loads(path.read_bytes())
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError):
            raise InputError(f"{path}: damaged: it is no JSON") from None

    def _write(self, name: str, data: bytes) -> None:
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, data)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


def alerts_of(summary: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The alerts of a summary, and those that were reassigned to it."""
    for name in ("alerts", "related_alerts"):
        alerts = summary.get(name)
        yield from (a for a in alerts if isinstance(a, dict)) if isinstance(alerts, list) else ()
