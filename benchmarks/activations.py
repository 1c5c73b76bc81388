"""What a training step of Stable Diffusion 1.5 keeps for its backward pass, and what it computes.

The figures of `core.families.sd1.COSTS` come from here: bytes per cell of the latent with and
without gradient checkpointing, floating-point operations, and calls, each of which starts a kernel
on a GPU. Nothing is computed and no weights are needed: the full-size U-Net runs on tensors that
have shapes but no content, and the tensors that autograd keeps are counted. Normalisations run in
fp32, as CUDA's autocast does it. The second table tells the layers' share from the rest: what the
LoRA adds to a base of which a single layer is trained.

    python benchmarks/activations.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as functional
from diffusers.models import UNet2DConditionModel
from lora_wizard.core.families.sd1_layers import convolution_targets, denoiser_targets
from peft import LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

UNET: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
RANK, WIDE_RANK = 16, 64
ONE_LAYER, ATTENTION, CONVOLUTIONS = "one layer", "attention", "convolutions"
_NO_KERNEL = {"alias", "as_strided", "detach", "expand", "permute", "reshape", "select", "slice"}
_NO_KERNEL |= {"split", "squeeze", "t", "transpose", "unbind", "unsqueeze", "view", "_unsafe_view"}
CASES = [
    (width, batch, checkpointing, dtype, CONVOLUTIONS if convolutions else ATTENTION)
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


@dataclass(frozen=True)
class Counted:
    """Of one step."""

    size: float
    """Bytes per cell and picture."""
    forward: float
    """Operations of the forward pass, as are those of the whole ``step``."""
    step: float
    calls: int
    """Calls of the whole step."""
    layers: int
    """With a LoRA."""
    values: int
    """Numbers of the LoRA."""


class Calls(TorchDispatchMode):
    """Counts what is called, apart from other looks at the same numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        self.count += func._schema.name.removeprefix("aten::") not in _NO_KERNEL
        return func(*args, **(kwargs or {}))


def measure(
    width: int, batch: int, checkpointing: bool, dtype: torch.dtype, trained: str, rank: int = RANK
) -> Counted:
    with FakeTensorMode(allow_non_fake_inputs=True), _shapes_only(), _normalised_in_fp32():
        unet = _unet(dtype, checkpointing, trained, rank)
        own = {parameter.untyped_storage()._cdata for parameter in unet.parameters()}
        kept: dict[int, torch.Tensor] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.untyped_storage()._cdata not in own:
                kept[tensor.untyped_storage()._cdata] = tensor
            return tensor

        latents = torch.randn(batch, 4, width, width, dtype=dtype)
        text = torch.randn(batch, 77, 768, dtype=dtype)
        counter, calls = FlopCounterMode(display=False), Calls()
        enabled = dtype is not torch.float32
        with counter, calls:
            hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
            with hooks, torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                timesteps = torch.zeros(batch, dtype=torch.long)
                output = unet(latents, timesteps, text, return_dict=False)[0]
            forward = counter.get_total_flops()
            size = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
            kept.clear()
            output.float().square().mean().backward()
        trainable = [value.numel() for value in unet.parameters() if value.requires_grad]
        per_cell = size / (width * width * batch)
        total = counter.get_total_flops()
        layers = len(trainable) // 2
        return Counted(per_cell, forward, total, calls.count, layers, sum(trainable))


def _unet(dtype: torch.dtype, checkpointing: bool, trained: str, rank: int) -> Any:
    torch.set_default_dtype(dtype)
    try:
        unet: Any = UNet2DConditionModel(**UNET).requires_grad_(False)
    finally:
        torch.set_default_dtype(torch.float32)
    shapes = {name: tuple(weight.shape) for name, weight in unet.named_parameters()}
    targets = ["conv_in"] if trained == ONE_LAYER else denoiser_targets(shapes)
    if trained == CONVOLUTIONS:
        targets += convolution_targets(shapes)
    unet.add_adapter(LoraConfig(r=rank, target_modules=targets))
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
        "latent batch checkpointing trained      type      kB/cell  GFLOP forward  step/forward\n"
    )
    for width, batch, checkpointing, dtype, trained in CASES:
        found = measure(width, batch, checkpointing, dtype, trained)
        kind = str(dtype).removeprefix("torch.")
        sys.stdout.write(
            f"{width:>6} {batch:>5} {checkpointing!s:>13} {trained:<12} {kind:<8}"
            f" {found.size / 1000:>8.1f}  {found.forward / 1e9:>13.0f}"
            f"  {found.step / found.forward:>12.2f}\n"
        )
    _tell_layers()


def _tell_layers() -> None:
    """What each kind of layer adds to a step at 512 px."""
    counted = {
        (trained, rank): measure(64, 1, False, torch.float32, trained, rank)
        for trained in (ONE_LAYER, ATTENTION, CONVOLUTIONS)
        for rank in (RANK, WIDE_RANK)
    }
    alone, cells = counted[ONE_LAYER, RANK], 64 * 64
    sys.stdout.write(
        f"\none layer alone: {alone.calls} calls, {alone.forward / cells / 1e6:.1f} MFLOP/cell"
        " forward\nadded by      calls/layer  FLOP forward/cell and number\n"
    )
    for trained, without in ((ATTENTION, ONE_LAYER), (CONVOLUTIONS, ATTENTION)):
        more, less = counted[trained, RANK], counted[without, RANK]
        wide, wide_less = counted[trained, WIDE_RANK], counted[without, WIDE_RANK]
        calls = (more.calls - less.calls) / (more.layers - less.layers)
        flops = wide.forward - more.forward - wide_less.forward + less.forward
        values = wide.values - more.values - wide_less.values + less.values
        sys.stdout.write(f"{trained:<12} {calls:>12.1f}  {flops / cells / values:>29.3f}\n")


if __name__ == "__main__":
    main()
