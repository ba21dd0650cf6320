# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Plug-ins by name, and the spec strings that name a configured one.

A spec is ``name`` or ``name(member, ..., key=value, ...)``; values are bare words, numbers, true,
false, none, or specs with parentheses. What ships with Stepmark is listed here by module, so that
nothing is imported before it is used; others come from entry points of the groups
``stepmark.detectors``, ``stepmark.sources`` and ``stepmark.datasets``.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from stepmark.changes import Detection
from stepmark.errors import SpecError, suggest

if TYPE_CHECKING:
    from stepmark.series import Vector

BUILTIN: dict[str, dict[str, str]] = {
    "detectors": {
        "amoc": "stepmark.detectors.amoc:AMOC",
        "binseg": "stepmark.detectors.binseg:BinSeg",
        "bocpd": "stepmark.detectors.bocpd:BOCPD",
        "cpnp": "stepmark.detectors.cpnp:CPNP",
        "cvm": "stepmark.detectors.windowtests:CramerVonMises",
        "ecp": "stepmark.detectors.ecp:ECP",
        "edivisive": "stepmark.detectors.edivisive:EDivisive",
        "fpop": "stepmark.detectors.fpop:FPOP",
        "kcpa": "stepmark.detectors.kcpa:KCPA",
        "ks": "stepmark.detectors.windowtests:KolmogorovSmirnov",
        "levene": "stepmark.detectors.windowtests:Levene",
        "mdl": "stepmark.detectors.mdl:MDL",
        "mwu": "stepmark.detectors.windowtests:MannWhitney",
        "otava": "stepmark.detectors.otava:Otava",
        "pelt": "stepmark.detectors.pelt:PELT",
        "perfherder": "stepmark.detectors.perfherder:Perfherder",
        "priority": "stepmark.detectors.voting:Priority",
        "rfpop": "stepmark.detectors.rfpop:RFPOP",
        "segneigh": "stepmark.detectors.segneigh:SegNeigh",
        "stepmark": "stepmark.detectors.stepmark:Stepmark",
        "student": "stepmark.detectors.windowtests:Student",
        "tmm": "stepmark.detectors.tmm:TMM",
        "vote": "stepmark.detectors.voting:Vote",
        "welch": "stepmark.detectors.windowtests:Welch",
        "prophet": "stepmark.detectors.prophet:Prophet",
        "wbs": "stepmark.detectors.wbs:WBS",
        "zero": "stepmark.detectors.zero:Zero",
    },
    "sources": {
        "asv": "stepmark.sources.asv:ASV",
        "benchmarkdotnet": "stepmark.sources.benchmarkdotnet:BenchmarkDotNet",
        "bmf": "stepmark.sources.bmf:BMF",
        "codespeed": "stepmark.sources.codespeed:Codespeed",
        "codspeed": "stepmark.sources.codspeed:CodSpeed",
        "criterion": "stepmark.sources.criterion:Criterion",
        "csit-parquet": "stepmark.sources.csit_parquet:CSITParquet",
        "csv": "stepmark.sources.csv:CSV",
        "github-action-benchmark": "stepmark.sources.github_action_benchmark:GitHubActionBenchmark",
        "go": "stepmark.sources.go:Go",
        "googlebenchmark": "stepmark.sources.googlebenchmark:GoogleBenchmark",
        "hyperfine": "stepmark.sources.hyperfine:Hyperfine",
        "jmh": "stepmark.sources.jmh:JMH",
        "junit": "stepmark.sources.junit:JUnit",
        "k6": "stepmark.sources.k6:K6",
        "lnt": "stepmark.sources.lnt:LNT",
        "locust": "stepmark.sources.locust:Locust",
        "otava": "stepmark.sources.otava:Otava",
        "parquet": "stepmark.sources.parquet:Parquet",
        "perfherder": "stepmark.sources.perfherder:Perfherder",
        "pyperf": "stepmark.sources.pyperf:Pyperf",
        "pytest-benchmark": "stepmark.sources.pytest_benchmark:PytestBenchmark",
        "skia": "stepmark.sources.skia:Skia",
        "sql": "stepmark.sources.sql:SQL",
        "tcpd": "stepmark.sources.tcpd:TCPD",
        "uti": "stepmark.sources.uti:UTI",
        "vitest": "stepmark.sources.vitest:Vitest",
    },
    "datasets": {
        "synthetic": "stepmark.datasets.synthetic:Synthetic",
    },
}


