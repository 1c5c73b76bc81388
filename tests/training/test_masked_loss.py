"""Masks in the loss: what is masked away leaves no trace, and what is left counts in full."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lora_wizard.core.dataset.views import view_of
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.loss import sample_errors
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from PIL import Image
from training_runs import draw_pictures, events, examine, files, sd_config, start, toy_config

CELL = 4
"""Pixels per side of the toy's."""


def test_the_mean_over_what_counts_in_a_plain_loop() -> None:
    generator = torch.Generator().manual_seed(5)
    prediction, target = torch.randn(2, 3, 4, 5, 6, generator=generator)
    mask = torch.rand(3, 1, 5, 6, generator=generator)
    mask[0] = 1
    mask[1, 0, :, 2:] = 0
    for index in range(3):
        total = weight = 0.0
        for channel in range(4):
            for row in range(5):
                for column in range(6):
                    place = index, channel, row, column
                    count = mask[index, 0, row, column].item()
                    total += count * (prediction[place] - target[place]).item() ** 2
                    weight += count
        errors = sample_errors(prediction, target, mask=mask)
        assert errors[index].item() == pytest.approx(total / weight, rel=1e-5)
    plain = sample_errors(prediction, target)
    assert errors[0].item() == pytest.approx(plain[0].item(), rel=1e-6)
    mask[2] = 0
    assert sample_errors(prediction, target, mask=mask)[2] == 0


def masked_pictures(folder: Path, under: tuple[int, int, int], *, alpha: bool = False) -> Path:
    """The pictures of the tests, of which a part that is not symmetrical is masked away, in which
    the colour ``under`` is."""
    draw_pictures(folder)
    for path in sorted(folder.glob("0?.png")):
        # Of a bucket's size: scaling would mix what is masked with what is not.
        picture = Image.open(path).convert("RGB").resize((32, 32))
        mask = Image.new("L", picture.size, 255)
        hole = (0, 0, 3 * CELL, picture.height - CELL)
        mask.paste(0, hole)
        picture.paste(under, hole)
        if alpha:
            picture.putalpha(mask)
        else:
            mask.save(path.with_name(f"{path.stem}-mask.png"))
        picture.save(path)
    return folder


def final(config: Any) -> bytes:
    return files(start(config))["toy.safetensors"]


@pytest.mark.parametrize(
    ("augmentation", "cached"), [({}, True), ({"flip": True}, True), ({"flip": True}, False)]
)
def test_what_is_masked_away_leaves_no_trace(
    augmentation: dict[str, bool], cached: bool, tmp_path: Path
) -> None:
    """The toy looks at each cell for itself, so a file tells whether a masked cell was learned."""
    results: dict[str, set[bytes]] = {"file": set(), "none": set()}
    for index, under in enumerate(((255, 0, 0), (10, 40, 250))):
        folder = masked_pictures(tmp_path / str(index) / "pictures", under)
        for mask, found in results.items():
            config = toy_config(
                folder,
                tmp_path,
                loss={"mask": mask},
                augmentation=augmentation,
                dataset={"folder": str(folder), "bucket_step": 8, "cache_latents": cached},
            )
            found.add(final(config))
    assert len(results["file"]) == 1
    assert len(results["none"]) == 2


def test_colours_hidden_under_alpha_leave_no_trace(tmp_path: Path) -> None:
    results: dict[str, set[bytes]] = {"alpha": set(), "none": set()}
    for index, under in enumerate(((255, 0, 0), (10, 40, 250))):
        folder = masked_pictures(tmp_path / str(index) / "pictures", under, alpha=True)
        for mask, found in results.items():
            found.add(final(toy_config(folder, tmp_path, loss={"mask": mask})))
    assert [len(found) for found in results.values()] == [1, 1]
    assert results["alpha"] != results["none"]


