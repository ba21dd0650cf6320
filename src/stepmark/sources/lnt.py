# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Reports for LNT, the performance tracker of LLVM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepmark.config import Columns
from stepmark.errors import InputError
from stepmark.series import Direction, Failure, Measurement
from stepmark.sources.base import Collector, Content, Parsed
from stepmark.sources.text import load_json, looks_like_json, shown
from stepmark.sources.values import attributes_of, finite, make_key, read_time, table_of, text_of

_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER
# Units and directions of LNT's own suites (nts, compile); those of others are in their schema only.
_METRICS = {
    "compile_time": ("s", _LOWER),
    "execution_time": ("s", _LOWER),
    "user_time": ("s", _LOWER),
    "sys_time": ("s", _LOWER),
    "wall_time": ("s", _LOWER),
    "score": ("", _HIGHER),
    "mem_bytes": ("bytes", _LOWER),
    "code_size": ("bytes", _LOWER),
    "size_bytes": ("bytes", _LOWER),
}
# What the metrics of versions 0 and 1 were called at the end of a test's name.
_OLD_METRICS = {
    "nts": {
        "compile": "compile_time",
        "compile.status": "compile_status",
        "exec": "execution_time",
        "exec.status": "execution_status",
        "hash.status": "hash_status",
        "mem": "mem_bytes",
    },
    "compile": {
        "mem": "mem_bytes",
        "mem.status": "mem_status",
        "size": "size_bytes",
        "size.status": "size_status",
        "sys": "sys_time",
        "sys.status": "sys_status",
        "user": "user_time",
        "user.status": "user_status",
        "wall": "wall_time",
        "wall.status": "wall_status",
    },
}
_STATUS = "_status"
_OWN_STATUS = {f"{kind}{_STATUS}": f"{kind}_time" for kind in ("user", "sys", "wall")} | {
    "compile_status": "compile_time",
    "execution_status": "execution_time",
    "mem_status": "mem_bytes",
    "size_status": "size_bytes",
}
_PASS = ("0", "PASS", "NOCHANGE")
_ORDER = "llvm_project_revision"
_NO_ORDER = ("start_time", "end_time", "tag", "__report_version__", "inferred_run_order")


