"""A captioning job that is killed just before, or in, each of its changes to the file system."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import count

from forked_jobs import crash_at
from lora_wizard.captioners.job import writing
from lora_wizard.captioners.job.__main__ import work
from lora_wizard.core.run.job import run_job

from .conftest import Captioned

OLD = {0: "mine", 2: "mine too"}


def begin_again(pictures: Captioned) -> None:
    """As if no job had ever been there, but for its task."""
    for path in pictures.folder.glob("*.txt"):
        path.unlink()
    for number, text in OLD.items():
        pictures.caption(number).write_text(f"{text}\n")
    for name in ("results.jsonl", "begun.json"):
        (pictures.directory.path / name).unlink(missing_ok=True)


def forked(pictures: Captioned, prepare: Callable[[], object] = lambda: None) -> int:
    """The job in a process that begins as a copy of this one; its exit status."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            prepare()
            code = run_job(str(pictures.directory.path), work)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_whenever_it_is_killed_it_goes_on_and_is_undone(pictures: Captioned) -> None:
    pictures.draw(4)
    begin_again(pictures)
    assert pictures.run("append", batch_size=4) == 0
    done = pictures.captions()
    in_two = 0
    for number in count(1):
        for change in pictures.files.changes():
            pictures.files.undo(change)
        begin_again(pictures)
        code = forked(pictures, lambda number=number: crash_at(number))
        for place, text in pictures.captions().items():
            assert text in (OLD.get(place), done[place])
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert forked(pictures) == 0
        assert pictures.captions() == done
        outcome = pictures.events("captions")[-1]
        assert (outcome["written"] + outcome["same"], outcome["left"]) == (4, 0)
        in_two += len(writing.latest(pictures.files)) == 2
        writing.undo(pictures.files, writing.latest(pictures.files))
        assert pictures.captions() == OLD
        assert not list(pictures.folder.glob(".*"))
    assert in_two > 2
