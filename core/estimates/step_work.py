"""What a training step has to do, as far as it hangs on the layers that are trained.

Small batches wait for the processor, which starts every operation on the GPU; large ones for the
arithmetic. So both are told, and a real step lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..config import RunConfig
from ..families.base import Costs, FamilySpec, PartSize
from ..preflight_base import BaseFindings
from .sizes import part_sizes, trained_parts, training_pixels

_BACKWARD, _LORA_BACKWARD = 1.0, 2.0
"""Of the forward pass: a frozen layer is only passed through, a LoRA's matrices learn as well."""
_RECOMPUTED = 0.75
"""The same, for gradient checkpointing."""
_LORA_OPERATIONS = 9
"""That a layer's LoRA adds, of whatever kind the layer is; see `benchmarks/activations.py`."""


@dataclass(frozen=True)
class StepWork:
    """Of a batch's way through the denoiser and back."""

    flops: float
    """Per picture."""
    operations: float
    """Whatever the batch size."""

    def times(self, other: StepWork) -> float:
        """How many times as long as ``other`` this takes, as far as it is not known which of the
        two a step waits for."""
        return (self.flops / other.flops + self.operations / other.operations) / 2


def step_work(config: RunConfig, spec: FamilySpec, base: BaseFindings | None) -> StepWork | None:
    """None for a family that gives no figures."""
    costs = spec.costs
    if costs is None:
        return None
    size, pixels = part_sizes(spec, base)[costs.denoiser], training_pixels(config, spec)
    again = _RECOMPUTED if config.training.gradient_checkpointing else 0
    flops = (1 + _BACKWARD + again) * forward_flops(costs, size, pixels)
    operations = costs.operations
    if costs.denoiser in trained_parts(config, spec):
        cells = pixels / costs.cell_side**2
        flops += (1 + _LORA_BACKWARD + again) * cells * _lora_flops(config, costs, size)
        layers = size.lora_layers
        if config.network.conv_rank:
            layers += size.beside_layers + size.conv_layers
        operations += _LORA_OPERATIONS * layers
    return StepWork(flops, operations * (1 + again / (1 + _BACKWARD)))


def forward_flops(costs: Costs, size: PartSize, pixels: int) -> float:
    """Of the denoiser without a LoRA, for one picture."""
    cells = pixels / costs.cell_side**2
    usual = cells * costs.flops + cells**2 * costs.attention_flops
    return usual * size.values / costs.parts[costs.denoiser].values


def _lora_flops(config: RunConfig, costs: Costs, size: PartSize) -> float:
    """Of the LoRA's forward pass, per cell."""
    network = config.network
    flops = costs.lora_flops * network.rank * size.lora_values
    if network.conv_rank:
        values = network.rank * size.beside_values + network.conv_rank * size.conv_values
        flops += costs.convolution_flops * values
    return flops
