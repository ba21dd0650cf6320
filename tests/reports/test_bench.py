# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Studies in all their forms, in a real browser too."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from functools import cache
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.outcomes import Outcome, Status
from stepmark.evaluation.statistics import Interval
from stepmark.evaluation.study import study, with_ensembles
from stepmark.evaluation.suites import Mode
from stepmark.reports import bench, diagrams
from stepmark.series import Point, Series, SeriesKey

SCHEMA = json.loads((files("stepmark.reports") / "schema" / "bench-1.json").read_text("utf-8"))
HOSTILE = "</title><script>alert(1)</script>\"'&\x1b[31m|`=1+1`\u202e"
STUDIES = ("plain", "best", "failing", "hostile", "single", "together")


def suite(names):
    members = []
    for place, name in enumerate(names):
        n = 40 + place
        points = tuple(Point("", None, (float(i >= 20) + i % 3 / 9,), i) for i in range(n))
        series = Series(SeriesKey("", name, "v"), points)
        members.append(LabelledSeries(name, series, n, {"10": (20,), "9": (20, 30), "x": ()}))
    return Dataset("suite", tuple(members))


SUITE = suite([f"s{i}" for i in range(8)])
FOUND = {"zero": (), "good": (20,), "near": (22, 37), "bad": (5, 10, 36)}


def outcomes(dataset, found=FOUND):
    return [
        Outcome(m.name, method, method, places=places, seconds=10.0**-place, default=True)
        for m in dataset
        for place, (method, places) in enumerate(found.items())
    ]


def grid():
    specs = {"first": (20,), "second": (20, 30), "third": (5,)}
    return [
        Outcome(m.name, "m", spec, places=p, seconds=0.1)
        for m in SUITE
        for spec, p in specs.items()
    ]


def failing():
    made = outcomes(SUITE)
    made[5] = Outcome("s1", "good", "good", Status.FAILED, error="RuntimeError: <b>no</b>")
    made[10] = Outcome("s2", "near", "near", Status.TIMEOUT, error="took longer than 3 s")
    return made


@cache
def made(name):
    if name == "best":
        return study([*grid(), *outcomes(SUITE)], SUITE, mode=Mode.BEST)
    if name == "failing":
        return study(failing(), SUITE)
    if name == "hostile":
        dataset = Dataset(HOSTILE, suite([f"{HOSTILE}{i}" for i in range(3)]).members)
        return study(outcomes(dataset, {HOSTILE: (20,), "=1+1": ()}), dataset, notes=[HOSTILE])
    if name == "together":
        found = {"good": (20,), "near": (22, 37), "b|<b>": (20, 30)}
        return with_ensembles(study(outcomes(SUITE, found), SUITE), 3)
    if name == "single":
        return study(outcomes(SUITE, {"zero": ()}), SUITE)
    return study(outcomes(SUITE), SUITE, provenance={"stepmark": "1.0"})


@pytest.fixture(params=STUDIES)
def any_study(request):
    return made(request.param)


@pytest.mark.parametrize("form", bench.RENDERERS)
@pytest.mark.parametrize("per_series", [False, True])
def test_every_form_can_be_made_of_every_study(any_study, form, per_series):
    text = bench.render(any_study, form, per_series=per_series)
    assert text.endswith("\n") or form == "html"
    assert "\x1b" not in text
    assert "\u202e" not in text


class TestText:
    @pytest.mark.parametrize("width", [40, 80, 120])
    def test_no_line_is_wider_than_asked(self, any_study, width):
        lines = bench.render(any_study, "text", per_series=True, width=width).splitlines()
        assert max(map(len, lines)) <= max(width, 70)

    def test_the_best_is_bold_where_there_is_colour(self):
        assert "\x1b[1m1.0000\x1b[0m" in bench.render(made("plain"), "text", color=True)

    def test_failures_are_columns_only_where_there_are_any(self):
        assert "No run failed, and none took too long." in bench.render(made("plain"), "text")
        text = bench.render(made("failing"), "text")
        good = next(line for line in text.splitlines() if line.startswith("good"))
        assert "Failed" in text
        assert good.split()[-3:] == ["6", "1", "0"] or "Failed" not in good


class TestMarkdown:
    def test_rows_have_the_cells_of_the_head(self, any_study):
        lines = bench.render(any_study, "markdown", per_series=True).splitlines()
        tables = [line for line in lines if line.startswith("|")]
        head = None
        for line in tables:
            cells = len(re.findall(r"(?<!\\)\|", line))
            head = cells if line.startswith(("| Method", "| Series", "| Ensemble")) else head
            assert cells == head

    def test_the_best_is_bold(self):
        assert re.search(r"\| good \|.*\*\*\d", bench.render(made("plain"), "markdown"))

    def test_nothing_hostile_is_markup(self):
        text = bench.render(made("hostile"), "markdown", per_series=True)
        outside = re.sub(r"(`+)[^`].*?\1", "", text)
        assert "<script>" not in outside


