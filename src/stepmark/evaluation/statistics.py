# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Whether methods differ by more than the luck of the series: tests on ranks, and intervals.

A *table* maps each method to its scores, one a series, in the same order of series for all. The
tests are those of Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets",
Journal of Machine Learning Research 7 (2006), for whom series are data sets. Scores that differ by
less than 1e-12 are equal. All raise `InputError` for tables with too few methods or series, of
unequal lengths, or with values that are not finite: a run without a score has no rank, so leave
out the series or give the failure a score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from stepmark.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

Table = Mapping[str, Sequence[float]]

_DECIMALS = 12
_EXACT = 50  # a sum of more ranks is as good as normal
_BLOCK = 1_000_000  # numbers drawn at a time


def average_ranks(table: Table, *, higher_is_better: bool = True) -> dict[str, float]:
    """The mean rank of each method over the series, best first; rank 1 is the best.

    Methods that score the same on a series share the mean of the ranks they take up.
    """
    means = _ranks(_scores(table), higher_is_better=higher_is_better).mean(axis=1)
    ranks = dict(zip(table, map(float, means), strict=True))
    return dict(sorted(ranks.items(), key=lambda item: item[1]))


@dataclass(frozen=True, slots=True)
class Friedman:
    """Whether the methods' ranks differ by more than chance.

    Attributes:
        methods, series: how many of them.
        chi_square: Friedman's statistic, corrected for ties.
        p_value: of it, by the chi-square distribution with methods - 1 degrees of freedom.
        f: the statistic of Iman and Davenport, which is less conservative; infinite where all
            series rank the methods alike.
        f_p_value: of it, by the F distribution with methods - 1 and
            (methods - 1) (series - 1) degrees of freedom.
    """

    methods: int
    series: int
    chi_square: float
    p_value: float
    f: float
    f_p_value: float


def friedman(table: Table) -> Friedman:
    """Friedman's test that all methods are alike, and the one of Iman and Davenport built on it.

    The direction of the scores does not matter. Needs two methods and two series.
    Sources: Friedman, JASA 32 (1937), corrected for ties as in Conover, "Practical Nonparametric
    Statistics"; Iman and Davenport, Communications in Statistics A9 (1980).
    """
    from scipy.special import chdtrc, fdtrc

    ranks = _ranks(_scores(table), higher_is_better=True)
    k, n = ranks.shape
    # The spread of the mean ranks over that of all ranks: equal to the usual form, ties corrected.
    middle = (k + 1) / 2
    spread = float(((ranks - middle) ** 2).sum())
    between = n * float(((ranks.mean(axis=1) - middle) ** 2).sum())
    if not spread:  # all methods score the same everywhere
        return Friedman(k, n, 0.0, 1.0, 0.0, 1.0)
    chi_square = n * (k - 1) * between / spread
    rest = n * (k - 1) - chi_square
    f = (n - 1) * chi_square / rest if rest > 1e-9 * chi_square else math.inf
    f_p_value = float(fdtrc(k - 1, (k - 1) * (n - 1), f)) if math.isfinite(f) else 0.0
    return Friedman(k, n, chi_square, float(chdtrc(k - 1, chi_square)), f, f_p_value)


