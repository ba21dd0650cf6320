# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The command line: exit codes, one line on stderr, nothing half-written."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import stepmark
from histories import noise, step
from stepmark.cli import COMMANDS, main, one_line, run

STEP = step(40, 30, 10.0)
POSIX = pytest.mark.skipif(os.name != "posix", reason="devices and pipes as POSIX has them")
OUTPUTS = ("text", "json", "csv", "markdown", "html", "junit", "github", "sarif")


def table(values, first=0):
    """A CSV file of the revisions from *first* on."""
    return "commit,latency\n" + "".join(f"r{first + i:04}x,{v}\n" for i, v in enumerate(values))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with histories: a late step, an old one, none, and too few points."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("new.csv").write_text(table(STEP[:33]))
    Path("old.csv").write_text(table(STEP))
    Path("flat.csv").write_text(table(noise(30)))
    Path("short.csv").write_text(table([1.0, 2.0]))
    return tmp_path


@pytest.fixture
def call(capsys):
    """Run the program in this process: its exit code and what it said."""

    def called(*arguments):
        code = run(list(map(str, arguments)))
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture
def refused(call):
    """Run it where it must refuse: the one line that it says."""

    def called(*arguments):
        code, out, err = call(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("stepmark: ")
        assert err.count("\n") == 1
        return err

    return called


def process(*arguments, **options):
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([sys.executable, "-m", "stepmark", *arguments], check=False, **options)


class TestExitCodes:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("detect new.csv", 0),
            ("detect flat.csv", 0),
            ("detect short.csv", 3),
            ("detect short.csv flat.csv", 0),
            ("check new.csv --direction lower", 1),
            ("check new.csv --direction higher", 0),
            ("check new.csv", 0),
            ("check old.csv --direction lower", 0),
            ("check old.csv --direction lower --last 10", 1),
            ("check old.csv --direction lower --since r0029x", 1),
            ("check old.csv --direction lower --since r0035x", 0),
            ("check flat.csv short.csv --direction lower", 0),
            ("check short.csv new.csv --direction lower", 1),
            ("check short.csv --direction lower", 3),
            ("trend old.csv", 0),
            ("trend short.csv", 3),
            ("report old.csv", 0),
            ("report short.csv", 3),
            ("explain old.csv latency", 0),
            ("explain flat.csv latency", 0),
            ("list detectors", 0),
            ("list formats", 0),
            ("--help", 0),
            ("--version", 0),
            ("", 0),
        ],
    )
    def test_say_what_was_found(self, call, line, code):
        assert call(*line.split())[0] == code

    def test_bad_input_goes_before_a_regression(self, call):
        assert call("check", "new.csv", "none.csv", "--direction", "lower")[0] == 2

    def test_thresholds_of_the_configuration_count(self, call):
        Path("stepmark.toml").write_text("[thresholds]\nmin_relative = 0.5\n")
        assert call("check", "new.csv", "--direction", "lower")[0] == 0
        Path("stepmark.toml").write_text('[[series]]\nmatch = "*"\ndirection = "lower"\n')
        assert call("check", "new.csv")[0] == 1
        assert call("check", "new.csv", "--config", "stepmark.toml")[0] == 1

    def test_a_detector_named_here_goes_before_the_rules(self, call):
        Path("stepmark.toml").write_text('[[series]]\nmatch = "*"\ndetector = "zero"\n')
        assert "1 neutral" not in call("detect", "new.csv")[1]
        assert "1 neutral" in call("detect", "new.csv", "--detector", "mdl")[1]


class TestBase:
    def test_the_head_is_told_apart_from_its_base(self, call):
        Path("head.csv").write_text(table(noise(3, 110.0), first=50))
        Path("base.csv").write_text(table(noise(30)))
        line = ("check", "head.csv", "--base", "base.csv", "--direction")
        assert call(*line, "lower")[0] == 1
        assert call(*line, "higher")[0] == 0

    def test_a_name_with_dots_is_the_same_series(self, call):
        Path("head.v2.csv").write_text(table(noise(3, 110.0), first=50))
        code, _, _ = call("check", "head.v2.csv", "--base", "flat.csv", "--direction", "lower")
        assert code == 1

    def test_head_and_base_from_standard_input(self, call, monkeypatch):
        text = table(noise(3, 110.0), first=50).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert call("check", "-", "--base", "flat.csv", "--direction", "lower")[0] == 1
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table(STEP).encode())))
        assert call("check", "new.csv", "--base", "-", "--direction", "lower")[0] in (0, 3)


