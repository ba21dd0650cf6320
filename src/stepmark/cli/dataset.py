# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark dataset``: labelled data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from stepmark.cli import BAD_INPUT, OK
from stepmark.cli.options import To, emit, line_of, opened, progress, tell
from stepmark.errors import UsageError
from stepmark.series import Skipped

if TYPE_CHECKING:
    from stepmark.datasets.labelled import Dataset
    from stepmark.datasets.research import Research

dataset_command = App(name="dataset", help_format="plaintext", result_action="return_value")

Form = Annotated[
    Literal["stepmark", "tcpd", "csv"],
    Parameter(name="--to-format", help="Form of the folder that is written."),
]
AnyForm = Annotated[
    Literal["stepmark", "tcpd", "csv", "artifact"],
    Parameter(
        name="--to-format",
        help="Form of the folder that is written; artifact: that of Mozilla's data artifact.",
    ),
]
Labels = Annotated[
    Literal["stepmark", "lab"],
    Parameter(help="Of a research data set: whose labels are taken for true."),
]
Points = Annotated[
    Literal["revisions", "measurements"],
    Parameter(help="Of a research data set: what a point is."),
]
Annotations = Annotated[
    Path | None, Parameter(help="Labels of a TCPD file or folder: an annotations.json elsewhere.")
]
Force = Annotated[bool, Parameter(help="Replace a data set that is there.", negative=())]
Source = Annotated[str, Parameter(help="Folder, TCPD file, or generator as synthetic(n=300).")]
Out = Annotated[Path, Parameter(help="The folder to write.")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Provenance:
    """What is kept with a data set, besides what it says itself.

    Attributes:
        name: Name of the data set, instead of its own.
        origin: Where the data come from.
        licence: Licence of the data.
        created: When they were made.
    """

    name: Annotated[str, Parameter(help="Name of the data set, instead of its own.")] = ""
    origin: Annotated[str, Parameter(help="Where the data come from, kept with them.")] = ""
    licence: Annotated[str, Parameter(help="Licence of the data, kept with them.")] = ""
    created: Annotated[str, Parameter(help="When they were made, kept with them.")] = ""

    @property
    def told(self) -> dict[str, str]:
        """What is told of where the data come from."""
        told = {"origin": self.origin, "licence": self.licence, "created": self.created}
        return {what: text for what, text in told.items() if text}

    def added_to(self, dataset: Dataset) -> Dataset:
        """*dataset* with what is told here."""
        known = {**dataset.provenance, **self.told}
        return replace(dataset, name=self.name or dataset.name, provenance=known)


@dataset_command.command(name="list")
def list_command() -> int:
    """List the generators of data sets and the kinds of series they make."""
    from stepmark.datasets.synthetic import KINDS, SUITE, Synthetic
    from stepmark.plugins import load, names

    for name in names("datasets"):
        emit(f"{name:18}{(load('datasets', name).__doc__ or '').strip().splitlines()[0]}\n", None)
        if name == Synthetic.name:
            for kind, facts in KINDS.items():
                mark = " (suite)" if kind in SUITE else ""
                emit(f"  {kind:16}{facts.summary}{mark}\n", None)
    return OK


@dataset_command.command
def info(
    source: Source,
    /,
    *,
    annotations: Annotations = None,
    output: Annotated[
        Literal["text", "json", "markdown"], Parameter(help="Form of the result.")
    ] = "text",
    to: To = None,
) -> int:
    """Say what a data set holds: series, points, annotators, changes, missing points, gaps.

    Of a research data set: its tables, its labels, and what each rule of
    curation left out, joined or noted.
    """
    from stepmark.datasets.overview import overview
    from stepmark.reports.dataset import render

    research = _research(source, annotations)
    if research is not None:
        emit(_told_of(research.name, research.document, output), to)
        return OK
    emit(render(overview(_opened(source, annotations)), output), to)
    return OK


@dataset_command.command(name="import")
def import_command(
    source: Annotated[
        Path, Parameter(help="Folder of `stepmark extract`, or Mozilla's data artifact.")
    ],
    out: Out,
    /,
    *,
    provenance: Provenance = Provenance(),
    force: Force = False,
) -> int:
    """Make a research data set: curated, labelled, aggregated by revision.

    It holds alerts, bugs, series, measurements and revisions as Parquet tables,
    and counts what every rule of curation left out.
    """
    from stepmark.datasets.research.building import import_research

    with progress("series") as tell_progress:
        document = import_research(
            source,
            out,
            name=provenance.name,
            provenance=provenance.told,
            force=force,
            progress=tell_progress,
        )
    emit(_told_of(document["name"], document, "text"), None)
    return OK


@dataset_command.command
def convert(
    source: Source,
    out: Out,
    /,
    *,
    to_format: AnyForm = "stepmark",
    annotations: Annotations = None,
    labels: Labels | None = None,
    form: Points | None = None,
    provenance: Provenance = Provenance(),
    force: Force = False,
) -> int:
    """Write a data set in another form: Stepmark's own, TCPD or CSV.

    A research data set becomes labelled series, or Mozilla's artifact again.
    """
    research = _research(source, annotations)
    if research is None:
        if labels or form or to_format == "artifact":
            option = "--labels" if labels else "--form" if form else "--to-format artifact"
            raise UsageError(f"{option} is for research data sets: {source} is none")
        dataset = _opened(source, annotations)
    elif to_format == "artifact":
        return _to_artifact(research, out, force=force)
    else:
        left_out: list[Skipped] = []
        dataset = research.labelled(labels or "stepmark", form or "revisions", skipped=left_out)
        for part in left_out:
            tell(f"left out: {line_of(part)}")
    _write(provenance.added_to(dataset), out, to_format, force=force)
    return OK


@dataset_command.command
def validate(source: Source, /, *, annotations: Annotations = None) -> int:
    """Name all problems of a data set, one a line: exit 2 if there are any."""
    from stepmark.datasets.validation import problems
    from stepmark.reports import words

    found = problems(source, annotations=annotations)
    for problem in found:
        emit(line_of(problem) + "\n", None)
    if found:
        return BAD_INPUT
    emit(f"{words.clean(source)}: no problems\n", None)
    return OK


@dataset_command.command
def generate(
    kinds: Annotated[
        list[str],
        Parameter(help="Kinds (suite, all) or one spec, and last the folder.", negative=()),
    ],
    /,
    *,
    points: Annotated[int | None, Parameter(help="Points of each series; 300.")] = None,
    count: Annotated[
        int | None, Parameter(help="Number of series, kinds in equal shares; 56.")
    ] = None,
    seed: Annotated[int | None, Parameter(help="What the random numbers come from; 0.")] = None,
    to_format: Form = "stepmark",
    force: Force = False,
) -> int:
    """Write synthetic series whose changes are known: generate KIND... FOLDER.

    `stepmark dataset list` names the kinds; `suite` is seven of them, `all` is all.
    A spec sets everything: "synthetic(ar1, phi=0.9, n=1000, seed=7)".
    """
    *what, out = kinds
    if not what:
        raise UsageError(f"{out}: name the kinds and then the folder, as: generate suite {out}")
    options = {"n": points, "count": count, "seed": seed}
    spec = _spec(what, {k: v for k, v in options.items() if v is not None})
    from stepmark.plugins import parse_dataset

    _write(parse_dataset(spec).make(), Path(out), to_format, force=force)
    return OK


def _spec(what: list[str], options: dict[str, int]) -> str:
    """The spec that kinds and options stand for."""
    if any("(" in word for word in what):
        if len(what) > 1 or options:
            raise UsageError("a spec stands alone: put kinds, n, count and seed into it")
        return what[0]
    words = [f"kinds={what[0]}"] if len(what) == 1 else what
    return f"synthetic({', '.join([*words, *(f'{k}={v}' for k, v in options.items())])})"


def _research(source: str, annotations: Path | None) -> Research | None:
    """The research data set at *source*; None where it is something else."""
    from stepmark.datasets.opening import is_spec
    from stepmark.datasets.research import is_research, open_research

    if annotations is not None or is_spec(source) or not is_research(Path(source)):
        return None
    return open_research(source)


def _told_of(name: str, document: Mapping[str, Any], output: str) -> str:
    """What is said of a research data set."""
    from stepmark.datasets.overview import research_overview
    from stepmark.reports.research import render

    return render(research_overview(name, document), document, output)


def _to_artifact(research: Research, out: Path, *, force: bool) -> int:
    """Write *research* in the layout of Mozilla's artifact; what is lost is told on stderr."""
    from stepmark.datasets.research.artifact_writing import losses, write_artifact
    from stepmark.reports import words

    write_artifact(research, out, force=force)
    lost = losses(research)
    if lost:
        tell(f"the form artifact has no place for: {', '.join(lost)}")
    count = words.plural(research.series.height, "series")
    emit(f"Wrote {count} to {words.clean(str(out))}\n", None)
    return OK


def _opened(source: str, annotations: Path | None) -> Dataset:
    """The data set; what was left out of it is told on stderr."""
    dataset, notes = opened(source, annotations)
    for note in notes:
        tell(note)
    return dataset


def _write(dataset: Dataset, out: Path, form: str, *, force: bool) -> None:
    """Write *dataset* as *form*; what is lost is told on stderr, what was written on stdout."""
    from stepmark.datasets import folder, tcpd
    from stepmark.datasets.writing import write_dataset
    from stepmark.reports import words
    from stepmark.reports.dataset import csv_files, csv_losses

    lost: list[str] = []
    if form == "stepmark":
        folder.write_folder_of(dataset, out, force=force)
    elif form == "tcpd":
        tcpd.write_folder_of(dataset, out, force=force)
        lost = tcpd.losses(dataset)
    else:
        write_dataset(out, csv_files(dataset), force=force)
        lost = csv_losses(dataset)
    if lost:
        tell(f"the form {form} has no place for: {', '.join(lost)}")
    emit(f"Wrote {words.plural(len(dataset), 'series')} to {words.clean(str(out))}\n", None)


dataset_command.command(
    "stepmark.cli.explore:explore_command",
    name="explore",
    help="Say what a research data set tells: alerts, times, noise, and what to change.",
)
