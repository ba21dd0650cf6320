# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The report for a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.reports import RENDERERS
from stepmark.reports import render as render_as
from stepmark.reports.text import cells, fit, fold, render, render_trend
from stepmark.series import SeriesKey

ANSI = re.compile(r"\x1b\[[0-9;]*m")
BRAILLE = re.compile("[\u2800-\u28ff]")
LONG = SeriesKey(
    "プロジェクト",
    "very/long/benchmark/path/" + "x" * 90,
    "測定時間",
    {"環境": "東京" * 10, "compiler": "gcc-15"},
)


def widest(text):
    return max(cells(line) for line in ANSI.sub("", text).splitlines())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("typical.txt", {}),
        ("charts.txt", {"charts": True}),
        ("ascii.txt", {"charts": True, "ascii": True}),
        ("color.txt", {"color": True}),
        ("wide.txt", {"width": 120}),
    ],
)
def test_typical(samples, golden, name, options):
    text = render(samples.typical(), **options)
    assert text == golden(name, text)
    assert widest(text) <= options.get("width", 80)


def test_gate(samples, golden):
    text = render(samples.typical(gated=True))
    assert text == golden("gate.txt", text)
    assert text.startswith("FAIL: ")
    # The gate's report is about the new changes only.
    assert "12.37 -> 11.91 Mpps" in text
    assert "11.60 -> 12.37 Mpps" not in text


def test_gate_words(samples):
    quiet = samples.single(samples.stepped([(30, 5.0)], gated=True))
    assert render(quiet).splitlines()[0].startswith("PASS: no new changes")
    short = samples.summarised(samples.series([1.0]), gated=True, note="1 point, 3 are needed")
    text = render(samples.single(short))
    assert text.startswith("TOO LITTLE DATA: ")
    assert "- demo/speed/time: 1 point, 3 are needed" in text


def test_trend(samples, golden):
    text = render_trend(samples.many(6))
    assert text == golden("trend.txt", text)
    assert widest(text) <= 80


def test_trend_is_in_order_of_compliance(samples):
    bad = samples.stepped([(60, 5.0), (3, 9.0)], "bad")
    good = samples.stepped([(60, 5.0), (3, 2.0)], "aaa")
    calm = samples.stepped([(60, 5.0)], "calm")
    summary = replace(samples.single(bad), series=(calm, good, bad))
    lines = render_trend(summary, color=True).splitlines()
    shown = [name for line in lines for name in ("bad", "aaa", "calm") if f"/{name}/" in line]
    assert shown == ["bad", "aaa", "calm"]
    assert "\x1b[31m" in lines[3]
    assert "\x1b[32m" in lines[4]


def test_trend_tells_long_names_apart(samples):
    names = [f"tests.vpp.perf.{'ethip4-ip4base-' * 8}.pdr_{i}" for i in range(3)]
    summary = replace(
        samples.single(samples.stepped([(60, 5.0)], "x")),
        series=tuple(samples.stepped([(60, 5.0)], name) for name in names),
    )
    text = render_trend(summary)
    assert widest(text) <= 80
    assert all(f".pdr_{i}" in text for i in range(3))
    heading, *rows = text.splitlines()[2:]
    numbers = [row for row in rows if " 60  " in row]
    assert len(numbers) == 3
    assert {row.index(" 60  ") + 3 for row in numbers} == {heading.index("Runs") + 4}


def test_nothing_read(samples):
    assert render(samples.empty()) == "No series\n"
    assert render_trend(samples.empty()) == "Trend of 0 series\n"


def test_unknown_columns_are_left_out(samples):
    text = render(samples.untimed())
    assert "revision" not in text.replace("regression", "")
    assert "time (UTC)" not in text
    assert re.search(r"^ +25 +1\.00 -> 1\.20 +\+20\.0 % +✗ regression +40\.5$", text, re.MULTILINE)


def test_plain_text_has_no_colour_braille_or_tab(samples):
    text = render(samples.typical())
    assert "\x1b" not in text
    assert "\t" not in text
    assert not BRAILLE.search(text)
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_colour_changes_nothing_but_colour(samples):
    summary = samples.typical()
    painted = render(summary, color=True, charts=False)
    assert ANSI.sub("", painted) == render(summary)
    assert "\x1b[31m✗ regression" in painted
    assert "\x1b[32m✓ improvement" in painted


def test_charts_follow_colour_unless_said(samples):
    summary = samples.typical()
    assert BRAILLE.search(render(summary, color=True))
    assert not BRAILLE.search(render(summary, color=True, charts=False))
    assert BRAILLE.search(render(summary, charts=True))


