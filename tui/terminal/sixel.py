"""Pictures as sixels: bands of six rows, each painted once for every colour in it."""

from __future__ import annotations

import re

from PIL import Image

_MOST_COLOURS = 256
_BAND = 6
_ALIKE = re.compile(rb"(.)\1{3,}", re.DOTALL)
_PRINTED = bytes(range(63, 63 + 64)) + bytes(192)
"""Six bits -> the character that stands for them."""
_EMPTY = b"?"


def sixels(picture: Image.Image) -> str:
    """The escape sequence that paints ``picture``, in 256 colours of its own, from the cursor's
    cell to the right and down."""
    reduced = picture.convert("RGB").quantize(_MOST_COLOURS, dither=Image.Dither.FLOYDSTEINBERG)
    width, height = reduced.size
    pixels = reduced.tobytes()
    parts = [b'\x1bP0;1;0q"1;1;%d;%d' % (width, height), _palette(reduced)]
    for top in range(0, height, _BAND):
        ends = range(top * width, min(top + _BAND, height) * width, width)
        parts.append(_band([pixels[at : at + width] for at in ends]))
    return (b"".join(parts) + b"\x1b\\").decode("ascii")


def _palette(picture: Image.Image) -> bytes:
    """Every colour in parts of a hundred."""
    values = picture.getpalette() or []
    colours = range(len(values) // 3)
    shares = [round(value * 100 / 255) for value in values]
    return b"".join(b"#%d;2;%d;%d;%d" % (at, *shares[at * 3 : at * 3 + 3]) for at in colours)


def _band(rows: list[bytes]) -> bytes:
    """Six rows or fewer of a picture."""
    width, painted = len(rows[0]), list[bytes]()
    for colour in sorted(set(b"".join(rows))):
        # One byte a column: all columns are shifted and joined at once, as one long number.
        only = bytes(colour) + b"\x01" + bytes(255 - colour)
        bits = 0
        for bit, row in enumerate(rows):
            if colour in row:
                bits |= int.from_bytes(row.translate(only)) << bit
        line = bits.to_bytes(width).translate(_PRINTED).rstrip(_EMPTY)
        painted.append(b"#%d" % colour + _ALIKE.sub(_counted, line))
    return b"$".join(painted) + b"-"


def _counted(found: re.Match[bytes]) -> bytes:
    return b"!%d" % len(found[0]) + found[1]
