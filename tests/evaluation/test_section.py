# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A detector is put into a configuration file, and nothing else changes."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.errors import ConfigError
from stepmark.evaluation.section import MARK, section, with_detector

SPEC = "pelt(penalty=30)"
NOTES = ("it is the best",)
TOOL = ("tool", "stepmark")


def comments(text):
    """The comments that are not remarks on a choice."""
    lines = [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]
    return [line for line in lines if f"# {line}"[: len(MARK)] != MARK]


CASES = [
    "",
    "# only a comment\n",
    "# ours\n\n[thresholds]\nmin_points = 4 # four\n",
    "# of the table\n[thresholds]\nmin_points = 4\n",
    'aggregate = "mean" # of all',
    'detector = "mdl" # for now\naggregate = "mean"\n',
    "detector='mdl'\n\n[[series]]\nmatch = 'a*'\ndetector = \"tmm\"\n",
    "[[series]]\r\nmatch = 'a*' # a\r\ndetector = \"tmm\"\r\n",
    'aggregate = "mean"\r\n\r\n"detector"   =   "mdl"\r\n',
]


@pytest.mark.parametrize("text", CASES)
def test_only_the_detector_changes(text):
    changed = with_detector(text, SPEC, NOTES)
    assert tomllib.loads(changed) == tomllib.loads(text) | {"detector": SPEC}
    assert comments(changed) == comments(text)
    assert f"{MARK} it is the best" in changed
    assert ("\r\n" in changed) == ("\r\n" in text)
    if "\r\n" in text:
        assert changed.count("\r\n") == changed.count("\n")


@pytest.mark.parametrize("text", CASES)
def test_a_second_choice_replaces_the_first(text):
    once = with_detector(text, SPEC, NOTES)
    assert with_detector(once, SPEC, NOTES) == once
    assert with_detector(with_detector(once, "mdl", ("other", "notes")), SPEC, NOTES) == once


POETRY = "[project]\nname = 'x'\n"
TABLES = [
    "",
    POETRY,
    f"{POETRY}\n[tool.stepmark] # ours\naggregate = 'mean'\n\n[tool.ruff]\ndetector = 'none'\n",
    f"{POETRY}\n[ tool . stepmark ]\n# now\ndetector = 'mdl' # old\n",
    f"{POETRY}\n[tool.stepmark.thresholds]\nmin_points = 4\n",
]


@pytest.mark.parametrize("text", TABLES)
def test_a_table_of_a_shared_file(text):
    changed = with_detector(text, SPEC, NOTES, TOOL)
    before, after = tomllib.loads(text), tomllib.loads(changed)
    assert after["tool"]["stepmark"].pop("detector") == SPEC
    before.setdefault("tool", {}).setdefault("stepmark", {}).pop("detector", None)
    assert after == before
    assert comments(changed) == comments(text)
    assert with_detector(changed, SPEC, NOTES, TOOL) == changed


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("x = [\n1]\nname = '''\ndetector = 'a'\n'''\n", ()),
        ('detector = """mdl"""\n', ()),
        ("detector = 3\n", ()),
        ("[tool]\nstepmark = {aggregate = 'mean'}\n", TOOL),
        ("tool = 3\n", TOOL),
    ],
)
def test_what_cannot_be_done_safely_is_refused(text, table):
    tomllib.loads(text)
    with pytest.raises(ConfigError, match=r'write detector = "pelt\(penalty=30\)"'):
        with_detector(text, SPEC, NOTES, table)


def test_what_is_no_toml_is_refused():
    with pytest.raises(ConfigError, match="not valid TOML"):
        with_detector("detector = \n", SPEC, NOTES)


@given(st.lists(st.sampled_from([*"".join(CASES).split("\n"), *"".join(TABLES).split("\n")])))
def test_any_file_is_changed_rightly_or_not_at_all(lines):
    text = "\n".join(line.rstrip("\r") for line in lines)
    try:
        changed = with_detector(text, SPEC, NOTES)
    except ConfigError:
        return
    assert tomllib.loads(changed) == tomllib.loads(text) | {"detector": SPEC}


def test_remarks_are_comments_whatever_they_hold():
    assert section("mdl", ["two\nlines = 1"]) == f'{MARK} two lines = 1\ndetector = "mdl"\n'
