# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Tables of numbers."""

from __future__ import annotations

import csv as stdlib_csv
import io
from datetime import UTC, datetime
from pathlib import PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepmark.config import Columns
from stepmark.errors import InputError, LimitError
from stepmark.series import Direction, Series, SeriesKey, Skipped, assemble
from stepmark.sources.base import Content, Limits, Parsed
from stepmark.sources.csv import CSV


def content(text: str | bytes, name: str = "runs.csv", limits: Limits | None = None) -> Content:
    data = text.encode() if isinstance(text, str) else text
    return Content(name, data, PurePath("/data", name), limits or Limits())


def parse(
    text: str | bytes, columns: Columns | None = None, limits: Limits | None = None
) -> Parsed:
    return CSV().parse(content(text, limits=limits), columns or Columns())


def series(text: str | bytes, **columns: object) -> list[Series]:
    return assemble(parse(text, Columns(**columns)).measurements)


def values(one: Series) -> list[float]:
    return [point.value() for point in one.points]


def error(text: str | bytes, **columns: object) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, Columns(**columns))
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestSingleColumn:
    @pytest.mark.parametrize(
        "text", ["1\n2.5\n-3e2\n", "value\n1\n2.5\n-3e2\n", "# made by hand\n\n1\n\n2.5\n-3e2"]
    )
    def test_numbers(self, text):
        (one,) = series(text)
        assert one.key == SeriesKey(benchmark="runs", metric="value")
        assert values(one) == [1, 2.5, -300]

    def test_named_column_is_its_metric(self):
        (one,) = series("latency\n1\n2\n")
        assert one.key.metric == "latency"

    def test_sixty_numbers(self):
        (one,) = series("\n".join(map(str, range(60))))
        assert values(one) == list(range(60))

    def test_a_missing_number_is_an_absent_point(self):
        parsed = parse("value\n1\nNA\n3\n")
        assert [m.samples for m in parsed.measurements] == [(1,), (3,)]
        assert parsed.skipped == []

    def test_no_name_for_a_stream(self):
        parsed = CSV().parse(Content("<stdin>", b"1\n2\n"), Columns())
        assert parsed.measurements[0].key.benchmark == "stdin"


