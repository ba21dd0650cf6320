# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from stepmark.files import is_device, write_file


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "x"
    for data in (b"one", b"two"):
        write_file(target, data)
        assert target.read_bytes() == data
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")
def test_mode_and_link_are_those_of_a_file_written_plainly(tmp_path):
    plain, target, link = (tmp_path / name for name in ("plain", "target", "link"))
    plain.write_bytes(b"")
    link.symlink_to(target)
    write_file(link, b"data")
    assert link.is_symlink()
    assert target.read_bytes() == b"data"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="devices as POSIX has them")
def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, b"data")
        assert os.read(reader, 10) == b"data"
    finally:
        os.close(reader)
    assert is_device(pipe)


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "x"
    target.write_bytes(b"old")
    monkeypatch.setattr("stepmark.files.Path.replace", _refuse)
    with pytest.raises(OSError, match="no"):
        write_file(target, b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def _refuse(*_):
    raise OSError("no")
