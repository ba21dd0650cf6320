# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Times one call inside a process; runs in each side's own environment, on its own.

``python timed_call.py PEER`` (jumpavg, apache-otava, signal-processing-algorithms),
``python timed_call.py SPEC`` of a detector, or
``python timed_call.py scipy.TEST`` for a loop over SciPy's test of the 24 points before each point
against the 12 from it on. Reads values as a JSON array from standard input; prints
{"cpu", "wall", "places"}: median seconds of a call, imports excluded, and the places found.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

AT_LEAST = 0.3  # seconds; a quick call is repeated


def places_by(side):
    """The function that is timed: values to the places of change."""
    if side == "jumpavg":
        from jumpavg import classify

        return lambda values: _starts(classify(values))
    if side == "apache-otava":
        from otava.analysis import compute_change_points

        return lambda values: [int(change.index) for change in compute_change_points(values)[0]]
    if side == "signal-processing-algorithms":
        from signal_processing_algorithms.energy_statistics import energy_statistics

        return lambda values: sorted(energy_statistics.e_divisive(values, 0.01, 100))
    if side.startswith("scipy."):
        return _loop(side.removeprefix("scipy."))
    if side.startswith("optimum."):
        return _optimum(*side.removeprefix("optimum.").split(":"))
    if side.startswith("bocpd."):
        return _bayesian(side.removeprefix("bocpd."))
    from stepmark import detect
    from stepmark.plugins import parse_detector

    detector = parse_detector(side)
    return lambda values: detect(values, detector).indices


def _starts(groups):
    starts, runs = [], 0
    for group in groups:
        starts.append(runs)
        runs += len(group.run_list)
    return starts[1:]


def _loop(name):
    from scipy import stats

    test = {
        "welch": lambda a, b: stats.ttest_ind(a, b, equal_var=False),
        "mwu": stats.mannwhitneyu,
        "ks": stats.ks_2samp,
        "cvm": stats.cramervonmises_2samp,
        "levene": stats.levene,
    }[name]

    def places(values):
        full = range(24, len(values) - 11)
        return [i for i in full if test(values[i - 24 : i], values[i : i + 12]).pvalue < 0.005]

    return places


def _optimum(name, penalty):
    penalty = float(penalty)
    if name == "skchange":
        from skchange.detectors import FPOP

        # A matrix of one column: what scikit-learn's interface takes.
        return lambda values: FPOP(penalty).fit(values[:, None]).predict(values[:, None])
    if name == "rustures":
        from rustures import Pelt

        def make():
            return Pelt("l2", min_size=1, jump=1)

    else:
        import ruptures

        make = {
            "kernel": lambda: ruptures.KernelCPD("linear", min_size=1),
            "pelt": lambda: ruptures.Pelt("l2", min_size=1, jump=1),
        }[name]
    return lambda values: [int(i) for i in make().fit(values).predict(pen=penalty)[:-1]]


def _bayesian(name):
    """The probabilities of run lengths after each point, and the places that one package gives."""
    if name == "changepoint":
        import changepoint

        def places(values):
            model = changepoint.Bocpd(changepoint.NormalGamma(0.0, 1.0, 1.0, 1.0), 100.0)
            return changepoint.map_changepoints([model.step(value) for value in values])

    elif name == "changepoint-doctor":
        import cpd
        import numpy as np

        def places(values):
            cpd.Bocpd("gaussian_nig", 0.01).update_many(np.array(values))
            return []

    else:
        import fast_bocpd
        import numpy as np

        def places(values):
            prior = fast_bocpd.GaussianNIG(mu0=0.0, kappa0=1.0, alpha0=1.0, beta0=1.0)
            hazard = fast_bocpd.ConstantHazard(lambda_=100)
            fast_bocpd.BOCPD(prior, hazard).batch_update(np.array(values))
            return []

    return places


def main(side, form="list"):
    """Time the calls and print the result."""
    values = json.load(sys.stdin)
    if form == "array":
        import numpy as np

        values = np.array(values)
    call = places_by(side)
    call(values[:40])
    cpu, wall = [], []
    while sum(wall) < AT_LEAST:
        began = time.perf_counter(), time.process_time()
        places = call(values)
        wall.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
    result = {"cpu": statistics.median(cpu), "wall": statistics.median(wall)}
    print(json.dumps(result | {"places": [int(i) for i in places]}))


main(*sys.argv[1:])
