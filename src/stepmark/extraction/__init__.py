# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Taking histories and alerts out of Treeherder and Bugzilla into an extraction folder.

Nothing is judged here: the folder holds what the servers answer. `folder` says how it is laid out,
`run` and `bugs` fill it, `treeherder` and `bugzilla` are the clients they use.
"""
