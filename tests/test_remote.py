# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The client: what it sends, what it bears, and what it says when it gives up."""

from __future__ import annotations

import gzip
import itertools
import json
import logging
import threading
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from stepmark import __version__
from stepmark.errors import UsageError
from stepmark.remote import (
    BrokenError,
    HeavyError,
    Patience,
    RefusedError,
    Remote,
    UnavailableError,
    checked_server,
    user_agent,
)

SERVER = "https://perf.example"
QUICK = Patience(
    6, attempts_of_broken=4, attempts_at_first=3, first_wait=0, longest_wait=0, jitter=0
)


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self):
        self.now = 1_000_000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def remote(*answers, patience=QUICK, clock=None, **options):
    """A client whose server gives these answers, the last one for ever, and its requests."""
    asked = []
    rest = itertools.chain(answers, itertools.repeat(answers[-1]))

    def handle(request):
        asked.append(request)
        answer = next(rest)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else fresh(answer)

    clock = clock or Clock()
    made = Remote(
        SERVER,
        patience=patience,
        transport=httpx.MockTransport(handle),
        clock=clock,
        sleep=clock.sleep,
        **options,
    )
    return made, asked


def fresh(answer):
    """The same answer, not yet read."""
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def ok(value=None, **headers):
    return httpx.Response(200, json={"ok": True} if value is None else value, headers=headers)


def html(status, title="Server Error (500)"):
    return httpx.Response(status, html=f"<html><head><title>{title}</title></head></html>")


def test_what_is_sent():
    client, asked = remote(ok(), contact="ann@example.org", headers={"x-key": "secret"})
    assert client.get("/api/x/", [("framework", 13), ("id", "a b")]) == {"ok": True}
    [request] = asked
    assert str(request.url).startswith("https://perf.example/api/x/?framework=13&id=a")
    assert request.url.params.multi_items() == [("framework", "13"), ("id", "a b")]
    assert request.headers["user-agent"] == f"stepmark/{__version__} (ann@example.org)"
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["x-key"] == "secret"
    assert client.requests == 1


@pytest.mark.parametrize(
    "trouble",
    [
        html(500),
        html(502),
        html(503),
        html(504),
        httpx.Response(429, json={"detail": "Request was throttled."}),
        html(200, "Treeherder"),
        httpx.Response(200, text='{"ok": tr', headers={"content-type": "application/json"}),
        httpx.Response(200, text='{"ok": NaN}', headers={"content-type": "application/json"}),
        httpx.ReadTimeout("late"),
        httpx.ConnectTimeout("late"),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("incomplete chunked read"),
    ],
)
def test_trouble_that_passes_is_borne(trouble, capsys):
    client, asked = remote(trouble, trouble, ok())
    assert client.get("/x/") == {"ok": True}
    assert len(asked) == client.requests == 3
    assert capsys.readouterr().err == ""


def test_retries_are_logged_and_not_printed(caplog):
    client, _ = remote(html(502), ok())
    with caplog.at_level(logging.WARNING):
        client.get("/x/")
    assert [record.name for record in caplog.records] == ["stamina"]
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("stamina").handlers)


@pytest.mark.parametrize(
    ("trouble", "attempts", "kind", "message"),
    [
        (html(500), 4, BrokenError, "HTTP 500: HTML page 'Server Error (500)' (4 attempts)"),
        (html(504, "Gone"), 6, HeavyError, "HTTP 504: HTML page 'Gone' (6 attempts)"),
        (html(503, "Busy"), 6, UnavailableError, "HTTP 503: HTML page 'Busy' (6 attempts)"),
        (html(200), 4, BrokenError, "answers HTML where JSON is due (4 attempts)"),
        (httpx.ReadTimeout("x"), 6, HeavyError, "no answer in 60 s (6 attempts)"),
        (httpx.ReadError("reset"), 6, HeavyError, "the answer broke off: reset (6 attempts)"),
        (
            httpx.ConnectError("[Errno 111] refused"),
            3,
            UnavailableError,
            "cannot be reached: [Errno 111] refused (3 attempts)",
        ),
        (
            httpx.Response(400, json={"message": "One or more id values invalid"}),
            1,
            RefusedError,
            "HTTP 400: One or more id values invalid",
        ),
    ],
)
def test_trouble_that_lasts_is_one_clear_line(trouble, attempts, kind, message):
    client, asked = remote(trouble)
    with pytest.raises(kind) as caught:
        client.get("/api/x/", [("id", 7)])
    assert str(caught.value) == f"{SERVER}/api/x/?id=7: {message}"
    assert caught.value.reason == message
    assert len(asked) == attempts


