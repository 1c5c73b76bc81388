"""The step of the base model: what is said of each, what is offered, and what a key does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import screens
from checkpoints import checkpoint_of, write_header, write_sd15, write_words
from huggingface_hub import constants
from lora_wizard.core import hardware
from lora_wizard.core.config.paths import resolve_base_model
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.model import ModelScreen
from lora_wizard.tui.walk import base_places
from lora_wizard.tui.walk.assessment import Assessor
from lora_wizard.tui.walk.base_places import nearby
from lora_wizard.tui.walk.bases import look
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.rows import Rows
from screens import at_rest, check_snapshot, screen_text
from textual.pilot import Pilot
from textual.widgets import Input
from tiny_hub import Hub

GPU = "0, GPU-1, NVIDIA GeForce RTX 2070, 8192, 8000, 550.1, 7.5, [N/A]"
XL = {
    "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
    "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": (640, 2048),
    "conditioner.embedders.1.model.ln_final.weight": (1280,),
}


@pytest.fixture(autouse=True)
def machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A rented machine: an older GPU, an empty hub's cache, no disks that others can see."""
    script = home / ".bin" / "nvidia-smi"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\necho '{GPU}'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(base_places, "SHARED_FOLDERS", (home / "workspace",))
    monkeypatch.setitem(sys.modules, "open_clip", None)
    hardware.hardware.cache_clear()
    yield home
    hardware.hardware.cache_clear()


async def opened(pilot: Pilot[None], base: str = "") -> WizardApp:
    app = pilot.app
    assert isinstance(app, WizardApp)
    draft = Draft.new("person")
    draft.step = "model"
    app.begin(draft)
    await at_rest(pilot)
    if base:
        app.screen.query_one(Input).value = base
        await at_rest(pilot)
    assert isinstance(app.screen, ModelScreen)
    return app


@pytest.fixture
def photo_real(home: Path) -> Path:
    write_words(home / "models" / "tokenizer")
    return write_sd15(home / "models" / "photo-real-v5.safetensors")


@pytest.mark.anyio
async def test_what_the_review_refuses_is_not_accepted_here(home: Path) -> None:
    """The miniature as one file: of the family, and of no shape that a file may have."""
    (home / "models").mkdir()
    embedded = Path(resolve_base_model("embedded:demo", home))
    checkpoint_of(embedded, home / "models" / "mini.safetensors")
    async with WizardApp().run_test(size=screens.SIZES[0]) as pilot:
        app = await opened(pilot, str(home / "models" / "mini.safetensors"))
        said = " ".join(screen_text(app).split())
        assert "is not built like Stable Diffusion" in said
        assert "Looks like Stable Diffusion 1.x" in said
        assert "recognised" not in said


@pytest.mark.anyio
@pytest.mark.parametrize("size", screens.SIZES)
async def test_the_presets_model_is_not_here_and_the_machine_is_offline(
    home: Path, size: tuple[int, int]
) -> None:
    async with WizardApp().run_test(size=size) as pilot:
        app = await opened(pilot)
        check_snapshot(app, "model-offline", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", screens.SIZES)
async def test_a_checkpoint_is_recognised(
    home: Path, photo_real: Path, size: tuple[int, int]
) -> None:
    write_sd15(home / "workspace/ComfyUI/models/checkpoints" / f"{'long name ' * 9}.safetensors")
    async with WizardApp().run_test(size=size) as pilot:
        app = await opened(pilot, str(photo_real))
        check_snapshot(app, "model-checkpoint", home)
        assert app.assessment and app.assessment.base
        assert not [p for p in app.assessment.errors if p.where.startswith("model")]


@pytest.mark.anyio
@pytest.mark.parametrize("size", screens.SIZES)
async def test_another_family_is_refused(home: Path, size: tuple[int, int]) -> None:
    write_header(home / "juggernautXL.safetensors", XL)
    async with WizardApp().run_test(size=size) as pilot:
        app = await opened(pilot, "juggernautXL.safetensors")
        check_snapshot(app, "model-another-family", home)


@pytest.mark.anyio
async def test_a_checkpoint_without_words_says_what_to_do(home: Path) -> None:
    write_sd15(home / "photo-real-v5.safetensors")
    async with WizardApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot, "photo-real-v5.safetensors")
        check_snapshot(app, "model-no-words", home)


