# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""JUnit XML."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from stepmark.reports.junit import render
from stepmark.series import SeriesKey


def parsed(text):
    root = ET.fromstring(text.encode("utf-8"))  # strict about characters and encoding
    suites = root.findall("testsuite")
    assert root.tag == "testsuites"
    assert len(suites) == 1
    return suites[0]


def test_typical(samples, golden):
    text = render(samples.typical())
    assert text == golden("typical.junit.xml", text)


def test_counts_are_right(samples):
    for summary in (samples.typical(), samples.typical(gated=True), samples.many(20, 30)):
        suite = parsed(render(summary))
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases) == len(summary.series)
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
        assert suite.get("errors") == "0"


def test_only_regressions_fail(samples):
    suite = parsed(render(samples.typical()))
    failed = [case.get("name") for case in suite.findall("testcase[failure]")]
    skipped = [case.get("classname") for case in suite.findall("testcase[skipped]")]
    assert failed == ["time", "mrr{nic=e810cq}"]
    assert skipped == ["demo/new"]
    first = suite.find("testcase")
    assert (first.get("classname"), first.get("name")) == ("demo/parse/large", "time")


def test_with_a_gate_old_regressions_do_not_fail(samples):
    # The last change of this series is an improvement, and the gate judges only that.
    item = samples.stepped([(20, 1.0), (20, 2.0), (20, 1.5)], gated=True)
    suite = parsed(render(samples.single(item)))
    assert suite.get("failures") == "0"
    assert suite.find("testcase/system-out").text.startswith("improvement: ")
    plain = samples.stepped([(20, 1.0), (20, 2.0), (20, 1.5)])
    assert parsed(render(samples.single(plain))).get("failures") == "1"


def test_the_message_says_how_big_and_where(samples):
    item = samples.stepped([(20, 4.1), (20, 4.61)], noise=0.0)
    change = replace(item.changes[0], revision="abc123", previous_revision="abc122")
    failure = parsed(render(samples.single(replace(item, changes=(change,))))).find(
        "testcase/failure"
    )
    assert failure.get("message") == "+12.4 % (4.10 -> 4.61 ms) at abc123"
    assert failure.get("type") == "regression"
    assert "last good abc122" in failure.text


def test_several_regressions_are_one_failure_led_by_the_worst(samples):
    item = samples.stepped([(20, 1.0), (20, 1.1), (20, 3.0)], noise=0.0)
    (failure,) = parsed(render(samples.single(item))).findall("testcase/failure")
    assert failure.get("message").startswith("+173 % ")
    assert failure.get("message").endswith(", and 1 other")
    assert len(failure.text.splitlines()) == 2


def test_properties_and_remarks(samples):
    suite = parsed(render(samples.typical()))
    known = {p.get("name"): p.get("value") for p in suite.find("properties")}
    assert known == {"version": "0.1.0", "detector": "mdl"}
    first = {p.get("name"): p.get("value") for p in suite.find("testcase/properties")}
    assert first == {
        "unit": "ms",
        "direction": "lower",
        "points": "100",
        "trend": "43.86 ms",
        "detector": "mdl",
    }
    remarks = suite.find("system-err").text.splitlines()
    assert remarks[0].startswith("warning: 1 series has no direction")
    assert sum(line.startswith("failed run: ") for line in remarks) == 3


def test_nothing_read(samples):
    suite = parsed(render(samples.empty()))
    assert suite.get("tests") == "0"
    assert suite.find("system-err") is None


def test_hostile(samples):
    assert len(parsed(render(samples.hostile())).findall("testcase")) == len(samples.HOSTILE)


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_name_makes_valid_xml(samples, name):
    key = SeriesKey(name, name, name, {name: name})
    item = samples.stepped([(3, 1.0), (3, 2.0)], key, unit=name)
    summary = replace(samples.single(item, title=name), warnings=(name,), detector=name)
    suite = parsed(render(summary))
    assert suite.get("failures") == "1"
    assert suite.find("testcase").get("classname")
    assert suite.find("testcase").get("name")
