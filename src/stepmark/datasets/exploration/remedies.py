# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Proposals that rest on how series are measured: windows, bands, and more runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepmark.datasets.exploration.canonical import Tables
from stepmark.datasets.exploration.intervals import Share, kaplan_meier, quantile, summed, wilson
from stepmark.datasets.exploration.phrases import counted, days, number, share, shares
from stepmark.datasets.exploration.properties import THRESHOLD
from stepmark.datasets.exploration.sampling import BACK, FORE, LOOK_BACK, with_reach
from stepmark.datasets.exploration.times import durations
from stepmark.datasets.exploration.values import TOUCHED, Proposal, TooLittle
from stepmark.extras import require

if TYPE_CHECKING:
    import polars as pl

T_THRESHOLD = 7.0
"""Beyond which Perfherder's t is a change."""

_MOST_BACK = 24
_HALF = FORE // 2
_BANDS = 0.8
_RUNS = 3  # times as many measurements
_LEAST_FREEDOM = 10
_LEAST_GAIN = 0.05  # of the chance to find a change
_LEAST_POWER = 0.5  # with more runs


def windows(tables: Tables, profiles: pl.DataFrame) -> Iterator[Proposal | TooLittle]:
    """Series that are measured too seldom to alert, and fore windows that are long in days."""
    pl = require("polars")
    asked = pl.col("should_alert").fill_null(value=True) & ~pl.col("ended").fill_null(value=True)
    live = with_reach(profiles.filter(asked))
    if profiles.height and not live.height:
        yield TooLittle("window", "all frameworks", "no series that should alert is alive")
    for (framework, suite), own in live.group_by("framework", "suite", maintain_order=True):
        blind = wilson(summed(own["blind"]), own.height)
        if blind.count and blind.count * 2 > blind.total:
            yield _blind(f"{framework} {suite}", own, blind)
    delays = durations(tables).filter(pl.col("step") == "detection delay")
    for (framework,), own in live.group_by("framework", maintain_order=True):
        seen = own.filter(~pl.col("blind"))
        spans = delays.filter(pl.col("framework") == framework)
        if spans.height < 20:
            yield TooLittle(
                "window",
                str(framework),
                f"{counted(spans.height, 'detection delay')} known of the {20} that it takes to"
                " compare them with the windows",
            )
        elif seen.height:
            yield from _shorter(tables, str(framework), seen, spans)


def _blind(subject: str, own: pl.DataFrame, blind: Share) -> Proposal:
    pl = require("polars")
    lost = own.filter(pl.col("blind"))
    pace = (quantile(lost["wait"]) or 0.0) / FORE
    return Proposal(
        kind="window",
        subject=subject,
        action=(
            f"Measure {subject} at least {BACK + FORE} times in {LOOK_BACK} days, or give it"
            " smaller windows: as it is, no change of it can raise an alert."
        ),
        reason=(
            f"{blind.count:,} of {counted(blind.total, 'live series', 'live series')} that should"
            f" alert ({shares(blind.low, blind.high)} by Wilson) get a measurement every"
            f" {days(pace)}, which makes {number(LOOK_BACK / pace if pace else None)} in"
            f" {LOOK_BACK} days where the detector needs {BACK + FORE}."
        ),
        saves=None,
        costs=None,
        sure="well supported" if blind.count >= 5 else "tentative",
        worth=TOUCHED * blind.count,
        evidence={"series": blind.total, "too seldom": blind.count, "days a measurement": pace},
    )


