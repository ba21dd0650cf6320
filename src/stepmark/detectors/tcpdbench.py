# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The configurations of the Turing Change Point Dataset benchmark, as specs.

TCPDBench (van den Burg and Williams, arXiv:2003.06222) runs each method once as its package has it
("default") and once for each point of a grid ("best", or "oracle"). `METHODS` has both, under the
benchmark's names; what a parameter and its values are called there and here stands side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from stepmark.changes import Detection


def counted(found: Detection, *, compat: bool = True) -> Detection:
    """*found* as the benchmark counts it: with *compat*, without a change at the last point."""
    if not compat or not found.indices or found.indices[-1] < found.length - 1:
        return found
    return Detection(found.length, found.indices[:-1], found.scores[:-1])


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the grid.

    Attributes:
        name: what it is called here.
        values: for each value of the grid, in its order, what a spec writes for it here.
    """

    name: str
    values: Mapping[str | float, str | float]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the benchmark.

    Attributes:
        detector: its name here.
        parameters: those that the grid varies, by the benchmark's name.
        default: the spec of the benchmark's default configuration, where the bare name is not it.
    """

    detector: str
    parameters: Mapping[str, Parameter]
    default: str = ""

    @property
    def default_spec(self) -> str:
        """The spec of the benchmark's default configuration."""
        return self.default or self.detector

    def spec(self, configuration: Mapping[str, str | float]) -> str:
        """The spec for *configuration*, the benchmark's values by the benchmark's names.

        Raises `KeyError` for what is not in the grid.
        """
        arguments = []
        for name, value in configuration.items():
            parameter = self.parameters[name]
            arguments.append(f"{parameter.name}={parameter.values[value]}")
        return f"{self.detector}({', '.join(arguments)})" if arguments else self.detector

    def grid(self) -> tuple[str, ...]:
        """The specs of the whole grid, the last parameter fastest.

        Not every combination can be judged: the benchmark counts those as failures, here they
        raise `SpecError` when they are parsed, or `SignalError` when they meet the data.
        """
        values = [parameter.values for parameter in self.parameters.values()]
        return tuple(
            self.spec(dict(zip(self.parameters, chosen, strict=True)))
            for chosen in product(*values)
        )


def same(*values: str | float) -> dict[str | float, str | float]:
    """Values that are written here as they are there."""
    return {value: value for value in values}


def lowered(*values: str) -> dict[str | float, str | float]:
    """Values that are written here in small letters."""
    return {value: value.lower() for value in values}


_PENALTY = Parameter(
    "penalty", lowered("None", "SIC", "BIC", "MBIC", "AIC", "Hannan-Quinn", "Asymptotic")
)
_SEGMENTATION = {
    "func": Parameter("function", same("mean", "var", "meanvar")),
    "statistic": Parameter(
        "statistic", lowered("Normal", "CUSUM", "CSS", "Gamma", "Exponential", "Poisson")
    ),
    "penalty": _PENALTY,
}
_LIMITED = {"Q": Parameter("q", {"max": "max", "default": 5}), **_SEGMENTATION}

METHODS: Mapping[str, Method] = {
    "amoc": Method("amoc", _SEGMENTATION),
    "binseg": Method("binseg", _LIMITED),
    "pelt": Method("pelt", _SEGMENTATION),
    "segneigh": Method("segneigh", _LIMITED),
    "cpnp": Method(
        "cpnp",
        {"penalty": _PENALTY, "quantiles": Parameter("quantiles", same(10, 20, 30, 40))},
        default="cpnp(quantiles=10)",
    ),
    "ecp": Method(
        "ecp",
        {
            "algorithm": Parameter("algorithm", {"e.agglo": "agglo", "e.divisive": "divisive"}),
            "siglvl": Parameter("siglvl", same(0.01, 0.05)),
            "minsize": Parameter("minsize", same(2, 30)),
            "alpha": Parameter("alpha", same(0.5, 1.0, 1.5)),
        },
    ),
    "kcpa": Method(
        "kcpa",
        {
            "maxcp": Parameter("maxcp", {"max": "max", "default": 5}),
            "cost": Parameter("cost", same(0.001, 0.01, 0.1, 1, 10, 100, 1000)),
        },
    ),
    "mongodb": Method(
        "edivisive",
        {
            "pvalue": Parameter("pvalue", same(0.01, 0.05)),
            "permutations": Parameter("permutations", same(10, 20, 50, 100, 150, 200)),
        },
    ),
    "bocpd": Method(
        "bocpd",
        {
            "intensity": Parameter("intensity", same(50, 100, 200)),
            "prior_a": Parameter("a", same(0.01, 1.0, 100)),
            "prior_b": Parameter("b", same(0.01, 1.0, 100)),
            "prior_k": Parameter("k", same(0.01, 1.0, 100)),
        },
    ),
    "wbs": Method(
        "wbs",
        {
            "Kmax": Parameter("kmax", {"max": "max", "default": 50}),
            "penalty": Parameter("penalty", lowered("SSIC", "BIC", "MBIC")),
            "integrated": Parameter("integrated", same("true", "false")),
        },
    ),
    "prophet": Method(
        "prophet", {"Nmax": Parameter("changepoints", {"max": "max", "default": 25})}
    ),
    "rfpop": Method("rfpop", {"loss": Parameter("loss", lowered("L1", "L2", "Huber", "Outlier"))}),
    "zero": Method("zero", {}),
}
