# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Measures how well `stepmark` finds changes, beside other detectors, and writes the figures.

``python benchmarks/accuracy.py`` prints them as Markdown; with a page they are put into it, between
the lines that mark their beginning and end.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accuracy_measures import (
    Quality,
    Tenth,
    alarms,
    by_kind,
    found_alone,
    lived_through,
    pooled,
    quality,
    reliability,
    speed,
)
from accuracy_runs import ABLATIONS, ORACLE, Answer, Histories, Laboratory, Source, Stored
from accuracy_tables import Figure, Row, judged, number, percent, plain, share, whole_seconds
from page import machine, put, require
from stepmark.datasets.synthetic import SUITE, Setting

OURS, PERFHERDER = "stepmark", "perfherder"
VOTE = "vote(student, welch, mwu, ks, cvm, levene)"
HEADS = {
    OURS: "`stepmark`",
    **{name: f"`{name}`" for name in ("mdl", "otava", PERFHERDER, "binseg", "fpop")},
    VOTE: "vote",
    ORACLE: "told of one change",
}
ALL_SCORES = "stepmark(sure=0.05)"

SUITES = {100: (0.86, 0.92), 300: (0.86, 0.91), 1_000: (0.83, 0.88)}
LENGTHS = (30, 100, 300, 1_000, 3_000)
NOISE: Mapping[str, tuple[str, Setting]] = {
    "normal": ("none-gauss", Setting()),
    "Student t3": ("none-heavy", Setting()),
    "log-normal": ("none-lognormal", Setting(sigma=0.5)),
    "two bands": ("none-bands", Setting(apart=4.0)),
    "AR(1) .3": ("none-ar1", Setting(phi=0.3)),
    "AR(1) .6": ("none-ar1", Setting(phi=0.6)),
    "AR(1) .9": ("none-ar1", Setting(phi=0.9)),
    "variance changes by 3": ("none-variance", Setting(factor=3.0)),
    "drift of 1.5 sd": ("none-drift", Setting(noise=0.02, slope=0.03)),
    "sine of 2 sd": ("none-sine", Setting(amplitude=2.0)),
    "random walk": ("none-walk", Setting()),
}
WHITE = ("normal", "Student t3", "log-normal", "two bands")
MOST_ALARMS: Mapping[str, tuple[float | None, float | None]] = {
    "AR(1) .3": (0.03, None),
    "AR(1) .6": (0.03, None),
    "AR(1) .9": (None, 0.20),
    "variance changes by 3": (0.03, None),
    "drift of 1.5 sd": (0.25, 0.05),
}
POWER = {1: 0.50, 2: 0.97, 3: 0.99, 5: 0.99}
STEP_AT, STEP_POINTS, STEP_NOISE = 70, 120, 0.02
FIRST_ASKED, GROWN = 20, 150
PROMPT, MOST_VANISHED, MOST_GAP = 4.0, 0.05, 0.05
ENOUGH = 100  # reports in a tenth of the score before its share of hits says much
FLEET, FLEET_POINTS, FLEET_SECONDS = 5_655, 2_100, 60.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many series of each kind and length: for `stepmark`, and for the others."""

    suite: tuple[int, int] = (200, 100)
    noise: tuple[int, int] = (300, 12)
    power: tuple[int, int] = (500, 500)
    replayed_steps: tuple[int, int] = (60, 12)
    replayed_suite: tuple[int, int] = (25, 4)
    ablated_suite: int = 50
    ablated_noise: int = 25
    timed: int = 280

    def of(self, pair: tuple[int, int], spec: str) -> int:
        return pair[spec != OURS]


QUICK = Sizes((15, 5), (12, 2), (50, 50), (5, 2), (2, 1), 5, 2, 70)


@dataclass(frozen=True, slots=True)
class Study:
    """What is asked of the detectors: of how many series, from which seed, and stored ones."""

    lab: Laboratory
    sizes: Sizes
    seed: int
    folder: Path

    def specs(self) -> tuple[str, ...]:
        return tuple(spec for spec in HEADS if spec != ORACLE)

    def stored(self, name: str) -> list[Source]:
        """The data set *name*, or nothing where it is not there."""
        path = self.folder / name
        return [Stored(str(path))] if path.is_dir() else []

    def suite(self, n: int, count: int, prefix: str = "") -> list[Source]:
        return [Histories(prefix + kind, n, count, self.seed) for kind in SUITE]

    def noise(self, name: str, count: int) -> list[Source]:
        kind, setting = NOISE[name]
        return [Histories(kind, n, count, self.seed, None, setting) for n in LENGTHS]

    def step(self, sigma: float, count: int) -> list[Source]:
        steps = ((STEP_AT, sigma * STEP_NOISE),)
        setting = Setting(noise=STEP_NOISE)
        return [Histories("gauss", STEP_POINTS, count, self.seed, steps, setting)]

    def of_suite(self, spec: str, n: int) -> tuple[Answer, ...]:
        return self.lab.ask(spec, self.suite(n, self.sizes.of(self.sizes.suite, spec)))

    def of_noise(self, spec: str, name: str) -> tuple[Answer, ...]:
        return self.lab.ask(spec, self.noise(name, self.sizes.of(self.sizes.noise, spec)))

    def of_step(self, spec: str, sigma: int) -> tuple[Answer, ...]:
        return self.lab.ask(spec, self.step(sigma, self.sizes.of(self.sizes.power, spec)))

    def grown_steps(self, spec: str, sigma: int) -> tuple[Answer, ...]:
        sources = self.step(sigma, self.sizes.of(self.sizes.replayed_steps, spec))
        return self.lab.ask(spec, sources, start=FIRST_ASKED)

    def grown_suite(self, spec: str) -> tuple[Answer, ...]:
        sources = self.suite(GROWN, self.sizes.of(self.sizes.replayed_suite, spec))
        return self.lab.ask(spec, sources, start=FIRST_ASKED)


def labelled(study: Study) -> Iterator[Row]:
    sources = study.stored("tcpd")
    found = {s: quality(study.lab.ask(s, sources)) for s in study.specs()} if sources else {}
    yield from _quality_rows("TCPD given, {} series", found, (0.80, 0.85), (0.71, 0.75))


def synthetic(study: Study) -> Iterator[Row]:
    for n, bounds in SUITES.items():
        found = {spec: quality(study.of_suite(spec, n)) for spec in study.specs()}
        yield from _quality_rows(f"synthetic, n = {n:,}, {{}} series", found, bounds, (None, None))


def _quality_rows(
    title: str,
    found: Mapping[str, Quality],
    f1: tuple[float | None, float | None],
    covers: tuple[float | None, float | None],
) -> Iterator[Row]:
    title = title.format(f"{found[OURS].series:,}" if found else "24")
    for name, bounds in (("f1", f1), ("covering", covers)):
        figures = {}
        for spec, measured in found.items():
            interval = getattr(measured, name)
            note = f"{share(interval.low)}-{share(interval.high)}" if spec == OURS else ""
            figures[spec] = Figure(interval.estimate, note)
        yield Row(f"{title}: {'F1' if name == 'f1' else name}", *bounds, figures, share)


def quiet(study: Study) -> Iterator[Row]:
    """Alarms where nothing changes: the four kinds of white noise pooled, then each kind."""
    found = {s: {name: study.of_noise(s, name) for name in NOISE} for s in study.specs()}
    white = {
        spec: tuple(answer for name in WHITE for answer in kinds[name])
        for spec, kinds in found.items()
    }
    yield _alarm_row("white noise, four kinds", (0.01, None), white)
    for name in NOISE:
        title = f"of these {name}" if name in WHITE else name
        answers = {spec: kinds[name] for spec, kinds in found.items()}
        yield _alarm_row(title, MOST_ALARMS.get(name, (None, None)), answers)


def _alarm_row(
    title: str,
    bounds: tuple[float | None, float | None],
    answers: Mapping[str, Sequence[Answer]],
) -> Row:
    figures = {spec: Figure(alarms(of).value) for spec, of in answers.items()}
    title = f"{title}, {len(answers[OURS]):,} series: with an alarm"
    return Row(title, *bounds, figures, percent, most=True)


def power(study: Study) -> Iterator[Row]:
    for sigma, floor in POWER.items():
        shares = {spec: found_alone(study.of_step(spec, sigma)) for spec in HEADS}
        figures = {spec: Figure(one.value) for spec, one in shares.items()}
        title = f"one step of {sigma} sd, {shares[OURS].whole} series: found, and nothing else"
        yield Row(title, floor, None, figures, percent)


def mozilla(study: Study) -> Iterator[Row]:
    sources = study.stored("mozilla")
    specs = study.specs() if sources else ()
    found = {spec: pooled(study.lab.ask(spec, sources)) for spec in specs}
    for name in ("f1", "precision", "recall"):
        figures = {
            spec: Figure(
                getattr(c, name), f"{c.hits} hits, {c.missed} missed, {c.false} others"
            ) if name == "f1" else Figure(getattr(c, name))
            for spec, c in found.items()
        }  # fmt: skip
        rivals = {"f1": (PERFHERDER, VOTE), "recall": (PERFHERDER,), "precision": ()}[name]
        floor = max((figures[r].value for r in rivals if r in figures), default=None)
        title = f"Mozilla given, pooled: {'F1' if name == 'f1' else name}"
        yield Row(title, floor, None, figures, share)


def calibrated(tenths: Sequence[Tenth], title: str) -> Row:
    """The largest gap of all tenths that have `ENOUGH` reports."""
    gaps = [tenth.gap for tenth in tenths if tenth.hits.whole >= ENOUGH]
    figures = {OURS: Figure(max(map(abs, gaps)))} if gaps else {}
    title = f"largest gap of score and share of hits in a tenth, {title}"
    return Row(title, MOST_GAP, None, figures, share, most=True)


def prompt(study: Study) -> Iterator[Row]:
    for sigma in (2, 3, 5):
        figures = {}
        for spec in study.specs():
            delay = lived_through(study.grown_steps(spec, sigma)).median_delay
            figures[spec] = Figure(math.inf if delay is None else delay)
        title = f"step of {sigma} sd after {STEP_AT} points: points until reported, median"
        yield Row(title, PROMPT if sigma == 3 else None, None, figures, number, most=True)


def stable(study: Study) -> Iterator[Row]:
    steps, suites = {}, {}
    for spec in study.specs():
        grown = [answer for sigma in POWER for answer in study.grown_steps(spec, sigma)]
        steps[spec], suites[spec] = lived_through(grown), lived_through(study.grown_suite(spec))
    for title, found in (
        (f"steps of {min(POWER)} to {max(POWER)} sd", steps),
        (f"synthetic, n = {GROWN}", suites),
    ):
        figures = {
            spec: Figure(score.vanished_share, f"{score.vanished} of {score.reports}")
            for spec, score in found.items()
        }
        yield Row(
            f"replay, {title}: reports that vanish", MOST_VANISHED, None, figures, percent,
            most=True,
        )  # fmt: skip


def fast(study: Study, run: int) -> Row:
    measured = speed(OURS, study.seed, run=run, series=FLEET, points=FLEET_POINTS)
    how = f"{'all' if run == FLEET else run} run; {measured.processor:.0f} s of processor time"
    title = f"{FLEET:,} series of {FLEET_POINTS:,} points on two threads"
    figures = {OURS: Figure(measured.seconds, how)}
    return Row(title, FLEET_SECONDS, None, figures, whole_seconds, most=True)


def suite_scores(study: Study, spec: str) -> tuple[Tenth, ...]:
    """The reliability of *spec* on the suites of three lengths, as many again without a change."""
    count = study.sizes.of(study.sizes.suite, OURS)
    sources = [source for n in SUITES for p in ("", "none-") for source in study.suite(n, count, p)]
    return reliability(study.lab.ask(spec, sources))


def of_tenths(tenths: Sequence[Tenth]) -> Iterator[str]:
    heads = ("Score", "reports", "mean score", "share of hits", "gap", "standard error")
    yield from plain(
        heads,
        (
            (
                f"{t.low:.1f} to {t.low + 0.1:.1f}",
                f"{t.hits.whole:,}",
                share(t.score),
                share(t.hits.value),
                f"{t.gap:+.3f}",
                share(t.error),
            )
            for t in tenths
        ),
    )


GROWN_HEADS = ("reports on replay", "vanish", "come back", "move", "false", "median delay")


def _grown(answers: Sequence[Answer]) -> list[str]:
    score = lived_through(answers)
    counted = (score.reports, score.vanished, score.returned, score.moved, score.false_alarms)
    delay = score.median_delay
    return [*map(str, counted), number(math.inf if delay is None else delay)]


def of_steps(study: Study) -> Iterator[str]:
    """How the reports of `stepmark` on one step fare on replay, by its size."""
    rows = ([f"{sigma} sd", *_grown(study.grown_steps(OURS, sigma))] for sigma in POWER)
    yield from plain(["Step", *GROWN_HEADS], rows)


def of_kinds(study: Study) -> Iterator[str]:
    """`stepmark` on the kinds of the suites: F1 by length, and how its reports fare on replay."""
    f1 = {
        n: {kind: quality(of).f1.estimate for kind, of in by_kind(study.of_suite(OURS, n)).items()}
        for n in SUITES
    }
    heads = ["Kind", *(f"F1, n = {n:,}" for n in SUITES), *GROWN_HEADS]
    rows = (
        [kind, *(share(f1[n][kind]) for n in SUITES), *_grown(of)]
        for kind, of in by_kind(study.grown_suite(OURS)).items()
    )
    yield from plain(heads, rows)


def of_lengths(study: Study) -> Iterator[str]:
    """Alarms of `stepmark` on noise by kind and length."""
    rows = []
    for name in NOISE:
        answers = study.of_noise(OURS, name)
        by_length = [[a for a in answers if a.length == n] for n in LENGTHS]
        rows.append([name, *(percent(alarms(of).value) for of in by_length)])
    yield from plain(["Noise", *(f"n = {n:,}" for n in LENGTHS)], rows)


def of_ablations(study: Study) -> Iterator[str]:
    """`stepmark` without each of its parts, on the same series."""
    heads = ["`stepmark`", *(["TCPD"] if study.stored("tcpd") else [])]
    heads += [f"n = {n:,}" for n in SUITES]
    heads += ["white noise", "AR(1) .6", "variance", "drift"]
    yield from plain(heads, (_ablated(study, without) for without in ABLATIONS))


def _ablated(study: Study, without: str) -> list[str]:
    def ask(sources: Sequence[Source]) -> tuple[Answer, ...]:
        return study.lab.ask(OURS, sources, without=without)

    sources = [study.stored("tcpd")] if study.stored("tcpd") else []
    sources += [study.suite(n, study.sizes.ablated_suite) for n in SUITES]
    cells = [share(quality(ask(each)).f1.estimate) for each in sources]
    for names in (WHITE, ("AR(1) .6",), ("variance changes by 3",), ("drift of 1.5 sd",)):
        of = [s for name in names for s in study.noise(name, study.sizes.ablated_noise)]
        cells.append(percent(alarms(ask(of)).value))
    return [f"without {without}" if without else "as it is", *cells]


def figures(study: Study, timed: int) -> str:
    """All figures, as Markdown."""
    timing = fast(study, timed)  # before the processes have anything to do
    by_default, all_scores = (suite_scores(study, spec) for spec in (OURS, ALL_SCORES))
    others = {spec: head for spec, head in HEADS.items() if spec != ORACLE}
    sizes = study.sizes
    seed = f"synthetic series of seed {study.seed}, the others on the first {sizes.suite[1]} a kind"
    lengths = ", ".join(f"{n:,}" for n in LENGTHS)
    few = f"{sizes.noise[1]} of each kind and length"
    ablated = (
        f"{len(SUITE) * sizes.ablated_suite} series a suite,"
        f" {len(LENGTHS) * sizes.ablated_noise} a kind of noise"
    )
    parts = [
        (
            f"F1 and covering as TCPDBench has them, with 95 % bootstrap intervals; {seed}:",
            judged([*labelled(study), *synthetic(study)], others),
        ),
        (
            f"Nothing changes; n = {lengths} in equal shares, the first {few} for the others:",
            judged(quiet(study), others),
        ),
        (
            f"One step at {STEP_AT} of {STEP_POINTS} points; last, least squares told of one:",
            judged(power(study), HEADS),
        ),
        (
            "Real series, whose labels are not complete, without the rule of index 0:",
            judged(mozilla(study), others),
        ),
        (
            f"As points come in one by one, asked from {FIRST_ASKED} points on:",
            judged([*prompt(study), *stable(study)], others),
        ),
        (
            "Scores and speed:",
            judged(
                [
                    calibrated(by_default, "by default"),
                    calibrated(all_scores, f"`{ALL_SCORES}`"),
                    timing,
                ],
                {OURS: HEADS[OURS]},
            ),
        ),
        (
            "Reliability by default, on the suites and as many series of their noise alone:",
            of_tenths(by_default),
        ),
        (f"The same of `{ALL_SCORES}`:", of_tenths(all_scores)),
        ("By size of the step:", of_steps(study)),
        (f"By kind of series; replay at n = {GROWN}:", of_kinds(study)),
        ("Series with an alarm where nothing changes, by length:", of_lengths(study)),
        (
            f"Without each part: F1, and noise with an alarm, {ablated}:",
            of_ablations(study),
        ),
    ]
    text = [f"{title}\n\n" + "\n".join(lines) for title, lines in parts]
    return "\n\n".join([machine(), *text])


def shared_data() -> Path:
    """Where the given series are, if they are anywhere."""
    given = os.environ.get("STEPMARK_SHARED_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path, nargs="?", help="where to put the figures")
    parser.add_argument("--quick", action="store_true", help="few series: a minute")
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic series")
    parser.add_argument("--all", action="store_true", help=f"time all {FLEET:,} series")
    given = parser.parse_args()
    if given.page:
        require(given.page)
    sizes = QUICK if given.quick else Sizes()
    with Laboratory() as lab:
        study = Study(lab, sizes, given.seed, shared_data())
        found = figures(study, FLEET if given.all else sizes.timed)
    if given.page:
        put(given.page, found)
    else:
        print(found)


if __name__ == "__main__":
    main()
