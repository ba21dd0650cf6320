# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The fixed part of every made-up world: repositories, frameworks, suites, people, tags."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from fakes.model import Person, Repository

FRAMEWORKS = {
    1: "talos",
    2: "build_metrics",
    4: "awsy",
    6: "platform_microbench",
    11: "js-bench",
    12: "devtools",
    13: "browsertime",
    15: "mozperftest",
    16: "fxrecord",
    17: "telemetry",
    18: "mozharness",
}
SHERIFFED = frozenset({1, 2, 4, 11, 12, 13, 15})
SHERLOCK = frozenset({1, 2, 4, 11, 12, 13})

_HG = "https://hg.mozilla.org"
REPOSITORIES = {
    r.name: r
    for r in (
        Repository(1, "mozilla-central", f"{_HG}/mozilla-central", life_cycle_order=10),
        Repository(4, "try", f"{_HG}/try", expires=True, is_try=True),
        Repository(
            6,
            "mozilla-beta",
            f"{_HG}/releases/mozilla-beta",
            "release-stabilization",
            life_cycle_order=100,
            alerts_enabled=True,
        ),
        Repository(
            7,
            "mozilla-release",
            f"{_HG}/releases/mozilla-release",
            "release-stabilization",
            life_cycle_order=1000,
            alerts_enabled=True,
        ),
        Repository(
            77,
            "autoland",
            f"{_HG}/integration/autoland",
            description="Where most changes land first.",
            alerts_enabled=True,
        ),
        Repository(
            75, "servo-master", "https://github.com/servo/servo", "servo", "git", codebase="servo"
        ),
        Repository(
            2,
            "mozilla-inbound",
            f"{_HG}/integration/mozilla-inbound",
            alerts_enabled=True,
            active=False,
        ),
    )
}
GROUPS = {
    "development": "Repositories where code lands first",
    "release-stabilization": "Repositories further along the release process",
    "servo": "Branches of the Servo engine",
}
# Pushes a day, as a share of those of the first repository of a world.
ACTIVITY = {
    "autoland": 1.0,
    "mozilla-beta": 0.7,
    "mozilla-central": 0.4,
    "mozilla-release": 0.2,
    "try": 0.8,
}

TAGS = (
    "harness",
    "regression-backedout",
    "infra",
    "regression-fix",
    "improvement",
    "improvement-backedout",
    "early-beta-or-earlier",
    "bisection",
)
ISSUE_TRACKERS = (
    ("Bugzilla", "https://bugzilla.mozilla.org/show_bug.cgi?id="),
    ("Github - Servo", "https://github.com/servo/servo/pull/"),
)
TEMPLATED = (1, 2, 4, 5, 6, 13, 11, 12, 15)

SHERIFFS = (
    Person("Alma Quist", "aquist@example.com", "aquist"),
    Person("Bo Ferrant", "bferrant@example.org", "mozilla-ldap/bferrant@example.org"),
    Person("Chidi Vale", "cvale@example.com", "cvale"),
)
AUTHORS = (
    Person("Dana Holm", "dholm@example.com", "dholm"),
    Person("Émile Ørsted", "emile.orsted@example.net", "emile"),
    Person("Farah O'Neil", "farah+moz@example.org", "farah"),
    Person("Gus Lindqvist", "gus@example.com", "gus"),
    Person("何 Hui", "hui@example.cn", "hui"),
)
FILER = Person("treeherder Bug Filer", "intermittent-bug-filer@example.org", "bugfiler")
MERGER = Person("Merge Duty", "mergeduty@example.com", "mergeduty")

LINUX, WINDOWS, OSX = (
    "linux1804-64-shippable-qr",
    "windows11-64-24h2-shippable",
    "macosx1470-64-shippable",
)


