# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server on this machine, with a log of what was asked and with faults."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from fakes.catalogue import dice
from fakes.faults import Faults, FaultState
from fakes.world import World

HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was made; `fault` is what went wrong with it."""

    method: str
    path: str
    query: str
    status: int | None
    user_agent: str
    fault: str | None = None

    @property
    def parameters(self) -> dict[str, list[str]]:
        return parse_qs(self.query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an endpoint sees of a request. `base` is the server's own address."""

    method: str
    base: str
    path: str
    parameters: dict[str, list[str]]
    headers: dict[str, str]

    def last(self, name: str) -> str | None:
        values = self.parameters.get(name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        return self.parameters.get(name, [])

    def flag(self, name: str) -> bool:
        return (self.last(name) or "").lower() in {"1", "true", "yes", "on", "t"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON data, or text where the type is HTML."""

    status: int
    body: Any
    type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def page(status: int, title: str) -> Answer:
    text = (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
        f"<body>\n  <h1>{title}</h1><p></p>\n</body>\n</html>\n"
    )
    return Answer(status, text, HTML)


SERVER_ERROR = page(500, "Server Error (500)")


class FakeServer(ABC):
    """A context manager that serves a world.

    An error of the fake itself is answered by 500 and raised when the context is left.

    Attributes:
        world: what is served; may be replaced at any time.
        offset: how far the clock of the server is ahead of the world's time, which look-backs
            count from; None for a server that tells no date.
        requests: all that were made so far, in the order they were answered.
        most_at_once: the largest number of requests that were open together.
    """

    def __init__(self, world: World, faults: Faults | None = None) -> None:
        self.world = world
        self.offset: timedelta | None = timedelta(0)
        self.faults = faults or Faults()
        self.state = FaultState(self.faults)
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._open = 0
        self._failures: list[Exception] = []
        self._lock = threading.Lock()
        self._http = _Server(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        if self._failures and error is None:
            raise self._failures[0]

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """What a server without faults says."""

    def decide(self, asked: Asked, request: str) -> tuple[Answer, str | None]:
        """The answer to *request*, path and query, and the fault it meets."""
        try:
            answer = self.answer(asked)
        except Exception as error:  # noqa: BLE001
            self._failures.append(error)
            return SERVER_ERROR, None
        # An answer that is itself an error is left alone.
        return answer, self.state.next(request) if answer.status == 200 else None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request as open."""
        with self._lock:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, fake: FakeServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Fake"
    sys_version = ""
    timeout = 30
    wbufsize = -1
    server: _Server

    def __getattr__(self, name: str) -> Any:
        """One method for all: `do_GET` and its like."""
        if name in {"do_GET", "do_HEAD", "do_PUT", "do_POST", "do_PATCH", "do_DELETE"}:
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The fake keeps its own log."""

    def _serve(self) -> None:
        fake = self.server.fake
        parts = urlsplit(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        parameters = parse_qs(parts.query, keep_blank_values=True)
        asked = Asked(self.command, fake.url, parts.path, parameters, headers)
        with fake.counted():
            answer, fault = fake.decide(asked, self.path)
            answer = _spoilt(answer, fault, fake.faults.retry_after, self.path)
            status = None if fault == "cut-before" else answer.status
            agent = headers.get("user-agent", "")
            # Before the client can see the answer, so that its test finds the request in the log.
            fake.requests.append(
                Request(self.command, parts.path, parts.query, status, agent, fault)
            )
            if fault in {"502", "slow"}:
                time.sleep(fake.faults.delay)
            if fault == "cut-before":
                self._cut()
            else:
                self._send(answer, fault)

    def _send(self, answer: Answer, fault: str | None) -> None:
        body = _encoded(answer)
        if fault == "truncated":
            body = body[: len(body) // 2]
        headers = {"Content-Type": answer.type, "Vary": "Cookie, Accept-Encoding", **answer.headers}
        if len(body) >= 200 and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            body = gzip.compress(body, 1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        self._write(answer.status, headers, body, fault)

    def _write(self, status: int, headers: dict[str, str], body: bytes, fault: str | None) -> None:
        announced = len(body) * 2 // 3 if fault == "wrong-length" else len(body)
        self.send_response_only(status)
        offset = self.server.fake.offset
        if offset is not None:
            now = self.server.fake.world.now + offset
            self.send_header("Date", format_datetime(now, usegmt=True))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(announced))
        if fault in {"wrong-length", "cut-inside"}:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: len(body) // 2] if fault == "cut-inside" else body)
        self.wfile.flush()
        if fault == "cut-inside":
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _encoded(answer: Answer) -> bytes:
    if answer.type == HTML:
        return str(answer.body).encode()
    return json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()


def _spoilt(answer: Answer, fault: str | None, retry_after: str | None, request: str) -> Answer:
    """What *fault* makes of *answer*, as far as it is still an answer."""
    wait = {} if retry_after is None else {"Retry-After": retry_after}
    if fault == "500":
        return SERVER_ERROR
    if fault == "502":
        return page(502, "502 Server Error")
    if fault == "503":
        return Answer(503, page(503, "Service Unavailable").body, HTML, wait)
    if fault == "429":
        return Answer(429, {"detail": "Request was throttled."}, JSON, wait)
    if fault == "html":
        return page(200, "Treeherder")
    if fault == "duplicates":
        return Answer(200, _duplicated(answer.body, request))
    return answer


def _duplicated(body: Any, key: str) -> Any:
    """*body* with one of its rows twice, where it has rows."""
    rng = dice("duplicates", key)
    if isinstance(body, dict):
        rows = body.get("results")
        if isinstance(rows, list) and rows:
            return {**body, "results": _twice(rows, rng.randrange(len(rows)))}
    if isinstance(body, list) and body and isinstance(body[0], dict):
        rows = body[0].get("data")
        if isinstance(rows, list) and rows:
            first = {**body[0], "data": _twice(rows, rng.randrange(len(rows)))}
            return [first, *body[1:]]
    return body


def _twice(rows: list[Any], place: int) -> list[Any]:
    return [*rows[: place + 1], rows[place], *rows[place + 1 :]]
