# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark dataset``: labelled data sets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from stepmark.cli import BAD_INPUT, OK
from stepmark.cli.options import To, emit, line_of, opened, tell
from stepmark.errors import UsageError

if TYPE_CHECKING:
    from stepmark.datasets.labelled import Dataset

dataset_command = App(name="dataset", help_format="plaintext", result_action="return_value")

Form = Annotated[
    Literal["stepmark", "tcpd", "csv"],
    Parameter(name="--to-format", help="Form of the folder that is written."),
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

    def added_to(self, dataset: Dataset) -> Dataset:
        """*dataset* with what is told here."""
        told = {"origin": self.origin, "licence": self.licence, "created": self.created}
        known = {**dataset.provenance, **{what: text for what, text in told.items() if text}}
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
    """Say what a data set holds: series, points, annotators, changes, missing points, gaps."""
    from stepmark.datasets.overview import overview
    from stepmark.reports.dataset import render

    emit(render(overview(_opened(source, annotations)), output), to)
    return OK


@dataset_command.command
def convert(
    source: Source,
    out: Out,
    /,
    *,
    to_format: Form = "stepmark",
    annotations: Annotations = None,
    provenance: Provenance = Provenance(),
    force: Force = False,
) -> int:
    """Write a data set in another form: Stepmark's own, TCPD, or CSV tables."""
    dataset = provenance.added_to(_opened(source, annotations))
    _write(dataset, out, to_format, force=force)
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
