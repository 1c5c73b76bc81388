"""What can be said of class pictures: one definition for command line, form and docs."""

from __future__ import annotations

from ..config.options import Section, option

NEGATIVE_PROMPT = (
    "canvas frame, (high contrast:1.2), (over saturated:1.2), (glossy:1.1), cartoon, 3d render, "
    "((disfigured)), ((bad anatomy)), (((bad proportions))), ((extra limbs)), (fused fingers), "
    "(too many fingers), cloned face, mutated hands, poorly drawn hands, blurry, tiling, watermark"
)
"""Of the kind that guides give for photographs (S4): emphasis and all, longer than one chunk of the
text encoder."""


class ClassPictureOptions(Section):
    """How class pictures are drawn."""

    class_word: str = option(
        min_length=1,
        max_length=1000,
        help='What the pictures are of, such as "man": the class without the subject. It names the '
        "folder, and so is what they are trained with.",
        source="S2 S4",
        level="basic",
    )
    prompt: str = option(
        "",
        label="Prompt",
        help='What is drawn, such as "a man, 4k, ultra detailed". "a photo of a" and the class '
        "word if empty. (word:1.2) counts more, [word] less.",
        source="S4",
        level="basic",
    )
    negative_prompt: str = option(NEGATIVE_PROMPT, help="What not to draw.", source="S4")
    count: int | None = option(
        None,
        label="How many",
        help="How many there shall be in the end; those that are there already count. As many as "
        "an epoch uses if absent: pictures x repeats.",
        source="S4",
        level="basic",
        ge=1,
        le=100_000,
        absent="pictures x repeats",
    )
    width: int | None = option(None, help="The resolution's if absent.", unit="px", ge=64, le=4096)
    height: int | None = option(None, help="The resolution's if absent.", unit="px", ge=64, le=4096)
    steps: int = option(
        20, label="Denoising steps", help="Denoising steps.", source="S4", ge=1, le=1000
    )
    guidance: float = option(7.0, help="How strictly the prompt is followed.", ge=0, le=100)
    sampler: str = option("euler_a", label="Sampler", help="The sampling method.", source="S4")
    seed: int = option(
        42,
        label="First seed",
        help="Of the first picture; each has the next.",
        ge=0,
        le=2**62,
    )
    batch_size: int = option(
        2,
        label="Drawn together",
        help="How many are drawn together. More is faster on a GPU; when its memory is too small, "
        "fewer are drawn by themselves.",
        source="S4",
        level="basic",
        ge=1,
        le=64,
    )
