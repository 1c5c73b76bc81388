"""All that a run can be asked for at once: stopped anywhere it still gives the same bytes, and what
goes wrong in the middle of it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.plan import MicroBatch
from lora_wizard.core.rehearsal.rehearse import rehearse
from lora_wizard.core.run.directory import RunDirectory, known_runs
from lora_wizard.core.run.job import run_job
from lora_wizard.core.training.trainer import Trainer
from safetensors.torch import load
from training_runs import draw_pictures, events, files, sd_config, start, stopping_after

STOPPED = 75
FINAL = "toy.safetensors"

EVERYTHING: dict[str, dict[str, Any]] = {
    "training": {
        "epochs": 3,
        "batch_size": 2,
        "gradient_accumulation": 2,
        "max_steps": 6,
        "gradient_checkpointing": True,
    },
    "network": {
        "rank": 4,
        "conv_rank": 2,
        "dropout": 0.2,
        "rank_dropout": 0.2,
        "module_dropout": 0.2,
    },
    "captions": {
        "tag_dropout": 0.3,
        "wildcards": True,
        "prefix": "{a|the}, ",
        "shuffle": True,
        "dropout": 0.1,
        "max_tokens": 150,
        "weighted": True,
    },
    "loss": {
        "type": "huber",
        "multires_iterations": 3,
        "input_perturbation": 0.1,
        "input_perturbation_random_strength": True,
        "min_snr_gamma": 5.0,
        "prior_loss_weight": 0.5,
    },
    "augmentation": {"flip": True},
    "samples": {"every_steps": 3},
    "output": {"save_every_steps": 2, "keep_last": 1},
}

KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "averaged, faster ups": {
        "training": {"ema_decay": 0.8},
        "optimizer": {"loraplus_ratio": 4.0},
        "network": {"max_norm": 0.05},
    },
    "averaged, prodigy": {
        "training": {"ema_decay": 0.8},
        "optimizer": {"name": "prodigy", "learning_rate": 1.0},
        "network": {"max_norm": 0.05},
    },
    "schedule-free, faster ups": {
        "optimizer": {"name": "adamw_schedulefree", "loraplus_ratio": 4.0, "warmup": 2},
        "dataset": {"cache_latents": False},
        "augmentation": {"color": True, "random_crop": True},
    },
}


@pytest.fixture(scope="module")
def folders(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Class pictures and validation pictures."""
    root = tmp_path_factory.mktemp("more")
    return draw_pictures(root / "class", 2, "thing"), draw_pictures(root / "validation", 2, "mika")


