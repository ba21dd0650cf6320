# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Markdown for a comment or a job summary."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stepmark.reports.markdown import LIMIT, render
from stepmark.series import SeriesKey

TAGS = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td"}
TAGS |= {"code", "ul", "li", "details", "summary"}
PARSER = MarkdownIt("commonmark").enable("table")


class Page(HTMLParser):
    """What a reader of the rendered text would get: its tags, its free text, its table rows."""

    def __init__(self, markdown):
        super().__init__()
        self.tags, self.free, self.code, self.rows, self._open = set(), [], [], [], []
        self.feed(PARSER.render(markdown))

    def handle_starttag(self, tag, _attrs):
        self.tags.add(tag)
        self._open.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_endtag(self, tag):
        self._open.remove(tag)

    def handle_data(self, data):
        (self.code if "code" in self._open else self.free).append(data)

    def handle_comment(self, _data):
        self.tags.add("!--")

    @property
    def text(self):
        return "".join(self.free)


def test_typical(samples, golden):
    text = render(samples.typical())
    assert text == golden("typical.md", text)


def test_gate(samples, golden):
    text = render(samples.typical(gated=True))
    assert text == golden("gate.md", text)
    assert text.startswith("## Nightly performance: FAIL: 2 new regressions")


def test_order_and_tables(samples):
    page = Page(render(samples.typical()))
    assert page.tags <= TAGS
    assert page.rows == [6] * 6 + [7] * 7
    verdicts = [word for word in page.text.split() if word in ("regression", "improvement")]
    assert verdicts == ["regression"] * 2 + ["improvement"] * 2


def test_a_long_trend_is_folded(samples):
    assert "<details>" not in render(samples.many(10, 30))
    text = render(samples.many(11, 30))
    assert "<summary>Trend of 11 series</summary>\n\n|" in text
    assert "\n</details>\n" in text
    assert "details" in Page(text).tags


@pytest.mark.parametrize("limit", [LIMIT, 9000, 4000])
def test_the_limit_is_kept_and_what_is_left_out_is_counted(samples, limit):
    summary = samples.many(900, 14)
    text = render(summary, limit=limit)
    assert limit * 0.7 < len(text.encode()) <= limit
    page = Page(text)
    assert page.tags <= TAGS
    changes, series = page.rows.count(6) - 1, page.rows.count(7) - 1
    assert f"and {600 - changes} changes more" in text
    assert f"and {900 - series} series more" in text
    assert "and 600 changes" not in text


def test_hostile_text_stays_in_code(samples):
    text = render(samples.hostile())
    page = Page(text)
    assert page.tags <= TAGS
    assert not set("<>@`[]$\\*_#~&") & set(page.text)
    assert "http" not in page.text
    assert len(text.encode()) <= LIMIT
    assert set(page.rows) == {6, 7}


SIGNS = st.text(st.sampled_from("|\\`<>@[]()!#*_~&: \nab1-=+$") | st.characters(codec="utf-8"))


@settings(max_examples=150, deadline=None)
@given(SIGNS, SIGNS)
def test_any_text_stays_in_its_cell(samples, name, unit):
    item = samples.stepped([(4, 1.0), (4, 2.0)], SeriesKey("p", name, "m", {name: name}), unit=unit)
    change = replace(item.changes[0], revision=name)
    summary = replace(
        samples.single(replace(item, changes=(change,)), title=name), warnings=(name,)
    )
    page = Page(render(summary))
    assert page.tags <= TAGS
    assert page.rows == [6, 6, 7, 7]
    assert not set("<>@`[]$\\*_#~&") & set(page.text)


@pytest.mark.parametrize(
    "name", ["a|b", "a\\|b", "a\\\\|b", "`a`", "``", "a`|`b", "@team", "#12", "www.example.org"]
)
def test_a_name_reads_as_it_is(samples, name):
    item = samples.stepped([(4, 1.0), (4, 2.0)], SeriesKey("", "", name))
    page = Page(render(samples.single(item)))
    if "\\|" not in name:  # a table cannot say that; it shows more backslashes
        assert name in page.code
    assert page.rows == [6, 6, 7, 7]
    assert name not in page.text


@pytest.mark.parametrize("name", ["a|b", "a\\|b", "a\\\\|b", "\\\\\\|"])
def test_every_pipe_of_a_name_has_an_odd_number_of_backslashes(samples, name):
    item = samples.stepped([(4, 1.0), (4, 2.0)], SeriesKey("", "", name))
    row = render(samples.single(item)).splitlines()[6]
    backslashes = [len(run) for run in re.findall(r"(\\+)\|", row)]
    assert len(backslashes) == name.count("|")
    assert all(n % 2 for n in backslashes)


def test_harmless_revisions_stand_free(samples):
    text = render(samples.typical())
    hashes = [c.revision[:10] for item in samples.typical().series for c in item.changes]
    assert all(f"| {short}, 2026" in text for short in hashes)  # GitHub makes links of them


def test_remarks_are_bounded(samples):
    summary = samples.typical()
    text = render(replace(summary, failures=summary.failures * 9, warnings=summary.warnings * 30))
    assert "### Failed runs (27)" in text
    assert "- and 18 more" in text
    assert "### Warnings (30)" in text


def test_nothing_read(samples):
    text = render(samples.empty())
    assert text == "## Stepmark report: no series\n\nStepmark `0.1.0`, detector mdl\n".replace(
        "detector mdl", "detector `mdl`"
    )
