# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables as they are laid out for a terminal and for Markdown."""

from __future__ import annotations

import pytest

from stepmark.reports.markdown import code
from stepmark.reports.sheets import Cell, Sheet, markdown_lines, text_lines

SHEET = Sheet.plain(("Name", "one head", "second"), [("a", "1.5", "2"), ("long name", "10", "3")])


def test_numbers_stand_to_the_right_and_heads_in_short_lines():
    assert list(text_lines(SHEET, 40)) == [
        "Name       one head  second",
        "a               1.5       2",
        "long name        10       3",
    ]
    wordy = Sheet.plain(("Name", "one head of many words"), [("a", "1")])
    assert list(text_lines(wordy, 40))[:3] == [
        "      one head",
        "       of many",
        "Name     words",
    ]


def test_what_does_not_fit_goes_on_below_with_the_names():
    assert list(text_lines(SHEET, 20)) == [
        "Name       one head",
        "a               1.5",
        "long name        10",
        "",
        "Name       second",
        "a               2",
        "long name       3",
    ]


def test_names_that_leave_no_room_stand_above_and_are_whole():
    spec = "vote(mdl, perfherder, pelt(penalty=30))"
    assert list(text_lines(Sheet.plain(("Ensemble", "Score"), [(spec, "0.5")]), 40)) == [
        "Ensemble",
        "    Score",
        spec,
        "      0.5",
    ]


def test_wide_characters_take_two_columns():
    sheet = Sheet.plain(("x", "n"), [("性能", "1"), ("ab", "22")])
    assert list(text_lines(sheet, 40)) == ["x      n", "性能   1", "ab    22"]


def test_a_table_without_rows_has_its_heads():
    assert list(text_lines(Sheet.plain(("x", "n"), []), 40)) == ["x  n"]


@pytest.mark.parametrize(("color", "shown"), [(True, "\x1b[1m1\x1b[0m"), (False, "1")])
def test_the_best_is_bold(color, shown):
    sheet = Sheet(("x", "n"), ((Cell("a"), Cell("1", best=True)),))
    assert list(text_lines(sheet, 40, color=color))[-1] == f"a  {shown}"
    assert list(markdown_lines(sheet))[-1] == "| a | **1** |"


def test_names_are_quoted_and_own_heads_are_not():
    rows = ((Cell("<b>"), Cell("1")),)
    assert list(markdown_lines(Sheet(("Name", "<n>"), rows), code)) == [
        "| Name | <n> |",
        "|---|--:|",
        "| `<b>` | 1 |",
    ]
    assert (
        next(markdown_lines(Sheet(("Name", "<n>"), rows, named=True), code)) == "| `Name` | `<n>` |"
    )
