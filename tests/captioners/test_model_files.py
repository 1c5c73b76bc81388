"""What is said of a captioner's model before any work: where it is, whether it is whole, of the
right kind, and what to do."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from captioner_models import NAMES, loaded, picture, spec_of, tiny
from huggingface_hub.constants import HF_HUB_CACHE
from lora_wizard.captioners import registry
from lora_wizard.captioners.base import ModelSpec
from lora_wizard.captioners.model_files import ModelFilesError
from lora_wizard.captioners.transformers_model import ModelLoadingError
from lora_wizard.core.errors import Problem
from safetensors.torch import load_file, save_file
from tiny_hub import Hub

MODELS = ("blip", "blip2", "florence2", "vision_language")
HEAVY = ("torch", "transformers", "diffusers", "accelerate")


def problem(name: str, model: object) -> Problem | None:
    """What the captioner of the miniature ``name`` says of ``model``."""
    spec = spec_of(name)
    found = spec.missing(spec.options.model_validate({"model": str(model)}))
    assert len(found) < 2
    return found[0] if found else None


def copy(name: str, tmp_path: Path) -> Path:
    return shutil.copytree(tiny(name), tmp_path / name)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_downloaded_is_said_with_the_command_that_brings_it(name: str) -> None:
    spec = registry.find(name)
    assert isinstance(spec, ModelSpec)
    options: Any = spec.options()
    (found,) = spec.missing(options)
    assert found.message == f"{options.model} is not on this machine"
    assert f"hf download {options.model} " in found.remedy and "GB)" in found.remedy
    with pytest.raises(ModelFilesError, match="cannot be read"):
        spec.load(options)


def test_looking_for_models_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
import sys
from lora_wizard.captioners import registry
for name in {MODELS}:
    spec = registry.find(name)
    assert spec.missing(spec.options())
    spec.missing(spec.options(model=sys.argv[1]))
sys.exit(", ".join(name for name in {HEAVY} if name in sys.modules) or 0)
"""
    folder = str(copy("blip", tmp_path))
    ran = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_command_brings_what_is_read_and_no_pickled_weights(tmp_path: Path) -> None:
    folder = copy("blip", tmp_path)
    for name in ("pytorch_model.bin", "tf_model.h5"):
        (folder / name).write_bytes(b"pickled")
    hub = Hub(folder)
    found = problem("blip", "me/tiny")
    assert found is not None and "me/tiny is not on this machine" in found.message
    words = shlex.split(found.remedy.partition(": ")[2])
    assert words[:2] == ["hf", "download"]
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"}
    ran = subprocess.run(
        [sys.executable, "-m", "huggingface_hub.cli.hf", *words[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    try:
        assert ran.returncode == 0, ran.stderr
        assert sorted(hub.downloads) == sorted(
            file.name for file in folder.iterdir() if file.suffix not in (".bin", ".h5")
        )
        assert problem("blip", "me/tiny") is None
        shown = [picture(1)]
        assert loaded("blip", model="me/tiny").describe(shown) == loaded("blip").describe(shown)
        next(Path(HF_HUB_CACHE).rglob("model.safetensors")).unlink()
        found = problem("blip", "me/tiny")
        assert found is not None and "model.safetensors is missing" in found.message
        assert "hf download me/tiny" in found.remedy
    finally:
        shutil.rmtree(Path(HF_HUB_CACHE) / "models--me--tiny", ignore_errors=True)


def _nothing(folder: Path) -> None:
    shutil.rmtree(folder)


def _only_pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _cut_off(folder: Path) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])


def _a_shard_less(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    (folder / "model.safetensors").unlink()
    save_file({name: weights[name] for name in names[:5]}, folder / "one.safetensors")
    shards = dict.fromkeys(names, "two.safetensors")
    shards |= dict.fromkeys(names[:5], "one.safetensors")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": shards})
    )


def _no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _no_images(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()


def _config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _own_code(folder: Path) -> None:
    _config(folder, auto_map={"AutoConfig": "code.Config"})


def _nameless(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


@pytest.mark.parametrize(
    ("name", "harm", "says", "remedy"),
    [
        ("blip", _nothing, "is no folder with a config.json", "Salesforce/blip-"),
        ("blip", _only_pickled, "only pickled weights", "Take a copy with .safetensors"),
        ("qwen3", _no_weights, "model.safetensors is missing", "Copy the whole folder again"),
        ("florence2", _cut_off, "model.safetensors is no whole file", "Copy the whole folder"),
        ("blip2", _a_shard_less, "two.safetensors is missing", "Copy the whole folder again"),
        ("llava", _no_tokenizer, "tokenizer.json is missing", "Copy the whole folder again"),
        ("blip", _no_images, "preprocessor_config.json is missing", "Copy the whole folder"),
        ("florence2", _own_code, "code of its own, which is never run", "florence-community/"),
        ("blip2", _nameless, "is no BLIP-2 model", "Salesforce/blip2-"),
        ("qwen3", _nameless, "is no vision-language model", "Qwen/Qwen3-VL"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_in_words(
    name: str, harm: Callable[[Path], None], says: str, remedy: str, tmp_path: Path
) -> None:
    folder = copy(name, tmp_path)
    assert problem(name, folder) is None
    harm(folder)
    found = problem(name, folder)
    assert found is not None and found.where == "model" and found.severity == "error"
    assert says in found.message and str(folder) in found.message
    assert remedy in found.remedy
    spec = spec_of(name)
    with pytest.raises(ModelFilesError) as raised:
        spec.load(spec.options.model_validate({"model": str(folder)}))
    assert says in raised.value.message


def test_shards_are_read(tmp_path: Path) -> None:
    folder = copy("blip", tmp_path)
    _a_shard_less(folder)
    weights = load_file(tiny("blip") / "model.safetensors")
    save_file({name: weights[name] for name in sorted(weights)[5:]}, folder / "two.safetensors")
    shown = [picture(1)]
    assert loaded("blip", model=str(folder)).describe(shown) == loaded("blip").describe(shown)


@pytest.mark.parametrize("name", ["blip", "blip2", "florence2", "qwen3"])
@pytest.mark.parametrize("other", NAMES)
def test_a_model_of_another_kind_is_refused_with_the_captioner_that_reads_it(
    name: str, other: str
) -> None:
    found = problem(name, tiny(other))
    fits = spec_of(other).name
    if fits == spec_of(name).name:
        assert found is None
    else:
        assert found is not None and f"Choose the captioner {fits}" in found.remedy


@pytest.mark.parametrize("name", ["x\x1b]0;y", "no such folder", "~nobody-at-all/x", "a/b/c", "/"])
def test_what_is_no_model_at_all_is_refused(name: str) -> None:
    for tiny_name in ("blip", "qwen3"):
        found = problem(tiny_name, name)
        assert found is not None and found.remedy


def test_min_length_above_max_length_is_said() -> None:
    for name in ("blip", "blip2"):
        spec = spec_of(name)
        values = {"model": str(tiny(name)), "min_length": 30, "max_length": 20}
        options = spec.options.model_validate(values)
        (found,) = spec.missing(options)
        assert found.where == "min_length" and "30" in found.message and found.remedy


def test_weights_of_something_else_are_not_filled_with_noise(tmp_path: Path) -> None:
    folder = copy("blip", tmp_path)
    weights = load_file(folder / "model.safetensors")
    name = sorted(weights)[0]
    del weights[name]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelLoadingError, match="not those of its configuration") as raised:
        loaded("blip", model=str(folder))
    assert name in raised.value.message and raised.value.remedy


def test_llava_is_read_as_it_was_published(tmp_path: Path) -> None:
    """With the names of its day, and without what sums a picture up."""
    folder = copy("llava", tmp_path)
    published = {
        name.replace("vision_tower.", "vision_tower.vision_model."): weight
        for name, weight in load_file(folder / "model.safetensors").items()
        if ".head." not in name
    }
    assert sum("vision_tower.vision_model.encoder" in name for name in published) > 9
    save_file(published, folder / "model.safetensors", {"format": "pt"})
    shown = [picture(1), picture(2)]
    assert loaded("llava", model=str(folder)).describe(shown) == loaded("llava").describe(shown)


def test_a_configuration_that_transformers_cannot_read_is_told(tmp_path: Path) -> None:
    folder = copy("qwen3", tmp_path)
    _config(folder, model_type="something_new")
    with pytest.raises(ModelLoadingError) as raised:
        loaded("qwen3", model=str(folder))
    assert "something_new" in raised.value.message and "transformers" in raised.value.remedy


def test_a_gpu_that_is_not_there_is_told() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ModelLoadingError, match="no GPU") as raised:
        loaded("blip", device="cuda")
    assert 'device = "cpu"' in raised.value.remedy
    loaded("blip", device="auto")
