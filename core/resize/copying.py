"""One copy: decoded as training does it, cut, scaled, encoded without anything of the camera's."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from ..dataset.masks import load_mask
from ..dataset.pixels import MATTE, load_colours, load_picture
from .frame import Box, Frame, Size

Format = Literal["keep", "jpg", "png", "webp"]
_KEPT = {".jpg": "jpg", ".jpeg": "jpg", ".png": "png", ".webp": "webp"}
_WITH_ALPHA = ("png", "webp")


@dataclass(frozen=True)
class Encoding:
    """How copies are written."""

    format: Format = "keep"
    quality: int = 95
    """Of JPEG and WebP, 1 to 100."""

    def suffix(self, source: str) -> str:
        """With the dot, of the copy of a file whose name ends with ``source``. What is kept keeps
        its ending; formats that are not written become PNG."""
        if self.format != "keep":
            return f".{self.format}"
        return source if source.lower() in _KEPT else ".png"


def encoded_picture(path: Path, frame: Frame, encoding: Encoding, *, has_alpha: bool) -> bytes:
    """The copy of a picture: 8-bit sRGB, upright, with no EXIF and no profile. Transparency is
    kept where the format has it, else it becomes white. Raises PictureError."""
    kind = _KEPT[encoding.suffix(path.suffix).lower()]
    keeps_alpha = has_alpha and kind in _WITH_ALPHA
    # Colours on white would come onto white a second time wherever the copy is looked at.
    picture = load_colours(path) if keeps_alpha else load_picture(path)
    copy = _scaled(picture, frame.box, frame.scaled)
    copy = _set_into(_without_hidden(copy) if keeps_alpha else copy, frame.size, MATTE)
    if keeps_alpha:
        alpha = _scaled_mask(load_mask(path, is_alpha=True), frame.box, frame.scaled)
        # What is added at the edges is no part of the picture.
        copy.putalpha(_set_into(alpha, frame.size, 0))
    return _encoded(copy, kind, encoding.quality)


def encoded_mask(path: Path, frame: Frame, picture: Size) -> bytes:
    """The same part of a mask, as PNG; what is padded does not count. ``picture``: the size that
    the frame is in. Raises PictureError."""
    mask = load_mask(path, is_alpha=False)
    across, down = mask.width / picture[0], mask.height / picture[1]
    left, top, right, bottom = frame.box
    box = (
        left * across,
        top * down,
        min(right * across, mask.width),
        min(bottom * down, mask.height),
    )
    copy = _scaled_mask(mask, box, frame.scaled)
    return _encoded(_set_into(copy, frame.size, 0), "png", 100)


def _without_hidden(image: Image.Image) -> Image.Image:
    """The colours of an RGBA picture; where it is fully transparent, white."""
    shows = image.getchannel("A").point(lambda alpha: 255 if alpha else 0)
    colours = Image.new("RGB", image.size, MATTE)
    colours.paste(image.convert("RGB"), mask=shows)
    return colours


def _scaled(image: Image.Image, box: Box, size: Size) -> Image.Image:
    """As for training: shrunk with Lanczos, enlarged with bicubic, which draws no rings."""
    shrinks = size[0] <= box[2] - box[0] and size[1] <= box[3] - box[1]
    filter = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
    return image.resize(size, filter, box=_within(box, image.size))


def _scaled_mask(mask: Image.Image, box: Box, size: Size) -> Image.Image:
    """With filters that do not overshoot."""
    shrinks = size[0] <= box[2] - box[0] and size[1] <= box[3] - box[1]
    filter = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return mask.resize(size, filter, box=_within(box, mask.size))


def _within(box: Box, size: Size) -> Box:
    """Pillow refuses a box that rounding has put a hair outside."""
    return max(0.0, box[0]), max(0.0, box[1]), min(box[2], size[0]), min(box[3], size[1])


def _set_into(image: Image.Image, size: Size, colour: int | tuple[int, int, int]) -> Image.Image:
    if image.size == size:
        return image
    ground = Image.new(image.mode, size, colour)
    ground.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return ground


def _encoded(image: Image.Image, kind: str, quality: int) -> bytes:
    data = io.BytesIO()
    image.info = {}  # a profile, a gamma or a comment of the source, which are not true any more
    if kind == "jpg":
        image.save(data, "JPEG", quality=quality, subsampling=0, optimize=True)
    elif kind == "webp":
        image.save(data, "WEBP", quality=quality, alpha_quality=100, method=4, exact=True)
    else:
        image.save(data, "PNG")
    return data.getvalue()
