"""BLIP: one short sentence for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.config.options import Section, option
from ..core.errors import Problem
from .base import ModelOptions, ModelSpec
from .model_files import Kind, missing_model, wrong_lengths

if TYPE_CHECKING:
    from PIL import Image

    from .transformers_model import Writer

_USUAL = "Salesforce/blip-image-captioning-large"
_KIND = Kind(title="BLIP", usual=_USUAL, type="blip", sizes={_USUAL: "1.9 GB"})


class BlipOptions(ModelOptions):
    """How BLIP writes."""

    model: str = option(
        _USUAL,
        min_length=1,
        help="The model: a hub id or a folder. Only .safetensors weights are read.",
        level="basic",
    )
    beams: int = option(
        10,
        ge=1,
        le=64,
        help="How many sentences it follows at the same time before it takes the best one. More "
        "gives better sentences and takes longer.",
        source="S4",
        level="basic",
    )
    min_length: int = option(
        25,
        ge=0,
        le=400,
        unit="tokens",
        help="How long a caption is at least, in tokens, which are words or parts of words. A "
        "caption that is too short says too little; one that is forced to be long repeats itself.",
        source="S4",
        level="basic",
    )
    max_length: int = option(
        75,
        ge=1,
        le=400,
        unit="tokens",
        help="How long a caption is at most, in tokens.",
    )
    prompt: str = option(
        "a picture of",
        max_length=200,
        help="What the sentence begins with in BLIP's thoughts; it is not part of the caption. "
        "These are the words that it was trained with.",
    )


class BlipModel:
    """See `CaptionModel`."""

    def __init__(self, writer: Writer, images: Any, options: BlipOptions) -> None:
        self._writer = writer
        self._images = images
        self._options = options
        # Without the end that the tokenizer puts behind it.
        self._begin = writer.tokenizer(options.prompt).input_ids[:-1]

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        import torch

        options, tokenizer = self._options, self._writer.tokenizer
        pixels = self._images(images=list(pictures), return_tensors="pt")["pixel_values"]
        prompt = [[*self._begin, tokenizer.sep_token_id]] * len(pictures)
        written = self._writer.write(
            {"pixel_values": pixels, "input_ids": torch.tensor(prompt)},
            num_beams=options.beams,
            min_new_tokens=options.min_length,
            max_new_tokens=options.max_length,
        )
        return [self._writer.read(tokens[len(self._begin) :]) for tokens in written]


def _missing(options: Section) -> Sequence[Problem]:
    assert isinstance(options, BlipOptions)
    return [
        *missing_model(options.model, _KIND),
        *wrong_lengths(options.min_length, options.max_length),
    ]


def _load(options: ModelOptions) -> BlipModel:
    from .transformers_model import Writer, load_image_processor, load_model, load_tokenizer

    assert isinstance(options, BlipOptions)
    model = load_model(options, options.model, _KIND, "BlipForConditionalGeneration")
    writer = Writer(model, load_tokenizer(options.model, _KIND))
    return BlipModel(writer, load_image_processor(options.model, _KIND), options)


SPEC = ModelSpec(
    name="blip",
    title="BLIP",
    help="One short, plain sentence for a photograph: what most guides use. Small and quick: a "
    "download of 1.9 GB, 2 GB of GPU memory; on a processor a few seconds per picture.",
    options=BlipOptions,
    missing=_missing,
    load=_load,
)
