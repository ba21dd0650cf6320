# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Write the generated pages of docs/reference, such as those of commands and detectors.

``python tools/write_reference.py`` writes them, ``--check`` says whether they are up to date.
"""

from __future__ import annotations

import dataclasses
import inspect
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from stepmark import config
from stepmark.cli import COMMANDS, build
from stepmark.plugins import load, names, spec_value

FOLDER = Path(__file__).parent.parent / "docs" / "reference"


def commands() -> str:
    """The page of commands: their help, as the program prints it."""
    parts = [
        "# Commands\n",
        (
            "Exit codes: 0 nothing wrong; 1 a regression (`check`); 2 bad usage or input; 3 no"
            " series could be judged for lack of data. Where several apply: 2, then 1, then 3.\n"
        ),
    ]
    for words in ([], *_commands()):
        shown = io.StringIO()
        console = Console(file=shown, width=88, color_system=None, force_terminal=False)
        build().help_print(words, console=console)
        text = "\n".join(line.rstrip() for line in shown.getvalue().splitlines()).strip()
        parts.append(f"## {' '.join(['stepmark', *words])}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _commands() -> Iterator[list[str]]:
    """The words of every command, each followed by those of its own commands."""
    app = build()
    for name in sorted(COMMANDS):
        yield [name]
        yield from ([name, inner] for inner in app[name] if not inner.startswith("-"))


def configuration() -> str:
    """The page of settings: every key with its default and meaning."""
    parts = [
        "# Configuration\n",
        (
            "One TOML file: `stepmark.toml`, or the table `[tool.stepmark]` of `pyproject.toml`."
            " The nearest one upwards from the working directory is read; `--config FILE` names"
            " another. Options of the command line win over the file. An unknown key is an error.\n"
        ),
        "```toml",
        'detector = "stepmark"        # a detector spec',
        'aggregate = "mean"           # mean, median, min, samples',
        "",
        "[thresholds]",
        "min_relative = 0.01          # below 1 % a change is neutral",
        "",
        "[[series]]                   # of several tables that match, a later one wins, key by key",
        'match = "*/latency*"         # a glob over project/benchmark/metric{label=value}',
        'direction = "lower"',
        "min_absolute = 0.5",
        "```\n",
        "## Top level\n",
        *_table(config.Settings, skip=("thresholds", "compliance", "columns", "rules")),
    ]
    tables: list[tuple[str, type[Any]]] = [
        ("[thresholds]", config.Thresholds),
        ("[compliance]", config.Compliance),
        ("[columns]", config.Columns),
        ("[[series]]", config.Rule),
    ]
    for heading, kind in tables:
        first = _paragraphs(kind)[0]
        parts += [f"\n## `{heading}`\n", f"{first}\n", *_table(kind)]
    return "\n".join(parts) + "\n"


def detectors() -> str:
    """The page of detectors: what each is, its parameters, its notes."""
    parts = [
        "# Detectors\n",
        (
            "A detector is named by a spec: `name` or `name(key=value, ...)`; values are bare"
            " words, numbers, `true`, `false`, `none`, or specs."
            " `stepmark list detectors` lists them.\n"
        ),
    ]
    for name in names("detectors"):
        kind = load("detectors", name)
        parts += [f"## `{name}`\n", *(f"{_markdown(p)}\n" for p in _paragraphs(kind))]
        if dataclasses.fields(kind):
            parts += [*_table(kind), ""]
        page = page_of(name)
        if (FOLDER.parent / "explanation" / f"{page}.md").exists():
            parts.append(f"The method and its pitfalls: [{page}](../explanation/{page}.md).\n")
    return "\n".join(parts)


def page_of(detector: str) -> str:
    """The page that explains a detector: its own, or the one that its class shares (`page`)."""
    page: str = getattr(load("detectors", detector), "page", detector)
    return page


def formats() -> str:
    """The page of formats: what each source reads and makes of it."""
    parts = [
        "# Formats\n",
        (
            "The format is found out from the content; `--format NAME` names it. Files ending in"
            " `.gz` are unpacked. `-` is standard input.\n"
        ),
    ]
    for name in names("sources"):
        kind = load("sources", name)
        parts += [f"## `{name}`\n", f"{kind.title}.\n"]
        parts += [f"{_markdown(p)}\n" for p in _paragraphs(kind)]
    return "\n".join(parts)


def research() -> str:
    """The page of research data sets: tables, rules of curation, labels."""
    from stepmark.datasets.research.dictionary import labels_tables, rules_table, tables_text

    parts = [
        "# Research data set\n",
        (
            "What `stepmark dataset import` makes of an extraction or of Mozilla's data artifact"
            " ([how](../how-to/build-a-research-data-set.md)): a folder of Parquet tables, one"
            " document, and this page's tables as `dictionary.md`. `stepmark bench`, `tune` and"
            " `dataset` take it like any [data set](datasets.md).\n"
        ),
        (
            "`research.json` (schema `stepmark.research/1`) has the fields `name`, `provenance`,"
            " `rules` (each with its sentence, how often it applied, and the first examples),"
            " `labels` (how many alerts each label and reason was given), `refresh` (the alert"
            " summaries that may still change), `tables`, `files` (rows and digest of each) and"
            " `digest`. A digest is a SHA-256 of the content, whatever file it is kept in: the same"
            " input gives the same digest, in whatever order its rows and files are; with one"
            " version of polars also the same bytes. No time of day is ever written.\n"
        ),
        (
            "A series is known by repository and signature id, never by its hash. The place of a"
            " change is the first measured revision at or after the push of its alert: the first of"
            " the new level. The folder is written beside its place and then moved there; a part of"
            " `measurements/` holds whole series, the part of the same number in `revisions/` the"
            " same ones.\n"
        ),
        "## Tables\n",
        "Times are in UTC with microseconds. Null means that it is not known.\n",
        tables_text(),
        "## Rules of curation\n",
        "All are in `research.json`, those that did not apply with a count of 0.\n",
        *rules_table(),
        "\n## Labels\n",
        *labels_tables(),
    ]
    return "\n".join(parts) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "configuration.md": configuration,
    "detectors.md": detectors,
    "formats.md": formats,
    "research-data-set.md": research,
}


def _paragraphs(kind: type[Any]) -> list[str]:
    """The docstring's paragraphs without its list of attributes."""
    text = re.sub(r"(?ms)^Attributes:\n.*?(?=^\S|\Z)", "", inspect.getdoc(kind) or "")
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _markdown(paragraph: str) -> str:
    return paragraph.replace("``", "`")


