"""Every kind of picture comes out as the colours that a viewer shows."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from datasets import png, png_header
from lora_wizard.core.dataset.picture_file import PictureError
from lora_wizard.core.dataset.pixels import crop_picture, load_picture
from lora_wizard.core.dataset.plan import Bucket, Crop
from PIL import ExifTags, Image, ImageCms


def colours(path: Path) -> list[tuple[int, ...]]:
    picture = load_picture(path)
    assert picture.mode == "RGB"
    data = picture.tobytes()
    return [tuple(data[at : at + 3]) for at in range(0, len(data), 3)]


def saved(tmp_path: Path, picture: Image.Image, name: str = "a.png", **options: Any) -> Path:
    picture.save(tmp_path / name, **options)
    return tmp_path / name


def gradient(mode: str, values: list[int]) -> Image.Image:
    picture = Image.new(mode, (len(values), 1))
    picture.putdata(values)
    return picture


def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = [0, 128, 200, 257 * 10, 32896, 65535]
    path = saved(tmp_path, gradient("I;16", values))
    assert colours(path) == [(v, v, v) for v in (0, 0, 1, 10, 128, 255)]


def test_16_bit_colour_keeps_its_colours(tmp_path: Path) -> None:
    import struct
    import zlib

    row = b"\x00" + struct.pack(">3H", 65535, 32896, 0) + struct.pack(">3H", 0, 257, 65535)
    path = tmp_path / "a.png"
    path.write_bytes(png(png_header(2, 1, depth=16), (b"IDAT", zlib.compress(row)), (b"IEND", b"")))
    assert colours(path) == [(255, 128, 0), (0, 1, 255)]


def test_grey_one_bit_and_palette(tmp_path: Path) -> None:
    assert colours(saved(tmp_path, gradient("L", [0, 77, 255]))) == [
        (v, v, v) for v in (0, 77, 255)
    ]
    assert colours(saved(tmp_path, gradient("1", [0, 255]))) == [(0, 0, 0), (255, 255, 255)]
    palette = gradient("P", [0, 1])
    palette.putpalette([10, 20, 30, 40, 50, 60])
    assert colours(saved(tmp_path, palette)) == [(10, 20, 30), (40, 50, 60)]


def test_what_is_hidden_under_alpha_does_not_come_out(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (3, 1))
    picture.putdata([(255, 0, 0, 0), (255, 0, 0, 255), (0, 0, 0, 128)])
    hidden, opaque, half = colours(saved(tmp_path, picture))
    assert hidden == (255, 255, 255)
    assert opaque == (255, 0, 0)
    assert half == (127, 127, 127)


def test_transparent_entries_of_a_palette_and_of_grey_are_white(tmp_path: Path) -> None:
    palette = gradient("P", [0, 1])
    palette.putpalette([200, 0, 0, 0, 0, 200])
    path = saved(tmp_path, palette, transparency=0)
    assert colours(path) == [(255, 255, 255), (0, 0, 200)]
    path = saved(tmp_path, palette, transparency=bytes([255, 0]))
    assert colours(path) == [(200, 0, 0), (255, 255, 255)]
    path = saved(tmp_path, gradient("L", [7, 9]), transparency=7)
    assert colours(path) == [(255, 255, 255), (9, 9, 9)]
    grey = Image.new("LA", (2, 1))
    grey.putdata([(0, 0), (50, 255)])
    assert colours(saved(tmp_path, grey)) == [(255, 255, 255), (50, 50, 50)]


def test_cmyk_jpeg(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "a.jpg", quality=100)
    red, green, blue = colours(path)[8 * 16 + 8]
    assert red > 240
    assert max(green, blue) < 15


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("a.webp", "a.png"):
        options = {"lossless": True} if name == "a.webp" else {}
        path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **options)
        assert set(colours(path)) == {(255, 0, 0)}


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, 0), (2, 1), (3, 3), (4, 2), (5, 0), (6, 2), (7, 3), (8, 1)],
)
def test_pictures_stand_upright(orientation: int, corner: int, tmp_path: Path) -> None:
    # Corners in reading order; which of the stored ones is shown first, by EXIF's definition.
    corners = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    stored = Image.new("RGB", (2, 2))
    stored.putdata(corners)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = saved(tmp_path, stored, exif=exif)
    assert colours(path)[0] == corners[corner]


def test_a_colour_profile_is_obeyed(tmp_path: Path) -> None:
    # A grey profile whose tone curve is linear: its half is far brighter in sRGB.
    linear = linear_srgb()
    picture = Image.new("RGB", (4, 4), (128, 128, 128))
    path = saved(tmp_path, picture, icc_profile=linear)
    assert abs(colours(path)[0][0] - 188) <= 1
    alpha = picture.convert("RGBA")
    alpha.putalpha(Image.new("L", (4, 4), 255))
    path = saved(tmp_path, alpha, icc_profile=linear)
    assert abs(colours(path)[0][0] - 188) <= 1


@pytest.mark.parametrize("profile", [b"nonsense", b"\x00" * 200])
def test_a_damaged_profile_is_ignored(profile: bytes, tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (4, 4), (1, 2, 3)), icc_profile=profile)
    assert colours(path)[0] == (1, 2, 3)


def test_a_profile_of_another_colour_space_is_ignored(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("L", (4, 4), 128), icc_profile=linear_srgb())
    assert colours(path)[0] == (128, 128, 128)


def test_a_bad_picture_is_a_picture_error(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"no")
    with pytest.raises(PictureError):
        load_picture(path)
    with pytest.raises(PictureError):
        load_picture(tmp_path / "missing.png")


def test_the_crop_is_the_middle_of_the_scaled_picture() -> None:
    picture = Image.new("RGB", (300, 100), "white")
    picture.paste("red", (100, 0, 200, 100))
    cut = crop_picture(picture, Crop(192, 64, 64, 0), Bucket(64, 64))
    assert cut.size == (64, 64)
    assert cut.getpixel((32, 32)) == (255, 0, 0)
    assert cut.crop((3, 0, 61, 64)).getcolors() == [(58 * 64, (255, 0, 0))]


def test_a_picture_of_the_bucket_s_size_is_left_as_it_is() -> None:
    picture = Image.effect_noise((64, 64), 90).convert("RGB")
    cut = crop_picture(picture, Crop(64, 64, 0, 0), Bucket(64, 64))
    assert cut.tobytes() == picture.tobytes()


def test_enlarging_draws_no_rings() -> None:
    picture = Image.new("RGB", (16, 16), "white")
    picture.paste((100, 100, 100), (8, 0, 16, 16))
    cut = crop_picture(picture, Crop(128, 128, 0, 0), Bucket(128, 128))
    row = cut.getchannel("R").crop((0, 64, 128, 65)).tobytes()
    # Bicubic undershoots once beside the edge; Lanczos ripples on.
    assert row[75:] == bytes([100] * 53)


def linear_srgb() -> bytes:
    """An RGB profile with sRGB's primaries and a linear tone curve."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    for entry in range(count):
        at = 132 + entry * 12
        tag = bytes(profile[at : at + 4])
        offset = int.from_bytes(profile[at + 4 : at + 8], "big")
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            profile[offset : offset + 12] = b"curv" + bytes(8)
            profile[at + 8 : at + 12] = (12).to_bytes(4, "big")
        if tag == b"desc":
            size = int.from_bytes(profile[at + 8 : at + 12], "big")
            text = bytes(profile[offset : offset + size])
            profile[offset : offset + size] = text.replace(b"s\x00R", b"x\x00R")
    assert ImageCms.ImageCmsProfile(BytesIO(bytes(profile)))
    return bytes(profile)
