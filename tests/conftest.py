# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import servers

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and reference data, which is not part of the project."""
    folder = Path(os.environ.get("STEPMARK_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "README.md").is_file():
        pytest.skip(f"reference data not found at {folder} (set STEPMARK_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of an empty PostgreSQL database on a server of its own, for SQLAlchemy."""
    programs = servers.postgresql_programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, but this is CI")
        pytest.skip("PostgreSQL is not installed: Debian's package postgresql has it")
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    with servers.postgresql(programs) as url:
        yield url
