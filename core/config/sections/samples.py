"""Pictures drawn on the way: `[samples]`."""

from __future__ import annotations

from ..options import Section, option


class SampleOptions(Section):
    """Pictures drawn on the way, to see it learn."""

    prompts: list[str] = option(
        [],
        label="Prompts",
        help='What to draw, such as "mika, a photo of a woman". sd-scripts\' options may follow: '
        "--w 512 --h 768 (size) --s 20 (steps) --l 7.5 (guidance) --d 42 (seed) --n blurry "
        "(negative prompt). (word:1.2) counts more, [word] less.",
        source="S0 S4",
        level="basic",
        also="sample_prompts",
    )
    every_epochs: int = option(
        1,
        label="Epochs between drawings",
        help="Draw after every so many epochs; 0: not by epochs.",
        ge=0,
        le=100_000,
        level="basic",
        also="sample_every_n_epochs",
    )
    every_steps: int = option(
        0,
        label="Steps between drawings",
        help="Draw after every so many steps; 0: not by steps.",
        source="S4",
        ge=0,
        le=10**8,
        also="sample_every_n_steps",
    )
    at_start: bool = option(
        True,
        label="Draw before the start",
        help="Draw before the first step: the base model's own pictures.",
        also="sample_at_first",
    )
    width: int | None = option(None, help="The resolution's if absent.", unit="px", ge=8, le=8192)
    height: int | None = option(None, help="The resolution's if absent.", unit="px", ge=8, le=8192)
    steps: int = option(
        20, label="Denoising steps", help="Denoising steps.", source="S4", ge=1, le=1000
    )
    guidance: float = option(7.5, help="How strictly the prompt is followed.", ge=0, le=100)
    seed: int = option(
        42,
        label="Seed of the samples",
        help="One seed for all epochs, so that they can be compared.",
        source="S2",
        ge=0,
        le=2**63 - 1,
    )
    sampler: str = option(
        "euler_a", label="Sampler", help="The sampling method.", source="S4", also="sample_sampler"
    )
    negative_prompt: str = option("", help="What not to draw.", source="S4")
