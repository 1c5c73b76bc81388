"""A run on a single-file checkpoint is the run on its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from checkpoints import checkpoint_of
from lora_wizard.core import preflight
from lora_wizard.core.weights.header import read_header
from safetensors.torch import load_file, save_file
from tiny_sd import build
from training_runs import events, files, sd_config, start


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("single") / "base", like_sd1=True)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_lora_is_the_folders_bit_by_bit(
    folder: Path, pictures: Path, tmp_path: Path, precision: str
) -> None:
    checkpoint = checkpoint_of(folder, tmp_path / "photo real v3.safetensors")
    model = {"precision": precision}
    runs = [
        start(
            sd_config(
                base,
                pictures,
                tmp_path / name,
                model={"base": str(base), "family": "sd1", **model},
                training={"epochs": 1, "batch_size": 2},
            )
        )
        for name, base in (("folder", folder), ("file", checkpoint))
    ]
    losses = [[e["loss"] for e in events(run, "step")] for run in runs]
    assert losses[0] == losses[1]
    of_folder, of_file = (files(run) for run in runs)
    assert of_folder.keys() == of_file.keys()
    for name in of_folder:
        paths = [run.path / name for run in runs]
        tensors = [load_file(path) for path in paths]
        assert tensors[0].keys() == tensors[1].keys()
        assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])
        metadata = [read_header(path).metadata for path in paths]
        assert metadata[1]["ss_sd_model_name"] == "photo real v3.safetensors"
        differ = {key for key in metadata[0] if metadata[0][key] != metadata[1].get(key)}
        assert differ >= {"ss_sd_model_name", "lora_wizard_base_hash"}
        assert not any(key.startswith("modelspec") for key in differ - {"modelspec.date"})
    drawn = [sorted((run.path / "samples").rglob("*.png")) for run in runs]
    assert drawn[0] and len(drawn[0]) == len(drawn[1])
    pairs = zip(*drawn, strict=True)
    assert all(one.read_bytes() == other.read_bytes() for one, other in pairs)


def test_a_checkpoint_without_a_vae_trains_with_one_given(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    checkpoint = checkpoint_of(folder, tmp_path / "model.safetensors")
    tensors = load_file(checkpoint)
    kept = {name: t for name, t in tensors.items() if not name.startswith("first_stage_model.")}
    save_file(kept, tmp_path / "pruned.safetensors")
    losses: list[list[float]] = []
    for base, vae in ((checkpoint, ""), (tmp_path / "pruned.safetensors", str(folder / "vae"))):
        model = {"base": str(base), "family": "sd1", "precision": "fp32", "vae": vae}
        config = sd_config(
            base, pictures, tmp_path, model=model, training={"epochs": 1, "batch_size": 2}
        )
        assert not [p for p in preflight.check(config) if p.severity == "error"]
        run = start(config)
        losses.append([event["loss"] for event in events(run, "step")])
        assert list((run.path / "samples").rglob("*.png"))
    assert losses[0] == losses[1]


def test_preflight_counts_the_same(folder: Path, pictures: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, tmp_path / "model.safetensors")
    found = [
        preflight.inspect(sd_config(base, pictures, tmp_path / "runs"))
        for base in (folder, checkpoint)
    ]
    assert found[0].file_bytes == found[1].file_bytes
    assert found[0].file_bytes
    assert not [problem for problem in found[1].problems if problem.severity == "error"]
