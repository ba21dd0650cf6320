# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Explorations in all their forms, and by the command line."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import lru_cache

import jsonschema
import polars as pl
import pytest

from explored import MONDAY, alert, known_truth, made, points, series, write
from stepmark.cli import BAD_INPUT, NO_DATA, OK, run
from stepmark.datasets.exploration import Part, explore
from stepmark.reports import explore as report
from stepmark.reports import explorecharts as charts
from stepmark.reports import page
from stepmark.reports.explorefigures import figure, percent, span

HOSTILE = '<script>alert(1)</script>|`*_[x](http://evil)\x1b[31m\u202e"&'


@lru_cache(maxsize=4)
def exploration(name):
    if name == "empty":
        return explore(made())
    if name == "hostile":
        suite = {"single_alert_series_signature_suite": HOSTILE}
        suite["single_alert_series_signature_machine_platform"] = HOSTILE
        suite["alert_summary_repository"] = HOSTILE
        rows = [alert(i, label="false", **suite) for i in range(30)]
        rows += [alert(100 + i) for i in range(30)]
        own = {**series(), "suite": HOSTILE, "platform": HOSTILE, "framework": HOSTILE}
        return explore(
            made(
                alerts=rows,
                of=[own],
                values=points(range(60)),
                document={"name": HOSTILE, "provenance": {HOSTILE: HOSTILE}},
            )
        )
    return explore(known_truth())


NAMES = ("known", "empty", "hostile")


class TestForms:
    @pytest.mark.parametrize("name", NAMES)
    def test_json_fits_its_schema(self, name):
        document = json.loads(report.render(exploration(name), "json"))
        schema = json.loads(page.asset("schema/explore-1.json"))
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(document, schema)

    def test_json_has_every_row(self):
        found = exploration("known")
        document = json.loads(report.render(found, "json"))
        parts = {p["name"]: p for c in document["chapters"] for p in c["parts"]}
        assert len(parts) == sum(len(c.parts) for c in found.chapters())
        sweep = parts["sweep-percent"]
        assert len(sweep["rows"]) == found.sweep().frame.height
        assert [c["name"] for c in sweep["columns"]] == found.sweep().frame.columns
        assert {c["name"] for c in sweep["columns"] if c["of"] == "share"} == {
            "avoided share",
            "lost share",
        }
        spans = {c["name"] for c in parts["times"]["columns"] if c["of"] == "span"}
        assert spans == {"median", "low", "high", "p90"}

    @pytest.mark.parametrize("output", ["text", "markdown", "html"])
    def test_all_forms_have_the_proposals_and_the_readings(self, output):
        found = exploration("known")
        text = re.sub(r"\s+", " ", report.render(found, output))
        for one in found.proposals:
            assert one.action in text
        assert found.labels().reading in text

    @pytest.mark.parametrize("output", ["text", "markdown", "html"])
    def test_nothing_is_told_as_such(self, output):
        text = report.render(exploration("empty"), output)
        assert "Nothing to propose" in text
        assert "No measurements." in text

    def test_markdown_takes_hostile_names_as_text(self):
        text = report.render(exploration("hostile"), "markdown")
        assert "<script>" not in re.sub(r"\\.", "", text)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not re.search(r"(?<!\\)`", text)
        tables = [line for line in text.splitlines() if line.startswith("| ")]
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in tables if "script" in line}
        assert widths

    def test_text_takes_no_terminal_codes(self):
        text = report.render(exploration("hostile"), "text")
        assert "\x1b" not in text
        assert "\u202e" not in text


class TestPage:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_needs_no_network(self, name):
        text = report.render(exploration(name), "html")
        assert not re.search(r'(?:src|href)="(?!#)', text)
        assert "default-src 'none'" in text

    def test_hostile_names_are_text(self):
        text = report.render(exploration("hostile"), "html")
        assert "<script>alert" not in text
        assert text.count("<script") == 2
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text

    def test_every_part_has_reading_and_table(self):
        found = exploration("known")
        text = report.render(found, "html")
        parts = [part for chapter in found.chapters() for part in chapter.parts]
        assert text.count("<figure id=") == len(parts)
        assert text.count("<tbody>") == len(parts)
        assert text.count('class="reading"') == len(parts)

    def test_every_part_but_a_table_has_a_chart(self):
        found = exploration("known")
        parts = [part for chapter in found.chapters() for part in chapter.parts]
        # The medians of no framework are known there, and months are two.
        bare = {"sampling-by-framework", "time-to-resolution-by-framework"}
        assert {part.name for part in parts if not figure(part)} == bare


