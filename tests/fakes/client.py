# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""A plain client, which never asks twice."""

from __future__ import annotations

import gzip
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

AGENT = "fakes-test/1.0"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Names of headers are in lower case; `body` is as it was sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(url: str, *, method: str = "GET", agent: str | None = AGENT, **headers: str) -> Reply:
    """The answer to one request; a header `x_y` is sent as `x-y`."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if agent is not None:
        sent["User-Agent"] = agent
    try:
        connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), headers=sent)
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, names, response.read())
    finally:
        connection.close()


def pages(url: str) -> list[dict[str, Any]]:
    """All results of a list, page by page, as they came."""
    found: list[dict[str, Any]] = []
    following: str | None = url
    while following:
        answer = ask(following).json
        found += answer["results"]
        following = answer["next"]
    return found