@runtime_checkable
class Detector(Protocol):
    """A way of finding the places where a signal changes: a frozen dataclass with one method.

    Its fields are its parameters, so that equality, hashing, pickling and specs come free.
    """

    name: ClassVar[str]

    def detect(self, signal: Any) -> Detection:
        """Return the places where *signal* (a `Signal`, or numbers) changes.

        Raises `SignalError` for numbers that the method cannot judge.
        """
        ...  # pragma: no cover


@runtime_checkable
class Costed(Protocol):
    """A detector that can say what any division of a signal costs it, the least being the best."""

    cost_unit: ClassVar[str]

    def cost(self, signal: Any, indices: Sequence[int]) -> float:
        """The cost of *signal* divided at *indices* (first points of new segments)."""
        ...  # pragma: no cover


@runtime_checkable
class Probable(Protocol):
    """A detector whose scores are probabilities, and that can tell one for every place.

    A change is reported where the `probability` of the `chances` within `reach` points is at
    least `sure`.
    """

    reach: ClassVar[int]

    @property
    def sure(self) -> float:
        """The least probability that is reported."""
        ...  # pragma: no cover

    def chances(self, signal: Any) -> Vector:
        """The model's probability that a segment begins at each point, shape (n,)."""
        ...  # pragma: no cover

    def probability(self, mass: float) -> float:
        """What is reported of a change within reach whose chances add up to *mass*."""
        ...  # pragma: no cover


@runtime_checkable
class Demanding(Protocol):
    """A detector that takes a point or two for outliers, whatever their values.

    Attributes:
        fewest: of a signal of fewer points it says nothing.
        fewest_new: points at a new level without which it hardly ever sees a change.
    """

    fewest: ClassVar[int]
    fewest_new: ClassVar[int]


class Tracker(Protocol):
    """A detector at work on a signal that grows."""

    def extend(self, values: Any) -> Detection:
        """Add *values* at the end; the places in all points so far, as `detect` would give them.

        One more point costs far less than a full run.
        """
        ...  # pragma: no cover


@runtime_checkable
class Online(Protocol):
    """A detector that can follow a growing signal."""

    def track(self) -> Tracker:
        """A tracker that has seen no point yet."""
        ...  # pragma: no cover


class Specified:
    """Mixin for frozen dataclasses that a spec can name: ``str(x)`` is the canonical spec.

    Fields that hold their default are left out; `parse_detector` reads it back as an equal object.
    """

    __slots__ = ()
    name: ClassVar[str]

    def __str__(self) -> str:
        arguments: list[str] = []
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if item.name == "members":
                arguments[:0] = [str(member) for member in value]
            elif value != item.default:
                arguments.append(f"{item.name}={spec_value(value)}")
        return f"{self.name}({', '.join(arguments)})" if arguments else self.name


