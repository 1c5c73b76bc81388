"""The caches: what is encoded, what is not encoded again, and what must never be used."""

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core import places
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training import cache as caches
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.fingerprints import Fingerprints
from lora_wizard.core.training.store import TensorStore
from safetensors.torch import load
from training_runs import draw_pictures, events, files, sd_config, start, toy_config

FROZEN_TEXT = {"optimizer": {"text_encoder_learning_rate": "off", "learning_rate": 1e-2}}


@pytest.fixture(autouse=True)
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def entries() -> dict[Path, int]:
    """All encoded entries, and which file each is: a rewritten one is another."""
    folder = places.cache_folder() / "encoded"
    return {path: path.stat().st_ino for path in folder.rglob("*.safetensors")}


def test_the_next_run_encodes_nothing_again(pictures: Path, tmp_path: Path) -> None:
    start(toy_config(pictures, tmp_path / "runs", **FROZEN_TEXT))
    first = entries()
    assert len(first) == 6 + 6
    other = {**FROZEN_TEXT, "training": {"seed": 7}, "network": {"rank": 2}}
    start(toy_config(pictures, tmp_path / "runs", **other))
    assert entries() == first


def test_dropped_captions_are_encoded_too(pictures: Path, tmp_path: Path) -> None:
    start(toy_config(pictures, tmp_path / "runs", captions={"dropout": 0.5}, **FROZEN_TEXT))
    assert len(entries()) == 6 + 7


@pytest.mark.parametrize(
    "sections",
    [{}, {**FROZEN_TEXT, "captions": {"shuffle": True, "separator": " "}}],
    ids=["trained text encoder", "shuffled captions"],
)
def test_what_changes_from_use_to_use_is_not_kept(
    sections: dict[str, dict[str, object]], pictures: Path, tmp_path: Path
) -> None:
    start(toy_config(pictures, tmp_path / "runs", **sections))
    assert len(entries()) == 6


def test_choices_of_a_caption_are_all_kept_when_they_are_few(
    pictures: Path, tmp_path: Path
) -> None:
    choices = {"wildcards": True, "prefix": "{a|the} "}
    sections = {**FROZEN_TEXT, "captions": choices, "training": {"epochs": 6, "batch_size": 2}}
    start(toy_config(pictures, tmp_path / "runs", **sections))
    assert len(entries()) == 6 + 12


def test_captions_are_encoded_again_when_they_are_read_otherwise(
    pictures: Path, tmp_path: Path
) -> None:
    for reading in ({}, {"max_tokens": 150}, {"weighted": True}, {"max_tokens": 150}):
        start(toy_config(pictures, tmp_path / "runs", captions=reading, **FROZEN_TEXT))
    assert len(entries()) == 6 + 3 * 6


