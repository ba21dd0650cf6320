# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Series by machine, for formats whose results are times of one machine each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from stepmark.config import Columns
from stepmark.series import Failure, Measurement, Skipped
from stepmark.sources.base import Parsed

_NODE, _MACHINE = "node", "machine"


def separate_machines(parts: Sequence[Parsed], columns: Columns) -> list[Parsed]:
    """The same finds with the label ``node`` if they come from more than one machine.

    Times of different machines cannot be compared, so that each machine has its own series. The
    machine is the attribute of that name. Where the names of machines are made up for each run, as
    in containers, ``ignore = ["node"]`` in the settings of columns (``--column ignore=node``)
    leaves the label out.
    """
    names = {m.attributes.get(_MACHINE, "") for part in parts for m in part.measurements}
    if len(names) < 2 or _NODE in columns.ignore:
        return list(parts)
    separated = [
        Parsed(
            [_on_node(measurement) for measurement in part.measurements],
            [_on_node(failure) for failure in part.failures],
            part.skipped,
        )
        for part in parts
    ]
    files = sum(bool(part.measurements) for part in parts)
    if files == len(names) > 2:
        separated[-1].skipped.append(
            Skipped(
                "machines",
                f"nothing is left out, but each of {files} runs names a machine of its own and so"
                " makes series of one point; if they are alike, say --column ignore=node",
            )
        )
    return separated


_Found = TypeVar("_Found", Measurement, Failure)


def _on_node(found: _Found) -> _Found:
    labels = (*found.key.labels, (_NODE, found.attributes.get(_MACHINE, "")))
    return replace(found, key=replace(found.key, labels=labels))
