# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The made-up Treeherder held against recordings of the real one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fakes.catalogue import SHERIFFS, WINDOWS
from fakes.client import ask
from fakes.shape import differences, joined, shape_of
from fakes.treeherder import FakeTreeherder, World

# Endpoints that the fake does not have, and what cannot be asked for without a session.
LEFT_OUT = re.compile("openapi|perfcompare|infracompare|validity|jobs_of_push|changelog")

# Recordings by what they are answers of: those of one line have one shape.
KINDS = {
    "repositories": "repository_list",
    "repository": "repository_one",
    "options": "optioncollectionhash",
    "platforms": "machineplatforms",
    "frameworks": "performance_framework_list|api_version",
    "framework": "performance_framework_one",
    "tags": "performance_tag_list",
    "trackers": "performance_issue_tracker",
    "templates": "performance_bug_template",
    "names of platforms": "performance_platforms",
    "pushes": "push_(list|by|range|time)",
    "push": "push_one",
    "status of a push": "push_status",
    "signatures": "signatures_",
    "data": "data_",
    "job data": "job_data",
    "summary": "summary_",
    "summaries": "alertsummary_(?!retrieve|tasks)",
    "one summary": "alertsummary_retrieve",
    "tasks": "alertsummary_tasks",
    "alerts": "alert_(list|by_id)",
    "alert": "alert_(retrieve|unknown)",
}
# What the documentation says may be besides, by the names of fields.
_ALERT = {
    "taskcluster_metadata": "null",
    "prev_taskcluster_metadata": "null",
    "profile_url": "url",
    "prev_profile_url": "url",
    "series_signature.measurement_unit": "null",
}
_SUMMARY = {f"{many}.{k}": v for many in ("alerts", "related_alerts") for k, v in _ALERT.items()}
_PAGE = {"$.next": "url", "$.previous": "url"}
ALLOWED = {
    "signatures": {"$.application": "missing", "$.extra_options": "missing"},
    "data": {"$.job_id": "null"},
    "summary": {
        "$.data.job_id": "null",
        "$.data.submit_time": "null",
        "$.data.machine_name": "null",
        "$.job_ids": "null",
        "$.submit_times": "null",
        "$.measurement_unit": "null",
        "$.alert_change_type": "int",
    },
    "summaries": _PAGE | {f"$.results.{name}": kinds for name, kinds in _SUMMARY.items()},
    "one summary": {f"$.{name}": kinds for name, kinds in _SUMMARY.items()},
    "alerts": _PAGE | {f"$.results.{name}": kinds for name, kinds in _ALERT.items()},
    "alert": {f"$.{name}": kinds for name, kinds in _ALERT.items()},
}


@pytest.fixture(scope="module")
def world():
    return World.generate(1)


@pytest.fixture(scope="module")
def fake(world):
    with FakeTreeherder(world, built_ui=False) as server:
        yield server


@pytest.fixture(scope="module")
def recordings(shared_data):
    folder = shared_data / "treeherder"
    index = json.loads((folder / "INDEX.json").read_text())["recordings"]
    names = [Path(entry["file"]).stem for entry in index if entry["method"] == "GET"]
    found = {n: json.loads((folder / f"{n}.json").read_text()) for n in names}
    return {n: r for n, r in found.items() if not LEFT_OUT.match(n)}


@pytest.fixture(scope="module")
def like(world, fake):
    """The like request to the fake, of a recorded path: the same with ids of this world."""
    view = fake.view
    row = next(m for m in world.measurements if not m.expired and m.signature_id == 2)
    push = view.pushes[row.push_id]
    before = [p for p in view.of_repository["autoland"] if p.time < push.time][-1]
    rich = next(s for s in reversed(world.summaries) if s.bug_number and s.assignee and s.alerts)
    replaced = (
        ("8223fe92d021e9b563fbfff6d8eda32d1b91bd5d", push.revision),
        ("fc0342c6d06034876ea10b3af4b5ebe850454169", before.revision),
        ("8223fe92d021", push.revision[:12]),
        ("windows11-64-shippable-qr", WINDOWS),
        ("with_assignee=sheriff", f"with_assignee={SHERIFFS[0].username}"),
        ("push/31/", f"push/{push.id}/"),
        ("push_id=31", f"push_id={push.id}"),
        ("job_id=1$", f"job_id={row.job.id}"),
        (r"alertsummary(-tasks)?/(\?id=)?[12](/?)$", rf"alertsummary\1/\g<2>{rich.id}\3"),
        (r"alert/(\?id=)?2(/?)$", rf"alert/\g<1>{rich.alerts[0].id}\2"),
        ("series_signature=4", f"series_signature={rich.alerts[0].signature_id}"),
    )

    def translated(path):
        for old, new in replaced:
            path = re.sub(old, new, path)
        return path

    return translated


def asked(fake, like, recording):
    request = recording["request"]
    headers = request["headers"]
    url = fake.url + like(request["path"])
    return ask(url, agent=headers["User-Agent"], accept=headers["Accept"])


