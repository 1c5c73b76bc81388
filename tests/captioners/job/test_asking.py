"""Batches, with torch's own words for a memory that is too small."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
import torch
from lora_wizard.captioners.job.asking import Asker, MemoryTooSmallError
from lora_wizard.captioners.job.pictures import Wanted
from lora_wizard.captioners.job.reading import Opened
from lora_wizard.core.dataset.folders import FileEntry
from lora_wizard.core.errors import WizardError
from PIL import Image

TORCHS = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore.")


class Small:
    """Its memory holds ``most`` pictures."""

    def __init__(self, most: int, answers: int | None = None, error: Exception = TORCHS) -> None:
        self.error = error
        self.most = most
        self.answers = answers
        self.tried: list[int] = []

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        self.tried.append(len(pictures))
        if len(pictures) > self.most:
            raise self.error
        widths = [f"{picture.width}\n  wide\x00\x1b " for picture in pictures]
        return widths[: self.answers]


def some(count: int) -> list[Opened]:
    def one(number: int) -> Opened:
        # Nobody asks the folder of a picture that is open already.
        file = FileEntry(Path("pictures"), f"{number}.png", cast("os.DirEntry[str]", None))
        return Opened(Wanted(file, ""), str(number), Image.new("RGB", (number + 1, 1)))

    return [one(number) for number in range(count)]


def test_batches_are_halved_until_they_fit_and_stay_so() -> None:
    model, told = Small(2), list[str]()
    asker = Asker(model, 12, told.append)
    texts = [text for _, text, _ in asker.answers(some(12))]
    assert texts == [f"{number} wide" for number in range(1, 13)]
    assert model.tried[:4] == [12, 6, 3, 2] and set(model.tried[4:]) == {2}
    assert asker.batch_size == 2
    assert told[-1] == "The memory is too small for 3 pictures at once: 2 at a time from now on"


def test_what_the_drivers_libraries_say_halves_too() -> None:
    model = Small(2, error=RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"))
    asker = Asker(model, 4, lambda words: None)
    assert [reason for _, _, reason in asker.answers(some(4))] == [""] * 4
    assert model.tried == [4, 2, 2]


def test_less_than_one_picture_is_too_little() -> None:
    with pytest.raises(MemoryTooSmallError) as caught:
        list(Asker(Small(0), 4, lambda words: None).answers(some(4)))
    assert caught.value.message == "CUDA out of memory. Tried to allocate 2 GiB."


def test_a_model_that_does_not_answer_for_each_is_told() -> None:
    with pytest.raises(WizardError, match="does not do what it promises"):
        list(Asker(Small(9, answers=1), 4, lambda words: None).answers(some(4)))
