"""What `check` says of the LoRA that a run is to go on from, from its header alone."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lora_wizard.core import preflight
from lora_wizard.core.config import NetworkOptions, RunConfig, configfile
from lora_wizard.core.errors import Problem, WizardError
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.networks import registry
from lora_wizard.core.preflight_base import inspect_base
from lora_wizard.core.preflight_lora import look_at_lora
from safetensors.torch import save, save_file
from tiny_sd import load, stir
from training_runs import draw_pictures

BOTH = ("denoiser", "text_encoder")
Tensors = dict[str, torch.Tensor]
LAYER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


@pytest.fixture(scope="module")
def tensors(tiny_sd: Path) -> Tensors:
    network = registry.attach(load(tiny_sd), NetworkOptions(rank=4, conv_rank=2), 1, BOTH)
    stir(network)
    return network.file_tensors()


@pytest.fixture
def attention(tensors: Tensors) -> Tensors:
    """The same LoRA without convolutions and what stands beside them."""
    return {n: t for n, t in tensors.items() if "resnets" not in n and "samplers" not in n}


@pytest.fixture
def checked(tiny_sd: Path, tmp_path: Path) -> Callable[..., list[Problem]]:
    pictures = draw_pictures(tmp_path / "pictures", 3)

    def check(weights: Path | Tensors, **changes: dict[str, Any]) -> list[Problem]:
        if isinstance(weights, dict):
            save_file(weights, tmp_path / "lora.safetensors")
            weights = tmp_path / "lora.safetensors"
        values: dict[str, dict[str, Any]] = {
            "model": {"base": str(tiny_sd)},
            "dataset": {"folder": str(pictures), "resolution": 32, "bucket_step": 8},
            "network": {"rank": 4, "weights": str(weights)},
            "output": {"folder": str(tmp_path / "out")},
        }
        for section, changed in changes.items():
            values[section] = {**values.get(section, {}), **changed}
        found = preflight.check(RunConfig.model_validate(values))
        return [problem for problem in found if problem.where.startswith("network.")]

    return check


def test_a_file_that_fits_is_not_mentioned(
    checked: Callable[..., list[Problem]], attention: Tensors, tensors: Tensors
) -> None:
    assert checked(attention) == []
    assert checked(tensors, network={"conv_rank": 2}) == []


def test_another_rank_is_told_with_both_numbers(
    checked: Callable[..., list[Problem]], attention: Tensors, tensors: Tensors
) -> None:
    (problem,) = checked(attention, network={"rank": 16})
    assert "rank 4" in problem.message and "16" in problem.message
    assert (problem.severity, problem.mends[0].values) == ("error", {"network.rank": 4})
    assert problem.remedy == "Set network.rank = 4."
    (problem,) = checked(tensors)
    assert problem.mends[0].values == {"network.conv_rank": 2}
    (problem,) = checked(tensors, network={"conv_rank": 8})
    assert "rank 2" in problem.message and "8" in problem.message
    mixed = {**attention}
    for end, shape in (("down", (3, 16)), ("up", (16, 3))):
        mixed[f"{LAYER}.lora_{end}.weight"] = torch.ones(shape)
    (problem,) = checked(mixed)
    assert "ranks 3 to 4" in problem.message and problem.severity == "note"
    (problem, note) = checked({**tensors, **mixed})
    assert (problem.severity, note.severity) == ("error", "note")
    assert problem.mends[0].values == {"network.conv_rank": 2}


def test_what_is_missing_or_left_over_is_told_with_counts(
    checked: Callable[..., list[Problem]], attention: Tensors
) -> None:
    unet = {name: tensor for name, tensor in attention.items() if name.startswith("lora_unet")}
    text_layers = len({name.partition(".")[0] for name in attention.keys() - unet.keys()})
    (problem,) = checked(unet)
    assert problem.severity == "warning"
    assert f"nothing for {text_layers} of {text_layers} layers of the text enc" in problem.message
    (problem,) = checked(attention, optimizer={"text_encoder_learning_rate": "off"})
    assert problem.severity == "warning"
    assert f"has {text_layers} layers of the text encoder" in problem.message
    assert "optimizer.text_encoder_learning_rate" in problem.remedy
    assert checked(unet, optimizer={"text_encoder_learning_rate": "off"}) == []
    (problem,) = checked({**attention, "bundle_emb.word.string_to_param.*": torch.zeros(2, 16)})
    assert problem.severity == "warning" and "1 entries" in problem.message
    (missing, problem) = sorted(
        checked(unet, optimizer={"unet_learning_rate": "off"}), key=lambda found: found.severity
    )[:2]
    assert "nothing for the part that is trained" in missing.message
    assert problem.severity == "warning"


def _named(*names: str, width: int = 16) -> Tensors:
    found: Tensors = {}
    for name in names:
        found[f"{name}.lora_down.weight"] = torch.ones(4, width)
        found[f"{name}.lora_up.weight"] = torch.ones(16, 4)
    return found


LISTENS = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
OTHERS: dict[str, tuple[Tensors, str]] = {
    "sdxl": (_named("lora_te2_text_model_encoder_layers_0_mlp_fc1"), "Stable Diffusion XL"),
    "sdxl by width": (_named(LISTENS, width=2048), "Stable Diffusion XL"),
    "sd2": (_named(LISTENS, width=1024), "Stable Diffusion 2.x"),
    "flux": (_named("lora_unet_double_blocks_0_img_attn_qkv"), "Flux.1"),
    "flux of diffusers": (
        {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": torch.ones(4, 16)}
        | {"transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight": torch.ones(16, 4)},
        "Flux.1",
    ),
    "sd3": (_named("lora_unet_joint_blocks_0_context_block_attn_qkv"), "Stable Diffusion 3"),
    "loha": ({f"{LAYER}.hada_w1_a": torch.ones(4, 4)}, "a LoHa"),
    "lokr": ({f"{LAYER}.lokr_w1": torch.ones(4, 4)}, "a LoKr"),
    "dora": ({**_named(LAYER), f"{LAYER}.dora_scale": torch.ones(16)}, "a DoRA"),
    "dora of peft": (
        {**_named(LAYER), f"{LAYER}.lora_magnitude_vector.weight": torch.ones(16)},
        "a DoRA",
    ),
    "tucker": ({**_named(LAYER), f"{LAYER}.lora_mid.weight": torch.ones(4, 4)}, "Tucker"),
    "difference": ({f"{LAYER}.diff": torch.ones(16, 16)}, "a full difference"),
    "another width": (_named(LAYER, width=8), "another base model"),
    "no layer": (_named("lora_unet_somewhere_else"), "no layer of this base"),
    "no down": ({f"{LAYER}.lora_up.weight": torch.ones(16, 4)}, "has no down"),
    "only alpha": ({f"{LAYER}.alpha": torch.ones(())}, "an alpha and nothing else"),
    "two ranks": ({**_named(LAYER), f"{LAYER}.lora_up.weight": torch.ones(16, 5)}, "do not fit"),
    "many alphas": ({**_named(LAYER), f"{LAYER}.alpha": torch.ones(3)}, "not a single number"),
    "quantised": (
        {name: tensor.to(torch.int8) for name, tensor in _named(LAYER).items()},
        "holds I8",
    ),
    "twice": (
        {**_named(LAYER), f"{LAYER}.lora_A.weight": torch.ones(4, 16)},
        "under two names",
    ),
    "a base": (
        {"model.diffusion_model.input_blocks.0.0.weight": torch.ones(8, 4, 3, 3)},
        "not a LoRA",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_kind_of_file_is_refused_by_name(
    what: str, checked: Callable[..., list[Problem]]
) -> None:
    content, words = OTHERS[what]
    (problem,) = checked(content)
    assert problem.severity == "error"
    assert words in problem.message, problem.message
    assert problem.remedy


def _bytes(data: bytes, name: str = "lora.safetensors") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _folder(**files: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        place = folder / "adapter"
        place.mkdir()
        peft = {
            "base_model.model.mid_block.attentions.0.transformer_blocks.0.attn1.to_q."
            f"lora_{end}.weight": torch.ones(shape)
            for end, shape in (("A", (4, 16)), ("B", (16, 4)))
        }
        save_file(peft, place / "adapter_model.safetensors")
        for name, text in files.items():
            (place / f"{name}.json").write_text(text)
        return place

    return make


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "lora.safetensors")
    return folder / "lora.safetensors"


WHOLE = save(_named(LAYER))
BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "lora.safetensors", "is not there"),
    "folder": (lambda folder: folder, "no LoRA in the folder"),
    "fifo": (_fifo, "is no file"),
    "pickled": (_bytes(b"PK\x03\x04", "lora.pt"), "LoRA is pickled"),
    "pickled inside": (_bytes(b"PK\x03\x04" + b"\0" * 600), "LoRA is pickled"),
    "cut off": (_bytes(WHOLE[:-10]), "incomplete"),
    "empty": (_bytes(b""), "incomplete"),
    "noise": (_bytes(bytes(range(256)) * 9), "not a whole safetensors file"),
    "page": (_bytes(b"<!doctype html>" * 50), "web page saved under the LoRA's name"),
    "pointer": (_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "pointer to the LoRA"),
    "dora": (_folder(adapter_config=json.dumps({"use_dora": True})), "a DoRA"),
    "no json": (_folder(adapter_config="{"), "not JSON"),
    "a list": (_folder(adapter_config="[]"), "not a JSON object"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused(
    what: str, checked: Callable[..., list[Problem]], tmp_path: Path
) -> None:
    make, words = BROKEN[what]
    (problem,) = checked(make(tmp_path))
    assert (problem.severity, problem.where) == ("error", "network.weights")
    assert words in problem.message, problem.message
    assert problem.remedy


def test_odd_configurations_of_adapters_do_no_harm(
    checked: Callable[..., list[Problem]], tmp_path: Path
) -> None:
    odd = {"lora_alpha": "x", "alpha_pattern": [1], "use_rslora": 3, "r": None}
    problems = checked(_folder(adapter_config=json.dumps(odd))(tmp_path))
    assert {problem.severity for problem in problems} == {"warning"}


def test_it_is_told_without_torch(tiny_sd: Path, tmp_path: Path, tensors: Tensors) -> None:
    save_file(tensors, tmp_path / "old.safetensors")
    draw_pictures(tmp_path / "pictures", 3)
    toml = tmp_path / "run.toml"
    toml.write_text(
        f'[model]\nbase = "{tiny_sd}"\n[dataset]\nfolder = "pictures"\nresolution = 32\n'
        'bucket_step = 8\n[network]\nrank = 8\nconv_rank = 2\nweights = "old.safetensors"\n'
    )
    assert configfile.load(toml).network.weights == str(tmp_path / "old.safetensors")
    code = (
        "import sys\nfrom lora_wizard.tui.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "assert not {'torch', 'safetensors.torch', 'diffusers', 'peft'} & sys.modules.keys()\n"
        "sys.exit(status)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "check", str(toml)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2, ran.stderr
    assert "Set network.rank = 4." in " ".join((ran.stdout + ran.stderr).split())


NAMES = st.sampled_from(
    [LAYER, "unet.x", "base_model.model.mid_block", "lora_te_text_model", LISTENS, ""]
)
ENDINGS = st.sampled_from(
    [".lora_down.weight", ".lora_up.weight", ".alpha", ".lora_A.weight", ".lora_B.weight", ".x"]
)
SHAPES = st.lists(st.integers(0, 5), max_size=4)
ENTRIES = st.dictionaries(
    st.builds(str.__add__, NAMES, ENDINGS),
    st.tuples(SHAPES, st.sampled_from(["F16", "F32", "I8", "BOOL"])),
    max_size=8,
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
CONFIGS = st.fixed_dictionaries(
    {}, optional={"lora_alpha": ODD, "alpha_pattern": ODD, "use_rslora": ODD, "unet.r": ODD}
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENTRIES, CONFIGS | ODD)
def test_no_header_is_too_odd_to_be_answered(
    tiny_sd: Path, tmp_path: Path, entries: dict[str, tuple[list[int], str]], adapter: Any
) -> None:
    sizes = {"F16": 2, "F32": 4}
    header: dict[str, Any] = {"__metadata__": {"lora_adapter_metadata": json.dumps(adapter)}}
    end = 0
    for name, (shape, dtype) in entries.items():
        start, end = end, end + math.prod(shape) * sizes.get(dtype, 1)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    config = RunConfig.model_validate(
        {"model": {"base": str(tiny_sd)}, "network": {"rank": 4, "weights": str(path)}}
    )
    found = look_at_lora(config, SPEC, inspect_base(config, SPEC))
    assert found.file is None or found.layers
    for name in found.layers.values():
        assert found.file
        with contextlib.suppress(WizardError):
            alpha = found.file.alpha(name)
            assert alpha is None or math.isfinite(alpha)
