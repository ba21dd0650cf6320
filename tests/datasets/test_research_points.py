# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Aggregation by revision and the places of alerts, against plain Python."""

from __future__ import annotations

import math
import statistics
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

pl = pytest.importorskip("polars")

from research_data import landed  # noqa: E402
from stepmark.datasets.research.material import POINTS  # noqa: E402
from stepmark.datasets.research.parquet import digest_of, parquet_bytes  # noqa: E402
from stepmark.datasets.research.placing import annotated, measured, placed  # noqa: E402
from stepmark.datasets.research.points import curated, revisions_of  # noqa: E402
from stepmark.datasets.research.rules import Ledger  # noqa: E402
from stepmark.datasets.research.tables import schema_of  # noqa: E402

NAMES = ["r 0", "r 1", "r 2"]
VALUES = st.floats(-1e6, 1e6, allow_nan=False, width=64)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6), VALUES), min_size=1, max_size=40)


def frame_of(rows):
    """A frame of (series, push, value), ids in order."""
    kinds = {"series": pl.Int64(), **schema_of(POINTS)}
    told = [
        {"series": s, "id": i, "push_id": p, "push_timestamp": landed(p // 2), "revision": str(p),
         "value": v}
        for i, (s, p, v) in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(told, schema=kinds)


def by_revision(rows):
    """What the revisions should be: {series: [(push, values)]}, in order."""
    made = {}
    for s, p, v in rows:
        made.setdefault(s, {}).setdefault(p, []).append(v)
    return {s: sorted(own.items()) for s, own in sorted(made.items())}


@given(ROWS)
def test_aggregation(rows):
    ledger = Ledger()
    found = revisions_of(curated(frame_of(rows), NAMES, ledger), NAMES, ledger)
    expected = by_revision(rows)
    assert found.select("series", "push_id").rows() == [
        (s, p) for s, own in expected.items() for p, _ in own
    ]
    for (series,), own in found.partition_by("series", as_dict=True, maintain_order=True).items():
        means = [statistics.fmean(values) for _, values in expected[series]]
        least, most = min(means), max(means)
        for place, (row, (_, values)) in enumerate(
            zip(own.to_dicts(), expected[series], strict=True)
        ):
            assert row["position"] == place
            assert row["n"] == len(values)
            assert math.isclose(row["value"], means[place], rel_tol=1e-9, abs_tol=1e-6)
            assert row["min"] == min(values) <= row["value"] <= max(values) == row["max"]
            assert math.isclose(row["median"], statistics.median(values), abs_tol=1e-6)
            if len(values) == 1:
                assert row["std"] is None
            else:
                spread = statistics.stdev(values)
                assert math.isclose(row["std"], spread, rel_tol=1e-6, abs_tol=1e-5)
            assert 0 <= row["scaled"] <= 1
            if most - least > 1e-3:
                share = (means[place] - least) / (most - least)
                assert math.isclose(row["scaled"], share, abs_tol=1e-3)


@given(ROWS, st.randoms())
def test_the_order_of_rows_says_nothing(rows, dice):
    frame = frame_of(rows)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=dice.randrange(1000))
    made = []
    for points in (frame, shuffled):
        ledger = Ledger()
        kept = curated(points, NAMES, ledger)
        made.append((kept, revisions_of(kept, NAMES, ledger)))
    assert made[0][0].equals(made[1][0])
    assert made[0][1].equals(made[1][1])
    assert digest_of(made[0][1]) == digest_of(made[1][1])


@given(st.integers(1, 5), st.floats(-1e150, 1e150))
def test_equal_measurements_have_their_value_and_no_spread(count, value):
    ledger = Ledger()
    rows = [(0, 1, value)] * count + [(0, 2, 0.0)]
    found = revisions_of(curated(frame_of(rows), NAMES, ledger), NAMES, ledger).to_dicts()[0]
    assert found["value"] == value
    assert found["std"] in ((None,) if count == 1 else (0.0,))


ALERTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 8),
        st.integers(0, 8),
        st.sampled_from(["true", "false", "uncertain"]),
    ),
    max_size=8,
)


@given(ROWS, ALERTS)
def test_places(rows, alerts):
    ledger = Ledger()
    points = curated(frame_of(rows), NAMES, ledger)
    revisions = revisions_of(points, NAMES, ledger)
    pushes = {s: [p for p, _ in own] for s, own in by_revision(rows).items()}
    alerts = [a for a in alerts if a[0] in pushes]
    kinds = {
        "series": pl.Int64, "single_alert_id": pl.Int64, "label": pl.String,
        "label_lab": pl.String, "target_push_id": pl.Int64,
        "target_time": pl.Datetime("us", "UTC"), "target_prev_push_id": pl.Int64,
        "target_prev_time": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    told = [
        (s, i, label, "TP", p, landed(p // 2), q, landed(q // 2))
        for i, (s, p, q, label) in enumerate(alerts)
    ]
    places = placed(pl.DataFrame(told, schema=kinds, orient="row"), revisions)
    marked = {}
    for (series, push, _, label), row in zip(alerts, places.to_dicts(), strict=True):
        own = pushes[series]
        if push in own:
            expected, placement = own.index(push), "exact"
        else:
            later = [i for i, p in enumerate(own) if p // 2 >= push // 2]
            expected, placement = (later[0] if later else None), "next"
        if not expected:
            expected, placement = None, "outside"
        assert (row["position"], row["placement"]) == (expected, placement)
        if expected is not None:
            assert row["place_push_id"] == own[expected]
            rank = (["true", "false", "uncertain"].index(label), row["single_alert_id"])
            marked.setdefault((series, expected), []).append(rank)
    made = annotated(revisions, places)
    there = made.filter(pl.col("alert_id").is_not_null())
    assert {(r["series"], r["position"]): r["alert_id"] for r in there.to_dicts()} == {
        place: min(ranks)[1] for place, ranks in marked.items()
    }
    told = measured(points, made)
    assert told.height == points.height
    for row in told.to_dicts():
        (of,) = made.filter(
            (pl.col("series") == row["series"]) & (pl.col("push_id") == row["push_id"])
        ).to_dicts()
        assert all(row[c] == of[c] for c in ("alert_id", "suspect_of", "label", "label_lab"))


def test_the_digest_sees_every_cell():
    frame = pl.DataFrame(
        {"a": ["x", None, ""], "b": [1.0, None, -0.0], "c": [[1.0], None, []],
         "d": [True, None, False],
         "e": [landed(1), None, landed(2)], "f": [1, None, 3]},
        schema_overrides={"e": pl.Datetime("us", "UTC")},
    )  # fmt: skip
    assert digest_of(frame) == digest_of(frame.clone())
    others = [
        frame.rename({"a": "z"}),
        frame.with_columns(a=pl.Series(["", None, "x"])),
        frame.with_columns(a=pl.Series(["x", "", None])),
        frame.with_columns(b=pl.Series([1.0, None, 0.0])),
        frame.with_columns(c=pl.Series([[], None, [1.0]])),
        frame.with_columns(d=pl.Series([True, None, True])),
        frame.with_columns(e=pl.col("e") + timedelta(microseconds=1)),
        frame.with_columns(f=pl.col("f").cast(pl.Float64)),
        frame.head(2),
    ]
    assert len({digest_of(other) for other in [frame, *others]}) == len(others) + 1
    assert parquet_bytes(frame) == parquet_bytes(frame.clone())
