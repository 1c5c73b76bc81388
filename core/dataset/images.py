"""The pictures of a folder: their headers at once, all of their pixels before training.

A header takes 0.02 ms and tells size and orientation; it does not tell that the rest is cut off,
and neither does Pillow's ``verify()``. So a plan is made from headers, and `verify_pictures`
decodes each picture once, in the background, before anything is trained.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import NamedTuple, Protocol

from PIL import Image

from .folders import FileEntry, extension
from .index import IndexEntry, PictureIndex
from .masks import load_mask
from .picture_file import PictureError, has_alpha, open_picture, oriented_size

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".avif", ".jxl"})

_EMPTY_MASK = {
    False: "the mask is black everywhere, so that nothing of its picture would be learned",
    True: "all of it is transparent, so that nothing of it would be learned",
}
_SAVE_INTERVAL = 5.0
"""Seconds between saves of what is known of pictures; a kill loses no more."""

Progress = Callable[[int, int], None]
"""Called with (pictures done, pictures in all), from the thread that was called."""


class Picture(NamedTuple):
    """A picture's header. Sizes in pixels after the EXIF orientation, in bytes for the file."""

    folder: Path
    name: str
    width: int
    height: int
    file_size: int
    modified_ns: int
    frames: int
    has_alpha: bool

    @property
    def path(self) -> Path:
        return self.folder / self.name


@dataclass(frozen=True)
class BadPicture:
    """A file that is named like a picture and cannot be used."""

    path: Path
    reason: str


class PictureFile(Protocol):
    """What `verify_pictures` must know: a `Picture` or a `Sample`."""

    @property
    def folder(self) -> Path: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def file_size(self) -> int: ...
    @property
    def modified_ns(self) -> int: ...


def is_picture_name(name: str) -> bool:
    return extension(name) in EXTENSIONS


def scan_pictures(
    folder: Path, files: Sequence[FileEntry], progress: Progress | None = None
) -> tuple[list[Picture], list[BadPicture]]:
    """The headers of ``files`` (all directly in ``folder``), from the index where they are known.

    Nothing is raised for a bad picture, whatever is wrong with it.
    """
    index = PictureIndex(folder)
    good: list[Picture] = []
    bad: list[BadPicture] = []
    for done, file in enumerate(files, start=1):
        try:
            entry = index.find(file.name, file.size, file.modified_ns)
            if entry is None:
                entry = _read_header(file)
                index.remember(file.name, entry)
        except PictureError as error:
            bad.append(BadPicture(file.path, str(error)))
        except OSError as error:
            bad.append(BadPicture(file.path, f"cannot be read: {error.strerror or error}"))
        else:
            good.append(_picture(file, entry))
        if progress and (done % 256 == 0 or done == len(files)):
            progress(done, len(files))
    index.save(keep=[file.name for file in files])
    return good, bad


def verify_pictures(
    pictures: Iterable[PictureFile],
    *,
    masks: Mapping[Path, bool] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    stop: Event | None = None,
) -> list[BadPicture]:
    """Decode all of each picture that was not yet, and name those that cannot be.

    Also named is a file that changed since it was scanned. The work is done in threads (Pillow
    decodes without the interpreter's lock) and remembered; when ``stop`` is set, what is left is
    left for the next call.

    ``masks``: the pictures of which something must count as a mask, and whether it is their alpha
    channel that does.
    """
    waiting, masks = list(pictures), masks or {}
    indexes = {folder: PictureIndex(folder) for folder in {item.folder for item in waiting}}
    total, bad, done = len(waiting), [], 0
    todo: list[PictureFile] = []
    for item in waiting:
        known = indexes[item.folder].find(item.name, item.file_size, item.modified_ns)
        is_mask = bool(masks) and item.path in masks
        is_known = known and known.is_decoded and (known.is_mask or not is_mask)
        if is_known and _is_unchanged(item):
            done += 1
        else:
            todo.append(item)
    if progress:
        progress(done, total)
    save_at = time.monotonic() + _SAVE_INTERVAL
    for item, result in _decoded(todo, masks, workers or min(8, os.cpu_count() or 1), stop):
        done += 1
        if isinstance(result, BadPicture):
            bad.append(result)
        else:
            indexes[item.folder].remember(item.name, result)
        # By the clock: a save writes all entries, and by number that grows with its square.
        if time.monotonic() >= save_at:
            _save_all(indexes)
            save_at = time.monotonic() + _SAVE_INTERVAL
        if progress:
            progress(done, total)
    _save_all(indexes)
    return sorted(bad, key=lambda item: str(item.path))


def _picture(file: FileEntry, entry: IndexEntry) -> Picture:
    return Picture(
        file.folder,
        file.name,
        entry.width,
        entry.height,
        entry.size,
        entry.modified_ns,
        entry.frames,
        entry.has_alpha,
    )


def _read_header(file: FileEntry) -> IndexEntry:
    with open_picture(file.path) as image:
        return _entry_of(image, file.size, file.modified_ns, is_decoded=False)


def _entry_of(image: Image.Image, size: int, modified_ns: int, *, is_decoded: bool) -> IndexEntry:
    width, height = oriented_size(image)
    # An MPO is a camera's JPEG with a preview or a second eye: not an animation.
    frames = 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
    return IndexEntry(size, modified_ns, width, height, frames, has_alpha(image), is_decoded)


def _decoded(
    items: Sequence[PictureFile], masks: Mapping[Path, bool], workers: int, stop: Event | None
) -> Iterator[tuple[PictureFile, IndexEntry | BadPicture]]:
    """Each item with its result, as they become ready; few are under way at a time, so that a stop
    is obeyed at once."""
    with ThreadPoolExecutor(workers, thread_name_prefix="verify-pictures") as pool:
        running: dict[Future[IndexEntry | BadPicture], PictureFile] = {}
        remaining = iter(items)
        while True:
            while len(running) < 2 * workers and not (stop and stop.is_set()):
                item = next(remaining, None)
                if item is None:
                    break
                running[pool.submit(_decode, item, masks.get(item.path))] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _decode(item: PictureFile, is_alpha_mask: bool | None) -> IndexEntry | BadPicture:
    """``is_alpha_mask``: None where it is no mask."""
    try:
        with open_picture(item.path) as image:
            image.load()
            entry = _entry_of(image, item.file_size, item.modified_ns, is_decoded=True)
        if is_alpha_mask is not None:
            if load_mask(item.path, is_alpha=is_alpha_mask).getbbox() is None:
                return BadPicture(item.path, _EMPTY_MASK[is_alpha_mask])
            entry = entry._replace(is_mask=True)
    except PictureError as error:
        return BadPicture(item.path, str(error))
    if not _is_unchanged(item) or (entry.width, entry.height) != (item.width, item.height):
        return BadPicture(item.path, "the file was changed while it was being looked at")
    return entry


def _is_unchanged(item: PictureFile) -> bool:
    try:
        found = os.stat(os.path.join(item.folder, item.name))  # noqa: PTH116, PTH118 - faster
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (item.file_size, item.modified_ns)


def _save_all(indexes: dict[Path, PictureIndex]) -> None:
    for index in indexes.values():
        index.save()
