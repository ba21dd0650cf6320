# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Names and specs: what is written comes back, and nothing written can do harm."""

from __future__ import annotations

import contextlib
import sys
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stepmark
from stepmark.detectors import MDL, TMM, Zero
from stepmark.errors import SpecError
from stepmark.plugins import BUILTIN, Costed, Detector, load, names, parse_detector, spec_value

amounts = st.none() | st.floats(1e-9, 1e9) | st.integers(1, 10**6)
positive = st.floats(1e-3, 1e3) | st.integers(1, 1000)
mdls = st.builds(
    MDL,
    search=st.sampled_from(["exact", "jumpavg"]),
    unit=amounts,
    sbps=st.none() | st.integers(0, 500),
    maximum=amounts,
)
tmms = st.builds(
    TMM,
    window=st.integers(2, 10**6),
    fence=positive,
    sigmas=positive,
    confirm=st.integers(1, 50),
    compat=st.booleans(),
)
TOKENS = [
    "mdl", "tmm", "zero", "number", "word", "mark", "end", "search", "exact", "unit", "true",
    "none", "nan", "(", ")", ",", "=", "1", "-1", ".5", "1e9", "1e400", "9" * 5000, "0" * 5000, " ",
]  # fmt: skip


class TestRoundTrip:
    @given(mdls | tmms | st.just(Zero()))
    def test_a_spec_is_read_as_the_same_detector(self, detector):
        again = parse_detector(str(detector))
        assert again == detector
        assert str(again) == str(detector)
        assert hash(again) == hash(detector)

    def test_defaults_are_left_out(self):
        assert str(MDL()) == "mdl"
        assert str(MDL(search="jumpavg", unit=0.5)) == "mdl(search=jumpavg, unit=0.5)"
        assert str(TMM(compat=True)) == "tmm(compat=true)"

    def test_numpy_numbers_are_written_as_numbers(self):
        assert str(MDL(unit=np.float64(0.25))) == "mdl(unit=0.25)"

    @pytest.mark.parametrize(
        "spec",
        [
            " mdl ( search = jumpavg , unit = 5e-1 ) ",
            "mdl(unit=.5,search=jumpavg,)",
            "mdl(search=jumpavg,unit=+0.5,sbps=none)",
            "mdl(\n\tsearch=jumpavg,\n\tunit=0.50\n)",
        ],
    )
    def test_blanks_order_and_a_last_comma_do_not_matter(self, spec):
        assert parse_detector(spec) == MDL(search="jumpavg", unit=0.5)

    def test_empty_parentheses(self):
        assert parse_detector("mdl()") == MDL()

    @pytest.mark.parametrize(
        ("value", "text"),
        [(None, "none"), (True, "true"), (False, "false"), (3, "3"), (0.1, "0.1"), ("a", "a")],
    )
    def test_values(self, value, text):
        assert spec_value(value) == text

    def test_an_object_is_taken_as_it_is(self):
        detector = MDL()
        assert parse_detector(detector) is detector
        assert isinstance(detector, Costed)
        assert not isinstance(Zero(), Costed)


