"""What captioners that are transformers' models share: a device, a precision, how they are loaded
and how they write.

Pictures are prepared by transformers' processors for Pillow, wherever torchvision is installed or
not, so that a picture gets the same caption on every machine. Nothing is downloaded, no code that
comes with a model is run, and only safetensors are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
from transformers.utils import logging

from ..core.errors import EXIT_FAILED, WizardError
from ..core.training.portions import is_out_of_memory
from .base import ModelOptions
from .model_files import Kind, model_folder, model_type

_LOCAL: Mapping[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_IMAGES: Mapping[str, Any] = {**_LOCAL, "backend": "pil"}

_NEVER_ASKED = re.compile(r"\bvision_tower\.(vision_model\.)?(head|post_layernorm)\.")
"""What sums a picture up behind the layers that LLaVA reads: many copies leave it out."""
_SENTENCE_END = re.compile(r"[.!?][\"')\]”]*(?=\s|$)")


class ModelLoadingError(WizardError):
    """A captioner's model cannot be loaded, or not on this device."""

    exit_code = EXIT_FAILED


@dataclass(frozen=True)
class Writer:
    """A model that is loaded, in evaluation mode on its device, and how it is made to write."""

    model: Any
    tokenizer: Any

    def write(self, inputs: Mapping[str, torch.Tensor], **settings: Any) -> list[list[int]]:
        """The tokens that it writes for ``inputs`` (of a batch), a list for each picture: those of
        the prompt included, where the model puts them first. Nothing is drawn at random.

        Raises torch.OutOfMemoryError.
        """
        dtype, device = self.model.dtype, self.model.device
        moved = {
            name: value.to(device, dtype if value.is_floating_point() else None)
            for name, value in inputs.items()
        }
        with torch.inference_mode():
            written = self.model.generate(
                **moved, do_sample=False, temperature=None, top_p=None, top_k=None, **settings
            )
        return written.tolist()

    def read(self, tokens: Sequence[int]) -> str:
        """``tokens`` as one line of text, without those that are no words."""
        return one_line(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def read_whole_sentences(self, tokens: Sequence[int], most: int) -> str:
        """As `read`; where there are ``most`` tokens, and so perhaps half a sentence at the end,
        that half is left out."""
        text = self.read(tokens)
        if sum(token != self.tokenizer.pad_token_id for token in tokens) < most:
            return text
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        return text[: ends[-1]] if ends else text


def one_line(text: str) -> str:
    """``text`` without line breaks, control characters and spaces at its ends."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def device_of(options: ModelOptions) -> torch.device:
    """Where it computes. Raises ModelLoadingError when there is no such GPU."""
    has_gpu = torch.cuda.is_available()
    if options.device == "cuda" and not has_gpu:
        raise ModelLoadingError(
            "There is no GPU that torch can use",
            'device is "cuda"',
            'Run lora-wizard doctor, or compute on the processor: device = "cpu".',
        )
    return torch.device("cuda" if has_gpu and options.device != "cpu" else "cpu")


def dtype_for(device: torch.device) -> torch.dtype:
    """16 bits on a GPU, bf16 where it computes with it; 32 on the processor.

    A GPU rounds a little differently in batches of other sizes; where two words are as likely as
    each other in 16 bits, that can decide.
    """
    if device.type == "cpu":
        return torch.float32
    return (
        torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    )


def load_model(
    options: ModelOptions,
    name: str,
    kind: Kind,
    model_class: str,
    dtype: torch.dtype | None = None,
) -> Any:
    """The model ``name`` as transformers' ``model_class``, in evaluation mode on its device, and in
    ``dtype``, or that of the device.

    Raises ModelFilesError, ModelLoadingError: it is not what its configuration says, or the GPU is
    too small.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device = device_of(options)
    folder = model_folder(name, kind)
    with _told(name):
        model, told = getattr(transformers, model_class).from_pretrained(
            folder,
            dtype=dtype or dtype_for(device),
            device_map={"": device},
            use_safetensors=True,
            output_loading_info=True,
            **_LOCAL,
        )
    absent = sorted(key for key in told["missing_keys"] if not _NEVER_ASKED.search(key))
    if absent:
        # transformers would fill them with random numbers, and the captions would be noise.
        raise ModelLoadingError(
            "The captioner's weights are not those of its configuration",
            f"{name}: {len(absent)} weights are missing, such as {absent[0]}",
            f"Take another copy of it, or {kind.usual}; or update transformers.",
        )
    return model.eval()


def load_tokenizer(name: str, kind: Kind) -> Any:
    """What makes numbers of words for the model ``name``. Raises as `load_model` does."""
    with _told(name):
        return transformers.AutoTokenizer.from_pretrained(model_folder(name, kind), **_LOCAL)


def load_image_processor(name: str, kind: Kind) -> Any:
    """What makes numbers of pictures for the model ``name``. Raises as `load_model` does."""
    with _told(name):
        return transformers.AutoImageProcessor.from_pretrained(model_folder(name, kind), **_IMAGES)


def load_processor(name: str, kind: Kind) -> Any:
    """What makes numbers of pictures and a prompt for the model ``name``; without the part for
    videos, which would want torchvision. Raises as `load_model` does."""
    folder = model_folder(name, kind)
    type_ = model_type(folder)
    class_name = PROCESSOR_MAPPING_NAMES.get(type_)
    if class_name is None:
        raise ModelLoadingError(
            "transformers knows no such model",
            f"{name} is called {type_!r}",
            f"Update transformers, or take {kind.usual}.",
        )
    processor_class = _without_videos(getattr(transformers, class_name))
    with _told(name):
        processor = processor_class.from_pretrained(folder, **_IMAGES)
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def _without_videos(processor_class: type[Any]) -> type[Any]:
    if "video_processor" not in processor_class.get_attributes():
        return processor_class

    class WithoutVideos(processor_class):
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in super().get_attributes() if name != "video_processor"]

    # The parts look up what they belong to under the class's name.
    WithoutVideos.__name__ = processor_class.__name__
    return WithoutVideos


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What goes wrong while a model is loaded, in words."""
    try:
        yield
    except WizardError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise ModelLoadingError(
                "The captioner's model does not fit into the GPU's memory",
                name,
                'Take a smaller one, free the GPU (nvidia-smi), or compute slowly: device = "cpu".',
            ) from None
        # What damaged files raise is of transformers, tokenizers, safetensors, torch and json.
        said = one_line(str(error))[:300]
        raise ModelLoadingError(
            "The captioner's model cannot be loaded",
            f"{name}: {type(error).__name__}: {said}",
            "Take another copy of it, or update transformers.",
        ) from error
