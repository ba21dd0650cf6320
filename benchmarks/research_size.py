# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the import of a research data set takes: time, processor time and memory.

``python benchmarks/research_size.py [--series N] [--points N] [--alerts N] [--form extraction]``
makes an extraction folder (or the lab's artifact: ``--form artifact``) of that size in a folder
that is removed again, unless ``--keep FOLDER`` names one, and imports it in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

DAYS = 365
PUSHES = 6000
START = np.datetime64("2025-01-01T00:00:00", "us")
FRAMEWORKS = {1: "talos", 4: "awsy", 13: "browsertime"}
PLATFORMS = ("linux1804-64-shippable-qr", "windows11-64-shippable-qr", "macosx1015-64-shippable-qr")
OPT = "102210fe594ee9b33d82058545b1ed14f4c8206e"
SUMMARY_STATUSES = (0, 1, 3, 4, 4, 5, 6, 7, 7, 8)
TAKES = 1.5  # median days from an alert to its triage


@dataclass(frozen=True)
class Size:
    series: int
    points: int
    alerts: int
    seed: int = 0


class History:
    """Pushes, series and alerts of one repository, the same for the same size."""

    def __init__(self, size):
        self.size = size
        self.random = np.random.default_rng(size.seed)
        self.times = START + np.sort(self.random.integers(0, DAYS * 86400, PUSHES)).astype(
            "timedelta64[s]"
        )
        self.revisions = np.array([self.random.bytes(20).hex() for _ in range(PUSHES)])
        # A summary blames one push; its alerts are of series that were measured there or later.
        self.summaries = max(1, size.alerts // 5)
        self.blamed = self.random.integers(PUSHES // 10, PUSHES - PUSHES // 10, self.summaries)
        own = np.arange(size.alerts) % self.summaries
        # All alerts of a summary are of one framework, which every third series is of.
        self.alerted = self.random.integers(0, size.series // 3, size.alerts) * 3 + own % 3
        self.status = self.random.choice(SUMMARY_STATUSES, self.summaries)
        self.delay = self.random.lognormal(np.log(2), 0.5, self.summaries)
        self.triage = self.random.lognormal(np.log(TAKES), 1, self.summaries)
        self.bugged = self.triage + self.random.lognormal(np.log(1), 1, self.summaries)
        false = self.status[own] == 3
        # False alerts are smaller, and many are on one platform.
        self.percent = 2 + self.random.lognormal(np.where(false, 0.2, 1.4), 0.8)
        self.t = 7 + self.random.exponential(np.where(false, 3, 15))
        noisy = (self.alerted // 3) % len(PLATFORMS) == 1
        self.invalid = false | (self.random.random(size.alerts) < np.where(noisy, 0.1, 0.02))
        self.moved = self.random.random(size.alerts) < 0.15

    def signature(self, number):
        tests = ("fcp", "loadtime", "", "SpeedIndex")
        return {
            "id": number,
            "signature_hash": f"{number:040x}",
            "framework_id": list(FRAMEWORKS)[number % 3],
            "option_collection_hash": OPT,
            "machine_platform": PLATFORMS[number // 3 % 3],
            "suite": f"suite{number // 12}",
            "should_alert": True,
            "test": tests[number % 4],
            "application": "firefox",
            "tags": ["pageload"],
            "extra_options": ["fission", "webrender"],
            "measurement_unit": "ms",
        }

    def points(self, number):
        """The measurements of a series: retriggers here and there, steps at its alerts."""
        size, random = self.size, np.random.default_rng((self.size.seed, number))
        pushes = np.sort(random.integers(0, PUSHES, size.points))
        level = 10 ** random.uniform(0, 4)
        own = np.flatnonzero(self.alerted == number)
        steps = self.blamed[own % self.summaries]
        factor = np.prod([np.where(pushes >= step, random.uniform(0.9, 1.15), 1.0)
                          for step in steps], axis=0) if len(steps) else 1.0  # fmt: skip
        values = level * factor * (1 + random.normal(0, 0.02, size.points))
        first = number * size.points + 1
        utc = {"time_unit": "us", "time_zone": "UTC"}
        at = pl.Series(self.times[pushes]).dt.replace_time_zone("UTC")
        machine = pl.Series(random.integers(0, 300, size.points)).cast(pl.String)
        return pl.DataFrame(
            {
                "id": np.arange(first, first + size.points),
                "push_id": pushes + 1000,
                "job_id": np.arange(first, first + size.points) + 7,
                "push_timestamp": at,
                "revision": self.revisions[pushes],
                "value": values,
                "replicates": pl.Series([None] * size.points, dtype=pl.List(pl.Float64)),
                "submit_time": at.cast(pl.Datetime(**utc)),
                "machine_name": "worker-" + machine,
            }
        )

    def summary(self, number):
        blamed = int(self.blamed[number])
        status = int(self.status[number])
        at = self.times[blamed]

        def later(days):
            return str(at + np.timedelta64(int(days * 86_400_000_000), "us"))

        delay, bugged = self.delay[number], status in (5, 6, 7)
        return {
            "id": number + 1,
            "push_id": blamed + 1000,
            "prev_push_id": blamed + 998,
            "original_revision": str(self.revisions[blamed]),
            "created": later(delay),
            "first_triaged": later(delay + self.triage[number]) if status else None,
            "triage_due_date": later(delay + 2),
            "repository": "autoland",
            "framework": list(FRAMEWORKS)[number % 3],
            "alerts": [],
            "related_alerts": [],
            "status": status,
            "bug_number": 1_900_000 + number // 10 if bugged else None,
            "bug_status": None,
            "bug_due_date": later(delay + 4),
            "bug_updated": later(delay + self.bugged[number]) if bugged else None,
            "issue_tracker": 1,
            "notes": "Looks real on linux.",
            "revision": str(self.revisions[blamed]),
            "push_timestamp": int(at.astype("datetime64[s]").astype(int)),
            "prev_push_revision": str(self.revisions[blamed - 2]),
            "original_prev_push_revision": str(self.revisions[blamed - 2]),
            "assignee_username": "sheriff",
            "assignee_email": "",
            "performance_tags": ["bisection"],
            "duplicated_summaries": [],
        }

    def alert(self, number):
        summary = number % self.summaries
        own = self.signature(int(self.alerted[number]))
        kept = ("id", "framework_id", "signature_hash", "machine_platform", "suite", "test",
                "option_collection_hash", "tags", "extra_options", "measurement_unit")  # fmt: skip
        signature = {key: own[key] for key in kept}
        task = {"task_id": "5c97c953423b59557b7b61", "retry_id": 0}
        status = int(self.status[summary])
        if status:
            status = 3 if self.invalid[number] else 1 if self.moved[number] else 4
        percent = float(self.percent[number])
        return {
            "id": number + 1,
            "status": status,
            "series_signature": {
                **signature,
                "lower_is_better": True,
                "has_subtests": False,
                "suite_public_name": None,
                "test_public_name": None,
            },
            "taskcluster_metadata": task,
            "prev_taskcluster_metadata": task,
            "profile_url": None,
            "prev_profile_url": None,
            "is_regression": number % 3 > 0,
            "prev_value": 600.91,
            "new_value": round(600.91 * (1 + percent / 100), 2),
            "t_value": round(float(self.t[number]), 2),
            "amount_abs": round(6.0091 * percent, 2),
            "amount_pct": round(percent, 2),
            "summary_id": summary + 1,
            "related_summary_id": (summary + 7) % self.summaries + 1 if status in (1, 2) else None,
            "manually_created": number % 50 == 0,
            "classifier": "sheriff",
            "starred": False,
            "classifier_email": "",
            "backfill_record": {
                "context": json.dumps([{"value": 604.71, "job_id": 101, "push_id": 29}] * 5),
                "status": 3,
                "total_actions_triggered": 3,
                "total_backfills_failed": number % 5 // 4,
                "total_backfills_successful": 3 - number % 5 // 4,
                "total_backfills_in_progress": 0,
            },
            "side_by_side_available": True,
            "noise_profile": ("OK", "OK", "MODAL", "OUTLIERS")[number % 4],
        }

    def all_summaries(self):
        made = [self.summary(number) for number in range(self.summaries)]
        for number in range(self.size.alerts):
            made[number % self.summaries]["alerts"].append(self.alert(number))
        return made


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def grouped(items, size):
    """*items* by their id // *size*, as the folder keeps them."""
    groups = {}
    for item in items:
        groups.setdefault(item["id"] // size, {})[str(item["id"])] = item
    return groups.items()


def write_extraction(history, folder):
    """An extraction folder."""
    write(folder / "extraction.json", {
        "schema": "stepmark.extraction/1", "server": "https://treeherder.example",
        "bugzilla": "https://bugzilla.example", "asked": {}, "runs": [],
    })  # fmt: skip
    names = [{"id": number, "name": name} for number, name in FRAMEWORKS.items()]
    write(folder / "frameworks.json", names)
    options = [{"option_collection_hash": OPT, "options": [{"name": "opt"}]}]
    write(folder / "options.json", options)
    for group, items in grouped(history.all_summaries(), 100):
        write(folder / "summaries" / f"{group}.json", items)
    by_framework = {}
    for number in range(history.size.series):
        signature = history.signature(number)
        by_framework.setdefault(signature["framework_id"], {})[str(number)] = signature
    for framework, signatures in by_framework.items():
        write(folder / "signatures" / "autoland" / f"{framework}.json", signatures)
    for group, items in grouped(pushes(history), 1000):
        write(folder / "pushes" / "autoland" / f"{group}.json", items)
    for group, items in grouped(bugs(history), 1000):
        write(folder / "bugs" / f"{group}.json", {
            key: {"bug": item, "history": [{"when": "2025-06-01T00:00:00Z", "changes": [
                {"field_name": "status", "removed": "NEW", "added": "RESOLVED"}]}]}
            for key, item in items.items()
        })  # fmt: skip
    place = folder / "series" / "autoland"
    place.mkdir(parents=True)
    for number in range(history.size.series):
        own = history.signature(number)
        header = {
            "signature_id": number, "framework_id": own["framework_id"],
            "signature_hash": own["signature_hash"], "platform": own["machine_platform"],
            "test": own["test"], "suite": own["suite"], "lower_is_better": True,
            "has_subtests": False, "tags": "pageload", "name": own["suite"],
            "parent_signature": None, "repository_name": "autoland", "repository_id": 77,
            "measurement_unit": "ms", "application": "firefox", "should_alert": True,
            "alert_change_type": None, "alert_threshold": 2.0,
            "from": "2025-01-01T00:00:00", "to": "2026-01-01T00:00:00",
        }  # fmt: skip
        history.points(number).write_parquet(
            place / f"{number}.parquet", metadata={"stepmark.series": json.dumps(header)}
        )


def pushes(history):
    for number, (revision, time_) in enumerate(zip(history.revisions, history.times, strict=True)):
        commit = {"revision": str(revision), "author": "", "comments": "Bug 1 - Change. r=someone"}
        yield {
            "id": number + 1000,
            "revision": str(revision),
            "author": "",
            "revisions": [commit] * 3,
            "revision_count": 3,
            "push_timestamp": int(time_.astype("datetime64[s]").astype(int)),
        }


def bugs(history):
    for number in range(1_900_000, 1_900_000 + history.summaries // 10 + 1):
        yield {
            "id": number, "type": "defect", "summary": "12 % regression", "status": "RESOLVED",
            "resolution": ("FIXED", "WONTFIX", "INVALID", "")[number % 4],
            "creation_time": "2025-03-01T00:00:00Z",
            "last_change_time": "2026-02-01T00:00:00Z", "keywords": ["perf", "perf-alert"],
        }  # fmt: skip


def write_artifact(history, folder):
    """The lab's artifact."""
    from stepmark.datasets.research.cells import at
    from stepmark.datasets.research.tables import ALERTS_READ

    folder.mkdir(parents=True, exist_ok=True)
    columns = [column for column in ALERTS_READ if column.lab]
    rows = [
        [_csv(at({"summary": summary, "alert": alert}, column.path)) for column in columns]
        for summary in history.all_summaries()
        for alert in summary["alerts"]
    ]
    table = pl.DataFrame(rows, schema={c.name: pl.String for c in columns}, orient="row")
    table.write_csv(folder / "alerts_data.csv")
    pl.DataFrame([{k: _csv(v) for k, v in bug.items()} for bug in bugs(history)]).write_csv(
        folder / "bugs_data.csv"
    )
    for number in range(history.size.series):
        own, points = history.signature(number), history.points(number)
        place = folder / "timeseries_data" / f"autoland{number % 4 + 1}"
        place.mkdir(parents=True, exist_ok=True)
        told = {
            "repository_name": "autoland", "signature_id": number, **own, "lower_is_better": True,
            "has_subtests": False, "name": own["suite"], "parent_signature": None,
            "repository_id": 77,
        }  # fmt: skip
        del told["id"]
        points.select(
            *(pl.lit(_csv(value)).alias(name) for name, value in told.items()),
            "job_id",
            pl.col("id").alias("entry_id"),
            pl.col("push_timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S"),
            "value",
            "revision",
            "push_id",
        ).write_csv(place / f"{number}_timeseries_data.csv")


def _csv(value):
    if isinstance(value, list):
        return json.dumps(value)
    return None if value is None else str(value)


CHILD = """
import json, resource, sys, time
began = time.perf_counter()
from stepmark.datasets.research.building import import_research
document = import_research(sys.argv[1], sys.argv[2])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "wall": time.perf_counter() - began,
    "cpu": used.ru_utime + used.ru_stime,
    "peak": used.ru_maxrss / 1024,
    "rules": {rule["rule"]: rule["count"] for rule in document["rules"] if rule["count"]},
    "digest": document["digest"],
}))
"""


def measured(source, out):
    """What the import takes, in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), str(out)],
        check=True, capture_output=True, text=True, env=dict(os.environ),
    )  # fmt: skip
    return json.loads(done.stdout) | {"process": time.perf_counter() - began}


@contextmanager
def folder_of(keep):
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=5000)
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--form", choices=("extraction", "artifact"), default="extraction")
    parser.add_argument("--keep", type=Path, default=None)
    told = parser.parse_args()
    history = History(Size(told.series, told.points, told.alerts))
    with folder_of(told.keep) as folder:
        source = folder / told.form
        if not source.exists():
            began = time.perf_counter()
            {"extraction": write_extraction, "artifact": write_artifact}[told.form](history, source)
            print(f"made in {time.perf_counter() - began:.0f} s")
        out = folder / f"{told.form}-research"
        shutil.rmtree(out, ignore_errors=True)
        found = measured(source, out)
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(
        f"{told.series:,} series x {told.points:,} points, {told.alerts:,} alerts ({told.form}):"
        f" {found['wall']:.1f} s, {found['cpu']:.1f} s of processor time,"
        f" {found['peak']:,.0f} MiB at most, {size / 1e6:,.0f} MB written"
    )
    for rule, count in found["rules"].items():
        print(f"  {rule}: {count:,}")
    print(found["digest"])


if __name__ == "__main__":
    main()
