# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""What an extraction of a made-up world must hold."""

from __future__ import annotations

from functools import cache
from urllib.parse import parse_qs

from fakes.serving import Asked as Question
from fakes.treeherder import FakeTreeherder, World
from stepmark.extraction.asked import Asked
from stepmark.extraction.folder import Folder
from stepmark.extraction.people import without_addresses
from stepmark.extraction.rows import rows_of
from stepmark.extraction.run import extract
from stepmark.remote import Patience, Remote

QUICK = Patience(first_wait=0, longest_wait=0, jitter=0)
FORGOTTEN = ("job_id", "submit_time", "machine_name")


@cache
def small(seed=1):
    """A world that is extracted in a second."""
    return World.generate(seed, frameworks=(1, 13), series=4, pushes=80, subtests=1)


def bring(folder, server, patience=QUICK, sleep=lambda _: None, **asked):
    """One run against a fake."""
    with Remote(server.url, contact="test", patience=patience, sleep=sleep) as remote:
        return extract(Folder(folder), remote, Asked(**asked))


class Truth:
    """What the API of a world says, asked without a network."""

    def __init__(self, world, people=False):
        self._server = FakeTreeherder(world)
        self._server._http.server_close()
        self._people = people
        self.world = world

    def get(self, path):
        path, _, query = path.partition("?")
        asked = Question("GET", "", path, parse_qs(query), {"user-agent": "truth"})
        answer = self._server.answer(asked)
        assert answer.status == 200, (path, answer)
        return answer.body if self._people else without_addresses(answer.body)

    def repositories(self):
        return [r for r in self.get("/api/repository/") if r["performance_alerts_enabled"]]

    def summaries(self):
        found = {}
        for repository in self.repositories():
            page = 1
            while True:
                path = f"/api/performance/alertsummary/?limit=100&repository={repository['id']}"
                answer = self.get(f"{path}&page={page}")
                found |= {s["id"]: s for s in answer["results"]}
                if answer["next"] is None:
                    break
                page += 1
        return found

    def signatures(self):
        return {
            (repository["name"], int(number)): signature
            for repository in self.repositories()
            for number, signature in self.get(
                f"/api/project/{repository['name']}/performance/signatures/"
            ).items()
        }

    def pushes(self):
        return {
            push["id"]: push
            for repository in self.repositories()
            for push in self.get(f"/api/project/{repository['name']}/push/?count=1000")["results"]
        }

    def series(self, repository, signature, replicates=True):
        """The header and the rows by id, replicates grouped."""
        path = f"/api/performance/summary/?repository={repository}&signature={signature}"
        path += "&interval=999999999&all_data=true"
        found = self.get(path)
        if not found:
            return None, {}
        header = {
            k: v
            for k, v in found[0].items()
            if k not in ("data", "values", "job_ids", "submit_times")
        }
        rows = {row["id"]: {**row, "replicates": None} for row in found[0]["data"]}
        if replicates:
            for row in rows.values():
                row["replicates"] = []
            for row in self.get(f"{path}&replicates=true")[0]["data"]:
                rows[row["id"]]["replicates"].append(row["value"])
        return header, rows


def content(folder):
    """The rows of each series in a folder, as the API would write them."""
    found = {}
    for path in Folder(folder).series_paths():
        frame, metadata = Folder(folder).series(path)
        assert frame["id"].is_unique().all()
        assert frame.sort(["push_timestamp", "push_id", "id"]).equals(frame)
        found[path.parent.name, int(path.stem)] = rows_of(frame, metadata)
    return found


def naive(time):
    """A time as Treeherder writes it."""
    return None if time is None else time.replace(tzinfo=None).isoformat()


def as_api(row):
    """A row as the API's, replicates grouped."""
    return {
        **row._asdict(),
        "push_timestamp": naive(row.push_timestamp),
        "submit_time": naive(row.submit_time),
        "replicates": None if row.replicates is None else list(row.replicates),
    }


def same(ours, theirs):
    """Whether two rows are the same, but for what the server has forgotten since."""
    return all(
        ours[name] == value or (value is None and name in FORGOTTEN)
        for name, value in theirs.items()
    )


def assert_whole(folder, world, *, people=False, replicates=True, subtests=True, but=()):
    """Everything that the default request asks for is in *folder* once, and as the API says."""
    truth, there = Truth(world, people), Folder(folder)
    assert {s["id"]: s for s in there.summaries()} == truth.summaries()
    names = [r["name"] for r in truth.repositories()]
    assert {p["id"]: p for n in names for p in there.pushes(n)} == truth.pushes()
    signatures = {
        key: s for key, s in truth.signatures().items() if subtests or "parent_signature" not in s
    }
    frameworks = [f["id"] for f in truth.get("/api/performance/framework/")]
    found = {
        (n, number): s
        for n in names
        for f in frameworks
        for number, s in there.signatures(n, f).items()
    }
    assert found == signatures
    ours = content(folder)
    assert set(ours) == set(signatures) - set(but)
    assert sum(map(len, ours.values())) > 50
    for key, rows in ours.items():
        header, theirs = truth.series(*key, replicates=replicates)
        assert dict(rows.header) == header
        assert set(rows.by_id) == set(theirs), key
        wrong = [r for r in rows.by_id.values() if not same(as_api(r), theirs[r.id])]
        assert not wrong, (key, wrong[:2], [theirs[r.id] for r in wrong[:2]])
    for path in there.path.rglob("*"):
        assert not path.name.startswith(".stepmark-")


def contents(folder):
    """The bytes of every file but the record of runs and the extractor's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "extraction.json" and "state" not in path.parts
    }
