# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Files, folders and streams."""

from __future__ import annotations

import contextlib
import gc
import gzip
import io
import json
import math
import os
import random
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepmark import plugins
from stepmark.config import Columns
from stepmark.errors import InputError, LimitError, SpecError
from stepmark.series import assemble
from stepmark.sources.base import Content
from stepmark.sources.reading import (
    Limits,
    find_format,
    garbage_collection_paused,
    read_content,
    read_source,
    read_sources,
)

TABLE = b"commit,v\na,1\nb,2\n"
DEEP = 50_000


def error(source, **more) -> str:
    with pytest.raises(InputError) as caught:
        read_source(source, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def table(tmp_path) -> Path:
    path = tmp_path / "runs.csv"
    path.write_bytes(TABLE)
    return path


class TestContent:
    def test_a_path(self, table, monkeypatch):
        monkeypatch.chdir(table.parent)
        content = read_content("runs.csv")
        assert (content.name, content.data, content.path) == ("runs.csv", TABLE, table)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_bytes(self, kind):
        assert read_content(kind(TABLE)) == Content("<bytes>", TABLE, None)

    def test_open_files(self, table):
        with table.open("rb") as file:
            assert read_content(file) == Content(str(table), TABLE, table)
        with table.open() as file:
            assert read_content(file) == Content(str(table), TABLE, table)

    def test_streams(self):
        assert read_content(io.BytesIO(TABLE)).name == "<stream>"
        with pytest.raises(InputError, match="5: not a source; give a path, bytes or a file"):
            read_content(5)
        assert read_content(io.StringIO("1\n\u00e9")).data == b"1\n\xc3\xa9"

    def test_standard_input(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TABLE)))
        assert read_content("-") == Content("<stdin>", TABLE, None)

    def test_gzip_by_content(self, tmp_path):
        path = tmp_path / "runs.csv.gz"
        path.write_bytes(gzip.compress(TABLE[:5]) + gzip.compress(TABLE[5:]))
        content = read_content(path)
        assert (content.data, content.stem) == (TABLE, "runs")

    def test_stem_keeps_inner_dots(self, tmp_path):
        (tmp_path / "perf.2026.csv").write_bytes(TABLE)
        assert read_content(tmp_path / "perf.2026.csv").stem == "perf.2026"

    def test_bounds(self, table):
        assert read_content(table, Limits(max_bytes=len(TABLE))).data == TABLE
        with pytest.raises(LimitError, match=r"runs\.csv: more than 16 bytes; split the file"):
            read_content(table, Limits(max_bytes=16))

    def test_an_endless_file(self):
        with pytest.raises(LimitError, match=r"/dev/zero: more than 1,000 bytes"):
            read_content("/dev/zero", Limits(max_bytes=1000))

    def test_a_decompression_bomb(self):
        bomb = gzip.compress(b"1\n" * 5_000_000)
        assert len(bomb) < 50_000
        with pytest.raises(LimitError, match="decompresses to more than 50,000 bytes"):
            read_content(bomb, Limits(max_bytes=50_000))


