# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The documentation is complete, and its examples print what it says."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from stepmark.cli import COMMANDS
from stepmark.plugins import names

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


run_docs = tool("run_docs")
write_reference = tool("write_reference")


@pytest.mark.parametrize("page", sorted(write_reference.PAGES))
def test_generated_pages_are_up_to_date(page):
    written = (DOCS / "reference" / page).read_text(encoding="utf-8")
    assert written == write_reference.PAGES[page](), "run python tools/write_reference.py"


@pytest.mark.parametrize("path", run_docs.pages(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_examples_print_what_the_page_says(path):
    text = path.read_text(encoding="utf-8")
    assert run_docs.rerun(text) == text, "run python tools/run_docs.py and read what changed"


def test_an_example_that_prints_something_else_is_noticed():
    page = "```console\n$ echo one\ntwo\n```\n"
    assert run_docs.rerun(page) == "```console\n$ echo one\none\n```\n"


@pytest.mark.parametrize("name", names("detectors"))
def test_every_detector_has_a_page(name):
    if name == "zero":
        pytest.skip("there is nothing to explain about nothing")
    assert (DOCS / "explanation" / f"{write_reference.page_of(name)}.md").is_file()


def test_every_command_is_shown_in_use():
    text = "".join(path.read_text(encoding="utf-8") for path in run_docs.pages())
    shown = {
        match[1]
        for block in re.findall(r"(?ms)^```(?:console|sh)\n.*?^```$", text)
        for match in re.finditer(r"stepmark (\w+)", block)
    }
    assert shown >= set(COMMANDS)


@pytest.mark.parametrize("path", run_docs.pages(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
