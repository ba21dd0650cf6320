# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Times one call inside a process; runs in each side's own environment, on its own.

``python timed_call.py jumpavg`` or ``python timed_call.py SPEC`` of a detector. Reads values as a
JSON array from standard input; prints {"cpu", "wall", "places"}: median seconds of a call, imports
excluded, and the first points of new groups.
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


def main(side):
    """Time the calls and print the result."""
    values = json.load(sys.stdin)
    call = places_by(side)
    call(values[:10])
    cpu, wall = [], []
    while sum(wall) < AT_LEAST:
        began = time.perf_counter(), time.process_time()
        places = call(values)
        wall.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
    result = {"cpu": statistics.median(cpu), "wall": statistics.median(wall)}
    print(json.dumps(result | {"places": list(places)}))


main(sys.argv[1])
