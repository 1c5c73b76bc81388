"""From the first key to the chosen LoRA, through a real terminal and by keyboard alone; and what a
cut connection leaves on the way. The base model that comes along."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import walker
from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.files import sha256_of
from lora_wizard.core.run.choice import chosen
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.status import summary
from safetensors.torch import load_file
from terminal import WIZARD, Terminal
from walker import LEFT, SHELL, Walker

PICTURES = 16


@pytest.fixture
def open_terminal(home: Path) -> Iterator[Callable[..., Terminal]]:
    pictures = home / "holiday"
    pictures.mkdir()
    for path in (templates_folder() / "demo" / "pictures").glob("*.png"):
        shutil.copy(path, pictures)
    opened: list[Terminal] = []

    def begin(*command: str) -> Terminal:
        terminal = Terminal(command, environment=walker.shell_environment())
        opened.append(terminal)
        return terminal

    yield begin
    for terminal in opened:
        terminal.kill()


def test_from_a_folder_of_pictures_to_the_best_epoch(
    open_terminal: Callable[..., Terminal], home: Path
) -> None:
    terminal = open_terminal(*SHELL)
    person = Walker(terminal)
    person.enter_wizard()
    person.begin()
    person.dataset("holiday", subject="creature", trigger="zibbu")
    person.captions("zibbu creature on a green background", PICTURES)
    person.repeats(1, 2)
    person.model("embedded:demo")
    person.parameters(rank=4, resolution=64)
    person.samples("zibbu, a photo of a creature")
    person.output("zibbu")
    person.review()
    terminal.wait_for("Finished. Enter shows the results.")
    terminal.wait_for("base model")
    terminal.wait_for("epoch 2, newest")
    person.press("\r", "which one is the best?")
    terminal.wait_for("epoch 2, final: zibbu, a photo of a creature")
    person.press(LEFT, "epoch 1: zibbu, a photo of a creature")
    person.press("b", "the best: zibbu-000001.safetensors")
    person.press(walker.QUIT, "Look again: lora-wizard attach zibbu")
    terminal.press("exit\r")
    assert terminal.read_to_the_end() == 0

    run = RunDirectory(home / "output" / "zibbu")
    status = summary(run)
    assert (status.state, status.exit_code, status.step) == ("finished", 0, status.total)
    assert chosen(run) == "zibbu-000001.safetensors"
    assert list(run.manifest()) == ["zibbu-000001.safetensors", "zibbu.safetensors"]
    for name, entry in run.manifest().items():
        assert sha256_of(run.path / name) == entry["sha256"]
    captions = sorted((home / "holiday").glob("*.txt"))
    assert len(captions) == PICTURES
    assert captions[0].read_text().strip() == "zibbu creature on a green background"
    assert {path.read_text().strip() for path in captions[1:]} == {"zibbu"}
    it_draws_otherwise(run.path / "zibbu.safetensors")
    the_saved_toml_trains_the_same(home / "zibbu.toml", run)


def it_draws_otherwise(lora: Path) -> None:
    """diffusers takes the file, and it changes what the base model makes of the trigger word."""
    from diffusers import StableDiffusionPipeline

    assert all(bool(tensor.isfinite().all()) for tensor in load_file(lora).values())
    pipeline = StableDiffusionPipeline.from_pretrained(templates_folder() / "demo" / "base")
    latents = torch.zeros(1, 4, 16, 16)

    def noise() -> torch.Tensor:
        with torch.no_grad():
            text = pipeline.tokenizer("zibbu", return_tensors="pt").input_ids
            return pipeline.unet(latents, 500, pipeline.text_encoder(text)[0]).sample

    before = noise()
    pipeline.load_lora_weights(str(lora.parent), weight_name=lora.name)
    assert not torch.equal(before, noise())


def the_saved_toml_trains_the_same(toml: Path, run: RunDirectory) -> None:
    other = toml.with_name("other")
    command = [*WIZARD, "train", str(toml), "--set", f'output.folder="{other}"']
    subprocess.run(command, env=dict(os.environ), check=True, capture_output=True)
    for name in run.manifest():
        assert (other / "zibbu" / name).read_bytes() == (run.path / name).read_bytes()


def test_a_cut_connection_loses_nothing_that_was_typed(
    open_terminal: Callable[..., Terminal], home: Path
) -> None:
    terminal = open_terminal(*WIZARD)
    person = Walker(terminal)
    terminal.wait_for("from a folder of pictures to a LoRA")
    person.begin()
    person.press("ho", "holiday/ ")
    person.press("\t", person.shows(r"Found \d+ pictures"))
    person.tap(*"\r" * 4)
    person.press("crea", person.shows("Class word +crea"))
    person.tap("\r")
    person.press("zib", person.shows("Trigger words +zib"))
    terminal.close()
    terminal.wait()

    terminal = continued(open_terminal)
    terminal.wait_for("Found 16 pictures")
    for typed in ("pictures[?] holiday/", "Class word +crea", "Trigger words +zib"):
        terminal.wait_for(Walker(terminal).shows(typed))
    terminal.press(walker.NEXT)
    terminal.wait_for("1 of 16")
    terminal.press("\x1b[6~")
    terminal.wait_for("2 of 16")
    terminal.press("a creature on")
    terminal.wait_for("Trained as: zib, a creature on")
    terminal.close()
    terminal.wait()
    assert not list((home / "holiday").glob("*.txt"))

    terminal = continued(open_terminal)
    terminal.wait_for("2 of 16")
    terminal.wait_for("Trained as: zib, a creature on")
    terminal.press(" red")
    terminal.wait_for("Trained as: zib, a creature on red")
    terminal.press("\r")
    terminal.wait_for("3 of 16")
    assert (home / "holiday" / "zibbu-02.txt").read_text().strip() == "a creature on red"


def continued(open_terminal: Callable[..., Terminal]) -> Terminal:
    """The wizard opened anew, in the one draft that is there."""
    terminal = open_terminal(*WIZARD)
    terminal.wait_for("Drafts (1)")
    Walker(terminal).tap("\t")
    terminal.press("\r")
    terminal.wait_for("Step ")
    return terminal
