# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Labelled data as TCPD has them: what is read, what is told, that nothing changes on the way."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings

from labelled import START, datasets, member, tcpd_document, write_json
from stepmark.datasets import tcpd
from stepmark.datasets.labelled import Dataset
from stepmark.errors import InputError, OutputError
from stepmark.sources.base import Limits

LABELS = {"one": {"a": [2], "b": []}}


@pytest.fixture
def folder(tmp_path):
    """A TCPD folder of one series, with a missing value."""
    write_json(tmp_path / "set" / "annotations.json", LABELS)
    write_json(tmp_path / "set" / "datasets" / "one.json", tcpd_document([1.0, None, 5.0, 5.5]))
    return tmp_path / "set"


def told(folder, **options):
    skipped = []
    dataset = tcpd.read_folder(folder, skipped, **options)
    return dataset, [f"{Path(s.source).name}: {s.reason}" for s in skipped]


class TestReading:
    def test_places_are_positions_with_missing_points_counted(self, folder):
        dataset, notes = told(folder)
        (one,) = dataset
        assert (dataset.name, notes, one.length, one.missing) == ("set", [], 4, 1)
        assert one.annotators == {"a": (2,), "b": ()}
        assert [(p.position, p.value()) for p in one.series.points] == [(0, 1), (2, 5), (3, 5.5)]

    def test_the_layout_of_a_folder_each(self, folder):
        (folder / "datasets" / "one.json").unlink()
        write_json(folder / "datasets" / "one" / "one.json", tcpd_document([1.0, 2.0, 3.0]))
        (folder / "datasets" / "empty").mkdir()
        dataset, notes = told(folder)
        assert [m.name for m in dataset] == ["one"]
        assert notes == ["empty: no empty.json in it"]

    def test_files_beside_the_annotations_where_others_are_ignored(self, tmp_path):
        write_json(tmp_path / "annotations.json", LABELS)
        write_json(tmp_path / "tcpd_7.json", tcpd_document([1.0, 2.0, 3.0]))
        write_json(tmp_path / "results.json", {"n_obs": 3})
        (tmp_path / "broken.json").write_bytes(b"\0\xff")
        dataset, notes = told(tmp_path)
        assert ([m.name for m in dataset], notes) == (["one"], [])

    def test_names_on_one_side_only_are_told(self, folder):
        write_json(folder / "annotations.json", {**LABELS, "gone": {"a": []}})
        write_json(folder / "datasets" / "two.json", tcpd_document([1.0, 2.0], name="two"))
        dataset, notes = told(folder)
        assert [m.name for m in dataset] == ["one"]
        assert notes == [
            "two.json: no labels of 'two'",
            "annotations.json: labels of 'gone', but no such data set",
        ]

    def test_several_dimensions_are_left_out_by_name_with_a_remedy(self, folder):
        two = tcpd_document([1.0, 2.0], name="two", n_dim=2)
        two["series"] = [{"label": "Close", "raw": [1, 2]}, {"label": "Volume", "raw": [3, 4]}]
        write_json(folder / "datasets" / "two.json", two)
        write_json(folder / "annotations.json", {**LABELS, "two": {"a": []}})
        dataset, notes = told(folder)
        assert [m.name for m in dataset] == ["one"]
        (note,) = notes
        assert note.startswith("two.json: 2 dimensions ('Close', 'Volume'), where one is judged")
        assert note.endswith("; keep one of them in series and set n_dim to 1")

    def test_several_dimensions_of_a_single_file_are_an_error(self, tmp_path):
        two = tcpd_document([1.0, 2.0], n_dim=2)
        two["series"] *= 2
        two["series"][1] = {"label": "V2", "raw": [1, 2]}
        file = write_json(tmp_path / "one.json", two)
        labels = write_json(tmp_path / "labels.json", LABELS)
        with pytest.raises(InputError, match=r"one\.json: 2 dimensions .* set n_dim to 1"):
            tcpd.read_file(file, labels)

    def test_a_single_file_with_its_labels(self, folder):
        found = tcpd.read_file(folder / "datasets" / "one.json", folder / "annotations.json")
        assert (found.name, found.members) == ("one", tcpd.read_folder(folder).members)

    def test_a_single_file_without_labels_of_it(self, folder, tmp_path):
        labels = write_json(tmp_path / "labels.json", {"other": {}})
        with pytest.raises(InputError, match=r"labels\.json: no labels of 'one', which is in"):
            tcpd.read_file(folder / "datasets" / "one.json", labels)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"n_obs": 3}, "series[0]: raw is not a list of n_obs = 3 values"),
            (
                {"time": {"raw": ["2020", "2021", "2023", "2022"], "format": "%Y"}},
                "one/V1: points are not in order of time",
            ),
            (
                {"time": {"raw": [None, None, "2021", "2022"], "format": "%Y"}},
                "time.raw[0] is missing, but not its value",
            ),
            ({"name": "x" * 5000}, "no labels of 'xxx"),
        ],
    )
    def test_what_does_not_fit_is_told_and_the_rest_is_read(self, folder, change, reason):
        write_json(folder / "datasets" / "good.json", tcpd_document([1.0, 2.0], name="good"))
        write_json(folder / "annotations.json", {**LABELS, "good": {"a": [1]}})
        write_json(folder / "datasets" / "one.json", tcpd_document([1.0, None, 2, 3], **change))
        dataset, notes = told(folder)
        assert [m.name for m in dataset] == ["good"]
        assert notes[0].startswith(f"one.json: {reason}")

    def test_a_label_outside_its_series_is_told(self, folder):
        write_json(folder / "annotations.json", {"one": {"a": [4]}})
        with pytest.raises(InputError, match=r"annotator a marks 4, which is not inside 0\.\.3"):
            tcpd.read_folder(folder)

    def test_a_second_data_set_of_one_name_is_told(self, folder):
        write_json(folder / "datasets" / "zwei.json", tcpd_document([1.0, 2.0, 3.0]))
        assert told(folder)[1] == ["zwei.json: a second data set called 'one'"]

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ([], "not annotations"),
            ({"one": []}, "'one': not a map"),
            ({"one": {"a": 5}}, "'one': annotator 'a': not a list of whole numbers"),
            ({"one": {"a": [1.5]}}, "not a list of whole numbers"),
            ({"one": {"a": [True]}}, "not a list of whole numbers"),
            ({"one": {"a": ["2"]}}, "not a list of whole numbers"),
        ],
    )
    def test_annotations_of_another_form(self, folder, labels, message):
        path = write_json(folder / "annotations.json", labels)
        with pytest.raises(InputError) as caught:
            tcpd.read_folder(folder)
        assert str(caught.value).startswith(f"{path}: ")
        assert message in str(caught.value)

    def test_without_annotations(self, folder):
        (folder / "annotations.json").unlink()
        with pytest.raises(InputError, match=r"annotations\.json: no such file"):
            tcpd.read_folder(folder)

    def test_annotations_of_elsewhere(self, folder, tmp_path):
        path = write_json(tmp_path / "mine.json", {"one": {"me": [3]}})
        assert tcpd.read_folder(folder, annotations=path).members[0].annotators == {"me": (3,)}

    def test_limits(self, folder):
        with pytest.raises(InputError, match="one has more than 3 points"):
            tcpd.read_folder(folder, limits=Limits(max_points=3))
        for name in ("b.json", "c.json"):
            write_json(folder / "datasets" / name, {})
        with pytest.raises(InputError, match="more than 2 files"):
            tcpd.read_folder(folder, limits=Limits(max_files=2))

    def test_deep_json_is_refused(self, folder):
        (folder / "datasets" / "deep.json").write_text("[" * 100_000)
        assert "too deeply" in told(folder)[1][0]


