# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Everything that a user of Stepmark can do wrong, as one tree.

::

    StepmarkError
    ├── UsageError        an option, argument or call that cannot be obeyed
    │   ├── SpecError     a detector, source or format name or its parameters
    │   └── ConfigError   stepmark.toml or [tool.stepmark]
    ├── InputError        a file, folder or stream that cannot be read as measurements
    │   └── LimitError    input larger or deeper than the limits allow
    ├── OutputError       a result that cannot be written where it was asked for
    ├── RemoteError       a server that cannot be reached, refuses, or answers something else
    └── SignalError       numbers that a detector cannot judge (also a ValueError)

The command line catches the root once, prints the message on one line and exits with 2. A mistake
of the program itself is never one of these: it shows as an ordinary traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StepmarkError(Exception):
    """Root of all errors that a user can cause.

    The message names the place (file, line, option), the problem and the remedy.
    """


class UsageError(StepmarkError):
    """An option, argument or call that cannot be obeyed."""


class SpecError(UsageError):
    """A detector, source or format name, or its parameters, that mean nothing."""


class ConfigError(UsageError):
    """A configuration file that cannot be used as it is."""


class InputError(StepmarkError):
    """A file, folder or stream that cannot be read as measurements."""


class LimitError(InputError):
    """Input that is larger or deeper than the limits allow."""


class OutputError(StepmarkError):
    """A result that cannot be written where it was asked for."""


class RemoteError(StepmarkError):
    """A server that cannot be reached, refuses, or answers something else than it should."""


class SignalError(StepmarkError, ValueError):
    """Numbers that a detector cannot judge, such as NaN or text."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean X?)`` for the known word nearest to *word*, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
