# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels belong to the sources beside them."""

from __future__ import annotations

import hashlib
from importlib import import_module

import pytest

from kernels import SOURCES, interpreted


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_compiled_kernel_is_of_this_source(source):
    loops = import_module(f"stepmark._kernels.loops.{source.stem}")
    if not loops.COMPILED:
        pytest.skip("the kernels run interpreted")
    assert hashlib.sha256(source.read_bytes()).hexdigest()[:16] == loops.SOURCE


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_source_runs_interpreted(source):
    assert interpreted(source.stem).SOURCE == ""
