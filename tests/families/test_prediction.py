"""What a base predicts and where its noise ends: told from its files, or by the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from checkpoints import checkpoint_of
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from lora_wizard.core.config import RunConfig
from lora_wizard.core.errors import ProblemsError
from lora_wizard.core.families.base import SamplePrompt
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.preflight_base import inspect_base
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_sd import build, load


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("base") / "folder", like_sd1=True)
    return checkpoint_of(folder, folder.parent / "photo.safetensors")


@pytest.fixture(scope="module")
def v_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("v") / "base", prediction_type="v_prediction")


def marked(file: Path, name: str, tensors: tuple[str, ...] = (), **metadata: str) -> Path:
    """A copy of ``file`` with marks as other tools write them."""
    with safe_open(file, "pt") as opened:
        before = opened.metadata()
    marks = {tensor: torch.empty(0) for tensor in tensors}
    save_file({**load_file(file), **marks}, file.with_name(name), {**before, **metadata})
    return file.with_name(name)


def said(base: Path, loss: dict[str, Any] | None = None, **model: Any) -> dict[str, str]:
    """Severity by key of what is found wrong with ``base`` under these options."""
    config = RunConfig.model_validate({"model": {"base": str(base), **model}, "loss": loss or {}})
    found = inspect_base(config, SPEC, online=False)
    return {problem.where: problem.severity for problem in found.problems}


@pytest.mark.parametrize(
    ("tensors", "metadata", "found"),
    [
        ((), {}, ("epsilon", False)),
        (("v_pred",), {}, ("v", False)),
        (("v_pred", "ztsnr"), {}, ("v", True)),
        ((), {"modelspec.prediction_type": "v"}, ("v", False)),
        ((), {"modelspec.prediction_type": "epsilon"}, ("epsilon", False)),
        ((), {"ss_v_parameterization": "True", "ss_zero_terminal_snr": "True"}, ("v", True)),
        ((), {"ss_v_parameterization": "False"}, ("epsilon", False)),
    ],
)
def test_a_checkpoints_marks_are_read(
    file: Path, tensors: tuple[str, ...], metadata: dict[str, str], found: tuple[str, bool]
) -> None:
    path = marked(file, "marked.safetensors", tensors, **metadata)
    family = load(path)
    assert (family.spec.prediction, family.spec.zero_terminal_snr) == found
    assert said(path) == {}
    assert family.denoiser is not None


def test_the_option_overrules_the_base(file: Path, v_folder: Path) -> None:
    assert load(file, prediction="v").spec.prediction == "v"
    assert load(v_folder).spec.prediction == "v"
    assert load(v_folder, prediction="epsilon").spec.prediction == "epsilon"
    noise = torch.ones(1, 4, 8, 8)
    target = load(v_folder, prediction="epsilon")._schedule.target
    assert target(noise * 2, noise, torch.tensor([300])) is noise


def test_to_contradict_the_base_is_warned_of(file: Path, v_folder: Path) -> None:
    assert said(v_folder, prediction="epsilon") == {"model.prediction": "warning"}
    assert said(v_folder, prediction="v") == {}
    assert said(file, prediction="v") == {}
    v_file = marked(file, "other.safetensors", ("v_pred",))
    assert said(v_file, prediction="epsilon") == {"model.prediction": "warning"}


@pytest.mark.parametrize("name", ["noob-vpred.safetensors", "Thing_V-Pred_1.safetensors"])
def test_a_name_that_says_v_without_a_mark_is_warned_of(file: Path, name: str) -> None:
    path = marked(file, name)
    assert load(path).spec.prediction == "epsilon"
    assert said(path) == {"model.prediction": "warning"}
    assert said(path, prediction="v") == said(path, prediction="epsilon") == {}
    assert said(marked(file, name, ("v_pred",))) == {}


def test_noise_alone_is_no_place_to_begin_for_epsilon(tiny_sd: Path, v_folder: Path) -> None:
    assert said(tiny_sd, zero_terminal_snr=True) == {"model.zero_terminal_snr": "error"}
    assert said(v_folder, zero_terminal_snr=True) == {}
    with pytest.raises(ProblemsError, match="epsilon"):
        load(tiny_sd, zero_terminal_snr=True)
    assert load(v_folder, zero_terminal_snr=True).spec.zero_terminal_snr


def test_weights_for_the_other_prediction_are_refused(tiny_sd: Path, v_folder: Path) -> None:
    for_v, for_epsilon = {"scale_v_like_epsilon": True}, {"v_like_loss": 0.1}
    assert said(tiny_sd, for_v) == {"loss.scale_v_like_epsilon": "error"}
    assert said(v_folder, for_epsilon) == {"loss.v_like_loss": "error"}
    assert said(v_folder, for_v) == said(tiny_sd, for_epsilon) == {}
    min_snr = {"min_snr_gamma": 5.0}
    assert said(v_folder, min_snr) == {}
    assert said(v_folder, min_snr, zero_terminal_snr=True) == {"loss.min_snr_gamma": "note"}


def test_samples_are_drawn_with_the_schedule_that_is_trained(v_folder: Path) -> None:
    pipeline: Any = StableDiffusionPipeline.from_pretrained(v_folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(
        pipeline.scheduler.config, rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    theirs = pipeline(
        "a star",
        width=32,
        height=40,
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(42),
    ).images[0]
    prompt = SamplePrompt("a star", "", 32, 40, 4, 5.0, 42, "euler")
    (ours,) = load(v_folder, zero_terminal_snr=True).sample([prompt])
    (before,) = load(v_folder).sample([prompt])
    wanted = numpy.asarray(theirs, "int16")
    assert numpy.abs(numpy.asarray(ours, "int16") - wanted).max() <= 1
    assert numpy.abs(numpy.asarray(before, "int16") - wanted).max() > 1


def test_a_base_that_ends_in_noise_by_itself_is_trained_so(tmp_path: Path) -> None:
    folder = build(tmp_path / "base")
    config = folder / "scheduler" / "scheduler_config.json"
    told = {**json.loads(config.read_text()), "rescale_betas_zero_snr": True}
    config.write_text(json.dumps(told))
    assert load(folder).spec.zero_terminal_snr
    assert said(folder) == {"model.prediction": "warning"}
    config.write_text(json.dumps({**told, "prediction_type": "sample"}))
    assert said(folder) == {"model.base": "error"}
    assert said(folder, prediction="v") == {"model.prediction": "warning"}
