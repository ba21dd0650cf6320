# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The detector that never finds anything: the baseline of every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from stepmark.changes import Detection
from stepmark.plugins import Specified
from stepmark.series import Signal


@dataclass(frozen=True, slots=True)
class Zero(Specified):
    """Finds no change: the baseline of every comparison, as in the Turing benchmark."""

    name: ClassVar[str] = "zero"
    complexity: ClassVar[str] = "O(1)"
    paper: ClassVar[str] = "van den Burg and Williams 2020"

    def detect(self, signal: Signal | Any) -> Detection:
        """Return no place, whatever *signal* holds."""
        return Detection(len(Signal.of(signal)))
