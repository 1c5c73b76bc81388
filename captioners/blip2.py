"""BLIP-2: a short sentence for a picture, or an answer to a question about it."""

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

_USUAL = "Salesforce/blip2-opt-2.7b"
_KIND = Kind(
    title="BLIP-2",
    usual=_USUAL,
    type="blip-2",
    sizes={
        _USUAL: "15 GB",
        "Salesforce/blip2-opt-2.7b-coco": "15 GB",
        "Salesforce/blip2-flan-t5-xl": "16 GB",
    },
)


class Blip2Options(ModelOptions):
    """How BLIP-2 writes."""

    model: str = option(
        _USUAL,
        min_length=1,
        help="The model: a hub id or a folder. Salesforce/blip2-flan-t5-xl answers questions "
        "better. Only .safetensors weights are read.",
        level="basic",
    )
    prompt: str = option(
        "",
        max_length=1000,
        help="Empty, it describes the picture. Otherwise words that it goes on from, or a question "
        "in the form that it knows: Question: what is the person wearing? Answer:. They are not "
        "part of the caption.",
        level="basic",
    )
    beams: int = option(
        5,
        ge=1,
        le=64,
        help="How many sentences it follows at the same time before it takes the best one. More "
        "gives better sentences and takes longer.",
    )
    min_length: int = option(
        8,
        ge=0,
        le=400,
        unit="tokens",
        help="How long a caption is at least, in tokens, which are words or parts of words.",
    )
    max_length: int = option(
        75,
        ge=1,
        le=400,
        unit="tokens",
        help="How long a caption is at most, in tokens.",
    )


class Blip2Model:
    """See `CaptionModel`."""

    def __init__(self, writer: Writer, images: Any, options: Blip2Options) -> None:
        self._writer = writer
        self._images = images
        self._options = options
        config = writer.model.config
        self._echoes = not writer.model.language_model.config.is_encoder_decoder
        words = writer.tokenizer(options.prompt).input_ids
        begin = config.text_config.bos_token_id
        if self._echoes and words[:1] != [begin]:
            words = [begin, *words]
        # The places that the picture takes come before anything else.
        self._prompt = [config.image_token_id] * config.num_query_tokens + words

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        import torch

        options = self._options
        pixels = self._images(images=list(pictures), return_tensors="pt")["pixel_values"]
        written = self._writer.write(
            {"pixel_values": pixels, "input_ids": torch.tensor([self._prompt] * len(pictures))},
            num_beams=options.beams,
            min_new_tokens=options.min_length,
            max_new_tokens=options.max_length,
        )
        first = len(self._prompt) if self._echoes else 0
        return [self._writer.read(tokens[first:]) for tokens in written]


def _missing(options: Section) -> Sequence[Problem]:
    assert isinstance(options, Blip2Options)
    return [
        *missing_model(options.model, _KIND),
        *wrong_lengths(options.min_length, options.max_length),
    ]


def _load(options: ModelOptions) -> Blip2Model:
    from .transformers_model import Writer, load_image_processor, load_model, load_tokenizer

    assert isinstance(options, Blip2Options)
    model = load_model(options, options.model, _KIND, "Blip2ForConditionalGeneration")
    writer = Writer(model, load_tokenizer(options.model, _KIND))
    return Blip2Model(writer, load_image_processor(options.model, _KIND), options)


SPEC = ModelSpec(
    name="blip2",
    title="BLIP-2",
    help="A short sentence for a photograph, surer of what it sees than BLIP; or the answer to a "
    "question. Large for what it says: a download of 15 GB, 8 GB of GPU memory.",
    options=Blip2Options,
    missing=_missing,
    load=_load,
)
