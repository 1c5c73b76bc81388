"""The pictures: `[dataset]`."""

from __future__ import annotations

from ..options import Section, option

FILEWORDS = "[filewords]"
"""Stands for a picture's caption in its concept's prompt."""


class ConceptOptions(Section):
    """One folder of pictures, when there is more than one."""

    folder: str = option(help="The folder with the pictures.", min_length=1, path=True)
    repeats: int = option(
        1, help="How often each picture counts in an epoch.", ge=1, le=10_000, also="num_repeats"
    )
    name: str = option(
        "", help="What is in it; pictures without a caption take it. The folder's name if empty."
    )
    trigger_words: list[str] | None = option(
        None,
        help="Trigger words of this folder instead of captions.trigger_words.",
        separator=",",
    )
    prompt: str = option(
        "",
        help="What pictures of this folder are trained with; [filewords] in it stands for the "
        "picture's caption. Only the captions if empty.",
        source="S2",
    )
    class_prompt: str = option(
        "",
        help='What this folder\'s pictures are without the subject, such as "a photo of a man". '
        "`lora-wizard regularize` draws class pictures with it, which are then trained with it.",
        source="S2",
    )
    sample_prompt: str = option(
        "",
        help="Drawn on the way, beside samples.prompts and like them.",
        source="S2",
    )


class DatasetOptions(Section):
    """The pictures."""

    folder: str = option(
        "",
        label="Folder of pictures",
        help="The folder with the pictures: flat, or with folders named N_name inside, where N is "
        "the number of repeats. The pictures are never changed.",
        source="S0 S1 S2 S4",
        level="basic",
        also="train_data_dir",
        path=True,
    )
    repeats: int = option(
        1,
        help="How often each picture counts in an epoch. A folder named N_name says it itself.",
        source="S0 S1 S4",
        level="basic",
        ge=1,
        le=10_000,
    )
    regularization_folder: str = option(
        "",
        label="Class pictures",
        help="Class pictures that keep the base model what it is: what it would draw for the class "
        "word without the subject. As many as there are pictures x repeats are used each epoch, in "
        "turn when there are more, again when there are fewer; this about doubles the steps. "
        "`lora-wizard regularize` draws them; in the wizard F4.",
        source="S2 S4",
        also="reg_data_dir",
        path=True,
    )
    resolution: int | list[int] | None = option(
        None,
        help="The area of the training pictures as one side or [width, height]; other aspect "
        "ratios get as many pixels. The family's own if absent: 512 for SD 1.x.",
        source="S1 S3",
        level="basic",
        unit="px",
        allowed="a whole number or [width, height], from 8 to 8192",
    )
    buckets: bool = option(
        True,
        label="Keep aspect ratios",
        help="Keep each picture's aspect ratio: pictures are trained in groups of like shape. Off: "
        "all are cropped to the resolution.",
        source="S1 S2 S4",
        also="enable_bucket",
    )
    bucket_step: int | None = option(
        None,
        help="Sides of buckets are multiples of this; the family's own if absent (64 for SD 1.x).",
        unit="px",
        ge=1,
        le=512,
        also="bucket_reso_steps",
    )
    bucket_min_side: int | None = option(
        None,
        label="Shortest side",
        help="The shortest side of a bucket; half the resolution if absent.",
        unit="px",
        ge=8,
        le=8192,
        also="min_bucket_reso",
    )
    bucket_max_side: int | None = option(
        None,
        label="Longest side",
        help="The longest side of a bucket; twice the resolution if absent. (sd-scripts' 1024 "
        "starves wide pictures at 1024 px.)",
        unit="px",
        ge=8,
        le=8192,
        also="max_bucket_reso",
    )
    upscale: bool = option(
        True,
        label="Enlarge small pictures",
        help="Enlarge pictures smaller than their bucket. Off: they get a smaller bucket instead.",
        also="bucket_no_upscale, inverted",
    )
    cache_latents: bool = option(
        True,
        label="Cache encoded pictures",
        help="Encode each picture once and keep that for all epochs and all later runs. Off: "
        "encode it anew at each use, which is slower and keeps the VAE in memory; only colour "
        "changes and random crops need that.",
        source="S3",
    )
    exclude: list[str] = option(
        [],
        label="Leave out",
        help="Pictures to leave out: file names or patterns relative to the folder. Broken "
        "pictures stop the run until they are mended or named here.",
        separator=",",
    )
    concepts: list[ConceptOptions] = option(
        [], help="Several folders with repeats of their own, instead of dataset.folder."
    )
