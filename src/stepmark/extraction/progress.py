# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How far an extraction is: what is done, what is owed, and who works on the folder."""

from __future__ import annotations

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from stepmark.errors import OutputError, UsageError
from stepmark.files import write_file

Tell = Callable[[int, int], None]
"""Told (done, all)."""

Watch = Callable[[str], AbstractContextManager[Tell | None]]
"""Shows the progress of a phase with a name."""

_MOST_EXAMPLES = 5
_SHARES = 1000


def unwatched(_: str) -> AbstractContextManager[None]:
    """A `Watch` that shows nothing."""
    return nullcontext()


@dataclass(slots=True)
class LeftOut:
    """What was asked for and did not come, by reason."""

    by_reason: dict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, reason: str, what: str, *, lasting: bool = False) -> None:
        """Note that *what* did not come; *lasting* is what will not come if asked for again."""
        self.by_reason[reason][what] = lasting

    def owed(self) -> frozenset[str]:
        """What may come if it is asked for again."""
        parts = (part for what in self.by_reason.values() for part in what.items())
        return frozenset(what for what, lasting in parts if not lasting)

    def clear(self) -> None:
        """Forget all: it is asked for again."""
        self.by_reason.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Each reason with its count and some examples, the commonest first."""
        pairs = sorted(self.by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        return [
            {"reason": reason, "count": len(what), "examples": list(what)[:_MOST_EXAMPLES]}
            for reason, what in pairs
        ]


class Journal:
    """What the run that is under way has done, kept so that it survives being killed.

    `is_resumed` is whether an earlier run had done some of it.

    One line a part. A line is added when the files of its part are written, and the file goes when
    the run is complete; so a part is done twice at worst.
    """

    def __init__(self, path: Path, now: datetime) -> None:
        """Go on with the journal in *path*, or begin one at the time *now*."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
            # The last line may have been cut.
            began = datetime.fromisoformat(lines[0]) if len(lines) > 1 else None
            self.began = began or now.astimezone(UTC)
            self._done = set(lines[1:-1]) if began else set()
            self.is_resumed = bool(self._done)
            text = "\n".join([self.began.isoformat(), *sorted(self._done), ""])
            write_file(path, text.encode())
        except (OSError, ValueError) as error:
            raise OutputError(f"{path}: cannot be used: {error}") from None

    def __contains__(self, part: str) -> bool:
        return part in self._done

    def done(self, part: str) -> None:
        """Keep that *part* is done."""
        self._done.add(part)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{part}\n")
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:  # a complete run needs no journal any more
            self._path.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other extractions from writing to *folder*; raises `UsageError` if one does.

    A folder that is still empty in the end is removed.
    """
    path = folder / "state" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    with file:
        if not _locked(file):
            raise UsageError(f"{folder}: another extraction writes to it; wait for its end")
        try:
            yield
        finally:
            _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        inside = [list(place.iterdir()) for place in (folder, folder / "state")]
        if [[p.name for p in place] for place in inside] == [["state"], ["lock"]]:
            shutil.rmtree(folder / "state")
            folder.rmdir()


def _locked(file: IO[str]) -> bool:
    """Whether the lock is ours now; the system lets go of it however the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


@dataclass(frozen=True, slots=True)
class Share:
    """The progress of one of several parts that take about the same time each."""

    whole: Tell | None
    place: int
    parts: int

    def tell(self, done: float) -> None:
        """Tell that *done* of this part is done, from 0 to 1."""
        if self.whole is not None:
            share = round(_SHARES * (self.place + min(1.0, max(0.0, done))))
            self.whole(share, _SHARES * self.parts)


def watched(items: Iterable[Any], total: int, tell: Tell | None) -> Iterator[Any]:
    """*items*, telling how many of the *total* have been taken."""
    for done, item in enumerate(items, 1):
        yield item
        if tell is not None:
            tell(done, total)
