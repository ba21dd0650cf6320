# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Research data sets on disk: written, refused, validated."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

pl = pytest.importorskip("polars")

from research_data import (  # noqa: E402
    FLAT,
    alert,
    importer,
    point,
    points,
    summary,
    write_extraction,
    write_json,
)
from stepmark.datasets.research import open_research  # noqa: E402
from stepmark.datasets.research.building import import_research  # noqa: E402
from stepmark.datasets.validation import problems  # noqa: E402
from stepmark.errors import InputError, LimitError, OutputError  # noqa: E402
from stepmark.sources.base import Limits  # noqa: E402


@pytest.fixture
def imported(tmp_path):
    return importer(tmp_path)


class TestWriting:
    def test_the_same_input_in_any_order_gives_the_same_bytes(self, tmp_path):
        dice = random.Random(3)
        rows = {
            n: points([dice.gauss(100, 5) for _ in range(40)], first_id=n * 100) for n in (7, 8)
        }
        rows[7] += [point(900 + i, 9, 100.0 + i) for i in range(5)]
        summaries = [summary(n, n + 3, [alert(20 + n, 7), alert(40 + n, 8)]) for n in range(1, 9)]
        folders = []
        for name in ("a", "b"):
            write_extraction(tmp_path / name, rows, summaries, pushes=range(1, 40))
            import_research(tmp_path / name, tmp_path / f"{name}-out", name="set")
            folders.append(tmp_path / f"{name}-out")
            rows = {n: dice.sample(own, len(own)) for n, own in reversed(rows.items())}
            summaries = [{**s, "alerts": s["alerts"][::-1]} for s in reversed(summaries)]
        first, second = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()}
                         for f in folders)  # fmt: skip
        assert first == second
        assert open_research(folders[0]).document["digest"].startswith("sha256:")

    def test_parts_hold_whole_series(self, imported, monkeypatch):
        monkeypatch.setattr("stepmark.datasets.research.building.ROWS_OF_A_PART", 10)
        rows = {n: points(FLAT, first_id=n * 10) for n in (7, 8, 9)}
        research = imported(rows, [summary(1, 4, [alert(11, 9)])])
        parts = [pl.read_parquet(p)["signature_id"].unique().to_list()
                 for p in sorted((research.folder / "measurements").iterdir())]  # fmt: skip
        assert [sorted(part) for part in parts] == [[7, 8], [9]]
        assert research.revisions().collect()["alert_id"].drop_nulls().to_list() == [11]
        assert len(research.labelled()) == 1

    def test_nothing_else_is_replaced(self, tmp_path):
        write_extraction(tmp_path / "in", {7: points(FLAT)})
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
        with pytest.raises(OutputError, match=r"mine\.txt"):
            import_research(tmp_path / "in", tmp_path / "out", force=True)
        import_research(tmp_path / "in", tmp_path / "new")
        with pytest.raises(OutputError, match="--force"):
            import_research(tmp_path / "in", tmp_path / "new")

    def test_nothing_is_left_where_nothing_can_be_made(self, tmp_path):
        write_extraction(tmp_path / "in", {7: []})
        with pytest.raises(InputError, match="no series with measurements"):
            import_research(tmp_path / "in", tmp_path / "out")
        assert [path.name for path in tmp_path.iterdir()] == ["in"]

    def test_progress_and_provenance(self, tmp_path):
        write_extraction(tmp_path / "in", {7: points(FLAT), 8: points(FLAT, first_id=20)})
        told = []
        document = import_research(
            tmp_path / "in", tmp_path / "out", name="set", provenance={"licence": "MPL"},
            progress=lambda *args: told.append(args),
        )  # fmt: skip
        assert told == [(0, 2), (1, 2), (2, 2)]
        assert document["name"] == "set"
        assert document["provenance"] == {
            "form": "extraction",
            "origin": "https://treeherder.example",
            "created": "2026-01-01T01:00:00Z",
            "licence": "MPL",
        }
        assert document == json.loads((tmp_path / "out" / "research.json").read_text())
        rows = {table["table"]: table["rows"] for table in document["tables"]}
        assert rows["measurements"] == 12


