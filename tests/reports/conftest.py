# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of reports."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The module ``samples`` beside this file, which the importlib mode cannot import by name."""
    name = "stepmark_report_samples"
    if name not in sys.modules:
        path = Path(__file__).with_name("samples.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def golden() -> Callable[[str, str], str]:
    """What ``golden/NAME`` holds; with STEPMARK_WRITE_GOLDEN=1 it is first written anew."""

    def expected(name: str, text: str) -> str:
        path = Path(__file__).with_name("golden") / name
        if os.environ.get("STEPMARK_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        return path.read_text(encoding="utf-8")

    return expected


@pytest.fixture(scope="module")
def chromium():
    in_ci = os.environ.get("CI") == "true"
    if not in_ci:
        pytest.importorskip("playwright", reason="playwright is not installed")
    from playwright.sync_api import sync_playwright

    default = "/usr/bin/chromium"
    path = os.environ.get("STEPMARK_CHROMIUM") or shutil.which("chromium") or default
    if not in_ci and not os.path.isfile(path):  # noqa: PTH113 - a path of the environment
        pytest.skip("Chromium not found (set STEPMARK_CHROMIUM)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def show_text(chromium, tmp_path):
    """Opens a page; afterwards no request, error, dialog or complaint may have happened."""
    seen, contexts = [], []

    def opened(text, **options):
        options.setdefault("viewport", {"width": 1200, "height": 800})
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = chromium.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: seen.append(r.url) if r.url != path.as_uri() else None)
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.on(
            "console",
            lambda m: seen.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert seen == []
