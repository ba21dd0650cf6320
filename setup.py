# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Builds the kernels where a C compiler is found; without one they run interpreted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from setuptools import Extension, setup

LOOPS = Path("src/stepmark/_kernels/loops")
# No fused multiply-add: the same rounding as the interpreted form, everywhere. Nothing reads errno,
# and a square root that need not set it can be part of a vector.
FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno"]


def extensions() -> list[Extension]:
    """The compiled kernels, each told the digest of its source so that a stale build is noticed."""
    if os.environ.get("STEPMARK_NO_COMPILE"):
        return []
    from Cython.Build import cythonize

    modules = []
    for source in sorted(LOOPS.glob("[!_]*.py")):
        digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
        modules.append(
            Extension(
                f"stepmark._kernels.loops.{source.stem}",
                [str(source)],
                extra_compile_args=FLAGS if os.name == "posix" else ["/O2"],
                define_macros=[("STEPMARK_SOURCE", f'"{digest}"')],
            )
        )
    built: list[Extension] = cythonize(
        modules, language_level=3, build_dir="build", quiet=True, force=True
    )
    for module in built:
        module.optional = True  # cythonize drops the argument, so it is set on what it returns
    return built


setup(ext_modules=extensions())