class TestWide:
    TEXT = "time,commit,latency,rate\n2026-01-02,b,2,20\n2026-01-01,a,1,\n2026-01-03,c,3,30\n"

    def test_one_series_a_column_in_order_of_time(self):
        latency, rate = series(self.TEXT)
        assert str(latency.key) == "runs/latency"
        assert [p.revision for p in latency.points] == ["a", "b", "c"]
        assert values(latency) == [1, 2, 3]
        assert [p.revision for p in rate.points] == ["b", "c"]
        assert latency.points[0].landed == datetime(2026, 1, 1, tzinfo=UTC)

    def test_newest_first_without_times_between(self):
        (one,) = series("date,v\n2026-01-03,3\n2026-01-02,2\n2026-01-02,1\n2026-01-01,0\n")
        assert values(one) == [0, 1, 2, 3]

    def test_what_rows_share_is_shared(self):
        parsed = parse(self.TEXT + "2026-01-04,d,4,40\n")
        last = [m for m in parsed.measurements if m.revision == "d"]
        assert len(last) == 2
        assert last[0].landed is last[1].landed
        assert last[0].attributes is last[1].attributes
        keys = {id(m.key) for m in parsed.measurements}
        assert len(keys) == 2

    @pytest.mark.parametrize("cell", ["", "NA", "n/a", "null", "-", "None", "  "])
    def test_absent_cells_are_no_news(self, cell):
        parsed = parse(f"a,b\n1,2\n{cell},3\n4,5\n")
        assert len(parsed.measurements) == 5
        assert parsed.skipped == []

    @pytest.mark.parametrize(
        ("cell", "reason"),
        [
            ("nan", "column a: 'nan' is not a finite number"),
            ("-Infinity", "column a: '-Infinity' is not a finite number"),
            ("1e400", "column a: '1e400' is not a finite number"),
            ("12ms", "column a: '12ms' is not a number"),
            ("1_000", "column a: '1_000' is not a number"),
            ('"1,000"', "column a: '1,000' is not a number"),
        ],
    )
    def test_other_cells_are_left_out_with_a_reason(self, cell, reason):
        parsed = parse(f"a,b\n1,2\n{cell},3\n4,5\n")
        assert parsed.skipped == [Skipped("runs.csv:3", reason)]
        assert [m.samples for m in parsed.measurements if m.key.metric == "a"] == [(1,), (4,)]

    def test_text_and_known_names_are_attributes(self):
        (one,) = series("commit,build,who,v\na,7,x,1\nb,8,y,2\n")
        assert one.points[1].attributes == {"build": "8", "who": "y"}

    def test_a_column_with_few_numbers_is_told(self):
        parsed = parse("v,w\n1,x\n2,y\n3,4\n")
        assert {m.key.metric for m in parsed.measurements} == {"v"}
        assert "column w: only 1 of 3 cells are numbers" in parsed.skipped[0].reason

    def test_half_numbers_is_a_metric(self):
        parsed = parse("v,w\n1,x\n2,5\n")
        assert {m.key.metric for m in parsed.measurements} == {"v", "w"}

    def test_a_benchmark_column_that_repeats_separates(self):
        one, other = series("benchmark,commit,ms\na,1,5\nb,1,50\na,2,6\nb,2,60\n")
        assert (one.key.benchmark, values(one)) == ("a", [5, 6])
        assert (other.key.benchmark, values(other)) == ("b", [50, 60])

    def test_labels_as_told(self):
        found = series("os,ms\nlinux,1\nwin,2\nlinux,3\n", labels=("os",))
        assert [s.key.labels for s in found] == [(("os", "linux"),), (("os", "win"),)]

    def test_index_and_id_are_ignored(self):
        (one,) = series("index,id,v\n0,7,1\n1,8,2\n")
        assert one.key.metric == "v"

    @pytest.mark.parametrize("first", ["", "Unnamed: 0"])
    def test_pandas_index_is_ignored(self, first):
        found = series(f"{first},a,b\n0,1,2\n1,3,4\n")
        assert [s.key.metric for s in found] == ["a", "b"]

    @pytest.mark.parametrize("metric", ["v", "value"])
    def test_pandas_times_are_times(self, metric):
        (one,) = series(f",{metric}\n2026-01-02,2\n2026-01-01,1\n")
        assert (one.timed, values(one)) == (True, [1, 2])

    @pytest.mark.parametrize("metric", ["v", "value"])
    def test_a_column_without_a_name_is_left_out(self, metric):
        parsed = parse(f"{metric},\n1,5\n2,6\n")
        assert [m.samples for m in parsed.measurements] == [(1,), (2,)]
        assert parsed.skipped == [Skipped("runs.csv", "column 2 has no name")]

    def test_an_empty_last_column_is_no_column(self):
        parsed = parse("v,\n1,\n2,\n")
        assert (len(parsed.measurements), parsed.skipped) == (2, [])

    def test_pandas_series_has_a_number_for_a_name(self):
        (one,) = series(",0\n0,1.5\n1,2.5\n")
        assert values(one) == [1.5, 2.5]

    def test_repeated_revision_is_one_point_and_an_empty_one_is_not(self):
        (one,) = series("commit,v\na,1\na,3\n,5\n,7\n")
        assert values(one) == [2, 5, 7]

    def test_short_rows_lack_cells_and_long_ones_are_left_out(self):
        parsed = parse("commit,a,b\nx,1\ny,2,3,4\nz,5,6,,\n")
        assert [(m.revision, m.samples) for m in parsed.measurements] == [
            ("x", (1,)),
            ("z", (5,)),
            ("z", (6,)),
        ]
        assert parsed.skipped == [Skipped("runs.csv:3", "4 cells in a table of 3 columns")]

    def test_a_run_number_is_no_metric(self):
        (one,) = series("run,v\n1,5\n2,6\n")
        assert one.key.metric == "v"
        assert one.points[1].attributes == {"run": "2"}