class TestLatex:
    def test_it_is_a_table_of_booktabs(self):
        text = bench.render(made("plain"), "latex", per_series=True)
        assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
        for rule in ("toprule", "midrule", "bottomrule"):
            assert text.count(rf"\{rule}") == 2
        assert r"\textbf{" in text

    def test_nothing_hostile_is_a_command(self):
        assert bench.latex(r"\input{a}_%$#&~^<>") == (
            r"\textbackslash{}input\{a\}\_\%\$\#\&\textasciitilde{}\textasciicircum{}"
            r"\textless{}\textgreater{}"
        )

    def test_rows_have_the_cells_of_the_head(self, any_study):
        rows = [
            line
            for line in bench.render(any_study, "latex", per_series=True).splitlines()
            if line.endswith(r"\\")
        ]
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) <= 3


class TestCsv:
    def test_one_row_a_method(self):
        rows = list(csv.DictReader(io.StringIO(bench.render(made("failing"), "csv"))))
        good = next(row for row in rows if row["method"] == "good")
        assert (good["scored"], good["failed"], good["timeouts"]) == ("7", "1", "0")
        assert float(good["f1"]) <= 1

    def test_one_row_a_run(self):
        text = bench.render(made("failing"), "csv", per_series=True)
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == 32
        assert [r["status"] for r in rows if r["status"] != "ok"] == ["failed", "timeout"]
        assert next(r["f1"] for r in rows if r["status"] == "failed") == ""

    def test_no_cell_is_a_formula(self):
        for per_series in (False, True):
            text = bench.render(made("hostile"), "csv", per_series=per_series)
            assert not [
                c for row in csv.reader(io.StringIO(text)) for c in row if c[:1] in "=+@" and c
            ]


class TestJson:
    def test_it_is_of_the_published_form(self, any_study):
        document = json.loads(bench.render(any_study, "json"))
        Draft202012Validator(SCHEMA).validate(document)

    def test_the_schema_is_one_and_refuses(self):
        Draft202012Validator.check_schema(SCHEMA)
        document = json.loads(bench.render(made("plain"), "json"))
        del document["series"][0]["results"][0]["status"]
        assert not Draft202012Validator(SCHEMA).is_valid(document)

    def test_a_failure_has_a_reason_and_no_score(self):
        document = json.loads(bench.render(made("failing"), "json"))
        result = next(r for r in document["series"][1]["results"] if r["method"] == "good")
        assert (result["status"], result["error"]) == ("failed", "RuntimeError: <b>no</b>")
        assert set(result["scores"].values()) == {None}


class TestEnsembles:
    def test_each_form_but_csv_has_them(self):
        made_with, without = made("together"), dataclasses.replace(made("together"), ensembles=None)
        for form in bench.RENDERERS:
            texts = [bench.render(study, form) for study in (made_with, without)]
            assert ("nsembles by F1" in texts[0] or '"tried"' in texts[0]) == (form != "csv")
            assert "nsembles by F1" not in texts[1]

    def test_they_are_given_in_full(self):
        found = json.loads(bench.render(made("together"), "json"))["ensembles"]
        best = found["results"][0]
        assert best["spec"] is None  # the members' configurations are not known
        members = set(best["members"])
        assert members <= {"good", "near", "b|<b>"}
        assert found["single"]["method"] in members
        assert 0 <= found["single"]["score"] <= best["score"] <= 1

    def test_too_few_methods_are_a_note(self):
        single = with_ensembles(made("single"), 2)
        assert single.ensembles is None
        assert "no ensembles: suite: 0 method(s)" in single.table.notes[-1]

    def test_in_default_mode_only_what_is_in_the_table_takes_part(self):
        dataset, other = SUITE, {"good": (20,), "near": (22, 37)}
        runs = [
            *outcomes(dataset, other),
            *(
                dataclasses.replace(o, configuration="x", default=False, places=(20, 30))
                for o in outcomes(dataset, {"good": ()})
            ),
        ]
        for mode, expected in ((Mode.DEFAULT, 1), (Mode.BEST, 4)):
            found = with_ensembles(study(runs, dataset, mode=mode), 3).ensembles
            assert len(found.results) == expected


