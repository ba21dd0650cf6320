# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What the real Treeherder answered, imported and explored; the numbers are worked out by hand."""

from __future__ import annotations

import pytest

pl = pytest.importorskip("polars")

from recorded_extraction import SERIES, body, write_recorded  # noqa: E402
from research_data import counts  # noqa: E402
from stepmark.datasets.exploration import explore  # noqa: E402
from stepmark.datasets.research import open_research  # noqa: E402
from stepmark.datasets.research.building import import_research  # noqa: E402


@pytest.fixture(scope="module")
def recordings(shared_data):
    return shared_data / "treeherder"


@pytest.fixture(scope="module")
def research(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    write_recorded(recordings, folder / "extraction")
    import_research(folder / "extraction", folder / "research")
    return open_research(folder / "research")


def test_the_rules_that_applied(research):
    assert counts(research) == {
        "summary-open": 2,
        "alert-without-series": 6,  # series 1 and 2 were recorded
        "reassigned-placed": 1,
        "marker-t": 1,  # the one made by hand
        "bug-not-given": 1,
        "series-not-extracted": 8,
    }


def test_labels(research):
    found = research.alerts.select("single_alert_id", "label", "label_reason", "label_lab")
    assert found.rows() == [
        (1, "true", "acknowledged", "TP"),
        (2, "true", "acknowledged", "TP"),
        (3, "true", "acknowledged", "TP"),
        (4, "false", "invalid", "TP"),
        (5, "infra", "infra", "TP"),
        (6, "uncertain", "moved-to-open", "TP"),
        (7, "uncertain", "untriaged", "SP"),
        (8, "missed", "created-by-hand", "FN"),
    ]


def test_every_measurement_is_there(research, recordings):
    for number, name in SERIES.items():
        (told,) = body(recordings, name)
        found = research.measurements([number]).collect()
        assert dict(found.select("id", "value").rows()) == {
            row["id"]: row["value"] for row in told["data"]
        }
        own = research.revisions([number]).collect()
        by_push = {}
        for row in told["data"]:
            by_push.setdefault(row["push_id"], []).append(row["value"])
        assert own["push_id"].to_list() == list(by_push)
        means = [sum(values) / len(values) for values in by_push.values()]
        assert own["value"].to_list() == pytest.approx(means)


def test_places_and_sizes(research):
    """The alert is where the mean moves by what it says."""
    alerts = research.alerts.filter(pl.col("has_series"))
    assert alerts["placement"].to_list() == ["exact", "exact"]
    for row in alerts.iter_rows(named=True):
        points = research.revisions([row["signature_id"]]).collect()
        assert points["push_id"][row["position"]] == row["alert_summary_push_id"] == 31
        values = points["value"]
        before = values.slice(row["position"] - 12, 12).mean()
        after = values.slice(row["position"], 12).mean()
        # Perfherder takes up to 24 values before: the rest is noise.
        assert before == pytest.approx(row["single_alert_prev_value"], rel=0.01)
        assert after == pytest.approx(row["single_alert_new_value"], rel=0.01)


def test_times(research):
    found = explore(research)
    plain = found.times().frame.filter(pl.col("clock") == "all days")
    medians = {
        step: days * 86400 for step, days in plain.select("step", "median").drop_nulls().rows()
    }
    # First triaged after 0.1, 129.1 and 131.2 seconds.
    assert medians["time to triage"] == pytest.approx(129.13, abs=0.01)
    # Made at 20:55 of the 21st for pushes of the 14th and, before it was moved, of the 16th, 12:55.
    assert medians["detection delay"] == pytest.approx((5 * 24 + 8) * 3600, abs=12)


def test_what_sheriffs_did(research):
    found = explore(research)
    shares = found.on_time("repository").frame.select("what", "count", "total").rows()
    assert sorted(shares) == [("bug", 1, 1), ("triage", 3, 3)]
    moved = found.corrections().frame.select("framework", "count", "total").rows()
    assert sorted(moved) == [("browsertime", 1, 2), ("talos", 0, 1)]
    assert found.proposals == ()
