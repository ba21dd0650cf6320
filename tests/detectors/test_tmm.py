# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Moving median trending: the old rules by reference numbers, the others by what they do."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories import noise, step
from stepmark.detectors import TMM
from stepmark.detectors.tmm import PointClass
from stepmark.errors import SignalError, SpecError

NORMAL, OUTLIER = PointClass.NORMAL, PointClass.OUTLIER
REGRESSION, PROGRESSION = PointClass.REGRESSION, PointClass.PROGRESSION
FLAT = noise(40, 100.0, 1.0, seed=4)


def same(found, expected):
    return found == expected or (
        None not in (found, expected) and math.isclose(found, expected, rel_tol=1e-9)
    )


class TestOldRules:
    def test_reference_numbers(self, shared_data):
        cases = json.loads((shared_data / "trending" / "legacy_tmm_cases.json").read_text())[
            "cases"
        ]
        assert len(cases) == 7
        for case in cases:
            found = TMM(compat=True).classify(case["values"])
            if case["n"] < 3:  # the row was dropped before it was classified
                assert found.classes == (NORMAL,) * case["n"]
                continue
            assert list(found.classes) == case["classification"], case["name"]
            for ours, theirs in (
                (found.trimmed, case["trimmed"]),
                (found.medians, case["tmm"]),
                (found.deviations, case["tmsd"]),
            ):
                assert all(same(a, b) for a, b in zip(ours, theirs, strict=True)), case["name"]

    def test_a_value_is_part_of_its_own_window(self):
        values = [100.0, 101.0] * 7 + [104.0]
        found = TMM(compat=True).classify(values)
        assert found.medians[-1] == 101.0
        assert found.deviations[-1] > 1, "the value itself widens what it is judged by"
        assert found.classes[-1] is NORMAL

    def test_the_fence_has_no_upper_side(self):
        low, high = ([*FLAT[:20], v, *FLAT[20:]] for v in (90.0, 110.0))
        assert TMM(compat=True).classify(low).classes[20] is OUTLIER
        assert TMM(compat=True).classify(high).classes[20] is PROGRESSION

    def test_the_first_window_has_no_outliers(self):
        values = [*FLAT[:13], 50.0, *FLAT[13:20]]
        assert TMM(compat=True).classify(values).trimmed[13] == 50.0

    def test_places_are_where_stretches_begin(self):
        values = [*FLAT[:20], 110.0, *FLAT[20:]]
        assert TMM(compat=True).detect(values).indices == (20,)


