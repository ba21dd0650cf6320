# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What parameters may be, by the checks that the detectors share."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stepmark.detectors import BOCPD, CPNP, FPOP, KCPA, MDL, RFPOP, TMM, WBS, Prophet
from stepmark.detectors.parameters import check_count, check_count_or_max, is_number
from stepmark.errors import SpecError


@pytest.mark.parametrize("value", [0, -3, 1.5, -1.7e308, np.float64(2.0), 10**308])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize(
    "value",
    [True, False, None, "1", math.nan, math.inf, -math.inf, 10**400, -(10**400), 1j, np.int64(3)],
)
def test_what_is_no_number(value):
    assert not is_number(value)


@pytest.mark.parametrize("value", [1, 7, 10**30])
def test_counts(value):
    check_count("x", "field", value, 1)
    check_count_or_max("x", "field", value)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, None, "Max", np.int64(3)])
def test_what_is_no_count(value):
    with pytest.raises(SpecError, match=r"^x: field is a whole number from 1, not "):
        check_count("x", "field", value, 1)
    with pytest.raises(SpecError, match=r"^x: field is a whole number from 1, or max, not "):
        check_count_or_max("x", "field", value)


def test_counts_have_a_limit_where_one_is_given():
    check_count("x", "field", 5, 0, 5)
    with pytest.raises(SpecError, match=r"^x: field is a whole number from 0 to 5, not 6$"):
        check_count("x", "field", 6, 0, 5)


@pytest.mark.parametrize("kind", [KCPA, Prophet, WBS])
def test_the_word_max_is_told(kind):
    field = {KCPA: "maxcp", Prophet: "changepoints", WBS: "kmax"}[kind]
    assert kind(**{field: "max"})
    with pytest.raises(SpecError, match=f"{kind.name}: {field} .* or max, not 'most'"):
        kind(**{field: "most"})


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (BOCPD, "intensity"),
        (CPNP, "penalty"),
        (FPOP, "penalty"),
        (KCPA, "cost"),
        (MDL, "unit"),
        (RFPOP, "penalty"),
        (RFPOP, "threshold"),
        (TMM, "sigmas"),
    ],
)
def test_a_whole_number_beyond_all_floats_is_refused(kind, field):
    with pytest.raises(SpecError, match=f"{kind.name}: {field} is"):
        kind(**{field: 10**400})


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"unit": -1}, "unit is 0 or a positive number"),
        ({"maximum": "x"}, "maximum is 0 or a positive number"),
        ({"sbps": 501}, "sbps is a whole number from 0 to 500"),
        ({"sbps": 1.5}, "sbps is a whole number from 0 to 500"),
    ],
)
def test_what_mdl_refuses_is_what_it_says(parameters, problem):
    assert MDL(unit=0, maximum=0, sbps=0).detect([1.0, 2.0] * 3) == MDL().detect([1.0, 2.0] * 3)
    with pytest.raises(SpecError, match=problem):
        MDL(**parameters)


@pytest.mark.parametrize("field", ["k", "a", "b", "m"])
def test_limits_of_a_prior_are_told(field):
    with pytest.raises(
        SpecError, match=rf"bocpd: {field} is a number from \S+ to 1e\+(09|100), not"
    ):
        BOCPD(**{field: 1e300})
