# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The detectors: frozen dataclasses with one method, `detect(signal) -> Detection`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepmark.plugins import BUILTIN, load

if TYPE_CHECKING:
    from stepmark.detectors.amoc import AMOC
    from stepmark.detectors.binseg import BinSeg
    from stepmark.detectors.bocpd import BOCPD
    from stepmark.detectors.cpnp import CPNP
    from stepmark.detectors.ecp import ECP
    from stepmark.detectors.edivisive import EDivisive
    from stepmark.detectors.fpop import FPOP
    from stepmark.detectors.kcpa import KCPA
    from stepmark.detectors.mdl import MDL
    from stepmark.detectors.otava import Otava
    from stepmark.detectors.pelt import PELT
    from stepmark.detectors.perfherder import Perfherder
    from stepmark.detectors.prophet import Prophet
    from stepmark.detectors.rfpop import RFPOP
    from stepmark.detectors.segneigh import SegNeigh
    from stepmark.detectors.stepmark import Stepmark
    from stepmark.detectors.tmm import TMM
    from stepmark.detectors.voting import Priority, Vote
    from stepmark.detectors.wbs import WBS
    from stepmark.detectors.windowtests import (
        CramerVonMises,
        KolmogorovSmirnov,
        Levene,
        MannWhitney,
        Student,
        Welch,
    )
    from stepmark.detectors.zero import Zero

__all__ = [
    "AMOC",
    "BOCPD",
    "CPNP",
    "ECP",
    "FPOP",
    "KCPA",
    "MDL",
    "PELT",
    "RFPOP",
    "TMM",
    "WBS",
    "BinSeg",
    "CramerVonMises",
    "EDivisive",
    "KolmogorovSmirnov",
    "Levene",
    "MannWhitney",
    "Otava",
    "Perfherder",
    "Priority",
    "Prophet",
    "SegNeigh",
    "Stepmark",
    "Student",
    "Vote",
    "Welch",
    "Zero",
]


def __getattr__(name: str) -> Any:
    for spec, home in BUILTIN["detectors"].items():
        if home.endswith(f":{name}"):
            return load("detectors", spec)
    raise AttributeError(f"module 'stepmark.detectors' has no attribute {name!r}")