class TestCorrectedRules:
    @pytest.mark.parametrize("seed", range(5))
    def test_noise_has_no_new_level(self, seed):
        assert TMM().detect(noise(200, 100.0, 1.0, seed=seed)).indices == ()

    @pytest.mark.parametrize(("size", "kind"), [(8.0, PROGRESSION), (-8.0, REGRESSION)])
    def test_a_step_is_a_new_level_at_its_first_point(self, size, kind):
        values = step(60, 30, size, sigma=1.0)
        found = TMM().classify(values)
        assert found.classes[30] is kind
        assert TMM().detect(values).indices == (30,)
        assert None not in found.trimmed[30:33], "its first points are valid after all"

    @pytest.mark.parametrize("n", [30, 31, 32, 33])
    def test_a_level_is_told_when_it_is_confirmed(self, n):
        found = TMM().detect(step(60, 30, 10.0)[:n])
        assert found.indices == ((30,) if n == 33 else ())

    @pytest.mark.parametrize("value", [80.0, 120.0])
    @pytest.mark.parametrize("count", [1, 2])
    def test_fewer_are_outliers_on_both_sides(self, value, count):
        values = [*FLAT[:20], *[value] * count, *FLAT[20:]]
        found = TMM().classify(values)
        assert found.classes[20 : 20 + count] == (OUTLIER,) * count
        assert found.trimmed[20 : 20 + count] == (None,) * count
        assert set(found.classes) == {NORMAL, OUTLIER}
        assert TMM().detect(values).indices == ()

    def test_outliers_on_different_sides_confirm_nothing(self):
        values = [*FLAT[:20], 120.0, 80.0, 120.0, 80.0, *FLAT[20:]]
        found = TMM().classify(values)
        assert found.classes[20:24] == (OUTLIER,) * 4
        assert TMM().detect(values).indices == ()

    def test_a_normal_value_between_starts_the_count_again(self):
        values = [*FLAT[:20], 120.0, 120.0, 100.0, 120.0, 120.0, *FLAT[20:]]
        assert TMM().detect(values).indices == ()

    def test_outliers_do_not_widen_the_window(self):
        values = [*FLAT[:20], 500.0, 105.5, 105.5, 105.5]
        assert TMM().classify(values).deviations[21] == TMM().classify(FLAT[:21]).deviations[20]

    def test_trend_and_spread_are_of_the_values_before(self):
        found = TMM(window=4).classify([1.0, 2.0, 3.0, 10.0, 4.0])
        assert found.medians == (None, None, 1.5, 2.0, 2.5)
        assert found.deviations[:3] == (None, None, pytest.approx(math.sqrt(0.5)))

    def test_a_new_window_starts_at_a_new_level(self):
        found = TMM().classify(step(60, 30, 10.0, sigma=1.0))
        assert found.medians[33] == pytest.approx(110, abs=2)

    def test_levels_may_follow_each_other(self):
        values = noise(20, 100.0) + noise(20, 110.0, seed=1) + noise(20, 95.0, seed=2)
        assert TMM().detect(values).indices == (20, 40)

    def test_confirm_of_one_calls_every_outlier_a_level(self):
        values = [*FLAT[:20], 120.0]
        assert TMM(confirm=1).detect(values).indices == (20,)
        assert TMM(confirm=2).detect(values).indices == ()

    def test_a_level_without_spread_has_no_room_for_any_other(self):
        assert TMM().detect([5.0] * 10 + [5.001] * 3).indices == (10,)

    def test_the_first_values_are_judged_by_none(self):
        assert TMM().detect([1.0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0]).indices == ()

    @given(st.lists(st.integers(-50, 50).map(float), max_size=60))
    def test_mirrored_input_is_mirrored(self, values):
        swap = {REGRESSION: PROGRESSION, PROGRESSION: REGRESSION}
        found = TMM().classify(values).classes
        mirrored = TMM().classify([-v for v in values]).classes
        assert [swap.get(c, c) for c in mirrored] == list(found)

    def test_replicates_are_judged_by_their_mean(self):
        values = step(60, 30, 10.0)
        rows = [[v - 1, v + 1] for v in values]
        assert TMM().detect(rows) == TMM().detect(values)


@pytest.mark.parametrize("compat", [True, False])
class TestBoth:
    @pytest.mark.parametrize("values", [[], [5.0], [1.0, 900.0]])
    def test_fewer_than_three_are_normal(self, compat, values):
        found = TMM(compat=compat).classify(values)
        assert found.classes == (NORMAL,) * len(values)

    def test_one_entry_a_point(self, compat):
        found = TMM(compat=compat).classify(FLAT)
        assert {len(found.classes), len(found.trimmed), len(found.medians)} == {40}
        assert len(found.deviations) == 40

    def test_a_point_without_replicates_is_refused(self, compat):
        with pytest.raises(SignalError, match="point 1 is not a finite number; tmm needs"):
            TMM(compat=compat).detect([[1.0], [], [2.0]])

    def test_the_largest_numbers_are_no_error(self, compat):
        assert TMM(compat=compat).detect([1.7e308, -1.7e308] * 20).length == 40


@pytest.mark.parametrize(
    "bad",
    [
        {"window": 1},
        {"window": 14.0},
        {"window": True},
        {"confirm": 0},
        {"confirm": "three"},
        {"fence": 0},
        {"fence": math.nan},
        {"fence": True},
        {"sigmas": -3},
        {"sigmas": math.inf},
        {"sigmas": "3"},
        {"compat": 1},
        {"compat": "yes"},
    ],
)
def test_bad_parameters_are_refused(bad):
    with pytest.raises(SpecError, match=f"tmm: {next(iter(bad))} is"):
        TMM(**bad)