class TestTimeColumn:
    def test_of_two_the_likelier_name_wins_and_the_other_is_shown(self):
        (one,) = series(
            "created_at,timestamp,v\n2026-02-01,1700000000,1\n2026-02-02,1700000001,2\n"
        )
        assert one.points[0].landed == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
        assert one.points[0].attributes == {"created_at": "2026-02-01"}

    def test_small_numbers_named_time_are_the_metric_if_there_is_no_other(self):
        (one,) = series("commit,time\na,1.25\nb,1.5\n")
        assert (one.key.metric, values(one)) == ("time", [1.25, 1.5])

    def test_small_numbers_named_time_are_a_metric_beside_a_real_time(self):
        (one,) = series("timestamp,time\n2026-01-01,1.25\n2026-01-02,1.5\n")
        assert (one.key.metric, values(one)) == ("time", [1.25, 1.5])

    def test_rising_small_numbers_are_an_index(self):
        (one,) = series("time,v\n0,5\n1,6\n2,4\n")
        assert (one.key.metric, one.timed) == ("v", False)

    def test_else_it_asks(self):
        message = error("time,v\n3,5\n1,6\n")
        assert message.startswith("runs.csv: column time: numbers such as '3' are no times")
        assert "--column ignore=time" in message

    def test_a_row_whose_time_is_none_is_left_out(self):
        parsed = parse("time,v\n2026-01-01,1\nsoon,2\n")
        assert parsed.skipped == [Skipped("runs.csv:3", "column time: 'soon' is not a time")]

    def test_nothing_left_names_the_first_reason(self):
        assert error("time,v\nsoon,1\nlater,2\n") == (
            "runs.csv: nothing could be read: runs.csv:2: column time: 'soon' is not a time"
        )

    def test_a_date_that_can_be_read_in_two_ways_asks(self):
        message = error("date,v\n25/12/2025,1\n03/04/2026,2\n")
        assert message.startswith("runs.csv:2: column date: '25/12/2025' can be read in two ways")
        assert "time_format=" in message

    def test_time_format_wins(self):
        (one,) = series("date,v\n03/04/2026,1\n", time_format="%d/%m/%Y")
        assert one.points[0].landed == datetime(2026, 4, 3, tzinfo=UTC)

    def test_years(self):
        (one,) = series("year,v\n1990,1\n1991,2\n")
        assert one.points[0].landed == datetime(1990, 1, 1, tzinfo=UTC)

    def test_an_empty_time_cannot_be_placed(self):
        skipped: list[Skipped] = []
        (one,) = assemble(parse("time,v\n2026-01-01,1\n,2\n").measurements, skipped)
        assert len(one) == 1
        assert skipped == [Skipped("runs/v", "1 measurement(s) without a time")]


class TestLong:
    def test_all_roles(self):
        parsed = parse(
            "Project,Benchmark,Metric,Value,Unit,Direction,Commit,Time,Run\n"
            "p,b,m,1.5,ms,lower,abc,2026-01-01T10:00:00+02:00,17\n"
        )
        (one,) = parsed.measurements
        assert one.key == SeriesKey("p", "b", "m")
        assert (one.samples, one.unit, one.direction) == ((1.5,), "ms", Direction.LOWER)
        assert (one.revision, one.run.split("@")[0]) == ("abc", "17")
        assert one.landed == datetime(2026, 1, 1, 8, tzinfo=UTC)

    def test_rows_of_one_revision_are_replicates(self):
        (one,) = series("commit,value\na,1\na,2\nb,3\n")
        assert [p.samples for p in one.points] == [(1, 2), (3,)]

    def test_rows_of_one_run_are_replicates_too_and_a_run_may_start_anew(self):
        text = "commit,run,value\na,1,1\na,1,2\na,2,3\nb,1,4\nb,1,5\n"
        (one,) = series(text)
        assert [p.samples for p in one.points] == [(1, 2, 3), (4, 5)]

    def test_a_second_import_of_named_runs_changes_nothing(self):
        text = "commit,run,value\na,1,1\na,1,2\nb,2,4\n"
        twice = [*parse(text).measurements, *parse(text).measurements]
        assert assemble(twice) == series(text)

    def test_value_is_the_only_metric(self):
        (one,) = series("index,timestamp,revision,value,stddev\n0,2023-05-22 10:20:25,,600.0,3\n")
        assert one.key == SeriesKey(benchmark="runs", metric="value")
        assert one.points[0].attributes == {"stddev": "3"}

    def test_few_texts_are_labels_many_are_attributes(self):
        rows = "\n".join(f"b,{i},{'linux' if i % 2 else 'win'},text {i}" for i in range(10))
        one, other = series(f"benchmark,value,os,remark\n{rows}\n")
        assert [one.key.labels, other.key.labels] == [(("os", "win"),), (("os", "linux"),)]
        assert one.points[0].attributes == {"remark": "text 0"}

    def test_known_attributes_are_never_labels(self):
        (one,) = series("value,branch,version,commit\n1,main,2,a\n2,main,2,b\n3,dev,2,c\n")
        assert one.key.labels == ()
        assert one.points[2].attributes == {"branch": "dev", "version": "2"}

    def test_suite_and_test_are_both_identity(self):
        found = series("suite,test,value\ns,t,1\ns,u,2\ns,t,3\n")
        assert [(s.key.benchmark, s.key.label_map) for s in found] == [
            ("t", {"suite": "s"}),
            ("u", {"suite": "s"}),
        ]

    def test_settings_win(self):
        (one,) = series(
            "when,score,host,value,os\n2026-01-01,5,h,1,linux\n2026-01-02,6,h,2,linux\n",
            time="when", value="score", labels=("host",), attributes=("os",), ignore=("value",),
        )  # fmt: skip
        assert str(one.key) == "runs/score{host=h}"
        assert (one.timed, values(one)) == (True, [5, 6])
        assert one.points[0].attributes == {"os": "linux"}

    @pytest.mark.parametrize(
        ("word", "direction"),
        [
            ("lower", Direction.LOWER),
            ("Smaller", Direction.LOWER),
            ("lower is better", Direction.LOWER),
            ("higher_is_better", Direction.HIGHER),
            ("BIGGER", Direction.HIGHER),
            ("", None),
        ],
    )
    def test_directions(self, word, direction):
        assert parse(f"value,direction\n1,{word}\n").measurements[0].direction is direction

    def test_unknown_direction(self):
        assert error("value,direction\n1,lower\n2,sideways\n").startswith(
            "runs.csv:3: 'sideways' is no direction; write lower or higher"
        )

    def test_quoted_line_ends_keep_line_numbers(self):
        parsed = parse('benchmark,value\r\n"two\nlines",1\r\nx,bad\r\n')
        assert parsed.measurements[0].key.benchmark == "two\nlines"
        assert parsed.skipped[0].source == "runs.csv:4"

    def test_a_metric_in_no_run_and_one_missing_in_a_run(self):
        found = series("metric,value,commit\nm,1,a\nn,2,a\nm,3,b\nk,,b\n")
        assert [(s.key.metric, len(s)) for s in found] == [("m", 2), ("n", 1)]


