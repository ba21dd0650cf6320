# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Research data sets that tests make: alerts, bugs and series of which the truth is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from stepmark.datasets.research.tables import ALERTS, BUG_CHANGES, BUGS, REVISIONS, SERIES

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NAMES = {1: "talos", 4: "awsy", 13: "browsertime"}


@dataclass(frozen=True)
class Made:
    """A research data set in memory."""

    alerts: pl.DataFrame
    series: pl.DataFrame
    points: pl.DataFrame
    bugs: pl.DataFrame
    bug_changes: pl.DataFrame
    document: Mapping[str, Any] = field(default_factory=lambda: {"name": "made"})

    def revisions(self, signatures=None):
        lazy = self.points.lazy()
        if signatures is None:
            return lazy
        return lazy.filter(pl.col("signature_id").is_in(list(signatures)))


def table(of, rows):
    """A frame of the research table *of*; what a row does not have is null."""
    schema = of.schema()
    unknown = {name for row in rows for name in row} - set(schema)
    assert not unknown, unknown
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def alert(number, *, summary=None, label="true", lab=None, percent=5.0, t=12.0, **more):
    """A row of alerts: of series 1 of talos, triaged on the day, unless *more* says otherwise."""
    codes = {"true": "TP", "downstream": "TP", "missed": "FN", "false": "FP", "uncertain": "SP"}
    created = more.pop("created", MONDAY)
    framework = more.pop("framework", 1)
    return {
        "single_alert_id": number,
        "alert_summary_id": number if summary is None else summary,
        "signature_id": 1,
        "alert_summary_repository": "autoland",
        "alert_summary_framework": framework,
        "alert_summary_status": 7,
        "single_alert_status": 4,
        "single_alert_series_signature_framework_id": framework,
        "single_alert_series_signature_suite": "tp5o",
        "single_alert_series_signature_test": "",
        "single_alert_series_signature_machine_platform": "linux",
        "single_alert_is_regression": True,
        "single_alert_manually_created": label == "missed",
        "single_alert_amount_pct": percent,
        "single_alert_amount_abs": percent,
        "single_alert_t_value": t,
        "t_is_marker": False,
        "alert_summary_creation_timestamp": created,
        "push_timestamp": created - timedelta(days=1),
        "label": label,
        "label_lab": codes.get(label) if lab is None else lab,
        **more,
    }


def series(signature=1, **more):
    """A row of series."""
    framework = more.pop("framework_id", 1)
    return {
        "repository": "autoland",
        "signature_id": signature,
        "framework_id": framework,
        "framework": NAMES.get(framework, str(framework)),
        "suite": "tp5o",
        "test": "",
        "platform": "linux",
        "revisions": 0,
        "measurements": 0,
        **more,
    }


def points(values, signature=1, *, hours=6.0, runs=1, within=None, first=1, **more):
    """Rows of revisions, one every *hours*."""
    return [
        {
            "repository": "autoland",
            "signature_id": signature,
            "position": i,
            "push_id": first + i,
            "push_timestamp": MONDAY + timedelta(hours=hours * i),
            "revision": f"{first + i:040x}",
            "value": float(value),
            "median": float(value),
            "n": runs,
            "std": within,
            "min": float(value),
            "max": float(value),
            **more,
        }
        for i, value in enumerate(values)
    ]


def made(*, alerts=(), of=(), values=(), bugs=(), changes=(), document=None):
    """The data set of these rows."""
    rows = list(of)
    counts = {}
    for point in values:
        counts[point["signature_id"]] = counts.get(point["signature_id"], 0) + 1
    for row in rows:
        row["revisions"] = row["measurements"] = counts.get(row["signature_id"], 0)
    return Made(
        table(ALERTS, list(alerts)),
        table(SERIES, rows),
        table(REVISIONS, list(values)),
        table(BUGS, list(bugs)),
        table(BUG_CHANGES, list(changes)),
        document or {"name": "made"},
    )


