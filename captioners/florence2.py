"""Florence-2: a sentence or a paragraph for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..core.config.options import Section, option
from ..core.errors import Problem
from .base import ModelOptions, ModelSpec
from .model_files import Kind, missing_model

if TYPE_CHECKING:
    from PIL import Image

    from .transformers_model import Writer

_USUAL = "florence-community/Florence-2-base"
_KIND = Kind(
    title="Florence-2",
    usual=_USUAL,
    type="florence2",
    sizes={
        _USUAL: "about 1 GB",
        "florence-community/Florence-2-base-ft": "about 1 GB",
        "florence-community/Florence-2-large": "about 3 GB",
        "florence-community/Florence-2-large-ft": "about 3 GB",
    },
)
_TASKS = {
    "sentence": "<CAPTION>",
    "detailed": "<DETAILED_CAPTION>",
    "paragraph": "<MORE_DETAILED_CAPTION>",
}


class Florence2Options(ModelOptions):
    """How Florence-2 writes."""

    model: str = option(
        _USUAL,
        min_length=1,
        help="The model: a hub id or a folder. florence-community/Florence-2-large sees more and "
        "takes three times as long. Only .safetensors weights are read.",
        level="basic",
    )
    task: Literal["sentence", "detailed", "paragraph"] = option(
        "detailed",
        help="How much it says: one sentence, a longer description, or a paragraph. Short "
        "captions suit Stable Diffusion 1.x and 2.x, whose text encoder reads 75 tokens.",
        level="basic",
    )
    beams: int = option(
        3,
        ge=1,
        le=64,
        help="How many sentences it follows at the same time before it takes the best one. More "
        "gives better sentences and takes longer.",
    )
    max_length: int = option(
        256,
        ge=1,
        le=1000,
        unit="tokens",
        help="How long a caption is at most, in tokens, which are words or parts of words. A text "
        "that would be longer ends with its last whole sentence.",
    )


class Florence2Model:
    """See `CaptionModel`."""

    def __init__(self, writer: Writer, processor: Any, options: Florence2Options) -> None:
        self._writer = writer
        self._processor = processor
        self._options = options

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        options = self._options
        inputs = self._processor(
            images=list(pictures),
            text=[_TASKS[options.task]] * len(pictures),
            return_tensors="pt",
        )
        written = self._writer.write(
            inputs, num_beams=options.beams, max_new_tokens=options.max_length
        )
        # The first token only starts the writing.
        return [
            self._writer.read_whole_sentences(tokens[1:], options.max_length) for tokens in written
        ]


def _missing(options: Section) -> Sequence[Problem]:
    assert isinstance(options, Florence2Options)
    return missing_model(options.model, _KIND)


def _load(options: ModelOptions) -> Florence2Model:
    from .transformers_model import Writer, load_model, load_processor

    assert isinstance(options, Florence2Options)
    model = load_model(options, options.model, _KIND, "Florence2ForConditionalGeneration")
    processor = load_processor(options.model, _KIND)
    return Florence2Model(Writer(model, processor.tokenizer), processor, options)


SPEC = ModelSpec(
    name="florence2",
    title="Florence-2",
    help="A sentence or a paragraph for a photograph or a painting, exact about what is where. The "
    "best for its size: a download of about 1 GB, 2 GB of GPU memory, usable on a processor.",
    options=Florence2Options,
    missing=_missing,
    load=_load,
)
