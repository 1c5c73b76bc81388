"""Asking a model of pictures: in batches that fit, and without one bad picture ending it all."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence

from ...core.errors import EXIT_FAILED, WizardError
from ..base import CaptionModel, OutOfMemoryError
from .reading import Opened

_MOST_FAILURES = 5
"""In a row, each picture alone: then it is the model, not the pictures."""


class MemoryTooSmallError(WizardError):
    """Not even one picture fits."""

    exit_code = EXIT_FAILED


class Asker:
    """Asks ``model`` of at most `batch_size` pictures at once. ``tell`` hears, in words, when that
    had to become fewer."""

    def __init__(self, model: CaptionModel, batch_size: int, tell: Callable[[str], object]) -> None:
        self.batch_size = batch_size
        self._model = model
        self._tell = tell
        self._failures = 0

    def answers(self, pictures: Sequence[Opened]) -> Iterator[tuple[Opened, str, str]]:
        """(picture, text, why there is none) for each, as soon as it is known. Raises
        MemoryTooSmallError, and what the model raises when it is not the picture's fault."""
        rest = list(pictures)
        while rest:
            batch = rest[: self.batch_size]
            try:
                texts = self._describe(batch)
            except WizardError:
                raise
            except Exception as error:
                if _is_out_of_memory(error):
                    self._halve(len(batch), error)
                elif len(batch) > 1:
                    yield from self._one_by_one(batch)
                    del rest[: len(batch)]
                else:
                    yield self._failed(batch[0], error)
                    del rest[0]
                continue
            self._failures = 0
            for picture, text in zip(batch, texts, strict=True):
                yield picture, text, ""
            del rest[: len(batch)]

    def _describe(self, batch: Sequence[Opened]) -> list[str]:
        texts = self._model.describe([item.image for item in batch if item.image is not None])
        if len(texts) != len(batch):
            raise WizardError(
                "The captioner does not do what it promises",
                f"It was asked of {len(batch)} pictures and has answered {len(texts)} times.",
                "Update or uninstall the distribution that brings it.",
            )
        return [_one_line(text) for text in texts]

    def _one_by_one(self, batch: Sequence[Opened]) -> Iterator[tuple[Opened, str, str]]:
        """One of them is what the model cannot bear: the others shall not suffer for it."""
        for picture in batch:
            try:
                texts = self._describe([picture])
            except WizardError:
                raise
            except Exception as error:
                if _is_out_of_memory(error):
                    raise _too_small(error) from error
                yield self._failed(picture, error)
            else:
                self._failures = 0
                yield picture, texts[0], ""

    def _failed(self, picture: Opened, error: Exception) -> tuple[Opened, str, str]:
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            raise error
        words = f"{type(error).__name__}: {error}".partition("\n")[0]
        return picture, "", f"the captioner cannot look at it ({words})"

    def _halve(self, tried: int, error: Exception) -> None:
        """The memory was too small for ``tried`` pictures; larger batches are not tried again."""
        if tried == 1:
            raise _too_small(error) from error
        self.batch_size = (tried + 1) // 2
        # The frames of the failed attempt hold what was computed until then.
        error.__traceback__ = None
        _free_memory()
        self._tell(
            f"The memory is too small for {tried} pictures at once: "
            f"{self.batch_size} at a time from now on"
        )


def _one_line(text: str) -> str:
    """Without what no caption file may hold, whoever has said it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, (OutOfMemoryError, MemoryError)):
        return True
    # Whatever computes with torch has imported it.
    if "torch" not in sys.modules:
        return False
    from ...core.training.portions import is_out_of_memory

    return is_out_of_memory(error)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _too_small(error: Exception) -> MemoryTooSmallError:
    return MemoryTooSmallError(
        "The memory is too small for this captioner",
        str(error).partition("\n")[0],
        "Close other programs on the GPU, take a smaller model, or let it compute on the CPU: "
        "--device cpu",
    )
