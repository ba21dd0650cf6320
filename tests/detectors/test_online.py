# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Following a growing signal gives what a full run gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import SPECS
from stepmark.plugins import Online, parse_detector

TRACKED = [spec for spec in SPECS if isinstance(parse_detector(spec), Online)]


@pytest.mark.parametrize("spec", TRACKED)
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_tracking_equals_a_full_run(spec, seed, portions):
    rng = np.random.default_rng(seed)
    n = sum(portions)
    values = 100 + rng.normal(0, 1, n) + np.cumsum(rng.random(n) < 0.06) * rng.normal(0, 8)
    detector = parse_detector(spec)
    tracker, seen = detector.track(), 0
    for portion in portions:
        found = tracker.extend(values[seen : seen + portion])
        seen += portion
        assert found == detector.detect(values[:seen])
