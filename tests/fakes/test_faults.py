# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Every fault, as a client sees it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter

import pytest

from fakes.client import ask, pages
from fakes.faults import KINDS, FaultState
from fakes.treeherder import FakeTreeherder, Faults, World

SUMMARY = "/api/performance/summary/?repository=autoland&signature=1&all_data=true&interval="


@pytest.fixture(scope="module")
def world():
    return World.generate(2, frameworks=(1, 13), series=6, pushes=200, days=40)


def always(kind, **options):
    return Faults(kinds=(kind,), rate=1.0, most=1, **options)


def tried(world, faults, path="/api/performance/framework/"):
    """The first and the second reply, the first as an error where there was one."""
    with FakeTreeherder(world, faults) as fake:
        replies = []
        for _ in range(2):
            try:
                replies.append(ask(fake.url + path))
            except (http.client.HTTPException, OSError) as error:
                replies.append(error)
        return replies, fake.requests


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_try_gets_through(world, kind):
    (_, second), requests = tried(world, always(kind))
    assert (second.status, second.json[0]) == (200, {"id": 1, "name": "talos"})
    assert [r.fault for r in requests] == [kind, None]


@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [
        ("500", 500, "text/html"),
        ("502", 502, "text/html"),
        ("503", 503, "text/html"),
        ("429", 429, "application/json"),
        ("html", 200, "text/html"),
    ],
)
def test_failing_answers(world, kind, status, type_):
    (first, _), _ = tried(world, always(kind, retry_after="7"))
    assert first.status == status
    assert first.headers["content-type"].startswith(type_)
    assert first.headers.get("retry-after") == ("7" if kind in {"503", "429"} else None)


def test_no_retry_after_where_none_is_wanted(world):
    (first, _), _ = tried(world, always("503", retry_after=None))
    assert "retry-after" not in first.headers


def test_a_connection_cut_before_the_headers(world):
    (first, _), requests = tried(world, always("cut-before"))
    assert isinstance(first, http.client.RemoteDisconnected | ConnectionResetError)
    assert requests[0].status is None


def test_a_connection_cut_inside_the_body(world):
    (first, _), _ = tried(world, always("cut-inside"))
    assert isinstance(first, http.client.IncompleteRead | ConnectionResetError)


@pytest.mark.parametrize("kind", ["wrong-length", "truncated"])
def test_half_a_text_with_a_length_that_fits_it(world, kind):
    (first, second), _ = tried(world, always(kind))
    assert first.status == 200
    assert second.text.startswith(first.text)
    with pytest.raises(json.JSONDecodeError):
        _ = first.json


def test_slow_answers_are_right(world):
    start = time.monotonic()
    (first, second), _ = tried(world, always("slow", delay=0.05))
    assert time.monotonic() - start >= 0.05
    assert first.json == second.json


@pytest.mark.parametrize("path", [SUMMARY + "9999999", "/api/performance/alertsummary/"])
def test_a_row_twice(world, path):
    (first, second), _ = tried(world, always("duplicates"), path)

    def rows(reply):
        found = reply.json
        return [r["id"] for r in (found["results"] if "results" in found else found[0]["data"])]

    twice = Counter(rows(first))
    assert sorted(twice.values())[-2:] == [1, 2]
    assert list(twice) == rows(second)


def test_new_alerts_arrive_while_pages_are_read(world):
    path = "/api/performance/alertsummary/?limit=3"
    with FakeTreeherder(world) as fake:
        still = [s["id"] for s in pages(fake.url + path)]
    assert still == sorted(set(still), reverse=True)
    assert len(still) > 9
    with FakeTreeherder(world, Faults(arriving=2)) as fake:
        moving = [s["id"] for s in pages(fake.url + path)]
        assert len(moving) > len(set(moving))
        assert set(still) - set(moving) == set(still[:2])
        assert [s["id"] for s in pages(fake.url + path)] == still


def test_ranges_that_take_too_long_fail_for_ever(world):
    with FakeTreeherder(world, Faults(longest=10)) as fake:
        for seconds, status in ((86400 * 9, 200), (86400 * 11, 502), (126144000, 502)):
            assert ask(f"{fake.url}{SUMMARY}{seconds}").status == status
            assert ask(f"{fake.url}{SUMMARY}{seconds}").status == status
        half = SUMMARY.replace("interval=", "startday=2026-11-01T00:00:00&endday=2026-11-")
        assert ask(f"{fake.url}{half}09T00:00:00").status == 200
        assert ask(f"{fake.url}{half}13T00:00:00").status == 502
        data = f"{fake.url}/api/project/autoland/performance/data/?signature_id=1"
        assert ask(data).status == 502
        assert ask(f"{data}&interval=86400").status == 200
        assert ask(f"{data}&push_id=1").status == 200


def test_permanent_faults_of_certain_requests(world):
    faults = Faults(permanent=((r"signature=1&", "500"), ("/tag/$", "cut-before")))
    with FakeTreeherder(world, faults) as fake:
        for _ in range(5):
            assert ask(f"{fake.url}{SUMMARY}86400").status == 500
            with pytest.raises(ConnectionError):
                ask(f"{fake.url}/api/performance/tag/")
        other = SUMMARY.replace("signature=1&", "signature=2&")
        assert ask(f"{fake.url}{other}86400").status == 200


def test_errors_of_the_api_itself_meet_no_faults(world):
    with FakeTreeherder(world, always("500")) as fake:
        assert ask(f"{fake.url}/api/project/nosuch/push/").status == 404
        assert ask(f"{fake.url}/api/performance/framework/", agent="libcurl/8").status == 403


def sequence(faults, requests):
    state = FaultState(faults)
    return [(request, state.next(request)) for request in requests]


def test_faults_depend_on_the_seed_and_not_on_the_order_of_requests():
    names = [f"/{k}" for k in range(40)] * 5
    faults = Faults(seed=7, rate=0.5)
    one = sequence(faults, names)
    other = sequence(faults, sorted(names))
    assert sorted(one, key=lambda pair: pair[0]) == other
    assert one == sequence(faults, names)
    assert one != sequence(Faults(seed=8, rate=0.5), names)
    assert {kind for _, kind in one} == {None, *KINDS}
    share = sum(kind is not None for _, kind in one) / len(one)
    assert 0.3 < share < 0.6


@pytest.mark.parametrize("most", [0, 1, 3])
def test_faults_come_to_an_end(most):
    found = [kind is not None for _, kind in sequence(Faults(rate=1.0, most=most), ["/"] * 12)]
    assert found == [k % (most + 1) != most for k in range(12)]


def test_a_rate_of_zero_is_no_fault():
    assert {kind for _, kind in sequence(Faults(), ["/"] * 50)} == {None}


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="gremlins"):
        Faults(kinds=("gremlins",))
    with pytest.raises(ValueError, match="gremlins"):
        Faults(permanent=(("/", "gremlins"),))


def test_requests_at_one_time_are_counted(world):
    with FakeTreeherder(world, always("slow", delay=0.2)) as fake:
        urls = [f"{fake.url}/api/performance/tag/?{k}" for k in range(3)]
        threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert fake.most_at_once == 3
        assert len(fake.requests) == 3
