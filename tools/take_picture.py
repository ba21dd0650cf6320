# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Take the README's picture, docs/images/report.png: one chart of the demo's report, with a label.

``python tools/take_picture.py [/path/to/chromium]``; needs Playwright.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from stepmark.cli import run

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "report.png"
SERIES, MARK = "rich/render_table/time", 3

# The place on the screen of a mark of the chart in an element.
PLACE = """(element, i) => {
  const views = Bokeh.index.roots ?? Object.values(Bokeh.index);
  const view = [...views].find((v) => element.contains(v.el));
  const { data } = view.model.document.get_model_by_name("marks");
  const box = (view.canvas_view ?? view).el.getBoundingClientRect();
  return [box.x + view.frame.x_scale.compute(data.x[i]),
          box.y + view.frame.y_scale.compute(data.y[i])];
}"""


def take(page: Path, chromium: str) -> None:
    """Write the picture of the chart in the report *page*."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        view = browser.new_page(
            viewport={"width": 870, "height": 700}, device_scale_factor=1.5, color_scheme="light"
        )
        view.goto(page.as_uri())
        heading = view.get_by_role("heading", name=SERIES, exact=True)
        card = view.locator("article", has=heading)
        card.scroll_into_view_if_needed()
        chart = card.locator(".chart.on")
        chart.wait_for()
        x, y = chart.evaluate(PLACE, MARK)
        view.mouse.move(x - 40, y - 40)
        view.mouse.move(x, y)
        view.locator(".label:visible").first.wait_for()
        card.screenshot(path=PICTURE)
        browser.close()


def main() -> int:
    """Write the demo's report and take the picture of it; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "demo.html"
        code = run(["demo", "--to", str(page)])
        take(page, sys.argv[1] if len(sys.argv) > 1 else "/usr/bin/chromium")
    return code


if __name__ == "__main__":
    sys.exit(main())
