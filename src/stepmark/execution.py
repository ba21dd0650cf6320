# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Maps a function over series: serially, or by any executor of concurrent.futures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from stepmark.series import Series

if TYPE_CHECKING:
    from concurrent.futures import Executor

Result = TypeVar("Result")
Progress = Callable[[int, int], None]

# Below so many points in all, starting threads takes longer than the work.
_WORTH_THREADS = 20_000


def map_series(
    function: Callable[[Series], Result],
    series: Sequence[Series],
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Iterator[Result]:
    """The results of *function* for all *series*, in order; *progress* is told (done, all).

    Large work runs in one thread a core (compiled kernels release the interpreter's lock), or in
    *executor* if one is given, which stays open.
    """
    if executor is not None:
        yield from _told(executor.map(function, series), len(series), progress)
    elif sum(map(len, series)) < _WORTH_THREADS:
        yield from _told(map(function, series), len(series), progress)
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            yield from _told(pool.map(function, series), len(series), progress)


def _told(results: Iterator[Result], total: int, progress: Progress | None) -> Iterator[Result]:
    for done, result in enumerate(results, 1):
        if progress is not None:
            progress(done, total)
        yield result
