# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The HTML report in a real browser: what its script does, and what it must never do."""

from __future__ import annotations

import pytest

from stepmark.reports import words
from stepmark.reports.html import render

pytestmark = pytest.mark.browser


@pytest.fixture
def show(show_text):
    """Opens a report."""
    return lambda summary, **options: show_text(render(summary), **options)


def chart(page, name="demo/parse/large/time"):
    """The chart of a series once it is drawn, found by the series' name."""
    found = page.locator("article", has=page.get_by_role("heading", name=name, exact=True))
    found.scroll_into_view_if_needed()
    drawn = found.locator(".chart.on")
    drawn.wait_for()
    return drawn


# Bokeh's view of the plot that stands in a chart's element.
VIEW = """(element) =>
  [...(Bokeh.index.roots ?? Object.values(Bokeh.index))].find((v) => element.contains(v.el))"""


def place(drawn, source, index):
    """Where a point or mark of a chart is on the screen."""
    return drawn.evaluate(
        f"""(element, [source, i]) => {{
          const view = ({VIEW})(element);
          const {{ data }} = view.model.document.get_model_by_name(source);
          const box = (view.canvas_view ?? view).el.getBoundingClientRect();
          return [box.x + view.frame.x_scale.compute(data.x[i]),
                  box.y + view.frame.y_scale.compute(data.y[i])];
        }}""",
        [source, index],
    )


def model(drawn, name, attribute):
    """An attribute of a part of a chart, by the part's name."""
    return drawn.evaluate(
        f"(e, [name, a]) => ({VIEW})(e).model.document.get_model_by_name(name)[a]",
        [name, attribute],
    )


def hover(drawn, source, index):
    """The text of the label that comes up over a point or mark."""
    x, y = place(drawn, source, index)
    mouse = drawn.page.mouse
    mouse.move(x - 40, y - 40)
    mouse.move(x, y)
    label = drawn.page.locator(".label:visible").first
    label.wait_for()
    return label.inner_text()


def test_charts_are_drawn_when_they_come_into_view(show, samples):
    page = show(samples.typical())
    last = page.locator("article").last.locator(".chart")
    assert page.locator(".chart.on").count() == 0
    assert last.locator("svg.still").count() == 1
    last.scroll_into_view_if_needed()
    page.locator("article").last.locator(".chart.on canvas").first.wait_for()


def test_a_chart_shows_points_steps_and_marks(show, samples):
    page = show(samples.typical())
    drawn = chart(page)
    marks = model(drawn, "marks", "data")
    steps = model(drawn, "steps", "data")
    assert marks["shape"] == ["square"]
    assert marks["x"] == [60]
    assert steps["x"] == [-0.5, 59.5, 59.5, 99.5]
    assert steps["y"][0] == steps["y"][1]
    assert steps["y"][2] == steps["y"][3] == marks["y"][0]


def test_the_label_of_a_point_tells_all_that_is_known(show, samples):
    summary = samples.typical()
    page = show(summary)
    drawn = chart(page)
    text = hover(drawn, "points", 80)
    point = summary.series[0].series.points[80]
    assert f"{point.samples[0]:.4g} ms" in text
    assert point.revision in text
    for line in (
        "Build\n180",
        "Version tested\n26.02-rc0~80",
        "Time\n2026-05-21 04:30 UTC",
        "Point\n80 (of 0 to 99)",
        "Group mean\n43.86 ms, this point",
        "Group began\nRegression +7.01 %",
    ):
        assert line in text


def test_the_label_of_a_mark_tells_the_change(show, samples):
    page = show(samples.typical())
    drawn = chart(page)
    text = hover(drawn, "marks", 0)
    for line in (
        "Regression +7.01 %",
        "Before → after\n41.0 → 43.9 ms",
        "95 % interval\n+6.57 % to +7.46 %",
        "Score\n40.5",
        "Build\n160",
    ):
        assert line in text
    assert "Revisions\n" in text


def test_unknown_things_are_left_out_of_labels(show, samples):
    page = show(samples.untimed())
    drawn = chart(page, "demo/bare/time")
    lines = hover(drawn, "points", 10).split("\n")
    assert lines[1::2] == ["Point", "Group mean"]
    assert page.locator("#axis").is_hidden()


def test_the_horizontal_axis_can_be_switched(show, samples):
    page = show(samples.typical())
    drawn = chart(page)
    assert model(drawn, "places", "axis_label") == "Build"
    page.get_by_role("radio", name="Revision").check()
    drawn = chart(page)
    assert model(drawn, "places", "axis_label") == ""
    page.get_by_role("radio", name="Time").check()
    drawn = chart(page)
    assert model(drawn, "times", "visible") is True
    assert model(drawn, "places", "visible") is False
    first, second = model(drawn, "points", "data")["x"][:2]
    assert first == samples.START.timestamp() * 1000
    assert second - first == 86_400_000


def test_a_drag_zooms_and_reset_undoes_it(show, samples):
    page = show(samples.typical())
    drawn = chart(page)
    x, y = place(drawn, "points", 20)
    to_x, _ = place(drawn, "points", 40)
    page.mouse.move(x, y - 60)
    page.mouse.down()
    page.mouse.move(to_x, y + 60, steps=5)
    page.mouse.up()
    assert model(drawn, "x", "start") == pytest.approx(20, abs=1)
    assert model(drawn, "x", "end") == pytest.approx(40, abs=1)
    drawn.get_by_title("Reset").click()
    assert model(drawn, "x", "start") < 0
    assert model(drawn, "x", "end") > 99


