"""The strings that a run trains, and what becomes of them, against what `plan` said before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import CaptionOptions
from lora_wizard.core.families.base import Batch
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.cli import main
from toy_flow import ToyFlow
from training_runs import draw_pictures, files, sd_config, start, toy_config

ALL = {
    "trigger_words": ["mika"],
    "prefix": "{best|fine}, ",
    "suffix": ", end",
    "shuffle": True,
    "keep_tokens_separator": "|||",
    "secondary_separator": ";;;",
    "tag_dropout": 0.3,
    "dropout": 0.2,
    "dropout_every_epochs": 3,
    "wildcards": True,
}
FROZEN = {"optimizer": {"text_encoder_learning_rate": "off"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = draw_pictures(tmp_path / "img", count=4)
    (folder / "00.txt").write_text("a;;;b, {c|d}, e, f\nother, words, here\n")
    (folder / "01.txt").write_text("x, y ||| p, q, r, s ||| z")
    (folder / "02.txt").unlink()
    entry = {"file_name": "02.png", "text": "from {one|two}, table, of, many"}
    (folder / "metadata.jsonl").write_text(json.dumps(entry))
    classes = draw_pictures(tmp_path / "classes", count=3, word="a, class, of")
    assert classes.is_dir()
    return folder


def sections(folder: Path, **captions: Any) -> dict[str, dict[str, Any]]:
    """Two concepts in one run, one of them with a prompt, and class pictures."""
    other = draw_pictures(folder.parent / "other", count=2, word="tag, tags")
    return {
        "dataset": {
            "folder": "",
            "concepts": [
                {"folder": str(folder), "repeats": 3},
                {"folder": str(other), "prompt": "{my|the} dog, [filewords], last"},
            ],
            "regularization_folder": str(folder.parent / "classes"),
            "bucket_step": 8,
        },
        "captions": captions,
        "training": {"epochs": 4, "batch_size": 3},
        "samples": {"prompts": []},
    }


def of_epoch(run: RunDirectory, capsys: pytest.CaptureFixture[str], epoch: int) -> list[list[str]]:
    """The captions of every micro-batch, as the command shows them."""
    capsys.readouterr()
    assert main(["plan", str(run.config_path), "--epoch", str(epoch), "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["epoch"]
    return [
        [draw["caption"] for draw in batch] for step in steps for batch in step["micro_batches"]
    ]


def planned(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """All four epochs of `sections`."""
    return [batch for epoch in range(1, 5) for batch in of_epoch(run, capsys, epoch)]


@pytest.mark.parametrize("captions", [{}, ALL, {**ALL, "shuffle": False, "wildcards": False}])
def test_what_plan_shows_is_what_the_text_encoder_gets(
    captions: dict[str, Any],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard: list[list[str]] = []

    class Listening(ToyFlow):
        def encode_prompts(
            self, captions: Sequence[str], options: CaptionOptions | None = None
        ) -> dict[str, torch.Tensor]:
            heard.append(list(captions))
            return super().encode_prompts(captions, options)

    monkeypatch.setattr("toy_flow.ToyFlow", Listening)
    run = start(toy_config(folder, tmp_path / "runs", **sections(folder, **captions)))
    assert heard == planned(run, capsys)
    bare = not any(text for batch in of_epoch(run, capsys, 3) for text in batch)
    assert bare == bool(captions), "the third goes without"
    texts = {text for batch in heard for text in batch}
    assert len(texts) > 25 if captions.get("wildcards") else len(texts) > 5
    assert not any(mark in text for text in texts for mark in ("|||", ";;;") if captions)
    if captions.get("wildcards"):
        assert not any(brace in text for text in texts for brace in "{}\n")


@pytest.mark.parametrize("captions", [{}, {"wildcards": True, "dropout": 0.3}, ALL])
def test_conditioning_is_that_of_the_planned_captions_from_the_cache_too(
    captions: dict[str, Any],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: list[torch.Tensor] = []

    class Listening(ToyFlow):
        def predict(
            self,
            batch: Batch,
            noise: torch.Tensor,
            timesteps: torch.Tensor,
            input_noise: torch.Tensor | None = None,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            told.append(batch.conditioning["text"].detach().clone())
            return super().predict(batch, noise, timesteps, input_noise)

    monkeypatch.setattr("toy_flow.ToyFlow", Listening)
    config = toy_config(folder, tmp_path / "runs", **sections(folder, **captions), **FROZEN)
    run = start(config)
    family = ToyFlow(config.model, torch.device("cpu"))
    expected = planned(run, capsys)
    assert len(told) == len(expected)
    for batch, conditioning in zip(expected, told, strict=True):
        torch.testing.assert_close(conditioning, family.encode_prompts(batch)["text"])


@pytest.mark.parametrize("trained", [True, False])
def test_longer_captions_are_trained_whole(
    trained: bool, tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captions that differ behind the first 75 tokens, which are letters here."""
    shapes: set[tuple[int, ...]] = set()
    predict = StableDiffusion1.predict

    def noticed(self: Any, batch: Batch, *told: Any, **more: Any) -> Any:
        shapes.add(tuple(batch.conditioning["text"].shape[1:]))
        return predict(self, batch, *told, **more)

    monkeypatch.setattr(StableDiffusion1, "predict", noticed)
    folder = draw_pictures(tmp_path / "img", count=2)
    made: dict[tuple[int, str], bytes] = {}
    for end in ("one", "two"):
        for index in range(2):
            (folder / f"{index:02d}.txt").write_text("x" * 75 + end)
        for most in (75, 150):
            config = sd_config(
                tiny_sd,
                folder,
                tmp_path / "runs",
                training={"epochs": 1, "batch_size": 2},
                captions={"max_tokens": most},
                samples={"prompts": []},
                **({} if trained else FROZEN),
            )
            made[most, end] = weights(files(start(config))["toy.safetensors"])
    assert shapes == {(77, 16), (152, 16)}
    assert made[75, "one"] == made[75, "two"]
    assert made[150, "one"] != made[150, "two"]


def weights(file: bytes) -> bytes:
    """Without what the file says of its captions."""
    return file[8 + int.from_bytes(file[:8], "little") :]
