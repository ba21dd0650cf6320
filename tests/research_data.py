# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Small extraction folders and artifacts, for tests of research data sets."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2025, 1, 1, tzinfo=UTC)
REPOSITORY = "autoland"
OPT = "102210fe594ee9b33d82058545b1ed14f4c8206e"


FLAT = [100.0, 101.0, 99.0, 110.0, 111.0, 109.0]
"""Six values with a step at the fourth."""


def importer(folder):
    """What writes an extraction below *folder*, imports it, and opens what was made."""
    from stepmark.datasets.research import open_research
    from stepmark.datasets.research.building import import_research

    def made(series, summaries=(), **told):
        write_extraction(folder / "extraction", series, summaries, **told)
        import_research(folder / "extraction", folder / "research", force=True)
        return open_research(folder / "research")

    return made


def counts(research):
    """The rules that applied, how often."""
    return {r["rule"]: r["count"] for r in research.document["rules"] if r["count"]}


def examples(research, rule):
    return next(r["examples"] for r in research.document["rules"] if r["rule"] == rule)


def row(frame, **key):
    """The one row of *frame* whose cell is that."""
    ((name, value),) = key.items()
    (found,) = [r for r in frame.to_dicts() if r[name] == value]
    return found


def landed(push):
    """When push number *push* landed: one an hour."""
    return START + timedelta(hours=push)


def revision(push):
    return f"{push:040x}"


def signature(number, **told):
    """A series as `/signatures/` describes it; what is usual is left out there."""
    return {
        "id": number,
        "signature_hash": f"{number:040x}",
        "framework_id": 13,
        "option_collection_hash": OPT,
        "machine_platform": "linux",
        "suite": f"suite{number}",
        "should_alert": True,
        "measurement_unit": "ms",
    } | told


def alert(number, series, status=4, **told):
    """An alert as the API has it in its summary."""
    return {
        "id": number,
        "status": status,
        "series_signature": {
            **{k: v for k, v in signature(series).items() if k != "should_alert"},
            "test": "",
            "lower_is_better": True,
            "has_subtests": False,
            "tags": [""],
            "extra_options": ["fission", "webrender"],
            "suite_public_name": None,
            "test_public_name": None,
        },
        "taskcluster_metadata": {"task_id": "abc", "retry_id": 0},
        "prev_taskcluster_metadata": {"task_id": "abd", "retry_id": 1},
        "profile_url": None,
        "prev_profile_url": None,
        "is_regression": True,
        "prev_value": 100.0,
        "new_value": 110.0,
        "t_value": 12.5,
        "amount_abs": 10.0,
        "amount_pct": 10.0,
        "related_summary_id": None,
        "manually_created": False,
        "classifier": "sheriff",
        "starred": False,
        "classifier_email": "",
        "backfill_record": None,
        "noise_profile": "OK",
    } | told


