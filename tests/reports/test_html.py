# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The HTML report as text: structure, escaping, order, and what its parts say."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark import reports
from stepmark.alerts.compliance import in_order
from stepmark.reports import charts, html, sparkline, words
from stepmark.reports.html import render
from stepmark.series import Aggregate, Failure, SeriesKey

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """A page taken apart; raises AssertionError where tags do not nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.scripts = [], [], [], []
        self.rows, self.texts, self.captions = {}, [], 0
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), (tag, attrs)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "table":
            self.table = self.rows.setdefault(attributes["class"], [])
        elif tag == "tr":
            self.table.append([])
        elif tag in ("td", "th"):
            self.table[-1].append("")
        elif tag == "script":
            self.scripts.append((attributes, ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" in self.open:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif "style" not in self.open:
            self.texts.append(data)
            if "td" in self.open or ("th" in self.open and "table" in self.open):
                self.table[-1][-1] += data

    @property
    def skeleton(self):
        """Every tag with the names of its attributes, in order."""
        return [(tag, *attributes) for tag, attributes in self.tags]

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


@pytest.fixture(scope="module")
def typical(samples):
    return samples.typical(gated=True)


@pytest.fixture(scope="module")
def page(typical):
    return Page(render(typical))


@pytest.mark.parametrize("name", ["typical", "empty", "untimed", "hostile"])
@pytest.mark.parametrize("interactive", [True, False])
def test_pages_are_well_formed(samples, name, interactive):
    text = render(getattr(samples, name)(), interactive=interactive)
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert len(page.ids) == len(set(page.ids))
    targets = [a["href"] for tag, a in page.tags if tag in ("a", "use") and "href" in a]
    assert {t[1:] for t in targets} <= set(page.ids)
    assert all(t.startswith("#") for t in targets)
    assert [tag for tag, _ in page.tags].count("h1") == 1
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert sum(tag == "caption" for tag, _ in page.tags) == tables
    assert all("scope" in a for tag, a in page.tags if tag == "th")


def test_reports_find_the_renderer(samples):
    assert reports.render(samples.empty(), "html") == render(samples.empty())


def test_nothing_but_the_named_scripts_may_run(page):
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv"))
    run = [text for attributes, text in page.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in run]
    assert len(run) == 3
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert policy.startswith("default-src 'none';")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.replace("style-src 'unsafe-inline'", "")
    assert not [a for _, a in page.tags if any(n.startswith("on") or n == "src" for n in a)]


def test_the_headline_comes_first(typical, page):
    assert words.headline(typical) in page.text[:200]
    assert "2 new regressions" in page.text[:200]


def test_changes_are_listed_newest_first_and_complete(page):
    rows = page.rows["changes"][1:]
    assert [row[0].split()[0] for row in rows] == [
        "Regression",
        "Regression",
        "Improvement",
        "Improvement",
        "Neutral",
    ]
    assert [row[6] for row in rows] == sorted((row[6] for row in rows), reverse=True)
    newest = rows[0]
    assert newest[1] == "-3.68 %"
    assert newest[2] == "csit/2n-icx/l2xc/64b-2t1c/mrr{nic=e810cq}"
    assert newest[3] == "12.37 → 11.91 Mpps"
    assert newest[4] == "-4.14 % to -3.22 %"
    assert re.fullmatch(r"[0-9a-f]{10} … [0-9a-f]{10}", newest[5])
    assert newest[7] == "50.5"


def test_of_one_time_the_biggest_change_comes_first(samples):
    steps = {"small": 1.1, "big": 1.9, "middle": 0.6}
    items = tuple(samples.stepped([(5, 1.0), (5, s)], name) for name, s in steps.items())
    page = Page(render(samples.Summary("1", "mdl", items), interactive=False))
    assert [row[2] for row in page.rows["changes"][1:]] == [
        "demo/big/time",
        "demo/middle/time",
        "demo/small/time",
    ]


def test_only_what_the_gate_judged_is_called_new(typical, page):
    rows = page.rows["changes"][1:]
    told = sum(len(words.told(item)) for item in typical.series)
    assert sum("new" in row[0] for row in rows) == told == len(rows) - 1


def test_full_revisions_are_in_the_titles(typical, page):
    revision = typical.series[0].changes[0].revision
    assert len(revision) == 40
    assert any(tag == "code" and a.get("title") == revision for tag, a in page.tags)


def test_trend_table_is_in_the_order_of_compliance(typical, page):
    head, *rows = page.rows["trend"]
    assert head == [
        "Series",
        "Trend [unit]",
        "Runs [#]",
        "Short-Term Change [%]",
        "Long-Term Change [%]",
        "Regressions [#]",
        "Progressions [#]",
    ]
    expected = in_order(item.row for item in typical.series)
    assert [row[0] for row in rows] == [row.name for row in expected]
    assert rows[0] == [expected[0].name, "11.91 Mpps", "45", "0 %", "-3.68 %", "0", "0"]


def test_recent_regressions_colour_their_rows(samples):
    items = (samples.stepped([(50, 1.0), (3, 2.0)]), samples.stepped([(50, 2.0), (3, 1.0)], "b"))
    page = Page(render(samples.Summary("1", "mdl", items), interactive=False))
    rows = [a["class"] for tag, a in page.tags if tag == "tr" and "data-of" in a]
    assert rows[2:] == ["regression", "improvement"]  # after the two rows of changes


def test_each_series_says_which_way_is_better(page):
    for words_of_direction in ("lower is better", "higher is better", "direction unknown"):
        assert words_of_direction in page.text


def test_failed_tests_are_counted_and_the_last_one_told(page):
    _, *rows = page.rows["failed"]
    assert rows == [
        [
            "csit/2n-icx/ip4/64b-2t1c/mrr",
            "2",
            "2026-06-01 04:30",
            "612 · 26.02-rc0~99",
            "VPP did not start",
        ],
        ["demo/parse/large/time", "1", "2026-06-01 04:30", "", "Timed out"],
    ]


def test_failures_without_times_keep_the_last_of_the_input():
    key = SeriesKey("", "a")
    first, last = (Failure(key, f"r{i}", None, f"reason {i}", "f") for i in range(2))
    (test,) = html.failed_tests([first, last])
    assert (test.fails, test.last, test.build) == (2, last, "r1")


def test_skipped_input_and_warnings_are_shown(page):
    assert page.rows["skipped"][1] == ["results.csv:14", "not a number: 'n/a'"]
    assert "1 series has no direction" in page.text


def test_an_empty_summary_says_so_and_needs_no_charts(samples):
    text = render(samples.empty())
    assert "No series were read" in Page(text).text
    assert len(text) < 100_000


def test_what_is_unknown_is_left_out(samples):
    page = Page(render(samples.untimed(), interactive=False))
    assert not re.search(r"\b(None|nan|null|undefined)\b", page.text)
    row = page.rows["changes"][1]
    assert row[5:7] == ["point 25", ""]
    assert "biggest first" in page.text
    assert "point 0" in page.text


def test_a_series_without_points_and_one_without_spread(samples):
    bare = samples.summarised(samples.series([]))
    flat = samples.summarised(samples.series([2.0, 2.0, 3.0, 3.0], "flat"), (2,))
    page = Page(render(samples.Summary("1", "mdl", (bare, flat))))
    assert "No points." in page.text
    assert "+50.0 %" in page.rows["changes"][1][1]


def test_anchors_are_stable_and_tell_keys_apart():
    key = SeriesKey("p", "b/c", "m", (("os", "linux"),))
    assert html.anchor(key) == "p-b-c-m-os-linux-b57012866a"
    same_text = SeriesKey("p/b", "c", "m", (("os", "linux"),))
    assert str(same_text) == str(key)
    assert html.anchor(same_text) != html.anchor(key)
    assert html.anchor(SeriesKey("", "\ud800", "")).startswith("series-")


def test_one_key_twice_gets_two_anchors(samples):
    item = samples.stepped([(5, 1.0), (5, 2.0)])
    page = Page(render(samples.Summary("1", "mdl", (item, item)), interactive=False))
    assert len(page.ids) == len(set(page.ids))


def test_equal_columns_are_stored_once(samples):
    summary = samples.many(3, points=20)
    shared = charts.Shared()
    data = [charts.data(item, item.values(), shared) for item in summary.series]
    assert {d["revisions"] for d in data} == {data[0]["revisions"]}
    tables = shared.tables()
    assert len(tables["columns"]) == 5  # times, revisions full and short, builds, versions
    texts = [tables["texts"][i] for i in tables["columns"][data[0]["short"]]]
    assert texts == [p.revision[:10] for p in summary.series[0].series.points]


def test_chart_data_are_in_the_unit_that_is_shown(samples):
    item = samples.summarised(samples.series([1.2e6, 1.3e6], unit="pps"))
    data = charts.data(item, item.values(), charts.Shared())
    assert (data["unit"], data["values"]) == ("Mpps", [1.2, 1.3])
    assert data["digits"] == 4


def test_small_steps_get_the_digits_they_need(samples):
    item = samples.stepped([(9, 1234567.0), (9, 1234590.0)], noise=0, unit="pps")
    data = charts.data(item, item.values(), charts.Shared())
    shown = [f"{mean:.{data['digits']}g}" for mean in data["means"]]
    assert shown[0] != shown[1]


def test_replicates_are_counted(samples):
    item = samples.summarised(samples.series([(1.0, 3.0), (2.0, 4.0)]), aggregate=Aggregate.MIN)
    shared = charts.Shared()
    data = charts.data(item, item.values(), shared)
    assert data["values"] == [1.0, 2.0]
    assert shared.tables()["columns"][data["samples"]] == [2, 2]
    assert data["aggregate"] == "min"


def test_times_are_differences_of_milliseconds(samples):
    every = timedelta(hours=1)
    item = samples.summarised(samples.series([1.0, 2.0, 3.0], every=every))
    shared = charts.Shared()
    data = charts.data(item, item.values(), shared)
    first = int(samples.START.timestamp() * 1000)
    assert shared.tables()["columns"][data["times"]] == [first, 3_600_000, 3_600_000]


def test_the_figure_is_a_template_without_data():
    figure = json.loads(charts.template())
    assert figure["root_id"]
    text = charts.template()
    assert all(colour in text for colour in charts.COLOURS)
    names = set(re.findall(r'"name":"([a-z]+)"', text))
    assert {"x", "y", "points", "steps", "marks", "left", "places", "times", "hover"} <= names


def still(values, samples, indices=()):
    item = samples.summarised(samples.series(values), indices)
    return sparkline.svg(item.values(), item.segments, item.changes, "label")


def test_group_means_never_slope(samples):
    steps = re.search(r'class="steps" d="([^"]+)"', still([1, 1, 5, 5, 2, 2], samples, (2, 4)))
    assert steps is not None
    moves = re.findall(r"[ML](\d+) (\d+)H(\d+)", steps[1])
    assert len(moves) == 3
    for (_, _, stop), (start, _, _) in itertools.pairwise(moves):
        assert stop == start  # the rise is vertical, and each mean is drawn by H alone


def test_a_still_chart_of_many_points_keeps_its_outliers(samples):
    values = [10.0] * 5000
    values[1234], values[4321] = 99.0, 1.0
    text = still(values, samples)
    dots = re.findall(r"M(\d+) (\d+)h0", text)
    assert len(dots) <= 800
    heights = [int(y) for _, y in dots]
    assert heights.count(min(heights)) == heights.count(max(heights)) == 1


@pytest.mark.parametrize(
    "values", [[1.0], [0.0, 0.0], [1.7e308, -1.7e308], [5e-324, 0.0], [1e-9, 1.1e-9, 1e9]]
)
def test_magnitudes_do_not_matter(samples, values):
    text = still(values, samples)
    assert len(re.findall(r"h0", text)) == len(values)
    heights = [int(y) for y in re.findall(r"M\d+ (-?\d+)h0", text)]
    assert all(0 <= y <= 1000 for y in heights)
    Page(render(samples.single(samples.summarised(samples.series(values)))))


def test_shapes_not_only_colours_tell_verdicts(samples):
    text = render(samples.typical(), interactive=False)
    shapes = {}
    for name in ("regression", "improvement", "neutral"):
        found = re.search(rf'<(\w+) id="mark-{name}"', text)
        assert found is not None
        shapes[name] = found[1]
    assert len(set(shapes.values())) == 3


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *itertools.product(("ink", "muted", "link", "bad", "good", "warn"), ("page", "card")),
        *itertools.product(("ink", "link", "bad"), ("bad-wash",)),
        *itertools.product(("ink", "link", "good"), ("good-wash",)),
        *itertools.product(("ink", "warn"), ("warn-wash",)),
    ],
)
def test_contrast_is_at_least_aa(theme, text, ground):
    css = resources.files("stepmark.reports").joinpath("page.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\(([^)]+)\);", css)
    pairs = {name: colours.split(", ") for name, colours in found}
    light, dark = sorted((luminance(pairs[n][theme]) for n in (text, ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_hostile_texts_stay_texts(samples):
    text = render(samples.hostile())
    page = Page(text)
    assert "<script>alert(1)</script>" in page.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    assert not [tag for tag, _ in page.tags if tag == "img"]
    text.encode("utf-8")
    for attributes, script in page.scripts:
        if "type" in attributes:
            json.loads(script)
            assert "<" not in script


nasty = st.text(st.sampled_from("<>&\"'/=`{}%@$\\\x00\x1b\u202e\u2028 a-!"), max_size=30) | st.text(
    max_size=30
)


@settings(max_examples=60, deadline=None)
@given(nasty)
def test_no_text_changes_the_structure_of_the_page(samples, text):
    def summary(word):
        key = SeriesKey(word, word, word, ((word, word),))
        base = samples.series([1.0, 1.1, 2.0, 2.1], key, unit=word, attributes={word: word})
        points = tuple(replace(p, revision=f"{i}{word}") for i, p in enumerate(base.points))
        item = samples.summarised(replace(base, points=points), (2,), note=word, detector=word)
        failure = Failure(key, word, samples.START, word, word, {"build": word})
        return samples.Summary(
            word, "mdl", (item,), (failure,), (samples.Skipped(word, word),), (word,), word
        )

    def skeleton(word):
        page = Page(render(summary(word), interactive=False))
        # Only a title that tells the whole of a shortened revision may come or go.
        return [
            tuple(n for n in names if (names[0], n) != ("code", "title")) for names in page.skeleton
        ]

    assert skeleton(f"x{text}") == skeleton("x")


@given(st.recursive(nasty, lambda inner: st.lists(inner) | st.dictionaries(nasty, inner)))
def test_embedded_json_is_inert_and_whole(value):
    text = charts.embedded(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")
    assert text.isascii()


def test_without_charts_the_page_is_small_and_complete(samples):
    text = render(samples.typical(), interactive=False)
    page = Page(text)
    assert len(text) < 60_000
    assert sum(tag == "path" and a.get("class") == "steps" for tag, a in page.tags) == 6
    assert not [a for a, _ in page.scripts if "type" in a]
