# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Series of a made-up world and what was measured for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import geometric_mean, median

from fakes.catalogue import FRAMEWORKS, Suite, dice
from fakes.landing import Cause, Plan
from fakes.model import Push, Signature
from fakes.rules import option_collection_hash, signature_hash

OPTIONS = ("opt",)
OPTION_HASH = option_collection_hash(OPTIONS)
# A platform of every build, whose series are few: that of the test machines.
BUILD_PLATFORM = {"linux1804-64-shippable-qr": "linux64-shippable"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A suite on a platform in a repository: what one job measures.

    `signatures` are the series of one run, the suite's own first where it has a value; `tests` are
    their names, empty for the suite. The job is run from `born` to `gone`.
    """

    repository: str
    suite: Suite
    platform: str
    signatures: tuple[int, ...]
    tests: tuple[str, ...]
    born: datetime
    gone: datetime
    share: float

    @property
    def job_type(self) -> str:
        name = self.suite.name.replace(" ", "-")
        return f"test-{self.platform}/opt-{FRAMEWORKS.get(self.suite.framework, 'perf')}-{name}"


@dataclass(frozen=True, slots=True)
class Run:
    """One job's values, one for each series of its variant: (value, replicates)."""

    variant: Variant
    push: Push
    number: int
    submitted: datetime
    ingested: datetime
    values: tuple[tuple[float, tuple[float, ...]], ...]

    @property
    def key(self) -> tuple[datetime, str, str]:
        return (self.ingested, self.push.revision, self.variant.job_type)


def variants(plan: Plan, pairs: Sequence[tuple[Suite, str]]) -> list[Variant]:
    """In the order of the ids of their series, which are given here."""
    found: list[Variant] = []
    number = 1
    for repository in plan.repositories:
        for index, (suite, platform) in enumerate(pairs):
            own = ("",) if suite.has_value else ()
            tests = (*own, *suite.tests)
            rng = dice(plan.seed, "variant", repository, index)
            ids = tuple(range(number, number + len(tests)))
            number += len(tests)
            platform_ = BUILD_PLATFORM.get(platform, platform) if suite.framework == 2 else platform
            born, gone = plan.start, datetime.max.replace(tzinfo=plan.now.tzinfo)
            if len(pairs) > 3 and index == len(pairs) - 1:  # seen only in a grown world
                born = plan.start + timedelta(days=plan.days, hours=12)
            elif len(pairs) > 3 and index == len(pairs) - 2:  # no longer run
                gone = plan.start + timedelta(days=plan.days * 0.4)
            share = rng.uniform(0.65, 0.95)
            found.append(Variant(repository, suite, platform_, ids, tests, born, gone, share))
    return found


def signatures(variant: Variant, last_updated: Mapping[int, datetime]) -> Iterator[Signature]:
    """The series of *variant* that have been measured at all, by *last_updated*."""
    suite = variant.suite
    properties = (suite.name, OPTION_HASH, variant.platform, suite.extra_options)
    suite_hash = signature_hash(*properties) if suite.has_value else None
    for number, test in zip(variant.signatures, variant.tests, strict=True):
        if number not in last_updated:
            continue
        hashed = signature_hash(*properties, test, suite_hash) if test else suite_hash
        assert hashed is not None
        yield Signature(
            number,
            hashed,
            variant.repository,
            suite.framework,
            suite.name,
            test,
            variant.platform,
            OPTION_HASH,
            suite.extra_options,
            suite.tags,
            suite.application,
            suite.unit,
            suite.lower_is_better,
            suite.tests_alert if test else suite.should_alert,
            has_subtests=not test and len(variant.tests) > 1,
            parent=variant.signatures[0] if test and suite.has_value else None,
            parent_hash=suite_hash if test else None,
            threshold=suite.threshold,
            change_type=suite.change_type,
            windows=suite.windows,
            monitor=suite.monitor,
            last_updated=last_updated[number],
        )


def scheduled(
    plan: Plan, variant: Variant, landed: Sequence[Push], changes: Sequence[Cause]
) -> Iterator[Run]:
    """The runs that nobody asked for, in the order of pushes; some pushes have none or two."""
    for push in landed:
        if push.repository != variant.repository or not variant.born <= push.time < variant.gone:
            continue
        rng = dice(plan.seed, "runs", variant.job_type, push.revision)
        if rng.random() > variant.share:
            continue
        for number in range(2 if rng.random() < 0.08 else 1):
            submitted = push.time + timedelta(seconds=300)
            taken = timedelta(hours=rng.uniform(0.5, 3.0)) * (number + 1)
            yield run(plan, variant, push, number, submitted, submitted + taken, changes)


def run(
    plan: Plan,
    variant: Variant,
    push: Push,
    number: int,
    submitted: datetime,
    ingested: datetime,
    changes: Sequence[Cause],
) -> Run:
    """The *number*-th run of *variant* on *push*; its values depend on these three alone."""
    suite = variant.suite
    rng = dice(plan.seed, "values", variant.repository, variant.job_type, push.revision, number)
    noise = suite.noise * (1.6 if rng.random() < 0.01 else 1.0)
    values: list[tuple[float, tuple[float, ...]]] = []
    for test in (t for t in variant.tests if t):
        level = level_of(plan, variant, test, push, changes)
        count = suite.replicates if rng.random() > 0.05 else 0
        replicates = tuple(_rounded(rng.gauss(level, noise * level), level) for _ in range(count))
        value = median(replicates) if replicates else rng.gauss(level, noise * level)
        values.append((_rounded(value, level), replicates))
    if suite.has_value:
        if values:
            own = geometric_mean([value for value, _ in values])
        else:
            level = level_of(plan, variant, "", push, changes)
            own = rng.gauss(level, noise * level)
        values.insert(0, (own if suite.level < 1e5 else float(round(own)), ()))
    return Run(variant, push, number, submitted, ingested, tuple(values))


def _rounded(value: float, level: float) -> float:
    """As harnesses write values: whole bytes, milliseconds to three decimals, small ones as is."""
    return float(round(value)) if level > 1e5 else round(value, 3) if level > 1 else value


def level_of(
    plan: Plan, variant: Variant, test: str, push: Push, changes: Sequence[Cause]
) -> float:
    """What a series would give without noise; *changes* are those of its suite and repository."""
    key = (variant.repository, variant.platform, variant.suite.name, test)
    level = variant.suite.level * _share(plan.seed, *key)
    for cause in changes:
        if cause.push.time > push.time or (cause.until and push.time >= cause.until):
            continue
        if cause.reaches(plan.seed, variant.platform, test):
            level *= cause.factor
    return level


@lru_cache(maxsize=4096)
def _share(*key: object) -> float:
    """The part of its suite's level that one series has."""
    return math.exp(dice("level", *key).uniform(-0.4, 0.4))
