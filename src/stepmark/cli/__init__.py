# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The command line: thin typed commands, imported when they are called.

Exit codes: 0 nothing wrong, 1 a regression (`check`), 2 bad usage or input, 3 no series could be
judged for lack of data.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from stepmark import __version__
from stepmark.errors import StepmarkError

OK, REGRESSION, BAD_INPUT, NO_DATA = 0, 1, 2, 3
LONGEST_LINE = 500

# The one line of help stands here, so that `--help` imports no command.
COMMANDS = {
    "demo": "Find the changes in a real history that ships with Stepmark, and write the report.",
    "detect": "Find the step changes in measurement files.",
    "check": "Judge the newest points: exit 1 if one brought a regression.",
    "trend": "Show how each series' trend stands against a week and a quarter ago.",
    "report": "Write one HTML page that works offline.",
    "explain": "Say why a place is, or is not, a change.",
    "bench": "Compare detectors on labelled series: run, score, rank.",
    "tune": "Choose detector and settings on labelled series, and say what to expect.",
    "list": "List detectors, formats or generated data sets.",
    "extract": "Bring alerts, series and bugs from Treeherder and Bugzilla into a folder.",
    "dataset": "Read, write, check and generate labelled data sets.",
}


def build() -> App:
    """The application with all commands, none of them imported yet."""
    app = App(
        name="stepmark",
        help="Finds the step changes in a history of performance measurements.",
        version=__version__,
        help_format="plaintext",
        default_parameter=None,
        result_action="return_value",
    )
    for name, summary in COMMANDS.items():
        app.command(f"stepmark.cli.{name}:{name}_command", name=name, help=summary)
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. A user's mistake is one line on stderr and code 2."""
    app = build()
    tokens = [
        _Dash(t) if t == "-" else t for t in (sys.argv[1:] if arguments is None else arguments)
    ]
    try:
        result = app(tokens, exit_on_error=False, print_error=False)
    except (CycloptsError, StepmarkError) as error:
        print(f"stepmark: {one_line(str(error))}", file=sys.stderr)  # noqa: T201
        return BAD_INPUT
    return result if isinstance(result, int) else OK


class _Dash(str):
    """The argument ``-``, which is standard input: the parser asks how options begin."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        return False


def one_line(message: str) -> str:
    """*message* on one line, control characters made visible, its middle left out if it is long.

    The place stands at the beginning, the remedy at the end.
    """
    joined = " ".join(message.split())
    visible = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in joined)
    half = (LONGEST_LINE - 5) // 2
    return visible if len(visible) <= LONGEST_LINE else f"{visible[:half]} ... {visible[-half:]}"


def main() -> None:
    """Entry point of the program."""
    # Closed streams (``>&-``) are None.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        try:
            code = run()
            sys.stdout.flush()
        except BrokenPipeError:
            abandon_output()
            code = OK
        except KeyboardInterrupt:
            code = 130
    sys.exit(code)


def abandon_output() -> None:
    """Let standard output lead nowhere, for nothing more can be told to its reader."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
