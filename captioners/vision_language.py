"""A vision-language model with a free prompt: Qwen-VL, JoyCaption and others that hold a
conversation about a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.config.options import Section, option
from ..core.errors import Problem
from .base import ModelOptions, ModelSpec
from .model_files import Kind, missing_model

if TYPE_CHECKING:
    from PIL import Image

    from .transformers_model import Writer

_USUAL = "Qwen/Qwen3-VL-4B-Instruct"
_KIND = Kind(
    title="vision-language",
    usual=_USUAL,
    sizes={
        "Qwen/Qwen3-VL-2B-Instruct": "4.3 GB",
        _USUAL: "9 GB",
        "Qwen/Qwen3-VL-8B-Instruct": "18 GB",
        "Qwen/Qwen2.5-VL-3B-Instruct": "7.5 GB",
        "Qwen/Qwen2.5-VL-7B-Instruct": "17 GB",
        "fancyfeast/llama-joycaption-beta-one-hf-llava": "17 GB",
        "llava-hf/llava-1.5-7b-hf": "14 GB",
    },
)
_THINK = "<think>"
_NARROWEST = 100
"""A picture that is longer than so many times its width is made wider: no model takes a line."""


class VisionLanguageOptions(ModelOptions):
    """What the model is asked, and how much it may say."""

    model: str = option(
        _USUAL,
        min_length=1,
        help="The model: a hub id or a folder. Qwen/Qwen3-VL-2B-Instruct is smaller, "
        "fancyfeast/llama-joycaption-beta-one-hf-llava was made for captions of any picture. Only "
        ".safetensors weights are read.",
        level="basic",
    )
    prompt: str = option(
        "Describe this picture for the training of an image generator, in one paragraph of two to "
        "four plain sentences. Say what is shown, what it looks like and does, what is around it, "
        "from where it is seen, the light, and whether it is a photograph, a drawing or a "
        "painting. Say only what can be seen, as facts, without an introduction.",
        min_length=1,
        help="What it is asked. To have short captions, tags, or nothing about the subject itself, "
        "say so here.",
        level="basic",
    )
    system: str = option(
        "",
        help="What it is told about its part before it is asked, for models that were trained with "
        "such a sentence. JoyCaption: You are a helpful image captioner.",
    )
    max_length: int = option(
        256,
        ge=1,
        le=4000,
        unit="tokens",
        help="How long a caption is at most, in tokens, which are words or parts of words. A text "
        "that would be longer ends with its last whole sentence.",
    )
    resolution: int = option(
        1024,
        ge=64,
        le=4096,
        unit="px",
        help="A picture with more pixels than a square of this side is made smaller before it is "
        "looked at. More shows smaller things, and takes more memory and time.",
    )


class VisionLanguageModel:
    """See `CaptionModel`."""

    def __init__(self, writer: Writer, processor: Any, options: VisionLanguageOptions) -> None:
        from .conversation_model import conversation

        self._writer = writer
        self._processor = processor
        self._options = options
        self._text = conversation(processor, options.system, options.prompt)
        # A template that writes the beginning of the text must not get a second one.
        begin = processor.tokenizer.bos_token
        self._adds_begin = not (begin and self._text.startswith(begin))
        # Some templates begin the thoughts themselves: the model writes only their end.
        self._begun = _THINK if self._text.rstrip().endswith(_THINK) else ""

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        options = self._options
        inputs = self._processor(
            images=[fitted(picture, options.resolution) for picture in pictures],
            text=[self._text] * len(pictures),
            padding=True,
            # Behind a prompt that is padded at its end, nothing sensible could be written.
            padding_side="left",
            add_special_tokens=self._adds_begin,
            return_tensors="pt",
        )
        written = self._writer.write(inputs, num_beams=1, max_new_tokens=options.max_length)
        first = inputs["input_ids"].shape[1]
        texts = [
            self._writer.read_whole_sentences(tokens[first:], options.max_length)
            for tokens in written
        ]
        return [answer(self._begun + text) for text in texts]


def fitted(picture: Image.Image, resolution: int) -> Image.Image:
    """``picture`` with at most ``resolution`` x ``resolution`` pixels, and no mere line."""
    from PIL import Image

    width, height = picture.size
    width, height = max(width, height // _NARROWEST, 1), max(height, width // _NARROWEST, 1)
    scale = min(1.0, resolution / (width * height) ** 0.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC)


def answer(text: str) -> str:
    """What a model says in the end: without its thoughts, and without quotation marks around it
    all."""
    text = text.rpartition("</think>")[2]
    if _THINK in text:
        return ""
    text = text.strip()
    for left, right in (('"', '"'), ("“", "”"), ("`", "`")):
        if len(text) > 1 and text[0] == left and text[-1] == right and left not in text[1:-1]:
            text = text[1:-1].strip()
    return text


def _missing(options: Section) -> Sequence[Problem]:
    assert isinstance(options, VisionLanguageOptions)
    return missing_model(options.model, _KIND)


def _load(options: ModelOptions) -> VisionLanguageModel:
    from .transformers_model import Writer, load_model, load_processor

    assert isinstance(options, VisionLanguageOptions)
    model = load_model(options, options.model, _KIND, "AutoModelForImageTextToText")
    processor = load_processor(options.model, _KIND)
    return VisionLanguageModel(Writer(model, processor.tokenizer), processor, options)


SPEC = ModelSpec(
    name="vision_language",
    title="Vision-language model",
    help="Does what your prompt says: whole sentences about any kind of picture, in the style you "
    "ask for. The best captions, and the largest models: Qwen3-VL 4B is a download of 9 GB and "
    "takes 11 GB of GPU memory, JoyCaption 17 GB and 19 GB. Not for a processor.",
    options=VisionLanguageOptions,
    missing=_missing,
    load=_load,
)
