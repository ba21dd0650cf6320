# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Other programs to compare with, each in a virtual environment of its own, made when needed."""

from __future__ import annotations

import os
import subprocess
import venv
from dataclasses import dataclass

from programs import CACHE


@dataclass(frozen=True, slots=True)
class Peer:
    """A package of the Python Package Index, at one version, with an extra of it where given."""

    name: str
    version: str
    extra: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def python(self) -> str:
        """The interpreter of an environment that has the peer, and neither Stepmark nor NumPy."""
        folder = CACHE / f"{self.name}-{self.version}"
        interpreter = folder / "bin" / "python"
        complete = folder / "complete"
        if not complete.exists():
            venv.create(folder, clear=True, with_pip=True)
            install = [str(interpreter), "-m", "pip", "install", "--quiet"]
            wanted = f"{self.name}[{self.extra}]" if self.extra else self.name
            subprocess.run([*install, f"{wanted}=={self.version}"], check=True, env=_without_path())
            complete.touch()
        return str(interpreter)


def _without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


JUMPAVG = Peer("jumpavg", "0.4.2")
CHANGEPOINT = Peer("changepoint", "0.4.0")
FAST_BOCPD = Peer("fast-bocpd", "1.0.0")
CHANGEPOINT_DOCTOR = Peer("changepoint-doctor", "0.0.3")
OTAVA = Peer("apache-otava", "0.8.0")
SPA = Peer("signal-processing-algorithms", "2.1.6")
RUPTURES = Peer("ruptures", "1.1.10")
RUSTURES = Peer("rustures", "0.2.0")
SKCHANGE = Peer("skchange", "0.18.0", "numba")
