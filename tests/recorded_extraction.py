# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""An extraction folder out of what the real Treeherder answered when it was recorded."""

from __future__ import annotations

import json
from pathlib import Path

from research_data import write_json

LISTS = {
    "frameworks.json": "performance_framework_list.json",
    "repositories.json": "repository_list.json",
    "options.json": "optioncollectionhash.json",
    "tags.json": "performance_tag_list.json",
}
SERIES = {
    2: "summary_signature_all_data.json",
    1: "summary_no_replicates_series_with_replicates_flag.json",
}
REPLICATES = {2: "summary_signature_all_data_replicates.json"}


def body(folder: Path, name: str):
    """The body of a recorded answer."""
    return json.loads((folder / name).read_bytes())["response"]["body"]


def summaries(folder: Path):
    """The alert summaries at the end of the recording, after people triaged some of them."""
    return body(folder, "alertsummary_list_after_triage.json")["results"]


def write_recorded(folder: Path, out: Path) -> None:
    """An extraction folder in *out* of the recordings in *folder*."""
    write_json(
        out / "extraction.json",
        {"schema": "stepmark.extraction/1", "server": "https://treeherder.example",
         "bugzilla": None, "asked": {}, "runs": []},
    )  # fmt: skip
    for name, recorded in LISTS.items():
        write_json(out / name, body(folder, recorded))
    write_json(out / "summaries" / "0.json", {str(s["id"]): s for s in summaries(folder)})
    described = {}
    for number, signature in body(folder, "signatures_all.json").items():
        described.setdefault(signature["framework_id"], {})[number] = signature
    for framework, found in described.items():
        write_json(out / "signatures" / "autoland" / f"{framework}.json", found)
    pushes = {
        str(push["id"]): push
        for name in ("push_list.json", "push_range.json", "push_time_page.json")
        for push in body(folder, name)["results"]
    }
    write_json(out / "pushes" / "autoland" / "0.json", pushes)
    for number in SERIES:
        _write_series(folder, out, number)


def _write_series(folder: Path, out: Path, number: int) -> None:
    import polars as pl

    from stepmark.datasets.research.material import POINTS
    from stepmark.datasets.research.tables import schema_of

    (told,) = body(folder, SERIES[number])
    replicates: dict[int, list[float]] = {}
    if number in REPLICATES:
        for row in body(folder, REPLICATES[number])[0]["data"]:
            replicates.setdefault(row["id"], []).append(row["value"])
    header = {k: v for k, v in told.items() if k not in ("data", "values", "job_ids")}
    text = ("push_timestamp", "submit_time")
    rows = [row | {"replicates": replicates.get(row["id"])} for row in told["data"]]
    types = schema_of(POINTS)
    frame = pl.DataFrame(rows, schema_overrides=dict.fromkeys(text, pl.String))
    frame = frame.with_columns(
        pl.col(text).str.to_datetime(time_unit="us", time_zone="UTC")
    ).select(pl.col(name).cast(kind) for name, kind in types.items())
    place = out / "series" / "autoland" / f"{number}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(place, metadata={"stepmark.series": json.dumps(header)})
