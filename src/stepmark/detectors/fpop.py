# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Optimal partitioning for the mean, exact and in linear time, by functional pruning.

Maidstone, Hocking, Rigaill and Fearnhead, "On optimal multiple changepoint algorithms for large
data", Statistics and Computing 27, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from stepmark.changes import Detection
from stepmark.detectors.penalties import Penalty, check_penalty, of_length, penalty_value
from stepmark.detectors.scaling import (
    Scale,
    check_scale,
    moderate,
    point_values,
    require_squares,
    scaled,
)
from stepmark.detectors.tracking import Repeated
from stepmark.plugins import Specified, Tracker
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark._kernels.fpop import Partition
    from stepmark.series import Vector

_FEWEST = 3  # points in which a change is looked for


@dataclass(frozen=True, slots=True)
class FPOP(Specified):
    """The least sum of squares around the segments' means, exact and in linear time.

    Attributes:
        penalty: what a change must save, in squared units of the scaled signal: a number, or sic or
            bic (2 ln n), mbic (3 ln n), aic (4), hannan-quinn (4 ln ln n), asymptotic, none (0).
            30 leaves room for an error of the estimated noise; a number does not grow with n, so
            that later points hardly change what earlier ones showed.
        scale: what the signal is divided by: ``noise`` (robust, from the differences of
            neighbours), ``std`` (the standard deviation, as the Turing benchmark does) or none.

    The optimum over all divisions into segments of one point or more. Fewer than three points have
    no change. Replicates count by their mean.

    Time O(n h) with h some ten, quiet or not; memory O(n). Maidstone, Hocking, Rigaill and
    Fearnhead, Statistics and Computing 27, 2017.
    """

    name: ClassVar[str] = "fpop"
    complexity: ClassVar[str] = "O(n)"
    paper: ClassVar[str] = "Maidstone, Hocking, Rigaill and Fearnhead 2017"
    cost_unit: ClassVar[str] = "squared units of scale"
    penalty: Penalty = 30.0
    scale: Scale = "noise"

    def __post_init__(self) -> None:
        check_penalty(self.name, self.penalty)
        check_scale(self.name, self.scale)

    def detect(self, signal: Signal | Iterable[Any]) -> Detection:
        """The changes of the cheapest division; a score is what the change saves.

        It compares with the same division where the two segments beside the change are one, and
        the penalty is subtracted: in squared units of the scaled signal, never negative but for
        rounding. Raises `SignalError` for NaN or infinite values, and for a signal whose squares
        are not finite.
        """
        from stepmark._kernels.fpop import Partition

        values = self._scaled(signal)
        if len(values) < _FEWEST:
            return Detection(len(values))
        penalty = self._penalty(len(values))
        if penalty == 0:
            return _without_penalty(values)
        partition = Partition(penalty, len(values))
        partition.extend(values)
        return _detection(partition, penalty)

    def cost(self, signal: Signal | Iterable[Any], indices: Sequence[int]) -> float:
        """What *signal* costs when it is divided at *indices*, in squared units of scale.

        Infinite for a division of fewer than three points.
        """
        import numpy as np

        values = self._scaled(signal)
        parts = [part - part.mean() for part in np.split(values, list(indices)) if part.size]
        squares = float(sum(float(part @ part) for part in parts))
        if not indices:
            return squares
        # A change in so few points is none, whatever it saves.
        penalty = self._penalty(len(values)) if len(values) >= _FEWEST else math.inf
        return squares + penalty * len(indices)

    def track(self) -> Tracker:
        """A tracker that has seen no point yet.

        With ``scale=none`` and a penalty that does not depend on the length, above 0, a point
        costs O(h). Otherwise each point changes what all others cost: each extension is a full run.
        """
        if self.scale is not None or of_length(self.penalty) or not self.penalty:
            return Repeated(self)
        return GrowingPartition(self._penalty(_FEWEST))

    def _penalty(self, n: int) -> float:
        return penalty_value(self.penalty, n, 1, "mean")

    def _scaled(self, signal: Signal | Iterable[Any]) -> Vector:
        """The values relative to the first one, in units of scale; shape (n,)."""
        import numpy as np

        values = point_values(signal, self.name)
        if not len(values):
            return values
        if self.scale is not None:
            values = moderate(values)
        with np.errstate(over="ignore"):
            # Not for the optimum, which does not depend on it, but for the digits.
            values = scaled(values - values[0], self.scale)
        require_squares(self.name, values)
        return values


def _without_penalty(values: Vector) -> Detection:
    """Changes that cost nothing: wherever the value changes."""
    import numpy as np

    steps = np.diff(values)
    places = np.flatnonzero(steps)
    bounds = np.concatenate(([0], places + 1, [len(values)]))
    return Detection(
        len(values), tuple((places + 1).tolist()), _saved(bounds, values[bounds[:-1]], 0.0)
    )


def _detection(partition: Partition, penalty: float) -> Detection:
    import numpy as np

    changes, levels = partition.solution()
    bounds = np.concatenate(([0], changes, [partition.points]))
    scores = _saved(bounds, levels, penalty)
    return Detection(partition.points, tuple(changes.tolist()), scores)


def _saved(bounds: Any, levels: Vector, penalty: float) -> tuple[float, ...]:
    """What each change saves, less the penalty.

    Joining n and m points costs n m / (n + m) times the square of the difference of their means.
    """
    import numpy as np

    sizes = np.diff(bounds).astype(np.float64)
    weights = sizes[:-1] * sizes[1:] / (sizes[:-1] + sizes[1:])
    scores: list[float] = (weights * np.diff(levels) ** 2 - penalty).tolist()
    return tuple(scores)


class GrowingPartition(Tracker):
    """Follows a growing signal in fixed units, with a penalty whatever its length."""

    def __init__(self, penalty: float) -> None:
        from stepmark._kernels.fpop import Partition

        self._penalty = penalty
        self._partition = Partition(penalty)
        self._first: float | None = None

    def extend(self, values: Signal | Iterable[Any]) -> Detection:
        """Add *values* at the end; the changes in all points so far, as `FPOP.detect` has them.

        Raises `SignalError` as that does; *values* are not taken then.
        """
        import numpy as np

        added = point_values(values, FPOP.name)
        if len(added):
            first = float(added[0]) if self._first is None else self._first
            with np.errstate(over="ignore"):
                relative = added - first
            require_squares(FPOP.name, relative)
            self._first = first
            self._partition.extend(relative)
        if self._partition.points < _FEWEST:
            return Detection(self._partition.points)
        return _detection(self._partition, self._penalty)