def _shorter(
    tables: Tables, framework: str, seen: pl.DataFrame, spans: pl.DataFrame
) -> Iterator[Proposal]:
    """A fore window half as long, where waiting for the present one is most of the delay."""
    pl = require("polars")
    delay = kaplan_meier(spans["days"].to_list(), spans["done"].to_list())
    middle, low = delay.quantile(0.5), delay.quantile_low(0.5)
    wait = quantile(seen["wait"]) or 0.0
    if middle is None or low is None or wait < 1 or wait < low / 2:
        return
    earlier = min(wait, middle) / 2
    # The t of the same change with half the points after it.
    shrink = math.sqrt((1 / _MOST_BACK + 1 / FORE) / (1 / _MOST_BACK + 1 / _HALF))
    own = tables.alerts.filter(
        (pl.col("framework") == framework)
        & pl.col("verdict").is_not_null()
        & pl.col("t").is_finite()
    )
    weak = own["t"] * shrink < T_THRESHOLD
    true = own["verdict"] == "true"
    lost = wilson(int((weak & true).sum()), int(true.sum()))
    avoided = wilson(int((weak & ~true).sum()), int((~true).sum()))
    if lost.count > avoided.count:
        return
    yield Proposal(
        kind="window",
        subject=framework,
        action=(
            f"Try a fore window of {_HALF} instead of {FORE} in {framework}: alerts come about"
            f" {days(earlier)} earlier."
        ),
        reason=(
            f"The median alert comes {days(middle)} after its push"
            f" ({days(low)} to {days(delay.quantile_high(0.5))}), and {FORE} measurements take"
            f" {days(wait)} in the middle of {counted(seen.height, 'live series', 'live series')}."
            f" With half of them t would be {shrink:.2f} of what it is:"
            f" {lost.count:,} of {counted(lost.total, 'true alert')} would fall below"
            f" {T_THRESHOLD:g}{_interval(lost)} and {avoided.count:,} of"
            f" {counted(avoided.total, 'false one')}. How many alerts the shorter window would add"
            " is not in these data."
        ),
        saves=avoided if avoided.total else None,
        costs=lost if lost.total else None,
        sure="tentative",
        worth=TOUCHED * spans.height,
        evidence={
            "delays": spans.height,
            "median delay in days": middle,
            "days for the fore window": wait,
            "days earlier": earlier,
            "true alerts lost": lost.count,
            "false alerts avoided": avoided.count,
        },
    )


def _interval(found: Share) -> str:
    return f" ({shares(found.low, found.high)})" if found.total else ""


def bands(tables: Tables, profiles: pl.DataFrame) -> Iterator[Proposal]:
    """Suites that behave in two bands on a platform."""
    pl = require("polars")
    known = profiles.drop_nulls("bands").with_columns(split=pl.col("bands") > _BANDS)
    alerts = tables.alerts.drop_nulls("verdict").join(
        known.select("repository", "signature", "split"), on=["repository", "signature"]
    )
    keys = ["framework", "suite", "platform"]
    for key, own in known.group_by(keys, maintain_order=True):
        found = wilson(summed(own["split"]), own.height)
        if found.count * 2 <= found.total:
            continue
        framework, suite, platform = map(str, key)
        others = known.filter(
            (pl.col("framework") == framework)
            & (pl.col("suite") == suite)
            & (pl.col("platform") != platform)
        )
        of = alerts.filter(pl.col("framework") == framework)
        here = of.filter(
            (pl.col("suite") == suite) & (pl.col("platform") == platform) & pl.col("split")
        )
        yield _split((framework, suite, platform), found, others, here, of.filter(~pl.col("split")))


def _split(
    key: tuple[str, str, str],
    found: Share,
    others: pl.DataFrame,
    here: pl.DataFrame,
    normal: pl.DataFrame,
) -> Proposal:
    framework, suite, platform = key
    false, usual = (
        wilson(int((part["verdict"] == "false").sum()), part.height) for part in (here, normal)
    )
    elsewhere = summed(others["split"])
    excess = max(0.0, false.low - usual.high) * false.total
    text = (
        f"{found.count:,} of {counted(found.total, 'series')} of {suite} on {platform} go back and"
        f" forth between two levels, and {elsewhere:,} of {others.height:,} on other platforms."
    )
    if false.total:
        text += (
            f" {false.count:,} of {counted(false.total, 'decided alert')} on them are false"
            f" ({shares(false.low, false.high)}); on series of {framework} that have one level"
            f" {share(usual.value)} are."
        )
    return Proposal(
        kind="bands",
        subject=f"{framework} {suite} on {platform}",
        action=(
            f"Find what puts {suite} on {platform} into two levels (machines, layouts, modes) and"
            " record each as a series of its own."
        ),
        reason=text,
        saves=false if false.total else None,
        costs=None,
        sure="well supported" if excess > 0 else "tentative",
        worth=excess + TOUCHED * found.count,
        evidence={
            "series": found.total,
            "in two bands": found.count,
            "on other platforms": others.height,
            "in two bands on other platforms": elsewhere,
            "false alerts": false.count,
            "decided alerts": false.total,
        },
    )