class TestJSON:
    def test_of_detect_is_the_published_form(self, call):
        code, out, err = call("detect", "old.csv", "--direction", "lower", "--output", "json")
        document = json.loads(out)
        assert (code, err) == (0, "")
        assert document["schema"] == "stepmark.detect/1"
        assert document["detector"] == "stepmark"
        assert document["skipped"] == []
        (found,) = document["series"]
        assert found["key"] == {
            "project": None, "benchmark": "old", "metric": "latency", "labels": {},
        }  # fmt: skip
        assert (found["unit"], found["direction"], found["n"]) == (None, "lower", 40)
        assert [(s["start"], s["stop"], s["n"]) for s in found["segments"]] == [
            (0, 30, 30), (30, 40, 10),
        ]  # fmt: skip
        assert set(found["segments"][0]) >= {"start", "stop", "n", "mean", "std"}
        (change,) = found["changes"]
        assert set(change) >= {
            "index", "time", "revision", "previous_revision", "before", "after", "absolute",
            "relative", "interval", "verdict", "score",
        }  # fmt: skip
        assert (change["index"], change["revision"], change["previous_revision"]) == (
            30, "r0030x", "r0029x",
        )  # fmt: skip
        assert change["time"] is None
        assert change["verdict"] == "regression"
        assert change["absolute"] == pytest.approx(10, abs=0.5)
        assert change["interval"][0] < change["absolute"] < change["interval"][1]

    def test_times_have_an_offset(self, call):
        rows = [f"2026-01-{1 + i:02}T10:00:00Z,{v}" for i, v in enumerate(STEP[20:])]
        Path("timed.csv").write_text("\n".join(["time,latency", *rows]))
        document = json.loads(call("detect", "timed.csv", "--output", "json")[1])
        (change,) = document["series"][0]["changes"]
        assert change["time"] == "2026-01-11T10:00:00+00:00"
        assert document["series"][0]["direction"] is None

    @pytest.mark.parametrize("command", ["detect", "check", "trend"])
    def test_of_other_commands_is_json_too(self, call, command):
        _, out, _ = call(command, "old.csv", "--direction", "lower", "--output", "json")
        assert json.loads(out)["schema"] == "stepmark.detect/1"


class TestInput:
    def test_standard_input(self, call, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table(STEP).encode())))
        code, out, _ = call("detect", "-", "--output", "json")
        assert code == 0
        assert json.loads(out)["series"][0]["key"]["benchmark"] == "stdin"

    def test_standard_input_to_explain(self, call, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table(STEP).encode())))
        code, out, _ = call("explain", "-", "latency", "--at", "30")
        assert code == 0
        assert "is a change" in out

    def test_several_files(self, call):
        _, out, _ = call("detect", "old.csv", "flat.csv", "--output", "json")
        assert [s["key"]["benchmark"] for s in json.loads(out)["series"]] == ["old", "flat"]

    def test_columns_may_be_named(self, call):
        Path("odd.csv").write_text("a,b\n" + "".join(f"x{i},{v}\n" for i, v in enumerate(STEP)))
        columns = ("--column", "revision=a", "--column", "value=b")
        _, out, _ = call("detect", "odd.csv", *columns, "--output", "json")
        assert json.loads(out)["series"][0]["changes"][0]["revision"] == "x30"