class TestCharts:
    def test_shares_and_spans(self):
        shares = [0, 0.00123, 0.1234, 1, None]
        assert [*map(percent, shares)] == ["0 %", "0.12 %", "12.3 %", "100 %", "-"]
        spans = [1 / 1440, 0.5, 3.25, None]
        assert [*map(span, spans)] == ["1 min", "12 h", "3.25 days", "-"]

    def test_axes_hold_what_they_are_for(self):
        for values in ([0.2, 0.7], [3.0, 4e6], [7.0, 7.0], []):
            axis = charts.log_axis(values)
            assert all(axis.low <= value <= axis.high for value in values)
            assert len(axis.ticks) >= 2
        axis = charts.days_axis([0.01, 40])
        assert axis.ticks[0][1] == "1 min"
        assert axis.high == 365
        assert charts.share_axis(0.13).high == 0.15
        assert charts.share_axis().high == 1

    def test_bars_are_as_long_as_their_parts(self):
        text = charts.bars(
            [charts.Bar("a", (("true", 3.0), ("false", 1.0)), ""), charts.Bar("b", (), "")], "x"
        )
        wide = [float(width) for width in re.findall(r'<rect[^>]* width="([0-9.]+)"', text)]
        assert wide[0] == pytest.approx(3 * wide[1], abs=0.3)

    def test_an_upper_limit_that_is_not_reached_runs_to_the_edge(self):
        axis = charts.days_axis([1, 7])
        text = charts.dots([charts.Dot("a", 1.0, 1.0, None, "")], axis, "x")
        assert 'H680.0"' in text

    def test_names_at_the_ends_do_not_touch(self):
        lines = [charts.Curve(f"n{i}", (0.0, 1.0), (0.0, 0.01 * i)) for i in range(6)]
        text = charts.curves(lines, charts.share_axis(), charts.share_axis(), "x")
        places = [float(y) for y in re.findall(r'y="([0-9.]+)"[^>]*>n\d<', text)]
        gaps = [b - a for a, b in zip(sorted(places), sorted(places)[1:], strict=False)]
        assert min(gaps) >= 15 - 1e-6
        assert max(places) <= 310

    def test_histograms_have_a_bar_a_bin(self):
        panel = charts.Panel("p", ((1.0, 2.0, 0.25, 1), (2.0, 4.0, 0.75, 3)))
        text = charts.histograms([panel], charts.log_axis([1, 4]), "x", "ms")
        assert "2 to 4 ms: 3 (75.0 %)" in text

    def test_months_are_curves_with_bands(self):
        rows = [
            alert(
                i,
                label="false" if i % 3 else "true",
                created=MONDAY + timedelta(days=i),
                alert_summary_first_triaged=MONDAY + timedelta(days=i + 1 + i % 2),
            )
            for i in range(200)
        ]
        found = explore(made(alerts=rows))
        text = figure(found.label_shares("month"))
        assert text.count('class="band') == 3
        assert text.count('class="line-of') == 3
        assert "2026-01" in text
        text = figure(found.times_by("time to triage", "month"))
        assert text.count('class="line-of') == 2
        assert text.count("<circle") == 2 * 7


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path):
        return write(known_truth(), tmp_path / "research")

    @pytest.mark.parametrize(
        ("name", "start"),
        [("a.html", "<!doctype html>"), ("a.json", "{"), ("a.md", "## made"), ("a.txt", "made:")],
    )
    def test_the_form_is_that_of_the_name(self, folder, tmp_path, name, start):
        out = tmp_path / name
        assert run(["dataset", "explore", str(folder), "--to", str(out)]) == OK
        assert out.read_text().lstrip().startswith(start)

    def test_an_option_wins(self, folder, tmp_path):
        out = tmp_path / "a.html"
        arguments = ["dataset", "explore", str(folder), "--output", "json", "--to", str(out)]
        assert run(arguments) == OK
        assert json.loads(out.read_text())["schema"] == report.SCHEMA

    def test_what_is_no_research_data_is_told(self, tmp_path, capsys):
        assert run(["dataset", "explore", str(tmp_path / "none")]) == BAD_INPUT
        assert run(["dataset", "explore", str(tmp_path)]) == BAD_INPUT
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 2
        assert all(line.startswith("stepmark: ") for line in told)

    def test_nothing_to_explore(self, tmp_path, capsys):
        empty = write(made(), tmp_path / "research")
        assert run(["dataset", "explore", str(empty)]) == NO_DATA
        assert "Nothing to propose" in capsys.readouterr().out


