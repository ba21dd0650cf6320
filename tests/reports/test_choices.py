# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What `tune` and a search for ensembles say, and that names in it do no harm."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from evaluation.labels import member, said, suite
from stepmark.evaluation.ensembles import search
from stepmark.evaluation.metrics import METRICS
from stepmark.evaluation.tuning import tune
from stepmark.reports.choices import ensembles_page, render, tuning_json, tuning_page
from stepmark.reports.sheets import Cell

F1 = METRICS["f1_matched"]
HOSTILE = "x\x1b[31m|<b>\n# @here `"


def outcomes(names, **found):
    return [o for who, places in found.items() for o in said(who, dict.fromkeys(names, places))]


def tuned(present="mdl", **made):
    data = suite(*(member(f"s{i}", [30, 60], timed=True) for i in range(8)), **made)
    return tune(outcomes(data.by_name, tmm=[30, 60], mdl=[30]), data, F1, present=present)


def searched():
    data = suite(*(member(f"s{i}", [30, 60]) for i in range(8)))
    found = outcomes(data.by_name, tmm=[30, 60, 10], mdl=[30, 60, 80], zero=[])
    return search(found, data, F1)


def test_a_tuning_as_text():
    text = render(tuning_page(tuned()), "text")
    assert "Chosen: tmm\nPresent: mdl\n" in text
    assert "Gain, on series that had no part in the choice: +0.333" in text
    assert "1.13 (1.13 to 1.13) alarms a week (95 % intervals)" in text
    assert text.endswith('detector = "tmm"\n')


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_hostile_names_are_harmless(output):
    tuning = dataclasses.replace(tuned(name=HOSTILE), warnings=(HOSTILE,))
    text = render(tuning_page(tuning), output)
    assert "\x1b" not in text
    assert "\n# @" not in text
    section = [line for line in text.splitlines() if line.startswith(("# stepmark", "detector ="))]
    assert tomllib.loads("\n".join(section)) == {"detector": "tmm"}
    outside = text.partition("```")[0].splitlines()
    if output == "markdown":
        assert all("``" in line for line in outside if "<b>" in line)


def test_a_tuning_as_json():
    document = json.loads(tuning_json(tuned(present="other")))
    assert document["schema"] == "stepmark.tune/1"
    assert (document["choice"], document["alarms"]) == ("tmm", "week")
    assert document["present_expected"] is document["gain"] is None
    assert document["expected"]["score"]["estimate"] == 1


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_a_search(output):
    text = render(ensembles_page(searched()), output)
    assert "vote(mdl, tmm)" in text or "vote(tmm, mdl)" in text
    assert "+0.200" in text
    assert 'stepmark detect --detector "vote(' in text
    assert "zero" in text
    assert "Warning" not in text


def test_a_long_spec_is_not_cut():
    page = ensembles_page(searched())
    spec = "vote(" + ", ".join(f"pelt(penalty={i})" for i in range(9)) + ")"
    (table,) = page.tables
    rows = ((Cell(spec), *table.rows[0][1:]),)
    page = dataclasses.replace(page, tables=(dataclasses.replace(table, rows=rows),))
    assert f"\n{spec}\n    1.0000" in render(page, "text")


SCHEMA = json.loads((files("stepmark.reports") / "schema" / "tune-1.json").read_text("utf-8"))


class TestSchema:
    @pytest.mark.parametrize("present", ["mdl", "other"])
    def test_a_tuning_is_of_the_published_form(self, present):
        tuning = dataclasses.replace(tuned(present), notes=("left out: s9: no labels",))
        document = json.loads(tuning_json(tuning))
        Draft202012Validator(SCHEMA).validate(document)
        assert document["notes"] == ["left out: s9: no labels"]

    def test_it_is_a_schema_and_refuses(self):
        Draft202012Validator.check_schema(SCHEMA)
        document = json.loads(tuning_json(tuned()))
        del document["expected"]["score"]["low"]
        assert not Draft202012Validator(SCHEMA).is_valid(document)

    def test_it_names_every_field(self):
        assert set(json.loads(tuning_json(tuned()))) == set(SCHEMA["properties"])


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_what_took_no_part_is_told(output):
    tuning = dataclasses.replace(tuned(), notes=("left out: s9: no labels",))
    assert "s9: no labels" in render(tuning_page(tuning), output)
