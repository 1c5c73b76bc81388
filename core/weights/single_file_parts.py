"""The parts of a base in a single file, as frozen modules."""

from __future__ import annotations

from typing import Any

import torch

from .base_model import BaseModelError
from .single_file import SingleFile
from .single_file_names import VAE_LINEAR


def load_from_file(base: SingleFile, name: str, kind: type[Any], dtype: torch.dtype) -> Any:
    """See `base_model_parts.load_part`: the same module, made of the file's tensors."""
    try:
        weights = _weights(base, name, dtype)
        module = _empty(base.config(name), kind)
        wanted = {key.removeprefix("text_model."): key for key in module.state_dict()}
        absent = sorted(set(wanted) - set(weights))
        if absent:
            raise _lacking(base, name, absent)
        # Position numbers, and heads that the module has no use for, are left out.
        module.load_state_dict(
            {key: weights[short] for short, key in wanted.items()}, strict=True, assign=True
        )
    except BaseModelError:
        raise
    except Exception as error:
        # As in `load_part`: what torch, safetensors and the libraries raise is the file's fault.
        raise BaseModelError(
            "A part of the checkpoint cannot be loaded",
            f"{base.folder}, {name}: {type(error).__name__}: {error}",
            "Download the checkpoint again, or take another one.",
        ) from error
    return module.requires_grad_(False).eval()


def _weights(base: SingleFile, name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    from safetensors import safe_open

    with safe_open(base.folder, "pt") as file:
        return {
            new: _as_in_diffusers(new, file.get_tensor(old)).to(dtype)
            for new, old in base.weights[name].items()
        }


def _as_in_diffusers(name: str, tensor: torch.Tensor) -> torch.Tensor:
    return tensor.flatten(1) if name.endswith(VAE_LINEAR) and tensor.ndim == 4 else tensor


def _empty(config: dict[str, Any], kind: type[Any]) -> Any:
    """The module without weights; drawing random ones for gigabytes would take as long as
    reading."""
    from transformers import PreTrainedModel

    with torch.device("meta"):
        if not issubclass(kind, PreTrainedModel):
            return kind.from_config(config)
        made: Any = kind.config_class
        module = kind(made(**config, attention_dropout=0.0))
    _number_positions(module)
    return module


def _number_positions(module: torch.nn.Module) -> None:
    """CLIP counts its positions in a buffer that no file needs to hold."""
    for part in module.modules():
        for name, buffer in list(part.named_buffers(recurse=False)):
            if name == "position_ids":
                count = torch.arange(buffer.shape[-1]).expand(buffer.shape)
                part.register_buffer(name, count, persistent=False)


def _lacking(base: SingleFile, name: str, absent: list[str]) -> BaseModelError:
    return BaseModelError(
        "A part of the checkpoint lacks weights",
        f"{base.folder}, {name}: {len(absent)} are missing, such as {absent[0]}",
        "Download the checkpoint again, or take another one.",
    )
