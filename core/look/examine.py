"""Looking at a whole set: measures in threads, remembered, then findings."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

from ..dataset.images import BadPicture, Picture, Progress
from ..dataset.masks import load_mask
from ..dataset.picture_file import PictureError
from .copies import find_copies
from .finding import Finding
from .findings import findings_of
from .measure import Measures, measure
from .pictures import PictureSet
from .store import Extrema, LookStore

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
    measures: dict[Path, Measures] = {}
    extrema: dict[Path, Extrema] = {}
    bad = list(found.bad)
    results = _results(items, masks, workers or min(8, os.cpu_count() or 1), stop)
    for done, (item, result) in enumerate(results, start=1):
        if isinstance(result, BadPicture):
            bad.append(result)
        elif isinstance(result, Measures):
            measures[item.path] = result
        else:
            extrema[item.path] = result
        if progress:
            progress(done, len(items))
    if stop and stop.is_set():
        raise CancelledError
    copies = find_copies(found.pictures, measures)
    bad.sort(key=lambda item: str(item.path))
    return findings_of(found, measures, copies, extrema, bad)


def _results(
    items: Sequence[Picture], masks: set[Path], workers: int, stop: Event | None
) -> Iterator[tuple[Picture, _Found]]:
    """Each file with what was found; what is known first."""
    stores = {folder: LookStore(folder) for folder in {item.path.parent for item in items}}
    todo: list[Picture] = []
    for item in items:
        store, key = stores[item.path.parent], (item.path.name, item.file_size, item.modified_ns)
        known = store.extrema(*key) if item.path in masks else store.measures(*key)
        if known is None:
            todo.append(item)
        else:
            yield item, known
    save_at = time.monotonic() + _SAVE_INTERVAL
    try:
        for item, result in _decoded(todo, masks, workers, stop):
            if not isinstance(result, BadPicture):
                store = stores[item.path.parent]
                store.remember(item.path.name, item.file_size, item.modified_ns, result)
            # By the clock: a save writes all rows, and by number that grows with its square.
            if time.monotonic() >= save_at:
                _save(stores)
                save_at = time.monotonic() + _SAVE_INTERVAL
            yield item, result
    finally:
        _save(stores)


def _decoded(
    items: Sequence[Picture], masks: set[Path], workers: int, stop: Event | None
) -> Iterator[tuple[Picture, _Found]]:
    """As they become ready; few are under way at a time, so that a stop is obeyed at once."""
    with ThreadPoolExecutor(workers, thread_name_prefix="look-at-pictures") as pool:
        running: dict[Future[_Found], Picture] = {}
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


def _look(item: Picture, is_mask: bool) -> _Found:
    try:
        if not is_mask:
            return measure(item.path)
        low, high = load_mask(item.path, is_alpha=False).getextrema()
    except PictureError as error:
        return BadPicture(item.path, str(error))
    assert isinstance(low, int) and isinstance(high, int)
    return low, high


def _save(stores: dict[Path, LookStore]) -> None:
    for store in stores.values():
        store.save()
