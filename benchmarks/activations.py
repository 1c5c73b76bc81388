"""What a training step of Stable Diffusion 1.5 keeps for its backward pass, and what it computes.

The figures of `core.families.sd1.COSTS` come from here: bytes per cell of the latent with and
without gradient checkpointing, and floating-point operations. Nothing is computed and no weights
are needed: the full-size U-Net runs on tensors that have shapes but no content, and the tensors
that autograd keeps are counted. Normalisations run in fp32, as CUDA's autocast does it.

    python benchmarks/activations.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as functional
from diffusers.models import UNet2DConditionModel
from lora_wizard.core.families.sd1_layers import convolution_targets
from lora_wizard.core.families.sd1_model import denoiser_targets
from peft import LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

UNET: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
RANK = 16
CASES = [
    (width, batch, checkpointing, dtype, convolutions)
    for dtype in (torch.bfloat16, torch.float32)
    for checkpointing in (False, True)
    for width, batch, convolutions in (
        (32, 1, False),
        (64, 1, False),
        (64, 1, True),
        (64, 2, False),
        (96, 1, False),
    )
]


def measure(
    width: int, batch: int, checkpointing: bool, dtype: torch.dtype, convolutions: bool
) -> tuple[float, float, float]:
    """(bytes per cell and picture, operations forward, operations of the whole step)."""
    with FakeTensorMode(allow_non_fake_inputs=True), _shapes_only(), _normalised_in_fp32():
        unet = _unet(dtype, checkpointing, convolutions)
        own = {parameter.untyped_storage()._cdata for parameter in unet.parameters()}
        kept: dict[int, torch.Tensor] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.untyped_storage()._cdata not in own:
                kept[tensor.untyped_storage()._cdata] = tensor
            return tensor

        latents = torch.randn(batch, 4, width, width, dtype=dtype)
        text = torch.randn(batch, 77, 768, dtype=dtype)
        counter = FlopCounterMode(display=False)
        enabled = dtype is not torch.float32
        with counter:
            hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
            with hooks, torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                timesteps = torch.zeros(batch, dtype=torch.long)
                output = unet(latents, timesteps, text, return_dict=False)[0]
            forward = counter.get_total_flops()
            size = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
            kept.clear()
            output.float().square().mean().backward()
        return size / (width * width * batch), forward, counter.get_total_flops()


def _unet(dtype: torch.dtype, checkpointing: bool, convolutions: bool) -> Any:
    torch.set_default_dtype(dtype)
    try:
        unet: Any = UNet2DConditionModel(**UNET).requires_grad_(False)
    finally:
        torch.set_default_dtype(torch.float32)
    targets = denoiser_targets(unet)
    if convolutions:
        shapes = {name: tuple(weight.shape) for name, weight in unet.named_parameters()}
        targets += convolution_targets(shapes)
    unet.add_adapter(LoraConfig(r=RANK, target_modules=targets))
    unet.train(checkpointing)
    if checkpointing:
        unet.enable_gradient_checkpointing()
    return unet


@contextmanager
def _shapes_only() -> Iterator[None]:
    """Tensors without content cannot be moved, and need not be."""
    unmoved = patch.object(torch.nn.Module, "to", lambda module, *_, **__: module)
    adapter = patch.object(
        BaseTunerLayer, "_move_adapter_to_device_of_base_layer", lambda *_, **__: None
    )
    with unmoved, adapter:
        yield


@contextmanager
def _normalised_in_fp32() -> Iterator[None]:
    group, layer = functional.group_norm, functional.layer_norm

    def in_fp32(norm: Any) -> Any:
        def run(values: torch.Tensor, shape: Any, *rest: Any, **named: Any) -> torch.Tensor:
            rest = tuple(map(_as_fp32, rest))
            named = {name: _as_fp32(value) for name, value in named.items()}
            return norm(values.float(), shape, *rest, **named)

        return run

    with (
        patch.object(functional, "group_norm", in_fp32(group)),
        patch.object(functional, "layer_norm", in_fp32(layer)),
    ):
        yield


def _as_fp32(value: Any) -> Any:
    return value.float() if isinstance(value, torch.Tensor) else value


def main() -> None:
    sys.stdout.write(
        "latent batch checkpointing convolutions type      kB/cell  GFLOP forward  step/forward\n"
    )
    for width, batch, checkpointing, dtype, convolutions in CASES:
        size, forward, step = measure(width, batch, checkpointing, dtype, convolutions)
        kind = str(dtype).removeprefix("torch.")
        sys.stdout.write(
            f"{width:>6} {batch:>5} {checkpointing!s:>13} {convolutions!s:>12} {kind:<8}"
            f" {size / 1000:>8.1f}  {forward / 1e9:>13.0f}  {step / forward:>12.2f}\n"
        )


if __name__ == "__main__":
    main()
