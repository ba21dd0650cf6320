# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""`PYTHONPATH=tests python -m fakes` serves a made-up world for a trial by hand."""

from __future__ import annotations

import argparse
import sys
import threading

from fakes.bugzilla import FakeBugzilla
from fakes.treeherder import FakeTreeherder, Faults, World


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="fakes", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--series", type=int, default=14, help="suite series a repository")
    parser.add_argument("--pushes", type=int, default=300, help="of the first repository")
    parser.add_argument("--days", type=int, default=60, help="age of the world")
    parser.add_argument("--faults", type=float, default=0.0, help="share of failing requests")
    parser.add_argument("--longest", type=float, help="days; longer ranges are answered by 502")
    options = parser.parse_args()
    world = World.generate(
        options.seed, series=options.series, pushes=options.pushes, days=options.days
    )
    faults = Faults(options.seed, options.faults, longest=options.longest)
    with FakeTreeherder(world, faults) as treeherder, FakeBugzilla(world, faults) as bugzilla:
        sys.stdout.write(
            f"Treeherder {treeherder.url}\nBugzilla   {bugzilla.url}\n"
            f"now        {world.now:%Y-%m-%dT%H:%M:%SZ}\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("stopped\n")


if __name__ == "__main__":
    main()
