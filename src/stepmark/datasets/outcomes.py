# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a method said about a labelled series: places, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stepmark.errors import InputError


class Status(StrEnum):
    """How a run ended."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one configuration on one series.

    Attributes:
        series: name of the labelled series.
        method: what tables call the family (`pelt`); configurations of one method compete for
            `best`.
        configuration: the spec of the detector, or whatever tells the configurations of a method
            apart.
        status: a run that failed or took too long has no places, and so no score.
        places: positions in the original series (first point of the new level), rising; empty
            unless the status is ok.
        seconds: processor time of the call; None if unknown.
        error: why it failed, one line.
        default: whether it is the method's default configuration.
        parameters: the configuration as the program that ran it wrote it.
    """

    series: str
    method: str
    configuration: str
    status: Status = Status.OK
    places: tuple[int, ...] = ()
    seconds: float | None = None
    error: str = ""
    default: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rising = tuple(sorted(set(self.places)))
        if self.status is not Status.OK and rising:
            raise InputError(f"{self.series}, {self.configuration}: {self.status} with places")
        object.__setattr__(self, "places", rising)
