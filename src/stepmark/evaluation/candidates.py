# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What `stepmark tune` tries where nothing else is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stepmark.evaluation.trials import Candidate
from stepmark.plugins import names, parse_detector

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "stepmark": ("stepmark",),
    "mdl": ("mdl", "mdl(search=jumpavg)"),
    "tmm": ("tmm",),
    "perfherder": (
        "perfherder",
        "perfherder(threshold=5)",
        "perfherder(threshold=10)",
        "perfherder(minback=6, maxback=12, fore=6)",
    ),
    "otava": ("otava", "otava(pvalue=0.0001)", "otava(pvalue=1e-06)"),
    "edivisive": ("edivisive",),
    "fpop": (
        "fpop",
        "fpop(penalty=15)",
        "fpop(penalty=60)",
        "fpop(penalty=10, scale=std)",
    ),
    "pelt": ("pelt", "pelt(penalty=10)", "pelt(penalty=30)"),
    "binseg": ("binseg", "binseg(q=max)"),
    "segneigh": ("segneigh",),
    "amoc": ("amoc",),
    "cpnp": ("cpnp", "cpnp(penalty=30)", "cpnp(penalty=60)"),
    "bocpd": ("bocpd", "bocpd(intensity=50)", "bocpd(intensity=200)"),
    "rfpop": ("rfpop",),
    "mwu": ("mwu", "mwu(alpha=0.0001)"),
    "welch": ("welch", "welch(alpha=0.0001)"),
    "vote": (
        "vote(mdl, perfherder, mwu)",
        "vote(binseg, pelt, perfherder)",
        "vote(student, welch, mwu, ks, cvm, quorum=3)",
    ),
}
"""What is tried where nothing else is asked for: by method, its default first.

Defaults of the methods that judge a thousand points in about a second, and a few settings around
those that did best on the Turing data set or on synthetic histories. Few on purpose: with every
further candidate a small data set finds one more that is best by chance.
"""


def candidates(wanted: Sequence[str] = ()) -> tuple[Candidate, ...]:
    """The candidates for *wanted*: a name stands for its rows of `CANDIDATES`, a spec for itself.

    Without any, all of `CANDIDATES` that are installed. Raises `SpecError` for what is no detector.
    """
    known = names("detectors")
    chosen: dict[str, Candidate] = {}
    for text in wanted or [name for name in CANDIDATES if name in known]:
        for spec in CANDIDATES.get(text.strip(), (text,)):
            canonical = str(parse_detector(spec))
            method = canonical.partition("(")[0]
            chosen.setdefault(canonical, Candidate(method, canonical, canonical == method))
    return tuple(chosen.values())
