"""The old file or the new one, whole, whatever happens in between."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lora_wizard.core import files
from lora_wizard.core.files import (
    ExistsError,
    WriteError,
    sweep,
    temporaries,
    write_bytes,
    write_json,
)

OLD = b"old " * 40_000
NEW = b"new!" * 50_000
WATCHED = ("open", "write", "fsync", "close", "fchmod", "replace", "rename", "unlink")


def write_and_die(path: Path, call: int, *, halfway: bool, durable: bool) -> bool:
    """Write NEW in a child that kills itself before its system call number ``call`` (within it,
    when it is a write and ``halfway``); whether the child was killed."""
    child = os.fork()
    if child == 0:
        calls = 0

        def dying(function, name):
            def called(*arguments, **options):
                nonlocal calls
                if calls == call:
                    if halfway and name == "write":
                        function(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                calls += 1
                return function(*arguments, **options)

            return called

        for name in WATCHED:
            setattr(os, name, dying(getattr(os, name), name))
        io.open = dying(io.open, "open")
        try:
            write_bytes(path, NEW, durable=durable)
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("halfway", [True, False])
@pytest.mark.parametrize("before", [OLD, None])
def test_killed_at_every_system_call(
    tmp_path: Path, before: bytes | None, halfway: bool, durable: bool
) -> None:
    path = tmp_path / "file"
    found: list[bytes | None] = []
    while True:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
        killed = write_and_die(path, len(found), halfway=halfway, durable=durable)
        found.append(path.read_bytes() if path.exists() else None)
        sweep(tmp_path)
        assert [item.name for item in tmp_path.iterdir()] in (["file"], [])
        if not killed:
            break
    assert found[0] == before
    assert found[-1] == NEW
    turning = found.index(NEW)
    assert found == [before] * turning + [NEW] * (len(found) - turning)
    assert len(found) >= (10 if durable else 5), "the calls were not seen: the test tests nothing"


def test_a_lasting_file_is_synced_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def noted(name):
        function = getattr(os, name)

        def called(*arguments, **options):
            if name == "fsync":
                is_folder = stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
                order.append("fsync folder" if is_folder else "fsync file")
            else:
                order.append(name)
            return function(*arguments, **options)

        return called

    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name))
    write_bytes(tmp_path / "file", b"data")
    assert order == ["write", "fsync file", "replace", "fsync folder"]


def test_what_is_read_back_must_be_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    true_write = os.write

    def flipping(descriptor: int, data: bytes) -> int:
        return true_write(descriptor, bytes(data).replace(b"new!", b"mew!", 1))

    monkeypatch.setattr(os, "write", flipping)
    with pytest.raises(WriteError, match="read back different"):
        write_bytes(path, NEW)
    assert path.read_bytes() == OLD
    assert not list(temporaries(tmp_path))


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true_write = os.write
    monkeypatch.setattr(os, "write", lambda where, data: true_write(where, bytes(data)[:27]))
    assert write_bytes(tmp_path / "file", OLD[:1000]) == hashlib.sha256(OLD[:1000]).hexdigest()
    assert (tmp_path / "file").read_bytes() == OLD[:1000]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system of its own cannot be mounted: {error}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_keeps_the_old_file(tiny_disk: Path) -> None:
    path = tiny_disk / "file"
    write_bytes(path, OLD)
    with pytest.raises(WriteError) as caught:
        write_bytes(path, b"x" * (2 << 20))
    assert "disk is full" in caught.value.remedy
    assert path.read_bytes() == OLD
    assert [item.name for item in tiny_disk.iterdir()] == ["file"]
    write_bytes(path, NEW)


def test_a_read_only_disk_is_said(tiny_disk: Path) -> None:
    path = tiny_disk / "file"
    write_bytes(path, OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(WriteError) as caught:
        write_bytes(path, NEW)
    assert "cannot be written" in caught.value.remedy
    assert path.read_bytes() == OLD


def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)  # Permissions do not bind root.
        try:
            write_bytes(tmp_path / "file", NEW)
        except WriteError as error:
            os._exit(0 if "cannot be written" in error.remedy else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    tmp_path.chmod(0o755)


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(WriteError):
        write_bytes(tmp_path / "file" / "below", NEW)


def test_new_files_obey_the_umask_and_old_ones_keep_their_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "new", NEW)
        (tmp_path / "private").write_bytes(OLD)
        (tmp_path / "private").chmod(0o600)
        write_bytes(tmp_path / "private", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_sweep_takes_orphans_everywhere_below_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    for name in (f"{files.TEMPORARY_MARK}1", f"state/{files.TEMPORARY_MARK}2", "state/kept"):
        (tmp_path / name).write_bytes(b"")
    assert sweep(tmp_path) == 2
    assert [item.name for item in tmp_path.rglob("*")] == ["state", "kept"]


@pytest.mark.parametrize("name", ["größe ☃", os.fsdecode(b"caf\xe9"), "a\nb"])
def test_json_keeps_any_file_name(tmp_path: Path, name: str) -> None:
    write_json(tmp_path / "file", {"name": name})
    assert json.loads((tmp_path / "file").read_bytes()) == {"name": name}


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_name_is_never_taken_from_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def no_links(source: object, target: object) -> None:
        raise PermissionError(errno.EPERM, "no links on this file system")

    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.bin"
    write_bytes(path, b"first", replacing=False)
    with pytest.raises(ExistsError):
        write_bytes(path, b"second", replacing=False)
    assert path.read_bytes() == b"first"
    assert [found.name for found in tmp_path.iterdir()] == ["a.bin"]
