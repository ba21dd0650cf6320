# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A made-up Treeherder and a made-up Bugzilla, served over real HTTP on this machine."""
