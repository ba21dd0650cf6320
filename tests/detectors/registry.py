# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Every configured detector that the contract test runs over, and what is excused, with reasons."""

from __future__ import annotations

from importlib.util import find_spec

SPECS = (
    "amoc",
    "amoc(compat=false)",
    "amoc(statistic=cusum, penalty=0.2)",
    "amoc(function=meanvar, compat=false)",
    "binseg",
    "binseg(compat=false)",
    "binseg(statistic=cusum, penalty=0.2)",
    "binseg(function=meanvar, q=max)",
    "cpnp",
    "cpnp(compat=false)",
    "cpnp(penalty=20.0, quantiles=3, minseglen=3)",
    "pelt",
    "pelt(compat=false)",
    "pelt(function=meanvar, compat=false)",
    "pelt(penalty=20.0, scale=none)",
    "pelt(penalty=20.0, scale=noise, compat=false)",
    "pelt(function=meanvar, penalty=30.0, scale=none, compat=false)",
    "segneigh",
    "segneigh(compat=false)",
    "segneigh(statistic=cusum, penalty=0.2)",
    "segneigh(function=meanvar, q=max)",
    "bocpd",
    "bocpd(compat=false)",
    "bocpd(intensity=50, k=0.01, a=0.01, b=0.01, scale=noise, compat=false)",
    "bocpd(m=100, k=0.01, scale=none, compat=false)",
    "bocpd(m=100, k=0.01, tail=0.01, scale=none)",
    "ecp",
    "ecp(compat=false)",
    "ecp(alpha=0.7, minsize=5, siglvl=0.01, permutations=299, seed=4)",
    "ecp(algorithm=agglo)",
    "ecp(algorithm=agglo, alpha=1.5, compat=false)",
    "edivisive",
    "edivisive(pvalue=0.02, permutations=199, seed=3)",
    "fpop",
    "fpop(penalty=bic, scale=std)",
    "fpop(penalty=50.0, scale=none)",
    "kcpa",
    "kcpa(cost=100, maxcp=5)",
    "kcpa(cost=2, scale=none, compat=false)",
    "kcpa(cost=3, maxcp=10, scale=noise, compat=false)",
    "mdl",
    "mdl(search=jumpavg)",
    "mdl(sbps=16)",
    "mdl(unit=0.01, maximum=200)",
    "mdl(search=jumpavg, unit=0.01)",
    "otava",
    "otava(compat=true)",
    "otava(window=20, pvalue=0.01, min_magnitude=0.02)",
    "rfpop",
    "rfpop(loss=huber, threshold=2.0)",
    "rfpop(loss=l1)",
    "rfpop(loss=l2, penalty=12.5)",
    "tmm",
    "tmm(compat=true)",
    "tmm(window=20, sigmas=4)",
    "perfherder",
    "perfherder(minback=6, maxback=18, fore=6, threshold=9)",
    "perfherder(count=points)",
    "student",
    "student(compat=true)",
    "welch",
    "welch(compat=true)",
    "mwu",
    "mwu(minback=5, maxback=8, fore=5, alpha=0.01)",
    "ks",
    "ks(min_relative=0.0, min_absolute=2, alpha=0.0001)",
    "cvm",
    "cvm(compat=true)",
    "levene",
    "vote(perfherder, student, welch)",
    "vote(mwu, mwu, cvm, mdl(sbps=16), quorum=3, tolerance=2, apart=4)",
    "vote(student, ks, cvm, compat=true)",
    "priority(perfherder, welch, vote(mwu, ks))",
    "wbs",
    "wbs(penalty=mbic, kmax=max, seed=7)",
    "wbs(penalty=bic, integrated=false, intervals=300)",
    "wbs(penalty=mbic, intervals=0, scale=noise, compat=false)",
    "zero",
)

# Those whose packages are extras are judged where these are installed.
EXTRAS = {"prophet": "prophet"}
SPECS += tuple(name for name, module in EXTRAS.items() if find_spec(module))

# check -> spec's name or spec -> why it does not apply
EXEMPT = {
    "silent_on_two": {"mdl": "answers two runs, as CSIT's comparison of two builds needs"},
    "silent_on_constants": {
        "mdl(search=jumpavg, unit=0.01)": "a unit far off makes negative bits, as there",
        "mdl(unit=0.01, maximum=200)": "values too large to be counted in the unit are refused",
        "bocpd(m=100, k=0.01, scale=none, compat=false)": "refuses values of infinite squares",
        "bocpd(m=100, k=0.01, tail=0.01, scale=none)": "refuses values of infinite squares",
    },
    "one_step": {
        "binseg(function=meanvar, q=max)": "finds changes of spread in the noise too",
        "segneigh(function=meanvar, q=max)": "finds changes of spread in the noise too",
        "pelt(function=meanvar, compat=false)": "finds changes of spread in the noise too",
        "cpnp": "its penalty lets some noise pass",
        "edivisive": "by chance one permutation too few stops it in one of 25 series, as there",
        "kcpa": "the weak penalty of R's ecp; with compat=false see test_kcpa.py",
        "otava(compat=true)": "no allowance for the many places tried: noise passes",
        "zero": "never finds anything",
        "rfpop": "its penalties are low: noise alone often makes changes",
        "prophet": "a step comes out as several changes of slope",
        "wbs": "with many changes allowed it cuts a short signal to pieces",
        "wbs(penalty=bic, integrated=false, intervals=300)": "random intervals may miss the step",
        "student(compat=true)": "sees rises only",
        "levene": "looks for a change of spread",
        "cvm(compat=true)": "reports a step several times",
        "welch(compat=true)": "loses the clearest steps",
        "vote(student, ks, cvm, compat=true)": "its members report a step several times",
        "tmm(compat=true)": "the old rules take a drop for outliers and a rise for progressions",
    },
    "mirror": {
        "student(compat=true)": "sees rises only",
        "vote(student, ks, cvm, compat=true)": "its members tell rises from drops",
        "prophet": "its optimiser stops elsewhere",
        "mdl": "the code of an average is not symmetric, and its maximum is that of the values",
        "tmm(compat=true)": "the old rules have no upper fence",
    },
}
# How far from the true place a clean step may be reported.
TOLERANCE = {"amoc(statistic=cusum, penalty=0.2)": 1, "tmm(compat=true)": 14}


def exempt(check: str, spec: str) -> bool:
    """Whether *spec* is excused from *check*."""
    excused = EXEMPT.get(check, {})
    return spec in excused or spec.split("(", maxsplit=1)[0] in excused