def summary(number, push, alerts, status=7, **told):
    """A summary as the API has it, which blames *push*; the push measured before is the last."""
    prev = told.pop("prev", push - 1)
    return {
        "id": number,
        "push_id": push,
        "prev_push_id": prev,
        "original_revision": revision(push),
        "original_prev_push_revision": revision(prev),
        "created": (landed(push) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "first_triaged": None,
        "triage_due_date": "2025-02-01T00:00:00",
        "repository": REPOSITORY,
        "framework": 13,
        "alerts": [{**item, "summary_id": number} for item in alerts],
        "related_alerts": [],
        "status": status,
        "bug_number": None,
        "bug_status": None,
        "bug_due_date": "2025-02-03T00:00:00",
        "bug_updated": None,
        "issue_tracker": 1,
        "notes": None,
        "revision": revision(push),
        "push_timestamp": int(landed(push).timestamp()),
        "prev_push_revision": revision(prev),
        "assignee_username": "sheriff",
        "assignee_email": "",
        "performance_tags": [],
        "duplicated_summaries": [],
    } | told


def points(values, first_push=1, first_id=1):
    """One measurement a push, in order: rows of an extraction's Parquet file."""
    return [point(first_id + i, first_push + i, value) for i, value in enumerate(values)]


def point(number, push, value, **told):
    return {
        "id": number,
        "push_id": push,
        "job_id": None if number is None else number + 1000,
        "push_timestamp": landed(push),
        "revision": revision(push),
        "value": value,
        "replicates": None,
        "submit_time": None,
        "machine_name": None,
    } | told


def write_json(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def write_extraction(
    folder: Path, series, summaries=(), *, signatures=None, pushes=(), bugs=(), headers=None
):
    """An extraction of *series*, rows by signature id; every series is described by itself."""
    write_json(
        folder / "extraction.json",
        {
            "schema": "stepmark.extraction/1",
            "server": "https://treeherder.example",
            "bugzilla": None,
            "asked": {},
            "runs": [{"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T01:00:00Z"}],
        },
    )
    write_json(folder / "frameworks.json", [{"id": 13, "name": "browsertime"}])
    write_json(
        folder / "options.json", [{"option_collection_hash": OPT, "options": [{"name": "opt"}]}]
    )
    described = [signature(number) for number in series] if signatures is None else signatures
    write_json(folder / "signatures" / REPOSITORY / "13.json", {str(s["id"]): s for s in described})
    for place, item in enumerate(summaries):
        write_json(folder / "summaries" / f"{place}.json", {str(item["id"]): item})
    write_json(
        folder / "pushes" / REPOSITORY / "0.json",
        {
            str(push): {
                "id": push,
                "revision": revision(push),
                "push_timestamp": int(landed(push).timestamp()),
            }
            for push in pushes
        },
    )
    write_json(folder / "bugs" / "0.json", {str(bug["id"]): bug_entry(bug) for bug in bugs})
    for number, rows in series.items():
        write_series(folder, number, rows, (headers or {}).get(number))


def bug_entry(bug):
    change = {"field_name": "status", "removed": "NEW", "added": "RESOLVED"}
    return {"bug": bug, "history": [{"when": "2025-03-01T00:00:00Z", "changes": [change]}]}


def write_series(folder, number, rows, header=None):
    import polars as pl

    from stepmark.datasets.research.material import POINTS
    from stepmark.datasets.research.tables import schema_of

    place = folder / "series" / REPOSITORY
    place.mkdir(parents=True, exist_ok=True)
    told = {"signature_id": number, "repository_name": REPOSITORY, "repository_id": 77}
    pl.DataFrame(rows, schema=schema_of(POINTS)).write_parquet(
        place / f"{number}.parquet",
        metadata={"stepmark.series": json.dumps(told | (header or {}))},
    )


SERIES_HEAD = (
    "repository_name", "signature_id", "framework_id", "signature_hash", "machine_platform",
    "should_alert", "has_subtests", "extra_options", "tags", "option_collection_hash", "test",
    "suite", "lower_is_better", "name", "parent_signature", "repository_id", "measurement_unit",
    "application", "job_id", "entry_id", "push_timestamp", "value", "revision", "push_id",
)  # fmt: skip


def write_table(path, rows):
    """*rows* (maps) as CSV, the heads those of the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def artifact_series(number, rows, **told):
    """The rows of a series' CSV in the lab's artifact."""
    own = signature(number) | {
        "repository_name": REPOSITORY,
        "signature_id": number,
        "has_subtests": False,
        "extra_options": "['fission', 'webrender']",
        "tags": '[""]',
        "test": "",
        "lower_is_better": True,
        "name": "a name",
        "parent_signature": "7.0",
        "repository_id": 77,
        "application": "firefox",
    } | told  # fmt: skip
    made = []
    for row in rows:
        time = row["push_timestamp"]
        cells = own | row | {
            "entry_id": row["id"],
            "push_timestamp": time.strftime("%Y-%m-%dT%H:%M:%S") if time else "",
        }  # fmt: skip
        made.append({name: cells.get(name) for name in SERIES_HEAD})
    return made


def artifact_alert(item, own):
    """One alert as a row of alerts_data.csv."""
    from stepmark.datasets.research.cells import at
    from stepmark.datasets.research.tables import ALERTS_READ

    tables = {"summary": item, "alert": {**own, "summary_id": item["id"]}}
    row = {c.name: _csv(at(tables, c.path)) for c in ALERTS_READ if c.lab}
    return row | {"alert_summary_related_alerts": "||"}


def _csv(value):
    return str(value) if isinstance(value, list) else value


def write_artifact(folder: Path, series, summaries=(), bugs=(), places=None):
    """The lab's artifact: *series* are rows by signature id; *places* their folders."""
    rows = [artifact_alert(s, a) for s in summaries for a in s["alerts"]]
    write_table(folder / "alerts_data.csv", rows or [artifact_alert(summary(1, 1, []), {})])
    if bugs:
        write_table(folder / "bugs_data.csv", [{k: _csv(v) for k, v in b.items()} for b in bugs])
    for number, own in series.items():
        place = (places or {}).get(number, "autoland1")
        path = folder / "timeseries_data" / place / f"{number}_timeseries_data.csv"
        write_table(path, own or [dict.fromkeys(SERIES_HEAD)])
