# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""One polite client for JSON over HTTP, which retries, and whose errors are one clear line each.

::

    RemoteError
    ├── RefusedError      the server understood and says no (4xx)
    ├── HeavyError        it answers too late, too much or not to the end: ask for less
    ├── BrokenError       it has a fault with this one request (500, or HTML where JSON is due)
    └── UnavailableError  it cannot be used now: not reached, overloaded, asks to come back later
"""

from __future__ import annotations

import email.utils
import functools
import json
import logging
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import urlsplit

from stepmark import __version__
from stepmark.errors import RemoteError, UsageError
from stepmark.extras import require

if TYPE_CHECKING:
    import httpx

Params = Iterable[tuple[str, str | int]]

MOST_AT_ONCE = 2
"""Requests under way at a time, however many threads ask."""

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_LONGEST_REASON = 300


class RefusedError(RemoteError):
    """The server understood the request and refuses it.

    Attributes:
        reason: What it says, on one line.
        status: The HTTP status.
        code: Its own number for the reason, where it gives one (Bugzilla does).
    """

    def __init__(self, place: str, reason: str, status: int, code: int | None = None) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason, self.status, self.code = reason, status, code


class _FailedError(RemoteError):
    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason = reason


class HeavyError(_FailedError):
    """The answer comes too late, is too large or breaks off: less may be had."""


class BrokenError(_FailedError):
    """The server has a fault with this one request."""


class UnavailableError(_FailedError):
    """The server cannot be used now."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of a server is borne.

    Attributes:
        attempts: Attempts at a request.
        attempts_of_heavy: Attempts that end in a time-out, where less can be asked for instead.
        attempts_of_broken: Attempts that end with status 500 or HTML, where a server often has a
            lasting fault with one request.
        attempts_at_first: Attempts to reach a server that has not answered yet: perhaps there is
            none, and somebody waits to be told.
        first_wait, longest_wait, jitter: Seconds between attempts: the first, doubled each time up
            to the longest, and a random part.
        retry_after: The longest that a server may ask to wait, in seconds.
        read: Seconds without a byte after which a request is given up.
        whole: Seconds that one answer may take.
        body: Bytes that an unpacked answer may have.
    """

    attempts: int = 10
    attempts_of_heavy: int = 3
    attempts_of_broken: int = 6
    attempts_at_first: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    jitter: float = 0.5
    retry_after: float = 300.0
    read: float = 60.0
    whole: float = 600.0
    body: int = 256 << 20


class _Failure(Exception):  # noqa: N818 - never leaves this module
    """One attempt that failed: why, and what it becomes if no other is made."""

    def __init__(
        self,
        reason: str,
        becomes: type[_FailedError],
        *,
        wait: float | None = None,
        most: int | None = None,
        maybe_heavy: bool = False,
    ) -> None:
        """*most* failures of this kind are borne; *wait* seconds are asked for by the server.

        *maybe_heavy*: perhaps it only comes of asking for much.
        """
        super().__init__(reason)
        self.reason, self.becomes, self.wait, self.most = reason, becomes, wait, most
        self.maybe_heavy = maybe_heavy


class Remote:
    """A server that answers JSON.

    Waits between attempts grow and vary by stamina. What a server itself asks to wait
    (``Retry-After``) holds for all requests, so it is kept at a gate before each of them.

    Attributes:
        server: Its address.
        requests: Requests made so far, with those that failed.
        bytes: Bytes received so far, as they came.
        date: The time by the server's own clock in its last answer; None where it told none.
    """

    def __init__(
        self,
        server: str,
        *,
        contact: str = "",
        headers: Mapping[str, str] | None = None,
        patience: Patience = Patience(),
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*headers* go with every request and into no message; *clock* is seconds since 1970."""
        library = require("httpx")
        self.server = checked_server(server)
        self.patience = patience
        self._clock, self._sleep = clock, sleep
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._not_before = 0.0
        self.requests = 0
        self.bytes = 0
        self.date: datetime | None = None
        self._answered = False
        self._http: httpx.Client = library.Client(
            headers={
                "User-Agent": user_agent(contact),
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                **(headers or {}),
            },
            timeout=library.Timeout(patience.read, connect=15.0, pool=None),
            transport=transport,
            trust_env=urlsplit(self.server).hostname not in _LOCAL,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(
        self, path: str, params: Params = (), *, halving: bool = False, needed: bool = False
    ) -> Any:
        """The JSON that the server answers for *path* (with its first slash).

        With *halving* a time-out is soon given up, as the caller asks for less then; with *needed*
        a fault with this one request is borne longer, as nothing goes on without the answer. Raises
        the errors drawn above.
        """
        stamina = require("stamina")
        _keep_quiet()
        pairs = [(name, str(value)) for name, value in params]
        again = _Again(self.patience, halving=halving, needed=needed)
        tries = stamina.retry_context(
            on=again,
            attempts=self.patience.attempts,
            timeout=None,
            wait_initial=self.patience.first_wait,
            wait_max=self.patience.longest_wait,
            wait_jitter=self.patience.jitter,
        )
        try:
            for attempt in tries:
                with attempt:
                    return self._attempt(path, pairs)
        except _Failure as failure:
            becomes = again.kind_of(failure)
            tried = f" ({again.failures} attempts)" if again.failures > 1 else ""
            place = self._place(path, pairs)
            raise becomes(place, f"{failure.reason}{tried}") from None
        raise AssertionError  # retry_context returns or raises

    def _place(self, path: str, pairs: list[tuple[str, str]]) -> str:
        query = "&".join(f"{name}={value}" for name, value in pairs)
        place = f"{self.server}{path}{'?' if query else ''}{query}"
        return place if len(place) <= 200 else f"{place[:197]}..."

    def _attempt(self, path: str, pairs: list[tuple[str, str]]) -> Any:
        place = self._place(path, pairs)
        url, params = self._http.build_request("GET", self.server + path).url, pairs
        for _ in range(_MOST_REDIRECTS):
            with self._slots:
                self._pass_gate()
                response, body = self._exchange(url, params)
            if response.status_code not in _REDIRECTS:
                return self._judged(place, response, body)
            target = url.join(response.headers.get("location", ""))
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                other = f"{target.scheme}://{target.netloc.decode()}"
                raise _Failure(f"leads to another server, {other:.200}", BrokenError, most=1)
            url, params = target, []
        raise _Failure("leads in a circle", BrokenError, most=1)

    def _pass_gate(self) -> None:
        """Wait until the server may be asked again."""
        with self._lock:
            wait = self._not_before - self._clock()
            self.requests += 1
        if wait > 0:
            self._sleep(min(wait, self.patience.retry_after))

    def _exchange(
        self, url: httpx.URL, params: list[tuple[str, str]]
    ) -> tuple[httpx.Response, bytes]:
        library = require("httpx")
        try:
            with self._http.stream("GET", url, params=tuple(params) or None) as response:
                self._answered = True
                date = _date(response.headers.get("date", ""))
                self.date = None if date is None else datetime.fromtimestamp(date, UTC)
                return response, self._body(response)
        except library.ConnectTimeout:
            raise self._unreachable("it does not answer") from None
        except library.TimeoutException:
            raise _Failure(f"no answer in {self.patience.read:g} s", HeavyError) from None
        except library.ConnectError as error:
            raise self._unreachable(_told(error)) from None
        except (library.TransportError, library.DecodingError) as error:
            raise _Failure(f"the answer broke off: {_told(error)}", HeavyError) from None
        except library.InvalidURL:
            raise _Failure("leads to no address", BrokenError, most=1) from None

    def _unreachable(self, reason: str) -> _Failure:
        most = None if self._answered else self.patience.attempts_at_first
        return _Failure(f"cannot be reached: {reason}", UnavailableError, most=most)

    def _body(self, response: httpx.Response) -> bytes:
        most, started = self.patience.body, self._clock()
        body = bytearray()
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > most:
                    raise _Failure(f"the answer has more than {most:,} bytes", HeavyError, most=1)
                if self._clock() - started > self.patience.whole:
                    raise _Failure(f"no whole answer in {self.patience.whole:g} s", HeavyError)
        finally:
            with self._lock:
                self.bytes += response.num_bytes_downloaded
        return bytes(body)

    def _judged(self, place: str, response: httpx.Response, body: bytes) -> Any:
        """The JSON of a good answer; raises `_Failure` or `RefusedError` for others."""
        status = response.status_code
        is_json = "json" in response.headers.get("content-type", "").lower()
        if status == 200:
            if not is_json:
                raise _Failure(f"answers {_kind(response)} where JSON is due", BrokenError)
            return _parsed(body)
        reason, code = _told_by_server(body, is_json=is_json)
        reason = f"HTTP {status}: {reason}" if reason else f"HTTP {status}"
        if status in (429, 503):
            wait = self._asked_to_wait(response)
            if wait:
                self._close_gate(wait, reason)
            # Some fronts answer 503 where others answer 504; one that wants rest says how long.
            is_vague = status == 503 and wait is None
            raise _Failure(reason, UnavailableError, wait=wait or None, maybe_heavy=is_vague)
        if status in (408, 502, 504, 524):
            raise _Failure(reason, HeavyError)
        if status == 500:
            raise _Failure(reason, BrokenError)
        if status > 500:
            raise _Failure(reason, UnavailableError)
        if status == 403 and not is_json:
            reason += "; it may want to know who asks: give --contact"
        raise RefusedError(place, reason, status, code)

    def _asked_to_wait(self, response: httpx.Response) -> float | None:
        """The seconds of ``Retry-After``, given as such or as a date; None without."""
        text = response.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}", text):
            return float(text)
        until = _date(text)
        if until is None:
            return None
        now = _date(response.headers.get("date", ""))
        return max(0.0, until - (self._clock() if now is None else now))

    def _close_gate(self, wait: float, reason: str) -> None:
        if wait > self.patience.retry_after:
            raise _Failure(
                f"{reason}; asks to come back in {math.ceil(wait)} s", UnavailableError, most=1
            )
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + wait)


