# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How much of `stepmark`'s quality on the Turing benchmark's series comes from choosing on them.

The part for trends was chosen by looking at those series. Here it is chosen anew, among many
settings, on all of them but one, and scored on that one, in turn.

    python benchmarks/left_one_out.py
"""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from accuracy import shared_data
from stepmark.datasets.opening import open_dataset
from stepmark.detectors import stepmark as module
from stepmark.detectors.stepmark import Stepmark
from stepmark.evaluation.metrics import covering, tcpdbench_f1
from stepmark.evaluation.statistics import bootstrap_interval

TRENDS = {
    "temper": (0.15, 0.2, 0.25, 0.3),
    "changes": (1.0, 3.0),
    "power": (0.5, 2.0),
    "weight": (0.1, 0.3),
    "slope": (0.3, 1.0),
    "rate": (0.1, 0.5),
}
SHIPPED = {"temper": 0.2, "changes": 1.0, "power": 0.5, "weight": 0.3, "slope": 1.0, "rate": 0.1}
REACHES = (3, 5)
SURES = (0.4, 0.5, 0.6)
Setting = tuple[dict[str, float], int, float]


def settings() -> list[Setting]:
    trends = [
        dict(zip(TRENDS, values, strict=True)) for values in itertools.product(*TRENDS.values())
    ]
    return list(itertools.product(trends, REACHES, SURES))


def scores(setting: Setting) -> np.ndarray[Any, Any]:
    """F1 and covering of each series, shape (series, 2)."""
    from stepmark._kernels import trends

    prior, reach, sure = setting
    own = trends.Prior
    trends.Prior, module.REACH = lambda: own(**prior), reach  # type: ignore[assignment,misc]
    try:
        detector, found = Stepmark(sure=sure), []
        for member in open_dataset(shared_data() / "tcpd"):
            places = member.positions(detector.detect(member.series.signal()))
            f1 = tcpdbench_f1(member.annotators, places).f1
            found.append((f1, covering(member.annotators, places, length=member.length)))
        return np.array(found)
    finally:
        trends.Prior, module.REACH = own, 5  # type: ignore[misc]


def main() -> None:
    asked = settings()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        table = np.array(list(pool.map(scores, asked, chunksize=8)))
    series = table.shape[1]
    print(f"{len(asked)} settings, {series} series")
    shipped = table[asked.index((SHIPPED, 5, 0.5))]
    for name, column in (("F1", 0), ("covering", 1)):
        part = table[:, :, column]
        chosen = [np.delete(table[:, :, 0], i, axis=1).mean(axis=1).argmax() for i in range(series)]
        left = [float(part[best, i]) for i, best in enumerate(chosen)]
        span = bootstrap_interval(left)
        print(
            f"{name}: as shipped {shipped[:, column].mean():.3f}, best of all"
            f" {part.mean(axis=1).max():.3f}, a tenth of the settings above"
            f" {np.quantile(part.mean(axis=1), 0.9):.3f}, half above"
            f" {np.median(part.mean(axis=1)):.3f}; left out {span.estimate:.3f}"
            f" ({span.low:.3f}-{span.high:.3f})"
        )
    print(f"settings chosen: {len(set(chosen))}", file=sys.stderr)


if __name__ == "__main__":
    main()
