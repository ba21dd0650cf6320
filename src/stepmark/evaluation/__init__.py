# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The laboratory: how good detectors are on labelled data, and which to choose."""
