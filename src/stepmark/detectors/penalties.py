# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What one more change must save: the penalties of R's changepoint family."""

from __future__ import annotations

import math
from typing import Literal, get_args

from stepmark.detectors.parameters import is_number
from stepmark.errors import SpecError

Named = Literal["sic", "bic", "mbic", "aic", "hannan-quinn", "asymptotic"]
# A spec's word none is None; a number is the penalty itself.
Penalty = Named | float | None


def check_penalty(detector: str, penalty: Penalty) -> None:
    """Raise `SpecError` where *penalty* is neither a name, nor None, nor a number from 0."""
    if isinstance(penalty, str):
        known = penalty in get_args(Named)
    else:
        known = penalty is None or (is_number(penalty) and penalty >= 0)
    if not known:
        names = ", ".join(get_args(Named))
        raise SpecError(f"{detector}: penalty is none, {names} or a number from 0, not {penalty!r}")


def of_length(penalty: Penalty) -> bool:
    """Whether the penalty depends on the number of points."""
    return isinstance(penalty, str) and penalty != "aic"


def penalty_value(penalty: Penalty, n: int, parameters: int, model: str) -> float:
    """What a change must save in a signal of *n* points (3 or more); infinite for too few points.

    *parameters* is the number that a further segment adds. The asymptotic penalty is that of a
    false alarm in 20 signals without a change; *model* says of which statistic: ``mean``, ``var``,
    ``meanvar`` (normal) or ``css``.
    """
    log_n = math.log(n)
    if penalty is None:
        return 0.0
    if penalty in ("sic", "bic"):
        return (parameters + 1) * log_n
    if penalty == "mbic":
        return (parameters + 2) * log_n
    if penalty == "aic":
        return 2.0 * (parameters + 1)
    if penalty == "hannan-quinn":
        return 2 * (parameters + 1) * math.log(log_n)
    return _asymptotic(log_n, model) if penalty == "asymptotic" else float(penalty)


_ALPHA = 0.05
_CSS = 1.358  # the 95 % point of the largest absolute value of a Brownian bridge


def _asymptotic(log_n: float, model: str) -> float:
    """The 95 % point of the extreme value distribution of the largest statistic of one change."""
    if model == "css":
        return _CSS
    twice = math.log(log_n)
    thrice = math.log(twice)
    if model == "mean":
        a = (2 * twice) ** -0.5
        b = 1 / a + a / 2 * thrice
        root = 2 * math.sqrt(math.pi)
        below = 1 - _ALPHA + math.exp(-root * math.exp(b / a))
        return (b - a * math.log(-math.log(below) / root)) ** 2 if below < 1 else math.inf
    a = math.sqrt(2 * twice)
    b = 2 * twice + (thrice / 2 - math.lgamma(0.5) if model == "var" else thrice)
    below = 1 - _ALPHA + math.exp(-2 * math.exp(b))
    return ((b - math.log(-math.log(below) / 2)) / a) ** 2 if below < 1 else math.inf
