"""CLIP's text encoder: captions and prompts to the hidden states that a U-Net attends to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel

from ..emphasis import pieces
from ..errors import WizardError

_LEAST_MEAN = 1e-4
"""Of the states' deviation: a mean below is rounding, and what it is divided by is too."""
_Row = tuple[list[int], list[float]]
"""A prompt's tokens without marks, and the weight of each."""


@dataclass(frozen=True)
class ClipText:
    """A tokenizer and a text encoder that belong together.

    A prompt is cut into chunks of as many tokens as the encoder takes beside its two marks (75),
    and each is encoded by itself, as other tools do. ``clip_skip`` counts layers from the end.
    """

    tokenizer: Any
    encoder: Any
    clip_skip: int

    @property
    def chunk_tokens(self) -> int:
        """Tokens of a prompt in one chunk."""
        return self.encoder.config.max_position_embeddings - 2

    def chunks_of(self, prompt: str) -> int:
        """How many chunks take all of ``prompt``, read with emphasis."""
        tokens, _ = self._row(prompt)
        return max(1, math.ceil(len(tokens) / self.chunk_tokens))

    def encode(
        self, prompts: Sequence[str], *, chunks: int = 1, emphasis: bool = False
    ) -> torch.Tensor:
        """Hidden states (B, 75 * ``chunks`` + 2, width), fp32, on the encoder's device. What does
        not fit into ``chunks`` is cut off.

        Of the marks around each chunk, the first begin and the last end are kept. With
        ``emphasis``, states are multiplied by their tokens' weights (`pieces`) and then scaled so
        that the prompt's mean is what it was: A1111's default, which sd-scripts shares. A1111
        takes the mean of each chunk, sd-scripts that of the whole prompt, as it is done here.
        """
        rows = [self._row(prompt) if emphasis else self._plain_row(prompt) for prompt in prompts]
        room = chunks * self.chunk_tokens
        device = self.encoder.device
        tokens = torch.tensor([self._marked(row[:room], chunks) for row, _ in rows])
        # Where the encoder is trained, a blocking copy would wait for the step before.
        states = self._states(tokens.flatten(0, 1).to(device, non_blocking=True))
        if chunks > 1:
            of_chunks = states.unflatten(0, (len(prompts), chunks))
            inner = of_chunks[:, :, 1:-1].flatten(1, 2)
            states = torch.cat([of_chunks[:, 0, :1], inner, of_chunks[:, -1, -1:]], dim=1)
        if any(weight != 1 for _, weights in rows for weight in weights):
            padded = [_padded(weights[:room], room) for _, weights in rows]
            states = _weighted(states, torch.tensor(padded).to(device, non_blocking=True))
        return states

    def _plain_row(self, prompt: str) -> _Row:
        tokens = self._tokens(prompt)
        return tokens, [1.0] * len(tokens)

    def _row(self, prompt: str) -> _Row:
        tokens: list[int] = []
        weights: list[float] = []
        for piece in pieces(prompt):
            found = self._tokens(piece.text)
            tokens += found
            weights += [piece.weight] * len(found)
        return tokens, weights

    def _tokens(self, text: str) -> list[int]:
        # Not verbose: it would warn of prompts longer than a chunk.
        return self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]

    def _marked(self, tokens: list[int], chunks: int) -> list[list[int]]:
        """One prompt's tokens as ``chunks`` rows of the encoder's length."""
        begin, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        size = self.chunk_tokens
        rows: list[list[int]] = []
        for at in range(0, chunks * size, size):
            part = tokens[at : at + size]
            padding = [self.tokenizer.pad_token_id] * (size - len(part))
            rows.append([begin, *part, end, *padding])
        return rows

    def _states(self, tokens: torch.Tensor) -> torch.Tensor:
        output = self.encoder(tokens, output_hidden_states=True)
        hidden = output.hidden_states[-self.clip_skip]
        return _inner(self.encoder).final_layer_norm(hidden).float()


def checked_clip_skip(clip_skip: int, config: Mapping[str, Any]) -> int:
    """``clip_skip``; WizardError when an encoder of configuration ``config`` has fewer layers."""
    layers = int(config["num_hidden_layers"])
    if clip_skip > layers:
        raise WizardError(
            "clip_skip skips more layers than there are",
            f"model.clip_skip: {clip_skip}; the text encoder has {layers}",
            "1 suits realistic models, 2 anime models.",
        )
    return clip_skip


def without_weights(config: Mapping[str, Any]) -> CLIPTextModel:
    """A text encoder for its layers' names: one that is not trained need not be loaded for them."""
    with torch.device("meta"):
        return CLIPTextModel(CLIPTextConfig(**config))


def checkpoint(encoder: Any) -> None:
    """Gradient checkpointing on."""
    # transformers checkpoints in training mode only; its dropout is set to zero on load.
    encoder.train()
    # transformers 5 renamed it on the way.
    enable = getattr(encoder, "activation_checkpointing_enable", None)
    (enable or encoder.gradient_checkpointing_enable)({"use_reentrant": False})


def _padded(weights: list[float], room: int) -> list[float]:
    """With the two marks, and as if nothing followed."""
    return [1.0, *weights, *[1.0] * (room - len(weights) + 1)]


def _weighted(states: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(B, L, width) times (B, L), each prompt's mean kept where there is one to speak of."""
    before = states.mean(dim=(1, 2), keepdim=True)
    states = states * weights[:, :, None].to(states)
    after = states.mean(dim=(1, 2), keepdim=True)
    is_there = torch.minimum(before.abs(), after.abs()) > _LEAST_MEAN * states.std(
        dim=(1, 2), keepdim=True
    )
    return states * torch.where(is_there, before / after, torch.ones_like(before))


def _inner(encoder: Any) -> Any:
    # transformers 5 dropped the `text_model` level.
    return getattr(encoder, "text_model", encoder)