def test_a_time_out_is_soon_given_up_where_less_can_be_asked_for():
    client, asked = remote(html(504), patience=Patience(8, 2, first_wait=0, jitter=0))
    with pytest.raises(HeavyError):
        client.get("/x/", halving=True)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "no such thing"}, "no such thing"),
        ({"message": ["does not exist."]}, "does not exist."),
        ({"detail": "Invalid page."}, "Invalid page."),
        ({"repository": ["nosuch does not exist."]}, "repository: nosuch does not exist."),
        ({"non_field_errors": ["Required: revision."]}, "Required: revision."),
        (["Need to specify", "either"], "Need to specify; either"),
        ("No new push with revision 11", "No new push with revision 11"),
        (
            {"error": True, "code": 102, "message": "You are\nnot authorized"},
            "You are not authorized",
        ),
    ],
)
def test_every_form_of_refusal_is_understood(body, told):
    client, _ = remote(httpx.Response(400, json=body))
    with pytest.raises(RefusedError) as caught:
        client.get("/x/")
    assert caught.value.reason == f"HTTP 400: {told}"
    assert caught.value.code == (102 if "code" in body else None)


def test_a_long_refusal_is_cut():
    client, _ = remote(httpx.Response(400, json={"message": "x" * 100_000}))
    with pytest.raises(RefusedError) as caught:
        client.get("/x/", [("id__in", ",".join(map(str, range(1000))))])
    assert len(str(caught.value)) < 600


def test_html_403_says_what_to_do():
    client, _ = remote(html(403, "403 Forbidden"))
    with pytest.raises(RefusedError, match=r"403 Forbidden.*--contact"):
        client.get("/x/")


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for_by_all_requests(status):
    clock = Clock()
    answer = httpx.Response(status, headers={"retry-after": "17"}, json={})
    client, _ = remote(answer, ok(), clock=clock)
    client.get("/x/")
    assert clock.slept == [17.0]
    client.get("/y/")
    assert clock.slept == [17.0]


def test_retry_after_may_be_a_date_by_the_servers_clock():
    clock = Clock()
    headers = {
        "date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "retry-after": "Sun, 22 Nov 2026 12:00:30 GMT",
    }
    client, _ = remote(httpx.Response(429, headers=headers, json={}), ok(), clock=clock)
    client.get("/x/")
    assert clock.slept == [30.0]


@pytest.mark.parametrize("text", ["0", "soon", "-5", ""])
def test_a_retry_after_without_meaning_is_none(text):
    clock = Clock()
    answer = httpx.Response(429, headers={"retry-after": text}, json={})
    client, asked = remote(answer, ok(), clock=clock)
    client.get("/x/")
    assert (clock.slept, len(asked)) == ([], 2)


def test_a_server_that_wants_hours_is_left_alone():
    clock = Clock()
    answer = httpx.Response(429, headers={"retry-after": "7200"}, json={"detail": "Throttled."})
    client, asked = remote(answer, clock=clock)
    with pytest.raises(UnavailableError, match=r"Throttled.; asks to come back in 7200 s"):
        client.get("/x/")
    assert (clock.slept, len(asked)) == ([], 1)


def test_waits_grow_and_vary(monkeypatch):
    waits = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    patience = Patience(attempts=6, first_wait=1.0, longest_wait=10.0, jitter=0.5)
    client, _ = remote(html(502), patience=patience)
    with pytest.raises(HeavyError):
        client.get("/x/")
    assert len(waits) == 5
    assert all(low <= wait <= low + 0.5 for low, wait in zip([1, 2, 4, 8], waits, strict=False))
    assert waits[4] == 10.0
    assert len({wait % 1 for wait in waits}) > 2


def test_an_answer_that_is_too_large_is_not_read_to_its_end():
    sent = []

    def endless(_):
        def parts():
            while True:
                sent.append(1)
                yield b"[" + b" " * 1_000_000

        return httpx.Response(200, content=parts(), headers={"content-type": "application/json"})

    client, asked = remote(endless, patience=Patience(body=10_000_000))
    with pytest.raises(HeavyError, match="more than 10,000,000 bytes"):
        client.get("/x/")
    assert len(asked) == 1
    assert len(sent) <= 12


def test_bytes_are_counted_as_they_come():
    packed = gzip.compress(b'{"ok": true}' + b" " * 10_000)
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    client, _ = remote(lambda _: httpx.Response(200, content=iter([packed]), headers=headers))
    client.get("/x/")
    client.get("/x/")
    assert client.bytes == 2 * len(packed)


def test_a_bomb_counts_unpacked():
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"content-type": "application/json", "content-encoding": "gzip"}

    def packed(_):
        return httpx.Response(200, content=iter([bomb]), headers=headers)

    client, _ = remote(packed, patience=Patience(body=1_000_000))
    with pytest.raises(HeavyError, match="more than 1,000,000 bytes"):
        client.get("/x/")


