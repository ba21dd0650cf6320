# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Input formats: one pure parser each, bytes to measurements."""
