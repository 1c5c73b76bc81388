"""Augmentation and the cache: the same pictures whichever way they come, and exact resumes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core import places
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.views import view_of
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from training_runs import (
    draw_pictures,
    events,
    examine,
    files,
    sd_config,
    start,
    stopping_after,
    toy_config,
)

UNCACHED = {"cache_latents": False}
ALL = {"flip": True, "color": True, "random_crop": True}


@pytest.fixture(autouse=True)
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def roomy(tmp_path: Path) -> Path:
    """Pictures that are larger than their buckets."""
    from PIL import Image

    folder = draw_pictures(tmp_path / "dataset" / "pictures")
    for path in folder.glob("*.png"):
        picture = Image.open(path)
        picture.resize((picture.width + 21, picture.height + 4)).save(path)
    return folder


def configured(base: Path, folder: Path, runs: Path, **sections: dict[str, Any]) -> RunConfig:
    size = {"resolution": 32, "bucket_step": 8, "buckets": False}
    dataset = {**size, **sections.pop("dataset", {})}
    return sd_config(base, folder, runs, dataset=dataset, **sections)


def encoded() -> int:
    return len(list((places.cache_folder() / "encoded").rglob("*.safetensors")))


@pytest.mark.parametrize("augmentation", [{}, {"flip": True}])
@pytest.mark.parametrize("text", ["off", "inherit"])
def test_with_or_without_cache_the_bytes_are_the_same(
    augmentation: dict[str, bool], text: str, tiny_sd: Path, roomy: Path, tmp_path: Path
) -> None:
    optimizer = {"text_encoder_learning_rate": text}
    results: list[dict[str, bytes]] = []
    counts: list[int] = []
    for cached in (False, True):
        config = configured(
            tiny_sd,
            roomy,
            tmp_path / "runs",
            dataset={"cache_latents": cached},
            augmentation=augmentation,
            optimizer=optimizer,
            output={"save_every_epochs": 1},
        )
        results.append(files(start(config)))
        counts.append(encoded())
    weights = [{name: data[_header(data) :] for name, data in found.items()} for found in results]
    assert weights[0] == weights[1] and len(weights[0]) == 2
    texts = 6 if text == "off" else 0
    assert counts == [texts, texts + 6 * (1 + len(augmentation))]


def _header(data: bytes) -> int:
    # What the file says of the cache is in its metadata.
    return 8 + int.from_bytes(data[:8], "little")


@pytest.mark.parametrize("option", ["", *ALL])
def test_each_has_an_effect(option: str, tiny_sd: Path, roomy: Path, tmp_path: Path) -> None:
    def run(**augmentation: bool) -> list[float]:
        config = configured(
            tiny_sd, roomy, tmp_path / "runs", dataset=UNCACHED, augmentation=augmentation
        )
        return [event["loss"] for event in events(start(config), "step")]

    assert (run() == run(**({option: True} if option else {}))) is (not option)


def test_batches_show_the_views_that_the_plan_tells(
    tiny_sd: Path, roomy: Path, tmp_path: Path
) -> None:
    """Encoded again here with Pillow, torch and the VAE alone; and each the same in any batch."""
    from lora_wizard.core.demo.pixels import to_pixels
    from PIL import Image, ImageOps

    def look(trainer: Trainer) -> None:
        for _, window in trainer.windows_left():
            for micro_batch in window:
                together = trainer.batches._pictures.encoded(
                    [view_of(draw, config) for draw in micro_batch]
                )
                for place, draw in enumerate(micro_batch):
                    view = view_of(draw, config)
                    alone = trainer.batches._pictures.encoded([view])[0]
                    assert torch.equal(alone, together[place])
                    picture = Image.open(draw.sample.path).convert("RGB")
                    crop, bucket = view.crop, draw.sample.bucket
                    scaled = picture.resize(
                        (crop.scaled_width, crop.scaled_height), Image.Resampling.LANCZOS
                    )
                    box = (crop.left, crop.top, crop.left + bucket.width, crop.top + bucket.height)
                    cut = scaled.crop(box)
                    pixels = to_pixels([ImageOps.mirror(cut) if view.is_flipped else cut])
                    expected = trainer.batches._family.encode_images(pixels * 2 - 1)[0]
                    torch.testing.assert_close(alone, expected, atol=1e-4, rtol=1e-3)
                    seen.add((view.is_flipped, crop.left))

    seen: set[tuple[bool, int]] = set()
    config = configured(
        tiny_sd,
        roomy,
        tmp_path / "runs",
        dataset=UNCACHED,
        augmentation={"flip": True, "random_crop": True},
    )
    examine(config, look)
    assert len(seen) > 4


@pytest.mark.parametrize(
    ("augmentation", "cached"), [({"flip": True}, True), (ALL, False), ({}, False)]
)
def test_a_stop_at_every_step_changes_nothing(
    augmentation: dict[str, bool], cached: bool, roomy: Path, tmp_path: Path
) -> None:
    config = toy_config(
        roomy,
        tmp_path / "runs",
        dataset={"folder": str(roomy), "bucket_step": 8, "cache_latents": cached},
        augmentation=augmentation,
    )
    whole = start(config)
    total = len(events(whole, "step"))

    run = RunDirectory.create(config)
    codes = [run_job(run.path, stopping_after()) for _ in range(total)]
    assert codes == [75] * (total - 1) + [0]
    assert files(run)["toy.safetensors"] == files(whole)["toy.safetensors"]


def test_portions_see_the_same_views(roomy: Path, tmp_path: Path) -> None:
    """A window in single pictures gives the gradient of the whole one."""
    gradients: list[torch.Tensor] = []

    def look(trainer: Trainer) -> None:
        window = next(window for _, window in trainer.windows_left())
        singles = tuple((draw,) for batch in window for draw in batch)
        for split in (window, singles):
            trainer.optimizer.zero_grad(set_to_none=True)
            trainer.accumulate_at_once(split)
            found = [weight.grad for weight in trainer._parameters if weight.grad is not None]
            gradients.append(torch.cat([gradient.flatten() for gradient in found]))

    config = toy_config(
        roomy,
        tmp_path / "runs",
        dataset={"folder": str(roomy), "bucket_step": 8, **UNCACHED},
        augmentation=ALL,
        training={"batch_size": 3},
    )
    examine(config, look)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_a_picture_that_changes_while_it_is_used_ends_the_run(roomy: Path, tmp_path: Path) -> None:
    config = toy_config(
        roomy, tmp_path / "runs", dataset={"folder": str(roomy), "bucket_step": 8, **UNCACHED}
    )
    run = RunDirectory.create(config)

    def changes(job: Job) -> None:
        trainer = prepare(job)
        picture = roomy / "00.png"
        picture.write_bytes((roomy / "03.png").read_bytes())
        trainer.train()

    assert run_job(run.path, changes) != 0
    failed = events(run, "failed")[-1]
    assert "changed while" in failed["title"] and "00.png" in failed["message"]