def test_an_answer_that_drips_is_given_up():
    clock = Clock()

    def drip(_):
        def parts():
            while True:
                clock.now += 20
                yield b" "

        return httpx.Response(200, content=parts(), headers={"content-type": "application/json"})

    client, asked = remote(drip, clock=clock)
    with pytest.raises(HeavyError, match="no whole answer in 600 s"):
        client.get("/x/")
    assert len(asked) == QUICK.attempts


def test_nested_and_huge_numbers_are_no_crash():
    for text in ("[" * 200_000, "1" * 10_000):
        answer = httpx.Response(200, text=text, headers={"content-type": "application/json"})
        client, _ = remote(answer)
        with pytest.raises(HeavyError, match="no usable JSON"):
            client.get("/x/")


def test_redirects_stay_at_the_server():
    def to(place):
        return httpx.Response(301, headers={"location": place})

    client, asked = remote(to("/y/?id=7"), ok())
    assert client.get("/x/", [("id", 3)]) == {"ok": True}
    assert [str(r.url) for r in asked] == [f"{SERVER}/x/?id=3", f"{SERVER}/y/?id=7"]
    for place in ("https://evil.example/y/", "http://perf.example/y/", "https://perf.example:8/"):
        client, asked = remote(to(place), ok(), headers={"x-key": "secret"})
        with pytest.raises(BrokenError, match="leads to another server"):
            client.get("/x/")
        assert len(asked) == 1
    client, asked = remote(to("/x/"))
    with pytest.raises(BrokenError, match="leads in a circle"):
        client.get("/x/")


def test_no_more_than_two_at_once():
    lock, most, now = threading.Lock(), 0, 0
    together = threading.Barrier(2)

    def slow(_):
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        together.wait(10)
        with lock:
            now -= 1
        return ok()

    client, _ = remote(slow)
    threads = [threading.Thread(target=client.get, args=("/x/",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 2


def test_a_needed_answer_is_waited_for_longer():
    client, asked = remote(html(500))
    with pytest.raises(BrokenError):
        client.get("/x/", needed=True)
    assert len(asked) == QUICK.attempts > QUICK.attempts_of_broken


def test_503_without_a_time_to_come_back_may_come_of_asking_for_much():
    client, asked = remote(html(503))
    with pytest.raises(HeavyError):
        client.get("/x/", halving=True)
    assert len(asked) == QUICK.attempts_of_heavy
    client, _ = remote(httpx.Response(503, headers={"retry-after": "0"}))
    with pytest.raises(UnavailableError):
        client.get("/x/", halving=True)


def test_a_server_that_was_there_is_waited_for_longer():
    gone = httpx.ConnectError("refused")
    client, asked = remote(ok(), gone)
    client.get("/x/")
    with pytest.raises(UnavailableError):
        client.get("/x/")
    assert len(asked) == 1 + QUICK.attempts


def test_a_key_is_in_no_error():
    for answer in (html(403), html(500), httpx.ConnectError("x"), html(503)):
        client, _ = remote(answer, headers={"x-bugzilla-api-key": "secret-key"})
        with pytest.raises((RefusedError, BrokenError, UnavailableError)) as caught:
            client.get("/rest/bug")
        assert "secret-key" not in f"{caught.value!r} {caught.value.__context__!r} {client!r}"


def test_the_servers_clock_is_known():
    client, _ = remote(ok(date="Sun, 22 Nov 2026 12:00:00 GMT"))
    assert client.date is None
    client.get("/x/")
    assert client.date == datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://treeherder.mozilla.org/", "https://treeherder.mozilla.org"),
        ("https://host/prefix/", "https://host/prefix"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_servers(text, address):
    assert checked_server(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "http://treeherder.mozilla.org",
        "treeherder.mozilla.org",
        "ftp://localhost",
        "https://user:secret@host",
        "https://host?key=secret",
        "https://host/#x",
        "https://host:99999",
        "https://ho st",
        "https://[::1",
        "",
    ],
)
def test_no_servers(text):
    with pytest.raises(UsageError) as caught:
        checked_server(text)
    assert "secret" not in str(caught.value)


def test_the_program_says_who_it_is():
    assert user_agent("") == user_agent(" ") == f"stepmark/{__version__}"
    for contact in ("a\r\nX-Evil: 1", "jörg", "x" * 201):
        with pytest.raises(UsageError, match="plain ASCII"):
            user_agent(contact)


def test_retries_can_be_switched_off_as_stamina_does():
    client, asked = remote(html(502))
    stamina.set_active(False)
    try:
        with pytest.raises(HeavyError):
            client.get("/x/")
    finally:
        stamina.set_active(True)
    assert len(asked) == 1


def test_json_of_any_type_is_an_answer():
    for value in ([], {}, "text", 1.5, None):
        answer = httpx.Response(
            200, text=json.dumps(value), headers={"content-type": "application/json"}
        )
        client, _ = remote(answer)
        assert client.get("/x/") == value