def test_ascii_only(samples):
    hostile = samples.hostile()
    for text in (
        render(hostile, ascii=True, charts=True),
        render_trend(hostile, ascii=True),
        render(samples.single(samples.stepped([(9, 1.0), (9, 2.0)], LONG, unit="µs")), ascii=True),
    ):
        assert text.isascii()
        assert widest(text) <= 80


def test_regressions_come_first_and_the_biggest_of_them(samples):
    names = re.findall(r"^[✗✓○] (\S+)", render(samples.typical()), re.MULTILINE)
    assert [name.split("/")[1] for name in names] == ["parse", "2n-icx", "render", "cache"]


def test_many_series_have_few_charts_and_a_cap(samples):
    text = render(samples.many(100, 40), charts=True)
    assert "Charts of the 5 series with the biggest changes only." in text
    assert len(re.findall("└─", text)) == 5
    assert len(re.findall("before -> after", text)) == 50
    assert "and 17 series more with changes (use --output json)" in text
    assert "No changes in 33 series." in text


def test_a_restless_series_shows_its_latest_changes(samples):
    levels = [(5, 1.0 + place % 2) for place in range(31)]
    text = render(samples.single(samples.stepped(levels)))
    assert "10 earlier changes left out (use --output json)" in text
    assert text.count("✗ regression") + text.count("✓ improvement") == 20
    assert re.search(r"^ +150 ", text, re.MULTILINE)


def test_unchanged_series_are_named_when_few(samples):
    flat = [samples.stepped([(20, 5.0)], name) for name in ("a", "b")]
    summary = replace(samples.single(flat[0]), series=tuple(flat))
    assert "No changes in demo/a/time, demo/b/time\n" in render(summary)


def test_remarks_are_bounded(samples):
    summary = samples.typical()
    many = replace(
        summary,
        failures=summary.failures * 5,
        skipped=summary.skipped * 15,
        warnings=summary.warnings * 15,
    )
    for text in (render(many), render_trend(many)):
        for title in ("Failed runs (15)", "Skipped input (15)", "Warnings (15)"):
            section = text.split(title)[1].split("\n\n")[0]
            assert section.count("\n  - ") == 5
            assert section.rstrip().endswith("- and 11 more")


def test_hostile_text_does_not_act(samples):
    for text in (render(samples.hostile(), charts=True), render_trend(samples.hostile())):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", text)
        assert widest(text) <= 80
        text.encode()


def test_no_line_is_a_workflow_command(samples):
    key = SeriesKey("::error ::" * 30, "x", "m", {"a": "::stop-commands::t"})
    item = samples.stepped([(20, 1.0), (20, 2.0)], key)
    flat = samples.stepped([(20, 1.0)], replace(key, metric="n"))
    summary = replace(
        samples.single(item), series=(item, flat), warnings=("::warning ::" * 40, "::x::y")
    )
    for width in range(20, 100, 7):
        for text in (render(summary, width=width), render_trend(summary, width=width)):
            assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(20, 160),
    name=st.text(max_size=120),
    unit=st.text(max_size=30),
    level=st.floats(1e-12, 1e15),
    ascii_only=st.booleans(),
)
def test_no_line_is_too_long(samples, width, name, unit, level, ascii_only):
    key = SeriesKey(name, name[::-1], "m", {"東京": name})
    item = samples.stepped([(12, level), (9, level * 1.5)], key, unit=unit)
    summary = replace(samples.single(item), warnings=(name,))
    for text in (
        render(summary, width=width, color=True, charts=True, ascii=ascii_only),
        render_trend(summary, width=width, color=True, ascii=ascii_only),
    ):
        assert widest(text) <= width
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@pytest.mark.parametrize("output", [name for name in RENDERERS if name != "html"])
@pytest.mark.parametrize("name", ["typical", "empty", "untimed", "hostile"])
def test_every_output_ends_in_one_newline_and_can_be_written(samples, output, name):
    text = render_as(getattr(samples, name)(), output)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    text.encode("utf-8")


def test_cells():
    assert cells("abc") == 3
    assert cells("東京") == 4
    assert cells("e\u0301") == 1
    assert cells("❤\ufe0f") == 2
    assert fit("東京都", 5) == "東京"


def test_fold_breaks_where_it_reads_best():
    assert fold("one two three", 8, 3) == ["one two", "three"]
    assert fold("suite/case/time{a=b}", 12, 3) == ["suite/case/", "time{a=b}"]
    assert fold("x" * 20, 8, 2) == ["x" * 8, "x" * 7 + "…"]
    assert fold("aaa bbb ccc", 5, 9, 3) == ["aaa", "bbb", "ccc"]
    assert fold("東京都", 4, 2) == ["東京", "都"]
