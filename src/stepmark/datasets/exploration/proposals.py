# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Changes of the workflow that the alerts speak for, the most worthwhile first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from stepmark.datasets.exploration.canonical import Tables
from stepmark.datasets.exploration.intervals import (
    Share,
    corrected,
    independent,
    summed,
    wilson,
)
from stepmark.datasets.exploration.phrases import counted, number, share, shares
from stepmark.datasets.exploration.remedies import bands, retriggers, windows
from stepmark.datasets.exploration.sweeps import (
    LEAST,
    MOST_LOST,
    Chosen,
    Measure,
    choose,
    decided,
)
from stepmark.datasets.exploration.values import TOUCHED, Proposal, Sureness, TooLittle
from stepmark.datasets.exploration.worth import with_independent, worth
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

_LEAST_DROPPED = 10  # decided alerts, to say that a suite only gives false ones
_LEAST_BUGS = 10


def proposals(
    tables: Tables, profiles: pl.DataFrame
) -> tuple[tuple[Proposal, ...], tuple[TooLittle, ...]]:
    """All proposals, the one of the most worth first, and the questions with too few data."""
    found = list(
        chain(
            thresholds(tables, "percent"),
            thresholds(tables, "t"),
            dropped(tables),
            ignored(tables),
            platforms(tables),
            windows(tables, profiles),
            bands(tables, profiles),
            retriggers(profiles),
        )
    )
    made = [one for one in found if isinstance(one, Proposal)]
    made.sort(key=lambda one: (-one.worth, one.kind, one.subject))
    return tuple(made), tuple(one for one in found if isinstance(one, TooLittle))


def thresholds(tables: Tables, measure: Measure) -> Iterator[Proposal | TooLittle]:
    """For each framework the threshold that avoids false alerts and loses few true ones."""
    kind = "threshold" if measure == "percent" else "t-threshold"
    pl = require("polars")
    own = decided(tables, measure)
    named = tables.alerts.drop_nulls("verdict")["framework"].unique().sort()
    for framework in named:
        part = own.filter(pl.col("framework") == framework)
        true = int((part["verdict"] == "true").sum())
        false = part.height - true
        if min(true, false) < LEAST:
            yield TooLittle(
                kind,
                framework,
                f"{counted(true, 'true alert')} and {counted(false, 'false one')} that are decided"
                f" and have a {'size in percent' if measure == 'percent' else 't value'}; {LEAST}"
                " of each are needed",
            )
            continue
        chosen = choose(part, measure)
        # What chance could have chosen is no proposal, nor what loses more than it avoids.
        if (
            chosen is not None
            and chosen.avoided.low >= 0.05
            and chosen.avoided.count > chosen.lost.count
        ):
            yield _threshold(kind, framework, measure, chosen)


def _threshold(kind: str, framework: str, measure: Measure, chosen: Chosen) -> Proposal:
    unit = " %" if measure == "percent" else ""
    value = f"{number(chosen.threshold)}{unit}"
    avoided, lost = chosen.avoided, chosen.lost
    word = "an alert threshold" if measure == "percent" else "a threshold of t"
    sure: Sureness = "tentative"
    gain = avoided.low * avoided.total - lost.high * lost.total
    steady = chosen.most <= 1.5 * chosen.least
    if avoided.low >= 0.1 and lost.high <= 2 * MOST_LOST and steady and gain > 0:
        sure = "well supported"
    between = (
        f"every part of the data chooses {value}"
        if chosen.least == chosen.most
        else f"parts of the data choose {number(chosen.least)} to {number(chosen.most)}{unit}"
    )
    return Proposal(
        kind=kind,
        subject=framework,
        action=f"Set {word} of {value} for {framework}.",
        reason=(
            f"On alerts that had no part in the choice it avoids {avoided.count:,} of"
            f" {counted(avoided.total, 'false alert')}, {share(avoided.value)}"
            f" ({shares(avoided.low, avoided.high)}), and loses {lost.count:,} of"
            f" {counted(lost.total, 'true one')}, {share(lost.value)}"
            f" ({shares(lost.low, lost.high)}); {between}."
        ),
        saves=avoided,
        costs=lost,
        sure=sure,
        worth=gain,
        evidence={
            "threshold": chosen.threshold,
            "lowest choice": chosen.least,
            "highest choice": chosen.most,
            "false alerts": avoided.total,
            "false alerts avoided": avoided.count,
            "false alerts avoided by those that chose": chosen.told[0],
            "true alerts": lost.total,
            "true alerts lost": lost.count,
            "true alerts lost by those that chose": chosen.told[1],
        },
    )


