# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Every file that a tool writes is recognised as that tool's, and as nobody else's.

Fixtures are one folder a format, and found by its name. One whose name starts with ``empty`` is of
a run without any result.
"""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from stepmark import plugins
from stepmark.config import Columns
from stepmark.errors import InputError, StepmarkError
from stepmark.series import Failure, Measurement, assemble
from stepmark.sources.base import Content
from stepmark.sources.reading import find_format, read_content, read_source
from stepmark.sources.text import is_binary

FIXTURES = Path(__file__).parent / "fixtures"
# Files that lie in a layout beside its results and are none themselves.
COMPANIONS = {"README.md", "suite.info.json", "setup.info.json", "teardown.info.json"}


def companions(format_name: str) -> set[str]:
    """Names of files in a format's folder that are no results."""
    # A folder of an unknown format makes tests fail, not their collection.
    known = format_name in plugins.names("sources")
    source = plugins.load("sources", format_name) if known else None
    return COMPANIONS | {PurePath(path).name for path in getattr(source, "beside", ())}


def results() -> list[Path]:
    """All result files of the fixtures; the first folder is the name of their format."""
    return [
        path
        for folder in sorted(FIXTURES.iterdir())
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in companions(folder.name)
    ]


def format_of(path: Path) -> str:
    return path.relative_to(FIXTURES).parts[0]


RESULTS = results()
NAMES = [path.relative_to(FIXTURES).as_posix() for path in RESULTS]


@pytest.mark.parametrize("path", RESULTS, ids=NAMES)
def test_recognised_as_its_own(path):
    # The name must not help: results come through pipes too.
    content = Content("<stdin>", read_content(path).data)
    assert find_format(content).name == format_of(path)


@pytest.mark.parametrize("path", RESULTS, ids=NAMES)
def test_no_other_format_recognises_it(path):
    content = read_content(path)
    own = plugins.load("sources", format_of(path))
    sources = {name: plugins.load("sources", name) for name in plugins.names("sources")}
    takers = {
        name
        for name, source in sources.items()
        if getattr(source, "binary", False) in (is_binary(content.data), None)
        and getattr(source, "vague", 0) <= getattr(own, "vague", 0)
        and source().recognises(content)
    }
    assert takers == {format_of(path)}


@pytest.mark.parametrize("path", RESULTS, ids=NAMES)
def test_what_it_holds_can_be_used(path):
    if path.stem.startswith("empty"):
        with pytest.raises(InputError) as caught:
            read_source(path)
        assert str(caught.value).startswith(f"{path}: ")
        return
    parsed = read_source(path)
    found: list[Measurement | Failure] = [*parsed.measurements, *parsed.failures]
    assert found
    assert all(one.landed is None or one.landed.tzinfo is not None for one in found)
    assert all(one.samples for one in parsed.measurements)
    assemble(parsed.measurements)


@pytest.mark.parametrize("path", RESULTS, ids=NAMES)
def test_a_file_that_is_cut_off_is_an_error_or_shorter(path):
    content = read_content(path)
    source = plugins.load("sources", format_of(path))()
    for part in (0.3, 0.6, 0.9):
        cut = Content(content.name, content.data[: int(len(content.data) * part)], content.path)
        assert refusal(source, cut).startswith((content.name, "read"))


def refusal(source, content: Content) -> str:
    """The one line with which a parser refuses *content*, or that it was read."""
    try:
        source.parse(content, Columns())
    except StepmarkError as error:
        return "two lines" if "\n" in str(error) else str(error)
    return "read"
