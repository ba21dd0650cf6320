# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Stepmark's own form of a data set: nothing is lost, and nothing wrong is taken for data."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from labelled import START, datasets, member
from stepmark.datasets import folder as form
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.errors import InputError, LimitError, OutputError, UsageError
from stepmark.series import Point, Series, SeriesKey
from stepmark.sources.base import Limits

pl = pytest.importorskip("polars", reason="the form needs polars")

SAMPLES = LabelledSeries(
    "two",
    Series(
        SeriesKey("p", "b", "m", (("os", "linux"),)),
        (Point("r1", START, (1.0, 3.0), 0, {"job": "7"}), Point("r2", START, (2.0,), 2)),
        "ms",
    ),
    3,
    {"a": (2,), "b": ()},
    {"licence": "MIT"},
)
DATASET = Dataset("set", (member([1.0, None, 5.0], {"a": [2]}), SAMPLES), {"origin": "here"})


@pytest.fixture
def folder(tmp_path):
    """The data set as a folder."""
    form.write_folder_of(DATASET, tmp_path / "set")
    return tmp_path / "set"


def edit(folder, **changes):
    """Change fields of `dataset.json`; without a digest unless one is given."""
    path = folder / "dataset.json"
    document = {**json.loads(path.read_text()), "digest": None, **changes}
    path.write_text(json.dumps(document))


def rewrite(folder, table, **columns):
    """Change columns of a table, and accept that the digest is another one."""
    path = folder / f"{table}.parquet"
    frame = pl.read_parquet(path)
    new = [pl.Series(name, values, dtype=frame[name].dtype) for name, values in columns.items()]
    frame.with_columns(new).write_parquet(path)
    edit(folder)


class TestRoundTrip:
    @settings(max_examples=60, deadline=None)
    @given(datasets())
    def test_what_is_written_is_read_back(self, dataset):
        with tempfile.TemporaryDirectory() as place:
            form.write_folder_of(dataset, Path(place, "set"))
            read = form.read_folder(Path(place, "set"))
            assert read == dataset
            assert form.digest(read) == form.digest(dataset)

    def test_the_files_and_what_they_say(self, folder):
        assert sorted(p.name for p in folder.iterdir()) == [
            "dataset.json", "labels.parquet", "samples.parquet", "series.parquet",
        ]  # fmt: skip
        document = json.loads((folder / "dataset.json").read_text())
        assert document["schema"] == "stepmark.dataset/1"
        assert document["provenance"] == {"origin": "here"}
        assert document["digest"] == form.digest(DATASET)
        points = pl.read_parquet(folder / "series.parquet")
        assert points["value"].to_list() == [1.0, 5.0, 2.0, 2.0]
        assert points["time"].to_list() == [None, None, START, START]
        labels = pl.read_parquet(folder / "labels.parquet").rows()
        assert labels == [("one", "a", 2), ("two", "a", 2), ("two", "b", None)]

    def test_without_replicates_there_is_no_table_of_them(self, tmp_path):
        form.write_folder_of(Dataset("set", DATASET.members[:1]), tmp_path / "set")
        assert not (tmp_path / "set" / "samples.parquet").exists()

    def test_an_empty_series_and_no_label(self, tmp_path):
        nothing = LabelledSeries("none", Series(SeriesKey(), ()), 0)
        form.write_folder_of(Dataset("set", (nothing,)), tmp_path / "set")
        assert form.read_folder(tmp_path / "set").members == (nothing,)

    @pytest.mark.parametrize(
        "other",
        [
            replace(SAMPLES, name="three"),
            replace(SAMPLES, length=4),
            replace(SAMPLES, annotations={"a": (1,)}),
            replace(SAMPLES, facts={}),
            replace(SAMPLES, series=replace(SAMPLES.series, unit="s")),
            replace(SAMPLES, series=replace(SAMPLES.series, points=SAMPLES.series.points[:1])),
        ],
    )
    def test_the_digest_tells_what_differs(self, other):
        assert form.digest(Dataset("", (other,))) != form.digest(Dataset("", (SAMPLES,)))

    def test_text_that_is_not_unicode_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="not Unicode"):
            form.write_folder_of(Dataset("set", (member([1.0], name="\ud800"),)), tmp_path / "set")
        assert not list(tmp_path.iterdir())

    def test_it_is_replaced_by_force_only(self, folder):
        with pytest.raises(OutputError, match="--force"):
            form.write_folder_of(DATASET, folder)
        form.write_folder_of(replace(DATASET, name="new"), folder, force=True)
        assert form.read_folder(folder).name == "new"


