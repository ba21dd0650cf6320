# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What Apache Otava finds in many series; runs in Otava's own environment, on its own.

Reads [[values, window, p-value, magnitude], ...] as JSON from standard input, prints the places.
"""

from __future__ import annotations

import json
import sys
import warnings

from otava.analysis import compute_change_points

warnings.simplefilter("ignore")  # its t test of two constants
print(
    json.dumps(
        [
            [int(change.index) for change in compute_change_points(values, *settings)[0]]
            for values, *settings in json.load(sys.stdin)
        ]
    )
)