class _Again:
    """Says whether another attempt is made, as a back-off hook of stamina."""

    def __init__(self, patience: Patience, *, halving: bool, needed: bool) -> None:
        self.failures = 0
        self._halving = halving
        self._kinds: Counter[type[_FailedError]] = Counter()
        self._most: dict[type[_FailedError], int] = {}
        if halving:
            self._most[HeavyError] = patience.attempts_of_heavy
        if not needed:
            self._most[BrokenError] = patience.attempts_of_broken

    def kind_of(self, failure: _Failure) -> type[_FailedError]:
        """What *failure* becomes if no other attempt is made."""
        return HeavyError if self._halving and failure.maybe_heavy else failure.becomes

    def __call__(self, error: Exception) -> bool | float:
        if not isinstance(error, _Failure):
            return False
        self.failures += 1
        kind = self.kind_of(error)
        self._kinds[kind] += 1
        borne = min(self._most.get(kind, math.inf), error.most or math.inf)
        if self._kinds[kind] >= borne:
            return False
        # The gate does the waiting that the server asked for.
        return True if error.wait is None else 0.0


def checked_server(text: str) -> str:
    """The address of a server without its last slash; raises `UsageError` for one not to be used.

    Only https is, except with the machine itself.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise UsageError(f"{text!a:.80}: no address of a server, such as https://host.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(f"{host}: the address of a server has no user, query or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        raise UsageError(f"{host}: only https is used, except with localhost")
    return text.rstrip("/")


def user_agent(contact: str) -> str:
    """What the program calls itself; raises `UsageError` for a *contact* that is no plain text."""
    if not contact.strip():
        return f"stepmark/{__version__}"
    if not re.fullmatch(r"[\x20-\x7e]{1,200}", contact):
        raise UsageError("the contact is plain ASCII text of at most 200 characters")
    return f"stepmark/{__version__} ({contact.strip()})"


@functools.cache
def _keep_quiet() -> None:
    # Without any handler, Python prints each retry that stamina logs to the terminal.
    logging.getLogger("stamina").addHandler(logging.NullHandler())


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        told = "nested too deep" if isinstance(error, RecursionError) else str(error)[:100]
        # Half an answer looks like this, too, where its length was not told.
        raise _Failure(f"answers no usable JSON: {told}", HeavyError) from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _date(text: str) -> float | None:
    """The seconds since 1970 of an HTTP date; None for anything else."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _kind(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    return "HTML" if "html" in kind else (kind[:40] or "something")


def _told(error: Exception) -> str:
    return _line(str(error)) or type(error).__name__


def _told_by_server(body: bytes, *, is_json: bool) -> tuple[str, int | None]:
    """What an error's *body* says on one line, in any form, and Bugzilla's number for it."""
    if not is_json:
        title = re.search(rb"<title[^>]*>([^<]{1,200})", body[:20_000], re.IGNORECASE)
        return (f"HTML page {_line(title[1].decode(errors='replace'))!r}" if title else ""), None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "", None
    code = document.get("code") if isinstance(document, dict) else None
    return _line(_sentence(document)), code if isinstance(code, int) else None


def _sentence(value: Any) -> str:
    """The text in an error document: a text, a list, or an object with fields."""
    if isinstance(value, list):
        return "; ".join(_sentence(item) for item in value[:5])
    if not isinstance(value, dict):
        return str(value)[:_LONGEST_REASON]
    for name in ("message", "detail", "non_field_errors"):
        if name in value:
            return _sentence(value[name])
    return "; ".join(f"{name}: {_sentence(item)}" for name, item in list(value.items())[:5])


def _line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST_REASON else f"{joined[: _LONGEST_REASON - 3]}..."