@pytest.mark.browser
class TestBrowser:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("width", [390, 1200])
    def test_it_opens_without_complaint_and_never_scrolls_sideways(self, show_text, name, width):
        text = report.render(exploration(name), "html")
        shown = show_text(text, viewport={"width": width, "height": 844})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.locator("figure").count() == text.count("<figure")

    def test_tables_open_and_sort(self, show_text):
        shown = show_text(report.render(exploration("known"), "html"))
        part = shown.locator("#worth-by-suite")
        part.locator("summary").click()
        names = part.locator("tbody tr")
        assert "pageload" in names.nth(0).inner_text()
        part.locator("thead button", has_text="True").click()
        part.locator("thead button", has_text="True").click()
        assert "broken" in names.nth(0).inner_text()

    def test_long_tables_are_folded(self, show_text):
        shown = show_text(report.render(exploration("known"), "html"))
        part = shown.locator("#sweep-percent")
        part.locator("summary").click()
        assert part.locator("tbody tr:visible").count() == 20
        part.get_by_role("button", name="Show all").click()
        assert part.locator("tbody tr:visible").count() == exploration("known").sweep().frame.height

    def test_contents_lead_to_their_chapters(self, show_text):
        shown = show_text(report.render(exploration("known"), "html"))
        shown.get_by_role("link", name="Noise", exact=True).click()
        assert shown.evaluate("location.hash") == "#noise"
        targets = shown.locator("a[href^='#']").evaluate_all(
            "(links) => links.map((a) => document.querySelector(a.getAttribute('href')) !== null)"
        )
        assert all(targets)

    def test_light_and_dark(self, show_text):
        shown = show_text(report.render(exploration("known"), "html"), color_scheme="dark")
        colour = "getComputedStyle(document.querySelector('.block')).fill"
        dark = shown.evaluate(colour)
        shown.get_by_role("button", name="Switch between light and dark").click()
        assert shown.evaluate(colour) != dark

    def test_without_scripts_it_is_complete(self, show_text):
        found = exploration("known")
        shown = show_text(report.render(found, "html"), java_script_enabled=False)
        assert shown.locator("svg.diagram:visible").count() > 30
        assert shown.locator(".proposals article:visible").count() == len(found.proposals)


def test_months_in_which_nine_of_ten_are_never_done_are_a_gap():
    rows = [("2026-01", 2.0), ("2026-02", None), ("2026-03", 3.0), ("2026-04", 4.0)]
    frame = pl.DataFrame(
        [
            {"month": month, "items": 9, "open": 1, "median": 1.0, "low": 0.5, "high": 1.5,
             "p90": late}
            for month, late in rows
        ]
    )  # fmt: skip
    chart = figure(Part("time-to-triage-by-month", "Time to triage by month", frame, ""))
    lines = re.findall(r'class="line-of c1" d="([^"]*)"', chart)
    assert [path.count("L") for path in lines] == [0, 1]
    assert chart.count(">9 of 10<") == 1


def test_shares_with_a_property_and_without_it_are_named():
    part = exploration("known").false_by_property()
    name = part.frame["property"][0]
    chart = figure(part)
    assert f">{name}<" in chart
    assert f">not {name}<" in chart