class TestDialect:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
    def test_delimiters(self, delimiter):
        text = "commit,v\na,1\nb,2.5\n".replace(",", delimiter)
        (one,) = series(text)
        assert values(one) == [1, 2.5]

    def test_told_delimiter_wins(self):
        (one,) = series("commit:v\na:1\n", delimiter=":")
        assert values(one) == [1]

    def test_tab_by_its_escape(self):
        for told in ("\t", "\\t", "tab"):
            (one,) = series("commit\tv,w\na\t1\n", delimiter=told)
            assert one.key.metric == "v,w"
        assert values(one) == [1]

    def test_decimal_comma_with_semicolons_only(self):
        found = series("a;b\n1,5;2\n-2,5e1;3,0\n")
        assert [values(s) for s in found] == [[1.5, -25], [2, 3]]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends(self, end):
        (one,) = series(end.join(["commit,v", "a,1", "b,2", ""]))
        assert values(one) == [1, 2]

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_byte_order_marks(self, encoding):
        (one,) = series("naïve,v\nx,1\n".encode(encoding))
        assert values(one) == [1]

    def test_one_very_long_line(self):
        header = ",".join(f'"metric {i}"' for i in range(9000))
        parsed = parse(f"{header}\n{','.join(['1'] * 9000)}\n")
        assert len(parsed.measurements) == 9000


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a,b\n", "runs.csv: a header but no values after it"),
            ("value\n", "runs.csv: a header but no values after it"),
            ("# nothing\n", "runs.csv: no rows, only comments or blank lines"),
            ("1,2\n3,4\n", "runs.csv: 2 columns without names; the first line"),
            ("2026-01-01,5\n2026-01-02,6\n", "runs.csv: 2 columns without names; the first line"),
            ("a,b\nx,y\n", "runs.csv: no column of numbers; its columns: a, b"),
            ("a,a\n1,2\n", "runs.csv: two columns are named 'a'"),
            ('a,b\n1,"2\n', "runs.csv:2: cannot be read as CSV: a quoted cell is not closed"),
            ("metric,score\nm,1\nn,2\n", "runs.csv: a metric column but no value column"),
            ("value\nx\n", "runs.csv: nothing could be read: runs.csv:2: column value: 'x' is not"),
            (b"a,b\n1,\xe9\n", "runs.csv:2: not UTF-8 text (byte 6); save the file as UTF-8"),
            (b"a,b\n1,\x00\n", "runs.csv: a binary file (NUL byte in line 2)"),
            ("a,b\n" + "x" * 200_000 + ",1\n", "runs.csv:2: cannot be read as CSV: field larger"),
        ],
    )
    def test_one_line_with_place_and_problem(self, text, message):
        assert error(text).startswith(message)

    def test_mapped_column_that_is_not_there(self):
        assert error("commit,latency\na,1\n", value="latncy") == (
            "runs.csv: no column 'latncy' for value (did you mean latency?);"
            " its columns: commit, latency"
        )

    def test_delimiter_of_two_characters(self):
        assert error("a,b\n1,2\n", delimiter="ab") == (
            "runs.csv: a delimiter is one character or tab, not 'ab'"
        )

    def test_absurd_names(self):
        assert "is longer than 4,096 characters" in error(f"benchmark,value\n{'x' * 5000},1\n")
        assert "the unit" in error(f"unit,value\n{'x' * 500},1\n")

    @pytest.mark.parametrize("text", ["v\n" + "1\n" * 11, "b,value\n" + "x,1\n" * 11])
    def test_too_long_a_series(self, text):
        with pytest.raises(LimitError, match=r"runs\.csv: series .* more than 10 points"):
            parse(text, limits=Limits(max_points=10))

    def test_too_many_measurements(self):
        text = "a,b,c\n" + "1,2,3\n" * 5
        with pytest.raises(LimitError, match="more than 14 measurements"):
            parse(text, limits=Limits(max_measurements=14))
        assert len(parse(text, limits=Limits(max_measurements=15)).measurements) == 15

    def test_reasons_are_counted_beyond_the_first(self):
        parsed = parse("v\n1\n2\n3\n4\n" + "x\n" * 4, limits=Limits(max_reasons=2))
        assert [s.reason for s in parsed.skipped] == [
            "column v: 'x' is not a number",
            "column v: 'x' is not a number",
            "and 2 more",
        ]

    def test_hostile_names_pass_untouched(self):
        name = "<script>alert(1)</script>\x1b[31m=cmd|"
        (one,) = series(f'benchmark,value\n"{name}",1\n')
        assert one.key.benchmark == name


