"""A run's configuration: the base model, the samples, the output, and all sections together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .dataset_options import CaptionOptions, DatasetOptions
from .options import Section, option
from .training_options import LossOptions, NetworkOptions, OptimizerOptions, TrainingOptions

Precision = Literal["bf16", "fp16", "fp32"]


class ModelOptions(Section):
    """What the LoRA is trained on."""

    base: str = option(
        label="Base model",
        help="The base model: a .safetensors checkpoint, a folder in the diffusers layout, a hub "
        "id such as stable-diffusion-v1-5/stable-diffusion-v1-5, or embedded:demo for the one that "
        "comes along. Prefer a general model to a narrow fine-tune: the LoRA then works on more of "
        "them.",
        source="S1",
        level="basic",
        also="pretrained_model_name_or_path",
        path=True,
        min_length=1,
    )
    family: str = option(
        "sd1",
        label="Model family",
        help="The model family; it decides what many options mean. sd1 is Stable Diffusion 1.x.",
        level="basic",
        also="v2, sdxl",
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


class SampleOptions(Section):
    """Pictures drawn on the way, to see it learn."""

    prompts: list[str] = option(
        [],
        label="Prompts",
        help='What to draw, such as "mika, a photo of a woman". sd-scripts\' options may follow: '
        "--w 512 --h 768 (size) --s 20 (steps) --l 7.5 (guidance) --d 42 (seed) --n blurry "
        "(negative prompt).",
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


class OutputOptions(Section):
    """Where the files go."""

    name: str = option(
        "lora",
        label="LoRA name",
        help="The file's name without its ending.",
        source="S0 S1 S4",
        level="basic",
        allowed="a file name of at most 120 characters, without / and \\",
        pattern=r"^[^/\\\x00-\x1f]{1,120}$",
        also="output_name",
    )
    folder: str = option(
        "output",
        label="Output folder",
        help="Each run gets a folder of its own in it.",
        source="S0 S1 S4",
        level="basic",
        min_length=1,
        also="output_dir",
        path=True,
    )
    publish_to: str = option(
        "",
        help="A folder that gets a copy of the finished file, such as ComfyUI's models/loras or "
        "A1111's models/Lora. Choosing another epoch afterwards replaces the copy; other files "
        "are never touched.",
        source="S0 S1",
        path=True,
    )
    comment: str = option(
        "", help='Kept in the file, such as "trigger: mika".', source="S4", also="training_comment"
    )
    save_every_epochs: int = option(
        1,
        label="Epochs between files",
        help="Keep a file after every so many epochs; 0: not by epochs.",
        source="S4",
        ge=0,
        le=100_000,
        level="basic",
        also="save_every_n_epochs",
    )
    save_every_steps: int = option(
        0,
        label="Steps between files",
        help="Keep a file after every so many steps; 0: not by steps.",
        ge=0,
        le=10**8,
        also="save_every_n_steps",
    )
    keep_last: int = option(
        0,
        label="Files to keep",
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
