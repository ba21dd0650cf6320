# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What all HTML pages share: their files, their policy, and a template that escapes.

A page is one file that needs no network and no server. A content security policy names its very
scripts by their digests and forbids all others, and every request.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib import resources
from typing import Any

from stepmark.reports import words

LONGEST_TEXT = 5000
"""Of texts longer than this, only so much is kept in tooltips and for the filter."""

# Set before anything is drawn, so that what only a script can do never flashes up or away.
FIRST_SCRIPT = 'document.documentElement.classList.add("scripted")'


def asset(name: str) -> str:
    """A file of this package: a style sheet, script or template."""
    return resources.files("stepmark.reports").joinpath(name).read_text(encoding="utf-8")


def policy(scripts: Iterable[str]) -> str:
    """A content security policy that lets these scripts run and nothing be fetched."""
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    sources = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline';"
        " img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def environment() -> Any:
    """A Jinja environment that escapes what it prints, and prints texts as clean lines only."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    made.filters |= {
        "truncated": lambda text: words.name(text, 160),
        "line": lambda text: words.clean(text, 500),
        "whole": lambda text: words.clean(text, LONGEST_TEXT),
        "plural": words.plural,
        "number": words.number,
        "sortable": lambda value: "" if value is None else repr(float(value)),
    }
    made.globals |= {"raw": raw, "NONE": words.NONE}
    return made


def raw(text: str) -> Any:
    """*text* as it is, for what this package made itself."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - only ever called on what was escaped or embedded here


def _inert(value: Any) -> Any:
    """What the template prints: text from outside only as clean lines (it is escaped after)."""
    return words.clean(value, LONGEST_TEXT) if type(value) is str else value
