# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the run lengths of Bayesian online detection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import bocpd as loops

if TYPE_CHECKING:
    from stepmark.series import Vector


@dataclass(frozen=True, slots=True)
class Model:
    """What is taken for granted before the first point.

    Attributes:
        hazard: probability of a change before each point, inside (0, 1).
        m, k, a, b: normal-inverse-gamma prior: mean, its weight in points, shape and rate.
        tail: run lengths beyond which less probability than this lies are forgotten.
        longest: run lengths kept at most; None for all.
        lag: 1 for the exact recursion over divisions, 2 for that of the R package ocp.
    """

    hazard: float
    m: float
    k: float
    a: float
    b: float
    tail: float
    longest: int | None
    lag: int


class Runs:
    """Run lengths and best divisions of a signal that grows; O(n) memory.

    A new point takes time in proportion to the run lengths that are alive.
    """

    def __init__(self, model: Model, kernel: Any = loops) -> None:
        self._model, self._kernel = model, kernel
        self._make = Buffers(compiled=kernel.COMPILED)
        self._values = self._make.reals(0)
        self._tables = [self._make.reals(0) for _ in range(4)]
        self._runs = [self._make.reals(0) for _ in range(6)]
        self._best, self._chosen, self._evidence = (
            self._make.reals(0), self._make.integers(0), self._make.reals(0),
        )  # fmt: skip
        self._oldest = self._depth = 0
        self.length = 0

    def extend(self, values: Vector) -> None:
        """Take up *values* at the end."""
        if not len(values):
            return
        first, self.length = self.length, self.length + len(values)
        self._reserve(self.length)
        self._values[first : self.length] = self._make.reals(values)
        model = self._model
        self._oldest = self._kernel.follow(
            first, self.length, self._oldest, self._depth, 2 - model.lag, model.hazard,
            model.tail, model.m, model.a, model.b, self._values, *self._tables, *self._runs,
            self._best, self._chosen, self._evidence,
        )  # fmt: skip

    def _reserve(self, length: int) -> None:
        """Room for *length* points, doubled each time so that growing costs O(1) a point."""
        if length <= len(self._values):
            return
        room = max(length, 2 * len(self._values))
        longer = self._make.longer
        self._values = longer(self._values, room)
        self._runs = [longer(buffer, room + 1) for buffer in self._runs]
        self._best = longer(self._best, room + 2)
        self._chosen = longer(self._chosen, room + 1)
        self._evidence = longer(self._evidence, room + 1)
        depth = min(room, self._model.longest or room)
        self._depth = depth
        if depth > len(self._tables[0]):
            self._tables = [self._make.reals(depth) for _ in range(4)]
            self._kernel.fill_tables(self._model.k, self._model.a, *self._tables)

    def division(self) -> tuple[list[int], list[float]]:
        """Starts of the best division's segments but the first, and the probability of each.

        That probability is the one that the run at the end of the segment had begun there.
        """
        starts, probabilities = [], []
        lag, point = self._model.lag, self.length
        while point > 0:
            start = int(self._chosen[point])
            if 0 < start < self.length:
                starts.append(start)
                probabilities.append(math.exp(self._evidence[point]))
            point = start + 1 - lag
        return starts[::-1], probabilities[::-1]
