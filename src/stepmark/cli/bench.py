# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark bench``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from stepmark.cli import NO_DATA, OK
from stepmark.cli.options import To, emit, opened, progress, require_writable, tell, terminal
from stepmark.errors import InputError, UsageError, suggest

if TYPE_CHECKING:
    from stepmark.datasets.labelled import Dataset
    from stepmark.datasets.outcomes import Outcome
    from stepmark.evaluation.study import Study
    from stepmark.evaluation.suites import Mode

Output = Annotated[
    Literal["text", "markdown", "latex", "html", "json", "csv"],
    Parameter(help="Form of the result."),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Running:
    """How detectors are run.

    Attributes:
        detector: Method, detector or spec that takes part; else all that are installed.
        mode: Which configurations of a method take part.
        workers: Processes; 0 for one a core.
        timeout: Seconds after which a run is stopped.
        journal: Where what has been run is kept, to go on from there.
        store: Parquet file for all outcomes and scores.
    """

    detector: Annotated[
        list[str] | None,
        Parameter(
            help="Method, detector or spec that takes part (repeatable); else all.", negative=()
        ),
    ] = None
    mode: Annotated[
        Literal["default", "best", "oracle"],
        Parameter(help="Default configurations, or the best of a grid for each series."),
    ] = "default"
    workers: Annotated[int, Parameter(help="Processes; 0 for one a core.")] = 0
    timeout: Annotated[float, Parameter(help="Seconds after which a run is stopped.")] = 300.0
    journal: Annotated[
        Path | None,
        Parameter(help="Keep what has been run there; else until the study is done."),
    ] = None
    store: Annotated[
        Path | None, Parameter(help="Write all outcomes and scores there, as Parquet.")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Scoring:
    """How outcomes are scored and averaged.

    Attributes:
        metric: Columns of the table; the first one ranks.
        margin: Points by which a found place may be off.
        average: Over which series means are.
        missing: Series with missing points.
        per_series: Show every series too.
        ensembles: The most members of ensembles that are searched for.
    """

    metric: Annotated[
        list[str] | None,
        Parameter(help="A column of the table (repeatable); the first one ranks.", negative=()),
    ] = None
    margin: Annotated[int, Parameter(help="Points by which a found place may be off.")] = 5
    average: Annotated[
        Literal["common", "all", "zero"],
        Parameter(
            help="Means over the series that all methods have a score on, that each method has"
            " one on, or over all with 0 for none."
        ),
    ] = "common"
    missing: Annotated[
        Literal["skip", "present"],
        Parameter(help="Leave out series with missing points, or judge the points there are."),
    ] = "skip"
    per_series: Annotated[
        bool, Parameter(help="Show the scores of every series too.", negative=())
    ] = False
    ensembles: Annotated[
        int, Parameter(help="Search ensembles of up to so many members, 2 to 5; 0 for none.")
    ] = 0

    def columns(self) -> tuple[str, ...]:
        """The metrics of the table; raises `UsageError` for options that mean nothing."""
        from stepmark.evaluation.ensembles import require_size
        from stepmark.evaluation.study import COLUMNS, require_metrics

        metrics = tuple(dict.fromkeys(self.metric or COLUMNS))
        require_metrics(metrics)
        if self.ensembles:
            require_size(self.ensembles)
        if self.margin < 0:
            raise UsageError(f"--margin {self.margin}: is a number of points from 0")
        return metrics


def bench_command(
    suite: Annotated[str, Parameter(help="Labelled series: a folder, file or generator spec.")],
    *,
    results: Annotated[
        list[Path] | None,
        Parameter(help="Score these stored outcomes instead of running (repeatable).", negative=()),
    ] = None,
    running: Running = Running(),
    scoring: Scoring = Scoring(),
    output: Output = "text",
    to: To = None,
) -> int:
    """Compare detectors on labelled series: run, score, rank.

    A study that was interrupted goes on where it was when it is started again.
    """
    from stepmark.evaluation.study import origin, study, with_ensembles
    from stepmark.evaluation.suites import Mode, scorable
    from stepmark.evaluation.tables import Average
    from stepmark.extras import require

    metrics, mode = scoring.columns(), Mode(running.mode)
    # Before hours of work, not after them.
    require_writable(running.store, to)
    if running.store is not None:
        require("polars")
    whole, unusable = opened(suite)
    dataset, notes = scorable(whole, missing=scoring.missing == "present")
    notes += unusable
    if not len(dataset):
        tell(f"{suite}: no series can be scored; {'; '.join(notes) or 'it is empty'}")
        return NO_DATA
    provenance: Mapping[str, str] = origin(dataset, mode, scoring.margin)
    book = running.journal
    if results:
        outcomes, more = _stored(results, whole, dataset, running.detector or ())
        notes += more
        provenance = {**provenance, "results": ", ".join(str(path) for path in results)}
    else:
        book = book or _own_journal(provenance["suite_digest"])
        outcomes = _run(dataset, running, mode, book)
    made = study(
        outcomes,
        dataset,
        mode=mode,
        metrics=metrics,
        average=Average(scoring.average),
        margin=scoring.margin,
        notes=notes,
        provenance=provenance,
    )
    if scoring.ensembles:
        with progress("Searching ensembles"):
            made = with_ensembles(made, scoring.ensembles)
    _write(made, running.store, output, to, per_series=scoring.per_series)
    if book is not None and not results and running.journal is None:
        book.unlink(missing_ok=True)
    return OK if any(row.scored for row in made.table.rows) else NO_DATA


def _run(dataset: Dataset, running: Running, mode: Mode, book: Path | None) -> list[Outcome]:
    from stepmark.evaluation.suites import candidates
    from stepmark.evaluation.trials import run

    chosen = candidates(running.detector or (), mode)
    with progress("Running") as bar:
        try:
            return run(
                chosen,
                dataset,
                workers=running.workers,
                timeout=running.timeout,
                journal=book,
                progress=bar,
            )
        except KeyboardInterrupt:
            if book is not None:
                tell(f"stopped; the same command goes on from here (kept in {book})")
            raise


def _own_journal(digest: str) -> Path | None:
    """Where a study keeps what it has run until it is done; None where nothing can be kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
        folder = folder / "stepmark"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / f"bench-{digest}.jsonl" if os.access(folder, os.W_OK) else None


def _stored(
    files: Sequence[Path], whole: Dataset, dataset: Dataset, methods: Sequence[str]
) -> tuple[list[Outcome], list[str]]:
    """The outcomes in *files* that are of the suite, and what to know about the others."""
    from stepmark.evaluation.suites import listed

    outcomes = [outcome for path in files for outcome in _read(path, whole)]
    known = dict.fromkeys(outcome.method for outcome in outcomes)
    for method in methods:
        if method not in known:
            near = f"{suggest(method, known)}; there are: {', '.join(known)}"
            raise UsageError(f"--detector {method}: {files[0]} has no such method{near}")
    strange = dict.fromkeys(o.series for o in outcomes if o.series not in whole.by_name)
    kept = [
        outcome
        for outcome in outcomes
        if outcome.series in dataset.by_name and (not methods or outcome.method in methods)
    ]
    if not kept:
        found = listed(dict.fromkeys(outcome.series for outcome in outcomes)) or "none"
        raise InputError(f"{files[0]}: none of its series is in {whole.name}: {found}")
    notes = [f"results of series that are not in the suite: {listed(strange)}"] if strange else []
    return kept, notes


def _read(path: Path, whole: Dataset) -> list[Outcome]:
    from stepmark.datasets.results import cleaned, read_results
    from stepmark.evaluation.store import MAGIC, read_outcomes

    try:
        with path.open("rb") as file:
            stored = file.read(len(MAGIC)) == MAGIC
    except OSError:
        stored = False  # a folder, or nothing: the reader of results says so
    if stored:
        return read_outcomes(path)[0]
    return cleaned(read_results(path), {member.name: member.length for member in whole})


def _write(
    made: Study, store: Path | None, output: str, to: Path | None, *, per_series: bool
) -> None:
    from stepmark.evaluation.store import write_outcomes
    from stepmark.reports.bench import render

    if store is not None:
        write_outcomes(made.scored, store, made.provenance)
    options: dict[str, Any] = {"per_series": per_series}
    if output == "text" and to is None:
        shown = terminal()
        shown.pop("charts")
        options |= shown
    if output == "csv":
        for note in made.table.notes:
            tell(note)
        if made.ensembles is not None:
            tell("a CSV table has no place for ensembles: another --output shows them")
    emit(render(made, output, **options), to)
    if output == "html" and to is not None:
        tell(f"wrote {to}")
