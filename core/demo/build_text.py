"""Teaches the text encoder what captions say before there is a picture: minutes instead of hours.

Which of two colour words belongs to the thing is a question of grammar. A U-Net that has to find
that out through noise ignores its captions for thousands of steps.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from .captions import training_caption
from .model import tokenize
from .parallel import Workers
from .world import COLOURS, EARS, OBJECTS, PLACES, SHAPES, SIZES, Scene, Shade, training_scene

_KINDS = (*SHAPES, *OBJECTS, "creature")
_TONES = ("", "light", "dark")
_PATTERNS = ("plain", "striped", "dotted")
_SHARES = 2
_UNSAID = -100  # what cross_entropy leaves out

HEADS = {
    "kind": len(_KINDS),
    "colour": len(COLOURS),
    "tone": len(_TONES),
    "ground": len(COLOURS),
    "ground tone": len(_TONES),
    "size": len(SIZES),
    "place": len(PLACES),
    "pattern": len(_PATTERNS),
    "ears": len(EARS),
    "ear colour": len(COLOURS),
    "belly": len(COLOURS),
    "tail": len(COLOURS),
}
"""What is asked about every caption, with the number of answers."""


def _colour(shade: Shade | None, said: bool) -> int:
    return list(COLOURS).index(shade.family) if shade is not None and said else _UNSAID


def answers(scene: Scene, text: str) -> list[int]:
    """The right answer for each head; what the caption leaves out is not asked about."""
    words = f" {text.replace(',', ' ')} "
    noun = words.split(f" {scene.thing.kind} ")[0] + " "
    named = f" {scene.thing.shade.name} " in noun
    grounded = f" {scene.background.name} background " in words
    sizes = [i for i, size in enumerate(SIZES) if f" {size} " in words]
    places = [i for i, place in enumerate(PLACES.values()) if place and f" {place} " in words]
    patterns = [i for i, pattern in enumerate(_PATTERNS) if f" {pattern} " in noun]
    creature = scene.thing.creature
    ears = belly = tail = False
    if creature is not None:
        ears = f" {creature.ears} ears " in words
        belly = " belly " in words
        tail = " tail " in words
    return [
        _KINDS.index(scene.thing.kind),
        _colour(scene.thing.shade, named),
        _TONES.index(scene.thing.shade.tone) if named else _UNSAID,
        _colour(scene.background, grounded),
        _TONES.index(scene.background.tone) if grounded else _UNSAID,
        sizes[0] if sizes else list(SIZES).index("medium"),
        places[0] if places else 0,
        patterns[0] if patterns else 0,
        EARS.index(creature.ears) if creature is not None and ears else 0,
        _colour(creature.ear_shade if creature else None, ears),
        _colour(creature.belly if creature else None, belly),
        _colour(creature.tail_shade if creature else None, tail),
    ]


def _loss(
    encoder: CLIPTextModel, heads: nn.Linear, ids: Tensor, spots: Tensor, right: Tensor
) -> Tensor:
    states = encoder(ids).last_hidden_state
    rows = torch.arange(len(ids))[:, None]
    guesses = heads(states[rows, spots]).split(list(HEADS.values()), dim=-1)
    errors: list[Tensor] = []
    for guess, column in zip(guesses, right.T, strict=True):
        wanted = column[:, None].expand(-1, spots.shape[1])
        if (column != _UNSAID).any():
            errors.append(functional.cross_entropy(guess.transpose(1, 2), wanted))
    return torch.stack(errors).mean()


def train_text(
    encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    steps: int,
    batch: int,
    seed: int,
    workers: Workers,
    report: Callable[[str], None],
) -> None:
    """Train the encoder in place, asked at the caption's end and at two places of its padding."""
    torch.manual_seed(seed)
    random, generator = Random(f"text {seed}"), torch.Generator().manual_seed(seed)
    heads = nn.Linear(encoder.config.hidden_size, sum(HEADS.values()))
    weights = [*encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps, pct_start=0.1)
    end_token: Any = tokenizer.eos_token_id
    recent = 0.0
    for step in range(1, steps + 1):
        scenes = [training_scene(random) for _ in range(batch)]
        texts = [training_caption(scene, random) for scene in scenes]
        right = torch.tensor([answers(s, t) for s, t in zip(scenes, texts, strict=True)])
        ids = tokenize(tokenizer, texts)
        end = torch.eq(ids, end_token).int().argmax(dim=1, keepdim=True)
        share = torch.rand((batch, 2), generator=generator)
        spots = torch.cat([end, end + (share * (ids.shape[1] - end)).long()], dim=1)
        pieces = zip(*(t.split(batch // _SHARES) for t in (ids, spots, right)), strict=True)
        loss = workers.backward(weights, [partial(_loss, encoder, heads, *p) for p in pieces])
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        recent += (loss - recent) * (0.05 if step > 1 else 1)
        if step % 50 == 0:
            report(f"text {step}/{steps} loss {recent:.4f}")
