# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What may go wrong between a client and a server, to order."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field

from fakes.catalogue import dice

# What may happen to one request. A correct client gets through all of them by asking again,
# but for "slow" and "duplicates", whose answers look right.
KINDS = (
    "500",
    "502",
    "503",
    "429",
    "cut-before",
    "cut-inside",
    "wrong-length",
    "html",
    "truncated",
    "slow",
    "duplicates",
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults happen, decided by *seed* and by how often a request has been made.

    Attributes:
        seed: of the choice, which does not depend on the order of different requests.
        rate: share of requests that meet a fault.
        kinds: of `KINDS`: 500 HTML; 502 HTML after `delay`; 503 and 429 with `retry_after`;
            the connection cut before the headers or inside the body; fewer bytes announced than
            sent; HTML with 200; half of the JSON; an answer after `delay`; a row twice.
        most: faults that one request meets in succession, at most.
        permanent: (regular expression, kind) for requests that fail for ever; the expression is
            searched in path and query.
        delay: seconds.
        retry_after: the header's text; None for no header.
        longest: days; a longer range of measurements is answered by 502, for ever.
        arriving: alert summaries that come in one by one while lists of them are read.
    """

    seed: int = 0
    rate: float = 0.0
    kinds: tuple[str, ...] = KINDS
    most: int = 2
    permanent: tuple[tuple[str, str], ...] = ()
    delay: float = 0.02
    retry_after: str | None = "0"
    longest: float | None = None
    arriving: int = 0

    def __post_init__(self) -> None:
        unknown = {*self.kinds, *(kind for _, kind in self.permanent)} - set(KINDS)
        if unknown:
            raise ValueError(f"no such faults: {sorted(unknown)}")


@dataclass(slots=True)
class FaultState:
    """What one server remembers to decide on faults. Safe to share between threads."""

    faults: Faults
    _asked: Counter[str] = field(default_factory=Counter)
    _in_succession: Counter[str] = field(default_factory=Counter)
    _pages: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: str) -> str | None:
        """The fault that *request*, its path and query, meets now."""
        for pattern, kind in self.faults.permanent:
            if re.search(pattern, request):
                return kind
        with self._lock:
            self._asked[request] += 1
            rng = dice(self.faults.seed, request, self._asked[request])
            spared = self._in_succession[request] >= self.faults.most
            if spared or not self.faults.kinds or rng.random() >= self.faults.rate:
                self._in_succession[request] = 0
                return None
            self._in_succession[request] += 1
            return rng.choice(self.faults.kinds)

    def withheld(self) -> int:
        """Newest summaries that have not arrived yet; one more arrives with every call."""
        with self._lock:
            self._pages += 1
            return max(0, self.faults.arriving - self._pages + 1)