class TestWriting:
    @settings(max_examples=60, deadline=None)
    @given(datasets(rich=False))
    def test_what_is_written_is_read_back_and_written_alike(self, dataset):
        with tempfile.TemporaryDirectory() as place:
            once, twice = Path(place, "suite"), Path(place, "again", "suite")
            twice.parent.mkdir()
            tcpd.write_folder_of(dataset, once)
            read = tcpd.read_folder(once)
            by_name = sorted(dataset.members, key=lambda m: m.name)
            read_by_name = sorted(read.members, key=lambda m: m.name)
            assert read_by_name == by_name
            tcpd.write_folder_of(read, twice)
            assert content(once) == content(twice)

    def test_a_document_is_as_the_benchmark_has_it(self, tmp_path):
        times = [START + timedelta(days=i) for i in range(3)]
        facts = {"longname": "One", "time_format": "%Y-%m-%d", "times_of_missing": '["2026-01-02"]'}
        one = member([1.0, None, 1.5], {"a": [2]}, facts=facts, times=times)
        tcpd.write_folder_of(Dataset("set", (one,)), tmp_path / "set")
        assert json.loads((tmp_path / "set" / "datasets" / "one.json").read_text()) == {
            "name": "one",
            "longname": "One",
            "n_obs": 3,
            "n_dim": 1,
            "time": {
                "format": "%Y-%m-%d",
                "index": [0, 1, 2],
                "raw": ["2026-01-01", "2026-01-02", "2026-01-03"],
            },
            "series": [{"label": "V1", "type": "float", "raw": [1.0, None, 1.5]}],
        }

    @pytest.mark.parametrize(
        ("values", "kind", "text"),
        [
            ([1.0, None, 3.0], "int", "1"),
            ([0.1, 2.0], "float", "0.1"),
            ([-0.0, 1.0], "float", "-0.0"),
            ([1e300], "float", "1e+300"),
        ],
    )
    def test_numbers_are_whole_where_all_of_them_are(self, tmp_path, values, kind, text):
        tcpd.write_folder_of(Dataset("set", (member(values),)), tmp_path / "set")
        written = (tmp_path / "set" / "datasets" / "one.json").read_text()
        assert json.loads(written)["series"][0]["type"] == kind
        assert f" {text}" in written

    @pytest.mark.parametrize("form", ["%Y", "%d", "%Q", "%-d/%", "\ud800"])
    def test_times_are_kept_where_their_form_is_not_exact(self, tmp_path, form):
        times = [START + timedelta(hours=i) for i in range(2)]
        one = member([1.0, 2.0], facts={"time_format": form}, times=times)
        tcpd.write_folder_of(Dataset("set", (one,)), tmp_path / "set")
        (read,) = tcpd.read_folder(tmp_path / "set")
        assert [p.landed for p in read.series.points] == times

    @pytest.mark.parametrize("facts", [{"times_of_missing": t} for t in ("{", "5", "[[], 7]")])
    def test_wrong_facts_do_no_harm(self, tmp_path, facts):
        one = member([1.0, None], facts=facts, times=[START, START])
        tcpd.write_folder_of(Dataset("set", (one,)), tmp_path / "set")
        assert tcpd.read_folder(tmp_path / "set").members[0].series == one.series

    @pytest.mark.parametrize(
        "name",
        ["../../evil", "/etc/x", "a/b", "..", ".hidden", "con", "CON.x", "x" * 300, "é", "a."],
    )
    def test_a_name_never_leads_out_of_the_folder(self, tmp_path, name):
        one = member([1.0, 2.0], {"a": [1]}, name=name)
        tcpd.write_folder_of(Dataset("set", (one,)), tmp_path / "set")
        assert [p.name for p in tmp_path.iterdir()] == ["set"]
        assert tcpd.read_folder(tmp_path / "set").members == (one,)

    def test_names_that_differ_by_capitals_only_are_two_files_on_every_system(self, tmp_path):
        both = tuple(member([1.0], {"a": []}, name=name) for name in ("a", "A"))
        tcpd.write_folder_of(Dataset("set", both), tmp_path / "set")
        files = [p.name.casefold() for p in (tmp_path / "set" / "datasets").iterdir()]
        assert len(set(files)) == 2
        assert {m.name for m in tcpd.read_folder(tmp_path / "set")} == {"a", "A"}

    @pytest.mark.parametrize("name", ["", " a", "a\n"])
    def test_a_name_that_would_not_be_read_back_is_refused(self, tmp_path, name):
        with pytest.raises(InputError, match="rename it"):
            tcpd.write_folder_of(Dataset("set", (member([1.0], name=name),)), tmp_path / "set")
        assert not list(tmp_path.iterdir())

    def test_what_has_no_place_is_named(self):
        from stepmark.datasets.synthetic import suite

        assert tcpd.losses(Dataset("set", (member([1.0]),))) == []
        assert tcpd.losses(suite(("gauss",), n=20, count=1)) == ["provenance"]


