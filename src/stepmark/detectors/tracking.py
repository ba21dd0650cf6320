# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Following a growing signal where nothing can be kept from one point to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark.plugins import Detector, Tracker
from stepmark.series import Signal

if TYPE_CHECKING:
    from stepmark.changes import Detection


class Repeated(Tracker):
    """A full run for each extension: for scales and units that later points change."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._values = np.zeros(0)

    def extend(self, values: Signal | Iterable[Any]) -> Detection:
        """Add *values* at the end; the places in all points so far."""
        longer = np.concatenate([self._values, Signal.of(values).values])
        detection = self._detector.detect(longer)
        self._values = longer
        return detection
