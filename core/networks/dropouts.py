"""Dropout of a LoRA, keyed: which numbers fall silent depends on the run's seed, the step, the use
of the picture and the layer, and on nothing that was drawn before. A resume, another size of batch
and gradient checkpointing's second computation all see the same.

What each kind means is as in sd-scripts' ``networks.lora``: `hang_on`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from ..config import NetworkOptions
from ..randomness import key, uniform

_WORD = (1 << 32) - 1
_STEP = 0x9E3779B9
_OTHER = 0x85EBCA6B
_MIXER = 0x45D9F3B
"""Below 2**31: a product with a 32-bit word stays within 64 bits, on every device alike."""


@dataclass
class Dropouts:
    """The dropouts of one network. Nothing is silenced but inside `learning`."""

    options: NetworkOptions
    seed: int
    _layers: dict[str, list[str]] = field(default_factory=dict)
    _salts: list[tuple[int, int]] = field(default_factory=list)
    """Of each layer that thins: for single numbers, and for ranks."""
    _most_ranks: int = 0
    _draws: _Draws | None = None
    _left_out: frozenset[tuple[str, str]] = frozenset()

    def hang_on(self, module: Any, adapter: str, part: str, name: str) -> None:
        """Make ``module``, a layer of PEFT's, drop.

        ``dropout`` silences single numbers between down and up, ``rank_dropout`` whole ranks, both
        anew for each sample and made up for by 1 / (1 - share); ``module_dropout`` leaves out what
        the LoRA adds to a layer, for all samples of a step, without making up for it.
        """
        self._layers.setdefault(part, []).append(name)
        if self.options.dropout or self.options.rank_dropout:
            down = module.lora_A[adapter]
            down.register_forward_hook(partial(self._thinned, len(self._salts)))
            purposes = ("dropout", "rank dropout")
            numbers, ranks = (key(self.seed, p, part, name) & _WORD for p in purposes)
            self._salts.append((numbers, ranks))
            self._most_ranks = max(self._most_ranks, len(down.weight))
        if self.options.module_dropout:
            module.forward = partial(self._forward, module, (part, name))

    @contextlib.contextmanager
    def learning(self, step: int, samples: Sequence[int]) -> Iterator[None]:
        """Drop, as it is drawn for optimizer step ``step`` and the keys of ``samples``; those of a
        batch stand in the order of its rows."""
        if self._salts:
            self._draws = _Draws(self, torch.tensor([sample & _WORD for sample in samples]))
        self._left_out = self._drawn(step)
        try:
            yield
        finally:
            self._draws, self._left_out = None, frozenset()

    def _drawn(self, step: int) -> frozenset[tuple[str, str]]:
        """The layers that are left out of a step; one of each part always stays, so that there is
        something to learn."""
        share = self.options.module_dropout
        if not share:
            return frozenset()
        found: set[tuple[str, str]] = set()
        for part, names in self._layers.items():
            draws = {n: uniform(key(self.seed, "module dropout", step, part, n)) for n in names}
            stays = max(draws, key=lambda name: draws[name])
            found |= {(part, n) for n, draw in draws.items() if draw < share and n != stays}
        return frozenset(found)

    def _forward(self, module: Any, place: tuple[str, str], *inputs: Any, **named: Any) -> Any:
        if place in self._left_out:
            return module.get_base_layer()(*inputs, **named)
        return type(module).forward(module, *inputs, **named)

    def _thinned(
        self, layer: int, down: torch.nn.Module, _: Any, output: torch.Tensor
    ) -> torch.Tensor:
        if self._draws is None:
            return output
        if share := self.options.dropout:
            silent = self._draws.numbers(layer, output)
            output = (output * (1 / (1 - share))).masked_fill(silent, 0)
        if share := self.options.rank_dropout:
            at = 1 if isinstance(down, torch.nn.Conv2d) else output.dim() - 1
            silent = self._draws.ranks(layer, output, at)
            output = (output * (1 / (1 - share))).masked_fill(silent, 0)
        return output


class _Draws:
    """What falls silent for the samples of one micro-batch. What all layers need is drawn for all
    at once: a GPU waits longer for its orders than for such small tensors."""

    def __init__(self, dropouts: Dropouts, samples: torch.Tensor) -> None:
        self._options, self._samples = dropouts.options, samples
        self._salts, self._most_ranks = dropouts._salts, dropouts._most_ranks
        self._words: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._ranks: dict[int, torch.Tensor] = {}

    def numbers(self, layer: int, output: torch.Tensor) -> torch.Tensor:
        """Which numbers of a layer's ``output`` (rows, ...) are silent."""
        rows = len(output)
        if rows not in self._words:
            self._words[rows] = self._words_of(rows, 0, output.device)
        first, second = (words[layer] for words in self._words[rows])
        share = self._options.dropout
        return silent_places(first, second, output[0].numel(), share).view(output.shape)

    def ranks(self, layer: int, output: torch.Tensor, at: int) -> torch.Tensor:
        """Which ranks, dimension ``at`` of ``output``, are silent; one everywhere else."""
        rows, count = len(output), output.shape[at]
        if rows not in self._ranks:
            words = self._words_of(rows, 1, output.device)
            self._ranks[rows] = silent_places(*words, self._most_ranks, self._options.rank_dropout)
        shape = [1] * output.dim()
        shape[0], shape[at] = rows, count
        return self._ranks[rows][layer, :, :count].reshape(shape)

    def _words_of(
        self, rows: int, purpose: int, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        salts = torch.tensor([salt[purpose] for salt in self._salts])
        # Small, and copied without waiting for what the GPU still has to do.
        samples = _words_of_rows(self._samples, rows).to(device, non_blocking=True)
        return layer_words(samples, salts.to(device, non_blocking=True))


def layer_words(samples: torch.Tensor, salts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two 32-bit words for each layer and sample, (L, B), from ``samples`` (B,), ``salts`` (L,)."""
    first = _mixed(samples ^ salts[:, None])
    return first, _mixed(first ^ _OTHER)


def silent_places(
    first: torch.Tensor, second: torch.Tensor, count: int, share: float
) -> torch.Tensor:
    """Which of ``count`` places fall silent for each pair of words (...): (..., count) of bool,
    ``share`` of them. A hash of the words and the place; no generator, and no device of its own."""
    places = torch.arange(count, device=first.device) * _STEP
    drawn = (first[..., None] + places) & _WORD
    drawn = _turned(drawn) ^ second[..., None]
    return _mixed(drawn) < int(share * (_WORD + 1))


def _mixed(words: torch.Tensor) -> torch.Tensor:
    """Every bit of a 32-bit word turns about half of the result's bits."""
    words = _turned(_turned(words))
    return (words >> 16) ^ words


def _turned(words: torch.Tensor) -> torch.Tensor:
    return ((words >> 16) ^ words) * _MIXER & _WORD


def _words_of_rows(samples: torch.Tensor, rows: int) -> torch.Tensor:
    """A word for each row of a layer's input: usually one row is one sample; where a sample has
    several (the pieces of a long text), they stand behind one another."""
    if rows == len(samples):
        return samples
    numbers = torch.arange(rows)
    of_sample = samples[numbers * len(samples) // rows]
    return _mixed(of_sample ^ (numbers % max(1, rows // len(samples))))
