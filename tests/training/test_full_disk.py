"""A disk that is full for a while: the run waits with what it has learned, and loses nothing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked_jobs import ForkServer, fork_server
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from lora_wizard.core.run.status import summary
from lora_wizard.core.training.__main__ import train
from training_runs import events, files, start, toy_config

EVERY_STEP = {"save_every_steps": 2, "save_every_epochs": 0}


@pytest.fixture(scope="module")
def server(toy_family: Path) -> Iterator[ForkServer]:
    with fork_server(toy_family) as running:
        yield running


def refused(names: tuple[str, ...], is_full: Callable[[], bool]) -> Callable[[int, bytes], int]:
    """`os.write` of a disk without room for files whose path holds one of ``names``."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if any(name in path for name in names) and is_full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    return full


@pytest.mark.parametrize("what", ["step-00000004", "samples"])
def test_it_waits_until_there_is_room(
    what: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(pictures, tmp_path, output=EVERY_STEP)
    whole, run = start(config), RunDirectory.create(config)
    with monkeypatch.context() as patch:
        told = lambda: len(events(run, "problem"))  # noqa: E731
        patch.setattr(os, "write", refused((what,), lambda: not told()))
        assert run_job(run.path, train) == 0
    (problem,) = events(run, "problem")
    assert "tries again" in problem["message"] and "free some space" in problem["remedy"]
    assert [event["step"] for event in events(run, "step")] == [1, 2, 3, 4, 5, 6]
    assert files(run) == files(whole)
    drawn = [sorted(path.name for path in of.samples_path.iterdir()) for of in (run, whole)]
    assert drawn[0] == drawn[1]


def test_a_stop_while_it_waits_ends_it_and_a_resume_is_exact(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(pictures, tmp_path, output=EVERY_STEP)
    whole, run = start(config), RunDirectory.create(config)

    def is_full() -> bool:
        if events(run, "problem"):
            (run.control_path / "stop").touch()
        return True

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refused(("step-00000004",), is_full))
        assert run_job(run.path, train) == 1
    (failed,) = events(run, "failed")
    assert "free some space" in failed["remedy"]
    assert run_job(run.path, train) == 0
    assert files(run) == files(whole)


def test_a_real_disk_of_two_megabytes(server: ForkServer, pictures: Path, tmp_path: Path) -> None:
    """A file system fills up under a live run, and is given room again."""
    config = toy_config(
        pictures,
        tmp_path / "runs",
        training={"epochs": 99, "max_steps": 60},
        samples={"prompts": []},
        output={"save_every_steps": 1, "keep_last": 2},
    )
    cache = tmp_path / "cache"
    whole = RunDirectory.create(config)
    assert server.finish(whole.path, cache) == 0
    run = RunDirectory.create(config)
    shutil.copytree(run.path, tmp_path / "copy")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(run.path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of its own cannot be mounted")
    try:
        shutil.copytree(tmp_path / "copy", run.path, dirs_exist_ok=True)
        job = server.start(run.path, cache)
        _until(lambda: summary(run).step)
        filler = run.path / "filler"
        _fill(filler)
        _until(lambda: any("tries again" in event["message"] for event in events(run, "problem")))
        step = summary(run).step
        assert step and step < 60, "the disk filled up too late: the test tests nothing"
        assert run.is_live()
        filler.unlink()
        assert job.wait() == 0
        final = files(run)["toy.safetensors"]
    finally:
        subprocess.run(["umount", "-l", str(run.path)], check=True)
    assert final == files(whole)["toy.safetensors"]


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                continue


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