@pytest.mark.anyio
async def test_a_model_is_taken_from_the_list_by_keys(photo_real: Path) -> None:
    async with WizardApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("f4", "enter")
        await at_rest(pilot)
        assert app.draft.value("model.base") == str(photo_real)
        assert "✓ Stable Diffusion 1.x" in screen_text(app)
        assert app.screen.focused and app.screen.focused.id != "nearby"


@pytest.mark.anyio
async def test_f2_takes_the_precision_for_the_gpu(home: Path) -> None:
    async with WizardApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert "F2 sets fp16:" in screen_text(app)
        await pilot.press("f2")
        await at_rest(pilot)
        assert app.draft.value("model.precision") == "fp16"
        assert "F2 sets" not in screen_text(app)
        assert "[fp16]" in screen_text(app)


@pytest.mark.anyio
async def test_f3_downloads_now(home: Path, tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(tiny_sd)
    settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_XET": "1"}
    for name, value in {**settings, "HF_HUB_OFFLINE": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hf" / "hub"))
    async with WizardApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot, "me/tiny")
        await pilot.press("f3")
        assert "downloading me/tiny" in screen_text(app)
        await at_rest(pilot)
        assert "✓ Stable Diffusion 1.x" in screen_text(app)
        assert app.assessment and not [p for p in app.assessment.errors if p.where == "model.base"]
    hub.server.shutdown()


@pytest.mark.anyio
async def test_hostile_names_are_shown_escaped(home: Path) -> None:
    name = "\x1b[31m[bold]red‮.safetensors"
    write_sd15(home / "models" / name)
    async with WizardApp().run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        text = screen_text(app)
        assert "\\x1b[31m[bold]red\\u202e.safetensors" in text
        assert "\x1b" not in text
        rows = app.screen.query_one(Rows)
        assert rows.option_count == 3


def test_models_are_offered_once_and_the_last_used_first(home: Path, photo_real: Path) -> None:
    demo = Draft.new("person")
    demo.put("model.base", "embedded:demo")
    demo.keep()
    gone = Draft.new("person")
    gone.put("model.base", str(home / "gone.safetensors"))
    lora = home / "models" / "mika.safetensors"
    write_header(lora, {"lora_unet_a.lora_down.weight": (60_000, 1000)})
    write_header(home / "models" / "small.safetensors", XL)
    found = [item.text for item in nearby(home)]
    assert found == [
        "embedded:demo",
        str(photo_real),
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
    ]


def test_a_vae_that_is_given_later_is_seen(home: Path, tiny_sd: Path) -> None:
    lacking = Path(shutil.copytree(tiny_sd, home / "lacking"))
    shutil.rmtree(lacking / "vae")
    draft, assessor = Draft.new("face"), Assessor()
    draft.put("model.base", str(lacking))
    told = assessor.assess(draft.snapshot()).errors
    assert [problem.where for problem in told if problem.where.startswith("model.")] == [
        "model.base"
    ]
    draft.put("model.vae", str(tiny_sd / "vae"))
    told = assessor.assess(draft.snapshot()).errors
    assert not [problem for problem in told if problem.where.startswith("model.")]


def test_what_is_said_of_a_folder_and_of_what_is_nothing(home: Path, tiny_sd: Path) -> None:
    view = look(str(tiny_sd), home)
    assert (view.family, view.title) == ("sd1", "Stable Diffusion 1.x")
    assert "parameters" in view.facts[0] and "predicts noise" in view.facts
    assert look("embedded:demo", home).family == "sd1"
    for text in ("", "nothing/at/all", "\x1b", "~nobody/x", "a/b", "[" * 5000):
        assert not look(text, home).family
    assert look("a/b", home).to_download == "a/b"
