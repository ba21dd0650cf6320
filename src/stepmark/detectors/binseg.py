# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Binary segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stepmark._kernels.segmentation import Margins, greedy_splits, greedy_statistics
from stepmark.changes import Detection
from stepmark.detectors.costs import RATED, Segmentation, check_q, most
from stepmark.detectors.tcpdbench import counted
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.series import Vector


@dataclass(frozen=True, slots=True)
class BinSeg(Segmentation):
    """Binary segmentation: the best split first, then the best split of the parts, and so on.

    Attributes:
        function, statistic, penalty, minseglen, shape, scale: as for `amoc`.
        q: the most changes to look for, a number or ``max``; never more than n/2 + 1.
        compat: true (the default) for the answers of R's changepoint 2.2.2.

    ``compat=true`` keeps its faults: no segment begins at the second point or at one of the last
    two, a left part needs a point more than a right one, and where no split is left it takes
    position 0 (cusum and css: 1) for one, which shows where the penalty is none. ``compat=false``
    looks at every place that leaves `minseglen` points on both sides.

    The search is greedy and not exact: a split is never taken back. The score is the cost saved by
    the split when it was made (the statistic for cusum and css). Time O(n) for each change, at
    worst O(q n); memory O(n). Scott and Knott, Biometrics 30, 1974; Killick and Eckley, J. Stat.
    Softw. 58(3), 2014.
    """

    name: ClassVar[str] = "binseg"
    complexity: ClassVar[str] = "O(q n)"
    paper: ClassVar[str] = "Scott and Knott 1974"
    q: int | Literal["max"] = 5

    def __post_init__(self) -> None:
        Segmentation.__post_init__(self)
        check_q(self.name, self.q)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The splits that save enough; raises `SignalError` for numbers it cannot judge."""
        values = self.points(signal)
        n = values.size
        if n < max(3, 2 * self.minimum):
            return Detection(n)
        penalty = self.penalty_for(n)
        kept: dict[int, float] = {}
        for place, score in islice(self._splits(values), most(self.q, n)):
            if score < penalty:
                break
            if 0 < place < n:
                kept[place] = score
        places = sorted(kept)
        found = Detection(n, tuple(places), tuple(kept[place] for place in places))
        return counted(found, compat=self.compat)

    def _splits(self, values: Vector) -> Iterator[tuple[int, float]]:
        """Place and score of each split, best first."""
        n, m = values.size, self.minimum
        if self.kind in RATED:
            margins = Margins(m + 1, m, 1, n - 1) if self.compat else Margins(m, m, 1, n - 1)
            splits = greedy_statistics(self.kind, self.rated_sums(values), margins)
            return chain(splits, [(1, 0.0)] if self.compat else [])
        margins = Margins(m + 1, m, 2, n - 3) if self.compat else Margins(m, m, 1, n - 1)
        return ((place, 2 * gain) for place, gain in greedy_splits(self.costs(values), margins))
