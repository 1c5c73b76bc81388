"""What is known before a GPU is used: the base model, the folders, the names, the room on disk."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core import preflight
from lora_wizard.core.config import RunConfig, configfile
from lora_wizard.core.errors import EXIT_USER_ERROR, Problem, ProblemsError
from lora_wizard.core.estimates import sizes
from lora_wizard.core.families import registry
from lora_wizard.core.preflight_base import inspect_base
from lora_wizard.core.preflight_machine import clock_problems
from lora_wizard.core.rehearsal import measured
from lora_wizard.core.training import checkpoint
from lora_wizard.tui.cli import main
from PIL import Image


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(12):
        size = ((64, 64), (80, 48))[index % 2]
        Image.effect_noise(size, 40 + index).convert("RGB").save(folder / f"{index}.png")
        (folder / f"{index}.txt").write_text(f"mika, number {index}")
    return folder


@pytest.fixture
def base(tiny_sd: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_sd, tmp_path / "base"))


@pytest.fixture
def configured(tmp_path: Path, base: Path, pictures: Path) -> Callable[..., RunConfig]:
    def make(**sections: dict[str, Any]) -> RunConfig:
        values: dict[str, dict[str, Any]] = {
            "model": {"base": str(base)},
            "dataset": {"folder": str(pictures), "resolution": 64, "bucket_step": 16},
            "samples": {"prompts": ["mika --w 64"]},
            "output": {"folder": str(tmp_path / "out/deep")},
        }
        for section, changes in sections.items():
            values[section] = {**values.get(section, {}), **changes}
        return RunConfig.model_validate(values)

    return make


def errors(config: RunConfig, **options: Any) -> list[Problem]:
    found = preflight.check(config, **options)
    assert [problem.severity for problem in found] == sorted(
        (problem.severity for problem in found), key=["error", "warning", "note"].index
    )
    return [problem for problem in found if problem.severity == "error"]


def test_nothing_is_wrong_with_what_can_run(configured: Callable[..., RunConfig]) -> None:
    assert preflight.check(configured(), decode=True) == []


def _drop(name: str) -> Callable[[Path], None]:
    return lambda base: (base / name).unlink()


def _cut(name: str) -> Callable[[Path], None]:
    def cut(base: Path) -> None:
        data = (base / name).read_bytes()
        (base / name).write_bytes(data[: len(data) // 2])

    return cut


def _edit(name: str, **values: object) -> Callable[[Path], None]:
    def edit(base: Path) -> None:
        content = json.loads((base / name).read_text())
        (base / name).write_text(json.dumps({**content, **values}))

    return edit


def _write(name: str, data: bytes) -> Callable[[Path], None]:
    def write(base: Path) -> None:
        (base / name).write_bytes(data)

    return write


def _pickle_only(base: Path) -> None:
    (base / "unet/diffusion_pytorch_model.safetensors").rename(
        base / "unet/diffusion_pytorch_model.bin"
    )


@pytest.mark.parametrize(
    ("spoil", "where", "said"),
    [
        (shutil.rmtree, "model.base", "not there"),
        (_drop("tokenizer/vocab.json"), "model.base", "vocab.json"),
        (_drop("vae/config.json"), "model.base", "config.json"),
        (_cut("unet/diffusion_pytorch_model.safetensors"), "model.base", "incomplete"),
        (_write("text_encoder/model.safetensors", b""), "model.base", "empty"),
        (_write("unet/config.json", b"[1]"), "model.base", "JSON"),
        (_write("model_index.json", b"{"), "model.base", "cannot be read"),
        (_pickle_only, "model.base", "pickled"),
        (
            _edit("model_index.json", _class_name="StableDiffusionXLPipeline"),
            "model.family",
            "StableDiffusionXLPipeline",
        ),
        (_edit("unet/config.json", cross_attention_dim=1024), "model.family", "2.x"),
    ],
)
def test_a_base_model_that_cannot_be_trained(
    configured: Callable[..., RunConfig],
    base: Path,
    spoil: Callable[[Path], None],
    where: str,
    said: str,
) -> None:
    config = configured()
    spoil(base)
    (problem,) = errors(config)
    assert problem.where == where
    assert said in problem.message
    assert problem.remedy


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt", "model.safetensors"])
def test_a_single_file_is_refused_with_the_way_to_convert(
    configured: Callable[..., RunConfig], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(b"\x80\x02")
    (problem,) = errors(configured(model={"base": str(tmp_path / name)}))
    assert problem.where == "model.base"
    assert "save_pretrained" in problem.remedy


@pytest.mark.parametrize(
    ("section", "values", "where", "said"),
    [
        ("model", {"family": "sd11"}, "model.family", "sd1"),
        ("model", {"clip_skip": 9}, "model.clip_skip", "layers"),
        ("network", {"type": "lroa"}, "network.type", "lora"),
        ("optimizer", {"name": "adam"}, "optimizer.name", "adamw"),
        ("optimizer", {"warmup": 10_000}, "optimizer.warmup", "120"),
        ("samples", {"sampler": "eulr_a"}, "samples.sampler", "euler_a"),
        ("samples", {"prompts": ["fine", "mika --w 3"]}, "samples.prompts[1]", ""),
        ("dataset", {"folder": "/not/there"}, "dataset.folder", "/not"),
    ],
)
def test_values_that_only_a_look_around_can_refuse(
    configured: Callable[..., RunConfig],
    section: str,
    values: dict[str, Any],
    where: str,
    said: str,
) -> None:
    found = errors(configured(**{section: values}))
    assert [problem.where for problem in found] == [where]
    assert said in f"{found[0].message} {found[0].remedy}"


def test_a_family_says_which_options_mean_nothing_to_it(
    configured: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import toy_flow

    monkeypatch.syspath_prepend(toy_flow.register(tmp_path / "site"))
    config = configured(
        model={"base": "toy", "family": "toy_flow", "clip_skip": 2},
        loss={"min_snr_gamma": 5.0},
    )
    assert [problem.where for problem in errors(config)] == [
        "loss.min_snr_gamma",
        "model.clip_skip",
    ]
    assert not errors(configured(model={"base": "toy", "family": "toy_flow"}))
    drawn = configured(model={"base": "toy", "family": "toy_flow"}, samples={"sampler": "heun"})
    assert [problem.where for problem in errors(drawn)] == ["samples.sampler"]


def test_the_output_folder_is_not_a_file_and_can_be_written(
    configured: Callable[..., RunConfig], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (problem,) = errors(configured(output={"folder": str(tmp_path / "file/out")}))
    assert problem.where == "output.folder"
    assert str(tmp_path / "file") in problem.message


def test_a_cache_that_cannot_be_written_is_refused(
    configured: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (problem,) = errors(configured())
    assert "is a file" in problem.message
    assert "XDG_CACHE_HOME" in problem.remedy


def test_a_machine_without_a_home_folder_is_told_what_to_set(
    configured: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert "export HOME" in " ".join(problem.remedy for problem in errors(configured()))
    assert main(["open", "--plain"]) == EXIT_USER_ERROR


def test_what_is_required_is_explained_in_a_whole_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(ProblemsError) as error:
        configfile.load(tmp_path / "empty.toml")
    (remedy,) = [item.remedy for item in error.value.problems if item.where == "model.base"]
    assert ".safetensors checkpoint" in remedy
    assert remedy.endswith(".")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(
    configured: Callable[..., RunConfig], tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    (problem,) = errors(configured(output={"folder": str(tmp_path / "closed/out")}))
    assert "permissions" in problem.remedy


def test_steps_beyond_all_reason_are_named_at_once(configured: Callable[..., RunConfig]) -> None:
    config = configured(
        training={"epochs": 100_000}, dataset={"repeats": 10_000}, output={"save_every_steps": 1}
    )
    found = preflight.inspect(config)
    assert found.schedule is None
    (problem,) = [item for item in found.problems if item.where == "training.epochs"]
    assert problem.severity == "error" and "steps" in problem.message


def test_files_that_will_not_fit_on_the_disk(configured: Callable[..., RunConfig]) -> None:
    huge = {
        "network": {"rank": 1024},
        "training": {"epochs": 50_000},
        "samples": {"prompts": []},
    }
    (problem,) = errors(configured(**huge))
    assert problem.where == "output.folder"
    assert "GB" in problem.message
    assert not errors(configured(**huge, output={"keep_last": 2}))


def test_the_room_is_enough_for_all_states_that_stand_at_once() -> None:
    # The plan knows no torch, so it cannot ask the module that keeps them.
    assert sizes.STATES == checkpoint.KEPT_STATES + 1


def test_the_size_of_a_lora_is_known_from_the_headers(
    configured: Callable[..., RunConfig], base: Path
) -> None:
    from diffusers.models import UNet2DConditionModel
    from lora_wizard.core.families.sd1_model import denoiser_targets, text_encoder_targets
    from transformers import CLIPTextModel

    unet: Any = UNet2DConditionModel.from_pretrained(base / "unet")
    text_encoder: Any = CLIPTextModel.from_pretrained(base / "text_encoder")
    shapes = [
        module.get_submodule(name).weight.shape
        for module, names in (
            (unet, denoiser_targets(unet)),
            (text_encoder, text_encoder_targets(text_encoder)),
        )
        for name in names
    ]
    findings = inspect_base(configured(), registry.find("sd1"))
    assert findings.lora_values_per_rank == sum(shape[0] + shape[1] for shape in shapes)


def test_pictures_are_decoded_when_asked_for(
    configured: Callable[..., RunConfig], pictures: Path
) -> None:
    data = (pictures / "3.png").read_bytes()
    (pictures / "3.png").write_bytes(data[: len(data) // 2])
    assert any("3.png" in problem.where for problem in errors(configured(), decode=True))


def test_a_disk_that_takes_no_more_files(
    configured: Callable[..., RunConfig], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "nr_inodes=60", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of its own cannot be mounted")
    try:
        (problem,) = errors(configured(output={"folder": str(disk)}))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    assert problem.where == "output.folder"
    assert "takes 59 more" in problem.message and "df -i" in problem.remedy


def test_a_clock_that_stands_in_the_past() -> None:
    assert not list(clock_problems())
    (problem,) = clock_problems(86400.0)
    assert "1970-01-02" in problem.message and problem.remedy


def test_what_a_rehearsal_found_is_said_again(configured: Callable[..., RunConfig]) -> None:
    config = configured(training={"batch_size": 4})
    found = measured.Measured(
        *(1.0, 1.0, 1.0, None, None, None, None, None, "64x64"),
        batch_size=4,
        portion=2,
        largest_batch=2,
        device="cpu",
    )
    measured.keep(config, found)
    said = [problem.message for problem in preflight.check(config)]
    assert any("4 pictures at once do not fit" in message for message in said)
    assert any("too small to draw" in message for message in said)