class TestRefused:
    def test_sources_that_are_none(self, tmp_path):
        with pytest.raises(InputError, match="no such folder"):
            import_research(tmp_path / "gone", tmp_path / "out")
        with pytest.raises(InputError, match="neither an extraction"):
            import_research(tmp_path, tmp_path / "out")
        write_json(tmp_path / "extraction.json", {"schema": "stepmark.extraction/9"})
        with pytest.raises(InputError, match=r"stepmark\.extraction/9"):
            import_research(tmp_path, tmp_path / "out")
        write_json(tmp_path / "extraction.json", [])
        with pytest.raises(InputError, match="schema"):
            import_research(tmp_path, tmp_path / "out")

    def test_json_that_is_none(self, tmp_path):
        write_extraction(tmp_path / "in", {7: points(FLAT)})
        write_json(tmp_path / "in" / "summaries" / "0.json", [])
        with pytest.raises(InputError, match="not an object by id"):
            import_research(tmp_path / "in", tmp_path / "out")
        (tmp_path / "in" / "summaries" / "0.json").write_text("[" * 100_000)
        with pytest.raises(InputError, match="nested too deeply"):
            import_research(tmp_path / "in", tmp_path / "out")
        with pytest.raises(LimitError, match="bytes"):
            import_research(tmp_path / "in", tmp_path / "out", limits=Limits(max_json_bytes=1000))

    def test_more_rows_than_the_limits_allow(self, tmp_path):
        write_extraction(tmp_path / "in", {7: points(FLAT), 8: points(FLAT[:2], first_id=9)})
        document = import_research(
            tmp_path / "in", tmp_path / "out", limits=Limits(max_measurements=4)
        )
        assert [t["rows"] for t in document["tables"] if t["table"] == "series"] == [1]

    def test_data_sets_that_are_none(self, imported, tmp_path):
        with pytest.raises(InputError, match=r"no research\.json"):
            open_research(tmp_path)
        research = imported({7: points(FLAT)})
        (research.folder / "alerts.parquet").unlink()
        with pytest.raises(InputError, match="no such file"):
            _ = open_research(research.folder).alerts
        (research.folder / "alerts.parquet").write_bytes(b"PAR1")
        with pytest.raises(InputError, match="no usable Parquet"):
            _ = open_research(research.folder).alerts
        pl.DataFrame({"signature_id": ["7"]}).write_parquet(research.folder / "alerts.parquet")
        with pytest.raises(InputError, match="column push_timestamp is missing"):
            _ = open_research(research.folder).alerts
        write_json(research.folder / "research.json", {"schema": "stepmark.research/2"})
        with pytest.raises(InputError, match=r"research/2"):
            open_research(research.folder)


class TestValidation:
    def test_sound_and_not(self, imported):
        research = imported({7: points(FLAT)}, [summary(1, 4, [alert(11, 7)])])
        assert problems(research.folder) == []
        path = research.folder / "revisions" / "00000.parquet"
        changed = pl.read_parquet(path).with_columns(value=pl.col("value") + 1)
        changed.write_parquet(path)
        shutil.copy(path, path.with_name("00001.parquet"))
        (research.folder / "bugs.parquet").unlink()
        (research.folder / "series.parquet").write_bytes(b"PAR1")
        pl.DataFrame({"a": [1]}).write_parquet(research.folder / "alerts.parquet")
        found = [f"{Path(p.source).name}: {p.reason}" for p in problems(research.folder)]
        assert len(found) == 5
        assert found[0].startswith("alerts.parquet: its columns are not")
        assert found[1].startswith("series.parquet: no usable Parquet")
        assert found[2] == "00000.parquet: its content is not what the digest in research.json says"
        assert found[3] == "00001.parquet: research.json does not list it"
        assert "no file 'bugs.parquet'" in found[4]
