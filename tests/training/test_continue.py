"""Going on from a LoRA of any trainer: the first step begins with exactly what its file does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lora_files
import pytest
import torch
from diffusers import StableDiffusionPipeline
from lora_wizard.core import preflight
from lora_wizard.core.config import NetworkOptions, RunConfig
from lora_wizard.core.estimates.sizes import lora_values
from lora_wizard.core.families.base import Batch
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.files import sha256_of
from lora_wizard.core.networks import registry
from lora_wizard.core.preflight_base import inspect_base
from lora_wizard.core.preflight_lora import LoraFindings, look_at_lora
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.continuation import sizes_in, take_over
from lora_wizard.core.training.trainer import Trainer
from lora_wizard.core.weights.header import read_header
from tiny_sd import load, stir
from training_runs import draw_pictures, events, examine, files, sd_config, start, stopping_after

BOTH = ("denoiser", "text_encoder")
SOURCE = NetworkOptions(rank=4, alpha=3.0, conv_rank=2, conv_alpha=5.0)
TARGET: dict[str, Any] = {"rank": 4, "alpha": 2.5, "conv_rank": 2, "conv_alpha": 0.75}


@pytest.fixture(scope="module")
def source(tiny_sd: Path) -> lora_files.Tensors:
    network = registry.attach(load(tiny_sd), SOURCE, 1, BOTH)
    stir(network)
    return network.file_tensors()


def configured(base: Path, folder: Path, weights: Path, **sections: Any) -> RunConfig:
    network = {**TARGET, "weights": str(weights), **sections.pop("network", {})}
    return sd_config(base, folder / "none", folder, network=network, **sections)


def looked(config: RunConfig) -> LoraFindings:
    return look_at_lora(config, SPEC, inspect_base(config, SPEC))


def continued(config: RunConfig, parts: tuple[str, ...] = BOTH) -> StableDiffusion1:
    """A base with a new network that has taken the file over."""
    found = looked(config)
    assert found.file, found.problems
    family = load(Path(config.model.base))
    sizes = sizes_in(found.file, found.layers) if found.ranks else {}
    network = registry.attach(family, config.network, 99, parts, sizes)
    take_over(network, found.file, found.layers)
    return family


def predict(family: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    latents, noise = (torch.randn(2, 4, 8, 8, generator=generator) for _ in range(2))
    batch = Batch(latents, family.encode_prompts(["one", "two"]), torch.zeros(2, 6))
    with torch.no_grad():
        return family.predict(batch, noise, torch.tensor([10, 700]))[0]


def by_diffusers(base: Path, file: Path) -> torch.Tensor:
    pipeline: Any = StableDiffusionPipeline.from_pretrained(base, use_safetensors=True)
    pipeline.load_lora_weights(file.parent if file.is_file() else file, weight_name=file.name)
    return predict(_with_modules(base, pipeline.unet, pipeline.text_encoder))


def _with_modules(base: Path, unet: Any, text_encoder: Any) -> StableDiffusion1:
    family = load(base)
    tokenizer = family.tokenizer
    family._loaded = {"unet": unet, "text_encoder": text_encoder, "tokenizer": tokenizer}
    return family


def close(one: torch.Tensor, other: torch.Tensor, atol: float = 2e-4) -> None:
    torch.testing.assert_close(one, other, atol=atol, rtol=1e-3)


@pytest.mark.parametrize("naming", lora_files.WHOLE)
def test_every_naming_is_the_same_lora(
    naming: str, tiny_sd: Path, source: lora_files.Tensors, tmp_path: Path
) -> None:
    expected = by_diffusers(tiny_sd, lora_files.kohya(tiny_sd, source, tmp_path))
    assert not torch.allclose(expected, predict(load(tiny_sd)), atol=0.05)
    path = lora_files.WHOLE[naming](tiny_sd, source, tmp_path)
    config = configured(tiny_sd, tmp_path, path)
    assert looked(config).problems == []
    close(predict(continued(config)), expected)


@pytest.mark.parametrize("naming", ["kohya", "diffusers", "diffusers_plain", "diffusers_down_up"])
def test_diffusers_reads_the_same_from_that_file(
    naming: str, tiny_sd: Path, source: lora_files.Tensors, tmp_path: Path
) -> None:
    # Without alphas of their own for convolutions: those diffusers leaves out of its metadata.
    path = lora_files.WHOLE[naming](tiny_sd, source, tmp_path)
    file = path / "pytorch_lora_weights.safetensors" if path.is_dir() else path
    close(predict(continued(configured(tiny_sd, tmp_path, path))), by_diffusers(tiny_sd, file))


def test_the_oldest_names_of_diffusers_too(
    tiny_sd: Path, source: lora_files.Tensors, tmp_path: Path
) -> None:
    path = lora_files.diffusers_processors(tiny_sd, source, tmp_path)
    config = configured(tiny_sd, tmp_path, path)
    assert {problem.severity for problem in looked(config).problems} == {"warning"}
    close(predict(continued(config)), by_diffusers(tiny_sd, path))


@pytest.mark.parametrize("changes", [{}, {"use_rslora": True}])
def test_pefts_own_folder(
    changes: dict[str, Any], tiny_sd: Path, source: lora_files.Tensors, tmp_path: Path
) -> None:
    folder = lora_files.peft(tiny_sd, source, tmp_path, **changes)
    config = configured(tiny_sd, tmp_path, folder, optimizer={"text_encoder_learning_rate": "off"})
    assert looked(config).problems == []
    family = load(tiny_sd)
    theirs = lora_files.load_with_peft(family.denoiser, folder)
    expected = predict(_with_modules(tiny_sd, theirs, family.text_encoder))
    close(predict(continued(config, ("denoiser",))), expected)


def test_half_precision_is_read_as_it_is(
    tiny_sd: Path, source: lora_files.Tensors, tmp_path: Path
) -> None:
    path = lora_files.half(tiny_sd, source, tmp_path)
    close(predict(continued(configured(tiny_sd, tmp_path, path))), by_diffusers(tiny_sd, path))


def test_train_continue_in_each_naming_and_end_the_same(tiny_sd: Path, tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures", 4)
    common: dict[str, Any] = {
        "training": {"epochs": 1, "batch_size": 2},
        "samples": {"prompts": []},
        "output": {"folder": str(tmp_path / "runs"), "name": "toy", "save_precision": "fp32"},
    }
    network = {"rank": 4, "conv_rank": 2}
    first = start(sd_config(tiny_sd, pictures, tmp_path, network=network, **common))
    path = first.path / "toy.safetensors"
    tensors = dict(lora_files.safetensors.torch.load_file(path))
    losses: dict[str, list[float]] = {}
    for naming in ("kohya", "original_blocks", "diffusers_plain"):
        file = lora_files.WHOLE[naming](tiny_sd, tensors, tmp_path / naming)
        settings = {**network, "weights": str(file)}
        run = start(sd_config(tiny_sd, pictures, tmp_path, network=settings, **common))
        losses[naming] = [event["loss"] for event in events(run, "step")]
        metadata = read_header(run.path / "toy.safetensors").metadata
        whole = file / "pytorch_lora_weights.safetensors" if file.is_dir() else file
        assert metadata["lora_wizard_continued_from_sha256"] == sha256_of(whole)
    anew = [event["loss"] for event in events(first, "step")]
    for found in losses.values():
        assert found == pytest.approx(losses["kohya"], rel=1e-4)
        assert found != pytest.approx(anew, rel=1e-3)


def test_a_run_starts_where_the_file_ends_and_resumes_without_it(
    tiny_sd: Path, source: lora_files.Tensors, tmp_path: Path
) -> None:
    pictures = draw_pictures(tmp_path / "pictures", 4)
    path = lora_files.kohya(tiny_sd, source, tmp_path)
    config = configured(
        tiny_sd,
        tmp_path,
        path,
        dataset={"folder": str(pictures)},
        training={"epochs": 2, "batch_size": 2},
        samples={"prompts": []},
        model={"precision": "fp32"},
    )
    expected = by_diffusers(tiny_sd, path)

    def look(trainer: Trainer) -> None:
        family: Any = trainer.batches._family
        close(predict(family), expected)

    examine(config, look)
    whole = start(config)
    run = RunDirectory.create(config)
    assert run_job(run.path, stopping_after()) == 75
    path.unlink()
    assert run_job(run.path, train) == 0
    assert files(run)["toy.safetensors"] == files(whole)["toy.safetensors"]
    assert read_header(run.path / "toy.safetensors").metadata["lora_wizard_continued_from"] == (
        "kohya.safetensors"
    )
    again = RunDirectory.create(config)
    assert run_job(again.path, train) == 2
    (failure,) = events(again, "failed")
    assert "is not there" in failure["message"]


def merged(base: Path, tensors: lora_files.Tensors) -> torch.Tensor:
    """What the base predicts with the LoRA added to its weights, layer by layer."""
    family = load(base)
    layers = {
        family.lora_key(part, name): module
        for part, model in (("denoiser", family.denoiser), *family.text_encoders.items())
        for name, module in model.named_modules()
        if name
    }
    for stem in {name.partition(".")[0] for name in tensors}:
        down, up = (tensors[f"{stem}.lora_{end}.weight"].double() for end in ("down", "up"))
        added = float(tensors[f"{stem}.alpha"]) / len(down) * up.flatten(1) @ down.flatten(1)
        weight: Any = layers[stem].weight
        weight.data += added.reshape(weight.shape).float()
    return predict(family)


@pytest.fixture(scope="module")
def mixed(source: lora_files.Tensors) -> lora_files.Tensors:
    """Every layer with a rank and an alpha of its own, as a LoRA resized layer by layer."""
    found: lora_files.Tensors = {}
    for number, stem in enumerate(sorted({name.partition(".")[0] for name in source})):
        down, up = (source[f"{stem}.lora_{end}.weight"] for end in ("down", "up"))
        rank = min(1 + number % 4, len(down))
        found[f"{stem}.lora_down.weight"] = down[:rank].clone()
        found[f"{stem}.lora_up.weight"] = up[:, :rank].clone()
        found[f"{stem}.alpha"] = torch.tensor(0.5 + number % 5)
    return found


@pytest.mark.parametrize("naming", ["kohya", "without_alpha", "half", "diffusers_down_up"])
def test_ranks_of_each_layers_own_are_kept_exactly(
    naming: str, tiny_sd: Path, mixed: lora_files.Tensors, tmp_path: Path
) -> None:
    writer = getattr(lora_files, naming)
    path = writer(tiny_sd, mixed, tmp_path)
    expected = merged(tiny_sd, mixed)
    config = configured(tiny_sd, tmp_path, path, network={"rank": 16, "alpha": 1.0})
    assert {problem.severity for problem in looked(config).problems} == {"note"}
    close(predict(continued(config)), expected, atol=5e-3 if naming == "half" else 2e-4)


def test_a_layer_that_alpha_silences_or_turns_round_is_the_same_too(
    tiny_sd: Path, mixed: lora_files.Tensors, tmp_path: Path
) -> None:
    alphas = [name for name in sorted(mixed) if name.endswith(".alpha")]
    changed = {**mixed, alphas[0]: torch.tensor(0.0), alphas[-1]: torch.tensor(-2.0)}
    path = lora_files.kohya(tiny_sd, changed, tmp_path)
    close(predict(continued(configured(tiny_sd, tmp_path, path))), merged(tiny_sd, changed))


def test_a_run_of_many_ranks_keeps_them_whatever_stops_it(
    tiny_sd: Path, mixed: lora_files.Tensors, tmp_path: Path
) -> None:
    pictures = draw_pictures(tmp_path / "pictures", 4)
    # Without one of its layers: that one begins anew, with the options' rank.
    lacking = next(name.partition(".")[0] for name in sorted(mixed))
    held = {name: tensor for name, tensor in mixed.items() if not name.startswith(f"{lacking}.")}
    path = lora_files.kohya(tiny_sd, held, tmp_path)
    config = configured(
        tiny_sd,
        tmp_path,
        path,
        network={"rank": 3},
        dataset={"folder": str(pictures)},
        training={"epochs": 2, "batch_size": 2, "ema_decay": 0.9},
        samples={"prompts": []},
        model={"precision": "fp32"},
        output={"folder": str(tmp_path / "runs"), "name": "toy", "save_precision": "fp32"},
    )
    expected = merged(tiny_sd, held)

    def look(trainer: Trainer) -> None:
        family: Any = trainer.batches._family
        close(predict(family), expected)

    examine(config, look)
    whole = start(config)
    run = RunDirectory.create(config)
    assert run_job(run.path, stopping_after()) == 75
    path.unlink()
    assert run_job(run.path, train) == 0
    assert files(run)["toy.safetensors"] == files(whole)["toy.safetensors"]
    saved = lora_files.safetensors.torch.load_file(run.path / "toy.safetensors")
    assert saved.keys() == mixed.keys()
    assert len(saved[f"{lacking}.lora_down.weight"]) == 3
    for name, tensor in held.items():
        assert saved[name].shape == tensor.shape, name
        if name.endswith(".alpha"):
            assert saved[name] == tensor
    metadata = read_header(run.path / "toy.safetensors").metadata
    assert metadata["ss_network_dim"] == "Dynamic"
    # As many numbers as the estimates count beforehand.
    lora_files.kohya(tiny_sd, held, tmp_path)
    numbers = sum(t.numel() for name, t in saved.items() if not name.endswith(".alpha"))
    assert lora_values(config, SPEC, preflight.inspect(config).base) == numbers
