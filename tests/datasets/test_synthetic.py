# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Synthetic histories are what they say: their steps, their noise, and the same again."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.datasets import synthetic
from stepmark.datasets.folder import digest
from stepmark.datasets.synthetic import (
    KINDS,
    LEVEL,
    SUITE,
    TRUTH,
    Setting,
    Synthetic,
    history,
    suite,
    true_steps,
)
from stepmark.errors import SpecError
from stepmark.plugins import parse_dataset

PINNED = [
    100.126088414,
    102.321415889,
    102.232079587,
    98.694527143,
    118.365923108,
    117.068679625,
    119.39964546,
    122.90130616,
]
QUIET = Setting(noise=0.01, low=0.2, high=0.3, steps=2)


def numbers(member):
    return np.array(member.series.values())


def noise_of(kind, n=20_000, **given):
    """The noise of a kind without steps, in its own sd, and what was drawn for it."""
    member = history(f"none-{kind}", n, 3, setting=Setting(noise=0.02, **given))
    return (numbers(member) - LEVEL) / 2, member.facts


class TestTruth:
    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(sorted(KINDS)),
        st.integers(8, 400),
        st.integers(0, 2**32),
        st.integers(0, 3),
    )
    def test_steps_lie_inside_and_apart(self, kind, n, seed, index):
        member = history(kind, n, seed, index=index)
        steps = true_steps(member)
        places = [step.place for step in steps]
        count = 0 if kind.startswith("none-") else (n // 200 + 1) * (1 + (kind == "reverted"))
        assert len(places) == count
        assert member.annotators == {TRUTH: tuple(places)}
        gap = min(max(10, n // 20), n // (count + 3))
        edges = [0, *places, n]
        assert all(b - a >= gap for a, b in pairwise(edges))
        if kind != "reverted":
            assert all(0.02 <= abs(step.relative) <= 0.2 for step in steps)
        assert np.isfinite(numbers(member)).all()
        assert member.length == len(member.series) == n

    @pytest.mark.parametrize("kind", sorted({*KINDS} - {"reverted"}))
    def test_the_levels_are_those_that_the_steps_tell(self, kind):
        with_steps = numbers(history(kind, 300, 5, steps=[(100, 0.5), (200, -0.2)]))
        without = numbers(history(kind, 300, 5, steps=[]))
        # Quantised values are rounded on the way.
        error = 6 if "quantised" in kind else 1e-9
        expected = np.repeat([0, 0.5 * LEVEL, 0.2 * LEVEL], 100)
        assert np.abs(with_steps - without - expected).max() < error

    def test_sizes_are_told_in_relation_and_in_noise(self):
        member = history("gauss", 300, 1, steps=[(100, 0.1), (200, -0.5)], setting=QUIET)
        assert true_steps(member) == (
            (100, 0.1, pytest.approx(10)),
            (200, -0.5, pytest.approx(-55)),
        )

    def test_a_regression_is_reverted_to_where_it_was(self):
        first, second = true_steps(history("reverted", 150, 1))
        assert first.relative > 0
        assert (1 + first.relative) * (1 + second.relative) == pytest.approx(1)

    def test_the_change_of_variance_is_no_step_and_lies_apart(self):
        for seed in range(20):
            member = history("variance", 300, seed)
            place = int(member.facts["variance_place"])
            assert min(abs(place - step.place) for step in true_steps(member)) >= 15
            half = history("none-variance", 4000, seed, setting=Setting(factor=3.0))
            place = int(half.facts["variance_place"])
            spreads = sorted([numbers(half)[:place].std(), numbers(half)[place:].std()])
            assert spreads[1] / spreads[0] == pytest.approx(3, rel=0.3)

    def test_true_steps_of_another_series(self):
        from labelled import member

        assert true_steps(member([1.0])) == ()
        assert true_steps(member([1.0], facts={"steps": "[5]"})) == ()
        assert true_steps(member([1.0], facts={"steps": "{"})) == ()


class TestNoise:
    @pytest.mark.parametrize("kind", ["gauss", "heavy", "lognormal", "ar1"])
    def test_has_the_spread_that_the_facts_tell(self, kind):
        noise, facts = noise_of(kind)
        assert facts["noise"] == "0.02"
        # The fourth moment of Student's t with 3 degrees of freedom is infinite.
        assert noise.std() == pytest.approx(1, rel=0.2 if kind == "heavy" else 0.05)
        assert abs(noise.mean()) < 0.1

    def test_heavy_tails(self):
        assert np.mean(np.abs(noise_of("heavy")[0]) > 4) > 10 * np.mean(
            np.abs(noise_of("gauss")[0]) > 4
        )

    def test_outliers_have_their_share_and_size(self):
        noise, facts = noise_of("spikes", outliers=0.02)
        far = np.abs(noise) > 5
        assert facts["outliers"] == "0.02"
        assert 0.012 < far.mean() < 0.02
        assert np.abs(noise).max() < 20

    @pytest.mark.parametrize(("kind", "stay"), [("bands", 2), ("bimodal", 10)])
    def test_two_bands(self, kind, stay):
        given = {"apart": 8.0, **({"switch": 0.1} if kind == "bimodal" else {})}
        upper = noise_of(kind, **given)[0] > 0
        changes = np.count_nonzero(upper[1:] != upper[:-1])
        assert upper.mean() == pytest.approx(0.5, abs=0.1)
        assert upper.size / changes == pytest.approx(stay, rel=0.15)

    @pytest.mark.parametrize("phi", [-0.5, 0.0, 0.6, 0.95])
    def test_autocorrelation(self, phi):
        noise, facts = noise_of("ar1", phi=phi)
        assert facts["phi"] == repr(phi)
        assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(phi, abs=0.03)

    def test_a_walk_wanders(self):
        noise = noise_of("walk", wander=1.0)[0]
        assert np.diff(noise).std() == pytest.approx(math.sqrt(3), rel=0.05)
        assert noise.std() > 10

    def test_drift(self):
        noise, facts = noise_of("drift", slope=-0.04)
        assert facts["slope"] == "-0.04"
        assert noise[-2000:].mean() - noise[:2000].mean() == pytest.approx(-1.8, abs=0.1)
        drawn = {float(history("drift", 20, s).facts["slope"]) for s in range(20)}
        assert all(0.01 <= abs(d) <= 0.04 for d in drawn)
        assert min(drawn) < 0 < max(drawn)

    def test_quantised_values_are_multiples(self):
        member = history("quantised", 300, 1, setting=Setting(resolution=1.0, noise=0.02))
        assert numbers(member) / 2 == pytest.approx(np.round(numbers(member) / 2))
        exact = history("quantised", 300, 1, setting=Setting(resolution=0))
        assert len(set(numbers(exact))) == 300

    def test_a_long_tail_upwards(self):
        noise = noise_of("lognormal")[0]
        assert noise.max() > 2 * -noise.min()

    def test_a_wave(self):
        noise, facts = noise_of("sine", amplitude=5.0)
        assert noise.std() == pytest.approx(math.sqrt(1 + 12.5), rel=0.1)
        assert 2 <= float(facts["cycles"]) <= 10

    def test_missing_points_are_absent_and_never_all(self):
        member = history("gauss", 1000, 1, setting=Setting(missing=0.3))
        assert 200 < member.missing < 400
        whole = {p.position: p.value() for p in history("gauss", 1000, 1).series.points}
        assert all(whole[p.position] == p.value() for p in member.series.points)
        assert all(history("gauss", 8, s, setting=Setting(missing=0.9)).series for s in range(40))


class TestSeeds:
    def test_a_series_is_the_same_whatever_else_is_generated(self):
        alone = history("heavy", 100, 7, index=2)
        for kinds, count in ((("heavy",), 3), (("gauss", "heavy"), 8), (tuple(KINDS), 200)):
            assert suite(kinds, n=100, count=count, seed=7).by_name[alone.name] == alone

    @pytest.mark.parametrize(
        "other",
        [("gauss", 100, 1, 1), ("gauss", 100, 2, 0), ("gauss", 101, 1, 0), ("ar1", 100, 1, 0)],
    )
    def test_another_seed_kind_length_or_index_is_another_series(self, other):
        kind, n, seed, index = other
        first = numbers(history("gauss", 100, 1))
        second = numbers(history(kind, n, seed, index=index))
        assert not set(first) & set(second)

    def test_the_numbers_are_those_of_every_release(self):
        # Changes where numpy makes other numbers of its random bits, and data sets with it.
        values = numbers(history("gauss", 8, 1))
        assert values == pytest.approx(PINNED, abs=1e-9)


class TestSuite:
    @pytest.mark.parametrize(("n", "count"), [(100, 70), (300, 56), (1000, 42), (50, 56)])
    def test_sizes_and_shares(self, n, count):
        made = suite(n=n, seed=1)
        kinds = [member.facts["kind"] for member in made]
        assert len(made) == count
        assert {kinds.count(kind) for kind in SUITE} == {count // 7}

    def test_no_multiple_of_the_kinds(self):
        made = suite(("gauss", "heavy"), n=20, count=5)
        assert [m.facts["kind"] for m in made] == ["gauss"] * 3 + ["heavy"] * 2

    def test_provenance_names_what_made_it(self):
        made = suite(("gauss",), n=20, count=1, seed=3, setting=Setting(noise=0.02))
        assert made.name == "synthetic(gauss, noise=0.02, n=20, count=1, seed=3)"
        assert made.provenance == {
            "generator": made.name,
            "stepmark": synthetic.stepmark.__version__,
            "numpy": np.__version__,
        }
        assert digest(parse_dataset(made.provenance["generator"]).make()) == digest(made)


class TestSpecs:
    @pytest.mark.parametrize(
        ("spec", "generator"),
        [
            ("synthetic", Synthetic()),
            (
                "synthetic(kinds=gauss, n=300, count=8, seed=1)",
                Synthetic(kinds="gauss", count=8, seed=1),
            ),
            ("synthetic(kinds=all, n=50)", Synthetic(kinds="all", n=50)),
            ("synthetic(none-ar1, walk, phi=.9)", Synthetic(phi=0.9, members=("none-ar1", "walk"))),
            ("synthetic(steps=0, apart=4, noise=none)", Synthetic(steps=0, apart=4)),
        ],
    )
    def test_are_read_and_written_alike(self, spec, generator):
        assert parse_dataset(spec) == generator
        assert parse_dataset(str(generator)) == generator

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("synthetic(kinds=gaus)", r"unknown kind 'gaus' \(did you mean gauss\?\)"),
            ("synthetic(5)", "unknown kind '5'"),
            ("synthetic(n=7)", "n is a whole number from 8 to 100000, not 7"),
            ("synthetic(n=1000000)", "n is a whole number"),
            ("synthetic(n=none)", "n is a whole number"),
            ("synthetic(n=20.5)", "n is a whole number"),
            ("synthetic(seed=-1)", "seed is a whole number"),
            ("synthetic(seed=x)", "seed is a whole number"),
            ("synthetic(count=0)", "count is a whole number from 1 to 10000, not 0"),
            ("synthetic(n=100000, count=301)", "count is a whole number from 1 to 300"),
            ("synthetic(noise=0)", "noise is a number from 1e-09 to 1, not 0"),
            ("synthetic(noise=big)", "noise is a number"),
            ("synthetic(missing=none)", "missing is a number"),
            ("synthetic(phi=1)", "phi is a number from -0.999 to 0.999"),
            ("synthetic(steps=1.5)", "steps is a whole number"),
            ("synthetic(steps=true)", "steps is a whole number"),
            ("synthetic(steps=300)", "300 steps do not fit into 300 points"),
            ("synthetic(low=.5)", "low 0.5 is more than high 0.2"),
            ("synthetic(gauss, gauss)", "named twice"),
            ("synthetic(gauss, kinds=heavy)", "not both"),
            ("synthetic(sise=3)", r"dataset synthetic has no parameter 'sise' \(did you mean"),
            ("synthetic(", "a value is missing"),
            ("synthetik()", r"unknown dataset 'synthetik' \(did you mean synthetic\?\)"),
            ("", "a dataset's name is missing"),
        ],
    )
    def test_that_mean_nothing(self, spec, message):
        with pytest.raises(SpecError, match=message):
            parse_dataset(spec).make()

    @pytest.mark.parametrize(
        "steps", [[(0, 0.1)], [(20, 0.1)], [(5, -1)], [(5, 0.1), (5, 0.2)], [(5, math.inf)]]
    )
    def test_steps_that_cannot_be(self, steps):
        with pytest.raises(SpecError, match="synthetic: "):
            history("gauss", 20, 1, steps=steps)

    def test_every_kind_says_what_it_is(self):
        assert all(kind.summary for kind in KINDS.values())
        assert set(SUITE) < set(KINDS)
        assert "none-reverted" not in KINDS
