# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Run the examples of the documentation, and write what they print into it.

In a page, a fenced block with a file name after its language (```` ```csv results.csv ````) makes
that file; a ``console`` block's lines that begin with ``$ `` are run by a shell in the page's own
empty folder, and the lines below each are what it prints; a ``python`` block is executed there.
``--check`` changes nothing and names the pages whose examples print something else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_FENCE = re.compile(r"(?ms)^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$")
_MARK = "\x1e"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file it makes (or ""), its text and place in the page."""

    language: str
    file: str
    body: str
    start: int
    stop: int


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown *page*."""
    for match in _FENCE.finditer(page):
        language, _, file = match["info"].strip().partition(" ")
        yield Block(language, file.strip(), match["body"], match.start("body"), match.end("body"))


def pages() -> list[Path]:
    """All pages that may hold examples."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def rerun(page: str) -> str:
    """The *page* with what its examples print now."""
    parts, done = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks(page):
            body = _run(block, Path(folder))
            parts += [page[done : block.start], body]
            done = block.stop
    return "".join([*parts, page[done:]])


def _run(block: Block, folder: Path) -> str:
    if block.file:
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")
    elif block.language == "python":
        _shell([sys.executable, "-c", block.body], folder)
    elif block.language == "console":
        return _console(block.body, folder)
    return block.body


def _console(body: str, folder: Path) -> str:
    commands = [line[2:] for line in body.splitlines() if line.startswith("$ ")]
    script = "".join(f"{c}\nlast=$?; printf '{_MARK}'; (exit $last)\n" for c in commands)
    outputs = _shell(["bash", "-c", script], folder).split(_MARK)
    shown = []
    for command, output in zip(commands, outputs, strict=False):
        shown.append(f"$ {command}\n")
        if output.strip("\n"):
            shown.append("\n".join(line.rstrip() for line in output.splitlines()).rstrip() + "\n")
    return "".join(shown)


def _shell(command: list[str], folder: Path) -> str:
    # The examples call the program of the environment that runs this tool.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if command[0] == sys.executable and done.returncode:
        raise SystemExit(f"an example fails:\n{command[-1]}\n{done.stdout}")
    return done.stdout.replace(str(folder), ".")


def main() -> int:
    """Rewrite the pages, or with ``--check`` name those that differ; the exit code."""
    stale = 0
    for path in pages():
        text = path.read_text(encoding="utf-8")
        fresh = rerun(text)
        if fresh == text:
            continue
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)}: an example prints something else now")
            stale = 1
        else:
            path.write_text(fresh, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
