# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Runs in processes: failures are results, the order is fixed, and a killed study goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stepmark.datasets.labelled import Dataset, LabelledSeries
from stepmark.datasets.outcomes import Status
from stepmark.errors import InputError, OutputError, UsageError
from stepmark.evaluation import journal as journals
from stepmark.evaluation.journal import Journal, run_key, signal_digest
from stepmark.evaluation.trials import Candidate, cores, run
from stepmark.evaluation.workers import Answer
from stepmark.series import Point, Series, SeriesKey, Signal

with_plugin = pytest.mark.usefixtures("odd")


def labelled(name, values, gap=None):
    """A series with a step in its middle; *gap* is a position without a point."""
    places = [i for i in range(len(values) + (gap is not None)) if i != gap]
    points = tuple(Point("", None, (v,), i) for i, v in zip(places, values, strict=True))
    series = Series(SeriesKey("", name, "value"), points)
    return LabelledSeries(name, series, places[-1] + 1, {"a": (len(values) // 2,)})


def steps(n):
    return [float(i % 3) + 50 * (i >= n // 2) for i in range(n)]


SUITE = Dataset("suite", tuple(labelled(f"s{n}", steps(n)) for n in (20, 30, 50)))


def one(spec, **options):
    options.setdefault("workers", 1)
    return run([Candidate("m", spec)], SUITE, **options)


class TestOutcomes:
    def test_series_by_series_in_the_order_of_the_candidates(self):
        candidates = [Candidate("pelt", "pelt", default=True), Candidate("zero", "zero")]
        outcomes = run(candidates, SUITE, workers=1)
        assert [(o.series, o.method) for o in outcomes] == [
            (name, method) for name in ("s20", "s30", "s50") for method in ("pelt", "zero")
        ]
        assert [o.places for o in outcomes] == [(10,), (), (15,), (), (25,), ()]
        assert [o.default for o in outcomes] == [True, False] * 3
        assert all(o.status is Status.OK and o.seconds >= 0 for o in outcomes)

    def test_places_are_positions_missing_points_counted(self):
        suite = Dataset("gap", (labelled("g", steps(30), gap=4),))
        (outcome,) = run([Candidate("pelt", "pelt")], suite, workers=1)
        assert outcome.places == (16,)

    def test_the_number_of_processes_changes_nothing(self):
        specs = [f"pelt(penalty={p})" for p in range(1, 60)] + ["mdl", "pelt(function=no)"]
        candidates = [Candidate("m", spec) for spec in specs]
        plain = [
            [replace(o, seconds=None) for o in run(candidates, SUITE, workers=n)] for n in (1, 2, 3)
        ]
        assert plain[0] == plain[1] == plain[2]
        assert len(plain[0]) == len(specs) * len(SUITE)

    def test_a_spec_that_means_nothing_is_a_failure_with_its_reason(self):
        outcomes = one("pelt(statistic=poisson, function=mean)")
        assert {o.status for o in outcomes} == {Status.FAILED}
        assert "pelt" in outcomes[0].error

    def test_one_spec_may_be_of_two_methods(self):
        outcomes = run([Candidate("a", "pelt"), Candidate("b", "pelt( )")], SUITE, workers=1)
        assert [o.method for o in outcomes[:2]] == ["a", "b"]
        assert outcomes[0].places == outcomes[1].places

    def test_progress_is_told_to_its_end(self):
        told = []
        one("pelt", progress=lambda done, total: told.append((done, total)))
        assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def test_nothing_to_do_starts_no_process(self):
        assert run([], SUITE) == []
        assert run([Candidate("m", "pelt")], Dataset("none", ())) == []

    @pytest.mark.parametrize("bad", [{"workers": -1}, {"timeout": 0.0}, {"timeout": float("nan")}])
    def test_numbers_that_make_no_sense_are_refused(self, bad):
        with pytest.raises(UsageError):
            one("zero", **bad)

    def test_there_is_a_processor(self):
        assert cores() >= 1


class TestDetectorsThatMisbehave:
    @with_plugin
    @pytest.mark.parametrize(
        ("what", "status", "error"),
        [
            ("exit", Status.FAILED, "its process ended with exit code 7"),
            ("leave", Status.FAILED, "its process ended with exit code 3"),
            ("raise", Status.FAILED, "RuntimeError: one line <b>only</b>"),
            ("rubbish", Status.FAILED, "it gave no detection of this signal"),
            ("hang", Status.TIMEOUT, "took longer than 3 s"),
        ],
    )
    def test_costs_only_the_run_concerned(self, what, status, error):
        candidates = [Candidate("odd", f"odd(what={what}, length=30)"), Candidate("pelt", "pelt")]
        outcomes = run(candidates, SUITE, workers=2, timeout=3.0)
        bad = [o for o in outcomes if o.status is not Status.OK]
        assert [(o.series, o.method, o.status, o.error) for o in bad] == [
            ("s30", "odd", status, error)
        ]
        assert [o.places for o in outcomes] == [(10,), (10,), (), (15,), (25,), (25,)]

    @with_plugin
    def test_what_it_prints_is_not_in_the_way(self, capfd):
        assert one("odd(what=print, length=30)")[1].status is Status.OK
        assert capfd.readouterr() == ("", "")

    @with_plugin
    def test_an_error_stops_all_processes(self):
        def stop(done, _):
            if done:
                raise KeyboardInterrupt

        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            run(
                [Candidate("a", "zero"), Candidate("b", "odd(what=hang, length=20)")],
                SUITE,
                workers=2,
                progress=stop,
            )
        assert time.monotonic() - began < 60


def found(path, length=9, timeout=None):
    """What the journal in *path* knows of the run ``k``."""
    book = Journal(path)
    try:
        return book.find("k", length, timeout)
    finally:
        book.close()


class TestJournal:
    @with_plugin
    def test_what_stands_in_it_is_not_run_again(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ODD_CALLS", str(tmp_path / "calls"))
        book = tmp_path / "journal"
        first = one("odd(count=yes)", journal=book)
        again = one("odd(count=yes)", journal=book)
        assert again == first
        assert (tmp_path / "calls").read_text().split() == ["50", "30", "20"]

    @with_plugin
    def test_a_half_written_line_is_run_again(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ODD_CALLS", str(tmp_path / "calls"))
        book = tmp_path / "journal"
        first = one("odd(count=yes)", journal=book)
        whole = book.read_bytes()
        book.write_bytes(whole[:-9])
        again = one("odd(count=yes)", journal=book)
        assert [o.places for o in again] == [o.places for o in first]
        assert (tmp_path / "calls").read_text().split() == ["50", "30", "20", "20"]
        assert one("odd(count=yes)", journal=book) == again
        assert len((tmp_path / "calls").read_text().split()) == 4

    @pytest.mark.parametrize("change", ["series", "spec", "code", "plugin"])
    def test_another_series_spec_or_version_is_another_run(self, odd, monkeypatch, change):
        values, spec = Signal.of(steps(20)), "odd(count=yes)"
        before = run_key(signal_digest(values), spec)
        if change == "series":
            values = Signal.of([*steps(19), 0.5])
        elif change == "spec":
            spec = "odd(count=no)"
        elif change == "code":
            monkeypatch.setattr(journals, "code_digest", lambda: "another")
        else:
            journals._module_digest.cache_clear()
            (odd / "odd_detectors.py").write_text("# another\n")
        assert run_key(signal_digest(values), spec) != before

    def test_a_file_of_something_else_is_left_alone(self, tmp_path):
        notes = tmp_path / "notes.txt"
        notes.write_text("dear diary\n")
        with pytest.raises(InputError, match=r"notes\.txt: is no journal"):
            one("zero", journal=notes)
        assert notes.read_text() == "dear diary\n"

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path):
        with pytest.raises(OutputError, match="no journal can be kept"):
            one("zero", journal=tmp_path / "missing" / "journal")

    @pytest.mark.parametrize("start", [b"", b'{"sche'])
    def test_a_new_file_gets_its_first_line(self, tmp_path, start):
        path = tmp_path / "journal"
        path.write_bytes(start)
        book = Journal(path)
        book.add("k", Answer(Status.OK, (3,), 0.5), None)
        book.close()
        lines = path.read_text().splitlines()
        assert json.loads(lines[0]) == {"schema": journals.SCHEMA}
        assert found(path) == Answer(Status.OK, (3,), 0.5)

    @pytest.mark.parametrize(
        ("indices", "length"), [([9], 9), ([3, 3], 9), ([0], 9), ([True], 9), (["1"], 9), ("1", 9)]
    )
    def test_nonsense_in_it_says_nothing(self, tmp_path, indices, length):
        path = tmp_path / "journal"
        Journal(path).close()
        line = {"key": "k", "status": "ok", "indices": indices, "seconds": 1, "error": ""}
        with path.open("a") as file:
            file.write(json.dumps(line | {"limit": None}) + "\n[[\nnull\n")
        assert found(path, length=length) is None

    @pytest.mark.parametrize(
        ("now", "known"), [(None, False), (2.0, False), (1.0, True), (0.5, True)]
    )
    def test_a_time_out_is_tried_again_with_more_time(self, tmp_path, now, known):
        path = tmp_path / "journal"
        book = Journal(path)
        book.add("k", Answer(Status.TIMEOUT, error="slow"), 1.0)
        book.close()
        assert (found(path, timeout=now) is not None) is known

    @with_plugin
    def test_a_run_whose_process_died_is_tried_again(self, tmp_path):
        book = tmp_path / "journal"
        one("odd(what=exit, length=30)", journal=book)
        assert len(book.read_text().splitlines()) == 3


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_trials as t
from pathlib import Path
if __name__ == "__main__":
    specs = [f"odd(count=yes, seconds=0.03, length={{i}})" for i in range(100, 130)]
    t.run([t.Candidate("odd", s) for s in specs], t.SUITE, workers=2, journal=Path({book!r}))
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
def test_a_killed_study_goes_on_where_it_was(odd, tmp_path, monkeypatch):
    calls, book, script = tmp_path / "calls", tmp_path / "journal", tmp_path / "study.py"
    monkeypatch.setenv("ODD_CALLS", str(calls))
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parent), book=str(book)))
    path = os.pathsep.join([str(odd), *sys.path])
    study = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path})
    try:
        while not book.exists() or len(book.read_bytes().splitlines()) < 20:
            assert study.poll() is None, "the study ended before it could be killed"
            time.sleep(0.01)
    finally:
        study.send_signal(signal.SIGKILL)
        study.wait()
    wait_until_quiet(calls)
    written = len(book.read_bytes().splitlines()) - 1
    assert 19 <= written < 90
    calls.write_text("")
    candidates = [
        Candidate("odd", f"odd(count=yes, seconds=0.03, length={i})") for i in range(100, 130)
    ]
    outcomes = run(candidates, SUITE, workers=2, journal=book)
    assert len(calls.read_text().split()) in (90 - written, 90 - written + 1)  # a half-written line
    fresh = run(candidates, SUITE, workers=1)
    assert [replace(o, seconds=None) for o in outcomes] == [replace(o, seconds=None) for o in fresh]


def wait_until_quiet(calls):
    """Wait until the killed study's processes have gone: nothing is counted any more."""
    for _ in range(100):
        before = calls.stat().st_size
        time.sleep(0.3)
        if calls.stat().st_size == before:
            return
    pytest.fail("the processes of a killed study live on")


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "study.py"
    folder = str(Path(__file__).parent)
    script.write_text(
        f"import sys\nsys.path.insert(0, {folder!r})\nimport test_trials as t\nt.one('zero')\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode != 0
    assert '`if __name__ == "__main__":`' in done.stderr
