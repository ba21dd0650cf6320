# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Twins among series: divisions that keep them together, and intervals that count them as one.

One benchmark measured on two machines, or by two metrics, changes at the same places: a choice made
on one of the two has seen the answer for the other, and both together say little more than one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepmark.datasets.labelled import LabelledSeries
from stepmark.errors import UsageError
from stepmark.evaluation.statistics import Interval, bootstrap_interval, wilcoxon_holm

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Fold:
    """One division: the places of the series that may choose, and of those that judge the choice.

    Both are rising and have no place in common.
    """

    training: tuple[int, ...]
    held_out: tuple[int, ...]


def groups(series: Sequence[LabelledSeries]) -> tuple[str, ...]:
    """What must not be parted, for each series: its project and benchmark, else its own name.

    Where that is one group for all, each series is a group: there is nothing else to divide.
    """
    names = tuple(
        f"{member.series.key.project}/{member.series.key.benchmark}"
        if member.series.key.benchmark
        else member.name
        for member in series
    )
    return names if len(set(names)) > 1 else tuple(member.name for member in series)


def divide(group: Sequence[str], folds: int, seed: int = 0) -> tuple[Fold, ...]:
    """Divide the members of *group* (the name of each one's group) into *folds* of like size.

    Members of a group are in one fold. Fewer groups than folds give as many folds as there are
    groups. The division depends on the names, their numbers and *seed* only.
    Raises `UsageError` for fewer than two folds or groups.
    """
    names = sorted(set(group))
    if folds < 2:
        raise UsageError(f"cross-validation needs 2 folds or more, not {folds}")
    if len(names) < 2:
        raise UsageError("cross-validation needs two series or more that can be told apart")
    random.Random(seed).shuffle(names)  # noqa: S311 - a division, not a secret
    size = Counter(group)
    held: list[list[str]] = [[] for _ in range(min(folds, len(names)))]
    # The largest first, each to where there is most room, evens the folds out.
    for name in sorted(names, key=lambda name: -size[name]):
        min(held, key=lambda fold: sum(size[member] for member in fold)).append(name)
    return tuple(_fold(group, set(fold)) for fold in held)


def _fold(group: Sequence[str], held: set[str]) -> Fold:
    return Fold(
        training=tuple(i for i, name in enumerate(group) if name not in held),
        held_out=tuple(i for i, name in enumerate(group) if name in held),
    )


def ratio(
    numerators: Sequence[float], denominators: Sequence[float], group: Sequence[str], seed: int = 0
) -> Interval:
    """The ratio of two sums over series, and its interval, for which groups are drawn.

    A mean is a ratio to ones. Where nothing is drawn to divide by, the ratio is 1, as precision is
    where nothing was reported.
    """
    import numpy as np

    above, below = _sums(numerators, group), _sums(denominators, group)

    def statistic(drawn: npt.NDArray[np.float64]) -> Any:
        places = drawn.astype(np.intp)
        top, bottom = above[places].sum(axis=-1), below[places].sum(axis=-1)
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), 1.0)

    return bootstrap_interval(range(len(above)), statistic=statistic, seed=seed)


def _sums(values: Sequence[float], group: Sequence[str]) -> npt.NDArray[np.float64]:
    """The sum of *values* in each group."""
    import numpy as np

    place = {name: i for i, name in enumerate(dict.fromkeys(group))}
    sums = np.zeros(len(place))
    for name, value in zip(group, values, strict=True):
        sums[place[name]] += value
    return sums


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better one is than another on the same series; more is better, below 0 is worse.

    Attributes:
        difference: of the means over series, and its interval, for which groups are drawn.
        p_value: of Wilcoxon's signed-rank test on the means of the groups, two-sided.
    """

    difference: Interval
    p_value: float


def gain(
    ours: Sequence[float],
    theirs: Sequence[float],
    group: Sequence[str],
    *,
    higher_is_better: bool = True,
    seed: int = 0,
) -> Gain:
    """What *ours* gains over *theirs*: scores of the same series in the same order."""
    better = [(a - b) if higher_is_better else (b - a) for a, b in zip(ours, theirs, strict=True)]
    ones = [1.0] * len(better)
    means = _sums(better, group) / _sums(ones, group)
    test = wilcoxon_holm({"ours": means.tolist(), "theirs": [0.0] * len(means)})
    return Gain(ratio(better, ones, group, seed), test[0].p_value)
