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
    _samples: torch.Tensor | None = None
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
            salts = [
                key(self.seed, purpose, part, name) & _WORD for purpose in ("dropout", "ranks")
            ]
            down.register_forward_hook(partial(self._thinned, salts))
        if self.options.module_dropout:
            module.forward = partial(self._forward, module, (part, name))

    @contextlib.contextmanager
    def learning(self, step: int, samples: Sequence[int]) -> Iterator[None]:
        """Drop, as it is drawn for optimizer step ``step`` and the keys of ``samples``; those of a
        batch stand in the order of its rows."""
        self._samples = torch.tensor([sample & _WORD for sample in samples])
        self._left_out = self._drawn(step)
        try:
            yield
        finally:
            self._samples, self._left_out = None, frozenset()

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
        self, salts: Sequence[int], down: torch.nn.Module, _: Any, output: torch.Tensor
    ) -> torch.Tensor:
        if self._samples is None:
            return output
        self._samples = self._samples.to(output.device, non_blocking=True)
        rows = len(output)
        words = _words_of_rows(self._samples, rows)
        dropout, ranks = self.options.dropout, self.options.rank_dropout
        if dropout:
            kept = kept_places(words, salts[0], output[0].numel(), dropout)
            output = _silenced(output, kept.view(output.shape), dropout)
        if ranks:
            at = 1 if isinstance(down, torch.nn.Conv2d) else output.dim() - 1
            kept = kept_places(words, salts[1], output.shape[at], ranks)
            shape = [1] * output.dim()
            shape[0], shape[at] = rows, output.shape[at]
            output = _silenced(output, kept.view(shape), ranks)
        return output


def kept_places(words: torch.Tensor, salt: int, count: int, share: float) -> torch.Tensor:
    """Which of ``count`` places stay for each of ``words``, 32-bit numbers (B,), when ``share`` of
    them fall silent: (B, count) of bool. A hash of word, salt and place; no generator."""
    first = _mixed(words ^ salt)[:, None]
    second = _mixed(first ^ _OTHER)
    places = torch.arange(count, device=words.device) * _STEP
    drawn = _mixed(_mixed((first + places) & _WORD) ^ second)
    return drawn >= int(share * (_WORD + 1))


def _mixed(words: torch.Tensor) -> torch.Tensor:
    """Every bit of a 32-bit word turns about half of the result's bits."""
    words = ((words >> 16) ^ words) * _MIXER & _WORD
    words = ((words >> 16) ^ words) * _MIXER & _WORD
    return (words >> 16) ^ words


def _words_of_rows(samples: torch.Tensor, rows: int) -> torch.Tensor:
    """A word for each row of a layer's input: usually one row is one sample; where a sample has
    several (the pieces of a long text), they stand behind one another."""
    if rows == len(samples):
        return samples
    numbers = torch.arange(rows, device=samples.device)
    of_sample = samples[numbers * len(samples) // rows]
    return _mixed(of_sample ^ (numbers % max(1, rows // len(samples))))


def _silenced(values: torch.Tensor, kept: torch.Tensor, share: float) -> torch.Tensor:
    return (values * (1 / (1 - share))).masked_fill(~kept, 0)
