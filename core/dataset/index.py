"""What is known of a folder's pictures from the last time, kept outside the dataset.

One file per folder of pictures below ``$XDG_CACHE_HOME/lora-wizard/pictures``. A picture is taken
for unchanged when its name, size and modification time (ns) are. Only what was found good is
remembered: a bad file is looked at again each time, since what mends it (rights, a decoder) need
not change it. An index that cannot be read, or is of another version, counts as empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import PIL

from ..errors import WizardError
from ..files import write_bytes
from ..places import cache_folder

_VERSION = 2


class IndexEntry(NamedTuple):
    """One picture as it was seen. Sizes in pixels, after the EXIF orientation."""

    size: int
    modified_ns: int
    width: int
    height: int
    frames: int
    has_alpha: bool
    is_decoded: bool
    """Whether all of it was decoded without an error, not only its header."""
    is_mask: bool = False
    """Whether something of it counts when it is taken as a mask; False as long as nobody asked."""


class PictureIndex:
    """The remembered pictures of one folder, by file name."""

    def __init__(self, folder: Path) -> None:
        self.path = index_path(folder)
        self._entries = _read(self.path)
        self._changed: dict[str, IndexEntry] = {}

    def find(self, name: str, size: int, modified_ns: int) -> IndexEntry | None:
        """The entry of a picture that has not changed since."""
        entry = self._entries.get(name)
        if entry and entry.size == size and entry.modified_ns == modified_ns:
            return entry
        return None

    def remember(self, name: str, entry: IndexEntry) -> None:
        known = self.find(name, entry.size, entry.modified_ns)
        if known:
            is_decoded, is_mask = known.is_decoded, known.is_mask
            entry = entry._replace(
                is_decoded=entry.is_decoded or is_decoded,
                is_mask=entry.is_mask or is_mask,
            )
        self._entries[name] = entry
        self._changed[name] = entry

    def save(self, keep: Iterable[str] | None = None) -> None:
        """Write what is new, together with what another process wrote meanwhile; only the names in
        ``keep`` if given. An index that cannot be written only costs time next time."""
        if not self._changed:
            return
        merged = {**_read(self.path), **self._changed}
        if keep is not None:
            names = set(keep)
            merged = {name: entry for name, entry in merged.items() if name in names}
        document = {
            "version": _VERSION,
            "pillow": PIL.__version__,
            "pictures": merged,
        }
        data = json.dumps(document, separators=(",", ":")).encode("ascii")
        with contextlib.suppress(OSError, WizardError):
            write_bytes(self.path, data, durable=False)
        self._changed = {}


def index_path(folder: Path) -> Path:
    """Where the index of ``folder`` lies."""
    name = hashlib.blake2b(os.fsencode(os.path.realpath(folder)), digest_size=16).hexdigest()
    return cache_folder() / "pictures" / f"{name}.json"


def _read(path: Path) -> dict[str, IndexEntry]:
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION or document["pillow"] != PIL.__version__:
            return {}
        return {name: _entry(row) for name, row in document["pictures"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


_KINDS = [int, int, int, int, int, bool, bool, bool]
"""Of an entry's fields. True is no number here, as it would be to isinstance."""


def _entry(row: list[Any]) -> IndexEntry:
    """Raises TypeError or ValueError for anything but a row of ours."""
    if list(map(type, row)) != _KINDS:
        raise ValueError("not a row of the index")
    entry = IndexEntry._make(row)
    if entry.width < 1 or entry.height < 1 or entry.frames < 1:
        raise ValueError("not the numbers of a picture")
    return entry