@pytest.fixture(scope="module")
def begun(tiny_sd: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA to go on from."""
    options: dict[str, Any] = {"max_steps": 2}
    of_network = {"rank": 4, "conv_rank": 2}
    root = tmp_path_factory.mktemp("begun")
    run = start(sd_config(tiny_sd, pictures, root, training=options, network=of_network))
    return run.path / FINAL


Make = Callable[..., RunConfig]


@pytest.fixture
def make(
    tiny_sd: Path, pictures: Path, folders: tuple[Path, Path], begun: Path, tmp_path: Path
) -> Make:
    def made(*kinds: dict[str, dict[str, Any]]) -> RunConfig:
        classes, validated = folders
        sections: dict[str, dict[str, Any]] = {
            "dataset": {"resolution": 32, "bucket_step": 8, "regularization_folder": str(classes)},
            "validation": {"folder": str(validated), "every_steps": 2, "timesteps": 2},
        }
        for kind in (EVERYTHING, {"network": {"weights": str(begun)}}, *kinds):
            for section, values in kind.items():
                sections[section] = {**sections.get(section, {}), **values}
        return sd_config(tiny_sd, pictures, tmp_path / "runs", **sections)

    return made


def nothing(trainer: Trainer) -> None:
    pass


def mishaps(trainer: Trainer) -> None:
    """No number in the third step, and from the fourth on room for one picture at a time."""
    loss = trainer.batches.loss
    if trainer.scaler:
        # Otherwise the first steps are only spent on finding one.
        trainer.scaler.load_state_dict({**trainer.scaler.state_dict(), "scale": 8.0})

    def met(micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
        if trainer.step >= 3 and len(micro_batch) > 1:
            raise torch.OutOfMemoryError("no room")
        share = loss(micro_batch, window_samples)
        return share * torch.nan if trainer.step == 2 else share

    trainer.batches.loss = met


def compare(
    config: RunConfig,
    change: Callable[[Trainer], None] = nothing,
    stops: Sequence[int] = (1, 2, 3, 4, 5),
) -> RunDirectory:
    """A run stopped after these steps is one that was not stopped; returns that."""
    whole, run = start(config, stopping_after((), change)), RunDirectory.create(config)
    for step in stops:
        assert run_job(run.path, stopping_after([step], change)) == STOPPED
    assert run_job(run.path, stopping_after((), change)) == 0, run.log_path.read_text()
    assert len(events(whole, "step")) == 6
    for kind in ("step", "validation"):
        of_run = [{**event, "time": 0} for event in events(run, kind)]
        assert of_run == [{**event, "time": 0} for event in events(whole, kind)]
    assert files(run)[FINAL] == files(whole)[FINAL]
    shown = {path.name: path.read_bytes() for path in whole.samples_path.glob("*.png")}
    assert shown == {path.name: path.read_bytes() for path in run.samples_path.glob("*.png")}
    return whole


def check_mishaps(whole: RunDirectory) -> None:
    """The third step is not in the file, and the others are."""
    norms = [event["gradient_norm"] for event in events(whole, "step")]
    assert [norm is None for norm in norms] == [step == 3 for step in range(1, 7)]
    messages = [event["message"] for event in events(whole, "problem")]
    assert sum("was left out" in message for message in messages) == 1
    assert sum("memory was too small for 2 pictures" in message for message in messages) == 1


def test_stops_and_mishaps(make: Make) -> None:
    config = make(KINDS["averaged, faster ups"], {"model": {"precision": "fp16"}})
    check_mishaps(compare(config, mishaps, [2, 3, 5]))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("kind", KINDS)
def test_stops_after_every_step(make: Make, kind: str, precision: str) -> None:
    config = make(KINDS[kind], {"model": {"precision": precision}})
    compare(config)
    check_mishaps(compare(config, mishaps))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_rehearsed_and_leaves_nothing(
    make: Make, kind: str, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    before = begun.read_bytes()
    config = make(KINDS[kind])
    folder = tmp_path / "CACHE/elsewhere"
    output = config.output.model_copy(update={"folder": str(folder)})
    run = RunDirectory.create(config.model_copy(update={"output": output}), what="rehearse")
    assert run_job(run.path, rehearse) == 0, run.log_path.read_text()
    assert events(run, "rehearsed") and not known_runs()
    assert begun.read_bytes() == before
    assert not (tmp_path / "runs").exists()


def test_what_is_saved_loads_in_diffusers(make: Make, tiny_sd: Path) -> None:
    """Averaged, with convolutions, gone on from another, after mishaps."""
    run = start(make(KINDS["averaged, faster ups"]), stopping_after((), mishaps))
    tensors = load(files(run)[FINAL])
    assert any("conv" in name and tensor.ndim == 4 for name, tensor in tensors.items())
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_sd, safety_checker=None)
    before = {name: weight.clone() for name, weight in pipeline.unet.named_parameters()}
    pipeline.load_lora_weights(str(run.path), weight_name=FINAL)
    pipeline.fuse_lora()
    ups = {name.removesuffix(".lora_up.weight") for name in tensors if name.endswith("up.weight")}
    changed = 0
    for name, weight in pipeline.unet.named_parameters():
        layer = name.replace(".base_layer", "").removesuffix(".weight")
        key = f"lora_unet_{layer.replace('.', '_')}"
        if key not in ups or "lora_" in name or not name.endswith("weight"):
            continue
        down, up = (tensors[f"{key}.lora_{end}.weight"].float() for end in ("down", "up"))
        added = (up.flatten(1) @ down.flatten(1)) * (tensors[f"{key}.alpha"] / down.shape[0])
        plain = before[name.replace(".base_layer", "")]
        assert torch.allclose(weight, plain + added.view(plain.shape), atol=1e-5), name
        changed += 1
    assert changed == sum("unet" in key for key in ups) > 0
