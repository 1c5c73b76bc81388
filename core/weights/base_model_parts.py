"""A base model's parts as frozen modules, checked to be whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import torch

from .base_model import BaseModel, BaseModelError
from .single_file import SingleFile


def load_part(base: BaseModel, name: str, kind: type[Any], dtype: torch.dtype) -> Any:
    """The module of part ``name``, of diffusers or transformers class ``kind``, in ``dtype``,
    frozen, in evaluation mode, on the CPU.

    Raises BaseModelError when its weights cannot be read, or do not fill the module: a weight that
    is not in the file would silently be random.
    """
    if isinstance(base, SingleFile):
        from .single_file_parts import load_from_file

        return load_from_file(base, name, kind, dtype)
    from transformers import PreTrainedModel

    # diffusers takes `torch_dtype` in every version, `dtype` only in the newest.
    options: dict[str, Any] = {"torch_dtype": dtype}
    if issubclass(kind, PreTrainedModel):
        # Dropout inside the base would be the one random draw of training that has no key.
        options = {"dtype": dtype, "attention_dropout": 0.0}
    try:
        with _quiet():
            module, report = cast(Any, kind).from_pretrained(
                base.folder,
                subfolder=name,
                variant=base.variants[name],
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **options,
            )
    except Exception as error:
        # diffusers, transformers and safetensors raise whatever happened to them; a file that is
        # there and cannot be loaded is the base's fault, not ours.
        raise BaseModelError(
            "A part of the base model cannot be loaded",
            f"{base.folder / name}: {type(error).__name__}: {error}",
            "Download the base model again; is it of the family that the configuration names?",
        ) from error
    absent = sorted(report["missing_keys"])
    if absent:
        raise BaseModelError(
            "A part of the base model lacks weights",
            f"{base.folder / name}: {len(absent)} are missing, such as {absent[0]}",
            "Download the base model again; is it of the family that the configuration names?",
        )
    return module.requires_grad_(False).eval()


def load_tokenizer(base: BaseModel, vocabulary_size: int) -> Any:
    """The base's CLIP tokenizer.

    Raises BaseModelError when its vocabulary is not the text encoder's (``vocabulary_size``) or
    does not hold every byte: words would silently become the unknown token.
    """
    from transformers import CLIPTokenizer

    folder = base.tokenizer_folder()
    with _quiet():
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    vocabulary = tokenizer.get_vocab()
    if len(vocabulary) != vocabulary_size:
        raise BaseModelError(
            "The tokenizer is not the text encoder's",
            f"{folder}: {len(vocabulary)} tokens, where the text encoder has {vocabulary_size}",
            "Download the base model's tokenizer again.",
        )
    absent = [
        symbol for symbol in _byte_symbols() if not {symbol, f"{symbol}</w>"} <= vocabulary.keys()
    ]
    if absent:
        raise BaseModelError(
            "The tokenizer does not know every letter",
            f"{folder}: {len(absent)} bytes have no token",
            "Take a base with CLIP's own tokenizer.",
        )
    return tokenizer


def is_trained(module: torch.nn.Module) -> bool:
    """Whether anything in it receives gradients."""
    return any(parameter.requires_grad for parameter in module.parameters())


def _byte_symbols() -> Iterator[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    yield from ByteLevel.alphabet()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars of libraries: the job has a progress of its own."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    transformers_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    diffusers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.enable_progress_bar()
        if transformers_bars:
            transformers_logging.enable_progress_bar()
