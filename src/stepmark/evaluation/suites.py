# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a study consists of: which configurations take part, and which series they are tried on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from importlib.util import find_spec
from itertools import product

from stepmark.datasets.labelled import Dataset
from stepmark.detectors.tcpdbench import METHODS, Method
from stepmark.errors import UsageError
from stepmark.evaluation.trials import Candidate
from stepmark.plugins import load, names, parse_detector


class Mode(StrEnum):
    """Which configurations of a method take part.

    - ``default``: its default configuration.
    - ``best``: the grid of TCPDBench 2.0; of each series the best score counts.
    - ``oracle``: the larger grid of TCPDBench 3.0, in the same way.
    """

    DEFAULT = "default"
    BEST = "best"
    ORACLE = "oracle"


FURTHER = ("stepmark", "mdl", "fpop", "otava", "perfherder")
"""Detectors that take part beside those of TCPDBench where nothing is named."""

_NEEDS = {"prophet": "prophet"}
# 10 ** linspace(-3, 3, 101) and 10 ** linspace(-1, 1, 11), as in TCPDBench 3.0
_PENALTIES = tuple(10 ** (-3 + 6 * i / 100) for i in range(101))
_THRESHOLDS = tuple(10 ** (-1 + 2 * i / 10) for i in range(11))
_STATISTICS = {
    "mean": ("normal", "cusum"),
    "var": ("normal", "css"),
    "meanvar": ("normal", "gamma", "exponential", "poisson"),
}
_NAMED = ("none", "sic", "bic", "mbic", "aic", "hannan-quinn", "asymptotic")


def candidates(specs: Sequence[str], mode: Mode) -> list[Candidate]:
    """The configurations that take part, method by method.

    *specs* are names of methods (``pelt``, ``mongodb``), of detectors, or full specs; none stands
    for every method that is installed. A full spec, and a detector for which no grid is known, is
    a method with one configuration in every mode. Raises `SpecError` for an unknown name or
    parameter and `UsageError` for one that is given twice.
    """
    chosen: list[Candidate] = []
    seen: set[str] = set()
    for given in specs or _installed():
        spec = given.strip()
        method = METHODS.get(spec) or _by_detector().get(spec)
        title = spec if method is not None else str(parse_detector(spec))
        if title in seen:
            raise UsageError(f"--detector {given}: is given twice")
        seen.add(title)
        if method is None:
            chosen.append(Candidate(title, title, default=True))
        else:
            chosen += _configurations(title, method, mode)
    return chosen


def _installed() -> Iterator[str]:
    known = names("detectors")
    for name in METHODS:
        if name not in _NEEDS or find_spec(_NEEDS[name]) is not None:
            yield name
    yield from (name for name in FURTHER if name in known)


def _by_detector() -> dict[str, Method]:
    return {method.detector: method for method in METHODS.values()}


def _configurations(title: str, method: Method, mode: Mode) -> Iterator[Candidate]:
    load("detectors", method.detector)
    if mode is Mode.DEFAULT or not method.parameters:
        yield Candidate(title, method.default_spec, default=True)
        return
    specs = method.grid() if mode is Mode.BEST else oracle(method)
    default = str(parse_detector(method.default_spec))
    for spec in specs:
        yield Candidate(title, spec, default=_canonical(spec) == default)


def _canonical(spec: str) -> str:
    try:
        return str(parse_detector(spec))
    except UsageError:
        return spec  # of a combination that there is not: it takes part, and fails


def oracle(method: Method) -> tuple[str, ...]:
    """The specs of TCPDBench 3.0's grid for *method*.

    Manual penalties join the named ones of the changepoint family and cpnp (864 configurations of
    amoc and pelt, 1,728 of binseg and segneigh, 432 of cpnp); kcpa has 202, rfpop 2,424 and bocpd
    500. The other methods keep the grid of 2.0.
    """
    name = method.detector
    if name in ("amoc", "pelt", "binseg", "segneigh"):
        models = [
            {"function": function, "statistic": statistic}
            for function, statistics in _STATISTICS.items()
            for statistic in statistics
        ]
        limits = ("max", 5) if "Q" in method.parameters else (None,)
        return tuple(
            _spec(name, ({} if q is None else {"q": q}) | model | {"penalty": penalty})
            for q in limits
            for model in models
            for penalty in (*_NAMED, *_PENALTIES)
        )
    if name == "rfpop":
        return tuple(_rfpop())
    grids: dict[str, dict[str, Sequence[object]]] = {
        "cpnp": {"penalty": (*_NAMED, *_PENALTIES), "quantiles": (10, 20, 30, 40)},
        "kcpa": {"maxcp": ("max", 5), "cost": _PENALTIES},
        "bocpd": {
            "intensity": (10, 50, 100, 200),
            "a": (0.01, 0.1, 1, 10, 100),
            "b": (0.01, 0.1, 1, 10, 100),
            "k": (0.01, 0.1, 1, 10, 100),
        },
    }
    grid = grids.get(name)
    if grid is None:
        return method.grid()
    return tuple(_spec(name, dict(zip(grid, v, strict=True))) for v in product(*grid.values()))


def _rfpop() -> Iterator[str]:
    for loss in ("l1", "l2"):
        for penalty in _PENALTIES:
            yield _spec("rfpop", {"loss": loss, "penalty": penalty})
    for loss, penalty, threshold in product(("huber", "outlier"), _PENALTIES, _THRESHOLDS):
        yield _spec("rfpop", {"loss": loss, "penalty": penalty, "threshold": threshold})


def _spec(name: str, parameters: Mapping[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={value}' for key, value in parameters.items())})"


def scorable(dataset: Dataset, *, missing: bool) -> tuple[Dataset, list[str]]:
    """The series of *dataset* that can be scored, and a line for each group that is left out.

    Series without labels are left out, and those with missing points unless *missing*.
    """
    unlabelled = [member.name for member in dataset if not member.annotations]
    gaps = [m.name for m in dataset if m.annotations and m.missing and not missing]
    left = {*unlabelled, *gaps}
    notes = []
    if gaps:
        shown = f"left out, points are missing: {listed(gaps)}"
        notes.append(f"{shown} (--missing present judges the points that are there)")
    if unlabelled:
        notes.append(f"left out, without labels: {listed(unlabelled)}")
    kept = tuple(member for member in dataset if member.name not in left)
    return Dataset(dataset.name, kept, dataset.provenance), notes


def listed(found: Iterable[str], most: int = 5) -> str:
    """The first of *found* with commas between, and how many more there are."""
    parts = list(found)
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return ", ".join(parts[:most]) + more
