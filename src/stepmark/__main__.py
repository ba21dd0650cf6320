# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``python -m stepmark``."""

from stepmark.cli import main

main()