@dataclass(frozen=True, slots=True)
class LNT:
    """A report for LNT: version 2, or the older versions 0 and 1.

    The benchmark is the test, the metric its field (``execution_time``, ``code_size``, ...; those
    of versions 0 and 1 under their newer names), a list of numbers its replicates. Units and
    directions are those of LNT's suites nts and compile; metrics of other suites have none, as
    they are in the suite's schema and not in the report. The revision is ``llvm_project_revision``
    (``run_order``), or the run field that ``--column revision=FIELD`` names, or the only one there
    is; the time is the run's start. What else is known of run and machine are attributes, and so
    are texts of a test, such as its ``hash``. A test whose status for a metric is not 0 is a
    failure. A machine's times are its own series (see `machines.separate_machines`).
    """

    name: ClassVar[str] = "lnt"
    title: ClassVar[str] = "LNT: reports of versions 0 to 2"
    by_machine: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        """Whether it is JSON with a machine, a run and tests."""
        return looks_like_json(content, b"machine", b"run", b"tests") or looks_like_json(
            content, b"Machine", b"Run", b"Tests"
        )

    def parse(self, content: Content, columns: Columns) -> Parsed:
        """Read all tests; raises `InputError` if it is no report or its time cannot be read."""
        document = load_json(content)
        if isinstance(document, dict) and isinstance(document.get("Tests"), list):
            document = _upgraded(content.name, document)
        if not isinstance(document, dict) or not isinstance(document.get("tests"), list):
            raise InputError(f"{content.name}: no LNT report: no tests list")
        if str(document.get("format_version", "2")) != "2":
            raise InputError(
                f"{content.name}: format_version {document['format_version']!s:.20} is not"
                " known; only versions 0 to 2 are"
            )
        collector = Collector(content)
        run = _run(content.name, document, columns)
        for place, test in enumerate(document["tests"]):
            name = text_of(test, "name") if isinstance(test, dict) else ""
            if name:
                _add(collector, f"{content.name}: tests[{place}]", run, name, test)
            else:
                collector.skip(None, f"tests[{place}]: no name")
        return collector.parsed("no metrics in it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for all tests of one report."""

    revision: str
    landed: datetime | None
    name: str
    attributes: Mapping[str, str]


def _run(where: str, document: Mapping[str, Any], columns: Columns) -> _Run:
    run, machine = table_of(document, "run"), table_of(document, "machine")
    name = text_of(machine, "name")
    if not name:
        raise InputError(f"{where}: no LNT report: the machine has no name")
    fields = {key: text for key in run if (text := text_of(run, key))}
    started = fields.pop("start_time", "")
    landed = read_time(f"{where}: start_time", started)
    order = _order(where, fields, columns.revision)
    revision = fields.pop(order, "")
    known = {key: text for key in machine if key != "name" and (text := text_of(machine, key))}
    return _Run(
        revision,
        landed,
        f"{name}/{revision}/{started}" if started or revision else "",
        attributes_of(**{**known, **fields, "machine": name}),
    )


def _order(where: str, fields: Mapping[str, str], named: str) -> str:
    """The name of the run field that orders the runs; empty if it cannot be told."""
    if named:
        if named not in fields:
            raise InputError(
                f"{where}: run has no field {shown(named)} for revision; it has"
                f" {shown(', '.join(fields), 300)}"
            )
        return named
    others = [key for key in fields if key not in _NO_ORDER]
    return _ORDER if _ORDER in fields else others[0] if len(others) == 1 else ""


def _add(collector: Collector, where: str, run: _Run, test: str, fields: Mapping[str, Any]) -> None:
    numbers, texts, failed = _sorted(fields)
    attributes = {**run.attributes, **attributes_of(**texts)}
    for metric in sorted(failed - numbers.keys()):
        numbers[metric] = ()
    for metric, samples in numbers.items():
        key = make_key(where, benchmark=test, metric=metric)
        if metric in failed or not samples:
            reason = "its status is a failure" if metric in failed else "no finite number"
            collector.failures.append(
                Failure(key, run.revision, run.landed, reason, where, attributes)
            )
            continue
        unit, direction = _METRICS.get(metric, ("", None))
        collector.add(
            Measurement(
                key, run.revision, run.landed, samples, unit, direction, run.name, attributes
            )
        )


def _sorted(
    fields: Mapping[str, Any],
) -> tuple[dict[str, tuple[float, ...]], dict[str, str], set[str]]:
    """Samples of each metric (none where one is no finite number), texts, and failed metrics."""
    numbers: dict[str, tuple[float, ...]] = {}
    texts: dict[str, str] = {}
    failed: set[str] = set()
    for field, value in fields.items():
        listed = value if isinstance(value, list) else [value]
        if field.endswith(_STATUS):
            if any(_status(item) not in _PASS for item in listed):
                failed.add(_OWN_STATUS.get(field, field.removesuffix(_STATUS)))
        elif field in ("name", "profile") or value is None:
            continue
        elif all(isinstance(item, str) for item in listed):
            texts[field] = ", ".join(dict.fromkeys(listed))
        else:
            samples = [number for number in map(finite, listed) if number is not None]
            numbers[field] = tuple(samples) if len(samples) == len(listed) else ()
    return numbers, texts, failed


def _status(value: Any) -> str:
    number = finite(value)
    return str(value).strip().upper() if number is None else f"{number:g}"


def _upgraded(where: str, old: Mapping[str, Any]) -> dict[str, Any]:
    """A report of version 0 or 1 as one of version 2."""
    machine, run = table_of(old, "Machine"), table_of(old, "Run")
    info = {k: v for k, v in table_of(run, "Info").items() if k != "__report_version__"}
    suite = text_of(info, "tag")
    order = {_ORDER: info.pop("run_order")} if "run_order" in info else {}
    tests: dict[str, dict[str, Any]] = {}
    for place, test in enumerate(old["Tests"]):
        if not isinstance(test, dict) or not isinstance(test.get("Data"), list):
            raise InputError(f"{where}: Tests[{place}]: no Data list")
        name, metric = _name_and_metric(text_of(test, "Name"), suite)
        fields = tests.setdefault(name, {"name": name})
        fields[metric] = [*fields.get(metric, []), *test["Data"]]
    return {
        "machine": {**_renamed(table_of(machine, "Info")), "name": text_of(machine, "Name")},
        "run": {**info, **order, "start_time": text_of(run, "Start Time")},
        "tests": list(tests.values()),
    }


def _renamed(info: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a machine; what was its ``name`` there is not the name it is known by."""
    return {"hostname" if key == "name" else key: value for key, value in info.items()}


def _name_and_metric(old: str, suite: str) -> tuple[str, str]:
    """Test and metric that an old name such as ``nts.suite/test.exec.status`` stands for."""
    name = old.removeprefix(f"{suite}.") if suite else old
    for ending, metric in _endings(suite):
        if name.endswith(f".{ending}"):
            return name.removesuffix(f".{ending}"), metric
    test, _, metric = name.rpartition(".")
    return (test, metric) if test else (name, "value")


def _endings(suite: str) -> Iterator[tuple[str, str]]:
    """The endings of old names, longer ones first."""
    known = _OLD_METRICS.get(suite, {})
    yield from sorted(known.items(), key=lambda item: -len(item[0]))
