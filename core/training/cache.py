"""Pictures and prompts, encoded once and kept for all runs.

An entry's key covers all that it depends on: the picture's bytes, its crop, the encoder, the
arithmetic. So nothing is ever stale, and the next learning rate encodes nothing again. The
arithmetic belongs there because sums differ in their last bits between devices, thread counts and
versions: a run must give the same file whether it found the cache warm or cold.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from ..config import CaptionOptions, ModelOptions
from ..dataset.views import View
from ..errors import EXIT_FAILED, WizardError
from ..families.base import ModelFamily
from .pictures import Decoder, as_input, check_finite
from .portions import is_out_of_memory
from .store import TensorStore, content_key

if TYPE_CHECKING:
    from ..families.base import Conditioning

_LAYOUT = 1
_ENCODED = "encoded"
_GPU_BATCH = 8
_LIBRARIES = ("diffusers", "transformers", "peft")
Progress = Callable[[int], None]


def arithmetic(device: torch.device) -> dict[str, Any]:
    """What the last bits of a result depend on besides its inputs. JSON values."""
    facts: dict[str, Any] = {
        "torch": torch.__version__,
        **{library: version(library) for library in _LIBRARIES},
        "device": device.type,
    }
    if torch.are_deterministic_algorithms_enabled():
        facts["deterministic"] = "yes"
    if device.type == "cuda":
        return {**facts, "device": torch.cuda.get_device_name(device)}
    return {**facts, "threads": torch.get_num_threads()}


class EncodedPictures:
    """What the VAE makes of each view of a picture in its bucket. Not for views with other colours:
    these are hardly ever seen twice."""

    def __init__(
        self,
        store: TensorStore,
        family: ModelFamily,
        options: ModelOptions,
        decoder: Decoder,
        device: torch.device,
    ) -> None:
        self._store, self._family, self._decoder = store, family, decoder
        self._batch = _batch_size(device)
        self.halved_to: int | None = None
        """How many go through the GPU together, if its memory was too small for the usual."""
        self._depends_on = {
            **_encoder_facts(family, options, device),
            "kind": "picture",
            "pillow": version("pillow"),
        }

    def fill(self, views: Sequence[View], progress: Progress) -> None:
        """Encode what is not there yet; ``progress(done)`` may end it between two batches.

        Raises WizardError when a picture cannot be read or was changed since the run began, when
        what is made of it is no number, or when not even one fits into the GPU's memory.
        """
        missing = [view for view in views if not self._store.has(self._key(view))]
        done = len(views) - len(missing)
        progress(done)
        by_bucket: dict[Any, list[View]] = defaultdict(list)
        for view in missing:
            by_bucket[view.sample.bucket].append(view)
        for group in by_bucket.values():
            with contextlib.closing(self._decoder.ahead(group)) as decoded:
                pairs = zip(group, decoded, strict=True)
                while waiting := list(islice(pairs, self._batch)):
                    while chunk := waiting[: self._batch]:
                        if self._encode_or_shrink(chunk):
                            waiting = waiting[len(chunk) :]
                            done += len(chunk)
                            progress(done)

    def gather(self, views: Sequence[View]) -> torch.Tensor:
        """(B, E, h, w) fp32 on the CPU. An entry that was lost since `fill` is made again."""
        return torch.stack([self._entry(view) for view in views])

    def _entry(self, view: View) -> torch.Tensor:
        entry = self._store.get(self._key(view))
        if entry is None:
            self.fill([view], lambda done: None)
            entry = self._store.get(self._key(view)) or {}
        return entry[_ENCODED]

    def _encode_or_shrink(self, pictures: Sequence[tuple[View, torch.Tensor]]) -> bool:
        """False when the memory was too small and the batch is now half as large."""
        pixels = torch.stack([as_input(levels) for _, levels in pictures])
        try:
            encoded = _in_full_batches(self._family.encode_images, pixels, self._batch)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._batch = self.halved_to = _half(self._batch, error)
            return False
        for (view, _), tensor in zip(pictures, encoded, strict=True):
            check_finite(view, tensor)
            self._store.put(self._key(view), {_ENCODED: tensor})
        return True

    def _key(self, view: View) -> str:
        # A view that is not mirrored has no mark of it.
        return content_key(
            **self._depends_on,
            picture=self._decoder.hashes[view.sample.path],
            bucket=asdict(view.sample.bucket),
            crop=asdict(view.crop),
            **({"flipped": True} if view.is_flipped else {}),
        )


class EncodedPrompts:
    """What a frozen text encoder makes of each caption."""

    def __init__(
        self,
        store: TensorStore,
        family: ModelFamily,
        options: ModelOptions,
        captions: CaptionOptions,
        device: torch.device,
    ) -> None:
        self._store, self._family, self._captions = store, family, captions
        self._batch = _batch_size(device)
        self.halved_to: int | None = None
        """How many go through the GPU together, if its memory was too small for the usual."""
        self._depends_on = {
            **_encoder_facts(family, options, device),
            "kind": "prompt",
            "clip_skip": options.clip_skip,
            **_reading(captions),
        }

    def fill(self, captions: Iterable[str], progress: Progress) -> None:
        """Encode the captions that are not there yet; as `EncodedPictures.fill`."""
        wanted = list(dict.fromkeys(captions))
        missing = [caption for caption in wanted if not self._store.has(self._key(caption))]
        done = len(wanted) - len(missing)
        progress(done)
        while missing:
            chunk = missing[: self._batch]
            if self._encode_or_shrink(chunk):
                missing = missing[len(chunk) :]
                done += len(chunk)
                progress(done)

    def gather(self, captions: Sequence[str]) -> Conditioning:
        """By name, (B, ...) on the CPU."""
        entries = [self._entry(caption) for caption in captions]
        return {name: torch.stack([entry[name] for entry in entries]) for name in entries[0]}

    def _entry(self, caption: str) -> Mapping[str, torch.Tensor]:
        entry = self._store.get(self._key(caption))
        if entry is None:
            self.fill([caption], lambda done: None)
            entry = self._store.get(self._key(caption)) or {}
        return entry

    def _encode_or_shrink(self, captions: Sequence[str]) -> bool:
        padded = [*captions, *[captions[-1]] * (self._batch - len(captions))]
        try:
            with torch.no_grad():
                conditioning = self._family.encode_prompts(padded, self._captions)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._batch = self.halved_to = _half(self._batch, error)
            return False
        for index, caption in enumerate(captions):
            entry = {name: tensor[index].clone() for name, tensor in conditioning.items()}
            self._store.put(self._key(caption), entry)
        return True

    def _key(self, caption: str) -> str:
        return content_key(**self._depends_on, caption=caption)


def _reading(captions: CaptionOptions) -> dict[str, Any]:
    """How captions are read, as far as it is not the usual way: that has no mark in its keys."""
    facts = {"max_tokens": captions.max_tokens, "weighted": captions.weighted}
    usual = CaptionOptions()
    return {name: value for name, value in facts.items() if value != getattr(usual, name)}


def _encoder_facts(
    family: ModelFamily, options: ModelOptions, device: torch.device
) -> dict[str, Any]:
    return {
        "layout": _LAYOUT,
        "family": family.spec.name,
        "base": family.base_hash(),
        "precision": options.precision,
        **arithmetic(device),
    }


def _batch_size(device: torch.device) -> int:
    # One core gains nothing from batches, and alone each picture's result depends on nothing else.
    return _GPU_BATCH if device.type == "cuda" else 1


def _in_full_batches(
    encode: Callable[[torch.Tensor], torch.Tensor], pixels: torch.Tensor, size: int
) -> Iterator[torch.Tensor]:
    """Kernels are chosen by shape, so a batch that is not full is filled up: the same picture then
    gets the same numbers in whatever company."""
    filling = pixels[-1:].expand(size - len(pixels), *pixels.shape[1:])
    with torch.no_grad():
        return iter(encode(torch.cat([pixels, filling]))[: len(pixels)].clone())


def _half(batch: int, error: Exception) -> int:
    if batch > 1:
        torch.cuda.empty_cache()
        return batch // 2
    raised = WizardError(
        "The GPU's memory is too small to encode a single picture or caption",
        str(error),
        "Close other programs on the GPU, or lower dataset.resolution.",
    )
    raised.exit_code = EXIT_FAILED
    raise raised from error
