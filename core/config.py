"""The TOML of a run. Every option is defined here, once, with its help and its source.

Sources: S0 to S4 are the guides most people learn from, listed in docs/sources.md; "sd-scripts"
is the tool most files in the wild come from. `core.configfile` reads and writes files of this.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .options import Section, option

Precision = Literal["bf16", "fp16", "fp32"]
Rate = Annotated[float, Field(gt=0, le=10)] | Literal["off", "inherit"]


class ModelOptions(Section):
    """What the LoRA is trained on."""

    base: str = option(
        help="The base model: a folder in the diffusers layout, a hub id such as "
        "stable-diffusion-v1-5/stable-diffusion-v1-5, or embedded:demo for the one that comes "
        "along. Prefer a general model to a narrow fine-tune: the LoRA then works on more of them.",
        source="S1",
        level="basic",
        also="pretrained_model_name_or_path",
        path=True,
        min_length=1,
    )
    family: str = option(
        "sd1",
        help="The model family; it decides what the options below mean. `lora-wizard families` "
        "lists them.",
        level="basic",
        also="v2, sdxl ...",
    )
    precision: Precision = option(
        "bf16",
        help="The arithmetic of training: bf16 on RTX 30 and newer, fp16 before, fp32 to be exact. "
        "The LoRA itself is kept in fp32 and only the file is rounded.",
        source="S0 S1 S4",
        level="basic",
        also="mixed_precision",
    )
    clip_skip: int = option(
        1,
        help="Which layer of the CLIP text encoder is read, counted from the end: 1 for realistic "
        "models, 2 for anime models.",
        source="S1 S2",
        ge=1,
        le=12,
    )


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
        None, help="Trigger words of this folder instead of captions.trigger_words."
    )


class DatasetOptions(Section):
    """The pictures."""

    folder: str = option(
        "",
        help="The folder with the pictures: flat, or with folders named N_name inside, where N is "
        "the number of repeats. Nothing in it is ever changed.",
        source="S0 S1 S2 S4",
        level="basic",
        also="train_data_dir",
        path=True,
    )
    concepts: list[ConceptOptions] = option(
        [], help="Several folders with repeats of their own, instead of dataset.folder."
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
        help="Class pictures that keep the base model what it is: what it would draw for the class "
        "word without the subject. As many as there are pictures x repeats are used each epoch, in "
        "turn when there are more, again when there are fewer; this about doubles the steps.",
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
        help="The shortest side of a bucket; half the resolution if absent.",
        unit="px",
        ge=8,
        le=8192,
        also="min_bucket_reso",
    )
    bucket_max_side: int | None = option(
        None,
        help="The longest side of a bucket; twice the resolution if absent. (sd-scripts' 1024 "
        "starves wide pictures at 1024 px.)",
        unit="px",
        ge=8,
        le=8192,
        also="max_bucket_reso",
    )
    upscale: bool = option(
        True,
        help="Enlarge pictures smaller than their bucket. Off: they get a smaller bucket instead.",
        also="bucket_no_upscale, inverted",
    )
    exclude: list[str] = option(
        [],
        help="Pictures to leave out: file names or patterns relative to the folder. Broken "
        "pictures stop the run until they are mended or named here.",
    )


class CaptionOptions(Section):
    """The words beside each picture: name.txt or name.caption."""

    trigger_words: list[str] = option(
        [],
        help="Rare words that will call the subject; put first in every caption that does not "
        "begin with them.",
        source="S0 S1 S2",
        level="basic",
    )
    prefix: str = option(
        "", help="Put before every caption, as it is.", source="S4", also="caption_prefix"
    )
    suffix: str = option("", help="Put after every caption, as it is.", also="caption_suffix")
    separator: str = option(
        ",", help="What stands between tags.", also="caption_separator", min_length=1
    )
    shuffle: bool = option(
        False,
        help="Shuffle the tags anew for every use of a picture: for tags of anime models, not for "
        "sentences.",
        source="S1",
        also="shuffle_caption",
    )
    keep_tokens: int = option(
        0,
        help="How many leading tags stay in place when shuffling; prefix and trigger words count.",
        source="S1",
        ge=0,
        le=255,
    )
    dropout: float = option(
        0.0,
        help="The share of uses in which a picture is trained without its caption.",
        source="S4",
        ge=0,
        le=1,
        also="caption_dropout_rate",
    )


class TrainingOptions(Section):
    """How long, in what portions, and from which seed."""

    epochs: int = option(
        10,
        help="How often the whole dataset is gone through. More epochs with fewer repeats give "
        "more files to choose from.",
        source="S0 S1",
        level="basic",
        ge=1,
        le=100_000,
        also="max_train_epochs",
    )
    max_steps: int | None = option(
        None,
        help="Stop after this many steps even if epochs are left. Absent: epochs decide.",
        source="S1 S3",
        ge=1,
        le=100_000_000,
        also="max_train_steps",
    )
    batch_size: int = option(
        1,
        help="Pictures per step. Two is a good start where memory allows.",
        source="S0 S4",
        level="basic",
        ge=1,
        le=4096,
        also="train_batch_size",
    )
    gradient_accumulation: int = option(
        1,
        help="Batches gathered before each step: a larger batch at the memory of a small one.",
        ge=1,
        le=4096,
        also="gradient_accumulation_steps",
    )
    gradient_checkpointing: bool = option(
        False,
        help="Spend about a third more time to need far less memory.",
        source="S1 S4",
    )
    max_grad_norm: float = option(
        1.0, help="Gradients longer than this are shortened to it; 0 turns it off.", ge=0, le=1e6
    )
    seed: int = option(
        42,
        help="Every random draw comes from it; the same seed gives the same file.",
        source="S3",
        ge=0,
        le=2**63 - 1,
    )


class NetworkOptions(Section):
    """The LoRA."""

    type: str = option("lora", help="The kind of network.", also="network_module")
    rank: int = option(
        16,
        help="How much it can hold, and how big the file gets: 16 to 32 for a face, up to 32 for "
        "nearly everything else.",
        source="S0 S1",
        level="basic",
        ge=1,
        le=1024,
        also="network_dim",
    )
    alpha: float | None = option(
        None,
        help="Scales the LoRA by alpha / rank. Half of the rank if absent.",
        source="S0 S1 S4",
        level="basic",
        gt=0,
        le=4096,
        also="network_alpha",
    )


class OptimizerOptions(Section):
    """How the LoRA's weights move."""

    name: str = option("adamw", help="The optimizer.", level="basic", also="optimizer_type")
    learning_rate: float = option(
        1e-4,
        help="The size of a step: 1e-4 is usual, 5e-5 for faces.",
        source="S2 S3; S0",
        level="basic",
        gt=0,
        le=10,
    )
    unet_learning_rate: Rate = option(
        "inherit",
        help='Of the U-Net: a number, "inherit" for learning_rate, or "off" to train only the '
        "text encoder.",
        source="S2 S3",
        also="unet_lr",
    )
    text_encoder_learning_rate: Rate = option(
        "inherit",
        help='Of the text encoder: a number, "inherit" for learning_rate, or "off" to train only '
        "the U-Net. Half of learning_rate or 5e-5 is often advised.",
        source="S2 S3",
        level="basic",
        also="text_encoder_lr",
    )
    weight_decay: float = option(0.01, help="Pulls the weights towards zero.", ge=0, le=1)
    betas: list[float] = option(
        [0.9, 0.999],
        help="How long AdamW remembers gradients and their squares.",
        min_length=2,
        max_length=2,
    )
    epsilon: float = option(1e-8, help="Keeps AdamW from dividing by zero.", gt=0, le=1)
    scheduler: Literal["constant", "linear", "cosine", "cosine_with_restarts", "polynomial"] = (
        option(
            "constant",
            help="How the learning rate goes over the run.",
            source="S2 S4",
            level="basic",
            also="lr_scheduler",
        )
    )
    warmup: int | float = option(
        0,
        help="Steps during which the rate rises from zero; below 1, a share of all steps.",
        source="S4",
        ge=0,
        also="lr_warmup_steps",
    )
    restarts: int = option(
        1, help="Cycles of cosine_with_restarts.", ge=1, le=10_000, also="lr_scheduler_num_cycles"
    )
    power: float = option(
        1.0, help="Exponent of the polynomial scheduler.", gt=0, le=100, also="lr_scheduler_power"
    )


