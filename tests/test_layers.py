# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Imports point down only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import stepmark

PACKAGE = Path(stepmark.__file__).parent

# Each layer may import itself (where it is a package) and those above it in this list.
LAYERS = (
    ("errors",),
    ("series",),
    ("_kernels",),
    ("config",),
    ("changes",),
    ("plugins", "execution", "extras", "files"),
    ("remote",),
    ("detectors", "sources"),
    ("extraction",),
    ("datasets", "alerts"),
    ("evaluation",),
    ("explanation",),
    ("reports",),
    ("pipeline",),
    ("cli", "demo"),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], path


def imported(tree: ast.AST) -> Iterator[str]:
    """The parts of the package that a module imports, inside functions too."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "stepmark":
            names = [f"stepmark.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            parts = name.split(".")
            if parts[0] == "stepmark" and len(parts) > 1 and parts[1] in LEVEL:
                yield parts[1]


def test_every_module_has_a_layer():
    assert {part for part, _ in modules()} <= set(LEVEL)


@pytest.mark.parametrize(
    ("part", "path"), list(modules()), ids=lambda v: v.name if isinstance(v, Path) else v
)
def test_imports_point_down(part, path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [name for name in imported(tree) if name != part and LEVEL[name] >= LEVEL[part]]
    assert not wrong, f"{path.relative_to(PACKAGE)} imports {wrong}"


def test_the_check_sees_an_upward_import():
    tree = ast.parse("def f():\n    from stepmark.cli import main\n")
    assert list(imported(tree)) == ["cli"]
    assert LEVEL["cli"] > LEVEL["detectors"]


@pytest.mark.parametrize("part", ["detectors", "alerts", "changes.py", "explanation.py"])
def test_judgement_knows_no_clock_network_or_database(part):
    forbidden = {"time", "socket", "urllib", "http", "sqlite3", "subprocess", "os", "sqlalchemy"}
    place = PACKAGE / part
    for path in [place] if place.is_file() else place.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not forbidden & {alias.name.split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] not in forbidden
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"now", "today", "utcnow"}
