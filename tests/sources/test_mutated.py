# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results that somebody broke, by accident or on purpose: they are read, or one line says why not.

Fixtures are one folder a format. What is changed is one byte, or one place of a JSON document.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark import plugins
from stepmark.config import Columns
from stepmark.errors import StepmarkError
from stepmark.series import assemble
from stepmark.sources.base import Content

FIXTURES = Path(__file__).parent / "fixtures"
SCRIPT = "window.BENCHMARK_DATA = "
HOSTILE = (
    None, True, -1, 0, 1e308, 10**400, float("nan"), float("-inf"), "", " ", "\x00", "\x1b[2J",
    "=1+1", "\ud800", "2026-13-45", "x" * 5_000, [], {}, [[]], [None], {"": None}, ["a", 1],
)  # fmt: skip


def files(format_name: str) -> list[Path]:
    found = sorted((FIXTURES / format_name).rglob("*"))
    return [
        path for path in found if path.suffix != ".md" and path.is_file() and path.stat().st_size
    ]


FORMATS = [folder.name for folder in sorted(FIXTURES.iterdir()) if any(files(folder.name))]


def parse(format_name: str, data: bytes) -> None:
    """Parse as the format; anything but measurements and an error for users is a fault."""
    source = plugins.load("sources", format_name)()
    content = Content("broken.file", data)
    source.recognises(content)
    message = ""
    try:
        parsed = source.parse(content, Columns())
        assemble(parsed.measurements)
        assert all(measurement.samples for measurement in parsed.measurements)
    except StepmarkError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_another_byte(format_name, data):
    path = data.draw(st.sampled_from(files(format_name)))
    original = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(original) - 1))
    original[place] = data.draw(st.integers(0, 255))
    parse(format_name, bytes(original))


def places(node: object) -> list[tuple[object, object]]:
    """Each container in a document with each of its keys."""
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [(node, key) for key in keys] + [p for key in keys for p in places(node[key])]


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32), value=st.sampled_from(HOSTILE))
def test_another_value(format_name, seed, value):
    chance = random.Random(seed)
    path = chance.choice(files(format_name))
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text.removeprefix(SCRIPT).rstrip(";\n"))
    except ValueError:
        return  # a format that is no JSON
    container, key = chance.choice(places(document) or [([None], 0)])
    container[key] = value
    parse(format_name, json.dumps(document).encode("utf-8", "surrogatepass"))
