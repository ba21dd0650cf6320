# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labelled data sets by path or name, whatever form they are in."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stepmark import plugins
from stepmark.datasets import folder, spreadsheet, tcpd
from stepmark.datasets.labelled import Dataset
from stepmark.datasets.research import is_research, open_research
from stepmark.errors import InputError, UsageError, suggest
from stepmark.series import Skipped
from stepmark.sources.base import Limits

_SPEC = re.compile(r"\s*([A-Za-z_][\w.\-]*)\s*(\(.*\)\s*)?", re.DOTALL)
_DEFAULT_LIMITS = Limits()


def open_dataset(
    source: str | os.PathLike[str],
    skipped: list[Skipped] | None = None,
    *,
    annotations: str | os.PathLike[str] | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> Dataset:
    """The data set that *source* names.

    It is a folder of Stepmark (`dataset.json`, or `research.json`: a research data set, with
    Stepmark's own labels by revision), TCPD (`annotations.json`, `datasets/`) or CSV
    (`series.csv`, `labels.csv`), one TCPD file with *annotations*, or the spec of a generator such
    as ``synthetic(gauss, n=300)``. A path that exists goes before a generator of that name.
    Series that cannot be used are left out, and a line is added to *skipped* for each.

    Raises `InputError` for what is none of these or holds no series that can be used, `SpecError`
    for a generator's wrong parameters.
    """
    text = os.fspath(source)
    if is_spec(text):
        if annotations is not None:
            raise UsageError(f"{text}: a generator knows its changes: leave out --annotations")
        made: Dataset = plugins.parse_dataset(text).make()
        return made
    path = Path(text)
    if not text or not _exists(path):
        generators = plugins.names("datasets")
        raise InputError(
            f"{text or 'the name of the data set is empty'}: no such folder or file, and no"
            f" generator{suggest(text, generators)}; generators: {', '.join(generators)}"
        )
    labels = None if annotations is None else Path(annotations)
    if path.is_file():
        if labels is None:
            raise InputError(
                f"{path}: one file is a labelled series only with its labels: name them with"
                " --annotations FILE, or name the folder of a data set"
            )
        return tcpd.read_file(path, labels, limits)
    form = form_of(path)
    if form == "stepmark" and labels is None:
        return folder.read_folder(path, skipped, limits=limits)
    if form == "research" and labels is None:
        return open_research(path, limits=limits).labelled(skipped=skipped)
    if form == "csv" and labels is None:
        return spreadsheet.read_folder(path, skipped, limits=limits)
    return tcpd.read_folder(path, skipped, annotations=labels, limits=limits)


def is_spec(text: str) -> bool:
    """Whether *text* names a generator: by a spec with parentheses, or a known name."""
    match = _SPEC.fullmatch(text)
    if match is None or _exists(Path(text)):
        return False
    return match[2] is not None or match[1] in plugins.names("datasets")


def form_of(path: Path) -> str:
    """The form of a folder: ``stepmark``, ``research``, ``tcpd`` or ``csv``.

    Raises `InputError` for another.
    """
    for form, has_form in (
        ("stepmark", folder.is_folder),
        ("research", is_research),
        ("tcpd", tcpd.is_folder),
        ("csv", spreadsheet.is_folder),
    ):
        if has_form(path):
            return form
    raise InputError(
        f"{path}: no data set: no dataset.json (Stepmark), no research.json (research data), no"
        " annotations.json (TCPD), no"
        " series.csv with labels.csv (CSV)"
    )


def _exists(path: Path) -> bool:
    # A text that no system takes for a path, such as one with a NUL, is none.
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