cells = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="#"), min_size=1, max_size=8
).filter(lambda text: text == text.strip())
floats = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(cells.map(lambda t: f"b{t}"), floats, st.datetimes(timezones=st.just(UTC))),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(",;\t|"),
)
def test_what_is_written_is_read_back(rows, delimiter):
    out = io.StringIO()
    writer = stdlib_csv.writer(out, delimiter=delimiter)
    writer.writerow(["benchmark", "value", "time"])
    for name, value, landed in rows:
        writer.writerow([name, repr(value), landed.isoformat()])
    parsed = parse(out.getvalue())
    assert parsed.skipped == []
    assert [(m.key.benchmark, m.samples[0], m.landed) for m in parsed.measurements] == rows


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        parsed = parse(text)
    except InputError:
        return
    assert parsed.measurements


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["", "1", "x", "nan", "2026-01-01", '"'])), max_size=8))
def test_any_table_is_read_or_refused(table):
    text = "\n".join(",".join(row) for row in [["time", "value", "a"], *table])
    try:
        parsed = parse(text)
    except InputError:
        return
    assert all(m.samples == (1.0,) for m in parsed.measurements)


class TestReplicatesInACell:
    def test_wide(self):
        one, other = series('commit,a,b\nx,"[1, 2.5]",3\ny,"[4, null, NaN]",5\nz,[],6\n')
        assert [point.samples for point in one.points] == [(1, 2.5), (4,)]
        assert values(other) == [3, 5, 6]

    def test_long(self):
        (one,) = series('benchmark,revision,run,value\nb,x,1,"[1, 2]"\nb,x,1,3\n')
        assert [point.samples for point in one.points] == [(1, 2, 3)]

    @pytest.mark.parametrize(
        "cell", ["[1, true]", "[1, x]", '[1, ""2""]', "[[1]]", "[1] 2", "[" * 99]
    )
    def test_other_lists_are_no_numbers(self, cell):
        parsed = parse(f'commit,v\na,1\nb,2\nc,"{cell}"\n')
        assert [m.samples for m in parsed.measurements] == [(1,), (2,)]
        assert [s.source for s in parsed.skipped] == ["runs.csv:4"]