class TestDiagrams:
    def test_bars_span_the_ranks_they_join(self):
        svg = diagrams.critical_difference(
            {"a": 1.0, "b": 2.0, "c": 3.0}, [("a", "b")], 1.5, "of three"
        )
        (start, stop) = re.search(r'class="bar" d="M([\d.]+) \d+H([\d.]+)"', svg).groups()
        ticks = [float(x) for x in re.findall(r'class="axis" d="M([\d.]+) \d+v8"', svg)]
        assert (float(start), float(stop)) == (ticks[0] - 5, ticks[1] + 5)
        assert "critical difference 1.50" in svg

    @pytest.mark.parametrize("count", [1, 2, 3, 40])
    def test_any_number_of_methods_has_its_names(self, count):
        ranks = {f"m{i}x": float(i + 1) for i in range(count)}
        for svg in (
            diagrams.critical_difference(ranks, [tuple(ranks)], None, "x"),
            diagrams.rank_plot({m: (rank, rank) for m, rank in ranks.items()}, "x"),
        ):
            assert all(f">{method}" in svg for method in ranks)

    @pytest.mark.parametrize("seconds", [0.0, 1e-9, 1.0, 1e5])
    def test_any_time_can_be_drawn(self, seconds):
        choice = diagrams.Choice("m", seconds, Interval(0.5, 0.5, 0.5))
        svg = diagrams.time_and_quality([choice], "F1", "x", higher=True)
        assert svg.count('class="spot"') == 1
        assert "nan" not in svg
        assert diagrams.time_and_quality([], "F1", "x", higher=True) == ""

    def test_the_front_leaves_out_what_is_slower_and_worse(self):
        choices = [
            diagrams.Choice(name, seconds, Interval(mean, mean, mean))
            for name, seconds, mean in (("a", 1e-3, 0.5), ("b", 1e-2, 0.4), ("c", 1e-1, 0.9))
        ]
        for higher, corners in ((True, 2), (False, 2)):
            svg = diagrams.time_and_quality(choices, "F1", "x", higher=higher)
            path = re.search(r'class="front" d="([^"]*)"', svg)[1]
            assert 1 + path.count("H") == corners


class TestPage:
    def test_it_needs_no_network(self, any_study):
        text = bench.render(any_study, "html")
        assert not re.search(r'(?:src|href)="(?!#)', text)
        assert "default-src 'none'" in text

    def test_hostile_names_are_text(self):
        text = bench.render(made("hostile"), "html")
        assert "<script>alert" not in text
        assert text.count("<script") == 2


@pytest.mark.browser
class TestBrowser:
    @pytest.mark.parametrize("name", STUDIES)
    @pytest.mark.parametrize("width", [390, 1200])
    def test_the_page_opens_without_complaint_and_never_scrolls_sideways(
        self, show_text, name, width
    ):
        page = show_text(bench.render(made(name), "html"), viewport={"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#series article").count() == len(made(name).dataset)

    def test_tables_sort(self, show_text):
        page = show_text(bench.render(made("plain"), "html"))
        names = page.locator("#table tbody th")
        assert names.all_inner_texts()[0] == "good"
        page.locator("#table thead button", has_text="False alarms").click()
        assert names.all_inner_texts()[0] == "bad"
        page.locator("#table thead button", has_text="False alarms").click()
        assert names.all_inner_texts()[-1] == "bad"

    def test_every_series_shows_places_beside_the_annotators(self, show_text):
        page = show_text(bench.render(made("plain"), "html"))
        card = page.locator("#series article").nth(2)
        assert card.locator(".who").all_inner_texts()[1:4] == [
            "annotator 9",
            "annotator x",
            "annotator 10",
        ]
        lanes = card.locator("svg.strip")
        assert lanes.count() == 1 + 3 + 4
        assert card.locator("path.hit").count() == 2  # good and near
        assert card.locator("path.false").count() == 2  # near and bad
        first = card.locator("path.hit").first.evaluate("(e) => e.getAttribute('d')")
        assert first == f"M{20 * 1000 / 42:.1f} 0v10"

    def test_a_failed_run_says_why(self, show_text):
        page = show_text(bench.render(made("failing"), "html"))
        page.get_by_text("failed: RuntimeError: <b>no</b>").wait_for()
        page.get_by_text("timed out: took longer than 3 s").wait_for()

    def test_the_filter_and_the_theme_work(self, show_text):
        page = show_text(bench.render(made("plain"), "html"), color_scheme="dark")
        page.get_by_label("Filter").fill("s3")
        page.get_by_text("1 of 8 series").wait_for()
        assert page.locator("#series article:visible").count() == 1
        colour = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(colour)
        page.get_by_role("button", name="Switch between light and dark").click()
        assert page.evaluate(colour) != dark

    def test_without_scripts_it_is_complete(self, show_text):
        page = show_text(bench.render(made("best"), "html"), java_script_enabled=False)
        assert page.locator("#table tbody tr:visible").count() == 5
        assert page.locator("#settings tbody tr:visible").count() == 1
        assert page.locator("svg.diagram:visible").count() == 4
