# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JUnit XML, made by running the tools; numbers are read off the files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.series import Direction
from stepmark.sources.base import Content, Limits
from stepmark.sources.junit import JUnit
from stepmark.sources.reading import find_format, read_source

BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'


@pytest.fixture
def folder(fixtures):
    return fixtures / "junit"


def parse(text, **limits):
    data = text if isinstance(text, bytes) else text.encode()
    return JUnit().parse(Content("x.xml", data, None, Limits(**limits)), Columns())


def suite(*cases, **attributes):
    own = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<testsuites><testsuite{own}>{''.join(cases)}</testsuite></testsuites>"


def found(parsed) -> dict[str, tuple[float, ...]]:
    return {str(m.key): m.samples for m in parsed.measurements}


@pytest.mark.parametrize("name", ["pytest.xml", "xunit1.xml"])
def test_pytest(folder, name):
    parsed = read_source(folder / name)
    assert list(found(parsed)) == [
        "test_suite.test_sleep/time{param=a-b-1}",
        "test_suite.test_sleep/time{param=a-b-20}",
        "test_suite.test_sleep/time{param=\\xfc<&>-1}",
        "test_suite.test_sleep/time{param=\\xfc<&>-20}",
        "test_suite.TestGroup.test_in_class/time",
        "test_suite.test_suite_property/time",
        "test_suite.test_many_a/time",
    ]
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        ("test_suite.TestGroup.test_fails/time", "AssertionError: wrong"),
        ("test_suite.test_error/time", 'failed on setup with "RuntimeError: no server"'),
    ]
    assert [s.reason for s in parsed.skipped] == [
        "'test_skipped': skipped",
        "'test_xfail': skipped",
    ]


def test_facts_of_the_suite(folder):
    first = read_source(folder / "pytest.xml").measurements[0]
    assert (first.samples, first.unit, first.direction) == ((0.005,), "s", Direction.LOWER)
    assert first.revision == "3f2a91c0000000000000000000000000000000ab"
    assert first.landed == datetime(2026, 11, 22, 6, 22, 39, 190804, tzinfo=UTC)
    assert first.run == "vm/2026-11-22T06:22:39.190804+00:00"
    assert dict(first.attributes) == {
        "git.commit": first.revision,
        "os": "linux",
        "machine": "vm",
        "suite": "pytest",
    }


def test_reruns_are_replicates(folder):
    assert found(read_source(folder / "rerun.xml")) == {
        "test_rerun.test_flaky/time": (0.001, 0.0),
    }


def test_nested_suites_tell_test_cases_apart(folder):
    parsed = read_source(folder / "node.xml")
    # Node escapes its names twice.
    assert found(parsed) == {
        "test.top level/time": (0.001886,),
        "test.slow/time{suite=group}": (0.023925,),
        "test.deep &quot;quoted&quot; <ü>/time{suite=group > nested}": (0.000186,),
    }
    assert {m.attributes["machine"] for m in parsed.measurements} == {"vm"}
    assert [(str(f.key), f.reason) for f in parsed.failures] == [
        ("test.fails/time{suite=group}", "1 == 2")
    ]
    assert len(parsed.skipped) == 1


def test_a_class_that_says_the_same_as_the_name(folder):
    parsed = read_source(folder / "ctest.xml")
    assert found(parsed) == {"sleep/time{suite=(empty)}": (0.0220432,)}
    assert [(f.key.benchmark, f.reason) for f in parsed.failures] == [("fails", "Failed")]
    assert [s.reason for s in parsed.skipped] == ["'off': skipped"]
    assert found(read_source(folder / "jest.xml")) == {"group slow/time": (0.027,)}


def test_only_failures(folder):
    parsed = read_source(folder / "vitest.xml")
    assert parsed.measurements == []
    assert [(f.key.benchmark, f.reason) for f in parsed.failures] == [
        ("plain.test.ts.plain fails", "x")
    ]


def test_suites_with_times_of_their_own():
    case = '<testcase classname="c" name="t" time="1"/>'
    text = (
        f'<testsuites timestamp="2026-01-01T00:00:00"><testsuite hostname="h">{case}</testsuite>'
        f'<testsuite timestamp="2026-01-02T00:00:00" hostname="h">{case}</testsuite></testsuites>'
    )
    assert [(m.landed.day, m.run) for m in parse(text).measurements] == [
        (1, "h/2026-01-01T00:00:00"),
        (2, "h/2026-01-02T00:00:00"),
    ]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1.5", 1.5),
        (" 2 ", 2.0),
        ("1,234.5", 1234.5),
        ("12,345", 12345.0),
        ("0", 0.0),
        ("1e-3", 0.001),
    ],
)
def test_times(written, seconds):
    assert list(found(parse(suite(f'<testcase name="a" time="{written}"/>'))).values()) == [
        (seconds,)
    ]


