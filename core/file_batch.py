"""Many small files replaced at once, each by the protocol of `files`: whole, and on the disk,
before it takes its name. The disk is waited for by many files together, not for each in turn.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from .files import TEMPORARY_MARK, sync_folder, write_failed, write_temporary

_PORTION = 512
"""Files that wait for the disk together; as many temporaries lie beside them at most."""
_THREADS = 16
"""A disk that is told of many files at once writes them in one go."""


@dataclass(frozen=True)
class Replacement:
    """What is to stand in a file."""

    path: Path
    data: bytes | None
    """None: the file is to go."""


def temporary_of(path: Path, token: str) -> Path:
    """Where a file of a batch is written, before it takes its name."""
    name = hashlib.blake2b(os.fsencode(path.name), digest_size=8).hexdigest()
    return path.with_name(f"{TEMPORARY_MARK}{token}-{name}")


def replace_files(
    wanted: Sequence[Replacement],
    token: str,
    *,
    is_due: Callable[[int], bool],
    after: Callable[[int, bool], object],
) -> None:
    """Do all of ``wanted``, each of another path, in their order. When this returns, all of it
    survives a power cut.

    ``is_due`` is asked, by place, just before a file would take its name, whether it still shall;
    ``after`` hears the answer. ``token`` names the temporaries (`temporary_of`), so that whoever
    knows it can remove what a killed process has left. Folders have to be there.

    Raises WriteError, and what ``is_due`` and ``after`` raise: what was done until then stays, and
    survives a power cut too; temporaries do not.
    """
    folders: set[Path] = set()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="write-files") as pool:
        try:
            for begin in range(0, len(wanted), _PORTION):
                places = range(begin, min(begin + _PORTION, len(wanted)))
                _portion(wanted, places, token, pool, folders, is_due, after)
        finally:
            for folder in folders:
                with _told(folder):
                    sync_folder(folder)


def _portion(
    wanted: Sequence[Replacement],
    places: Sequence[int],
    token: str,
    pool: ThreadPoolExecutor,
    folders: set[Path],
    is_due: Callable[[int], bool],
    after: Callable[[int, bool], object],
) -> None:
    temporaries = {
        place: temporary_of(wanted[place].path, token)
        for place in places
        if wanted[place].data is not None
    }

    def write(place: int) -> None:
        item = wanted[place]
        with _told(item.path):
            write_temporary(temporaries[place], item.path, item.data or b"")

    written = [pool.submit(write, place) for place in temporaries]
    try:
        for each in written:
            each.result()
        for place in places:
            path = wanted[place].path
            due = is_due(place)
            if due:
                folders.add(path.parent)
                with _told(path):
                    if place in temporaries:
                        temporaries[place].replace(path)
                        del temporaries[place]
                    else:
                        path.unlink(missing_ok=True)
            after(place, due)
    finally:
        for each in written:
            each.cancel()
        wait(written)
        for left in temporaries.values():
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_failed(path, error) from error
