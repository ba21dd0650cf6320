# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Detections that are stored in files of the Turing benchmark (TCPDBench), to outcomes and back.

Five forms are read, told by their content:

* *run*: one JSON a run, as TCPDBench writes it;
* *tree*: a folder ``<data set>/<method>/*.json`` of them, ``default_`` or ``best_`` before the
  method's name telling the experiment;
* *series*: the runs of one series in one file, ``{"_signature": ..., "default_pelt": {...}}``;
* *defaults*: ``{series: {method: {"cplocations", "params", "runtime"}}}``;
* *grid*: ``{"_meta": ..., method: {"param_names", "results": {series: [[values, places], ...]}}}``.

Places are taken as they are written. TCPDBench counts an index only inside 1..n - 2 (`cleaned`);
its original R wrappers write most places one too early (-1 is left out), its forks write the
first point of the new level.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stepmark.datasets.outcomes import Outcome, Status
from stepmark.errors import InputError, LimitError, SpecError
from stepmark.files import File, file_name, json_bytes, write_folder
from stepmark.sources.base import Limits
from stepmark.sources.reading import read_content
from stepmark.sources.text import load_json, shown
from stepmark.sources.values import finite, table_of, text_of

_STATUS = {
    "SUCCESS": Status.OK,
    "FAIL": Status.FAILED,
    "SKIP": Status.FAILED,
    "TIMEOUT": Status.TIMEOUT,
}
_WRITTEN = {Status.OK: "SUCCESS", Status.FAILED: "FAIL", Status.TIMEOUT: "TIMEOUT"}
_DEFAULT, _BEST = "default_", "best_"
_OWNED = re.compile(r"[^/]+/(default|best)_[^/]+/[0-9a-f]{32}\.json")
_FILES = re.compile(r"-i|-o|--input|--output")
_LONGEST_ERROR = 200
_TIMEOUT = "TIMEOUT"
_LARGEST = 1 << 40  # no index of a series is so large


def read_results(path: Path, limits: Limits = Limits()) -> list[Outcome]:  # noqa: B008 - frozen
    """The outcomes in a result file or folder of any known form, in order of the file or names.

    Raises `InputError` naming file and place for what is of no known form or does not fit.
    """
    if path.is_dir():
        return _read_tree(path, limits)
    document = load_json(read_content(path, limits))
    if not isinstance(document, dict):
        raise InputError(f"{path}: no results: not a JSON object; {_FORMS}")
    where = str(path)
    if "status" in document and "dataset" in document:
        return [_run(where, document, *_named_by(path, document))]
    if isinstance(document.get("_signature"), str):
        return list(_of_series(where, document))
    methods = {name: entry for name, entry in document.items() if not name.startswith("_")}
    if methods and all(isinstance(m, dict) and "param_names" in m for m in methods.values()):
        return list(_grid(where, methods))
    if methods and all(isinstance(m, dict) for m in methods.values()):
        return list(_defaults(where, methods))
    raise InputError(f"{where}: results of no known form; {_FORMS}")


_FORMS = (
    "known are a run of TCPDBench, a folder <data set>/<method>/ of runs, and collected files"
    " (see the reference of data sets)"
)


def cleaned(outcomes: Iterable[Outcome], lengths: Mapping[str, int]) -> list[Outcome]:
    """*outcomes* with only those places that TCPDBench counts: 1..n - 2 of a series of n points.

    A series that *lengths* does not name keeps all.
    """
    return [
        replace(o, places=tuple(p for p in o.places if 1 <= p < lengths[o.series] - 1))
        if o.series in lengths
        else o
        for o in outcomes
    ]


def write_tree(outcomes: Iterable[Outcome], folder: Path, *, force: bool = False) -> None:
    """Write one JSON a run, as TCPDBench does, into ``<data set>/<method>/``.

    `read_results` gives them back, ordered by names. Raises `OutputError` as `write_folder` does.
    """
    write_folder(folder, _tree(outcomes), owned=lambda n: bool(_OWNED.fullmatch(n)), force=force)


def defaults_bytes(outcomes: Iterable[Outcome]) -> bytes:
    """*outcomes* as one file of the form *defaults*; a failure has null for places.

    Raises `InputError` for two outcomes of one series and method. What the form has no place for is
    lost: configurations, errors, time-outs as such.
    """
    made: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        methods = made.setdefault(outcome.series, {})
        if outcome.method in methods:
            raise InputError(
                f"{outcome.series}: two configurations of {outcome.method}, where one is the"
                " default; choose one of them, or write a grid"
            )
        methods[outcome.method] = {
            "cplocations": _places(outcome),
            "params": dict(outcome.parameters),
            "runtime": outcome.seconds,
        }
    return json_bytes(made)


def grid_bytes(outcomes: Iterable[Outcome]) -> bytes:
    """*outcomes* as one file of the form *grid*; a failure has null for places and its error.

    Raises `InputError` where the configurations of one method differ in the names of their
    parameters. Run times are lost.
    """
    made: dict[str, Any] = {}
    for outcome in outcomes:
        names = list(outcome.parameters)
        empty: dict[str, Any] = {"param_names": names, "results": {}, "errors": []}
        method = made.setdefault(outcome.method, empty)
        if sorted(method["param_names"]) != sorted(names):
            raise InputError(f"{outcome.method}: its configurations have different parameters")
        values = [outcome.parameters[name] for name in method["param_names"]]
        entry = [values, _places(outcome)]
        if outcome.status is not Status.OK:
            error = _TIMEOUT if outcome.status is Status.TIMEOUT else outcome.error
            if error not in method["errors"]:
                method["errors"].append(error)
            entry.append(method["errors"].index(error))
        method["results"].setdefault(outcome.series, []).append(entry)
    meta = {
        "entry": "[parameter values in the order of param_names, places or null on failure, index"
        " of the error]",
        "index_convention": "0-based first index of the new segment",
    }
    return json_bytes({"_meta": meta, **made})


def _read_tree(folder: Path, limits: Limits) -> list[Outcome]:
    files = sorted(folder.glob("*/*/*.json"))
    if len(files) > limits.max_files:
        raise LimitError(f"{folder}: more than {limits.max_files:,} files; name a subfolder")
    if not files:
        raise InputError(f"{folder}: no results: no <data set>/<method>/*.json in it")
    outcomes = []
    for file in files:
        document = load_json(read_content(file, limits))
        if not isinstance(document, dict) or "status" not in document:
            raise InputError(f"{file}: not the result of a run: no field status")
        outcomes.append(_run(str(file), document, *_experiment(file.parent.name)))
    return sorted(outcomes, key=lambda o: (o.series, o.method, not o.default, o.configuration))


def _experiment(name: str) -> tuple[str, bool]:
    """The method that a folder or field is named after, and whether it ran as default."""
    return name.removeprefix(_DEFAULT).removeprefix(_BEST), name.startswith(_DEFAULT)


def _named_by(path: Path, document: Mapping[str, Any]) -> tuple[str, bool]:
    """Method and default of a single run: told by its folder, or by its own fields."""
    if "method" not in document and path.resolve().parent.parent.name != document["dataset"]:
        raise InputError(
            f"{path}: the method is not told; put the file into a folder <data set>/<method>/"
        )
    return _experiment(path.resolve().parent.name)


def _run(where: str, document: Mapping[str, Any], method: str, default: bool) -> Outcome:
    """The outcome of one run; fields of Stepmark's own go before what its folder tells."""
    series = text_of(document, "dataset")
    if not series:
        raise InputError(f"{where}: no field dataset")
    method = text_of(document, "method") or method
    own = document.get("default")
    default = own if isinstance(own, bool) else default
    parameters = table_of(document, "parameters")
    configuration = text_of(document, "configuration") or _configuration(
        method, _arguments(text_of(document, "command")) or parameters
    )
    return _outcome(
        where,
        document,
        table_of(document, "result"),
        Outcome(series, method, configuration, default=default, parameters=parameters),
    )


def _outcome(
    where: str, run: Mapping[str, Any], result: Mapping[str, Any], named: Outcome
) -> Outcome:
    """*named* with the status of *run* and the places and run time of *result*."""
    written = text_of(run, "status")
    status = _STATUS.get(written)
    if status is None:
        raise InputError(f"{where}: status {shown(written)}; known are {', '.join(_STATUS)}")
    found = result.get("cplocations")
    if status is Status.OK and found is None:
        raise InputError(f"{where}: status SUCCESS, but no cplocations")
    places = _checked(where, found) if status is Status.OK else ()
    error = "" if status is Status.OK else _line(text_of(run, "error") or written)
    seconds = finite(result.get("runtime"))
    return replace(named, status=status, places=places, seconds=seconds, error=error)


def _of_series(where: str, document: Mapping[str, Any]) -> Iterator[Outcome]:
    series = document["_signature"]
    for field, run in document.items():
        if field.startswith("_"):
            continue
        if not isinstance(run, dict):
            raise InputError(f"{where}: {shown(field)}: not the result of a run")
        method, default = _experiment(field)
        arguments = table_of(run, "args") or table_of(run, "parameters")
        configuration = _configuration(method, arguments)
        named = Outcome(series, method, configuration, default=default, parameters=arguments)
        yield _outcome(f"{where}: {field}", run, run, named)


def _defaults(where: str, document: Mapping[str, Any]) -> Iterator[Outcome]:
    for series, methods in document.items():
        for method, run in methods.items():
            place = f"{where}: {series}: {method}"
            if not isinstance(run, dict) or "cplocations" not in run:
                raise InputError(f"{place}: no results: not {{cplocations, params, runtime}}")
            parameters = table_of(run, "params")
            spec = _default_spec(method) or _configuration(method, parameters)
            named = Outcome(series, method, spec, default=True, parameters=parameters)
            yield _collected(place, run["cplocations"], named, finite(run.get("runtime")), "")


def _grid(where: str, methods: Mapping[str, Any]) -> Iterator[Outcome]:
    for method, entry in methods.items():
        names, errors = entry["param_names"], entry.get("errors") or []
        if not _is_texts(names) or not _is_texts(errors):
            raise InputError(f"{where}: {method}: param_names or errors is no list of texts")
        name = _namer(method, names)
        for series, runs in table_of(entry, "results").items():
            for number, run in enumerate(runs if isinstance(runs, list) else [None]):
                place = f"{where}: {method}: {series}[{number}]"
                if not isinstance(run, list) or len(run) < 2 or not _fits(run[0], names):
                    raise InputError(f"{place}: not [[{', '.join(names)}], places or null, error]")
                parameters = dict(zip(names, run[0], strict=True))
                configuration, default = name(run[0])
                error = _error(place, run[2] if len(run) > 2 else "", errors)
                named = Outcome(series, method, configuration, default=default)
                named = replace(named, parameters=parameters)
                yield _collected(place, run[1], named, None, error)


def _collected(
    where: str, places: Any, named: Outcome, seconds: float | None, error: str
) -> Outcome:
    """*named* with *places*, which are null where it failed."""
    if places is not None:
        return replace(named, places=_checked(where, places), seconds=seconds)
    status = Status.TIMEOUT if error == _TIMEOUT else Status.FAILED
    error = error or "failed, no reason is recorded"
    return replace(named, status=status, seconds=seconds, error=_line(error))


def _error(where: str, told: Any, errors: Sequence[str]) -> str:
    """The reason of a failure: a text, or its index among *errors*."""
    if type(told) is int:
        if not 0 <= told < len(errors):
            raise InputError(f"{where}: error {told} is not one of {len(errors)}")
        return errors[told]
    return told if isinstance(told, str) else ""


def _checked(where: str, found: Any) -> tuple[int, ...]:
    """Places as whole numbers, rising, none negative; R writes a single one without a list."""
    listed = found if isinstance(found, list) else [found]
    places = []
    for item in listed:
        number = finite(item)
        if number is None or not number.is_integer() or not abs(number) < _LARGEST:
            raise InputError(f"{where}: cplocations: {shown(str(item))} is no index")
        places.append(int(number))
    return tuple(sorted({place for place in places if place >= 0}))


def _is_texts(listed: Any) -> bool:
    return isinstance(listed, list) and all(isinstance(item, str) for item in listed)


def _fits(values: Any, names: Sequence[str]) -> bool:
    plain = isinstance(values, list) and all(isinstance(v, (str, int, float)) for v in values)
    return plain and len(values) == len(names)


def _configuration(method: str, parameters: Mapping[str, Any]) -> str:
    """What tells a configuration from others: its parameters by name, in the form of a spec."""
    told = ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"
        for name, value in sorted(parameters.items())
    )
    return f"{method}({told})" if told else method


def _arguments(command: str) -> dict[str, str]:
    """The options of a command, without the names of its files, which differ from run to run."""
    words = command.split()
    found: dict[str, str] = {}
    start = next((i + 1 for i, w in enumerate(words) if w.endswith((".R", ".py"))), len(words))
    options = iter(words[start:])
    for word in options:
        value = next(options, "")
        if not _FILES.fullmatch(word):
            found[word.lstrip("-")] = value
    return found


def _default_spec(method: str) -> str:
    """Our spec of the benchmark's default configuration of *method*; empty if there is none."""
    from stepmark.detectors.tcpdbench import METHODS

    return METHODS[method].default_spec if method in METHODS else ""


def _namer(method: str, names: Sequence[str]) -> Callable[[Sequence[Any]], tuple[str, bool]]:
    """What gives spec and default for the values of a grid's parameters.

    Where the benchmark has the method and these parameters, the spec is that of our detector.
    """
    from stepmark.detectors.tcpdbench import METHODS
    from stepmark.plugins import Detector, parse_detector

    def parsed(spec: str) -> Detector | None:
        try:
            return parse_detector(spec)
        except SpecError:
            return None

    known = METHODS.get(method)
    usual = parsed(known.default_spec) if known is not None else None

    def named(values: Sequence[Any]) -> tuple[str, bool]:
        parameters = dict(zip(names, values, strict=True))
        try:
            spec = known.spec(parameters) if known is not None else ""
        except KeyError:
            spec = ""
        if not spec:
            return _configuration(method, parameters), False
        return spec, usual is not None and parsed(spec) == usual

    made: dict[str, tuple[str, bool]] = {}

    def remembered(values: Sequence[Any]) -> tuple[str, bool]:
        key = json.dumps(values)
        if key not in made:
            made[key] = named(values)
        return made[key]

    return remembered


def _line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST_ERROR else f"{joined[: _LONGEST_ERROR - 3]}..."


def _places(outcome: Outcome) -> list[int] | None:
    return list(outcome.places) if outcome.status is Status.OK else None


def _tree(outcomes: Iterable[Outcome]) -> Iterator[File]:
    seen: Counter[str] = Counter()
    for outcome in outcomes:
        series, method = file_name(outcome.series), file_name(outcome.method)
        folder = f"{series}/{_DEFAULT if outcome.default else _BEST}{method}"
        identity = f"{outcome.series}\0{outcome.method}\0{outcome.configuration}"
        name = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        path = f"{folder}/{name}.json"
        seen[path] += 1
        if seen[path] > 1:
            raise InputError(f"{outcome.series}: two outcomes of {outcome.configuration}")
        yield path, json_bytes(_document(outcome))


def _document(outcome: Outcome) -> dict[str, Any]:
    """The fields of TCPDBench, and those by which it is read back whole."""
    seconds = outcome.seconds
    return {
        "error": outcome.error or None,
        "command": f"stepmark bench --detector {outcome.configuration}",
        "script": "stepmark",
        "script_md5": None,
        "hostname": None,
        "dataset": outcome.series,
        "dataset_md5": None,
        "status": _WRITTEN[outcome.status],
        "parameters": dict(outcome.parameters),
        "result": {
            "cplocations": _places(outcome),
            "runtime": seconds if seconds is not None and math.isfinite(seconds) else None,
        },
        "method": outcome.method,
        "configuration": outcome.configuration,
        "default": outcome.default,
    }
