# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of sources."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Files as the tools write them, one folder a format."""
    return Path(__file__).parent / "fixtures"