def test_alpha_and_a_file_that_say_the_same_train_the_same(tmp_path: Path) -> None:
    white = (255, 255, 255)
    by_file = masked_pictures(tmp_path / "file" / "pictures", white)
    by_alpha = masked_pictures(tmp_path / "alpha" / "pictures", white, alpha=True)
    one = final(toy_config(by_file, tmp_path / "runs", loss={"mask": "file"}))
    other = final(toy_config(by_alpha, tmp_path / "runs", loss={"mask": "alpha"}))
    assert one == other


@pytest.mark.parametrize("cached", [True, False])
def test_cells_get_the_mean_of_their_part_of_the_mask(
    cached: bool, tiny_sd: Path, tmp_path: Path
) -> None:
    """Of the real family's cells, with numpy from the mask's file: cut and mirrored as the picture
    is."""
    folder = draw_pictures(tmp_path / "pictures", count=2)
    for path in folder.glob("*.png"):
        Image.open(path).resize((46, 35)).save(path)
    levels = np.random.default_rng(2).integers(0, 256, (35, 46), dtype=np.uint8)
    Image.fromarray(levels).save(folder / "01-mask.png")
    dataset = {"folder": str(folder), "resolution": 64, "bucket_step": 8, "upscale": False}
    augmentation = {"flip": True, "random_crop": not cached}
    config = sd_config(
        tiny_sd,
        folder,
        tmp_path / "runs",
        dataset={**dataset, "cache_latents": cached},
        augmentation=augmentation,
        training={"epochs": 4},
        loss={"mask": "file"},
    )
    seen: set[tuple[int, int, bool]] = set()

    def look(trainer: Trainer) -> None:
        for micro_batch in (batch for _, window in trainer.windows_left() for batch in window):
            batch = trainer.batches._batch(micro_batch)
            assert batch.mask is not None
            for place, draw in enumerate(micro_batch):
                height, width = batch.latents.shape[2:]
                expected = np.ones((height, width))
                if draw.sample.path.name == "01.png":
                    view = view_of(draw, config)
                    top, left = view.crop.top, view.crop.left
                    cut = levels[top : top + 32, left : left + 40]
                    cut = cut[:, ::-1] if view.is_flipped else cut
                    cells = cut.reshape(height, 32 // height, width, 40 // width)
                    expected = cells.mean(axis=(1, 3)) / 255
                    seen.add((top, left, view.is_flipped))
                assert np.allclose(batch.mask[place, 0], expected, atol=1e-6)

    examine(config, look)
    assert len(seen) >= (2 if cached else 3)


def test_masks_weigh_validation_pictures_too(pictures: Path, tmp_path: Path) -> None:
    losses: dict[str, set[float]] = {"file": set(), "none": set()}
    for index, under in enumerate(((255, 0, 0), (10, 40, 250))):
        folder = masked_pictures(tmp_path / str(index) / "others", under)
        for mask, found in losses.items():
            config = toy_config(
                pictures,
                tmp_path / "runs",
                loss={"mask": mask},
                validation={"folder": str(folder)},
                training={"epochs": 1},
            )
            found.add(events(start(config), "validation")[0]["loss"])
    assert [len(found) for found in losses.values()] == [1, 2]


def test_a_mask_that_changes_is_seen_by_the_next_run_and_refused_by_a_resume(
    tmp_path: Path,
) -> None:
    folder = masked_pictures(tmp_path / "pictures", (255, 0, 0))
    config = toy_config(folder, tmp_path / "runs", loss={"mask": "file"})
    before = final(config)
    run = RunDirectory.create(config)

    def stops(job: Any) -> None:
        trainer = prepare(job)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            tell(epoch, loss, gradient_norm)
            (run.control_path / "stop").touch()

        trainer.tell = told
        trainer.train()

    assert run_job(run.path, stops) == 75
    mask = Image.open(folder / "02-mask.png")
    mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "02-mask.png")
    assert run_job(run.path, train) != 0
    assert "mask changed: pictures/02.png" in events(run, "failed")[-1]["message"]
    assert final(config) != before
