# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The changes as comma-separated values."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepmark.reports.csv import COLUMNS, render
from stepmark.series import SeriesKey


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return None


def test_typical(samples, golden):
    text = render(samples.typical())
    found, expected = rows(text), rows(golden("typical.csv", text))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert list(one) == list(other)
        for name, cell in other.items():
            value = number(cell)
            if value is None:
                assert one[name] == cell
            else:
                assert float(one[name]) == pytest.approx(value, rel=1e-9)


def test_a_row_a_change_with_full_precision(samples):
    summary = samples.typical()
    text = render(summary)
    found = rows(text)
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert len(found) == sum(1 for _ in summary.changes())
    for row, (item, change) in zip(found, summary.changes(), strict=True):
        assert int(row["index"]) == change.index
        assert float(row["before"]) == change.before.mean
        assert float(row["after"]) == change.after.mean
        assert float(row["absolute"]) == change.absolute
        assert float(row["relative"]) == change.relative
        assert float(row["interval_low"]) == change.interval[0]
        assert float(row["interval_high"]) == change.interval[1]
        assert row["verdict"] == change.verdict.value
        assert row["revision"] == change.revision
        assert row["benchmark"] == item.series.key.benchmark
        assert row["new"] == ""


def test_unknown_is_empty(samples):
    row = rows(render(samples.untimed()))[0]
    assert [row[name] for name in ("time", "revision", "previous_revision", "unit")] == [""] * 4
    item = samples.stepped([(5, 1.0), (5, 2.0)], scored=False)
    wild = replace(item.changes[0], relative=None, absolute=math.inf)
    row = rows(render(samples.single(replace(item, changes=(wild,)))))[0]
    assert [row[name] for name in ("relative", "absolute", "score")] == [""] * 3


def test_no_changes_is_a_heading(samples):
    assert render(samples.empty()) == ",".join(COLUMNS) + "\n"


def test_the_gate_marks_what_is_new(samples):
    found = rows(render(samples.typical(gated=True)))
    assert [row["new"] for row in found] == ["true", "false", "true", "true", "true"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "＠"])  # noqa: RUF001
def test_formulas_are_defused(samples, sign):
    text = f"{sign}HYPERLINK(1)"
    key = SeriesKey(text, text, text, {text: "1"})
    item = samples.stepped([(5, -2.0), (5, -1.0)], key, unit=text)
    change = replace(item.changes[0], revision=text, previous_revision=text)
    row = rows(render(samples.single(replace(item, changes=(change,)))))[0]
    names = ("project", "benchmark", "metric", "labels", "unit", "revision", "previous_revision")
    for name in names:
        assert row[name].startswith("'")
    assert row["before"].startswith("-")  # a number is no formula


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_name_stays_in_its_cell(samples, name):
    item = samples.stepped([(3, 1.0), (3, 2.0)], SeriesKey(name, name, name, {name: name}))
    found = rows(render(samples.single(item)))
    assert len(found) == 1
    assert None not in found[0]
    assert found[0]["verdict"] == "regression"
    assert not found[0]["benchmark"].startswith(("=", "+", "-", "@"))
