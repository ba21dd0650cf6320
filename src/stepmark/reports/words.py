# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""How the reports put things: numbers, times, revisions, names from outside, and the headline.

Every function is pure and total: whatever the value, what comes back is one line of text that is
safe to print. Escaping for a form of output (HTML, Markdown, XML) is that output's own business.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from stepmark.alerts.policy import Outcome
from stepmark.changes import Change, Verdict
from stepmark.reports.summary import PROBABILITY, SeriesSummary, Summary
from stepmark.series import Direction, Failure, Skipped

NONE = "-"
"""What stands where nothing is known."""

_TIME = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0}
_TIME |= {"sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "milliseconds": 1e-3}
_TIME |= {"microseconds": 1e-6, "nanoseconds": 1e-9}
_Steps = tuple[tuple[float, str], ...]
_TIME_STEPS: _Steps = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_COUNTED = {"pps": "pps", "cps": "cps", "bps": "bps", "Hz": "Hz", "B": "B", "bytes": "B"}
_COUNTED |= {"byte": "B", "B/s": "B/s", "bytes/s": "B/s", "ops/s": "ops/s", "iter/s": "iter/s"}
_COUNT_STEPS: _Steps = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_HASH = re.compile(r"[0-9a-f]{12,64}", re.IGNORECASE)
_SHORT_HASH = 10
_NONCHARACTERS = 0xFFFE
_SPACES = re.compile(r"\s+")


def clean(text: str, limit: int | None = 200) -> str:
    r"""*text* on one line, of at most *limit* characters, with nothing in it that acts unseen.

    White space of any kind becomes one space. Control characters, escape sequences, bidirectional
    and zero-width marks, lone surrogates and noncharacters are written out (``\x1b``,
    ``\u202e``), so that two names that differ still look different. What is longer than *limit*
    ends in an ellipsis; None is no limit.
    """
    if limit is not None:
        text = text[: 2 * limit + 2]  # bounds the work on hostile lengths
    text = _SPACES.sub(" ", text).strip()
    if not (text.isascii() and text.isprintable()):
        text = "".join(_visible(c) for c in text)
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)].rstrip() + "…"
    return text


def name(text: str, limit: int = 120) -> str:
    """A name made safe by `clean`, of which the middle is left out where it is too long.

    What tells two series apart, such as labels, often stands at the end.
    """
    shown = clean(text, 10 * limit)
    if len(shown) <= limit:
        return shown
    tail = (limit - 1) // 2
    return f"{shown[: limit - 1 - tail].rstrip()}…{shown[len(shown) - tail :].lstrip()}"


def _visible(character: str) -> str:
    code = ord(character)
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    if not hidden and code & _NONCHARACTERS != _NONCHARACTERS and not 0xFDD0 <= code <= 0xFDEF:
        return character
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def number(value: float | None, unit: str = "", digits: int = 4) -> str:
    """*value* with its unit to *digits* significant digits, such as ``4.123 ms``.

    Seconds take the step that reads best (s, ms, us, ns), packets, bits, bytes and the like a
    prefix (``12.35 Mpps``); any other unit is kept. None gives ``-``.
    """
    if value is None:
        return NONE
    scale, name = unit_scale(abs(value), unit)
    return _joined(_digits(value / scale, digits), name)


def step(before: float, after: float, unit: str = "", arrow: str = "->") -> str:
    """Both sides of a change in one unit, such as ``4.10 -> 4.61 ms``.

    Both have the same number of decimals, as many as it takes to tell them apart.
    """
    scale, name = unit_scale(max(abs(before), abs(after)), unit)
    sides = [before / scale, after / scale]
    places = max(_places(max(sides, key=abs), 3), 0)
    if before != after and math.isfinite(sides[1] - sides[0]):
        places = max(places, min(_places(sides[1] - sides[0], 2), 12))
    texts = [_fixed(side, places) for side in sides]
    return _joined(f"{texts[0]} {arrow} {texts[1]}", name)


