# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
# What setup.py tells the compiler: the digest of the kernel's source.
cdef extern from *:
    const char* STEPMARK_SOURCE
