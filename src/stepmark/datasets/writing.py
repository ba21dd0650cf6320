# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Folders of data sets, written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from stepmark.files import File, write_folder

# The files of every form of data set: Stepmark's, the CSV tables, and TCPD's.
_DATASET = re.compile(
    r"dataset\.json|(series|samples|labels)\.parquet|(series|labels)\.csv|annotations\.json"
    r"|datasets/[^/]+\.json|datasets/([^/]+)/\3\.json"
)


def is_dataset_file(name: str) -> bool:
    """Whether a file of this path inside a folder is part of a data set of any form."""
    return _DATASET.fullmatch(name) is not None


def write_dataset(folder: Path, files: Iterable[File], *, force: bool = False) -> None:
    """Make *folder* hold *files* and nothing else, or leave it as it was.

    An existing folder is replaced only if it is empty, or with *force* if all in it is part of a
    data set. Raises `OutputError` naming the folder and the remedy.
    """
    write_folder(folder, files, owned=is_dataset_file, force=force)
