# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Data sets by path or name in every form, and what is wrong with them."""

from __future__ import annotations

import pytest

from labelled import START, member, tcpd_document, write_json
from stepmark.datasets import opening, spreadsheet, tcpd
from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.opening import open_dataset
from stepmark.datasets.overview import overview
from stepmark.datasets.synthetic import Synthetic
from stepmark.datasets.validation import problems, problems_of
from stepmark.datasets.writing import write_dataset
from stepmark.errors import InputError, SpecError, UsageError
from stepmark.reports.dataset import csv_files
from stepmark.series import Direction, Point, Series, SeriesKey

SERIES = "commit,login,search\nr1,5,1\nr2,5,2\nr3,7,2\n"
LABELS = "series,annotator,revision\nx/login,ann,r3\nx/search,ann,\n"


@pytest.fixture
def tables(tmp_path):
    """A wide table and labels by revision."""
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "series.csv").write_text("benchmark," + SERIES.replace("\nr", "\nx,r"))
    (tmp_path / "team" / "labels.csv").write_text(LABELS)
    return tmp_path / "team"


class TestOpening:
    def test_every_form_is_found(self, tmp_path, tables):
        pytest.importorskip("polars")
        from stepmark.datasets import folder

        one = Dataset("set", (member([1.0, 2.0], {"a": [1]}),))
        folder.write_folder_of(one, tmp_path / "own")
        tcpd.write_folder_of(one, tmp_path / "set")
        assert open_dataset(tmp_path / "own") == one
        assert open_dataset(str(tmp_path / "set")) == one
        assert open_dataset(tables).name == "team"
        forms = [opening.form_of(tmp_path / name) for name in ("own", "set", "team")]
        assert forms == ["stepmark", "tcpd", "csv"]

    @pytest.mark.parametrize(
        ("spec", "made"),
        [
            ("synthetic", Synthetic()),
            (
                " synthetic ( gauss , n=20,\ncount=2 ) ",
                Synthetic(members=("gauss",), n=20, count=2),
            ),
        ],
    )
    def test_a_generator(self, spec, made):
        assert open_dataset(spec) == made.make()

    def test_a_folder_of_a_generators_name_goes_before_it(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        tcpd.write_folder_of(Dataset("", (member([1.0], {"a": []}),)), tmp_path / "synthetic")
        assert len(open_dataset("synthetic")) == 1
        assert len(open_dataset("synthetic()")) == 56

    @pytest.mark.parametrize("source", ["", "gone", "sythetic", "a\0b", "(", "x" * 5000])
    def test_what_is_nothing(self, source):
        with pytest.raises(InputError, match="no such folder or file, and no generator"):
            open_dataset(source)

    def test_a_generator_that_is_not_known(self):
        with pytest.raises(SpecError, match="did you mean synthetic"):
            open_dataset("synthetik(n=20)")

    def test_a_folder_of_something_else(self, tmp_path):
        with pytest.raises(InputError, match=r"no data set: no dataset\.json \(Stepmark\)"):
            open_dataset(tmp_path)

    def test_a_single_file(self, tmp_path):
        file = write_json(tmp_path / "one.json", tcpd_document([1.0, 2.0]))
        with pytest.raises(InputError, match="--annotations FILE"):
            open_dataset(file)
        labels = write_json(tmp_path / "labels.json", {"one": {"a": [1]}})
        assert open_dataset(file, annotations=labels).by_name["one"].annotators == {"a": (1,)}

    def test_annotations_of_a_generator(self):
        with pytest.raises(UsageError, match="leave out --annotations"):
            open_dataset("synthetic", annotations="x.json")


class TestTables:
    def test_labels_by_revision(self, tables):
        login, search = open_dataset(tables)
        assert (login.name, login.annotators) == ("x/login", {"ann": (2,)})
        assert (search.name, search.annotators) == ("x/search", {"ann": ()})
        assert login.series.values() == [5, 5, 7]

    def test_positions_tell_missing_points(self, tables):
        (tables / "series.csv").write_text("benchmark,position,value\na,0,1\na,2,3\na,3,4\n")
        (tables / "labels.csv").write_text("Series, Annotator, Position\na, ann, 2\n\n")
        (one,) = open_dataset(tables)
        assert [p.position for p in one.series.points] == [0, 2, 3]
        assert (one.length, one.missing, one.annotators) == (4, 1, {"ann": (2,)})

    def test_what_is_written_is_read_back(self, tmp_path):
        points = tuple(Point(f"r{i}", START, (0.1 * i,), i) for i in (0, 1, 3))
        series = Series(SeriesKey(benchmark="a"), points, "ms", Direction.LOWER)
        one = LabelledSeries("a", series, 4, {"x": (3,), "y": ()})
        many = Dataset("set", (one, member([5.0, 6.0, 7.0], {"x": [1, 2]}, name="b")))
        write_dataset(tmp_path / "set", csv_files(many))
        read = open_dataset(tmp_path / "set")
        assert read.members[0] == one
        assert read.members[1].annotators == {"x": (1, 2)}
        assert read.members[1].series.values() == [5, 6, 7]

    def test_a_name_is_never_a_formula(self, tmp_path):
        bad = Dataset("set", (member([1.0, 2.0], {"@x": [1]}, name="=cmd()"),))
        write_dataset(tmp_path / "set", csv_files(bad))
        (read,) = open_dataset(tmp_path / "set")
        assert (read.name, read.annotators) == ("'=cmd()", {"'@x": (1,)})

    def test_names_that_differ_unseen_only_are_refused(self):
        both = Dataset("set", tuple(member([1.0], name=name) for name in ("a b", "a  b")))
        with pytest.raises(InputError, match="differ only unseen"):
            list(csv_files(both))

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ("series,annotator\nx/login,a\n", "labels.csv:1: labels have the columns"),
            ("series,annotator,position\nx/login\n", "labels.csv:2: a series or an annotator"),
            ("series,annotator,position\nx/login,a,1,2\n", "labels.csv:2: more cells"),
            ("series,annotator,position\nx/login,a,zwei\n", "position 'zwei' is no whole number"),
            ("series,annotator,position\nx/login,a,9\n", "annotator a marks 9"),
            ("series,annotator,revision\nx/login,a,r9\n", "revision 'r9' is not that of one point"),
            ("series,annotator,position\ny,a,1\n", "no labels of 'x/login' in labels.csv"),
            ('series,annotator,position\n"' + "x" * 200_000, "not valid CSV"),
            ("series,annotator,position\n" + "x" * 5000 + ",a,1\n", "labels.csv:2: more cells"),
        ],
    )
    def test_labels_that_do_not_fit(self, tables, labels, message):
        (tables / "labels.csv").write_text(labels)
        with pytest.raises(InputError) as caught:
            open_dataset(tables)
        assert message in str(caught.value)

    def test_labels_of_no_series_are_told(self, tables):
        with (tables / "labels.csv").open("a") as file:
            file.write("gone,ann,r1\n")
        skipped = []
        assert len(open_dataset(tables, skipped)) == 2
        assert [s.reason for s in skipped] == ["labels of 'gone', but no such series in series.csv"]

    def test_positions_that_fall(self, tables):
        (tables / "series.csv").write_text("benchmark,position,value\na,2,1\na,0,3\na,3,4\n")
        (tables / "labels.csv").write_text("series,annotator,position\na,ann,2\n")
        with pytest.raises(InputError, match=r"positions in series\.csv do not rise"):
            spreadsheet.read_folder(tables)