def nemenyi_cd(methods: int, series: int, *, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference: mean ranks that differ by it or more differ significantly.

    q sqrt(k (k + 1) / (6 N)), q being the upper *alpha* point of the studentised range of k groups
    with infinite degrees of freedom, over the root of 2. It accounts for all pairs of methods.
    """
    from scipy.stats import studentized_range

    if methods < 2 or series < 1:
        raise InputError(f"no critical difference of {methods} method(s) on {series} series")
    _require_share("alpha", alpha)
    q = float(studentized_range.ppf(1 - alpha, methods, math.inf)) / math.sqrt(2)
    return q * math.sqrt(methods * (methods + 1) / (6 * series))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two methods compared on the same series.

    Attributes:
        first, second: the methods, in the order of the table.
        statistic: the smaller of the two sums of ranks.
        p_value: two-sided, of this pair alone.
        adjusted: the same, corrected for the number of pairs.
    """

    first: str
    second: str
    statistic: float
    p_value: float
    adjusted: float


def wilcoxon_holm(table: Table) -> tuple[Comparison, ...]:
    """Wilcoxon's signed-rank test of every pair of methods, corrected as Holm does; surest first.

    Series on which both score the same share their ranks between both sides, as with Demsar. The
    p-value is exact, given the sizes of the differences (equal ones included), up to 50 series on
    which the scores differ; beyond it is that of the normal distribution.
    Sources: Wilcoxon, Biometrics 1 (1945); Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    scores = dict(zip(table, _scores(table), strict=True))
    pairs = list(combinations(scores, 2))
    tests = [_wilcoxon(scores[a] - scores[b]) for a, b in pairs]
    order = sorted(range(len(pairs)), key=lambda i: tests[i][1])
    found = []
    adjusted = 0.0
    for place, i in enumerate(order):
        statistic, p_value = tests[i]
        adjusted = max(adjusted, min(1.0, (len(pairs) - place) * p_value))
        found.append(Comparison(*pairs[i], statistic, p_value, adjusted))
    return tuple(found)


def _wilcoxon(differences: Array) -> tuple[float, float]:
    """The smaller sum of ranks, and its two-sided p-value given the sizes of the differences."""
    import numpy as np
    from scipy.special import ndtr
    from scipy.stats import rankdata

    differences = np.round(differences, _DECIMALS)
    ranks: Array = rankdata(np.abs(differences))
    moving = ranks[differences != 0]
    shared = float(ranks[differences == 0].sum()) / 2
    plus = float(ranks[differences > 0].sum())
    least = min(plus, float(moving.sum()) - plus)
    if len(moving) <= _EXACT:
        tail = _chance_of_sum(np.round(2 * moving).astype(int), round(2 * least))
    else:
        tail = float(ndtr((least - moving.sum() / 2) / math.sqrt((moving**2).sum() / 4)))
    return least + shared, min(1.0, 2 * tail)


def _chance_of_sum(numbers: Sequence[int], most: int) -> float:
    """The probability that those of *numbers* that a fair coin picks add up to *most* at most."""
    import numpy as np

    chances = np.zeros(most + 1)
    chances[0] = 1.0
    for number in numbers:
        picked = np.zeros_like(chances)
        picked[number:] = chances[: max(0, most + 1 - number)]
        chances = (chances + picked) / 2
    return float(chances.sum())


def cliques(
    ranks: Mapping[str, float], alike: Callable[[str, str], bool]
) -> tuple[tuple[str, ...], ...]:
    """The bars of a critical-difference diagram: methods that cannot be told apart, best first.

    The longest runs, in order of *ranks*, of two methods or more all of whose pairs are *alike*.
    A run and not any set: a bar is drawn over everything between its ends.
    """
    order = sorted(ranks, key=lambda method: ranks[method])
    found: list[tuple[str, ...]] = []
    reached = 0
    for start in range(len(order)):
        stop = start + 1
        while stop < len(order) and all(alike(m, order[stop]) for m in order[start:stop]):
            stop += 1
        if stop > max(reached, start + 1):  # else inside the run before
            found.append(tuple(order[start:stop]))
            reached = stop
    return tuple(found)


def nemenyi_cliques(ranks: Mapping[str, float], difference: float) -> tuple[tuple[str, ...], ...]:
    """`cliques` of methods whose mean ranks differ by less than the critical *difference*."""
    return cliques(ranks, lambda a, b: abs(ranks[a] - ranks[b]) < difference)


def wilcoxon_cliques(
    ranks: Mapping[str, float], comparisons: Sequence[Comparison], *, alpha: float = 0.05
) -> tuple[tuple[str, ...], ...]:
    """`cliques` of methods none of whose pairs differs significantly after correction."""
    apart = {frozenset((c.first, c.second)) for c in comparisons if c.adjusted <= alpha}
    return cliques(ranks, lambda a, b: frozenset((a, b)) not in apart)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and the interval that is to hold what it estimates with this confidence."""

    estimate: float
    low: float
    high: float
    confidence: float = 0.95


def bootstrap_interval(
    values: Sequence[float],
    *,
    statistic: Callable[[Array], Any] | None = None,
    method: Literal["bca", "percentile"] = "bca",
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of a statistic of *values*, one a series; the mean if none is given.

    Args:
        values: two or more finite numbers.
        statistic: takes an array of shape (..., n) and gives one number a row, shape (...).
        method: `bca` corrects for bias and skewness, `percentile` takes the quantiles as they are.
        confidence: of the interval, inside (0, 1).
        resamples: how often n values are drawn with replacement.
        seed: the same seed gives the same interval.

    Source: Efron, "Better Bootstrap Confidence Intervals", JASA 82 (1987).
    """
    import numpy as np

    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise InputError("a bootstrap needs two or more finite numbers, one a series")
    _require_share("confidence", confidence)
    if resamples < 1:
        raise InputError(f"a bootstrap draws 1 or more resamples, not {resamples}")
    measure = statistic or _mean
    estimate = float(measure(sample))
    drawn = _resampled(sample, measure, resamples, seed)
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        tails = _corrected(tails, sample, measure, drawn, estimate)
    low, high = np.quantile(drawn, tails)
    return Interval(estimate, float(low), float(high), confidence)


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    method: Literal["bca", "percentile"] = "bca",
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of the mean of *first* less *second*, drawing series, not scores.

    Both hold one score a series, in the same order. An interval without 0 says that the methods
    differ by more than the choice of series explains.
    """
    if len(first) != len(second):
        raise InputError(f"scores on {len(first)} and on {len(second)} series are not pairs")
    return bootstrap_interval(
        [a - b for a, b in zip(first, second, strict=True)],
        method=method,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _mean(rows: Array) -> Any:
    return rows.mean(axis=-1)


def _resampled(sample: Array, measure: Callable[[Array], Any], resamples: int, seed: int) -> Array:
    import numpy as np

    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // sample.size)
    parts = []
    for start in range(0, resamples, block):
        shape = (min(block, resamples - start), sample.size)
        parts.append(measure(sample[generator.integers(0, sample.size, size=shape)]))
    drawn: Array = np.concatenate(parts)
    return drawn


def _corrected(
    tails: Array, sample: Array, measure: Callable[[Array], Any], drawn: Array, estimate: float
) -> Array:
    """The quantiles that BCa takes in place of *tails*."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    below = ((drawn < estimate).mean() + (drawn <= estimate).mean()) / 2
    # An estimate beyond all resamples has no finite quantile: it counts as half a resample inside.
    bias = ndtri(min(max(below, 0.5 / drawn.size), 1 - 0.5 / drawn.size))
    left = np.array([float(measure(np.delete(sample, i))) for i in range(sample.size)])
    pull = left.mean() - left
    spread = float((pull**2).sum())
    skew = float((pull**3).sum()) / (6 * spread**1.5) if spread else 0.0
    score = bias + ndtri(tails)
    moved: Array = ndtr(bias + score / (1 - skew * score))
    return moved


def _ranks(scores: Array, *, higher_is_better: bool) -> Array:
    """Ranks within each column (series), 1 the best."""
    import numpy as np
    from scipy.stats import rankdata

    rounded = np.round(scores, _DECIMALS)
    ranks: Array = rankdata(-rounded if higher_is_better else rounded, axis=0)
    return ranks


def _scores(table: Table) -> Array:
    """The table as numbers, one row a method."""
    import numpy as np

    lengths = {len(scores) for scores in table.values()}
    if len(table) < 2 or max(lengths) < 2:
        raise InputError("a comparison needs two or more methods on two or more series")
    if len(lengths) > 1:
        raise InputError("the methods of a comparison have scores on different series")
    scores = np.array([list(row) for row in table.values()], dtype=np.float64)
    for method, row in zip(table, scores, strict=True):
        if not np.isfinite(row).all():
            place = int(np.flatnonzero(~np.isfinite(row))[0])
            raise InputError(
                f"{method} has no score on series number {place + 1}: leave out that series, or"
                " give the failure a score"
            )
    return scores


def _require_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name} lies between 0 and 1, not {value}")