class TestUnreadable:
    def test_missing(self, tmp_path):
        assert error(tmp_path / "no.csv") == f"{tmp_path}/no.csv: no such file or folder"

    def test_forbidden(self, table, monkeypatch):
        def refuse(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        assert error(table) == f"{table}: cannot be opened: Permission denied"

    def test_impossible_name(self):
        assert "cannot be opened" in error("a\0b")
        assert "cannot be opened" in error("x" * 5000)

    @pytest.mark.parametrize("data", [b"", b" \n\n", gzip.compress(b"")])
    def test_empty(self, data):
        assert error(data).startswith("<bytes>: empty; it should hold results (formats are asv,")

    def test_binary(self):
        data = random.Random(1).randbytes(3000)
        assert error(data).startswith("<bytes>: a binary file; formats are asv,")

    def test_latin_1(self):
        assert error(b"commit,v\n\xe9,1\n") == (
            "<bytes>:2: not UTF-8 text (byte 9); save the file as UTF-8"
        )

    def test_cut_off_gzip(self):
        assert "the gzip data are cut off" in error(gzip.compress(TABLE)[:-9])

    def test_broken_gzip(self):
        data = bytearray(gzip.compress(TABLE * 50))
        data[20] ^= 255
        assert "gzip" in error(bytes(data))

    def test_a_text_file_of_another_encoding(self, tmp_path):
        (tmp_path / "x.csv").write_bytes(b"v\n\xe9\n")
        with (tmp_path / "x.csv").open(encoding="utf-8") as file:
            assert "not UTF-8 text; open it as bytes" in error(file)

    def test_a_closed_file(self, table):
        file = table.open()
        file.close()
        assert "cannot be read: I/O operation on closed file" in error(file)


class TestFormat:
    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("tcpd/two_walks.json", "tcpd"),
            ("uti/soak.info.json", "uti"),
            ("pytest-benchmark/unversioned.json", "pytest-benchmark"),
            ("perfherder/live_backing.log", "perfherder"),
            ("perfherder/perfherder-data-browsertime.json", "perfherder"),
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_by_content_alone(self, fixtures, file, name, encoding):
        text = (fixtures / file).read_text(encoding="utf-8")
        content = read_content(text.encode(encoding))
        assert find_format(content).name == name
        assert find_format(content).parse(content, Columns()).measurements

    def test_json_in_utf_16(self, fixtures):
        text = (fixtures / "tcpd" / "two_walks.json").read_text(encoding="utf-8")
        assert len(read_source(text.encode("utf-16")).measurements) == 11

    @pytest.mark.parametrize("text", ["1\n", "a,b\n", "a;b\n1;2\n", "# x\n\n1\n2\n", "\n\n1\n"])
    def test_tables(self, text):
        assert find_format(read_content(text.encode())).name == "csv"

    def test_a_broken_table_is_still_one_by_its_name(self, tmp_path):
        (tmp_path / "x.csv").write_text("a,b\nc,d\n")
        assert error(tmp_path / "x.csv").endswith("x.csv: no column of numbers; its columns: a, b")

    @pytest.mark.parametrize("text", ["Dear reader,\nhow do you do?\n", "<html>1,2</html>"])
    def test_other_text(self, text):
        assert error(text.encode()).startswith(
            "<bytes>: the format is not recognised; formats are asv"
        )

    def test_other_json(self):
        assert error(b'{"a": 1}').startswith("<bytes>: JSON of no format that is known; formats")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                '{"a": [1,\n 2',
                "<bytes>:2: not valid JSON: Expecting ',' delimiter at column 3 (the",
            ),
            (
                '\n\n{"a": "x',
                "<bytes>:3: not valid JSON: Unterminated string starting at at column",
            ),
            ('{"a" 1}', "<bytes>:1: not valid JSON: Expecting ':' delimiter at column 6"),
            ('{"a": 1}\n{"b": 2}', "<bytes>:2: not valid JSON: text after the end of the document"),
            ("[" * DEEP, "<bytes>: JSON nested too deeply"),
            ('{"a":' * DEEP, "<bytes>: JSON nested too deeply"),
            (f'{{"a": {"1" * 5000}}}', "<bytes>: not usable JSON: a number of too many digits"),
            ('{"a": 1, "a": 2}', "<bytes>: not usable JSON: key 'a' is given twice"),
        ],
    )
    def test_broken_json(self, text, message):
        assert error(text.encode()).startswith(message)

    def test_large_json(self):
        limits = Limits(max_json_bytes=10)
        assert error(b'{"aaaaaaaa": 1}', limits=limits).startswith("<bytes>: JSON of 15 bytes is")

    def test_named_format_is_not_second_guessed(self, fixtures):
        message = error(fixtures / "uti" / "soak.info.json", format="tcpd")
        assert message.endswith("no TCPD data set: no series list")

    def test_unknown_format(self, table):
        with pytest.raises(SpecError, match="did you mean csv"):
            read_source(table, "cvs")

    def test_every_format_says_what_it_is(self):
        for name in plugins.names("sources"):
            source = plugins.load("sources", name)()
            assert source.name == name
            assert 10 < len(source.title) < 80
            assert source == plugins.load("sources", name)()


