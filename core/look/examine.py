"""Looking at a whole set: measures in threads, remembered, then findings."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from ..dataset.images import BadPicture, PictureFile, Progress
from ..dataset.picture_file import PictureError
from .copies import find_copies
from .finding import Finding
from .findings import findings_of
from .measure import Extrema, Measures, mask_extrema, measure
from .pictures import PictureSet
from .store import LookStore

_SAVE_INTERVAL = 5.0
"""Seconds between saves of what was measured; a kill loses no more."""
_Found = Measures | Extrema | BadPicture


class CancelledError(Exception):
    """It was asked to stop; what was measured is kept for the next time."""


def examine(
    found: PictureSet,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    stop: Event | None = None,
) -> list[Finding]:
    """The findings of a set. Every file is decoded once, in threads, and remembered outside the
    dataset by size and modification time. Raises CancelledError when ``stop`` is set."""
    masks = {mask.path for _, mask in found.masks}
    items = [*found.pictures, *(mask for _, mask in found.masks)]
    known = measured(items, masks, progress=progress, workers=workers, stop=stop)
    if stop and stop.is_set():
        raise CancelledError
    copies = find_copies(found.pictures, known.measures)
    bad = sorted([*found.bad, *known.bad], key=lambda item: str(item.path))
    return findings_of(found, known.measures, copies, known.extrema, bad)


@dataclass
class Measured:
    """What is known of files."""

    measures: dict[Path, Measures] = field(default_factory=dict)
    """Of pictures."""
    extrema: dict[Path, Extrema] = field(default_factory=dict)
    """Of mask files."""
    bad: list[BadPicture] = field(default_factory=list)


def remembered(items: Sequence[PictureFile], masks: Collection[Path]) -> Measured:
    """What is known of ``items`` from the last time, decoding none; ``masks`` are the mask files
    among them."""
    found = Measured()
    stores = {folder: LookStore(folder) for folder in {item.folder for item in items}}
    for item in items:
        _take(found, item.path, _known(stores[item.folder], item, item.path in masks))
    return found


def measured(
    items: Sequence[PictureFile],
    masks: Collection[Path],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    stop: Event | None = None,
) -> Measured:
    """The same, with what is not known yet decoded, and remembered. Ends early when ``stop`` is
    set."""
    found = Measured()
    results = _results(items, masks, workers or min(8, os.cpu_count() or 1), stop)
    for done, (item, result) in enumerate(results, start=1):
        _take(found, item.path, result)
        if progress:
            progress(done, len(items))
    return found


def _take(found: Measured, path: Path, result: _Found | None) -> None:
    if isinstance(result, BadPicture):
        found.bad.append(result)
    elif isinstance(result, Measures):
        found.measures[path] = result
    elif result is not None:
        found.extrema[path] = result


def _known(store: LookStore, item: PictureFile, is_mask: bool) -> Measures | Extrema | None:
    key = (item.name, item.file_size, item.modified_ns)
    return store.extrema(*key) if is_mask else store.measures(*key)


def _results(
    items: Sequence[PictureFile], masks: Collection[Path], workers: int, stop: Event | None
) -> Iterator[tuple[PictureFile, _Found]]:
    """Each file with what was found; what is known first."""
    stores = {folder: LookStore(folder) for folder in {item.folder for item in items}}
    todo: list[PictureFile] = []
    for item in items:
        known = _known(stores[item.folder], item, item.path in masks)
        if known is None:
            todo.append(item)
        else:
            yield item, known
    save_at = time.monotonic() + _SAVE_INTERVAL
    try:
        for item, result in _decoded(todo, masks, workers, stop):
            if not isinstance(result, BadPicture):
                store = stores[item.folder]
                store.remember(item.name, item.file_size, item.modified_ns, result)
            # By the clock: a save writes all rows, and by number that grows with its square.
            if time.monotonic() >= save_at:
                _save(stores)
                save_at = time.monotonic() + _SAVE_INTERVAL
            yield item, result
    finally:
        _save(stores)


def _decoded(
    items: Sequence[PictureFile], masks: Collection[Path], workers: int, stop: Event | None
) -> Iterator[tuple[PictureFile, _Found]]:
    """As they become ready; few are under way at a time, so that a stop is obeyed at once."""
    with ThreadPoolExecutor(workers, thread_name_prefix="look-at-pictures") as pool:
        running: dict[Future[_Found], PictureFile] = {}
        remaining = iter(items)
        while True:
            while len(running) < 2 * workers and not (stop and stop.is_set()):
                item = next(remaining, None)
                if item is None:
                    break
                running[pool.submit(_look, item, item.path in masks)] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _look(item: PictureFile, is_mask: bool) -> _Found:
    try:
        return mask_extrema(item.path, is_alpha=False) if is_mask else measure(item.path)
    except PictureError as error:
        return BadPicture(item.path, str(error))


def _save(stores: dict[Path, LookStore]) -> None:
    for store in stores.values():
        store.save()