class TestReplacing:
    ONE = Dataset("set", (member([1.0, 2.0], {"a": [1]}),))

    def test_a_data_set_is_replaced_by_force_only(self, folder):
        with pytest.raises(OutputError, match=r"set: is not empty; .* --force"):
            tcpd.write_folder_of(self.ONE, folder)
        assert len(tcpd.read_folder(folder).members[0].series) == 3
        tcpd.write_folder_of(self.ONE, folder, force=True)
        assert tcpd.read_folder(folder) == self.ONE

    @pytest.mark.parametrize("name", ["README.md", "datasets/one/two.json", "sub/annotations.json"])
    def test_a_folder_that_holds_something_else_is_never_replaced(self, folder, name):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
        with pytest.raises(OutputError, match="no part of what is written there"):
            tcpd.write_folder_of(self.ONE, folder, force=True)
        assert (folder / name).read_text() == "mine"

    def test_an_empty_folder_is_filled(self, tmp_path):
        (tmp_path / "set").mkdir()
        tcpd.write_folder_of(self.ONE, tmp_path / "set")
        assert tcpd.read_folder(tmp_path / "set") == self.ONE

    def test_a_file_is_never_replaced(self, tmp_path):
        (tmp_path / "set").write_text("mine")
        with pytest.raises(OutputError, match="set: a file"):
            tcpd.write_folder_of(self.ONE, tmp_path / "set", force=True)

    def test_where_nothing_can_be_written(self, tmp_path):
        with pytest.raises(OutputError, match="cannot be written"):
            tcpd.write_folder_of(self.ONE, tmp_path / "no" / "set")

    def test_what_fails_half_way_leaves_all_as_it_was(self, folder, monkeypatch):
        before = content(folder)
        write = Path.write_bytes

        def fail(self, data):
            if self.parent.name == "datasets":
                raise OSError(28, "No space left on device")
            return write(self, data)

        monkeypatch.setattr(Path, "write_bytes", fail)
        with pytest.raises(OutputError, match="No space left"):
            tcpd.write_folder_of(self.ONE, folder, force=True)
        assert content(folder) == before
        assert [p.name for p in folder.parent.iterdir()] == ["set"]

    def test_what_cannot_be_moved_there_leaves_all_as_it_was(self, folder, monkeypatch):
        before = content(folder)
        replace = Path.replace

        def fail(self, target):
            if self.name == "new":
                raise OSError(13, "Permission denied")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(OutputError, match="Permission denied"):
            tcpd.write_folder_of(self.ONE, folder, force=True)
        assert content(folder) == before

    def test_a_link_in_the_folder_is_not_followed(self, folder, tmp_path):
        (tmp_path / "else").mkdir()
        (folder / "datasets" / "link").symlink_to(tmp_path / "else")
        with pytest.raises(OutputError, match="link"):
            tcpd.write_folder_of(self.ONE, folder, force=True)


class TestRealData:
    def test_the_benchmark_and_mozilla_open_whole(self, shared_data):
        for name, count in (("tcpd", 24), ("mozilla", 4)):
            dataset, notes = told(shared_data / name)
            assert (len(dataset), notes) == (count, [])

    def test_what_is_written_says_the_same_as_the_original(self, shared_data, tmp_path):
        dataset = tcpd.read_folder(shared_data / "tcpd")
        tcpd.write_folder_of(dataset, tmp_path / "tcpd")
        assert tcpd.read_folder(tmp_path / "tcpd") == dataset
        for file in (shared_data / "tcpd" / "datasets").iterdir():
            original = json.loads(file.read_text())
            original["time"].pop("type", None)
            copy = json.loads((tmp_path / "tcpd" / "datasets" / file.name).read_text())
            assert copy["series"][0].pop("type")
            original["series"][0].pop("type")
            assert copy == original


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
