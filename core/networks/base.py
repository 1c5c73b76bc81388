"""The seam between the loop and a network type.

A network type is one module with a ``SPEC``, free of torch until `NetworkSpec.attach` is called.
It knows how its weights hang on a base model's layers and under which keys they lie in a file; it
knows nothing of families but their target layers and key names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

    from ..config import NetworkOptions
    from ..families.base import ModelFamily


@dataclass(frozen=True)
class NormFigures:
    """How long the layers' weights are: the Frobenius norm of what a layer adds to the base's."""

    scaled: int
    """How many layers were too long and are scaled back."""
    mean: float
    """Of all layers, after that, as is ``highest``."""
    highest: float


@dataclass(frozen=True)
class LayerSize:
    """Of one layer of a LoRA, where it is not the options'."""

    rank: int
    alpha: float


class Network(Protocol):
    """What is trained: extra weights on some layers of a frozen base model."""

    @property
    def parts(self) -> Sequence[str]:
        """``denoiser`` and text encoders' names that it hangs on."""
        ...

    @property
    def layer_counts(self) -> Mapping[str, int]:
        """How many layers of each part it hangs on."""
        ...

    @property
    def own_sizes(self) -> Mapping[str, LayerSize]:
        """Of the layers that were attached with a size of their own, by their key in a file."""
        ...

    def parameters_of(self, part: str) -> list[torch.nn.Parameter]:
        """The trained weights on ``part``, fp32, in the order of the layers' names."""
        ...

    def up_parameters_of(self, part: str) -> list[torch.nn.Parameter]:
        """Those of `parameters_of` that begin at zero and learn faster with LoRA+."""
        ...

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Copies of all trained weights, fp32, on the CPU, under names that stay the same."""
        ...

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take weights as `state_dict` gave them. Raises WizardError when names or shapes are
        others."""
        ...

    def file_tensors(self) -> dict[str, torch.Tensor]:
        """The content of a kohya-format file, fp32, on the CPU; alphas included."""
        ...

    def load_file_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take weights from a kohya-format file's tensors. Raises WizardError when they are not
        for this base, these parts or this rank."""
        ...

    def learning(self, step: int, samples: Sequence[int]) -> AbstractContextManager[None]:
        """Forward and backward of a micro-batch in optimizer step ``step``, for which the network
        may fall silent in places; ``samples`` are the keys of the batch's rows. Outside of it,
        nothing is ever left out."""
        ...

    def limit_norms(self, most: float) -> NormFigures:
        """Scale back every layer whose weights are longer than ``most``."""
        ...

    def enabled(self, enabled: bool) -> AbstractContextManager[None]:
        """With the network, or (False) as if it were not there: the base model's own picture."""
        ...

    def detach(self) -> None:
        """Leave the base model as it was found."""
        ...


Attach = Callable[
    ["ModelFamily", "NetworkOptions", int, Sequence[str], Mapping[str, LayerSize]], Network
]


@dataclass(frozen=True)
class NetworkSpec:
    """What is known of a network type without loading anything."""

    name: str
    title: str
    module: str
    """``ss_network_module`` of the files: how sd-scripts calls it."""
    attach: Attach
    """(family, options, seed, parts, sizes) -> the network, attached and initialised; ``sizes`` are
    those of layers that differ from the options, by their key in a file. Imports torch."""
