"""Copies of finished files in somebody's folder of LoRAs."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.core.errors import WizardError
from lora_wizard.core.run.choice import choose, chosen
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.publish import publish, published
from training_runs import draw_pictures, events, start, toy_config


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
