# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Inner loops: plain Python that Cython compiles where a C compiler is found.

``loops/x.py`` holds the loops of one method, ``x.py`` here is the typed way in.
"""
