# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark tune``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stepmark.cli import NO_DATA, OK
from stepmark.cli.options import emit, opened, progress, require_writable, tell
from stepmark.errors import ConfigError, UsageError, suggest

if TYPE_CHECKING:
    from stepmark.config import Settings
    from stepmark.datasets.labelled import Dataset
    from stepmark.evaluation.metrics import Metric
    from stepmark.evaluation.tuning import Tuning


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Choosing:
    """How the choice is made.

    Attributes:
        metric: What is to be as good as possible.
        alarms_per_week: The most alarms that all series together may give in a week.
        folds: Parts that the series are divided into.
        margin: Points by which a found place may be off.
        seed: Of the division and the intervals.
        workers: Processes; 0 for one a core.
        timeout: Seconds after which a run is stopped, and its candidate left out.
    """

    metric: Annotated[str, Parameter(help="What is to be as good as possible.")] = "f1_matched"
    alarms_per_week: Annotated[
        float | None,
        Parameter(help="The most alarms that all series together may give in a week."),
    ] = None
    folds: Annotated[int, Parameter(help="Parts that the series are divided into.")] = 5
    margin: Annotated[int, Parameter(help="Points by which a found place may be off.")] = 5
    seed: Annotated[int, Parameter(help="Of the division and the intervals.")] = 0
    workers: Annotated[int, Parameter(help="Processes; 0 for one a core.")] = 0
    timeout: Annotated[
        float, Parameter(help="Seconds after which a run is stopped, and its candidate left out.")
    ] = 60.0

    def measure(self) -> Metric:
        """The metric; raises `UsageError` for this and other options that mean nothing."""
        from stepmark.evaluation.metrics import METRICS

        if self.metric not in METRICS:
            near = f"{suggest(self.metric, METRICS)}; known: {', '.join(METRICS)}"
            raise UsageError(f"--metric {self.metric}: unknown metric{near}")
        if self.folds < 2:
            raise UsageError(f"--folds is 2 or more, not {self.folds}")
        if self.margin < 0 or self.seed < 0:
            raise UsageError("--margin and --seed are whole numbers from 0")
        if self.alarms_per_week is not None and not self.alarms_per_week >= 0:
            raise UsageError(f"--alarms-per-week is 0 or more, not {self.alarms_per_week:g}")
        return METRICS[self.metric]


def tune_command(
    suite: Annotated[str, Parameter(help="Labelled series: a folder, file or generator spec.")],
    *,
    detectors: Annotated[
        list[str] | None,
        Parameter(
            name=("--detectors", "--detector"),
            help="Names or specs of the candidates (repeatable); else a list of proven ones.",
            negative=(),
            consume_multiple=True,
        ),
    ] = None,
    choosing: Choosing = Choosing(),
    output: Annotated[
        Literal["text", "json", "markdown"], Parameter(help="Form of the result.")
    ] = "text",
    to: Annotated[
        str | None,
        Parameter(help="Configuration file to put the choice into; - prints the lines for it."),
    ] = None,
    config: Annotated[
        Path | None, Parameter(help="Configuration file with the present setting.")
    ] = None,
) -> int:
    """Choose detector and settings on labelled series, and say what to expect of them.

    Nested cross-validation: what is expected is measured on series that had no part in the choice.
    Exit 3 where there are too few labelled series to choose by.
    """
    from stepmark.evaluation.candidates import candidates
    from stepmark.evaluation.grouping import groups
    from stepmark.evaluation.suites import scorable
    from stepmark.evaluation.tuning import FEWEST, labelled

    choosing.measure()
    candidates(detectors or ())
    target = None if to in (None, "-") else Path(str(to))
    settings = _settings(config, target)
    if target is not None:
        # Refused before the work, not after it.
        require_writable(target)
        _edited(target, settings.detector, ())
    whole, notes = opened(suite)
    looked_at, unlabelled = scorable(whole, missing=True)
    dataset = labelled(looked_at)
    notes += unlabelled
    there = len(set(groups(dataset.members)))
    if there < FEWEST:
        few = f"{there} labelled series (or groups of one benchmark) are too few to choose by"
        for note in (*notes, f"{suite}: {few}: label {FEWEST} or more"):
            tell(note)
        return NO_DATA
    tuning = replace(_tuned(dataset, settings, detectors or (), choosing), notes=tuple(notes))
    _report(tuning, output, only_section=to == "-")
    own = sum(rule.detector is not None for rule in settings.rules)
    if own:
        tell(f"{own} table(s) [[series]] name a detector of their own: they stay as they are")
    if target is not None:
        _put(tuning, target)
    return OK


def _put(tuning: Tuning, target: Path) -> None:
    from stepmark.reports.choices import remarks

    emit(_edited(target, tuning.choice, remarks(tuning)), target)
    tell(f"put into {target}: {tuning.choice}")


def _settings(config: Path | None, target: Path | None) -> Settings:
    """The settings in use: those of the file that is named, or will be changed, or is nearest."""
    from stepmark.config import load

    if config is None and target is not None and target.is_file():
        # A shared file need not have a table of ours yet.
        shared = target.name == "pyproject.toml"
        return load(start=target.parent) if shared else load(target)
    return load(config)


def _tuned(
    dataset: Dataset, settings: Settings, wanted: Sequence[str], choosing: Choosing
) -> Tuning:
    from stepmark.evaluation.candidates import candidates
    from stepmark.evaluation.trials import Candidate, run
    from stepmark.evaluation.tuning import tune
    from stepmark.plugins import parse_detector

    chosen = list(candidates(wanted))
    present = str(parse_detector(settings.detector))
    if present not in [candidate.spec for candidate in chosen]:
        chosen.append(Candidate(present.partition("(")[0], present))
    with progress("Running") as bar:
        outcomes = run(
            chosen, dataset, workers=choosing.workers, timeout=choosing.timeout, progress=bar
        )
    return tune(
        outcomes,
        dataset,
        choosing.measure(),
        present=present,
        limit=choosing.alarms_per_week,
        folds=choosing.folds,
        margin=choosing.margin,
        seed=choosing.seed,
    )


def _report(tuning: Tuning, output: str, *, only_section: bool) -> None:
    from stepmark.evaluation.section import section
    from stepmark.reports.choices import remarks, render, tuning_json, tuning_page

    if only_section:
        for remark in (*tuning.notes, *tuning.warnings):
            tell(remark)
        emit(section(tuning.choice, remarks(tuning)), None)
    elif output == "json":
        emit(tuning_json(tuning), None)
    else:
        emit(render(tuning_page(tuning), output), None)


def _edited(target: Path, spec: str, said: Sequence[str]) -> str:
    """The text of the configuration file *target* with *spec* as its detector."""
    from stepmark.evaluation.section import with_detector

    try:
        with target.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    except OSError as error:
        raise ConfigError(f"{target}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{target}: not valid TOML: {error}") from None
    table = ("tool", "stepmark") if target.name == "pyproject.toml" else ()
    try:
        return with_detector(text, spec, said, table)
    except ConfigError as error:
        raise ConfigError(f"{target}: {error}") from None