class TestFolders:
    def test_unknown_layout(self, table):
        assert error(table.parent).startswith(f"{table.parent}: a folder of no known layout; known")
        assert "a folder of no known layout" in error(table.parent, format="csv")

    def test_named_format(self, fixtures):
        assert read_source(fixtures / "uti" / "tree", "uti").measurements
        assert "no known layout" in error(fixtures / "uti" / "tree", format="pytest-benchmark")

    def test_broken_files_are_left_out_with_a_reason(self, fixtures, tmp_path):
        shutil.copy(fixtures / "uti" / "soak.info.json", tmp_path)
        broken = tmp_path / "a.info.json"
        broken.write_text('{"test_id": ')
        parsed = read_source(tmp_path)
        assert len(parsed.measurements) == 2
        (skipped,) = parsed.skipped
        assert skipped.source == f"{broken}:1"
        assert skipped.reason.startswith("not valid JSON")

    def test_nothing_left_is_an_error(self, tmp_path):
        (tmp_path / "a.info.json").write_text("[]")
        assert error(tmp_path).startswith(f"{tmp_path}: nothing could be read: {tmp_path}/a.info")

    def test_failures_only_are_no_error(self, fixtures, tmp_path):
        shutil.copy(fixtures / "uti" / "device.info.json", tmp_path)
        parsed = read_source(tmp_path)
        assert (parsed.measurements, len(parsed.failures)) == ([], 1)

    def test_links_are_not_followed(self, fixtures, tmp_path):
        inside = tmp_path / "tree"
        inside.mkdir()
        shutil.copy(fixtures / "uti" / "soak.info.json", inside)
        (inside / "loop").symlink_to(inside, target_is_directory=True)
        outside = tmp_path / "outside"
        outside.mkdir()
        shutil.copy(fixtures / "uti" / "reconf.info.json", outside)
        (inside / "away").symlink_to(outside, target_is_directory=True)
        (inside / "b.info.json").symlink_to(outside / "reconf.info.json")
        parsed = read_source(inside)
        assert len(parsed.measurements) == 2
        assert [s.reason for s in parsed.skipped] == ["a symbolic link, which is not followed"]

    def test_too_many_files(self, fixtures):
        with pytest.raises(LimitError, match="more than 2 files; name a subfolder"):
            read_source(fixtures / "uti" / "tree", limits=Limits(max_files=2))

    def test_reasons_are_bounded(self, fixtures, tmp_path):
        shutil.copy(fixtures / "uti" / "soak.info.json", tmp_path)
        for place in range(30):
            (tmp_path / f"{place}.info.json").write_text("[]")
        skipped = read_source(tmp_path).skipped
        assert (len(skipped), skipped[-1].reason) == (21, "and 10 more")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_pipe_in_a_tree_does_not_hang(self, fixtures, tmp_path):
        shutil.copy(fixtures / "uti" / "soak.info.json", tmp_path)
        os.mkfifo(tmp_path / "a.info.json")
        assert [s.reason for s in read_source(tmp_path).skipped] == ["not a regular file"]


class TestSeveral:
    def test_joined_in_order(self, tmp_path):
        (tmp_path / "b").mkdir()
        (tmp_path / "runs.csv").write_text("commit,v\na,1\nb,2\n")
        (tmp_path / "b" / "runs.csv").write_text("commit,v\nc,3\n")
        parsed = read_sources([tmp_path / "runs.csv", tmp_path / "b" / "runs.csv"])
        (one,) = assemble(parsed.measurements)
        assert [p.value() for p in one.points] == [1, 2, 3]

    def test_formats_may_differ(self, fixtures, table):
        parsed = read_sources([table, fixtures / "uti" / "soak.info.json"])
        assert parsed.measurements[0].key.benchmark == "runs"
        assert len(parsed.measurements) == 4

    def test_one_bad_file_is_an_error(self, table, tmp_path):
        with pytest.raises(InputError, match=r"no\.csv: no such file"):
            read_sources([table, tmp_path / "no.csv"])

    def test_series_that_grow_too_long_together(self, table):
        with pytest.raises(LimitError, match="the files together: series runs/v has more than 3"):
            read_sources([table, table], limits=Limits(max_points=3))

    def test_none_at_all(self):
        assert read_sources([]).measurements == []


def test_garbage_collection_goes_on_afterwards():
    assert gc.isenabled()
    with garbage_collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage_collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


HINTS = [
    b'{"machine_info": {}, "benchmarks": [{"fullname": "a", "stats": ',
    b'{"test_id": "a", "dut_type": "v", "result": {"type": "mrr", "receive_rate": ',
    b'{"n_obs": 1, "series": [{"raw": ',
    b'{"framework": {}, "suites": [{"name": ',
    b"PERFHERDER_DATA: {",
    b"time,value\n",
    b"",
]


@settings(deadline=None)
@given(st.sampled_from(HINTS), st.binary(max_size=60), st.sampled_from([b"", b"]}", b"}]}", b"}}"]))
def test_any_bytes_are_read_or_refused(start, data, end):
    try:
        parsed = read_source(start + data + end)
    except InputError as refused:
        message = str(refused)
    else:
        message = ""
        assert parsed.measurements or parsed.failures
    assert "\n" not in message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
@pytest.mark.parametrize(
    "file",
    [
        "tcpd/two_walks.json",
        "uti/ndrpdr.info.json",
        "uti/reconf.info.json",
        "perfherder/perfherder-data-browsertime.json",
        "pytest-benchmark/storage/Linux-CPython-3.11-64bit/0002_data.json",
    ],
)
def test_any_value_in_any_place_is_read_or_refused(fixtures, file, data):
    document = json.loads((fixtures / file).read_text())
    place = document
    while isinstance(place, (dict, list)) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    with contextlib.suppress(InputError):
        parsed = read_source(json.dumps(document).encode())
        assert all(math.isfinite(x) for m in parsed.measurements for x in m.samples)