def dropped(tables: Tables) -> Iterator[Proposal | TooLittle]:
    """Suites, and tests of other suites, most of whose alerts are false."""
    pl = require("polars")
    taken: set[tuple[str, str]] = set()
    suites = worth(tables).frame
    named = suites.filter(pl.col("decided") >= _LEAST_DROPPED)
    if not named.height and suites.height:
        most = max(suites["decided"].to_list())
        yield TooLittle(
            "suite",
            "all suites",
            f"no suite has more than {counted(most, 'decided alert')}; {_LEAST_DROPPED} are needed",
        )
    for row in _mostly_false(with_independent(named, tables, ("framework", "suite"))):
        taken.add((row["framework"], row["suite"]))
        yield _dropped("suite", f"{row['framework']} {row['suite']}", row, suites)
    keys = ("framework", "suite", "test")
    tests = worth(tables, keys).frame.filter(pl.col("decided") >= _LEAST_DROPPED)
    for row in _mostly_false(with_independent(tests, tables, keys)):
        if row["test"] and (row["framework"], row["suite"]) not in taken:
            name = f"{row['framework']} {row['suite']} {row['test']}"
            yield _dropped("test", name, row, suites)


def _mostly_false(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Those that give false alerts more often than not, with 95 % for all of them together.

    Their intervals are those of summaries, for one bad push makes many false alerts.
    """
    z = corrected(frame.height)
    for row in frame.iter_rows(named=True):
        false = wilson(row["false"], row["decided"])
        if independent(false, row["independent"], z).low > 0.5:
            wide = independent(false, row["independent"])
            yield row | {"low": wide.low, "high": wide.high}


def _dropped(kind: str, subject: str, row: dict[str, Any], suites: pl.DataFrame) -> Proposal:
    pl = require("polars")
    of = suites.filter(pl.col("framework") == row["framework"])
    saves = wilson(row["false"], summed(of["false"]))
    costs = wilson(row["true"], summed(of["true"]))
    bugs = "no bug was filed for it"
    if row["bugs"]:
        bugs = (
            f"{counted(row['bugs'], 'bug')} were filed for it"
            f" (touched within two weeks: {share(row['traction'])}; of resolved ones fixed:"
            f" {share(row['fixed'])})"
        )
    return Proposal(
        kind=kind,
        subject=subject,
        action=f"Stop alerting on {subject}, or mend the {kind} first.",
        reason=(
            f"{row['false']:,} of {counted(row['decided'], 'decided alert')} of it, in"
            f" {counted(row['summaries'], 'summary', 'summaries')}, are false,"
            f" {share(row['share'])} ({shares(row['low'], row['high'])}); {row['true']:,} true ones"
            f" would be lost. These are {share(saves.value)} of the false and"
            f" {share(costs.value)} of the true alerts of {row['framework']}; {bugs}."
        ),
        saves=saves,
        costs=costs,
        sure="well supported" if row["low"] >= 0.7 else "tentative",
        worth=(2 * row["low"] - 1) * row["decided"],
        evidence={
            "false alerts": row["false"],
            "true alerts": row["true"],
            "decided alerts": row["decided"],
            "summaries": row["summaries"],
            "alerts": row["alerts"],
            "missed": row["missed"],
            "bugs": row["bugs"],
            "traction": row["traction"],
            "fixed": row["fixed"],
        },
    )


def ignored(tables: Tables) -> Iterator[Proposal]:
    """Suites whose bugs engineers seldom touch, and less than those of a framework's others."""
    pl = require("polars")
    known = (
        worth(tables)
        .frame.drop_nulls("traction")
        .with_columns(touched=(pl.col("traction") * pl.col("followed")).round().cast(pl.Int64))
    )
    frame = known.filter(pl.col("followed") >= _LEAST_BUGS)
    z = corrected(frame.height)
    for row in frame.iter_rows(named=True):
        touched = wilson(row["touched"], row["followed"])
        others = known.filter(
            (pl.col("framework") == row["framework"]) & (pl.col("suite") != row["suite"])
        )
        rest = wilson(summed(others["touched"]), summed(others["followed"]))
        seldom = wilson(touched.count, touched.total, z).high
        # Where all are left alone, that is no property of a suite.
        if seldom >= 0.5 or (rest.total and seldom >= rest.low):
            continue
        subject = f"{row['framework']} {row['suite']}"
        yield Proposal(
            kind="traction",
            subject=subject,
            action=f"Ask who needs {subject}: its bugs are left alone.",
            reason=(
                f"Of {counted(touched.total, 'bug')} {touched.count:,} were touched within two"
                f" weeks, {share(touched.value)} ({shares(touched.low, touched.high)}), of the bugs"
                f" of the framework's other suites {share(rest.value)}; of resolved ones"
                f" {share(row['fixed'])} were fixed. It gave"
                f" {counted(row['alerts'], 'alert')}."
            ),
            saves=None,
            costs=None,
            sure="well supported" if touched.high < 0.3 else "tentative",
            worth=TOUCHED * row["alerts"],
            evidence={
                "bugs": touched.total,
                "touched within two weeks": touched.count,
                "bugs of other suites": rest.total,
                "touched of other suites": rest.count,
                "fixed": row["fixed"],
                "alerts": row["alerts"],
            },
        )


def platforms(tables: Tables) -> Iterator[Proposal]:
    """Platforms on which a framework gives false alerts more often than on its others."""
    keys = ("framework", "platform")
    frame = with_independent(worth(tables, keys).frame, tables, keys)
    z = corrected(frame.height)
    for _, own in frame.group_by("framework", maintain_order=True):
        false, total = summed(own["false"]), summed(own["decided"])
        items = float(own["independent"].sum())
        for row in own.iter_rows(named=True):
            if row["decided"] < LEAST or total - row["decided"] < LEAST:
                continue
            rest = wilson(false - row["false"], total - row["decided"])
            rest = independent(rest, items - row["independent"])
            here = wilson(row["false"], row["decided"])
            if independent(here, row["independent"], z).low > rest.high:
                wide = independent(here, row["independent"])
                yield _platform(row | {"low": wide.low, "high": wide.high}, rest, (false, total))


def _platform(row: dict[str, Any], rest: Share, all_of: Sequence[int]) -> Proposal:
    false, total = all_of
    subject = f"{row['framework']} on {row['platform']}"
    excess = (row["low"] - rest.high) * row["decided"]
    return Proposal(
        kind="platform",
        subject=subject,
        action=(
            f"Confirm alerts of {subject} with more runs before they reach a sheriff, and look for"
            " what makes its machines noisy."
        ),
        reason=(
            f"{row['false']:,} of {counted(row['decided'], 'decided alert')} there, in"
            f" {counted(row['summaries'], 'summary', 'summaries')}, are false,"
            f" {share(row['share'])} ({shares(row['low'], row['high'])}); on its other platforms"
            f" {share(rest.value)} ({shares(rest.low, rest.high)}) of {rest.total:,} are."
        ),
        saves=wilson(row["false"], false),
        costs=wilson(row["true"], total - false),
        sure="well supported" if row["low"] - rest.high > 0.1 else "tentative",
        worth=excess,
        evidence={
            "false alerts": row["false"],
            "decided alerts": row["decided"],
            "summaries": row["summaries"],
            "false alerts elsewhere": rest.count,
            "decided alerts elsewhere": rest.total,
        },
    )