class TestErrors:
    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("detect", "requires an argument"),
            ("detect none.csv", "none.csv: no such file or folder"),
            ("detect .", ".: a folder of no known layout"),
            ("detect new.csv --nonsense", "--nonsense"),
            ("detect new.csv --detectr mdl", "Did you mean --detector?"),
            ("detect --files new.csv", "--files"),
            ("detect -x", "-x"),
            ("detect new.csv --detector mld", "did you mean mdl?"),
            ("detect new.csv --detector mdl(serch=exact)", "did you mean search?"),
            ("detect new.csv --detector mdl(search=number)", "search is exact or jumpavg"),
            ("detect new.csv --format cvs", "unknown format 'cvs' (did you mean csv?)"),
            ("detect new.csv --direction up", "--direction"),
            ("detect new.csv --aggregate max", "--aggregate"),
            ("detect new.csv --output jsn", "--output"),
            ("detect new.csv --column revision", "--column revision"),
            ("detect new.csv --column revison=commit", "did you mean revision?"),
            ("detect new.csv --column revision=comit", "did you mean commit?"),
            ("detect new.csv --config none.toml", "none.toml: cannot be read"),
            ("check new.csv --last 0", "--last is 1 or more"),
            ("check new.csv --last many", "--last"),
            ("check new.csv --since=", "--since is empty"),
            ("check new.csv --base=", "a file name is empty"),
            ("check new.csv --since nonesuch", "--since nonesuch: no such revision or date"),
            ("check new.csv --since r000", "begins 10 revisions"),
            ("check new.csv --since r0001x --base new.csv", "exclude each other"),
            ("check new.csv --base none.csv", "none.csv: no such file"),
            ("explain new.csv", "requires an argument"),
            ("explain new.csv latancy", "no series 'latancy'"),
            ("explain new.csv latency --at nowhere", "--at nowhere: no such revision"),
            ("explain new.csv latency --at 0", "a change has points on both sides"),
            ("trend new.csv --short 7", "--short, --long: a span is like 7d"),
            ("trend new.csv --short=", "a span is like 7d"),
            ("trend new.csv --long soon", "a span is like 7d"),
            ("list colours", "colours"),
            ("detekt new.csv", "detect"),
            ("detect new.csv --to no/such/folder/out.txt", "out.txt: cannot be written"),
            ("detect new.csv --to .", "cannot be written"),
            ("report new.csv --to no/such/page.html", "page.html: cannot be written"),
        ],
    )
    def test_are_one_line(self, refused, line, words):
        assert words in refused(*line.split())

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"\x00\x01\x02\xff", "binary"),
            (b"commit,latency\na,b\n", "bad.csv"),
            (b"{", "bad.csv"),
            (b"[" * 100_000, "bad.csv"),
            (b"\x1f\x8bbroken", "gzip"),
        ],
        ids=repr,
    )
    def test_of_files_name_them(self, refused, content, words):
        Path("bad.csv").write_bytes(content)
        message = refused("detect", "bad.csv")
        assert words in message
        assert "bad.csv" in message

    def test_of_the_configuration_name_file_and_key(self, refused):
        Path("stepmark.toml").write_text("[thresholds]\nmin_relativ = 0.1\n")
        message = refused("detect", "new.csv")
        assert "stepmark.toml" in message
        assert "thresholds.min_relativ (did you mean min_relative?)" in message

    def test_a_bad_spec_in_the_configuration(self, refused):
        Path("stepmark.toml").write_text('detector = "mld"')
        assert "did you mean mdl?" in refused("detect", "new.csv")

    def test_a_bad_spec_in_a_rule_that_fits_no_series(self, refused):
        Path("stepmark.toml").write_text('[[series]]\nmatch = "none"\ndetector = "mld"')
        assert "did you mean mdl?" in refused("detect", "new.csv")

    @pytest.mark.parametrize("name", ["", "./" + "a/" * 2000])
    def test_names_that_are_none(self, refused, name):
        assert len(refused("detect", name)) < 520

    def test_of_many_columns_are_of_bounded_length(self, refused):
        names = [f"column{i}" for i in range(10_000)]
        Path("bad.csv").write_text(",".join(names) + "\n" + ",".join("x" * 10_000) + "\n")
        message = refused("detect", "bad.csv")
        assert message.startswith("stepmark: bad.csv: no column of numbers")
        assert len(message) < 520
        message = refused("explain", "new.csv", "x" * 10_000)
        assert len(message) < 520
        assert message.endswith("there are: new/latency\n")

    def test_closed_standard_input(self, refused, monkeypatch):
        monkeypatch.setattr(sys, "stdin", None)
        assert "<stdin>: closed" in refused("detect", "-")

    def test_hostile_names_do_not_act_on_the_terminal(self, refused):
        message = refused("detect", "no\x1b[31m\nsuch\u202efile.csv")
        assert message.rstrip("\n").isprintable()
        assert r"no\x1b[31m such\u202efile.csv" in message

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user's rights")
    def test_an_unreadable_file(self, refused):
        Path("new.csv").chmod(0)
        assert "Permission denied" in refused("detect", "new.csv")

    def test_a_mistake_of_the_program_is_not_hidden(self, monkeypatch):
        monkeypatch.setattr("stepmark.pipeline.load", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            run(["detect", "new.csv"])


@pytest.mark.parametrize(
    ("message", "line"),
    [("a\nb\r\n c", "a b c"), ("\x1b[1m\x07", r"\x1b[1m\x07"), ("\u200b\ud800", r"\u200b\ud800")],
)
def test_one_line(message, line):
    assert one_line(message) == line


class TestOutput:
    @pytest.mark.parametrize("output", OUTPUTS)
    @pytest.mark.parametrize("command", ["detect", "check"])
    def test_is_the_same_in_a_file(self, call, command, output):
        line = (command, "old.csv", "--direction", "lower", "--output", output)
        code, printed, _ = call(*line)
        again, out, _ = call(*line, "--to", "out")
        assert (code, out) == (again, "")
        assert Path("out").read_text(encoding="utf-8") == printed != ""
        assert sorted(p.name for p in Path().iterdir() if p.name.startswith(".")) == []

    def test_replaces_what_was_there(self, call):
        Path("out").write_text("long before " * 10_000)
        assert call("detect", "old.csv", "--output", "csv", "--to", "out")[0] == 0
        assert "before " not in Path("out").read_text()

    @POSIX
    def test_has_the_rights_of_any_new_file(self, call):
        before = os.umask(0o027)
        try:
            call("detect", "old.csv", "--to", "out")
        finally:
            os.umask(before)
        assert stat.S_IMODE(Path("out").stat().st_mode) == 0o640

    @POSIX
    def test_follows_a_link_and_leaves_it(self, call):
        Path("link").symlink_to("target")
        assert call("detect", "old.csv", "--to", "link")[0] == 0
        assert Path("link").is_symlink()
        assert Path("target").stat().st_size > 0

    @POSIX
    def test_a_device_is_written_to_and_never_replaced(self, call):
        assert call("detect", "old.csv", "--to", os.devnull)[0] == 0
        assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)

    def test_that_fails_half_way_leaves_what_was_there(self, call, monkeypatch):
        Path("out").write_text("as it was")

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", full)
        code, _, err = call("detect", "old.csv", "--to", "out")
        assert (code, err) == (2, "stepmark: out: cannot be written: No space left on device\n")
        assert Path("out").read_text() == "as it was"
        assert not list(Path().glob(".*"))

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_names_that_are_no_text_are_written_all_the_same(self, call, output):
        bad = {"name": "\ud800", "n_obs": len(STEP), "n_dim": 1}
        bad["time"] = {"index": list(range(len(STEP)))}
        bad["series"] = [{"label": "\udfff", "type": "float", "raw": STEP}]
        Path("bad.json").write_text(json.dumps(bad))
        line = ("detect", "bad.json", "--output", output)
        assert call(*line)[0] == call(*line, "--to", "out")[0] == 0
        Path("out").read_text(encoding="utf-8")

    def test_html_is_a_whole_page(self, call):
        _, out, _ = call("detect", "old.csv", "--output", "html")
        assert out.lower().startswith("<!doctype html>")
        assert out.rstrip().endswith("</html>")

    def test_report_writes_a_page(self, call):
        code, out, _ = call("report", "old.csv", "--title", "A <b>bold</b> title")
        assert (code, out) == (0, "Wrote stepmark-report.html\n")
        page = Path("stepmark-report.html").read_text(encoding="utf-8")
        assert "A &lt;b&gt;bold&lt;/b&gt; title" in page

    def test_demo_writes_its_page(self, call):
        code, out, _ = call("demo", "--to", "demo.html")
        assert code == 0
        assert str(Path("demo.html").absolute()) in out
        assert "</html>" in Path("demo.html").read_text(encoding="utf-8")

    def test_a_terminal_without_unicode_is_served(self):
        done = process("detect", "old.csv", env=os.environ | {"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0
        assert done.stdout.isascii()
        assert "r0030x" in done.stdout


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_every_command(self, call, command):
        code, out, err = call(command, "--help")
        assert (code, err) == (0, "")
        assert out.startswith(f"Usage: stepmark {command}")
        assert "Attributes:" not in out

    def test_names_every_command_with_its_line(self, call):
        _, out, _ = call("--help")
        for name in COMMANDS:
            assert f" {name} " in out

    def test_the_line_of_a_command_is_that_of_its_help(self, call):
        for name, line in COMMANDS.items():
            words = " ".join(call(name, "--help")[1].split())
            assert line.split(":")[0].rstrip(".") in words, name

    def test_version(self, call):
        assert call("--version")[1] == f"{stepmark.__version__}\n"

    @pytest.mark.parametrize("what", ["detectors", "formats"])
    def test_lists(self, call, what):
        from stepmark.plugins import names

        _, out, _ = call("list", what)
        listed = {line.split()[0] for line in out.splitlines() if not line.startswith(" ")}
        assert listed == set(names("sources" if what == "formats" else what))


class TestProcess:
    """What only a process of its own can show."""

    def test_runs_as_a_module(self):
        done = process("check", "new.csv", "--direction", "lower")
        assert (done.returncode, done.stderr) == (1, "")
        assert "FAIL" in done.stdout

    def test_an_error_is_one_line_and_no_traceback(self):
        done = process("detect", "none.csv")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "stepmark: none.csv: no such file or folder\n"

    def test_reads_standard_input(self):
        done = process("detect", "-", "--output", "csv", input=table(STEP))
        assert done.returncode == 0
        assert "r0030x" in done.stdout

    @POSIX
    @pytest.mark.parametrize("output", ["text", "html"])
    def test_a_reader_that_goes_away_changes_no_verdict(self, output):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = process(
                "check", "new.csv", "--direction", "lower", "--output", output,
                capture_output=False, stdout=writing, stderr=subprocess.PIPE,
            )  # fmt: skip
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (1, "")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_is_one_line(self):
        with Path("/dev/full").open("w") as full:
            done = process(
                "detect", "old.csv", capture_output=False, stdout=full, stderr=subprocess.PIPE
            )
        assert done.returncode == 2
        assert done.stderr == (
            "stepmark: standard output: cannot be written: No space left on device\n"
        )

    @POSIX
    def test_closed_streams_leave_the_exit_code(self):
        code = "import os, sys; os.close(1); os.close(2); os.execv(sys.executable, sys.argv[1:])"
        program = [sys.executable, "-m", "stepmark", "check", "new.csv", "--direction", "lower"]
        done = subprocess.run([sys.executable, "-c", code, *program], check=False, timeout=60)
        assert done.returncode == 1

    def test_an_interrupt_ends_it_quietly(self, monkeypatch):
        def interrupted():
            raise KeyboardInterrupt

        monkeypatch.setattr("stepmark.cli.run", interrupted)
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 130


class TestInterpretedKernels:
    def test_is_told_once_where_it_will_be_felt(self, call, monkeypatch):
        monkeypatch.setattr("stepmark._kernels.loops.mdl.COMPILED", False)
        Path("long.csv").write_text(table([1] * 600))
        code, _, err = call("detect", "long.csv", "flat.csv", "--detector", "zero")
        assert code == 0
        assert err.count("no C compiler was found") == 1

    def test_is_not_told_where_it_is_not(self, call, monkeypatch):
        monkeypatch.setattr("stepmark._kernels.loops.mdl.COMPILED", False)
        assert call("detect", "flat.csv", "--detector", "zero")[2] == ""
