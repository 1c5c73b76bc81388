"""Processes that are killed, or machines that lose their power, while captions are written."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from forked_jobs import crash_at
from lora_wizard.core import file_batch
from lora_wizard.core.dataset.caption_files import CaptionFiles

OLD = {"a.txt": b"old a\r\nline", "b.caption": b"caf\xe9", "d.txt": b"", "e.txt": b"old e"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures a to e; c has no caption. Of their files, two wait for the disk together."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(file_batch, "_PORTION", 2)
    folder = tmp_path / "pictures"
    folder.mkdir()
    begin_again(folder)
    return folder


def begin_again(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name in "abcde":
        (folder / f"{name}.png").write_bytes(b"")
    for name, data in OLD.items():
        (folder / name).write_bytes(data)


def captions(folder: Path) -> dict[str, bytes]:
    """All but the pictures, so leftovers too."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".png"}


def new(folder: Path) -> dict[Path, str]:
    return {folder / f"{name}.png": f"new {name}" for name in "abcde"}


NEW = {
    **{f"{name}.txt": f"new {name}\n".encode() for name in "acde"},
    "b.caption": b"new b\n",
}


def in_another_process(work: Callable[[], object]) -> bool:
    """Do it; whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(70)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code == 0


def undo_all(files: CaptionFiles) -> None:
    for change in files.changes():
        files.undo(change)


@pytest.mark.parametrize("then", ["undone", "finished"])
def test_killed_at_every_change_while_it_writes(folder: Path, then: str) -> None:
    files = CaptionFiles(folder)
    half = 0
    for number in count(1):
        begin_again(folder)

        def write(number: int = number) -> None:
            crash_at(number)
            files.write(new(folder), "all")

        ended = in_another_process(write)
        found = {name: data for name, data in captions(folder).items() if name[0] != "."}
        for name, data in found.items():
            assert data in (OLD.get(name), NEW[name])
        half += 0 < sum(data == NEW[name] for name, data in found.items()) < 5
        if then == "finished":
            files.write(new(folder), "all of it")
            assert captions(folder) == NEW
        undo_all(files)
        assert captions(folder) == OLD
        assert not list(files.journal.folder.glob("*.open"))
        if ended:
            break
    assert half > 5


def test_killed_at_every_change_while_it_undoes(folder: Path) -> None:
    files = CaptionFiles(folder)
    for number in count(1):
        begin_again(folder)
        change = files.write(new(folder), "all").change
        assert change

        def undo(number: int = number, change: Any = change) -> None:
            crash_at(number)
            files.undo(change)

        ended = in_another_process(undo)
        for name, data in captions(folder).items():
            assert name[0] == "." or data in (OLD.get(name), NEW[name])
        undo_all(files)
        assert captions(folder) == OLD
        if ended:
            break
    assert number > 8


def test_what_is_written_by_hand_after_the_crash_stays(folder: Path) -> None:
    files = CaptionFiles(folder)
    for number in count(1):
        begin_again(folder)

        def write(number: int = number) -> None:
            crash_at(number)
            files.write(new(folder), "all")

        ended = in_another_process(write)
        (folder / "a.txt").write_bytes(b"by hand")
        undo_all(files)
        assert captions(folder) == OLD | {"a.txt": b"by hand"}
        if ended:
            break


def test_nobodys_temporaries_are_taken_while_they_are_written(folder: Path) -> None:
    files = CaptionFiles(folder)
    seen: list[bool] = []

    def look(done: int, total: int) -> None:
        there = list(folder.glob(".*"))
        CaptionFiles(folder).tidy()
        seen.append(bool(there))
        assert list(folder.glob(".*")) == there

    files.write(new(folder), "all", progress=look)
    assert any(seen)
    assert captions(folder) == NEW


def watched(work: Callable[[], object], log: Path) -> list[list[str]]:
    """What ``work`` asks of the disk, in order: ``["synced", path]``, ``["named", from, to]`` and
    ``["removed", path]``."""

    def watch() -> None:
        events: list[list[str]] = []
        fsync = os.fsync

        def noted(descriptor: int) -> None:
            fsync(descriptor)
            events.append(["synced", str(Path(f"/proc/self/fd/{descriptor}").readlink())])

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "os.rename":
                events.append(["named", *map(str, arguments[:2])])
            elif event == "os.remove":
                events.append(["removed", str(arguments[0])])

        os.fsync = noted
        sys.addaudithook(hook)
        work()
        log.write_text(json.dumps(events))

    assert in_another_process(watch)
    return json.loads(log.read_text())


def test_the_disk_has_it_before_anything_is_built_on_it(folder: Path, tmp_path: Path) -> None:
    files = CaptionFiles(folder)
    events = watched(lambda: files.write(new(folder), "all"), tmp_path / "log")
    (change,) = files.changes()
    journal, place = str(change.journal), str(change.journal.parent)
    (kept,) = [event for event in events if event[-1] == journal]
    named = [event for event in events if event[0] == "named" and event is not kept]
    assert sorted(Path(event[2]).name for event in named) == sorted(NEW)
    order = [["synced", kept[1]], kept, ["synced", place], named[0]]
    assert sorted(order, key=events.index) == order
    for event in named:
        assert events.index(["synced", event[1]]) < events.index(event)
    closed = next(event for event in events if event[-1].endswith(".open"))
    assert events.index(named[-1]) < events.index(["synced", str(folder)]) < events.index(closed)

    events = watched(lambda: files.undo(change), tmp_path / "log")
    assert captions(folder) == OLD
    touched = [event for event in events if event[-1] in {str(folder / name) for name in NEW}]
    assert len(touched) == 5
    for event in touched:
        assert event[0] == "removed" or events.index(["synced", event[1]]) < events.index(event)
    last = [touched[-1], ["synced", str(folder)], ["removed", journal]]
    assert sorted(last, key=events.index) == last
