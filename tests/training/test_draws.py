import math
from dataclasses import replace
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.dataset.plan import Bucket, Crop, Draw, Sample
from lora_wizard.core.training import draws as keyed

SAMPLE = Sample(
    id="concept/a.png",
    folder=Path(),
    name="a.png",
    width=32,
    height=32,
    file_size=1,
    modified_ns=1,
    concept="concept",
    trigger_words=(),
    repeats=2,
    is_regularization=False,
    bucket=Bucket(32, 32),
    crop=Crop(32, 32, 0, 0),
    caption="",
    caption_file=None,
)
DRAWS = [Draw(replace(SAMPLE, id=f"concept/{name}"), 1, 0) for name in "abcde"]


def test_a_draw_is_the_same_in_whatever_company() -> None:
    together = keyed.normal(DRAWS, 42, keyed.NOISE, (4, 8, 8))
    for order in ([4, 0], [2], [1, 3, 0]):
        some = keyed.normal([DRAWS[index] for index in order], 42, keyed.NOISE, (4, 8, 8))
        assert torch.equal(some, together[order])


def test_everything_in_the_key_counts() -> None:
    draw = DRAWS[0]
    others = [
        keyed.normal([draw], 43, keyed.NOISE, (9,)),
        keyed.normal([draw], 42, keyed.VAE_NOISE, (9,)),
        keyed.normal([replace(draw, epoch=2)], 42, keyed.NOISE, (9,)),
        keyed.normal([replace(draw, repeat=1)], 42, keyed.NOISE, (9,)),
        keyed.normal([DRAWS[1]], 42, keyed.NOISE, (9,)),
        keyed.normal([draw], 42, keyed.NOISE, (9,)),
    ]
    assert len({tuple(numbers.flatten().tolist()) for numbers in others}) == len(others)


def test_noise_is_standard_normal() -> None:
    numbers = keyed.normal(DRAWS, 7, keyed.NOISE, (4, 64, 64))
    count = numbers.numel()
    assert abs(numbers.mean().item()) < 4 / math.sqrt(count)
    assert abs(numbers.std().item() - 1) < 4 / math.sqrt(2 * count)


@given(st.integers(0, 2**63 - 1))
def test_uniform_numbers_stay_below_one(seed: int) -> None:
    numbers = keyed.uniforms(DRAWS, seed, keyed.TIMESTEP)
    assert numbers.dtype == torch.float32
    assert bool((numbers >= 0).all()) and bool((numbers < 1).all())


def test_uniform_numbers_spread() -> None:
    draws = [Draw(SAMPLE, epoch, 0) for epoch in range(1, 2001)]
    counts = torch.histc(keyed.uniforms(draws, 1, keyed.TIMESTEP), bins=10, min=0, max=1)
    assert bool((counts > 150).all())


def test_the_models_own_draws_depend_on_the_place_in_the_run_alone() -> None:
    keyed.seed_global_generators(42, 5, 1)
    first = torch.rand(4)
    torch.rand(100)
    keyed.seed_global_generators(42, 5, 1)
    assert torch.equal(torch.rand(4), first)
    keyed.seed_global_generators(42, 5, 2)
    assert not torch.equal(torch.rand(4), first)
