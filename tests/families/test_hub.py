"""A base model from the hub: a small hub of the test's own answers, over real HTTP."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from lora_wizard.core.weights.base_model import BaseModelError
from lora_wizard.core.weights.download import Download, under_way
from tiny_hub import Hub

TOKEN = "hf_thisIsASecretTokenOfTheTests"
LOCATE = """
import sys
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.weights.base_model import locate
try:
    print(locate(sys.argv[1], SPEC.parts, given=sys.argv[2:]).folder)
except WizardError as error:
    print(error)
    sys.exit(2)
"""


@pytest.fixture
def hub(tiny_sd: Path, tmp_path: Path) -> Iterator[Hub]:
    folder = Path(shutil.copytree(tiny_sd, tmp_path / "served"))
    for name in ("diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"):
        (folder / "unet" / name).write_bytes(b"the same weights again")
    (folder / "v1-5-pruned.safetensors").write_bytes(b"and again")
    served = Hub(folder)
    yield served
    served.server.shutdown()


def ask(
    name: str, cache: Path, url: str, given: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    # The hub's library reads its settings when it is imported: a process of its own for each.
    return subprocess.run(
        [sys.executable, "-c", LOCATE, name, *given],
        env={
            **os.environ,
            "HF_ENDPOINT": url,
            "HF_HOME": str(cache),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_TOKEN": TOKEN,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_what_is_needed_is_downloaded_once_and_read_offline(hub: Hub, tmp_path: Path) -> None:
    first = ask("me/tiny", tmp_path / "hf", hub.url)
    assert first.returncode == 0, first.stdout + first.stderr
    fetched = set(hub.downloads)
    assert "unet/diffusion_pytorch_model.safetensors" in fetched
    assert "tokenizer/vocab.json" in fetched
    assert not [name for name in fetched if ".bin" in name or "fp16" in name or "pruned" in name]

    hub.downloads.clear()
    again = ask("me/tiny", tmp_path / "hf", hub.url, HF_HUB_OFFLINE="1")
    assert again.stdout == first.stdout
    assert not hub.downloads


def test_a_part_that_is_given_need_not_be_there(hub: Hub, tmp_path: Path) -> None:
    shutil.rmtree(hub.folder / "vae")
    refused = ask("me/tiny", tmp_path / "hf", hub.url)
    assert refused.returncode == 2 and "vae" in refused.stdout
    first = ask("me/tiny", tmp_path / "hf", hub.url, ("vae",))
    assert first.returncode == 0, first.stdout + first.stderr
    again = ask("me/tiny", tmp_path / "hf", hub.url, ("vae",), HF_HUB_OFFLINE="1")
    assert again.stdout == first.stdout


def test_half_a_download_goes_on(hub: Hub, tmp_path: Path) -> None:
    folder = Path(ask("me/tiny", tmp_path / "hf", hub.url).stdout.strip())
    lost = folder / "vae" / "diffusion_pytorch_model.safetensors"
    lost.resolve().unlink()
    lost.unlink()
    hub.downloads.clear()
    assert ask("me/tiny", tmp_path / "hf", hub.url).returncode == 0
    assert hub.downloads == ["vae/diffusion_pytorch_model.safetensors"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("me/gated", "Accept it at"),
        ("me/absent", "typing mistake"),
        ("m--e/tiny", "neither a folder"),
    ],
)
def test_what_the_hub_refuses_is_explained(hub: Hub, tmp_path: Path, name: str, told: str) -> None:
    done = ask(name, tmp_path / "hf", hub.url)
    assert done.returncode == 2
    assert told in done.stdout
    assert name in done.stdout
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("offline", [pytest.param("0", marks=pytest.mark.slow), "1"])
def test_without_a_connection_it_says_so(tmp_path: Path, offline: str) -> None:
    # Nothing listens there; the hub's library tries for half a minute.
    done = ask("me/tiny", tmp_path / "hf", "http://127.0.0.1:9", HF_HUB_OFFLINE=offline)
    assert done.returncode == 2
    assert "cannot be reached" in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_a_repository_with_pickled_weights_only_is_not_downloaded(hub: Hub, tmp_path: Path) -> None:
    for file in (hub.folder / "unet").glob("*.safetensors"):
        file.unlink()
    done = ask("me/tiny", tmp_path / "hf", hub.url)
    assert done.returncode == 2
    assert "pickled" in done.stdout
    assert not hub.downloads


@pytest.fixture
def online(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub for processes that are started now."""
    settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
    for name, value in {**settings, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    return hub


def test_a_download_in_a_process_of_its_own(online: Hub) -> None:
    download = Download("me/tiny", "sd1")
    assert under_way("me/tiny") is download
    assert download.wait(60)
    download.check()
    weights = (online.folder / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size
    assert download.bytes_came > weights
    assert under_way("me/tiny") is None


def test_a_download_that_is_refused_or_stopped_says_so(online: Hub) -> None:
    refused = Download("me/gated", "sd1")
    assert refused.wait(60)
    with pytest.raises(BaseModelError, match="licence"):
        refused.check()
    stopped = Download("me/tiny", "sd1")
    stopped.stop()
    with pytest.raises(BaseModelError, match="stopped"):
        stopped.check()
