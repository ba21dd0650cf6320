# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Every configured detector that the contract test runs over, and what is excused, with reasons."""

from __future__ import annotations

SPECS = (
    "mdl",
    "mdl(search=jumpavg)",
    "mdl(sbps=16)",
    "mdl(unit=0.01, maximum=200)",
    "mdl(search=jumpavg, unit=0.01)",
    "tmm",
    "tmm(compat=true)",
    "tmm(window=20, sigmas=4)",
    "zero",
)

# check -> spec's name or spec -> why it does not apply
EXEMPT = {
    "silent_on_two": {"mdl": "answers two runs, as CSIT's comparison of two builds needs"},
    "silent_on_constants": {
        "mdl(search=jumpavg, unit=0.01)": "a unit far off makes negative bits, as there",
        "mdl(unit=0.01, maximum=200)": "values too large to be counted in the unit are refused",
    },
    "one_step": {
        "zero": "never finds anything",
        "tmm(compat=true)": "the old rules take a drop for outliers and a rise for progressions",
    },
    "mirror": {
        "mdl": "the code of an average is not symmetric, and its maximum is that of the values",
        "tmm(compat=true)": "the old rules have no upper fence",
    },
}
# How far from the true place a clean step may be reported.
TOLERANCE = {"tmm(compat=true)": 14}


def exempt(check: str, spec: str) -> bool:
    """Whether *spec* is excused from *check*."""
    excused = EXEMPT.get(check, {})
    return spec in excused or spec.split("(", maxsplit=1)[0] in excused
