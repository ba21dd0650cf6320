# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What several commands share: options, and the ways out to terminal and file."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from stepmark.errors import OutputError, UsageError, suggest

if TYPE_CHECKING:
    from stepmark.config import Settings
    from stepmark.datasets.labelled import Dataset
    from stepmark.pipeline import Loaded
    from stepmark.reports import Summary
    from stepmark.series import Skipped

Output = Annotated[
    Literal["text", "json", "csv", "markdown", "html", "junit", "github", "sarif"],
    Parameter(help="Form of the result."),
]
# These forms have no place for warnings: they are told on stderr.
_WITHOUT_NOTES = ("csv", "junit")
Files = Annotated[
    list[str],
    Parameter(help="Files to read; - is standard input, a folder a known layout.", negative=()),
]
To = Annotated[Path | None, Parameter(help="Write there instead of to standard output.")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Reading:
    """How input is read and judged.

    Attributes:
        detector: Detector and its parameters, such as "mdl(search=jumpavg)"; stepmark unless named.
        format: Format of the files; found out from their content unless named.
        direction: Which way is better, for series whose data do not say.
        aggregate: How the samples of one revision become the value that is judged.
        column: What a CSV column means, as time=NAME, revision=NAME, labels=A,B and so on.
        config: Configuration file instead of the nearest stepmark.toml or pyproject.toml.
    """

    detector: Annotated[
        str | None, Parameter(help="Detector spec, as mdl(search=jumpavg); else stepmark.")
    ] = None
    format: Annotated[str, Parameter(help="Format of the files, found out unless named.")] = "auto"
    direction: Annotated[
        Literal["lower", "higher"] | None,
        Parameter(help="Which way is better, where the data do not say."),
    ] = None
    aggregate: Annotated[
        Literal["mean", "median", "min", "samples"] | None,
        Parameter(help="How the samples of one revision become one value."),
    ] = None
    column: Annotated[
        list[str] | None,
        Parameter(
            help="Meaning of a CSV column: time=NAME, revision=NAME, labels=A,B ...", negative=()
        ),
    ] = None
    config: Annotated[
        Path | None, Parameter(help="Configuration file instead of the nearest one.")
    ] = None

    def settings(self) -> Settings:
        """The configured settings with these options over them."""
        from stepmark.config import load
        from stepmark.plugins import parse_detector
        from stepmark.series import Aggregate

        settings = load(self.config)
        for configured in (settings.detector, *(rule.detector for rule in settings.rules)):
            if configured is not None:
                parse_detector(configured)  # a rule that fits no series must not hide a mistake
        if self.detector is not None:
            # A detector named here is for all series, whatever the rules say.
            spec = str(parse_detector(self.detector))
            rules = tuple(replace(rule, detector=None) for rule in settings.rules)
            settings = replace(settings, detector=spec, rules=rules)
        if self.aggregate is not None:
            settings = replace(settings, aggregate=Aggregate(self.aggregate))
        if self.column:
            settings = _with_columns(settings, self.column)
        return settings

    def load(self, files: list[str], settings: Settings) -> Loaded:
        """The series of *files*."""
        from stepmark.pipeline import load
        from stepmark.series import parse_direction
        from stepmark.sources.reading import garbage_collection_paused

        direction = parse_direction(self.direction)
        with garbage_collection_paused():
            loaded = load(files, self.format, settings, direction)
            gc.freeze()  # millions of points live to the end: no search for cycles among them
        _tell_if_slow(loaded)
        return loaded


# From here on an interpreted kernel is felt: a second and more a series.
_LONG_SERIES = 500


def _tell_if_slow(loaded: Loaded) -> None:
    """Say once that the kernels run interpreted, where that will be felt."""
    if max(map(len, loaded.series), default=0) < _LONG_SERIES:
        return
    from stepmark._kernels.loops import mdl

    if not mdl.COMPILED:
        tell(
            "no C compiler was found when Stepmark was installed: long series take a hundred times"
            " as long; install a compiler and reinstall to change that"
        )


def _with_columns(settings: Settings, mappings: list[str]) -> Settings:
    columns = settings.columns
    known = {
        field.name: isinstance(getattr(columns, field.name), tuple) for field in fields(columns)
    }
    for mapping in mappings:
        name, equals, value = mapping.partition("=")
        if not equals or name not in known:
            problem = f"--column {mapping}: a mapping is MEANING=COLUMN{suggest(name, known)}"
            raise UsageError(f"{problem}; meanings: {', '.join(known)}")
        given: Any = tuple(value.split(",")) if known[name] else value
        columns = replace(columns, **{name: given})
    return replace(settings, columns=columns)


_MOST_LEFT_OUT = 20


def opened(source: str, annotations: Path | None = None) -> tuple[Dataset, list[str]]:
    """The labelled data set that *source* names, and a line for each part of it left out."""
    from stepmark.datasets.opening import open_dataset

    skipped: list[Skipped] = []
    dataset = open_dataset(source, skipped, annotations=annotations)
    lines = [f"left out: {line_of(part)}" for part in skipped[:_MOST_LEFT_OUT]]
    if len(skipped) > _MOST_LEFT_OUT:
        more = len(skipped) - _MOST_LEFT_OUT
        lines.append(f"left out: {more:,} more; stepmark dataset validate names all")
    return dataset, lines


def line_of(problem: Skipped) -> str:
    """What is wrong with a part of a data set, its place first."""
    from stepmark.reports import words

    told = problem.reason.startswith(problem.source)
    return words.clean(problem.reason if told else f"{problem.source}: {problem.reason}", 500)


def emit(text: str, to: Path | None) -> None:
    """Write *text* to standard output, or whole or not at all to the file *to*.

    Raises `OutputError` naming the file where that is impossible.
    """
    try:
        if to is None:
            _print(text)
        else:
            from stepmark.files import write_file

            write_file(to, text.encode("utf-8", "replace"))
    except OSError as error:
        place = "standard output" if to is None else to
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from None


def require_writable(*targets: Path | None) -> None:
    """Raise `OutputError` for files that can surely not be written; None is standard output."""
    from stepmark.files import is_device

    for target in targets:
        if target is None or is_device(target):
            continue
        folder = Path(os.path.realpath(target)).parent
        if not folder.is_dir():
            raise OutputError(f"{target}: cannot be written: there is no folder {folder}")
        if target.is_dir():
            raise OutputError(f"{target}: cannot be written: it is a folder")
        if not os.access(folder, os.W_OK):
            raise OutputError(f"{target}: cannot be written: the folder {folder} is read-only")


def _print(text: str) -> None:
    from stepmark.cli import abandon_output

    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_output()  # the reader has seen enough: the exit code still says what was found
    except OSError:
        abandon_output()
        raise


def present(summary: Summary, output: Output, to: Path | None) -> None:
    """Render *summary* and write it where it belongs."""
    from stepmark.reports import render

    options = terminal() if output == "text" and to is None else {}
    if output in _WITHOUT_NOTES:
        for note in (*summary.warnings, *(f"{s.source}: {s.reason}" for s in summary.skipped)):
            tell(note)
    emit(render(summary, output, **options), to)


def tell(note: str) -> None:
    """Print a note for the user on stderr, on one line."""
    from stepmark.cli import one_line

    print(f"stepmark: note: {one_line(note)}", file=sys.stderr)  # noqa: T201


def terminal() -> dict[str, Any]:
    """What the terminal can show, as options of the text report."""
    shown = sys.stdout.isatty()
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    encoding = (sys.stdout.encoding or "").lower()
    return {
        "width": max(40, min(get_terminal_size((80, 24)).columns, 160)) if shown else 80,
        "color": shown and not plain,
        "charts": shown,
        "ascii": not encoding.startswith("utf"),
    }


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr, told (done, all); None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def code_of(summary: Summary) -> int:
    """3 where no series could be judged for lack of data, else 0."""
    from stepmark.cli import NO_DATA, OK

    return OK if any(not item.note for item in summary.series) else NO_DATA
