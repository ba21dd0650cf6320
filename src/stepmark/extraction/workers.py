# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Work that waits for a server, done by a few threads."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from stepmark.remote import MOST_AT_ONCE

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class _Done(Generic[_T, _R]):
    item: _T
    results: tuple[_R, ...] = ()
    error: BaseException | None = None


def concurrently(work: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[tuple[_T, _R]]:
    """Each item with what *work* makes of it, as it comes; the first error ends it all.

    The threads are daemons: a user's Ctrl-C must not wait until a slow server has answered.
    """
    todo: queue.SimpleQueue[_T | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[_Done[_T, _R]] = queue.SimpleQueue()

    def serve() -> None:
        while (item := todo.get()) is not None:
            try:
                done.put(_Done(item, (work(item),)))
            except BaseException as error:  # noqa: BLE001 - raised where the results are taken
                done.put(_Done(item, error=error))

    for _ in range(MOST_AT_ONCE):
        threading.Thread(target=serve, daemon=True).start()
    rest = iter(items)
    waiting = 0
    try:
        for item in islice(rest, 2 * MOST_AT_ONCE):
            todo.put(item)
            waiting += 1
        while waiting:
            made = done.get()
            waiting -= 1
            if made.error is not None:
                raise made.error
            for item in islice(rest, 1):
                todo.put(item)
                waiting += 1
            yield made.item, made.results[0]
    finally:
        with contextlib.suppress(queue.Empty):
            while True:
                todo.get_nowait()
        for _ in range(MOST_AT_ONCE):
            todo.put(None)