class LossOptions(Section):
    """What counts as an error, and the noise it is measured with."""

    min_snr_gamma: float | None = option(
        None,
        help="Gives steps of little noise less weight; 5 is the paper's. Absent: all count alike.",
        source="arXiv 2303.09556",
        gt=0,
        le=1000,
    )
    noise_offset: float = option(
        0.0,
        help="Shifts the noise per channel, which helps very dark and very bright pictures. 0.02 "
        "is gentle; 0.1 gives the contrasty look of generated pictures.",
        source="S1; S4",
        ge=0,
        le=1,
    )
    adaptive_noise_scale: float = option(
        0.0,
        help="Adds this times the picture's own mean brightness to the offset; a tenth of "
        "noise_offset is usual.",
        source="S1",
        ge=-1,
        le=1,
    )
    prior_loss_weight: float = option(
        1.0,
        help="The weight of regularization pictures in the loss.",
        source="S3",
        ge=0,
        le=100,
    )


class SampleOptions(Section):
    """Pictures drawn on the way, to see it learn."""

    prompts: list[str] = option(
        [],
        help='What to draw, such as "mika, a photo of a woman". sd-scripts\' options may follow: '
        "--w 512 --h 768 (size) --s 20 (steps) --l 7.5 (guidance) --d 42 (seed) --n blurry "
        "(negative prompt).",
        source="S0 S4",
        level="basic",
        also="sample_prompts",
    )
    every_epochs: int = option(
        1,
        help="Draw after every so many epochs; 0: not by epochs.",
        ge=0,
        le=100_000,
        level="basic",
        also="sample_every_n_epochs",
    )
    every_steps: int = option(
        0,
        help="Draw after every so many steps; 0: not by steps.",
        source="S4",
        ge=0,
        le=10**8,
        also="sample_every_n_steps",
    )
    at_start: bool = option(
        True,
        help="Draw before the first step: the base model's own pictures.",
        also="sample_at_first",
    )
    width: int | None = option(None, help="The resolution's if absent.", unit="px", ge=8, le=8192)
    height: int | None = option(None, help="The resolution's if absent.", unit="px", ge=8, le=8192)
    steps: int = option(20, help="Denoising steps.", source="S4", ge=1, le=1000)
    guidance: float = option(7.5, help="How strictly the prompt is followed.", ge=0, le=100)
    seed: int = option(
        42,
        help="One seed for all epochs, so that they can be compared.",
        source="S2",
        ge=0,
        le=2**63 - 1,
    )
    sampler: str = option(
        "euler_a", help="The sampling method.", source="S4", also="sample_sampler"
    )
    negative_prompt: str = option("", help="What not to draw.", source="S4")


