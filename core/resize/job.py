"""Copying a folder in threads, so that a kill loses nothing that is done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event

from ..dataset.images import BadPicture, Progress
from .caption_tables import copy_tables
from .order import Order, check_folders, held
from .source import SourcePicture, read_source
from .table import Row
from .work import Outcome, Work

_SAVE_INTERVAL = 2.0
"""Seconds between saves of the table; a killed process does no more again."""


def resize(
    order: Order,
    *,
    is_dry: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    stop: Event | None = None,
) -> Outcome:
    """Copy what is not there yet or not current. Raises WizardError where the new folder is the
    source, inside it, around it, or somebody else's, and WriteError."""
    check_folders(order.source, order.into)
    source = read_source(order.source, order.only)
    work = Work(order, source)
    todo = list(work.todo())
    outcome = work.outcome
    done = outcome.current + len(outcome.kept)
    if is_dry:
        for item in todo:
            work.note(item, work.frame(item))
        return outcome
    total = done + len(todo)
    if progress:
        progress(done, total)
    with held(order.into):
        _make(work, todo, (done, total), progress=progress, workers=workers, stop=stop)
        outcome.tabled = copy_tables(
            order.source, order.into, source.tables, outcome.rows, is_flat=order.is_flat
        )
    outcome.is_whole = not (stop and stop.is_set())
    outcome.rows.sort(key=lambda row: row.source)
    return outcome


def _make(
    work: Work,
    todo: Sequence[SourcePicture],
    count: tuple[int, int],
    *,
    progress: Progress | None,
    workers: int | None,
    stop: Event | None,
) -> None:
    """``count``: how many are there already, and in all."""
    done, total = count
    work.drop_unwanted()
    work.table.save()
    save_at = time.monotonic() + _SAVE_INTERVAL
    try:
        for item, result in _done(work, todo, workers or min(8, os.cpu_count() or 1), stop):
            if isinstance(result, BadPicture):
                work.outcome.bad.append(result)
            else:
                work.take(item, result)
            done += 1
            if time.monotonic() >= save_at:
                work.table.save()
                save_at = time.monotonic() + _SAVE_INTERVAL
            if progress:
                progress(done, total)
    finally:
        work.table.save()


def _done(
    work: Work, items: Sequence[SourcePicture], workers: int, stop: Event | None
) -> Iterator[tuple[SourcePicture, Row | BadPicture]]:
    """As they become ready; few are under way at a time, so that a stop is obeyed at once."""
    with ThreadPoolExecutor(workers, thread_name_prefix="resize") as pool:
        running: dict[Future[Row | BadPicture], SourcePicture] = {}
        remaining = iter(items)
        while True:
            while len(running) < 2 * workers and not (stop and stop.is_set()):
                item = next(remaining, None)
                if item is None:
                    break
                running[pool.submit(work.copy, item)] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