@dataclass(frozen=True, slots=True)
class Suite:
    """A kind of test, run on several platforms. `noise` is relative."""

    framework: int
    name: str
    tests: tuple[str, ...] = ()
    unit: str | None = "ms"
    level: float = 500.0
    noise: float = 0.01
    lower_is_better: bool = True
    extra_options: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    application: str = "firefox"
    has_value: bool = True
    replicates: int = 0
    threshold: float | None = None
    change_type: int | None = None
    windows: tuple[int, int, int] | None = None
    should_alert: bool | None = None
    tests_alert: bool | None = None
    monitor: bool = False
    platforms: tuple[str, ...] = (LINUX, WINDOWS, OSX)

    @property
    def relative(self) -> bool:
        return self.change_type != 1


_PAGE = Suite(
    13,
    "amazon",
    ("fcp", "loadtime", "ContentfulSpeedIndex", "cpuTime"),
    extra_options=("fission", "warm", "webrender"),
    tags=("pageload", "warm"),
    replicates=5,
    threshold=2.0,
    should_alert=True,
    tests_alert=True,
)
_TALOS = Suite(1, "ts_paint", ("ts_paint",), extra_options=("e10s", "stylo"))
SUITES = (
    _PAGE,
    replace(
        _PAGE,
        name="speedometer3",
        tests=("score", "TodoMVC-React/total"),
        unit="score",
        level=21.5,
        lower_is_better=False,
        tags=(),
        extra_options=("fission", "webrender"),
        threshold=None,
        should_alert=None,
        tests_alert=None,
    ),
    _TALOS,
    Suite(
        4,
        "Base Content JS",
        ("After tabs open [+30s]",),
        unit="bytes",
        level=2.6e6,
        noise=0.0004,
        threshold=0.25,
    ),
    Suite(
        2,
        "installer size",
        ("omni.ja", "xul.dll"),
        unit="bytes",
        level=9.1e7,
        noise=0.0001,
        threshold=100_000.0,
        change_type=1,
        application="",
        tests_alert=False,
    ),
    # No value of its own: its tests have no parent, and alert by default.
    Suite(
        2,
        "compiler_metrics",
        ("num_static_constructors", "unused_share"),
        unit=None,
        level=0.031,
        noise=0.004,
        has_value=False,
        application="",
    ),
    replace(_PAGE, name="wikipedia", level=810.0, windows=(12, 24, 12), tags=("pageload", "cold")),
    replace(_TALOS, name="tp5o", tests=("nytimes.com", "imdb.com"), tests_alert=False, level=160.0),
    # Small numbers, which two decimals would spoil.
    replace(
        _TALOS, name="perf_reftest_singletons", tests=("id-getter.html",), level=0.042, unit=None
    ),
    replace(_PAGE, name="matrix-react-bench", monitor=True, should_alert=False, tests_alert=False),
    Suite(11, "JetStream", ("Babylon", "Air"), unit="score", level=140.0, lower_is_better=False),
    Suite(12, "damp", ("inspector.open", "console.open"), level=330.0, tests_alert=False),
)


def suites(frameworks: tuple[int, ...], variants: int, tests: int) -> list[tuple[Suite, str]]:
    """So many pairs of suite and platform, each suite with at most *tests* subtests.

    Takes all suites on their first platform, then on the next; then numbered pages.
    """
    known = [s for s in SUITES if s.framework in frameworks]
    known = known or [replace(_PAGE, framework=f) for f in frameworks]
    pages = [replace(known[0], name=f"site-{k:03}") for k in range(max(0, variants))]
    pairs = [(s, s.platforms[k]) for k in range(3) for s in known if k < len(s.platforms)]
    pairs += [(page, page.platforms[k % 3]) for k, page in enumerate(pages)]
    return [
        (s if s.tests[:tests] == s.tests else replace(s, tests=_some(s, tests)), platform)
        for s, platform in pairs[:variants]
    ]


def _some(suite: Suite, tests: int) -> tuple[str, ...]:
    return suite.tests[: tests if suite.has_value else max(1, tests)]


def dice(*key: object) -> random.Random:
    """Random numbers that depend on *key* alone, so that each thing has its own."""
    return random.Random("|".join(map(str, key)))
