# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""E-mail addresses are taken out, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.extraction.people import text_without_addresses, without_addresses

ADDRESS = st.from_regex(r"[a-z][a-z0-9.+_-]{0,12}[a-z0-9]@[a-z][a-z0-9-]{0,8}[a-z0-9]\.[a-z]{2,6}")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("ann@example.org", ""),
        (" ann@example.org\n", ""),
        ("ann@localhost", ""),
        ("Ann Example <ann@example.org>", "Ann Example"),
        ("<ann@example.org>", ""),
        ("Ann <ann@example.org>, Bert <bert@b.example.co.uk>", "Ann, Bert"),
        ("ask ann@example.org about it", "ask about it"),
        ("see mailto:ann@example.org.", "see."),
        ("thanks to a+b=c@example.org!", "thanks to!"),
        ('"a b"@example.org', ""),
        ("ann@[192.168.0.1]", ""),
        ("by jörg@exämple.de too", "by too"),
        (r'{"who": "ann\u0040example.org"}', '{"who": ""}'),
        ("https://host/?who=ann%40example.org", "https://host/?"),
        ("ann&#64;example.org", ""),
        (
            "browsertime@7.1.2 and @decorator and a @ b",
            "browsertime@7.1.2 and @decorator and a @ b",
        ),
        (
            "Bug 1900030 - Change number 30.0. r=reviewer",
            "Bug 1900030 - Change number 30.0. r=reviewer",
        ),
        ("", ""),
    ],
)
def test_texts(text, clean):
    assert text_without_addresses(text) == clean


def test_json_keeps_its_form():
    value = {
        "cc": ["ann@example.org", "bert"],
        "tags": [""],
        "who": {"email": "ann@example.org", "id": 7, "real_name": "Ann"},
        "context": json.dumps([{"value": 1.5, "who": "ann@example.org"}]),
        "n": None,
        "x": 1.25,
        "ann@example.org": True,
    }
    clean = without_addresses(value)
    assert clean["cc"] == ["bert"]
    assert clean["tags"] == [""]
    assert clean["who"] == {"email": "", "id": 7, "real_name": "Ann"}
    assert json.loads(clean["context"]) == [{"value": 1.5, "who": ""}]
    assert (clean["n"], clean["x"], clean[""]) == (None, 1.25, True)


@settings(deadline=None)
@given(
    st.lists(st.one_of(ADDRESS, st.sampled_from(["word", "<", ">", "(", ", ", "\n", ": ", "@"])))
)
def test_no_address_is_left(parts):
    text = " ".join(parts)
    clean = text_without_addresses(text)
    assert not any(address in clean for address in parts if "@" in address[1:-1])


@pytest.mark.parametrize(
    ("text", "clean"),
    [("see ann@example.org.2", "see.2"), ("pkg@1.2.3 and a@1.2", "pkg@1.2.3 and a@1.2")],
)
def test_numbers_after_an_address_do_not_hide_it(text, clean):
    assert text_without_addresses(text) == clean


@settings(deadline=None)
@given(st.text())
def test_taking_out_is_done_once(text):
    if "@" not in text:
        assert text_without_addresses(text) == text or "%40" in text or "64;" in text
    assert len(text_without_addresses(text)) <= len(text)


@pytest.mark.parametrize(
    "part", ["a@", "%40", "a%40", "a.b@c.d", "x", "@a-", '"@', "a@b.c-", "&#64;"]
)
def test_long_hostile_texts_do_not_hold_it_up(part):
    # With a cost that is the square of the length, this would not end.
    assert len(text_without_addresses(part * 200_000)) <= len(part) * 200_000
