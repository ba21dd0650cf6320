# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark detect``."""

from __future__ import annotations

from stepmark.cli.options import Files, Output, Reading, To, code_of, present, progress


def detect_command(
    files: Files,
    /,
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    output: Output = "text",
    to: To = None,
) -> int:
    """Find the step changes in measurement files.

    Needs no configuration: `stepmark detect results.csv`.
    """
    from stepmark.pipeline import analyse

    settings = reading.settings()
    loaded = reading.load(files, settings)
    with progress("Detecting") as tell:
        summary = analyse(loaded, settings, progress=tell)
    present(summary, output, to)
    return code_of(summary)
