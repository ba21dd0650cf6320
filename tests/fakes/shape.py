# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The shape of a JSON text: fields, types, nullability and nesting, without the values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

_TEXTS = (
    ("time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?")),
    ("hash", re.compile(r"[0-9a-f]{40}")),
    ("url", re.compile(r"https?://.*")),
)
_KEY = re.compile(r"\d+|[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Shape:
    """What values at one place look like.

    Attributes:
        kinds: null, bool, int, float, text, time, hash, url, list, object, map. A map is an object
            whose keys are ids or hashes.
        fields: of objects; `needed` are those that every object had.
        items: of lists and maps; None where all were empty.
    """

    kinds: frozenset[str] = frozenset()
    fields: dict[str, Shape] = field(default_factory=dict)
    needed: frozenset[str] | None = None
    items: Shape | None = None


def shape_of(value: Any) -> Shape:
    if isinstance(value, dict):
        if value and all(_KEY.fullmatch(key) for key in value):
            return Shape(frozenset({"map"}), items=joined(map(shape_of, value.values())))
        fields = {key: shape_of(inner) for key, inner in value.items()}
        return Shape(frozenset({"object"}), fields, frozenset(fields))
    if isinstance(value, list):
        return Shape(frozenset({"list"}), items=joined(map(shape_of, value)) if value else None)
    return Shape(frozenset({_kind(value)}))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return next((name for name, form in _TEXTS if form.fullmatch(value)), "text")
    return type(value).__name__


def joined(shapes: Iterable[Shape]) -> Shape:
    """The shape that covers all of *shapes*."""
    return reduce(_merged, shapes)


def _merged(a: Shape, b: Shape) -> Shape:
    names = dict.fromkeys((*a.fields, *b.fields))
    needed = a.needed if b.needed is None else b.needed if a.needed is None else a.needed & b.needed
    both = [s.items for s in (a, b) if s.items is not None]
    return Shape(
        a.kinds | b.kinds,
        {n: joined(s.fields[n] for s in (a, b) if n in s.fields) for n in names},
        needed,
        joined(both) if both else None,
    )


def differences(
    fake: Shape, real: Shape, allowed: dict[str, str], place: str = "$"
) -> Iterator[str]:
    """Where *fake* is not covered by *real*; *allowed* gives further kinds of places, by name.

    A place is named by its fields alone: `$.results.alerts.profile_url`. "missing" is the kind of
    one that may be left out.
    """
    more = fake.kinds - real.kinds - set(allowed.get(place, "").split())
    if more:
        yield f"{place}: {sorted(more)}, not {sorted(real.kinds)}"
    if fake.needed is not None and real.needed is not None:
        for name in sorted(real.needed - fake.needed):
            if "missing" not in allowed.get(f"{place}.{name}", "").split():
                yield f"{place}.{name}: missing"
        for name in sorted(set(fake.fields) - set(real.fields)):
            yield f"{place}.{name}: unknown"
    for name, inner in fake.fields.items():
        if name in real.fields:
            yield from differences(inner, real.fields[name], allowed, f"{place}.{name}")
    if fake.items is not None and real.items is not None:
        yield from differences(fake.items, real.items, allowed, place)