def test_an_edited_picture_of_the_same_size_and_times_is_encoded_anew(tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures")
    picture = folder / "00.png"
    old = picture.read_bytes()
    # As a picture that has been there for long, so that its fingerprint is remembered.
    fingerprints = Fingerprints(tmp_path / "prints")
    before = fingerprints.of(picture)
    while not [path for path in (tmp_path / "prints").rglob("*") if path.is_file()]:
        time.sleep(0.2)
        before = fingerprints.of(picture)
    status = picture.stat()
    (data := bytearray(old))[-1] ^= 1
    picture.write_bytes(data)
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (picture.stat().st_size, picture.stat().st_mtime_ns) == (len(old), status.st_mtime_ns)
    assert fingerprints.of(picture) != before


def test_edits_within_one_tick_of_the_clock_are_seen(tmp_path: Path) -> None:
    fingerprints, picture = Fingerprints(tmp_path / "prints"), tmp_path / "a.png"
    for edit in range(100):
        picture.write_bytes(b"%03d" % edit)
        assert fingerprints.of(picture) == hashlib.sha256(b"%03d" % edit).hexdigest()


def test_edited_captions_and_pictures_are_trained_as_they_are_now(tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures")
    config = toy_config(folder, tmp_path / "runs", **FROZEN_TEXT)
    before = files(start(config))
    (folder / "00.txt").write_text("something else")
    recaptioned = files(start(config))
    (folder / "03.png").write_bytes((folder / "00.png").read_bytes())
    repainted = files(start(config))
    assert len({before["toy.safetensors"], recaptioned["toy.safetensors"]}) == 2
    assert len({recaptioned["toy.safetensors"], repainted["toy.safetensors"]}) == 2


def test_a_moved_dataset_is_not_encoded_again(tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures")
    start(toy_config(folder, tmp_path / "runs", **FROZEN_TEXT))
    first = entries()
    moved = tmp_path / "elsewhere" / "pictures"
    shutil.copytree(folder, moved)
    start(toy_config(moved, tmp_path / "runs", **FROZEN_TEXT))
    assert entries() == first


def test_damaged_entries_are_made_again(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path / "runs", **FROZEN_TEXT)
    whole = files(start(config))
    for path in entries():
        path.write_bytes(bytes(path.stat().st_size))
    assert files(start(config)) == whole


def test_entries_that_vanish_while_training_are_made_again(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(pictures, tmp_path / "runs", **FROZEN_TEXT)
    whole = files(start(config))

    def nothing_in_memory(self: TensorStore, *entry: object) -> None:
        for path in entries():
            path.unlink()

    monkeypatch.setattr(TensorStore, "_remember", nothing_in_memory)
    assert files(start(config)) == whole


def test_a_stop_is_obeyed_between_two_pictures(pictures: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path / "runs"))

    def work(job: Job) -> None:
        progress = job.progress

        def stop_at_two(done: int, **figures: object) -> None:
            if events(run, "phase")[-1]["phase"] == "cache latents" and done == 2:
                (run.control_path / "stop").touch()
            progress(done, **figures)

        job.progress = stop_at_two
        train(job)

    assert run_job(run.path, work) == 75
    assert len(entries()) == 2
    assert run_job(run.path, train) == 0
    assert files(run) == files(start(toy_config(pictures, tmp_path / "runs")))


def test_a_full_gpu_halves_the_batch(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toy_flow import ToyFlow

    config = toy_config(pictures, tmp_path / "runs", **FROZEN_TEXT)
    whole = files(start(config))
    shutil.rmtree(places.cache_folder())
    sizes: list[int] = []

    class SmallMemory(ToyFlow):
        """A GPU that holds two pictures or prompts at a time."""

        def encode_images(self, pixels: torch.Tensor) -> torch.Tensor:
            self.allocate(len(pixels))
            return super().encode_images(pixels)

        def encode_prompts(self, captions: Sequence[str], *options: Any) -> dict[str, torch.Tensor]:
            self.allocate(len(captions))
            return super().encode_prompts(captions, *options)

        def allocate(self, count: int) -> None:
            sizes.append(count)
            if count > 2:
                raise torch.OutOfMemoryError

    monkeypatch.setattr("toy_flow.ToyFlow", SmallMemory)
    monkeypatch.setattr(caches, "_batch_size", lambda device: 8)
    small = start(config)
    assert {8, 4, 2} <= set(sizes)
    told = [event["message"] for event in events(small, "problem")]
    assert len(told) == 2 and all("2 at once" in message for message in told)
    for name, data in files(small).items():
        # Not to the last bit: that depends on the batch, which is why one core uses none.
        torch.testing.assert_close(load(data), load(whole[name]))
    monkeypatch.setattr(SmallMemory, "allocate", lambda self, count: _no_memory())
    shutil.rmtree(places.cache_folder())
    run = RunDirectory.create(config)
    assert run_job(run.path, train) == 1
    assert "memory is too small" in events(run, "failed")[-1]["title"]


def _no_memory() -> None:
    raise torch.OutOfMemoryError


def test_what_has_done_its_work_is_gone_before_the_next_part_is_loaded(
    tiny_sd: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lora_wizard.core.families import sd1_model

    beside: dict[str, set[str]] = {}

    class Watched(sd1_model.StableDiffusion1):
        def _part(self, name: str, *how: Any) -> Any:
            if name not in self._loaded:
                beside.setdefault(name, set(self._loaded) - {"tokenizer"})
            return super()._part(name, *how)

    monkeypatch.setattr(sd1_model, "StableDiffusion1", Watched)
    start(
        sd_config(tiny_sd, pictures, tmp_path / "runs", **FROZEN_TEXT, samples={"at_start": False})
    )
    assert beside == {"vae": set(), "text_encoder": set(), "unet": set()}


def test_another_version_of_the_libraries_encodes_anew(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(pictures, tmp_path / "runs", **FROZEN_TEXT)
    start(config)
    first = entries()
    monkeypatch.setattr(caches, "version", lambda library: f"{library} of tomorrow")
    start(config)
    assert entries().keys() > first.keys() and len(entries()) == 2 * len(first)
