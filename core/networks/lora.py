"""LoRA (arXiv 2106.09685) on linear layers and convolutions, by PEFT."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_FAILED, WizardError
from ..randomness import key
from .base import LayerSize, NetworkSpec, NormFigures

if TYPE_CHECKING:
    import torch

    from ..config import NetworkOptions
    from ..families.base import ModelFamily
    from .dropouts import Dropouts

_ADAPTER = "default"


class AttachError(WizardError):
    """The network does not fit on the base model."""

    exit_code = EXIT_FAILED


@dataclass(frozen=True)
class _Layer:
    part: str
    name: str
    file_key: str
    alpha: float
    down: torch.nn.Parameter
    up: torch.nn.Parameter

    @property
    def state_name(self) -> str:
        return f"{self.part}.{self.name}"

    @property
    def scale(self) -> float:
        return self.alpha / self.down.shape[0]

    def tensors(self) -> dict[str, torch.nn.Parameter]:
        return {"down": self.down, "up": self.up}


class LoraNetwork:
    """A LoRA on a family's target layers: W + (alpha / rank) * up @ down. See `base.Network`."""

    def __init__(
        self,
        tuners: Mapping[str, Any],
        layers: Sequence[_Layer],
        dropouts: Dropouts,
        own_sizes: Mapping[str, LayerSize],
    ) -> None:
        self.own_sizes = own_sizes
        self._tuners = dict(tuners)
        self._layers = tuple(sorted(layers, key=lambda layer: layer.state_name))
        self._dropouts = dropouts
        self._enabled = True

    @property
    def parts(self) -> Sequence[str]:
        return tuple(self._tuners)

    @property
    def layer_counts(self) -> Mapping[str, int]:
        return {part: sum(layer.part == part for layer in self._layers) for part in self._tuners}

    def parameters_of(self, part: str) -> list[torch.nn.Parameter]:
        return [
            weight
            for layer in self._layers
            if layer.part == part
            for weight in layer.tensors().values()
        ]

    def up_parameters_of(self, part: str) -> list[torch.nn.Parameter]:
        return [layer.up for layer in self._layers if layer.part == part]

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {
            f"{layer.state_name}.{name}": weight.detach().to("cpu", copy=True)
            for layer in self._layers
            for name, weight in layer.tensors().items()
        }

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        _copy_all(
            {
                f"{layer.state_name}.{name}": weight
                for layer in self._layers
                for name, weight in layer.tensors().items()
            },
            state,
        )

    def file_tensors(self) -> dict[str, torch.Tensor]:
        import torch

        tensors: dict[str, torch.Tensor] = {}
        for layer in self._layers:
            tensors[f"{layer.file_key}.alpha"] = torch.tensor(layer.alpha, dtype=torch.float32)
            for name, weight in layer.tensors().items():
                copy = weight.detach().to("cpu", copy=True)
                tensors[f"{layer.file_key}.lora_{name}.weight"] = copy
        return tensors

    def load_file_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        import torch

        weights: dict[str, torch.nn.Parameter] = {}
        scaled = dict(tensors)
        for layer in self._layers:
            rank = layer.down.shape[0]
            # A file without alpha means alpha = rank, and one with another alpha the same LoRA in
            # other units: what counts is alpha / rank * up @ down.
            alpha = scaled.pop(f"{layer.file_key}.alpha", torch.tensor(float(rank))).item()
            up = f"{layer.file_key}.lora_up.weight"
            if up in scaled and alpha != layer.alpha:
                scaled[up] = scaled[up].float() * (alpha / layer.alpha)
            for name, weight in layer.tensors().items():
                weights[f"{layer.file_key}.lora_{name}.weight"] = weight
        _copy_all(weights, scaled)

    def learning(self, step: int, samples: Sequence[int]) -> AbstractContextManager[None]:
        return self._dropouts.learning(step, samples)

    def limit_norms(self, most: float) -> NormFigures:
        from .norms import Product, shorten

        products = [Product(layer.down, layer.up, layer.scale) for layer in self._layers]
        return shorten(products, most)

    @contextlib.contextmanager
    def enabled(self, enabled: bool) -> Iterator[None]:
        weights = [weight for part in self.parts for weight in self.parameters_of(part)]
        # PEFT switches the weights' gradients off and on with the adapter.
        trained = [weight.requires_grad for weight in weights]
        before = self._enabled
        self._switch(enabled)
        try:
            yield
        finally:
            self._switch(before)
            for weight, flag in zip(weights, trained, strict=True):
                weight.requires_grad_(flag)

    def detach(self) -> None:
        for tuner in self._tuners.values():
            model = tuner.unload()
            if hasattr(model, "peft_config"):
                del model.peft_config
        self._tuners.clear()
        self._layers = ()

    def _switch(self, enabled: bool) -> None:
        self._enabled = enabled
        for tuner in self._tuners.values():
            if enabled:
                tuner.enable_adapter_layers()
            else:
                tuner.disable_adapter_layers()


