# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""One `Summary`, many renderings."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from stepmark.errors import UsageError, suggest
from stepmark.reports.summary import SeriesSummary, Summary

RENDERERS = {
    "text": "stepmark.reports.text:render",
    "json": "stepmark.reports.json:render",
    "csv": "stepmark.reports.csv:render",
    "markdown": "stepmark.reports.markdown:render",
    "html": "stepmark.reports.html:render",
    "junit": "stepmark.reports.junit:render",
    "github": "stepmark.reports.github:render",
    "sarif": "stepmark.reports.sarif:render",
}


def render(summary: Summary, output: str, **options: Any) -> str:
    """*summary* in the form *output*; *options* are passed to the renderer.

    Raises `UsageError` for an unknown form.
    """
    if output not in RENDERERS:
        known = ", ".join(RENDERERS)
        raise UsageError(f"unknown output {output!r}{suggest(output, RENDERERS)}; known: {known}")
    module, _, function = RENDERERS[output].partition(":")
    rendered: str = getattr(import_module(module), function)(summary, **options)
    return rendered


__all__ = ["RENDERERS", "SeriesSummary", "Summary", "render"]
