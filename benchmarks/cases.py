# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The inputs that are timed: generated, so that everybody times the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

STEP_EVERY = 100


def history(points: int, *, steps: bool) -> list[float]:
    """Noise of 1 % around 100; with *steps*, 5 up or down at every hundredth point."""
    source = random.Random(points)
    level, values = 100.0, []
    for i in range(points):
        if steps and i and i % STEP_EVERY == 0:
            level += source.choice((-5.0, 5.0))
        values.append(source.gauss(level, 1.0))
    return values


def write_csv(path: Path, series: int, points: int) -> None:
    """Days in rows, series in columns; each series has one step, each elsewhere."""
    source = random.Random(series)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [",".join(("time", *(f"benchmark_{j:03}" for j in range(series))))]
    for i in range(points):
        row = (
            source.gauss(105.0 if i > (points // 2 + 7 * j) % points else 100.0, 1.0)
            for j in range(series)
        )
        moment = (first + timedelta(days=i)).isoformat()
        lines.append(",".join((moment, *(f"{value:.3f}" for value in row))))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
