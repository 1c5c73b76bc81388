"""A VAE that is not the base's own: a file, a folder, or from the hub. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.paths import is_hub_id, resolve_base_model
from ..errors import WizardError
from .base_model import (
    BaseModel,
    BaseModelError,
    OpenFile,
    Part,
    file_hash,
    is_pickled,
    weight_variant,
)
from .header import Header
from .single_file import SingleFile

_WEIGHTS, _CONFIG = "diffusion_pytorch_model", "config.json"
_REMEDY = (
    "Give a .safetensors file, a folder with config.json and diffusion_pytorch_model.safetensors, "
    "a hub id such as stabilityai/sd-vae-ft-mse, or leave model.vae out for the base's own."
)


@dataclass(frozen=True)
class ExternalVae:
    """Where it is: a part of something that is read like a base model."""

    base: BaseModel
    part: str
    """The subfolder; empty where the folder itself is the VAE's."""

    def config(self) -> dict[str, Any]:
        """Its configuration. Raises BaseModelError."""
        return self.base.config(self.part)

    def headers(self) -> list[Header]:
        """Of its weight files, with diffusers' names. Raises HeaderError for one cut off."""
        return list(self.base.headers(Part(self.part, weights=_WEIGHTS)))

    def content_hash(self) -> str:
        """SHA-256 of what is read of it."""
        if isinstance(self.base, SingleFile):
            return file_hash(self.base.folder)
        return self.base.content_hash([Part(self.part, weights=_WEIGHTS, files=(_CONFIG,))])


def locate_vae(name: str, open_file: OpenFile) -> ExternalVae:
    """Find the VAE ``name``; one from the hub is downloaded when it is not in its cache.
    ``open_file`` opens a single file as the family's.

    Raises BaseModelError with what to do.
    """
    resolved = resolve_base_model(name, Path.cwd())
    path = _from_hub(resolved) if is_hub_id(resolved) else Path(resolved)
    if path.is_file():
        if is_pickled(path.name):
            raise _error("The VAE is pickled, which can run a stranger's code", path)
        return ExternalVae(open_file(name, path), "vae")
    for part in ("vae", ""):
        folder = path / part
        if not (folder / _CONFIG).is_file():
            continue
        try:
            variant = weight_variant([file.name for file in folder.iterdir()], _WEIGHTS)
        except FileNotFoundError:
            raise _error("The VAE has no .safetensors weights", folder) from None
        return ExternalVae(BaseModel(name, path, {part: variant}), part)
    raise _error("The VAE is not there" if not path.exists() else "This is no VAE", path)


def _from_hub(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = [f"{part}{file}" for part in ("", "vae/") for file in (_CONFIG, f"{_WEIGHTS}.*")]
    try:
        return Path(snapshot_download(repository, allow_patterns=wanted, ignore_patterns=["*.bin"]))
    except Exception as error:
        # The client's errors are of many libraries, and their texts may hold an address with
        # parameters, so only the kind is shown.
        raise BaseModelError(
            "The VAE is not on this machine, and the hub does not give it",
            f"model.vae: {repository} ({type(error).__name__})",
            _REMEDY,
        ) from None


def _error(title: str, path: Path) -> WizardError:
    return BaseModelError(title, f"model.vae: {path}", _REMEDY)