def attach(
    family: ModelFamily,
    options: NetworkOptions,
    seed: int,
    parts: Sequence[str],
    sizes: Mapping[str, LayerSize],
) -> LoraNetwork:
    """Hang a LoRA on every target layer of ``parts``, and with ``conv_rank`` on convolutions too.
    Its weights are fp32 whatever the base's are; everything else of these parts is frozen.

    Raises AttachError when a part has no target layer or PEFT attached to others than asked.
    """
    from .dropouts import Dropouts

    targets = family.lora_targets()
    more = family.convolution_targets() if options.conv_rank else {}
    dropouts = Dropouts(options, seed)
    tuners: dict[str, Any] = {}
    layers: list[_Layer] = []
    for part in parts:
        model = family.denoiser if part == "denoiser" else family.text_encoders[part]
        keys = {name: family.lora_key(part, name) for name in [*targets[part], *more.get(part, ())]}
        given = {
            name: sizes.get(file_key) or _usual_size(model, name, options)
            for name, file_key in keys.items()
        }
        tuners[part] = _inject(model, part, given, options)
        for name, file_key in keys.items():
            module = model.get_submodule(name)
            _initialise(module, key(seed, "network-init", part, name))
            layers.append(_Layer(part, name, file_key, given[name].alpha, *_matrices(module)))
            dropouts.hang_on(module, _ADAPTER, part, name)
    own = {layer.file_key: sizes[layer.file_key] for layer in layers if layer.file_key in sizes}
    return LoraNetwork(tuners, layers, dropouts, own)


def _usual_size(model: torch.nn.Module, name: str, options: NetworkOptions) -> LayerSize:
    if options.conv_rank and options.scaling_conv_alpha and _is_wide(model, name):
        return LayerSize(options.conv_rank, options.scaling_conv_alpha)
    return LayerSize(options.rank, options.scaling_alpha)


def _is_wide(model: torch.nn.Module, name: str) -> bool:
    """Whether a layer is a convolution of more than a single cell."""
    return set(getattr(model.get_submodule(name), "kernel_size", (1,))) != {1}


def _inject(
    model: torch.nn.Module, part: str, sizes: Mapping[str, LayerSize], options: NetworkOptions
) -> Any:
    from peft import LoraConfig
    from peft.tuners.lora import LoraLayer, LoraModel

    if not sizes:
        raise AttachError(
            "There is no layer to train",
            f"{part}: the base model has none of the layers that the family trains",
            "Is the base model of the family that model.family names?",
        )
    usual = LayerSize(options.rank, options.scaling_alpha)
    other = {name: size for name, size in sizes.items() if size != usual}
    configuration = LoraConfig(
        r=options.rank,
        lora_alpha=options.scaling_alpha,  # type: ignore[arg-type]
        target_modules=list(sizes),
        rank_pattern={re.escape(name): size.rank for name, size in other.items()},
        alpha_pattern={re.escape(name): size.alpha for name, size in other.items()},  # type: ignore[arg-type]
    )
    tuner = LoraModel(model, configuration, _ADAPTER)
    attached = {name for name, module in model.named_modules() if isinstance(module, LoraLayer)}
    if attached != set(sizes):
        raise AttachError(
            "The LoRA was attached to other layers than asked for",
            f"{part}: {len(attached)} instead of {len(sizes)}",
            "This is a fault of lora-wizard or of the installed peft; please report it.",
        )
    return tuner


def _initialise(module: Any, draw: int) -> None:
    """Kaiming-uniform down and zero up, as sd-scripts and PEFT begin; drawn on the CPU from a key
    of the layer's own, so that it depends on no other layer and on no device."""
    import torch

    down, up = _matrices(module)
    first = torch.empty(down.shape, dtype=torch.float32)
    generator = torch.Generator("cpu").manual_seed(draw)
    torch.nn.init.kaiming_uniform_(first, a=math.sqrt(5), generator=generator)
    down.data = first.to(down.device)
    up.data = torch.zeros(up.shape, dtype=torch.float32, device=up.device)


def _matrices(module: Any) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
    """(down, up)."""
    return module.lora_A[_ADAPTER].weight, module.lora_B[_ADAPTER].weight


def _copy_all(
    weights: Mapping[str, torch.nn.Parameter], values: Mapping[str, torch.Tensor]
) -> None:
    import torch

    if weights.keys() != values.keys():
        odd = sorted(weights.keys() ^ values.keys())
        raise AttachError(
            "The saved weights are not for this network",
            f"{len(odd)} names differ, such as {odd[0]}",
            "They belong to another base model, or to other trained parts.",
        )
    for name, weight in weights.items():
        if weight.shape != values[name].shape:
            raise AttachError(
                "The saved weights are not for this network",
                f"{name}: {list(values[name].shape)} instead of {list(weight.shape)}",
                "They have another rank, or belong to another base model.",
            )
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(values[name])


SPEC = NetworkSpec(name="lora", title="LoRA", module="networks.lora", attach=attach)
