# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Histories that tests make: numbers, measurements and series."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stepmark.series import Direction, Measurement, Series, SeriesKey, assemble

START = datetime(2026, 1, 1, tzinfo=UTC)
HALF_DAY = timedelta(hours=12)


def noise(n: int, mean: float = 100.0, sigma: float = 0.5, seed: int = 0) -> list[float]:
    """Normal noise, rounded so that a failing test prints short numbers."""
    source = random.Random(seed)
    return [round(source.gauss(mean, sigma), 4) for _ in range(n)]


def step(n: int, at: int, size: float, sigma: float = 0.5, seed: int = 0) -> list[float]:
    """Noise about 100 that is *size* more from point *at* on."""
    return [v + size * (i >= at) for i, v in enumerate(noise(n, sigma=sigma, seed=seed))]


def measurements(
    values: Sequence[float | Sequence[float]],
    *,
    benchmark: str = "bench",
    revisions: Sequence[str] | None = None,
    start: datetime | None = START,
    every: timedelta = HALF_DAY,
    unit: str = "ms",
    direction: Direction | None = Direction.LOWER,
) -> list[Measurement]:
    """One measurement a value; *start* None leaves the times out."""
    names = revisions or [f"rev{i:04}" for i in range(len(values))]
    return [
        Measurement(
            key=SeriesKey(benchmark=benchmark, metric="time"),
            revision=names[i],
            landed=None if start is None else start + i * every,
            samples=tuple(value) if isinstance(value, Sequence) else (value,),
            unit=unit,
            direction=direction,
        )
        for i, value in enumerate(values)
    ]


def series(values: Sequence[float | Sequence[float]], **options: object) -> Series:
    """The series of `measurements`."""
    return assemble(measurements(values, **options))[0]
