# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JUnit XML: how long tests took, as almost every test runner can write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from xml.parsers import expat

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.series import Direction, Failure, Measurement, SeriesKey
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import head, shown
from stepmark.sources.values import attributes_of, finite, make_key, read_time, shortened

METRIC = "time"
UNIT = "s"
# Possessive throughout: a head of comments only must not be tried in every division.
_ROOT = re.compile(
    r"\s*+(?:(?:<\?[^>]*+>|<!--(?:(?!-->).)*+-->"
    r"|<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\])?+\s*+>)\s*+)*+<testsuites?+[\s/>]",
    re.DOTALL,
)
_SUITES = ("testsuite", "testsuites")
_PROBLEMS = ("failure", "error")
# By these properties a suite may say which commit was tested.
_COMMIT = (
    "commit",
    "revision",
    "commit_id",
    "commit_sha",
    "commit_hash",
    "git_commit",
    "git_sha",
    "git_revision",
    "git_commit_id",
    "vcs_revision",
)
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_DEEPEST = 50
_MOST_PROPERTIES = 30


@dataclass(frozen=True, slots=True)
class JUnit:
    """JUnit XML: the time of each test case, in seconds.

    The benchmark is the class and the name of a test case, without bracketed parameters, whose text
    is the label ``param``. The suites around it are the label ``suite``, unless the class says the
    same, or the suite is called ``pytest`` as all of pytest's are. The metric is ``time`` in ``s``.
    Test cases of one name in one run are replicates. One that failed or had an error is a failure;
    one that was skipped, or has no time, is left out.

    The time is the suite's ``timestamp``, the machine its ``hostname``. Its first 30 properties are
    attributes; one named ``commit``, ``revision``, ``git.commit`` or the like is the revision. Runs
    of different machines are different series (see `machines.separate_machines`).

    A document type declaration, and with it every entity of one's own, is refused.
    """

    name: ClassVar[str] = "junit"
    title: ClassVar[str] = "JUnit XML: the times of test cases"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether the first element of an XML document is a test suite, or suites."""
        return bool(_ROOT.match(head(content)))

    def parse(self, content: Content, columns: Columns) -> Parsed:  # noqa: ARG002
        """Read all test cases; raises `InputError` for broken XML or another document."""
        if len(content.data) > content.limits.max_json_bytes:
            raise LimitError(
                f"{content.name}: XML of {len(content.data):,} bytes is more than"
                f" {content.limits.max_json_bytes:,}; split it"
            )
        collector = Collector(content)
        groups: dict[tuple[SeriesKey, str], tuple[_Case, list[float]]] = {}
        for case in _Reader(content.name).read(content.data):
            where = f"{content.name}:{case.line}"
            key = _key(where, case)
            if case.problem:
                collector.failures.append(_failure(where, key, case))
                continue
            seconds = _seconds(case.time)
            if case.skipped or seconds is None:
                reason = "skipped" if case.skipped else f"time {shown(case.time)} is no number"
                collector.skip(case.line, f"{shown(case.name)}: {reason}")
                continue
            groups.setdefault((key, case.suite.run), (case, []))[1].append(seconds)
        for (key, run), (case, times) in groups.items():
            suite = case.suite
            landed = read_time(f"{content.name}:{case.line}", suite.timestamp)
            collector.add(
                Measurement(
                    key,
                    suite.revision,
                    landed,
                    tuple(times),
                    UNIT,
                    Direction.LOWER,
                    run,
                    suite.attributes(),
                )
            )
        return collector.parsed("no test cases in it")


@dataclass(slots=True)
class _Suite:
    """A test suite; what it does not say of itself it has from the one around it."""

    name: str = ""
    path: str = ""
    timestamp: str = ""
    hostname: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def run(self) -> str:
        """Identity of the run, empty where it has no time."""
        return f"{self.hostname}/{self.timestamp}" if self.timestamp else ""

    @property
    def revision(self) -> str:
        """The commit that one of the properties names."""
        known = {
            re.sub(r"\W", "_", name).casefold(): text for name, text in self.properties.items()
        }
        return next((known[name] for name in _COMMIT if known.get(name)), "")

    def attributes(self) -> dict[str, str]:
        """Suite, machine and properties."""
        own = attributes_of(machine=self.hostname, suite=self.name)
        return {shortened(name): shortened(text) for name, text in self.properties.items()} | own


@dataclass(slots=True)
class _Case:
    """A test case as it is written."""

    suite: _Suite
    name: str
    classname: str
    time: str
    line: int
    skipped: bool = False
    problem: str = ""


def _key(where: str, case: _Case) -> SeriesKey:
    name, labels = case.name, {}
    benchmark = name if case.classname in ("", name) else f"{case.classname}.{name}"
    if benchmark.endswith("]") and "[" in name:
        benchmark, _, param = benchmark[:-1].partition("[")
        labels = {"param": param}
    suite = case.suite
    # PHPUnit has a suite Class::test around the data sets of a test, and dots in names of classes.
    told = _dotted(case.classname).startswith(_dotted(suite.name.partition("::")[0]))
    if suite.name and suite.name != "pytest" and not told:
        labels["suite"] = suite.path
    return make_key(where, benchmark=benchmark, metric=METRIC, labels=labels)


def _dotted(name: str) -> str:
    return name.replace("\\", ".")


def _failure(where: str, key: SeriesKey, case: _Case) -> Failure:
    suite = case.suite
    landed = read_time(where, suite.timestamp)
    return Failure(key, suite.revision, landed, case.problem, where, suite.attributes())


def _seconds(text: str) -> float | None:
    """A time of at least 0; some runners group its thousands."""
    plain = text.strip()
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    try:
        number = finite(float(plain))
    except ValueError:
        return None
    return number if number is not None and number >= 0 and "_" not in plain else None


class _Reader:
    """Test cases out of XML that may be anything.

    Entities can only be declared in a document type declaration, and that is refused; elements may
    not be nested deeply, and nothing is kept of what is not read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._depth = 0
        self._suites: list[_Suite] = []
        self._case: _Case | None = None
        self._found: list[_Case] = []

    def read(self, data: bytes) -> list[_Case]:
        """All test cases; raises `InputError` naming the line."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            problem = f"{expat.ErrorString(error.code)} at column {error.offset + 1}"
            raise InputError(f"{self._name}:{error.lineno}: not valid XML: {problem}") from None
        except (ValueError, LookupError) as error:
            raise InputError(f"{self._name}: not readable as XML: {error}") from None
        hosts = {case.suite.hostname for case in self._found if case.suite.hostname}
        if len(hosts) == 1:
            # Not every runner repeats it for test cases outside of a suite.
            for case in self._found:
                case.suite.hostname = next(iter(hosts))
        return self._found

    def _here(self) -> str:
        return f"{self._name}:{self._parser.CurrentLineNumber}"

    def _refuse(self, *_: object) -> None:
        raise InputError(
            f"{self._here()}: a document type declaration, which JUnit XML does not need and which"
            " can hold harmful entities; remove it"
        )

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise LimitError(f"{self._here()}: elements nested deeper than {_DEEPEST}")
        if self._depth == 1 and tag not in _SUITES:
            raise InputError(f"{self._here()}: no JUnit XML: the first element is {shown(tag)}")
        if tag in _SUITES:
            self._suites.append(self._suite(tag, attributes))
        elif tag == "testcase":
            self._case = _Case(
                self._suites[-1],
                attributes.get("name", "").strip(),
                attributes.get("classname", "").strip(),
                attributes.get("time", ""),
                self._parser.CurrentLineNumber,
                # GoogleTest and CTest say of what they did not run only this.
                attributes.get("status") in ("notrun", "disabled")
                or attributes.get("result") == "skipped",
            )
        elif tag == "property" and self._case is None:
            self._property(attributes)
        elif self._case is not None and tag == "skipped":
            self._case.skipped = True
        elif self._case is not None and tag in _PROBLEMS:
            message = attributes.get("message") or attributes.get("type") or ""
            first = message.strip().partition("\n")[0]
            self._case.problem = self._case.problem or shortened(first) or tag

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag in _SUITES:
            self._suites.pop()
        elif tag == "testcase" and self._case is not None:
            if self._case.name or self._case.classname:
                self._found.append(self._case)
            self._case = None

    def _suite(self, tag: str, attributes: Mapping[str, str]) -> _Suite:
        around = self._suites[-1] if self._suites else _Suite()
        # The name of a <testsuites> is that of the report.
        name = attributes.get("name", "").strip() if tag == "testsuite" else ""
        return _Suite(
            name,
            f"{around.path} > {name}" if around.path and name else around.path or name,
            attributes.get("timestamp", "").strip() or around.timestamp,
            attributes.get("hostname", "").strip() or around.hostname,
            dict(around.properties),
        )

    def _property(self, attributes: Mapping[str, str]) -> None:
        name, text = attributes.get("name", ""), attributes.get("value", "")
        properties = self._suites[-1].properties
        if name and text and len(properties) < _MOST_PROPERTIES:
            properties[name] = text
