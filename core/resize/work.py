"""What is to do in a folder, doing it for one picture, and keeping account."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..dataset.captions import SIZE_LIMIT
from ..dataset.folders import read_regular
from ..dataset.images import BadPicture
from ..dataset.picture_file import PictureError
from ..dataset.pixels import load_picture
from ..files import write_bytes
from .copying import encoded_mask, encoded_picture
from .crops import CropTable
from .frame import Frame, frame_of, frame_of_box
from .order import Order
from .source import Source, SourcePicture
from .table import ResizeTable, Row

FLAT = " - "
"""Between the folder's name and the picture's where all copies lie in one folder."""
_MASK = " mask "
"""In the recipe of a copy that has a mask."""
_SUBJECT_SIDE = 256
"""Pixels that the shorter side is decoded with to look for the subject."""


@dataclass
class Outcome:
    """What was done; with a dry run, what would be."""

    rows: list[Row] = field(default_factory=list)
    """All copies that are current now."""
    made: int = 0
    current: int = 0
    """That were there already."""
    kept: list[str] = field(default_factory=list)
    """Copies that somebody has changed since, which are left as they are."""
    enlarged: int = 0
    masks: int = 0
    texts: int = 0
    tabled: int = 0
    """Captions that were copied from files of many."""
    bad: list[BadPicture] = field(default_factory=list)
    is_whole: bool = True
    """False when it was stopped."""


@dataclass
class Work:
    """What is known while it is done."""

    order: Order
    source: Source

    def __post_init__(self) -> None:
        self.table = ResizeTable(self.order.into, self.order.source)
        self.crops = CropTable(self.order.into)
        self.outcome = Outcome(bad=list(self.source.bad))

    def todo(self) -> Iterator[SourcePicture]:
        """What is not current; what is, is counted."""
        names: dict[str, str] = {}
        for item in self.source.pictures:
            file = self.file_name(item)
            stem = file.rpartition(".")[0]
            if stem in names:
                reason = f"its copy would have the name of that of {names[stem]}"
                self.outcome.bad.append(BadPicture(item.picture.path, reason))
                continue
            names[stem] = item.name
            row = self.table.rows.get(item.name)
            state = self._state(row) if row else "missing"
            if row and state == "changed":
                self.outcome.kept.append(row.file)
                self.outcome.rows.append(row)
            elif row and state == "there" and self._is_current(row, item):
                self.outcome.current += 1
                self.outcome.rows.append(row)
            else:
                yield item

    def file_name(self, item: SourcePicture) -> str:
        name = item.name.replace("/", FLAT) if self.order.is_flat else item.name
        stem, _, suffix = name.rpartition(".")
        return stem + self.order.encoding.suffix(f".{suffix}")

    def recipe(self, item: SourcePicture) -> str:
        order = self.order
        box = self.crops.box(item.name, (item.picture.width, item.picture.height))
        at = f"by hand {box}" if box else order.at if order.how == "crop" else "whole"
        encoding = f"{order.encoding.format} {order.encoding.quality}"
        mask = f"{_MASK}{item.mask.file_size} {item.mask.modified_ns}" if item.mask else ""
        enlarge = "" if order.target.enlarge else " not enlarged"
        how = "crop" if box else order.how
        return f"{order.target} {how} {at} {encoding}{enlarge}{mask}"

    def frame(self, item: SourcePicture) -> Frame:
        """Raises PictureError where the picture has to be looked at for it."""
        order, size = self.order, (item.picture.width, item.picture.height)
        box = self.crops.box(item.name, size)
        if box:
            return frame_of_box(box, order.target)
        frame = frame_of(size, order.target, order.how)
        is_whole = frame.box[2] - frame.box[0] > size[0] - 1 and (
            frame.box[3] - frame.box[1] > size[1] - 1
        )
        if order.how != "crop" or order.at == "centre" or is_whole:
            return frame
        from .subject import subject_point

        shares = (frame.box[2] - frame.box[0]) / size[0], (frame.box[3] - frame.box[1]) / size[1]
        small = load_picture(item.picture.path, at_least=_SUBJECT_SIDE)
        return frame_of(size, order.target, order.how, subject_point(small, shares))

    def copy(self, item: SourcePicture) -> Row | BadPicture:
        """Write the copy and what belongs to it; the table's row for it."""
        picture, order = item.picture, self.order
        try:
            frame = self.frame(item)
            data = encoded_picture(picture.path, frame, order.encoding, has_alpha=picture.has_alpha)
            mask = (
                encoded_mask(item.mask.path, frame, (picture.width, picture.height))
                if item.mask
                else b""
            )
        except PictureError as error:
            return BadPicture(picture.path, str(error))
        target = order.into / self.file_name(item)
        try:
            for text in item.texts:
                self._copy_text(text.path, target.with_name(target.stem + text.path.suffix))
        except OSError as error:
            reason = f"its caption cannot be read: {error.strerror or error}"
            return BadPicture(picture.path, reason)
        if mask:
            write_bytes(target.with_name(f"{target.stem}-mask.png"), mask)
        # Last: what has a picture has all that belongs to it.
        write_bytes(target, data)
        return self._row(item, frame, target)

    def take(self, item: SourcePicture, row: Row) -> None:
        """Enter a copy that was made; one of another name that it replaces goes."""
        before = self.table.rows.get(item.name)
        if before and before.file != row.file and self._state(before) == "there":
            with suppress(OSError):
                (self.order.into / before.file).unlink()
        if before and _MASK in before.recipe:
            old, new = self._mask_of(before), self._mask_of(row)
            if old != new or item.mask is None:
                # Its picture is gone, or has no mask any more.
                with suppress(OSError):
                    old.unlink()
        self.table.rows[item.name] = row
        self._count(item, row)

    def drop_unwanted(self) -> None:
        """Take away unchanged copies of pictures that are no longer to be copied."""
        if self.order.only is None:
            return
        wanted = {item.name for item in self.source.pictures}
        for name in [name for name in self.table.rows if name not in wanted]:
            row = self.table.rows.pop(name)
            if self._state(row) == "there":
                for path in (self.order.into / row.file, self._mask_of(row)):
                    path.unlink(missing_ok=True)

    def note(self, item: SourcePicture, frame: Frame) -> None:
        """Count what would be made."""
        picture = item.picture
        row = Row(
            item.name,
            self.file_name(item),
            frame.box,
            frame.scaled,
            frame.size,
            self.recipe(item),
            picture.file_size,
            picture.modified_ns,
            0,
            0,
        )
        self._count(item, row)

    def _count(self, item: SourcePicture, row: Row) -> None:
        outcome = self.outcome
        outcome.rows.append(row)
        outcome.made += 1
        outcome.enlarged += row.scaled[0] > row.box[2] - row.box[0] + 1
        outcome.masks += item.mask is not None
        outcome.texts += len(item.texts)

    def _mask_of(self, row: Row) -> Path:
        copy = self.order.into / row.file
        return copy.with_name(f"{copy.stem}-mask.png")

    def _copy_text(self, source: Path, target: Path) -> None:
        """A caption that is there is somebody's by now."""
        if not target.exists():
            data, _ = read_regular(source, SIZE_LIMIT + 1)
            if len(data) > SIZE_LIMIT:
                raise OSError(errno.EFBIG, "it is too long for a caption")
            write_bytes(target, data, replacing=False)

    def _row(self, item: SourcePicture, frame: Frame, target: Path) -> Row:
        found, picture = target.stat(), item.picture
        return Row(
            item.name,
            self.file_name(item),
            tuple(round(side, 2) for side in frame.box),  # pyright: ignore[reportArgumentType]
            frame.scaled,
            frame.size,
            self.recipe(item),
            picture.file_size,
            picture.modified_ns,
            found.st_size,
            found.st_mtime_ns,
        )

    def _is_current(self, row: Row, item: SourcePicture) -> bool:
        picture = item.picture
        made_of = (row.source_size, row.source_modified_ns, row.recipe, row.file)
        now = (picture.file_size, picture.modified_ns, self.recipe(item), self.file_name(item))
        return made_of == now

    def _state(self, row: Row) -> Literal["there", "changed", "missing"]:
        try:
            found = (self.order.into / row.file).stat()
        except OSError:
            return "missing"
        is_ours = (found.st_size, found.st_mtime_ns) == (row.file_size, row.file_modified_ns)
        return "there" if is_ours else "changed"
