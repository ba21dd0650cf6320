# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The compiled loops themselves, exempt from type checking and style rules: they follow Cython's."""
