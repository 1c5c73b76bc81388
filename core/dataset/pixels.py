"""From a file to the pixels of training: always 8-bit sRGB, upright, opaque, of the bucket's size.

Pillow's plain ``convert("RGB")`` turns 16-bit pictures white, shows colours hidden under
transparency and ignores colour profiles and the EXIF orientation; here each is done properly.
"""

from __future__ import annotations

import functools
import io
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from .picture_file import open_picture
from .plan import Bucket, Crop

MATTE = (255, 255, 255)
"""What is behind transparent pixels."""

_PROFILE_MODES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
"""Pillow's mode -> the colour space that a profile must be of to mean it."""


def load_picture(path: Path, *, at_least: int | None = None) -> Image.Image:
    """The picture as RGB, 8 bits, in sRGB, upright, on white where it is transparent; of an
    animation the first frame. Raises PictureError with a reason for a person.

    For a small view ``at_least`` allows a JPEG to be decoded at a half, a quarter or an eighth of
    its size, as long as both sides keep so many pixels: several times faster.
    """
    with open_picture(path) as image:
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        image.load()
        profile = image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
        return _flattened(eight_bits(upright), profile)


def load_colours(path: Path) -> Image.Image:
    """The same picture with its transparency as it is: RGBA. Raises PictureError."""
    with open_picture(path) as image:
        image.load()
        profile = image.info.get("icc_profile")
        upright = eight_bits(ImageOps.exif_transpose(image))
        colours, alpha = _apart(upright, profile)
        colours.putalpha(255 if alpha is None else alpha)
        return colours


def crop_picture(image: Image.Image, crop: Crop, bucket: Bucket) -> Image.Image:
    """The bucket's rectangle of ``image`` (RGB): scaled to the crop's size, then cut.

    Shrunk with Lanczos, which keeps the most detail without aliasing. Enlarged with bicubic: on
    the few pixels of a small picture Lanczos draws rings along edges, which a network learns.
    """
    return _cut(image, crop, bucket, Image.Resampling.LANCZOS, Image.Resampling.BICUBIC)


def crop_mask(mask: Image.Image, crop: Crop, bucket: Bucket) -> Image.Image:
    """The same rectangle of a mask (L), of any size and the picture's shape; scaled with filters
    that do not overshoot."""
    return _cut(mask, crop, bucket, Image.Resampling.BOX, Image.Resampling.BILINEAR)


def _cut(
    image: Image.Image,
    crop: Crop,
    bucket: Bucket,
    shrinking: Image.Resampling,
    enlarging: Image.Resampling,
) -> Image.Image:
    size = (crop.scaled_width, crop.scaled_height)
    if image.size != size:
        shrinks = size[0] <= image.width and size[1] <= image.height
        image = image.resize(size, shrinking if shrinks else enlarging)
    right, bottom = crop.left + bucket.width, crop.top + bucket.height
    return image.crop((crop.left, crop.top, right, bottom))


def eight_bits(image: Image.Image) -> Image.Image:
    """The same picture with 8 bits a channel and no palette."""
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        # 0..65535 to 0..255, rounded. PNG knows no wider integers.
        return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.mode in ("P", "PA", "1") or "transparency" in image.info:
        if "A" in image.mode or "transparency" in image.info:
            return image.convert("RGBA")
        return image.convert("L" if image.mode == "1" else "RGB")
    if image.mode in ("RGBX", "YCbCr", "HSV", "LAB", "F"):
        return image.convert("RGB")
    return image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))


def _flattened(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Without alpha, in sRGB."""
    colours, alpha = _apart(image, profile)
    if alpha is None:
        return colours
    matte = Image.new("RGB", image.size, MATTE)
    matte.paste(colours, mask=alpha)
    return matte


def _apart(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, Image.Image | None]:
    """The colours in sRGB, and the alpha channel, if there is one."""
    if image.mode not in ("LA", "RGBA"):
        return _in_srgb(image, profile), None
    alpha = image.getchannel("A")
    return _in_srgb(image.convert("L" if image.mode == "LA" else "RGB"), profile), alpha


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """By the picture's own profile; a profile that is damaged or of another colour space, as
    programs leave behind when they convert, is ignored."""
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = getattr(own.profile, "xcolor_space", "")
            if space == _PROFILE_MODES.get(image.mode) and not _is_srgb(own):
                converted = ImageCms.profileToProfile(
                    image,
                    own,
                    _srgb(),
                    renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                    outputMode="RGB",
                    flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
                )
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # A damaged profile says nothing about the colours: as every viewer, take them as sRGB.
            return image.convert("RGB")
    return image.convert("RGB")


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """sRGB to sRGB would only cost time and rounding."""
    return ImageCms.getProfileDescription(profile).strip().startswith("sRGB")


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
