# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The bugs that were filed for the alerts of a made-up world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from fakes.catalogue import AUTHORS, FILER, FRAMEWORKS, dice
from fakes.landing import Plan
from fakes.model import Bug, BugChange, BugEvent, Comment, Person
from fakes.triage import Case, Filing


def bugs(plan: Plan, cases: Sequence[Case]) -> Iterator[Bug]:
    """One for each filing in Bugzilla, but some were linked wrongly and do not exist."""
    filings = sorted(
        (case.filing for case in cases if case.filing and case.filing.tracker == 1),
        key=lambda filing: filing.number,
    )
    for index, filing in enumerate(filings):
        if index % 7 != 3:
            yield _bug(plan, filing, restricted=index % 6 == 2)


def _bug(plan: Plan, filing: Filing, *, restricted: bool) -> Bug:
    cause, group = filing.case.cause, filing.case.group
    assert cause is not None
    rng = dice(plan.seed, "bugzilla", filing.number)
    author = rng.choice(AUTHORS)
    history = [event for event in _history(plan, filing, author) if event.when <= plan.now]
    resolved = filing.resolved
    resolution = ""
    if resolved:
        resolution = "WONTFIX" if cause.outcome == "wontfix" else "FIXED"
    assigned = any(c.field == "assigned_to" for event in history for c in event.changes)
    status = "RESOLVED" if resolved else "ASSIGNED" if assigned else "NEW"
    framework = FRAMEWORKS.get(cause.suite[0], "perf")
    suite = group.first.variant.suite.name
    amounts = [a.amount_pct for a in group.raised if a.created <= filing.filed]
    created = filing.filed.replace(microsecond=0)
    return Bug(
        filing.number,
        f"{min(amounts):.2f} - {max(amounts):.2f}% {suite} regression on {created:%a %B %d %Y}",
        FILER,
        author if assigned else None,
        created,
        max((event.when for event in history), default=created),
        status,
        resolution,
        resolved and resolved.replace(microsecond=0),
        rng.choice(("--", "P2", "P3")),
        rng.choice(("--", "S3", "S4")),
        "Testing" if rng.random() < 0.5 else "Core",
        "Performance",
        "Unspecified",
        ("perf", "perf-alert", "regression"),
        "",
        (filing.case.sheriff, author),
        (cause.push.bug,),
        None,
        tuple(history),
        tuple(_comments(filing, framework, author, history)),
        restricted,
    )


def _history(plan: Plan, filing: Filing, author: Person) -> Iterator[BugEvent]:
    rng = dice(plan.seed, "bug history", filing.number)
    sheriff, outcome = filing.case.sheriff, filing.case.cause and filing.case.cause.outcome
    start = filing.filed.replace(microsecond=0)
    yield _event(start + timedelta(minutes=3), sheriff, ("cc", "", author.mail))
    yield _event(
        start + timedelta(hours=rng.randrange(1, 30)),
        author,
        ("flagtypes.name", f"needinfo?({author.mail})", ""),
        ("severity", "--", "S3"),
    )
    if rng.random() < 0.7:
        when = start + timedelta(hours=rng.randrange(31, 60))
        yield _event(
            when,
            author,
            ("assigned_to", "nobody@mozilla.org", author.mail),
            ("status", "NEW", "ASSIGNED"),
        )
    if filing.resolved:
        how = "WONTFIX" if outcome == "wontfix" else "FIXED"
        when = filing.resolved.replace(microsecond=0)
        yield _event(
            when,
            author,
            ("status", "ASSIGNED", "RESOLVED"),
            ("resolution", "", how),
            ("cf_last_resolved", "", f"{when:%Y-%m-%d %H:%M:%S}"),
        )


def _event(when: datetime, who: Person, *changes: tuple[str, str, str]) -> BugEvent:
    return BugEvent(when, who, tuple(BugChange(*change) for change in changes))


def _comments(
    filing: Filing, framework: str, author: Person, history: Sequence[BugEvent]
) -> Iterator[Comment]:
    cause = filing.case.cause
    assert cause is not None
    text = (
        f"Perfherder has detected a {framework} performance regression from push "
        f"{cause.push.revision}.\n\nPlease ask {filing.case.sheriff.mail} for help."
    )
    first = filing.number * 10
    yield Comment(first, filing.filed.replace(microsecond=0), FILER, text)
    for place, event in enumerate(history[1:], start=1):
        yield Comment(first + place, event.when, author, "Thanks, I will have a look.")
