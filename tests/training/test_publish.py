"""Copies of finished files in somebody's folder of LoRAs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lora_wizard.core.errors import WizardError
from lora_wizard.core.files import TEMPORARY_MARK, sha256_of
from lora_wizard.core.run.choice import choose, chosen
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.publish import publish, published
from training_runs import draw_pictures, events, start, toy_config

PUBLISH = """
import sys, os
from pathlib import Path
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.publish import publish
run, shelf, gate = map(Path, sys.argv[1:])
while not gate.exists():
    os.sched_yield()
publish(RunDirectory.open(run), "toy.safetensors", shelf, "toy")
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from lora_wizard.core.files import sha256_of
from lora_wizard.core.run.choice import choose
from lora_wizard.core.run.directory import RunDirectory
run, file, last = RunDirectory.open(sys.argv[1]), sys.argv[2], int(sys.argv[3])
named = []

def watch(event, arguments):
    if event in ("os.rename", "os.link"):
        named.append(event)
        if len(named) == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
choose(run, file)
"""
"""Is killed when its n-th file is about to get its name: chosen.json, the record of what is about
to be copied, the copy, the record."""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "ComfyUI" / "models" / "loras"


@pytest.fixture
def run(tmp_path: Path, shelf: Path) -> RunDirectory:
    pictures = draw_pictures(tmp_path / "pictures")
    output = {"publish_to": str(shelf)}
    samples = {"prompts": []}
    return start(toy_config(pictures, tmp_path / "runs", output=output, samples=samples))


def test_a_finished_run_leaves_a_copy(run: RunDirectory, shelf: Path) -> None:
    copy = shelf / "toy.safetensors"
    assert copy.read_bytes() == (run.path / "toy.safetensors").read_bytes()
    assert [event["path"] for event in events(run, "published")] == [str(copy)]


def test_the_chosen_epoch_takes_the_place_of_the_last(run: RunDirectory, shelf: Path) -> None:
    first = "toy-000001.safetensors"
    assert choose(run, first) == shelf / "toy.safetensors"
    assert chosen(run) == first
    assert [path.name for path in shelf.iterdir()] == ["toy.safetensors"]
    assert (shelf / "toy.safetensors").read_bytes() == (run.path / first).read_bytes()


def test_what_is_not_ours_is_left_alone(run: RunDirectory, shelf: Path) -> None:
    copy = shelf / "toy.safetensors"
    copy.write_bytes(b"somebody's")
    again = publish(run, "toy.safetensors", shelf, "toy")
    assert again == shelf / "toy-2.safetensors"
    assert copy.read_bytes() == b"somebody's"
    assert set(published(run)) == {str(copy), str(again)}


def test_another_runs_copy_is_left_alone(run: RunDirectory, shelf: Path) -> None:
    before = (shelf / "toy.safetensors").read_bytes()
    other = start(run.config())
    assert (shelf / "toy.safetensors").read_bytes() == before
    assert (shelf / "toy-2.safetensors").exists()
    assert list(published(other)) == [str(shelf / "toy-2.safetensors")]


def test_a_file_that_changed_is_not_published(run: RunDirectory, shelf: Path) -> None:
    first = run.path / "toy-000001.safetensors"
    first.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(WizardError, match="not what was written"):
        choose(run, first.name)
    assert sorted(path.name for path in shelf.iterdir() if "tmp" not in path.name) == [
        "toy.safetensors"
    ]


def test_a_folder_that_cannot_be_written_is_told_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    pictures = draw_pictures(tmp_path / "pictures")
    output = {"publish_to": str(tmp_path / "file" / "loras")}
    config = toy_config(pictures, tmp_path / "runs", output=output, samples={"prompts": []})
    run = start(config)
    (problem,) = [e for e in events(run, "problem") if e.get("where") == "output.publish_to"]
    assert "could not be published" in problem["message"]
    assert not events(run, "published")


def test_runs_that_publish_at_the_same_moment_all_keep_their_copy(
    run: RunDirectory, tmp_path: Path
) -> None:
    shelf = tmp_path / "busy"
    gate = tmp_path / "gate"
    directories: list[Path] = []
    for number in range(6):
        path = tmp_path / f"run{number}"
        shutil.copytree(run.path, path, ignore=shutil.ignore_patterns("lock", "published.json"))
        (path / "manifest.json").unlink()
        (path / "toy.safetensors").write_bytes(bytes([number]) * 100_000)
        directories.append(path)
    jobs = [
        subprocess.Popen([sys.executable, "-c", PUBLISH, path, shelf, gate]) for path in directories
    ]
    gate.write_bytes(b"")
    assert [job.wait(60) for job in jobs] == [0] * len(jobs)
    copies = [copy for copy in shelf.iterdir() if "tmp" not in copy.name]
    assert {copy.read_bytes()[0] for copy in copies} == set(range(6))
    assert len(copies) == 6


def test_a_link_that_leads_nowhere_is_not_replaced(run: RunDirectory, shelf: Path) -> None:
    copy = shelf / "toy.safetensors"
    copy.unlink()
    copy.symlink_to("elsewhere.safetensors")
    assert publish(run, "toy.safetensors", shelf, "toy") == shelf / "toy-2.safetensors"
    assert copy.is_symlink()


def test_a_path_that_can_not_be_is_told_and_fails_nothing(tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures")
    (tmp_path / "loop").symlink_to("loop")
    output = {"publish_to": str(tmp_path / "loop" / "loras")}
    config = toy_config(pictures, tmp_path / "runs", output=output, samples={"prompts": []})
    (problem,) = [e for e in events(start(config), "problem") if "publish" in e["message"]]
    assert problem["remedy"]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_a_copy_is_known_whenever_its_maker_was_killed(
    run: RunDirectory, shelf: Path, moment: int, is_first: bool
) -> None:
    if is_first:
        shutil.rmtree(shelf)
        (run.path / "published.json").unlink()
    epoch, last = "toy-000001.safetensors", "toy.safetensors"
    command = [sys.executable, "-c", KILLED, str(run.path), epoch, str(moment)]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    copy = shelf / "toy.safetensors"
    # What there is has a name, and what has a name is there.
    assert list(published(run)) == [str(path) for path in shelf.glob("toy*")]
    if copy.exists():
        assert published(run)[str(copy)]["sha256"] == sha256_of(copy)
    assert choose(run, last) == copy
    assert [path.name for path in shelf.glob("toy*")] == ["toy.safetensors"]
    assert copy.read_bytes() == (run.path / last).read_bytes()


def test_what_took_the_place_of_a_killed_copy_is_somebodys(run: RunDirectory, shelf: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(run.path), "toy-000001.safetensors", "3"]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    copy = shelf / "toy.safetensors"
    copy.write_bytes(b"somebody's")
    assert published(run) == {}
    assert publish(run, "toy.safetensors", shelf, "toy") == shelf / "toy-2.safetensors"
    assert copy.read_bytes() == b"somebody's"


def test_what_a_kill_left_in_the_folder_is_swept_later(run: RunDirectory, shelf: Path) -> None:
    left, fresh = (shelf / f"{TEMPORARY_MARK}{name}" for name in ("left", "fresh"))
    somebodys = shelf / "left.tmp"
    for path in (left, fresh, somebodys):
        path.write_bytes(b"half")
    assert left.suffix != ".safetensors", "no program lists it"
    for path in (left, somebodys):
        os.utime(path, (0, 0))
    publish(run, "toy.safetensors", shelf, "toy")
    assert not left.exists()
    assert fresh.exists() and somebodys.exists(), "another run may be writing it now"