def unit_scale(magnitude: float, unit: str) -> tuple[float, str]:
    """What to divide a value of this *magnitude* and *unit* by, and the unit of the quotient."""
    if not 0 < magnitude < math.inf:
        return 1.0, clean(unit, 24)
    if unit in _TIME:
        steps, base, name = _TIME_STEPS, _TIME[unit], ""
    elif unit in _COUNTED and magnitude >= 1:
        steps, base, name = _COUNT_STEPS, 1.0, _COUNTED[unit]
    else:
        return 1.0, clean(unit, 24)
    # Half a unit of the fourth digit below a step would be rounded up to it.
    size, prefix = next((s for s in steps if magnitude * base >= s[0] * 0.99995), steps[-1])
    return size / base, prefix + name


def _joined(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text


def _places(value: float, digits: int) -> int:
    """The decimals that show *value* with *digits* significant digits; negative for large ones."""
    if value == 0 or not math.isfinite(value):
        return 0
    return digits - 1 - math.floor(math.log10(abs(value)))


def _digits(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    places = _places(value, digits)
    if 0 < places <= digits + 3:
        text = f"{value:.{places}f}"
        return text.rstrip("0").rstrip(".")
    return _fixed(value, max(places, 0))


def _fixed(value: float, places: int) -> str:
    """*value* with *places* decimals; in powers of ten where that would be long."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("-" if value < 0 else "") + "infinity"
    if value and not 1e-6 <= abs(value) < 1e12:
        return f"{value:.3e}"
    return f"{value:,.{min(places, 12)}f}"


def percent(relative: float | None) -> str:
    """A relative change with its sign, such as ``+12.3 %`` for 0.123; ``-`` for None."""
    if relative is None or not math.isfinite(relative * 100):
        return NONE
    value = relative * 100
    if value == 0:
        return "0 %"
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        return f"{value:+.1e} %"
    places = 2 - math.floor(math.log10(abs(value)))
    return f"{value:+,.{min(max(places, 0), 2 if abs(value) >= 0.1 else places - 1)}f} %"


def probability(value: float | None) -> str:
    """A probability with two decimals, ``> 0.99`` and ``< 0.01`` at the ends; ``-`` for None."""
    if value is None:
        return NONE
    if value >= 0.995:
        return "> 0.99"
    return f"{value:.2f}" if value >= 0.005 else "< 0.01"


def evidence(item: SeriesSummary, change: Change) -> str:
    """The score of a change: a probability as such, another as a number; ``-`` if there is none."""
    return probability(change.score) if item.evidence == PROBABILITY else number(change.score)


def moment(when: datetime | None, zone: bool = True) -> str:
    """A time in UTC to the minute, ``2026-03-14 15:09 UTC``; only the date for midnight.

    Without *zone* the ``UTC`` is left out. None gives ``-``.
    """
    if when is None:
        return NONE
    try:
        universal = when.astimezone(UTC)
    except (OverflowError, ValueError):  # the first and last day of the calendar
        return when.isoformat(" ", "minutes")
    if (universal.hour, universal.minute, universal.second) == (0, 0, 0):
        return f"{universal:%Y-%m-%d}".zfill(10)
    return f"{universal:%Y-%m-%d %H:%M}".zfill(16) + (" UTC" if zone else "")


def short_revision(text: str, limit: int = 24) -> str:
    """A revision as people quote it: ten digits of a hash, else the name, bounded by *limit*.

    An unknown (empty) revision gives ``-``.
    """
    if _HASH.fullmatch(text):
        return text[:_SHORT_HASH]
    return clean(text, limit) or NONE


def finite(value: float | None) -> float | None:
    """*value*, or None where it is not a finite number: outputs have no word for those."""
    return value if value is not None and math.isfinite(value) else None


def failure(failed: Failure) -> str:
    """A failed run on one line: which series, when or of what, and why."""
    parts = [name(str(failed.key))]
    if failed.revision or failed.landed is not None:
        when = moment(failed.landed)
        parts.append(short_revision(failed.revision) if failed.revision else when)
    return ": ".join([" at ".join(parts), clean(failed.reason, 160) or "no reason given"])


def skipped(left_out: Skipped) -> str:
    """A part of the input that was left out, on one line: where and why."""
    return f"{clean(left_out.source, 120)}: {clean(left_out.reason, 160)}"


def bounded(lines: Sequence[str], most: int) -> list[str]:
    """*lines*; of more than *most* the first, and a last one that counts the others."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"and {len(lines) - most + 1:,} more"]


def direction(value: Direction | None) -> str:
    """Which way is better, in words."""
    return f"{value.value} is better" if value is not None else "better direction unknown"


def plural(count: int, noun: str, many: str = "") -> str:
    """A count with its noun: ``1 regression``, ``2 regressions``, ``2 series``."""
    if count == 1 or noun == "series":
        return f"{count:,} {noun}"
    return f"{count:,} {many or noun + 's'}"


def listed(parts: list[str]) -> str:
    """*parts* as an English list: ``a, b and c``; empty for none."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def told(item: SeriesSummary) -> tuple[Change, ...]:
    """The changes a report is about: those the gate judged, all where no gate was asked for."""
    return item.changes if item.judgement is None else item.judgement.changes


def unjudged(item: SeriesSummary) -> bool:
    """Whether nothing could be said of a series, for the reason in its note or judgement."""
    if item.judgement is not None:
        return item.judgement.outcome is Outcome.UNJUDGED
    return bool(item.note) and not item.changes


def reason(item: SeriesSummary) -> str:
    """Why a series was not judged or what to know about it; empty if there is nothing to say."""
    judged_reason = item.judgement.reason if item.judgement is not None and unjudged(item) else ""
    return item.note or judged_reason


def counts(summary: Summary) -> str:
    """The changes told of, in words: ``2 regressions and 1 improvement in 4 series``."""
    if not summary.series:
        return "no series"
    gated = any(item.judgement is not None for item in summary.series)
    new = "new " if gated else ""
    found = [change.verdict for item in summary.series for change in told(item)]
    parts = [
        plural(found.count(verdict), new + noun)
        for verdict, noun in (
            (Verdict.REGRESSION, "regression"),
            (Verdict.IMPROVEMENT, "improvement"),
            (Verdict.NEUTRAL, "neutral change"),
        )
        if verdict in found
    ]
    missing = sum(unjudged(item) for item in summary.series)
    if missing == len(summary.series):
        return f"{plural(missing, 'series')}, none with enough data to judge"
    rest = f" ({missing:,} not judged)" if missing else ""
    what = listed(parts) or f"no {new}changes"
    return f"{what} in {plural(len(summary.series), 'series')}{rest}"


OUTCOMES = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.UNJUDGED: "TOO LITTLE DATA"}
"""The gate's word as it is printed."""


def headline(summary: Summary) -> str:
    """The first line of every report: the gate's word, if there is one, and the counts."""
    text, outcome = counts(summary), summary.outcome
    return f"{OUTCOMES[outcome]}: {text}" if outcome is not None else text[0].upper() + text[1:]


_WEIGHT = {Verdict.REGRESSION: 0, Verdict.IMPROVEMENT: 1, Verdict.NEUTRAL: 2}


def importance(change: Change) -> tuple[int, float]:
    """Sort key that puts regressions first, and of each verdict the biggest relative change."""
    relative = abs(change.relative) if change.relative is not None else math.inf
    return _WEIGHT[change.verdict], -relative


def by_importance(summary: Summary) -> list[tuple[SeriesSummary, Change]]:
    """The changes told of, those first that matter most."""
    pairs = [(item, change) for item in summary.series for change in told(item)]
    return sorted(pairs, key=lambda p: (*importance(p[1]), p[0].name, p[1].index))


def size(change: Change, unit: str) -> str:
    """How big a change is, in one phrase: ``+12.3 % (4.10 -> 4.61 ms)``."""
    sides = step(change.before.mean, change.after.mean, unit)
    return f"{percent(change.relative)} ({sides})" if change.relative is not None else sides


def place(change: Change) -> str:
    """Where a change began: its revision, or else its time, or else ``point 40``."""
    if change.revision:
        return short_revision(change.revision)
    return moment(change.time) if change.time is not None else f"point {change.index}"