def retriggers(profiles: pl.DataFrame) -> Iterator[Proposal | TooLittle]:
    """Suites whose changes would be found more surely with more runs of a revision."""
    pl = require("polars")
    whole = profiles.drop_nulls("relative").filter(pl.col("level") != 0)
    known = with_power(whole)
    for (framework,), own in whole.group_by("framework", maintain_order=True):
        measured = known.filter(pl.col("framework") == framework)
        if measured.height < 5:
            yield TooLittle(
                "retrigger",
                str(framework),
                f"{measured.height:,} of {counted(own.height, 'series')} have revisions measured"
                f" more than once, {_LEAST_FREEDOM} times and more; five are needed to tell noise"
                " of runs from noise of revisions",
            )
    for (framework, suite), own in known.group_by("framework", "suite", maintain_order=True):
        if own.height >= 3:
            yield from _more_runs(f"{framework} {suite}", own)


def with_power(profiles: pl.DataFrame) -> pl.DataFrame:
    """Series of which runs are known, with power and power_more: the chances to find a change.

    The change is as large as the alert threshold; power is that of Perfherder's t test with full
    windows and independent revisions, power_more with three times as many runs.
    """
    import numpy as np
    from scipy.special import ndtr

    pl = require("polars")
    own = profiles.filter(
        (pl.col("within_freedom") >= _LEAST_FREEDOM)
        & (pl.col("sigma") > 0)
        & (pl.col("change_type").fill_null(0) == 0)
    )
    runs = own["runs"].to_numpy()
    total = own["sigma"].to_numpy() ** 2
    of_runs = np.minimum(own["within"].to_numpy() ** 2 / runs, total)
    more = total - of_runs + of_runs / _RUNS
    percent = own["threshold"].fill_null(THRESHOLD).to_numpy()
    size = np.abs(own["level"].to_numpy()) * percent / 100
    points = 1 / _MOST_BACK + 1 / FORE
    with np.errstate(divide="ignore"):
        before = ndtr(size / np.sqrt(total * points) - T_THRESHOLD)
        after = ndtr(size / np.sqrt(more * points) - T_THRESHOLD)
    return own.with_columns(
        power=pl.Series(before, dtype=pl.Float64), power_more=pl.Series(after, dtype=pl.Float64)
    )


def _more_runs(subject: str, own: pl.DataFrame) -> Iterator[Proposal]:
    import numpy as np

    pl = require("polars")
    gains = (own["power_more"] - own["power"]).to_numpy()
    drawn = np.random.default_rng(0).choice(gains, (2000, gains.size)).mean(axis=1)
    low, high = map(float, np.quantile(drawn, (0.025, 0.975)))
    gain = float(gains.mean())
    # Many runs for a change that stays hidden do not pay.
    if low < _LEAST_GAIN or own["power_more"].to_numpy().mean() < _LEAST_POWER:
        return
    live = own.filter(~pl.col("ended") & (pl.col("interval") > 0))
    if not live.height:
        return
    weekly = float((live["runs"] * (_RUNS - 1) * 7 / live["interval"]).sum())
    evidence: dict[str, Any] = {
        "series": own.height,
        "power": float(own["power"].to_numpy().mean()),
        "power with more runs": float(own["power_more"].to_numpy().mean()),
        "gain": gain,
        "gain low": low,
        "gain high": high,
        "runs a revision": float(own["runs"].to_numpy().mean()),
        "more runs a week": weekly,
    }
    yield Proposal(
        kind="retrigger",
        subject=subject,
        action=f"Run {subject} {_RUNS} times as often on each revision that is measured.",
        reason=(
            f"In {counted(own.height, 'series')} runs of one revision differ so much that a change"
            f" of the size of the alert threshold is found with a chance of"
            f" {share(evidence['power'])}; with {_RUNS} times as many runs it would be"
            f" {share(evidence['power with more runs'])}, which is {100 * gain:.0f} points"
            f" more ({100 * low:.0f} to {100 * high:.0f} by bootstrap over the series). That is"
            f" about {number(weekly)} more runs a week."
        ),
        saves=None,
        costs=None,
        sure="well supported" if own.height >= 10 else "tentative",
        worth=TOUCHED * low * own.height,
        evidence=evidence,
    )