class TestErrors:
    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            ("", "name is missing"),
            ("(mdl)", "name is missing"),
            ("5", "name is missing"),
            ("mld", "unknown detector 'mld' (did you mean mdl?); known: amoc, "),
            ("mdl(serch=exact)", "no parameter 'serch' (did you mean search?)"),
            ("zero(x=1)", "its parameters: none"),
            ("mdl(search=best)", "search is exact or jumpavg, not 'best'"),
            ("mdl(search=number)", "not 'number'"),
            ("mdl(search=end)", "not 'end'"),
            ("mdl(search=)", "a value is missing"),
            ("mdl(search==exact)", "a value is missing"),
            ("mdl(,)", "a value is missing"),
            ("mdl(search=exact", "a closing parenthesis is missing"),
            ("mdl(", "a value is missing"),
            ("mdl)", "unexpected ')'"),
            ("mdl end", "unexpected 'end'"),
            ("mdl mdl", "unexpected 'mdl'"),
            ("mdl(search=exact) 5", "unexpected '5'"),
            ("mdl(search=exact, search=exact)", "search is given twice"),
            ("mdl(exact)", "key=value, not exact"),
            ("mdl(none)", "key=value, not None"),
            ("mdl(zero())", "key=value, not zero"),
            ("mdl(unit=mdl())", "unit is 0 or a positive number"),
            ("mdl(members=1)", "no parameter 'members'"),
            ("mdl(name=x)", "no parameter 'name'"),
            ("mdl(__init__=x)", "no parameter '__init__'"),
            ("mdl(unit=1e999)", "a number is too large"),
            (f"mdl(unit={'9' * 5000})", "a number is too large"),
            (f"mdl(sbps={'0' * 5000}1)", "a number is too large"),
            ("mdl(unit=nan)", "not 'nan'"),
            ("mdl(unit=0x10)", "cannot read"),
            ("mdl(unit='1')", "cannot read"),
            ("mdl;import os", "cannot read"),
            ("mdl(\x00)", "cannot read"),
            ("stepmark.detectors.mdl:MDL", "cannot read"),
            ("zero(" * 1000, "nested deeper than 20"),
            ("tmm(fence=true)", "fence is a positive number, not True"),
            ("tmm(window=14.0)", "window is a whole number"),
        ],
        ids=lambda v: v[:30],
    )
    def test_say_what_is_wrong(self, spec, problem):
        with pytest.raises(SpecError) as caught:
            parse_detector(spec)
        assert problem in str(caught.value)
        assert len(str(caught.value)) < 250

    @pytest.mark.parametrize("thing", [None, 5, object(), ["mdl"], MDL])
    def test_what_is_no_detector(self, thing):
        with pytest.raises(SpecError, match="not a detector or spec"):
            stepmark.detect([1.0, 2.0], thing)

    @given(st.text(max_size=40) | st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
    def test_any_text_is_a_detector_or_a_clear_error(self, text):
        with contextlib.suppress(SpecError):
            assert isinstance(parse_detector(text), Detector)

    def test_an_unknown_format_is_called_so(self):
        with pytest.raises(SpecError, match=r"unknown format 'cvs' \(did you mean csv\?\)"):
            load("sources", "cvs")


PLUGIN = """
    from dataclasses import dataclass
    from typing import Any, ClassVar
    from stepmark import Detection
    from stepmark.plugins import BUILTIN, Specified

    @dataclass(frozen=True, slots=True)
    class Quorum(Specified):
        name: ClassVar[str] = "quorum"
        members: tuple[Any, ...] = ()
        least: int = 1
        inner: Any = None

        def detect(self, signal):
            return Detection(len(signal))

    class Plain:
        name = "plain"
        def detect(self, signal):
            return Detection(len(signal))

    def function():
        pass
"""
ENTRY_POINTS = """
    [stepmark.detectors]
    quorum = fake_plugin:Quorum
    mdl = fake_plugin:Plain
    plain = fake_plugin:Plain
    function = fake_plugin:function
    absent = no_such_module_at_all:Thing
    [stepmark.sources]
    fake = fake_plugin:Plain
"""


class TestEntryPoints:
    @pytest.fixture(autouse=True)
    def distribution(self, tmp_path, monkeypatch):
        (tmp_path / "fake_plugin.py").write_text(dedent(PLUGIN))
        info = tmp_path / "fake_plugin-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-plugin\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(dedent(ENTRY_POINTS))
        monkeypatch.syspath_prepend(tmp_path)
        yield
        sys.modules.pop("fake_plugin", None)

    def test_are_listed_after_the_built_in_ones(self):
        assert names("detectors")[: len(BUILTIN["detectors"])] == list(BUILTIN["detectors"])
        assert "quorum" in names("detectors")[len(BUILTIN["detectors"]) :]
        assert names("sources")[-1] == "fake"

    def test_cannot_take_the_name_of_a_built_in_one(self):
        assert load("detectors", "mdl") is MDL

    def test_members_and_specs_as_values_come_back(self):
        quorum = load("detectors", "quorum")
        inner = quorum(members=(Zero(),), inner=MDL(sbps=16))
        outer = quorum(members=(MDL(), TMM(window=20), inner), least=2)
        spec = "quorum(mdl, tmm(window=20), quorum(zero, inner=mdl(sbps=16)), least=2)"
        assert str(outer) == spec
        assert str(parse_detector(spec.replace("zero", "zero()"))) == spec

    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            ("absent", "plug-in absent .* cannot be loaded: ModuleNotFoundError"),
            ("function", "plug-in function .* is not a class"),
            ("plain", "plain is not a dataclass"),
        ],
    )
    def test_broken_ones_are_named(self, spec, problem):
        with pytest.raises(SpecError, match=problem):
            parse_detector(spec)
