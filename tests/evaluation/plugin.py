# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Detectors as nobody wants them, for the tests: the text of a plug-in and its installation."""

from __future__ import annotations

SOURCE = '''
import os
import time
from dataclasses import dataclass
from typing import ClassVar

from stepmark.changes import Detection
from stepmark.plugins import Specified
from stepmark.series import Signal


@dataclass(frozen=True, slots=True)
class Odd(Specified):
    """Does *what* to signals of *length* points; of others it says that the middle is a change."""

    name: ClassVar[str] = "odd"
    what: str = "nothing"
    length: int = 0
    seconds: float = 0.0
    count: str = ""

    def detect(self, signal):
        n = len(Signal.of(signal))
        if self.count and n != 40:  # 40 points: the call that loads libraries
            with open(os.environ["ODD_CALLS"], "a") as file:
                file.write(f"{n}\\n")
        if n != 40:
            time.sleep(self.seconds)
        if n == self.length:
            if self.what == "exit":
                os._exit(7)
            if self.what == "leave":
                raise SystemExit(3)
            if self.what == "hang":
                time.sleep(3600)
            if self.what == "raise":
                raise RuntimeError("one\\nline <b>only</b>")
            if self.what == "print":
                print("in the way", flush=True)
                os.write(2, b"in the way")
            if self.what == "rubbish":
                return [1, 2, 3]
        return Detection(n, (n // 2,) if n > 2 else ())
'''


def install(folder):
    """Make *folder* one in which the plug-in is installed."""
    (folder / "odd_detectors.py").write_text(SOURCE)
    information = folder / "odd_detectors-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[stepmark.detectors]\nodd = odd_detectors:Odd\n")
