# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Bencher Metric Format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import head, load_json, shown
from stepmark.sources.values import attributes_of, finite, make_key, text_of

# Units and directions of the measures that Bencher itself defines, or makes in its adapters.
_MEASURES = {
    "latency": ("ns", Direction.LOWER),
    "throughput": ("ops/s", Direction.HIGHER),
    "build-time": ("s", Direction.LOWER),
    "file-size": ("B", Direction.LOWER),
    "instructions": ("instructions", Direction.LOWER),
    "estimated-cycles": ("cycles", Direction.LOWER),
}
_STRING = r'"(?:[^"\\]|\\.)*+"'
_START = re.compile(
    rf"\s*+\{{\s*+(?:{_STRING}\s*+:\s*+\{{\s*+\}}\s*+,\s*+)*+"
    rf'{_STRING}\s*+:\s*+\{{\s*+{_STRING}\s*+:\s*+\{{\s*+"(?:lower_|upper_)?value"\s*+:'
)
_IGNORE = re.compile(r"(?:[-_]bencher[-_]ignore|BencherIgnore)$")


@dataclass(frozen=True, slots=True)
class BMF:
    """Bencher Metric Format: ``{benchmark: {measure: {value, lower_value, upper_value}}}``.

    The measure is the metric; units and directions are those of Bencher's own measures (latency,
    throughput, build-time, file-size, instructions, estimated-cycles), by name or slug; others have
    none. The bounds are attributes. A suffix that makes Bencher ignore a benchmark
    (``-bencher-ignore``) is no part of its name. The format has neither commit nor time: several
    files are points in the order in which they are named.
    """

    name: ClassVar[str] = "bmf"
    title: ClassVar[str] = "Bencher Metric Format (BMF)"
    vague: ClassVar[int] = 4

    def recognises(self, content: Content) -> bool:
        """Whether it starts with an object in an object in an object with a value."""
        return _START.match(head(content)) is not None

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all measures; raises `InputError` where there is none."""
        document = load_json(content)
        if not isinstance(document, dict):
            raise InputError(f"{content.name}: no Bencher Metric Format: not an object")
        collector = Collector(content)
        for benchmark, measures in document.items():
            if not isinstance(measures, dict):
                collector.skip(None, f"{shown(benchmark)}: not an object of measures")
                continue
            for measure, metric in measures.items():
                _add(collector, content.name, benchmark, measure, metric)
        return collector.parsed("no measures in it")


def _add(collector: Collector, where: str, benchmark: str, measure: str, metric: Any) -> None:
    values: Mapping[str, Any] = metric if isinstance(metric, dict) else {}
    name, ignored = _IGNORE.subn("", benchmark)
    key = make_key(where, benchmark=name or benchmark, metric=measure)
    attributes = attributes_of(
        lower_value=text_of(values, "lower_value"),
        upper_value=text_of(values, "upper_value"),
        bencher_ignore="yes" if ignored else "",
    )
    number = finite(values.get("value"))
    if number is None:
        place = f"{where}: {shown(benchmark)} {shown(measure)}"
        collector.failures.append(Failure(key, "", None, "no finite value", place, attributes))
        return
    unit, direction = _MEASURES.get(measure.casefold().replace(" ", "-"), ("", None))
    collector.add(Measurement(key, "", None, (number,), unit, direction, "", attributes))
