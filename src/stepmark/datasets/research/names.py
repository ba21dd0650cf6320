# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What Perfherder's numbers are called, for sources that give the numbers alone or the words."""

from __future__ import annotations

from collections.abc import Mapping

FRAMEWORKS: Mapping[int, str] = {
    1: "talos",
    2: "build_metrics",
    4: "awsy",
    5: "awfy",
    6: "platform_microbench",
    10: "raptor",
    11: "js-bench",
    12: "devtools",
    13: "browsertime",
    14: "vcs",
    15: "mozperftest",
    16: "fxrecord",
    17: "telemetry",
    18: "mozharness",
}
"""Perfherder's frameworks by id, those it has given up too."""

SUMMARY_STATUSES = (
    "untriaged",
    "downstream",
    "reassigned",
    "invalid",
    "improvement",
    "investigating",
    "wontfix",
    "fixed",
    "backedout",
    "infra",
)
"""The statuses of an alert summary, in the order of their numbers."""

ALERT_STATUSES = ("untriaged", "downstream", "reassigned", "invalid", "acknowledged", "infra")
"""Those of an alert."""
