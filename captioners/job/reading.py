"""Pictures are opened ahead, in threads, while the model is at work on those before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from ...core.dataset.folders import FileEntry
from ...core.dataset.picture_file import PictureError
from ...core.dataset.pixels import load_picture
from ..base import ModelOptions
from .pictures import Wanted
from .results import content_of

_SIDE = 1024
"""Pixels that the shorter side keeps: few captioners look at more, and a photograph's 24 megapixels
take 72 MB each."""
_MOST_AHEAD = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture as far as it was read."""

    wanted: Wanted
    content: str = ""
    image: Image.Image | None = None
    """None when there is a ``reason``, or its content is known."""
    reason: str = ""
    """Why it cannot be captioned, for a person."""


def side_of(options: ModelOptions) -> int:
    """How many pixels the shorter side of a large picture keeps: what an option promises to look
    at has to be there."""
    return max(_SIDE, int(getattr(options, "resolution", 0)))


def opened(
    pictures: Iterable[Wanted],
    is_known: Callable[[str], bool],
    batch_size: int,
    side: int = _SIDE,
) -> Generator[Opened, None, None]:
    """Each picture, in their order. ``is_known`` says of a content whether it need not be decoded;
    it is called from several threads. Large ones come smaller, with at least ``side`` pixels on the
    shorter side. Nothing is raised for a bad picture."""
    ahead = batch_size + min(batch_size, _MOST_AHEAD) + 1
    remaining = iter(pictures)
    pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="open-pictures")
    waiting: deque[Future[Opened]] = deque()
    try:
        while True:
            while len(waiting) < ahead:
                wanted = next(remaining, None)
                if wanted is None:
                    break
                waiting.append(pool.submit(_open, wanted, is_known, side))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _open(wanted: Wanted, is_known: Callable[[str], bool], side: int) -> Opened:
    file = wanted.file
    try:
        content = content_of(file.path)
        image = None
        if not is_known(content):
            image = _not_larger(load_picture(file.path, at_least=side), side)
    except PictureError as error:
        return Opened(wanted, reason=str(error))
    except (OSError, MemoryError) as error:
        what = error.strerror if isinstance(error, OSError) else "not enough memory"
        return Opened(wanted, reason=f"cannot be read: {what or error}")
    if not _is_unchanged(file):
        return Opened(wanted, reason="the file was changed while it was being looked at")
    return Opened(wanted, content, image)


def _not_larger(image: Image.Image, side: int) -> Image.Image:
    times = min(image.size) // side
    return image.reduce(times) if times > 1 else image


def _is_unchanged(file: FileEntry) -> bool:
    try:
        found = file.path.stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (file.size, file.modified_ns)
