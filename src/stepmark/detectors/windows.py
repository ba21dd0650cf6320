# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the methods of Perfherder share: a window before each point, one from it on, and a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from stepmark.detectors.parameters import check_count
from stepmark.errors import SpecError
from stepmark.plugins import Specified
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.windows import Points, Scan, Windows
    from stepmark.series import Vector

    Flags = npt.NDArray[np.bool_]
    Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WindowDetector(Specified):
    """Compares the samples before each point with those from it on.

    Attributes:
        minback: samples that the window before a point needs; also the points that it reaches back
            right after a significant one. With each point that is not, it reaches one further.
        maxback: points that it reaches back at most; no more are taken once it has so many samples.
        fore: samples that the window from the point on needs; it ends as soon as it has them.
        count: whether windows count ``samples`` or ``points``, the latter with all their samples.
    """

    minback: int = 12
    maxback: int = 24
    fore: int = 12
    count: Literal["samples", "points"] = "samples"

    def __post_init__(self) -> None:
        for field in ("minback", "maxback", "fore"):
            check_count(self.name, field, getattr(self, field), 1, _WIDEST)
        if self.maxback < self.minback:
            raise SpecError(
                f"{self.name}: maxback is not below minback ({self.minback}), not {self.maxback}"
            )
        if self.count not in ("samples", "points"):
            raise SpecError(f"{self.name}: count is samples or points, not {self.count!r}")

    def _points(self, signal: Signal | Any) -> Points:
        from stepmark._kernels.windows import Points

        signal = Signal.of(signal)
        signal.require_finite(self.name)
        return Points.of(signal, count_samples=self.count == "samples")

    @property
    def _windows(self) -> Windows:
        from stepmark._kernels.windows import Windows

        return Windows(self.minback, self.maxback, self.fore)

    def _full(self, points: Points, scan: Scan) -> Flags:
        """Whether both windows of a point hold what they need; shape (n,)."""
        counted = points.counted
        here = counted[:-1]
        full: Flags = (here - counted[scan.low] >= self.minback) & (
            counted[scan.high] - here >= self.fore
        )
        return full


_WIDEST = 1_000_000


def unbeaten(evidence: Vector) -> Flags:
    """Whether no neighbour of a point has more evidence; equal ones are both unbeaten."""
    best = np.ones(len(evidence), dtype=np.bool_)
    best[1:] &= ~(evidence[:-1] > evidence[1:])
    best[:-1] &= ~(evidence[1:] > evidence[:-1])
    return best


def strongest(candidates: Integers, order: Integers, counted: Integers, apart: int) -> list[int]:
    """Of *candidates* those that no stronger one is nearer to than *apart*, in *counted* terms.

    *order* sorts the candidates, strongest first.
    """
    kept: set[int] = set()
    where = counted[candidates]
    first = np.searchsorted(where, where - apart, side="right")
    stop = np.searchsorted(where, where + apart, side="left")
    free = np.ones(len(candidates), dtype=np.bool_)
    for k in order.tolist():
        if free[k]:
            kept.add(int(candidates[k]))
            free[first[k] : stop[k]] = False
    return sorted(kept)
