"""Captions from what a person has already written: the names of files and folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from ..core.config.options import Section, option
from ..core.dataset.layout_words import parse_name
from ..core.resize.table import originals
from ..core.text import printable
from .base import Captioned, LightSpec

_DEVICE = re.compile(
    "img|imgp|image|dsc|dscn|dscf|dcim|pxl|mvimg|gopr|gx|gh|vid|sam|cimg|kimg|hpim|p|pic|wa",
    re.IGNORECASE,
)
"""What cameras and phones begin names with."""
_SAYS_NOTHING = re.compile(
    f"{_DEVICE.pattern}|copy|data|datasets?|download|edit|edited|file|final|folder|images|input|"
    "new|raw|photos?|pictures?|pics|png|jpg|screenshot|scan|train|training|unnamed|untitled|whatsapp|"
    "snapchat|signal|at",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}|[^\W\d_a-zA-Z]")
_NUMBERED = re.compile(r"^([^\W\d_]*)[-.(]*\d[\d\-.:x()]*$")
"""``2031``, ``DSC01234``, ``20240131-1200``, ``512x512``, ``(2)``, with the letters before."""
_HEXADECIMAL = re.compile(r"^(?=.*\d)[0-9a-f]{6,}(-[0-9a-f]{4,})*$", re.IGNORECASE)
_COUNTER = re.compile(r"[-.(]+\d+\)?$")


class NameOptions(Section):
    """Which name becomes the caption."""

    source: Literal["file", "folder"] = option(
        "file",
        help="Whose name is taken: the picture's, or its folder's. A picture that is named by a "
        "camera gets its folder's name in any case.",
        level="basic",
    )


class NameCaptioner:
    """See `NameOptions`."""

    def __init__(self, options: NameOptions) -> None:
        self._options = options
        self._originals: dict[Path, dict[str, Path]] = {}

    def caption(self, pictures: Sequence[Path]) -> Iterator[Captioned]:
        for picture in pictures:
            original = self._original(picture)
            text = from_folder(original.parent.name)
            if self._options.source == "file":
                text = from_file(original.name) or text
            reason = "" if text else "neither its name nor its folder's says anything"
            yield Captioned(picture, text, reason)

    def _original(self, picture: Path) -> Path:
        """Of a resized copy the picture that it was made from: the copy's folder was named by a
        program, and where all copies lie in one folder, so were they."""
        folder = picture.parent
        if folder not in self._originals:
            self._originals[folder] = originals(folder)
        return self._originals[folder].get(picture.name, picture)


def from_file(name: str) -> str:
    """The words in a picture's file name; "" for one that a camera or a program has given it."""
    stem = name.rpartition(".")[0] or name
    return _words(stem)


def from_folder(name: str) -> str:
    """The words in a folder's name, without sd-scripts' repeats; "" for ``images`` and the like."""
    parsed = parse_name(name)
    return _words(parsed[1] if parsed else name)


def _words(name: str) -> str:
    safe = "".join(char if printable(char) == char else " " for char in name)
    parts = safe.replace("_", " ").split()
    if len(parts) == 1 and safe.count("-") > 1 and not _HEXADECIMAL.match(safe):
        parts = safe.split("-")
    parts = [part for part in parts if part]
    while parts and _is_machine_made(parts[0]):
        parts.pop(0)
    while parts and _is_machine_made(parts[-1]):
        parts.pop()
    if parts:
        parts[-1] = _COUNTER.sub("", parts[-1])
    words = [part for part in parts if part]
    said = [word for part in words for word in _WORD.findall(part)]
    if all(_SAYS_NOTHING.fullmatch(word) for word in said):
        return ""
    return " ".join(words)


def _is_machine_made(part: str) -> bool:
    """Whether a part at an end of the name is a counter, a date, a hash or a camera's prefix."""
    if _DEVICE.fullmatch(part) or _HEXADECIMAL.match(part) or not re.search(r"\w", part):
        return True
    numbered = _NUMBERED.match(part)
    return bool(numbered) and (not numbered[1] or _SAYS_NOTHING.fullmatch(numbered[1]) is not None)


def _create(options: Section) -> NameCaptioner:
    assert isinstance(options, NameOptions)
    return NameCaptioner(options)


SPEC = LightSpec(
    name="names",
    title="Names of files and folders",
    help="For pictures whose names say what they show, such as red_fox_in_snow.jpg, or that lie in "
    "folders named after it. Nothing to install, done at once.",
    options=NameOptions,
    create=_create,
)
