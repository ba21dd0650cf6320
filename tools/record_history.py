# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Record how fast the released versions of some pure-Python libraries are.

The result is the real data behind ``stepmark``'s demo: one row for each replicate of each
benchmark at each released version, in ``history.csv``, and the machine and the method in
``history.json`` beside it.

Every version is installed on its own with pip, and every replicate runs in a fresh interpreter
that sees only that version and the library's pinned dependencies. A round measures all versions
once, in shuffled order, so that a drift of the machine is spread over all versions and does not
look like a step. Runs during which the machine is slow are not counted (see `quiet_runs`). Each
measurement is kept in the cache directory at once; a recording that was stopped goes on where it
was.

    python tools/record_history.py --cache /tmp/history-cache --rounds 5

needs Python 3.11 or newer with pip, and nothing else. It takes about 25 minutes.
"""

import argparse
import csv
import datetime as dt
import functools
import gc
import importlib
import io
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 20240229  # of the order of the versions in a round
QUIET_RUNS = 5  # for one replicate of one workload
BUSY_AFTER = 1.0  # seconds a child looks for quiet runs of one workload
LONGEST_WAIT = 20.0  # seconds to wait for a quiet core before a child is started all the same
ATTEMPTS = 4  # at one replicate, spread over the round
DEFAULT_OUTPUT = Path(__file__).parent.parent / "src" / "stepmark" / "demo" / "history.csv"
METHOD = (
    "Each released version was installed on its own with pip; pinned dependencies were the same "
    "for all versions of a library. Each replicate is a fresh interpreter (PYTHONHASHSEED=0, no "
    "site-packages) which runs the workload once to warm up and then takes the least process CPU "
    f"time (time.process_time, garbage collection off) of {QUIET_RUNS} quiet runs. A run is quiet "
    "if a fixed reference loop took at most 15 % more than its best both before and after it: the "
    "machine is a shared one, whose cores slow down while its neighbours are busy. A replicate "
    f"that found no quiet moments in {ATTEMPTS} attempts is left out. Rounds were interleaved: "
    "each round measured all versions once, in shuffled order."
)

Task = Callable[[], object]
Version = tuple[int, ...]


# --- Workloads: run in the child interpreter, where one version of the library is importable ---

TPCH_QUERIES = (
    """
    SELECT l_returnflag, l_linestatus, SUM(l_quantity) AS sum_qty,
      SUM(l_extendedprice) AS sum_base_price,
      SUM(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
      SUM(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
      AVG(l_quantity) AS avg_qty, AVG(l_extendedprice) AS avg_price,
      AVG(l_discount) AS avg_disc, COUNT(*) AS count_order
    FROM lineitem
    WHERE l_shipdate <= CAST('1998-09-02' AS DATE)
    GROUP BY l_returnflag, l_linestatus
    ORDER BY l_returnflag, l_linestatus
    """,
    """
    SELECT l_orderkey, SUM(l_extendedprice * (1 - l_discount)) AS revenue,
      o_orderdate, o_shippriority
    FROM customer, orders, lineitem
    WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
      AND o_orderdate < CAST('1995-03-15' AS DATE) AND l_shipdate > CAST('1995-03-15' AS DATE)
    GROUP BY l_orderkey, o_orderdate, o_shippriority
    ORDER BY revenue DESC, o_orderdate
    LIMIT 10
    """,
)


def sqlglot_parse() -> Task:
    """Return a task that parses two TPC-H queries, twice each."""
    sqlglot = importlib.import_module("sqlglot")
    return lambda: [sqlglot.parse_one(query) for query in TPCH_QUERIES * 2]


def sqlglot_generate() -> Task:
    """Return a task that writes two parsed TPC-H queries as SQL, four times each."""
    sqlglot = importlib.import_module("sqlglot")
    trees = [sqlglot.parse_one(query) for query in TPCH_QUERIES]
    return lambda: [tree.sql() for tree in trees * 4]


def jsonschema_validate() -> Task:
    """Return a task that validates a list of 40 articles with a validator made beforehand."""
    jsonschema = importlib.import_module("jsonschema")
    tag = {"type": "string", "minLength": 1}
    item = {
        "type": "object",
        "required": ["id", "name", "price"],
        "properties": {
            "id": {"type": "integer", "minimum": 1},
            "name": {"type": "string", "maxLength": 40},
            "price": {"type": "number", "minimum": 0},
            "tags": {
                "type": "array",
                "items": {"$ref": "#/definitions/tag"},
                "uniqueItems": True,
            },
            "state": {"enum": ["new", "used"]},
        },
        "additionalProperties": False,
    }
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "definitions": {"tag": tag, "item": item},
        "type": "array",
        "items": {"$ref": "#/definitions/item"},
    }
    articles = [
        {"id": i, "name": f"item {i}", "price": i + 0.5, "tags": ["a", "b", "c"], "state": "new"}
        for i in range(1, 41)
    ]
    validator = jsonschema.Draft4Validator(schema)
    return lambda: validator.validate(articles)


def rich_table() -> Task:
    """Return a task that prints a table of 8 rows with markup in its cells."""
    console_type = importlib.import_module("rich.console").Console
    table_type = importlib.import_module("rich.table").Table

    def task() -> None:
        console = console_type(
            file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor"
        )
        table = table_type(title="Results")
        for name in ("case", "text", "note", "value"):
            table.add_column(name, style="red")
        for row in range(8):
            table.add_row(f"case {row}", "some [bold]text[/bold] that wraps", "a note", "1.25")
        console.print(table)

    return task


def tomlkit_parse() -> Task:
    """Return a task that parses a TOML document of about 50 lines."""
    tomlkit = importlib.import_module("tomlkit")
    tables = (
        f'[section{i}]\nname = "value {i}"\nnumber = {i}\nratio = 1.5\nflag = true\n'
        f'list = [1, 2, 3, 4, 5]\ninline = {{ a = 1, b = "two" }}\n'
        f'date = 1979-05-27T07:32:00Z\n[section{i}.sub]\nx = "y"  # comment\n'
        for i in range(4)
    )
    products = (f'[[products]]\nname = "product {i}"\nsku = {i}\n' for i in range(4))
    document = "\n".join([*tables, *products])
    return lambda: tomlkit.parse(document)


def pyparsing_arithmetic() -> Task:
    """Return a task that parses an arithmetic expression five times."""
    pp = importlib.import_module("pyparsing")
    operand = pp.Regex(r"\d+(\.\d*)?") | pp.Word(pp.alphas, pp.alphanums)
    grammar = pp.infixNotation(
        operand,
        [
            (pp.oneOf("* /"), 2, pp.opAssoc.LEFT),
            (pp.oneOf("+ -"), 2, pp.opAssoc.LEFT),
        ],
    )
    # Where there is the name parse_string, the older name warns, which takes time of its own.
    parse = grammar.parse_string if hasattr(grammar, "parse_string") else grammar.parseString
    return lambda: [parse("a+2*b*3-(c+1)*4/d") for _ in range(5)]


# --- What is recorded -------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    """A library, which of its releases to measure, and on which workloads."""

    name: str
    workloads: dict[str, Callable[[], Task]]
    dependencies: tuple[str, ...] = ()
    every_nth_minor: int = 0
    """0: all releases; n: the last release of every n-th minor version, counted from the newest."""


LIBRARIES = {
    library.name: library
    for library in (
        Library(
            "jsonschema",
            {"validate": jsonschema_validate},
            dependencies=(
                "attrs==23.2.0",
                "importlib-metadata==6.11.0",
                "js-regex==1.0.1",
                "jsonschema-specifications==2023.12.1",
                "pyrsistent==0.20.0",
                "referencing==0.35.1",
                "rpds-py==0.25.1",
                "setuptools==69.5.1",
                "six==1.16.0",
                "typing-extensions==4.12.2",
                "zipp==3.19.2",
            ),
        ),
        Library("pyparsing", {"parse_arithmetic": pyparsing_arithmetic}),
        Library(
            "rich",
            {"render_table": rich_table},
            dependencies=(
                "colorama==0.4.6",
                "commonmark==0.9.1",
                "markdown-it-py==3.0.0",
                "mdurl==0.1.2",
                "pprintpp==0.4.0",
                "pygments==2.17.2",
                "typing-extensions==4.12.2",
            ),
        ),
        Library(
            "sqlglot",
            {"parse_tpch": sqlglot_parse, "generate_tpch": sqlglot_generate},
            every_nth_minor=2,
        ),
        Library("tomlkit", {"parse_document": tomlkit_parse}),
    )
}


@dataclass(frozen=True)
class Release:
    """One version of a library and when it was published."""

    library: str
    version: str
    published: dt.datetime

    @property
    def key(self) -> Version:
        """The version as numbers, to sort by."""
        return tuple(int(part) for part in self.version.split("."))


# --- The child: measures one version ----------------------------------------------------------


def measure(library: Library, quiet_limit: float) -> dict[str, float]:
    """Return the seconds that each workload of the importable version of the library takes.

    A workload for which the machine was too busy is missing.
    """
    warnings.simplefilter("ignore")
    seconds = {}
    for name, prepare in library.workloads.items():
        task = prepare()
        task()
        gc.collect()
        gc.disable()
        runs = quiet_runs(task, quiet_limit)
        gc.enable()
        if len(runs) == QUIET_RUNS:
            seconds[name] = min(runs)
    return seconds


def quiet_runs(task: Task, quiet_limit: float) -> list[float]:
    """Return the seconds of the first quiet runs; fewer than asked for on a busy machine.

    On a virtual machine a core can become slower by half from one moment to the next, when a
    neighbour uses the other half of the physical core; the process CPU time does not show that.
    A run counts only if the reference loop was fast both before and after it.
    """
    runs: list[float] = []
    give_up = time.monotonic() + BUSY_AFTER
    before = reference_seconds()
    while len(runs) < QUIET_RUNS and time.monotonic() < give_up:
        seconds = timed(task)
        after = reference_seconds()
        if max(before, after) <= quiet_limit:
            runs.append(seconds)
        before = after
    return runs


def reference_seconds() -> float:
    """Return the seconds of the reference loop; the first of its runs has cold caches."""
    return min(timed(reference) for _ in range(3))


def reference() -> None:
    """Do a fixed amount of interpreter work, a fraction of a millisecond."""
    numbers: dict[int, tuple[int, str]] = {}
    for number in range(2000):
        numbers[number & 63] = (number, str(number))


def calibrate() -> float:
    """Return the seconds that the reference loop may take at a quiet moment of this machine."""
    gc.disable()
    best = min(timed(reference) for _ in range(20_000))
    gc.enable()
    return 1.15 * best


def timed(task: Task) -> float:
    """Return the process CPU time in seconds of one run of the task.

    CPU time and not wall-clock time: on a shared machine the time that other processes take
    the core away does not count.
    """
    start = time.process_time()
    task()
    return time.process_time() - start


def wait_for_quiet(quiet_limit: float) -> None:
    """Move this process, and so its next child, to a core that is quiet; wait if none is."""
    give_up = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < give_up:
        for core in cores():
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {core})
            if statistics.median(timed(reference) for _ in range(15)) <= quiet_limit:
                return
        time.sleep(0.1)


@functools.cache
def cores() -> tuple[int, ...]:
    """Return the cores that this process was started with; just one where it cannot choose."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return (0,)


# --- Releases ---------------------------------------------------------------------------------


def published_releases(library: Library) -> list[Release]:
    """Return the final releases on pip's configured index that form one line, oldest first.

    Pre-releases and withdrawn releases are left out, and so is a release of an older line that
    came out after a newer version: by date and by version the order is the same.
    """
    first_upload: dict[str, str] = {}
    for file in index_page(library.name)["files"]:
        version = version_of_file(file["filename"])
        if version and not file.get("yanked"):
            uploaded = file["upload-time"]
            first_upload[version] = min(uploaded, first_upload.get(version, uploaded))
    releases = [
        Release(library.name, version, dt.datetime.fromisoformat(uploaded).replace(microsecond=0))
        for version, uploaded in first_upload.items()
    ]
    mainline: list[Release] = []
    for release in sorted(releases, key=lambda release: (release.published, release.key)):
        if not mainline or release.key > mainline[-1].key:
            mainline.append(release)
    return thinned(mainline, library.every_nth_minor)


def index_page(project: str) -> dict[str, Any]:
    """Return the project's page of the index that pip is configured to use (PEP 691)."""
    request = urllib.request.Request(  # noqa: S310 - where pip itself would look
        f"{index_url()}/{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        page: dict[str, Any] = json.load(response)
    return page


@functools.cache
def index_url() -> str:
    """Return the address of pip's configured index; pip's help text names it."""
    help_text = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--help"],
        env={**os.environ, "COLUMNS": "1000"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.search(r"--index-url.*?\(default (\S+?)/?\)", help_text, re.DOTALL)
    if not found:
        raise SystemExit("pip does not say which index it uses")
    return found[1]


def version_of_file(filename: str) -> str | None:
    """Return the version in the name of a wheel or source archive; None if not a final one."""
    if filename.endswith(".whl"):
        version = filename.split("-")[1]
    else:
        version = re.sub(r"\.(tar\.\w+|zip)$", "", filename).rpartition("-")[2]
    return version if re.fullmatch(r"\d+(\.\d+)*", version) else None


def thinned(releases: Sequence[Release], every_nth_minor: int) -> list[Release]:
    """Return all releases, or (n > 0) the last one of every n-th minor version."""
    if not every_nth_minor:
        return list(releases)
    last_of_minor = {release.key[:2]: release for release in releases}
    return list(last_of_minor.values())[::-1][::every_nth_minor][::-1]


# --- Recording --------------------------------------------------------------------------------


class Recording:
    """A cache directory: installed versions, and all results so far in ``results.jsonl``."""

    def __init__(self, cache: Path) -> None:
        self.packages = cache / "packages"
        self.packages.mkdir(parents=True, exist_ok=True)
        self.log = cache / "results.jsonl"
        self.results: list[dict[str, Any]] = []
        if self.log.exists():
            # A last line without its end is left of a recording that was killed.
            lines = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
            self.results = [json.loads(line) for line in lines if line.endswith("\n")]
            self.log.write_text("".join(line for line in lines if line.endswith("\n")), "utf-8")

    def add(self, release: Release, **facts: object) -> None:
        """Keep facts about a release."""
        result = {"library": release.library, "version": release.version, **facts}
        self.results.append(result)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(result) + "\n")

    def skipped(self) -> dict[tuple[str, str], str]:
        """Return for each (library, version) that cannot be measured the reason."""
        return {(r["library"], r["version"]): r["reason"] for r in self.results if "reason" in r}

    def done(self) -> set[tuple[str, str, int]]:
        """Return the (library, version, round) that were measured."""
        return {(r["library"], r["version"], r["round"]) for r in self.results if "round" in r}

    def install(self, name: str, *requirements: str) -> str | None:
        """Install requirements under a name in the cache; return the reason of a failure."""
        target = self.packages / name
        if target.exists() or not requirements:
            return None
        part = target.with_name(f"{name}.part")
        shutil.rmtree(part, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        command += ["--prefer-binary", "--target", str(part), *requirements]
        finished = subprocess.run(command, check=False, capture_output=True, text=True)
        if finished.returncode:
            shutil.rmtree(part, ignore_errors=True)
            return f"not installable: {last_error(finished.stderr)}"
        part.rename(target)
        return None

    def run(self, release: Release, round_number: int, quiet_limit: float) -> bool:
        """Measure a release once; keep the seconds, or the reason why it cannot be measured.

        Return whether there is nothing left to do: False if the machine was too busy.
        """
        wait_for_quiet(quiet_limit)
        paths = [self.packages / f"{release.library}-{release.version}"]
        paths.append(self.packages / f"{release.library}-dependencies")
        command = [sys.executable, "-S", "-P", __file__]
        command += ["--measure", release.library, "--quiet-limit", str(quiet_limit)]
        finished = subprocess.run(
            command,
            env={"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONHASHSEED": "0"},
            check=False,
            capture_output=True,
            text=True,
        )
        if finished.returncode:
            self.add(release, reason=last_error(finished.stderr))
            return True
        seconds = json.loads(finished.stdout.splitlines()[-1])
        complete = set(seconds) == set(LIBRARIES[release.library].workloads)
        if complete:
            self.add(release, round=round_number, seconds=seconds)
        return complete


def last_error(stderr: str) -> str:
    """Return the line of the last traceback that names the exception, without paths."""
    errors = re.findall(r"^\s*([\w.]*(?:Error|Exception|re\.error)\b.*)", stderr, re.MULTILINE)
    return re.sub(r"/\S+/", "", errors[-1])[:160] if errors else "no traceback"


def record(recording: Recording, releases: Sequence[Release], rounds: int) -> None:
    """Install all releases and measure each of them once in each round."""
    install_all(recording, releases)
    quiet_limit = calibrate()
    for round_number in range(1, rounds + 1):
        skipped, done = recording.skipped(), recording.done()
        pending = [
            release
            for release in releases
            if (release.library, release.version) not in skipped
            and (release.library, release.version, round_number) not in done
        ]
        random.Random(SEED + round_number).shuffle(pending)  # noqa: S311 - no secret
        for attempt in range(1, ATTEMPTS + 1):
            if not pending:
                break
            started, count = time.monotonic(), len(pending)
            pending = [r for r in pending if not recording.run(r, round_number, quiet_limit)]
            progress(
                f"round {round_number}/{rounds}, attempt {attempt}: "
                f"{count - len(pending)} of {count} versions",
                started,
            )


def install_all(recording: Recording, releases: Sequence[Release]) -> None:
    """Install the releases and the dependencies of their libraries, two at a time."""
    started = time.monotonic()
    for name in sorted({release.library for release in releases}):
        problem = recording.install(f"{name}-dependencies", *LIBRARIES[name].dependencies)
        if problem:
            raise SystemExit(f"the dependencies of {name}: {problem}")
    known = recording.skipped()
    new = [release for release in releases if (release.library, release.version) not in known]
    with ThreadPoolExecutor(max_workers=2) as pool:
        problems = pool.map(
            lambda release: recording.install(
                f"{release.library}-{release.version}", f"{release.library}=={release.version}"
            ),
            new,
        )
        for release, problem in zip(new, problems, strict=True):
            if problem:
                recording.add(release, reason=problem)
    progress(f"installed {len(new)} versions", started)


def progress(message: str, started: float) -> None:
    """Write a message and the seconds since the start to stderr."""
    print(f"{message}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


# --- Output -----------------------------------------------------------------------------------


def write_csv(path: Path, recording: Recording, releases: Iterable[Release]) -> None:
    """Write one row per replicate, sorted by benchmark and then by time."""
    published = {(release.library, release.version): release.published for release in releases}
    rows = []
    for result in recording.results:
        library, version = result["library"], result["version"]
        if (library, version) in published:
            when = published[library, version]
            for workload, seconds in result.get("seconds", {}).items():
                rows.append((f"{library}/{workload}", when, result["round"], version, seconds))
    rows.sort()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["benchmark", "metric", "revision", "time", "value", "unit", "direction"])
        for benchmark, when, _, version, seconds in rows:
            value = f"{seconds:.5g}"
            writer.writerow([benchmark, "time", version, when.isoformat(), value, "s", "lower"])


def write_facts(path: Path, recording: Recording, releases: Sequence[Release], rounds: int) -> None:
    """Write when, where and how the history was recorded, and what was left out."""
    reasons = recording.skipped()
    skipped = [
        {"library": release.library, "version": release.version, "reason": reason}
        for release in releases
        if (reason := reasons.get((release.library, release.version)))
    ]
    libraries = [LIBRARIES[name] for name in sorted({release.library for release in releases})]
    facts = {
        "recorded": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "method": METHOD,
        "rounds": rounds,
        "dependencies": {library.name: list(library.dependencies) for library in libraries},
        "skipped": skipped,
        "notes": list(notes(libraries)),
    }
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, object]:
    """Return the CPU model, the number of cores and the operating system; no names."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        model = found[1] if found else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "os": platform.system(),
    }


def notes(libraries: Iterable[Library]) -> Iterator[str]:
    """Yield what a reader of the data has to know about the choice of versions."""
    yield (
        "Final releases only, in one line: a release of an older line that came out after a "
        "newer version is left out. The time of a row is the first upload of that version."
    )
    for library in libraries:
        if library.every_nth_minor:
            yield (
                f"{library.name}: the last release of one in {library.every_nth_minor} minor "
                "versions; a step came with any release after the version before."
            )


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--libraries", nargs="+", choices=sorted(LIBRARIES), default=sorted(LIBRARIES)
    )
    parser.add_argument("--rounds", type=int, default=5, help="replicates of each version")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path.home() / ".cache" / "stepmark-history",
        help="directory of the installed versions and the results so far",
    )
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="CSV file; the JSON file goes beside it"
    )
    parser.add_argument("--measure", choices=sorted(LIBRARIES), help=argparse.SUPPRESS)
    parser.add_argument("--quiet-limit", type=float, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Record the history, or in the child measure the one version that is importable."""
    options = arguments(argv)
    if options.measure:
        print(json.dumps(measure(LIBRARIES[options.measure], options.quiet_limit)))
        return
    releases = [r for name in options.libraries for r in published_releases(LIBRARIES[name])]
    recording = Recording(options.cache)
    record(recording, releases, options.rounds)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_csv(options.output, recording, releases)
    write_facts(options.output.with_suffix(".json"), recording, releases, options.rounds)


if __name__ == "__main__":
    main()
