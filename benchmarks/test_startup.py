# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A cold start, as multiples of the time that ``import numpy`` takes on the same machine."""

from __future__ import annotations

from measures import MOST_CHECK, MOST_HELP, startup


def test_help_and_check_start_fast(tmp_path):
    _, help_, check, *_ = startup(tmp_path).values()
    assert help_.ratio.cpu <= MOST_HELP
    assert help_.ratio.wall <= MOST_HELP
    assert check.ratio.cpu <= MOST_CHECK
    assert check.ratio.wall <= MOST_CHECK