class TestHostile:
    def test_a_changed_table_is_noticed(self, folder):
        path = folder / "series.parquet"
        frame = pl.read_parquet(path)
        frame.with_columns(value=pl.Series([9.0, 5.0, 2.0, 2.0])).write_parquet(path)
        with pytest.raises(InputError, match=r'a table was changed; .* remove "digest"'):
            form.read_folder(folder)
        edit(folder)
        assert form.read_folder(folder).members[0].series.values() == [9.0, 5.0]

    @pytest.mark.parametrize(
        ("table", "columns", "message"),
        [
            ("series", {"value": [float("nan")] * 4}, "row 0: a series, position or value"),
            ("series", {"value": [None] * 4}, "row 0: a series, position or value"),
            ("series", {"position": [-1, 2, 0, 2]}, "row 0: a series, position or value"),
            ("series", {"position": [2, 2, 0, 2]}, "row 1: positions of 'one' do not rise"),
            ("series", {"series": [None] * 4}, "row 0: a series, position or value"),
            ("series", {"attributes": ["[" * 10**5] * 4}, "row 0: attributes are no JSON object"),
            ("series", {"attributes": ["[]"] * 4}, "row 0: attributes are no JSON object"),
            ("samples", {"value": [None, 1.0]}, "row 0: value is missing or no number"),
            ("samples", {"position": [1, 1]}, "samples of 'two' at 1, where no point is"),
            ("labels", {"annotator": [None] * 3}, "row 0: series or annotator is missing"),
        ],
    )
    def test_rows_that_are_no_data(self, folder, table, columns, message):
        rewrite(folder, table, **columns)
        with pytest.raises(InputError) as caught:
            form.read_folder(folder)
        assert message in str(caught.value)

    def test_a_time_beyond_all_calendars(self, folder):
        path = folder / "series.parquet"
        frame = pl.read_parquet(path)
        far = pl.Series("time", [2**62] * 4).cast(frame["time"].dtype)
        frame.with_columns(far).write_parquet(path)
        with pytest.raises(InputError, match="row 0: time is out of range"):
            form.read_folder(folder)

    def test_what_does_not_fit_is_left_out_and_told(self, folder):
        rewrite(folder, "labels", position=[7, 2, None])
        skipped = []
        assert [m.name for m in form.read_folder(folder, skipped)] == ["two"]
        assert "annotator a marks 7" in skipped[0].reason

    def test_rows_of_series_that_are_not_listed_are_told(self, folder):
        document = json.loads((folder / "dataset.json").read_text())
        edit(folder, series=document["series"][:1])
        skipped = []
        assert len(form.read_folder(folder, skipped)) == 1
        assert [s.reason for s in skipped] == [
            "points of 'two', which dataset.json does not list",
            "labels of 'two', which dataset.json does not list",
        ]

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            (5, "series[0]: no object"),
            ({}, "series[0]: name or length is missing or wrong"),
            ({"name": "one", "length": 10**18}, "series[0]: name or length"),
            ({"name": "one", "length": True}, "series[0]: name or length"),
            ({"name": "one", "length": 3, "direction": "up"}, "direction is lower or higher"),
            ({"name": "one", "length": 3, "direction": []}, "direction is lower or higher"),
            ({"name": "one", "length": 3, "key": {"metric": "x" * 5000}}, "longer than 4,096"),
        ],
    )
    def test_an_entry_that_describes_no_series(self, folder, entry, message):
        edit(folder, series=[entry])
        with pytest.raises(InputError) as caught:
            form.read_folder(folder)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ([], "no data set"),
            ({"series": 5}, "no data set"),
            ({"series": [], "schema": "stepmark.dataset/9"}, "schema is 'stepmark.dataset/9'"),
        ],
    )
    def test_another_document(self, folder, document, message):
        (folder / "dataset.json").write_text(json.dumps(document))
        with pytest.raises(InputError, match=message):
            form.read_folder(folder)

    @pytest.mark.parametrize("data", [b"PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1", b"x" * 100])
    def test_a_table_that_is_no_parquet(self, folder, data):
        (folder / "labels.parquet").write_bytes(data)
        with pytest.raises(InputError, match=r"labels\.parquet: no usable Parquet table"):
            form.read_folder(folder)

    @pytest.mark.parametrize("at", [4, 40, 200, -30, -9])
    def test_a_damaged_table_is_an_error_and_no_crash(self, folder, at):
        path = folder / "series.parquet"
        data = bytearray(path.read_bytes())
        data[at] ^= 0xFF
        path.write_bytes(data)
        try:
            form.read_folder(folder)
        except InputError as error:
            assert "set" in str(error)  # noqa: PT017 - a byte that says nothing may be read

    def test_a_table_without_a_column_or_of_another_type(self, folder):
        path = folder / "labels.parquet"
        frame = pl.read_parquet(path)
        frame.drop("annotator").write_parquet(path)
        with pytest.raises(InputError, match="column annotator is missing"):
            form.read_folder(folder)
        frame.with_columns(position=pl.Series(["a"] * 3)).write_parquet(path)
        with pytest.raises(InputError, match="column position is String, not Int64"):
            form.read_folder(folder)

    def test_a_missing_table(self, folder):
        (folder / "labels.parquet").unlink()
        with pytest.raises(InputError, match=r"labels\.parquet: no such file"):
            form.read_folder(folder)

    def test_more_rows_or_points_than_allowed(self, folder):
        with pytest.raises(LimitError, match="4 rows are more than 3"):
            form.read_folder(folder, limits=Limits(max_measurements=3))
        with pytest.raises(LimitError, match="'one' has more than 1 points"):
            form.read_folder(folder, limits=Limits(max_points=1))

    def test_a_text_too_long_is_refused_before_it_is_copied(self, folder):
        path = folder / "series.parquet"
        frame = pl.read_parquet(path)
        frame.with_columns(revision=pl.Series(["x" * (1 << 21)] * 4)).write_parquet(path)
        with pytest.raises(LimitError, match="column revision: a text of 2,097,152 bytes"):
            form.read_folder(folder)


def test_without_polars_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match=r'this needs polars: pip install "stepmark\[data\]"'):
        form.write_folder_of(DATASET, tmp_path / "set")
    assert not list(tmp_path.iterdir())
