"""Masks: which parts of a picture count in the loss.

A mask is a file beside its picture (``name-mask.png``), or the picture's own alpha channel. White
or opaque parts count, black or transparent ones do not. A file named so is never a training picture
where the picture it belongs to is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageOps

from ..config.sections.loss import MaskSource
from ..errors import Mend, Problem
from .picture_file import open_picture
from .pixels import crop_mask, eight_bits
from .plan import Sample
from .views import View

if TYPE_CHECKING:
    from .images import Picture

ENDINGS = ("-mask", ".mask", "-masklabel")
"""Of a mask's name before its extension; the last is OneTrainer's."""
_SHAPE_TOLERANCE = 0.02
_KEY = "loss.mask"


def masked_name(name: str) -> str:
    """The name without extension of the picture that the file ``name`` is named a mask of; empty
    when it is not named like one."""
    stem = name.rpartition(".")[0]
    lower = stem.lower()
    if lower.endswith(ENDINGS):
        for ending in ENDINGS:
            if lower.endswith(ending) and len(stem) > len(ending):
                return stem[: -len(ending)]
    return ""


def mask_beside(picture: Path) -> Path | None:
    """The mask file of a picture, if there is one."""
    for ending in ENDINGS:
        for suffix in dict.fromkeys((".png", picture.suffix, ".jpg", ".webp")):
            path = picture.with_name(f"{picture.stem}{ending}{suffix}")
            if path.is_file():
                return path
    return None


def mask_names(pictures: Iterable[str]) -> set[str]:
    """The masks among the names of ``pictures``, a folder's: those whose picture is there too."""
    names = set(pictures)
    of_picture = {name: picture for name in names if (picture := masked_name(name))}
    stems = {name.rpartition(".")[0] for name in names} if of_picture else set[str]()
    return {name for name, picture in of_picture.items() if picture in stems}


def masks_of(
    source: MaskSource, pictures: Sequence[Picture], files: Sequence[Picture]
) -> dict[Path, Picture]:
    """By picture, where its mask lies: among ``files``, all masks of the folder, or in the picture
    itself."""
    if source == "alpha":
        return {picture.path: picture for picture in pictures if picture.has_alpha}
    if source == "none":
        return {}
    by_name: dict[str, Picture] = {}
    for file in files:
        by_name.setdefault(masked_name(file.name), file)
    stems = {picture.path: picture.name.rpartition(".")[0] for picture in pictures}
    return {path: by_name[stem] for path, stem in stems.items() if stem in by_name}


def review_masks(
    source: MaskSource,
    names: Collection[str],
    pictures: Sequence[Picture],
    masks: Mapping[Path, Picture],
) -> list[Problem]:
    """What there is to say of the masks of a folder. ``names``: of all files that are named like a
    mask and not excluded; ``masks``: what `masks_of` found for ``pictures``."""
    found: list[Problem] = []
    if names and source != "file":
        message = f"{_are(len(names), 'mask')} not used: {_some(sorted(names))}."
        remedy = 'loss.mask = "file" uses them. They are not trained as pictures either way.'
        mend = Mend("Use the masks", {_KEY: "file"})
        found.append(Problem(message, _KEY, remedy=remedy, severity="warning", mends=(mend,)))
    if source == "file":
        found += _about_names(names, pictures)
    for picture in pictures if masks else ():
        mask = masks.get(picture.path)
        if mask and _is_misshapen(picture, mask):
            found.append(_misshapen(picture, mask))
    return found


def _about_names(names: Collection[str], pictures: Sequence[Picture]) -> Iterator[Problem]:
    stems = {picture.name.rpartition(".")[0] for picture in pictures}
    of_picture: dict[str, list[str]] = {}
    for name in sorted(names):
        of_picture.setdefault(masked_name(name), []).append(name)
    orphans = [name for stem, same in of_picture.items() if stem not in stems for name in same]
    if orphans:
        message = f"No picture belongs to {_some(orphans)}: left out."
        remedy = "A mask is named as its picture: name-mask.png beside name.jpg."
        yield Problem(message, _KEY, remedy=remedy, severity="warning")
    for stem, same in of_picture.items():
        if stem in stems and len(same) > 1:
            message = f"{' and '.join(same)} are masks of the same picture."
            yield Problem(
                message, _KEY, remedy="Remove all but one, or name it in dataset.exclude."
            )


def summary(source: MaskSource, samples: Sequence[Sample]) -> Iterator[Problem]:
    """How many pictures have a mask."""
    masked = sum(sample.mask is not None for sample in samples)
    if masked:
        rest = "" if masked == len(samples) else "; the others are learned whole"
        message = f"{masked} of {len(samples)} pictures {'has' if masked == 1 else 'have'} a mask"
        yield Problem(f"{message}{rest}.", _KEY, severity="note")
    elif source != "none":
        without = "a name-mask.png beside it" if source == "file" else "an alpha channel"
        message = f"No picture has {without}: all are learned whole."
        yield Problem(message, _KEY, severity="warning")


def load_mask(path: Path, *, is_alpha: bool) -> Image.Image:
    """A mask, upright, as mode L: 255 where the picture counts. Of a file with transparency, what
    is transparent does not count. Raises PictureError."""
    with open_picture(path) as image:
        image.load()
        upright = eight_bits(ImageOps.exif_transpose(image))
    alpha = upright.getchannel("A") if upright.mode in ("LA", "RGBA") else None
    if is_alpha:
        return alpha or Image.new("L", upright.size, 255)
    grey = upright.convert("L")
    return ImageChops.multiply(grey, alpha) if alpha else grey


def show_mask(mask: Image.Image, view: View) -> Image.Image:
    """The part of ``mask`` (L) that belongs to ``view``: scaled, cut and mirrored as its picture
    is."""
    cut = crop_mask(mask, view.crop, view.sample.bucket)
    return ImageOps.mirror(cut) if view.is_flipped else cut


def _is_misshapen(picture: Picture, mask: Picture) -> bool:
    ratio = picture.width * mask.height / (picture.height * mask.width)
    return abs(ratio - 1) > _SHAPE_TOLERANCE


def _misshapen(picture: Picture, mask: Picture) -> Problem:
    return Problem(
        f"The mask is {mask.width}x{mask.height}, of another shape than {picture.name}, "
        f"{picture.width}x{picture.height}.",
        str(mask.path),
        remedy="Make it of the picture's size.",
    )


def _are(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"


def _some(names: Sequence[str], limit: int = 5) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