class TestProblems:
    def test_of_a_sound_data_set(self):
        assert problems("synthetic(gauss, n=20, count=2)") == []

    def test_all_of_them_are_told(self, tmp_path):
        for name in ("one", "two"):
            write_json(tmp_path / "datasets" / f"{name}.json", tcpd_document([1.0, None, 2], name))
        (tmp_path / "datasets" / "broken.json").write_text("{")
        labels = {"one": {"a": [0], "b": [1]}, "two": {"": []}, "gone": {}}
        write_json(tmp_path / "annotations.json", labels)
        told = [(p.source.removeprefix(f"{tmp_path}/"), p.reason) for p in problems(tmp_path)]
        assert told[0][0] == "datasets/broken.json:1"
        assert told[0][1].startswith("not valid JSON: ")
        assert told == [
            told[0],
            ("annotations.json", "labels of 'gone', but no such data set"),
            ("one", "annotator 'a' marks 0: the first point begins no new level"),
            ("one", MISSING),
            ("two", "an annotator without a name"),
        ]

    def test_of_what_cannot_be_opened(self, tmp_path):
        (problem,) = problems(tmp_path)
        assert "no data set" in problem.reason

    def test_of_series_that_say_nothing(self):
        reasons = [p.reason for p in problems_of(Dataset("set", (member([1.0]),)))]
        assert reasons == ["1 point(s), where no change can be", "no annotator"]

    def test_many_places_are_counted(self):
        none = [1.0, *[None] * 9, 2.0]
        (problem,) = problems_of(Dataset("set", (member(none, {"a": range(1, 10)}),)))
        assert "marks 1, 2, 3, 4, 5 and 4 more, where" in problem.reason


MISSING = (
    "annotator 'b' marks 1, where the point is missing: mark the first point of the new level that"
    " is there"
)


class TestOverview:
    def test_counts(self):
        one = member([None, 1.0, None, None, 2.0, None], {"a": [1, 4], "b": []})
        found = overview(Dataset("set", (one, member([1.0], name="two")), {"k": "v"}))
        first, second = found.series
        assert (first.length, first.missing, first.gaps) == (6, 4, 3)
        assert (first.changes, first.mean_changes) == ({"a": 2, "b": 0}, 1.0)
        assert (second.gaps, second.mean_changes, second.first) == (0, None, None)
        assert (found.points, found.missing, found.labels) == (3, 4, 2)
        assert found.annotators == ("a", "b")