def known_truth(seed=0):
    """A data set with known answers.

    * ``broken`` gives false alerts only, forty of them; the other suites give few.
    * In browsertime true alerts are above 4.2 % and false ones below 3.8 %.
    * ``bimodal`` is in two bands on windows only.
    * ``noisy`` differs between runs of one revision, and has two of each.
    * ``seldom`` is measured once in three days.
    """
    rng = np.random.default_rng(seed)
    rows, of, values, bugs, changes = [], [], [], [], []

    def add(count, label, suite, framework, sizes, platform="linux", signature=1):
        for size in np.broadcast_to(sizes, count):
            number = len(rows) + 1
            created = MONDAY + timedelta(hours=5.0 * number)
            bug = None
            if label == "true" and number % 4 == 0:
                bug = 1_900_000 + number
                fixed = number % 8 == 0
                bugs.append(
                    {
                        "id": bug,
                        "creation_time": created + timedelta(days=2),
                        "resolution": "FIXED" if fixed else "",
                        "cf_last_resolved": created + timedelta(days=9) if fixed else None,
                        "last_change_time": created + timedelta(days=9),
                    }
                )
                if fixed:
                    changes.append(
                        {
                            "bug_id": bug,
                            "time": created + timedelta(days=9),
                            "field": "resolution",
                            "added": "FIXED",
                        }
                    )
            open_one = label == "uncertain"
            rows.append(
                alert(
                    number,
                    label=label,
                    framework=framework,
                    percent=float(size),
                    t=float(8 + rng.exponential(6 if label == "true" else 2)),
                    created=created,
                    signature_id=signature,
                    single_alert_series_signature_suite=suite,
                    single_alert_series_signature_machine_platform=platform,
                    alert_summary_status={"false": 3, "uncertain": 0}.get(label, 7),
                    alert_summary_first_triaged=None
                    if open_one
                    else created + timedelta(hours=float(rng.exponential(20))),
                    alert_summary_triage_due_date=created + timedelta(days=2),
                    alert_summary_bug_number=bug,
                    alert_summary_bug_updated=created + timedelta(days=2) if bug else None,
                    alert_summary_bug_due_date=created + timedelta(days=4),
                    alert_summary_push_id=100 + number % 300,
                    alert_summary_prev_push_id=100 + number % 300 - 1 - number % 3,
                    range_edited=number % 10 == 0,
                    single_alert_noise_profile="MODAL" if suite == "broken" else "OK",
                    single_alert_backfill_record_total_actions_triggered=3,
                    single_alert_backfill_record_total_backfills_successful=2,
                    single_alert_backfill_record_total_backfills_failed=1,
                )
            )

    add(60, "true", "pageload", 13, rng.uniform(4.2, 15, 60), signature=10)
    add(60, "false", "pageload", 13, rng.uniform(2.0, 3.8, 60), "windows", signature=11)
    add(40, "false", "broken", 1, rng.uniform(2, 15, 40), signature=20)
    add(60, "true", "tp5o", 1, rng.uniform(2, 15, 60), signature=1)
    add(6, "false", "tp5o", 1, rng.uniform(2, 15, 6), signature=1)
    add(20, "uncertain", "tp5o", 1, rng.uniform(2, 15, 20), signature=1)
    add(10, "missed", "tp5o", 1, rng.uniform(2, 15, 10), signature=1)
    add(5, "infra", "tp5o", 1, rng.uniform(2, 15, 5), signature=1)
    signature = 0

    def one(suite, framework, platform, numbers, own=None, **more):
        nonlocal signature
        signature = own or signature + 100
        of.append(series(signature, suite=suite, framework_id=framework, platform=platform))
        values.extend(points(numbers, signature, **more))

    plain = lambda n=400, scale=0.2: 100 + rng.normal(0, scale, n)
    one("tp5o", 1, "linux", plain(), 1)
    one("pageload", 13, "linux", plain(), 10)
    one("pageload", 13, "windows", plain(), 11)
    one("broken", 1, "linux", plain(scale=3), 20)
    signature = 1000
    for _ in range(3):
        one("bimodal", 4, "windows", 100 + 10 * rng.integers(0, 2, 400) + rng.normal(0, 0.3, 400))
        one("bimodal", 4, "linux", plain())
        one("noisy", 4, "linux", plain(scale=1), runs=2, within=2**0.5)
        one("noisy", 4, "windows", plain(scale=1), runs=2, within=2**0.5)
    for _ in range(5):
        one("seldom", 4, "linux", plain(34), hours=72.0)
    last = max(point["push_timestamp"] for point in values)
    for row in of:
        row["last"] = last
    return made(alerts=rows, of=of, values=values, bugs=bugs, changes=changes)


def write(data, folder):
    """*data* as a research data set in *folder*."""
    for name, what in (
        ("alerts", data.alerts),
        ("series", data.series),
        ("bugs", data.bugs),
        ("bug_changes", data.bug_changes),
        ("revisions/00000", data.points),
    ):
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        what.write_parquet(path)
    document = {"schema": "stepmark.research/1", **data.document}
    (folder / "research.json").write_text(json.dumps(document))
    return folder
