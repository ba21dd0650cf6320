# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Research data sets: measurements, alerts and bugs, curated, labelled and aggregated.

They are made of an extraction folder or of the lab's published artifact by `import_research`, and
read by `open_research`.

========================  ==================================================================
``research.json``         schema ``stepmark.research/1``: name, provenance, counts, digest
``alerts.parquet``        one row an alert, with its labels and its place
``bugs.parquet``          one row a bug; its history is in ``bug_changes.parquet``
``series.parquet``        one row a series
``measurements/``         one row a measurement, whole series in each file
``revisions/``            one row a revision, whole series in each file
``dictionary.md``         what every column means
========================  ==================================================================
"""

from stepmark.datasets.research.opened import Research, is_research, open_research

__all__ = ["Research", "is_research", "open_research"]