def spec_value(value: Any) -> str:
    """*value* as a spec writes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    # A numpy number is a float too, and would write its type.
    return repr(float(value)) if isinstance(value, float) else str(value)


def names(group: str) -> list[str]:
    """All names of *group* (a key of `BUILTIN`): the built-in ones, then plug-ins."""
    return [*BUILTIN[group], *(n for n in _entry_points(group) if n not in BUILTIN[group])]


def load(group: str, name: str) -> type[Any]:
    """The class that *name* stands for; raises `SpecError` naming the nearest known one."""
    if name in BUILTIN[group]:
        module, _, attribute = BUILTIN[group][name].partition(":")
        loaded: type[Any] = getattr(import_module(module), attribute)
        return loaded
    others = _entry_points(group)
    if name in others:
        return _plugin(others[name])
    known = names(group)
    kind = "format" if group == "sources" else group.removesuffix("s")
    raise SpecError(f"unknown {kind} {name!r}{suggest(name, known)}; known: {', '.join(known)}")


def _plugin(point: Any) -> type[Any]:
    try:
        loaded: Any = point.load()
    except Exception as error:  # its import runs code of others
        problem = f"{type(error).__name__}: {error}"
        raise SpecError(
            f"plug-in {point.name} ({point.value}) cannot be loaded: {problem}"
        ) from error
    if not isinstance(loaded, type):
        raise SpecError(f"plug-in {point.name} ({point.value}) is not a class")
    return loaded


def _entry_points(group: str) -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=f"stepmark.{group}")}


def parse_detector(spec: str | Detector) -> Detector:
    """The detector that *spec* names, such as ``mdl(search=jumpavg)``.

    A detector object is returned as it is. Raises `SpecError` for anything else, naming the place.
    """
    if not isinstance(spec, str):
        if not isinstance(spec, type) and isinstance(spec, Detector):
            return spec
        raise SpecError(f"not a detector or spec: {spec!r}")
    parsed: Detector = _Parser(spec, "detectors").whole()
    return parsed


def parse_dataset(spec: str) -> Any:
    """The generator of a data set that *spec* names, such as ``synthetic(kinds=gauss, n=300)``.

    Raises `SpecError` for anything else, naming the place.
    """
    return _Parser(spec, "datasets").whole()


_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?\d++)?+(?![\w.]))"
    r"|(?P<word>[A-Za-z_][\w.\-]*)|(?P<mark>[(),=]))"
)
_WORDS = {"true": True, "false": False, "none": None}
_DEEPEST = 20
_LONGEST_NUMBER = 400


class _Parser:
    """Recursive descent over the tokens of one spec."""

    def __init__(self, spec: str, group: str) -> None:
        self.group = group
        self.kind = group.removesuffix("s")
        self.spec = spec if len(spec) <= 80 else f"{spec[:77]}..."
        self.tokens: list[tuple[str, str]] = [*self._split(spec.strip()), ("end", "")]
        self.place = 0

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise self.error(f"cannot read {text[place : place + 20]!r}")
            yield match.lastgroup, match[match.lastgroup]
            place = match.end()

    def error(self, problem: str) -> SpecError:
        return SpecError(f"{self.kind} {self.spec!r}: {problem}")

    def next_is(self, mark: str) -> bool:
        """Whether the next token is this mark."""
        return self.tokens[self.place] == ("mark", mark)

    def passes(self, mark: str) -> bool:
        """Pass the next token if it is this mark."""
        found = self.next_is(mark)
        self.place += found
        return found

    def take(self, kind: str) -> str | None:
        """Pass the next token if it is of this kind, and return its text."""
        found, text = self.tokens[self.place]
        if found != kind:
            return None
        self.place += 1
        return text

    def whole(self) -> Any:
        name = self.take("word")
        if name is None:
            raise self.error(f"a {self.kind}'s name is missing")
        built = self.call(name, 0)
        if self.take("end") is None:
            raise self.error(f"unexpected {self.tokens[self.place][1]!r} after the spec")
        return built

    def call(self, name: str, depth: int) -> Any:
        members: list[Any] = []
        parameters: dict[str, Any] = {}
        if depth > _DEEPEST:
            raise self.error(f"nested deeper than {_DEEPEST}")
        if self.passes("("):
            while not self.passes(")"):
                value = self.value(depth)
                if isinstance(value, str) and self.passes("="):
                    if value in parameters:
                        raise self.error(f"{value} is given twice")
                    parameters[value] = self.value(depth)
                else:
                    members.append(value)
                if not self.passes(",") and not self.next_is(")"):
                    raise self.error("a closing parenthesis is missing")
        return _build(self.group, name, members, parameters)

    def value(self, depth: int) -> Any:
        number = self.take("number")
        if number is not None:
            if len(number) > _LONGEST_NUMBER or math.isinf(float(number)):
                raise self.error("a number is too large")
            return int(number) if re.fullmatch(r"[+-]?\d+", number) else float(number)
        word = self.take("word")
        if word is None:
            raise self.error("a value is missing")
        if self.next_is("("):
            return self.call(word, depth + 1)
        return _WORDS.get(word, word)


def _build(group: str, name: str, members: list[Any], parameters: dict[str, Any]) -> Any:
    factory, kind = load(group, name), group.removesuffix("s")
    try:
        fields = [field.name for field in dataclasses.fields(factory)]
    except TypeError:
        raise SpecError(f"{kind} {name} is not a dataclass: it cannot be configured") from None
    known = [field for field in fields if field != "members"]
    for key in parameters:
        if key not in known:
            raise SpecError(
                f"{kind} {name} has no parameter {key!r}{suggest(key, known)};"
                f" its parameters: {', '.join(known) or 'none'}"
            )
    if not members:
        return factory(**parameters)
    if "members" in fields:
        return factory(members=tuple(members), **parameters)
    raise SpecError(f"{kind} {name} takes parameters as key=value, not {members[0]}")