def test_every_recording_is_used(recordings):
    kinds = {n: [k for k, form in KINDS.items() if re.match(form, n)] for n in recordings}
    others = {n for n, found in kinds.items() if not found}
    assert others == {"forbidden_user_agent_403", "unknown_api_version_406"} | {
        n for n in recordings if re.fullmatch("push_(unknown.*|count_too_big)", n)
    }
    assert all(len(found) <= 1 for found in kinds.values())


def test_statuses_and_types_are_those_recorded(recordings, fake, like):
    assert len(recordings) > 70
    wrong = []
    for name, recording in recordings.items():
        reply, real = asked(fake, like, recording), recording["response"]
        mine = (reply.status, reply.headers["content-type"])
        if mine != (real["status"], real["headers"]["Content-Type"]):
            wrong.append((name, mine, real["status"]))
    assert wrong == []


def test_error_bodies_are_those_recorded(recordings, fake, like):
    bad = {n: r for n, r in recordings.items() if r["response"]["status"] != 200}
    assert len(bad) >= 18
    for name, recording in bad.items():
        real = recording["response"]["body"]
        reply = asked(fake, like, recording)
        if isinstance(real, dict) and "_not_json_first_300" in real:
            assert reply.text == real["_not_json_first_300"], name
        else:
            assert reply.json == real, name


def answers(recordings, kind):
    """The bodies that were recorded of one kind, those without content left out."""
    return [
        r["response"]["body"]
        for n, r in recordings.items()
        if re.match(KINDS[kind], n) and r["response"]["status"] == 200 and r["response"]["body"]
    ]


def related(recordings, kind):
    """Objects of *kind* that were recorded inside of others."""
    summaries = [s for page in answers(recordings, "summaries") for s in page["results"]]
    alerts = [a for s in summaries for a in s["alerts"] + s["related_alerts"]]
    whole = [{**s, "related_alerts": alerts} for s in summaries]  # all alerts have one shape
    page = {"next": None, "previous": None}
    return {
        "summaries": [{**page, "count": 1, "results": whole}],
        "one summary": whole,
        "alerts": [{**page, "results": alerts}],
        "alert": alerts,
    }.get(kind, [])


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_are_those_recorded(kind, recordings, fake, like):
    real = joined(map(shape_of, answers(recordings, kind) + related(recordings, kind)))
    mine = [r for n, r in recordings.items() if re.match(KINDS[kind], n)]
    for recording in mine:
        if recording["response"]["status"] != 200:
            continue
        body, recorded = asked(fake, like, recording).json, recording["response"]["body"]
        if not body or not recorded:
            assert body == recorded
            continue
        if kind == "pushes":  # "meta" tells what was asked for: each request has its own
            real.fields["meta"] = shape_of(recorded["meta"])
        told = differences(shape_of(body), real, ALLOWED.get(kind, {}))
        assert list(told) == [], recording["request"]["path"]


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        ("signatures", ["/api/project/autoland/performance/signatures/"]),
        ("repositories", ["/api/repository/"]),
        ("pushes", ["/api/project/autoland/push/?count=100"]),
        ("data", ["/api/project/autoland/performance/data/?signature_id=1"]),
        (
            "summaries",
            [f"/api/performance/alertsummary/?limit=20&page={k}" for k in (1, 2, 3, 4)],
        ),
        (
            "summary",
            [
                f"/api/performance/summary/?repository=autoland&interval=9999999&{query}"
                for query in ("no_subtests=true", "", "signature=2&all_data=true")
            ],
        ),
    ],
)
def test_what_was_recorded_is_seen_of_the_fake_too(kind, paths, recordings, fake):
    """Nulls, empty lists and optional fields: a client that copes with the fake has met them."""
    mine = joined(shape_of(ask(fake.url + path).json) for path in paths)
    told = list(differences(joined(map(shape_of, answers(recordings, kind))), mine, {}))
    assert [line for line in told if "$.meta" not in line] == []


def test_parameters_have_the_effects_recorded(recordings, fake, like):
    """How many there are of a thing, relative to other things, in the real and the fake one."""

    def counts(name, real):
        body = recordings[name]["response"]["body"]
        body = body if real else asked(fake, like, recordings[name]).json
        if name.startswith("data"):
            return [len(rows) for rows in body.values()]
        return [len(body[0]["data"]), len({d["id"] for d in body[0]["data"]})]

    for real in (True, False):
        rows, ids = counts("summary_signature_all_data", real)
        assert rows == ids
        replicates, same = counts("summary_signature_all_data_replicates", real)
        assert same == ids
        assert replicates > 4 * same
        alone, _ = counts("summary_no_replicates_series_with_replicates_flag", real)
        assert alone == rows
        once, _ = counts("summary_no_retriggers", real)
        assert once < rows
        (all_,), both = (
            counts("data_by_signature_id", real),
            counts("data_two_ids_no_retriggers", real),
        )
        assert rows == all_
        assert both[0] < all_
        assert len(both) == 2
