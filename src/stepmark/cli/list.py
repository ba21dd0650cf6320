# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark list``."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from stepmark.cli import OK
from stepmark.cli.options import emit


def list_command(what: Literal["detectors", "formats", "datasets"], /) -> int:
    """List detectors, formats or generated data sets."""
    from stepmark.plugins import load, names

    group = "sources" if what == "formats" else what
    known = names(group)
    wide = max(18, 2 + max(map(len, known)))
    for name in known:
        plugin = load(group, name)
        if what == "formats":
            emit(f"{name:{wide}}{plugin.title}\n", None)
        else:
            emit(f"{name:{wide}}{_first_line(plugin)}\n", None)
            facts = "; ".join(_facts(plugin))
            if facts:
                emit(f"{'':{wide}}{facts}\n", None)
            defaults = ", ".join(_parameters(plugin))
            if defaults:
                emit(f"{'':{wide}}({defaults})\n", None)
    return OK


def _first_line(plugin: type[Any]) -> str:
    return (plugin.__doc__ or "").strip().split("\n", 1)[0]


def _facts(plugin: type[Any]) -> list[str]:
    """Cost and source, where a plug-in tells them."""
    told = (getattr(plugin, fact, "") for fact in ("complexity", "paper"))
    return [fact for fact in told if fact]


def _parameters(plugin: type[Any]) -> list[str]:
    from stepmark.plugins import spec_value

    return [
        f"{item.name}={spec_value(item.default)}"
        for item in dataclasses.fields(plugin)
        if item.name != "members"  # named by place
    ]