def test_the_theme_follows_the_system_and_the_button_applies_to_charts(show, samples):
    page = show(samples.typical(), color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    colour = f"(e) => ({VIEW})(e).model.background_fill_color"
    drawn = chart(page)
    dark, dark_chart = page.evaluate(background), drawn.evaluate(colour)
    page.get_by_role("button", name="Switch between light and dark").click()
    drawn = chart(page)
    assert page.evaluate(background) != dark
    assert drawn.evaluate(colour) == "#ffffff" != dark_chart
    page.reload()
    assert page.evaluate(background) != dark


def test_tables_sort_by_their_headers(show, samples):
    page = show(samples.typical())
    names = page.locator("table.trend tbody th")
    header = page.locator("table.trend thead th", has_text="Runs")
    runs = page.locator("table.trend tbody td:nth-child(3)")
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert runs.all_inner_texts() == ["90", "45", "40", "30", "30", "3"]
    header.get_by_role("button").click()
    assert runs.all_inner_texts() == ["3", "30", "30", "40", "45", "90"]
    page.locator("table.trend thead th").first.get_by_role("button").click()
    assert header.get_attribute("aria-sort") is None
    assert names.all_inner_texts() == sorted(names.all_inner_texts())


def test_unknown_values_stay_at_the_end_of_a_sorted_table(show, samples):
    page = show(samples.typical())
    header = page.locator("table.trend thead th", has_text="Long-Term").get_by_role("button")
    longs = page.locator("table.trend tbody td:nth-child(5)")
    for _ in range(2):
        header.click()
        assert longs.last.inner_text() == "-"


def test_the_filter_applies_to_tables_and_charts(show, samples):
    page = show(samples.typical())
    page.get_by_label("Filter").fill("demo TIME render")
    page.get_by_text("1 of 6 series").wait_for()
    assert page.locator("article:visible h3").all_inner_texts() == ["demo/render/home/time"]
    assert page.locator("table.trend tbody tr:visible").count() == 1
    assert page.locator("table.changes tbody tr:visible").count() == 1
    page.get_by_label("Filter").fill("")
    page.locator("article:visible").nth(5).wait_for()


def test_long_tables_are_folded(show, samples):
    page = show(samples.many(40, points=20))
    rows = page.locator("table.trend tbody tr:visible")
    assert rows.count() == 30
    page.locator("#trend").get_by_role("button", name="Show all 40").click()
    assert rows.count() == 40


def test_few_of_many_charts_are_kept(show, samples):
    page = show(samples.many(45, points=20))
    for article in page.locator("article").all():
        article.scroll_into_view_if_needed()
        article.locator(".chart.on").wait_for()
    assert page.locator(".chart.on").count() <= 40
    assert page.locator("article").first.locator("svg.still").count() == 1


def test_charts_that_are_drawn_anew_leave_nothing_behind(show, samples):
    page = show(samples.typical())
    chart(page)
    button = page.get_by_role("button", name="Switch between light and dark")
    for _ in range(5):  # faster than charts can be drawn
        button.dispatch_event("click")
    chart(page)
    for _ in range(100):  # until the last of those that were dropped is gone
        kept = page.evaluate(
            "[Bokeh.documents.length, ...['.live', '.on'].map("
            "(s) => document.querySelectorAll(s).length)]"
        )
        if len(set(kept)) == 1:
            break
        page.wait_for_timeout(50)
    assert kept == [kept[0]] * 3


@pytest.mark.parametrize("name", ["typical", "hostile", "untimed", "empty"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_never_scrolls_sideways(show, samples, name, width):
    page = show(getattr(samples, name)(), viewport={"width": width, "height": 844})
    if name != "empty":
        page.locator("article .chart").first.scroll_into_view_if_needed()
        page.locator(".chart.on").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_texts_are_only_shown(show, samples):
    summary = samples.hostile()
    page = show(summary)
    for article in page.locator("article").all():
        article.scroll_into_view_if_needed()
        article.locator(".chart.on").wait_for()
    page.get_by_role("radio", name="Revision").check()
    drawn = chart(page, words.name(summary.series[2].name, 160))
    assert samples.HOSTILE[2] in hover(drawn, "points", 12)
    assert page.locator("img, article script:not([type])").count() == 0
    assert page.evaluate("typeof MathJax") == "undefined"


def test_a_label_is_text_whatever_it_holds(show, samples):
    values = samples.steps([(10, 1.0), (10, 2.0)])
    texts = {t: t for t in ("<b>x</b>", "@{x}", "{{1}}", "$index", "y" * 4000)}
    page = show(samples.single(samples.summarised(samples.series(values, attributes=texts), (10,))))
    drawn = chart(page, "demo/speed/time")
    text = hover(drawn, "points", 5)
    for word in ("<b>x</b>\n<b>x</b>", "@{x}\n@{x}", "{{1}}\n{{1}}", "$index\n$index"):
        assert word in text
    assert "y" * 200 not in text


def test_without_scripts_the_page_is_complete(show, samples):
    page = show(samples.many(40, points=20), java_script_enabled=False)
    assert page.locator("svg.still:visible").count() == 40
    assert page.locator("table.trend tbody tr:visible").count() == 40
    assert page.get_by_label("Filter").is_hidden()


def test_print_shows_the_still_charts_on_white(show, samples):
    page = show(samples.typical(), color_scheme="dark")
    drawn = chart(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert drawn.locator(".live").is_hidden()
    assert drawn.locator(".drawn").evaluate("(e) => getComputedStyle(e).opacity") == "1"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 37, 48)"


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0], [1e9, 1e-9, -1e9], [1e-300, 2e-300]])
def test_odd_series_can_be_drawn(show, samples, values):
    page = show(samples.single(samples.summarised(samples.series(values))))
    drawn = chart(page, "demo/speed/time")
    assert model(drawn, "y", "start") < model(drawn, "y", "end")