def _meanings(kind: type[Any]) -> dict[str, str]:
    """What the docstrings of a class and those it extends say of each attribute."""
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__dict__.get("__doc__") or "")
        found = re.search(r"(?ms)^Attributes:\n(.*?)(?=^\S|\Z)", text)
        for part in re.split(r"(?m)^    (?=\S)", found[1] if found else "")[1:]:
            keys, _, meaning = part.partition(":")
            for key in keys.split(","):
                meanings[key.strip()] = " ".join(meaning.split())
    return meanings


def _table(kind: type[Any], skip: tuple[str, ...] = ()) -> Iterator[str]:
    meanings = _meanings(kind)
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for item in dataclasses.fields(kind):
        if item.name in skip:
            continue
        default = "" if item.default is dataclasses.MISSING else _default(item.default)
        meaning = _markdown(meanings.get(item.name, "")).replace("|", "\\|")
        yield f"| `{item.name}` | {default} | {meaning} |"


def _default(value: Any) -> str:
    if value in ("", (), None):
        return ""
    return f"`{spec_value(value)}`"


def main() -> int:
    """Write the pages, or with ``--check`` name those that are out of date; the exit code."""
    stale = 0
    for name, page in PAGES.items():
        text = page()
        path = FOLDER / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                print(f"{path} is out of date: run python tools/write_reference.py")
                stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
