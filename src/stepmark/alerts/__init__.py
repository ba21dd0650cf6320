# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Judgement: thresholds, direction, trend compliance and the gate."""
