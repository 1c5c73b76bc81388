"""From views of pictures to what the family makes of their pixels, without a cache."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch

from ..dataset.pixels import load_picture
from ..dataset.views import View, show
from ..errors import EXIT_FAILED, WizardError
from ..families.base import ModelFamily
from .fingerprints import Fingerprints

_AHEAD = 8
"""Pictures that are decoded before they are asked for, at most, while all are encoded."""
_AT_ONCE = 32
"""The same while training."""


class UnencodableError(WizardError):
    """The encoder made of a picture what is no number."""

    exit_code = EXIT_FAILED
    resume_helps = False


class Decoder:
    """Pixels of the pictures as they were when the run began."""

    def __init__(self, hashes: Mapping[Path, str], fingerprints: Fingerprints) -> None:
        """``hashes``: SHA-256 of the bytes of every picture and mask, as the run began."""
        self.hashes, self._fingerprints = hashes, fingerprints

    def pixels(self, view: View) -> torch.Tensor:
        """(3, H, W) levels from 0 to 255.

        Raises WizardError when the picture cannot be read or was changed since the run began.
        """
        picture = show(load_picture(view.sample.path), view)
        self.check(view.sample.path)
        levels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        return levels.view(picture.height, picture.width, 3).movedim(-1, 0)

    def check(self, path: Path) -> None:
        """Raises WizardError when the bytes of a file are others than at the run's beginning."""
        if self._fingerprints.of(path) != self.hashes[path]:
            raise WizardError(
                "A picture was changed while it was being used",
                str(path),
                "Leave the dataset alone until the run has read it, then start it again.",
            )

    def ahead(self, views: Sequence[View]) -> Generator[torch.Tensor]:
        """`pixels` of each, in their order, a few decoded by threads meanwhile: Pillow decodes
        without the interpreter's lock. What fails, fails where its picture's turn comes."""
        workers = min(_workers(), len(views)) or 1
        running: deque[Future[torch.Tensor]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="decode-pictures") as pool:
            try:
                for view in views:
                    running.append(pool.submit(self.pixels, view))
                    if len(running) > _AHEAD:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
            finally:
                for future in running:
                    future.cancel()


class PicturesOnTheSpot:
    """What the VAE makes of each view, anew at each use."""

    def __init__(self, family: ModelFamily, decoder: Decoder) -> None:
        self._family, self._decoder = family, decoder
        self._pool = ThreadPoolExecutor(_workers(), thread_name_prefix="decode-pictures")
        self._coming: dict[View, Future[torch.Tensor]] = {}

    def expect(self, views: Sequence[View]) -> None:
        """Begin to decode what will be asked for next; no more of it than memory has room for."""
        for view in views[: _AT_ONCE - len(self._coming)]:
            self._decoded(view)

    @torch.no_grad()
    def gather(self, views: Sequence[View]) -> torch.Tensor:
        """(B, E, h, w) fp32 on the CPU. Each by itself, so that it is the same in any batch."""
        decoded = [self._decoded(view) for view in views]
        encoded: list[torch.Tensor] = []
        for view, levels in zip(views, decoded, strict=True):
            self._coming.pop(view, None)
            encoded.append(self._family.encode_images(as_input(levels.result())[None])[0])
            check_finite(view, encoded[-1])
        return torch.stack(encoded)

    def _decoded(self, view: View) -> Future[torch.Tensor]:
        if view not in self._coming:
            self._coming[view] = self._pool.submit(self._decoder.pixels, view)
        return self._coming[view]


def as_input(levels: torch.Tensor) -> torch.Tensor:
    """Levels from 0 to 255 as the encoder wants them, fp32 from -1 to 1."""
    return levels.float() / 127.5 - 1


def check_finite(view: View, encoded: torch.Tensor) -> None:
    """Raises UnencodableError, which names the picture."""
    if not bool(torch.isfinite(encoded).all()):
        raise UnencodableError(
            "The VAE makes of a picture what is not a number",
            str(view.sample.path),
            "Look at the picture, and name it in dataset.exclude if it is odd. If it happens with "
            "others too, the base model's VAE is damaged: take another base.",
        )


def _workers() -> int:
    return min(4, os.cpu_count() or 1)