@pytest.mark.parametrize("written", ["", "soon", "-1", "NaN", "inf", "1,5", "1_0"])
def test_no_times(written):
    case = f'<testcase name="a" time="{written}"/>'
    parsed = parse(suite(case, '<testcase name="b" time="1"/>'))
    assert list(found(parsed)) == ["b/time"]
    assert [(s.source, s.reason) for s in parsed.skipped] == [
        ("x.xml:1", f"'a': time {written!r} is no number")
    ]


def test_what_google_test_did_not_run():
    cases = [
        '<testcase name="a" status="notrun" time="0" classname="C"/>',
        '<testcase name="b" status="run" result="skipped" time="0" classname="C"/>',
        '<testcase name="c" status="run" result="completed" time="0.1" classname="C"/>',
    ]
    assert list(found(parse(suite(*cases, name="C")))) == ["C.c/time"]


def test_properties_are_bounded():
    own = "".join(f'<property name="p{n}" value="{"v" * 2000}"/>' for n in range(100))
    parsed = parse(suite(f"<properties>{own}</properties>", '<testcase name="a" time="1"/>'))
    attributes = parsed.measurements[0].attributes
    assert len(attributes) == 30
    assert len(attributes["p0"]) == 1000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding):
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>' + suite(
        '<testcase name="ü" time="1"/>'
    )
    data = text.encode(encoding)
    assert find_format(Content("x", data)).name == "junit"
    assert list(found(parse(data))) == ["ü/time"]


@pytest.mark.parametrize(
    "start",
    [
        "",
        "<?xml version='1.0'?>\n",
        "\n<!-- made by -->\n",
        "<?xml-stylesheet href='a'?><!-- b -->",
    ],
)
def test_recognised(start):
    assert JUnit().recognises(Content("x", f"{start}<testsuite/>".encode()))
    assert not JUnit().recognises(Content("x", f"{start}<html><testsuite/></html>".encode()))


def test_a_long_prologue_is_passed_once():
    prologue = "<!-- > -->" * 3000
    assert JUnit().recognises(Content("x", f"{prologue}<testsuite/>".encode()))
    assert not JUnit().recognises(Content("x", f"{prologue}<html/>".encode()))


def test_entities_of_one_s_own_are_refused():
    for root in ("<testsuite name='&c;'/>", "<testsuite/>"):
        content = Content("x.xml", f"<?xml version='1.0'?>\n{BOMB}{root}".encode())
        assert find_format(content).name == "junit"
        with pytest.raises(InputError, match=r"^x.xml:2: a document type declaration"):
            JUnit().parse(content, Columns())
    external = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>'
    with pytest.raises(InputError, match="a document type declaration"):
        parse(external)
    with pytest.raises(InputError, match="a document type declaration"):
        parse(f"{BOMB}<testsuite/>".encode("utf-16"))


def test_limits():
    deep = "<testsuite>" * 60 + "</testsuite>" * 60
    with pytest.raises(LimitError, match=r"^x.xml:1: elements nested deeper than 50$"):
        parse(deep)
    with pytest.raises(LimitError, match=r"^x.xml: XML of"):
        parse("<testsuite/>", max_json_bytes=5)
    many = ['<testcase name="a" time="1"/>' for _ in range(3)]
    assert list(found(parse(suite(*many))).values()) == [(1.0, 1.0, 1.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<testsuite>", "x.xml:1: not valid XML: no element found at column 12"),
        ("<testsuite>\n<testcase</testsuite>", "x.xml:2: not valid XML: not well-formed"),
        ("<html/>", "x.xml:1: no JUnit XML: the first element is 'html'"),
        ("<testsuite/>", "x.xml: no test cases in it"),
        ("<testsuite><testcase/></testsuite>", "x.xml: no test cases in it"),
        (b"<?xml version='1.0' encoding='nonsense'?><testsuite/>", "x.xml"),
        (
            suite('<testcase name="a" time="1"/>', timestamp="soon"),
            "x.xml:1: 'soon' is not a time",
        ),
        (
            suite(f'<testcase name="{"n" * 5000}" time="1"/>'),
            "x.xml:1: the name 'nnn",
        ),
    ],
)
def test_no_result(text, message):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_comma_after_a_zero_divides_no_thousands():
    parsed = parse(
        '<testsuite name="s"><testcase classname="s" name="a" time="0,123"/>'
        '<testcase classname="s" name="b" time="1,234.5"/></testsuite>'
    )
    assert [(m.key.benchmark, m.samples) for m in parsed.measurements] == [("s.b", (1234.5,))]
    assert [s.reason for s in parsed.skipped] == ["'a': time '0,123' is no number"]


def test_suites_that_phpunit_makes_of_data_sets_are_no_label():
    parsed = parse(
        '<testsuites><testsuite name="/app/phpunit.xml"><testsuite name="App\\Tests\\Foo">'
        '<testsuite name="App\\Tests\\Foo::testAdd">'
        '<testcase name="testAdd with data set #1" classname="App.Tests.Foo" time="0.01"/>'
        "</testsuite></testsuite></testsuite></testsuites>"
    )
    assert [str(m.key) for m in parsed.measurements] == [
        "App.Tests.Foo.testAdd with data set #1/time"
    ]
