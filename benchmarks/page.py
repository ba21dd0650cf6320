# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Figures on their way into a page of the documentation."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import stepmark
from stepmark._kernels.loops import mdl as loops

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def machine() -> str:
    """What was measured, where and when, as one line."""
    model = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = facts.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
        model = " ".join(names[0].split()) if names else model
    form = "compiled" if loops.COMPILED else "interpreted"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {model}, {os.cpu_count()} cores, {platform.system()},"
        f" Python {platform.python_version()}, NumPy {version('numpy')},"
        f" Stepmark {stepmark.__version__} with {form} kernels."
    )


def require(page: Path) -> tuple[str, str]:
    """The text of *page* before and after its figures; ends the program where it has no place."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{page}: has no lines {BEGIN} and {END} to put the figures between")
    return before, after


def put(page: Path, figures: str) -> None:
    """Write *figures* between the lines that mark their place in *page*."""
    before, after = require(page)
    page.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", encoding="utf-8")
