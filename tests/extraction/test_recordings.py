# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The client understands what the real Treeherder answered when it was recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from extraction.worlds import QUICK
from stepmark.extraction.split import Range
from stepmark.extraction.treeherder import SeriesOf, Treeherder, frameworks_in, repositories_in
from stepmark.remote import BrokenError, RefusedError, Remote

YEAR = Range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
# Look-backs are by time in the recordings and by dates from the client: the content is the same.
_TIMES = {"interval", "startday", "endday", "start_date", "end_date"}


def key(path):
    """What tells two requests apart, but for the range of time."""
    parts = urlsplit(path)
    pairs = [(k, v) for k, v in parse_qsl(parts.query) if k not in _TIMES]
    return parts.path, tuple(sorted(pairs))


@pytest.fixture(scope="module")
def recorded(shared_data):
    """A client whose server gives the recorded answers."""
    answers = {}
    for path in sorted((shared_data / "treeherder").glob("*.json")):
        document = json.loads(path.read_bytes())
        request = document.get("request")
        if request and request["method"] == "GET" and "_after_" not in path.name:
            answers.setdefault(key(request["path"]), document["response"])

    def handle(request):
        answer = answers.get(key(request.url.raw_path.decode()))
        if answer is None:
            return httpx.Response(404, json={"detail": f"not recorded: {request.url}"})
        body, kind = answer["body"], answer["headers"]["Content-Type"]
        text = body["_not_json_first_300"] if "html" in kind else json.dumps(body)
        return httpx.Response(answer["status"], text=text, headers={"content-type": kind})

    with Remote(
        "https://treeherder.example", patience=QUICK, transport=httpx.MockTransport(handle)
    ) as remote:
        yield Treeherder(remote)


def body(shared_data, name):
    return json.loads((shared_data / "treeherder" / name).read_bytes())["response"]["body"]


def test_lists(recorded):
    frameworks = frameworks_in(recorded.frameworks())
    assert (frameworks[0].id, frameworks[0].name) == (1, "talos")
    repositories = {r.name: r for r in repositories_in(recorded.list_of("/api/repository/"))}
    assert repositories["autoland"].id == 77
    assert repositories["autoland"].alerting
    assert not repositories["try"].alerting


def test_series_with_replicates(recorded, shared_data):
    found = recorded.series(SeriesOf("autoland", 13, 2), YEAR, frozenset(), halving=False)
    data = body(shared_data, "summary_signature_all_data.json")[0]["data"]
    replicates = body(shared_data, "summary_signature_all_data_replicates.json")[0]["data"]
    assert {(r.id, r.value) for r in found.by_id.values()} == {(d["id"], d["value"]) for d in data}
    assert len(found) == 56
    assert found.header["suite"] == "amazon"
    assert found.header["alert_threshold"] == 2.0
    for number, row in found.by_id.items():
        assert sorted(row.replicates) == sorted(d["value"] for d in replicates if d["id"] == number)
        assert len(row.replicates) == 10


def test_without_replicates_none_are_asked_for(recorded):
    before = recorded.remote.requests
    found = recorded.series(SeriesOf("autoland", 13, 2), YEAR, None, halving=False)
    assert recorded.remote.requests == before + 1
    assert all(row.replicates is None for row in found.by_id.values())
    again = recorded.series(
        SeriesOf("autoland", 13, 2), YEAR, frozenset(found.by_id), halving=False
    )
    assert again == found
    assert recorded.remote.requests == before + 2


def test_signatures(recorded, shared_data):
    answer = body(shared_data, "signatures_browsertime_interval_nosubtests.json")
    found = recorded.signatures("autoland", 13, YEAR, subtests=False, halving=False)
    assert {str(number): s for number, s in found.items()} == answer


def test_an_alert_summary(recorded):
    with pytest.raises(RefusedError, match="No PerformanceAlertSummary matches the given query"):
        recorded.summary(4242)
    summary = recorded.summary(1)
    assert summary["repository"] == "autoland"
    assert len(summary["alerts"]) >= 1


def test_pages_of_alerts(shared_data):
    first = body(shared_data, "alertsummary_list.json")
    past = body(shared_data, "alertsummary_page_out_of_range_404.json")

    def handle(request):
        page = request.url.params["page"]
        return httpx.Response(200, json=first) if page == "1" else httpx.Response(404, json=past)

    with Remote("https://perf.example", transport=httpx.MockTransport(handle)) as remote:
        page = Treeherder(remote).summaries(1, 77)
        assert Treeherder(remote).summaries(2, 77) is None
    assert (page.count, page.last, list(page.rows)) == (2, True, first["results"])


def test_faults_of_the_real_server(recorded):
    with pytest.raises(BrokenError, match="HTTP 500: HTML page 'Server Error"):
        recorded.remote.get("/api/project/nosuch/performance/signatures/")
    with pytest.raises(RefusedError, match="HTTP 404: No project with name nosuch"):
        recorded.remote.get("/api/project/nosuch/push/")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("alertsummary_bad_status_400.json", "status: Enter a number."),
        ("data_bad_job_id_400.json", "Job id(s) must be specified as integers"),
        ("data_both_ids_and_hashes_400.json", "Can't specify both signature_id and signatures"),
        ("summary_bad_repository_400.json", "repository: nosuch does not exist."),
        ("summary_missing_params_400.json", "Required: revision, startday and endday or interval."),
        ("perfcompare_bad_revision_400.json", "No new push with revision 11 from repo autoland."),
        ("push_unknown_id.json", "No push with id: 999999"),
        ("alertsummary_tasks_400.json", "PerformanceAlertSummary does not exist."),
        ("forbidden_user_agent_403.json", "403 Forbidden"),
        ("unknown_api_version_406.json", "Invalid version"),
    ],
)
def test_each_recorded_refusal_is_one_clear_line(shared_data, name, told):
    answer = json.loads((shared_data / "treeherder" / name).read_bytes())["response"]
    kind = answer["headers"]["Content-Type"]
    found = answer["body"]
    text = found["_not_json_first_300"] if "html" in kind else json.dumps(found)

    def handle(_):
        return httpx.Response(answer["status"], text=text, headers={"content-type": kind})

    with (
        Remote("https://perf.example", transport=httpx.MockTransport(handle)) as remote,
        pytest.raises(RefusedError) as caught,
    ):
        remote.get("/x/")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