class OutputOptions(Section):
    """Where the files go."""

    name: str = option(
        "lora",
        help="The file's name without its ending.",
        source="S0 S1 S4",
        level="basic",
        allowed="a file name of at most 120 characters, without / and \\",
        pattern=r"^[^/\\\x00-\x1f]{1,120}$",
        also="output_name",
    )
    folder: str = option(
        "output",
        help="Each run gets a folder of its own in it.",
        source="S0 S1 S4",
        level="basic",
        min_length=1,
        also="output_dir",
        path=True,
    )
    comment: str = option(
        "", help='Kept in the file, such as "trigger: mika".', source="S4", also="training_comment"
    )
    save_every_epochs: int = option(
        1,
        help="Keep a file after every so many epochs; 0: not by epochs.",
        source="S4",
        ge=0,
        le=100_000,
        level="basic",
        also="save_every_n_epochs",
    )
    save_every_steps: int = option(
        0,
        help="Keep a file after every so many steps; 0: not by steps.",
        ge=0,
        le=10**8,
        also="save_every_n_steps",
    )
    keep_last: int = option(
        0,
        help="How many of these files to keep; 0: all.",
        ge=0,
        le=100_000,
        also="save_last_n_epochs",
    )
    save_precision: Precision | None = option(
        None,
        help="The numbers in the file; as model.precision if absent.",
        source="S0 S1 S4",
    )


class RunConfig(Section):
    """One run."""

    model: ModelOptions
    dataset: DatasetOptions = Field(default_factory=DatasetOptions)
    captions: CaptionOptions = Field(default_factory=CaptionOptions)
    training: TrainingOptions = Field(default_factory=TrainingOptions)
    network: NetworkOptions = Field(default_factory=NetworkOptions)
    optimizer: OptimizerOptions = Field(default_factory=OptimizerOptions)
    loss: LossOptions = Field(default_factory=LossOptions)
    samples: SampleOptions = Field(default_factory=SampleOptions)
    output: OutputOptions = Field(default_factory=OutputOptions)
