# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the detectors that divide by energy statistics have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stepmark.changes import Detection
from stepmark.detectors.parameters import check_count, check_positive
from stepmark.detectors.scaling import point_values
from stepmark.errors import SignalError, SpecError

if TYPE_CHECKING:
    from stepmark._kernels.energy import Split
    from stepmark.series import Signal, Vector

MOST_PERMUTATIONS = 1_000_000
_LARGEST_FLOAT = 1.7976931348623157e308


def check_test(
    detector: str, level: tuple[str, Any], permutations: Any, seed: Any, own: int
) -> None:
    """Raise `SpecError` where these are no parameters of a permutation test.

    *level* is the name and value of the largest p-value that is a change; *own* as for
    `most_reached`. A test that nothing can pass is none.
    """
    field, value = level
    check_positive(detector, field, value, below=1)
    check_count(detector, "permutations", permutations, 1, MOST_PERMUTATIONS)
    check_count(detector, "seed", seed, 0, 2**64 - 1)
    if most_reached(value, permutations, own) < 0:
        raise SpecError(
            f"{detector}: the least p-value of {permutations} permutations is"
            f" {own / (permutations + 1):g}, above {field}={value:g}: give more permutations"
        )


def most_reached(level: float, permutations: int, own: int) -> int:
    """How many permutations may reach the statistic so that p <= *level*; -1 where none may.

    p is (*own* + their number) / (permutations + 1).
    """
    most = math.ceil(level * (permutations + 1)) + 1
    while most >= 0 and (own + most) / (permutations + 1) > level:
        most -= 1
    return most


def finite_values(signal: Signal, detector: str, longest: int) -> Vector:
    """The values of *signal*, shape (n,).

    Raises `SignalError` as `point_values` does, and where there are more than *longest*.
    """
    if len(signal) > longest:
        raise SignalError(
            f"{detector} compares every pair of points and takes at most {longest} points, not"
            f" {len(signal)}: judge a shorter history"
        )
    return point_values(signal, detector)


def detection_of(length: int, splits: list[Split], unit: float = 1.0) -> Detection:
    """The detection of *splits*; a score is a split's statistic, times *unit*."""
    rising = sorted(splits, key=lambda split: split.place)
    scores = (min(split.statistic * unit, _LARGEST_FLOAT) for split in rising)
    return Detection(length, tuple(split.place for split in rising), tuple(scores))
