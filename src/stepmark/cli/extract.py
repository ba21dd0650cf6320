# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""``stepmark extract``: histories, alerts and bugs from Treeherder and Bugzilla."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from stepmark.cli import NO_DATA, OK
from stepmark.cli.options import emit, progress, tell
from stepmark.errors import UsageError

if TYPE_CHECKING:
    from stepmark.extraction.asked import Asked
    from stepmark.extraction.session import Report

extract_command = App(name="extract", help_format="plaintext", result_action="return_value")

_CONTACT_VARIABLE = "STEPMARK_CONTACT"
_MOST_EXAMPLES = 3

Out = Annotated[Path, Parameter(help="The extraction folder; made if it is not there.")]
Contact = Annotated[
    str | None,
    Parameter(help=f"Who asks: told to the server; else ${_CONTACT_VARIABLE}."),
]
Server = Annotated[str | None, Parameter(help="Another server; only https, except localhost.")]
Form = Annotated[Literal["text", "json"], Parameter(help="Form of the summary.")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class What:
    """What is extracted; the folder keeps it, so a later run needs no option.

    Attributes:
        repository: Repositories.
        framework: Frameworks.
        platform: Globs of platforms.
        suite: Globs of suites.
        since: The beginning.
        until: The end.
        replicates: Whether replicates are wanted.
        subtests: Whether series with a parent are wanted.
        series: Whether measurements are wanted.
        alerted_only: Whether only series with alerts are wanted.
        with_people: Whether e-mail addresses are kept.
    """

    repository: Annotated[
        list[str] | None,
        Parameter(help="Repository (repeatable); else all that alerts are made for.", negative=()),
    ] = None
    framework: Annotated[
        list[str] | None,
        Parameter(help="Framework, by name or id (repeatable); else all.", negative=()),
    ] = None
    platform: Annotated[
        list[str] | None,
        Parameter(help='Glob of platforms, as "linux*" (repeatable); else all.', negative=()),
    ] = None
    suite: Annotated[
        list[str] | None, Parameter(help="Glob of suites (repeatable); else all.", negative=())
    ] = None
    since: Annotated[
        str | None, Parameter(help="First day, or days before the first run as 90d, the default.")
    ] = None
    until: Annotated[
        str | None, Parameter(help="The end, left out itself; else the time of each run.")
    ] = None
    replicates: Annotated[
        bool | None, Parameter(help="Bring the replicates of each measurement; so by default.")
    ] = None
    subtests: Annotated[
        bool | None, Parameter(help="Bring series with a parent, too; so by default.")
    ] = None
    series: Annotated[
        bool | None, Parameter(help="Bring measurements, not only alerts; so by default.")
    ] = None
    alerted_only: Annotated[
        bool | None, Parameter(help="Only series that an alert names.", negative=())
    ] = None
    with_people: Annotated[
        bool | None,
        Parameter(help="Keep e-mail addresses; else they are taken out.", negative=()),
    ] = None

    def asked(self) -> Asked:
        """The same as a request; raises `UsageError` for options that exclude each other."""
        from stepmark.extraction.asked import Asked, Which

        if self.alerted_only and self.series is False:
            raise UsageError("--alerted-only and --no-series: choose one")
        which: Which | None = None
        if self.series is not None or self.alerted_only:
            which = "alerted" if self.alerted_only else "all" if self.series else "none"
        return Asked(
            repositories=_tuple(self.repository),
            frameworks=_tuple(self.framework),
            platforms=_tuple(self.platform),
            suites=_tuple(self.suite),
            since=self.since,
            until=self.until,
            replicates=self.replicates,
            subtests=self.subtests,
            series=which,
            people=self.with_people,
        )


@extract_command.command
def treeherder(
    out: Out,
    /,
    *,
    what: What = What(),
    contact: Contact = None,
    server: Server = None,
    output: Form = "text",
) -> int:
    """Bring alerts, series and pushes from Treeherder into a folder.

    Started again, it brings what is new; a run that was stopped goes on where it was.
    """
    from stepmark.extraction import treeherder as api
    from stepmark.extraction.asked import chosen_server
    from stepmark.extraction.folder import Folder
    from stepmark.extraction.run import extract
    from stepmark.extras import require
    from stepmark.remote import Remote

    require("polars")  # before hours of work, not after them
    asked, folder = what.asked(), Folder(out)
    address = chosen_server(folder, "server", server) or api.SERVER
    with Remote(address, contact=_contact(contact)) as remote:
        report = extract(folder, remote, asked, watch=progress)
    return _told(report, out, output)


@extract_command.command
def bugzilla(
    out: Out,
    /,
    *,
    with_people: Annotated[
        bool | None,
        Parameter(help="Keep e-mail addresses; must be as the folder was asked.", negative=()),
    ] = None,
    contact: Contact = None,
    server: Server = None,
    output: Form = "text",
) -> int:
    """Bring the bugs that a folder's alerts name, with their histories.

    An API key is taken from the environment: STEPMARK_BUGZILLA_API_KEY.
    """
    from stepmark.extraction import bugzilla as api
    from stepmark.extraction.asked import chosen_server
    from stepmark.extraction.bugs import extract_bugs
    from stepmark.extraction.folder import Folder
    from stepmark.remote import Remote

    folder = Folder(out)
    folder.document()  # there must be one
    address = chosen_server(folder, "bugzilla", server) or api.SERVER
    key = os.environ.get(api.KEY_VARIABLE, "").strip()
    headers = {api.KEY_HEADER: key} if key else {}
    with Remote(address, contact=_contact(contact), headers=headers) as remote:
        report = extract_bugs(folder, remote, people=with_people, watch=progress)
    return _told(report, out, output)


def _contact(given: str | None) -> str:
    contact = os.environ.get(_CONTACT_VARIABLE, "") if given is None else given
    if not contact.strip():
        tell(f"the server is not told who asks: give --contact or set {_CONTACT_VARIABLE}")
    return contact


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None


def _told(report: Report, out: Path, output: str) -> int:
    """Print what came and what did not; the exit code."""
    if output == "json":
        document = {"schema": "stepmark.extract/1", "folder": str(out), **asdict(report)}
        emit(json.dumps(document, indent=1) + "\n", None)
    else:
        emit("".join(f"{line}\n" for line in _lines(report, out)), None)
    return NO_DATA if report.empty else OK


def _lines(report: Report, out: Path) -> list[str]:
    from stepmark.reports import words

    brought = report.brought
    counts = [
        words.plural(brought.summaries, "alert summary", "alert summaries"),
        words.plural(brought.measurements, "measurement")
        + f" of {words.plural(brought.series, 'series')}",
        words.plural(brought.pushes, "push", "pushes"),
        words.plural(brought.bugs, "bug"),
    ]
    new = [text for text in counts if not text.startswith("0 ")]
    lines = [f"{words.clean(str(out))}: {words.listed(new) if new else 'nothing'} new or changed"]
    for part in report.left_out:
        lines.append(f"left out: {part['count']:,}: {words.clean(part['reason'], 300)}")
        lines += [f"  {words.clean(example)}" for example in part["examples"][:_MOST_EXAMPLES]]
        if part["count"] > _MOST_EXAMPLES:
            lines.append(f"  and {part['count'] - _MOST_EXAMPLES:,} more")
    lines.append(
        f"{words.plural(report.requests, 'request')}, {words.number(float(report.bytes), 'B')}"
    )
    if report.empty:
        note = f": {words.clean(report.note, 300)}" if report.note else ""
        lines.append(f"the folder holds nothing of what was asked for{note}")
    return lines
