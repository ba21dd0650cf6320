# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What a research data set tells of alerts, times, noise and the workflow.

::

    from stepmark.datasets.exploration import explore
    from stepmark.datasets.research import open_research

    found = explore(open_research("mozilla"))
    found.label_shares("framework").frame  # a polars frame
    found.proposals[0].action
"""

from stepmark.datasets.exploration.exploration import Chapter, Exploration, explore
from stepmark.datasets.exploration.values import Part, Proposal, TooLittle

__all__ = ["Chapter", "Exploration", "Part", "Proposal", "TooLittle", "explore"]
