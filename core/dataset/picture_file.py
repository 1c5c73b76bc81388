"""Opening a picture of anybody's: within limits, in few formats, and with one kind of error."""

from __future__ import annotations

import functools
import importlib
import os
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from .folders import open_regular

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "DIB", "AVIF", "JXL")
"""What is opened, whatever the name says. Not everything Pillow can: an EPS runs Ghostscript."""

PIXEL_LIMIT = 89_478_485
"""Pictures with more pixels are refused before they are decoded, as Pillow warns by default: a few
kilobytes of file can ask for gigabytes of memory."""

# Pillow only warns between its limit and twice that; the limit is ours to hold.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# Damaged EXIF is read as far as it goes; nobody is helped by Pillow's remarks about its bytes.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_PNG_TAIL = 1 << 16


class PictureError(Exception):
    """A picture cannot be used; the message is the reason, for a person."""


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """A picture with its header read and its size within the limit, not yet decoded.

    Whatever Pillow raises, also inside the ``with`` block, comes out as a PictureError: damaged
    files made it raise SyntaxError, struct.error, IndexError and more.
    """
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise PictureError("the file is empty")
            with Image.open(file, formats=_formats()) as image:
                pixels = image.width * image.height
                if pixels > PIXEL_LIMIT:
                    raise PictureError(_too_large(pixels))
                yield image
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(_reason(error, path)) from error


def oriented_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) after the EXIF orientation; the header is enough."""
    width, height = image.size
    return (height, width) if _orientation(image) >= 5 else (width, height)


def has_alpha(image: Image.Image) -> bool:
    """Whether it has an alpha channel, or a colour that is transparent; the header is enough."""
    bands = image.getbands()
    return "A" in bands or "a" in bands or "transparency" in image.info


def _orientation(image: Image.Image) -> int:
    """1 to 8 as in EXIF; 1 when there is none or it is damaged."""
    try:
        # Pillow's PNG class would decode the whole picture to look for EXIF behind the pixels.
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
        if value is None and image.format == "PNG" and "exif" not in image.info:
            exif = Image.Exif()
            exif.load(_png_exif_behind_pixels(image))
            value = exif.get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _png_exif_behind_pixels(image: Image.Image) -> bytes:
    """The eXIf chunk that some programs write after the pixels, found from the end of the file."""
    file = getattr(image, "fp", None)
    if file is None:
        return b""
    size = os.fstat(file.fileno()).st_size
    tail = os.pread(file.fileno(), _PNG_TAIL, max(0, size - _PNG_TAIL))
    place = tail.rfind(b"eXIf")
    if place < 4:
        return b""
    length = int.from_bytes(tail[place - 4 : place], "big")
    chunk, end = tail[place : place + 4 + length], place + 4 + length
    checksum = int.from_bytes(tail[end : end + 4], "big")
    return chunk[4:] if zlib.crc32(chunk) == checksum else b""


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of ours that this Pillow, with its plugins, reads."""
    # Not `Image.init`, which loads forty more that are never asked.
    Image.preinit()
    for name in ("Mpo", "WebP", "Avif"):
        with suppress(ImportError):
            importlib.import_module(f"PIL.{name}ImagePlugin")
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _too_large(pixels: int) -> str:
    return f"{pixels / 1e6:.0f} megapixels, more than the limit of {PIXEL_LIMIT / 1e6:.0f}"


def _reason(error: Exception, path: Path) -> str:
    """What happened, for a person. Pillow's own words name internals and file objects."""
    text = str(error)
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"more megapixels than the limit of {PIXEL_LIMIT / 1e6:.0f}"
    if isinstance(error, UnidentifiedImageError):
        suffix = path.suffix.lower().lstrip(".")
        readable = {name.lower() for name in _formats()}
        if suffix in ("avif", "jxl") and suffix not in readable:
            return f"this Pillow cannot read {suffix}: convert it to PNG, or install the plugin"
        return "not a picture, whatever its name says"
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    if "truncated" in text or "Truncated" in text or isinstance(error, EOFError):
        return f"cut off: only a part of the file is there ({text})"
    return (
        f"damaged ({type(error).__name__}: {text})" if text else f"damaged ({type(error).__name__})"
    )
